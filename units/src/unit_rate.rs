//! What does a quantity cost at a price per so many units?

use std::fmt;

use rust_decimal::Decimal;

use crate::exact;
use crate::{Money, MoneyError};

/// A price per unit, per thousand or per million units, as price lists quote it.
///
/// Two rates are equal when price and basis are: 3.00 per million is not
/// replaced by 0.003 per thousand, so that a quote can show the list's own
/// words. Both fields are public, for every price and basis make a rate.
///
/// ```
/// use bursar_units::{Currency, Money, TokenCount, UnitRate};
///
/// let input_rate = UnitRate::per_million(Money::parse("3.00", Currency::USD)?);
/// let cost = input_rate.cost(TokenCount::new(1_234))?;
/// assert_eq!(cost.to_string(), "0.003702 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[must_use]
pub struct UnitRate {
    /// The price of as many units as `per` says.
    pub price: Money,
    /// For how many units the price is.
    pub per: Per,
}

/// For how many units a price is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Per {
    /// One unit: a request, an hour, a GB-month.
    Unit,
    /// A thousand units.
    Thousand,
    /// A million units, as language models are priced.
    Million,
}

impl UnitRate {
    /// A price per unit.
    pub const fn per_unit(price: Money) -> Self {
        Self {
            price,
            per: Per::Unit,
        }
    }

    /// A price per thousand units.
    pub const fn per_thousand(price: Money) -> Self {
        Self {
            price,
            per: Per::Thousand,
        }
    }

    /// A price per million units.
    pub const fn per_million(price: Money) -> Self {
        Self {
            price,
            per: Per::Million,
        }
    }

    /// What `quantity` units cost, exactly, with at least the decimal places of
    /// the price. The quantity is a [`TokenCount`](crate::TokenCount), a whole
    /// number or a [`Decimal`]; under zero it is a correction.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`]; [`MoneyError::Inexact`] when the cost has more
    /// digits than a decimal holds.
    pub fn cost(&self, quantity: impl Into<Decimal>) -> Result<Money, MoneyError> {
        let quantity = quantity.into();
        let amount = exact::multiply(self.price.amount(), quantity, self.per.places());
        self.price.with_amount(
            amount.map(|amount| exact::trimmed_to_scale(amount, self.price.amount().scale())),
            || format!("{quantity} units at {self}"),
        )
    }
}

/// `3.00 USD per million`.
impl fmt::Display for UnitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.price, self.per)
    }
}

impl Per {
    /// How many units.
    #[must_use]
    pub const fn units(self) -> u64 {
        match self {
            Self::Unit => 1,
            Self::Thousand => 1_000,
            Self::Million => 1_000_000,
        }
    }

    /// The decimal places by which the price of one unit lies lower.
    const fn places(self) -> u32 {
        match self {
            Self::Unit => 0,
            Self::Thousand => 3,
            Self::Million => 6,
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unit => "unit",
            Self::Thousand => "thousand",
            Self::Million => "million",
        })
    }
}
