//! What if we are wrong about somebody? A person suspends a block, for a time, and the evidence stays.

use jiff::Timestamp;
use thiserror::Error;

use crate::audit::Record;
use crate::rule_set::Verdict;

/// A block suspended to a review until a date. Nobody is blocked by a machine without this way to a
/// person (compare article 22 of the GDPR). It keeps the record that it is about, and what a reviewer
/// finds is a label for back-tests and for training.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Appeal {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    evidence: Record,
    reviewer: String,
    reason: String,
    expires: Timestamp,
    finding: Option<Finding>,
}

/// What the reviewer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Finding {
    /// The block was right: the appeal ends.
    Upheld,
    /// The block was wrong: the appeal runs until it expires.
    Overturned,
}

/// Why an appeal cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppealError {
    /// There is no block to suspend.
    #[error("the record says {0}, and only a BLOCK can be appealed: nothing is to be done")]
    NotBlocked(Verdict),
    /// It would end before it begins.
    #[error("the appeal would expire on {expires}, before {now}: choose a later end")]
    Expired {
        /// The end asked for.
        expires: Timestamp,
        /// The time at which it was asked for.
        now: Timestamp,
    },
}

impl Appeal {
    /// Suspends the block of a record until `expires`.
    ///
    /// # Errors
    /// [`AppealError`] when the record is no block or the end has passed.
    pub fn grant(
        evidence: Record,
        reviewer: impl Into<String>,
        reason: impl Into<String>,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Self, AppealError> {
        if evidence.verdict != Verdict::Block {
            return Err(AppealError::NotBlocked(evidence.verdict));
        }
        if expires <= now {
            return Err(AppealError::Expired { expires, now });
        }
        Ok(Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            evidence,
            reviewer: reviewer.into(),
            reason: reason.into(),
            expires,
            finding: None,
        })
    }

    /// Ends the review with a finding.
    pub fn decide(&mut self, finding: Finding) {
        self.finding = Some(finding);
    }

    /// Whether it suspends a block now.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.expires && self.finding != Some(Finding::Upheld)
    }

    /// The decision that is appealed, as it was recorded.
    #[must_use]
    pub const fn evidence(&self) -> &Record {
        &self.evidence
    }

    /// Who granted it.
    #[must_use]
    pub fn reviewer(&self) -> &str {
        &self.reviewer
    }

    /// Why it was granted.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What was found: whether the account is abused, as a label for training.
    #[must_use]
    pub fn label(&self) -> Option<bool> {
        self.finding.map(|finding| finding == Finding::Upheld)
    }
}
