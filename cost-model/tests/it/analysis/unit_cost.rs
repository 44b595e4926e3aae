//! What does one unit of use cost, and when is that unknown?

use bursar_cost_model::{DateRange, Exact, UnitCost, UnknownUnitCost, unit_costs};
use proptest::prelude::*;

use super::{range, sum};

fn check(cost: &str, quantity: Option<&str>, expected: Result<&str, UnknownUnitCost>) {
    let quantity = quantity.map(|q| q.parse().unwrap());
    let unit_cost = UnitCost::of(&sum(cost), quantity, Exact::from(1000), 4);
    let expected = match expected {
        Ok(amount) => UnitCost::Known(amount.parse().unwrap()),
        Err(reason) => UnitCost::Unknown(reason),
    };
    assert_eq!(unit_cost, expected);
}

#[test]
fn prices_a_thousand_requests() {
    check("200.34", Some("1250000"), Ok("0.1603"));
    check("-1", Some("3"), Ok("-333.3333"));
    check("0", Some("5"), Ok("0.0000"));
}

#[test]
fn does_not_know_the_unit_cost_without_units() {
    check("200.34", None, Err(UnknownUnitCost::MissingQuantity));
    check("200.34", Some("0"), Err(UnknownUnitCost::NoQuantity));
    check("200.34", Some("-2"), Err(UnknownUnitCost::NegativeQuantity));
    check(
        "999999999999999999999999",
        Some("1e-37"),
        Err(UnknownUnitCost::OutOfRange),
    );
}

#[test]
fn gives_a_series_over_periods() {
    let (october, november): (DateRange, DateRange) = (range("2026-10"), range("2026-11"));
    let costs = [
        (november, sum("30")),
        (october, sum("10")),
        (november, sum("20")),
    ];
    let tenants = [(november, Exact::from(4)), (october, Exact::from(4))];
    let series = unit_costs(costs, tenants, Exact::from(1), 2).unwrap();
    let known: Vec<_> = series
        .iter()
        .map(|unit| (unit.key, unit.unit_cost.known()))
        .collect();
    let amount = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        known,
        [(october, amount("2.50")), (november, amount("12.50"))]
    );
}

#[test]
fn keeps_keys_that_have_only_one_side() {
    let units = unit_costs(
        [("a", sum("3"))],
        [("b", Exact::from(2))],
        Exact::from(1),
        2,
    )
    .unwrap();
    assert_eq!(
        units[0].unit_cost,
        UnitCost::Unknown(UnknownUnitCost::MissingQuantity)
    );
    assert_eq!(
        units[1].unit_cost,
        UnitCost::Unknown(UnknownUnitCost::MissingCost)
    );
    assert_eq!(units[1].cost, None);
}

proptest! {
    #[test]
    fn is_within_half_a_unit_of_the_last_place(
        cost in -1_000_000_000i64..1_000_000_000, quantity in 1i64..1_000_000, places in 0u32..9,
    ) {
        let unit = UnitCost::of(
            &Exact::new(cost.into(), 2).unwrap().into(), Some(Exact::from(quantity)), Exact::from(1), places,
        );
        let unit = Exact::try_from(unit.known().unwrap()).unwrap();
        // |q·u − c| ≤ q ÷ 2 ÷ 10^places, all exact.
        let product = unit.checked_mul(Exact::from(quantity)).unwrap();
        let error = product.checked_sub(Exact::new(cost.into(), 2).unwrap()).unwrap().abs();
        let bound = Exact::new(i128::from(quantity) * 5, places + 1).unwrap();
        prop_assert!(error <= bound, "{error} {bound}");
    }
}
