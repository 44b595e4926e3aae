//! Trend and seasons that went into a series come out of it again.

use bursar_anomaly::{Decomposition, DecompositionSettings, Detector, Observation, Periods};
use jiff::{SignedDuration, Timestamp};

use crate::normal::{Normal, alarms, alarms_a_year, daily};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A daily sine, quiet weekends and growth.
fn trend(hour: usize) -> f64 {
    100.0 + 0.01 * hour as f64
}

fn season(hour: usize) -> f64 {
    let weekend = if hour / 24 % 7 >= 5 { -5.0 } else { 2.0 };
    10.0 * (hour as f64 / 24.0 * std::f64::consts::TAU).sin() + weekend
}

/// Monday, 2024-01-01.
fn time(hour: usize) -> Timestamp {
    let monday: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    monday + HOUR * i32::try_from(hour).unwrap()
}

/// The root mean squares of the errors of trend and season over the last of `n` weeks, at noise of 1.
fn errors(periods: Periods, n: usize) -> (Decomposition, f64, f64) {
    let settings = DecompositionSettings {
        step: HOUR,
        periods,
        ..Default::default()
    };
    let mut detector = Decomposition::new(settings).unwrap();
    let mut noise = Normal::new(17);
    let (mut of_trend, mut of_season) = (0.0, 0.0);
    for hour in 0..168 * n {
        let value = trend(hour) + season(hour) + noise.draw();
        if hour >= 168 * (n - 1) {
            let parts = detector.parts(time(hour), value).unwrap();
            assert!((parts.trend + parts.season + parts.remainder - value).abs() < 1e-9);
            of_trend += (parts.trend - trend(hour)).powi(2) / 168.0;
            of_season += (parts.season - season(hour)).powi(2) / 168.0;
        }
        let _ = detector
            .observe(Observation::new(time(hour), value).unwrap())
            .unwrap();
    }
    (detector, of_trend.sqrt(), of_season.sqrt())
}

#[test]
fn sine_week_and_trend_are_recovered_within_the_noise() {
    let (_, of_trend, of_season) = errors(Periods::Given(vec![24, 168]), 8);
    assert!(of_trend < 1.0 && of_season < 1.0, "{of_trend} {of_season}");
}

#[test]
fn periods_are_found_and_serve_as_well_as_given_ones() {
    let (detector, of_trend, of_season) = errors(Periods::Found { longest: 168 }, 8);
    assert_eq!(detector.periods(), [24, 168]);
    assert!(of_trend < 1.0 && of_season < 1.0, "{of_trend} {of_season}");
}

#[test]
fn white_noise_has_no_period() {
    for seed in 0..40 {
        let mut detector = Decomposition::default();
        let _ = daily(&mut detector, &Normal::new(seed).draws(60));
        assert_eq!(detector.periods(), [0usize; 0], "seed {seed}");
    }
}

#[test]
fn a_gap_does_not_shift_the_season() {
    let weekly = |day: usize| if day % 7 >= 5 { 10.0 } else { 30.0 };
    let settings = DecompositionSettings {
        periods: Periods::Given(vec![7]),
        ..Default::default()
    };
    let mut detector = Decomposition::new(settings).unwrap();
    for day in (0..200).filter(|day| !(60..100).contains(day) && day % 11 != 0) {
        let observation = Observation::new(time(24 * day), weekly(day)).unwrap();
        assert!(
            !detector.observe(observation).unwrap().is_alarm(),
            "day {day}"
        );
    }
}

#[test]
fn an_extreme_value_in_the_warm_up_does_not_become_a_season() {
    let mut noise = Normal::new(3);
    let mut values: Vec<f64> = (0..120).map(|_| 100.0 + noise.draw()).collect();
    values[20] = 1e12;
    let settings = DecompositionSettings {
        periods: Periods::Given(vec![14]),
        ..Default::default()
    };
    let mut detector = Decomposition::new(settings).unwrap();
    let alarms = alarms(&daily(&mut detector, &values));
    assert!(alarms.len() <= 2, "{alarms:?}");
}

#[test]
fn a_new_level_is_accepted_after_the_stated_points() {
    let mut noise = Normal::new(8);
    let level = |day: usize| if day < 100 { 100.0 } else { 200.0 };
    let values: Vec<f64> = (0..200).map(|day| level(day) + noise.draw()).collect();
    let alarms = alarms(&daily(&mut Decomposition::default(), &values));
    assert_eq!(alarms, Vec::from_iter(100..114));
}

#[test]
fn noise_raises_few_alarms() {
    let rate = alarms_a_year(25, Decomposition::default, |noise| noise.draws(730));
    assert!(rate <= 0.6, "{rate}");
}
