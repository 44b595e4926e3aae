//! Where are the cells of rates? A sorted open-addressing table of 32 bytes a key.
//!
//! The slot of a fingerprint is at first its share of the table's span, and slots stay in the order
//! of their fingerprints, so the table is a sorted array with gaps: linear probing in which a search
//! ends as soon as it meets a larger fingerprint. That keeps searches short at nine tenths full,
//! where most tables would have doubled long ago; this one grows by a tenth. (Amble and Knuth,
//! "Ordered hash tables", 1974.)

use crate::gcra::{MAX_REFUNDED, RateCell};

/// How full the table may become, in percent of its span.
const FULLEST: usize = 90;
/// How full it is after it has grown or shrunk.
const FILLED: usize = 82;
/// Less than this, and it shrinks when it is swept.
const EMPTIEST: usize = 50;

#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Slot {
    /// Zero in an empty slot.
    fingerprint: u64,
    start: u64,
    used: u64,
    /// The quota's number in the upper 24 bits, the refunded units in the lower 40.
    quota_and_refunded: u64,
}

const EMPTY: Slot = Slot {
    fingerprint: 0,
    start: 0,
    used: 0,
    quota_and_refunded: 0,
};

const REFUNDED_BITS: u32 = 40;

/// The number of a quota in the store's registry, of 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuotaNumber(pub(crate) u32);

/// As many quotas as 24 bits number.
pub(crate) const MAX_QUOTAS: usize = 1 << (64 - REFUNDED_BITS);

/// A cell found in the table, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) index: usize,
    pub(crate) quota: QuotaNumber,
    pub(crate) cell: RateCell,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    /// `span` slots that fingerprints are spread over, then room for the last ones to be pushed
    /// aside. The very last is always empty, so that every search ends.
    slots: Vec<Slot>,
    span: usize,
    len: usize,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// Reads what [`Table::find`] is about to read, whose result is of no use.
    #[inline]
    pub(crate) fn touch(&self, fingerprint: u64) -> u64 {
        let home = self.home(fingerprint);
        self.at(home) ^ self.at(home + 2)
    }

    #[inline]
    pub(crate) fn find(&self, fingerprint: u64) -> Option<Found> {
        let fingerprint = fingerprint.max(1);
        let home = self.home(fingerprint);
        let slots = self.slots.get(home..)?;
        for (offset, slot) in slots.iter().enumerate() {
            if slot.fingerprint == fingerprint {
                return Some(slot.found(home + offset));
            }
            if slot.fingerprint == 0 || slot.fingerprint > fingerprint {
                return None;
            }
        }
        None
    }

    /// Whether one more key needs [`Table::make_room`] first.
    pub(crate) fn is_crowded(&self) -> bool {
        (self.len + 1) * 100 > self.span * FULLEST
    }

    /// Whether a fingerprint's cell is at an index.
    #[inline]
    pub(crate) fn is_at(&self, index: usize, fingerprint: u64) -> bool {
        self.at(index) == fingerprint.max(1)
    }

    /// Writes over a cell that was found, provided that nothing was inserted since.
    pub(crate) fn write(&mut self, index: usize, quota: QuotaNumber, cell: &RateCell) {
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Slot::new(slot.fingerprint, quota, cell);
        }
    }

    /// Changes a cell that was found, provided that nothing was inserted since.
    #[inline]
    pub(crate) fn update<T>(&mut self, index: usize, change: impl FnOnce(&mut RateCell) -> T) -> T {
        let slot = &mut self.slots[index];
        let Found {
            quota, mut cell, ..
        } = slot.found(index);
        let result = change(&mut cell);
        *slot = Slot::new(slot.fingerprint, quota, &cell);
        result
    }

    /// Writes a cell, new or not.
    pub(crate) fn put(&mut self, fingerprint: u64, quota: QuotaNumber, cell: &RateCell) {
        let fingerprint = fingerprint.max(1);
        let slot = Slot::new(fingerprint, quota, cell);
        loop {
            let mut index = self.home(fingerprint);
            while self.at(index) < fingerprint && self.at(index) != 0 {
                index += 1;
            }
            if self.at(index) == fingerprint {
                self.slots[index] = slot;
                return;
            }
            if self.open_gap(index) {
                self.slots[index] = slot;
                self.len += 1;
                return;
            }
            self.rebuild(grown(self.span, self.len));
        }
    }

    /// Forgets the cells that `drained` says nobody misses, then grows or shrinks to fit one more.
    pub(crate) fn make_room(&mut self, drained: impl FnMut(QuotaNumber, &RateCell) -> bool) {
        self.sweep(drained);
        if (self.len + 1) * 100 > self.span * (FULLEST + FILLED) / 2 {
            self.rebuild(grown(self.span, self.len));
        }
    }

    /// Forgets the cells that `drained` says nobody misses and gives memory back.
    pub(crate) fn sweep(&mut self, mut drained: impl FnMut(QuotaNumber, &RateCell) -> bool) {
        let mut next_free = 0;
        self.len = 0;
        for index in 0..self.slots.len() {
            let slot = std::mem::replace(&mut self.slots[index], EMPTY);
            if slot.fingerprint == 0 {
                continue;
            }
            let found = slot.found(index);
            if drained(found.quota, &found.cell) {
                continue;
            }
            // Never to the right: neither its home nor the slots before it have moved there.
            let place = self.home(slot.fingerprint).max(next_free);
            self.slots[place] = slot;
            next_free = place + 1;
            self.len += 1;
        }
        if self.len * 100 < self.span * EMPTIEST && self.span > SMALLEST {
            self.rebuild((self.len * 100 / FILLED).max(SMALLEST));
        }
    }

    /// Goes over all fingerprints, for tests and debugging.
    #[cfg(test)]
    fn fingerprints(&self) -> Vec<u64> {
        let slots = self.slots.iter().map(|slot| slot.fingerprint);
        slots.filter(|&fingerprint| fingerprint != 0).collect()
    }

    #[inline]
    fn home(&self, fingerprint: u64) -> usize {
        // The product's upper half: fingerprint ÷ 2^64 of the span, and so in the span.
        ((u128::from(fingerprint) * self.span as u128) >> 64) as usize
    }

    /// The fingerprint at an index; empty beyond the end.
    #[inline]
    fn at(&self, index: usize) -> u64 {
        self.slots.get(index).map_or(0, |slot| slot.fingerprint)
    }

    /// Frees the slot at `index` by moving its run one to the right. False if the run reaches the end.
    fn open_gap(&mut self, index: usize) -> bool {
        let run = self.slots.get(index..).unwrap_or_default();
        let Some(length) = run.iter().position(|slot| slot.fingerprint == 0) else {
            return false;
        };
        if index + length + 1 >= self.slots.len() {
            return false;
        }
        self.slots.copy_within(index..index + length, index + 1);
        true
    }

    /// Spreads the cells over another span, a wider one if they do not fit.
    fn rebuild(&mut self, span: usize) {
        let mut span = span.max(self.len + 1);
        loop {
            if let Some(slots) = self.spread(span) {
                self.slots = slots;
                self.span = span;
                return;
            }
            span += span / 8 + 1;
        }
    }

    fn spread(&self, span: usize) -> Option<Vec<Slot>> {
        let spare = if span < 256 { 8 } else { 32 };
        let mut slots = vec![EMPTY; span + spare];
        let mut next_free = 0;
        for slot in self.slots.iter().filter(|slot| slot.fingerprint != 0) {
            let home = (u128::from(slot.fingerprint) * span as u128) >> 64;
            let place = (home as usize).max(next_free);
            if place + 1 >= slots.len() {
                return None;
            }
            slots[place] = *slot;
            next_free = place + 1;
        }
        Some(slots)
    }
}

const SMALLEST: usize = 8;

fn grown(span: usize, len: usize) -> usize {
    (len * 100 / FILLED).max(span + SMALLEST)
}

impl Slot {
    fn new(fingerprint: u64, quota: QuotaNumber, cell: &RateCell) -> Self {
        let refunded = cell.refunded.min(MAX_REFUNDED);
        Self {
            fingerprint,
            start: cell.start,
            used: cell.used,
            quota_and_refunded: (u64::from(quota.0) << REFUNDED_BITS) | refunded,
        }
    }

    fn found(&self, index: usize) -> Found {
        Found {
            index,
            quota: QuotaNumber((self.quota_and_refunded >> REFUNDED_BITS) as u32),
            cell: RateCell {
                start: self.start,
                used: self.used,
                refunded: self.quota_and_refunded & MAX_REFUNDED,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{QuotaNumber, Slot, Table};
    use crate::gcra::RateCell;

    const QUOTA: QuotaNumber = QuotaNumber(3);

    fn cell(used: u64) -> RateCell {
        RateCell {
            start: 7,
            used,
            refunded: 2,
        }
    }

    fn put(table: &mut Table, fingerprint: u64, used: u64) {
        if table.is_crowded() {
            table.make_room(|_, _| false);
        }
        table.put(fingerprint, QUOTA, &cell(used));
    }

    #[test]
    fn a_key_takes_32_bytes() {
        assert_eq!(size_of::<Slot>(), 32);
    }

    #[test]
    fn a_full_table_takes_at_most_40_bytes_a_key() {
        let mut table = Table::default();
        for number in 1..=20_000_u64 {
            put(
                &mut table,
                number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                number,
            );
            if number > 2_000 {
                let bytes = table.bytes();
                assert!(bytes <= table.len() * 40, "{bytes} for {number} keys");
            }
        }
    }

    proptest! {
        #[test]
        fn holds_what_a_map_holds(
            operations in prop::collection::vec((0..4_u8, 0..400_u64, 1..1000_u64), 0..1500),
            clustered in any::<bool>(),
        ) {
            let spread = if clustered { 1 } else { 0x9E37_79B9_7F4A_7C15_u64 };
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (operation, key, value) in operations {
                let fingerprint = (key + 1).wrapping_mul(spread);
                match operation {
                    0..3 => {
                        put(&mut table, fingerprint, value);
                        map.insert(fingerprint, value);
                    }
                    _ => {
                        table.sweep(|_, cell| cell.used % 7 == value % 7);
                        map.retain(|_, used| *used % 7 != value % 7);
                    }
                }
                prop_assert_eq!(table.len(), map.len());
                let found = table.find(fingerprint).map(|found| found.cell);
                prop_assert_eq!(found, map.get(&fingerprint).map(|used| cell(*used)));
            }
            prop_assert_eq!(table.fingerprints(), map.keys().copied().collect::<Vec<_>>());
            for (fingerprint, used) in &map {
                let found = table.find(*fingerprint).unwrap();
                prop_assert_eq!((found.quota, found.cell), (QUOTA, cell(*used)));
            }
        }
    }
}
