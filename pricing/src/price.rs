//! What is charged for what, and why so much?

#[cfg(feature = "serde")]
mod saved;
mod solution;

use std::fmt;
use std::str::FromStr;

use bursar_units::{Money, Quantum};
use jiff::civil::Date;
use rust_decimal::Decimal;

use self::solution::{Problem, Refusal, Solution};
use crate::contract::{Applicable, Contract, TermName};
use crate::demand::Supply;
use crate::error::PricingError;
use crate::exact::{Fraction, TooWide, Whole, Wide, greatest_common_divisor, units};
use crate::factor::Factor;
use crate::margin::{Discount, Margin, RateError, billionths, parse_rate};
use crate::name::{ContractId, Model, Tier};
use crate::policy::PricingPolicy;
use crate::token_kind::TokenKind;
use crate::waterfall::Waterfall;

/// All that a price depends on beside the policy: cost, tier, model and kind of tokens, supply, contract
/// and date.
///
/// There is no place for anything else, on purpose. A price that personal data have a part in must say so
/// to the customer (the Algorithmic Pricing Disclosure Act of New York, in force since 2025-11-10;
/// Directive (EU) 2019/2161), and a risk score that raises a price is a penalty without a hearing. Names are identifiers
/// without `@` and spaces, and the demand is that of the provider's quota, not of a customer.
///
/// ```compile_fail
/// # use bursar_pricing::{Model, PriceRequest, Tier};
/// # let request = PriceRequest::new("1 USD".parse().unwrap(), &Tier::Free, &Model::GPT_4, jiff::civil::date(2026, 1, 1));
/// request.risk_score(71);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct PriceRequest<'a> {
    pub(crate) cost: Money,
    pub(crate) tier: &'a Tier,
    pub(crate) model: &'a Model,
    pub(crate) kind: Option<TokenKind>,
    pub(crate) supply: Supply,
    pub(crate) contract: Option<&'a Contract>,
    pub(crate) date: Date,
    pub(crate) cost_rise: CostRise,
    pub(crate) volume_discount: Discount,
}

impl<'a> PriceRequest<'a> {
    /// Asks for the price of what costs `cost`, on this day, in balanced supply and without a contract.
    pub const fn new(cost: Money, tier: &'a Tier, model: &'a Model, date: Date) -> Self {
        Self {
            cost,
            tier,
            model,
            kind: None,
            supply: Supply::State(crate::demand::SupplyState::Balanced),
            contract: None,
            date,
            cost_rise: CostRise::NONE,
            volume_discount: Discount::ZERO,
        }
    }

    /// Of tokens of this kind, to which terms of the contract may be narrowed.
    pub fn kind(mut self, kind: TokenKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// In this supply, a state or a utilization.
    pub fn supply(mut self, supply: impl Into<Supply>) -> Self {
        self.supply = supply.into();
        self
    }

    /// Under the terms of this contract, if it is in force on the day.
    pub fn contract(mut self, contract: &'a Contract) -> Self {
        self.contract = Some(contract);
        self
    }

    /// At a price that still keeps the floor after the provider has raised the cost by so much.
    pub fn cost_rise(mut self, cost_rise: CostRise) -> Self {
        self.cost_rise = cost_rise;
        self
    }

    /// With what the policy's price definition lets off for a volume.
    pub(crate) fn volume_discount(mut self, discount: Discount) -> Self {
        self.volume_discount = discount;
        self
    }
}

/// By how much a cost may rise while a price still keeps the floor: a multiple of the cost, from 0 to 1.
///
/// ```
/// use bursar_pricing::CostRise;
///
/// assert_eq!("10%".parse::<CostRise>()?, "0.1".parse()?);
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Decimal", into = "Decimal"))]
#[must_use]
pub struct CostRise {
    billionths: u32,
}

const BILLION: u32 = 1_000_000_000;

impl CostRise {
    /// The cost stays as it is.
    pub const NONE: Self = Self { billionths: 0 };

    /// The rise by this multiple of the cost.
    ///
    /// # Errors
    /// [`RateError`] unless it is from 0 to 1 and has up to nine decimal places.
    pub fn new(multiple: Decimal) -> Result<Self, RateError> {
        let (what, range) = ("rise of the cost", "from 0 to 1");
        let billionths = billionths(multiple, what, range, Decimal::ZERO, Decimal::ONE)?;
        let billionths = u32::try_from(billionths).unwrap_or(BILLION);
        Ok(Self { billionths })
    }

    /// The multiple of the cost as a decimal.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        Decimal::new(i64::from(self.billionths), 9).normalize()
    }

    pub(crate) fn billionths(self) -> u64 {
        self.billionths.into()
    }

    /// 1 + the rise, as a reduced fraction.
    fn multiple(self) -> (u64, u64) {
        let billion = u64::from(BILLION);
        let divisor = greatest_common_divisor(self.billionths.into(), billion);
        let whole = billion.saturating_add(self.billionths.into());
        let divided = |it: u64| it.checked_div(divisor).unwrap_or(it);
        (divided(whole), divided(billion))
    }
}

/// `10%`.
impl fmt::Display for CostRise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = Decimal::new(i64::from(self.billionths), 7).normalize();
        f.pad(&format!("{percent}%"))
    }
}

/// From `0.1` or `10%`.
impl FromStr for CostRise {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse_rate(text, "rise of the cost").and_then(Self::new)
    }
}

impl TryFrom<Decimal> for CostRise {
    type Error = RateError;

    fn try_from(multiple: Decimal) -> Result<Self, RateError> {
        Self::new(multiple)
    }
}

impl From<CostRise> for Decimal {
    fn from(rise: CostRise) -> Decimal {
        rise.as_decimal()
    }
}

/// A side of the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Bound {
    /// The least price.
    Floor,
    /// The largest price.
    Ceiling,
}

/// `floor`, `ceiling`.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
        })
    }
}

/// What held the price before rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Clamp {
    /// A bound of the margin.
    Margin(Bound),
    /// The floor or the ceiling of the contract.
    Contract(Bound),
}

/// The target margin, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[must_use]
pub enum TierMargin {
    /// The policy has it for the tier.
    Own(Margin),
    /// The policy does not know the tier: it is the base margin.
    Base(Margin),
}

impl TierMargin {
    /// The margin, wherever it comes from.
    pub const fn margin(self) -> Margin {
        match self {
            Self::Own(margin) | Self::Base(margin) => margin,
        }
    }

    /// Whether the policy does not know the tier.
    #[must_use]
    pub const fn is_base(self) -> bool {
        matches!(self, Self::Base(_))
    }
}

/// A fixed price lies outside the margin bounds; it is honored all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Exposure {
    /// The bound that it breaks.
    pub bound: Bound,
    /// How far it is from the bound, rounded up to the places of the waterfall's steps, or to fewer where 28
    /// digits do not suffice; always over zero.
    pub gap: Money,
}

/// The prices that all bounds and the quantum allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct AllowedPrices {
    /// The least of them.
    pub least: Money,
    /// The largest of them.
    pub most: Money,
    /// The step between them.
    pub quantum: Decimal,
}

/// A price, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "saved::Saved", into = "saved::Saved")
)]
#[must_use]
pub struct Price {
    cost: Money,
    price: Money,
    tier: TierMargin,
    model: Factor,
    supply: Factor,
    volume_discount: Discount,
    contract: Option<ContractId>,
    contract_discount: Discount,
    clamp: Option<Clamp>,
    /// `None` for a fixed price.
    allowed: Option<AllowedPrices>,
    exposure: Option<Exposure>,
    waterfall: Waterfall,
}

impl Price {
    /// The decimal places of [`margin`](Self::margin).
    pub const MARGIN_PLACES: u32 = 6;

    /// What is charged: a multiple of the policy's quantum, or the fixed price of the contract.
    pub const fn price(&self) -> Money {
        self.price
    }

    /// What it costs.
    pub const fn cost(&self) -> Money {
        self.cost
    }

    /// The target margin, and whether it is that of the tier.
    pub const fn tier(&self) -> TierMargin {
        self.tier
    }

    /// The factor of the model.
    pub const fn model_factor(&self) -> Factor {
        self.model
    }

    /// The factor of the supply.
    pub const fn supply_factor(&self) -> Factor {
        self.supply
    }

    /// What the volume lets off.
    pub const fn volume_discount(&self) -> Discount {
        self.volume_discount
    }

    /// What the contract lets off.
    pub const fn contract_discount(&self) -> Discount {
        self.contract_discount
    }

    /// The contract that was in force, if there was one.
    #[must_use]
    pub const fn contract(&self) -> Option<&ContractId> {
        self.contract.as_ref()
    }

    /// What held the price before it was rounded; `None` where the price lay inside, and for a fixed
    /// price.
    #[must_use]
    pub const fn clamp(&self) -> Option<Clamp> {
        self.clamp
    }

    /// The prices that all bounds and the quantum allow; `None` for a fixed price.
    #[must_use]
    pub const fn allowed(&self) -> Option<AllowedPrices> {
        self.allowed
    }

    /// Whether the contract fixes the price.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        self.allowed.is_none()
    }

    /// That a fixed price breaks the margin bounds, and by how much.
    #[must_use]
    pub const fn exposure(&self) -> Option<Exposure> {
        self.exposure
    }

    /// The steps from cost to price, which add up exactly.
    pub const fn waterfall(&self) -> &Waterfall {
        &self.waterfall
    }

    /// The margin of the price, 1 − cost ÷ price, rounded half to even to
    /// [`MARGIN_PLACES`](Self::MARGIN_PLACES) for the reader: under zero where a fixed price is under the
    /// cost. Whether a price keeps the bounds is decided without this rounding.
    #[must_use]
    pub fn margin(&self) -> Decimal {
        realized_margin(self.cost.amount(), self.price.amount())
    }
}

/// The price, `14.00 USD`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.price.fmt(f)
    }
}

/// Prices a request by a policy.
pub(crate) fn compute(
    policy: &PricingPolicy,
    quantum: Quantum,
    request: &PriceRequest<'_>,
) -> Result<Price, PricingError> {
    let cost = request.cost;
    if cost.is_zero() || cost.is_negative() {
        return Err(PricingError::CostNotPositive { cost });
    }
    let model = policy
        .model(request.model)
        .ok_or_else(|| PricingError::UnknownModel {
            model: request.model.clone(),
        })?;
    let supply = policy.supply(request.supply);
    let (mark_up, tier) = policy.target(request.tier);
    let contract = request.contract.filter(|it| it.is_in_force(request.date));
    let terms = contract.map_or_else(Applicable::default, |contract| {
        contract.applicable(request.model, request.kind)
    });
    let contract_discount = terms.discount.unwrap_or(Discount::ZERO);
    let problem = Problem {
        cost: without_long_zeros(cost.amount()),
        quantum: without_long_zeros(quantum.step_in(cost.currency())?),
        mark_up: mark_up.as_fraction(),
        model: model.as_fraction(),
        supply: supply.as_fraction(),
        remaining: [
            request.volume_discount.remaining(),
            contract_discount.remaining(),
        ],
        floor: policy.bounds().floor(),
        ceiling: policy.bounds().ceiling(),
        cost_rise: request.cost_rise.multiple(),
        contract_floor: amount_in(cost, terms.floor, "contract's floor")?,
        contract_ceiling: amount_in(cost, terms.ceiling, "contract's ceiling")?,
        fixed_price: amount_in(cost, terms.fixed_price, "contract's fixed price")?,
    };
    let solution = problem
        .solve()
        .map_err(|refusal| explain(refusal, &problem, request, contract, &terms))?;
    let money = |amount| Money::new(amount, cost.currency());
    let Solution {
        price,
        allowed,
        clamp,
        exposure,
        steps,
        places,
    } = solution;
    Ok(Price {
        cost,
        price: money(price),
        tier,
        model,
        supply,
        volume_discount: request.volume_discount,
        contract: contract.map(|contract| contract.id().clone()),
        contract_discount,
        clamp,
        allowed: allowed.map(|(least, most)| AllowedPrices {
            least: money(least),
            most: money(most),
            quantum: problem.quantum,
        }),
        exposure: exposure.map(|(bound, gap)| Exposure {
            bound,
            gap: money(gap),
        }),
        waterfall: Waterfall::new(steps.map(money), places),
    })
}

/// The amount of a term, which must be in the currency of the cost.
fn amount_in(
    cost: Money,
    term: Option<Money>,
    what: &'static str,
) -> Result<Option<Decimal>, PricingError> {
    match term {
        Some(amount) if amount.currency() != cost.currency() => Err(PricingError::Currency {
            what,
            expected: cost.currency(),
            found: amount.currency(),
        }),
        _ => Ok(term.map(|amount| without_long_zeros(amount.amount()))),
    }
}

/// The same amount without zeros at its end where it has many places, for they lengthen all numbers that
/// come of it. Short amounts are left as they are, since looking for zeros takes divisions.
fn without_long_zeros(amount: Decimal) -> Decimal {
    match amount.scale() {
        0..=9 => amount,
        _ => amount.normalize(),
    }
}

/// The error that says what a refusal is about.
#[cold]
fn explain(
    refusal: Refusal,
    problem: &Problem,
    request: &PriceRequest<'_>,
    contract: Option<&Contract>,
    terms: &Applicable,
) -> PricingError {
    let cost = request.cost;
    let quantum = problem.quantum;
    let too_many_digits = PricingError::TooManyDigits { cost, quantum };
    let Some(id) = contract.map(Contract::id) else {
        return match refusal {
            Refusal::NoMultiple { suggestion } => PricingError::NoMultiple {
                cost,
                quantum,
                suggestion,
            },
            Refusal::CostRiseTooWide => PricingError::CostRiseTooWide {
                rise: request.cost_rise,
            },
            _ => too_many_digits,
        };
    };
    match (refusal, terms.floor, terms.ceiling) {
        (Refusal::Floor { limit }, Some(amount), _) => PricingError::ContractConflict {
            contract: id.clone(),
            term: TermName::Floor,
            amount,
            bound: Bound::Ceiling,
            limit: Money::new(limit, cost.currency()),
        },
        (Refusal::Ceiling { limit }, _, Some(amount)) => PricingError::ContractConflict {
            contract: id.clone(),
            term: TermName::Ceiling,
            amount,
            bound: Bound::Floor,
            limit: Money::new(limit, cost.currency()),
        },
        (Refusal::Contradiction, Some(floor), Some(ceiling)) => {
            PricingError::ContractContradiction {
                contract: id.clone(),
                floor,
                ceiling,
            }
        }
        (refusal, _, _) => explain(refusal, problem, request, None, terms),
    }
}

/// 1 − cost ÷ price, rounded.
fn realized_margin(cost: Decimal, price: Decimal) -> Decimal {
    let millionths = millionths_in::<u128>(cost, price)
        .or_else(|TooWide| millionths_in::<Wide>(cost, price))
        .ok()
        .and_then(|millionths| i128::try_from(millionths).ok())
        .and_then(|it| Decimal::try_from_i128_with_scale(it, Price::MARGIN_PLACES).ok());
    // A fixed price so far under the cost that the loss is no decimal; it is the least of them.
    let mut margin = millionths.unwrap_or(Decimal::MAX);
    margin.set_sign_positive(price >= cost);
    margin
}

/// Whether a price has at least this margin over a cost, decided exactly.
pub(crate) fn keeps_floor(price: Money, cost: Money, margin: Margin) -> Result<bool, PricingError> {
    if price.currency() != cost.currency() {
        return Err(PricingError::Currency {
            what: "price",
            expected: cost.currency(),
            found: price.currency(),
        });
    }
    if cost.is_negative() {
        return Err(PricingError::CostNotPositive { cost });
    }
    let (whole, part) = margin.to_mark_up().price_over_cost();
    let amounts = [cost.amount().normalize(), price.amount().normalize()];
    let scale = amounts[0].scale().max(amounts[1].scale());
    let floor = units::<Wide>(amounts[0], scale)
        .and_then(|cost| Fraction::whole(cost).scaled((whole, part)));
    let is_kept = floor.and_then(|floor| {
        let price = Fraction::whole(units::<Wide>(amounts[1], scale)?);
        Ok(price.compare(floor)?.is_ge())
    });
    is_kept.map_err(|TooWide| PricingError::TooManyDigits {
        cost,
        quantum: price.amount(),
    })
}

/// |price − cost| ÷ price in millionths.
fn millionths_in<W: Whole>(cost: Decimal, price: Decimal) -> Result<u128, TooWide> {
    let (cost, price) = (cost.normalize(), price.normalize());
    let scale = cost.scale().max(price.scale());
    let (cost, price): (W, W) = (units(cost, scale)?, units(price, scale)?);
    let gain = price.max(cost).minus(price.min(cost))?;
    let gain = gain.times(W::of(1_000_000))?;
    Fraction::new(gain, price).half_even()?.to_u128()
}
