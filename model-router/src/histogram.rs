//! Which value do 95 of 100 stay under? Counts of whole numbers in bounded memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// As many bins in each octave, which makes a bin at most 1/32 of its value wide.
const BINS: u64 = 32;
const BIN_BITS: u32 = BINS.trailing_zeros();

/// Counts of whole numbers in bins of logarithmic width, as in HdrHistogram: exact up to 63, above that
/// within 1.6 %, in at most 1,920 bins whatever is counted.
///
/// ```
/// use bursar_model_router::Histogram;
///
/// let mut latency = Histogram::new();
/// for milliseconds in 1..=1_000 {
///     latency.record(milliseconds);
/// }
/// let p95 = latency.quantile(0.95).unwrap_or_default();
/// assert!((935..=965).contains(&p95));
/// assert_eq!(Histogram::new().quantile(0.95), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<u16, u64>", into = "BTreeMap<u16, u64>")]
pub struct Histogram {
    bins: BTreeMap<u16, u64>,
    count: u64,
}

/// A saved histogram has a bin that there is not, or more values than can be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a histogram has bins up to {LAST_BIN} and up to 2^64 - 1 values, but bin {bin} holds {count}"
)]
pub struct HistogramError {
    /// The bin at which this came to light.
    pub bin: u16,
    /// What it is said to hold.
    pub count: u64,
}

const LAST_BIN: u16 = bin_of(u64::MAX);

impl Histogram {
    /// Without any value.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bins: BTreeMap::new(),
            count: 0,
        }
    }

    /// Counts a value. After 2⁶⁴ − 1 values, which no process lives to see, it stays as it is.
    pub fn record(&mut self, value: u64) {
        let Some(count) = self.count.checked_add(1) else {
            return;
        };
        self.count = count;
        let bin = self.bins.entry(bin_of(value)).or_default();
        *bin = bin.saturating_add(1);
    }

    /// How many values were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The least value that at least this share of the values do not exceed, as the middle of its bin;
    /// the share is held inside 0 to 1. `None` while there is no value.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank is at least 0 and at most the count, and held inside both"
    )]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let share = if share.is_nan() {
            1.0
        } else {
            share.clamp(0.0, 1.0)
        };
        let rank = (share * self.count as f64).ceil() as u64;
        let rank = rank.clamp(1, self.count.max(1));
        let mut seen = 0_u64;
        for (bin, count) in &self.bins {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return Some(middle_of(*bin));
            }
        }
        None
    }
}

impl TryFrom<BTreeMap<u16, u64>> for Histogram {
    type Error = HistogramError;

    fn try_from(bins: BTreeMap<u16, u64>) -> Result<Self, HistogramError> {
        let mut sum = 0_u64;
        for (&bin, &count) in &bins {
            let refused = HistogramError { bin, count };
            if bin > LAST_BIN || count == 0 {
                return Err(refused);
            }
            sum = sum.checked_add(count).ok_or(refused)?;
        }
        Ok(Self { bins, count: sum })
    }
}

impl From<Histogram> for BTreeMap<u16, u64> {
    fn from(histogram: Histogram) -> Self {
        histogram.bins
    }
}

/// The bin of a value: itself up to 2 × 32, and above that 32 for each doubling.
const fn bin_of(value: u64) -> u16 {
    if value < BINS {
        return value as u16;
    }
    let octave = value.ilog2() - BIN_BITS;
    let within = (value >> octave) - BINS;
    (BINS * (octave as u64 + 1) + within) as u16
}

/// The value in the middle of a bin.
const fn middle_of(bin: u16) -> u64 {
    let bin = bin as u64;
    if bin < 2 * BINS {
        return bin;
    }
    let octave = bin / BINS - 1;
    let least = (bin % BINS + BINS) << octave;
    least + ((1 << octave) - 1) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_values_are_exact() {
        for value in 0..64 {
            assert_eq!(middle_of(bin_of(value)), value);
        }
        assert_eq!(LAST_BIN, 1_919);
    }

    proptest! {
        #[test]
        fn a_value_is_found_within_its_bin(value: u64) {
            let mut histogram = Histogram::new();
            histogram.record(value);
            let found = histogram.quantile(0.5).expect("one value is there");
            prop_assert!(found.abs_diff(value) <= value / 63);
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_values(
            mut values in proptest::collection::vec(0_u64..1_000_000, 1..200),
            share in 0.0..=1.0_f64,
        ) {
            let mut histogram = Histogram::new();
            values.iter().for_each(|value| histogram.record(*value));
            values.sort_unstable();
            let rank = ((share * values.len() as f64).ceil() as usize).max(1);
            let expected = values[rank - 1];
            let found = histogram.quantile(share).expect("there are values");
            prop_assert!(found.abs_diff(expected) <= expected / 63);
        }

        #[test]
        fn a_saved_histogram_goes_on_as_before(values in proptest::collection::vec(0_u64.., 0..50)) {
            let mut histogram = Histogram::new();
            values.iter().for_each(|value| histogram.record(*value));
            let json = serde_json::to_string(&histogram).expect("a map of numbers is JSON");
            prop_assert_eq!(serde_json::from_str::<Histogram>(&json).ok(), Some(histogram));
        }
    }

    #[test]
    fn a_damaged_histogram_is_an_error() {
        for damaged in [
            r#"{"1920":1}"#,
            r#"{"3":0}"#,
            r#"{"1":18446744073709551615,"2":1}"#,
        ] {
            let error = serde_json::from_str::<Histogram>(damaged).unwrap_err();
            assert!(error.to_string().contains("bin"), "{error}");
        }
    }
}
