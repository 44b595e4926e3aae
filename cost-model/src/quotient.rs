//! How is one exact amount divided by another and rounded only once?

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{Exact, ExactSum};

/// Places kept of a sum that is too long for one [`Exact`], before it is divided.
const PLACES_OF_LONG_SUMS: u32 = 12;

/// `numerator` ÷ `denominator`, rounded half to even to `places`.
///
/// `None` when the denominator is zero, the numerator is 10²⁴ or more, or the result does not
/// fit a [`Decimal`].
pub(crate) fn quotient(numerator: &ExactSum, denominator: Exact, places: u32) -> Option<Decimal> {
    let numerator = one_exact(numerator)?;
    whole_quotient(numerator, denominator, places)
        .or_else(|| decimal_quotient(numerator, denominator, places))
}

fn one_exact(sum: &ExactSum) -> Option<Exact> {
    sum.to_exact().or_else(|| {
        let shortened = sum.rounded(PLACES_OF_LONG_SUMS).to_string();
        shortened.parse().ok()
    })
}

/// The quotient in whole numbers: one division, one rounding.
fn whole_quotient(numerator: Exact, denominator: Exact, places: u32) -> Option<Decimal> {
    let (above, below) = (numerator.normalized(), denominator.normalized());
    if below.is_zero() {
        return None;
    }
    let exponent = i64::from(places) + i64::from(below.scale()) - i64::from(above.scale());
    let power = 10u128.checked_pow(u32::try_from(exponent.unsigned_abs()).ok()?)?;
    let (mut top, mut bottom) = (
        above.mantissa().unsigned_abs(),
        below.mantissa().unsigned_abs(),
    );
    if exponent >= 0 {
        top = top.checked_mul(power)?;
    } else {
        bottom = bottom.checked_mul(power)?;
    }
    let magnitude = i128::try_from(divided_half_even(top, bottom)?).ok()?;
    let negative = above.is_negative() != below.is_negative();
    let signed = if negative { -magnitude } else { magnitude };
    Decimal::try_from_i128_with_scale(signed, places).ok()
}

fn divided_half_even(top: u128, bottom: u128) -> Option<u128> {
    let (whole, rest) = (top.checked_div(bottom)?, top.checked_rem(bottom)?);
    // `rest` is below `bottom`, so this compares twice the rest with the bottom without overflow.
    let up = match rest.cmp(&(bottom - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => whole % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    whole.checked_add(u128::from(up))
}

/// For numbers whose whole quotient needs more than 128 bits on the way: 28 digits, then rounded.
fn decimal_quotient(numerator: Exact, denominator: Exact, places: u32) -> Option<Decimal> {
    let quotient = nearest_decimal(numerator)?.checked_div(nearest_decimal(denominator)?)?;
    Some(quotient.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven))
}

fn nearest_decimal(exact: Exact) -> Option<Decimal> {
    exact.to_decimal().or_else(|| {
        let shortened = ExactSum::from(exact).rounded(PLACES_OF_LONG_SUMS);
        shortened.to_string().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(numerator: &str, denominator: &str, places: u32, expected: Option<&str>) {
        let quotient = quotient(
            &numerator.parse().unwrap(),
            denominator.parse().unwrap(),
            places,
        );
        let text = quotient.map(|q| q.to_string());
        assert_eq!(text.as_deref(), expected, "{numerator} / {denominator}");
    }

    #[test]
    fn rounds_once_and_half_to_even() {
        check("1", "3", 4, Some("0.3333"));
        check("2", "3", 4, Some("0.6667"));
        check("0.25", "1", 1, Some("0.2"));
        check("0.75", "1", 1, Some("0.8"));
        check("-0.25", "1", 1, Some("-0.2"));
        check("0.2500000000000000000000000001", "1", 1, Some("0.3"));
        check("7", "-2", 0, Some("-4"));
        check("200.34", "30", 2, Some("6.68"));
    }

    #[test]
    fn has_no_quotient_by_zero_or_out_of_range() {
        check("1", "0", 2, None);
        check("999999999999999999999999", "0.000000000001", 2, None);
        check("1999999999999999999999998", "2", 2, None);
    }

    #[test]
    fn divides_numbers_of_many_digits() {
        check(
            "12345678901.1234567890123456789012345678901",
            "31",
            2,
            Some("398247706.49"),
        );
    }
}
