//! Which points came, and where did they stop coming?

use jiff::{SignedDuration, Timestamp};

use super::SeriesError;
use crate::Observation;

/// Points in the order of time, whenever they came.
///
/// ```
/// use bursar_anomaly::IrregularSeries;
/// use jiff::{SignedDuration, Timestamp};
///
/// let minutes = [0, 5, 10, 16, 20, 50, 55];
/// let at = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
/// let series = IrregularSeries::new(minutes.map(|minute| (at(minute), 0.4)).to_vec())?;
///
/// assert_eq!(series.median_step(), Some(SignedDuration::from_mins(5)));
/// let gap = series.gaps(2.0).next().unwrap();
/// assert_eq!((gap.after, gap.until, gap.missing), (at(20), at(50), 5));
/// # Ok::<(), bursar_anomaly::SeriesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct IrregularSeries {
    points: Vec<(Timestamp, f64)>,
    median_step: Option<SignedDuration>,
}

/// A stretch of time in which no point came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The point before it.
    pub after: Timestamp,
    /// The point after it.
    pub until: Timestamp,
    /// How many points would have been expected in it, at the series' median step.
    pub missing: u64,
}

impl IrregularSeries {
    /// A series of points that are in order.
    ///
    /// # Errors
    /// [`SeriesError`] for the first point that is not finite, as old as the one before it, or older.
    pub fn new(points: Vec<(Timestamp, f64)>) -> Result<Self, SeriesError> {
        let mut last = None;
        for (index, &(at, value)) in points.iter().enumerate() {
            check(index, at, value, last)?;
            last = Some(at);
        }
        let median_step = median_step(&points);
        Ok(Self {
            points,
            median_step,
        })
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &[(Timestamp, f64)] {
        &self.points
    }

    /// The median time from one point to the next (the lower of two in the middle), of at least two
    /// points.
    #[must_use]
    pub const fn median_step(&self) -> Option<SignedDuration> {
        self.median_step
    }

    /// Where two points are further apart than so many median steps.
    pub fn gaps(&self, steps: f64) -> impl Iterator<Item = Gap> {
        let median = self.median_step.unwrap_or(SignedDuration::MAX);
        let pairs = self.points.windows(2);
        pairs.filter_map(move |pair| gap(pair[0].0, pair[1].0, median, steps))
    }

    /// One observation for each point.
    pub fn observations(&self) -> impl Iterator<Item = Observation> {
        let points = self.points.iter();
        points.map(|&(at, value)| {
            Observation::new(at, value).unwrap_or_else(|_| Observation::missing(at))
        })
    }
}

fn check(
    index: usize,
    at: Timestamp,
    value: f64,
    last: Option<Timestamp>,
) -> Result<(), SeriesError> {
    if !value.is_finite() {
        return Err(SeriesError::NotFinite { index, at, value });
    }
    match last {
        Some(last) if at == last => Err(SeriesError::Duplicate { index, at }),
        Some(last) if at < last => Err(SeriesError::Backward { index, at, last }),
        _ => Ok(()),
    }
}

fn median_step(points: &[(Timestamp, f64)]) -> Option<SignedDuration> {
    let pairs = points.windows(2);
    let mut steps: Vec<SignedDuration> = pairs
        .map(|pair| pair[1].0.duration_since(pair[0].0))
        .collect();
    let middle = steps.len().checked_sub(1)? / 2;
    Some(*steps.select_nth_unstable(middle).1)
}

fn gap(after: Timestamp, until: Timestamp, median: SignedDuration, steps: f64) -> Option<Gap> {
    let n_steps = until.duration_since(after).div_duration_f64(median);
    let missing = (n_steps.round() as u64).saturating_sub(1);
    (n_steps > steps).then_some(Gap {
        after,
        until,
        missing,
    })
}
