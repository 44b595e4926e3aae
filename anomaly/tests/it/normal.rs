//! Normal noise from a seed, for tests of every detector.

use bursar_anomaly::{Assessment, Detector, Observation, RegularSeries, assess};
use jiff::SignedDuration;
use jiff::civil::date;

/// `SplitMix64` and the transformation of Box and Muller.
pub(crate) struct Normal(u64);

impl Normal {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) as f64 + 0.5) / 2f64.powi(64)
    }

    pub(crate) fn draw(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// So many draws.
    pub(crate) fn draws(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.draw()).collect()
    }

    /// So many draws, each with `memory` of the one before, and a variance of 1 in all.
    pub(crate) fn autoregressive(&mut self, memory: f64, n: usize) -> Vec<f64> {
        let mut value = self.draw();
        let innovation = (1.0 - memory * memory).sqrt();
        let draws = (0..n).map(|_| {
            value = memory * value + innovation * self.draw();
            value
        });
        draws.collect()
    }
}

/// What a detector says of each value, a day apart from Monday, 2024-01-01, on.
pub(crate) fn daily(detector: &mut impl Detector, values: &[f64]) -> Vec<Assessment> {
    every(SignedDuration::from_hours(24), detector, values)
}

pub(crate) fn every(
    step: SignedDuration,
    detector: &mut impl Detector,
    values: &[f64],
) -> Vec<Assessment> {
    let start = Observation::of_day(date(2024, 1, 1), 0.0).unwrap().at();
    let values = values.iter().copied().map(Some).collect();
    let series = RegularSeries::new(start, step, values).unwrap();
    assess(detector, series.observations()).unwrap()
}

/// The places of the alarms.
pub(crate) fn alarms(assessments: &[Assessment]) -> Vec<usize> {
    let is_alarm = |&place: &usize| assessments[place].is_alarm();
    (0..assessments.len()).filter(is_alarm).collect()
}

/// Alarms a year of daily points, where those within a week are one, over series of two years.
pub(crate) fn alarms_a_year<D: Detector>(
    n_series: u64,
    make: impl Fn() -> D,
    noise: impl Fn(&mut Normal) -> Vec<f64>,
) -> f64 {
    let (mut n_alarms, mut n_days) = (0, 0);
    for seed in 0..n_series {
        let noise = noise(&mut Normal::new(50_000_000 + 104_729 * seed));
        let values: Vec<f64> = noise.iter().map(|noise| 100.0 + 4.0 * noise).collect();
        let assessments = daily(&mut make(), &values);
        n_days += assessments
            .iter()
            .filter(|assessment| assessment.verdict().is_some())
            .count();
        let places = alarms(&assessments);
        let new = places
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > 7)
            .count();
        n_alarms += new + usize::from(!places.is_empty());
    }
    n_alarms as f64 * 365.25 / n_days as f64
}
