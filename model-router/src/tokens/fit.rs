//! Which weights fit the counts of a tokenizer best?
//!
//! Least squares of the relative error, with weights that are not negative, by coordinate descent on
//! the normal equations (V. Franc, V. Hlaváč, M. Navara, "Sequential coordinate-wise algorithm for the
//! non-negative least squares problem", 2005). A negative weight would be a property that makes a text
//! shorter, and would give texts of that property alone a negative count.

use bursar_units::TokenCount;

use super::estimate::{Ratios, round_up};
use super::feature::N_FEATURES;
use super::scan::{self, N_PIECES};
use super::weights::{MAX_PIECE_STEPS, PIECE_STEP, SIZES, TokenWeights, size_of};

const N_COLUMNS: usize = N_FEATURES + N_PIECES;

/// Samples with fewer tokens count as if they had this many, since one token more or less would be
/// a large relative error.
const SMALL: f64 = 16.0;

/// Rounds over all weights. On the corpus of the shipped weights the error does not change after 150.
const N_ROUNDS: usize = 300;

/// Weighs a penalty on large weights of pairs and letters against the error, per sample: rare ones stay
/// near zero.
const PIECE_PENALTY: f64 = 1e-5;

/// The same for the properties, only to have one solution where two of them always come together.
const FEATURE_PENALTY: f64 = 1e-8;

/// A text with the number of tokens that a tokenizer, or a bill, says it has.
#[derive(Debug, Clone, Copy)]
pub struct TokenSample<'a> {
    /// The text.
    pub text: &'a str,
    /// Its tokens.
    pub tokens: TokenCount,
}

/// Why no weights were fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There are too few samples to tell errors of one in a hundred.
    #[error(
        "{count} samples with a token are too few; give at least {MIN_SAMPLES}, better thousands"
    )]
    TooFew {
        /// How many have a token.
        count: usize,
    },
}

/// Ratios beyond these are kept as these.
const LEAST_RATIO: f64 = 1e-3;
const MOST_RATIO: f64 = 999.0;

/// One in a hundred is seen in a hundred at the least.
const MIN_SAMPLES: usize = 100;

impl TokenWeights {
    /// The weights that estimate these samples best, with errors as they were on the samples
    /// themselves: let [`with_errors_on`](Self::with_errors_on) measure them on others.
    ///
    /// Takes some seconds and 200 MB for 35,000 samples in fifty languages.
    ///
    /// # Errors
    /// [`FitError::TooFew`] under 100 samples that have a token.
    pub fn fit(samples: &[TokenSample<'_>]) -> Result<Self, FitError> {
        require(samples)?;
        let weights = System::of(samples).solve();
        let mut features = [0.0; N_FEATURES];
        features.copy_from_slice(&weights[..N_FEATURES]);
        let mut pieces = Box::new([0; N_PIECES]);
        for (steps, weight) in pieces.iter_mut().zip(&weights[N_FEATURES..]) {
            *steps = steps_of(*weight);
        }
        let errors = [Ratios {
            mean: 1.0,
            p50: 1.0,
            p95: 1.0,
            p99: 1.0,
        }; SIZES.len() + 1];
        Self {
            features,
            pieces,
            errors,
        }
        .with_errors_on(samples)
    }

    /// These weights with the errors that they make on samples that they were not fitted to.
    ///
    /// The errors are told apart by the size of the text; a size with under 100 samples takes those of
    /// all.
    ///
    /// # Errors
    /// [`FitError::TooFew`] under 100 samples that have a token.
    pub fn with_errors_on(mut self, samples: &[TokenSample<'_>]) -> Result<Self, FitError> {
        require(samples)?;
        let mut all = Vec::new();
        let mut by_size = vec![Vec::new(); SIZES.len() + 1];
        for sample in samples.iter().filter(|sample| count_of(sample) > 0.0) {
            let sum = self.sum(sample.text);
            let ratio = count_of(sample) / sum.max(1.0);
            all.push(ratio);
            by_size[size_of(sum)].push(ratio);
        }
        let overall = ratios_of(&mut all);
        for (errors, mut ratios) in self.errors.iter_mut().zip(by_size) {
            *errors = if ratios.len() < MIN_SAMPLES {
                overall
            } else {
                ratios_of(&mut ratios)
            };
        }
        Ok(self)
    }
}

fn require(samples: &[TokenSample<'_>]) -> Result<(), FitError> {
    let count = samples
        .iter()
        .filter(|it| it.tokens > TokenCount::ZERO)
        .count();
    if count < MIN_SAMPLES {
        return Err(FitError::TooFew { count });
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of tokens are far under 2⁵³"
)]
fn count_of(sample: &TokenSample<'_>) -> f64 {
    sample.tokens.as_u64() as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between nothing and the most steps"
)]
fn steps_of(weight: f64) -> u8 {
    (weight / PIECE_STEP)
        .round()
        .clamp(0.0, f64::from(MAX_PIECE_STEPS)) as u8
}

/// Mean and quantiles of ratios, of which there is at least one.
#[expect(clippy::cast_precision_loss, reason = "far under 2⁵³ samples")]
fn ratios_of(ratios: &mut [f64]) -> Ratios {
    ratios.sort_by(f64::total_cmp);
    let n = ratios.len() as f64;
    let at = |rank: f64| {
        let index = usize::try_from(round_up(rank))
            .unwrap_or(usize::MAX)
            .clamp(1, ratios.len())
            - 1;
        ratios[index].clamp(LEAST_RATIO, MOST_RATIO)
    };
    // Two standard deviations of a rank further on: a bound that one in a hundred texts passes, and not
    // one that as likely as not more do.
    let bound = |q: f64| at(q * n + 2.0 * (n * q * (1.0 - q)).sqrt());
    let mean = ratios.iter().sum::<f64>() / n;
    Ratios {
        mean: mean.clamp(LEAST_RATIO, MOST_RATIO),
        p50: at(0.50 * n),
        p95: bound(0.95),
        p99: bound(0.99),
    }
}

/// The normal equations of the columns that any sample has something of.
struct System {
    columns: Vec<usize>,
    gram: Vec<f64>,
    right: Vec<f64>,
}

impl System {
    fn of(samples: &[TokenSample<'_>]) -> Self {
        let rows: Vec<_> = samples.iter().map(row_of).collect();
        let mut places = vec![None; N_COLUMNS];
        let mut columns = Vec::new();
        for &(column, _) in rows.iter().flat_map(|row| &row.cells) {
            places[column].get_or_insert_with(|| {
                columns.push(column);
                columns.len() - 1
            });
        }
        let mut system = Self {
            gram: vec![0.0; columns.len() * columns.len()],
            right: vec![0.0; columns.len()],
            columns,
        };
        for row in &rows {
            system.add(row, &places);
        }
        #[expect(clippy::cast_precision_loss, reason = "far under 2⁵³ samples")]
        system.penalize(rows.len() as f64);
        system
    }

    fn add(&mut self, row: &Row, places: &[Option<usize>]) {
        let cells = row
            .cells
            .iter()
            .filter_map(|(column, x)| Some((places[*column]?, *x)));
        let cells: Vec<(usize, f64)> = cells.collect();
        let n_columns = self.columns.len();
        for &(i, x) in &cells {
            self.right[i] += x * row.target;
            let line = &mut self.gram[i * n_columns..(i + 1) * n_columns];
            for &(j, y) in &cells {
                line[j] += x * y;
            }
        }
    }

    fn penalize(&mut self, n_samples: f64) {
        let n_columns = self.columns.len();
        for (i, column) in self.columns.iter().enumerate() {
            let is_feature = *column < N_FEATURES;
            let penalty = if is_feature {
                FEATURE_PENALTY
            } else {
                PIECE_PENALTY
            };
            self.gram[i * n_columns + i] += penalty * n_samples;
        }
    }

    /// The weight of each of the columns, of which those that no sample has anything of weigh nothing.
    fn solve(self) -> Vec<f64> {
        let n_columns = self.columns.len();
        let mut weights = vec![0.0; n_columns];
        // What is left of the right side; kept up to date, so that a step costs one row.
        let mut rest = self.right;
        for _ in 0..N_ROUNDS {
            for i in 0..n_columns {
                let line = &self.gram[i * n_columns..(i + 1) * n_columns];
                let before = weights[i];
                let after = f64::max(0.0, before + rest[i] / line[i]);
                if after == before {
                    continue;
                }
                weights[i] = after;
                for (rest, gram) in rest.iter_mut().zip(line) {
                    *rest -= (after - before) * gram;
                }
            }
        }
        let mut all = vec![0.0; N_COLUMNS];
        for (column, weight) in self.columns.into_iter().zip(weights) {
            all[column] = weight;
        }
        all
    }
}

/// What a text is made of, without what it has nothing of, and its tokens, all of them divided by about
/// the tokens.
struct Row {
    cells: Vec<(usize, f64)>,
    target: f64,
}

fn row_of(sample: &TokenSample<'_>) -> Row {
    let tokens = count_of(sample);
    let scale = tokens.max(SMALL).recip();
    let mut columns = vec![0_u32; N_COLUMNS];
    let counts = scan::scan(sample.text, |piece| columns[N_FEATURES + piece] += 1);
    columns[..N_FEATURES].copy_from_slice(&counts.0);
    let filled = columns
        .into_iter()
        .enumerate()
        .filter(|(_, count)| *count > 0);
    Row {
        cells: filled
            .map(|(column, count)| (column, f64::from(count) * scale))
            .collect(),
        target: tokens * scale,
    }
}
