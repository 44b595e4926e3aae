//! How do rules change while decisions are made? One pointer is exchanged; nobody waits.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use thiserror::Error;

use crate::rule_set::{RuleSet, Verdict};
use crate::signal::Context;

/// The rules in force, and perhaps a candidate that runs in their shadow.
///
/// ```
/// use bursar_risk::{LiveRules, Policy, RuleSet};
///
/// let live = LiveRules::new(RuleSet::standard());
/// let in_use = live.current();
/// assert!(live.replace(RuleSet::standard()).is_err(), "version 1 is in force already");
/// live.replace(RuleSet::new("standard", 2, [])?)?;
/// // Whoever took the old rules decides by them to the end.
/// assert_eq!((in_use.version(), live.current().version()), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LiveRules {
    current: ArcSwap<RuleSet>,
    candidate: ArcSwapOption<RuleSet>,
}

/// Why the old rules stay.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// An older set, or the same version again.
    #[error(
        "version {offered} does not follow version {current}, which stays in force: give the set a higher version"
    )]
    Stale {
        /// The version in force.
        current: u64,
        /// The version offered.
        offered: u64,
    },
    /// The text is no rule set.
    #[cfg(feature = "serde")]
    #[error("the rules in force stay, since the new ones cannot be read: {0}")]
    Load(#[from] crate::text::LoadError),
}

/// What a candidate would have decided beside the rules in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// By the rules in force.
    pub current: Verdict,
    /// By the candidate.
    pub candidate: Verdict,
}

impl LiveRules {
    /// Puts the first rules in force.
    #[must_use]
    pub fn new(rules: RuleSet) -> Self {
        Self {
            current: ArcSwap::from_pointee(rules),
            candidate: ArcSwapOption::empty(),
        }
    }

    /// The rules in force at this moment, to decide one or many requests by.
    #[must_use]
    pub fn current(&self) -> Arc<RuleSet> {
        self.current.load_full()
    }

    /// Puts a set of a higher version in force.
    ///
    /// # Errors
    /// [`ReplaceError::Stale`] when the version is not higher; the old rules stay.
    pub fn replace(&self, rules: RuleSet) -> Result<(), ReplaceError> {
        let offered = Arc::new(rules);
        let before = self
            .current
            .rcu(|current| match offered.version() > current.version() {
                true => Arc::clone(&offered),
                false => Arc::clone(current),
            });
        match offered.version() > before.version() {
            true => Ok(()),
            false => Err(ReplaceError::Stale {
                current: before.version(),
                offered: offered.version(),
            }),
        }
    }

    /// Reads a rule file and puts it in force, whole or not at all.
    ///
    /// # Errors
    /// [`ReplaceError`] with the place of what is wrong; the old rules stay.
    #[cfg(feature = "serde")]
    pub fn replace_with_text(
        &self,
        format: crate::text::Format,
        text: &str,
    ) -> Result<(), ReplaceError> {
        self.replace(RuleSet::from_text(format, text)?)
    }

    /// Lets a set run in the shadow of those in force, or none.
    pub fn set_candidate(&self, rules: Option<RuleSet>) {
        self.candidate.store(rules.map(Arc::new));
    }

    /// What the candidate says where the rules in force say `current`; `None` without a candidate.
    #[must_use]
    pub fn compare(&self, context: &Context, current: Verdict) -> Option<Comparison> {
        let candidate = self.candidate.load();
        let candidate = candidate.as_ref()?.evaluate(context).verdict();
        Some(Comparison { current, candidate })
    }
}
