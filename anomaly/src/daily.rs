//! Is this day's cost normal, and if not, which service is to blame?

mod baseline;
mod episode;
mod evidence;
mod history;
mod monitor;
mod robust;
mod slots;

use jiff::civil::Date;

use crate::{Assessment, Direction, Interval, Reading};

pub use monitor::DailyMonitor;

/// What a day cost.
#[derive(Debug, Clone, PartialEq)]
pub struct DailyCosts {
    /// The day.
    pub date: Date,
    /// The whole account.
    pub total: Reading,
    /// Its services, by name.
    pub services: Vec<(String, Reading)>,
}

impl DailyCosts {
    /// A final total.
    #[must_use]
    pub const fn new(date: Date, total: f64) -> Self {
        Self {
            date,
            total: Reading::Final(total),
            services: Vec::new(),
        }
    }

    /// With the cost of a service.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>, cost: f64) -> Self {
        self.services.push((name.into(), Reading::Final(cost)));
        self
    }

    fn reading_of(&self, name: &str) -> Reading {
        self.services
            .iter()
            .find(|(service, _)| service == name)
            .map_or(Reading::Missing, |(_, reading)| *reading)
    }

    fn check(&self) -> Result<(), DailyError> {
        Ok(())
    }
}

/// Why a day cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DailyError {
    /// Not newer.
    #[error("the costs of {date} come after those of {last}")]
    OutOfOrder {
        /// The day.
        date: Date,
        /// The newest day so far.
        last: Date,
    },
}

/// What is said of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayAssessment {
    /// The day.
    pub date: Date,
    /// The total.
    pub total: Assessment,
    /// Events.
    pub findings: Vec<Finding>,
}

/// Something unusual.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whose.
    pub scope: Scope,
    /// Kind.
    pub kind: FindingKind,
    /// Direction.
    pub direction: Direction,
    /// Actual.
    pub actual: f64,
    /// Expected.
    pub expected: f64,
    /// Interval.
    pub interval: Interval,
    /// Score.
    pub score: f64,
    /// Since.
    pub since: Date,
    /// Culprit.
    pub culprit: Option<String>,
    /// Stage.
    pub stage: Stage,
}

/// Whose cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Total.
    Total,
    /// Service.
    Service(String),
}

/// Stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// New.
    Raised,
    /// Grown.
    Grown,
    /// Ongoing.
    Continuing,
}

/// Kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FindingKind {
    /// One day.
    Spike,
    /// Stays.
    LevelShift,
    /// Drifts.
    SlowLeak,
    /// Stopped.
    Drop,
    /// Weekend.
    Weekend,
}

/// Bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensitivity {
    /// spike
    pub spike: f64,
    /// weekend
    pub weekend: f64,
    /// drop
    pub drop: f64,
    /// level
    pub level: f64,
    /// leak
    pub leak: f64,
    /// tails
    pub tail_factor: f64,
    /// falls
    pub fall_factor: f64,
    /// change
    pub smallest_change: f64,
    /// few
    pub few_days: f64,
    /// spike bar of services
    pub service_spike: f64,
    /// level of services
    pub service_level: f64,
    /// leak of services
    pub service_leak: f64,
    /// smallest change of services
    pub service_change: f64,
}

impl Default for Sensitivity {
    fn default() -> Self {
        Self {
            spike: 6.0,
            weekend: 6.0,
            drop: 6.0,
            level: 5.0,
            leak: 5.0,
            tail_factor: 1.4,
            fall_factor: 1.5,
            smallest_change: 0.04,
            few_days: 10.0,
            service_spike: 9.0,
            service_level: 7.0,
            service_leak: 7.0,
            service_change: 0.08,
        }
    }
}

impl Sensitivity {
    fn of_a_service(self) -> Self {
        Self {
            spike: self.service_spike,
            level: self.service_level,
            leak: self.service_leak,
            smallest_change: self.service_change,
            ..self
        }
    }
}
