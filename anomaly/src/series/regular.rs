//! Which value has each slot of a series with a fixed step?

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::SeriesError;
use crate::Observation;
use crate::observation::day_start;

/// A value every so often, where some may be missing.
///
/// ```
/// use bursar_anomaly::{Reading, RegularSeries};
/// use jiff::civil::date;
///
/// // The costs of three days; those of the second were never delivered.
/// let series = RegularSeries::daily(date(2026, 11, 1), vec![Some(12.1), None, Some(12.4)])?;
/// let readings: Vec<Reading> = series.observations().map(|point| point.reading()).collect();
/// assert_eq!(readings, [Reading::Final(12.1), Reading::Missing, Reading::Final(12.4)]);
/// # Ok::<(), bursar_anomaly::SeriesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RegularSeries {
    start: Timestamp,
    step: SignedDuration,
    values: Vec<Option<f64>>,
}

impl RegularSeries {
    /// Values from `start` on, one every `step`.
    ///
    /// # Errors
    /// [`SeriesError`] for a value that is not finite, a step that is not positive, and an end
    /// beyond the year 9999.
    pub fn new(
        start: Timestamp,
        step: SignedDuration,
        values: Vec<Option<f64>>,
    ) -> Result<Self, SeriesError> {
        if step <= SignedDuration::ZERO {
            return Err(SeriesError::Step { step });
        }
        let len = values.len();
        let last = time(start, step, len.saturating_sub(1));
        if last.is_none() {
            return Err(SeriesError::TooLong { start, len });
        }
        let series = Self {
            start,
            step,
            values,
        };
        series.check_values()?;
        Ok(series)
    }

    /// Totals of consecutive days, each at its day's first moment in UTC.
    ///
    /// # Errors
    /// As [`RegularSeries::new`].
    pub fn daily(first: Date, totals: Vec<Option<f64>>) -> Result<Self, SeriesError> {
        Self::new(day_start(first), SignedDuration::from_hours(24), totals)
    }

    fn check_values(&self) -> Result<(), SeriesError> {
        let not_finite = |value: &Option<f64>| value.is_some_and(|value| !value.is_finite());
        let Some(index) = self.values.iter().position(not_finite) else {
            return Ok(());
        };
        let value = self.values[index].unwrap_or(f64::NAN);
        let at = self.at(index);
        Err(SeriesError::NotFinite { index, at, value })
    }

    /// The first moment.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The time from one slot to the next.
    #[must_use]
    pub const fn step(&self) -> SignedDuration {
        self.step
    }

    /// The values, one a slot.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// One observation for each slot; an empty one is [`Reading::Missing`](crate::Reading::Missing).
    pub fn observations(&self) -> impl Iterator<Item = Observation> {
        let slots = self.values.iter().enumerate();
        slots.map(|(index, value)| observation(self.at(index), *value))
    }

    fn at(&self, index: usize) -> Timestamp {
        time(self.start, self.step, index).unwrap_or(Timestamp::MAX)
    }
}

fn observation(at: Timestamp, value: Option<f64>) -> Observation {
    let missing = Observation::missing(at);
    value.map_or(missing, |value| {
        Observation::new(at, value).unwrap_or(missing)
    })
}

fn time(start: Timestamp, step: SignedDuration, index: usize) -> Option<Timestamp> {
    let nanos = step.as_nanos().checked_mul(i128::try_from(index).ok()?)?;
    let offset = SignedDuration::try_from_nanos_i128(nanos)?;
    start.checked_add(offset).ok()
}
