//! What is trend, what is season, and what remains?
//!
//! A value is expected to be level plus slope plus a part for its place in each period. The parts
//! are found in a warm-up, by medians, and then follow the series by exponential smoothing whose
//! errors are bounded (Gelper, Fried and Croux 2010, *Robust Forecasting with Exponential and
//! Holt–Winters Smoothing*). What remains is judged by its own median size.
//!
//! The place in a period comes from the time of a point and not from its number, so that gaps shift
//! nothing.

mod model;
mod periods;
#[cfg(feature = "serde")]
mod saved;
mod warm_up;

use jiff::{SignedDuration, Timestamp};

use self::model::Model;
use crate::robust::{self, Baseline, Clock, SettingError};
use crate::{Assessment, Detector, DetectorKind, Observation, ObservationError};

/// What a series is made of, and how fast that changes.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DecompositionSettings {
    /// The time from one point to the next: 1 day. From a second on. Points closer to each other
    /// share a place.
    pub step: SignedDuration,
    /// The periods, in steps: found from the warm-up, up to 14 steps long.
    pub periods: Periods,
    /// From how many scales of the remainder on a point is an alarm: 4. Normal noise passes that
    /// once in 16,000 points.
    pub threshold: f64,
    /// A smaller scale than this share of the expected value counts as this share: 0.01.
    pub relative_floor: f64,
    /// Which share of an error moves the level: 0.1, which forgets in about ten points. The slope
    /// follows as in Brown's double smoothing (1963), by (1 − √(1 − gain))² of the error. From 0 to
    /// 1.
    pub level_gain: f64,
    /// Which share of an error moves its place in each period: 0.1. From 0 to 1.
    pub season_gain: f64,
    /// How many alarms in a row, on the same side, make a new level: 14. Until then, an error counts
    /// as two scales at most. At least 1.
    pub patience: usize,
}

impl Default for DecompositionSettings {
    fn default() -> Self {
        Self {
            step: SignedDuration::from_hours(24),
            periods: Periods::Found { longest: 14 },
            threshold: 4.0,
            relative_floor: 0.01,
            level_gain: 0.1,
            season_gain: 0.1,
            patience: 14,
        }
    }
}

/// Where the periods come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Periods {
    /// These, in steps: at most 4, from 2 to 10,000 steps each. The warm-up lasts twice the longest,
    /// and 14 points at least.
    Given(Vec<usize>),
    /// Up to three that the autocorrelation of the warm-up shows, which lasts three times the longest
    /// that is looked for, and 14 points at least.
    Found {
        /// The longest that is looked for, in steps. From 2 to 3,000.
        longest: usize,
    },
}

impl Periods {
    fn check(&self) -> Result<(), SettingError> {
        match self {
            Self::Found { longest } => {
                robust::check_count("longest", *longest, (2, 3_000), "from 2 to 3,000")
            }
            Self::Given(periods) => {
                robust::check_count("periods", periods.len(), (0, 4), "at most 4")?;
                periods.iter().try_for_each(|&period| {
                    robust::check_count("period", period, (2, 10_000), "from 2 to 10,000")
                })
            }
        }
    }

    /// How many points the warm-up has.
    fn warm_up(&self) -> usize {
        let points = match self {
            Self::Given(periods) => 2 * periods.iter().max().unwrap_or(&0),
            Self::Found { longest } => 3 * longest,
        };
        points.max(14)
    }
}

/// The parts of a value, which add up to it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parts {
    /// Level and slope.
    pub trend: f64,
    /// All periods together.
    pub season: f64,
    /// What neither explains.
    pub remainder: f64,
}

/// The deviation from trend plus seasonalities.
///
/// Its state grows with the periods: 8 bytes a step of each, and about 1 KB.
///
/// ```
/// use bursar_anomaly::{Decomposition, RegularSeries, assess};
/// use jiff::civil::date;
///
/// // Weekdays cost 20 and more every day, weekends 8 less; on day 80 something happens.
/// let weekend = |day: usize| if day % 7 >= 5 { 8.0 } else { 0.0 };
/// let mut costs: Vec<f64> = (0..90).map(|day| 20.0 + 0.1 * day as f64 - weekend(day)).collect();
/// costs[80] += 5.0;
/// let series = RegularSeries::daily(date(2026, 1, 5), costs.into_iter().map(Some).collect())?;
///
/// let mut detector = Decomposition::default();
/// let assessments = assess(&mut detector, series.observations())?;
/// assert_eq!(detector.periods(), [7]);
/// let alarms: Vec<usize> = (0..90).filter(|&day| assessments[day].is_alarm()).collect();
/// assert_eq!(alarms, [80]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::Decomposition"))]
pub struct Decomposition {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: DecompositionSettings,
    clock: Clock,
    /// The steps and values of the warm-up, until there is a model.
    warm_up: Vec<(i64, f64)>,
    model: Option<Model>,
}

impl Decomposition {
    /// A detector without a baseline.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: DecompositionSettings) -> Result<Self, SettingError> {
        settings.periods.check()?;
        let seconds = usize::try_from(settings.step.as_secs()).unwrap_or(0);
        robust::check_count("step", seconds, (1, usize::MAX), "at least a second")?;
        robust::check_threshold("threshold", settings.threshold)?;
        robust::check_share("relative_floor", settings.relative_floor)?;
        robust::check_share("level_gain", settings.level_gain)?;
        robust::check_share("season_gain", settings.season_gain)?;
        robust::check_count("patience", settings.patience, (1, usize::MAX), "at least 1")?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: DecompositionSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            clock: Clock::default(),
            warm_up: Vec::with_capacity(settings.periods.warm_up()),
            model: None,
            settings,
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &DecompositionSettings {
        &self.settings
    }

    /// The periods that it follows, in steps; none before the end of the warm-up.
    #[must_use]
    pub fn periods(&self) -> Vec<usize> {
        let model = self.model.as_ref();
        model.map_or_else(Vec::new, Model::periods)
    }

    /// The parts of a value at a time, as they would be if it came next; `None` before the end of
    /// the warm-up.
    #[must_use]
    pub fn parts(&self, at: Timestamp, value: f64) -> Option<Parts> {
        let step = self.step(at);
        self.model.as_ref().map(|model| model.parts(step, value))
    }

    /// The number of steps since 1970.
    fn step(&self, at: Timestamp) -> i64 {
        at.as_second().div_euclid(self.settings.step.as_secs())
    }
}

impl Default for Decomposition {
    fn default() -> Self {
        Self::unchecked(DecompositionSettings::default())
    }
}

impl Baseline for Decomposition {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, at: Timestamp, value: f64) -> Assessment {
        let Some(model) = &self.model else {
            let (have, need) = (self.warm_up.len(), self.settings.periods.warm_up());
            return Assessment::NotReady { have, need };
        };
        let step = self.step(at);
        let expected = model.expected(step);
        let scale = model.scale(step, self.settings.relative_floor);
        Assessment::Scored(robust::judge(
            value,
            expected,
            scale,
            self.settings.threshold,
        ))
    }

    fn learn(&mut self, at: Timestamp, value: f64, assessment: &Assessment) {
        let step = self.step(at);
        if let Some(model) = &mut self.model {
            model.learn(step, value, assessment, &self.settings);
            return;
        }
        self.warm_up.push((step, value));
        if self.warm_up.len() >= self.settings.periods.warm_up() {
            let points = std::mem::take(&mut self.warm_up);
            self.model = Some(warm_up::fit(&points, &self.settings.periods));
        }
    }
}

impl Detector for Decomposition {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Decomposition
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}
