//! Among how many networks or clients is the use spread, and which of them are new?

#[cfg(feature = "serde")]
use crate::format::{check_amount, check_time};

/// The weight of use by value, faded by half-lives, for the values that weigh most: what an account
/// normally uses, in bounded memory. A value is new until it has been known for a grace time.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub(crate) struct Shares<const SLOTS: usize> {
    #[cfg_attr(feature = "serde", serde(with = "saved_slots"))]
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Slot {
    value: u64,
    /// Faded by days: what the account uses now.
    recent: f64,
    first_ms: i64,
    last_ms: i64,
}

/// A day: what is recent, and how long something stays new.
pub(crate) const DAY_MS: i64 = 86_400_000;

impl<const SLOTS: usize> Default for Shares<SLOTS> {
    fn default() -> Self {
        Self {
            slots: [Slot::default(); SLOTS],
        }
    }
}

impl<const SLOTS: usize> Shares<SLOTS> {
    /// Takes a use in and says whether its value is new: first seen less than a day ago.
    pub(crate) fn add(&mut self, value: u64, weight: f64, at_ms: i64) -> bool {
        let weight = weight.max(1.0);
        if let Some(slot) = self
            .slots
            .iter_mut()
            .find(|slot| slot.value == value && slot.recent > 0.0)
        {
            slot.recent = slot.faded(at_ms) + weight;
            slot.last_ms = slot.last_ms.max(at_ms);
            // A late event may tell that it was known earlier.
            slot.first_ms = slot.first_ms.min(at_ms);
            return at_ms - slot.first_ms < DAY_MS;
        }
        let key = |slot: &Slot| slot.faded(at_ms);
        let least = self
            .slots
            .iter_mut()
            .min_by(|a, b| key(a).total_cmp(&key(b)));
        if let Some(slot) = least {
            *slot = Slot {
                value,
                recent: weight,
                first_ms: at_ms,
                last_ms: at_ms,
            };
        }
        true
    }

    /// How many values were used within a span before now.
    pub(crate) fn active(&self, span_ms: i64, at_ms: i64) -> usize {
        let is_active = |slot: &&Slot| slot.recent > 0.0 && at_ms - slot.last_ms < span_ms;
        self.slots.iter().filter(is_active).count()
    }

    /// The effective number of values: 2 to the power of the entropy of their shares (Hill, 1973).
    /// One for a single network, close to n for n used alike; none seen is zero.
    pub(crate) fn spread(&self, at_ms: i64) -> f64 {
        let weights = self.slots.map(|slot| slot.faded(at_ms));
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let shares = weights.iter().map(|weight| weight / total);
        let entropy: f64 = shares
            .filter(|&share| share > 0.0)
            .map(|share| -share * share.log2())
            .sum();
        entropy.exp2()
    }
}

impl Slot {
    fn faded(&self, at_ms: i64) -> f64 {
        let days = (at_ms - self.last_ms).max(0) as f64 / DAY_MS as f64;
        self.recent * (-days).exp2()
    }
}

/// A share of use that had a property, recently: two sums that fade together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "SavedShare", into = "SavedShare"))]
pub(crate) struct FadingShare {
    with: f64,
    all: f64,
    at_ms: i64,
}

impl FadingShare {
    /// The half-life, six hours: a leaked key is used hard within hours.
    const HALF_LIFE_MS: f64 = 6.0 * 3_600_000.0;

    pub(crate) fn add(&mut self, has: bool, weight: f64, at_ms: i64) {
        let fade = (-((at_ms - self.at_ms).max(0) as f64) / Self::HALF_LIFE_MS).exp2();
        self.all = self.all * fade + weight;
        self.with = self.with * fade + if has { weight } else { 0.0 };
        self.at_ms = self.at_ms.max(at_ms);
    }

    pub(crate) fn share(&self) -> Option<f64> {
        (self.all > 0.0).then(|| self.with / self.all)
    }
}

/// The two sums and when they were so.
#[cfg(feature = "serde")]
type SavedShare = (f64, f64, i64);

#[cfg(feature = "serde")]
impl From<FadingShare> for SavedShare {
    fn from(share: FadingShare) -> Self {
        (share.with, share.all, share.at_ms)
    }
}

#[cfg(feature = "serde")]
impl TryFrom<SavedShare> for FadingShare {
    type Error = String;

    fn try_from((with, all, at_ms): SavedShare) -> Result<Self, String> {
        let (with, all) = (check_amount(with)?, check_amount(all)?);
        if with > all {
            return Err(format!(
                "{with} of {all} is no share: make the state anew from its source"
            ));
        }
        let at_ms = check_time(at_ms)?;
        Ok(Self { with, all, at_ms })
    }
}

/// Slots as rows of value, weight, first and last time; a list, since serde knows no arrays of any
/// length.
#[cfg(feature = "serde")]
mod saved_slots {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::{Serialize, Serializer};

    use super::{Slot, check_amount, check_time};

    type Row = (u64, f64, i64, i64);

    pub(super) fn serialize<S: Serializer, const SLOTS: usize>(
        slots: &[Slot; SLOTS],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let row = |slot: &Slot| (slot.value, slot.recent, slot.first_ms, slot.last_ms);
        let rows: Vec<Row> = slots.iter().map(row).collect();
        rows.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const SLOTS: usize>(
        deserializer: D,
    ) -> Result<[Slot; SLOTS], D::Error> {
        let rows = Vec::<Row>::deserialize(deserializer)?;
        let read = |row| slot(row).map_err(D::Error::custom);
        let slots: Vec<Slot> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        let given = slots.len();
        slots
            .try_into()
            .map_err(|_| D::Error::invalid_length(given, &format!("{SLOTS} slots").as_str()))
    }

    fn slot((value, recent, first_ms, last_ms): Row) -> Result<Slot, String> {
        Ok(Slot {
            value,
            recent: check_amount(recent)?,
            first_ms: check_time(first_ms)?,
            last_ms: check_time(last_ms)?,
        })
    }
}
