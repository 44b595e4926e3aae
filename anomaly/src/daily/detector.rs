//! Daily totals behind the port of all detectors.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{AlarmBudget, DailyCosts, DailyError, DailyMonitor};
use crate::{
    Assessment, Detector, DetectorKind, Observation, ObservationError, Reading, observation,
};

/// Judges the daily totals of an account whose services are not known.
///
/// Each observation stands for the day in UTC that it falls into. Where services are known take the
/// [`DailyMonitor`]: it finds twice as much.
///
/// ```
/// use bursar_anomaly::daily::DailyDetector;
/// use bursar_anomaly::{Assessment, Detector, Observation};
/// use jiff::ToSpan;
/// use jiff::civil::date;
///
/// let mut detector = DailyDetector::new();
/// let mut day = date(2026, 3, 2);
/// for n in 0..40 {
///     let _ = detector.observe(Observation::of_day(day, 12.0 + f64::from(n % 3))?)?;
///     day = day.checked_add(1.day())?;
/// }
/// let assessment = detector.observe(Observation::of_day(day, 47.82)?)?;
/// assert!(assessment.is_alarm());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DailyDetector {
    monitor: DailyMonitor,
}

impl DailyDetector {
    /// A detector that knows nothing yet, with the default [`AlarmBudget`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With another number of false alarms that it may raise.
    #[must_use]
    pub fn with_budget(self, budget: AlarmBudget) -> Self {
        let monitor = self.monitor.with_budget(budget);
        Self { monitor }
    }

    /// The monitor behind it, with its baseline, feedback and planned days.
    #[must_use]
    pub const fn monitor(&self) -> &DailyMonitor {
        &self.monitor
    }

    /// The same, to be told something.
    pub const fn monitor_mut(&mut self) -> &mut DailyMonitor {
        &mut self.monitor
    }
}

impl Detector for DailyDetector {
    fn kind(&self) -> DetectorKind {
        DetectorKind::DailyCost
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        let at = observation.at();
        let date = at.to_zoned(TimeZone::UTC).date();
        let costs = match observation.reading() {
            Reading::Final(total) => DailyCosts::new(date, total),
            Reading::Partial(total) => DailyCosts::partial(date, total),
            Reading::Missing => DailyCosts::missing(date),
        };
        match self.monitor.observe(&costs) {
            Ok(assessment) => Ok(assessment.total),
            Err(DailyError::NotFinite { cost: value, .. }) => {
                Err(ObservationError::NotFinite { at, value })
            }
            Err(DailyError::OutOfOrder { .. } | DailyError::Unknown { .. }) => {
                let last = self.monitor.last().unwrap_or(Date::MIN);
                let last = observation::day_start(last);
                Err(ObservationError::OutOfOrder { at, last })
            }
        }
    }
}
