//! May it pass, and if not, when? The answer, with every limit's part in it.

use std::time::Duration;

use smallvec::SmallVec;

use crate::gcra::Gcra;
use crate::limit::{Enforcement, Limit};
use crate::quota::Quota;
use crate::request::Charge;

/// The answer to a request, from all its limits at once.
///
/// An allowed request has been charged to every limit, a denied one to none. The state of each limit
/// is that after the decision.
#[derive(Clone, Debug)]
#[must_use = "a decision that is not looked at limits nothing"]
pub struct Decision<'a> {
    statuses: SmallVec<[Status<'a>; 8]>,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RetryAfter {
    /// A caller who waits that long and finds no other caller passes; one nanosecond less (or one
    /// unit of the store's clock, if that is coarser) does not do.
    After(Duration),
    /// No time can be named: it depends on when others settle what they hold.
    Unknown,
    /// Waiting does not help: the cost is larger than the quota ever allows, or the budget is spent.
    Never,
}

impl RetryAfter {
    /// The wait, if one can be named.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::After(duration) => Some(duration),
            Self::Unknown | Self::Never => None,
        }
    }
}

impl<'a> Decision<'a> {
    /// A decision made of every limit's status. For implementations of a store.
    pub fn new(statuses: impl IntoIterator<Item = Status<'a>>) -> Self {
        Self {
            statuses: statuses.into_iter().collect(),
        }
    }

    #[inline]
    pub(crate) const fn from_statuses(statuses: SmallVec<[Status<'a>; 8]>) -> Self {
        Self { statuses }
    }

    /// Whether the request may pass.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        !self.statuses.iter().any(Status::is_violated)
    }

    /// When the same request may pass, `None` if it passed: the longest wait of all violated limits.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.deciding().and_then(Status::retry_after)
    }

    /// The limit that decided: the violated one with the longest wait. `None` if the request passed.
    #[must_use]
    pub fn deciding(&self) -> Option<&Status<'a>> {
        // The first of several with the same wait, not the last.
        self.violated().reduce(|longest, status| {
            match status.retry_after() > longest.retry_after() {
                true => status,
                false => longest,
            }
        })
    }

    /// Every limit that refused.
    pub fn violated(&self) -> impl Iterator<Item = &Status<'a>> {
        self.statuses.iter().filter(|status| status.is_violated())
    }

    /// Every limit in shadow mode that would have refused.
    pub fn shadow_violated(&self) -> impl Iterator<Item = &Status<'a>> {
        self.statuses
            .iter()
            .filter(|status| !status.fits && status.is_shadow())
    }

    /// The limit with the smallest part of its quota left, `None` if no limit applied. Limits in
    /// shadow mode and those of which nothing is known do not count.
    #[must_use]
    pub fn tightest(&self) -> Option<&Status<'a>> {
        let share = |status: &Status<'_>| {
            (
                u128::from(status.remaining()),
                u128::from(status.limit_units()),
            )
        };
        self.statuses
            .iter()
            .filter(|status| !status.is_shadow() && status.is_known())
            .reduce(|tightest, status| {
                let (left, of) = share(status);
                let (least_left, least_of) = share(tightest);
                // Fractions compared by their cross products.
                match left * least_of < least_left * of {
                    true => status,
                    false => tightest,
                }
            })
    }

    /// Every limit that applied, in the order of the limits.
    #[must_use]
    pub fn statuses(&self) -> &[Status<'a>] {
        &self.statuses
    }
}

/// One limit's part in a decision.
#[derive(Clone, Debug)]
pub struct Status<'a> {
    charge: Charge<'a>,
    fits: bool,
    /// By how many nanoseconds the caller's clock is behind the one that decided.
    late: u64,
    level: Level,
}

/// How full a limit is after the decision; what a store reports.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Level {
    /// A rate, from which everything else is computed when it is asked for.
    Rate {
        /// The rate in the store's ticks.
        gcra: Gcra,
        /// Nanoseconds in a tick.
        tick_nanos: u64,
        /// What is outstanding, as [`Gcra::outstanding`] says it.
        outstanding: u128,
    },
    /// Something counted one by one.
    Counted {
        /// Units in use or spent.
        used: u64,
        /// When the cost fits; looked at only if it does not.
        retry_after: RetryAfter,
        /// When nothing is in use any more if nobody comes.
        reset_after: RetryAfter,
    },
    /// Not known: the store could not be asked, and the limit's
    /// [failure policy](crate::OnFailure) decided.
    Unavailable {
        /// When the store is asked again; looked at only if the policy refused.
        retry_after: RetryAfter,
    },
}

impl<'a> Status<'a> {
    /// The status of a charge that did or did not fit. For implementations of a store.
    #[inline]
    #[must_use]
    pub const fn new(charge: Charge<'a>, fits: bool, level: Level) -> Self {
        Self {
            charge,
            fits,
            late: 0,
            level,
        }
    }

    /// The same for a caller whose clock is behind the time that was decided at: every wait is longer
    /// by that many nanoseconds. For implementations of a store.
    #[must_use]
    pub const fn late(self, nanos: u64) -> Self {
        Self {
            late: nanos,
            ..self
        }
    }

    /// How far the caller's clock is behind, in nanoseconds.
    pub(crate) const fn lateness(&self) -> u64 {
        self.late
    }

    pub(crate) fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// What is outstanding of a rate after its charge.
    #[inline]
    pub(crate) fn charged(&mut self, after: u128) {
        if let Level::Rate { outstanding, .. } = &mut self.level {
            *outstanding = after;
        }
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &'a Limit {
        self.charge.limit()
    }

    /// The limit's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.charge.limit().name()
    }

    /// The key that was asked about; empty for a global limit.
    #[must_use]
    pub const fn key(&self) -> &'a str {
        self.charge.key()
    }

    /// The quota of this key.
    #[must_use]
    pub const fn quota(&self) -> &'a Quota {
        self.charge.quota()
    }

    /// What the request costs in this limit's unit.
    #[must_use]
    pub const fn cost(&self) -> u64 {
        self.charge.cost()
    }

    /// Whether the cost fits, also where the limit is only in shadow mode.
    #[must_use]
    pub const fn fits(&self) -> bool {
        self.fits
    }

    /// Whether the limit only counts.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.charge.limit().enforcement() == Enforcement::Shadow
    }

    /// Whether the limit refused the request.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        !self.fits && !self.is_shadow()
    }

    /// The most that can be left: the burst of a rate, the limit of a window or of concurrent calls,
    /// the amount of a budget.
    #[must_use]
    pub const fn limit_units(&self) -> u64 {
        self.charge.quota().largest_cost()
    }

    /// Whether the store said how full the limit is. If it could not be asked, the limit's failure
    /// policy decided, and [`remaining`](Self::remaining) and [`reset_after`](Self::reset_after) say
    /// nothing.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self.level, Level::Unavailable { .. })
    }

    /// Units that would still fit now, rounded down. Zero where that is not
    /// [known](Self::is_known).
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        match self.level {
            Level::Rate {
                gcra, outstanding, ..
            } => gcra.remaining(outstanding),
            Level::Counted { used, .. } => self.limit_units().saturating_sub(used),
            Level::Unavailable { .. } => 0,
        }
    }

    /// When the quota is whole again if nobody comes.
    #[must_use]
    pub const fn reset_after(&self) -> RetryAfter {
        self.of_caller(match self.level {
            Level::Rate {
                gcra,
                tick_nanos,
                outstanding,
            } => after(gcra.until_drained(outstanding), tick_nanos),
            Level::Counted { reset_after, .. } => reset_after,
            Level::Unavailable { .. } => RetryAfter::Unknown,
        })
    }

    /// When this limit would let the cost pass if nobody else comes, `None` if it does now.
    #[must_use]
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        if self.fits {
            return None;
        }
        if self.cost() > self.limit_units() {
            return Some(RetryAfter::Never);
        }
        Some(self.of_caller(match self.level {
            Level::Rate {
                gcra,
                tick_nanos,
                outstanding,
            } => after(gcra.wait(outstanding, self.cost()), tick_nanos),
            Level::Counted { retry_after, .. } | Level::Unavailable { retry_after } => retry_after,
        }))
    }

    /// A wait by the caller's clock.
    const fn of_caller(&self, wait: RetryAfter) -> RetryAfter {
        match wait {
            RetryAfter::After(wait) if !wait.is_zero() => {
                RetryAfter::After(wait.saturating_add(Duration::from_nanos(self.late)))
            }
            other => other,
        }
    }

    /// Whether at least the limit's [near threshold](Limit::near_percent) of its quota is in use;
    /// false where that is not [known](Self::is_known).
    #[must_use]
    pub fn is_near(&self) -> bool {
        if !self.is_known() {
            return false;
        }
        let limit = u128::from(self.limit_units());
        let used = limit - u128::from(self.remaining()).min(limit);
        used * 100 >= limit * u128::from(self.limit().near_threshold())
    }

    /// How full the limit is, as the store told it.
    #[must_use]
    pub const fn level(&self) -> &Level {
        &self.level
    }
}

const fn after(ticks: u64, tick_nanos: u64) -> RetryAfter {
    RetryAfter::After(Duration::from_nanos(ticks.saturating_mul(tick_nanos)))
}
