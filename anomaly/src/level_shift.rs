//! Has the level changed, and stayed changed?
//!
//! The median of the last points is compared with the median of those before them, in standard
//! errors. A single point, whatever its size, cannot move a median of seven past its neighbors, so
//! that only a change that stays is an alarm: a step is seen when it has filled half of the recent
//! window. This is the two-window form of the classical median test; a CUSUM would see small shifts
//! sooner, and would also add up a single spike.

use jiff::Timestamp;

use crate::robust::{self, Baseline, Clock, SettingError, Window};
use crate::{Assessment, Detector, DetectorKind, Observation, ObservationError};

/// Which levels are compared, and when a new one is accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LevelShiftSettings {
    /// How many points make the recent level, the tested one included: 7. Odd, from 3 to 999. Whole
    /// periods, such as a week of days, keep a season out of the comparison.
    pub recent: usize,
    /// How many points before these make the reference: 28. From 7 to 10,000.
    pub reference: usize,
    /// From how many standard errors on a change of level is an alarm: 6.
    pub threshold: f64,
    /// A smaller spread than this share of the level counts as this share: 0.01.
    pub relative_floor: f64,
    /// After how many alarms in a row the new level is the reference: 14. Until then, the reference
    /// learns nothing. At least 1.
    pub patience: usize,
}

impl Default for LevelShiftSettings {
    fn default() -> Self {
        Self {
            recent: 7,
            reference: 28,
            threshold: 6.0,
            relative_floor: 0.01,
            patience: 14,
        }
    }
}

/// A change of level that stays.
///
/// On daily noise without any shift it raises 0.002 alarms a year when the noise is white, and 0.23
/// when each day has half of the day before (600 series-years each, on seeds that no setting was
/// chosen by, `tests/it/level_shift.rs`); noise with a longer memory wanders, and raises more. A
/// shift must be of 3.2 standard deviations to be an alarm.
///
/// ```
/// use bursar_anomaly::{LevelShift, RegularSeries, assess};
/// use jiff::civil::date;
///
/// let noise = [0.0, 0.4, -0.3, 0.1, -0.2, 0.3];
/// let level = |day| if day < 50 { 12.0 } else { 15.0 };
/// let mut costs: Vec<_> = (0..90).map(|day| Some(level(day) + noise[day % 6])).collect();
/// costs[40] = Some(90.0);
/// let series = RegularSeries::daily(date(2026, 1, 1), costs)?;
/// let assessments = assess(&mut LevelShift::default(), series.observations())?;
/// let alarms: Vec<usize> = (0..90).filter(|&day| assessments[day].is_alarm()).collect();
///
/// // The spike of day 40 is no change of level. That of day 50 is known on its fourth day, and
/// // has been accepted 14 days later.
/// assert_eq!(alarms, Vec::from_iter(53..67));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::LevelShift"))]
pub struct LevelShift {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: LevelShiftSettings,
    clock: Clock,
    recent: Window,
    reference: Window,
    /// The spread before the last accepted shift, until the reference is full again.
    former_spread: Option<f64>,
    /// How many alarms there were in a row.
    alarms: usize,
}

impl LevelShift {
    /// A detector without a reference.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: LevelShiftSettings) -> Result<Self, SettingError> {
        let allowed = "odd, from 3 to 999";
        robust::check_count("recent", settings.recent | 1, (3, 999), allowed)?;
        if settings.recent.is_multiple_of(2) {
            let (name, value) = ("recent", settings.recent as f64);
            return Err(SettingError {
                name,
                value,
                allowed,
            });
        }
        robust::check_count(
            "reference",
            settings.reference,
            (7, 10_000),
            "from 7 to 10,000",
        )?;
        robust::check_threshold("threshold", settings.threshold)?;
        robust::check_share("relative_floor", settings.relative_floor)?;
        robust::check_count("patience", settings.patience, (1, usize::MAX), "at least 1")?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: LevelShiftSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            settings,
            clock: Clock::default(),
            recent: Window::new(settings.recent - 1),
            reference: Window::new(settings.reference),
            former_spread: None,
            alarms: 0,
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &LevelShiftSettings {
        &self.settings
    }

    fn is_ready(&self) -> bool {
        let has_reference = self.reference.is_full() || self.former_spread.is_some();
        self.recent.is_full() && has_reference
    }

    fn not_ready(&self) -> Assessment {
        let (recent, reference) = (self.recent.len() + 1, self.settings.recent);
        let (have, need) = match self.former_spread {
            Some(_) => (recent, reference),
            None => (
                recent + self.reference.len(),
                reference + self.settings.reference,
            ),
        };
        Assessment::NotReady { have, need }
    }

    fn spread(&self, level: f64) -> f64 {
        let floor = self.settings.relative_floor * level.abs();
        let former = self.former_spread.unwrap_or(0.0);
        self.reference.spread().max(floor).max(former)
    }

    /// The standard error of a difference of medians of normal values: that of a median of n is
    /// √(π/2) σ ÷ √n.
    fn standard_error(&self, spread: f64) -> f64 {
        let (recent, reference) = (self.settings.recent as f64, self.reference.len() as f64);
        let variance = std::f64::consts::FRAC_PI_2 * (1.0 / recent + 1.0 / reference);
        spread * variance.sqrt()
    }

    fn accept(&mut self) {
        self.former_spread = Some(self.spread(self.reference.median()));
        self.reference.clear();
        for value in self.recent.iter() {
            self.reference.push(value);
        }
        self.recent.clear();
        self.alarms = 0;
    }
}

impl Default for LevelShift {
    fn default() -> Self {
        Self::unchecked(LevelShiftSettings::default())
    }
}

impl Baseline for LevelShift {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, _: Timestamp, value: f64) -> Assessment {
        if !self.is_ready() {
            return self.not_ready();
        }
        let level = self.recent.median_with(value);
        let reference = self.reference.median();
        let scale = self.standard_error(self.spread(reference));
        Assessment::Scored(robust::judge(
            level,
            reference,
            scale,
            self.settings.threshold,
        ))
    }

    fn learn(&mut self, _: Timestamp, value: f64, assessment: &Assessment) {
        let oldest = self.recent.push(value);
        if assessment.is_alarm() {
            self.alarms += 1;
        } else {
            self.alarms = 0;
            if let Some(oldest) = oldest {
                self.reference.push(oldest);
            }
        }
        if self.reference.is_full() {
            self.former_spread = None;
        }
        if self.alarms >= self.settings.patience {
            self.accept();
        }
    }
}

impl Detector for LevelShift {
    fn kind(&self) -> DetectorKind {
        DetectorKind::LevelShift
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}

#[cfg(feature = "serde")]
mod saved {
    use crate::format::Format;
    use crate::robust::{Clock, DamagedState, Window, is_plausible};

    #[derive(serde::Deserialize)]
    pub(super) struct LevelShift {
        #[serde(rename = "format")]
        _format: Format<1>,
        settings: super::LevelShiftSettings,
        clock: Clock,
        recent: Vec<f64>,
        reference: Vec<f64>,
        former_spread: Option<f64>,
        alarms: usize,
    }

    impl TryFrom<LevelShift> for super::LevelShift {
        type Error = DamagedState;

        fn try_from(saved: LevelShift) -> Result<Self, DamagedState> {
            let new = Self::new(saved.settings)?;
            let recent = Window::restore(new.recent.capacity(), &saved.recent);
            let reference = Window::restore(new.reference.capacity(), &saved.reference);
            let is_usable = |spread: f64| is_plausible(spread) && spread >= 0.0;
            if !saved.former_spread.is_none_or(is_usable) {
                return Err(DamagedState::Part("former_spread"));
            }
            if saved.alarms >= saved.settings.patience {
                return Err(DamagedState::Part("alarms"));
            }
            let reference = reference.ok_or(DamagedState::Part("reference"))?;
            if saved.former_spread.is_some() && reference.len() == 0 {
                return Err(DamagedState::Part("reference"));
            }
            Ok(Self {
                clock: saved.clock,
                recent: recent.ok_or(DamagedState::Part("recent"))?,
                reference,
                former_spread: saved.former_spread,
                alarms: saved.alarms,
                ..new
            })
        }
    }
}
