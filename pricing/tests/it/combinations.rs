//! The 36 combinations of tier, model and supply.
//!
//! Computed with Python's `fractions` from the definitions: u = t ÷ (1 − t) × model × supply, p* = c (1 + u),
//! clamped into [c ÷ 0.85, c ÷ 0.5], then to cents. Totals and the four named margins are those of the
//! project's research.

use std::collections::BTreeSet;

use bursar_pricing::SupplyState::{self, Balanced, Scarce, Surplus};
use bursar_pricing::{Bound, Clamp, Model, Price, PriceRequest, PricingPolicy, Tier};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::date;
use num_rational::BigRational;

use crate::rational::{exact, is_inside, margin};
use Bound::{Ceiling, Floor};

type Row = (
    Tier,
    Model,
    SupplyState,
    &'static str,
    &'static str,
    Option<Bound>,
);

/// Tier, model, supply, price of 1000.00, its margin, and the margin bound that holds it.
const TABLE: [Row; 36] = [
    (
        Tier::Free,
        Model::GPT_4,
        Surplus,
        "1176.48",
        "0.150007",
        Some(Floor),
    ),
    (
        Tier::Free,
        Model::GPT_4,
        Balanced,
        "1211.76",
        "0.174754",
        None,
    ),
    (
        Tier::Free,
        Model::GPT_4,
        Scarce,
        "1275.29",
        "0.215865",
        None,
    ),
    (
        Tier::Free,
        Model::GPT_3_5,
        Surplus,
        "1176.48",
        "0.150007",
        Some(Floor),
    ),
    (
        Tier::Free,
        Model::GPT_3_5,
        Balanced,
        "1176.48",
        "0.150007",
        None,
    ),
    (
        Tier::Free,
        Model::GPT_3_5,
        Scarce,
        "1229.41",
        "0.186602",
        None,
    ),
    (
        Tier::Free,
        Model::CLAUDE,
        Surplus,
        "1176.48",
        "0.150007",
        Some(Floor),
    ),
    (
        Tier::Free,
        Model::CLAUDE,
        Balanced,
        "1194.12",
        "0.162563",
        None,
    ),
    (
        Tier::Free,
        Model::CLAUDE,
        Scarce,
        "1252.35",
        "0.201501",
        None,
    ),
    (
        Tier::Free,
        Model::DOMESTIC,
        Surplus,
        "1176.48",
        "0.150007",
        Some(Floor),
    ),
    (
        Tier::Free,
        Model::DOMESTIC,
        Balanced,
        "1176.48",
        "0.150007",
        Some(Floor),
    ),
    (
        Tier::Free,
        Model::DOMESTIC,
        Scarce,
        "1206.47",
        "0.171136",
        None,
    ),
    (
        Tier::Growth,
        Model::GPT_4,
        Surplus,
        "1320.00",
        "0.242424",
        None,
    ),
    (
        Tier::Growth,
        Model::GPT_4,
        Balanced,
        "1400.00",
        "0.285714",
        None,
    ),
    (
        Tier::Growth,
        Model::GPT_4,
        Scarce,
        "1520.00",
        "0.342105",
        None,
    ),
    (
        Tier::Growth,
        Model::GPT_3_5,
        Surplus,
        "1266.67",
        "0.210528",
        None,
    ),
    (
        Tier::Growth,
        Model::GPT_3_5,
        Balanced,
        "1333.33",
        "0.249998",
        None,
    ),
    (
        Tier::Growth,
        Model::GPT_3_5,
        Scarce,
        "1433.33",
        "0.302324",
        None,
    ),
    (
        Tier::Growth,
        Model::CLAUDE,
        Surplus,
        "1293.33",
        "0.226802",
        None,
    ),
    (
        Tier::Growth,
        Model::CLAUDE,
        Balanced,
        "1366.67",
        "0.268294",
        None,
    ),
    (
        Tier::Growth,
        Model::CLAUDE,
        Scarce,
        "1476.67",
        "0.322801",
        None,
    ),
    (
        Tier::Growth,
        Model::DOMESTIC,
        Surplus,
        "1240.00",
        "0.193548",
        None,
    ),
    (
        Tier::Growth,
        Model::DOMESTIC,
        Balanced,
        "1300.00",
        "0.230769",
        None,
    ),
    (
        Tier::Growth,
        Model::DOMESTIC,
        Scarce,
        "1390.00",
        "0.280576",
        None,
    ),
    (
        Tier::Enterprise,
        Model::GPT_4,
        Surplus,
        "1640.00",
        "0.390244",
        None,
    ),
    (
        Tier::Enterprise,
        Model::GPT_4,
        Balanced,
        "1800.00",
        "0.444444",
        None,
    ),
    (
        Tier::Enterprise,
        Model::GPT_4,
        Scarce,
        "2000.00",
        "0.500000",
        Some(Ceiling),
    ),
    (
        Tier::Enterprise,
        Model::GPT_3_5,
        Surplus,
        "1533.33",
        "0.347825",
        None,
    ),
    (
        Tier::Enterprise,
        Model::GPT_3_5,
        Balanced,
        "1666.67",
        "0.400001",
        None,
    ),
    (
        Tier::Enterprise,
        Model::GPT_3_5,
        Scarce,
        "1866.67",
        "0.464287",
        None,
    ),
    (
        Tier::Enterprise,
        Model::CLAUDE,
        Surplus,
        "1586.67",
        "0.369749",
        None,
    ),
    (
        Tier::Enterprise,
        Model::CLAUDE,
        Balanced,
        "1733.33",
        "0.423076",
        None,
    ),
    (
        Tier::Enterprise,
        Model::CLAUDE,
        Scarce,
        "1953.33",
        "0.488054",
        None,
    ),
    (
        Tier::Enterprise,
        Model::DOMESTIC,
        Surplus,
        "1480.00",
        "0.324324",
        None,
    ),
    (
        Tier::Enterprise,
        Model::DOMESTIC,
        Balanced,
        "1600.00",
        "0.375000",
        None,
    ),
    (
        Tier::Enterprise,
        Model::DOMESTIC,
        Scarce,
        "1780.00",
        "0.438202",
        None,
    ),
];

fn price_of(cost: &str, tier: &Tier, model: &Model, supply: SupplyState, places: u32) -> Price {
    let cost = Money::parse(cost, Currency::USD).unwrap();
    let request = PriceRequest::new(cost, tier, model, date(2026, 11, 27)).supply(supply);
    let quantum = Quantum::decimal_places(places).unwrap();
    let policy = PricingPolicy::standard().with_quantum(quantum);
    policy.price(&request).unwrap()
}

#[test]
fn each_combination_has_the_price_of_the_table() {
    for (tier, model, supply, price, margin, clamp) in TABLE {
        let found = price_of("1000.00", &tier, &model, supply, 2);
        let row = format!("{tier} {model} {supply}");
        assert_eq!(found.price().to_string(), format!("{price} USD"), "{row}");
        assert_eq!(found.margin().to_string(), margin, "{row}");
        assert_eq!(found.clamp(), clamp.map(Clamp::Margin), "{row}");
    }
}

#[test]
fn none_is_below_cost_six_are_clamped_and_31_differ() {
    let fine = TABLE.map(|(tier, model, supply, ..)| price_of("1", &tier, &model, supply, 12));
    let cost = exact(fine[0].cost().amount());
    for price in &fine {
        let margin = margin(&cost, &exact(price.price().amount()));
        assert!(
            is_inside(&margin, PricingPolicy::standard().bounds()),
            "{price}"
        );
        assert!(price.price() >= price.cost());
    }
    let clamped = fine.iter().filter(|price| price.clamp().is_some()).count();
    assert_eq!(clamped, 6);
    let distinct: BTreeSet<BigRational> = fine
        .iter()
        .map(|price| exact(price.price().amount()))
        .collect();
    assert_eq!(distinct.len(), 31);
}

#[test]
fn the_named_margins_are_those_of_the_research() {
    for (tier, model, supply, tenths_of_percent) in [
        (Tier::Growth, Model::GPT_4, Balanced, "0.286"),
        (Tier::Growth, Model::DOMESTIC, Surplus, "0.194"),
        (Tier::Enterprise, Model::GPT_4, Scarce, "0.500"),
        (Tier::Free, Model::GPT_3_5, Surplus, "0.150"),
    ] {
        let price = price_of("1", &tier, &model, supply, 12);
        assert_eq!(price.margin().round_dp(3).to_string(), tenths_of_percent);
    }
}

#[test]
fn a_better_tier_never_pays_more_than_the_next() {
    let prices = |tier: Tier| {
        let rows = TABLE.iter().filter(move |row| row.0 == tier);
        rows.map(|row| price_of("1", &row.0, &row.1, row.2, 12).price())
    };
    let higher = prices(Tier::Growth).zip(prices(Tier::Enterprise));
    for (free, (growth, enterprise)) in prices(Tier::Free).zip(higher) {
        assert!(free <= growth && growth <= enterprise);
    }
}
