//! Is it a margin or a mark-up, and what is one as the other?
//!
//! Both are called "25 %" and both are profit, yet a margin is a share of the *price* and a mark-up a share
//! of the *cost*: cost 6.00 and a margin of 25 % make 8.00, a mark-up of 25 % makes 7.50. Multiplying a
//! cost by the margin, as is done too, makes 1.50. They are two types here, and only one of them prices.

use std::fmt;
use std::str::FromStr;

use bursar_units::Rounding;
use rust_decimal::Decimal;

use crate::exact::{Share, greatest_common_divisor};

/// The share of a price that is profit, 1 − cost ÷ price: at least 0 and under 1, with up to nine decimal
/// places.
///
/// ```
/// use bursar_pricing::{Margin, MarkUp};
///
/// let margin: Margin = "25%".parse()?;
/// assert_eq!(margin, "0.25".parse()?);
/// assert_eq!(margin, Margin::from_basis_points(2_500)?);
/// // A quarter of the price is a third of the cost.
/// assert_eq!(margin.to_mark_up().to_string(), "1/3");
/// assert!("100%".parse::<Margin>().is_err());
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
///
/// What is no margin is not taken for one:
///
/// ```compile_fail
/// use bursar_pricing::{Margin, MarginBounds, MarkUp};
///
/// let mark_up: MarkUp = "0.25".parse().expect("a mark-up");
/// let bounds = MarginBounds::new(mark_up, mark_up);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Decimal", into = "Decimal"))]
#[must_use]
pub struct Margin(Share);

/// Why a number is no margin, mark-up, discount, factor or utilization.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// It is outside the range.
    #[error("{value} is no {what}: it must be {range}")]
    OutOfRange {
        /// What it was to be.
        what: &'static str,
        /// The number as given.
        value: Decimal,
        /// What would do.
        range: &'static str,
    },
    /// It has more than nine decimal places.
    #[error("{value} has more than nine decimal places: round the {what} first")]
    TooFine {
        /// What it was to be.
        what: &'static str,
        /// The number as given.
        value: Decimal,
    },
    /// It is no number.
    #[error("`{text}` is no {what}: write it as 0.25 or as 25%")]
    NotANumber {
        /// What it was to be.
        what: &'static str,
        /// The text as given, or its begin.
        text: String,
    },
}

impl Margin {
    /// No profit: the price is the cost.
    pub const ZERO: Self = Self(Share::ZERO);

    /// The margin of this share of the price: 0.25 is a quarter of it.
    ///
    /// # Errors
    /// [`RateError`] unless it is at least 0, under 1 and has up to nine decimal places.
    pub fn new(share: Decimal) -> Result<Self, RateError> {
        Share::new(share, "margin").map(Self)
    }

    /// The margin of so many hundredths of a percent of the price: 2500 is a quarter of it.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`] from 10 000 on.
    pub fn from_basis_points(points: u32) -> Result<Self, RateError> {
        Self::new(Decimal::new(i64::from(points), 4))
    }

    /// The share as a decimal.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        self.0.as_decimal()
    }

    pub(crate) fn billionths(self) -> u64 {
        self.0.billionths()
    }

    /// The mark-up that leads to the same price, exactly: t ÷ (1 − t).
    pub fn to_mark_up(self) -> MarkUp {
        MarkUp::reduced(self.0.billionths(), self.0.rest_billionths())
    }

    /// A margin of whole percents that is known to be one; from 100 on, 99.
    pub(crate) const fn percent(percent: u32) -> Self {
        Self(Share::percent(percent))
    }
}

/// `25%`, `12.5%`.
impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// From `0.25` or `25%`.
impl FromStr for Margin {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse_rate(text, "margin").and_then(Self::new)
    }
}

impl TryFrom<Decimal> for Margin {
    type Error = RateError;

    fn try_from(share: Decimal) -> Result<Self, RateError> {
        Self::new(share)
    }
}

impl From<Margin> for Decimal {
    fn from(margin: Margin) -> Decimal {
        margin.as_decimal()
    }
}

/// The profit as a multiple of the cost, price ÷ cost − 1: an exact fraction, at least 0.
///
/// ```
/// use bursar_pricing::{MarkUp, Margin};
/// use bursar_units::Rounding;
///
/// // "Cost plus 20 %" is a margin of a sixth, not of a fifth.
/// let mark_up: MarkUp = "20%".parse()?;
/// assert_eq!(mark_up.to_string(), "1/5");
/// assert_eq!(mark_up.to_margin(Rounding::HalfEven)?.to_string(), "16.6666667%");
/// // The other way there is nothing to round.
/// assert_eq!("40%".parse::<Margin>()?.to_mark_up().to_string(), "2/3");
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct MarkUp {
    numerator: u64,
    denominator: u64,
}

/// Mark-ups reach to a thousand times the cost.
const MAX_MARK_UP: Decimal = Decimal::ONE_THOUSAND;

const BILLION: u64 = 1_000_000_000;

impl MarkUp {
    /// The mark-up of this multiple of the cost: 0.25 adds a quarter of it.
    ///
    /// # Errors
    /// [`RateError`] unless it is from 0 to 1000 and has up to nine decimal places.
    pub fn new(multiple: Decimal) -> Result<Self, RateError> {
        let range = "from 0 to 1000";
        let billionths = billionths(multiple, "mark-up", range, Decimal::ZERO, MAX_MARK_UP)?;
        Ok(Self::reduced(billionths, BILLION))
    }

    /// The margin that leads to nearly the same price: u ÷ (1 + u), which seldom has an end, rounded to
    /// nine decimal places as `rounding` says.
    ///
    /// # Errors
    /// [`RateError::OutOfRange`] when it rounds to 1.
    pub fn to_margin(self, rounding: Rounding) -> Result<Margin, RateError> {
        let (whole, _) = self.price_over_cost();
        let billionths = crate::exact::rounded_quotient(
            u128::from(self.numerator).saturating_mul(u128::from(BILLION)),
            u128::from(whole),
            rounding,
        );
        let billionths = i64::try_from(billionths).unwrap_or(i64::MAX);
        Margin::new(Decimal::new(billionths, 9))
    }

    /// Numerator and denominator of the reduced fraction.
    #[must_use]
    pub const fn as_fraction(self) -> (u64, u64) {
        (self.numerator, self.denominator)
    }

    /// 1 + u, the multiple of the cost that the price is, as a fraction.
    pub(crate) const fn price_over_cost(self) -> (u64, u64) {
        let Self {
            numerator,
            denominator,
        } = self;
        (numerator.saturating_add(denominator), denominator)
    }

    fn reduced(numerator: u64, denominator: u64) -> Self {
        let divisor = greatest_common_divisor(numerator, denominator);
        let divided = |it: u64| it.checked_div(divisor).unwrap_or(it);
        Self {
            numerator: divided(numerator),
            denominator: divided(denominator),
        }
    }
}

/// The reduced fraction: `1/3`, or `2` for twice the cost.
impl fmt::Display for MarkUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => self.numerator.fmt(f),
            _ => f.pad(&format!("{}/{}", self.numerator, self.denominator)),
        }
    }
}

impl From<Margin> for MarkUp {
    fn from(margin: Margin) -> Self {
        margin.to_mark_up()
    }
}

/// From `0.25` or `25%`.
impl FromStr for MarkUp {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse_rate(text, "mark-up").and_then(Self::new)
    }
}

/// A part of the price that is let off: at least 0 and under 1, with up to nine decimal places.
///
/// The discounted price is held inside the margin bounds like any other, so a discount alone never sells
/// under the floor.
///
/// ```
/// use bursar_pricing::Discount;
///
/// assert_eq!("12.5%".parse::<Discount>()?, "0.125".parse()?);
/// assert!("-5%".parse::<Discount>().is_err());
/// # Ok::<(), bursar_pricing::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Decimal", into = "Decimal"))]
#[must_use]
pub struct Discount(Share);

impl Discount {
    /// Nothing is let off.
    pub const ZERO: Self = Self(Share::ZERO);

    /// The discount of this share of the price.
    ///
    /// # Errors
    /// [`RateError`] unless it is at least 0, under 1 and has up to nine decimal places.
    pub fn new(share: Decimal) -> Result<Self, RateError> {
        Share::new(share, "discount").map(Self)
    }

    /// The share as a decimal.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        self.0.as_decimal()
    }

    pub(crate) fn billionths(self) -> u64 {
        self.0.billionths()
    }

    /// What remains of the price, as a reduced fraction.
    pub(crate) fn remaining(self) -> (u64, u64) {
        let rest = self.0.rest_billionths();
        let divisor = greatest_common_divisor(rest, BILLION);
        let divided = |it: u64| it.checked_div(divisor).unwrap_or(it);
        (divided(rest), divided(BILLION))
    }
}

/// `12.5%`.
impl fmt::Display for Discount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// From `0.125` or `12.5%`.
impl FromStr for Discount {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse_rate(text, "discount").and_then(Self::new)
    }
}

impl TryFrom<Decimal> for Discount {
    type Error = RateError;

    fn try_from(share: Decimal) -> Result<Self, RateError> {
        Self::new(share)
    }
}

impl From<Discount> for Decimal {
    fn from(discount: Discount) -> Decimal {
        discount.as_decimal()
    }
}

/// A number within a range, in billionths.
pub(crate) fn billionths(
    value: Decimal,
    what: &'static str,
    range: &'static str,
    least: Decimal,
    most: Decimal,
) -> Result<u64, RateError> {
    if value < least || value > most {
        return Err(RateError::OutOfRange { what, value, range });
    }
    let value = value.normalize();
    let too_fine = RateError::TooFine { what, value };
    let Some(places) = 9_u32.checked_sub(value.scale()) else {
        return Err(too_fine);
    };
    u64::try_from(value.mantissa())
        .ok()
        .and_then(|mantissa| mantissa.checked_mul(10_u64.checked_pow(places)?))
        .ok_or(too_fine)
}

/// A plain number, or a number of percent.
pub(crate) fn parse_rate(text: &str, what: &'static str) -> Result<Decimal, RateError> {
    let not_a_number = || RateError::NotANumber {
        what,
        text: text.chars().take(40).collect(),
    };
    let trimmed = text.trim();
    let (digits, is_percent) = match trimmed.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), true),
        None => (trimmed, false),
    };
    let mut value = Decimal::from_str_exact(digits).map_err(|_| not_a_number())?;
    if is_percent {
        let scale = value.scale().saturating_add(2);
        value.set_scale(scale).map_err(|_| not_a_number())?;
    }
    Ok(value)
}
