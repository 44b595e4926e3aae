//! Is the multiple that was asked for the one that is chosen?

use bursar_units::{Currency, Money, MoneyError, Quantum, Rounding};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::strategies::{
    ROUNDINGS, any_decimal, any_money, any_quantum, any_rounding, billed_decimal,
};
use crate::{decimal, usd};

fn step(text: &str) -> Quantum {
    Quantum::step(decimal(text)).expect("test data is over zero")
}

#[test]
fn rounds_as_the_table_in_the_documentation_says() {
    for (amount, expected) in [
        ("2.5", ["2", "3", "3", "2", "2", "3"]),
        ("1.5", ["2", "2", "2", "1", "1", "2"]),
        ("1.1", ["1", "1", "2", "1", "1", "2"]),
        ("1.9", ["2", "2", "2", "1", "1", "2"]),
        ("-1.1", ["-1", "-1", "-2", "-1", "-2", "-1"]),
        ("-2.5", ["-2", "-3", "-3", "-2", "-3", "-2"]),
        ("-0.5", ["0", "-1", "-1", "0", "-1", "0"]),
        ("7", ["7"; 6]),
        ("0", ["0"; 6]),
    ] {
        let rounded = ROUNDINGS.map(|it| {
            usd(amount)
                .round_to(step("1"), it)
                .unwrap()
                .amount()
                .to_string()
        });
        assert_eq!(rounded, expected, "{amount}");
    }
}

#[test]
fn rounds_to_the_quantum_and_prints_its_places() {
    for (amount, currency, quantum, expected) in [
        ("12.3", Currency::USD, Quantum::MINOR_UNIT, "12.30 USD"),
        ("12.345", Currency::USD, Quantum::MINOR_UNIT, "12.34 USD"),
        ("12.340000", Currency::USD, Quantum::MINOR_UNIT, "12.34 USD"),
        ("5.0500", Currency::CHF, step("0.05"), "5.05 CHF"),
        ("1234.5", Currency::JPY, Quantum::MINOR_UNIT, "1234 JPY"),
        ("0.0005", Currency::KWD, Quantum::MINOR_UNIT, "0.000 KWD"),
        ("7.425", Currency::CHF, step("0.05"), "7.40 CHF"),
        ("7.4250001", Currency::CHF, step("0.05"), "7.45 CHF"),
        (
            "0.0000125",
            Currency::USD,
            Quantum::decimal_places(6).unwrap(),
            "0.000012 USD",
        ),
        ("1499.99", Currency::USD, step("1000"), "1000 USD"),
        (
            "0.4",
            Currency::USD,
            step("79228162514264337593543950335"),
            "0 USD",
        ),
        ("0.1", Currency::USD, step("0.100"), "0.100 USD"),
        (
            "0.0000000000000000000000000001",
            Currency::USD,
            step("1000000000000"),
            "0 USD",
        ),
        (
            "79228162514264337593543950335",
            Currency::USD,
            Quantum::MINOR_UNIT,
            "79228162514264337593543950335 USD",
        ),
    ] {
        let money = Money::new(decimal(amount), currency);
        assert_eq!(
            money
                .round_to(quantum, Rounding::HalfEven)
                .unwrap()
                .to_string(),
            expected
        );
    }
}

#[test]
fn half_of_a_step_of_three_lies_between_two_amounts() {
    for (amount, expected) in [
        ("1", "0"),
        ("2", "3"),
        ("-1", "0"),
        ("-2", "-3"),
        ("4.5", "6"),
    ] {
        let rounded = usd(amount).round_to(step("3"), Rounding::HalfUp).unwrap();
        assert_eq!(rounded.amount(), decimal(expected), "{amount}");
    }
}

#[test]
fn refuses_a_multiple_that_no_decimal_holds() {
    let largest = Money::new(Decimal::MAX, Currency::USD);
    assert_eq!(
        largest
            .round_to(step("10"), Rounding::Up)
            .unwrap_err()
            .to_string(),
        "`79228162514264337593543950335 USD rounded to a multiple of 10` is over the largest decimal, about 7.9e28",
    );
    assert!(matches!(
        usd("70000000000000000000000000000")
            .round_to(step("0.0000000000000000000000000003"), Rounding::Down),
        Err(MoneyError::Inexact { .. }),
    ));
    assert_eq!(
        Money::zero(Currency::XXX).round_to(Quantum::MINOR_UNIT, Rounding::Up),
        Err(MoneyError::NoMinorUnit {
            currency: Currency::XXX
        }),
    );
}

#[test]
fn a_quantum_is_over_zero() {
    for text in ["0", "0.00", "-0.01"] {
        assert_eq!(
            Quantum::step(decimal(text)),
            Err(MoneyError::InvalidQuantum {
                step: decimal(text)
            }),
        );
    }
    assert_eq!(
        Quantum::step(-Decimal::ZERO).unwrap_err(),
        MoneyError::InvalidQuantum {
            step: Decimal::ZERO
        }
    );
    assert_eq!(
        Quantum::decimal_places(29),
        Err(MoneyError::TooManyPlaces { places: 29 })
    );
    assert_eq!(
        Quantum::decimal_places(28).unwrap().step_in(Currency::USD),
        Ok(decimal("0.0000000000000000000000000001")),
    );
}

fn strategy(rounding: Rounding) -> RoundingStrategy {
    match rounding {
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::Up => RoundingStrategy::AwayFromZero,
        Rounding::Down => RoundingStrategy::ToZero,
        Rounding::Floor => RoundingStrategy::ToNegativeInfinity,
        _ => RoundingStrategy::ToPositiveInfinity,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn agrees_with_the_rounding_of_rust_decimal(
        amount in any_decimal(),
        places in 0..=28_u32,
        rounding in any_rounding(),
    ) {
        let rounded = Money::new(amount, Currency::USD)
            .round_to(Quantum::decimal_places(places).unwrap(), rounding);
        let expected = amount.round_dp_with_strategy(places, strategy(rounding));
        prop_assert_eq!(rounded.map(|it| it.amount()), Ok(expected));
    }

    #[test]
    fn chooses_a_neighbor_on_the_side_that_was_named(
        amount in billed_decimal(),
        step in (1_i64..1_000_000, 0..=9_u32).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        rounding in any_rounding(),
    ) {
        let quantum = Quantum::step(step).unwrap();
        let rounded = Money::new(amount, Currency::USD).round_to(quantum, rounding).unwrap().amount();
        prop_assert!((rounded % step).is_zero());
        let off = (rounded - amount).abs();
        prop_assert!(off < step);
        match rounding {
            Rounding::Floor => prop_assert!(rounded <= amount),
            Rounding::Ceiling => prop_assert!(rounded >= amount),
            Rounding::Up => prop_assert!(rounded.abs() >= amount.abs()),
            Rounding::Down => prop_assert!(rounded.abs() <= amount.abs()),
            _ => prop_assert!(off + off <= step),
        }
        prop_assert_eq!((rounded == amount, off.is_zero()), ((amount % step).is_zero(), rounded == amount));
    }

    #[test]
    fn rounding_twice_changes_nothing_and_nothing_panics(
        money in any_money(),
        quantum in any_quantum(),
        rounding in any_rounding(),
    ) {
        if let Ok(once) = money.round_to(quantum, rounding) {
            prop_assert_eq!(once.round_to(quantum, rounding), Ok(once));
        }
    }
}
