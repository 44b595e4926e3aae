//! How many points would the Numenta Anomaly Benchmark give?
//!
//! The benchmark (NAB v1.1, <https://github.com/numenta/NAB>, MIT) rewards a detector that fires early
//! inside a labeled window, once for each window, and charges it for every row outside. This is its
//! scorer, rewritten from its protocol: [`Geometry`] says what each row of a file is worth,
//! [`Corpus`] takes the scores of many files, and [`Report`] has the points of one [`Profile`] at the
//! best threshold, which is one for all files.
//!
//! Nothing here is tied to the benchmark's files. Labels of one's own score the same way:
//!
//! ```
//! use bursar_anomaly::evaluation::nab::{Corpus, Geometry, Profile};
//!
//! // Forty rows, the first six of them probation, and one labeled window of ten.
//! let rows: Vec<u32> = (0..40).collect();
//! let geometry = Geometry::new(&rows, &[(20, 29)])?;
//! // A detector that is sure at the window's first row, and nearly as sure long before it.
//! let mut scores = vec![0.0; 40];
//! scores[20] = 0.9;
//! scores[10] = 0.8;
//!
//! let mut corpus = Corpus::default();
//! corpus.add("mine", &geometry, &scores)?;
//! let report = corpus.report(Profile::STANDARD);
//! assert_eq!((report.score, report.threshold), (100.0, 0.9));
//! // Where both rows fire, the false one costs 0.11 of the 2 points between nothing and perfect.
//! assert_eq!(corpus.report_at(Profile::STANDARD, 0.8).score, 94.5);
//! # Ok::<(), bursar_anomaly::evaluation::nab::NabError>(())
//! ```
//!
//! # What the number means
//! The threshold is chosen on the labels that are scored, as the benchmark does: there is no hold-out
//! in it. Detectors of the benchmark are also told the smallest and largest value of each file before
//! its first row; say with every figure whether that hint was used. And a [clock](alarm_clock) that
//! fires every so often without reading a value gets more than 20 points: less than 25 is nothing.

mod geometry;
mod sweep;

pub use geometry::{Geometry, PROBATION_ROWS, alarm_clock, probation};
pub use sweep::{CategoryReport, Corpus, NOTHING_FIRES, Report};

/// What finding, missing and false rows are worth (`config/profiles.json` of NAB v1.1; the weight of
/// true negatives there is not used by its scorer).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Profile {
    /// What it is called in the benchmark's results.
    pub name: &'static str,
    /// The reward of a window that is found at its first row.
    pub found: f64,
    /// The charge for a false row, far from the window before it.
    pub false_row: f64,
    /// The charge for a window that is missed.
    pub missed: f64,
}

impl Profile {
    /// The profile that is quoted where only one is.
    pub const STANDARD: Self = Self {
        name: "standard",
        found: 1.0,
        false_row: 0.11,
        missed: 1.0,
    };

    /// False rows cost twice as much.
    pub const REWARD_LOW_FP_RATE: Self = Self {
        name: "reward_low_FP_rate",
        false_row: 0.22,
        ..Self::STANDARD
    };

    /// Missed windows cost twice as much.
    pub const REWARD_LOW_FN_RATE: Self = Self {
        name: "reward_low_FN_rate",
        missed: 2.0,
        ..Self::STANDARD
    };

    /// The three profiles of the benchmark, in the order of its scoreboard.
    pub const ALL: [Self; 3] = [
        Self::STANDARD,
        Self::REWARD_LOW_FP_RATE,
        Self::REWARD_LOW_FN_RATE,
    ];

    /// Raw points on the benchmark's scale, where nothing fired is 0 and perfect is 100. Without
    /// windows there is nothing to find, and no scale.
    fn normalize(&self, raw: f64, n_windows: usize) -> f64 {
        let windows = n_windows as f64;
        let (nothing, perfect) = (-self.missed * windows, self.found * windows);
        if n_windows == 0 {
            return 0.0;
        }
        100.0 * (raw - nothing) / (perfect - nothing)
    }
}

/// Why a file cannot be scored.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NabError {
    /// A window begins or ends at a moment that no row has.
    #[error(
        "window {window} begins or ends at a moment without a row: labels and file do not match"
    )]
    UnknownMoment {
        /// The window's position among the labels, from 0.
        window: usize,
    },
    /// A window ends before it begins, or begins before the one before it is over.
    #[error("window {window} does not come after the one before it: order the windows by time")]
    WindowOrder {
        /// The window's position among the labels, from 0.
        window: usize,
    },
    /// There must be one score for each row.
    #[error("{scores} scores for {rows} rows: score every row, also those of the probation")]
    Length {
        /// How many scores there are.
        scores: usize,
        /// How many rows the file has.
        rows: usize,
    },
    /// A score lies outside of 0 to 1, or is not a number.
    #[error("the score of row {row} is {score}: pass numbers from 0 to 1")]
    Score {
        /// The row, from 0.
        row: usize,
        /// Its score.
        score: f64,
    },
}
