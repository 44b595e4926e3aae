//! How is an amount kept so that a sum of millions of them is right to the last digit?
//!
//! Bills carry up to 28 decimal places, and their sums need more digits than a 96-bit
//! [`Decimal`] has. [`Exact`] is one cell: a 128-bit integer and a power of ten.
//! [`ExactSum`] adds cells without ever rounding, whatever mixture of scales they have, and
//! gives the same value in every order of addition.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use rust_decimal::Decimal;

mod sum;

use sum::Wide;
pub use sum::{ExactSum, RoundedSum};

/// The most decimal places that an [`Exact`] can have.
///
/// One less than the 38 digits that 127 bits always hold, so that two fractions of one can be
/// added before the carry.
pub const MAX_SCALE: u32 = 37;

/// Cells of this size and above are refused: no bill and no metered quantity reaches 10²⁴, and
/// the bound keeps every sum of cells far inside 128 bits.
const MAX_WHOLE: u128 = 10u128.pow(24);

/// `POWERS[n]` is 10ⁿ.
pub(crate) const POWERS: [i128; MAX_SCALE as usize + 1] = {
    let mut powers = [1i128; MAX_SCALE as usize + 1];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// One exact decimal number, as a cell of a bill holds it: up to 38 digits, up to 37 of them
/// after the point, below 10²⁴.
///
/// Equality and order are those of the number: `1.50` equals `1.5`. [`Display`](fmt::Display)
/// prints the places it was given.
///
/// ```
/// use bursar_cost_model::Exact;
///
/// let cost: Exact = "0.00000080000".parse()?;
/// assert_eq!(cost, "8e-7".parse()?);
/// assert_eq!(cost.to_string(), "0.00000080000");
/// # Ok::<(), bursar_cost_model::ExactError>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Exact {
    mantissa: i128,
    scale: u8,
}

/// Why a number could not be kept exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExactError {
    /// The text is not a decimal number.
    #[error(
        "`{0}` is not a decimal number (expected digits, one `.`, an optional sign and exponent)"
    )]
    NotANumber(String),
    /// More digits than can be kept without rounding.
    #[error("`{0}` has more digits than can be kept exactly (38 in all, 37 after the point)")]
    TooManyDigits(String),
    /// The number is 10²⁴ or more.
    #[error("`{0}` is out of range: amounts and quantities are below 10^24")]
    OutOfRange(String),
    /// A sum left the range of 128 bits.
    #[error("the sum is out of range: it needs more than 38 digits before the point")]
    SumOutOfRange,
}

impl Exact {
    /// Nothing: 0.
    pub const ZERO: Exact = Exact {
        mantissa: 0,
        scale: 0,
    };

    /// `mantissa` × 10^−`scale`, or `None` when that is 10²⁴ or more or has too many places.
    ///
    /// ```
    /// use bursar_cost_model::Exact;
    /// assert_eq!(Exact::new(20034, 2).map(|e| e.to_string()), Some("200.34".to_owned()));
    /// assert_eq!(Exact::new(1, 40), None);
    /// ```
    #[must_use]
    pub fn new(mantissa: i128, scale: u32) -> Option<Exact> {
        let power = POWERS.get(scale as usize)?.unsigned_abs();
        // The smallest integer has no counterpart above 0: negated, it would overflow.
        let in_range = mantissa != i128::MIN && mantissa.unsigned_abs() / power < MAX_WHOLE;
        in_range.then_some(Exact {
            mantissa,
            scale: scale as u8,
        })
    }

    /// Reads ASCII digits with an optional sign, point and exponent; nothing is rounded.
    ///
    /// # Errors
    /// [`ExactError::NotANumber`] for anything else (thousands separators, `NaN`, blanks),
    /// [`ExactError::TooManyDigits`] and [`ExactError::OutOfRange`] for what cannot be kept.
    pub fn parse(bytes: &[u8]) -> Result<Exact, ExactError> {
        match parse_short(bytes) {
            Some(exact) => Ok(exact),
            None => parse_long(bytes),
        }
    }

    /// The integer that, divided by ten to the [`scale`](Exact::scale), is this number.
    #[must_use]
    pub fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// The number of places after the point.
    #[must_use]
    pub fn scale(self) -> u32 {
        u32::from(self.scale)
    }

    /// Whether this is 0.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether this is below 0.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(self) -> Exact {
        Exact {
            mantissa: self.mantissa.abs(),
            ..self
        }
    }

    /// The same number without trailing zeros after the point.
    #[must_use]
    pub fn normalized(self) -> Exact {
        let Exact {
            mut mantissa,
            mut scale,
        } = self;
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Exact { mantissa, scale }
    }

    /// The product, exactly; `None` when it cannot be kept without rounding.
    #[must_use]
    pub fn checked_mul(self, other: Exact) -> Option<Exact> {
        let product = |a: Exact, b: Exact| {
            let mantissa = a.mantissa.checked_mul(b.mantissa)?;
            Exact::new(mantissa, a.scale() + b.scale())
        };
        product(self, other).or_else(|| product(self.normalized(), other.normalized()))
    }

    /// The sum, exactly; `None` when it cannot be kept without rounding.
    #[must_use]
    pub fn checked_add(self, other: Exact) -> Option<Exact> {
        let (a, b, scale) =
            aligned(self, other).or_else(|| aligned(self.normalized(), other.normalized()))?;
        Exact::new(a.checked_add(b)?, u32::from(scale))
    }

    /// The difference, exactly; `None` when it cannot be kept without rounding.
    #[must_use]
    pub fn checked_sub(self, other: Exact) -> Option<Exact> {
        self.checked_add(Exact {
            mantissa: -other.mantissa,
            ..other
        })
    }

    /// The number as a [`Decimal`], exactly; `None` when it needs more than 96 bits or 28 places.
    #[must_use]
    pub fn to_decimal(self) -> Option<Decimal> {
        let exact = |e: Exact| Decimal::try_from_i128_with_scale(e.mantissa, e.scale()).ok();
        exact(self).or_else(|| exact(self.normalized()))
    }

    /// The nearest floating-point number: for statistics, never for money.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(i32::from(self.scale))
    }
}

/// Both mantissas at the larger of the two scales.
fn aligned(a: Exact, b: Exact) -> Option<(i128, i128, u8)> {
    let scale = a.scale.max(b.scale);
    let up = |e: Exact| e.mantissa.checked_mul(POWERS[usize::from(scale - e.scale)]);
    Some((up(a)?, up(b)?, scale))
}

/// The common cell: an optional sign, up to 18 digits, one point, no exponent.
fn parse_short(bytes: &[u8]) -> Option<Exact> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut mantissa = 0i64;
    let mut point = None;
    for (i, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            // At most 18 digits with a point, 19 without: the latter are left to the long form.
            mantissa = mantissa.checked_mul(10)?.checked_add(i64::from(digit))?;
        } else if byte == b'.' && point.is_none() && digits.len() > 1 {
            point = Some(i);
        } else {
            return None;
        }
    }
    let scale = point.map_or(0, |at| digits.len() - 1 - at) as u8;
    let mantissa = i128::from(if negative { -mantissa } else { mantissa });
    Some(Exact { mantissa, scale })
}

/// Everything else that is a number, and the exact reason for what is not.
#[cold]
fn parse_long(bytes: &[u8]) -> Result<Exact, ExactError> {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    let parts = Parts::split(bytes).ok_or_else(|| ExactError::NotANumber(text()))?;
    // Zeros at either end carry no value, and may be all that makes a cell long.
    let whole = trim_start_zeros(parts.whole);
    let fraction = if whole.len() + parts.fraction.len() > 38 || parts.exponent != 0 {
        trim_end_zeros(parts.fraction)
    } else {
        parts.fraction
    };
    let mut mantissa = 0i128;
    for &byte in whole.iter().chain(fraction) {
        mantissa = mantissa
            .checked_mul(10)
            .and_then(|m| m.checked_add(i128::from(byte - b'0')))
            .ok_or_else(|| ExactError::TooManyDigits(text()))?;
    }
    let scale = fraction.len() as i64 - i64::from(parts.exponent);
    if mantissa == 0 {
        return Ok(Exact {
            mantissa: 0,
            scale: scale.clamp(0, i64::from(MAX_SCALE)) as u8,
        });
    }
    if scale < 0 {
        let power = usize::try_from(-scale).ok().and_then(|n| POWERS.get(n));
        mantissa = power
            .and_then(|power| mantissa.checked_mul(*power))
            .ok_or_else(|| ExactError::OutOfRange(text()))?;
    }
    let scale = scale.max(0);
    if scale > i64::from(MAX_SCALE) {
        return Err(ExactError::TooManyDigits(text()));
    }
    let signed = if parts.negative { -mantissa } else { mantissa };
    Exact::new(signed, scale as u32).ok_or_else(|| ExactError::OutOfRange(text()))
}

/// A number taken apart: sign, digits before and after the point, exponent.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
}

impl<'a> Parts<'a> {
    fn split(bytes: &'a [u8]) -> Option<Parts<'a>> {
        let (negative, rest) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, bytes),
        };
        let (number, exponent) = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => {
                let exponent = std::str::from_utf8(&rest[at + 1..]).ok()?;
                (&rest[..at], exponent.parse().ok()?)
            }
            None => (rest, 0),
        };
        let (whole, fraction) = match number.iter().position(|&b| b == b'.') {
            Some(at) => (&number[..at], &number[at + 1..]),
            None => (number, &[][..]),
        };
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        let some = !whole.is_empty() || !fraction.is_empty();
        (some && digits(whole) && digits(fraction)).then_some(Parts {
            negative,
            whole,
            fraction,
            exponent,
        })
    }
}

fn trim_start_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&b| b == b'0').count();
    &digits[zeros..]
}

fn trim_end_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&b| b == b'0').count();
    &digits[..digits.len() - zeros]
}

impl FromStr for Exact {
    type Err = ExactError;

    fn from_str(text: &str) -> Result<Exact, ExactError> {
        Exact::parse(text.as_bytes())
    }
}

impl TryFrom<Decimal> for Exact {
    type Error = ExactError;

    fn try_from(decimal: Decimal) -> Result<Exact, ExactError> {
        Exact::new(decimal.mantissa(), decimal.scale())
            .ok_or_else(|| ExactError::OutOfRange(decimal.to_string()))
    }
}

impl From<i64> for Exact {
    fn from(whole: i64) -> Exact {
        Exact {
            mantissa: i128::from(whole),
            scale: 0,
        }
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = POWERS[usize::from(self.scale)].unsigned_abs();
        let digits = self.mantissa.unsigned_abs();
        let places = usize::from(self.scale);
        let text = if places == 0 {
            digits.to_string()
        } else {
            format!("{}.{:0places$}", digits / power, digits % power)
        };
        f.pad_integral(self.mantissa >= 0, "", &text)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        match aligned(*self, *other) {
            Some((a, b, _)) => a.cmp(&b),
            None => Wide::from(*self).cmp(&Wide::from(*other)),
        }
    }
}

impl Hash for Exact {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Exact { mantissa, scale } = self.normalized();
        (mantissa, scale).hash(state);
    }
}

#[cfg(feature = "serde")]
mod serde_impls {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    use super::{Exact, ExactSum};

    impl Serialize for Exact {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Exact {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Exact, D::Error> {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        }
    }

    impl Serialize for ExactSum {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for ExactSum {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ExactSum, D::Error> {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        text.parse().unwrap()
    }

    fn sum(cells: &[&str]) -> ExactSum {
        ExactSum::of(cells.iter().map(|c| exact(c))).unwrap()
    }

    #[test]
    fn every_number_that_can_be_made_can_be_negated_printed_and_read() {
        assert_eq!(Exact::new(i128::MIN, MAX_SCALE), None);
        for mantissa in [i128::MIN + 1, i128::MAX] {
            let number = Exact::new(mantissa, MAX_SCALE).unwrap();
            assert_eq!(number.abs().mantissa(), i128::MAX);
            assert_eq!(number.to_string().parse(), Ok(number));
        }
    }

    #[test]
    fn reads_every_form_that_bills_use() {
        for (text, mantissa, scale) in [
            ("0", 0, 0),
            ("-0.00", 0, 2),
            ("200.34", 20034, 2),
            ("-12.5", -125, 1),
            ("+7", 7, 0),
            (".5", 5, 1),
            ("5.", 5, 0),
            ("1.5E-7", 15, 8),
            ("2.50e2", 250, 0),
            ("9223372036854775808", 9_223_372_036_854_775_808, 0),
            (
                "0.1234567890123456789012345678",
                1_234_567_890_123_456_789_012_345_678,
                28,
            ),
            ("000000000000000000000000000000000000000000012.50", 1250, 2),
        ] {
            let read = exact(text);
            assert_eq!((read.mantissa(), read.scale()), (mantissa, scale), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number_or_cannot_be_kept() {
        for text in [
            "", "-", ".", "1,5", "1.2.3", "NaN", "inf", " 1", "1 ", "0x1", "1e", "--1", "é",
        ] {
            assert!(
                matches!(text.parse::<Exact>(), Err(ExactError::NotANumber(_))),
                "{text}"
            );
        }
        let long = "0.".to_owned() + &"1".repeat(38);
        assert!(matches!(
            long.parse::<Exact>(),
            Err(ExactError::TooManyDigits(_))
        ));
        assert!(matches!(
            "1e24".parse::<Exact>(),
            Err(ExactError::OutOfRange(_))
        ));
        assert!(matches!(
            "1e400".parse::<Exact>(),
            Err(ExactError::OutOfRange(_))
        ));
        assert!(matches!(
            "1e-400".parse::<Exact>(),
            Err(ExactError::TooManyDigits(_))
        ));
    }

    #[test]
    fn sums_past_38_digits_without_rounding() {
        let whole = "999999999999999999999999";
        let tiny = "0.0000000000000000000000000000000000001";
        let total = sum(&[whole, tiny, whole, tiny]);
        let expected = "1999999999999999999999998.0000000000000000000000000000000000002";
        assert_eq!(total.to_string(), expected);
        assert_eq!(expected.parse::<ExactSum>().unwrap(), total);
        assert_eq!(total.minus(&total).unwrap().to_string(), "0");
    }

    #[test]
    fn keeps_signs_apart_when_the_parts_differ() {
        let total = sum(&["20000000000", "-0.0000000000000000000000000001"]);
        assert_eq!(
            total.to_string(),
            "19999999999.9999999999999999999999999999"
        );
        assert!(total.negated().is_negative());
    }

    #[test]
    fn rounds_half_to_even_for_showing() {
        for (text, places, shown) in [
            ("2.5", 0, "2"),
            ("3.5", 0, "4"),
            ("-2.5", 0, "-2"),
            ("0.125", 2, "0.12"),
            ("0.135", 2, "0.14"),
            ("-0.004", 2, "0.00"),
            ("0.995", 2, "1.00"),
            ("-1.999", 2, "-2.00"),
            ("200.34", 2, "200.34"),
        ] {
            assert_eq!(sum(&[text]).rounded(places).to_string(), shown, "{text}");
        }
    }

    #[test]
    fn negates_a_sum_at_the_end_of_128_bits() {
        let half = "-8.5070591730234615865843651857942052864";
        let total = sum(&[half, half]);
        let negated = "17.0141183460469231731687303715884105728";
        assert_eq!(total.to_string(), format!("-{negated}"));
        assert_eq!(total.negated().to_string(), negated);
        assert_eq!(total.negated().negated(), total);
        let change = sum(&["1"]).minus(&total).unwrap();
        assert_eq!(
            change.to_string(),
            "18.0141183460469231731687303715884105728"
        );
    }

    #[test]
    fn compares_by_value() {
        assert_eq!(exact("1.50"), exact("1.5"));
        assert!(
            exact("999999999999999999999999") > exact("0.0000000000000000000000000000000000001")
        );
        assert_eq!(exact("0.1").checked_mul(exact("0.30")), Some(exact("0.03")));
        assert_eq!(exact("1").checked_sub(exact("1.5")), Some(exact("-0.5")));
    }
}
