//! Are the last few days above the weeks before them?
//!
//! A mean of a few points moves less than a point, so that a smaller change is visible in it. Here
//! the short mean and the long one share no point: with the last three days inside both, a change
//! would move the line that it is measured by.

use jiff::Timestamp;

use crate::robust::{self, Baseline, Clock, Guard, SettingError, Window};
use crate::{Assessment, Detector, DetectorKind, Interval, Observation, ObservationError};

/// Which means are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MovingAverageSettings {
    /// How many points make the short mean, the tested one included: 3. From 2 to 1,000.
    pub short: usize,
    /// How many points before these make the baseline: 14. From 2 to 10,000.
    pub long: usize,
    /// From which change on, as a share of the long mean, the short one is an alarm: 0.30.
    pub limit: f64,
    /// How many unusual points in a row, on the same side, make a new normal: 7. Before that, no
    /// more of each is learned than fits the interval. 0 learns every value in full at once. At most
    /// `long`.
    pub patience: usize,
}

impl MovingAverageSettings {
    /// Three points against the eleven before them: 14 in all.
    #[must_use]
    pub fn fourteen_in_all() -> Self {
        Self {
            long: 11,
            ..Self::default()
        }
    }
}

impl Default for MovingAverageSettings {
    fn default() -> Self {
        Self {
            short: 3,
            long: 14,
            limit: 0.30,
            patience: 7,
        }
    }
}

/// The mean of the last points against the mean of those before them.
///
/// The verdict is on the short mean: it is what was observed, and the long one is what was expected.
/// Of a long mean of 0, any change is evidence without bound.
///
/// ```
/// use bursar_anomaly::{MovingAverage, RegularSeries, assess};
/// use jiff::civil::date;
///
/// let mut costs = vec![Some(12.65); 14];
/// costs.extend([Some(18.0), Some(20.0), Some(16.0)]);
/// let series = RegularSeries::daily(date(2026, 11, 1), costs)?;
/// let assessments = assess(&mut MovingAverage::default(), series.observations())?;
///
/// // 14 + 3 = 17 points are the fewest that can be compared.
/// let verdict = assessments[16].verdict().unwrap();
/// assert_eq!((verdict.actual, verdict.expected), (18.0, 12.65));
/// assert!(verdict.is_alarm());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::MovingAverage"))]
pub struct MovingAverage {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: MovingAverageSettings,
    clock: Clock,
    recent: Window,
    baseline: Window,
    guard: Guard,
}

impl MovingAverage {
    /// A detector without a baseline.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: MovingAverageSettings) -> Result<Self, SettingError> {
        robust::check_count("short", settings.short, (2, 1_000), "from 2 to 1,000")?;
        robust::check_count("long", settings.long, (2, 10_000), "from 2 to 10,000")?;
        robust::check_threshold("limit", settings.limit)?;
        let patience = (0, settings.long);
        robust::check_count("patience", settings.patience, patience, "at most `long`")?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: MovingAverageSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            settings,
            clock: Clock::default(),
            recent: Window::new(settings.short - 1),
            baseline: Window::new(settings.long),
            guard: Guard::new(settings.patience),
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &MovingAverageSettings {
        &self.settings
    }

    /// The mean of the last points and this one, exact where they are all the same.
    fn short_mean(&self, value: f64) -> f64 {
        let mean = self.recent.mean();
        mean + (value - mean) / self.settings.short as f64
    }

    fn usual(&self) -> Option<Interval> {
        let mean = self.baseline.mean();
        let interval = Interval::around(mean, self.settings.limit * mean.abs());
        self.baseline.is_full().then_some(interval)
    }
}

impl Default for MovingAverage {
    fn default() -> Self {
        Self::unchecked(MovingAverageSettings::default())
    }
}

impl Baseline for MovingAverage {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, _: Timestamp, value: f64) -> Assessment {
        if !self.baseline.is_full() {
            let have = self.recent.len() + self.baseline.len() + 1;
            let need = self.settings.short + self.settings.long;
            return Assessment::NotReady { have, need };
        }
        let long_mean = self.baseline.mean();
        let short_mean = self.short_mean(value);
        let (scale, limit) = (long_mean.abs(), self.settings.limit);
        Assessment::Scored(robust::judge(short_mean, long_mean, scale, limit))
    }

    fn learn(&mut self, _: Timestamp, value: f64, _: &Assessment) {
        if let Some(value) = self.recent.push(value) {
            let usual = self.usual();
            self.guard.learn(&mut self.baseline, value, usual);
        }
    }
}

impl Detector for MovingAverage {
    fn kind(&self) -> DetectorKind {
        DetectorKind::MovingAverage
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}

#[cfg(feature = "serde")]
mod saved {
    use crate::format::Format;
    use crate::robust::{Clock, DamagedState, Guard, SavedGuard, Window};

    #[derive(serde::Deserialize)]
    pub(super) struct MovingAverage {
        #[serde(rename = "format")]
        _format: Format<1>,
        settings: super::MovingAverageSettings,
        clock: Clock,
        recent: Vec<f64>,
        baseline: Vec<f64>,
        guard: SavedGuard,
    }

    impl TryFrom<MovingAverage> for super::MovingAverage {
        type Error = DamagedState;

        fn try_from(saved: MovingAverage) -> Result<Self, DamagedState> {
            let new = Self::new(saved.settings)?;
            let recent = Window::restore(new.recent.capacity(), &saved.recent);
            let baseline = Window::restore(new.baseline.capacity(), &saved.baseline);
            let guard = Guard::restore(saved.settings.patience, &saved.guard);
            Ok(Self {
                clock: saved.clock,
                recent: recent.ok_or(DamagedState::Part("recent"))?,
                baseline: baseline.ok_or(DamagedState::Part("baseline"))?,
                guard: guard.ok_or(DamagedState::Part("guard"))?,
                ..new
            })
        }
    }
}
