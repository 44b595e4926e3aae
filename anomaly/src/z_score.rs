//! How many deviations is a value away from the last ones?
//!
//! [`ZScore`] measures by mean and standard deviation, [`RobustZScore`] by median and median absolute
//! deviation. In both the tested point is left out of its own baseline. With the point inside, the
//! z-score of seven points cannot pass (7−1)/√7 = 2.268 with the sample deviation, nor √(7−1) = 2.449
//! with that of the population (Shiffler 1988, *Maximum Z scores and outliers*), so that no threshold
//! above these would ever be passed, whatever the point.

use jiff::Timestamp;

use crate::robust::{self, Baseline, Clock, Guard, SettingError, Window};
use crate::{Assessment, Detector, DetectorKind, Observation, ObservationError};

/// How a [`ZScore`] measures.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ZScoreSettings {
    /// How many points before the tested one make the baseline: 7, a week of days. From 2 to 10,000.
    pub window: usize,
    /// From how many deviations on a point is an alarm: 2.
    pub threshold: f64,
    /// Which standard deviation: that of a sample.
    pub deviation: Deviation,
    /// A smaller deviation than this share of the mean counts as this share: 0.01. A baseline
    /// without any spread thus finds 2 % more unusual, and 20 % more ten times as unusual. With 0,
    /// any change of a constant is evidence without bound.
    pub relative_floor: f64,
    /// How many alarms in a row, on the same side, make a new normal: 3. Before that, no more of them
    /// is learned than fits the interval, so that the point after a spike is judged as if there had
    /// been none. 0 learns every value in full at once. At most `window`.
    pub patience: usize,
}

impl Default for ZScoreSettings {
    fn default() -> Self {
        Self {
            window: 7,
            threshold: 2.0,
            deviation: Deviation::Sample,
            relative_floor: 0.01,
            patience: 3,
        }
    }
}

/// By what the sum of squares about the mean is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Deviation {
    /// By n − 1: the window is a sample of what the series does.
    Sample,
    /// By n: the window is all there is.
    Population,
}

/// The deviation from the mean of the last points, in standard deviations.
///
/// A threshold of 2 over 7 points is the usual rule, and a noisy one: on normal noise without any
/// anomaly 15 % of the points pass it, which is 19 alarms in a year of days even when those within a
/// week count as one (600 series-years, `tests/it/level_shift.rs`). [`RobustZScore`] has 5.
///
/// ```
/// use bursar_anomaly::{Detector, Observation, ZScore};
/// use jiff::{ToSpan, civil::date};
///
/// let mut detector = ZScore::default();
/// let mut day = date(2026, 11, 1);
/// for cost in [12.1, 13.0, 12.4, 12.9, 12.2, 13.2, 12.75] {
///     detector.observe(Observation::of_day(day, cost)?)?;
///     day = day.checked_add(1.day())?;
/// }
/// let assessment = detector.observe(Observation::of_day(day, 47.82)?)?;
/// assert!(assessment.is_alarm());
/// assert_eq!(assessment.verdict().map(|verdict| format!("{:.2}", verdict.expected)), Some("12.65".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::ZScore"))]
pub struct ZScore {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: ZScoreSettings,
    clock: Clock,
    window: Window,
    guard: Guard,
}

impl ZScore {
    /// A detector without a baseline.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: ZScoreSettings) -> Result<Self, SettingError> {
        robust::check_count("window", settings.window, (2, 10_000), "from 2 to 10,000")?;
        check_patience(settings.patience, settings.window)?;
        robust::check_threshold("threshold", settings.threshold)?;
        robust::check_share("relative_floor", settings.relative_floor)?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: ZScoreSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            settings,
            clock: Clock::default(),
            window: Window::new(settings.window),
            guard: Guard::new(settings.patience),
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &ZScoreSettings {
        &self.settings
    }

    fn scale(&self, mean: f64) -> f64 {
        let divisor = match self.settings.deviation {
            Deviation::Sample => self.window.len() - 1,
            Deviation::Population => self.window.len(),
        };
        let floor = self.settings.relative_floor * mean.abs();
        self.window.deviation(divisor).max(floor)
    }
}

impl Default for ZScore {
    fn default() -> Self {
        Self::unchecked(ZScoreSettings::default())
    }
}

impl Baseline for ZScore {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, _: Timestamp, value: f64) -> Assessment {
        if !self.window.is_full() {
            return not_ready(&self.window);
        }
        let mean = self.window.mean();
        let scale = self.scale(mean);
        Assessment::Scored(robust::judge(value, mean, scale, self.settings.threshold))
    }

    fn learn(&mut self, _: Timestamp, value: f64, assessment: &Assessment) {
        let interval = assessment.verdict().map(|verdict| verdict.interval);
        self.guard.learn(&mut self.window, value, interval);
    }
}

impl Detector for ZScore {
    fn kind(&self) -> DetectorKind {
        DetectorKind::ZScore
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}

/// How a [`RobustZScore`] measures.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RobustZScoreSettings {
    /// How many points before the tested one make the baseline: 14. From 3 to 10,000.
    pub window: usize,
    /// From how many scaled deviations on a point is an alarm: 3.5, as Iglewicz and Hoaglin
    /// recommend (1993, *How to Detect and Handle Outliers*).
    pub threshold: f64,
    /// A smaller deviation than this share of the median counts as this share: 0.01.
    pub relative_floor: f64,
    /// How many alarms in a row, on the same side, make a new normal: 7. Before that, no more of them
    /// is learned than fits the interval. At most `window`.
    pub patience: usize,
}

impl Default for RobustZScoreSettings {
    fn default() -> Self {
        Self {
            window: 14,
            threshold: 3.5,
            relative_floor: 0.01,
            patience: 7,
        }
    }
}

/// The deviation from the median of the last points, in median absolute deviations × 1.4826.
///
/// Where more than half of the points are equal, their median deviation is 0; the mean absolute
/// deviation × 1.2533 then takes its place, as Iglewicz and Hoaglin propose.
///
/// ```
/// use bursar_anomaly::{Detector, Observation, RobustZScore};
/// use jiff::{SignedDuration, Timestamp};
///
/// let mut detector = RobustZScore::default();
/// let mut at = Timestamp::UNIX_EPOCH;
/// let mut alarms = 0;
/// // The second spike is as visible as the first, for the first is no part of the baseline.
/// for value in [9.0, 11.0, 10.0].into_iter().cycle().take(14).chain([90.0, 10.0, 90.0]) {
///     alarms += usize::from(detector.observe(Observation::new(at, value)?)?.is_alarm());
///     at += SignedDuration::from_mins(5);
/// }
/// assert_eq!(alarms, 2);
/// # Ok::<(), bursar_anomaly::ObservationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::RobustZScore"))]
pub struct RobustZScore {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: RobustZScoreSettings,
    clock: Clock,
    window: Window,
    guard: Guard,
}

impl RobustZScore {
    /// A detector without a baseline.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: RobustZScoreSettings) -> Result<Self, SettingError> {
        robust::check_count("window", settings.window, (3, 10_000), "from 3 to 10,000")?;
        check_patience(settings.patience, settings.window)?;
        robust::check_threshold("threshold", settings.threshold)?;
        robust::check_share("relative_floor", settings.relative_floor)?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: RobustZScoreSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            settings,
            clock: Clock::default(),
            window: Window::new(settings.window),
            guard: Guard::new(settings.patience),
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &RobustZScoreSettings {
        &self.settings
    }

    fn scale(&self, median: f64) -> f64 {
        let floor = self.settings.relative_floor * median.abs();
        self.window.spread().max(floor)
    }
}

impl Default for RobustZScore {
    fn default() -> Self {
        Self::unchecked(RobustZScoreSettings::default())
    }
}

impl Baseline for RobustZScore {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, _: Timestamp, value: f64) -> Assessment {
        if !self.window.is_full() {
            return not_ready(&self.window);
        }
        let median = self.window.median();
        let scale = self.scale(median);
        Assessment::Scored(robust::judge(value, median, scale, self.settings.threshold))
    }

    fn learn(&mut self, _: Timestamp, value: f64, assessment: &Assessment) {
        let interval = assessment.verdict().map(|verdict| verdict.interval);
        self.guard.learn(&mut self.window, value, interval);
    }
}

impl Detector for RobustZScore {
    fn kind(&self) -> DetectorKind {
        DetectorKind::RobustZScore
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}

fn not_ready(window: &Window) -> Assessment {
    let (have, need) = (window.len(), window.capacity());
    Assessment::NotReady { have, need }
}

fn check_patience(patience: usize, window: usize) -> Result<(), SettingError> {
    robust::check_count("patience", patience, (0, window), "at most the window")
}

#[cfg(feature = "serde")]
mod saved {
    use crate::format::Format;
    use crate::robust::{Clock, DamagedState, Guard, SavedGuard, Window};

    /// The form of both detectors when saved.
    #[derive(serde::Deserialize)]
    pub(super) struct Saved<Settings> {
        #[serde(rename = "format")]
        _format: Format<1>,
        settings: Settings,
        clock: Clock,
        window: Vec<f64>,
        guard: SavedGuard,
    }

    pub(super) type ZScore = Saved<super::ZScoreSettings>;
    pub(super) type RobustZScore = Saved<super::RobustZScoreSettings>;

    impl<Settings> Saved<Settings> {
        fn parts(
            &self,
            window: usize,
            patience: usize,
        ) -> Result<(Clock, Window, Guard), DamagedState> {
            let window = Window::restore(window, &self.window);
            let guard = Guard::restore(patience, &self.guard);
            Ok((
                self.clock,
                window.ok_or(DamagedState::Part("window"))?,
                guard.ok_or(DamagedState::Part("guard"))?,
            ))
        }
    }

    impl TryFrom<ZScore> for super::ZScore {
        type Error = DamagedState;

        fn try_from(saved: ZScore) -> Result<Self, DamagedState> {
            let new = Self::new(saved.settings)?;
            let (clock, window, guard) = saved.parts(new.settings.window, new.settings.patience)?;
            Ok(Self {
                clock,
                window,
                guard,
                ..new
            })
        }
    }

    impl TryFrom<RobustZScore> for super::RobustZScore {
        type Error = DamagedState;

        fn try_from(saved: RobustZScore) -> Result<Self, DamagedState> {
            let new = Self::new(saved.settings)?;
            let (clock, window, guard) = saved.parts(new.settings.window, new.settings.patience)?;
            Ok(Self {
                clock,
                window,
                guard,
                ..new
            })
        }
    }
}
