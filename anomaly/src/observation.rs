//! What was measured, and when?

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The largest magnitude that detectors tell apart: what lies further from zero is judged as if it
/// were this. Squares and sums of such values stay finite, and no measurement of a cost or a
/// machine comes near it.
pub const LARGEST_VALUE: f64 = 1e150;

/// Why a value cannot be observed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObservationError {
    /// The value is not a number, or infinite.
    #[error("the value at {at} is {value}: pass a finite number, or a missing observation")]
    NotFinite {
        /// When it was measured.
        at: Timestamp,
        /// The value: NaN or an infinity.
        value: f64,
    },
    /// The observation is older than the last one, or as old: a detector reads its series once,
    /// forward.
    #[error(
        "the observation of {at} comes after that of {last}: bring late points into order first"
    )]
    OutOfOrder {
        /// When it was measured.
        at: Timestamp,
        /// When the last one was measured that the detector has learned from.
        last: Timestamp,
    },
}

/// What is known of one moment of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reading {
    /// The value, which will not change.
    Final(f64),
    /// A value that can still grow, such as the cost of a day that is not over: too much is too
    /// much already, too little says nothing.
    Partial(f64),
    /// Nothing was delivered. That is not zero.
    Missing,
}

/// One point of a series: a moment and what is known of it.
///
/// The value is finite because the observation exists.
///
/// ```
/// use bursar_anomaly::{Observation, Reading};
/// use jiff::civil::date;
///
/// let at = "2026-11-20T12:00:00Z".parse()?;
/// assert_eq!(Observation::new(at, 0.42)?.reading(), Reading::Final(0.42));
/// assert_eq!(
///     Observation::new(at, f64::NAN).unwrap_err().to_string(),
///     "the value at 2026-11-20T12:00:00Z is NaN: pass a finite number, or a missing observation",
/// );
/// // A day's total stands at the day's first moment in UTC.
/// assert_eq!(Observation::of_day(date(2026, 11, 20), 47.82)?.at(), "2026-11-20T00:00:00Z".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    at: Timestamp,
    reading: Reading,
}

impl Observation {
    /// A value that is final.
    ///
    /// # Errors
    /// [`ObservationError::NotFinite`] for NaN and infinities.
    #[inline]
    pub fn new(at: Timestamp, value: f64) -> Result<Self, ObservationError> {
        let reading = Reading::Final(finite(at, value)?);
        Ok(Self { at, reading })
    }

    /// A value that can still grow.
    ///
    /// # Errors
    /// [`ObservationError::NotFinite`] for NaN and infinities.
    #[inline]
    pub fn partial(at: Timestamp, value: f64) -> Result<Self, ObservationError> {
        let reading = Reading::Partial(finite(at, value)?);
        Ok(Self { at, reading })
    }

    /// A moment for which nothing was delivered.
    #[inline]
    #[must_use]
    pub const fn missing(at: Timestamp) -> Self {
        let reading = Reading::Missing;
        Self { at, reading }
    }

    /// The total of a day, as final value at its first moment in UTC.
    ///
    /// # Errors
    /// [`ObservationError::NotFinite`] for NaN and infinities.
    pub fn of_day(date: Date, value: f64) -> Result<Self, ObservationError> {
        Self::new(day_start(date), value)
    }

    /// When it was measured.
    #[inline]
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What is known.
    #[inline]
    #[must_use]
    pub const fn reading(&self) -> Reading {
        self.reading
    }
}

fn finite(at: Timestamp, value: f64) -> Result<f64, ObservationError> {
    if value.is_finite() {
        return Ok(value.clamp(-LARGEST_VALUE, LARGEST_VALUE));
    }
    Err(ObservationError::NotFinite { at, value })
}

/// The first moment of a day in UTC; the last day that a timestamp reaches stands for later ones.
pub(crate) fn day_start(date: Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC)
        .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}
