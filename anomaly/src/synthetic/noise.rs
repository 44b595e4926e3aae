//! Noise without anomalies, to measure false alarms with.
//!
//! Every alarm on a [`NoiseSeries`] is a false one, unless a step was put into it on purpose.

use std::f64::consts::TAU;

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Observation;

/// How one value depends on the ones before it, and how far it strays; the standard deviation is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Noise {
    /// Independent, normally distributed.
    White,
    /// Each deviation is this share of the one before plus a new one, so that deviations last. The
    /// share lies strictly between -1 and 1; others are taken as the nearest of -0.999 and 0.999.
    Autoregressive(f64),
    /// Independent, with Student's t distribution of 3 degrees of freedom: far outliers are usual.
    StudentT3,
}

/// Makes a series of noise from a seed, with what regular patterns one asks for.
///
/// The series is endless; take as many observations as needed.
///
/// ```
/// use bursar_anomaly::synthetic::noise::{Noise, NoiseSeries};
///
/// let noise = NoiseSeries::new(Noise::Autoregressive(0.9), 17).daily(5.0).weekend(-3.0);
/// let first: Vec<_> = noise.observations().take(3).collect();
/// assert_eq!(first, noise.observations().take(3).collect::<Vec<_>>());
/// assert_eq!(first[1].at().duration_since(first[0].at()).as_secs(), 300);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseSeries {
    noise: Noise,
    seed: u64,
    start: Timestamp,
    interval_seconds: u32,
    daily: f64,
    weekend: f64,
    trend: f64,
    missing: f64,
    step: Option<(u64, f64)>,
}

/// Monday, 5 January 2026, the first moment in UTC.
const DEFAULT_START: i64 = 1_767_571_200;
const DAY_SECONDS: i64 = 86_400;

impl NoiseSeries {
    /// Noise around 0, every five minutes from Monday, 5 January 2026 on (UTC).
    #[must_use]
    pub fn new(noise: Noise, seed: u64) -> Self {
        Self {
            noise,
            seed,
            start: Timestamp::from_second(DEFAULT_START).unwrap_or(Timestamp::UNIX_EPOCH),
            interval_seconds: 300,
            daily: 0.0,
            weekend: 0.0,
            trend: 0.0,
            missing: 0.0,
            step: None,
        }
    }

    /// Begins at this moment.
    #[must_use]
    pub const fn start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// One point in so many seconds; 0 is taken as 1.
    #[must_use]
    pub const fn interval_seconds(mut self, seconds: u32) -> Self {
        self.interval_seconds = if seconds == 0 { 1 } else { seconds };
        self
    }

    /// Adds a wave of a day with this amplitude, highest at 6:00 UTC, lowest at 18:00.
    #[must_use]
    pub const fn daily(mut self, amplitude: f64) -> Self {
        self.daily = amplitude;
        self
    }

    /// Adds this on Saturdays and Sundays (UTC).
    #[must_use]
    pub const fn weekend(mut self, offset: f64) -> Self {
        self.weekend = offset;
        self
    }

    /// Adds so much more with every day.
    #[must_use]
    pub const fn trend(mut self, per_day: f64) -> Self {
        self.trend = per_day;
        self
    }

    /// Makes points missing with this probability.
    #[must_use]
    pub const fn missing(mut self, probability: f64) -> Self {
        self.missing = probability;
        self
    }

    /// Adds this from the point with this number on.
    #[must_use]
    pub const fn step(mut self, from: u64, size: f64) -> Self {
        self.step = Some((from, size));
        self
    }

    /// The observations, from the first on; they end only where time does.
    #[must_use]
    pub fn observations(&self) -> Observations {
        Observations {
            series: *self,
            random: Random(ChaCha8Rng::seed_from_u64(self.seed)),
            deviation: None,
            number: 0,
        }
    }

    /// What the patterns give at the point with this number, without the noise.
    fn pattern(&self, number: u64, at: Timestamp) -> f64 {
        let second = at.as_second();
        let day = second.div_euclid(DAY_SECONDS);
        let day_share = second.rem_euclid(DAY_SECONDS) as f64 / DAY_SECONDS as f64;
        let days = at.duration_since(self.start).as_secs_f64() / DAY_SECONDS as f64;
        // The first day of the epoch was a Thursday, so day 2 was a Saturday.
        let weekend = if (day - 2).rem_euclid(7) < 2 {
            self.weekend
        } else {
            0.0
        };
        let step = self.step.filter(|(from, _)| number >= *from);
        self.daily * (TAU * day_share).sin()
            + weekend
            + self.trend * days
            + step.map_or(0.0, |(_, size)| size)
    }
}

/// The observations of a [`NoiseSeries`].
#[derive(Debug)]
pub struct Observations {
    series: NoiseSeries,
    random: Random,
    deviation: Option<f64>,
    number: u64,
}

impl Observations {
    /// The next deviation from the pattern.
    fn deviate(&mut self) -> f64 {
        let deviation = match self.series.noise {
            Noise::White => self.random.normal(),
            Noise::StudentT3 => self.random.student_t3(),
            Noise::Autoregressive(share) => {
                let share = share.clamp(-0.999, 0.999);
                let fresh = self.random.normal();
                // The first comes from the stationary distribution, so there is no running-in.
                let (last, size) = self
                    .deviation
                    .map_or((0.0, 1.0), |last| (last, (1.0 - share * share).sqrt()));
                share * last + size * fresh
            }
        };
        self.deviation = Some(deviation);
        deviation
    }
}

impl Iterator for Observations {
    type Item = Observation;

    fn next(&mut self) -> Option<Observation> {
        let seconds = i64::from(self.series.interval_seconds)
            .checked_mul(i64::try_from(self.number).ok()?)?;
        let elapsed = SignedDuration::from_secs(seconds);
        let at = self.series.start.checked_add(elapsed).ok()?;
        let value = self.series.pattern(self.number, at) + self.deviate();
        let is_missing = self.series.missing > 0.0 && self.random.unit() < self.series.missing;
        self.number += 1;
        if is_missing {
            return Some(Observation::missing(at));
        }
        Some(Observation::new(at, value).unwrap_or(Observation::missing(at)))
    }
}

#[derive(Debug)]
struct Random(ChaCha8Rng);

impl Random {
    /// From 0 to just below 1.
    fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Mean 0, standard deviation 1 (Box and Muller, 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    /// Student's t with 3 degrees of freedom, divided by its standard deviation, √3.
    fn student_t3(&mut self) -> f64 {
        let chi_square: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        self.normal() / chi_square.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reading;

    fn values(series: NoiseSeries, n_values: usize) -> Vec<f64> {
        let value = |observation: Observation| match observation.reading() {
            Reading::Final(value) => Some(value),
            _ => None,
        };
        series
            .observations()
            .take(n_values)
            .filter_map(value)
            .collect()
    }

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let n_values = values.len() as f64;
        values.sum::<f64>() / n_values
    }

    #[test]
    fn every_noise_but_the_heavy_tailed_has_unit_variance() {
        for noise in [
            Noise::White,
            Noise::Autoregressive(0.5),
            Noise::Autoregressive(0.9),
        ] {
            let values = values(NoiseSeries::new(noise, 1), 40_000);
            let variance = mean(values.iter().map(|value| value * value));
            // Five standard errors for the slowest of them.
            assert!((variance - 1.0).abs() < 0.12, "{noise:?}: {variance}");
        }
    }

    #[test]
    fn deviations_last_as_long_as_was_asked_for() {
        for share in [0.5, 0.9] {
            let values = values(NoiseSeries::new(Noise::Autoregressive(share), 2), 40_000);
            let lagged = mean(values.windows(2).map(|pair| pair[0] * pair[1]));
            let variance = mean(values.iter().map(|value| value * value));
            assert!((lagged / variance - share).abs() < 0.02);
        }
    }

    /// The quartile of Student's t with 3 degrees of freedom is 0.7649 (any table), and its 99.5 %
    /// quantile 5.841; both are divided by √3.
    #[test]
    fn the_heavy_tailed_noise_has_the_quantiles_of_the_tables() {
        let mut values = values(NoiseSeries::new(Noise::StudentT3, 3), 40_000);
        values.sort_by(f64::total_cmp);
        assert!((values[30_000] - 0.7649 / 3f64.sqrt()).abs() < 0.02);
        assert!((values[39_800] - 5.841 / 3f64.sqrt()).abs() < 0.4);
    }

    #[test]
    fn patterns_add_up() {
        let series = NoiseSeries::new(Noise::White, 4)
            .interval_seconds(21_600)
            .daily(10.0)
            .weekend(-3.0)
            .trend(7.0)
            .step(24, 100.0);
        let plain = values(NoiseSeries::new(Noise::White, 4), 29);
        let patterned = values(series, 29);
        let pattern = |number: usize| patterned[number] - plain[number];
        // Monday 6:00, Saturday 18:00, the next Sunday's 0:00 after the step.
        assert!((pattern(1) - 11.75).abs() < 1e-9);
        assert!((pattern(23) - (5.75 * 7.0 - 10.0 - 3.0)).abs() < 1e-9);
        assert!((pattern(24) - (6.0 * 7.0 - 3.0 + 100.0)).abs() < 1e-9);
    }

    #[test]
    fn as_many_points_are_missing_as_asked_for() {
        let delivered = values(NoiseSeries::new(Noise::White, 5).missing(0.25), 10_000).len();
        assert!((7_300..7_700).contains(&delivered), "{delivered}");
    }
}
