//! What is priced, and by which rules?

use bursar_pricing::{
    Contract, ContractId, CostRise, Discount, Factor, Margin, MarginBounds, Model, PriceRequest,
    PricingPolicy, Scope, Supply, SupplyFactors, SupplyState, Term, Tier, Utilization,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::{Date, date};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;

/// All inputs of a price, as the judge needs them beside the engine's own types.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) policy: PricingPolicy,
    pub(crate) cost: Money,
    pub(crate) tier: Tier,
    pub(crate) model: Model,
    pub(crate) supply: Supply,
    pub(crate) contract: Option<Contract>,
    pub(crate) cost_rise: CostRise,
    /// What the engine has to come to by itself.
    pub(crate) target: Margin,
    pub(crate) model_factor: Factor,
    /// `None` where the demand curve decides.
    pub(crate) supply_factor: Option<Factor>,
    pub(crate) quantum: Decimal,
    pub(crate) terms: Terms,
}

/// The terms that hold on the day.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    pub(crate) fixed_price: Option<Decimal>,
    pub(crate) discount: Decimal,
    pub(crate) floor: Option<Decimal>,
    pub(crate) ceiling: Option<Decimal>,
}

pub(crate) const DAY: Date = date(2026, 11, 27);

impl Case {
    /// The case of this number; it depends on nothing but seed and number.
    pub(crate) fn random(seed: u64, number: u64) -> anyhow::Result<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        let random = &mut random;
        let cost = amount(random);
        let quantum = quantum(random, cost);
        let rules = Rules::random(random)?;
        let factors = SupplyFactors {
            surplus: factor(random)?,
            balanced: factor(random)?,
            scarce: factor(random)?,
        };
        let (supply, supply_factor) = supply(random, &factors)?;
        let (contract, terms) = contract(random, cost)?;
        let policy = rules.policy()?.with_supply(factors);
        Ok(Self {
            policy: policy.with_quantum(Quantum::step(quantum)?),
            cost: Money::new(cost, Currency::USD),
            tier: rules.asked_tier,
            model: Model::GPT_4,
            supply,
            contract,
            cost_rise: cost_rise(random)?,
            target: rules.target,
            model_factor: rules.model,
            supply_factor,
            quantum,
            terms,
        })
    }

    pub(crate) fn request(&self) -> PriceRequest<'_> {
        let request = PriceRequest::new(self.cost, &self.tier, &self.model, DAY)
            .supply(self.supply)
            .cost_rise(self.cost_rise);
        match &self.contract {
            Some(contract) => request.contract(contract),
            None => request,
        }
    }
}

/// The part of a policy that concerns tier, model and bounds.
struct Rules {
    asked_tier: Tier,
    target: Margin,
    base: Margin,
    tiers: Vec<(Tier, Margin)>,
    model: Factor,
    least: Margin,
    most: Margin,
}

impl Rules {
    fn random(random: &mut impl Rng) -> anyhow::Result<Self> {
        let base = margin(random, 0.95)?;
        let tiers: Vec<_> = Tier::STANDARD
            .into_iter()
            .map(|tier| Ok((tier, margin(random, 0.95)?)))
            .collect::<anyhow::Result<_>>()?;
        let (asked_tier, target) = match random.random_range(0..4) {
            3 => (Tier::new("unknown")?, base),
            known => tiers[known].clone(),
        };
        let standard = random.random_bool(0.5);
        let mut bounds = match standard {
            true => [
                Margin::new(Decimal::new(15, 2))?,
                Margin::new(Decimal::new(50, 2))?,
            ],
            false => [margin(random, 0.95)?, margin(random, 0.95)?],
        };
        bounds.sort();
        let [least, most] = bounds;
        let most = if least < most {
            most
        } else {
            Margin::new(Decimal::new(96, 2))?
        };
        Ok(Self {
            asked_tier,
            target,
            base,
            tiers,
            model: factor(random)?,
            least,
            most,
        })
    }

    fn policy(&self) -> anyhow::Result<PricingPolicy> {
        let bounds = MarginBounds::new(self.least, self.most)?;
        let policy = PricingPolicy::new(self.base, bounds).with_model(Model::GPT_4, self.model);
        let tiers = self.tiers.iter().cloned();
        Ok(tiers.fold(policy, |policy, (tier, margin)| {
            policy.with_tier(tier, margin)
        }))
    }
}

/// From 10⁻⁹ to 10⁹, evenly over the orders of magnitude, with 1 to 19 digits.
fn amount(random: &mut impl Rng) -> Decimal {
    let digits: u32 = random.random_range(1..=19);
    let exponent: i32 = random.random_range(-9..=9);
    let lowest = 10_i128.pow(digits - 1);
    let mantissa = random.random_range(lowest..=lowest * 10 - 1);
    // The first digit has the value 10^exponent, and at 10⁹ there is nothing after it.
    let mantissa = if exponent == 9 { lowest } else { mantissa };
    let scale = i32::try_from(digits).unwrap_or_default() - 1 - exponent;
    match u32::try_from(scale) {
        Ok(scale) => Decimal::from_i128_with_scale(mantissa, scale),
        Err(_) => Decimal::from_i128_with_scale(mantissa * 10_i128.pow(scale.unsigned_abs()), 0),
    }
}

/// Powers of ten and other steps, most of them finer than the cost.
fn quantum(random: &mut impl Rng, cost: Decimal) -> Decimal {
    let magnitude = Decimal::ONE.max(cost).trunc().mantissa().to_string().len() as u32;
    let finest = 26_u32.saturating_sub(magnitude).min(16);
    let scale = random.random_range(0..=finest);
    match random.random_range(0..3) {
        0 => Decimal::new(random.random_range(1..=1_000), scale),
        1 => Decimal::new(*pick(random, &[5, 25, 125]), scale),
        _ => Decimal::new(1, scale),
    }
}

/// Whole percents, basis points, or nine random places.
fn margin(random: &mut impl Rng, most: f64) -> anyhow::Result<Margin> {
    Ok(Margin::new(share(random, most))?)
}

fn share(random: &mut impl Rng, most: f64) -> Decimal {
    let places = *pick(random, &[2_u32, 2, 4, 9]);
    let units = 10_f64.powi(places.cast_signed()) * most;
    Decimal::new(random.random_range(0..units as i64), places)
}

/// About 1 mostly, and anything from 10⁻⁹ to 1000.
fn factor(random: &mut impl Rng) -> anyhow::Result<Factor> {
    Ok(Factor::new(match random.random_range(0..4) {
        0 => Decimal::ONE,
        1 => Decimal::new(random.random_range(5..=20), 1),
        2 => Decimal::new(random.random_range(1..=3_000_000_000), 9),
        _ => {
            let exponent = random.random_range(0..=11);
            let highest = 10_i64.pow(exponent + 1);
            Decimal::new(random.random_range(highest / 10..=highest), 9)
        }
    })?)
}

fn supply(
    random: &mut impl Rng,
    factors: &SupplyFactors,
) -> anyhow::Result<(Supply, Option<Factor>)> {
    Ok(match random.random_range(0..4) {
        3 => {
            let utilization = Decimal::new(random.random_range(0..=1_000_000_000), 9);
            (Utilization::new(utilization)?.into(), None)
        }
        state => {
            let state = SupplyState::ALL[state];
            (state.into(), Some(factors.of(state)))
        }
    })
}

fn cost_rise(random: &mut impl Rng) -> anyhow::Result<CostRise> {
    Ok(match random.random_bool(0.7) {
        true => CostRise::NONE,
        false => CostRise::new(share(random, 1.0))?,
    })
}

/// None, one that has ended, or terms around the prices that the cost leads to.
fn contract(random: &mut impl Rng, cost: Decimal) -> anyhow::Result<(Option<Contract>, Terms)> {
    if random.random_bool(0.4) {
        return Ok((None, Terms::default()));
    }
    let mut terms = Terms::default();
    if random.random_bool(0.3) {
        terms.discount = share(random, 1.0);
    }
    if random.random_bool(0.3) {
        terms.floor = Some(near(random, cost));
    }
    if random.random_bool(0.3) {
        let ceiling = near(random, cost);
        terms.ceiling = Some(terms.floor.map_or(ceiling, |floor| floor.max(ceiling)));
    }
    if random.random_bool(0.2) {
        terms.fixed_price = Some(near(random, cost));
    }
    let last_day = match random.random_bool(0.9) {
        true => None,
        false => Some(DAY.yesterday()?),
    };
    let contract = Contract::new(ContractId::new("c-1")?, date(2026, 1, 1), last_day)?;
    let money = |amount| Money::new(amount, Currency::USD);
    let stated = [
        terms.fixed_price.map(|it| Term::FixedPrice(money(it))),
        Some(Term::Discount(Discount::new(terms.discount)?)),
        terms.floor.map(|it| Term::Floor(money(it))),
        terms.ceiling.map(|it| Term::Ceiling(money(it))),
    ];
    let contract = stated
        .into_iter()
        .flatten()
        .try_fold(contract, |contract, term| contract.with(Scope::all(), term))?;
    let terms = if last_day.is_none() {
        terms
    } else {
        Terms::default()
    };
    Ok((Some(contract), terms))
}

/// From a half to three times the cost, rounded to a few digits more than it has.
fn near(random: &mut impl Rng, cost: Decimal) -> Decimal {
    let multiple = Decimal::new(random.random_range(500..=3_000), 3);
    let product = cost * multiple;
    match random.random_bool(0.5) {
        true => product,
        false => product
            .round_sf(4)
            .filter(|it| !it.is_zero())
            .unwrap_or(product),
    }
}

fn pick<'a, T>(random: &mut impl Rng, from: &'a [T]) -> &'a T {
    &from[random.random_range(0..from.len())]
}
