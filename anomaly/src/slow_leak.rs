//! Does the level drift, too slowly for any single point to show it?
//!
//! The last points are cut into blocks, a block is its median, and through the medians goes the line
//! of Theil and Sen: the median of the slopes of all pairs (Sen 1968, *Estimates of the regression
//! coefficient based on Kendall's tau*). Its slope is measured in standard errors, whose scale is the
//! mean distance of the medians from the line. Spikes change neither; a season of a block's length
//! is in every block alike.

use jiff::Timestamp;

use crate::robust::{self, Baseline, Clock, SettingError, Window, median};
use crate::{Assessment, Detector, DetectorKind, Observation, ObservationError};

/// The most points of a block and the most blocks: what is sorted for each point lies on the stack.
const LARGEST_BLOCK: usize = 64;
const MOST_BLOCKS: usize = 24;
const MOST_PAIRS: usize = MOST_BLOCKS * (MOST_BLOCKS - 1) / 2;

/// Over how long a drift is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlowLeakSettings {
    /// How many points make a block: 7, a week of days. From 1 to 64.
    pub block: usize,
    /// How many blocks are looked back: 12. From 6 to 24.
    pub blocks: usize,
    /// From how many standard errors of the slope on a drift is an alarm: 7.
    pub threshold: f64,
    /// A smaller spread of the blocks than this share of their level counts as this share: 0.005.
    pub relative_floor: f64,
    /// After how many alarms the drift is known, and looked for anew from here: 28. At least 1.
    pub patience: usize,
}

impl Default for SlowLeakSettings {
    fn default() -> Self {
        Self {
            block: 7,
            blocks: 12,
            threshold: 7.0,
            relative_floor: 0.005,
            patience: 28,
        }
    }
}

/// A slow drift.
///
/// On daily noise without any drift it raises 0.006 alarms a year when the noise is white, and 0.026
/// when each day has half of the day before (600 series-years each, on seeds that no setting was
/// chosen by, `tests/it/level_shift.rs`). A drift must come to three standard deviations in the 84
/// days to be an alarm, and a steady growth is one about every four months.
///
/// ```
/// use bursar_anomaly::{RegularSeries, SlowLeak, assess};
/// use jiff::civil::date;
///
/// // A third of a percent a day, under a noise of two percent.
/// let noise = [0.0, 0.4, -0.3, 0.1, -0.2, 0.3];
/// let leak = |day: usize| 0.06 * day.saturating_sub(60) as f64;
/// let costs = (0..150).map(|day| Some(20.0 + leak(day) + noise[day % 6])).collect();
/// let series = RegularSeries::daily(date(2026, 1, 1), costs)?;
/// let assessments = assess(&mut SlowLeak::default(), series.observations())?;
/// let first = assessments.iter().position(|assessment| assessment.is_alarm());
/// assert!(first.is_some_and(|day| (90..130).contains(&day)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::SlowLeak"))]
pub struct SlowLeak {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: SlowLeakSettings,
    clock: Clock,
    window: Window,
    alarms: usize,
}

impl SlowLeak {
    /// A detector without a past.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: SlowLeakSettings) -> Result<Self, SettingError> {
        let (most, allowed) = ((1, LARGEST_BLOCK), "from 1 to 64");
        robust::check_count("block", settings.block, most, allowed)?;
        let (most, allowed) = ((6, MOST_BLOCKS), "from 6 to 24");
        robust::check_count("blocks", settings.blocks, most, allowed)?;
        robust::check_threshold("threshold", settings.threshold)?;
        robust::check_share("relative_floor", settings.relative_floor)?;
        robust::check_count("patience", settings.patience, (1, usize::MAX), "at least 1")?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: SlowLeakSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            settings,
            clock: Clock::default(),
            window: Window::new(settings.block * settings.blocks - 1),
            alarms: 0,
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &SlowLeakSettings {
        &self.settings
    }

    fn blocks(&self, value: f64) -> Blocks {
        let mut blocks = Blocks::default();
        let mut block = [0.0; LARGEST_BLOCK];
        let points = self.window.iter().chain([value]).enumerate();
        for (index, point) in points {
            let place = index % self.settings.block;
            block[place] = point;
            if place + 1 == self.settings.block {
                blocks.push(median(&mut block[..=place]));
            }
        }
        blocks
    }
}

impl Default for SlowLeak {
    fn default() -> Self {
        Self::unchecked(SlowLeakSettings::default())
    }
}

impl Baseline for SlowLeak {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, _: Timestamp, value: f64) -> Assessment {
        if !self.window.is_full() {
            let (have, need) = (self.window.len() + 1, self.window.capacity() + 1);
            return Assessment::NotReady { have, need };
        }
        let blocks = self.blocks(value);
        let start = blocks.start();
        let slope = blocks.slope();
        let floor = self.settings.relative_floor * start.abs();
        let spread = blocks.spread(slope).max(floor);
        let span = (blocks.len - 1) as f64;
        let scale = span * spread / blocks.leverage();
        let now = start + span * slope;
        Assessment::Scored(robust::judge(now, start, scale, self.settings.threshold))
    }

    fn learn(&mut self, _: Timestamp, value: f64, assessment: &Assessment) {
        self.window.push(value);
        self.alarms += usize::from(assessment.is_alarm());
        if self.alarms >= self.settings.patience {
            self.window.clear();
            self.alarms = 0;
        }
    }
}

impl Detector for SlowLeak {
    fn kind(&self) -> DetectorKind {
        DetectorKind::SlowLeak
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}

/// The medians of the blocks, oldest first.
#[derive(Debug, Default)]
struct Blocks {
    medians: [f64; MOST_BLOCKS],
    len: usize,
}

impl Blocks {
    fn push(&mut self, median: f64) {
        if let Some(slot) = self.medians.get_mut(self.len) {
            *slot = median;
            self.len += 1;
        }
    }

    fn medians(&self) -> &[f64] {
        &self.medians[..self.len]
    }

    /// The level of the oldest third.
    fn start(&self) -> f64 {
        let mut oldest = self.medians;
        median(&mut oldest[..self.len / 3])
    }

    /// The median slope of all pairs, a block.
    fn slope(&self) -> f64 {
        let mut slopes = [0.0; MOST_PAIRS];
        let mut n_slopes = 0;
        for (from, left) in self.medians().iter().enumerate() {
            for (distance, right) in (1u8..).zip(&self.medians()[from + 1..]) {
                slopes[n_slopes] = (right - left) / f64::from(distance);
                n_slopes += 1;
            }
        }
        median(&mut slopes[..n_slopes])
    }

    /// The standard deviation of the medians about the line, from their mean distance; two of them
    /// went into the line.
    fn spread(&self, slope: f64) -> f64 {
        let mut residuals = [0.0; MOST_BLOCKS];
        let medians = self.medians().iter().enumerate();
        for (slot, (index, median)) in residuals.iter_mut().zip(medians) {
            *slot = median - slope * index as f64;
        }
        let residuals = &mut residuals[..self.len];
        let center = median(residuals);
        let sum: f64 = residuals
            .iter()
            .map(|residual| (residual - center).abs())
            .sum();
        let degrees_of_freedom = (self.len - 2) as f64;
        (std::f64::consts::PI / 2.0).sqrt() * sum / degrees_of_freedom
    }

    /// The square root of the sum of squares of the blocks' places about their mean: a slope's
    /// standard error is the spread divided by it.
    fn leverage(&self) -> f64 {
        let len = self.len as f64;
        (len * (len * len - 1.0) / 12.0).sqrt()
    }
}

#[cfg(feature = "serde")]
mod saved {
    use crate::format::Format;
    use crate::robust::{Clock, DamagedState, Window};

    #[derive(serde::Deserialize)]
    pub(super) struct SlowLeak {
        #[serde(rename = "format")]
        _format: Format<1>,
        settings: super::SlowLeakSettings,
        clock: Clock,
        window: Vec<f64>,
        alarms: usize,
    }

    impl TryFrom<SlowLeak> for super::SlowLeak {
        type Error = DamagedState;

        fn try_from(saved: SlowLeak) -> Result<Self, DamagedState> {
            let new = Self::new(saved.settings)?;
            let window = Window::restore(new.window.capacity(), &saved.window);
            if saved.alarms >= saved.settings.patience {
                return Err(DamagedState::Part("alarms"));
            }
            Ok(Self {
                clock: saved.clock,
                window: window.ok_or(DamagedState::Part("window"))?,
                alarms: saved.alarms,
                ..new
            })
        }
    }
}
