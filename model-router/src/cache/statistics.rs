//! What has the cache saved?

use std::collections::BTreeMap;

use bursar_units::{Currency, Money};

use crate::CacheUse;

/// Counts of what was asked of a cache, and what that saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Answers that were kept from earlier.
    pub hits: u64,
    /// Answers that came from an equal request under way.
    pub shared: u64,
    /// Requests that found nothing and called.
    pub misses: u64,
    /// Requests that were not looked up since the policy says so.
    pub bypassed: u64,
    /// Answers that were put into the store.
    pub kept: u64,
    /// Of the misses, those where the store failed.
    pub failed_lookups: u64,
    /// Answers that the store failed to keep.
    pub failed_puts: u64,
    /// Hits and shared answers of which it is not known what they saved, as nobody had priced the call.
    pub unpriced: u64,
    saved: BTreeMap<Currency, Money>,
}

impl CacheStatistics {
    /// All requests that came, those that were not looked up included.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.hits + self.shared + self.misses + self.bypassed
    }

    /// The share of requests that no model was asked for, from 0 to 1; `None` before the first request.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let answered = (self.hits + self.shared) as f64;
        (self.requests() > 0).then(|| answered / self.requests() as f64)
    }

    /// What the calls would have cost that were not made, one amount for each currency.
    pub fn saved_amounts(&self) -> impl Iterator<Item = Money> {
        self.saved.values().copied()
    }

    pub(super) fn saved(&mut self, cache_use: CacheUse, cost: Option<Money>) {
        match cache_use {
            CacheUse::Hit => self.hits += 1,
            CacheUse::Shared => self.shared += 1,
            CacheUse::Asked => {}
        }
        let summed = cost.and_then(|cost| {
            let zero = Money::zero(cost.currency());
            let sum = self.saved.entry(cost.currency()).or_insert(zero);
            // A sum that no decimal holds is reached after the end of all budgets.
            *sum = sum.checked_add(cost).ok()?;
            Some(())
        });
        self.unpriced += u64::from(summed.is_none());
    }
}
