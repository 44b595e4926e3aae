//! How likely is more than was ever seen?
//!
//! Excesses over a high threshold follow a generalized Pareto distribution (Pickands, Annals of
//! Statistics 3, 1975); its shape and scale are found by probability-weighted moments (Hosking and
//! Wallis, Technometrics 29, 1987), which stay stable with few excesses.

/// The shapes that a use of resources is believed to have: from bounded (−½) to a tail without
/// variance (½). Fits outside come from too few excesses.
const SHAPES: std::ops::RangeInclusive<f64> = -0.5..=0.5;

/// The mean excess over a level that was never passed, as a share of the level.
const FLAT_EXCESS: f64 = 0.01;

/// A tail above a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tail {
    pub(crate) threshold: f64,
    shape: f64,
    mean_excess: f64,
    /// Excesses that are as good as independent.
    effective: f64,
}

impl Tail {
    /// Fits values above the threshold, ascending, of which `effective` are as good as
    /// independent. `None` without two different excesses.
    pub(crate) fn fit(threshold: f64, values: &[f64], effective: f64) -> Option<Tail> {
        let n = values.len() as f64;
        let mean_excess = values.iter().map(|value| value - threshold).sum::<f64>() / n;
        // The mean of the excesses, each weighted by the share of excesses above it.
        let weighted = values
            .iter()
            .enumerate()
            .map(|(below, value)| (value - threshold) * (n - 1.0 - below as f64) / (n - 1.0))
            .sum::<f64>()
            / n;
        let shape = 2.0 - mean_excess / (mean_excess - 2.0 * weighted);
        if !shape.is_finite() || mean_excess <= 0.0 || values.len() < 2 {
            return None;
        }
        Some(Tail {
            threshold,
            shape: shape.clamp(*SHAPES.start(), *SHAPES.end()),
            mean_excess,
            effective: effective.max(2.0),
        })
    }

    /// A tail above the largest value where a level is reached often and never passed, as by a
    /// process that keeps one vCPU busy: what comes next is taken to differ by a hundredth.
    pub(crate) fn flat(threshold: f64, effective: f64) -> Tail {
        Tail {
            threshold,
            shape: 0.0,
            mean_excess: (threshold * FLAT_EXCESS).max(f64::MIN_POSITIVE),
            effective: effective.max(2.0),
        }
    }

    /// The share of excesses above `level`.
    pub(crate) fn survival(&self, level: f64) -> f64 {
        self.survival_with(self.shape, level)
    }

    /// The same with a shape one standard error heavier: by maximum likelihood its variance is
    /// (1 + ξ)² ÷ n (Smith, Biometrika 72, 1985).
    pub(crate) fn heavier_survival(&self, level: f64) -> f64 {
        let error = (1.0 + self.shape) / self.effective.sqrt();
        self.survival_with((self.shape + error).min(*SHAPES.end()), level)
    }

    /// The relative variance of the survival that comes from the mean excess not being known.
    pub(crate) fn relative_variance(&self, level: f64) -> f64 {
        let excess = (level - self.threshold).max(0.0) / self.mean_excess;
        excess * excess / self.effective
    }

    fn survival_with(&self, shape: f64, level: f64) -> f64 {
        let excess = (level - self.threshold).max(0.0);
        // The scale that keeps the mean excess, σ ÷ (1 − ξ).
        let scaled = excess / (self.mean_excess * (1.0 - shape));
        if shape.abs() < 1e-9 {
            return (-scaled).exp();
        }
        (1.0 + shape * scaled).max(0.0).powf(-1.0 / shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of a generalized Pareto distribution with scale 1, in order.
    fn quantiles(shape: f64) -> Vec<f64> {
        (0..10_000)
            .map(|i| (f64::from(i) + 0.5) / 10_000.0)
            .map(|p| ((1.0 - p).powf(-shape) - 1.0) / shape)
            .collect()
    }

    #[test]
    fn the_shape_of_exact_quantiles_is_found() {
        for shape in [-0.3, -0.1, 0.1, 0.25] {
            let tail = Tail::fit(0.0, &quantiles(shape), 10_000.0).unwrap();
            assert!((tail.shape - shape).abs() < 0.01, "{} {shape}", tail.shape);
            let level = 2.0f64;
            let truth = (1.0 + shape * level).powf(-1.0 / shape);
            assert!((tail.survival(level) / truth - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn a_heavier_tail_is_never_lighter_beyond_the_mean() {
        let tail = Tail::fit(0.0, &quantiles(-0.1), 25.0).unwrap();
        for tenths in 30..200 {
            let level = f64::from(tenths) / 10.0;
            assert!(tail.heavier_survival(level) >= tail.survival(level));
        }
    }

    #[test]
    fn equal_values_have_no_tail() {
        assert_eq!(Tail::fit(1.0, &[1.0, 1.0], 2.0), None);
        assert_eq!(Tail::fit(1.0, &[], 0.0), None);
        assert_eq!(Tail::fit(1.0, &[2.0], 0.0), None);
    }
}
