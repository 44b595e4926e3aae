//! Alarms on noise keep to the budget that was asked for, within a factor of two.
//!
//! `cargo test -p bursar-anomaly --all-features --release -- --ignored --nocapture calibration`
//! prints the table of the long runs.

use bursar_anomaly::evaluation::calibration::{FalseAlarms, false_alarms};
use bursar_anomaly::synthetic::noise::{Noise, NoiseSeries};
use bursar_anomaly::{AlarmBudget, PointDetector, PointSettings};

fn noises(seed: u64) -> [(&'static str, NoiseSeries); 6] {
    let series = |noise| NoiseSeries::new(noise, seed);
    [
        ("white", series(Noise::White)),
        ("AR(1), 0.5", series(Noise::Autoregressive(0.5))),
        ("AR(1), 0.9", series(Noise::Autoregressive(0.9))),
        ("Student t(3)", series(Noise::StudentT3)),
        (
            "daily and weekly",
            series(Noise::White).daily(5.0).weekend(-3.0),
        ),
        (
            "AR(1), 0.5, daily, weekly, trend, gaps",
            series(Noise::Autoregressive(0.5))
                .daily(5.0)
                .weekend(-3.0)
                .trend(0.1)
                .missing(0.01),
        ),
    ]
}

/// After two weeks, and the points that the budget needs, over several series.
fn count(name: &str, one_in: u32, n_points: usize, n_series: u64) -> FalseAlarms {
    let settings = PointSettings::default().alarm_budget(AlarmBudget::one_in(one_in).unwrap());
    let n_skipped = 2 * one_in as usize + 4032;
    let counted = (0..n_series).map(|seed| {
        let noises = noises(seed + 1);
        let (_, series) = noises.iter().find(|(found, _)| *found == name).unwrap();
        let points = series.observations().take(n_skipped + n_points);
        false_alarms(&mut PointDetector::new(settings), points, n_skipped).unwrap()
    });
    counted.fold(FalseAlarms::default(), FalseAlarms::plus)
}

fn check(one_in: u32, n_points: usize, n_series: u64) {
    for (name, _) in noises(0) {
        let counted = count(name, one_in, n_points, n_series);
        let ratio = counted.rate().unwrap() * f64::from(one_in);
        assert!(
            (0.5..2.0).contains(&ratio),
            "{name}, one in {one_in}: {ratio} of the budget"
        );
    }
}

#[test]
fn one_in_100_is_kept() {
    check(100, 20_000, 1);
}

#[test]
fn one_in_1000_is_kept() {
    check(1000, 60_000, 1);
}

#[test]
#[ignore = "millions of points: a minute when optimized"]
fn long_runs_keep_to_every_budget() {
    for (name, _) in noises(0) {
        for one_in in [100, 1000, 10_000] {
            let counted = count(name, one_in, 500_000, 4);
            let ratio = |n: u64| n as f64 * f64::from(one_in) / counted.n_judged as f64;
            let (points, events) = (ratio(counted.n_alarms), ratio(counted.n_events));
            println!("{name}, one in {one_in}: {points:.2} in points, {events:.2} in events");
            assert!(
                (0.5..2.0).contains(&points),
                "{name}, one in {one_in}: {points}"
            );
        }
    }
}
