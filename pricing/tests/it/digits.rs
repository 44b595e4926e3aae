//! Decimals of all lengths: there is a price wherever 28 digits hold it and its explanation.

use bursar_pricing::{
    Contract, ContractId, Model, Price, PriceRequest, PricingPolicy, Scope, Term, Tier,
};
use bursar_units::{Money, Quantum};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

const DAY: Date = date(2026, 11, 27);

fn standard(quantum: &str) -> PricingPolicy {
    let step = quantum.parse::<Decimal>().unwrap();
    PricingPolicy::standard().with_quantum(Quantum::step(step).unwrap())
}

fn fixed(price: &str) -> Contract {
    Contract::new(ContractId::new("c-1").unwrap(), date(2026, 1, 1), None)
        .unwrap()
        .with(Scope::all(), Term::FixedPrice(price.parse().unwrap()))
        .unwrap()
}

fn assert_explained(price: &Price) {
    let steps = price.waterfall().steps().map(|(_, money)| money);
    assert_eq!(Money::try_sum(steps).unwrap(), Some(price.price()));
}

#[test]
fn zeros_at_the_end_of_a_quantum_change_no_price() {
    for (cost, quantum, with_zeros) in [
        // Multiples near the cost have 28 digits that count, and one more with the zero.
        (
            "39170 USD",
            "0.926692720191819028136923",
            "0.9266927201918190281369230",
        ),
        ("70000000000000000000000 USD", "0.5", "0.500000000"),
        (
            "28800000 USD",
            "0.000000000071495366344",
            "0.0000000000714953663440",
        ),
    ] {
        let cost: Money = cost.parse().unwrap();
        let request = PriceRequest::new(cost, &Tier::Free, &Model::GPT_3_5, DAY);
        let price = standard(quantum).price(&request).unwrap();
        let same = standard(with_zeros).price(&request).unwrap();
        assert_eq!(same.price(), price.price());
        assert_explained(&same);
    }
}

#[test]
fn a_fixed_price_is_honored_however_far_it_is_from_the_cost() {
    for (cost, price, quantum) in [
        (
            "1000000000 USD",
            "3040511657525614751294371.8228 USD",
            "0.0000000431",
        ),
        (
            "1.8332342545039742 USD",
            "4333623416676576.55031949598 USD",
            "0.0000000000000000003659057017",
        ),
        // The sum of their digits is beyond 128 bits.
        (
            "17610214109341033508.123844 USD",
            "0.00000000000000000000754 USD",
            "0.125",
        ),
        // A quantum finer than all digits has no part in it.
        (
            "1000000000 USD",
            "2154000000 USD",
            "0.0000000000000000000000000001",
        ),
    ] {
        let (cost, contract) = (cost.parse().unwrap(), fixed(price));
        let request =
            PriceRequest::new(cost, &Tier::Enterprise, &Model::GPT_4, DAY).contract(&contract);
        let found = standard(quantum).price(&request).unwrap();
        assert_eq!(found.price(), price.parse().unwrap());
        assert!(found.exposure().is_some());
        assert_explained(&found);
    }
}
