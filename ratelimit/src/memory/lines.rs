//! Who waits for a cell, and in which order? The lines of a shard.

use std::collections::{HashMap, VecDeque};

/// The lines before the cells of a shard, by the cells' fingerprints. A cell that nobody waits for
/// has none.
#[derive(Debug, Default)]
pub(crate) struct Lines(HashMap<u64, Line, foldhash::fast::FixedState>);

/// Those who wait for one cell.
#[derive(Debug, Default)]
struct Line {
    /// In the order of their tickets.
    places: VecDeque<Place>,
    /// The units of all of them.
    units: u128,
    /// No place lapses before.
    first_lapse: u64,
}

/// One waiter's place before one cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) ticket: u64,
    pub(crate) units: u64,
    /// The last instant at which the place counts, so that a waiter that has vanished holds nobody up
    /// for longer than it would have waited.
    pub(crate) until: u64,
}

impl Lines {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Units that are waited for by those before `ticket`, or by everybody if it is `None`; at most
    /// `u64::MAX`.
    pub(crate) fn units_ahead(&mut self, fingerprint: u64, ticket: Option<u64>, now: u64) -> u64 {
        let Some(line) = self.current(fingerprint, now) else {
            return 0;
        };
        let units = match ticket {
            None => line.units,
            Some(_) => line.ahead(ticket).map(u128::from).sum(),
        };
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// The units of those before `ticket` one by one, in their order; after
    /// [`units_ahead`](Self::units_ahead), which forgets the places that have lapsed.
    pub(crate) fn ahead(
        &self,
        fingerprint: u64,
        ticket: Option<u64>,
    ) -> impl Iterator<Item = u64> + '_ {
        let line = self.0.get(&fingerprint);
        line.into_iter().flat_map(move |line| line.ahead(ticket))
    }

    pub(crate) fn join(&mut self, fingerprint: u64, place: Place) {
        let line = self.0.entry(fingerprint).or_insert_with(|| Line {
            first_lapse: u64::MAX,
            ..Line::default()
        });
        let index = line
            .places
            .partition_point(|other| other.ticket < place.ticket);
        line.places.insert(index, place);
        line.units += u128::from(place.units);
        line.first_lapse = line.first_lapse.min(place.until);
    }

    /// Gives a place up; it may have lapsed and been forgotten before.
    pub(crate) fn leave(&mut self, fingerprint: u64, ticket: u64) {
        let Some(line) = self.0.get_mut(&fingerprint) else {
            return;
        };
        let found = line
            .places
            .binary_search_by_key(&ticket, |place| place.ticket);
        if let Ok(index) = found
            && let Some(place) = line.places.remove(index)
        {
            line.units -= u128::from(place.units);
        }
        if line.places.is_empty() {
            self.remove(fingerprint);
        }
    }

    /// Forgets the places of waiters that have vanished.
    pub(crate) fn sweep(&mut self, now: u64) {
        self.0.retain(|_, line| line.is_waited_in(now));
        self.0.shrink_to_fit();
    }

    fn current(&mut self, fingerprint: u64, now: u64) -> Option<&Line> {
        if !self.0.get_mut(&fingerprint)?.is_waited_in(now) {
            self.remove(fingerprint);
        }
        self.0.get(&fingerprint)
    }

    fn remove(&mut self, fingerprint: u64) {
        self.0.remove(&fingerprint);
    }
}

impl Line {
    fn ahead(&self, ticket: Option<u64>) -> impl Iterator<Item = u64> + '_ {
        let before = move |place: &&Place| ticket.is_none_or(|ticket| place.ticket < ticket);
        self.places
            .iter()
            .take_while(before)
            .map(|place| place.units)
    }

    /// Whether anybody waits, after places that have lapsed were forgotten.
    fn is_waited_in(&mut self, now: u64) -> bool {
        if self.first_lapse < now {
            self.places.retain(|place| place.until >= now);
            self.units = self
                .places
                .iter()
                .map(|place| u128::from(place.units))
                .sum();
            let lapses = self.places.iter().map(|place| place.until);
            self.first_lapse = lapses.min().unwrap_or(u64::MAX);
        }
        !self.places.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Place};

    fn place(ticket: u64, units: u64, until: u64) -> Place {
        Place {
            ticket,
            units,
            until,
        }
    }

    #[test]
    fn counts_those_ahead_in_the_order_of_tickets() {
        let mut lines = Lines::default();
        lines.join(1, place(8, 20, 100));
        lines.join(1, place(5, 10, 50));
        lines.join(1, place(9, u64::MAX, 100));
        lines.join(2, place(3, 7, 100));
        assert_eq!(lines.units_ahead(1, Some(5), 0), 0);
        assert_eq!(lines.units_ahead(1, Some(9), 0), 30);
        assert_eq!(lines.units_ahead(1, None, 0), u64::MAX);
        assert_eq!(lines.ahead(1, Some(9)).collect::<Vec<_>>(), [10, 20]);

        lines.leave(1, 9);
        assert_eq!(lines.units_ahead(1, None, 50), 30);
        lines.join(1, place(10, 1, 51));
        assert_eq!(lines.units_ahead(1, None, 51), 21);
        assert_eq!(lines.units_ahead(1, None, 52), 20);
        assert_eq!(lines.units_ahead(2, None, 100), 7);
    }

    #[test]
    fn keeps_nothing_of_those_who_are_gone() {
        let mut lines = Lines::default();
        lines.join(1, place(1, 10, 50));
        lines.join(2, place(1, 10, 50));
        lines.join(3, place(1, 10, 50));
        lines.leave(1, 1);
        lines.leave(1, 1);
        assert_eq!(lines.units_ahead(2, None, 51), 0);
        assert!(!lines.is_empty());
        lines.sweep(51);
        assert!(lines.is_empty());
    }
}
