//! Which rules move and delete the objects of a bucket, and which would the service refuse?

use std::collections::BTreeMap;
use std::fmt;

use super::merge::RuleConflict;

/// The first day on which objects go to an infrequent class. The API now takes any day and charges
/// 30; an earlier move only costs.
const MIN_INFREQUENT_DAYS: u32 = 30;

/// Where S3 keeps objects, from the quickest to the coldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "SCREAMING_SNAKE_CASE"))]
#[non_exhaustive]
pub enum StorageClass {
    /// For what is read often.
    Standard,
    /// Moves objects between tiers by itself.
    IntelligentTiering,
    /// For what is seldom read.
    StandardIa,
    /// As [`StandardIa`](StorageClass::StandardIa), in one zone only.
    #[cfg_attr(feature = "serde", serde(rename = "ONEZONE_IA"))]
    OneZoneIa,
    /// Archive that answers at once.
    #[cfg_attr(feature = "serde", serde(rename = "GLACIER_IR"))]
    GlacierInstant,
    /// Archive that answers in minutes to hours.
    Glacier,
    /// Archive that answers in 12 to 48 hours.
    DeepArchive,
}

impl StorageClass {
    /// The days that are charged at least for an object in the class.
    #[must_use]
    pub fn minimum_days(self) -> u32 {
        match self {
            StorageClass::Standard | StorageClass::IntelligentTiering => 0,
            StorageClass::StandardIa | StorageClass::OneZoneIa => 30,
            StorageClass::GlacierInstant | StorageClass::Glacier => 90,
            StorageClass::DeepArchive => 180,
        }
    }

    /// Bytes that are charged on top of each object, at the price of the class and at that of
    /// Standard. Source: Amazon S3 User Guide, "Storage class considerations".
    pub(super) fn overhead_bytes(self) -> (u64, u64) {
        match self {
            StorageClass::Glacier | StorageClass::DeepArchive => (32 << 10, 8 << 10),
            _ => (0, 0),
        }
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StorageClass::Standard => "Standard",
            StorageClass::IntelligentTiering => "Intelligent-Tiering",
            StorageClass::StandardIa => "Standard-IA",
            StorageClass::OneZoneIa => "One Zone-IA",
            StorageClass::GlacierInstant => "Glacier Instant Retrieval",
            StorageClass::Glacier => "Glacier Flexible Retrieval",
            StorageClass::DeepArchive => "Glacier Deep Archive",
        })
    }
}

/// A lifecycle rule of a bucket.
///
/// ```
/// use bursar_cost_model::storage::{LifecycleRule, StorageClass};
///
/// let logs = LifecycleRule::logs();
/// assert_eq!(logs.filter.prefix, "logs/");
/// let moves: Vec<_> = logs.transitions.iter().map(|t| (t.after_days, t.class)).collect();
/// assert_eq!(moves, [
///     (30, StorageClass::StandardIa),
///     (90, StorageClass::Glacier),
///     (365, StorageClass::DeepArchive),
/// ]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LifecycleRule {
    /// Its name, one of a kind in the bucket.
    pub id: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// Which objects it concerns.
    pub filter: LifecycleFilter,
    /// When objects move, and where to.
    pub transitions: Vec<Transition>,
    /// When objects are deleted.
    pub expire_after_days: Option<u32>,
    /// When uploads that were never completed are removed.
    pub abort_uploads_after_days: Option<u32>,
    /// The parts of an existing rule that are not read here, such as those on versions, as whoever
    /// reads the rule keeps them: they go through a merge unchanged, and are not weighed.
    pub unread: Option<String>,
}

/// A move of objects to another class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transition {
    /// Days after the object was made.
    pub after_days: u32,
    /// The class it goes to.
    pub class: StorageClass,
}

/// Which objects a rule concerns: those that meet all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LifecycleFilter {
    /// What their keys begin with; empty for all.
    pub prefix: String,
    /// Tags that they have.
    pub tags: BTreeMap<String, String>,
    /// They are larger than this many bytes. Without it, and without `smaller_than`, objects under
    /// 128 KiB do not move to another class.
    pub larger_than: Option<u64>,
    /// They are smaller than this many bytes.
    pub smaller_than: Option<u64>,
}

impl LifecycleFilter {
    /// All objects whose key begins so.
    #[must_use]
    pub fn prefix(prefix: impl Into<String>) -> LifecycleFilter {
        LifecycleFilter {
            prefix: prefix.into(),
            ..LifecycleFilter::default()
        }
    }

    /// Whether it concerns every object that `other` concerns.
    #[must_use]
    pub fn covers(&self, other: &LifecycleFilter) -> bool {
        let (low, high) = self.sizes();
        let (other_low, other_high) = other.sizes();
        other.prefix.starts_with(&self.prefix)
            && self.tags.iter().all(|(k, v)| other.tags.get(k) == Some(v))
            && low <= other_low
            && high >= other_high
    }

    /// Whether there can be an object that both concern.
    #[must_use]
    pub fn overlaps(&self, other: &LifecycleFilter) -> bool {
        let nested =
            self.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&self.prefix);
        let one_value = |(key, value)| other.tags.get(key).is_none_or(|v| v == value);
        let (low, high) = self.sizes();
        let (other_low, other_high) = other.sizes();
        nested && self.tags.iter().all(one_value) && low.max(other_low) <= high.min(other_high)
    }

    /// The smallest and the largest size that it concerns.
    fn sizes(&self) -> (u64, u64) {
        let low = self.larger_than.map_or(0, |bytes| bytes.saturating_add(1));
        let high = self
            .smaller_than
            .map_or(u64::MAX, |bytes| bytes.saturating_sub(1));
        (low, high)
    }
}

impl LifecycleRule {
    /// A rule in force that does nothing yet.
    #[must_use]
    pub fn new(id: impl Into<String>, filter: LifecycleFilter) -> LifecycleRule {
        LifecycleRule {
            id: id.into(),
            enabled: true,
            filter,
            transitions: Vec::new(),
            expire_after_days: None,
            abort_uploads_after_days: None,
            unread: None,
        }
    }

    /// Objects under `logs/`: Standard-IA after 30 days, Glacier after 90, Deep Archive after 365.
    #[must_use]
    pub fn logs() -> LifecycleRule {
        let mut rule = LifecycleRule::new("bursar-logs", LifecycleFilter::prefix("logs/"));
        rule.transitions = vec![
            transition(30, StorageClass::StandardIa),
            transition(90, StorageClass::Glacier),
            transition(365, StorageClass::DeepArchive),
        ];
        rule
    }

    /// Incomplete uploads of the whole bucket are removed after 7 days; they are charged, and no
    /// listing shows them.
    #[must_use]
    pub fn abort_uploads() -> LifecycleRule {
        let mut rule = LifecycleRule::new("bursar-abort-uploads", LifecycleFilter::default());
        rule.abort_uploads_after_days = Some(7);
        rule
    }

    /// Objects under a prefix go to Intelligent-Tiering at once, without which an
    /// [`IntelligentTiering`](super::IntelligentTiering) configuration concerns none of them.
    #[must_use]
    pub fn intelligent_tiering(prefix: &str) -> LifecycleRule {
        let filter = LifecycleFilter::prefix(prefix);
        let mut rule = LifecycleRule::new("bursar-intelligent-tiering", filter);
        rule.transitions = vec![transition(0, StorageClass::IntelligentTiering)];
        rule
    }

    /// Whether the service takes it, and it does what it says.
    ///
    /// # Errors
    /// [`LifecycleError`] names the rule and what is wrong with it.
    pub fn check(&self) -> Result<(), LifecycleError> {
        let error = |problem| {
            Err(LifecycleError::Rule {
                id: self.id.clone(),
                problem,
            })
        };
        if self.id.is_empty() || self.id.chars().count() > 255 {
            return error("its name must have 1 to 255 characters");
        }
        let (low, high) = self.filter.sizes();
        if low > high {
            return error("no object is larger and smaller than its bounds");
        }
        let acts = !self.transitions.is_empty()
            || self.expire_after_days.is_some()
            || self.abort_uploads_after_days.is_some();
        if !acts {
            return error("it does nothing");
        }
        let later_and_colder = |pair: &[Transition]| match pair {
            [first, second] => first.after_days < second.after_days && first.class < second.class,
            _ => true,
        };
        if !self.transitions.windows(2).all(later_and_colder) {
            return error("each move must be later than the one before, and to a colder class");
        }
        let infrequent =
            |t: &Transition| matches!(t.class, StorageClass::StandardIa | StorageClass::OneZoneIa);
        if self
            .transitions
            .iter()
            .any(|t| infrequent(t) && t.after_days < MIN_INFREQUENT_DAYS)
        {
            return error(
                "a move to an infrequent class before 30 days costs 30 days there anyway",
            );
        }
        if self
            .transitions
            .iter()
            .any(|t| t.class == StorageClass::Standard)
        {
            return error("no rule moves objects back to Standard");
        }
        if self.expire_after_days == Some(0) || self.abort_uploads_after_days == Some(0) {
            return error("days must be 1 or more");
        }
        if self.ends_too_early(self.expire_after_days) {
            return error("it deletes objects before the minimum of their class is over");
        }
        Ok(())
    }

    /// Whether a deletion comes before an object has been in a class for its minimum of days.
    fn ends_too_early(&self, expire_after_days: Option<u32>) -> bool {
        let Some(end) = expire_after_days else {
            return false;
        };
        let paid_until = |t: &Transition| t.after_days.saturating_add(t.class.minimum_days());
        self.transitions.iter().any(|t| end < paid_until(t))
    }

    /// Whether another rule does all of it already.
    pub(super) fn is_done_by(&self, other: &LifecycleRule) -> bool {
        let uploads = match (
            self.abort_uploads_after_days,
            other.abort_uploads_after_days,
        ) {
            (Some(wanted), Some(days)) => days <= wanted,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let covered = other.enabled
            && other.filter.covers(&self.filter)
            && (self.transitions.is_empty() || self.transitions == other.transitions)
            && (self.expire_after_days.is_none()
                || self.expire_after_days == other.expire_after_days)
            && uploads;
        covered || self == other
    }

    /// Why it cannot stand beside another rule.
    pub(super) fn conflict_with(&self, other: &LifecycleRule) -> Option<RuleConflict> {
        if self.id == other.id {
            return Some(RuleConflict::NameTaken);
        }
        if !other.enabled || !self.filter.overlaps(&other.filter) {
            return None;
        }
        if !self.transitions.is_empty() && !other.transitions.is_empty() {
            return Some(RuleConflict::OtherTransitions);
        }
        if self.ends_too_early(other.expire_after_days)
            || other.ends_too_early(self.expire_after_days)
        {
            return Some(RuleConflict::DeletedTooEarly);
        }
        if self.expire_after_days.is_some() && other.expire_after_days.is_some() {
            return Some(RuleConflict::OtherExpiration);
        }
        let uploads = (
            self.abort_uploads_after_days,
            other.abort_uploads_after_days,
        );
        (uploads.0.is_some() && uploads.1.is_some()).then_some(RuleConflict::OtherUploadDays)
    }
}

fn transition(after_days: u32, class: StorageClass) -> Transition {
    Transition { after_days, class }
}

/// What the service would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// A rule is wrong.
    #[error("lifecycle rule `{id}`: {problem}")]
    Rule {
        /// Its name.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Intelligent-Tiering does not take these days.
    #[error("{tier} after {days} days: the service takes {least} to 730")]
    TieringDays {
        /// Which tier.
        tier: &'static str,
        /// The days as given.
        days: u32,
        /// The fewest days.
        least: u32,
    },
}
