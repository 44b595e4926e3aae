//! How likely is abuse, learned from labeled history? Calibrated log-odds that say what they are made of.
//!
//! A logistic regression over fixed transformations of the signals. Each weight has the sign that its
//! feature must have (more access networks at once never make an account safer), so the model cannot
//! learn an accident of its history the wrong way round, and each decision splits into contributions
//! that add up to its log-odds.

mod features;
mod fit;

use thiserror::Error;

pub use self::features::{Direction, FEATURES};
use self::features::{N_FEATURES, features};
use crate::signal::{Context, Signal};

/// A labeled moment of an account: its signals, and whether it was abused.
#[derive(Debug, Clone)]
pub struct Example {
    /// What was known.
    pub context: Context,
    /// Whether the account was abused.
    pub is_abused: bool,
    /// How much it counts; 1 for each account when its moments share it.
    pub weight: f64,
}

/// Why no model can be learned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// One class is missing, or nearly.
    #[error("{good} good and {bad} abused examples are too few: label at least {needed} of each")]
    TooFew {
        /// Examples without abuse.
        good: usize,
        /// Examples of abuse.
        bad: usize,
        /// How many of each are needed.
        needed: usize,
    },
    /// A weight is negative or not a number.
    #[error("example {index} has a weight that is negative or not finite: give 1")]
    Weight {
        /// Which example.
        index: usize,
    },
}

/// Fewer of a class say nothing: the standard error of a rate of 10 % over 20 is 7 points.
const LEAST_EXAMPLES: usize = 20;

/// A learned model. It is data: versioned, serializable, and read the same everywhere.
///
/// ```
/// use bursar_risk::{Context, Example, Model, Signal};
///
/// let example = |networks: f64, is_abused| Example {
///     context: Context::new()
///         .with(Signal::CONCURRENT_NETWORKS, networks)
///         .with(Signal::NETWORK_SPREAD, networks),
///     is_abused,
///     weight: 1.0,
/// };
/// let mut history: Vec<Example> = (0..50).map(|_| example(1.0, false)).collect();
/// history.extend((0..50).map(|_| example(9.0, true)));
/// let model = Model::train(1, &history)?;
///
/// let ring = Context::new()
///     .with(Signal::CONCURRENT_NETWORKS, 8.0)
///     .with(Signal::NETWORK_SPREAD, 7.0);
/// assert!(model.probability(&ring) > 0.9);
/// // Contributions and base add up to the log-odds.
/// let sum: f64 = model.contributions(&ring).map(|(_, part)| part).sum();
/// assert!((model.base() + sum - model.log_odds(&ring)).abs() < 1e-9);
/// # Ok::<(), bursar_risk::TrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Saved", into = "Saved"))]
pub struct Model {
    version: u64,
    base: f64,
    weights: [f64; N_FEATURES],
}

impl Model {
    /// Learns weights by penalized maximum likelihood, then calibrates the log-odds by Platt's method
    /// on folds that the weights of the fold did not see.
    ///
    /// # Errors
    /// [`TrainError`] when there are fewer than 20 examples of a class or a weight is no weight.
    pub fn train(version: u64, examples: &[Example]) -> Result<Self, TrainError> {
        let bad = examples.iter().filter(|example| example.is_abused).count();
        let good = examples.len() - bad;
        if good.min(bad) < LEAST_EXAMPLES {
            return Err(TrainError::TooFew {
                good,
                bad,
                needed: LEAST_EXAMPLES,
            });
        }
        let is_weight = |weight: f64| weight.is_finite() && weight >= 0.0;
        if let Some(index) = examples
            .iter()
            .position(|example| !is_weight(example.weight))
        {
            return Err(TrainError::Weight { index });
        }
        let rows: Vec<fit::Row> = examples.iter().map(fit::Row::of).collect();
        let fitted = fit::fit(&rows, &fit::NOTHING);
        let (slope, shift) = fit::calibrate(&rows, &fitted);
        let (base, weights) = fitted;
        Ok(Self {
            version,
            base: slope * base + shift,
            weights: weights.map(|weight| slope * weight),
        })
    }

    /// The version that records name.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The log-odds of somebody of whom nothing speaks for or against.
    #[must_use]
    pub const fn base(&self) -> f64 {
        self.base
    }

    /// The logarithm of the odds of abuse.
    #[must_use]
    pub fn log_odds(&self, context: &Context) -> f64 {
        let parts = features(context);
        let sum: f64 = parts
            .iter()
            .zip(&self.weights)
            .map(|(part, weight)| part * weight)
            .sum();
        self.base + sum
    }

    /// The calibrated probability of abuse, for a population with the share of abuse of the history.
    #[must_use]
    pub fn probability(&self, context: &Context) -> f64 {
        logistic(self.log_odds(context))
    }

    /// What each feature adds to the log-odds, in the order of [`FEATURES`]. A feature whose signals
    /// are missing adds nothing.
    pub fn contributions(&self, context: &Context) -> impl Iterator<Item = (&'static str, f64)> {
        let parts = features(context);
        let weights = self.weights;
        let names = FEATURES.iter().enumerate();
        names.map(move |(index, (name, _))| (*name, parts[index] * weights[index]))
    }

    /// Sets [`Signal::LEARNED_RISK`], so that rules can read the model's answer as any signal.
    pub fn annotate(&self, context: &mut Context) {
        context.set(Signal::LEARNED_RISK, self.probability(context));
    }
}

pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: crate::format::Format<1>,
    version: u64,
    base: f64,
    weights: std::collections::BTreeMap<String, f64>,
}

#[cfg(feature = "serde")]
impl From<Model> for Saved {
    fn from(model: Model) -> Self {
        let named = FEATURES.iter().zip(model.weights);
        Self {
            format: crate::format::Format,
            version: model.version,
            base: model.base,
            weights: named
                .map(|((name, _), weight)| ((*name).to_owned(), weight))
                .collect(),
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Saved> for Model {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let mut weights = [0.0; N_FEATURES];
        for (weight, (name, _)) in weights.iter_mut().zip(FEATURES) {
            let found = saved.weights.get(*name).copied();
            *weight = found.filter(|weight| weight.is_finite()).ok_or_else(|| {
                format!("the model has no finite weight for `{name}`: train it anew")
            })?;
        }
        if !saved.base.is_finite() || saved.weights.len() != N_FEATURES {
            return Err(
                "the model's base or features are not those of this version: train it anew"
                    .to_owned(),
            );
        }
        Ok(Self {
            version: saved.version,
            base: saved.base,
            weights,
        })
    }
}
