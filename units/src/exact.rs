//! What is the exact result of an operation on two decimals, if there is one?
//!
//! `rust_decimal` holds a signed whole number of 96 bits and the place of its
//! decimal point (0 to 28 digits from the right). Its own `checked_add` and
//! `checked_mul` answer `None` only when a result is too *large*; a result with
//! too many digits is rounded without a word. Here that is a [`Failure`].

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::rounding::Rounding;

/// The largest whole number that a decimal holds: 2⁹⁶ − 1.
const MAX_MAGNITUDE: u128 = (1 << 96) - 1;

/// Remainders are doubled while dividing, so divisors leave two bits free.
const MAX_DIVISOR: u128 = 1 << 126;

/// Why a result cannot be held exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is larger than the largest decimal.
    Overflow,
    /// It lies in the range but has more digits than a decimal has.
    Inexact,
}

/// A number as sign, magnitude and decimal places; not yet known to fit.
#[derive(Debug, Clone, Copy)]
struct Parts {
    negative: bool,
    magnitude: u128,
    scale: u32,
}

impl Parts {
    fn of(decimal: Decimal) -> Self {
        Self {
            negative: decimal.is_sign_negative(),
            magnitude: decimal.mantissa().unsigned_abs(),
            scale: decimal.scale(),
        }
    }

    /// The same value with no zero at its end, as far as the scale allows.
    fn normalized(mut self) -> Self {
        while self.scale > 0 && self.magnitude.is_multiple_of(10) {
            self = self.without_last_digit();
        }
        self
    }

    /// For a number that ends in zero: the same value with one place less.
    fn without_last_digit(self) -> Self {
        Self {
            magnitude: self.magnitude / 10,
            scale: self.scale.saturating_sub(1),
            ..self
        }
    }

    /// The decimal of this value, with zeros dropped from its end only where
    /// that is needed to make it fit.
    fn fit(mut self) -> Result<Decimal, Failure> {
        while self.scale > Decimal::MAX_SCALE || self.magnitude > MAX_MAGNITUDE {
            if self.scale == 0 {
                return Err(Failure::Overflow);
            }
            if !self.magnitude.is_multiple_of(10) {
                return Err(self.failure());
            }
            self = self.without_last_digit();
        }
        let mut decimal =
            Decimal::try_from_i128_with_scale(self.magnitude.cast_signed(), self.scale)
                .map_err(|_| Failure::Overflow)?;
        decimal.set_sign_positive(!self.negative || decimal.is_zero());
        Ok(decimal)
    }

    /// Tells too large from too long.
    fn failure(self) -> Failure {
        let whole_part = power_of_ten(self.scale).and_then(|unit| self.magnitude.checked_div(unit));
        match whole_part {
            Some(whole_part) if whole_part > MAX_MAGNITUDE => Failure::Overflow,
            _ => Failure::Inexact,
        }
    }
}

/// `left + right`, with the larger number of decimal places where that fits.
pub(crate) fn add(left: Decimal, right: Decimal) -> Result<Decimal, Failure> {
    match add_aligned(Parts::of(left), Parts::of(right)) {
        Some(sum) => sum.fit(),
        None => add_far_apart(left, right),
    }
}

/// The sum where one term, brought to the places of the other, is too long.
#[cold]
fn add_far_apart(left: Decimal, right: Decimal) -> Result<Decimal, Failure> {
    // Without trailing zeros the alignment fails only where the sum ends in a
    // digit that is more than 38 places below its first: no decimal holds it.
    let (left, right) = (Parts::of(left).normalized(), Parts::of(right).normalized());
    match add_aligned(left, right) {
        Some(sum) => sum.fit(),
        None if whole_part_is_too_large(left, right) => Err(Failure::Overflow),
        None => Err(Failure::Inexact),
    }
}

/// Near the limit the larger term has no places, so cutting off those of the
/// smaller one does not change the part before the point.
fn whole_part_is_too_large(left: Parts, right: Parts) -> bool {
    let whole = |parts: Parts| {
        let magnitude = parts.magnitude.checked_div(power_of_ten(parts.scale)?)?;
        at_scale(
            Parts {
                magnitude,
                scale: 0,
                ..parts
            },
            0,
        )
    };
    let sum = whole(left)
        .zip(whole(right))
        .and_then(|(left, right)| left.checked_add(right));
    sum.is_none_or(|sum| sum.unsigned_abs() > MAX_MAGNITUDE)
}

/// `left - right`, as [`add`].
pub(crate) fn subtract(left: Decimal, right: Decimal) -> Result<Decimal, Failure> {
    add(left, negate(right))
}

/// `-decimal`; the range is symmetric, so this always exists. Zero has no sign.
pub(crate) fn negate(mut decimal: Decimal) -> Decimal {
    decimal.set_sign_positive(decimal.is_sign_negative() || decimal.is_zero());
    decimal
}

fn add_aligned(left: Parts, right: Parts) -> Option<Parts> {
    let scale = left.scale.max(right.scale);
    let sum = at_scale(left, scale)?.checked_add(at_scale(right, scale)?)?;
    Some(Parts {
        negative: sum < 0,
        magnitude: sum.unsigned_abs(),
        scale,
    })
}

fn at_scale(parts: Parts, scale: u32) -> Option<i128> {
    let factor = power_of_ten(scale.checked_sub(parts.scale)?)?;
    let magnitude = i128::try_from(parts.magnitude.checked_mul(factor)?).ok()?;
    if parts.negative {
        magnitude.checked_neg()
    } else {
        Some(magnitude)
    }
}

/// `left × right ÷ 10^places`, with all decimal places where they fit.
pub(crate) fn multiply(left: Decimal, right: Decimal, places: u32) -> Result<Decimal, Failure> {
    let (left, right) = (Parts::of(left), Parts::of(right));
    multiply_parts(
        left.negative != right.negative,
        left.magnitude,
        right.magnitude,
        left.scale
            .saturating_add(right.scale)
            .saturating_add(places),
    )
}

/// Fits `left × right ÷ 10^scale` without ever forming a product of more than
/// 128 bits: while it is too long, a ten is divided out of the two factors.
fn multiply_parts(
    negative: bool,
    mut left: u128,
    mut right: u128,
    mut scale: u32,
) -> Result<Decimal, Failure> {
    loop {
        if let Some(magnitude) = left.checked_mul(right).filter(|it| *it <= MAX_MAGNITUDE) {
            return Parts {
                negative,
                magnitude,
                scale,
            }
            .fit();
        }
        if scale == 0 {
            return Err(Failure::Overflow);
        }
        (left, right) =
            without_a_ten(left, right).ok_or_else(|| product_failure(left, right, scale))?;
        scale = scale.saturating_sub(1);
    }
}

/// Two factors whose product is a tenth of the given ones', if the product ends
/// in zero. A ten is a two and a five, and either can come from either factor.
fn without_a_ten(left: u128, right: u128) -> Option<(u128, u128)> {
    if left.is_multiple_of(10) {
        Some((left / 10, right))
    } else if right.is_multiple_of(10) {
        Some((left, right / 10))
    } else if left.is_multiple_of(2) && right.is_multiple_of(5) {
        Some((left / 2, right / 5))
    } else if left.is_multiple_of(5) && right.is_multiple_of(2) {
        Some((left / 5, right / 2))
    } else {
        None
    }
}

fn product_failure(left: u128, right: u128, scale: u32) -> Failure {
    // From 10^38 on, the whole part of a product of two magnitudes is in range.
    let Some(unit) = power_of_ten(scale).filter(|unit| *unit <= MAX_DIVISOR) else {
        return Failure::Inexact;
    };
    match multiply_divide(left, right, unit) {
        Some((whole_part, _)) if whole_part <= MAX_MAGNITUDE => Failure::Inexact,
        _ => Failure::Overflow,
    }
}

/// How many whole `step`s (positive) are in `|value|`, and what is left over.
pub(crate) fn divide_into_steps(value: Decimal, step: Decimal) -> Result<(u128, Decimal), Failure> {
    let steps = Steps::of(value, step)?;
    let remainder = Parts {
        negative: false,
        magnitude: steps.remainder,
        scale: steps.scale,
    };
    Ok((steps.n_whole, remainder.fit()?))
}

/// `count × step`, with the decimal places of `step` where they fit.
pub(crate) fn steps(negative: bool, count: u128, step: Decimal) -> Result<Decimal, Failure> {
    let step = Parts::of(step);
    multiply_parts(negative, count, step.magnitude, step.scale)
}

/// The multiple of `step` (positive) that `rounding` chooses for `value`, with
/// the decimal places of `step` where they fit.
pub(crate) fn round_to_step(
    value: Decimal,
    step: Decimal,
    rounding: Rounding,
) -> Result<Decimal, Failure> {
    let divided = match Steps::of(value, step) {
        Ok(divided) if divided.remainder == 0 => return Ok(with_scale(value, step.scale())),
        Err(Failure::Inexact) if is_multiple(value, step) => {
            return Ok(with_scale(value, step.scale()));
        }
        divided => divided?,
    };
    let negative = value.is_sign_negative();
    let away_from_zero =
        rounding.goes_away_from_zero(negative, divided.side_of_half(), divided.n_whole);
    let count = divided.n_whole.checked_add(u128::from(away_from_zero));
    let rounded = steps(negative, count.ok_or(Failure::Overflow)?, step)?;
    Ok(with_scale(rounded, step.scale()))
}

/// Whether no part of a `step` is left over in `value`, however many steps there are.
fn is_multiple(value: Decimal, step: Decimal) -> bool {
    let (value, step) = (Parts::of(value).normalized(), Parts::of(step).normalized());
    // With more places than the step, it ends in a digit that no multiple of the step has.
    let factor = step.scale.checked_sub(value.scale).and_then(power_of_ten);
    factor.and_then(|factor| product_remainder(value.magnitude, factor, step.magnitude)) == Some(0)
}

/// The remainder of `left × right ÷ divisor`, whose quotient may have any length; `None` when the
/// divisor is zero or over [`MAX_DIVISOR`].
fn product_remainder(left: u128, right: u128, divisor: u128) -> Option<u128> {
    if divisor > MAX_DIVISOR {
        return None;
    }
    let once = right.checked_rem(divisor)?;
    let mut remainder = 0_u128;
    for bit in (0..u128::BITS.saturating_sub(left.leading_zeros())).rev() {
        // Twice and once a number under 2^126 are under 2^128.
        let added = if left >> bit & 1 == 1 { once } else { 0 };
        remainder = remainder
            .checked_mul(2)?
            .checked_add(added)?
            .checked_rem(divisor)?;
    }
    Some(remainder)
}

/// The same value with `scale` decimal places, or as it is where it has more or they do not fit.
fn with_scale(decimal: Decimal, scale: u32) -> Decimal {
    let parts = Parts::of(decimal).normalized();
    at_scale(parts, scale)
        .filter(|mantissa| mantissa.unsigned_abs() <= MAX_MAGNITUDE)
        .and_then(|mantissa| Decimal::try_from_i128_with_scale(mantissa, scale).ok())
        .unwrap_or(decimal)
}

/// A magnitude divided by a step.
struct Steps {
    n_whole: u128,
    /// What is left over, less than `divisor`, at `scale`.
    remainder: u128,
    /// One step at `scale`; `None` where it is too large to matter.
    divisor: Option<u128>,
    scale: u32,
}

impl Steps {
    fn of(value: Decimal, step: Decimal) -> Result<Self, Failure> {
        let (value, step) = (Parts::of(value).normalized(), Parts::of(step).normalized());
        let scale = value.scale.max(step.scale);
        // Both differences are at most 28, so the powers of ten exist.
        let widen = |parts: Parts| power_of_ten(scale.saturating_sub(parts.scale));
        let divisor = widen(step)
            .and_then(|factor| step.magnitude.checked_mul(factor))
            .filter(|divisor| *divisor <= MAX_DIVISOR);
        let Some(divisor) = divisor else {
            return Ok(Self {
                n_whole: 0,
                remainder: value.magnitude,
                divisor: None,
                scale,
            });
        };
        let (n_whole, remainder) = widen(value)
            .and_then(|factor| multiply_divide(value.magnitude, factor, divisor))
            .ok_or(Failure::Inexact)?;
        Ok(Self {
            n_whole,
            remainder,
            divisor: Some(divisor),
            scale,
        })
    }

    /// Is the remainder less than, equal to or more than half a step?
    fn side_of_half(&self) -> Ordering {
        match self.divisor {
            Some(divisor) => self.remainder.cmp(&divisor.saturating_sub(self.remainder)),
            // The step is over 2^126 where the remainder is under 2^96.
            None => Ordering::Less,
        }
    }
}

/// Quotient and remainder of `left × right ÷ divisor`; `None` when the quotient
/// is over 128 bits, or the divisor is zero or over [`MAX_DIVISOR`].
///
/// Where the product is over 128 bits it is never formed: `right ÷ divisor` is
/// doubled and added along the bits of `left` (multiplication as on a papyrus),
/// with the carry between remainder and quotient settled at each bit.
pub(crate) fn multiply_divide(left: u128, right: u128, divisor: u128) -> Option<(u128, u128)> {
    if let Some(product) = left.checked_mul(right) {
        return Some((product.checked_div(divisor)?, product.checked_rem(divisor)?));
    }
    if divisor > MAX_DIVISOR {
        return None;
    }
    let once = (right.checked_div(divisor)?, right.checked_rem(divisor)?);
    let mut sum = (0, 0);
    for bit in (0..u128::BITS.saturating_sub(left.leading_zeros())).rev() {
        sum = add_mixed(sum, sum, divisor)?;
        if left.checked_shr(bit)? & 1 == 1 {
            sum = add_mixed(sum, once, divisor)?;
        }
    }
    Some(sum)
}

/// Adds two numbers given as (quotient, remainder) of the same divisor.
fn add_mixed(left: (u128, u128), right: (u128, u128), divisor: u128) -> Option<(u128, u128)> {
    let quotient = left.0.checked_add(right.0)?;
    let remainder = left.1.checked_add(right.1)?;
    match remainder.checked_sub(divisor) {
        Some(carried) => Some((quotient.checked_add(1)?, carried)),
        None => Some((quotient, remainder)),
    }
}

/// 10^`exponent`, up to 10^38.
pub(crate) fn power_of_ten(exponent: u32) -> Option<u128> {
    10_u128.checked_pow(exponent)
}

/// `decimal` without zeros at its end, but with at least `scale` places.
pub(crate) fn trimmed_to_scale(decimal: Decimal, scale: u32) -> Decimal {
    let mut parts = Parts::of(decimal);
    while parts.scale > scale && parts.magnitude.is_multiple_of(10) {
        parts = parts.without_last_digit();
    }
    parts.fit().unwrap_or(decimal)
}

/// `mantissa × 10^(zeros - scale)`, for numbers read from text.
pub(crate) fn from_digits(
    negative: bool,
    mantissa: u128,
    zeros: i64,
    scale: i64,
) -> Result<Decimal, Failure> {
    let wanted_scale = scale.clamp(0, i64::from(Decimal::MAX_SCALE));
    // Zeros dropped with the places beyond the 28th, or added by an exponent.
    let zeros = zeros.saturating_sub(scale.saturating_sub(wanted_scale));
    let scale = u32::try_from(wanted_scale).map_err(|_| Failure::Inexact)?;
    if mantissa == 0 {
        return Parts {
            negative: false,
            magnitude: 0,
            scale,
        }
        .fit();
    }
    // Fewer than none: digits that are not zero stand beyond the 28th place.
    let zeros = u32::try_from(zeros).map_err(|_| {
        if zeros < 0 {
            Failure::Inexact
        } else {
            Failure::Overflow
        }
    })?;
    // 10^zeros is too large for 128 bits only where the zeros of the fraction
    // can be left away first.
    let spare = zeros.min(scale);
    let parts = |dropped: u32| -> Option<Parts> {
        let factor = power_of_ten(zeros.checked_sub(dropped)?)?;
        let magnitude = mantissa.checked_mul(factor)?;
        Some(Parts {
            negative,
            magnitude,
            scale: scale.checked_sub(dropped)?,
        })
    };
    match (0..=spare).find_map(parts) {
        Some(parts) => parts.fit(),
        None => Err(Failure::Overflow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_products_of_more_than_128_bits() {
        for (left, right, divisor, expected) in [
            (7, 3, 4, Some((5, 1))),
            (1 << 100, 1 << 100, 1 << 100, Some((1 << 100, 0))),
            (u128::MAX, 3, 4, Some((u128::MAX / 4 * 3 + 2, 1))),
            // (10^38)² ÷ (10^38 ÷ 2) is 2 × 10^38.
            (
                10_u128.pow(38),
                10_u128.pow(38),
                10_u128.pow(38) / 2,
                Some((2 * 10_u128.pow(38), 0)),
            ),
            (u128::MAX, u128::MAX, MAX_DIVISOR, None),
            (u128::MAX, 2, MAX_DIVISOR + 1, None),
            (1, 1, 0, None),
            (u128::MAX, u128::MAX, 0, None),
        ] {
            assert_eq!(
                multiply_divide(left, right, divisor),
                expected,
                "{left} * {right} / {divisor}"
            );
        }
    }

    #[test]
    fn a_remainder_is_told_where_the_quotient_is_too_long() {
        let ten = |places| 10_u128.pow(places);
        for (left, right, divisor, expected) in [
            // 10³⁸ × 10³⁸ is 1 modulo 3, and a multiple of 16.
            (ten(38), ten(38), 3, Some(1)),
            (ten(38), ten(38), 16, Some(0)),
            (u128::MAX, u128::MAX, 10, Some(5)),
            (7, 3, 4, Some(1)),
            (1, 1, 0, None),
            (1, 1, MAX_DIVISOR + 1, None),
        ] {
            let remainder = product_remainder(left, right, divisor);
            assert_eq!(remainder, expected, "{left} * {right} % {divisor}");
        }
    }

    #[test]
    fn a_multiple_is_itself_however_many_steps_it_has() {
        let step = Decimal::new(11, 28);
        let value = |text: &str| text.parse::<Decimal>().expect("it is short");
        // 1.1·10¹⁴ ÷ 1.1·10⁻²⁷ are 10⁴¹ steps, more than 128 bits hold.
        let multiple = value("110000000000000");
        assert_eq!(round_to_step(multiple, step, Rounding::Down), Ok(multiple));
        let other = value("110000000000001");
        assert!(round_to_step(other, step, Rounding::Down).is_err());
    }

    #[test]
    fn finds_a_ten_in_either_factor_or_across_both() {
        assert_eq!(without_a_ten(30, 7), Some((3, 7)));
        assert_eq!(without_a_ten(7, 30), Some((7, 3)));
        assert_eq!(without_a_ten(4, 15), Some((2, 3)));
        assert_eq!(without_a_ten(15, 4), Some((3, 2)));
        assert_eq!(without_a_ten(4, 8), None);
        assert_eq!(without_a_ten(0, 7), Some((0, 7)));
    }
}
