//! Fractions of any size, and a pricing engine of twenty lines that uses them: slow and plainly right. It
//! shares no arithmetic with the engine.

use bursar_pricing::MarginBounds;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use rust_decimal::Decimal;

/// The exact value of a decimal.
pub(crate) fn exact(decimal: Decimal) -> BigRational {
    let unit = BigInt::from(10).pow(decimal.scale());
    BigRational::new(decimal.mantissa().into(), unit)
}

/// What a price follows from, as fractions.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    pub(crate) cost: BigRational,
    pub(crate) target: BigRational,
    pub(crate) factors: Vec<BigRational>,
    pub(crate) discount: BigRational,
    pub(crate) least: BigRational,
    pub(crate) most: BigRational,
    pub(crate) cost_rise: BigRational,
    pub(crate) floor: Option<BigRational>,
    pub(crate) ceiling: Option<BigRational>,
    pub(crate) quantum: BigRational,
}

impl Inputs {
    /// Cost × (1 + t ÷ (1 − t) × factors) × (1 − discount).
    pub(crate) fn unbounded(&self) -> BigRational {
        let one = BigRational::one();
        let mark_up = &self.target / (&one - &self.target);
        let mark_up = self
            .factors
            .iter()
            .fold(mark_up, |product, it| product * it);
        &self.cost * (&one + mark_up) * (one - &self.discount)
    }

    pub(crate) fn low(&self) -> BigRational {
        let one = BigRational::one();
        let floor = &self.cost * (&one + &self.cost_rise) / (one - &self.least);
        match &self.floor {
            Some(contract) => floor.max(contract.clone()),
            None => floor,
        }
    }

    pub(crate) fn high(&self) -> BigRational {
        let ceiling = &self.cost / (BigRational::one() - &self.most);
        match &self.ceiling {
            Some(contract) => ceiling.min(contract.clone()),
            None => ceiling,
        }
    }

    /// The price, or `None` where no multiple of the quantum is inside.
    pub(crate) fn price(&self) -> Option<BigRational> {
        let least = (self.low() / &self.quantum).ceil();
        let most = (self.high() / &self.quantum).floor();
        if least > most {
            return None;
        }
        let nearest = half_even(&(self.unbounded() / &self.quantum));
        Some(nearest.clamp(least, most) * &self.quantum)
    }
}

/// To the nearest whole number, a tie to the even one.
pub(crate) fn half_even(number: &BigRational) -> BigRational {
    let half = BigRational::new(1.into(), 2.into());
    let down = number.floor();
    let rest = number - &down;
    let is_odd = !(&down.to_integer() % 2_u32).is_zero();
    match rest > half || (rest == half && is_odd) {
        true => down + BigRational::one(),
        false => down,
    }
}

/// The margin of a price.
pub(crate) fn margin(cost: &BigRational, price: &BigRational) -> BigRational {
    BigRational::one() - cost / price
}

/// Whether a margin is inside the bounds.
pub(crate) fn is_inside(margin: &BigRational, bounds: MarginBounds) -> bool {
    *margin >= exact(bounds.least().as_decimal()) && *margin <= exact(bounds.most().as_decimal())
}

#[test]
fn the_reference_rounds_ties_to_even() {
    let halves = |n: i64| BigRational::new(n.into(), 2.into());
    for (number, expected) in [(1, 0), (3, 2), (5, 2), (7, 4), (4, 2)] {
        assert_eq!(half_even(&halves(number)), halves(2 * expected));
    }
    assert!(half_even(&halves(1)).abs().is_zero());
}
