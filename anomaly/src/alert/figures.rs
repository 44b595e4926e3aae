//! The current and the expected value: as exact amounts, or as numbers with a unit.

use bursar_units::{Currency, Money, Quantum, Rounding};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};

use super::AlarmError;
use crate::{Direction, Interval, Verdict};

/// The numbers of an alarm. Its currency is one, for nothing else can be built.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Figures {
    /// Of a series of costs.
    #[non_exhaustive]
    Money {
        /// What was billed, to its last decimal place.
        actual: Money,
        /// What the baseline expected, rounded once.
        expected: Money,
        /// From here on it would have been usual.
        low: Money,
        /// Up to here it would have been usual.
        high: Money,
    },
    /// Of any other series.
    #[non_exhaustive]
    Metric {
        /// In what it is measured; may be empty.
        unit: String,
        /// What was measured.
        actual: f64,
        /// What the baseline expected.
        expected: f64,
        /// Where it would have been usual.
        interval: Interval,
    },
}

impl Figures {
    pub(super) fn of_money(
        actual: Money,
        verdict: &Verdict,
        quantum: Quantum,
    ) -> Result<Self, AlarmError> {
        let money = |value| rounded(value, actual.currency(), quantum);
        let expected = money(verdict.expected)?;
        let (low, high) = (money(verdict.interval.low)?, money(verdict.interval.high)?);
        // What is at stake exists, or the alarm does not.
        let _at_stake = actual.checked_sub(expected)?;
        Ok(Self::Money {
            actual,
            expected,
            low,
            high,
        })
    }

    pub(super) fn of_metric(unit: String, verdict: &Verdict) -> Result<Self, AlarmError> {
        let Interval { low, high } = verdict.interval;
        for value in [verdict.actual, verdict.expected, low, high] {
            require_finite(value)?;
        }
        Ok(Self::Metric {
            unit,
            actual: verdict.actual,
            expected: verdict.expected,
            interval: verdict.interval,
        })
    }

    /// The current value as a statistic.
    pub(crate) fn level(&self) -> f64 {
        match self {
            Self::Money { actual, .. } => as_statistic(*actual),
            Self::Metric { actual, .. } => *actual,
        }
    }

    /// The expected value as a statistic.
    pub(crate) fn expected_level(&self) -> f64 {
        match self {
            Self::Money { expected, .. } => as_statistic(*expected),
            Self::Metric { expected, .. } => *expected,
        }
    }

    /// On which side of the expected value the current one is.
    pub(super) fn direction(&self) -> Direction {
        let order = match self {
            Self::Money {
                actual, expected, ..
            } => actual.partial_cmp(expected),
            Self::Metric {
                actual, expected, ..
            } => actual.partial_cmp(expected),
        };
        match order {
            Some(std::cmp::Ordering::Greater) => Direction::Rise,
            Some(std::cmp::Ordering::Less) => Direction::Fall,
            _ => Direction::Pattern,
        }
    }

    pub(super) fn deviation_percent(&self) -> Option<f64> {
        match self {
            Self::Money {
                actual, expected, ..
            } => percent_of_money(*actual, *expected),
            Self::Metric {
                actual, expected, ..
            } => percent_of_metric(*actual, *expected),
        }
    }

    pub(super) fn at_stake(&self) -> Option<Money> {
        match self {
            Self::Money {
                actual, expected, ..
            } => actual.checked_sub(*expected).ok().map(|money| money.abs()),
            Self::Metric { .. } => None,
        }
    }
}

/// The named step from a statistic to an amount: the nearest multiple of the quantum, half to even.
///
/// A statistic is taken for the decimal of 16 digits that it stands for, so that 20.425 is a tie
/// and not a little more than one.
pub(crate) fn rounded(
    value: f64,
    currency: Currency,
    quantum: Quantum,
) -> Result<Money, AlarmError> {
    require_finite(value)?;
    let amount = Decimal::from_f64(value).ok_or(AlarmError::TooLarge { value })?;
    Ok(Money::new(amount, currency).round_to(quantum, Rounding::HalfEven)?)
}

/// An amount as a statistic.
pub(crate) fn as_statistic(money: Money) -> f64 {
    // Every decimal lies within ±8 × 10²⁸, so there always is a float.
    money.amount().to_f64().unwrap_or(0.0)
}

fn require_finite(value: f64) -> Result<(), AlarmError> {
    match value.is_finite() {
        true => Ok(()),
        false => Err(AlarmError::NotFinite(value)),
    }
}

fn percent_of_money(actual: Money, expected: Money) -> Option<f64> {
    if expected.is_zero() || expected.is_negative() {
        return None;
    }
    let ratio = actual.checked_sub(expected).ok()?.ratio_to(&expected).ok();
    let percent = ratio.and_then(|ratio| ratio.checked_mul(Decimal::ONE_HUNDRED)?.to_f64());
    // A ratio with more than 26 digits before the point has no exact percentage to be had.
    percent.or_else(|| percent_of_metric(as_statistic(actual), as_statistic(expected)))
}

fn percent_of_metric(actual: f64, expected: f64) -> Option<f64> {
    let percent = (actual - expected) / expected * 100.0;
    (expected > 0.0 && percent.is_finite()).then_some(percent)
}
