//! What is a number of a JSON text, to its last digit?

use rust_decimal::Decimal;

/// The number that a JSON text writes, times ten to the power of `shift`; `None` where that has more
/// digits than a decimal holds, and where it is no number.
pub(crate) fn exact_decimal(text: &str, shift: i32) -> Option<Decimal> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        None => (text, 0),
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
    };
    let mantissa = Decimal::from_str_exact(mantissa).ok()?;
    let power = exponent.checked_add(shift)?;
    let places = i32::try_from(mantissa.scale()).ok()?.checked_sub(power)?;
    match u32::try_from(places) {
        Ok(places) => at_scale(mantissa, places),
        Err(_) => multiplied(mantissa, places.unsigned_abs()),
    }
}

/// The digits of a number with the point at another place.
fn at_scale(mantissa: Decimal, places: u32) -> Option<Decimal> {
    let digits = mantissa.mantissa();
    Decimal::try_from_i128_with_scale(digits, places)
        .ok()
        .or_else(|| {
            // Zeros at the end need no places.
            let (digits, places) = (digits.checked_div(10)?, places.checked_sub(1)?);
            let loses_nothing = digits.checked_mul(10)? == mantissa.mantissa();
            let shorter = loses_nothing.then_some(Decimal::from_i128_with_scale(digits, 0))?;
            at_scale(shorter, places)
        })
}

fn multiplied(mantissa: Decimal, zeros: u32) -> Option<Decimal> {
    let factor = 10_i128.checked_pow(zeros)?;
    let digits = mantissa.mantissa().checked_mul(factor)?;
    Decimal::try_from_i128_with_scale(digits, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_kept() {
        for (text, shift, expected) in [
            ("0.0375", 0, Some("0.0375")),
            ("3", 0, Some("3")),
            ("3e-07", 6, Some("0.3")),
            ("8.75e-09", 6, Some("0.00875")),
            ("4.0000000000000003e-07", 6, Some("0.40000000000000003")),
            ("1.5E-5", 6, Some("15")),
            ("1e3", 0, Some("1000")),
            ("0.0", 6, Some("0")),
            ("1.50", -28, None),
            ("1.0", -28, Some("0.0000000000000000000000000001")),
            ("1e400", 0, None),
            ("1e99999999999", 0, None),
            ("123456789012345678901234567890", 0, None),
            ("\"3\"", 0, None),
            ("null", 0, None),
        ] {
            let expected = expected.map(|it| Decimal::from_str_exact(it).unwrap());
            assert_eq!(exact_decimal(text, shift), expected, "{text} × 10^{shift}");
        }
    }
}
