//! What was measured of one resource, and in which form did it arrive?

use std::fmt;
use std::num::NonZeroU32;

use super::sorted::{self, Sorted};

/// The largest value that a measurement may have, in any unit; beyond it a number is a mistake.
const LARGEST_VALUE: f64 = 1e12;

/// How a beta distribution between zero and the maximum is shaped: α + β, as in the PERT
/// distribution (Malcolm et al., “Application of a technique for research and development program
/// evaluation”, Operations Research 7, 1959, with its weight 4 of the mode).
pub(crate) const BETA_CONCENTRATION: f64 = 6.0;

/// The time between two samples, from a minute to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "NonZeroU32", into = "NonZeroU32"))]
pub struct SampleStep(NonZeroU32);

impl SampleStep {
    /// What CloudWatch gives without detailed monitoring.
    pub const FIVE_MINUTES: SampleStep = SampleStep(NonZeroU32::new(5).expect("5 is not 0"));
    /// What CloudWatch keeps for more than 63 days.
    pub const HOURLY: SampleStep = SampleStep(NonZeroU32::new(60).expect("60 is not 0"));

    /// A step of whole minutes.
    ///
    /// # Errors
    /// [`UsageError::Step`] when it is longer than a day.
    pub fn minutes(minutes: NonZeroU32) -> Result<SampleStep, UsageError> {
        if minutes.get() > 24 * 60 {
            return Err(UsageError::Step { minutes });
        }
        Ok(SampleStep(minutes))
    }

    /// The step in minutes, 1 to 1440.
    #[must_use]
    pub fn as_minutes(self) -> u32 {
        self.0.get()
    }

    /// The step in hours.
    #[must_use]
    pub fn as_hours(self) -> f64 {
        f64::from(self.0.get()) / 60.0
    }

    /// Samples that a day has, rounded down, at least one.
    pub(crate) fn per_day(self) -> usize {
        usize::try_from(24 * 60 / self.0.get()).unwrap_or(1)
    }
}

impl TryFrom<NonZeroU32> for SampleStep {
    type Error = UsageError;

    fn try_from(minutes: NonZeroU32) -> Result<SampleStep, UsageError> {
        SampleStep::minutes(minutes)
    }
}

impl From<SampleStep> for NonZeroU32 {
    fn from(step: SampleStep) -> NonZeroU32 {
        step.0
    }
}

impl fmt::Display for SampleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} min", self.0)
    }
}

/// What was measured of one resource.
///
/// A series says most: it shows how long peaks last, what each day repeats and where the level is
/// going. A histogram has lost the order, an average with a maximum also the shape.
///
/// ```
/// use bursar_cost_model::fit::{SampleStep, Usage};
///
/// // A missing sample is not a zero.
/// let cpu = Usage::samples(SampleStep::FIVE_MINUTES, [Some(10.0), None, Some(30.0)])?;
/// assert_eq!((cpu.average(), cpu.maximum()), (20.0, 30.0));
///
/// let memory = Usage::average_and_maximum(2048.0, 3072.0)?;
/// assert_eq!(memory.n_samples(), None);
/// # Ok::<(), bursar_cost_model::fit::UsageError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    evidence: Evidence,
    average: f64,
    sorted: Sorted,
}

/// The form in which a measurement arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Evidence {
    /// In order of time; a missing sample is NaN.
    Samples { step: SampleStep, values: Vec<f64> },
    /// Without order.
    Histogram { step: SampleStep },
    /// A beta distribution is laid between zero and the maximum.
    Summary,
}

impl Usage {
    /// Samples at equal steps, the oldest first; `None` (or NaN) where one is missing.
    ///
    /// # Errors
    /// [`UsageError::Empty`] without any sample, [`UsageError::Value`] where one is negative,
    /// infinite or over 10¹².
    pub fn samples(
        step: SampleStep,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Result<Usage, UsageError> {
        let values: Vec<f64> = values
            .into_iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect();
        for (place, value) in values.iter().enumerate() {
            if !value.is_nan() {
                checked(*value, place)?;
            }
        }
        let sorted = Sorted::of_samples(&values);
        if sorted.is_empty() {
            return Err(UsageError::Empty);
        }
        Ok(Usage {
            average: sorted.mean(),
            sorted,
            evidence: Evidence::Samples { step, values },
        })
    }

    /// How many samples were above the bound before and up to this one: `(bound, count)`, bounds
    /// ascending. Each sample is taken at its upper bound, so that need is never understated;
    /// `step` is the time for which one sample stands.
    ///
    /// # Errors
    /// [`UsageError::Empty`] when no sample was counted, [`UsageError::Value`] where a bound is
    /// no measurement, [`UsageError::Order`] where one is not above the one before it.
    pub fn histogram(
        step: SampleStep,
        bins: impl IntoIterator<Item = (f64, u64)>,
    ) -> Result<Usage, UsageError> {
        let bins: Vec<(f64, u64)> = bins.into_iter().collect();
        let mut before = f64::NEG_INFINITY;
        for (place, (bound, _)) in bins.iter().enumerate() {
            checked(*bound, place)?;
            if *bound <= before {
                return Err(UsageError::Order {
                    place,
                    bound: *bound,
                });
            }
            before = *bound;
        }
        let sorted = Sorted::of_bins(bins);
        if sorted.is_empty() {
            return Err(UsageError::Empty);
        }
        Ok(Usage {
            average: sorted.mean(),
            sorted,
            evidence: Evidence::Histogram { step },
        })
    }

    /// Only an average and a maximum.
    ///
    /// What lies between is not known. A fit assumes a beta distribution from zero to the maximum
    /// with that average and α + β = 6 (the PERT distribution), and lets the maximum grow by a
    /// fifth where it has to promise something, for the next weeks may show more than the last.
    ///
    /// # Errors
    /// [`UsageError::Value`] where one is no measurement, [`UsageError::AverageOverMaximum`].
    pub fn average_and_maximum(average: f64, maximum: f64) -> Result<Usage, UsageError> {
        checked(average, 0)?;
        checked(maximum, 1)?;
        if average > maximum {
            return Err(UsageError::AverageOverMaximum { average, maximum });
        }
        Ok(Usage {
            evidence: Evidence::Summary,
            average,
            sorted: Sorted::of_bins(sorted::beta_bins(average, maximum)),
        })
    }

    /// The mean of what was measured.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.average
    }

    /// The largest value that was measured; the last bound of a histogram that counted something.
    #[must_use]
    pub fn maximum(&self) -> f64 {
        self.sorted.maximum()
    }

    /// The smallest measured value that at least a share `share` of the samples does not exceed;
    /// under the assumed distribution where only average and maximum are known. A share outside 0
    /// to 1 is taken for the nearer end.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        self.sorted.quantile(share)
    }

    /// Samples that are there; `None` where only average and maximum are known.
    #[must_use]
    pub fn n_samples(&self) -> Option<u64> {
        match self.evidence {
            Evidence::Summary => None,
            Evidence::Samples { .. } | Evidence::Histogram { .. } => Some(self.sorted.count()),
        }
    }

    /// The time between two samples; `None` where only average and maximum are known.
    #[must_use]
    pub fn step(&self) -> Option<SampleStep> {
        match self.evidence {
            Evidence::Samples { step, .. } | Evidence::Histogram { step } => Some(step),
            Evidence::Summary => None,
        }
    }

    /// The samples in order of time, NaN where one is missing; `None` where the order is not known.
    #[must_use]
    pub fn series(&self) -> Option<&[f64]> {
        match &self.evidence {
            Evidence::Samples { values, .. } => Some(values),
            Evidence::Histogram { .. } | Evidence::Summary => None,
        }
    }

    pub(crate) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    pub(crate) fn sorted(&self) -> &Sorted {
        &self.sorted
    }
}

fn checked(value: f64, place: usize) -> Result<(), UsageError> {
    if (0.0..=LARGEST_VALUE).contains(&value) {
        return Ok(());
    }
    Err(UsageError::Value { place, value })
}

/// Why a measurement cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A step longer than a day.
    #[error("a step of {minutes} minutes is longer than a day: give samples that show the day")]
    Step {
        /// The step.
        minutes: NonZeroU32,
    },
    /// No value at all.
    #[error("no sample is there: leave the resource out, and it counts as unknown")]
    Empty,
    /// A value that no machine shows.
    #[error("value {value} at place {place} (from 0) is not between 0 and 10^12")]
    Value {
        /// Its place, from 0.
        place: usize,
        /// The value.
        value: f64,
    },
    /// Bounds of a histogram out of order.
    #[error("bound {bound} at place {place} (from 0) is not above the bound before it")]
    Order {
        /// Its place, from 0.
        place: usize,
        /// The bound.
        bound: f64,
    },
    /// An average above its maximum.
    #[error("the average {average} is above the maximum {maximum}")]
    AverageOverMaximum {
        /// The average.
        average: f64,
        /// The maximum.
        maximum: f64,
    },
}
