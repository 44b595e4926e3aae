//! What are the points of a series, and where are some missing?
//!
//! A [`RegularSeries`] has one slot every so often, and a slot may be empty. An [`IrregularSeries`]
//! has points whenever they came, and knows where they stopped coming. Both exist only with finite
//! values in the order of time. A stream in which some points are late goes through a [`Reorder`]
//! first.

mod irregular;
mod regular;
mod reorder;

use jiff::{SignedDuration, Timestamp};

pub use irregular::{Gap, IrregularSeries};
pub use regular::RegularSeries;
pub use reorder::{Arrival, Reorder, ReorderError};

use crate::{Assessment, Detector, Observation, ObservationError};

/// Judges every point of a series, as if it were observed point by point.
///
/// ```
/// use bursar_anomaly::{RegularSeries, ZScore, assess};
/// use jiff::civil::date;
///
/// let costs = [12.1, 13.0, 12.4, 12.9, 12.2, 13.2, 12.75, 12.6, 47.82].map(Some);
/// let series = RegularSeries::daily(date(2026, 11, 1), costs.to_vec())?;
/// let assessments = assess(&mut ZScore::default(), series.observations())?;
///
/// let alarms: Vec<bool> = assessments.iter().map(|assessment| assessment.is_alarm()).collect();
/// assert_eq!(alarms, [false, false, false, false, false, false, false, false, true]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ObservationError::OutOfOrder`] when the detector has already seen a later point. The points
/// before it have then been learned.
pub fn assess<D: Detector + ?Sized>(
    detector: &mut D,
    observations: impl IntoIterator<Item = Observation>,
) -> Result<Vec<Assessment>, ObservationError> {
    let observations = observations.into_iter();
    observations
        .map(|observation| detector.observe(observation))
        .collect()
}

/// Why points are no series.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// A value is not a number, or infinite.
    #[error("point {index}, of {at}, is {value}: leave it out, or leave its slot empty")]
    NotFinite {
        /// Its place, from 0.
        index: usize,
        /// Its time.
        at: Timestamp,
        /// Its value: NaN or an infinity.
        value: f64,
    },
    /// Two points are of the same moment.
    #[error("point {index} is the second one of {at}: keep one of the two")]
    Duplicate {
        /// The place of the second one, from 0.
        index: usize,
        /// The time of both.
        at: Timestamp,
    },
    /// A point is older than the one before it.
    #[error("point {index}, of {at}, comes after that of {last}: sort the points by time")]
    Backward {
        /// Its place, from 0.
        index: usize,
        /// Its time.
        at: Timestamp,
        /// The time of the point before it.
        last: Timestamp,
    },
    /// The step of a regular series is zero or negative.
    #[error("the step between points is {step:#}: it must be positive")]
    Step {
        /// The step.
        step: SignedDuration,
    },
    /// A regular series would end after the last moment that a timestamp can be.
    #[error("{len} points from {start} on end after the year 9999: check the start and the step")]
    TooLong {
        /// The first moment.
        start: Timestamp,
        /// How many points there are.
        len: usize,
    },
}
