//! Which share of the samples is above a level?

use statrs::distribution::{Beta, ContinuousCDF};

use super::usage::BETA_CONCENTRATION;

/// Steps in which an assumed distribution is laid out.
const ASSUMED_STEPS: u32 = 1000;

/// Values in ascending order with the number of samples up to each, counted once for all levels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sorted {
    values: Vec<f64>,
    /// Samples up to and including the value at the same place.
    counts: Vec<u64>,
    mean: f64,
}

impl Sorted {
    /// The samples that are there.
    pub(crate) fn of_samples(samples: &[f64]) -> Sorted {
        let mut values: Vec<f64> = samples.iter().copied().filter(|v| !v.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let counts = (1..=values.len() as u64).collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        Sorted {
            values,
            counts,
            mean,
        }
    }

    /// Bins with ascending bounds; empty ones are left out.
    pub(crate) fn of_bins(bins: impl IntoIterator<Item = (f64, u64)>) -> Sorted {
        let mut sum = 0.0;
        let mut total = 0u64;
        let (mut values, mut counts) = (Vec::new(), Vec::new());
        for (bound, count) in bins.into_iter().filter(|(_, count)| *count > 0) {
            total = total.saturating_add(count);
            sum += bound * count as f64;
            values.push(bound);
            counts.push(total);
        }
        Sorted {
            values,
            counts,
            mean: sum / total.max(1) as f64,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    pub(crate) fn maximum(&self) -> f64 {
        self.values.last().copied().unwrap_or(0.0)
    }

    /// The values above `level`, ascending.
    pub(crate) fn above(&self, level: f64) -> &[f64] {
        let place = self.values.partition_point(|value| *value <= level);
        self.values.get(place..).unwrap_or_default()
    }

    /// The share of samples above `level`.
    pub(crate) fn share_above(&self, level: f64) -> f64 {
        let place = self.values.partition_point(|value| *value <= level);
        let up_to = place
            .checked_sub(1)
            .and_then(|before| self.counts.get(before))
            .copied()
            .unwrap_or(0);
        1.0 - up_to as f64 / self.count().max(1) as f64
    }

    /// The smallest value that at least a share `share` of the samples does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = (share.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64;
        let place = self.counts.partition_point(|count| *count < wanted);
        self.values
            .get(place)
            .copied()
            .unwrap_or_else(|| self.maximum())
    }
}

/// The beta distribution from zero to `maximum` with this average, in steps of equal width whose
/// counts add up to a million, as a histogram; all in one bin where there is nothing between.
pub(crate) fn beta_bins(average: f64, maximum: f64) -> Vec<(f64, u64)> {
    let alpha = BETA_CONCENTRATION * average / maximum;
    let shape = Beta::new(alpha, BETA_CONCENTRATION - alpha);
    let Ok(beta) = shape else {
        // An average of zero, or of the maximum itself: every sample is the same.
        return vec![(maximum, 1)];
    };
    let mut before = 0u64;
    (1..=ASSUMED_STEPS)
        .map(|step| {
            let x = f64::from(step) / f64::from(ASSUMED_STEPS);
            let up_to = if step == ASSUMED_STEPS {
                1_000_000
            } else {
                (beta.cdf(x) * 1e6).floor() as u64
            };
            // However thin the tail is, the maximum was met.
            let least = u64::from(step == ASSUMED_STEPS);
            let count = up_to.saturating_sub(before).max(least);
            before = before.max(up_to);
            (maximum * x, count)
        })
        .collect()
}
