//! Is a price, or that there is none, right?

use bursar_pricing::{Bound, Clamp, Price, PricingError, Step, TermName};
use bursar_units::Money;
use num_bigint::BigInt;
use rust_decimal::Decimal;

use crate::exact::{Fraction, units};
use crate::outcome::Findings;
use crate::truth::{Inputs, Truth};

/// Judges an answer of the engine.
pub(crate) fn judge(
    findings: &mut Findings<'_>,
    inputs: &Inputs,
    answer: Result<&Price, &PricingError>,
) {
    let truth = Truth::of(inputs);
    match (answer, truth) {
        (Ok(price), Some(truth)) => price_of(findings, inputs, &truth, price),
        (Ok(_), None) => findings.require(false, "a price without an answer"),
        (Err(error), Some(truth)) => refusal(findings, inputs, &truth, error),
        (Err(error), None) => unanswerable(findings, inputs, error),
    }
}

fn price_of(findings: &mut Findings<'_>, inputs: &Inputs, truth: &Truth, price: &Price) {
    let found = price.supply_factor().as_decimal();
    findings.require(found == inputs.supply_factor, "the factor of the supply");
    let amount = Fraction::of(price.price().amount());
    let fixed = inputs.terms.fixed_price.map(Fraction::of);
    match &fixed {
        Some(fixed) => fixed_price(findings, truth, price, fixed),
        None => computed(findings, truth, price, &amount),
    }
    waterfall(findings, truth, price, &amount, fixed.as_ref());
    margin(findings, truth, price, &amount);
}

/// Honored as it is, and reported where it breaks the bounds of the margin.
fn fixed_price(findings: &mut Findings<'_>, truth: &Truth, price: &Price, fixed: &Fraction) {
    findings.count(match price.exposure() {
        Some(_) => "price: fixed, exposure reported",
        None => "price: fixed, inside the bounds",
    });
    let is_honored = Fraction::of(price.price().amount()) == *fixed;
    findings.require(is_honored, "a fixed price is honored");
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
    findings.require(is_reported, "the exposure of a fixed price");
}

/// The nearest multiple of the quantum inside all bounds.
fn computed(findings: &mut Findings<'_>, truth: &Truth, price: &Price, amount: &Fraction) {
    let requirements = [
        (*amount >= truth.cost, "not below cost"),
        (*amount >= truth.margin_low, "not below the margin's floor"),
        (
            *amount <= truth.margin_high,
            "not above the margin's ceiling",
        ),
        (*amount >= truth.low, "not below any floor"),
        (*amount <= truth.high, "not above any ceiling"),
        (
            price.exposure().is_none(),
            "no exposure of what is computed",
        ),
    ];
    for (is_right, what) in requirements {
        findings.require(is_right, what);
    }
    match truth.quanta() {
        Some([least, nearest, most]) => {
            let is_multiple = |money: Money, count: BigInt| {
                Fraction::of(money.amount()) == &Fraction::whole(count) * &truth.quantum
            };
            let is_nearest = is_multiple(price.price(), nearest);
            findings.require(is_nearest, "the nearest multiple inside");
            let is_right = price
                .allowed()
                .is_some_and(|it| is_multiple(it.least, least) && is_multiple(it.most, most));
            findings.require(is_right, "the prices that are allowed");
        }
        None => findings.require(false, "a price where there is none"),
    }
    clamp(findings, truth, price);
}

/// What held the price before it was rounded.
fn clamp(findings: &mut Findings<'_>, truth: &Truth, price: &Price) {
    let by = |bound, is_by_contract| match is_by_contract {
        true => Some(Clamp::Contract(bound)),
        false => Some(Clamp::Margin(bound)),
    };
    let expected = if truth.discounted < truth.low {
        by(Bound::Floor, truth.is_low_by_contract())
    } else if truth.discounted > truth.high {
        by(Bound::Ceiling, truth.is_high_by_contract())
    } else {
        None
    };
    findings.require(price.clamp() == expected, "what holds the price");
    findings.count(match price.clamp() {
        None => "price: computed",
        Some(Clamp::Margin(Bound::Floor)) => "price: held by the margin's floor",
        Some(Clamp::Margin(Bound::Ceiling)) => "price: held by the margin's ceiling",
        Some(Clamp::Contract(Bound::Floor)) => "price: held by the contract's floor",
        Some(_) => "price: held by the contract's ceiling",
    });
}

/// The steps add up exactly, and each is within a unit of the last place of what it should be.
fn waterfall(
    findings: &mut Findings<'_>,
    truth: &Truth,
    price: &Price,
    amount: &Fraction,
    fixed: Option<&Fraction>,
) {
    let unit = unit(price.waterfall().places());
    let zero = Fraction::whole(0);
    let mut before = &zero;
    let mut sum = BigInt::ZERO;
    let totals = truth.totals(amount, fixed);
    for ((step, money), total) in price.waterfall().steps().zip(totals) {
        let expected = total - before;
        let is_close = Fraction::of(money.amount()).is_near(&expected, &unit);
        findings.require(is_close, step.label());
        before = total;
        sum += units(money.amount());
    }
    let is_exact = sum == units(price.price().amount());
    findings.require(is_exact, "the waterfall adds up");
    let steps = price.waterfall().steps().map(|(_, money)| money);
    let is_added = Money::try_sum(steps) == Ok(Some(price.price()));
    findings.require(is_added, "decimals add up the waterfall");
    let cost = Fraction::of(price.waterfall().amount(Step::Cost).amount());
    findings.require(cost == truth.cost, "the first step is the cost");
}

/// The margin that is shown is the exact one, rounded; of a loss that is no decimal, the largest that is.
fn margin(findings: &mut Findings<'_>, truth: &Truth, price: &Price, amount: &Fraction) {
    let margin = &(amount - &truth.cost) / amount;
    let half_a_unit = &unit(Price::MARGIN_PLACES) / &Fraction::whole(2);
    let millionths = &margin / &unit(Price::MARGIN_PLACES);
    let is_right = match millionths.half_even().bits() > 96 {
        true => price.margin() == Decimal::MIN,
        false => Fraction::of(price.margin()).is_near(&margin, &half_a_unit),
    };
    findings.require(is_right, "the margin that is shown");
}

/// There really is no price, and what is suggested would do.
fn refusal(findings: &mut Findings<'_>, inputs: &Inputs, truth: &Truth, error: &PricingError) {
    let (is_low, is_high) = (truth.is_low_by_contract(), truth.is_high_by_contract());
    let is_empty = truth.low > truth.high && inputs.terms.fixed_price.is_none();
    match error {
        PricingError::NoMultiple { suggestion, .. } => {
            findings.count("price: refused, quantum too coarse");
            let is_right = truth.low <= truth.high && !truth.has_multiple_of(&truth.quantum);
            findings.require(is_right, "a quantum that is refused");
            suggested(findings, truth, suggestion.map(Fraction::of));
        }
        PricingError::ContractConflict { term, limit, .. } => {
            findings.count("price: refused, contract and margin");
            let (expected, bound) = match term {
                TermName::Floor => ((true, false), &truth.high),
                _ => ((false, true), &truth.low),
            };
            let is_right = is_empty && (is_low, is_high) == expected;
            findings.require(is_right, "a contract that is refused");
            let (limit, places) = (Fraction::of(limit.amount()), limit.amount().scale());
            let is_about = limit >= *bound && limit < bound + &unit(places);
            findings.require(is_about, "the limit that is named");
        }
        PricingError::ContractContradiction { .. } => {
            findings.count("price: refused, contract against itself");
            let is_right = is_empty && is_low && is_high;
            findings.require(is_right, "a contradiction that is refused");
        }
        PricingError::CostRiseTooWide { .. } => {
            findings.count("price: refused, rise too wide");
            let is_right = is_empty && !is_low && !is_high;
            findings.require(is_right, "a rise that is refused");
        }
        PricingError::TooManyDigits { .. } => {
            findings.count("price: refused, too many digits");
            let is_right = truth.has_too_many_digits(inputs);
            findings.require(is_right, "digits that are refused");
        }
        other => findings.require(false, &format!("refused: {other}")),
    }
}

/// A finer quantum with a multiple inside, or none where there is none.
fn suggested(findings: &mut Findings<'_>, truth: &Truth, suggestion: Option<Fraction>) {
    match suggestion {
        Some(suggestion) => {
            let is_right = suggestion < truth.quantum && truth.has_multiple_of(&suggestion);
            findings.require(is_right, "a quantum that is suggested");
        }
        // Bounds that meet in a point without an end in decimals hold no price at all.
        None => {
            let would_do = truth.has_multiple_of(&unit(Decimal::MAX_SCALE));
            let is_held = (&truth.low / &unit(Decimal::MAX_SCALE)).ceiling().bits() <= 96;
            findings.require(!(would_do && is_held), "that no finer quantum would do");
        }
    }
}

fn unanswerable(findings: &mut Findings<'_>, inputs: &Inputs, error: &PricingError) {
    let (what, is_right) = match error {
        PricingError::CostNotPositive { .. } => (
            "price: refused, cost not over zero",
            inputs.cost <= Decimal::ZERO,
        ),
        PricingError::UnknownModel { .. } => (
            "price: refused, unknown model",
            inputs.model_factor.is_none(),
        ),
        PricingError::Currency { .. } => {
            ("price: refused, another currency", inputs.terms.is_foreign)
        }
        PricingError::Money(_) => ("price: refused, no minor unit", inputs.quantum.is_none()),
        _ => ("price: refused, other", false),
    };
    findings.count(what);
    findings.require(is_right, what);
}

/// A unit of a decimal place.
pub(crate) fn unit(places: u32) -> Fraction {
    Fraction::of(Decimal::new(1, places))
}
