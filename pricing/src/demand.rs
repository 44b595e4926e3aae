//! How does the use of the provider's quota move prices?
//!
//! By three states, which a [`SupplyTracker`] derives from measured utilization with hysteresis, or by a
//! smooth bounded [`DemandCurve`]. Both give a [`Factor`] for the mark-up.

mod curve;
mod tracker;

pub use curve::DemandCurve;
pub use tracker::{SupplyThresholds, SupplyTracker};

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::factor::Factor;
use crate::margin::{RateError, billionths, parse_rate};

/// How scarce the supply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum SupplyState {
    /// More than is asked for.
    Surplus,
    /// As much as is asked for.
    Balanced,
    /// Less than is asked for.
    Scarce,
}

impl SupplyState {
    /// From the most to the least supply.
    pub const ALL: [Self; 3] = [Self::Surplus, Self::Balanced, Self::Scarce];
}

/// `surplus`, `balanced`, `scarce`.
impl fmt::Display for SupplyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Surplus => "surplus",
            Self::Balanced => "balanced",
            Self::Scarce => "scarce",
        })
    }
}

/// The supply as a price request states it; the policy makes a factor of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Supply {
    /// One of three states.
    State(SupplyState),
    /// The smoothed use of the provider's quota, for the demand curve.
    Utilization(Utilization),
}

/// Balanced.
impl Default for Supply {
    fn default() -> Self {
        Self::State(SupplyState::Balanced)
    }
}

impl From<SupplyState> for Supply {
    fn from(state: SupplyState) -> Self {
        Self::State(state)
    }
}

impl From<Utilization> for Supply {
    fn from(utilization: Utilization) -> Self {
        Self::Utilization(utilization)
    }
}

/// The factors of the three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SupplyFactors {
    /// In surplus.
    pub surplus: Factor,
    /// In balance.
    pub balanced: Factor,
    /// In scarcity.
    pub scarce: Factor,
}

impl SupplyFactors {
    /// The factor of a state.
    pub const fn of(&self, state: SupplyState) -> Factor {
        match state {
            SupplyState::Surplus => self.surplus,
            SupplyState::Balanced => self.balanced,
            SupplyState::Scarce => self.scarce,
        }
    }
}

/// 0.8, 1.0 and 1.3.
impl Default for SupplyFactors {
    fn default() -> Self {
        Self {
            surplus: Factor::from_billionths(800_000_000),
            balanced: Factor::ONE,
            scarce: Factor::from_billionths(1_300_000_000),
        }
    }
}

/// How much of a quota is in use, from 0 to 1, with up to nine decimal places.
///
/// ```
/// use bursar_pricing::Utilization;
///
/// let utilization = Utilization::of(640_000, 800_000)?;
/// assert_eq!(utilization, "80%".parse()?);
/// // Over the quota is all of it; of no quota nothing is known.
/// assert_eq!(Utilization::of(9, 8)?, Utilization::FULL);
/// assert!(Utilization::of(0, 0).is_err());
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Decimal", into = "Decimal"))]
#[must_use]
pub struct Utilization {
    billionths: u32,
}

const BILLION: u32 = 1_000_000_000;

impl Utilization {
    /// Nothing is in use.
    pub const NONE: Self = Self { billionths: 0 };

    /// All is in use.
    pub const FULL: Self = Self {
        billionths: BILLION,
    };

    /// The utilization of this share of the quota.
    ///
    /// # Errors
    /// [`RateError`] unless it is from 0 to 1 and has up to nine decimal places.
    pub fn new(share: Decimal) -> Result<Self, RateError> {
        let (what, range) = ("utilization", "from 0 to 1");
        let billionths = billionths(share, what, range, Decimal::ZERO, Decimal::ONE)?;
        u32::try_from(billionths)
            .map(|billionths| Self { billionths })
            .map_err(|_| RateError::OutOfRange {
                what,
                value: share,
                range,
            })
    }

    /// So much of such a quota, rounded down to a billionth; all of it where more is used.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`] when the quota is zero.
    pub fn of(used: u64, quota: u64) -> Result<Self, RateError> {
        let used = u128::from(used.min(quota)).saturating_mul(BILLION.into());
        let billionths = used.checked_div(quota.into());
        billionths
            .and_then(|billionths| u32::try_from(billionths).ok())
            .map(|billionths| Self { billionths })
            .ok_or(RateError::OutOfRange {
                what: "quota",
                value: quota.into(),
                range: "over 0",
            })
    }

    /// The share as a decimal.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        Decimal::new(i64::from(self.billionths), 9).normalize()
    }

    pub(crate) const fn billionths(self) -> u32 {
        self.billionths
    }

    /// A utilization of so many thousandths; from 1000 on all of it.
    pub(crate) const fn from_thousandths(thousandths: u32) -> Self {
        let thousandths = if thousandths < 1_000 {
            thousandths
        } else {
            1_000
        };
        Self {
            billionths: thousandths.saturating_mul(1_000_000),
        }
    }
}

/// `80%`.
impl fmt::Display for Utilization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = Decimal::new(i64::from(self.billionths), 7).normalize();
        f.pad(&format!("{percent}%"))
    }
}

/// From `0.8` or `80%`.
impl FromStr for Utilization {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse_rate(text, "utilization").and_then(Self::new)
    }
}

impl TryFrom<Decimal> for Utilization {
    type Error = RateError;

    fn try_from(share: Decimal) -> Result<Self, RateError> {
        Self::new(share)
    }
}

impl From<Utilization> for Decimal {
    fn from(utilization: Utilization) -> Decimal {
        utilization.as_decimal()
    }
}
