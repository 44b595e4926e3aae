//! How much in the last minute, hour, day? Sums over sliding windows in a few words of memory.

/// A sum over a sliding window from two buckets: all of the present one, and of the one before it the
/// part that the window still covers, as if it had come evenly. 24 bytes. Exact when use is even;
/// never more than all of both buckets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SlidingSum {
    bucket: i64,
    current: u64,
    previous: u64,
}

impl SlidingSum {
    /// Adds an amount at a time, both in units of the caller; `width` is the window.
    pub fn add(&mut self, amount: u64, at: i64, width: i64) {
        let bucket = at.div_euclid(width.max(1));
        self.advance(bucket);
        if bucket == self.bucket {
            self.current = self.current.saturating_add(amount);
        } else if bucket == self.bucket.saturating_sub(1) {
            self.previous = self.previous.saturating_add(amount);
        }
    }

    /// The sum of the window that ends at a time.
    #[must_use]
    pub fn sum(&self, at: i64, width: i64) -> f64 {
        let width = width.max(1);
        let mut now = *self;
        now.advance(at.div_euclid(width));
        let passed = at.rem_euclid(width) as f64 / width as f64;
        now.current as f64 + now.previous as f64 * (1.0 - passed)
    }

    fn advance(&mut self, bucket: i64) {
        let ahead = bucket.saturating_sub(self.bucket);
        if ahead <= 0 {
            return;
        }
        self.previous = if ahead == 1 { self.current } else { 0 };
        self.current = 0;
        self.bucket = bucket;
    }
}

/// Amounts of the last 24 hours by hour: sums exact to the hour, and in how many hours there was any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct HourlyDay {
    hours: [u64; 24],
    last: i64,
}

const HOUR_MS: i64 = 3_600_000;

impl HourlyDay {
    /// Adds an amount.
    pub fn add(&mut self, amount: u64, at_ms: i64) {
        let hour = at_ms.div_euclid(HOUR_MS);
        self.advance(hour);
        if self.last.saturating_sub(hour) < 24 {
            let slot = &mut self.hours[hour.rem_euclid(24) as usize];
            *slot = slot.saturating_add(amount);
        }
    }

    /// The sum of the present hour and the 23 before it.
    #[must_use]
    pub fn sum(&self, at_ms: i64) -> u64 {
        let hours = self.at(at_ms).hours;
        hours.iter().fold(0, |sum, hour| hour.saturating_add(sum))
    }

    /// In how many of these hours there was something.
    #[must_use]
    pub fn active_hours(&self, at_ms: i64) -> usize {
        let hours = self.at(at_ms).hours;
        hours.iter().filter(|&&amount| amount > 0).count()
    }

    fn at(&self, at_ms: i64) -> Self {
        let mut now = *self;
        now.advance(at_ms.div_euclid(HOUR_MS));
        now
    }

    fn advance(&mut self, hour: i64) {
        let ahead = hour.saturating_sub(self.last).clamp(0, 24);
        for step in 1..=ahead {
            self.hours[(hour - ahead + step).rem_euclid(24) as usize] = 0;
        }
        self.last = self.last.max(hour);
    }
}
