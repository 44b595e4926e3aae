//! How are fractions of money compared and rounded without losing a digit?
//!
//! A price before rounding is a cost times a fraction, and so are its bounds; none of them need have an
//! end. They stay fractions of whole numbers, of 128 bits where that suffices and of 512 otherwise, until
//! one named step makes a decimal of them.

mod fraction;
mod share;
mod whole;

pub(crate) use fraction::Fraction;
pub(crate) use share::Share;
pub(crate) use whole::{TooWide, Whole, Wide};

use bursar_units::Rounding;
use rust_decimal::Decimal;

/// The largest whole number that both divide; the other where one is zero.
pub(crate) fn greatest_common_divisor(mut left: u64, mut right: u64) -> u64 {
    while let Some(rest) = left.checked_rem(right) {
        (left, right) = (right, rest);
    }
    left
}

/// `dividend ÷ divisor` for numbers that are not negative; the dividend where the divisor is zero.
pub(crate) fn rounded_quotient(dividend: u128, divisor: u128, rounding: Rounding) -> u128 {
    let fraction = Fraction::new(dividend, divisor);
    let quotient = match rounding {
        Rounding::HalfEven => fraction.half_even(),
        Rounding::HalfUp => fraction.half_up(),
        Rounding::Up | Rounding::Ceiling => fraction.ceiling(),
        _ => fraction.floor(),
    };
    quotient.unwrap_or(dividend)
}

/// 10^`exponent`, or `None` where a number of 128 bits does not hold it.
pub(crate) const fn power_of_ten(exponent: u32) -> Option<u128> {
    10_u128.checked_pow(exponent)
}

/// A decimal that is not negative, in units of its `scale`-th place; `scale` is at least its own.
pub(crate) fn units<W: Whole>(amount: Decimal, scale: u32) -> Result<W, TooWide> {
    let places = scale.checked_sub(amount.scale()).ok_or(TooWide)?;
    let factor = power_of_ten(places).ok_or(TooWide)?;
    W::of(amount.mantissa().unsigned_abs()).times(W::of(factor))
}
