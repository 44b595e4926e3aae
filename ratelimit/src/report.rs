//! What does a log keep of a decision? The decision as plain data.

use std::time::Duration;

use crate::decision::{Decision, RetryAfter, Status};

/// A decision that outlives its request, with every number computed. It names no keys, which may be
/// secrets.
///
/// With the feature `serde` it serializes, waits as [`RetryReport`] tells.
///
/// ```
/// use bursar_ratelimit::{DecisionReport, Limits, MemoryStore, Request, Timestamp, Unit};
///
/// let limits = Limits::preset()?;
/// let request = Request::new().tenant("acme").api_key("key-17").method("chat");
/// let charges = limits.resolve(&request.cost(Unit::TOKENS, 100_001))?;
/// let decision = MemoryStore::default().check(&charges, Timestamp::ZERO)?;
///
/// let report = DecisionReport::from(&decision);
/// assert!(!report.allowed);
/// assert_eq!(report.deciding.as_deref(), Some("key-tokens"));
/// assert_eq!(report.limits.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DecisionReport {
    /// Whether the request may pass.
    pub allowed: bool,
    /// The limit that refused with the longest wait.
    pub deciding: Option<String>,
    /// When the same request may pass, `None` if it passed.
    pub retry_after: Option<RetryReport>,
    /// Every limit that applied, in the order of the limits.
    pub limits: Vec<StatusReport>,
}

/// One limit's part in a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct StatusReport {
    /// The limit's name.
    pub name: String,
    /// What its keys are.
    pub dimension: String,
    /// What is counted.
    pub unit: String,
    /// What the request costs.
    pub cost: u64,
    /// The most that can be left.
    pub limit: u64,
    /// What is left after the decision.
    pub remaining: u64,
    /// When the quota is whole again if nobody comes.
    pub reset_after: RetryReport,
    /// When this limit would let the cost pass, `None` if it does now.
    pub retry_after: Option<RetryReport>,
    /// Whether the cost fits, also where the limit is only in shadow mode.
    pub fits: bool,
    /// Whether the limit only counts.
    pub shadow: bool,
    /// Whether much of the quota is in use.
    pub near: bool,
}

/// When to try again, in whole nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum RetryReport {
    /// After so many nanoseconds: `{"after_nanos": 1500000000}`.
    AfterNanos(u64),
    /// It depends on when others settle: `"unknown"`.
    Unknown,
    /// Waiting does not help: `"never"`.
    Never,
}

impl From<RetryAfter> for RetryReport {
    fn from(retry_after: RetryAfter) -> Self {
        match retry_after {
            RetryAfter::After(wait) => Self::AfterNanos(crate::time::nanos(wait)),
            RetryAfter::Unknown => Self::Unknown,
            RetryAfter::Never => Self::Never,
        }
    }
}

impl From<RetryReport> for RetryAfter {
    fn from(report: RetryReport) -> Self {
        match report {
            RetryReport::AfterNanos(nanos) => Self::After(Duration::from_nanos(nanos)),
            RetryReport::Unknown => Self::Unknown,
            RetryReport::Never => Self::Never,
        }
    }
}

impl From<&Decision<'_>> for DecisionReport {
    fn from(decision: &Decision<'_>) -> Self {
        Self {
            allowed: decision.is_allowed(),
            deciding: decision.deciding().map(|status| status.name().to_owned()),
            retry_after: decision.retry_after().map(RetryReport::from),
            limits: decision.statuses().iter().map(StatusReport::from).collect(),
        }
    }
}

impl From<&Status<'_>> for StatusReport {
    fn from(status: &Status<'_>) -> Self {
        Self {
            name: status.name().to_owned(),
            dimension: status.limit().dimension().to_string(),
            unit: status.limit().unit().to_string(),
            cost: status.cost(),
            limit: status.limit_units(),
            remaining: status.remaining(),
            reset_after: status.reset_after().into(),
            retry_after: status.retry_after().map(RetryReport::from),
            fits: status.fits(),
            shadow: status.is_shadow(),
            near: status.is_near(),
        }
    }
}
