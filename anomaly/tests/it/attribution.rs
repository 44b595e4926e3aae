//! What explains a change, and does it add up?

use std::collections::BTreeMap;

use bursar_anomaly::attribution::{
    Agreement, Cause, Conclusion, Cube, CubeBuilder, CubeError, Explanation, MOST_DIMENSIONS,
    Movement, Reconciliation, Settings, Tolerance,
};
use bursar_units::{Currency, Money};
use proptest::prelude::*;
use rust_decimal::Decimal;

type Row = (Vec<String>, Money, Money);

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("a test's amount")
}

fn cube(dimensions: &[&str], rows: impl IntoIterator<Item = Row>) -> Result<Cube, CubeError> {
    let mut builder = CubeBuilder::new(Currency::USD, dimensions.iter().copied())?;
    for (values, expected, actual) in rows {
        builder.add(values, expected, actual)?;
    }
    builder.build()
}

fn explain(cube: &Cube) -> Explanation {
    cube.explain(&Settings::default()).expect("sums fit")
}

/// Services × accounts × regions at 10 USD with an error of at most 3 %, and the factors given.
fn clean(factor: impl Fn(usize, usize, usize) -> Decimal) -> Cube {
    let mut rows = Vec::new();
    for s in 0..5 {
        for a in 0..4 {
            for r in 0..3 {
                let error = i64::try_from((s * 7 + a * 5 + r * 3) % 7).expect("small") - 3;
                let actual = Decimal::TEN * factor(s, a, r) * Decimal::new(100 + error, 2);
                let values = vec![format!("s{s}"), format!("a{a}"), format!("r{r}")];
                rows.push((values, usd("10"), Money::new(actual, Currency::USD)));
            }
        }
    }
    cube(&["service", "account", "region"], rows).expect("a cube")
}

fn elements(explanation: &Explanation) -> Vec<String> {
    let text = |cause: &Cause| {
        let pairs = cause
            .element
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    };
    explanation.causes.iter().map(text).collect()
}

fn check_sums(explanation: &Explanation) {
    let causes = explanation.causes.iter().map(|cause| cause.change);
    let sum = causes.fold(explanation.rest, |sum, change| {
        sum.checked_add(change).expect("sums fit")
    });
    assert_eq!(sum, explanation.change);
    let gross = explanation.increases.checked_add(explanation.decreases);
    assert_eq!(gross.expect("sums fit"), explanation.change);
}

#[test]
fn clean_causes_are_named_in_the_fewest_words() {
    let (one, three) = (Decimal::ONE, Decimal::from(3));
    let when = |condition: bool| if condition { three } else { one };
    let cases = [
        (clean(|s, _, _| when(s == 2)), vec!["service=s2"]),
        (clean(|_, a, _| when(a == 1)), vec!["account=a1"]),
        (
            clean(|s, a, _| when(s == 2 && a == 1)),
            vec!["service=s2&account=a1"],
        ),
        (
            clean(|s, a, r| when(s == 2 && a == 1 && r == 0)),
            vec!["service=s2&account=a1&region=r0"],
        ),
    ];
    for (cube, expected) in cases {
        let explanation = explain(&cube);
        assert_eq!(elements(&explanation), expected);
        assert_eq!(explanation.conclusion, Conclusion::Explained);
        assert!(explanation.causes[0].ripple > 0.9, "{explanation:?}");
        check_sums(&explanation);
    }
}

#[test]
fn two_causes_that_cancel_are_both_found() {
    let half = Decimal::new(5, 1);
    let cube = clean(|s, _, r| match (s, r) {
        (1, _) => half,
        (3, _) => Decimal::new(15, 1),
        _ => Decimal::ONE,
    });
    let explanation = explain(&cube);
    let mut found = elements(&explanation);
    found.sort();
    assert_eq!(found, ["service=s1", "service=s3"]);
    assert!(explanation.change.amount().abs() < Decimal::from(3));
    assert!(explanation.increases > usd("50"));
    assert!(explanation.decreases < usd("-50"));
    check_sums(&explanation);
}

#[test]
fn what_appears_is_new_and_what_stops_has_vanished() {
    let row = |service: &str, region: usize, expected: &str, actual: &str| {
        (
            vec![service.to_owned(), format!("r{region}")],
            usd(expected),
            usd(actual),
        )
    };
    let rows = (0..6).flat_map(|region| {
        [
            row("old", region, "20", "0"),
            row("fresh", region, "0", "15"),
            row("same", region, "10", "10.10"),
            row("steady", region, "10", "9.90"),
        ]
    });
    let explanation = explain(&cube(&["service", "region"], rows).expect("a cube"));
    let moved: Vec<_> = explanation
        .causes
        .iter()
        .map(|cause| cause.movement)
        .collect();
    assert_eq!(elements(&explanation), ["service=old", "service=fresh"]);
    assert_eq!(moved, [Movement::Vanished, Movement::New]);
    assert_eq!(
        explanation.causes[0].to_string(),
        "service=old: -120 USD, vanished (400 % of the change)"
    );
}

#[test]
fn nothing_to_explain_is_an_answer() {
    let unchanged = cube(&["service"], [(vec!["a".to_owned()], usd("3"), usd("3"))]);
    assert_eq!(
        explain(&unchanged.expect("a cube")).conclusion,
        Conclusion::Unchanged
    );
    let empty = cube(&["service"], []).expect("a cube");
    assert_eq!(explain(&empty).conclusion, Conclusion::Unchanged);
    let noise = explain(&clean(|_, _, _| Decimal::ONE));
    assert_eq!(noise.conclusion, Conclusion::NoCause);
    assert_eq!(noise.rest, noise.change);
}

#[test]
fn a_change_of_everything_lies_outside_the_dimensions() {
    let explanation = explain(&clean(|_, _, _| Decimal::new(13, 1)));
    let Conclusion::OutsideTheDimensions { factor } = explanation.conclusion else {
        panic!("{explanation:?}");
    };
    assert!((factor - 1.3).abs() < 0.02, "{factor}");
    check_sums(&explanation);
}

#[test]
fn what_is_no_cube_is_refused() {
    let none: [&str; 0] = [];
    let error =
        |dimensions: Vec<String>| CubeBuilder::new(Currency::USD, dimensions).expect_err("refused");
    assert_eq!(
        CubeBuilder::new(Currency::USD, none).expect_err("refused"),
        CubeError::DimensionCount(0)
    );
    let many: Vec<String> = (0..=MOST_DIMENSIONS)
        .map(|index| index.to_string())
        .collect();
    assert_eq!(error(many), CubeError::DimensionCount(9));
    let twice = vec!["a".to_owned(), "a".to_owned()];
    assert_eq!(error(twice), CubeError::RepeatedDimension("a".into()));
    let mut builder = CubeBuilder::new(Currency::USD, ["service"]).expect("a cube");
    let zero = Money::zero(Currency::USD);
    let euros = Money::zero(Currency::EUR);
    assert!(matches!(
        builder.add(["a", "b"], zero, zero),
        Err(CubeError::ValueCount { .. })
    ));
    assert!(matches!(
        builder.add(["a"], zero, euros),
        Err(CubeError::Currency { .. })
    ));
    let largest = Money::new(Decimal::MAX, Currency::USD);
    for value in ["a", "b"] {
        builder.add([value], largest, zero).expect("a leaf");
    }
    assert!(matches!(builder.build(), Err(CubeError::Money(_))));
}

/// Three data centers, forecast 94, 3 and 3, actual 47, 1 and 2 of 50: the drop of 50 is 94 %, 4 %
/// and 2 % theirs. Terms of the divergence by hand from its definition: for the second,
/// ½ (0.03 ln(0.06 ÷ 0.05) + 0.02 ln(0.04 ÷ 0.05)).
#[test]
fn explanatory_power_and_surprise_are_those_of_the_definition() {
    let row = |value: &str, expected, actual| (vec![value.to_owned()], usd(expected), usd(actual));
    let rows = [row("x", "94", "47"), row("y", "3", "1"), row("z", "3", "2")];
    let ranks = cube(&["center"], rows)
        .expect("a cube")
        .rank_dimensions()
        .expect("sums fit");
    let power: Vec<_> = ranks[0]
        .elements
        .iter()
        .map(|element| element.explanatory_power)
        .collect();
    assert_eq!(power, [Some(0.94), Some(0.04), Some(0.02)]);
    let surprise = ranks[0].elements[1].surprise;
    assert!((surprise - 0.000_503_388).abs() < 1e-9, "{surprise}");
    assert_eq!(ranks[0].elements[0].surprise, 0.0);
}

#[test]
fn a_bill_and_an_estimate_are_compared_where_both_are_known() {
    let side = |pairs: &[(&str, &str)]| -> BTreeMap<String, Money> {
        let pairs = pairs
            .iter()
            .map(|(name, amount)| ((*name).to_owned(), usd(amount)));
        pairs.collect()
    };
    let billed = side(&[("cpu", "110"), ("disk", "50"), ("support", "29")]);
    let estimated = side(&[("cpu", "100"), ("disk", "40"), ("gpu", "7")]);
    let result =
        Reconciliation::of(&billed, &estimated, Tolerance::default()).expect("one currency");
    let lines: Vec<_> = result
        .lines
        .iter()
        .map(|line| (line.value.as_str(), line.agreement, line.percent))
        .collect();
    assert_eq!(
        lines,
        [
            ("cpu", Agreement::Agree, Some(10.0)),
            ("disk", Agreement::Disagree, Some(25.0)),
            ("gpu", Agreement::OnlyEstimated, None),
            ("support", Agreement::OnlyBilled, None),
        ]
    );
    let both = result.both.clone().expect("they share two");
    assert_eq!(
        (both.billed, both.estimated, both.difference),
        (Some(usd("160")), Some(usd("140")), Some(usd("20")))
    );
    assert_eq!(result.disagreements().count(), 3);
    let euros = BTreeMap::from([("cpu".to_owned(), Money::zero(Currency::EUR))]);
    assert!(Reconciliation::of(&billed, &euros, Tolerance::default()).is_err());
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let amount = prop_oneof![
        3 => Just(Decimal::ZERO),
        6 => (-100_000_i64..1_000_000, 0_u32..6).prop_map(|(n, scale)| Decimal::new(n, scale)),
        1 => (-3_i64..3).prop_map(|n| Decimal::from(n) * Decimal::new(10_i64.pow(15), 0)),
    ];
    let row = (0_u8..4, 0_u8..3, 0_u8..3, amount.clone(), amount).prop_map(|(a, b, c, e, v)| {
        let values = vec![a.to_string(), b.to_string(), c.to_string()];
        (
            values,
            Money::new(e, Currency::USD),
            Money::new(v, Currency::USD),
        )
    });
    prop::collection::vec(row, 0..60)
}

proptest! {
    #[test]
    fn causes_and_rest_are_the_change(rows in rows()) {
        check_sums(&explain(&cube(&["a", "b", "c"], rows).expect("amounts fit")));
    }

    #[test]
    fn the_order_of_leaves_changes_nothing(rows in rows(), seed in any::<prop::sample::Index>()) {
        let mut turned = rows.clone();
        if !turned.is_empty() {
            let by = seed.index(turned.len());
            turned.rotate_left(by);
        }
        turned.reverse();
        let first = cube(&["a", "b", "c"], rows).expect("amounts fit");
        let second = cube(&["a", "b", "c"], turned).expect("amounts fit");
        prop_assert_eq!(explain(&first), explain(&second));
        prop_assert_eq!(first.rank_dimensions(), second.rank_dimensions());
    }

    #[test]
    fn no_leaf_belongs_to_two_causes(rows in rows()) {
        let cube = cube(&["a", "b", "c"], rows).expect("amounts fit");
        let counted: usize = explain(&cube).causes.iter().map(|cause| cause.n_leaves).sum();
        prop_assert!(counted <= cube.n_leaves());
    }
}

#[cfg(feature = "synthetic")]
mod on_made_up_data {
    use bursar_anomaly::synthetic::root_cause::{CostCase, CostCauses, RootCauseSet};

    use super::*;

    /// Cases on which exactly the true elements are named, of seeds that chose no setting.
    fn hits(causes: CostCauses) -> usize {
        let hit = |seed: &u64| {
            let case = CostCase::of(causes, *seed);
            let mut found: Vec<_> = explain(&case.cube().expect("a cube"))
                .causes
                .into_iter()
                .map(|cause| cause.element)
                .collect();
            let mut truth = case.causes;
            found.sort();
            truth.sort();
            found == truth
        };
        (8_000..8_020).filter(hit).count()
    }

    #[test]
    fn a_cost_change_is_traced_to_its_element() {
        for causes in [
            CostCauses::Increase,
            CostCauses::Drop,
            CostCauses::New,
            CostCauses::Vanished,
            CostCauses::Netting,
            CostCauses::Nothing,
        ] {
            let hits = hits(causes);
            assert!(hits >= 16, "{causes:?}: {hits} of 20");
        }
    }

    /// `RiskLoc` has 0.795 on 300 other cases (`examples/root_cause.rs --benchmark --seed 500000`).
    #[test]
    fn root_causes_of_the_published_construction_are_found() {
        let set = RootCauseSet::like_s([6, 8, 5, 4]);
        let (mut hits, mut named, mut true_ones) = (0, 0, 0);
        for seed in 70_000..70_020 {
            let case = set.case(seed);
            let rows = case.leaves.iter().map(|leaf| {
                let money = |amount: f64| {
                    let amount = Decimal::from_f64_retain(amount).expect("finite");
                    Money::new(amount.round_dp(8), Currency::USD)
                };
                let values = leaf.codes.iter().map(u32::to_string).collect();
                (values, money(leaf.expected), money(leaf.actual))
            });
            let cube = cube(&["0", "1", "2", "3"], rows).expect("a cube");
            let explanation = cube.explain(&Settings::sensitive()).expect("sums fit");
            for cause in explanation.causes {
                let mut element = vec![None; 4];
                for (dimension, value) in &cause.element {
                    let dimension: usize = dimension.parse().expect("a number");
                    element[dimension] = Some(value.parse().expect("a number"));
                }
                hits += usize::from(case.causes.contains(&element));
                named += 1;
            }
            true_ones += case.causes.len();
        }
        let f1 = 200 * hits / (named + true_ones);
        assert!(f1 >= 80, "F1 is {f1} %");
    }
}
