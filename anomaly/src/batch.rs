//! How are many series judged at once?

use crate::{Assessment, Detector, Observation, ObservationError};

/// A judgment of one observation, or why there is none.
pub type Judgment = Result<Assessment, ObservationError>;

/// Detectors by the names of their series, run together.
///
/// What a series answers depends on that series alone: [`Execution::Parallel`] gives the same as
/// [`Execution::Sequential`], in the order in which series were added. An error of one series is its
/// answer, and the others go on.
///
/// ```
/// use bursar_anomaly::{Batch, Execution, Observation, PointDetector, PointSettings};
///
/// let mut batch = Batch::new();
/// for name in ["cpu", "memory", "requests"] {
///     batch.add(name, PointDetector::new(PointSettings::default()));
/// }
/// // As a collector delivers them: one moment of all series.
/// let at = "2026-11-20T12:00:00Z".parse()?;
/// let column = [0.42, 0.77, 1312.0].map(|value| Observation::new(at, value));
/// let column = column.into_iter().collect::<Result<Vec<_>, _>>()?;
/// let judgments = batch.observe(&column, Execution::Sequential)?;
/// assert_eq!(judgments.len(), 3);
/// // The same moment again is out of order, in each series by itself.
/// assert!(batch.observe(&column, Execution::Sequential)?.iter().all(Result::is_err));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Batch<D> {
    series: Vec<Series<D>>,
}

/// A detector and the name of the series it watches.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Series<D> {
    /// The name, of the caller's choice.
    pub name: String,
    /// The detector.
    pub detector: D,
}

/// On how many threads a batch runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Execution {
    /// On the calling thread.
    #[default]
    Sequential,
    /// On the threads of rayon's pool.
    #[cfg(feature = "parallel")]
    Parallel,
}

/// The observations do not fit the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{given} columns of observations for {series} series: pass one for each, in their order")]
pub struct BatchError {
    /// How many there are.
    pub given: usize,
    /// How many series there are.
    pub series: usize,
}

impl<D> Default for Batch<D> {
    fn default() -> Self {
        Self { series: Vec::new() }
    }
}

impl<D> Batch<D> {
    /// A batch without series.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a series after the others.
    pub fn add(&mut self, name: impl Into<String>, detector: D) {
        let name = name.into();
        self.series.push(Series { name, detector });
    }

    /// The series, in the order in which they were added.
    #[must_use]
    pub fn series(&self) -> &[Series<D>] {
        &self.series
    }

    /// The series again, with their detectors.
    #[must_use]
    pub fn into_series(self) -> Vec<Series<D>> {
        self.series
    }

    fn check(&self, given: usize) -> Result<(), BatchError> {
        let series = self.series.len();
        if given == series {
            return Ok(());
        }
        Err(BatchError { given, series })
    }
}

impl<D: Detector> Batch<D> {
    /// Judges one observation of each series.
    ///
    /// # Errors
    /// When there are not as many observations as series; nothing is judged then.
    pub fn observe(
        &mut self,
        column: &[Observation],
        execution: Execution,
    ) -> Result<Vec<Judgment>, BatchError> {
        let mut judgments = Vec::new();
        self.observe_into(column, execution, &mut judgments)?;
        Ok(judgments)
    }

    /// The same into a list of the caller, which is emptied first: used again, it takes no allocation.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn observe_into(
        &mut self,
        column: &[Observation],
        execution: Execution,
        judgments: &mut Vec<Judgment>,
    ) -> Result<(), BatchError> {
        judgments.clear();
        self.check(column.len())?;
        match execution {
            Execution::Sequential => {
                let pairs = self.series.iter_mut().zip(column);
                judgments.extend(pairs.map(|(series, point)| series.detector.observe(*point)));
            }
            #[cfg(feature = "parallel")]
            Execution::Parallel => parallel::observe(&mut self.series, column, judgments),
        }
        Ok(())
    }

    /// Judges a history of each series, from its first observation to its last.
    ///
    /// `progress` is called after each series with the number of observations in it, from whichever
    /// thread it ran on: a counter or a progress bar of the caller.
    ///
    /// # Errors
    /// When there are not as many histories as series; nothing is judged then.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// use bursar_anomaly::{Batch, Execution, Observation, PointDetector, PointSettings};
    ///
    /// let mut batch = Batch::new();
    /// batch.add("cpu", PointDetector::new(PointSettings::default()));
    /// let history = [Observation::new("2026-11-20T12:00:00Z".parse()?, 0.42)?];
    /// let done = AtomicUsize::new(0);
    /// let progress = |n_observations| {
    ///     done.fetch_add(n_observations, Ordering::Relaxed);
    /// };
    /// let judgments = batch.replay(&[history], Execution::Sequential, progress)?;
    /// assert_eq!(judgments[0].len(), 1);
    /// assert_eq!(done.into_inner(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replay<H: AsRef<[Observation]> + Sync>(
        &mut self,
        histories: &[H],
        execution: Execution,
        progress: impl Fn(usize) + Sync,
    ) -> Result<Vec<Vec<Judgment>>, BatchError> {
        self.check(histories.len())?;
        Ok(match execution {
            Execution::Sequential => {
                let pairs = self.series.iter_mut().zip(histories);
                let judge = |(series, history)| replay_one(series, history, &progress);
                pairs.map(judge).collect()
            }
            #[cfg(feature = "parallel")]
            Execution::Parallel => parallel::replay(&mut self.series, histories, progress),
        })
    }
}

fn replay_one<D: Detector, H: AsRef<[Observation]>>(
    series: &mut Series<D>,
    history: &H,
    progress: &impl Fn(usize),
) -> Vec<Judgment> {
    let history = history.as_ref();
    let judgments = history
        .iter()
        .map(|point| series.detector.observe(*point))
        .collect();
    progress(history.len());
    judgments
}

#[cfg(feature = "parallel")]
mod parallel {
    use rayon::iter::{
        IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator,
        ParallelIterator,
    };

    use super::{Judgment, Series, replay_one};
    use crate::{Detector, Observation};

    /// A point takes less time than handing it to a thread, so threads take this many at once.
    const LEAST_SERIES: usize = 1024;

    pub(super) fn observe<D: Detector>(
        series: &mut [Series<D>],
        column: &[Observation],
        judgments: &mut Vec<Judgment>,
    ) {
        let pairs = series.par_iter_mut().zip(column);
        pairs
            .with_min_len(LEAST_SERIES)
            .map(|(series, point)| series.detector.observe(*point))
            .collect_into_vec(judgments);
    }

    pub(super) fn replay<D: Detector, H: AsRef<[Observation]> + Sync>(
        series: &mut [Series<D>],
        histories: &[H],
        progress: impl Fn(usize) + Sync,
    ) -> Vec<Vec<Judgment>> {
        let pairs = series.par_iter_mut().zip(histories.par_iter());
        pairs
            .map(|(series, history)| replay_one(series, history, &progress))
            .collect()
    }
}
