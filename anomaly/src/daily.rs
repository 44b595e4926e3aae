//! Is this day's cost normal, and if not, since when and because of which service?
//!
//! Daily costs are short series with a strong calendar: weekends, month ends, charges on the 1st. A
//! [`DailyMonitor`] learns that calendar from an account's own days and judges each new day by the
//! days before it: the total and every service. It needs 14 days and no settings.
//!
//! ```
//! use bursar_anomaly::daily::{DailyCosts, DailyMonitor, FindingKind, Scope};
//! use jiff::ToSpan;
//! use jiff::civil::date;
//!
//! let mut monitor = DailyMonitor::new();
//! let mut day = date(2026, 3, 2);
//! for n in 0..40 {
//!     let wobble = f64::from(n * 7 % 5) / 10.0;
//!     let costs = DailyCosts::new(day, 52.0 + wobble)
//!         .service("compute", 40.0 + wobble)
//!         .service("storage", 12.0);
//!     assert!(monitor.observe(&costs)?.findings.is_empty());
//!     day = day.checked_add(1.day())?;
//! }
//! let costs = DailyCosts::new(day, 95.0).service("compute", 83.0).service("storage", 12.0);
//! let assessment = monitor.observe(&costs)?;
//! let finding = &assessment.findings[0];
//! assert_eq!(finding.scope, Scope::Service("compute".to_owned()));
//! assert_eq!(finding.kind, FindingKind::Spike);
//! assert!((39.0..42.0).contains(&finding.expected));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a day is judged
//!
//! The logarithm of a cost is local level + weekday + position in the month + noise, each estimated by
//! medians over the last [`HISTORY_DAYS`] days, so that a day that was wrong moves none of them. What
//! is left of today is compared with what was left of earlier days, in five ways:
//!
//! - a **spike**: far outside the noise, and further than this series' own extremes, which is how tails
//!   heavier than normal are met;
//! - a **level shift**: the last 2 to 7 days together against the four weeks before them, in units of
//!   how much such means moved in the past;
//! - a **slow leak**: the last 5 days against weeks that ended one or two weeks ago;
//! - a **drop**: next to nothing where there always was something;
//! - a **weekend** that costs what workdays cost, where weekends are cheap.
//!
//! Services have higher bars than the total, as there are more of them. How high bars are follows from
//! the [`AlarmBudget`].
//!
//! # What is no anomaly
//!
//! - Charges at the same position of an earlier month explain a day: its number, its distance from the
//!   month's end, the first and the last workday. At positions where charges are usual and that have
//!   not been seen yet there is no opinion on rises.
//! - A day that makes up for one before it was booked late; a credit is not a drop.
//! - A service that appears is onboarded: it is judged after 28 days, and kept out of the judged total
//!   until it is 45 days old.
//! - A day that is not complete ([`Reading::Partial`]) is judged for rises only, and not learned.
//!
//! # One event, one finding
//!
//! A finding is [raised](Stage::Raised) once. While it lasts the days are set aside, so that the
//! baseline does not learn them, and it is reported as [continuing](Stage::Continuing), or as
//! [grown](Stage::Grown) when it passes 50 % or 100 % of the expected cost. After 14 days the new level
//! is normal; its end is then no event of its own.

mod baseline;
mod budget;
mod channel;
mod detector;
mod episode;
mod evidence;
mod levels;
mod monitor;
mod robust;
mod slots;
mod verdicts;

use jiff::civil::Date;

use crate::{Assessment, Direction, Interval, LARGEST_VALUE, Reading, Verdict};

pub use budget::{AlarmBudget, BudgetError};
pub use channel::HISTORY_DAYS;
pub use detector::DailyDetector;
pub use monitor::{DailyBaseline, DailyMonitor};

/// What one day cost: in total and by service.
///
/// A service that is not named has no known cost on that day, which is not the same as zero.
#[derive(Debug, Clone, PartialEq)]
pub struct DailyCosts {
    date: Date,
    total: Reading,
    services: Vec<(String, Reading)>,
}

impl DailyCosts {
    /// A day that is complete.
    #[must_use]
    pub const fn new(date: Date, total: f64) -> Self {
        Self::of(date, Reading::Final(total))
    }

    /// A day of which more costs may follow.
    #[must_use]
    pub const fn partial(date: Date, total: f64) -> Self {
        Self::of(date, Reading::Partial(total))
    }

    /// A day of which nothing is known.
    #[must_use]
    pub const fn missing(date: Date) -> Self {
        Self::of(date, Reading::Missing)
    }

    const fn of(date: Date, total: Reading) -> Self {
        let services = Vec::new();
        Self {
            date,
            total,
            services,
        }
    }

    /// With the cost of a service, as complete as the total is; the last of two with one name counts.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>, cost: f64) -> Self {
        let reading = match self.total {
            Reading::Partial(_) => Reading::Partial(cost),
            Reading::Final(_) | Reading::Missing => Reading::Final(cost),
        };
        let name = name.into();
        self.services.retain(|(known, _)| *known != name);
        self.services.push((name, reading));
        self
    }

    /// The day.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.date
    }

    fn reading_of(&self, name: &str) -> Reading {
        self.services
            .iter()
            .find(|(service, _)| service == name)
            .map_or(Reading::Missing, |(_, reading)| *reading)
    }

    /// That every number is one.
    fn check(&self) -> Result<(), DailyError> {
        let services = self
            .services
            .iter()
            .map(|(name, cost)| (name.as_str(), cost));
        for (name, reading) in services.chain([("total", &self.total)]) {
            if let Reading::Final(cost) | Reading::Partial(cost) = *reading
                && !cost.is_finite()
            {
                return Err(DailyError::NotFinite {
                    date: self.date,
                    name: name.to_owned(),
                    cost,
                });
            }
        }
        Ok(())
    }
}

/// Why a day cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DailyError {
    /// The day is older than the last one, or the same.
    #[error(
        "the costs of {date} come after those of {last}: observe days in order, revise known ones"
    )]
    OutOfOrder {
        /// The day.
        date: Date,
        /// The newest day that was observed.
        last: Date,
    },
    /// A cost is not a number, or infinite.
    #[error("the cost of {name} on {date} is {cost}: pass a finite number, or leave it out")]
    NotFinite {
        /// The day.
        date: Date,
        /// The service, or `total`.
        name: String,
        /// NaN or an infinity.
        cost: f64,
    },
    /// A revised day is not in memory.
    #[error(
        "the costs of {date} are not in memory: days of the last six months that were observed can be revised"
    )]
    Unknown {
        /// The day.
        date: Date,
    },
}

/// What is said of one day.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct DayAssessment {
    /// The day.
    pub date: Date,
    /// How unusual the total is, apart from services that are too new to be judged. It is an alarm on
    /// each day of an event, where findings are raised once.
    pub total: Assessment,
    /// What was raised, grew or goes on; services in the order in which they were first named, the
    /// total last.
    pub findings: Vec<Finding>,
}

/// An event in the costs of an account.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Finding {
    /// Whose costs are unusual.
    pub scope: Scope,
    /// What kind of event it seems to be.
    pub kind: FindingKind,
    /// Whether costs rose or fell.
    pub direction: Direction,
    /// What this day cost.
    pub actual: f64,
    /// What it would have cost without the event.
    pub expected: f64,
    /// What it could have cost without an alarm.
    pub interval: Interval,
    /// How unusual this day is ([`score`](fn@crate::score)). While an event goes on it can be below
    /// the alarm line.
    pub score: f64,
    /// Its first day, as far as can be told.
    pub since: Date,
    /// The service that is to blame, if it is one.
    pub culprit: Option<String>,
    /// Whether it is new.
    pub stage: Stage,
}

impl Finding {
    /// Whether it is worth an alert: new, or grown past 50 % or 100 %.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        matches!(self.stage, Stage::Raised | Stage::Grown)
    }

    /// The same as a verdict, of which an [`Alarm`](crate::Alarm) can be made.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        Verdict {
            score: self.score,
            direction: self.direction,
            actual: self.actual,
            expected: self.expected,
            interval: self.interval,
        }
    }
}

/// Whose costs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Scope {
    /// The whole account's.
    Total,
    /// One service's.
    Service(String),
}

/// Where in its life an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stage {
    /// It is new.
    Raised,
    /// It has passed 50 % or 100 % of the expected cost.
    Grown,
    /// It goes on.
    Continuing,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FindingKind {
    /// A day far outside the ordinary.
    Spike,
    /// Days that together are higher or lower.
    LevelShift,
    /// A drift.
    SlowLeak,
    /// Next to nothing where there always was something.
    Drop,
    /// A weekend that costs what workdays cost.
    Weekend,
}

impl FindingKind {
    /// Its name in words, as it stands in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::LevelShift => "level shift",
            Self::SlowLeak => "slow leak",
            Self::Drop => "drop",
            Self::Weekend => "weekend left on",
        }
    }
}

/// What a person says about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DailyFeedback {
    /// It is real and will stay: the present level is normal from now on.
    Expected,
    /// It was noise: its days are ordinary after all, and bars rise by 30 %.
    False,
}

/// Days on which costs are known to be unusual: nothing is raised and nothing learned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PlannedDays {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The service that it is about; all of them when `None`.
    pub service: Option<String>,
}

impl PlannedDays {
    /// Whether a service's costs, or the total's, are planned to be unusual.
    fn covers(&self, date: Date, service: Option<&str>) -> bool {
        let is_about = self.service.is_none() || self.service.as_deref() == service;
        is_about && self.is_on(date)
    }

    fn is_on(&self, date: Date) -> bool {
        (self.from..=self.to).contains(&date)
    }
}

/// A cost within the range that is told apart.
const fn held(cost: f64) -> f64 {
    cost.clamp(-LARGEST_VALUE, LARGEST_VALUE)
}
