//! Is a machine scored by how far it is from what is expected of its type?

use bursar_cost_model::{
    EfficiencyCurve, EfficiencyError, Percent, Side, Utilization, burstable_baseline,
    expected_cpu_average,
};
use proptest::prelude::*;

const TYPES: [&str; 12] = [
    "t3.nano",
    "t3.2xlarge",
    "t2.2xlarge",
    "t3a.micro",
    "t4g.nano",
    "t4g.2xlarge",
    "c5.large",
    "c5.2xlarge",
    "m5.large",
    "m5.2xlarge",
    "r6i.large",
    "unheard of",
];

fn check(curve: EfficiencyCurve, instance_type: &str, average: f64, score: f64, side: Side) {
    let efficiency = curve.score(instance_type, Percent::new(average).unwrap());
    assert!(
        (efficiency.score - score).abs() < 1e-9,
        "{instance_type} at {average}: {efficiency:?}, expected {score}"
    );
    assert_eq!(efficiency.side, side, "{instance_type} at {average}");
}

#[test]
fn piecewise_follows_its_three_formulas() {
    use Side::{Above, Below, Within};
    for (instance_type, average, score, side) in [
        // 0.3 × 40 = 12: 100 − 2 × (12 − 2).
        ("m5.2xlarge", 2.0, 80.0, Below),
        ("m5.2xlarge", 0.0, 76.0, Below),
        // 100 − 0.5 × |12 − 40|: the curve jumps from 100 to 86 at the border.
        ("m5.2xlarge", 12.0, 86.0, Within),
        ("m5.2xlarge", 40.0, 100.0, Within),
        ("m5.2xlarge", 60.0, 90.0, Within),
        // 1.5 × 40 = 60: 100 − 1.5 × (80 − 60).
        ("m5.2xlarge", 80.0, 70.0, Above),
        ("t3.2xlarge", 100.0, 6.25, Above),
        // 1.5 × 70 = 105: no average is above.
        ("c5.large", 100.0, 85.0, Within),
    ] {
        check(
            EfficiencyCurve::Piecewise,
            instance_type,
            average,
            score,
            side,
        );
    }
}

#[test]
fn monotone_follows_its_formula() {
    use Side::{Above, Below, Within};
    for (instance_type, average, score, side) in [
        ("m5.large", 0.0, 0.0, Below),
        ("m5.large", 7.5, 50.0, Below),
        ("m5.large", 15.0, 100.0, Within),
        ("m5.large", 75.0, 100.0, Within),
        // 75 ÷ 87.5 × 12.5 ÷ 25.
        ("m5.large", 87.5, 300.0 / 7.0, Above),
        ("m5.large", 100.0, 0.0, Above),
        // Expected 70, so the range ends at 85 and not at 105.
        ("c5.large", 85.0, 100.0, Within),
        ("c5.large", 100.0, 0.0, Above),
        // Held to its baseline of 5 %: from 1.5 % to 5 %.
        ("t3.nano", 5.0, 100.0, Within),
        // 5 ÷ 10 × 90 ÷ 95.
        ("t3.nano", 10.0, 4500.0 / 95.0, Above),
        // Expected 25 is below its baseline of 40; 1.5 × 25 ends the range.
        ("t3.2xlarge", 37.5, 100.0, Within),
    ] {
        check(
            EfficiencyCurve::Monotone,
            instance_type,
            average,
            score,
            side,
        );
    }
}

#[test]
fn an_idle_machine_scores_high_only_on_the_piecewise_curve() {
    let two = Percent::new(2.0).unwrap();
    assert!((EfficiencyCurve::Piecewise.score("m5.2xlarge", two).score - 80.0).abs() < 1e-9);
    for instance_type in TYPES {
        let idle = EfficiencyCurve::default().score(instance_type, Percent::ZERO);
        assert!(idle.score < 5.0, "{instance_type}: {idle:?}");
        assert_eq!(idle.side, Side::Below);
    }
}

#[test]
fn holds_burstable_types_to_what_they_sustain() {
    for (instance_type, baseline) in [
        ("t3.nano", Some(5.0)),
        ("t3a.micro", Some(10.0)),
        ("t4g.medium", Some(20.0)),
        ("t2.large", Some(30.0)),
        ("t2.xlarge", Some(22.5)),
        ("t2.2xlarge", Some(17.0)),
        ("t4g.2xlarge", Some(40.0)),
        ("m5.large", None),
        ("t3", None),
    ] {
        assert_eq!(burstable_baseline(instance_type), baseline);
        let Some(baseline) = baseline else { continue };
        let above = Percent::new(baseline + 1.0).unwrap();
        let efficiency = EfficiencyCurve::Monotone.score(instance_type, above);
        assert!(efficiency.expected <= baseline);
        assert_eq!(efficiency.side, Side::Above, "{instance_type}");
    }
}

#[test]
fn knows_what_is_expected_of_each_type() {
    let families = [
        (
            "t3",
            &[
                "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge",
            ][..],
            &[60.0, 50.0, 45.0, 40.0, 35.0, 30.0, 25.0][..],
        ),
        (
            "t4g",
            &[
                "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge",
            ],
            &[65.0, 55.0, 50.0, 45.0, 40.0, 35.0, 30.0],
        ),
        ("c5", &["large", "xlarge", "2xlarge"], &[70.0, 65.0, 60.0]),
        ("m5", &["large", "xlarge", "2xlarge"], &[50.0, 45.0, 40.0]),
        ("t3a", &["nano"], &[40.0]),
    ];
    for (family, sizes, expected) in families {
        for (size, expected) in sizes.iter().zip(expected) {
            assert_eq!(expected_cpu_average(&format!("{family}.{size}")), *expected);
        }
    }
}

#[test]
fn refuses_measurements_that_cannot_be() {
    let percent = |value| Percent::new(value).unwrap();
    for value in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Percent::new(value),
            Err(EfficiencyError::NotAPercentage(_))
        ));
    }
    assert!(matches!(
        Utilization::new(percent(50.0), percent(40.0), 24),
        Err(EfficiencyError::AverageAboveMaximum { .. })
    ));
    assert_eq!(
        Utilization::new(percent(1.0), percent(1.0), 0),
        Err(EfficiencyError::NoHours)
    );
}

proptest! {
    #[test]
    fn further_from_the_range_never_scores_better(
        instance_type in prop::sample::select(&TYPES[..]),
        a in 0.0..=100.0f64,
        b in 0.0..=100.0f64,
    ) {
        let score = |average| {
            EfficiencyCurve::Monotone.score(instance_type, Percent::new(average).unwrap())
        };
        let (a, b) = (score(a.min(b)), score(a.max(b)));
        match (a.side, b.side) {
            (Side::Below, Side::Below) => prop_assert!(a.score <= b.score + 1e-9),
            (Side::Above, Side::Above) => prop_assert!(b.score <= a.score + 1e-9),
            (_, Side::Within) => prop_assert!(a.score <= b.score + 1e-9),
            (Side::Within, _) => prop_assert!(b.score <= a.score + 1e-9),
            _ => {}
        }
    }

    #[test]
    fn scores_are_bounded_and_the_default_has_no_jumps(
        instance_type in prop::sample::select(&TYPES[..]),
        average in 0.0..=99.999f64,
    ) {
        let at = |curve: EfficiencyCurve, average| {
            curve.score(instance_type, Percent::new(average).unwrap()).score
        };
        for curve in [EfficiencyCurve::Monotone, EfficiencyCurve::Piecewise] {
            prop_assert!((0.0..=100.0).contains(&at(curve, average)));
        }
        // The steepest piece is 100 ÷ 1.5 % for a t3.nano: 0.001 % moves it by less than 0.1.
        let step = at(EfficiencyCurve::Monotone, average + 0.001)
            - at(EfficiencyCurve::Monotone, average);
        prop_assert!(step.abs() < 0.1);
    }
}
