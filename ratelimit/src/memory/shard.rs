//! What is under one lock? The cells of a part of the keys, and their common time.

use std::collections::HashMap;

use super::counted::CountedCell;
use super::lines::Lines;
use super::registry::Registry;
use super::table::{QuotaNumber, Table};
use crate::gcra::RateCell;

#[derive(Debug, Default)]
pub(crate) struct Shard {
    pub(crate) rates: Table,
    pub(crate) counted: HashMap<u64, CountedCell, foldhash::fast::FixedState>,
    /// Who waits for cells, whether or not these are in use.
    pub(crate) lines: Lines,
    /// The latest time seen, on the shard's own axis.
    latest: u64,
    /// What is added to the caller's time, after its clock has stepped back.
    offset: u64,
    /// Keys that found no room since the last sweep.
    crowded_out: usize,
    /// Whether keys have ever shared a cell for want of room.
    pub(crate) shared: bool,
}

/// The end of time. What lasts longer, up to `u64::MAX`, never ends.
const LAST: u64 = u64::MAX - 1;

/// The time of a decision in a shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardTime {
    pub(crate) now: u64,
    /// How much later that is than what the caller said.
    pub(crate) ahead: u64,
}

impl ShardTime {
    /// What the caller said, on the shard's axis.
    pub(crate) const fn asked(self) -> u64 {
        self.now - self.ahead
    }
}

impl Shard {
    /// The caller's time on the shard's axis, on which time never runs backward.
    ///
    /// A caller that is late by up to `tolerance` (a thread that was overtaken) is served at the
    /// latest time seen. A larger step back is the clock's: time goes on from the latest one, so that
    /// nobody is locked out for the length of the step and nothing is given away.
    ///
    /// Once the callers' clock has caught up, it counts by itself again: a clock that was corrected,
    /// or callers whose clocks differ, do not run time faster than the most advanced of them.
    #[inline]
    pub(crate) fn advance(&mut self, now: u64, tolerance: u64) -> ShardTime {
        if self.offset != 0 && now.saturating_add(tolerance) >= self.latest {
            self.offset = 0;
        }
        let shifted = now.saturating_add(self.offset).min(LAST);
        let behind = self.latest.saturating_sub(shifted);
        if behind > tolerance {
            self.offset = self.offset.saturating_add(behind);
            return ShardTime {
                now: self.latest,
                ahead: 0,
            };
        }
        self.latest = self.latest.max(shifted);
        ShardTime {
            now: self.latest,
            ahead: behind,
        }
    }

    pub(crate) fn latest(&self) -> u64 {
        self.latest
    }

    pub(crate) fn keys(&self) -> usize {
        self.rates.len() + self.counted.len()
    }

    /// Whether no new key may be added. Sweeps now and then while that is so.
    #[cold]
    pub(crate) fn is_full(&mut self, most_keys: usize, registry: &Registry, now: u64) -> bool {
        if self.keys() < most_keys {
            return false;
        }
        if self.crowded_out == 0 {
            self.sweep(registry, now);
        }
        // The next sweep comes when it can have become worth its time.
        self.crowded_out = (self.crowded_out + 1) % (most_keys / 8).max(1);
        self.keys() >= most_keys
    }

    /// Whether anybody would miss a cell.
    pub(crate) fn is_in_use(&self, fingerprint: u64, registry: &Registry, now: u64) -> bool {
        let rate = self.rates.find(fingerprint);
        let counted = self.counted.get(&fingerprint);
        rate.is_some_and(|found| !is_drained(registry, found.quota, &found.cell, now))
            || counted.is_some_and(|cell| !cell.is_unused(now))
    }

    /// Writes a rate's cell, new or not. Others may move.
    #[cold]
    pub(crate) fn add_rate(
        &mut self,
        fingerprint: u64,
        quota: QuotaNumber,
        cell: &RateCell,
        registry: &Registry,
    ) {
        if self.rates.is_crowded() {
            let now = self.latest;
            self.rates
                .make_room(|number, cell| is_drained(registry, number, cell, now));
        }
        self.rates.put(fingerprint, quota, cell);
    }

    /// The cell of anything but a rate, made if there is none. A cell of another kind (the limit's
    /// quota has changed its kind) is replaced.
    pub(crate) fn counted_cell(
        &mut self,
        fingerprint: u64,
        unused: CountedCell,
    ) -> &mut CountedCell {
        if self.counted.len() == self.counted.capacity() {
            let now = self.latest;
            self.counted.retain(|_, cell| !cell.is_unused(now));
        }
        let same_kind =
            |cell: &CountedCell| std::mem::discriminant(cell) == std::mem::discriminant(&unused);
        if self.counted.get(&fingerprint).is_some_and(same_kind) {
            return self.counted.entry(fingerprint).or_insert(unused);
        }
        self.counted
            .entry(fingerprint)
            .insert_entry(unused)
            .into_mut()
    }

    /// Forgets every key that nobody would miss.
    pub(crate) fn sweep(&mut self, registry: &Registry, now: u64) {
        self.rates
            .sweep(|number, cell| is_drained(registry, number, cell, now));
        self.counted.retain(|_, cell| !cell.is_unused(now));
        self.counted.shrink_to_fit();
        self.lines.sweep(now);
    }
}

fn is_drained(registry: &Registry, number: QuotaNumber, cell: &RateCell, now: u64) -> bool {
    registry
        .rate(number)
        .is_none_or(|rate| rate.outstanding(cell, now) == 0)
}
