//! Does this hour or day have what it usually has?
//!
//! Several profiles learn side by side, from one value for all times to one for each hour of the
//! week. The one whose forecasts were best is used: the series itself chooses, and since a forecast
//! is made before its value is known, a profile with more slots than the series has gets no
//! advantage. Days of the month on which charges come, the first and the last three, are learned on
//! top.
//!
//! A value is compared with values of the same kind: feed days' totals or hours' totals, and not
//! both. There is one calendar, the ISO week from Monday to Sunday with Saturday and Sunday as weekend,
//! and one time zone.

mod calendar;
mod month;
#[cfg(feature = "serde")]
mod saved;
mod slots;
#[cfg(feature = "serde")]
mod zone;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::calendar::Profile;
use self::month::Month;
use self::slots::{Pace, Slots};
use crate::robust::{self, Baseline, Clock, MAD_SCALE, SettingError, Streak, Window, bounded};
use crate::{Assessment, Detector, DetectorKind, Interval, Observation, ObservationError, Verdict};

/// How many forecasts the scale is the median error of.
const N_ERRORS: usize = 64;

/// How a [`Seasonal`] learns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SeasonalSettings {
    /// Where days begin and hours count: UTC, as in the bills of cloud providers.
    #[cfg_attr(feature = "serde", serde(with = "zone"))]
    pub time_zone: TimeZone,
    /// How much history counts: 90 days. From 7 to 3,660 days. Slots are exponential means with the
    /// mean age of a window that long, which is half of it; the level follows three times as fast.
    pub memory: SignedDuration,
    /// How many points come before the first verdict: 14, two weeks of days. From 7 to 100,000.
    pub warm_up: usize,
    /// From how many scales of the forecast error on a point is an alarm: 4.
    pub threshold: f64,
    /// A smaller scale than this share of the expected value counts as this share: 0.01.
    pub relative_floor: f64,
    /// How many alarms in a row, on the same side, make a new level: 14. At least 1. Until then, an
    /// error counts as two scales at most; but what comes to one of seven or more slots three times
    /// in a row is learned in full.
    pub patience: usize,
}

impl SeasonalSettings {
    /// For totals of days: the default.
    #[must_use]
    pub fn daily() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            memory: SignedDuration::from_hours(90 * 24),
            warm_up: 14,
            threshold: 4.0,
            relative_floor: 0.01,
            patience: 14,
        }
    }

    /// For totals or means of hours: the warm-up is two weeks, and a day is a new level.
    #[must_use]
    pub fn hourly() -> Self {
        Self {
            warm_up: 14 * 24,
            patience: 24,
            ..Self::daily()
        }
    }
}

impl Default for SeasonalSettings {
    fn default() -> Self {
        Self::daily()
    }
}

/// The deviation from what this hour or day usually has.
///
/// Where a day of the month has never been seen that may have a charge of its own, there is no
/// baseline, and the assessment is [`Assessment::NotReady`].
///
/// ```
/// use bursar_anomaly::{Profile, RegularSeries, Seasonal, assess};
/// use jiff::civil::date;
///
/// // Weekends cost a third. On the last Sunday something was left running: the total is one of a
/// // Friday, and four times that of a Sunday.
/// let noise = [0.0, 0.4, -0.3, 0.1, -0.2];
/// let usual = |day: usize| if day % 7 >= 5 { 10.0 } else { 30.0 };
/// let mut costs: Vec<f64> = (0..70).map(|day| usual(day) + noise[day % 5]).collect();
/// costs[69] = 30.0;
/// let series = RegularSeries::daily(date(2026, 1, 5), costs.into_iter().map(Some).collect())?;
///
/// let mut detector = Seasonal::default();
/// let assessments = assess(&mut detector, series.observations())?;
/// assert_eq!(detector.profile(), Profile::Weekend);
/// let alarms: Vec<usize> = (0..70).filter(|&day| assessments[day].is_alarm()).collect();
/// assert_eq!(alarms, [69]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "saved::Seasonal"))]
pub struct Seasonal {
    #[cfg(feature = "serde")]
    format: crate::format::Format<1>,
    settings: SeasonalSettings,
    clock: Clock,
    last: Option<Timestamp>,
    n_points: usize,
    slots: Vec<Slots>,
    month: Month,
    /// The sizes of the last forecast errors.
    errors: Window,
    streak: Streak,
}

/// What is expected of a moment, before its value is known.
struct Forecast {
    /// Which of the profiles says so.
    profile: usize,
    /// The range of what it and the day of the month expect.
    interval: Interval,
    expected: f64,
    scale: f64,
}

impl Seasonal {
    /// A detector without a baseline.
    ///
    /// # Errors
    /// [`SettingError`] for a setting outside its range.
    pub fn new(settings: SeasonalSettings) -> Result<Self, SettingError> {
        let days = usize::try_from(settings.memory.as_hours() / 24).unwrap_or(0);
        robust::check_count("memory", days, (7, 3_660), "from 7 to 3,660 days")?;
        let (range, allowed) = ((7, 100_000), "from 7 to 100,000");
        robust::check_count("warm_up", settings.warm_up, range, allowed)?;
        robust::check_threshold("threshold", settings.threshold)?;
        robust::check_share("relative_floor", settings.relative_floor)?;
        robust::check_count("patience", settings.patience, (1, usize::MAX), "at least 1")?;
        Ok(Self::unchecked(settings))
    }

    fn unchecked(settings: SeasonalSettings) -> Self {
        Self {
            #[cfg(feature = "serde")]
            format: crate::format::Format,
            settings,
            clock: Clock::default(),
            last: None,
            n_points: 0,
            slots: Profile::ALL.map(Slots::new).to_vec(),
            month: Month::default(),
            errors: Window::new(N_ERRORS),
            streak: Streak::default(),
        }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &SeasonalSettings {
        &self.settings
    }

    /// The profile whose forecasts have been the best.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let best = self.best(|_| true);
        self.slots.get(best).map_or(Profile::Flat, Slots::profile)
    }

    /// The best profile of some. More slots must be worth it: a profile is left for a larger one
    /// only when that errs by 5 % less.
    fn best(&self, is_candidate: impl Fn(&Slots) -> bool) -> usize {
        let mut best = 0;
        for (index, slots) in self.slots.iter().enumerate().skip(1) {
            if is_candidate(slots) && slots.is_better_than(&self.slots[best]) {
                best = index;
            }
        }
        best
    }

    fn forecast(&self, at: Timestamp) -> Forecast {
        let time = self.settings.time_zone.to_datetime(at);
        let profile = self.best(|slots| slots.has_seen(time));
        let usual = self.slots[profile].expected(time);
        let day = self.month_day(at);
        let expected = bounded(usual + day.map_or(0.0, |day| self.month.offset(day)));
        let unsure = day.and_then(|day| self.month.unsure(day));
        let other = bounded(usual + unsure.unwrap_or(expected - usual));
        let interval = Interval {
            low: expected.min(other),
            high: expected.max(other),
        };
        let floor = self.settings.relative_floor * expected.abs();
        let scale = (MAD_SCALE * self.errors.median()).max(floor);
        Forecast {
            profile,
            interval,
            expected,
            scale,
        }
    }

    /// Which of the days with charges of their own it is, in a series of days' totals.
    fn month_day(&self, at: Timestamp) -> Option<usize> {
        let is_daily = self.days_since_last(at) >= 0.5;
        let day = month::day(self.settings.time_zone.to_datetime(at).date())?;
        is_daily.then_some(day)
    }

    fn days_since_last(&self, at: Timestamp) -> f64 {
        let elapsed = self
            .last
            .map_or(SignedDuration::ZERO, |last| at.duration_since(last));
        elapsed.as_secs_f64() / (24.0 * 60.0 * 60.0)
    }

    fn pace(&self, at: Timestamp) -> Pace {
        let memory = self.settings.memory.as_secs_f64() / (24.0 * 60.0 * 60.0);
        Pace::new(self.days_since_last(at), memory)
    }
}

impl Default for Seasonal {
    fn default() -> Self {
        Self::unchecked(SeasonalSettings::default())
    }
}

impl Baseline for Seasonal {
    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn assess(&self, at: Timestamp, value: f64) -> Assessment {
        if self.n_points < self.settings.warm_up {
            let (have, need) = (self.n_points, self.settings.warm_up);
            return Assessment::NotReady { have, need };
        }
        if self.month_day(at).is_some_and(|day| self.month.is_new(day)) {
            return Assessment::NotReady { have: 0, need: 1 };
        }
        let forecast = self.forecast(at);
        Assessment::Scored(forecast.judge(value, self.settings.threshold))
    }

    fn learn(&mut self, at: Timestamp, value: f64, assessment: &Assessment) {
        let time = self.settings.time_zone.to_datetime(at);
        let (forecast, pace, day) = (self.forecast(at), self.pace(at), self.month_day(at));
        let usual = self.slots[forecast.profile].expected(time);
        self.n_points = self.n_points.saturating_add(1);
        self.last = Some(at);
        let value = match day {
            Some(day) => self
                .month
                .learn(day, bounded(value - usual), forecast.scale, usual),
            None => Some(value),
        };
        let Some(value) = value else {
            return;
        };
        self.errors.push(bounded(value - usual).abs());
        self.streak
            .count(assessment.verdict().filter(|verdict| verdict.is_alarm()));
        let is_new_level = self.streak.length() >= self.settings.patience;
        for slots in &mut self.slots {
            slots.learn(time, value, &pace, self.settings.relative_floor);
            if is_new_level {
                slots.shift(time, value);
            }
        }
        if is_new_level {
            self.streak = Streak::default();
        }
    }
}

impl Detector for Seasonal {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Seasonal
    }

    fn observe(&mut self, observation: Observation) -> Result<Assessment, ObservationError> {
        robust::observe(self, observation)
    }
}

impl Forecast {
    /// By how far a value is outside of the range that is expected.
    fn judge(&self, value: f64, threshold: f64) -> Verdict {
        let nearest = value.clamp(self.interval.low, self.interval.high);
        let margin = threshold * self.scale;
        let interval = Interval {
            low: self.interval.low - margin,
            high: self.interval.high + margin,
        };
        Verdict {
            expected: self.expected,
            direction: robust::direction(value - self.expected),
            interval,
            ..robust::judge(value, nearest, self.scale, threshold)
        }
    }
}
