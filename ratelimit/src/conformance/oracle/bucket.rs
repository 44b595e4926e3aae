//! Must this cost pass now? A token bucket in the plainest exact form.

use std::time::Duration;

use crate::quota::Rate;
use crate::time::{Timestamp, nanos};

/// A bucket that fills up at a rate and that costs are taken from.
///
/// Contents are counted in units times the nanoseconds of the rate's period, so that a nanosecond adds
/// a whole number of them and nothing is ever rounded.
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::conformance::oracle::Bucket;
/// use bursar_ratelimit::{Rate, Timestamp};
///
/// // Three units in ten nanoseconds, at most two at once.
/// let rate = Rate::new(3, Duration::from_nanos(10))?.burst(2)?;
/// let mut bucket = Bucket::new(&rate);
/// let start = Timestamp::from_nanos(100);
/// bucket.take(2, start);
/// assert!(!bucket.holds(1, start + Duration::from_nanos(3)));
/// assert_eq!(bucket.wait(1, start), Some(Duration::from_nanos(4)));
/// # Ok::<(), bursar_ratelimit::QuotaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bucket {
    period: u128,
    units: u128,
    capacity: u128,
    contents: u128,
    /// Taken beyond what was there; paid before anything is filled in again.
    owed: u128,
    at: u64,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rate: &Rate) -> Self {
        let period = u128::from(nanos(rate.period()));
        let capacity = u128::from(rate.burst_size()) * period;
        Self {
            period,
            units: u128::from(rate.limit()),
            capacity,
            contents: capacity,
            owed: 0,
            at: 0,
        }
    }

    /// Whether `cost` can be taken without a debt.
    #[must_use]
    pub fn holds(&self, cost: u64, now: Timestamp) -> bool {
        let filled = self.filled(now);
        filled.owed == 0 && u128::from(cost) * self.period <= filled.contents
    }

    /// Whole units in it; none while something is owed.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> u64 {
        let units = self.filled(now).contents / self.period;
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// The least time after which `cost` can be taken, `None` if it never can.
    #[must_use]
    pub fn wait(&self, cost: u64, now: Timestamp) -> Option<Duration> {
        let filled = self.filled(now);
        let wanted = u128::from(cost) * self.period;
        if wanted > self.capacity {
            return None;
        }
        let missing = wanted
            .saturating_add(filled.owed)
            .saturating_sub(filled.contents);
        let ticks = u64::try_from(missing.div_ceil(self.units));
        Some(Duration::from_nanos(ticks.unwrap_or(u64::MAX)))
    }

    /// Takes `cost`, on credit if it is not there.
    pub fn take(&mut self, cost: u64, now: Timestamp) {
        *self = self.filled(now);
        let wanted = u128::from(cost) * self.period;
        let missing = wanted.saturating_sub(self.contents);
        self.contents = self.contents.saturating_sub(wanted);
        self.owed = self.owed.saturating_add(missing);
    }

    /// Puts units back, as many as there is room for.
    pub fn give_back(&mut self, units: u64, now: Timestamp) {
        *self = self.filled(now);
        self.add(u128::from(units) * self.period);
    }

    /// The same bucket at `now`; a time before the last one changes nothing.
    fn filled(&self, now: Timestamp) -> Self {
        let mut filled = self.clone();
        let elapsed = now.as_nanos().saturating_sub(self.at);
        filled.at = self.at.max(now.as_nanos());
        filled.add(u128::from(elapsed) * self.units);
        filled
    }

    fn add(&mut self, contents: u128) {
        let paid = contents.min(self.owed);
        self.owed -= paid;
        let contents = self.contents.saturating_add(contents - paid);
        self.contents = contents.min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Bucket;
    use crate::{Rate, Timestamp};

    #[test]
    fn pays_debts_before_it_fills_up() {
        let rate = Rate::new(1, Duration::from_nanos(1)).unwrap();
        let mut bucket = Bucket::new(&rate.burst(10).unwrap());
        bucket.take(14, Timestamp::ZERO);
        let at = Timestamp::from_nanos;
        assert!(!bucket.holds(0, at(3)));
        assert!(bucket.holds(0, at(4)));
        assert_eq!(bucket.remaining(at(4)), 0);
        assert_eq!(bucket.remaining(at(6)), 2);
        assert_eq!(bucket.wait(10, at(4)), Some(Duration::from_nanos(10)));
        assert_eq!(bucket.wait(11, at(4)), None);
    }

    #[test]
    fn is_never_fuller_than_full() {
        let rate = Rate::new(u64::MAX, Duration::from_nanos(u64::MAX)).unwrap();
        let mut bucket = Bucket::new(&rate);
        let end = Timestamp::from_nanos(u64::MAX);
        bucket.take(u64::MAX, Timestamp::ZERO);
        bucket.give_back(u64::MAX, end);
        assert_eq!(bucket.remaining(end), u64::MAX);
    }
}
