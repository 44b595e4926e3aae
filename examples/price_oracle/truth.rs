//! What is the price, in fractions?

use num_bigint::BigInt;
use rust_decimal::Decimal;

use crate::exact::{Fraction, fits, power};

/// All that a price follows from, as plain numbers.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    pub(crate) cost: Decimal,
    pub(crate) target: Decimal,
    /// `None` where the policy does not know the model.
    pub(crate) model_factor: Option<Decimal>,
    pub(crate) supply_factor: Decimal,
    /// What a volume lets off; the contract's discount is among the terms.
    pub(crate) volume_discount: Decimal,
    pub(crate) least: Decimal,
    pub(crate) most: Decimal,
    pub(crate) cost_rise: Decimal,
    pub(crate) terms: Terms,
    /// `None` where the currency has no minor unit to round to.
    pub(crate) quantum: Option<Decimal>,
}

/// The terms that hold for what is priced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) fixed_price: Option<Decimal>,
    pub(crate) discount: Decimal,
    pub(crate) floor: Option<Decimal>,
    pub(crate) ceiling: Option<Decimal>,
    /// Whether an amount is in another currency.
    pub(crate) is_foreign: bool,
}

/// The exact totals on the way to the price, and what bounds it.
pub(crate) struct Truth {
    pub(crate) cost: Fraction,
    pub(crate) tier: Fraction,
    pub(crate) model: Fraction,
    pub(crate) supply: Fraction,
    pub(crate) discounted: Fraction,
    pub(crate) margin_low: Fraction,
    pub(crate) margin_high: Fraction,
    /// The floor of the margin after the rise of the cost.
    pub(crate) risen: Fraction,
    pub(crate) low: Fraction,
    pub(crate) high: Fraction,
    pub(crate) quantum: Fraction,
}

impl Truth {
    /// `None` where the question has no answer: a cost that is not over zero, an unknown model, a
    /// currency without minor unit, terms in another currency.
    pub(crate) fn of(inputs: &Inputs) -> Option<Self> {
        let is_answerable = inputs.cost > Decimal::ZERO && !inputs.terms.is_foreign;
        let model_factor = inputs.model_factor.filter(|_| is_answerable)?;
        let quantum = Fraction::of(inputs.quantum?);
        let one = Fraction::whole(1);
        let cost = Fraction::of(inputs.cost);
        let rest = |share: Decimal| &one - &Fraction::of(share);
        let tier = &Fraction::of(inputs.target) / &rest(inputs.target);
        let model = &tier * &Fraction::of(model_factor);
        let supply = &model * &Fraction::of(inputs.supply_factor);
        let marked_up = |mark_up: &Fraction| &cost * &(&one + mark_up);
        let margin_low = &cost / &rest(inputs.least);
        let margin_high = &cost / &rest(inputs.most);
        let risen = &margin_low * &(&one + &Fraction::of(inputs.cost_rise));
        let floor = inputs.terms.floor.map(Fraction::of);
        let ceiling = inputs.terms.ceiling.map(Fraction::of);
        let remaining = &rest(inputs.volume_discount) * &rest(inputs.terms.discount);
        Some(Self {
            tier: marked_up(&tier),
            model: marked_up(&model),
            supply: marked_up(&supply),
            discounted: &marked_up(&supply) * &remaining,
            low: floor.map_or(risen.clone(), |floor| floor.max(risen.clone())),
            high: ceiling.map_or(margin_high.clone(), |it| it.min(margin_high.clone())),
            margin_low,
            margin_high,
            risen,
            quantum,
            cost,
        })
    }

    pub(crate) fn is_low_by_contract(&self) -> bool {
        self.low > self.risen
    }

    pub(crate) fn is_high_by_contract(&self) -> bool {
        self.high < self.margin_high
    }

    /// Whether a multiple of this step lies inside the bounds.
    pub(crate) fn has_multiple_of(&self, step: &Fraction) -> bool {
        (&self.low / step).ceiling() <= (&self.high / step).floor()
    }

    /// The least, the nearest and the largest number of quanta inside the bounds, if there is one.
    pub(crate) fn quanta(&self) -> Option<[BigInt; 3]> {
        let least = (&self.low / &self.quantum).ceiling();
        let most = (&self.high / &self.quantum).floor();
        let nearest = (&self.discounted / &self.quantum).half_even();
        let nearest = (&nearest).max(&least).min(&most).clone();
        (least <= most).then_some([least, nearest, most])
    }

    /// The total that the bounds leave, before rounding.
    pub(crate) fn bounded(&self) -> &Fraction {
        (&self.discounted).max(&self.low).min(&self.high)
    }

    /// The totals after each step, given the price and the contract's fixed price.
    pub(crate) fn totals<'a>(
        &'a self,
        price: &'a Fraction,
        fixed: Option<&'a Fraction>,
    ) -> [&'a Fraction; 8] {
        let (discounted, bounded) = match fixed {
            Some(_) => (&self.supply, &self.supply),
            None => (&self.discounted, self.bounded()),
        };
        let fixed = fixed.unwrap_or(bounded);
        [
            &self.cost,
            &self.tier,
            &self.model,
            &self.supply,
            discounted,
            bounded,
            fixed,
            price,
        ]
    }

    /// Whether decimals hold neither the price nor its bounds, or no explanation of it.
    pub(crate) fn has_too_many_digits(&self, inputs: &Inputs) -> bool {
        let fixed = inputs.terms.fixed_price.map(Fraction::of);
        if let Some(fixed) = &fixed {
            return !self.is_explicable(fixed, Some(fixed)) || self.is_exposure_too_large(fixed);
        }
        match (self.quanta(), inputs.quantum) {
            (Some(counts), Some(quantum)) => {
                let amount = |count: &BigInt| count * BigInt::from(quantum.mantissa());
                let is_held = |count: &BigInt| fits(amount(count), quantum.scale());
                let price = &Fraction::whole(counts[1].clone()) * &self.quantum;
                !counts.iter().all(is_held) || !self.is_explicable(&price, None)
            }
            // The bound that a refusal would name.
            _ => {
                let limit = (&self.low).max(&self.high);
                limit.floor().bits() >= 96 || self.is_limit_too_long(inputs)
            }
        }
    }

    /// Whether a limit, rounded up to the places of all amounts, has more digits than a decimal.
    fn is_limit_too_long(&self, inputs: &Inputs) -> bool {
        let Terms { floor, ceiling, .. } = &inputs.terms;
        let amounts = [Some(inputs.cost), inputs.quantum, *floor, *ceiling];
        let places = amounts.into_iter().flatten().map(|it| it.scale()).max();
        let unit = Fraction::whole(power(places.unwrap_or_default()).clone());
        let limit = if self.is_low_by_contract() {
            &self.high
        } else {
            &self.low
        };
        (limit * &unit).ceiling().bits() > 96
    }

    /// Whether some number of places lets decimals hold each step of the waterfall and each total.
    fn is_explicable(&self, price: &Fraction, fixed: Option<&Fraction>) -> bool {
        let totals = self.totals(price, fixed);
        (0..=Decimal::MAX_SCALE).any(|places| {
            let coarse = power(Decimal::MAX_SCALE - places);
            let finest = Fraction::whole(power(Decimal::MAX_SCALE).clone());
            let to_places = Fraction::whole(power(places).clone());
            let mut before = BigInt::ZERO;
            totals.iter().enumerate().all(|(index, total)| {
                let total = match index {
                    0 | 7 => (*total * &finest).floor(),
                    _ => (*total * &to_places).half_even() * coarse,
                };
                let step = &total - std::mem::replace(&mut before, total.clone());
                fits(total, Decimal::MAX_SCALE) && fits(step, Decimal::MAX_SCALE)
            })
        })
    }

    fn is_exposure_too_large(&self, fixed: &Fraction) -> bool {
        *fixed < self.margin_low && (&self.margin_low - fixed).ceiling().bits() > 96
    }
}
