//! How much may pass? Rates, exact windows, concurrent calls and budgets.

use std::time::Duration;

use thiserror::Error;

use crate::gcra::Gcra;
use crate::time::nanos;

/// How much of a unit may pass under one key.
///
/// | quota | promise | frees itself |
/// |---|---|---|
/// | [`Rate`] | at most burst + rate × window in any window | steadily |
/// | [`SlidingWindow`] | at most the limit in any window of the given length | as use grows old |
/// | [`Concurrency`] | at most so many held at once | when settled, or when a hold expires |
/// | [`Budget`] | at most so much ever spent | never; raise the amount or change the key |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quota {
    /// A token bucket.
    Rate(Rate),
    /// An exact sliding window.
    SlidingWindow(SlidingWindow),
    /// Calls in flight.
    Concurrency(Concurrency),
    /// Spending.
    Budget(Budget),
}

/// Why numbers do not make a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// A quota that lets nothing pass.
    #[error("a quota of 0 lets nothing pass; give at least 1, or refuse the requests elsewhere")]
    Zero,
    /// No time to count in.
    #[error("a period of {0:?} is too short; give at least 1 ns")]
    TooShort(Duration),
    /// More nanoseconds than 64 bits hold.
    #[error("a period of {0:?} is too long; give at most 584 years")]
    TooLong(Duration),
    /// More slices than the window has nanoseconds, or none.
    #[error("{slices} slices do not divide a window of {window:?}; give from 1 to its nanoseconds")]
    Slices {
        /// What was asked for.
        slices: u32,
        /// The window to divide.
        window: Duration,
    },
}

/// So many units in a period, with a burst: a token bucket, decided by the
/// [GCRA](crate::gcra).
///
/// In any window at most `burst + limit × window ÷ period` pass. A fresh bucket is full, so with the
/// burst left at the limit up to twice the limit passes in its first period. Where a customer means
/// "never more than the limit in any period", take a [`SlidingWindow`].
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::Rate;
///
/// let tenant = Rate::per_minute(10_000)?.burst(1_500)?;
/// let daily = Rate::new(1, Duration::from_secs(86_400))?;
/// assert_eq!((tenant.limit(), tenant.burst_size()), (10_000, 1_500));
/// assert_eq!(daily.burst_size(), 1);
/// # Ok::<(), bursar_ratelimit::QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    limit: u64,
    period_nanos: u64,
    gcra: Gcra,
}

impl Rate {
    /// `limit` units in every `period`, and as many at once.
    ///
    /// # Errors
    ///
    /// Refuses a limit of zero, and a period of zero or of more than 584 years.
    pub fn new(limit: u64, period: Duration) -> Result<Self, QuotaError> {
        let period_nanos = valid_period(period)?;
        if limit == 0 {
            return Err(QuotaError::Zero);
        }
        Ok(Self {
            limit,
            period_nanos,
            gcra: Gcra::new(period_nanos, limit, limit),
        })
    }

    /// `limit` units a second, and as many at once.
    ///
    /// # Errors
    ///
    /// Refuses a limit of zero.
    pub fn per_second(limit: u64) -> Result<Self, QuotaError> {
        Self::new(limit, Duration::from_secs(1))
    }

    /// `limit` units a minute, and as many at once.
    ///
    /// # Errors
    ///
    /// Refuses a limit of zero.
    pub fn per_minute(limit: u64) -> Result<Self, QuotaError> {
        Self::new(limit, Duration::from_secs(60))
    }

    /// The same rate with room for `burst` units at once, which is also the largest cost that ever
    /// passes.
    ///
    /// # Errors
    ///
    /// Refuses a burst of zero.
    pub fn burst(self, burst: u64) -> Result<Self, QuotaError> {
        if burst == 0 {
            return Err(QuotaError::Zero);
        }
        Ok(Self {
            gcra: Gcra::new(self.period_nanos, self.limit, burst),
            ..self
        })
    }

    /// Units in a period.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The period.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period_nanos)
    }

    /// Units at once.
    #[must_use]
    pub const fn burst_size(&self) -> u64 {
        self.gcra.burst()
    }

    /// The arithmetic with a nanosecond as the tick.
    #[must_use]
    pub const fn gcra(&self) -> &Gcra {
        &self.gcra
    }
}

/// Never more than the limit in any window of the given length.
///
/// Every admission is remembered until it is as old as the window, so a key needs 16 bytes for each
/// admission in a window (and up to as much again that its memory has grown ahead). With [`slices`](Self::slices) admissions count until the end of their
/// slice grows old: still never more than the limit, at most that many entries a key, and a wait
/// that is up to a slice longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlidingWindow {
    limit: u64,
    window_nanos: u64,
    slice_nanos: u64,
}

impl SlidingWindow {
    /// At most `limit` units in any `window`.
    ///
    /// # Errors
    ///
    /// Refuses a limit of zero, and a window of zero or of more than 584 years.
    pub fn new(limit: u64, window: Duration) -> Result<Self, QuotaError> {
        let window_nanos = valid_period(window)?;
        if limit == 0 {
            return Err(QuotaError::Zero);
        }
        Ok(Self {
            limit,
            window_nanos,
            slice_nanos: 1,
        })
    }

    /// The same window remembered in `slices` parts (and one that is under way).
    ///
    /// # Errors
    ///
    /// Refuses zero slices and more than the window has nanoseconds.
    pub fn slices(self, slices: u32) -> Result<Self, QuotaError> {
        match self.window_nanos.checked_div(u64::from(slices)) {
            Some(slice_nanos) if slice_nanos > 0 => Ok(Self {
                // Rounded up, or a window would touch more slices than were asked for.
                slice_nanos: self.window_nanos.div_ceil(u64::from(slices)),
                ..self
            }),
            _ => Err(QuotaError::Slices {
                slices,
                window: self.window(),
            }),
        }
    }

    /// Units in any window.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The window's length.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_nanos(self.window_nanos)
    }

    /// The length of a slice: a nanosecond unless [`slices`](Self::slices) were chosen.
    #[must_use]
    pub const fn slice(&self) -> Duration {
        Duration::from_nanos(self.slice_nanos)
    }
}

/// At most so many units held at once, for example calls in flight.
///
/// A hold ends when its reservation is settled or dropped. If its holder vanishes, it ends by itself
/// after `expiry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concurrency {
    limit: u64,
    expiry_nanos: u64,
}

impl Concurrency {
    /// At most `limit` units at once, each hold for at most `expiry`.
    ///
    /// # Errors
    ///
    /// Refuses a limit of zero, and an expiry of zero or of more than 584 years.
    pub fn new(limit: u64, expiry: Duration) -> Result<Self, QuotaError> {
        let expiry_nanos = valid_period(expiry)?;
        if limit == 0 {
            return Err(QuotaError::Zero);
        }
        Ok(Self {
            limit,
            expiry_nanos,
        })
    }

    /// Units at once.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// After how long an unsettled hold ends by itself.
    #[must_use]
    pub const fn expiry(&self) -> Duration {
        Duration::from_nanos(self.expiry_nanos)
    }
}

/// At most so much ever spent under a key, for example money in a month with the month in the key.
///
/// A reservation holds its estimate until it is settled with what was really spent. If its holder
/// vanishes, the hold ends after `expiry` in the way that [`Expired`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    amount: u64,
    expiry_nanos: u64,
    expired: Expired,
}

/// What becomes of a budget's hold that nobody settled in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Expired {
    /// It counts as spent: whether the call took place is unknown, and unknown is not zero.
    #[default]
    Spent,
    /// It returns to the budget: a call that was not settled is known not to cost anything.
    Returned,
}

impl Budget {
    /// At most `amount` units in all; a hold that is older than `expiry` counts as spent.
    ///
    /// # Errors
    ///
    /// Refuses an amount of zero, and an expiry of zero or of more than 584 years.
    pub fn new(amount: u64, expiry: Duration) -> Result<Self, QuotaError> {
        let expiry_nanos = valid_period(expiry)?;
        if amount == 0 {
            return Err(QuotaError::Zero);
        }
        Ok(Self {
            amount,
            expiry_nanos,
            expired: Expired::Spent,
        })
    }

    /// The same budget with another answer to what becomes of expired holds.
    #[must_use]
    pub const fn on_expiry(self, expired: Expired) -> Self {
        Self { expired, ..self }
    }

    /// Units in all.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// How long a hold may stay unsettled.
    #[must_use]
    pub const fn expiry(&self) -> Duration {
        Duration::from_nanos(self.expiry_nanos)
    }

    /// What becomes of a hold that stays unsettled for longer.
    #[must_use]
    pub const fn expired(&self) -> Expired {
        self.expired
    }
}

impl Quota {
    /// The largest cost that can ever pass.
    #[must_use]
    pub const fn largest_cost(&self) -> u64 {
        match self {
            Self::Rate(rate) => rate.burst_size(),
            Self::SlidingWindow(window) => window.limit,
            Self::Concurrency(concurrency) => concurrency.limit,
            Self::Budget(budget) => budget.amount,
        }
    }

    /// Whether it counts what is held or spent, rather than what flows: such a quota needs a
    /// reservation to know when a hold ends.
    #[must_use]
    pub const fn is_stock(&self) -> bool {
        matches!(self, Self::Concurrency(_) | Self::Budget(_))
    }

    /// The part of one of several equal instances, so that all of them together stay within the
    /// quota: a rate's refill and burst, or the units of another quota, divided and rounded down.
    ///
    /// Nobody gets less than one unit at once, or nothing would ever pass: with more instances than
    /// units, all of them together may pass one unit each.
    ///
    /// ```
    /// use bursar_ratelimit::{Quota, Rate};
    ///
    /// let quota = Quota::from(Rate::per_minute(10_000)?.burst(1_500)?);
    /// let Quota::Rate(share) = quota.share_of(4) else { unreachable!() };
    /// assert_eq!(share.burst_size(), 375);
    /// // 10 000 in four minutes.
    /// assert_eq!((share.limit(), share.period().as_secs()), (10_000, 240));
    /// # Ok::<(), bursar_ratelimit::QuotaError>(())
    /// ```
    #[must_use]
    pub fn share_of(&self, instances: u32) -> Self {
        let part = |units: u64| (units / u64::from(instances.max(1))).max(1);
        match *self {
            Self::Rate(rate) => Self::Rate(rate.share_of(instances.max(1))),
            Self::SlidingWindow(window) => Self::SlidingWindow(SlidingWindow {
                limit: part(window.limit),
                ..window
            }),
            Self::Concurrency(concurrency) => Self::Concurrency(Concurrency {
                limit: part(concurrency.limit),
                ..concurrency
            }),
            Self::Budget(budget) => Self::Budget(Budget {
                amount: part(budget.amount),
                ..budget
            }),
        }
    }
}

impl Rate {
    /// The refill is slowed down exactly, by a longer period; only where that is longer than 584
    /// years are units rounded down.
    fn share_of(self, instances: u32) -> Self {
        let instances = u64::from(instances);
        let burst = (self.burst_size() / instances).max(1);
        let (limit, period_nanos) = match self.period_nanos.checked_mul(instances) {
            Some(period_nanos) => (self.limit, period_nanos),
            None => match self.limit / instances {
                0 => (1, u64::MAX),
                limit => (limit, self.period_nanos),
            },
        };
        Self {
            limit,
            period_nanos,
            gcra: Gcra::new(period_nanos, limit, burst),
        }
    }
}

impl From<Rate> for Quota {
    fn from(rate: Rate) -> Self {
        Self::Rate(rate)
    }
}

impl From<SlidingWindow> for Quota {
    fn from(window: SlidingWindow) -> Self {
        Self::SlidingWindow(window)
    }
}

impl From<Concurrency> for Quota {
    fn from(concurrency: Concurrency) -> Self {
        Self::Concurrency(concurrency)
    }
}

impl From<Budget> for Quota {
    fn from(budget: Budget) -> Self {
        Self::Budget(budget)
    }
}

fn valid_period(period: Duration) -> Result<u64, QuotaError> {
    if period.is_zero() {
        return Err(QuotaError::TooShort(period));
    }
    if Duration::from_nanos(u64::MAX) < period {
        return Err(QuotaError::TooLong(period));
    }
    Ok(nanos(period))
}
