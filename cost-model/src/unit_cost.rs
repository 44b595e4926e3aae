//! What does one thousand requests cost, or one tenant, or one value of a tag?

use rust_decimal::Decimal;

use crate::attribution::{by_key, outer_join};
use crate::quotient::quotient;
use crate::{Exact, ExactError, ExactSum};

/// Cost ÷ quantity × a number of units, or why that is not known.
///
/// ```
/// use bursar_cost_model::{Exact, UnitCost, UnknownUnitCost};
///
/// let per_thousand = Exact::from(1000);
/// let cost = "200.34".parse()?;
/// let known = UnitCost::of(&cost, Some("1250000".parse()?), per_thousand, 6);
/// assert_eq!(known, UnitCost::Known("0.160272".parse()?));
///
/// let idle = UnitCost::of(&cost, Some(Exact::ZERO), per_thousand, 6);
/// assert_eq!(idle, UnitCost::Unknown(UnknownUnitCost::NoQuantity));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum UnitCost {
    /// The cost of that many units, rounded half to even.
    Known(#[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str"))] Decimal),
    /// It cannot be told, and is not zero.
    Unknown(UnknownUnitCost),
}

/// Why a unit cost is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum UnknownUnitCost {
    /// The quantity was not metered.
    MissingQuantity,
    /// The quantity is zero: there is no unit that could have a cost.
    NoQuantity,
    /// The quantity is below zero, as a correction is.
    NegativeQuantity,
    /// There is a quantity and no cost.
    MissingCost,
    /// The result has more digits than a decimal number can hold.
    OutOfRange,
}

impl UnitCost {
    /// `cost` ÷ `quantity` × `per`, rounded half to even to `places` (at most 28).
    ///
    /// `per` is the number of units that are priced together: 1000 for "per thousand requests",
    /// 1 for "per tenant".
    #[must_use]
    pub fn of(cost: &ExactSum, quantity: Option<Exact>, per: Exact, places: u32) -> UnitCost {
        match quantity {
            None => UnitCost::Unknown(UnknownUnitCost::MissingQuantity),
            Some(quantity) if quantity.is_zero() => UnitCost::Unknown(UnknownUnitCost::NoQuantity),
            Some(quantity) if quantity.is_negative() => {
                UnitCost::Unknown(UnknownUnitCost::NegativeQuantity)
            }
            Some(quantity) => scaled_quotient(cost, quantity, per, places).map_or(
                UnitCost::Unknown(UnknownUnitCost::OutOfRange),
                UnitCost::Known,
            ),
        }
    }

    /// The amount, or `None` when it is not known.
    #[must_use]
    pub fn known(self) -> Option<Decimal> {
        match self {
            UnitCost::Known(amount) => Some(amount),
            UnitCost::Unknown(_) => None,
        }
    }
}

fn scaled_quotient(cost: &ExactSum, quantity: Exact, per: Exact, places: u32) -> Option<Decimal> {
    let scaled = cost.to_exact()?.checked_mul(per)?;
    quotient(&scaled.into(), quantity, places)
}

/// The unit cost of one key: a tenant, a tag value, or a period.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct KeyedUnitCost<K> {
    /// The tenant, tag value or period.
    pub key: K,
    /// What it cost; `None` when there is no cost for the key.
    pub cost: Option<ExactSum>,
    /// How many units there were; `None` when they were not metered.
    pub quantity: Option<ExactSum>,
    /// The cost of one unit, or of as many as were asked for.
    pub unit_cost: UnitCost,
}

/// The unit cost of every key that has a cost or a quantity, in the order of the keys.
///
/// With [`DateRange`](crate::DateRange) as the key it is a series over periods. Equal keys are
/// added, in any order.
///
/// ```
/// use bursar_cost_model::{Exact, UnitCost, unit_costs};
///
/// let costs = [("acme", "12.00".parse()?), ("globex", "3.00".parse()?)];
/// let requests = [("acme", Exact::from(480_000))];
/// let per_tenant = unit_costs(costs, requests, Exact::from(1000), 4)?;
/// assert_eq!(per_tenant[0].unit_cost, UnitCost::Known("0.0250".parse()?));
/// assert_eq!(per_tenant[1].unit_cost.known(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExactError::SumOutOfRange`] when a sum leaves its range.
pub fn unit_costs<K: Ord>(
    costs: impl IntoIterator<Item = (K, ExactSum)>,
    quantities: impl IntoIterator<Item = (K, Exact)>,
    per: Exact,
    places: u32,
) -> Result<Vec<KeyedUnitCost<K>>, ExactError> {
    let joined = outer_join(by_key(costs)?, by_key(quantities)?);
    let keyed = |(key, (cost, quantity)): (K, (Option<ExactSum>, Option<ExactSum>))| {
        let unit_cost = keyed_unit_cost(cost.as_ref(), quantity.as_ref(), per, places);
        KeyedUnitCost {
            key,
            cost,
            quantity,
            unit_cost,
        }
    };
    Ok(joined.into_iter().map(keyed).collect())
}

fn keyed_unit_cost(
    cost: Option<&ExactSum>,
    quantity: Option<&ExactSum>,
    per: Exact,
    places: u32,
) -> UnitCost {
    let Some(cost) = cost else {
        return UnitCost::Unknown(UnknownUnitCost::MissingCost);
    };
    match quantity.map(ExactSum::to_exact) {
        Some(None) => UnitCost::Unknown(UnknownUnitCost::OutOfRange),
        quantity => UnitCost::of(cost, quantity.flatten(), per, places),
    }
}
