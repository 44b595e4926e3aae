//! By how much does a model or the supply raise or lower the mark-up?

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::exact::greatest_common_divisor;
use crate::margin::{RateError, billionths, parse_rate};

/// A number that a mark-up is multiplied by: over 0, at most 1000, with up to nine decimal places.
///
/// Factors act on the mark-up and never on the price, so that no product of them, however small, leads
/// below the cost; and a product does not depend on its order.
///
/// ```
/// use bursar_pricing::Factor;
///
/// let scarce: Factor = "1.3".parse()?;
/// assert_eq!(scarce.to_string(), "1.3");
/// assert!("0".parse::<Factor>().is_err());
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Decimal", into = "Decimal"))]
#[must_use]
pub struct Factor {
    /// First, for the derived order; the fraction follows from it.
    billionths: u64,
    numerator: u64,
    denominator: u64,
}

const BILLION: u64 = 1_000_000_000;

impl Factor {
    /// The factor that changes nothing.
    pub const ONE: Self = Self {
        billionths: BILLION,
        numerator: 1,
        denominator: 1,
    };

    /// The factor of this value.
    ///
    /// # Errors
    /// [`RateError`] unless it is over 0, at most 1000 and has up to nine decimal places.
    pub fn new(value: Decimal) -> Result<Self, RateError> {
        let least = Decimal::new(1, 9);
        let range = "over 0 and at most 1000, in steps of a billionth";
        billionths(value, "factor", range, least, Decimal::ONE_THOUSAND).map(Self::from_billionths)
    }

    /// The factor as a decimal.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(i128::from(self.billionths), 9).normalize()
    }

    /// A factor of so many billionths, which are from 1 to 10¹².
    pub(crate) fn from_billionths(billionths: u64) -> Self {
        let divisor = greatest_common_divisor(billionths, BILLION);
        let divided = |it: u64| it.checked_div(divisor).unwrap_or(it);
        Self {
            billionths,
            numerator: divided(billionths),
            denominator: divided(BILLION),
        }
    }

    pub(crate) const fn billionths(self) -> u64 {
        self.billionths
    }

    /// The reduced fraction.
    pub(crate) const fn as_fraction(self) -> (u64, u64) {
        (self.numerator, self.denominator)
    }
}

/// The number without zeros at its end.
impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_decimal().fmt(f)
    }
}

/// From `1.3` or `130%`.
impl FromStr for Factor {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse_rate(text, "factor").and_then(Self::new)
    }
}

impl TryFrom<Decimal> for Factor {
    type Error = RateError;

    fn try_from(value: Decimal) -> Result<Self, RateError> {
        Self::new(value)
    }
}

impl From<Factor> for Decimal {
    fn from(factor: Factor) -> Decimal {
        factor.as_decimal()
    }
}
