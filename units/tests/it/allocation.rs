//! Do the parts add up to the whole, and is each the part that it should be?

use bursar_units::{Currency, Money, MoneyError, Quantum};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::strategies::{any_decimal, any_money, any_quantum, billed_decimal};
use crate::{decimal, usd};

#[track_caller]
fn check<W: Copy + Into<Decimal>>(whole: &str, weights: &[W], quantum: Quantum, expected: &[&str]) {
    let whole: Money = whole.parse().expect("test data is money");
    let parts = whole
        .allocate(weights, quantum)
        .expect("test data can be divided");
    let texts: Vec<String> = parts.iter().map(|it| it.amount().to_string()).collect();
    assert_eq!(texts, expected);
    assert_eq!(Money::try_sum(&parts), Ok(Some(whole)));
}

const CENTS: Quantum = Quantum::MINOR_UNIT;

#[test]
fn divides_cents_by_largest_remainder_then_lowest_index() {
    check(
        "100.00 USD",
        &[1, 1, 1],
        CENTS,
        &["33.34", "33.33", "33.33"],
    );
    check("0.05 USD", &[3, 7], CENTS, &["0.02", "0.03"]);
    check("0.01 USD", &[1, 1], CENTS, &["0.01", "0.00"]);
    check("0.02 USD", &[1, 2, 1], CENTS, &["0.01", "0.01", "0.00"]);
    check("10 JPY", &[1, 1, 1], CENTS, &["4", "3", "3"]);
    check(
        "1.00 CHF",
        &[1, 1, 1],
        Quantum::step(decimal("0.05")).unwrap(),
        &["0.35", "0.35", "0.30"],
    );
}

#[test]
fn divides_seats_as_the_published_example_of_hares_quota() {
    // Ten seats over 100,000 votes: quotas 4.70, 1.60, 1.58, 1.20, 0.61, 0.31.
    let votes = [47_000, 16_000, 15_800, 12_000, 6_100, 3_100];
    let seat = Quantum::step(Decimal::ONE).unwrap();
    check("10 XXX", &votes, seat, &["5", "2", "1", "1", "1", "0"]);
}

#[test]
fn divides_a_credit_as_the_charge_it_takes_back() {
    check(
        "-100.00 USD",
        &[1, 1, 1],
        CENTS,
        &["-33.34", "-33.33", "-33.33"],
    );
    check("-0.01 USD", &[1, 1], CENTS, &["-0.01", "0.00"]);
}

#[test]
fn a_weight_of_zero_gets_nothing() {
    check("0.01 USD", &[0, 1], CENTS, &["0.00", "0.01"]);
    check("0.005 USD", &[0, 0, 1], CENTS, &["0.00", "0.00", "0.005"]);
    check("0.00 USD", &[0, 1], CENTS, &["0.00", "0.00"]);
}

#[test]
fn the_rest_below_a_quantum_goes_to_the_next_in_line() {
    check(
        "100.005 USD",
        &[1, 1, 1],
        CENTS,
        &["33.34", "33.335", "33.33"],
    );
    check("0.009 USD", &[1, 1], CENTS, &["0.009", "0.00"]);
    check("-0.015 USD", &[1, 1], CENTS, &["-0.01", "-0.005"]);
}

#[test]
fn takes_decimals_and_money_as_weights() {
    check(
        "10.00 USD",
        &[decimal("0.5"), decimal("0.25"), decimal("0.250")],
        CENTS,
        &["5.00", "2.50", "2.50"],
    );
    let usage = ["119.81", "68.54", "8.00", "3.99"].map(decimal);
    check(
        "20.00 USD",
        &usage,
        CENTS,
        &["11.96", "6.84", "0.80", "0.40"],
    );
}

#[test]
fn refuses_weights_that_divide_nothing() {
    let whole = usd("10");
    for weights in [vec![], vec![0, 0]] {
        assert_eq!(
            whole.allocate(&weights, CENTS),
            Err(MoneyError::NoWeight {
                whole,
                n_weights: weights.len()
            }),
        );
    }
    assert_eq!(
        whole.allocate(&[3, -1], CENTS).unwrap_err().to_string(),
        "weight -1 at index 1 is negative; allocate charges and credits apart",
    );
    let apart = [decimal("0.0000000000000000000000000001"), Decimal::MAX];
    assert_eq!(
        whole.allocate(&apart, CENTS),
        Err(MoneyError::WeightOutOfRange {
            index: 1,
            weight: Decimal::MAX
        }),
    );
    let large = [Decimal::MAX, Decimal::MAX, decimal("0.000000001")];
    assert_eq!(
        whole.allocate(&large, CENTS),
        Err(MoneyError::WeightOutOfRange {
            index: 1,
            weight: Decimal::MAX
        }),
    );
    assert_eq!(
        whole.split(0, CENTS),
        Err(MoneyError::NoWeight {
            whole,
            n_weights: 0
        })
    );
    assert_eq!(
        Money::zero(Currency::XXX).split(2, CENTS),
        Err(MoneyError::NoMinorUnit {
            currency: Currency::XXX
        }),
    );
}

#[test]
fn divides_where_the_product_is_over_128_bits() {
    let parts = Money::new(Decimal::MAX, Currency::USD)
        .allocate(
            &[Decimal::MAX, Decimal::MAX],
            Quantum::step(Decimal::ONE).unwrap(),
        )
        .unwrap();
    let texts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "39614081257132168796771975168 USD",
            "39614081257132168796771975167 USD"
        ]
    );
}

fn weights() -> impl Strategy<Value = Vec<Decimal>> {
    prop::collection::vec(
        prop_oneof![
            1 => Just(Decimal::ZERO),
            5 => (0_i64..1_000_000_000, 0..=9_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        ],
        1..30,
    )
    .prop_filter("some weight is over zero", |weights| weights.iter().any(|it| !it.is_zero()))
}

proptest! {
    #[test]
    fn parts_add_up_to_the_whole(
        amount in billed_decimal(),
        weights in weights(),
        step in (1_i64..1_000_000, 0..=9_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
    ) {
        let whole = Money::new(amount, Currency::USD);
        let parts = whole.allocate(&weights, Quantum::step(step).unwrap()).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(Money::try_sum(&parts), Ok(Some(whole)));
        let n_broken = parts.iter().filter(|it| !(it.amount() % step).is_zero()).count();
        prop_assert_eq!(n_broken, usize::from(!(amount % step).is_zero()));
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(!weight.is_zero() || part.is_zero());
            prop_assert!(part.is_zero() || part.is_negative() == whole.is_negative());
        }
    }

    #[test]
    fn each_part_is_within_a_quantum_of_its_share_and_larger_weights_get_no_less(
        cents in 0_i64..1_000_000_000,
        weights in prop::collection::vec(0_i64..1_000_000, 1..30),
    ) {
        prop_assume!(weights.iter().any(|it| *it > 0));
        let parts = Money::new(Decimal::new(cents, 2), Currency::USD).allocate(&weights, CENTS).unwrap();
        let total: i128 = weights.iter().copied().map(i128::from).sum();
        let parts: Vec<i128> = parts.iter().map(|it| it.amount().mantissa()).collect();
        for (part, weight) in parts.iter().zip(&weights) {
            let off = part * total - i128::from(cents) * i128::from(*weight);
            prop_assert!(off.abs() < total);
        }
        for (part, weight) in parts.iter().zip(&weights) {
            for (other_part, other_weight) in parts.iter().zip(&weights) {
                prop_assert!(weight <= other_weight || part >= other_part);
            }
        }
    }

    #[test]
    fn equal_parts_differ_by_at_most_one_quantum(cents in any::<i32>(), n_parts in 1_u32..200) {
        let whole = Money::new(Decimal::new(cents.into(), 2), Currency::USD);
        let parts = whole.split(n_parts, CENTS).unwrap();
        prop_assert_eq!(Money::try_sum(&parts), Ok(Some(whole)));
        prop_assert!(parts.windows(2).all(|it| it[0].abs() >= it[1].abs()));
        let spread = parts[0].abs().checked_sub(parts[parts.len() - 1].abs()).unwrap();
        prop_assert!(spread <= usd("0.01"));
    }

    #[test]
    fn extreme_values_add_up_or_are_an_error(
        whole in any_money(),
        weights in prop::collection::vec(any_decimal(), 0..5),
        quantum in any_quantum(),
    ) {
        let weights: Vec<Decimal> = weights.into_iter().map(|it| it.abs()).collect();
        if let Ok(parts) = whole.allocate(&weights, quantum) {
            // A partial sum can need more digits than the parts and the whole.
            match Money::try_sum(&parts) {
                Ok(sum) => prop_assert_eq!(sum, Some(whole)),
                Err(error) => {
                    let inexact = matches!(error, MoneyError::Inexact { .. });
                    prop_assert!(inexact, "{}", error);
                }
            }
        }
    }
}
