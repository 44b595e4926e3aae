//! Where does a distribution reach a probability?
//!
//! `statrs` finds quantiles by bisection to the last bit, 20 to 50 µs each. A catalog asks for a
//! thousand, and six digits are plenty. For Student's distribution with many degrees of freedom it
//! does not end at all (statrs 0.19).

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::{beta::beta_reg, gamma::gamma_lr};

/// Relative precision of the quantiles.
const PRECISION: f64 = 1e-6;

/// The one-sided upper limit of Clopper and Pearson (Biometrika 26, 1934) for a share of which
/// `n` trials showed `successes`; both may be fractions, as effective sizes of samples are.
pub(crate) fn clopper_pearson_upper(successes: f64, n: f64, confidence: f64) -> f64 {
    let (above, below) = (successes + 1.0, n - successes);
    if below.is_nan() || below <= 1e-9 {
        return 1.0;
    }
    root(
        |x| beta_reg(above, below, x) - confidence,
        (successes / n).max(1e-12),
        1.0,
    )
}

/// The quantile of a gamma distribution with this mean and variance.
pub(crate) fn gamma_quantile(mean: f64, variance: f64, confidence: f64) -> f64 {
    let shape = mean * mean / variance;
    let scale = variance / mean;
    // Below this shape the quantile is beneath the smallest share that can matter.
    if shape.is_nan() || shape < 1e-3 || !scale.is_finite() {
        return 0.0;
    }
    let below = mean * 1e-9;
    if gamma_lr(shape, below / scale) >= confidence {
        return 0.0;
    }
    let mut above = mean + 3.0 * variance.sqrt();
    for _ in 0..60 {
        if gamma_lr(shape, above / scale) >= confidence {
            break;
        }
        above *= 2.0;
    }
    root(|x| gamma_lr(shape, x / scale) - confidence, below, above)
}

/// The quantile of Student's distribution, for a probability over one half.
pub(crate) fn student_quantile(freedom: f64, probability: f64) -> f64 {
    let up_to = |t: f64| 1.0 - 0.5 * beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t));
    root(|t| up_to(t) - probability, 1e-6, 1e6)
}

/// The quantile of the normal distribution.
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The root of an increasing function between two positive numbers: false position in the
/// logarithm, with the Illinois rule, which halves the weight of an end that stays.
fn root(function: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut low, mut high) = (low.ln(), high.ln());
    let (mut at_low, mut at_high) = (function(low.exp()), function(high.exp()));
    if at_low >= 0.0 {
        return low.exp();
    }
    if at_high <= 0.0 {
        return high.exp();
    }
    for _ in 0..100 {
        if high - low < PRECISION {
            break;
        }
        // Kept off the ends, so that the interval always shrinks.
        let share = (at_low / (at_low - at_high)).clamp(0.02, 0.98);
        let middle = low + (high - low) * share;
        let value = function(middle.exp());
        if value < 0.0 {
            low = middle;
            at_low = value;
            at_high /= 2.0;
        } else {
            high = middle;
            at_high = value.max(f64::MIN_POSITIVE);
            at_low /= 2.0;
        }
    }
    high.exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{Beta, ContinuousCDF, Gamma};

    #[test]
    fn no_success_in_sixty_trials_allows_five_percent() {
        // 1 − 0.05^(1/60) = 0.0487, the rule of three.
        let limit = clopper_pearson_upper(0.0, 60.0, 0.95);
        assert!((limit - (1.0 - 0.05f64.powf(1.0 / 60.0))).abs() < 1e-6);
    }

    #[test]
    fn student_quantiles_are_those_of_tables() {
        // Table of Student's distribution, one-sided 0.95 and 0.975.
        for (freedom, probability, quantile) in [
            (1.0, 0.975, 12.706),
            (2.0, 0.95, 2.920),
            (7.0, 0.95, 1.895),
            (13.0, 0.975, 2.160),
            (1e9, 0.95, 1.645),
        ] {
            let found = student_quantile(freedom, probability);
            assert!((found - quantile).abs() < 1e-3, "{freedom}: {found}");
        }
        assert!((normal_quantile(0.95) - 1.644_854).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn limits_agree_with_statrs(k in 0.0..50.0f64, more in 1.0..5000.0f64) {
            let n = k + more;
            let ours = clopper_pearson_upper(k, n, 0.95);
            let theirs = Beta::new(k + 1.0, n - k).unwrap().inverse_cdf(0.95);
            prop_assert!((ours / theirs - 1.0).abs() < 1e-4, "{ours} {theirs}");
        }

        #[test]
        fn quantiles_agree_with_statrs(mean in 1e-6..0.5f64, shape in 0.05..100.0f64) {
            let ours = gamma_quantile(mean, mean * mean / shape, 0.95);
            let theirs = Gamma::new(shape, shape / mean).unwrap().inverse_cdf(0.95);
            prop_assert!((ours - theirs).abs() <= 1e-4 * theirs + 1e-9, "{ours} {theirs}");
        }
    }
}
