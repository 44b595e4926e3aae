//! What holds of every price: the engine beside fractions of any size.

use bursar_pricing::{
    Factor, Margin, MarginBounds, Model, PriceRequest, PricingError, PricingPolicy, SupplyFactors,
    SupplyState, Tier,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::date;
use num_rational::BigRational;
use num_traits::Zero;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::rational::{Inputs, exact};

/// A policy and a cost, as numbers from which both engines are fed.
#[derive(Debug, Clone)]
struct Case {
    cost: Decimal,
    target: Decimal,
    model: Decimal,
    supply: Decimal,
    least: Decimal,
    most: Decimal,
    quantum: Decimal,
}

fn case() -> impl Strategy<Value = Case> {
    let percent = |n: i64| Decimal::new(n, 2);
    (
        (1_i64..1_000_000_000, 0..19_u32),
        0_i64..95,
        (50_i64..200, 50_i64..200),
        (1_i64..30, 31_i64..95),
        (1_i64..20, 0..10_u32),
    )
        .prop_map(move |(cost, target, factors, bounds, quantum)| Case {
            cost: Decimal::new(cost.0, cost.1),
            target: percent(target),
            model: percent(factors.0),
            supply: percent(factors.1),
            least: percent(bounds.0),
            most: percent(bounds.1),
            quantum: Decimal::new(quantum.0, quantum.1),
        })
}

impl Case {
    fn reference(&self) -> Inputs {
        Inputs {
            cost: exact(self.cost),
            target: exact(self.target),
            factors: vec![exact(self.model), exact(self.supply)],
            discount: BigRational::zero(),
            least: exact(self.least),
            most: exact(self.most),
            cost_rise: BigRational::zero(),
            floor: None,
            ceiling: None,
            quantum: exact(self.quantum),
        }
    }

    fn price(&self) -> Result<bursar_pricing::Price, PricingError> {
        let margin = |share| Margin::new(share).unwrap();
        let factor = |value| Factor::new(value).unwrap();
        let bounds = MarginBounds::new(margin(self.least), margin(self.most)).unwrap();
        let supply = SupplyFactors {
            surplus: factor(self.supply),
            balanced: factor(self.supply),
            scarce: factor(self.supply),
        };
        let policy = PricingPolicy::new(margin(Decimal::new(25, 2)), bounds)
            .with_tier(Tier::Growth, margin(self.target))
            .with_model(Model::GPT_4, factor(self.model))
            .with_supply(supply)
            .with_quantum(Quantum::step(self.quantum).unwrap());
        let cost = Money::new(self.cost, Currency::USD);
        let request = PriceRequest::new(cost, &Tier::Growth, &Model::GPT_4, date(2026, 11, 20));
        policy.price(&request.supply(SupplyState::Balanced))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_price_is_what_fractions_say(case in case()) {
        match (case.price(), case.reference().price()) {
            (Ok(price), Some(expected)) => {
                prop_assert_eq!(exact(price.price().amount()), expected);
                let steps = price.waterfall().steps().map(|(_, amount)| exact(amount.amount()));
                let sum = steps.fold(BigRational::zero(), |sum, step| sum + step);
                prop_assert_eq!(sum, exact(price.price().amount()));
                prop_assert!(price.price().amount() >= case.cost);
            }
            (Err(_), None) => {}
            (found, expected) => prop_assert!(false, "{found:?}, and fractions say {expected:?}"),
        }
    }

    #[test]
    fn a_higher_cost_never_has_a_lower_price(case in case(), more in 1_i64..1_000) {
        let dearer = Case { cost: case.cost * Decimal::new(1_000 + more, 3), ..case.clone() };
        if let (Ok(price), Ok(higher)) = (case.price(), dearer.price()) {
            prop_assert!(higher.price().amount() >= price.price().amount());
        }
    }

    #[test]
    fn cost_and_quantum_scale_together(case in case(), power in 1..4_u32) {
        let by = Decimal::from(10_u64.pow(power));
        let scaled = Case { cost: case.cost * by, quantum: case.quantum * by, ..case.clone() };
        if let (Ok(price), Ok(scaled)) = (case.price(), scaled.price()) {
            prop_assert_eq!(scaled.price().amount(), price.price().amount() * by);
        }
    }

    #[test]
    fn the_order_of_factors_changes_nothing(case in case()) {
        let exchanged = Case { model: case.supply, supply: case.model, ..case.clone() };
        let amount = |case: &Case| case.price().map(|price| price.price().amount()).ok();
        prop_assert_eq!(amount(&case), amount(&exchanged));
    }
}
