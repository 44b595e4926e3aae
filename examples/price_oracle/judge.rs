//! Is what the engine says right?

use bursar_pricing::{Bound, Price, PricingError, Quote, QuoteId, Step};
use bursar_units::Money;
use jiff::{SignedDuration, Timestamp};
use num_bigint::BigInt;
use rust_decimal::Decimal;

use crate::case::Case;
use crate::exact::Fraction;
use crate::outcome::Outcome;

/// Prices a case and judges the answer.
pub(crate) fn judge(case: &Case, number: u64) -> anyhow::Result<Outcome> {
    let mut judge = Judge {
        case,
        number,
        outcome: Outcome::of_one_case(),
    };
    let answer = case.policy.price(&case.request());
    judge.outcome.count(match &answer {
        Ok(price) if price.exposure().is_some() => "fixed, exposure reported",
        Ok(price) if price.is_fixed() => "fixed, inside the bounds",
        Ok(price) if price.clamp().is_some() => "computed, held by a bound",
        Ok(_) => "computed",
        Err(PricingError::NoMultiple { .. }) => "refused, quantum too coarse",
        Err(PricingError::ContractConflict { .. }) => "refused, contract and margin",
        Err(PricingError::CostRiseTooWide { .. }) => "refused, rise too wide",
        Err(PricingError::TooManyDigits { .. }) => "refused, too many digits",
        Err(_) => "refused, other",
    });
    match &answer {
        Ok(price) => judge.price(price)?,
        Err(error) => judge.refusal(error),
    }
    Ok(judge.outcome)
}

struct Judge<'a> {
    case: &'a Case,
    number: u64,
    outcome: Outcome,
}

/// The exact totals on the way to the price, and what bounds it.
struct Truth {
    cost: Fraction,
    tier: Fraction,
    model: Fraction,
    supply: Fraction,
    discounted: Fraction,
    margin_low: Fraction,
    margin_high: Fraction,
    low: Fraction,
    high: Fraction,
    quantum: Fraction,
}

impl Truth {
    fn of(case: &Case, supply_factor: Decimal) -> Self {
        let one = Fraction::whole(1);
        let cost = Fraction::of(case.cost.amount());
        let bounds = case.policy.bounds();
        let rest = |share: Decimal| &one - &Fraction::of(share);
        let target = case.target.as_decimal();
        let tier = &Fraction::of(target) / &rest(target);
        let model = &tier * &Fraction::of(case.model_factor.as_decimal());
        let supply = &(&model * &Fraction::of(supply_factor));
        let marked_up = |mark_up: &Fraction| &cost * &(&one + mark_up);
        let margin_low = &cost / &rest(bounds.least().as_decimal());
        let margin_high = &cost / &rest(bounds.most().as_decimal());
        let risen = &margin_low * &(&one + &Fraction::of(case.cost_rise.as_decimal()));
        let floor = case.terms.floor.map(Fraction::of);
        let ceiling = case.terms.ceiling.map(Fraction::of);
        Self {
            tier: marked_up(&tier),
            model: marked_up(&model),
            supply: marked_up(supply),
            discounted: &marked_up(supply) * &rest(case.terms.discount),
            low: floor.map_or(risen.clone(), |floor| floor.max(risen)),
            high: ceiling.map_or(margin_high.clone(), |it| it.min(margin_high.clone())),
            margin_low,
            margin_high,
            quantum: Fraction::of(case.quantum),
            cost,
        }
    }

    /// Whether a multiple of this step lies inside the bounds.
    fn has_multiple_of(&self, step: &Fraction) -> bool {
        (&self.low / step).ceiling() <= (&self.high / step).floor()
    }
}

impl Judge<'_> {
    fn require(&mut self, is_right: bool, what: &str) {
        if !is_right {
            let Self { case, number, .. } = self;
            let text = format!("case {number}: {what}: {case:?}");
            self.outcome.violation(text);
        }
    }

    fn price(&mut self, price: &Price) -> anyhow::Result<()> {
        let case = self.case;
        let found = price.supply_factor().as_decimal();
        let is_factor_right = match case.supply_factor {
            Some(factor) => factor.as_decimal() == found,
            None => found >= Decimal::new(8, 1) && found <= Decimal::new(13, 1),
        };
        self.require(is_factor_right, "the factor of the supply");
        let truth = Truth::of(case, found);
        let amount = Fraction::of(price.price().amount());
        match case.terms.fixed_price {
            Some(fixed) => self.fixed(price, &truth, &Fraction::of(fixed)),
            None => self.computed(price, &truth, &amount),
        }
        self.waterfall(price, &truth, &amount);
        self.margin(price, &truth, &amount);
        self.quote(price, &truth)
    }

    /// Honored as it is, and reported where it breaks the bounds of the margin.
    fn fixed(&mut self, price: &Price, truth: &Truth, fixed: &Fraction) {
        let is_honored = Fraction::of(price.price().amount()) == *fixed;
        self.require(is_honored, "a fixed price is honored");
        let broken = if *fixed < truth.margin_low {
            Some((Bound::Floor, &truth.margin_low - fixed))
        } else if *fixed > truth.margin_high {
            Some((Bound::Ceiling, fixed - &truth.margin_high))
        } else {
            None
        };
        let is_reported = match (broken, price.exposure()) {
            (None, None) => true,
            (Some((bound, gap)), Some(exposure)) => {
                let reported = Fraction::of(exposure.gap.amount());
                let unit = unit(exposure.gap.amount().scale());
                bound == exposure.bound && reported >= gap && reported < &gap + &unit
            }
            _ => false,
        };
        self.require(is_reported, "the exposure of a fixed price");
    }

    /// The nearest multiple of the quantum inside all bounds.
    fn computed(&mut self, price: &Price, truth: &Truth, amount: &Fraction) {
        self.require(*amount >= truth.cost, "not below cost");
        self.require(*amount >= truth.margin_low, "not below the margin's floor");
        self.require(
            *amount <= truth.margin_high,
            "not above the margin's ceiling",
        );
        self.require(*amount >= truth.low, "not below any floor");
        self.require(*amount <= truth.high, "not above any ceiling");
        let count = amount / &truth.quantum;
        self.require(count.is_whole(), "a multiple of the quantum");
        let least = (&truth.low / &truth.quantum).ceiling();
        let most = (&truth.high / &truth.quantum).floor();
        let nearest = (&truth.discounted / &truth.quantum).half_even();
        let expected = (&nearest).max(&least).min(&most);
        let is_nearest = count == Fraction::whole(expected.clone());
        self.require(is_nearest, "the nearest multiple inside");
        let is_multiple = |money: Money, count: BigInt| {
            Fraction::of(money.amount()) == &Fraction::whole(count) * &truth.quantum
        };
        let is_allowed_right = price
            .allowed()
            .is_some_and(|it| is_multiple(it.least, least) && is_multiple(it.most, most));
        self.require(is_allowed_right, "the prices that are allowed");
        let is_held = truth.discounted < truth.low || truth.discounted > truth.high;
        self.require(
            price.clamp().is_some() == is_held,
            "whether a bound holds the price",
        );
        self.require(
            price.exposure().is_none(),
            "no exposure of a computed price",
        );
    }

    /// The steps add up exactly, and each is within a unit of the last place of what it should be.
    fn waterfall(&mut self, price: &Price, truth: &Truth, amount: &Fraction) {
        let fixed = self.case.terms.fixed_price.map(Fraction::of);
        let (discounted, bounded) = match &fixed {
            Some(_) => (&truth.supply, &truth.supply),
            None => {
                let at_least = (&truth.discounted).max(&truth.low);
                (&truth.discounted, at_least.min(&truth.high))
            }
        };
        let totals = [
            &truth.cost,
            &truth.tier,
            &truth.model,
            &truth.supply,
            discounted,
            bounded,
            fixed.as_ref().unwrap_or(bounded),
            amount,
        ];
        let unit = unit(price.waterfall().places());
        let zero = Fraction::whole(0);
        let mut before = &zero;
        for ((step, money), total) in price.waterfall().steps().zip(totals) {
            let expected = total - before;
            let is_close = Fraction::of(money.amount()).is_near(&expected, &unit);
            self.require(is_close, step.label());
            before = total;
        }
        let steps = price.waterfall().steps().map(|(_, money)| money.amount());
        let steps: Vec<Decimal> = steps.collect();
        self.require(
            adds_up(&steps, price.price().amount()),
            "the waterfall adds up",
        );
        let cost = price.waterfall().amount(Step::Cost);
        self.require(cost == self.case.cost, "the first step is the cost");
    }

    /// The margin that is shown is the exact one, rounded.
    fn margin(&mut self, price: &Price, truth: &Truth, amount: &Fraction) {
        let margin = &(amount - &truth.cost) / amount;
        let half_a_unit = &unit(Price::MARGIN_PLACES) / &Fraction::whole(2);
        let is_near = Fraction::of(price.margin()).is_near(&margin, &half_a_unit);
        self.require(is_near, "the margin that is shown");
    }

    /// A quote is redeemed at exactly the price, and keeps the floor after the rise of the cost.
    fn quote(&mut self, price: &Price, truth: &Truth) -> anyhow::Result<()> {
        let case = self.case;
        let now = Timestamp::UNIX_EPOCH;
        let validity = SignedDuration::from_hours(1);
        let id = QuoteId::new("q-1")?;
        let quote = Quote::issue(id, &case.policy, &case.request(), now, validity)?;
        self.require(
            quote.redeem(now) == Ok(price.price()),
            "a quote is the price",
        );
        self.require(
            quote.price() == price,
            "the same inputs have the same price",
        );
        let kept = quote.keeps_floor_at(case.cost)?;
        let is_kept = Fraction::of(price.price().amount()) >= truth.margin_low;
        self.require(kept == is_kept, "whether a quote keeps the floor");
        Ok(())
    }

    /// There really is no price, and what is suggested would do.
    fn refusal(&mut self, error: &PricingError) {
        let truth = Truth::of(self.case, Decimal::ONE);
        match error {
            PricingError::NoMultiple { suggestion, .. } => {
                let is_right = !truth.has_multiple_of(&truth.quantum) && truth.low <= truth.high;
                self.require(is_right, "a quantum that is refused");
                let Some(suggestion) = suggestion.map(Fraction::of) else {
                    // Bounds that meet in a point without an end in decimals hold no price at all.
                    let finest = Fraction::of(Decimal::from_i128_with_scale(1, 28));
                    let is_right = !truth.has_multiple_of(&finest);
                    return self.require(is_right, "that no quantum of 28 places would do");
                };
                let is_right = suggestion < truth.quantum && truth.has_multiple_of(&suggestion);
                self.require(is_right, "a quantum that is suggested");
            }
            PricingError::ContractConflict { .. } => {
                let has_term = self.case.terms.floor.or(self.case.terms.ceiling).is_some();
                let is_right = truth.low > truth.high && has_term;
                self.require(is_right, "a contract that is refused");
            }
            PricingError::CostRiseTooWide { .. } => {
                self.require(truth.low > truth.high, "a rise that is refused");
            }
            other => self.require(false, &format!("refused: {other}")),
        }
    }
}

/// Whether the terms have this sum, in whole numbers of the finest of their places.
fn adds_up(terms: &[Decimal], sum: Decimal) -> bool {
    let scale = terms.iter().map(Decimal::scale).max().unwrap_or_default();
    let scale = scale.max(sum.scale());
    let units =
        |it: &Decimal| BigInt::from(it.mantissa()) * BigInt::from(10).pow(scale - it.scale());
    terms.iter().map(units).sum::<BigInt>() == units(&sum)
}

/// A unit of a decimal place.
fn unit(places: u32) -> Fraction {
    Fraction::of(Decimal::new(1, places))
}
