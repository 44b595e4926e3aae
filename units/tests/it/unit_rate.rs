//! Is a quantity at a rate the exact cost?

use bursar_units::{Currency, Money, MoneyError, Per, TokenCount, UnitRate};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::arithmetic::agrees;
use crate::strategies::any_decimal;
use crate::{decimal, oracle, usd};

#[test]
fn costs_are_those_computed_by_hand() {
    for (rate, n_tokens, expected) in [
        (UnitRate::per_million(usd("3.00")), 1_234, "0.003702 USD"),
        (UnitRate::per_million(usd("3.00")), 1_000_000, "3.00 USD"),
        (UnitRate::per_million(usd("0.075")), 1, "0.000000075 USD"),
        (UnitRate::per_million(usd("3.00")), 0, "0.00 USD"),
        (UnitRate::per_thousand(usd("0.0015")), 1_500, "0.00225 USD"),
        (UnitRate::per_unit(usd("0.50")), 3, "1.50 USD"),
        (
            UnitRate::per_million(usd("15")),
            u64::MAX,
            "276701161105643.274225 USD",
        ),
    ] {
        let cost = rate.cost(TokenCount::new(n_tokens)).unwrap();
        assert_eq!(cost.to_string(), expected, "{n_tokens} at {rate}");
    }
}

#[test]
fn takes_parts_of_units_and_corrections() {
    let hourly = UnitRate::per_unit(usd("0.0416"));
    assert_eq!(hourly.cost(decimal("0.25")).unwrap(), usd("0.0104"));
    assert_eq!(hourly.cost(-720).unwrap(), usd("-29.952"));
}

#[test]
fn refuses_a_cost_that_no_decimal_holds() {
    let tiny = UnitRate::per_million(usd("0.0000000000000000000000001"));
    assert_eq!(
        tiny.cost(TokenCount::new(7)).unwrap_err().to_string(),
        "`7 units at 0.0000000000000000000000001 USD per million` has more digits than a decimal holds \
         (28 places, 2^96 in all); round an operand first",
    );
    let vast = UnitRate::per_unit(Money::new(Decimal::MAX, Currency::USD));
    assert!(matches!(vast.cost(2), Err(MoneyError::Overflow { .. })));
}

#[test]
fn a_basis_says_how_many_units_it_is() {
    assert_eq!(
        [Per::Unit, Per::Thousand, Per::Million].map(Per::units),
        [1, 1_000, 1_000_000]
    );
}

proptest! {
    #[test]
    fn costs_are_those_done_digit_by_digit(price in any_decimal(), quantity in any_decimal()) {
        let price_of = Money::new(price, Currency::USD);
        for (rate, places) in [
            (UnitRate::per_unit(price_of), 0),
            (UnitRate::per_thousand(price_of), 3),
            (UnitRate::per_million(price_of), 6),
        ] {
            agrees(rate.cost(quantity), &oracle::product(price, quantity, places))?;
        }
    }

    #[test]
    fn flat_rates_are_additive_over_usage(
        cents in 0_i64..100_000,
        first in any::<u32>(),
        second in any::<u32>(),
    ) {
        let rate = UnitRate::per_million(Money::new(Decimal::new(cents, 2), Currency::USD));
        let (first, second) = (TokenCount::new(first.into()), TokenCount::new(second.into()));
        let apart = rate.cost(first).unwrap().checked_add(rate.cost(second).unwrap());
        prop_assert_eq!(rate.cost(first.checked_add(second).unwrap()), apart);
    }
}
