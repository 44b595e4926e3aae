//! How is an amount, a share or a count written for a reader?
//!
//! Rounding happens here and nowhere else, half to even, and only for showing: the files that
//! machines read (CSV, JSON) have the exact amounts.

use bursar_units::Currency;

use crate::ExactSum;

/// The places of an amount whose currency has no smallest unit, as for most that have one.
const DEFAULT_PLACES: u32 = 2;

/// Digits kept of an amount that is smaller than the smallest unit of its currency.
const SIGNIFICANT_DIGITS: u32 = 2;

/// `1,234.57`, with the places that the currency has; below its smallest unit two significant
/// digits: `0.00000080`.
pub(crate) fn amount(sum: &ExactSum, currency: Currency) -> String {
    let places = currency.minor_units().unwrap_or(DEFAULT_PLACES);
    grouped(&sum.rounded(places_of(sum, places)).to_string())
}

/// `USD 1,234.57`.
pub(crate) fn money(sum: &ExactSum, currency: Currency) -> String {
    format!("{} {}", currency.code(), amount(sum, currency))
}

/// `USD +1,234.57`: a change, whose sign is always shown.
pub(crate) fn change(sum: &ExactSum, currency: Currency) -> String {
    let sign = if sum.is_zero() || sum.is_negative() {
        ""
    } else {
        "+"
    };
    format!("{} {sign}{}", currency.code(), amount(sum, currency))
}

/// `USD 12.30`: a statistic in units of a currency.
pub(crate) fn statistic(value: f64, currency: Currency) -> String {
    format!("{} {}", currency.code(), bare_statistic(value, currency))
}

/// A statistic without the code of its currency.
pub(crate) fn bare_statistic(value: f64, currency: Currency) -> String {
    if !value.is_finite() {
        return super::table::UNKNOWN.to_owned();
    }
    let places = currency.minor_units().unwrap_or(DEFAULT_PLACES) as usize;
    let shown = format!("{value:.places$}");
    let vanishes = value != 0.0 && !shown.contains(|c| matches!(c, '1'..='9'));
    if vanishes {
        return format!("{value:.1e}");
    }
    grouped(&shown)
}

/// `59.8 %`; what is not zero and rounds to it is `<0.1 %`.
pub(crate) fn percent(percent: f64) -> String {
    if !percent.is_finite() {
        return super::table::UNKNOWN.to_owned();
    }
    match percent {
        0.0 => "0.0 %".to_owned(),
        p if p > 0.0 && p < 0.05 => "<0.1 %".to_owned(),
        p if p < 0.0 && p > -0.05 => ">-0.1 %".to_owned(),
        p => format!("{} %", grouped(&format!("{p:.1}"))),
    }
}

/// `+5.1 %`: a change, whose sign is always shown.
pub(crate) fn percent_change(value: f64) -> String {
    let sign = if value >= 0.05 { "+" } else { "" };
    format!("{sign}{}", percent(value))
}

/// `chance alone does this in 4.1 % of cases (p = 0.041)`.
pub(crate) fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => {
            "chance alone does this in less than 0.1 % of cases (p < 0.001)".to_owned()
        }
        p if p < 0.1 => format!(
            "chance alone does this in {:.1} % of cases (p = {p:.3})",
            p * 100.0
        ),
        p => format!(
            "chance alone does this in {:.0} % of cases (p = {p:.2})",
            p * 100.0
        ),
    }
}

/// `12,345`.
pub(crate) fn count(n: impl TryInto<u64>) -> String {
    grouped(&n.try_into().unwrap_or(u64::MAX).to_string())
}

/// `1 day`, `2 days`.
pub(crate) fn plural(n: impl TryInto<u64>, singular: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    let s = if n == 1 { "" } else { "s" };
    format!("{} {singular}{s}", count(n))
}

/// How many places show this amount: those of its currency, or more where they would hide it.
fn places_of(sum: &ExactSum, places: u32) -> u32 {
    let exact = sum.to_string();
    let digits = exact.trim_start_matches('-');
    let Some(fraction) = digits.strip_prefix("0.") else {
        return places;
    };
    let zeros = fraction.bytes().take_while(|b| *b == b'0').count() as u32;
    if zeros < places {
        places
    } else {
        zeros + SIGNIFICANT_DIGITS
    }
}

/// A comma after every third digit before the point.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(fraction);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_amounts_in_the_places_of_their_currency() {
        for (exact, currency, shown) in [
            ("0", Currency::USD, "0.00"),
            ("200.34", Currency::USD, "200.34"),
            ("1234567.895", Currency::USD, "1,234,567.90"),
            ("1234567.885", Currency::USD, "1,234,567.88"),
            ("-1234.5", Currency::USD, "-1,234.50"),
            ("999.999", Currency::USD, "1,000.00"),
            ("0.01", Currency::USD, "0.01"),
            ("0.0096", Currency::USD, "0.0096"),
            ("-0.000001605990", Currency::USD, "-0.0000016"),
            ("8e-7", Currency::USD, "0.00000080"),
            ("1234.5", Currency::JPY, "1,234"),
            ("0.25", Currency::JPY, "0.25"),
            ("1.2345", Currency::KWD, "1.234"),
            ("1.5", Currency::XXX, "1.50"),
        ] {
            let sum: ExactSum = exact.parse().unwrap();
            assert_eq!(amount(&sum, currency), shown, "{exact} {currency}");
        }
    }

    #[test]
    fn shows_the_sign_of_a_change() {
        for (exact, shown) in [("5", "USD +5.00"), ("-5", "USD -5.00"), ("0", "USD 0.00")] {
            assert_eq!(change(&exact.parse().unwrap(), Currency::USD), shown);
        }
    }

    #[test]
    fn never_shows_a_share_as_nothing_that_is_something() {
        for (value, shown) in [
            (0.0, "0.0 %"),
            (0.004, "<0.1 %"),
            (-0.004, ">-0.1 %"),
            (59.803, "59.8 %"),
            (-12345.67, "-12,345.7 %"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(percent(value), shown);
        }
    }

    #[test]
    fn shows_statistics_of_any_size() {
        for (value, shown) in [
            (1234.567, "USD 1,234.57"),
            (0.0, "USD 0.00"),
            (0.00012, "USD 1.2e-4"),
            (f64::INFINITY, "USD unknown"),
        ] {
            assert_eq!(statistic(value, Currency::USD), shown);
        }
    }
}
