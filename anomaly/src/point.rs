//! Is this point of a metric usual, asked of ten thousand metrics at once?

mod course;
mod rarity;
#[cfg(feature = "serde")]
mod saved;
mod week;

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;

use self::course::{Course, N_FIRST};
use self::rarity::Rarity;
use self::week::Hours;
use crate::{
    Assessment, Detector, DetectorKind, Direction, Interval, Observation, ObservationError,
    Reading, Verdict, score,
};

/// The fast layer for metrics: a robust level, the pattern of the week, and alarms within a budget.
///
/// It runs on thousands of series at once: no allocation a point, 1.1 kilobytes a series (2.5 with
/// [`WeekProfile::HourOfWeek`]). There is nothing to tune but how many false alarms are wanted.
///
/// ```
/// use bursar_anomaly::{Detector, Observation, PointDetector, PointSettings};
/// use jiff::{Timestamp, ToSpan};
///
/// let mut detector = PointDetector::new(PointSettings::default());
/// let mut at: Timestamp = "2026-11-23T00:00:00Z".parse()?;
/// for number in 0..2000 {
///     let load = 40.0 + 3.0 * f64::from(number * 7 % 11);
///     assert!(!detector.observe(Observation::new(at, load)?)?.is_alarm());
///     at += 5.minutes();
/// }
/// let assessment = detector.observe(Observation::new(at, 400.0)?)?;
/// let verdict = assessment.verdict().ok_or("it has a baseline")?;
/// assert!(verdict.is_alarm());
/// assert!((50.0..60.0).contains(&verdict.expected));
/// assert!(verdict.interval.high < 200.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # How a point is judged
/// 1. It is compared with what is expected: a level that an anomaly cannot drag along, what this hour
///    of the week usually adds (once that has proved to help), and what is left of the last deviation
///    (in series where deviations last).
/// 2. The residual is divided by the scale of the residuals before it.
/// 3. The result is ranked among those of the past: its p-value is the share of them that were as
///    large or larger, and beyond the largest a power law. The score is
///    [`score`](fn@score)(−log₁₀ p, −log₁₀ budget).
///
/// The third step is why the alarms keep to the [`AlarmBudget`] whatever the noise. It takes about one
/// point for each in the budget (one in 10 000: 10 000 points) until ranks alone decide; before that
/// the power law does, which for noise without heavy tails gives fewer alarms than the budget.
///
/// # What it learns
/// Every final value, at once and after it was judged. A value that strays counts as three scales, and
/// in the ranks as an alarm of moderate size. Twelve points in a row outside four scales are no
/// anomaly any more: if they lie on one side there is a new level, else a wider scale. A partial value
/// is judged for excess alone and not learned; the final one for the same moment can follow it.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(try_from = "saved::Saved", into = "saved::Saved")
)]
pub struct PointDetector {
    last: Option<Timestamp>,
    offset_seconds: i32,
    /// Seconds between the last two points; 0 before there are two.
    interval: u32,
    settings: PointSettings,
    n_first: u8,
    course: Course,
    /// What each hour adds; before there is a level, the first values.
    hours: Hours,
    rarity: Rarity,
}

/// How many sizes of residuals must have been seen before one is judged.
const N_RANKED: u32 = 48;
/// How often conclusions are drawn from what changes slowly, in points.
const CONCLUDED_EVERY: u32 = 16;
/// A step of time this many times longer than the one before it is a gap.
const GAP: u32 = 2;

impl PointDetector {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(settings: PointSettings) -> Self {
        Self {
            last: None,
            offset_seconds: settings.offset.seconds(),
            interval: 0,
            settings,
            n_first: 0,
            course: Course::default(),
            hours: Hours::new(settings.profile),
            rarity: Rarity::new(settings.alarm_budget),
        }
    }

    /// What it was made with.
    #[must_use]
    pub const fn settings(&self) -> PointSettings {
        self.settings
    }

    /// The bytes it takes in memory, all told.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of_val(self) + self.hours.far_bytes()
    }

    fn is_new(&self, at: Timestamp) -> Result<(), ObservationError> {
        match self.last {
            Some(last) if at <= last => Err(ObservationError::OutOfOrder { at, last }),
            _ => Ok(()),
        }
    }

    /// Moves time forward; forgets the last deviation if points are missing in between.
    #[inline]
    fn advance(&mut self, at: Timestamp) {
        if let Some(last) = self.last {
            let elapsed = (at.as_second() - last.as_second()).max(1);
            let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
            let longest = match self.interval {
                0 => elapsed,
                interval => interval.saturating_mul(GAP),
            };
            if elapsed > longest {
                self.course.interrupt();
            }
            self.interval = elapsed.min(longest);
        }
        self.last = Some(at);
    }

    #[cold]
    fn learn_first(&mut self, value: f64) {
        self.hours.values_mut()[usize::from(self.n_first)] = value;
        self.n_first += 1;
        if usize::from(self.n_first) < N_FIRST {
            return;
        }
        let mut values = [0.0; N_FIRST];
        values.copy_from_slice(&self.hours.values()[..N_FIRST]);
        self.course = Course::begin(&mut values);
        self.hours.values_mut().fill(0.0);
    }

    #[inline]
    fn not_ready(&self) -> Option<Assessment> {
        let n_ranked = self.rarity.total();
        (n_ranked < N_RANKED).then(|| Assessment::NotReady {
            have: usize::from(self.n_first) + n_ranked as usize,
            need: N_FIRST + N_RANKED as usize,
        })
    }

    #[inline]
    fn step(&mut self, at: Timestamp, value: f64, learning: Learning) -> Assessment {
        let is_final = learning == Learning::Learn;
        if usize::from(self.n_first) < N_FIRST {
            let assessment = self.not_ready();
            if is_final {
                self.advance(at);
                self.learn_first(value);
            }
            return assessment.unwrap_or(Assessment::Missing);
        }
        if is_final {
            self.advance(at);
        }
        let local_second = at.as_second() + i64::from(self.offset_seconds);
        let moment = self.settings.profile.moment(local_second);
        let expectation = self.course.expect(moment.value(self.hours.values()));
        let residual = value - expectation.value;
        let size = match learning {
            Learning::Excess if residual <= 0.0 => 0.0,
            _ => self.course.size(value, residual),
        };
        let evidence = self.rarity.evidence(size);
        let width = self.course.distance(value, self.rarity.alarm_size());
        let assessment = self.not_ready().unwrap_or_else(|| {
            Assessment::Scored(Verdict {
                score: score(evidence, self.rarity.threshold()),
                direction: if residual < 0.0 {
                    Direction::Fall
                } else {
                    Direction::Rise
                },
                actual: value,
                expected: expectation.value,
                interval: Interval::around(expectation.value, width),
            })
        });
        if is_final {
            let remainder = self.course.learn(value, &expectation, size);
            if self.settings.profile != WeekProfile::Off {
                moment.learn(self.hours.values_mut(), remainder, self.interval);
            }
            self.rarity.learn(size);
            if self.rarity.total().is_multiple_of(CONCLUDED_EVERY) {
                self.course.conclude();
            }
        }
        assessment
    }
}

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learning {
    /// Judged in both directions, and learned.
    Learn,
    /// Judged for excess, and not learned.
    Excess,
}

impl Detector for PointDetector {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Point
    }

    #[inline]
    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        let at = observation.at();
        self.is_new(at)?;
        Ok(match observation.reading() {
            Reading::Final(value) => self.step(at, value, Learning::Learn),
            Reading::Partial(value) => self.step(at, value, Learning::Excess),
            Reading::Missing => {
                self.advance(at);
                self.course.interrupt();
                Assessment::Missing
            }
        })
    }
}

impl fmt::Debug for PointDetector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PointDetector")
            .field("settings", &self.settings)
            .field("last", &self.last)
            .field("course", &self.course)
            .finish_non_exhaustive()
    }
}

/// What a [`PointDetector`] is made with. The default suits any metric.
///
/// ```
/// use bursar_anomaly::{AlarmBudget, PointSettings, WeekProfile};
/// use jiff::tz::Offset;
///
/// let settings = PointSettings::default()
///     .alarm_budget(AlarmBudget::one_in(2_000)?)
///     .profile(WeekProfile::HourOfWeek)
///     .offset(Offset::constant(8));
/// # Ok::<(), bursar_anomaly::AlarmBudgetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointSettings {
    alarm_budget: AlarmBudget,
    profile: WeekProfile,
    #[cfg_attr(feature = "serde", serde(with = "saved::offset"))]
    offset: Offset,
}

impl Default for PointSettings {
    /// One false alarm in 10 000 points, hours of workdays and weekends apart, UTC.
    fn default() -> Self {
        Self {
            alarm_budget: AlarmBudget::default(),
            profile: WeekProfile::default(),
            offset: Offset::UTC,
        }
    }
}

impl PointSettings {
    /// How many false alarms are wanted.
    #[must_use]
    pub const fn alarm_budget(mut self, alarm_budget: AlarmBudget) -> Self {
        self.alarm_budget = alarm_budget;
        self
    }

    /// Which hours may differ from each other.
    #[must_use]
    pub const fn profile(mut self, profile: WeekProfile) -> Self {
        self.profile = profile;
        self
    }

    /// The offset from UTC in which hours and weekends are counted. It is fixed, so that a point costs
    /// no search in a table of time zones; where clocks change, a pattern of local hours moves by an
    /// hour and is learned anew within days.
    #[must_use]
    pub const fn offset(mut self, offset: Offset) -> Self {
        self.offset = offset;
        self
    }
}

/// Which hours of a week a series may differ between.
///
/// Whether they do is learned: a pattern counts only as far as it has made residuals smaller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum WeekProfile {
    /// None.
    Off,
    /// The 24 hours of a day.
    HourOfDay,
    /// The hours of workdays and those of Saturday and Sunday: learned within days.
    #[default]
    WorkweekAndWeekend,
    /// The 168 hours of a week: learned within weeks, and a kilobyte more.
    HourOfWeek,
}

/// How many false alarms are wanted: one in so many points of a series, on average.
///
/// For points every five minutes, one in 10 000 is one in five weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u32", into = "u32"))]
pub struct AlarmBudget {
    one_in: u32,
}

/// The budget cannot be kept: an alarm in fewer than 10 points is not one, and for fewer than one in
/// 100 000 a series would be years old before its ranks could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an alarm budget of one in {0} points: choose from one in 10 to one in 100000")]
pub struct AlarmBudgetError(u32);

impl AlarmBudget {
    /// One false alarm in so many points, from 10 to 100 000.
    ///
    /// # Errors
    /// When the number is out of that range.
    pub const fn one_in(points: u32) -> Result<Self, AlarmBudgetError> {
        match points {
            10..=100_000 => Ok(Self { one_in: points }),
            _ => Err(AlarmBudgetError(points)),
        }
    }

    /// The share of points that may be false alarms.
    #[must_use]
    pub fn share(self) -> f64 {
        f64::from(self.one_in).recip()
    }
}

impl Default for AlarmBudget {
    /// One in 10 000.
    fn default() -> Self {
        Self { one_in: 10_000 }
    }
}

impl TryFrom<u32> for AlarmBudget {
    type Error = AlarmBudgetError;

    fn try_from(points: u32) -> Result<Self, AlarmBudgetError> {
        Self::one_in(points)
    }
}

impl From<AlarmBudget> for u32 {
    fn from(budget: AlarmBudget) -> Self {
        budget.one_in
    }
}
