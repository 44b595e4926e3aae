//! How is a price kept, and is what was kept a price?

use bursar_units::{Money, MoneyError, Quantum};

use super::{AllowedPrices, Clamp, Exposure, Price, TierMargin};
use crate::factor::Factor;
use crate::format::Format;
use crate::margin::Discount;
use crate::name::ContractId;
use crate::waterfall::{Step, Waterfall};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    format: Format<1>,
    cost: Money,
    price: Money,
    tier: TierMargin,
    model: Factor,
    supply: Factor,
    volume_discount: Discount,
    contract: Option<ContractId>,
    contract_discount: Discount,
    clamp: Option<Clamp>,
    allowed: Option<AllowedPrices>,
    exposure: Option<Exposure>,
    waterfall: [Money; Step::ALL.len()],
    waterfall_places: u32,
}

/// Why what was kept is no price.
#[derive(Debug, thiserror::Error)]
pub(super) enum SavedError {
    #[error("the steps of the waterfall add up to {sum} and not to the price, {price}")]
    Sum { sum: Money, price: Money },
    #[error("cost {cost} and price {price} must be over zero")]
    NotPositive { cost: Money, price: Money },
    #[error("the price {price} is not between {least} and {most}, which it was saved with")]
    OutsideBounds {
        price: Money,
        least: Money,
        most: Money,
    },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl TryFrom<Saved> for Price {
    type Error = SavedError;

    fn try_from(saved: Saved) -> Result<Self, SavedError> {
        let (cost, price) = (saved.cost, saved.price);
        let is_positive = |money: Money| !money.is_zero() && !money.is_negative();
        if !is_positive(cost) || !is_positive(price) {
            return Err(SavedError::NotPositive { cost, price });
        }
        let zero = Money::zero(cost.currency());
        let sum = Money::try_sum(saved.waterfall)?.unwrap_or(zero);
        if sum.try_cmp(&price)?.is_ne() {
            return Err(SavedError::Sum { sum, price });
        }
        if let Some(AllowedPrices { least, most, .. }) = saved.allowed
            && (price.try_cmp(&least)?.is_lt() || price.try_cmp(&most)?.is_gt())
        {
            return Err(SavedError::OutsideBounds { price, least, most });
        }
        if let Some(allowed) = saved.allowed {
            Quantum::step(allowed.quantum)?;
        }
        if let Some(exposure) = saved.exposure {
            exposure.gap.try_cmp(&price)?;
        }
        Ok(Self {
            cost,
            price,
            tier: saved.tier,
            model: saved.model,
            supply: saved.supply,
            volume_discount: saved.volume_discount,
            contract: saved.contract,
            contract_discount: saved.contract_discount,
            clamp: saved.clamp,
            allowed: saved.allowed,
            exposure: saved.exposure,
            waterfall: Waterfall::new(saved.waterfall, saved.waterfall_places),
        })
    }
}

impl From<Price> for Saved {
    fn from(price: Price) -> Self {
        Self {
            format: Format,
            waterfall: Step::ALL.map(|step| price.waterfall.amount(step)),
            waterfall_places: price.waterfall.places(),
            cost: price.cost,
            price: price.price,
            tier: price.tier,
            model: price.model,
            supply: price.supply,
            volume_discount: price.volume_discount,
            contract: price.contract,
            contract_discount: price.contract_discount,
            clamp: price.clamp,
            allowed: price.allowed,
            exposure: price.exposure,
        }
    }
}
