//! The port: one point in, one score out.

use std::fmt;

use crate::{Observation, ObservationError};

/// Judges the points of one series as they come.
///
/// # The contract
/// - **Judge, then learn.** A point is judged by a baseline that does not contain it, so a score
///   depends on earlier points only, and an extreme value cannot lower its own score.
/// - **No opinion without a baseline.** Until it has seen enough, a detector answers
///   [`Assessment::NotReady`] with how much it has and needs.
/// - **Time goes forward.** An observation that is not newer than the last is refused and changes
///   nothing. A gap or a missing value is no evidence.
/// - **The score is comparable.** 0.5 is the alarm line of every detector, see [`Verdict::score`].
/// - **State is the value itself.** With the feature `serde` a detector can be saved in the middle
///   of a series and goes on bit for bit the same; a saved state names its format's version.
///
/// `bursar_anomaly::conformance` (feature `conformance`) checks these for any implementation.
pub trait Detector: fmt::Debug + Send + Sync {
    /// Which detector this is.
    fn kind(&self) -> DetectorKind;

    /// Judges an observation by the ones before it, then learns from it.
    ///
    /// # Errors
    /// [`ObservationError::OutOfOrder`] when it is not newer than the last; the detector is then as
    /// it was.
    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError>;
}

/// The detectors of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum DetectorKind {
    /// Deviation from the mean of the last points, in standard deviations.
    ZScore,
    /// Deviation from the median of the last points, in scaled median absolute deviations.
    RobustZScore,
    /// A short mean against the longer one before it.
    MovingAverage,
    /// Deviation from what this hour or day usually has.
    Seasonal,
    /// A change that stays.
    LevelShift,
    /// A slow drift.
    SlowLeak,
    /// Deviation from trend plus seasonalities.
    Decomposition,
    /// The fast layer for metrics: level, profile and calibration.
    Point,
    /// The default for metrics.
    Metric,
    /// The default for daily costs.
    DailyCost,
}

impl DetectorKind {
    /// Its name in words, as it stands in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZScore => "z-score",
            Self::RobustZScore => "robust z-score",
            Self::MovingAverage => "moving average",
            Self::Seasonal => "seasonal profile",
            Self::LevelShift => "level shift",
            Self::SlowLeak => "slow leak",
            Self::Decomposition => "decomposition",
            Self::Point => "point layer",
            Self::Metric => "metric ensemble",
            Self::DailyCost => "daily costs",
        }
    }
}

impl fmt::Display for DetectorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a detector says of one observation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
#[must_use]
pub enum Assessment {
    /// There is no baseline yet, so there is no opinion.
    NotReady {
        /// How many points it has.
        have: usize,
        /// How many it needs before it judges one.
        need: usize,
    },
    /// The observation has no value, so there is nothing to judge.
    Missing,
    /// The point was judged.
    Scored(Verdict),
}

impl Assessment {
    /// The verdict, where there is one.
    #[inline]
    #[must_use]
    pub const fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Scored(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// The score; 0 where nothing was judged.
    #[inline]
    #[must_use]
    pub fn score(&self) -> f64 {
        self.verdict().map_or(0.0, |verdict| verdict.score)
    }

    /// Whether the point is over the detector's alarm line.
    #[inline]
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.verdict().is_some_and(Verdict::is_alarm)
    }
}

/// How unusual a point is, and what would have been usual.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Verdict {
    /// How unusual, from 0 to 1 ([`score`](fn@score)): 0.5 is the alarm line, and more evidence is a
    /// higher score at any size.
    pub score: f64,
    /// In which way it is unusual.
    pub direction: Direction,
    /// What was observed.
    pub actual: f64,
    /// What the baseline expected.
    pub expected: f64,
    /// Where the value alone would raise no alarm; of [`MetricDetector`](crate::MetricDetector), which also
    /// judges the course of values, where the level usually lies.
    pub interval: Interval,
}

impl Verdict {
    /// Whether the point is over the detector's alarm line.
    #[inline]
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.score >= ALARM_LINE
    }
}

/// The score from which on a point is an alarm, of every detector.
pub const ALARM_LINE: f64 = 0.5;

/// The score of evidence whose alarm line is `threshold`, both from 0 upward: e ÷ (e + threshold).
///
/// It is 0 without evidence, 0.5 at the threshold, and rises towards 1 without ever losing the order
/// of two pieces of evidence that a float can tell apart below 10¹⁵ thresholds.
///
/// ```
/// assert_eq!(bursar_anomaly::score(0.0, 3.0), 0.0);
/// assert_eq!(bursar_anomaly::score(3.0, 3.0), 0.5);
/// assert_eq!(bursar_anomaly::score(9.0, 3.0), 0.75);
/// ```
#[inline]
#[must_use]
pub fn score(evidence: f64, threshold: f64) -> f64 {
    if evidence <= 0.0 || evidence.is_nan() {
        return 0.0;
    }
    if evidence.is_infinite() {
        return 1.0;
    }
    evidence / (evidence + threshold)
}

/// In which way a point is unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Direction {
    /// It is more than expected.
    Rise,
    /// It is less than expected.
    Fall,
    /// The value alone is usual; its course is not.
    Pattern,
}

/// From `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The interval of this half width around a value.
    #[inline]
    #[must_use]
    pub fn around(center: f64, half_width: f64) -> Self {
        let (low, high) = (center - half_width, center + half_width);
        Self { low, high }
    }

    /// Whether a value lies in it.
    #[inline]
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}
