//! Charges: quantities become amounts, amounts become statements whose lines add up.

use bursar_pricing::charge::{
    ChargeLine, ChargeModel, ChargeModelError, PriceStep, Settlement, SettlementError, Statement,
};
use bursar_units::{Currency, Money, Quantum, Rounding, UnitRate};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

fn step(up_to: Option<u64>, per_unit: &str, fee: Option<&str>) -> PriceStep {
    let rate = UnitRate::per_unit(usd(per_unit));
    PriceStep {
        up_to,
        rate,
        fee: fee.map(usd),
    }
}

/// 1 each up to 10, 0.50 up to 100 with a fee of 3, and 0.20 beyond.
fn steps() -> Vec<PriceStep> {
    vec![
        step(Some(10), "1.00", None),
        step(Some(100), "0.50", Some("3.00")),
        step(None, "0.20", None),
    ]
}

#[test]
fn each_model_charges_what_was_computed_by_hand() {
    let graduated = ChargeModel::graduated(steps()).unwrap();
    let volume = ChargeModel::volume(steps()).unwrap();
    let package = ChargeModel::package(100, usd("5.00")).unwrap();
    let flat = ChargeModel::flat(UnitRate::per_million(usd("3.00"))).unwrap();
    for (model, quantity, expected) in [
        (&graduated, 0, "0.00"),
        (&graduated, 10, "10.00"),
        (&graduated, 11, "13.50"),
        (&graduated, 100, "58.00"),
        (&graduated, 150, "68.00"),
        (&volume, 0, "0.00"),
        (&volume, 10, "10.00"),
        (&volume, 11, "8.50"),
        (&volume, 101, "20.20"),
        (&package, 0, "0.00"),
        (&package, 1, "5.00"),
        (&package, 100, "5.00"),
        (&package, 101, "10.00"),
        (&flat, 1_234_567, "3.703701"),
        (&flat, u64::MAX, "55340232221128.654845"),
    ] {
        assert_eq!(
            model.amount(quantity).unwrap(),
            usd(expected),
            "{quantity} by {model:?}"
        );
    }
}

#[test]
fn steps_that_are_no_model_are_named() {
    for (steps, expected) in [
        (vec![], "a charge model needs at least one step"),
        (
            vec![step(Some(10), "1", None)],
            "step 1 of 1: the last step has no end, and every other has one",
        ),
        (
            vec![step(None, "1", None), step(None, "1", None)],
            "step 1 of 2: the last step has no end, and every other has one",
        ),
        (
            vec![
                step(Some(10), "1", None),
                step(Some(10), "1", None),
                step(None, "1", None),
            ],
            "step 2 ends at 10, not beyond the step before it: order steps by where they end",
        ),
        (
            vec![step(None, "-1", None)],
            "the price -1 USD is below zero: give a credit instead",
        ),
    ] {
        let error = ChargeModel::graduated(steps.clone()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(ChargeModel::volume(steps).unwrap_err(), error);
    }
    let euros = PriceStep {
        rate: UnitRate::per_unit(Money::parse("1", Currency::EUR).unwrap()),
        ..step(None, "1", None)
    };
    let mixed = ChargeModel::graduated(vec![step(Some(1), "1", None), euros]);
    assert!(
        matches!(mixed, Err(ChargeModelError::Money(_))),
        "{mixed:?}"
    );
    assert_eq!(
        ChargeModel::package(0, usd("1")),
        Err(ChargeModelError::EmptyPackage)
    );
}

fn line(exact: Decimal) -> ChargeLine {
    ChargeLine {
        record: "r".to_owned(),
        item: "tokens".to_owned(),
        quantity: 1,
        exact: Money::new(exact, Currency::USD),
    }
}

fn statement(amounts: &[Decimal], rounding: Rounding) -> Statement {
    let lines = amounts.iter().copied().map(line).collect();
    Statement::of(lines, Currency::USD, Quantum::MINOR_UNIT, rounding).unwrap()
}

#[test]
fn an_empty_statement_is_zero() {
    let statement = statement(&[], Rounding::HalfUp);
    assert_eq!((statement.total, statement.lines.len()), (usd("0.00"), 0));
}

#[test]
fn a_settlement_says_what_is_due_and_what_is_carried() {
    for (charged, prepaid, credit, due, carried) in [
        ("120.00", "100.00", "0.00", "20.00", "0.00"),
        ("120.00", "100.00", "20.00", "0.00", "0.00"),
        ("120.00", "100.00", "25.00", "0.00", "5.00"),
        ("0.00", "0.00", "5.00", "0.00", "5.00"),
    ] {
        let settled =
            Settlement::new(usd(charged), usd(prepaid), usd(credit), usd("0.00")).unwrap();
        assert_eq!(
            (settled.due, settled.carried),
            (usd(due), usd(carried)),
            "{settled:?}"
        );
    }
    assert_eq!(
        Settlement::new(usd("1.00"), usd("1.01"), usd("0"), usd("0")),
        Err(SettlementError::PrepaidOverCharges {
            prepaid: usd("1.01"),
            charged: usd("1.00")
        }),
    );
    assert_eq!(
        Settlement::new(usd("1.00"), usd("0"), usd("-1"), usd("0")),
        Err(SettlementError::Negative(usd("-1"))),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn pieces_of_a_period_add_up_to_the_whole(
        pieces in prop::collection::vec(0..200_u64, 0..12),
        kind in 0..4,
    ) {
        let model = match kind {
            0 => ChargeModel::graduated(steps()),
            1 => ChargeModel::volume(steps()),
            2 => ChargeModel::package(7, usd("5.00")),
            _ => ChargeModel::flat(UnitRate::per_million(usd("3.00"))),
        }.unwrap();
        let (mut before, mut sum) = (0, usd("0"));
        for piece in pieces {
            sum = sum.checked_add(model.amount_after(before, piece).unwrap()).unwrap();
            before += piece;
        }
        prop_assert_eq!(sum, model.amount(before).unwrap());
    }

    #[test]
    fn lines_add_up_to_the_total_and_stay_within_a_quantum(
        // Corrections are below zero, and places reach far below the cent.
        amounts in prop::collection::vec((-10_000_000_i64..100_000_000, 0..9_u32), 0..40),
        rounding in prop::sample::select(vec![
            Rounding::HalfEven, Rounding::HalfUp, Rounding::Up, Rounding::Down, Rounding::Floor,
            Rounding::Ceiling,
        ]),
    ) {
        let amounts: Vec<_> = amounts.into_iter().map(|(n, places)| Decimal::new(n, places)).collect();
        let statement = statement(&amounts, rounding);
        let exact: Decimal = amounts.iter().sum();
        prop_assert_eq!(statement.exact.amount(), exact);
        let rounded = statement.exact.round_to(Quantum::MINOR_UNIT, rounding).unwrap();
        prop_assert_eq!(statement.total, rounded);
        let sum: Decimal = statement.lines.iter().map(|line| line.charged.amount()).sum();
        prop_assert_eq!(sum, statement.total.amount());
        for line in &statement.lines {
            let off = (line.charged.amount() - line.line.exact.amount()).abs();
            prop_assert!(off < Decimal::new(1, 2), "{:?}", line);
            prop_assert!(line.charged.amount().scale() <= 2);
        }
    }
}
