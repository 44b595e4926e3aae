//! How many of the latest calls failed? Counters for sixteen slices of time, in a ring.

use std::time::Duration;

use crate::time::{Timestamp, nanos};

const SLICES: usize = 16;

/// Outcomes of the last `SLICES` slices, the present one included.
#[derive(Debug)]
pub(super) struct Window {
    slice_nanos: u64,
    slices: [Slice; SLICES],
    /// The number of the latest slice: time in a window never runs backward.
    latest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    number: u64,
    calls: u64,
    failed: u64,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            slice_nanos: (nanos(length) / SLICES as u64).max(1),
            slices: [Slice::default(); SLICES],
            latest: 0,
        }
    }

    pub(super) fn record(&mut self, failed: bool, now: Timestamp) {
        let number = self.advance(now);
        let slice = &mut self.slices[number as usize % SLICES];
        if slice.number != number {
            *slice = Slice {
                number,
                ..Slice::default()
            };
        }
        slice.calls = slice.calls.saturating_add(1);
        slice.failed = slice.failed.saturating_add(u64::from(failed));
    }

    /// Failed calls and all calls.
    pub(super) fn totals(&mut self, now: Timestamp) -> (u64, u64) {
        let number = self.advance(now);
        let live = |slice: &&Slice| number - slice.number.min(number) < SLICES as u64;
        self.slices
            .iter()
            .filter(live)
            .fold((0, 0), |(failed, calls), slice| {
                (
                    slice.failed.saturating_add(failed),
                    slice.calls.saturating_add(calls),
                )
            })
    }

    /// After a clock that was set back, outcomes count in the latest slice until it has caught up,
    /// but a step of more than the window starts anew.
    fn advance(&mut self, now: Timestamp) -> u64 {
        let number = now.as_nanos() / self.slice_nanos;
        if self.latest.saturating_sub(number) >= SLICES as u64 {
            self.slices = [Slice::default(); SLICES];
            self.latest = number;
        }
        self.latest = self.latest.max(number);
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Window;
    use crate::time::Timestamp;

    #[test]
    fn forgets_a_call_when_its_slice_has_left_the_window() {
        let mut window = Window::new(Duration::from_millis(16));
        window.record(true, Timestamp::from_millis(100));
        window.record(false, Timestamp::from_millis(101));
        assert_eq!(window.totals(Timestamp::from_millis(115)), (1, 2));
        assert_eq!(window.totals(Timestamp::from_millis(116)), (0, 1));
        assert_eq!(window.totals(Timestamp::from_millis(117)), (0, 0));
    }

    #[test]
    fn a_clock_that_was_set_back_starts_a_new_window() {
        let mut window = Window::new(Duration::from_millis(16));
        window.record(true, Timestamp::from_millis(1000));
        window.record(true, Timestamp::from_millis(990));
        assert_eq!(window.totals(Timestamp::from_millis(990)), (2, 2));
        window.record(false, Timestamp::from_millis(10));
        assert_eq!(window.totals(Timestamp::from_millis(10)), (0, 1));
    }
}
