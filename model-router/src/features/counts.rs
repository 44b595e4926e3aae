//! How often is each hash there?

use super::Gram;

/// Every hash once with its count (at most 65,535), in the order in which they were first seen.
///
/// An open-addressing table of places in the list: it stays small enough for the first cache.
pub(super) struct Counter {
    pub(super) grams: Vec<Gram>,
    /// Places in the list, from 1; 0 is free. At most half are taken.
    slots: Vec<u32>,
}

impl Counter {
    /// For about this many different hashes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            grams: Vec::with_capacity(capacity),
            slots: vec![0; (2 * capacity).next_power_of_two().max(16)],
        }
    }

    #[inline]
    pub(super) fn add(&mut self, hash: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(place) = self.slots[at].checked_sub(1) {
            let gram = &mut self.grams[place as usize];
            if gram.hash == hash {
                gram.count = gram.count.saturating_add(1);
                return;
            }
            at = (at + 1) & mask;
        }
        self.grams.push(Gram { hash, count: 1 });
        self.slots[at] = self.grams.len() as u32;
        if 2 * self.grams.len() > self.slots.len() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mask = 2 * self.slots.len() - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for (gram, place) in self.grams.iter().zip(1..) {
            let mut at = gram.hash as usize & mask;
            while self.slots[at] > 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(hashes: &[u32], capacity: usize) -> Vec<(u32, u16)> {
        let mut counter = Counter::with_capacity(capacity);
        hashes.iter().for_each(|it| counter.add(*it));
        counter.grams.iter().map(|it| (it.hash, it.count)).collect()
    }

    #[test]
    fn hashes_that_share_a_slot_are_counted_apart() {
        let found = counted(&[5, 21, 5, 37, 0, 21, 5], 4);
        assert_eq!(found, [(5, 3), (21, 2), (37, 1), (0, 1)]);
        assert!(counted(&[], 0).is_empty());
    }

    #[test]
    fn a_table_that_grows_forgets_nothing() {
        let hashes: Vec<u32> = (0..1_000).chain(0..1_000).map(|it| it * 4_096).collect();
        let found = counted(&hashes, 1);
        assert_eq!(found.len(), 1_000);
        assert!(found.iter().all(|it| it.1 == 2));
    }
}
