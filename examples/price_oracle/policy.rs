//! By which rules and under which contract is it priced?

use bursar_pricing::{
    Contract, ContractId, CostRise, DemandCurve, Discount, Factor, Margin, MarginBounds, Model,
    PricingPolicy, Scope, Supply, SupplyFactors, SupplyState, Term, Tier, TokenKind, Utilization,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::{Date, date};
use rand::RngExt;
use rust_decimal::Decimal;

use crate::draw::{Random, any_decimal, factor, margin, pick, share};
use crate::truth::{Inputs, Terms};

pub(crate) const DAY: Date = date(2026, 11, 27);

pub(crate) const KINDS: [TokenKind; 3] =
    [TokenKind::Input, TokenKind::Output, TokenKind::CachedInput];

/// A policy, what is asked of it, and what it has to come to by itself.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policy: PricingPolicy,
    pub(crate) tier: Tier,
    pub(crate) supply: Supply,
    pub(crate) cost_rise: CostRise,
    pub(crate) models: [(Model, Factor); 2],
    target: Margin,
    supply_factor: Factor,
    least: Margin,
    most: Margin,
}

impl Rules {
    pub(crate) fn random(random: &mut Random) -> anyhow::Result<Self> {
        let base = margin(random, 95)?;
        let (least, most) = bounds(random)?;
        let models = [
            (Model::GPT_4, factor(random)?),
            (Model::CLAUDE, factor(random)?),
        ];
        let factors = SupplyFactors {
            surplus: factor(random)?,
            balanced: factor(random)?,
            scarce: factor(random)?,
        };
        let mut policy =
            PricingPolicy::new(base, MarginBounds::new(least, most)?).with_supply(factors);
        for (model, factor) in models.clone() {
            policy = policy.with_model(model, factor);
        }
        let (mut tier, mut target) = (Tier::new("unknown")?, base);
        let asked = random.random_range(0..4);
        for (index, known) in Tier::STANDARD.into_iter().enumerate() {
            let margin = margin(random, 95)?;
            policy = policy.with_tier(known.clone(), margin);
            if index == asked {
                (tier, target) = (known, margin);
            }
        }
        let (supply, supply_factor) = supply(random, &factors)?;
        let cost_rise = match random.random_bool(0.7) {
            true => CostRise::NONE,
            false => CostRise::new(share(random, 100))?,
        };
        Ok(Self {
            policy,
            tier,
            supply,
            cost_rise,
            models,
            target,
            supply_factor,
            least,
            most,
        })
    }

    pub(crate) fn with_quantum(mut self, quantum: Quantum) -> Self {
        self.policy = self.policy.with_quantum(quantum);
        self
    }

    /// What the price of this follows from.
    pub(crate) fn inputs(
        &self,
        cost: Decimal,
        model: &Model,
        volume_discount: Decimal,
        terms: Terms,
        quantum: Option<Decimal>,
    ) -> Inputs {
        let known = self.models.iter().find(|(it, _)| it == model);
        Inputs {
            cost,
            target: self.target.as_decimal(),
            model_factor: known.map(|(_, factor)| factor.as_decimal()),
            supply_factor: self.supply_factor.as_decimal(),
            volume_discount,
            least: self.least.as_decimal(),
            most: self.most.as_decimal(),
            cost_rise: self.cost_rise.as_decimal(),
            terms,
            quantum,
        }
    }
}

/// The standard bounds, or any.
fn bounds(random: &mut Random) -> anyhow::Result<(Margin, Margin)> {
    let percent = |percent| Margin::new(Decimal::new(percent, 2));
    if random.random_bool(0.5) {
        return Ok((percent(15)?, percent(50)?));
    }
    let (one, other) = (margin(random, 95)?, margin(random, 95)?);
    Ok(match one == other {
        true => (one, percent(96)?),
        false => (one.min(other), one.max(other)),
    })
}

/// A state with its factor, or a utilization with that of the standard curve.
fn supply(random: &mut Random, factors: &SupplyFactors) -> anyhow::Result<(Supply, Factor)> {
    if random.random_bool(0.25) {
        let utilization = Decimal::new(random.random_range(0..=1_000_000_000), 9);
        let utilization = Utilization::new(utilization)?;
        return Ok((
            utilization.into(),
            DemandCurve::default().factor(utilization),
        ));
    }
    let state = *pick(random, &SupplyState::ALL);
    Ok((state.into(), factors.of(state)))
}

/// A contract, and its terms as they were drawn.
#[derive(Debug)]
pub(crate) struct Agreement {
    pub(crate) contract: Option<Contract>,
    is_in_force: bool,
    currency: Currency,
    terms: Vec<(Scope, Term)>,
}

impl Agreement {
    /// None, one that is not in force, or up to four terms near the prices that the costs lead to.
    pub(crate) fn random(
        random: &mut Random,
        costs: &[Decimal],
        currency: Currency,
    ) -> anyhow::Result<Self> {
        if random.random_bool(0.4) {
            return Ok(Self {
                contract: None,
                is_in_force: false,
                currency,
                terms: Vec::new(),
            });
        }
        let (first_day, last_day) = days(random)?;
        let mut contract = Contract::new(ContractId::new("c-1")?, first_day, last_day)?;
        let mut terms = Vec::new();
        for _ in 0..random.random_range(1..=4) {
            let (scope, term) = (scope(random), term(random, costs, currency)?);
            // What contradicts an earlier term is not agreed on.
            if let Ok(longer) = contract.clone().with(scope.clone(), term) {
                contract = longer;
                terms.push((scope, term));
            }
        }
        Ok(Self {
            contract: Some(contract),
            is_in_force: first_day <= DAY && last_day.is_none_or(|it| it >= DAY),
            currency,
            terms,
        })
    }

    /// The narrowest of each kind of term.
    pub(crate) fn terms(&self, model: &Model, kind: Option<TokenKind>) -> Terms {
        let mut found = Terms::default();
        let mut amounts = [None; 3];
        for narrowness in 0..4 {
            let of_model = (narrowness >= 2).then(|| model.clone());
            let of_kind = (narrowness % 2 == 1).then_some(kind).flatten();
            if narrowness % 2 == 1 && of_kind.is_none() {
                continue;
            }
            let is_so_narrow = |scope: &Scope| scope.model == of_model && scope.kind == of_kind;
            let terms = self.terms.iter().filter(|_| self.is_in_force);
            for (_, term) in terms.filter(|(scope, _)| is_so_narrow(scope)) {
                match term {
                    Term::FixedPrice(money) => amounts[0] = Some(*money),
                    Term::Floor(money) => amounts[1] = Some(*money),
                    Term::Ceiling(money) => amounts[2] = Some(*money),
                    Term::Discount(discount) => found.discount = discount.as_decimal(),
                    _ => {}
                }
            }
        }
        let is_foreign = |money: &Money| money.currency() != self.currency;
        found.is_foreign = amounts.iter().flatten().any(is_foreign);
        [found.fixed_price, found.floor, found.ceiling] =
            amounts.map(|money| money.map(|money| money.amount()));
        found
    }
}

/// In force on the day, from or until it, or just not.
fn days(random: &mut Random) -> anyhow::Result<(Date, Option<Date>)> {
    let start = date(2026, 1, 1);
    Ok(match random.random_range(0..20) {
        0 => (start, Some(DAY.yesterday()?)),
        1 => (DAY.tomorrow()?, None),
        2 => (DAY, Some(DAY)),
        _ => (start, None),
    })
}

fn scope(random: &mut Random) -> Scope {
    let model = pick(random, &[Model::GPT_4, Model::CLAUDE]).clone();
    let kind = *pick(random, &KINDS);
    match random.random_range(0..6) {
        0 => Scope::of(model, kind),
        1 => Scope::of_model(model),
        2 => Scope {
            model: None,
            kind: Some(kind),
        },
        _ => Scope::all(),
    }
}

fn term(random: &mut Random, costs: &[Decimal], currency: Currency) -> anyhow::Result<Term> {
    let cost = *pick(random, costs);
    let amount = match random.random_range(0..40) {
        0 => any_decimal(random),
        _ => near(random, cost),
    };
    let currency = match random.random_range(0..100) {
        0 => Currency::CHF,
        _ => currency,
    };
    let money = Money::new(amount, currency);
    Ok(match random.random_range(0..7) {
        0 | 1 => Term::Discount(Discount::new(share(random, 100))?),
        2 | 3 => Term::Floor(money),
        4 | 5 => Term::Ceiling(money),
        _ => Term::FixedPrice(money),
    })
}

/// From a half to three times the cost, with the digits that it has or with four.
fn near(random: &mut Random, cost: Decimal) -> Decimal {
    let multiple = Decimal::new(random.random_range(500..=3_000), 3);
    let product = cost.checked_mul(multiple).unwrap_or(cost);
    let short = product
        .round_sf(4)
        .filter(|it| random.random_bool(0.5) && !it.is_zero());
    short.unwrap_or(product)
}
