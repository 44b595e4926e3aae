//! How are many numbers distributed, within a bounded memory?
//!
//! Bins whose edges grow by 2 %, so that a quantile is off by at most 1 % of itself (C. Masson, J. E.
//! Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees", VLDB 2019, section 2).

use std::collections::BTreeMap;

/// What an edge of a bin is as a multiple of the one below.
const GROWTH: f64 = 1.02;

/// The number of the last bin: values over 1.02⁹⁰⁰, about 5.5 × 10⁷, are kept as that.
const LAST: u16 = 900;

/// When the weight reaches this, all is halved, so that what is new counts more than what is old.
const MAX_WEIGHT: f64 = 4_096.0;

/// A bin that has less is forgotten: an observation lives for seven halvings.
const LEAST: f64 = 0.01;

/// Weights of numbers from 0 to 5.5 × 10⁷ by their size.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "BTreeMap<u16, f64>", into = "BTreeMap<u16, f64>")]
pub(crate) struct DecayingHistogram {
    bins: BTreeMap<u16, f64>,
    total: f64,
}

impl DecayingHistogram {
    pub(crate) fn add(&mut self, value: f64) {
        *self.bins.entry(bin_of(value)).or_default() += 1.0;
        self.total += 1.0;
        if self.total >= MAX_WEIGHT {
            self.halve();
        }
    }

    /// Halves the weight of all that was seen.
    pub(crate) fn halve(&mut self) {
        for weight in self.bins.values_mut() {
            *weight /= 2.0;
        }
        self.bins.retain(|_, weight| *weight >= LEAST);
        self.total = self.bins.values().sum();
    }

    /// The weight of all.
    pub(crate) const fn total(&self) -> f64 {
        self.total
    }

    /// The value under or at which the share `q` of the weight is; nothing has none.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        let mut below = 0.0;
        let mut bins = self.bins.iter();
        let found = bins.find(|(_, weight)| {
            below += **weight;
            below >= q * self.total
        });
        let last = self.bins.last_key_value();
        found.or(last).map(|(bin, _)| value_of(*bin))
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        let sum: f64 = self.bins().map(|(value, weight)| value * weight).sum();
        (self.total > 0.0).then(|| sum / self.total)
    }

    /// Values, rising, with their weights.
    pub(crate) fn bins(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.bins
            .iter()
            .map(|(bin, weight)| (value_of(*bin), *weight))
    }
}

/// Bin 0 holds what is under 1, bin `i` what is from `1.02^(i - 1)` to under `1.02^i`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the last bin; what is not a number goes to 0"
)]
fn bin_of(value: f64) -> u16 {
    if value < 1.0 {
        return 0;
    }
    (value.ln() / GROWTH.ln()).floor().min(f64::from(LAST - 1)) as u16 + 1
}

/// The value that is off by the same factor at both edges of the bin.
fn value_of(bin: u16) -> f64 {
    if bin == 0 {
        return 0.0;
    }
    GROWTH.powf(f64::from(bin) - 0.5)
}

/// Why saved bins are none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("bin {bin} with weight {weight} is none of 0 to 900 with a weight of up to 4096")]
pub(crate) struct BinError {
    bin: u16,
    weight: f64,
}

impl TryFrom<BTreeMap<u16, f64>> for DecayingHistogram {
    type Error = BinError;

    fn try_from(bins: BTreeMap<u16, f64>) -> Result<Self, BinError> {
        let is_bin = |bin: u16, weight: f64| bin <= LAST && weight > 0.0 && weight <= MAX_WEIGHT;
        let mut all = bins.iter();
        if let Some((&bin, &weight)) = all.find(|(bin, weight)| !is_bin(**bin, **weight)) {
            return Err(BinError { bin, weight });
        }
        let total = bins.values().sum();
        Ok(Self { bins, total })
    }
}

impl From<DecayingHistogram> for BTreeMap<u16, f64> {
    fn from(histogram: DecayingHistogram) -> Self {
        histogram.bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_off_by_one_percent_at_most() {
        let mut histogram = DecayingHistogram::default();
        for value in 1..=2_000 {
            histogram.add(f64::from(value));
        }
        for (q, exact) in [
            (0.05, 100.0),
            (0.5, 1_000.0),
            (0.95, 1_900.0),
            (1.0, 2_000.0),
        ] {
            let value = histogram.quantile(q).expect("not empty");
            assert!((value / exact - 1.0).abs() < 0.0101, "{q}: {value}");
        }
        assert!((histogram.mean().expect("not empty") / 1_000.5 - 1.0).abs() < 0.005);
    }

    #[test]
    fn what_is_new_counts_more_and_memory_is_bounded() {
        let mut histogram = DecayingHistogram::default();
        for _ in 0..10_000 {
            histogram.add(100.0);
        }
        for _ in 0..5_000 {
            histogram.add(300.0);
        }
        assert!(histogram.total() < MAX_WEIGHT);
        assert!(histogram.quantile(0.5).expect("not empty") > 290.0);
        for bit in 0..64 {
            histogram.add(2_f64.powi(bit));
        }
        assert!(histogram.bins().count() <= usize::from(LAST) + 1);
        assert!(histogram.quantile(1.0).expect("not empty").is_finite());
    }

    #[test]
    fn a_damaged_histogram_is_refused() {
        for json in [
            r#"{"901":1.0}"#,
            r#"{"3":-1.0}"#,
            r#"{"3":1e300}"#,
            r#"{"3":0.0}"#,
        ] {
            serde_json::from_str::<DecayingHistogram>(json).expect_err(json);
        }
        let read: DecayingHistogram = serde_json::from_str(r#"{"3":1.5}"#).expect("a histogram");
        assert!((read.total() - 1.5).abs() < 1e-9);
    }
}
