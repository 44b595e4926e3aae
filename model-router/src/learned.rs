//! How good will each model's answer to this prompt be, and how far may that be believed?
//!
//! # What is learned
//! From prompts with known scores a [`Trainer`] makes a [`LearnedModel`] of at most some 250 kilobytes. It
//! learns the **gain**, by how much one model answers a prompt better than another, and not how
//! difficult the prompt is: two models that both fail are equally good, whatever difficulty says. A
//! score is taken apart into what the model scores on average, what the prompt gives to all models (its
//! level), and what is left, which is the gain.
//!
//! # How
//! - [`Features`] become TF-IDF of words, pairs of words and pieces of words, and random cosines of the
//!   surface, so that a linear model is a curved one on the surface (Rahimi and Recht 2007).
//! - Ridge regression learns level and gains for two mixtures of these blocks; cross-validation inside
//!   the training picks the strength of each and their parts in the average that is the model. Where
//!   outcomes name their [kind](Outcome::kind), the averages of kinds are learned first, as they are
//!   less noisy, and then what is left. All of this sums to one linear model of a byte per weight.
//! - **Novelty shrinkage**: whole kinds (or topics, found by k-means) are held out, and the part of the
//!   predicted gains that came true at each distance from the training is the part that is believed
//!   there. Far away nothing is, and the model that is best on average is chosen; only the trend with
//!   the length of a prompt is kept, if it held on topics that were held out.
//! - Held-out predictions stay with the model ([`Calibration`]): thresholds for a share of calls, or a
//!   weight of prices for a budget, come from them.
//!
//! [`OnlineRouter`] learns from the results of the chosen models alone, with or without such a model
//! behind it.

mod bytes;
mod calibration;
mod encoder;
mod explanation;
mod fit;
mod online;
mod quantized;
mod random;
mod ridge;
mod saved;
mod topics;
mod trainer;
mod trust;

pub use calibration::Calibration;
pub use explanation::{Contribution, Explanation};
pub use online::{FeedbackError, OnlineChoice, OnlineRouter, OnlineSettings};
pub use trainer::{Outcome, Progress, Trainer, TrainingError};

use crate::features::Features;
use crate::name::ModelId;
use encoder::Encoder;
use quantized::Quantized;
use topics::Topics;
use trust::Trust;

/// A trained router: how good each model's answer to a prompt will be.
///
/// ```
/// use bursar_model_router::{Features, ModelId};
/// use bursar_model_router::learned::{Outcome, Trainer};
///
/// // The large model is right everywhere, the small one except where something is to be computed.
/// let outcomes: Vec<_> = (0..40)
///     .map(|it| match it % 2 {
///         0 => Outcome::new(&format!("Compute {it} * {}.", it + 7), &[Some(0.0), Some(1.0)]),
///         _ => Outcome::new(&format!("Name a river of region {it}."), &[Some(1.0), Some(1.0)]),
///     })
///     .collect();
/// let models = [ModelId::new("small")?, ModelId::new("large")?];
/// let model = Trainer::new(&models)?.train(&outcomes, |_| {})?;
///
/// let sum = model.predict(&Features::of("Compute 17 * 24."));
/// let river = model.predict(&Features::of("Name a river of region 12."));
/// assert!(sum.preference(0, 1) > river.preference(0, 1) + 0.3);
///
/// // Saved and read again, it says the same.
/// let json = serde_json::to_string(&model)?;
/// let read: bursar_model_router::learned::LearnedModel = serde_json::from_str(&json)?;
/// let again = read.predict(&Features::of("Compute 17 * 24."));
/// assert!((again.preference(0, 1) - sum.preference(0, 1)).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "saved::Saved", into = "saved::Saved")]
#[must_use]
pub struct LearnedModel {
    models: Vec<ModelId>,
    encoder: Encoder,
    /// Gains of every model, then the level.
    weights: Quantized,
    /// What every model scores on average.
    means: Vec<f64>,
    length: LengthTrend,
    topics: Topics,
    trust: Trust,
    /// Standard deviation of the mean error on a topic, for each model: known topics, and new ones.
    errors: Vec<(f64, f64)>,
    calibration: Calibration,
}

/// By how much each model gains with a prompt's length, as far as that holds on new topics.
#[derive(Debug, Clone)]
struct LengthTrend {
    slopes: Vec<f64>,
}

/// What is predicted for a prompt.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Prediction {
    /// One per model, in the order of [`LearnedModel::models`].
    pub qualities: Vec<Quality>,
    /// How far the prompt is from those of the training: about 1 for one like them.
    pub novelty: f64,
    /// The part of the predicted gains that was kept, 0 to 1.
    pub trust: f64,
}

/// The expected score of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Quality {
    /// The expectation. Not cut off at 0 and 1, so that the order of models survives.
    pub expected: f64,
    /// With `high`, the range in which the mean score on prompts like this one lies in nine of ten
    /// cases, as far as topics that were held out tell.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

impl Prediction {
    /// By how much `strong` is expected to answer better than `weak`; 0 if there is no such model.
    #[must_use]
    pub fn preference(&self, weak: usize, strong: usize) -> f64 {
        match (self.qualities.get(weak), self.qualities.get(strong)) {
            (Some(weak), Some(strong)) => strong.expected - weak.expected,
            _ => 0.0,
        }
    }

    /// The model with the largest quality − `weight` × price, the cheapest of equals; `prices` in any
    /// unit, what is missing counts as 0.
    #[must_use]
    pub fn best(&self, prices: &[f64], weight: f64) -> usize {
        best(self.qualities.iter().map(|it| it.expected), prices, weight)
    }
}

/// See [`Prediction::best`].
fn best(qualities: impl Iterator<Item = f64>, prices: &[f64], weight: f64) -> usize {
    let mut found = (0, f64::NEG_INFINITY, f64::INFINITY);
    for (at, quality) in qualities.enumerate() {
        let price = prices.get(at).copied().unwrap_or(0.0);
        let value = quality - weight * price;
        if value > found.1 || value == found.1 && price < found.2 {
            found = (at, value, price);
        }
    }
    found.0
}

impl LearnedModel {
    /// The models, in the order in which their scores were given.
    #[must_use]
    pub fn models(&self) -> &[ModelId] {
        &self.models
    }

    /// Held-out predictions, for thresholds.
    #[must_use]
    pub const fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The expected score of every model on a prompt.
    pub fn predict(&self, features: &Features) -> Prediction {
        let standard = self.encoder.surface.standardize(&features.surface);
        let encoded = self.encoder.encode_standard(features, &standard);
        let raw = self.weights.apply(&self.encoder.blocks, &encoded);
        let sketch = topics::sketch(&self.encoder, &encoded, &standard);
        let novelty = self.topics.novelty(&sketch, |_| true);
        let trust = self.trust.at(novelty);
        let length = f64::from(standard[0]);
        let (level, gains) = raw
            .split_last()
            .map_or((0.0, &[][..]), |(a, b)| (f64::from(*a), b));
        let qualities = gains.iter().enumerate().map(|(at, gain)| {
            let trend = self.length.slopes[at] * length;
            let gain = trust * f64::from(*gain) + (1.0 - trust) * trend;
            let expected = self.means[at] + trust * level + gain;
            let (near, far) = self.errors[at];
            let width = NINE_OF_TEN * (trust * near + (1.0 - trust) * far);
            Quality {
                expected,
                low: (expected - width).clamp(0.0, 1.0),
                high: (expected + width).clamp(0.0, 1.0),
            }
        });
        Prediction {
            qualities: qualities.collect(),
            novelty,
            trust,
        }
    }
}

/// Half the width of a normal distribution's middle nine tenths, in standard deviations.
const NINE_OF_TEN: f64 = 1.645;
