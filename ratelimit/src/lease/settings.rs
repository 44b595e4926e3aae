//! Which limits are leased, how much at a time and for how long? And how much more may pass for it?

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::limit::Limit;
use crate::name::Dimension;
use crate::quota::Quota;
use crate::time::nanos;

/// How a [`Leased`](super::Leased) store leases.
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::lease::{LeaseSize, Settings};
/// use bursar_ratelimit::{Dimension, Limit, Rate, Unit};
///
/// // Ten instances share the limits that all customers meet in; the customers' own stay exact.
/// let settings = Settings::new(LeaseSize::RateShare, Duration::from_millis(500), 10)
///     .dimensions([Dimension::GLOBAL, Dimension::METHOD]);
///
/// let rate = Rate::per_second(2_000)?;
/// let global = Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, rate);
/// assert_eq!(settings.lease_units(&rate.into()), 100);
/// assert_eq!(settings.bound(&global, &rate.into()), 1_000);
///
/// let tenant = Limit::new("tenant", Dimension::TENANT, Unit::REQUESTS, rate);
/// assert_eq!(settings.bound(&tenant, &rate.into()), 0);
/// # Ok::<(), bursar_ratelimit::QuotaError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// How many units of a cell are leased at a time.
    pub size: LeaseSize,
    /// How long they may be spent. What is left then goes back to the store. Choose it longer than
    /// calls take from their reservation to their settlement: a refund that comes later is lost.
    pub time: Duration,
    /// How many instances lease from the same store; zero counts as one.
    pub instances: u32,
    /// For how long a refusal of the store stands at least, however soon it would have room for a
    /// single unit. With zero, a lease from a store that is used up saves few round trips.
    pub refusal: Duration,
    /// Of how many cells (a limit and a key) leases are held at once. Requests to further ones are
    /// decided by the store.
    pub max_cells: usize,
    /// What fingerprints of keys are made with. Where keys come from outside, pass a random number.
    pub seed: u64,
    chosen: Arc<dyn Fn(&Limit) -> bool + Send + Sync>,
}

/// How much is leased at a time; always at least one unit, and at most the largest cost that the
/// quota ever lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseSize {
    /// So many units.
    Units(u64),
    /// The largest cost of the quota (the burst of a rate) divided by so much; zero counts as one.
    BurstPart(u32),
    /// What the rate refills in the time of a lease, divided by the number of instances: all
    /// together hold at most what comes in that time.
    RateShare,
}

impl Settings {
    /// Leases of all rates and windows, refusals that stand for an eighth of a lease's time, at most
    /// 10 000 cells.
    #[must_use]
    pub fn new(size: LeaseSize, time: Duration, instances: u32) -> Self {
        Self {
            size,
            time,
            instances,
            refusal: time / 8,
            max_cells: 10_000,
            seed: 0x5EED,
            chosen: Arc::new(|_| true),
        }
    }

    /// Leases only limits of these dimensions; the store decides all others, exactly.
    #[must_use]
    pub fn dimensions(self, dimensions: impl IntoIterator<Item = Dimension>) -> Self {
        let dimensions: Vec<Dimension> = dimensions.into_iter().collect();
        self.limits(move |limit| dimensions.contains(&limit.dimension()))
    }

    /// Leases only limits that `chosen` says yes to; the store decides all others, exactly.
    #[must_use]
    pub fn limits(mut self, chosen: impl Fn(&Limit) -> bool + Send + Sync + 'static) -> Self {
        self.chosen = Arc::new(chosen);
        self
    }

    /// Whether a limit is leased under a quota. Concurrency and budgets never are: what is held of
    /// them must be known in one place.
    #[must_use]
    pub fn leases(&self, limit: &Limit, quota: &Quota) -> bool {
        !quota.is_stock() && (self.chosen)(limit)
    }

    /// How many units of a quota are leased at a time.
    #[must_use]
    pub fn lease_units(&self, quota: &Quota) -> u64 {
        let largest = quota.largest_cost();
        let units = match self.size {
            LeaseSize::Units(units) => units,
            LeaseSize::BurstPart(parts) => largest / u64::from(parts.max(1)),
            LeaseSize::RateShare => self.rate_share(quota),
        };
        units.clamp(1, largest.max(1))
    }

    /// By how many units more than the quota promises may pass in a window: what all instances
    /// together hold and have not spent when the window begins. Zero for a limit that is not leased.
    #[must_use]
    pub fn bound(&self, limit: &Limit, quota: &Quota) -> u64 {
        match self.leases(limit, quota) {
            true => u64::from(self.instances.max(1)).saturating_mul(self.lease_units(quota)),
            false => 0,
        }
    }

    fn rate_share(&self, quota: &Quota) -> u64 {
        let (limit, period) = match quota {
            Quota::Rate(rate) => (rate.limit(), rate.period()),
            Quota::SlidingWindow(window) => (window.limit(), window.window()),
            Quota::Concurrency(_) | Quota::Budget(_) => return 1,
        };
        let refilled = u128::from(limit) * u128::from(nanos(self.time));
        let divisor = u128::from(nanos(period)) * u128::from(self.instances.max(1));
        let units = refilled.checked_div(divisor).unwrap_or(1);
        u64::try_from(units).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("size", &self.size)
            .field("time", &self.time)
            .field("instances", &self.instances)
            .field("refusal", &self.refusal)
            .field("max_cells", &self.max_cells)
            .finish_non_exhaustive()
    }
}
