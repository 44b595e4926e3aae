//! The point layer: what it promises of any series.

use bursar_anomaly::{
    AlarmBudget, Assessment, Detector, Direction, Observation, ObservationError, PointDetector,
    PointSettings, WeekProfile,
};
use jiff::Timestamp;
use jiff::tz::Offset;
use proptest::prelude::*;

/// Monday, 5 January 2026, 0:00 UTC.
const MONDAY: i64 = 1_767_571_200;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn detector() -> PointDetector {
    PointDetector::new(PointSettings::default())
}

/// Judges a value every five minutes from a Monday on.
fn judge(detector: &mut PointDetector, values: &[f64]) -> Vec<Assessment> {
    judge_from(detector, 0, values)
}

fn judge_from(detector: &mut PointDetector, first: usize, values: &[f64]) -> Vec<Assessment> {
    let numbered = values.iter().enumerate();
    numbered
        .map(|(number, value)| {
            let second = MONDAY + 300 * (first + number) as i64;
            let observation = Observation::new(at(second), *value).unwrap();
            detector.observe(observation).unwrap()
        })
        .collect()
}

/// Noise of a linear congruential generator (Knuth's MMIX constants), nearly normal: the sum of four
/// even numbers.
fn noise(seed: u64, n_values: usize) -> Vec<f64> {
    let mut state = seed;
    let mut even = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    (0..n_values)
        .map(|_| (0..4).map(|_| even()).sum())
        .collect()
}

#[test]
fn there_is_no_opinion_before_64_points() {
    let assessments = judge(&mut detector(), &noise(1, 65));
    for (have, assessment) in assessments[..64].iter().enumerate() {
        assert_eq!(*assessment, Assessment::NotReady { have, need: 64 });
    }
    assert!(assessments[64].verdict().is_some());
}

#[test]
fn a_constant_series_never_alerts() {
    for value in [0.0, -0.0, 0.1, -7.3, 1e150, 5e-324, 1e-310, f64::MAX] {
        let assessments = judge(&mut detector(), &[value; 3000]);
        assert!(
            assessments
                .iter()
                .all(|assessment| assessment.score() == 0.0),
            "{value}"
        );
    }
}

#[test]
fn a_series_that_becomes_constant_never_alerts() {
    let mut values = noise(2, 500);
    values.extend([0.3; 30_000]);
    let assessments = judge(&mut detector(), &values);
    assert!(!assessments[500..].iter().any(Assessment::is_alarm));
}

#[test]
fn rounding_is_no_change() {
    let values: Vec<f64> = (0..2000)
        .map(|number| if number % 3 == 0 { 0.1 + 0.2 } else { 0.3 })
        .collect();
    assert!(
        !judge(&mut detector(), &values)
            .iter()
            .any(Assessment::is_alarm)
    );
}

#[test]
fn the_first_change_of_a_constant_series_is_an_alarm() {
    for (usual, changed) in [(5.0, 5.01), (0.0, 1e-200), (1e9, 1e9 - 1.0)] {
        let mut detector = detector();
        let _ = judge(&mut detector, &[usual; 500]);
        assert!(
            judge_from(&mut detector, 500, &[changed])[0].is_alarm(),
            "{usual}"
        );
    }
}

#[test]
fn both_directions_are_named() {
    let mut detector = detector();
    let _ = judge(&mut detector, &noise(3, 1000));
    for (value, direction) in [(50.0, Direction::Rise), (-50.0, Direction::Fall)] {
        let assessment = judge_from(&mut detector.clone(), 1000, &[value])[0];
        let verdict = assessment.verdict().unwrap();
        assert!(verdict.is_alarm());
        assert_eq!((verdict.direction, verdict.actual), (direction, value));
    }
}

#[test]
fn the_interval_ends_where_the_alarms_begin() {
    let mut detector = PointDetector::new(
        PointSettings::default().alarm_budget(AlarmBudget::one_in(100).unwrap()),
    );
    let _ = judge(&mut detector, &noise(4, 50));
    for (number, value) in noise(5, 3000).into_iter().enumerate() {
        let before = detector.clone();
        let assessment = judge_from(&mut detector, 50 + number, &[value])[0];
        let Some(verdict) = assessment.verdict() else {
            continue;
        };
        assert_eq!(
            verdict.interval.contains(value),
            !verdict.is_alarm(),
            "point {number}"
        );
        let inside = verdict.expected + 0.999 * (verdict.interval.high - verdict.expected);
        let outside = verdict.expected + 1.001 * (verdict.interval.high - verdict.expected);
        let again = |value| judge_from(&mut before.clone(), 50 + number, &[value])[0];
        assert!(!again(inside).is_alarm(), "point {number}");
        assert!(again(outside).is_alarm(), "point {number}");
    }
}

#[test]
fn one_anomaly_does_not_blind_for_the_next() {
    let mut values = noise(6, 4000);
    for spike in [1000, 1003, 2000, 3000] {
        values[spike] = 100.0;
    }
    let assessments = judge(&mut detector(), &values);
    for spike in [1000, 1003, 2000, 3000] {
        assert!(assessments[spike].is_alarm(), "the spike at {spike}");
        assert!(
            !assessments[spike + 1].is_alarm(),
            "the point after {spike}"
        );
    }
}

#[test]
fn a_level_that_stays_is_accepted() {
    let mut values = noise(7, 3000);
    values[1500..].iter_mut().for_each(|value| *value += 40.0);
    let assessments = judge(&mut detector(), &values);
    let is_alarm = |range: std::ops::Range<usize>| {
        assessments[range]
            .iter()
            .filter(|assessment| assessment.is_alarm())
            .count()
    };
    assert!(is_alarm(1500..1512) > 0);
    assert_eq!(is_alarm(1512..3000), 0);
    let last = assessments[2999].verdict().unwrap();
    assert!((last.expected - 40.0).abs() < 1.0, "{last:?}");
}

#[test]
fn a_pattern_of_the_day_is_learned() {
    let values = |offset: f64| -> Vec<f64> {
        let day = |number: usize| (number as f64 * std::f64::consts::TAU / 288.0).sin();
        let noise = noise(8, 288 * 21);
        noise
            .iter()
            .enumerate()
            .map(|(number, noise)| offset * day(number) + noise)
            .collect()
    };
    let width = |profile: WeekProfile| {
        let settings = PointSettings::default().profile(profile);
        let assessments = judge(&mut PointDetector::new(settings), &values(20.0));
        let errors = assessments[288 * 14..]
            .iter()
            .filter_map(Assessment::verdict);
        errors
            .map(|verdict| (verdict.actual - verdict.expected).abs())
            .sum::<f64>()
    };
    let without = width(WeekProfile::Off);
    for profile in [WeekProfile::HourOfDay, WeekProfile::WorkweekAndWeekend] {
        assert!(width(profile) < 0.9 * without, "{profile:?}");
    }
}

#[test]
fn the_offset_moves_the_hours() {
    // The same series, seen eight hours further east with its time stamps eight hours earlier.
    let run = |offset: Offset, start: i64| {
        let settings = PointSettings::default().offset(offset);
        let mut detector = PointDetector::new(settings);
        let values = noise(9, 4000);
        let numbered = values.iter().enumerate();
        let scores = numbered.map(|(number, value)| {
            let second = start + 300 * number as i64;
            let hour = (number / 12 % 24) as f64;
            let observation = Observation::new(at(second), value + hour).unwrap();
            detector.observe(observation).unwrap().score()
        });
        scores.collect::<Vec<_>>()
    };
    let east = run(Offset::constant(8), MONDAY - 8 * 3600);
    assert_eq!(run(Offset::UTC, MONDAY), east);
    assert_ne!(run(Offset::UTC, MONDAY - 8 * 3600), east);
}

#[test]
fn a_partial_value_is_judged_for_excess_and_not_learned() {
    let mut detector = detector();
    let _ = judge(&mut detector, &noise(10, 1000));
    let second = at(MONDAY + 300 * 1000);
    let before = detector.clone();
    let partial = |detector: &mut PointDetector, value| {
        let observation = Observation::partial(second, value).unwrap();
        detector.observe(observation).unwrap()
    };
    assert_eq!(partial(&mut detector, -50.0).score(), 0.0);
    assert!(partial(&mut detector, 50.0).is_alarm());
    let mut untouched = before;
    let next = Observation::new(second, 0.3).unwrap();
    assert_eq!(detector.observe(next), untouched.observe(next));
}

#[test]
fn time_that_does_not_advance_is_refused_and_changes_nothing() {
    let mut detector = detector();
    let _ = judge(&mut detector, &noise(11, 200));
    let last = at(MONDAY + 300 * 199);
    let mut untouched = detector.clone();
    for early in [last, at(MONDAY)] {
        let expected = Err(ObservationError::OutOfOrder { at: early, last });
        assert_eq!(
            detector.observe(Observation::new(early, 9.0).unwrap()),
            expected
        );
        assert_eq!(detector.observe(Observation::missing(early)), expected);
    }
    let next = Observation::new(at(MONDAY + 300 * 200), 0.1).unwrap();
    assert_eq!(detector.observe(next), untouched.observe(next));
}

#[test]
fn a_missing_value_and_a_gap_are_no_evidence() {
    let mut detector = detector();
    let _ = judge(&mut detector, &noise(12, 1000));
    let missing = Observation::missing(at(MONDAY + 300 * 1000));
    assert_eq!(detector.observe(missing), Ok(Assessment::Missing));
    let after_a_month = Observation::new(at(MONDAY + 300 * 1000 + 2_592_000), 0.2).unwrap();
    assert!(!detector.observe(after_a_month).unwrap().is_alarm());
}

#[test]
fn it_takes_at_most_4_kilobytes() {
    for profile in [
        WeekProfile::Off,
        WeekProfile::WorkweekAndWeekend,
        WeekProfile::HourOfWeek,
    ] {
        let settings = PointSettings::default().profile(profile);
        let size = PointDetector::new(settings).size();
        assert!(size <= 4096, "{profile:?}: {size}");
    }
}

#[test]
fn a_budget_out_of_range_is_refused() {
    for points in [0, 9, 100_001, u32::MAX] {
        assert!(AlarmBudget::one_in(points).is_err());
    }
    let error = AlarmBudget::one_in(3).unwrap_err().to_string();
    assert_eq!(
        error,
        "an alarm budget of one in 3 points: choose from one in 10 to one in 100000"
    );
}

/// One step of a wild series: seconds since the last, and a value or nothing.
fn wild_points() -> impl Strategy<Value = Vec<(i64, Option<f64>)>> {
    let value = prop_oneof![
        6 => (-3.0..3.0).boxed(),
        1 => any::<f64>().boxed(),
        1 => Just(0.0).boxed(),
        1 => Just(5e-324).boxed(),
        1 => (-1e160..1e160).boxed(),
    ];
    let seconds = prop_oneof![8 => Just(300), 1 => -300..1i64, 1 => 1..10_000_000i64];
    prop::collection::vec((seconds, prop::option::weighted(0.9, value)), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scores_lie_between_0_and_1_on_any_series(points in wild_points()) {
        let mut detector = detector();
        let mut second = MONDAY;
        for (seconds, value) in points {
            second += seconds;
            let observation = match value {
                Some(value) => match Observation::new(at(second), value) {
                    Ok(observation) => observation,
                    Err(_) => continue,
                },
                None => Observation::missing(at(second)),
            };
            if let Ok(Assessment::Scored(verdict)) = detector.observe(observation) {
                prop_assert!((0.0..=1.0).contains(&verdict.score));
                prop_assert!(verdict.expected.is_finite());
                prop_assert!(verdict.interval.low.is_finite() && verdict.interval.high.is_finite());
            }
        }
    }

    #[test]
    fn an_extreme_value_never_lowers_its_own_score(
        seed in any::<u64>(),
        n_values in 64usize..600,
        kind in 0usize..4,
        sizes in prop::collection::vec(-12.0..150.0f64, 2..12),
    ) {
        let mut detector = detector();
        let series: Vec<f64> = noise(seed, n_values)
            .into_iter()
            .map(|value| match kind {
                0 => value,
                1 => value.powi(5),
                2 => value.round(),
                _ => 1e9,
            })
            .collect();
        let _ = judge(&mut detector, &series);
        let mut sizes = sizes;
        sizes.sort_by(f64::total_cmp);
        for sign in [1.0, -1.0] {
            let expected = judge_from(&mut detector.clone(), n_values, &[0.0])[0];
            let expected = expected.verdict().unwrap().expected;
            let mut last = 0.0;
            for size in &sizes {
                let value = expected + sign * 10f64.powf(*size);
                let score = judge_from(&mut detector.clone(), n_values, &[value])[0].score();
                prop_assert!(score >= last, "{value}: {score} after {last}");
                last = score;
            }
        }
    }

    #[test]
    fn a_later_point_never_changes_an_earlier_score(seed in any::<u64>(), changed in 0usize..300) {
        let mut values = noise(seed, 300);
        let before = judge(&mut detector(), &values);
        values[changed] += 1e6;
        let after = judge(&mut detector(), &values);
        prop_assert_eq!(&before[..changed], &after[..changed]);
    }

    #[test]
    fn scaling_and_shifting_leaves_the_scores(
        seed in any::<u64>(),
        factor_log in -9.0..9.0f64,
        offset in -1e3..1e3f64,
    ) {
        let mut values = noise(seed, 1500);
        values[700] = 60.0;
        values[1000..1200].iter_mut().for_each(|value| *value += 8.0);
        let factor = 10f64.powf(factor_log);
        let moved: Vec<f64> = values.iter().map(|value| factor * (value + offset)).collect();
        let plain = judge(&mut detector(), &values);
        for (plain, moved) in plain.iter().zip(judge(&mut detector(), &moved)) {
            let difference = (plain.score() - moved.score()).abs();
            prop_assert!(difference <= 1e-9, "{difference}");
        }
    }
}

#[cfg(feature = "serde")]
mod saved {
    use super::*;

    #[test]
    fn a_saved_detector_goes_on_bit_for_bit() {
        let values = noise(13, 6000);
        for cut in [0, 7, 16, 40, 64, 1023, 1024, 3001] {
            let mut whole = detector();
            let _ = judge(&mut whole, &values[..cut]);
            let json = serde_json::to_string(&whole).unwrap();
            let mut from_json: PointDetector = serde_json::from_str(&json).unwrap();
            let bytes = postcard::to_stdvec(&whole).unwrap();
            let mut from_bytes: PointDetector = postcard::from_bytes(&bytes).unwrap();
            let expected = judge_from(&mut whole, cut, &values[cut..]);
            assert_eq!(judge_from(&mut from_json, cut, &values[cut..]), expected);
            assert_eq!(judge_from(&mut from_bytes, cut, &values[cut..]), expected);
            assert_eq!(
                serde_json::to_string(&from_json).unwrap(),
                serde_json::to_string(&whole).unwrap()
            );
        }
    }

    #[test]
    fn a_damaged_state_is_an_error() {
        let mut detector = detector();
        let _ = judge(&mut detector, &noise(14, 500));
        let state = serde_json::to_value(&detector).unwrap();
        let damages = [
            ("format", serde_json::json!(2)),
            ("hours", serde_json::json!([0.0])),
            ("n_first", serde_json::json!(17)),
            ("interval", serde_json::json!(-1)),
            ("last", serde_json::json!("yesterday")),
            (
                "settings",
                serde_json::json!({"alarm_budget": 3, "profile": "off", "offset": 0}),
            ),
            (
                "settings",
                serde_json::json!({"alarm_budget": 100, "profile": "off", "offset": 999_999_999}),
            ),
        ];
        for (field, value) in damages {
            let mut damaged = state.clone();
            damaged[field] = value.clone();
            assert!(
                serde_json::from_value::<PointDetector>(damaged).is_err(),
                "{field}: {value}"
            );
        }
        let damages = [
            ("counts", serde_json::json!([1, 2, 3])),
            ("counts", serde_json::json!(vec![60_000; 64])),
            ("counts", serde_json::json!(vec![u32::MAX; 64])),
            ("evidence", serde_json::json!(vec![1e30; 65])),
            (
                "evidence",
                serde_json::json!((0..65).rev().collect::<Vec<_>>()),
            ),
            ("full_at", serde_json::json!(u32::MAX)),
            ("stale_at", serde_json::json!(0)),
            ("tail_index", serde_json::json!(-1.0)),
        ];
        for (field, value) in damages {
            let mut damaged = state.clone();
            damaged["rarity"][field] = value.clone();
            assert!(
                serde_json::from_value::<PointDetector>(damaged).is_err(),
                "{field}: {value}"
            );
        }
        for number in ["scale", "level", "trust", "squared"] {
            let mut damaged = state.clone();
            damaged["course"][number] = serde_json::json!(-1e300);
            assert!(
                serde_json::from_value::<PointDetector>(damaged).is_err(),
                "{number}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn flipped_bytes_never_panic(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut detector = detector();
            let _ = judge(&mut detector, &noise(15, 200));
            let mut bytes = postcard::to_stdvec(&detector).unwrap();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            if let Ok(mut detector) = postcard::from_bytes::<PointDetector>(&bytes) {
                let later = at(MONDAY + 300 * 100_000);
                let _ = detector.observe(Observation::new(later, 1e150).unwrap());
            }
        }
    }
}
