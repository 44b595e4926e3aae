//! Charges: quantities become amounts, amounts become statements whose lines add up.

use std::num::NonZeroU64;

use bursar_pricing::charge::{
    ChargeError, ChargeLine, Package, PeriodCharges, Settlement, SettlementError, Statement,
    UsageRecord,
};
use bursar_pricing::{
    Band, CostTable, ListTerms, Model, PriceList, PriceListName, PricingPolicy, Schedule, Tier,
    Tiering, TokenKind,
};
use bursar_units::{Currency, Money, Quantum, Rounding, TokenCount, UnitRate};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn usd(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

/// 1 each up to 10, 0.50 up to 100, and 0.20 beyond.
fn schedule(tiering: Tiering) -> Schedule {
    let band = |up_to, rate| Band {
        up_to,
        rate: UnitRate::per_unit(usd(rate)),
    };
    let bands = vec![
        band(Some(10), "1.00"),
        band(Some(100), "0.50"),
        band(None, "0.20"),
    ];
    Schedule::tiered(tiering, bands).unwrap()
}

fn package(size: u64) -> Package {
    Package {
        size: NonZeroU64::new(size).unwrap(),
        price: usd("5.00"),
    }
}

#[test]
fn quantities_cost_what_was_computed_by_hand() {
    let graduated = schedule(Tiering::Graduated);
    let volume = schedule(Tiering::Volume);
    let flat = Schedule::flat(UnitRate::per_million(usd("3.00"))).unwrap();
    for (schedule, quantity, expected) in [
        (&graduated, 0, "0.00"),
        (&graduated, 10, "10.00"),
        (&graduated, 11, "10.50"),
        (&graduated, 100, "55.00"),
        (&graduated, 150, "65.00"),
        (&volume, 0, "0.00"),
        (&volume, 10, "10.00"),
        (&volume, 11, "5.50"),
        (&volume, 101, "20.20"),
        (&flat, 1_234_567, "3.703701"),
        (&flat, u64::MAX, "55340232221128.654845"),
    ] {
        assert_eq!(
            schedule.amount(quantity).unwrap(),
            usd(expected),
            "{quantity} by {schedule:?}"
        );
    }
    for (quantity, expected) in [(0, "0.00"), (1, "5.00"), (100, "5.00"), (101, "10.00")] {
        assert_eq!(
            package(100).amount(quantity).unwrap(),
            usd(expected),
            "{quantity}"
        );
    }
    assert!(flat.amount_after(u64::MAX, 1).is_err());
}

fn price_list() -> PriceList {
    let cost = |amount| UnitRate::per_million(usd(amount));
    let costs = CostTable::new(Currency::USD)
        .with(Model::GPT_4, TokenKind::Input, cost("2.50"))
        .unwrap()
        .with(Model::GPT_4, TokenKind::Output, cost("10.00"))
        .unwrap();
    let name = PriceListName::new("growth-2026-11").unwrap();
    let from = "2026-11-01T00:00:00Z".parse().unwrap();
    costs
        .price(
            &PricingPolicy::standard(),
            &ListTerms::new(name, &Tier::Growth, from),
        )
        .unwrap()
}

fn record(id: &str, model: Model, tokens: &[(TokenKind, u64)]) -> UsageRecord {
    let tokens = tokens
        .iter()
        .map(|(kind, tokens)| (*kind, TokenCount::new(*tokens)));
    UsageRecord {
        id: id.to_owned(),
        model,
        tokens: tokens.collect(),
    }
}

#[test]
fn a_record_is_charged_by_kind_once_and_whole() {
    let list = price_list();
    let mut charges = PeriodCharges::new(&list);
    // Growth and GPT-4: a mark-up of 1/3 × 1.2, so 3.50 and 14.00 a million.
    let tokens = [
        (TokenKind::Output, 1_000),
        (TokenKind::Input, 300),
        (TokenKind::Input, 700),
        (TokenKind::CacheWrite, 0),
    ];
    let lines = charges.add(&record("r1", Model::GPT_4, &tokens)).unwrap();
    let found: Vec<_> = lines
        .iter()
        .map(|it| (&*it.item, it.quantity, it.exact))
        .collect();
    assert_eq!(
        found,
        [
            ("gpt-4 input tokens", 1_000, usd("0.0035")),
            ("gpt-4 output tokens", 1_000, usd("0.014")),
        ],
    );
    for (again, expected) in [
        (
            record("r1", Model::GPT_4, &[]),
            "record `r1` stands twice: charge it once",
        ),
        (
            record(
                "r2",
                Model::GPT_4,
                &[(TokenKind::Input, 5), (TokenKind::CacheWrite, 1)],
            ),
            "no price for gpt-4 cache_write tokens in record `r2`: add it to the price list of the period",
        ),
        (
            record("r3", Model::CLAUDE, &[(TokenKind::Input, 5)]),
            "no price for claude input tokens in record `r3`: add it to the price list of the period",
        ),
    ] {
        let error = charges.add(&again).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    // What was refused has left nothing behind, and its id is free.
    assert_eq!(charges.lines().len(), 2);
    assert!(
        charges
            .add(&record("r2", Model::GPT_4, &[(TokenKind::Input, 5)]))
            .is_ok()
    );
}

#[test]
fn an_invoice_has_a_line_for_each_item_and_the_total_of_all_records() {
    let list = price_list();
    let mut charges = PeriodCharges::new(&list);
    for number in 0..333 {
        let tokens = [(TokenKind::Input, 1_000 + number), (TokenKind::Output, 100)];
        charges
            .add(&record(&format!("r{number}"), Model::GPT_4, &tokens))
            .unwrap();
    }
    let cents = |charges: &PeriodCharges<'_>| {
        let statement = charges
            .statement(Quantum::MINOR_UNIT, Rounding::HalfUp)
            .unwrap();
        let invoice = charges
            .invoice(Quantum::MINOR_UNIT, Rounding::HalfUp)
            .unwrap();
        (statement, invoice)
    };
    let (statement, invoice) = cents(&charges);
    assert_eq!(
        (statement.total, statement.exact),
        (invoice.total, invoice.exact)
    );
    // 388 278 tokens at 3.50 and 33 300 at 14.00 a million.
    let lines: Vec<_> = invoice
        .lines
        .iter()
        .map(|it| (it.line.quantity, it.charged))
        .collect();
    assert_eq!(lines, [(388_278, usd("1.36")), (33_300, usd("0.47"))]);
}

#[test]
fn too_many_tokens_are_an_error_and_not_a_wrap() {
    let list = price_list();
    let mut charges = PeriodCharges::new(&list);
    let twice = record(
        "r",
        Model::GPT_4,
        &[(TokenKind::Input, u64::MAX), (TokenKind::Input, 1)],
    );
    assert!(matches!(
        charges.add(&twice),
        Err(ChargeError::TooManyTokens { .. })
    ));
    charges
        .add(&record("r1", Model::GPT_4, &[(TokenKind::Input, u64::MAX)]))
        .unwrap();
    let beyond = charges.add(&record("r2", Model::GPT_4, &[(TokenKind::Input, 1)]));
    assert!(
        matches!(beyond, Err(ChargeError::Amount { .. })),
        "{beyond:?}"
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
        kind in 0..3,
    ) {
        let amount_after = |before, quantity| match kind {
            0 => schedule(Tiering::Graduated).amount_after(before, quantity),
            1 => schedule(Tiering::Volume).amount_after(before, quantity),
            _ => package(7).amount_after(before, quantity),
        };
        let (mut before, mut sum) = (0, usd("0"));
        for piece in pieces {
            sum = sum.checked_add(amount_after(before, piece).unwrap()).unwrap();
            before += piece;
        }
        prop_assert_eq!(sum, amount_after(0, before).unwrap());
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
