//! How are lifecycle rules added to a bucket without losing one of those it has?

use std::fmt;

use super::lifecycle::{LifecycleError, LifecycleRule};

/// The most rules that a bucket has. Source: Amazon S3 API, `PutBucketLifecycleConfiguration`.
pub const MAX_LIFECYCLE_RULES: usize = 1_000;

/// All rules that a bucket should have: the ones it has, unchanged and first, and the new ones.
///
/// ```
/// use bursar_cost_model::storage::{LifecycleFilter, LifecycleMerge, LifecycleRule};
///
/// let mut theirs = LifecycleRule::new("expire-tmp", LifecycleFilter::prefix("tmp/"));
/// theirs.expire_after_days = Some(3);
/// let wanted = [LifecycleRule::logs(), LifecycleRule::abort_uploads()];
///
/// let merge = LifecycleMerge::new(&[theirs.clone()], &wanted)?;
/// assert_eq!(merge.rules, [theirs, LifecycleRule::logs(), LifecycleRule::abort_uploads()]);
/// assert!(merge.conflicts.is_empty());
/// // A second time there is nothing to add.
/// let again = LifecycleMerge::new(&merge.rules, &wanted)?;
/// assert_eq!((again.rules, again.added.len()), (merge.rules, 0));
/// # Ok::<(), bursar_cost_model::storage::LifecycleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LifecycleMerge {
    /// What is to be written: the API replaces all rules by these.
    pub rules: Vec<LifecycleRule>,
    /// Names of the rules that are new.
    pub added: Vec<String>,
    /// Names of wanted rules that an existing one does already.
    pub already_done: Vec<String>,
    /// Wanted rules that were not added.
    pub conflicts: Vec<LifecycleConflict>,
}

/// A wanted rule that was not added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LifecycleConflict {
    /// The wanted rule.
    pub wanted: String,
    /// The rule that it meets; none where there are too many.
    pub existing: Option<String>,
    /// Why they cannot stand together.
    pub reason: RuleConflict,
}

/// Why two rules cannot stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RuleConflict {
    /// Another rule has the name, and does something else.
    NameTaken,
    /// Both move the same objects, at other times or to other classes.
    OtherTransitions,
    /// One deletes what the other has just moved, before the minimum of the class is over.
    DeletedTooEarly,
    /// Both delete the same objects.
    OtherExpiration,
    /// Both remove incomplete uploads, at other times.
    OtherUploadDays,
    /// The bucket has [`MAX_LIFECYCLE_RULES`].
    TooManyRules,
}

impl fmt::Display for RuleConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RuleConflict::NameTaken => "another rule has this name",
            RuleConflict::OtherTransitions => "both move the same objects",
            RuleConflict::DeletedTooEarly => {
                "objects would be deleted before the minimum of their class is over"
            }
            RuleConflict::OtherExpiration => "both delete the same objects",
            RuleConflict::OtherUploadDays => "both remove incomplete uploads, at other times",
            RuleConflict::TooManyRules => "the bucket has 1,000 rules",
        })
    }
}

impl LifecycleMerge {
    /// Adds the wanted rules, in their order, to the existing ones.
    ///
    /// A rule that an existing one does already is not added, nor one that contradicts another.
    /// Rules that are switched off contradict nothing, but keep their names.
    ///
    /// # Errors
    /// [`LifecycleError`] when a wanted rule would be refused. Existing ones are not checked: the
    /// service has taken them.
    pub fn new(
        existing: &[LifecycleRule],
        wanted: &[LifecycleRule],
    ) -> Result<LifecycleMerge, LifecycleError> {
        let mut merge = LifecycleMerge {
            rules: existing.to_vec(),
            added: Vec::new(),
            already_done: Vec::new(),
            conflicts: Vec::new(),
        };
        for rule in wanted {
            rule.check()?;
            merge.add(rule);
        }
        Ok(merge)
    }

    fn add(&mut self, wanted: &LifecycleRule) {
        if self.rules.iter().any(|rule| wanted.is_done_by(rule)) {
            self.already_done.push(wanted.id.clone());
            return;
        }
        let conflict = self.rules.iter().find_map(|rule| {
            let reason = wanted.conflict_with(rule)?;
            Some((Some(rule.id.clone()), reason))
        });
        let full = self.rules.len() >= MAX_LIFECYCLE_RULES;
        let too_many = || full.then_some((None, RuleConflict::TooManyRules));
        match conflict.or_else(too_many) {
            Some((existing, reason)) => self.conflicts.push(LifecycleConflict {
                wanted: wanted.id.clone(),
                existing,
                reason,
            }),
            None => {
                self.added.push(wanted.id.clone());
                self.rules.push(wanted.clone());
            }
        }
    }
}
