//! What exactly is unusual, and how is it said in one sentence?
//!
//! A detector's verdict is a statistic. An [`Alarm`] is that verdict with everything that a reader
//! asks: which series, when, how much, instead of how much, and who caused it. An [`Alert`] is an
//! alarm that a [policy](crate::Policy) has found worth telling, with its severity.

mod figures;
mod sentence;

use std::fmt;

use bursar_units::{Money, MoneyError, Quantum};
use jiff::Timestamp;
use jiff::civil::Date;

pub use self::figures::Figures;
pub(crate) use self::figures::{as_statistic, rounded};
pub(crate) use self::sentence::{one_line, with_places_of};
use crate::observation::day_start;
use crate::{DayProjection, DetectorKind, Direction, Severity, Verdict};

/// Why a verdict cannot be told in amounts.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AlarmError {
    /// A value of the verdict is not a number, or infinite.
    #[error("the verdict holds {0}, which is no value: build verdicts from finite numbers")]
    NotFinite(f64),
    /// A value of the verdict is no amount of money.
    #[error("{value} is too large for an amount of money: check the unit of the series")]
    TooLarge {
        /// The value.
        value: f64,
    },
    /// Two amounts cannot be compared, or not be rounded to the quantum.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The time that an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum When {
    /// A whole day in UTC.
    Day(Date),
    /// A moment.
    Moment(Timestamp),
}

impl When {
    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        match self {
            Self::Day(date) => day_start(date),
            Self::Moment(at) => at,
        }
    }

    /// The first moment after it; of a moment, that moment.
    #[must_use]
    pub fn end(self) -> Timestamp {
        match self {
            Self::Day(date) => date.tomorrow().map_or(Timestamp::MAX, day_start),
            Self::Moment(at) => at,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => date.fmt(formatter),
            Self::Moment(at) => at.fmt(formatter),
        }
    }
}

/// A part of the series that the change is put down to, as an attribution found it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Culprit {
    /// What is named: `service`, `region`, `tag:team`.
    pub dimension: String,
    /// Its name: `AmazonEC2`.
    pub value: String,
    /// By how much it changed, below zero for less; `None` where that is not known.
    pub change: Option<Money>,
    /// Its share of the whole change in percent; `None` where that is not known.
    pub share_percent: Option<f64>,
}

impl Culprit {
    /// A service of which only the name is known.
    #[must_use]
    pub fn service(name: impl Into<String>) -> Self {
        Self {
            dimension: "service".to_owned(),
            value: name.into(),
            change: None,
            share_percent: None,
        }
    }
}

/// One point that one detector found unusual, in the terms of its reader.
///
/// ```
/// use bursar_anomaly::{Alarm, DetectorKind, Direction, Interval, Verdict, When};
/// use bursar_units::Quantum;
/// use jiff::civil::date;
///
/// let verdict = Verdict {
///     score: 0.97,
///     direction: Direction::Rise,
///     actual: 47.82,
///     expected: 12.6504,
///     interval: Interval { low: 10.1, high: 15.2 },
/// };
/// let day = When::Day(date(2026, 11, 20));
/// let cost = "47.82 USD".parse()?;
/// let alarm =
///     Alarm::of_cost("aws/prod", day, cost, DetectorKind::ZScore, &verdict, Quantum::MINOR_UNIT)?;
/// assert_eq!(alarm.at_stake().unwrap().to_string(), "35.17 USD");
/// assert_eq!(format!("{:.1} %", alarm.deviation_percent().unwrap()), "278.0 %");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Alarm {
    /// Which series, such as `aws/prod` or `web-1/cpu`.
    pub series: String,
    /// Which moment or day of it.
    pub when: When,
    /// The current and the expected value.
    pub figures: Figures,
    /// Who says so.
    pub detector: DetectorKind,
    /// How unusual it is, see [`Verdict::score`].
    pub score: f64,
    /// A rise, a fall, or an unusual course of usual values.
    pub direction: Direction,
    /// What caused it, the largest part first; empty where nobody has looked.
    pub culprits: Vec<Culprit>,
    /// What the current day will have cost at its end, where that can be told.
    pub projection: Option<DayProjection>,
}

impl Alarm {
    /// An alarm about an amount of money.
    ///
    /// The amount stays as it is. What the verdict holds are statistics: the expected value and the
    /// ends of its interval become multiples of `quantum` here, half to even, and all that is
    /// said later (money at stake, percentage) is computed from these in decimals.
    ///
    /// # Errors
    /// [`AlarmError`] when the verdict's values are not finite, are too large for an amount, or the
    /// currency has no minor unit to round to.
    pub fn of_cost(
        series: impl Into<String>,
        when: When,
        actual: Money,
        detector: DetectorKind,
        verdict: &Verdict,
        quantum: Quantum,
    ) -> Result<Self, AlarmError> {
        let figures = Figures::of_money(actual, verdict, quantum)?;
        Self::new(series.into(), when, figures, detector, verdict)
    }

    /// An alarm about a number with a unit, such as `%`, `ms` or `requests/s`; the unit may be
    /// empty.
    ///
    /// # Errors
    /// [`AlarmError::NotFinite`].
    pub fn of_metric(
        series: impl Into<String>,
        when: When,
        unit: impl Into<String>,
        detector: DetectorKind,
        verdict: &Verdict,
    ) -> Result<Self, AlarmError> {
        let figures = Figures::of_metric(unit.into(), verdict)?;
        Self::new(series.into(), when, figures, detector, verdict)
    }

    fn new(
        series: String,
        when: When,
        figures: Figures,
        detector: DetectorKind,
        verdict: &Verdict,
    ) -> Result<Self, AlarmError> {
        if !verdict.score.is_finite() {
            return Err(AlarmError::NotFinite(verdict.score));
        }
        let direction = match verdict.direction {
            Direction::Pattern => Direction::Pattern,
            // What is said is what the numbers beside it say.
            Direction::Rise | Direction::Fall => figures.direction(),
        };
        Ok(Self {
            series,
            when,
            figures,
            detector,
            score: verdict.score.clamp(0.0, 1.0),
            direction,
            culprits: Vec::new(),
            projection: None,
        })
    }

    /// With what caused it, the largest part first.
    #[must_use]
    pub fn caused_by(mut self, culprits: impl IntoIterator<Item = Culprit>) -> Self {
        self.culprits.extend(culprits);
        self
    }

    /// With what the current day is projected to have cost at its end.
    #[must_use]
    pub const fn projected(mut self, projection: DayProjection) -> Self {
        self.projection = Some(projection);
        self
    }

    /// (current − expected) ÷ expected, in percent; below zero for a fall. `None` where nothing or a
    /// credit was expected: there is no percentage of that.
    #[must_use]
    pub fn deviation_percent(&self) -> Option<f64> {
        self.figures.deviation_percent()
    }

    /// How far the current amount is from the expected one, without sign; `None` for a series that
    /// is not money.
    #[must_use]
    pub fn at_stake(&self) -> Option<Money> {
        self.figures.at_stake()
    }
}

/// An alarm that is worth telling.
///
/// Displayed it is one sentence with every number:
///
/// ```text
/// CRITICAL: aws/prod cost 47.82 USD on 2026-11-20, 278.0 % above the expected 12.65 USD (10.10 to 15.20 USD), 35.17 USD at stake; z-score, score 0.97
/// ```
///
/// Serialized it carries that sentence as `message`, and `deviation_percent` and `at_stake`; these are
/// computed again when it is read.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Told", into = "Told"))]
#[non_exhaustive]
pub struct Alert {
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub alarm: Alarm,
}

impl fmt::Display for Alert {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        sentence::write(self, formatter)
    }
}

/// An alert with all that follows from it, for readers in other languages.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Told {
    severity: Severity,
    message: String,
    deviation_percent: Option<f64>,
    at_stake: Option<Money>,
    alarm: Alarm,
}

#[cfg(feature = "serde")]
impl From<Alert> for Told {
    fn from(alert: Alert) -> Self {
        Self {
            severity: alert.severity,
            message: alert.to_string(),
            deviation_percent: alert.alarm.deviation_percent(),
            at_stake: alert.alarm.at_stake(),
            alarm: alert.alarm,
        }
    }
}

#[cfg(feature = "serde")]
impl From<Told> for Alert {
    fn from(
        Told {
            severity, alarm, ..
        }: Told,
    ) -> Self {
        Self { severity, alarm }
    }
}
