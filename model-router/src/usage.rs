//! What did a call use?

mod kind;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::kind::{Direction, UsageKind};
pub(crate) use self::kind::{KindSet, N_KINDS, kinds_in};

/// What a call used, by kind. A kind that is not in it is not known, which is not zero.
///
/// A whole includes its parts: 1,200 input tokens of which 1,000 came from the cache are
/// `InputTokens` 1,200 and `CacheReadTokens` 1,000. Extraction brings every provider's counting into
/// this form.
///
/// ```
/// use bursar_model_router::{Usage, UsageKind};
///
/// let usage = Usage::new()
///     .with(UsageKind::InputTokens, 1_200)
///     .with(UsageKind::OutputTokens, 80);
/// assert_eq!(usage.get(UsageKind::InputTokens), Some(1_200));
/// assert_eq!(usage.get(UsageKind::CacheReadTokens), None);
///
/// // A part that is larger than its whole is found before it makes a price wrong.
/// let wrong = usage.with(UsageKind::CacheReadTokens, 5_000);
/// assert_eq!(
///     wrong.check().unwrap_err().to_string(),
///     "5000 cache_read_tokens cannot be a part of 1200 input_tokens; check which kinds the provider's count includes",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Usage {
    /// Zero for what is not known, so that equal usages are equal here.
    counts: [u64; N_KINDS],
    known: KindSet,
}

/// Why a usage is none, or cannot be added up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A part is larger than its whole.
    #[error(
        "{part_count} {part} cannot be a part of {whole_count} {whole}; check which kinds the provider's count includes"
    )]
    PartOverWhole {
        /// The part.
        part: UsageKind,
        /// How many there are of the part.
        part_count: u64,
        /// The whole.
        whole: UsageKind,
        /// How many there are of the whole.
        whole_count: u64,
    },
    /// A sum is over 2⁶⁴ − 1.
    #[error("the sum of {kind} is more than a count holds, 18446744073709551615")]
    Overflow {
        /// Of which kind.
        kind: UsageKind,
    },
}

impl Usage {
    /// Of which nothing is known.
    pub const fn new() -> Self {
        Self {
            counts: [0; N_KINDS],
            known: 0,
        }
    }

    /// With this count of a kind, in place of what was known of it.
    pub const fn with(mut self, kind: UsageKind, count: u64) -> Self {
        self.counts[kind as usize] = count;
        self.known |= kind.bit();
        self
    }

    /// The count of a kind, if it is known.
    #[must_use]
    pub const fn get(&self, kind: UsageKind) -> Option<u64> {
        if self.known & kind.bit() == 0 {
            return None;
        }
        Some(self.counts[kind as usize])
    }

    /// Every kind that is known with its count.
    pub fn iter(&self) -> impl Iterator<Item = (UsageKind, u64)> + '_ {
        kinds_in(self.known).map(|kind| (kind, self.counts[kind as usize]))
    }

    /// What both calls used: what is known of one alone counts as it is.
    ///
    /// A kind that one of the two providers does not report stays a lower bound in the sum; keep such
    /// calls apart where it matters.
    ///
    /// # Errors
    /// [`UsageError::Overflow`].
    pub fn checked_add(mut self, other: &Self) -> Result<Self, UsageError> {
        for (kind, count) in other.iter() {
            let sum = self.counts[kind as usize].checked_add(count);
            self = self.with(kind, sum.ok_or(UsageError::Overflow { kind })?);
        }
        Ok(self)
    }

    /// Whether every known part fits into every known whole of it.
    ///
    /// # Errors
    /// [`UsageError::PartOverWhole`] with the first that does not.
    pub fn check(&self) -> Result<(), UsageError> {
        for (whole, whole_count) in self.iter() {
            let mut parts = kinds_in(whole.parts() & self.known);
            let too_large = parts.find(|&part| self.counts[part as usize] > whole_count);
            if let Some(part) = too_large {
                return Err(UsageError::PartOverWhole {
                    part,
                    part_count: self.counts[part as usize],
                    whole,
                    whole_count,
                });
            }
        }
        Ok(())
    }

    /// The kinds of which there is at least one.
    pub(crate) fn used(&self) -> KindSet {
        self.iter()
            .filter(|&(_, count)| count > 0)
            .fold(0, |set, (kind, _)| set | kind.bit())
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self::new()
    }
}

/// The kinds that are known.
impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(UsageKind, u64)> for Usage {
    fn from_iter<I: IntoIterator<Item = (UsageKind, u64)>>(counts: I) -> Self {
        counts
            .into_iter()
            .fold(Self::new(), |usage, (kind, count)| usage.with(kind, count))
    }
}

/// `{"input_tokens":1200,"output_tokens":80}`.
impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// A kind that this version does not know is an error.
impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|counts: BTreeMap<UsageKind, u64>| {
            let counts = counts.into_iter();
            counts.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::UsageKind as Kind;
    use super::*;

    #[test]
    fn what_is_known_adds_up() {
        let one = Usage::new()
            .with(Kind::InputTokens, 5)
            .with(Kind::WebSearches, 1);
        let other = Usage::new()
            .with(Kind::InputTokens, 7)
            .with(Kind::OutputTokens, 0);
        let sum = one.clone().checked_add(&other).unwrap();
        let counts: Vec<_> = sum.iter().collect();
        let expected = [
            (Kind::InputTokens, 12),
            (Kind::OutputTokens, 0),
            (Kind::WebSearches, 1),
        ];
        assert_eq!(counts, expected);
        let kind = Kind::InputTokens;
        let too_much = one.checked_add(&Usage::new().with(kind, u64::MAX));
        assert_eq!(too_much, Err(UsageError::Overflow { kind }));
    }

    #[test]
    fn a_part_of_nothing_known_is_not_refused() {
        let usage = Usage::new().with(Kind::CacheReadTokens, 5);
        assert_eq!(usage.check(), Ok(()));
    }

    #[test]
    fn a_usage_survives_json_and_a_wrong_one_is_an_error() {
        let usage = Usage::new()
            .with(Kind::InputTokens, 5)
            .with(Kind::CacheWrite1hTokens, 2);
        let json = serde_json::to_string(&usage).unwrap();
        assert_eq!(json, r#"{"input_tokens":5,"cache_write_1h_tokens":2}"#);
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), usage);
        for wrong in [r#"{"input_tokens":-1}"#, r#"{"tokens":1}"#, "[]"] {
            assert!(serde_json::from_str::<Usage>(wrong).is_err(), "{wrong}");
        }
    }
}
