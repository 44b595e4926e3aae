//! How bad is it?

use std::collections::BTreeMap;
use std::fmt;

use crate::{DetectorKind, Direction};

/// How much an alert matters, by the size of its deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "UPPERCASE"))]
pub enum Severity {
    /// Worth a look at the next occasion.
    Info,
    /// Worth a look today.
    Warning,
    /// Worth a look now.
    Critical,
}

impl Severity {
    /// Its name as it stands at the begin of a message.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// From which deviation on an alarm has which severity, in percent of the expected value.
///
/// A line belongs to the severity below it: with a warning *above* 50, exactly 50 % is not one.
///
/// # Falls
/// A value that cannot be negative falls by 100 % at most, so no fall would ever pass a line of 100.
/// A fall that leaves nearly nothing ([`vanished`](Self::vanished), by default a fall of 95 % and
/// more) therefore has the highest severity that the rule knows. It is 95 and not 100, because what
/// stops seldom stops whole: the disks and addresses of a stopped service go on costing.
///
/// # No percentage
/// Where nothing or a credit was expected there is no deviation in percent. Such an alarm has the
/// severity [`unknown`](Self::unknown), a warning by default, whatever its size; the floor of money
/// keeps the small ones away.
///
/// ```
/// use bursar_anomaly::{Direction, Severity, SeverityRule};
///
/// let rule = SeverityRule::default();
/// assert_eq!(rule.severity(Direction::Rise, Some(31.0)), Some(Severity::Info));
/// assert_eq!(rule.severity(Direction::Rise, Some(278.0)), Some(Severity::Critical));
/// assert_eq!(rule.severity(Direction::Fall, Some(-60.0)), Some(Severity::Warning));
/// assert_eq!(rule.severity(Direction::Fall, Some(-100.0)), Some(Severity::Critical));
/// assert_eq!(rule.severity(Direction::Rise, None), Some(Severity::Warning));
/// assert_eq!(SeverityRule::SEASONAL.severity(Direction::Rise, Some(31.0)), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Lines", into = "Lines"))]
pub struct SeverityRule(Lines);

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Lines {
    info: Option<f64>,
    warning: f64,
    critical: Option<f64>,
    vanished: f64,
    unknown: Severity,
}

/// Why lines are no rule.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeverityError {
    /// A line is not a number of percent.
    #[error("a line at {0} % cannot be compared with: pass a finite number from 0 upward")]
    NotALine(f64),
    /// A lower severity begins above a higher one.
    #[error(
        "the line at {lower} % of a lower severity is above that at {higher} %: put them in order"
    )]
    OutOfOrder {
        /// The line of the lower severity.
        lower: f64,
        /// The line of the higher severity.
        higher: f64,
    },
    /// A fall cannot be that large.
    #[error("a fall of {0} % to nearly nothing is not possible: pass more than 0 and at most 100")]
    NotAFall(f64),
}

impl SeverityRule {
    /// Every alarm is at least an information; a warning above 50 %, critical above 100 %.
    pub const GENERAL: Self = Self(Lines {
        info: None,
        warning: 50.0,
        critical: Some(100.0),
        vanished: VANISHED,
        unknown: Severity::Warning,
    });

    /// Of a moving average: nothing up to 30 %, a warning above it, critical above 100 %.
    pub const MOVING_AVERAGE: Self = Self(Lines {
        info: Some(30.0),
        warning: 30.0,
        critical: Some(100.0),
        vanished: VANISHED,
        unknown: Severity::Warning,
    });

    /// Of a seasonal profile: nothing up to 50 %, an information above it, a warning above 100 %.
    pub const SEASONAL: Self = Self(Lines {
        info: Some(50.0),
        warning: 100.0,
        critical: None,
        vanished: VANISHED,
        unknown: Severity::Warning,
    });

    /// A rule of its own lines. Without a line for information every alarm is at least one; with it
    /// a smaller deviation is no alert. Without a critical line nothing is critical.
    ///
    /// # Errors
    /// [`SeverityError`] for lines that are no finite numbers from 0 upward, or not in order.
    pub fn new(
        info: Option<f64>,
        warning: f64,
        critical: Option<f64>,
    ) -> Result<Self, SeverityError> {
        Self::try_from(Lines {
            info,
            warning,
            critical,
            ..Self::GENERAL.0
        })
    }

    /// From which fall in percent on nearly nothing is left.
    ///
    /// # Errors
    /// [`SeverityError::NotAFall`] unless it is above 0 and at most 100.
    pub fn vanished(self, percent: f64) -> Result<Self, SeverityError> {
        Self::try_from(Lines {
            vanished: percent,
            ..self.0
        })
    }

    /// The severity where there is no percentage.
    #[must_use]
    pub const fn unknown(mut self, severity: Severity) -> Self {
        self.0.unknown = severity;
        self
    }

    /// The severity of a deviation in percent of the expected value, below zero for a fall; `None`
    /// when it is too small for an alert.
    ///
    /// A [pattern](Direction::Pattern) is unusual whatever its value, so it is never too small.
    #[must_use]
    pub fn severity(&self, direction: Direction, percent: Option<f64>) -> Option<Severity> {
        let Some(percent) = percent.filter(|percent| !percent.is_nan()) else {
            return Some(self.0.unknown);
        };
        let size = percent.abs();
        if percent < 0.0 && size >= self.0.vanished {
            return Some(self.highest());
        }
        if self.0.critical.is_some_and(|line| size > line) {
            return Some(Severity::Critical);
        }
        if size > self.0.warning {
            return Some(Severity::Warning);
        }
        let is_large_enough = self.0.info.is_none_or(|line| size > line);
        (is_large_enough || direction == Direction::Pattern).then_some(Severity::Info)
    }

    fn highest(&self) -> Severity {
        match self.0.critical {
            Some(_) => Severity::Critical,
            None => Severity::Warning,
        }
    }
}

/// See "Falls" at [`SeverityRule`].
const VANISHED: f64 = 95.0;

impl Default for SeverityRule {
    fn default() -> Self {
        Self::GENERAL
    }
}

impl TryFrom<Lines> for SeverityRule {
    type Error = SeverityError;

    fn try_from(lines: Lines) -> Result<Self, SeverityError> {
        let in_order = [lines.info, Some(lines.warning), lines.critical];
        let in_order: Vec<f64> = in_order.into_iter().flatten().collect();
        let is_line = |line: &&f64| line.is_finite() && **line >= 0.0;
        if let Some(line) = in_order.iter().find(|line| !is_line(line)) {
            return Err(SeverityError::NotALine(*line));
        }
        if let Some(pair) = in_order.windows(2).find(|pair| pair[0] > pair[1]) {
            let (lower, higher) = (pair[0], pair[1]);
            return Err(SeverityError::OutOfOrder { lower, higher });
        }
        if !(lines.vanished > 0.0 && lines.vanished <= 100.0) {
            return Err(SeverityError::NotAFall(lines.vanished));
        }
        Ok(Self(lines))
    }
}

impl From<SeverityRule> for Lines {
    fn from(rule: SeverityRule) -> Self {
        rule.0
    }
}

/// The rule of each detector.
///
/// The defaults: [`SeverityRule::MOVING_AVERAGE`] and [`SeverityRule::SEASONAL`] for these two, and
/// [`SeverityRule::GENERAL`] for all others.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SeverityRules {
    own: BTreeMap<DetectorKind, SeverityRule>,
}

impl SeverityRules {
    /// Another rule for a detector.
    #[must_use]
    pub fn with(mut self, detector: DetectorKind, rule: SeverityRule) -> Self {
        self.own.insert(detector, rule);
        self
    }

    /// The rule of a detector.
    #[must_use]
    pub fn of(&self, detector: DetectorKind) -> SeverityRule {
        let default = match detector {
            DetectorKind::MovingAverage => SeverityRule::MOVING_AVERAGE,
            DetectorKind::Seasonal => SeverityRule::SEASONAL,
            _ => SeverityRule::GENERAL,
        };
        self.own.get(&detector).copied().unwrap_or(default)
    }
}
