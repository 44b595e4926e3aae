//! The sentence of an alert. All amounts in it have the places of the expected one, and add up as
//! they are printed.

use std::borrow::Cow;
use std::fmt::{self, Formatter};

use bursar_units::{Money, Quantum, Rounding};

use super::{Alarm, Alert, Culprit, Figures, When};
use crate::{DetectorKind, Direction};

pub(super) fn write(alert: &Alert, formatter: &mut Formatter<'_>) -> fmt::Result {
    let alarm = &alert.alarm;
    write!(formatter, "{}: ", alert.severity)?;
    write_actual(alarm, formatter)?;
    write_expected(alarm, formatter)?;
    for (index, culprit) in alarm.culprits.iter().take(NAMED_CULPRITS).enumerate() {
        formatter.write_str(if index == 0 { "; caused by " } else { " and " })?;
        write_culprit(culprit, formatter)?;
    }
    if let Some(projection) = &alarm.projection {
        write!(formatter, "; {projection}")?;
    }
    write!(
        formatter,
        "; {}, score {}",
        alarm.detector,
        two_places(alarm.score)
    )
}

/// More than this many causes are in the alert, but not in its sentence.
const NAMED_CULPRITS: usize = 3;

/// "aws/prod cost 47.82 USD on 2026-11-20"
fn write_actual(alarm: &Alarm, formatter: &mut Formatter<'_>) -> fmt::Result {
    // What a moving average compares is not the value of that day.
    let averaged = alarm.detector == DetectorKind::MovingAverage;
    let verb = match (&alarm.figures, averaged) {
        (_, true) => "averaged",
        (Figures::Money { .. }, false) => "cost",
        (Figures::Metric { .. }, false) => "was",
    };
    let preposition = match (alarm.when, averaged) {
        (_, true) => "up to",
        (When::Day(_), false) => "on",
        (When::Moment(_), false) => "at",
    };
    let actual = match &alarm.figures {
        Figures::Money {
            actual, expected, ..
        } => with_places_of(*actual, *expected).to_string(),
        Figures::Metric { actual, unit, .. } => number(*actual) + &suffix(&one_line(unit)),
    };
    let (series, when) = (one_line(&alarm.series), alarm.when);
    write!(formatter, "{series} {verb} {actual} {preposition} {when}, ")
}

/// "278.0 % above the expected 12.65 USD (10.10 to 15.20 USD), 35.17 USD at stake"
fn write_expected(alarm: &Alarm, formatter: &mut Formatter<'_>) -> fmt::Result {
    let side = match alarm.direction {
        Direction::Rise => "above",
        Direction::Fall => "below",
        Direction::Pattern => "an unusual course; at",
    };
    match alarm.deviation_percent() {
        _ if alarm.direction == Direction::Pattern => {}
        Some(percent) => write!(formatter, "{} % ", one_place(percent.abs()))?,
        None => {}
    }
    match &alarm.figures {
        Figures::Money {
            actual,
            expected,
            low,
            high,
        } => {
            let low = low.amount();
            write!(
                formatter,
                "{side} the expected {expected} ({low} to {high})"
            )?;
            match with_places_of(*actual, *expected).checked_sub(*expected) {
                Ok(stake) => write!(formatter, ", {} at stake", stake.abs()),
                Err(_) => Ok(()),
            }
        }
        Figures::Metric {
            unit,
            expected,
            interval,
            ..
        } => {
            let unit = suffix(&one_line(unit));
            let (low, high) = (number(interval.low), number(interval.high));
            let expected = number(*expected);
            write!(
                formatter,
                "{side} the expected {expected}{unit} ({low} to {high}{unit})"
            )
        }
    }
}

/// "service AmazonEC2 (+30.10 USD, 85.6 %)"
fn write_culprit(culprit: &Culprit, formatter: &mut Formatter<'_>) -> fmt::Result {
    let (dimension, value) = (one_line(&culprit.dimension), one_line(&culprit.value));
    write!(formatter, "{dimension} {value}")?;
    match (culprit.change, culprit.share_percent) {
        (None, None) => Ok(()),
        (Some(change), None) => write!(formatter, " ({change:+})"),
        (None, Some(share)) => write!(formatter, " ({} %)", one_place(share)),
        (Some(change), Some(share)) => {
            write!(formatter, " ({change:+}, {} %)", one_place(share))
        }
    }
}

/// An amount rounded as the expected one was, so that the sentence reads.
pub(crate) fn with_places_of(money: Money, expected: Money) -> Money {
    Quantum::decimal_places(expected.amount().scale())
        .and_then(|places| money.round_to(places, Rounding::HalfEven))
        .unwrap_or(money)
}

/// With one decimal place, and a size that no place tells apart in powers of ten.
fn one_place(value: f64) -> String {
    match value.abs() < 1e9 {
        true => format!("{value:.1}"),
        false => format!("{value:.1e}"),
    }
}

/// A score with two places: never 1.00 unless it is 1, and never 0.50 from below.
fn two_places(score: f64) -> String {
    // 0.29 × 100 is 28.999999999999996.
    format!("{:.2}", (score * 100.0 + 1e-9).floor() / 100.0)
}

/// Four digits that matter, and all digits of a whole number below a million.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    let places = match size {
        size if size >= 1e3 || size == 0.0 => 0,
        size => (3 - size.log10().floor() as i32).clamp(0, 8) as usize,
    };
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Names come from bills and tags, whose authors do not get to begin a line of their own.
pub(crate) fn one_line(name: &str) -> Cow<'_, str> {
    match name.contains(char::is_control) {
        true => Cow::Owned(name.replace(char::is_control, " ")),
        false => Cow::Borrowed(name),
    }
}

fn suffix(unit: &str) -> String {
    match unit {
        "" => String::new(),
        unit => format!(" {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        for (value, text) in [
            (0.0, "0"),
            (41.0, "41"),
            (93.14159, "93.14"),
            (1234.6, "1235"),
            (0.001234, "0.001234"),
            (-2.5, "-2.5"),
            (1e150, "1.000e150"),
            (3e-7, "3.000e-7"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_score_is_not_rounded_over_a_line() {
        for (score, text) in [
            (0.0, "0.00"),
            (0.29, "0.29"),
            (0.499_9, "0.49"),
            (0.999_9, "0.99"),
            (1.0, "1.00"),
        ] {
            assert_eq!(two_places(score), text);
        }
    }
}
