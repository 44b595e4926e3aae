//! Series exist only in order and finite, and late points are named.

use bursar_anomaly::{
    Arrival, Detector, IrregularSeries, Observation, Reading, RegularSeries, Reorder, SeriesError,
    ZScore, assess,
};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn point(second: i64) -> Observation {
    Observation::new(at(second), second as f64).unwrap()
}

#[test]
fn a_value_that_is_not_finite_is_named_with_its_place() {
    let values = vec![Some(1.0), None, Some(f64::NEG_INFINITY)];
    let error = RegularSeries::daily(date(2026, 11, 1), values).unwrap_err();
    assert_eq!(
        error.to_string(),
        "point 2, of 2026-11-03T00:00:00Z, is -inf: leave it out, or leave its slot empty"
    );
    let points = vec![(at(0), 1.0), (at(1), f64::NAN)];
    let error = IrregularSeries::new(points).unwrap_err();
    assert!(matches!(error, SeriesError::NotFinite { index: 1, value, .. } if value.is_nan()));
}

#[test]
fn points_out_of_order_are_named_with_their_place() {
    let series = |seconds: [i64; 3]| IrregularSeries::new(seconds.map(|s| (at(s), 0.0)).to_vec());
    assert_eq!(
        series([1, 1, 2]).unwrap_err(),
        SeriesError::Duplicate {
            index: 1,
            at: at(1)
        }
    );
    assert_eq!(
        series([1, 5, 3]).unwrap_err(),
        SeriesError::Backward {
            index: 2,
            at: at(3),
            last: at(5)
        }
    );
}

#[test]
fn a_regular_series_needs_a_step_and_an_end() {
    let series = |start, step| RegularSeries::new(start, step, vec![Some(1.0); 3]);
    let zero = SignedDuration::ZERO;
    assert_eq!(
        series(at(0), zero).unwrap_err(),
        SeriesError::Step { step: zero }
    );
    let (start, len) = (Timestamp::MAX, 3);
    assert_eq!(
        series(start, SignedDuration::from_secs(1)).unwrap_err(),
        SeriesError::TooLong { start, len }
    );
    assert!(series(at(0), SignedDuration::MAX).is_err());
}

#[test]
fn an_empty_series_has_no_points() {
    assert_eq!(
        RegularSeries::daily(date(2026, 11, 1), vec![])
            .unwrap()
            .observations()
            .count(),
        0
    );
    let series = IrregularSeries::new(vec![]).unwrap();
    assert_eq!((series.median_step(), series.gaps(1.0).count()), (None, 0));
}

#[test]
fn a_gap_is_longer_than_the_stated_number_of_steps() {
    let seconds = [0, 10, 20, 40, 50, 100];
    let series = IrregularSeries::new(seconds.map(|s| (at(s), 0.0)).to_vec()).unwrap();
    let missing = |steps| {
        series
            .gaps(steps)
            .map(|gap| gap.missing)
            .collect::<Vec<u64>>()
    };
    assert_eq!(missing(1.5), [1, 4]);
    assert_eq!(missing(2.0), [4]);
    assert!(missing(5.0).is_empty());
}

#[test]
fn a_full_buffer_hands_the_oldest_on_before_its_time() {
    let mut reorder = Reorder::new(SignedDuration::from_hours(1), 2).unwrap();
    for second in [3, 1, 2] {
        assert_eq!(reorder.push(point(second)), Arrival::Held);
    }
    assert_eq!(reorder.next_ready(), Some(point(1)));
    assert_eq!(reorder.next_ready(), None);
    assert_eq!(reorder.push(point(1)), Arrival::Late { emitted: at(1) });
}

#[test]
fn the_second_observation_of_a_moment_replaces_the_first() {
    let mut reorder = Reorder::new(SignedDuration::from_hours(1), 9).unwrap();
    let missing = Observation::missing(at(1));
    assert_eq!(reorder.push(missing), Arrival::Held);
    assert_eq!(
        reorder.push(point(1)),
        Arrival::Replaced { earlier: missing }
    );
    assert_eq!(reorder.finish().collect::<Vec<_>>(), [point(1)]);
}

proptest! {
    #[test]
    fn reordering_loses_nothing_and_keeps_order(
        seconds in prop::collection::vec(0i64..60, 0..80),
        lateness in 0i64..20,
        capacity in 1usize..10,
    ) {
        let mut reorder = Reorder::new(SignedDuration::from_secs(lateness), capacity).unwrap();
        let (mut emitted, mut named) = (Vec::new(), 0);
        for &second in &seconds {
            named += usize::from(reorder.push(point(second)) != Arrival::Held);
            emitted.extend(std::iter::from_fn(|| reorder.next_ready()));
            prop_assert!(reorder.held() <= capacity);
        }
        emitted.extend(reorder.finish());
        prop_assert!(emitted.is_sorted_by(|left, right| left.at() < right.at()));
        prop_assert_eq!(emitted.len() + named, seconds.len());
    }

    #[test]
    fn a_whole_series_is_judged_as_point_by_point(
        values in prop::collection::vec(prop::option::of(-100.0..100.0), 0..60),
    ) {
        let series = RegularSeries::daily(date(2026, 1, 1), values).unwrap();
        let whole = assess(&mut ZScore::default(), series.observations()).unwrap();
        let mut detector = ZScore::default();
        for (observation, assessment) in series.observations().zip(&whole) {
            prop_assert_eq!(&detector.observe(observation).unwrap(), assessment);
        }
        let missing = series.observations().filter(|point| point.reading() == Reading::Missing);
        prop_assert_eq!(missing.count(), series.values().iter().flatten().count().abs_diff(whole.len()));
    }
}
