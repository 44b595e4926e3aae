//! By which rules are prices made?

use bursar_units::Quantum;

use crate::bounds::MarginBounds;
use crate::demand::{DemandCurve, Supply, SupplyFactors};
use crate::error::PricingError;
use crate::factor::Factor;
use crate::margin::{Margin, MarkUp};
use crate::name::{Model, Tier};
use crate::price::{Price, PriceRequest, TierMargin};

/// The rules by which a cost becomes a price. The same policy and request give the same price, always and
/// everywhere.
///
/// ```
/// use bursar_pricing::{Model, PriceRequest, PricingPolicy, SupplyState, Tier};
/// use jiff::civil::date;
///
/// let policy = PricingPolicy::standard();
/// let request = PriceRequest::new("10.00 USD".parse()?, &Tier::Growth, &Model::GPT_4, date(2026, 11, 27));
/// // A margin of 25 % is a mark-up of a third; times 1.2 it is 0.4.
/// assert_eq!(policy.price(&request)?.price().to_string(), "14.00 USD");
///
/// let scarce = request.supply(SupplyState::Scarce);
/// assert_eq!(policy.price(&scarce)?.price().to_string(), "15.20 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "parts::Parts", into = "parts::Parts")
)]
pub struct PricingPolicy {
    bounds: MarginBounds,
    quantum: Quantum,
    base: Target,
    /// Sorted, each tier once.
    tiers: Vec<(Tier, Target)>,
    /// Sorted, each model once.
    models: Vec<(Model, Factor)>,
    supply: SupplyFactors,
    curve: DemandCurve,
}

/// A target margin and the same as a mark-up, which is computed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) margin: Margin,
    pub(crate) mark_up: MarkUp,
}

impl PricingPolicy {
    /// Prices in cents inside margins of 15 % to 50 %: free customers are to bring 15 %, growth 25 %,
    /// enterprise 40 %, all others 25 %; `gpt-4` has the factor 1.2, `gpt-3.5` 1.0, `claude` 1.1 and
    /// `domestic` 0.9; supply by [`SupplyFactors`] and [`DemandCurve`] as they are by default.
    #[must_use]
    pub fn standard() -> Self {
        let factor = Factor::from_billionths;
        Self::new(Margin::percent(25), MarginBounds::STANDARD)
            .with_tier(Tier::Free, Margin::percent(15))
            .with_tier(Tier::Growth, Margin::percent(25))
            .with_tier(Tier::Enterprise, Margin::percent(40))
            .with_model(Model::GPT_4, factor(1_200_000_000))
            .with_model(Model::GPT_3_5, factor(1_000_000_000))
            .with_model(Model::CLAUDE, factor(1_100_000_000))
            .with_model(Model::DOMESTIC, factor(900_000_000))
    }

    /// A policy that knows no tier and no model: every tier is to bring the base margin.
    #[must_use]
    pub fn new(base: Margin, bounds: MarginBounds) -> Self {
        Self {
            bounds,
            quantum: Quantum::MINOR_UNIT,
            base: Target::of(base),
            tiers: Vec::new(),
            models: Vec::new(),
            supply: SupplyFactors::default(),
            curve: DemandCurve::default(),
        }
    }

    /// The policy with this target margin of a tier, in place of one that it may have had.
    #[must_use]
    pub fn with_tier(mut self, tier: Tier, margin: Margin) -> Self {
        put(&mut self.tiers, tier, Target::of(margin));
        self
    }

    /// The policy with this factor of a model, in place of one that it may have had.
    #[must_use]
    pub fn with_model(mut self, model: Model, factor: Factor) -> Self {
        put(&mut self.models, model, factor);
        self
    }

    /// The policy with these factors of the states of supply.
    #[must_use]
    pub fn with_supply(mut self, factors: SupplyFactors) -> Self {
        self.supply = factors;
        self
    }

    /// The policy with this curve from utilization to factor.
    #[must_use]
    pub fn with_curve(mut self, curve: DemandCurve) -> Self {
        self.curve = curve;
        self
    }

    /// The policy with prices in multiples of this quantum: cents for invoices, 10⁻⁶ for lists.
    #[must_use]
    pub fn with_quantum(mut self, quantum: Quantum) -> Self {
        self.quantum = quantum;
        self
    }

    /// What to charge, and why.
    ///
    /// # Errors
    /// [`PricingError`] says what stands in the way, and never is there a price outside the bounds
    /// instead: a cost that is not over zero, an unknown model, a contract that leaves no price, a quantum
    /// too coarse for it.
    pub fn price(&self, request: &PriceRequest<'_>) -> Result<Price, PricingError> {
        crate::price::compute(self, self.quantum, request)
    }

    /// The bounds of every computed price.
    pub const fn bounds(&self) -> MarginBounds {
        self.bounds
    }

    /// The step of prices.
    #[must_use]
    pub const fn quantum(&self) -> Quantum {
        self.quantum
    }

    /// The factor of a model, if the policy knows it.
    #[must_use]
    pub fn model(&self, model: &Model) -> Option<Factor> {
        find(&self.models, model)
    }

    /// The target margin of a tier, and whether it is the tier's own or the base margin.
    pub fn tier(&self, tier: &Tier) -> TierMargin {
        self.target(tier).1
    }

    pub(crate) fn target(&self, tier: &Tier) -> (MarkUp, TierMargin) {
        match find(&self.tiers, tier) {
            Some(target) => (target.mark_up, TierMargin::Own(target.margin)),
            None => (self.base.mark_up, TierMargin::Base(self.base.margin)),
        }
    }

    pub(crate) fn supply(&self, supply: Supply) -> Factor {
        match supply {
            Supply::State(state) => self.supply.of(state),
            Supply::Utilization(utilization) => self.curve.factor(utilization),
        }
    }
}

impl Target {
    fn of(margin: Margin) -> Self {
        Self {
            margin,
            mark_up: margin.to_mark_up(),
        }
    }
}

fn find<K: Ord, V: Copy>(sorted: &[(K, V)], key: &K) -> Option<V> {
    let index = sorted.binary_search_by(|(it, _)| it.cmp(key)).ok()?;
    sorted.get(index).map(|(_, value)| *value)
}

fn put<K: Ord, V>(sorted: &mut Vec<(K, V)>, key: K, value: V) {
    match sorted.binary_search_by(|(it, _)| it.cmp(&key)) {
        Ok(index) => sorted[index].1 = value,
        Err(index) => sorted.insert(index, (key, value)),
    }
}

#[cfg(feature = "serde")]
mod parts {
    //! A policy as data, such as a TOML file.

    use std::collections::BTreeMap;

    use bursar_units::{MoneyError, Quantum};
    use rust_decimal::Decimal;

    use super::PricingPolicy;
    use crate::{DemandCurve, Factor, Margin, MarginBounds, Model, SupplyFactors, Tier};

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Parts {
        base_margin: Margin,
        #[serde(default)]
        bounds: MarginBounds,
        /// `None` is the minor unit of the currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quantum: Option<Decimal>,
        #[serde(default)]
        tiers: BTreeMap<Tier, Margin>,
        #[serde(default)]
        models: BTreeMap<Model, Factor>,
        #[serde(default)]
        supply: SupplyFactors,
        #[serde(default)]
        curve: DemandCurve,
    }

    impl TryFrom<Parts> for PricingPolicy {
        type Error = MoneyError;

        fn try_from(parts: Parts) -> Result<Self, MoneyError> {
            let quantum = parts
                .quantum
                .map_or(Ok(Quantum::MINOR_UNIT), Quantum::step)?;
            let mut policy = Self::new(parts.base_margin, parts.bounds)
                .with_quantum(quantum)
                .with_supply(parts.supply)
                .with_curve(parts.curve);
            for (tier, margin) in parts.tiers {
                policy = policy.with_tier(tier, margin);
            }
            for (model, factor) in parts.models {
                policy = policy.with_model(model, factor);
            }
            Ok(policy)
        }
    }

    impl From<PricingPolicy> for Parts {
        fn from(policy: PricingPolicy) -> Self {
            let step = policy.quantum.step_in(bursar_units::Currency::XXX);
            let tiers = policy.tiers.into_iter();
            Self {
                base_margin: policy.base.margin,
                bounds: policy.bounds,
                // `XXX` has no minor unit, so only an explicit step has a value in it.
                quantum: step.ok(),
                tiers: tiers.map(|(tier, target)| (tier, target.margin)).collect(),
                models: policy.models.into_iter().collect(),
                supply: policy.supply,
                curve: policy.curve,
            }
        }
    }
}
