//! Which amount does a text say, to its last digit?

use std::str::FromStr;

use rust_decimal::Decimal;

use super::Money;
use crate::exact::{self, Failure};
use crate::excerpt::excerpt;
use crate::{Currency, CurrencyError};

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseMoneyError {
    /// The text is not a number as [`Money::parse`] reads them.
    #[error(
        "`{text}` is not an amount; write digits with a point, such as `1234.50`, without separators, signs of currency or spaces"
    )]
    InvalidAmount {
        /// The text, cut short when it is long.
        text: String,
    },
    /// The number is in range but has more digits than a decimal holds; it is
    /// not rounded in silence.
    #[error("`{text}` has more digits than a decimal holds (28 places, 2^96 in all)")]
    TooManyDigits {
        /// The text, cut short when it is long.
        text: String,
    },
    /// The number is beyond the largest decimal.
    #[error("`{text}` is over the largest decimal, about 7.9e28")]
    OutOfRange {
        /// The text, cut short when it is long.
        text: String,
    },
    /// There is no single space between the amount and the currency.
    #[error(
        "`{text}` is not money; write the amount, one space and the currency, such as `12.34 USD`"
    )]
    InvalidForm {
        /// The text, cut short when it is long.
        text: String,
    },
    /// The part that should be the currency is none.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
}

impl Money {
    /// The amount that a text says, exactly: an optional sign, digits with at
    /// most one point, an optional exponent (`1.5e-7`, as spreadsheets and JSON
    /// writers put small numbers). The decimal places are kept as written, so
    /// `12.30` prints as `12.30`; only zeros beyond the 28th place, which no
    /// decimal has, are left away.
    ///
    /// Refused: separators of thousands, a decimal comma, signs of currency,
    /// `NaN`, the empty text, and spaces.
    ///
    /// # Errors
    /// [`ParseMoneyError`]; a number that does not fit is an error and is never
    /// rounded.
    ///
    /// ```
    /// use bursar_units::{Currency, Money, ParseMoneyError};
    ///
    /// assert_eq!(Money::parse("-0.50", Currency::USD)?.to_string(), "-0.50 USD");
    /// assert_eq!(Money::parse("1.5e-7", Currency::USD)?.to_string(), "0.00000015 USD");
    /// assert!(matches!(
    ///     Money::parse("0.00000000000000000000000000001", Currency::USD),
    ///     Err(ParseMoneyError::TooManyDigits { .. }),
    /// ));
    /// # Ok::<(), ParseMoneyError>(())
    /// ```
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, ParseMoneyError> {
        parse_decimal(amount).map(|amount| Self::new(amount, currency))
    }
}

/// `12.34 USD` or `USD 12.34`, with exactly one space.
///
/// ```
/// use bursar_units::Money;
///
/// let money: Money = "12.34 USD".parse()?;
/// assert_eq!("USD 12.34".parse(), Ok(money));
/// # Ok::<(), bursar_units::ParseMoneyError>(())
/// ```
impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let (left, right) = text
            .split_once(' ')
            .ok_or_else(|| ParseMoneyError::InvalidForm {
                text: excerpt(text),
            })?;
        let (amount, currency) = if left.starts_with(|it: char| it.is_ascii_alphabetic()) {
            (right, left)
        } else {
            (left, right)
        };
        Self::parse(amount, Currency::from_code(currency)?)
    }
}

fn parse_decimal(text: &str) -> Result<Decimal, ParseMoneyError> {
    let invalid = || ParseMoneyError::InvalidAmount {
        text: excerpt(text),
    };
    let (negative, unsigned) = split_sign(text);
    let (significand, exponent) = split_exponent(unsigned).ok_or_else(invalid)?;
    let digits = Digits::read(significand).ok_or_else(invalid)?;
    digits
        .decimal(negative, exponent)
        .map_err(|failure| match failure {
            Failure::Overflow => ParseMoneyError::OutOfRange {
                text: excerpt(text),
            },
            Failure::Inexact => ParseMoneyError::TooManyDigits {
                text: excerpt(text),
            },
        })
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `None` when there is an exponent that is not a whole number of 32 bits.
fn split_exponent(unsigned: &str) -> Option<(&str, i64)> {
    match unsigned.split_once(['e', 'E']) {
        Some((significand, exponent)) => {
            Some((significand, i64::from(exponent.parse::<i32>().ok()?)))
        }
        None => Some((unsigned, 0)),
    }
}

/// A number as its digits stand in the text: `mantissa × 10^(zeros - places)`.
/// Zeros at the end are counted apart, so that any number of them can follow.
#[derive(Default)]
struct Digits {
    /// `None` once the digits up to the last that is not zero are over 128 bits.
    mantissa: Option<u128>,
    zeros: u32,
    places: u32,
    /// How many digits there are from the first that is not zero.
    length: u32,
}

impl Digits {
    /// `None` unless the text is digits with at most one point.
    fn read(significand: &str) -> Option<Self> {
        let mut digits = Self {
            mantissa: Some(0),
            ..Self::default()
        };
        let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        for byte in whole.bytes() {
            digits.push(byte)?;
        }
        for byte in fraction.bytes() {
            digits.push(byte)?;
            digits.places = digits.places.checked_add(1)?;
        }
        Some(digits)
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        self.zeros = self.zeros.checked_add(1)?;
        if digit != 0 || self.length > 0 {
            self.length = self.length.checked_add(1)?;
        }
        if digit != 0 {
            let zeros = std::mem::take(&mut self.zeros);
            self.mantissa = self.mantissa.and_then(|mantissa| {
                let shifted = match mantissa {
                    // Leading zeros, of which there may be any number.
                    0 => 0,
                    _ => mantissa.checked_mul(exact::power_of_ten(zeros)?)?,
                };
                shifted.checked_add(u128::from(digit))
            });
        }
        Some(())
    }

    fn decimal(&self, negative: bool, exponent: i64) -> Result<Decimal, Failure> {
        let scale = i64::from(self.places).saturating_sub(exponent);
        match self.mantissa {
            Some(mantissa) => exact::from_digits(negative, mantissa, i64::from(self.zeros), scale),
            // More than 38 digits. The largest decimal has 29 before its point.
            None if i64::from(self.length).saturating_sub(scale) <= 29 => Err(Failure::Inexact),
            None => Err(Failure::Overflow),
        }
    }
}
