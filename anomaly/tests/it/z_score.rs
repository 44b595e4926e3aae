//! Z-scores equal those of numpy, and an anomaly spoils neither itself nor what follows.

use bursar_anomaly::{
    Deviation, RobustZScore, RobustZScoreSettings, SettingError, Verdict, ZScore, ZScoreSettings,
};
use proptest::prelude::*;

use crate::normal::{alarms, daily};

const WEEK: [f64; 7] = [12.1, 13.0, 12.4, 12.9, 12.2, 13.2, 12.75];

/// The deviations that a score stands for.
fn evidence(verdict: &Verdict, threshold: f64) -> f64 {
    threshold * verdict.score / (1.0 - verdict.score)
}

fn z(settings: ZScoreSettings, values: &[f64]) -> f64 {
    let assessments = daily(&mut ZScore::new(settings).unwrap(), values);
    evidence(
        assessments.last().unwrap().verdict().unwrap(),
        settings.threshold,
    )
}

fn robust_z(values: &[f64]) -> f64 {
    let assessments = daily(&mut RobustZScore::default(), values);
    evidence(assessments.last().unwrap().verdict().unwrap(), 3.5)
}

fn assert_close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() < 1e-9 * expected.abs(),
        "{actual} instead of {expected}"
    );
}

/// numpy 2: (x − w.mean()) / w.std(ddof), of x = 47.82 after the week.
#[test]
fn plain_scores_are_those_of_numpy() {
    let values = [&WEEK[..], &[47.82]].concat();
    let settings = ZScoreSettings::default();
    assert_close(z(settings, &values), 83.478_221_837_355_63);
    let deviation = Deviation::Population;
    assert_close(
        z(
            ZScoreSettings {
                deviation,
                ..settings
            },
            &values,
        ),
        90.166_784_948_678_41,
    );
}

/// numpy 2: (x − median) / (1.4826… × MAD), and with √(π/2) × mean distance where the MAD is 0.
#[test]
fn robust_scores_are_those_of_numpy() {
    let window = [
        10.0, 11.0, 9.0, 14.0, 10.0, 8.0, 10.0, 12.0, 11.0, 9.0, 10.0, 13.0, 9.0, 30.0,
    ];
    assert_close(
        robust_z(&[&window[..], &[16.0]].concat()),
        4.046_938_501_176_49,
    );
    let equal = [
        5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0,
    ];
    assert_close(
        robust_z(&[&equal[..], &[9.0]].concat()),
        2.978_769_026_997_364_6,
    );
}

/// With the point inside its own baseline, this would be 2.268 whatever its size.
#[test]
fn an_extreme_value_is_not_held_down_by_itself() {
    let score = |value| z(ZScoreSettings::default(), &[&WEEK[..], &[value]].concat());
    assert!(score(1e6) > 1e6);
    assert!(score(1e9) > 500.0 * score(1e6));
}

#[test]
fn without_spread_a_share_of_the_level_is_the_scale() {
    let score = |value| {
        z(
            ZScoreSettings::default(),
            &[&[50.0; 7][..], &[value]].concat(),
        )
    };
    assert_eq!(score(50.0), 0.0);
    assert_close(score(51.0), 2.0);
    assert_close(score(60.0), 20.0);
}

#[test]
fn a_spike_is_no_part_of_the_baseline() {
    let mut values = WEEK.repeat(4);
    for spike in [10, 12, 20] {
        values[spike] = 1e9;
    }
    assert_eq!(alarms(&daily(&mut RobustZScore::default(), &values)), [20]);
    let alarms = alarms(&daily(&mut ZScore::default(), &values));
    assert!(
        [10, 12, 20].iter().all(|spike| alarms.contains(spike)),
        "{alarms:?}"
    );
}

#[test]
fn a_level_that_stays_is_accepted_after_the_stated_points() {
    let mut values = vec![100.0; 20];
    values.extend([150.0; 20]);
    assert_eq!(
        alarms(&daily(&mut ZScore::default(), &values)),
        [20, 21, 22]
    );
    let robust = alarms(&daily(&mut RobustZScore::default(), &values));
    assert_eq!(robust, Vec::from_iter(20..27));
}

#[test]
fn settings_out_of_range_are_named() {
    let error = ZScore::new(ZScoreSettings {
        threshold: f64::NAN,
        ..Default::default()
    })
    .unwrap_err();
    assert!(matches!(
        error,
        SettingError {
            name: "threshold",
            ..
        }
    ));
    let error = RobustZScore::new(RobustZScoreSettings {
        window: 2,
        ..Default::default()
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "the setting `window` is 2: it must be from 3 to 10,000"
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_damaged_state_is_an_error() {
    let mut detector = ZScore::default();
    let _ = daily(&mut detector, &WEEK);
    let state = serde_json::to_string(&detector).unwrap();
    for (from, to) in [
        ("\"format\":1", "\"format\":2"),
        ("\"window\":7", "\"window\":3"),
        ("\"window\":7", "\"window\":0"),
        ("\"threshold\":2.0", "\"threshold\":-2.0"),
        ("[12.1,", "[1e300,"),
    ] {
        assert!(state.contains(from), "{from} in {state}");
        let damaged = state.replacen(from, to, 1);
        assert!(
            serde_json::from_str::<ZScore>(&damaged).is_err(),
            "{damaged}"
        );
    }
}

proptest! {
    #[test]
    fn scores_do_not_depend_on_unit_or_sign(
        values in prop::collection::vec(10.0f64..20.0, 8..40),
        exponent in -60i32..60,
    ) {
        let unit = 2f64.powi(exponent);
        let scaled: Vec<f64> = values.iter().map(|value| -unit * value).collect();
        let scores = |values: &[f64]| -> Vec<f64> {
            daily(&mut RobustZScore::default(), values).iter().map(|a| a.score()).collect()
        };
        prop_assert_eq!(scores(&values), scores(&scaled));
    }
}
