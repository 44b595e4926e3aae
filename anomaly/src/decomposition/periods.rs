//! Which periods does a series have?

/// A period explains this much of the variance at least: the autocorrelation at its lag.
const LEAST_CORRELATION: f64 = 0.3;

/// A shorter period is preferred to one of its multiples when it is this close to the best.
const CLOSE_TO_BEST: f64 = 0.9;

/// The period that the autocorrelation of values at consecutive steps shows most clearly: a lag where
/// it has a peak, up to `longest`.
pub(super) fn clearest(values: &[Option<f64>], longest: usize) -> Option<usize> {
    let correlations: Vec<f64> = (0..=longest + 1)
        .map(|lag| autocorrelation(values, lag))
        .collect();
    let is_peak = |&lag: &usize| {
        let peak = correlations[lag];
        let is_summit = peak > correlations[lag - 1] && peak >= correlations[lag + 1];
        is_summit && peak > LEAST_CORRELATION.max(chance_limit(values.len(), lag))
    };
    let peaks: Vec<usize> = (2..=longest).filter(is_peak).collect();
    let best = peaks
        .iter()
        .map(|&lag| correlations[lag])
        .fold(0.0, f64::max);
    let is_close = |&lag: &usize| correlations[lag] >= CLOSE_TO_BEST * best;
    peaks.into_iter().find(is_close)
}

/// What the autocorrelation of white noise passes once in 10,000 lags: 3.7 ÷ √n, of n pairs
/// (Bartlett 1946).
fn chance_limit(len: usize, lag: usize) -> f64 {
    3.7 / (len.saturating_sub(lag).max(1) as f64).sqrt()
}

/// The mean product of values this far apart, as a share of the mean square; values have a mean of
/// about 0, and steps without one are left out.
fn autocorrelation(values: &[Option<f64>], lag: usize) -> f64 {
    let later = values.get(lag..).unwrap_or_default();
    let products = mean(
        values
            .iter()
            .zip(later)
            .filter_map(|(a, b)| Some((*a)? * (*b)?)),
    );
    let squares = mean(values.iter().flatten().map(|value| value * value));
    if squares > 0.0 {
        products / squares
    } else {
        0.0
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(len: usize, value: impl Fn(f64) -> f64) -> Vec<Option<f64>> {
        (0..len).map(|step| Some(value(step as f64))).collect()
    }

    #[test]
    fn a_sine_has_its_period_and_not_a_multiple() {
        let sine = values(240, |step| (step / 24.0 * std::f64::consts::TAU).sin());
        assert_eq!(clearest(&sine, 80), Some(24));
    }

    #[test]
    fn what_does_not_repeat_has_no_period() {
        let slope = values(120, |step| step - 59.5);
        assert_eq!(clearest(&slope, 40), None);
        let zero = values(120, |_| 0.0);
        assert_eq!(clearest(&zero, 40), None);
    }

    #[test]
    fn a_period_is_seen_through_gaps() {
        let mut week = values(60, |step| if step % 7.0 >= 5.0 { -5.0 } else { 2.0 });
        for gap in [3, 4, 17, 33, 34, 35] {
            week[gap] = None;
        }
        assert_eq!(clearest(&week, 20), Some(7));
    }
}
