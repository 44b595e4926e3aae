//! What was spent on each day of a window, and on which days is that not known?
//!
//! A day without a row is zero only when the source says that the day is closed; otherwise it is
//! missing: left out of every statistic and reported. A day with rows that is not closed yet is
//! open: its amounts count in the total, but half a day is not taken for a whole one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::quotient::quotient;
use crate::{Exact, ExactError, ExactSum};

/// The longest window of one [`DailySeries`]: five years.
///
/// The trend and the forecast compare every day with every other; a longer window is split.
pub const MAX_SERIES_DAYS: u32 = 1_827;

/// Days from `start` up to, not including, `end`; at least one.
///
/// Written `2026-11-01..2026-12-01`; a month, `2026-11`, is read too.
///
/// ```
/// use bursar_cost_model::DateRange;
///
/// let november: DateRange = "2026-11".parse()?;
/// assert_eq!(november.to_string(), "2026-11-01..2026-12-01");
/// assert_eq!(november.day_count(), 30);
/// # Ok::<(), bursar_cost_model::SeriesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateRange {
    start: Date,
    end: Date,
}

impl DateRange {
    /// The days from `start` up to, not including, `end`.
    ///
    /// # Errors
    /// [`SeriesError::EmptyRange`] when `end` is not after `start`.
    pub fn new(start: Date, end: Date) -> Result<DateRange, SeriesError> {
        if start < end {
            Ok(DateRange { start, end })
        } else {
            Err(SeriesError::EmptyRange { start, end })
        }
    }

    /// The whole month in which `date` lies.
    ///
    /// # Errors
    /// [`SeriesError::PastCalendar`] for December 9999, whose end has no date.
    pub fn month_of(date: Date) -> Result<DateRange, SeriesError> {
        let end = date.last_of_month().tomorrow();
        let end = end.map_err(|_| SeriesError::PastCalendar(date))?;
        DateRange::new(date.first_of_month(), end)
    }

    /// The first day.
    #[must_use]
    pub fn start(self) -> Date {
        self.start
    }

    /// The day after the last day.
    #[must_use]
    pub fn end(self) -> Date {
        self.end
    }

    /// The number of days, at least 1.
    #[must_use]
    pub fn day_count(self) -> u32 {
        u32::try_from(days_between(self.start, self.end)).unwrap_or(0)
    }

    /// Whether `date` is one of the days.
    #[must_use]
    pub fn contains(self, date: Date) -> bool {
        self.start <= date && date < self.end
    }

    /// Every day, first to last.
    pub fn days(self) -> impl Iterator<Item = Date> {
        let until = move |day: &Date| *day < self.end;
        std::iter::successors(Some(self.start), |day| day.tomorrow().ok()).take_while(until)
    }

    /// The range cut at the first of every month; the parts are in order and make up the whole.
    pub fn months(self) -> impl Iterator<Item = DateRange> {
        let part = move |start: Date| {
            let end = next_day(start.last_of_month()).min(self.end);
            (start < end).then_some(DateRange { start, end })
        };
        std::iter::successors(part(self.start), move |done| part(done.end))
    }
}

/// The day after, or the same day at the end of the calendar in the year 9999.
fn next_day(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}

/// The number of days from `start` to `end`, negative when `end` is earlier.
pub(crate) fn days_between(start: Date, end: Date) -> i64 {
    end.duration_since(start).as_hours() / 24
}

impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl FromStr for DateRange {
    type Err = SeriesError;

    fn from_str(text: &str) -> Result<DateRange, SeriesError> {
        let bad = || SeriesError::NotARange(text.to_owned());
        // jiff also reads a date out of a date-time; a range has nothing but dates.
        let date = |part: &str| -> Option<Date> {
            let plain = part.len() == 10 && part.is_ascii();
            plain.then(|| part.parse().ok()).flatten()
        };
        match text.split_once("..") {
            Some((start, end)) => {
                DateRange::new(date(start).ok_or_else(bad)?, date(end).ok_or_else(bad)?)
            }
            None => DateRange::month_of(date(&format!("{text}-01")).ok_or_else(bad)?),
        }
    }
}

/// Up to which day the source has closed its books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Closing {
    /// Every day up to and including this one is closed: no row means that nothing was spent.
    /// Later days are open: more may be added to them.
    ClosedThrough(Date),
    /// The source does not say. A day with rows is taken as whole, a day without is missing.
    Unknown,
}

/// Why a series could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// The range has no day.
    #[error("the range {start}..{end} has no day: its end is excluded and must be after its start")]
    EmptyRange {
        /// The first day.
        start: Date,
        /// The day after the last day.
        end: Date,
    },
    /// The text is not a range of dates.
    #[error(
        "`{0}` is not a range of dates (expected `2026-11-01..2026-12-01` or a month, `2026-11`)"
    )]
    NotARange(String),
    /// The month has no end within the calendar.
    #[error("the month of {0} ends after the last date of the calendar: give an earlier one")]
    PastCalendar(Date),
    /// An amount has a date outside the window.
    #[error("{date} is outside the window {window}: filter the amounts by the window first")]
    OutsideWindow {
        /// The date of the amount.
        date: Date,
        /// The window of the series.
        window: DateRange,
    },
    /// The window is longer than [`MAX_SERIES_DAYS`].
    #[error("the window {0} has more than 1827 days: split it")]
    WindowTooLong(DateRange),
    /// A sum cannot be kept.
    #[error(transparent)]
    Amount(#[from] ExactError),
}

/// The totals of one currency by day over a window.
///
/// ```
/// use bursar_cost_model::{Closing, DailySeries};
/// use jiff::civil::date;
///
/// let series = DailySeries::new(
///     "2026-11-01..2026-11-05".parse()?,
///     Closing::ClosedThrough(date(2026, 11, 3)),
///     [
///         (date(2026, 11, 1), "10.10".parse()?),
///         (date(2026, 11, 3), "20.20".parse()?),
///     ],
/// )?;
/// let summary = series.summary(2)?;
/// assert_eq!(summary.total.to_string(), "30.3");
/// // 2 November is closed, so it counts as zero; 4 November is not known.
/// assert_eq!(summary.daily_average.map(|a| a.to_string()), Some("10.10".to_owned()));
/// assert_eq!(series.missing(), [date(2026, 11, 4)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DailySeries {
    window: DateRange,
    closing: Closing,
    complete: BTreeMap<Date, ExactSum>,
    open: BTreeMap<Date, ExactSum>,
    missing: Vec<Date>,
}

impl DailySeries {
    /// The series of `amounts` over `window`; amounts of the same day are added, in any order.
    ///
    /// # Errors
    /// [`SeriesError::OutsideWindow`] for a date outside the window (nothing is dropped in
    /// silence), [`SeriesError::WindowTooLong`], and [`SeriesError::Amount`] when a sum leaves
    /// its range.
    pub fn new(
        window: DateRange,
        closing: Closing,
        amounts: impl IntoIterator<Item = (Date, ExactSum)>,
    ) -> Result<DailySeries, SeriesError> {
        if window.day_count() > MAX_SERIES_DAYS {
            return Err(SeriesError::WindowTooLong(window));
        }
        let mut complete = BTreeMap::<Date, ExactSum>::new();
        for (date, amount) in amounts {
            if !window.contains(date) {
                return Err(SeriesError::OutsideWindow { date, window });
            }
            complete.entry(date).or_default().add_sum(&amount)?;
        }
        let open = match closing {
            Closing::ClosedThrough(last) => complete.split_off(&next_day(last)),
            Closing::Unknown => BTreeMap::new(),
        };
        let mut series = DailySeries {
            window,
            closing,
            complete,
            open,
            missing: Vec::new(),
        };
        series.settle_days_without_rows();
        Ok(series)
    }

    fn settle_days_without_rows(&mut self) {
        for day in self.window.days() {
            let closed = matches!(self.closing, Closing::ClosedThrough(last) if day <= last);
            if closed {
                self.complete.entry(day).or_default();
            } else if !self.complete.contains_key(&day) && !self.open.contains_key(&day) {
                self.missing.push(day);
            }
        }
    }

    /// The window that was asked for.
    #[must_use]
    pub fn window(&self) -> DateRange {
        self.window
    }

    /// Up to which day the source has closed its books.
    #[must_use]
    pub fn closing(&self) -> Closing {
        self.closing
    }

    /// The complete days and their totals, first to last; zeros included where the day is closed.
    #[must_use]
    pub fn days(&self) -> impl ExactSizeIterator<Item = (Date, &ExactSum)> {
        self.complete.iter().map(|(date, cost)| (*date, cost))
    }

    /// The days with amounts to which more may be added, first to last.
    #[must_use]
    pub fn open(&self) -> impl ExactSizeIterator<Item = (Date, &ExactSum)> {
        self.open.iter().map(|(date, cost)| (*date, cost))
    }

    /// The days of which nothing is known.
    #[must_use]
    pub fn missing(&self) -> &[Date] {
        &self.missing
    }

    /// Everything in the window, open days included.
    ///
    /// # Errors
    /// [`SeriesError::Amount`] when the sum leaves its range.
    pub fn total(&self) -> Result<ExactSum, SeriesError> {
        Ok(total(self.days().chain(self.open()).map(|(_, cost)| cost))?)
    }

    /// Total, average, median, volatility and peak; amounts are rounded half to even to `places`
    /// (at most 28).
    ///
    /// # Errors
    /// [`SeriesError::Amount`] when a sum leaves its range.
    pub fn summary(&self, places: u32) -> Result<SeriesSummary, SeriesError> {
        let complete_total = total(self.complete.values())?;
        let values: Vec<f64> = self.complete.values().map(ExactSum::to_f64).collect();
        let mean = mean(&values);
        let volatility = sample_standard_deviation(&values);
        let relative = |deviation: f64| mean.filter(|m| *m != 0.0).map(|m| deviation / m.abs());
        Ok(SeriesSummary {
            total: self.total()?,
            complete_days: values.len(),
            open_days: self.open.keys().copied().collect(),
            missing_days: self.missing.clone(),
            daily_average: quotient(&complete_total, Exact::from(values.len() as i64), places),
            mean,
            median: self.median(places)?,
            volatility,
            relative_volatility: volatility.and_then(relative),
            peak: self.peak(),
            complete_total,
        })
    }

    /// The earliest of the dearest days.
    fn peak(&self) -> Option<PeakDay> {
        let best = self
            .days()
            .reduce(|best, day| if day.1 > best.1 { day } else { best })?;
        Some(PeakDay {
            date: best.0,
            cost: best.1.clone(),
        })
    }

    fn median(&self, places: u32) -> Result<Option<Decimal>, SeriesError> {
        let mut sorted: Vec<&ExactSum> = self.complete.values().collect();
        sorted.sort();
        let Some(last) = sorted.len().checked_sub(1) else {
            return Ok(None);
        };
        let mut middle = sorted[last / 2].clone();
        middle.add_sum(sorted[last.div_ceil(2)])?;
        Ok(quotient(&middle, Exact::from(2), places))
    }
}

/// What a [`DailySeries`] says in a few figures.
///
/// All but `total` speak of the complete days only.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SeriesSummary {
    /// Everything in the window, open days included.
    pub total: ExactSum,
    /// What the complete days cost together.
    pub complete_total: ExactSum,
    /// How many days are complete.
    pub complete_days: usize,
    /// Days with amounts to which more may be added.
    pub open_days: Vec<Date>,
    /// Days of which nothing is known.
    pub missing_days: Vec<Date>,
    /// `complete_total` ÷ `complete_days`, rounded; `None` without a complete day.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str_option"))]
    pub daily_average: Option<Decimal>,
    /// The daily average as a statistic, for ratios.
    pub mean: Option<f64>,
    /// The middle of the daily totals in order, or the average of the two in the middle, rounded.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str_option"))]
    pub median: Option<Decimal>,
    /// The sample standard deviation of the daily totals, √(Σ(y − ȳ)² ÷ (n − 1)), in units of
    /// the currency; `None` below two days.
    pub volatility: Option<f64>,
    /// `volatility` ÷ |`mean`|, the coefficient of variation; `None` when the mean is zero.
    pub relative_volatility: Option<f64>,
    /// The day that cost most, the earliest when there are several.
    pub peak: Option<PeakDay>,
}

/// The dearest day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PeakDay {
    /// Which day.
    pub date: Date,
    /// What it cost.
    pub cost: ExactSum,
}

pub(crate) fn total<'a>(
    amounts: impl IntoIterator<Item = &'a ExactSum>,
) -> Result<ExactSum, ExactError> {
    let mut sum = ExactSum::default();
    for amount in amounts {
        sum.add_sum(amount)?;
    }
    Ok(sum)
}

pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Two passes, so that a large mean does not cancel the deviations.
fn sample_standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(feature = "serde")]
mod serde_impls {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    use super::DateRange;

    impl Serialize for DateRange {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for DateRange {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DateRange, D::Error> {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        }
    }
}
