//! How long does a detector take for a point, beside its peers?
//!
//! - `one_series`: a detector fed one series, point after point. What is measured is mostly how long
//!   a point waits for what the last one left.
//! - `10000_series`: as a collector delivers them, one point of each of 10 000 series in turn. What is
//!   measured is mostly how much of their state has to come from memory.
//! - `peers`: what the same answer, a score for one new point, costs elsewhere. A random cut forest
//!   (krcf: 50 trees of 256 points, shingles of 8) scores the point and learns it. augurs has no
//!   online interface, so a model is fitted to the last window and the point is compared with its
//!   forecast: MSTL with a naive trend, and a season of a day over 7 days of five-minute points or
//!   of a week over 400 daily ones.
//!
//! The series is white noise with a wave of a day. To add a detector, add a line to [`detectors`].
//!
//! `cargo bench -p bursar-benches --bench anomaly`, about two minutes.

use std::hint::black_box;
use std::time::Duration;

use augurs::mstl::MSTLModel;
use augurs::{Fit, Predict};
use bursar_anomaly::synthetic::noise::{Noise, NoiseSeries};
use bursar_anomaly::{
    AlarmBudget, Detector, Observation, PointDetector, PointSettings, Reading, WeekProfile,
};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use krcf::{RandomCutForest, RandomCutForestOptions};

type Group<'c> = BenchmarkGroup<'c, WallTime>;
type Make = fn() -> Box<dyn Detector>;

/// Monday, 5 January 2026, 0:00 UTC.
const START: i64 = 1_767_571_200;
const INTERVAL: i64 = 300;
/// What is learned before measuring; the ranks of the point layer decide alone after 10 000 points,
/// or after 1000 with the budget that is named so.
const N_LEARNED: usize = 1200;

fn detectors() -> Vec<(&'static str, Make)> {
    vec![
        ("point", || {
            Box::new(PointDetector::new(PointSettings::default()))
        }),
        ("point_one_in_1000", || {
            Box::new(PointDetector::new(one_in_1000()))
        }),
        ("point_without_profile", || {
            let settings = one_in_1000().profile(WeekProfile::Off);
            Box::new(PointDetector::new(settings))
        }),
    ]
}

fn one_in_1000() -> PointSettings {
    PointSettings::default().alarm_budget(AlarmBudget::one_in(1000).expect("it is in range"))
}

/// Whether `cargo bench` runs this, and not a test that it runs at all.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(2000))
        .sample_size(20);
    group
}

/// The values of a series, again from the begin when they are used up.
struct Values {
    values: Vec<f64>,
}

impl Values {
    fn new() -> Self {
        let series = NoiseSeries::new(Noise::White, 1).daily(3.0);
        let value = |observation: Observation| match observation.reading() {
            Reading::Final(value) => Some(value),
            _ => None,
        };
        let values = series
            .observations()
            .take(1 << 16)
            .filter_map(value)
            .collect();
        Self { values }
    }

    /// The point with this number of a series, each of which begins elsewhere.
    fn observation(&self, series: usize, number: usize) -> Observation {
        let at = Timestamp::from_second(START + INTERVAL * number as i64);
        let value = self.values[(series * 7919 + number) % self.values.len()];
        Observation::new(at.expect("before the year 9999"), value).expect("it is finite")
    }
}

fn one_series(criterion: &mut Criterion) {
    let values = Values::new();
    let mut group = group(criterion, "one_series");
    group.throughput(Throughput::Elements(1));
    for (name, make) in detectors() {
        group.bench_function(name, |bencher| {
            let mut detector = make();
            let mut numbers = 0..;
            let mut observe = || {
                let number = numbers.next().unwrap_or_default();
                detector.observe(black_box(values.observation(0, number)))
            };
            for _ in 0..N_LEARNED {
                let _ = observe();
            }
            bencher.iter(observe);
        });
    }
}

fn many_series(criterion: &mut Criterion) {
    let values = Values::new();
    let n_series = if is_measured() { 10_000 } else { 10 };
    let mut group = group(criterion, "10000_series");
    group.throughput(Throughput::Elements(n_series as u64));
    for (name, make) in detectors() {
        let mut series: Vec<_> = (0..n_series).map(|_| make()).collect();
        round_robin(&mut group, name, &mut series, &values, |detector, point| {
            detector
                .observe(point)
                .is_ok_and(|assessment| assessment.is_alarm())
        });
    }
    // What the indirect call costs, and the memory that lies in between.
    let mut series: Vec<_> = (0..n_series)
        .map(|_| PointDetector::new(one_in_1000()))
        .collect();
    let name = "point_one_in_1000_unboxed";
    round_robin(&mut group, name, &mut series, &values, |detector, point| {
        detector
            .observe(point)
            .is_ok_and(|assessment| assessment.is_alarm())
    });
}

fn round_robin<D>(
    group: &mut Group<'_>,
    name: &str,
    series: &mut [D],
    values: &Values,
    observe: impl Fn(&mut D, Observation) -> bool,
) {
    let round = |series: &mut [D], number| {
        let numbered = series.iter_mut().enumerate();
        numbered.fold(0, |n_alarms, (place, detector)| {
            n_alarms + u32::from(observe(detector, values.observation(place, number)))
        })
    };
    let mut numbers = 0..;
    for number in numbers.by_ref().take(N_LEARNED) {
        round(series, number);
    }
    group.bench_function(name, |bencher| {
        bencher.iter(|| round(series, numbers.next().unwrap_or_default()));
    });
}

fn peers(criterion: &mut Criterion) {
    let values = Values::new().values;
    let mut group = group(criterion, "peers");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    group.bench_function("krcf", |bencher| {
        let mut forest = forest();
        let mut points = values.iter().cycle();
        let mut observe = || {
            let point = [points.next().map_or(0.0, |value| *value as f32)];
            let score = forest.score(&forest.shingled_point(&point).expect("one value"));
            forest.update(&point).expect("it is finite");
            score
        };
        for _ in 0..N_LEARNED {
            let _ = observe();
        }
        bencher.iter(observe);
    });
    let week = &values[..2016];
    group.bench_function("augurs_mstl_refit_2016", |bencher| {
        bencher.iter(|| next_of(&MSTLModel::naive(vec![288]), black_box(week)));
    });
    let days = &values[..400];
    group.bench_function("augurs_mstl_refit_400", |bencher| {
        bencher.iter(|| next_of(&MSTLModel::naive(vec![7]), black_box(days)));
    });
}

fn forest() -> RandomCutForest {
    let options = RandomCutForestOptions {
        dimensions: 1,
        shingle_size: 8,
        num_trees: Some(50),
        sample_size: Some(256),
        random_seed: Some(1),
        internal_shingling: Some(true),
        parallel_execution_enabled: Some(false),
        ..Default::default()
    };
    RandomCutForest::new(options).expect("its options are in range")
}

/// What the model expects next after a window.
fn next_of<M: Fit>(model: &M, window: &[f64]) -> Option<f64> {
    let fitted = model.fit(window).ok()?;
    fitted.predict(1, 0.99).ok()?.point.first().copied()
}

criterion_group!(benches, one_series, many_series, peers);
criterion_main!(benches);
