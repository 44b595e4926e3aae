//! What do tokens cost, and what list follows from it?

use bursar_units::{Currency, Money, Quantum, UnitRate};
use jiff::Timestamp;
use jiff::tz::Offset;

use super::{ListEntry, PriceList, PriceListError};
use crate::contract::Contract;
use crate::demand::Supply;
use crate::margin::Discount;
use crate::name::{Model, PriceListName, Tier};
use crate::policy::PricingPolicy;
use crate::price::{CostRise, PriceRequest};
use crate::schedule::{ScheduleError, Tiering};
use crate::token_kind::TokenKind;

/// What a million tokens of each kind cost, by model, in one currency.
///
/// ```
/// use bursar_pricing::{CostTable, ListTerms, Model, PriceListName, PricingPolicy, Tier, TokenKind};
/// use bursar_units::{Currency, UnitRate};
///
/// let cost = |text: &str| text.parse().map(UnitRate::per_million);
/// let costs = CostTable::new(Currency::USD)
///     .with(Model::CLAUDE, TokenKind::Input, cost("3.00 USD")?)?
///     .with(Model::CLAUDE, TokenKind::Output, cost("15.00 USD")?)?
///     .with(Model::CLAUDE, TokenKind::CachedInput, cost("0.30 USD")?)?;
///
/// let terms = ListTerms::new(PriceListName::new("growth")?, &Tier::Growth, "2026-12-01T00:00:00Z".parse()?);
/// let list = costs.price(&PricingPolicy::standard(), &terms)?;
/// // Three times 1 + 1/3 × 1.1 is 4.1.
/// let input = list.entry(&Model::CLAUDE, TokenKind::Input)?;
/// assert_eq!(input.schedule().band(1).rate.to_string(), "4.100000 USD per million");
/// assert!(list.entry(&Model::CLAUDE, TokenKind::Reasoning).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostTable {
    currency: Currency,
    rows: Vec<(Model, TokenKind, Money)>,
}

impl CostTable {
    /// A table without rows.
    #[must_use]
    pub const fn new(currency: Currency) -> Self {
        Self {
            currency,
            rows: Vec::new(),
        }
    }

    /// The table with one more row. A rate per unit or per thousand is brought to a million exactly.
    ///
    /// # Errors
    /// [`PriceListError::Duplicate`]; [`PriceListError::Currency`]; [`PriceListError::Cost`]. That a cost
    /// is over zero is seen when it is priced.
    pub fn with(
        mut self,
        model: Model,
        kind: TokenKind,
        rate: UnitRate,
    ) -> Result<Self, PriceListError> {
        let other = rate.price.currency();
        if other != self.currency {
            let currency = self.currency;
            return Err(PriceListError::Currency { currency, other });
        }
        if self.rows.iter().any(|row| row.0 == model && row.1 == kind) {
            return Err(PriceListError::Duplicate { model, kind });
        }
        let cost = rate.cost(1_000_000);
        let cost = cost.map_err(|error| PriceListError::Cost { rate, error })?;
        self.rows.push((model, kind, cost));
        Ok(self)
    }

    /// The rows: what a million tokens cost.
    pub fn rows(&self) -> impl Iterator<Item = (&Model, TokenKind, Money)> {
        self.rows
            .iter()
            .map(|(model, kind, cost)| (model, *kind, *cost))
    }

    /// The price list that follows from the costs, each price inside the bounds on its own, in steps of
    /// 10⁻⁶ per million whatever the quantum of the policy is.
    ///
    /// # Errors
    /// [`PriceListError::Pricing`] names the first row that has no price; [`PriceListError::Empty`].
    pub fn price(
        &self,
        policy: &PricingPolicy,
        terms: &ListTerms<'_>,
    ) -> Result<PriceList, PriceListError> {
        let entry = |(model, kind, cost): &(Model, TokenKind, Money)| {
            terms.entry(policy, model, *kind, *cost)
        };
        let entries: Result<_, _> = self.rows.iter().map(entry).collect();
        PriceList::new(
            terms.name.clone(),
            terms.tier.clone(),
            terms.effective_from,
            entries?,
        )
    }
}

/// For whom a price list is, and under what terms.
#[derive(Debug, Clone)]
#[must_use]
pub struct ListTerms<'a> {
    name: PriceListName,
    tier: &'a Tier,
    effective_from: Timestamp,
    supply: Supply,
    contract: Option<&'a Contract>,
    cost_rise: CostRise,
    volume: Option<&'a VolumeDiscounts>,
}

impl<'a> ListTerms<'a> {
    /// A list for this tier, from this moment on, in balanced supply.
    pub fn new(name: PriceListName, tier: &'a Tier, effective_from: Timestamp) -> Self {
        Self {
            name,
            tier,
            effective_from,
            supply: Supply::default(),
            contract: None,
            cost_rise: CostRise::NONE,
            volume: None,
        }
    }

    /// In this supply.
    pub fn supply(mut self, supply: impl Into<Supply>) -> Self {
        self.supply = supply.into();
        self
    }

    /// Under this contract, if it is in force on the day in UTC from which on the list holds.
    pub fn contract(mut self, contract: &'a Contract) -> Self {
        self.contract = Some(contract);
        self
    }

    /// With prices that keep the floor after costs have risen by so much.
    pub fn cost_rise(mut self, cost_rise: CostRise) -> Self {
        self.cost_rise = cost_rise;
        self
    }

    /// With these discounts for volume.
    pub fn volume(mut self, volume: &'a VolumeDiscounts) -> Self {
        self.volume = Some(volume);
        self
    }

    fn entry(
        &self,
        policy: &PricingPolicy,
        model: &Model,
        kind: TokenKind,
        cost: Money,
    ) -> Result<ListEntry, PriceListError> {
        let pricing_error = |error| PriceListError::Pricing {
            model: model.clone(),
            kind,
            error,
        };
        let day = Offset::UTC.to_datetime(self.effective_from).date();
        let mut request = PriceRequest::new(cost, self.tier, model, day)
            .kind(kind)
            .supply(self.supply)
            .cost_rise(self.cost_rise);
        request.contract = self.contract;
        let quantum = Quantum::decimal_places(PriceList::PLACES)
            .map_err(|error| pricing_error(error.into()))?;
        let price = |(up_to, discount): (Option<u64>, Discount)| {
            let request = request.volume_discount(discount);
            crate::price::compute(policy, quantum, &request)
                .map(|price| (up_to, price))
                .map_err(pricing_error)
        };
        let flat = [(None, Discount::ZERO)];
        let (tiering, bands) = match self.volume {
            Some(volume) => (volume.tiering, volume.bands.as_slice()),
            None => (Tiering::Graduated, flat.as_slice()),
        };
        let priced: Result<_, _> = bands.iter().copied().map(price).collect();
        ListEntry::new(model.clone(), kind, tiering, priced?)
    }
}

/// What is let off by how much is taken. Every discounted price is held inside the bounds on its own.
///
/// ```
/// use bursar_pricing::{Discount, Tiering, VolumeDiscounts};
///
/// // 10 % off beyond a billion tokens, for what is beyond.
/// let volume = VolumeDiscounts::new(
///     Tiering::Graduated,
///     vec![(Some(1_000_000_000), Discount::ZERO), (None, "10%".parse()?)],
/// )?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeDiscounts {
    tiering: Tiering,
    bands: Vec<(Option<u64>, Discount)>,
}

impl VolumeDiscounts {
    /// Discounts by the end of each band, included; the last has none.
    ///
    /// # Errors
    /// [`ScheduleError`] names the band that is wrong.
    pub fn new(
        tiering: Tiering,
        bands: Vec<(Option<u64>, Discount)>,
    ) -> Result<Self, ScheduleError> {
        crate::schedule::require_ends(bands.iter().map(|(up_to, _)| *up_to))?;
        Ok(Self { tiering, bands })
    }
}
