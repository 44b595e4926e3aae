//! Which model turns out best when only the chosen one's result is seen?
//!
//! A contextual bandit of fixed size. Every model has a Bayesian linear regression of its reward over a
//! short vector, the prompt's surface, updated one result at a time (recursive least squares). Words are
//! left out: a few thousand results of one model each are too few to learn them. A regression that all models share learns first how
//! rewarding a prompt is for anyone; a model's own one learns only its difference, from a prior of
//! zero. That is the hierarchy: with few results a model is taken to be like the others.
//!
//! Thompson sampling (Thompson 1933; Agrawal and Goyal 2013 for linear rewards), with draws that become
//! narrower than the doubt, decides in a bounded share of the queries, the best estimate in all others. A two-sided CUSUM of a model's own errors
//! (Page 1954) notices that it changed; its regression then becomes uncertain again and relearns.

use super::random::Random;
use crate::features::{Features, SURFACE_SIZE};
use crate::format::Format;

/// Surface and a constant.
const SIZE: usize = SURFACE_SIZE + 1;

/// How an [`OnlineRouter`] learns.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct OnlineSettings {
    /// The share of the queries, 0 to 1, in which a draw from what the learner believes decides in
    /// place of the best estimate. 0 turns exploration off.
    pub exploration: f64,
    /// How wide the draws are at first, as a part of the doubt; 1 is Thompson's own width.
    pub boldness: f64,
    /// After how many results the draws are 1/√2 as wide; after n results they are
    /// √(settling / (settling + n)) as wide. The doubt of a linear model falls too slowly for a few
    /// thousand queries: it counts every direction in which prompts may differ. Where a model is found
    /// to have changed, n falls back to this number.
    pub settling: f64,
    /// The standard deviation of rewards around what can be known of them.
    pub noise: f64,
    /// How large the differences between models are thought to be before anything was seen, as a
    /// standard deviation over typical prompts.
    pub spread: f64,
    /// Whether a model that changed is relearned.
    pub notices_drift: bool,
}

impl Default for OnlineSettings {
    /// Draws in every query that settle within some hundred results, for rewards of 0 to 1.
    fn default() -> Self {
        Self {
            exploration: 1.0,
            boldness: 1.0,
            settling: 300.0,
            noise: 0.4,
            spread: 0.2,
            notices_drift: true,
        }
    }
}

/// A choice with its reasons.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct OnlineChoice {
    /// The place of the chosen model.
    pub model: usize,
    /// The reward that is expected of each model.
    pub expected: Vec<f64>,
    /// Whether a draw decided against the best estimate.
    pub is_exploration: bool,
}

/// Why a result cannot be learned from.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// There is no such model.
    #[error("there is no model {model}; the router has {models}")]
    UnknownModel {
        /// The place that was named.
        model: usize,
        /// How many there are.
        models: usize,
    },
    /// The reward is no number or far outside what rewards are.
    #[error("a reward of {reward} cannot be learned from; rewards lie between -1000 and 1000")]
    Reward {
        /// What was given.
        reward: f64,
    },
    /// The expectations that were handed in are not one number per model.
    #[error("{given} expectations were given for {models} models; give one finite number for each")]
    Expectations {
        /// How many there were.
        given: usize,
        /// How many there should be.
        models: usize,
    },
}

/// Learns from rewards which model to choose, in memory that does not grow.
///
/// ```
/// use bursar_model_router::Features;
/// use bursar_model_router::learned::{OnlineRouter, OnlineSettings};
///
/// let mut router = OnlineRouter::new(2, OnlineSettings::default());
/// let sum = Features::of("What is 12 + 30?");
/// for seed in 0..50 {
///     let choice = router.choose(&sum, &[0.0, 0.0], seed)?;
///     let reward = if choice.model == 1 { 0.9 } else { 0.1 }; // quality − λ × cost
///     router.feedback(&sum, choice.model, reward, &[0.0, 0.0])?;
/// }
/// let choice = router.choose(&sum, &[0.0, 0.0], 0)?;
/// assert!(choice.expected[1] > choice.expected[0]);
/// # Ok::<(), bursar_model_router::learned::FeedbackError>(())
/// ```
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
#[must_use]
pub struct OnlineRouter {
    settings: OnlineSettings,
    /// Results since the last model was found to have changed.
    results: f64,
    scale: Scale,
    shared: Regression,
    models: Vec<Arm>,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Arm {
    regression: Regression,
    alarm: Cusum,
    drifts: u32,
}

impl OnlineRouter {
    /// A learner that has seen nothing, for this many models (at least one, at most 1,024).
    pub fn new(models: usize, settings: OnlineSettings) -> Self {
        let settings = settings.in_range();
        let prior = settings.spread * settings.spread;
        let arm = || Arm {
            regression: Regression::new(prior),
            alarm: Cusum::default(),
            drifts: 0,
        };
        Self {
            settings,
            results: 0.0,
            scale: Scale::default(),
            shared: Regression::new(4.0 * prior),
            models: (0..models.clamp(1, MAX_MODELS)).map(|_| arm()).collect(),
        }
    }

    /// How often a model was found to have changed.
    #[must_use]
    pub fn drifts(&self, model: usize) -> u32 {
        self.models.get(model).map_or(0, |it| it.drifts)
    }

    /// Chooses a model. `expectations` is what is believed of each model's reward without this learner,
    /// such as an offline model's estimate less what the call costs; zeros if nothing is. The same state
    /// and `seed` make the same choice; give another seed to every query.
    ///
    /// # Errors
    /// [`FeedbackError::Expectations`] unless there is one finite number per model.
    pub fn choose(
        &self,
        features: &Features,
        expectations: &[f64],
        seed: u64,
    ) -> Result<OnlineChoice, FeedbackError> {
        self.check(expectations)?;
        let vector = self.scale.vector(features);
        let shared = self.shared.mean(&vector);
        let arms = self.models.iter().zip(expectations);
        let expected: Vec<_> = arms
            .map(|(arm, expectation)| expectation + shared + arm.regression.mean(&vector))
            .collect();
        let best = largest(&expected);
        let mut random = Random::new(seed);
        let model = match random.uniform() < self.settings.exploration {
            true => largest(&self.draws(&vector, &expected, &mut random)),
            false => best,
        };
        Ok(OnlineChoice {
            model,
            expected,
            is_exploration: model != best,
        })
    }

    fn draws(&self, vector: &[f64], expected: &[f64], random: &mut Random) -> Vec<f64> {
        let arms = self.models.iter().zip(expected);
        let settling = self.settings.settling;
        let width = self.settings.boldness * (settling / (settling + self.results)).sqrt();
        let draw = |(arm, expected): (&Arm, &f64)| {
            let doubt = width * arm.regression.variance(vector).sqrt();
            expected + doubt * random.normal()
        };
        arms.map(draw).collect()
    }

    /// Learns from the reward of a model on a prompt, whoever chose it; `expectations` as they were
    /// when it was chosen.
    ///
    /// # Errors
    /// [`FeedbackError`] if the model is unknown or a number is out of range; nothing is learned then.
    pub fn feedback(
        &mut self,
        features: &Features,
        model: usize,
        reward: f64,
        expectations: &[f64],
    ) -> Result<(), FeedbackError> {
        self.check(expectations)?;
        let models = self.models.len();
        let Some(arm) = self.models.get_mut(model) else {
            return Err(FeedbackError::UnknownModel { model, models });
        };
        if reward.is_nan() || reward.abs() > 1000.0 {
            return Err(FeedbackError::Reward { reward });
        }
        self.results += 1.0;
        self.scale.see(features);
        let vector = self.scale.vector(features);
        let noise = self.settings.noise * self.settings.noise;
        let surprise = reward - expectations[model];
        let own = arm.regression.mean(&vector);
        let common = self.shared.mean(&vector);
        let error = surprise - common - own;
        self.shared.update(&vector, surprise - own, noise);
        arm.regression.update(&vector, surprise - common, noise);
        if self.settings.notices_drift && arm.alarm.see(error / self.settings.noise) {
            arm.drifts = arm.drifts.saturating_add(1);
            self.results = self.results.min(self.settings.settling);
            arm.regression
                .doubt(self.settings.spread * self.settings.spread);
        }
        Ok(())
    }

    fn check(&self, expectations: &[f64]) -> Result<(), FeedbackError> {
        let models = self.models.len();
        let is_good = |it: &f64| it.abs() <= 1000.0;
        match expectations.len() == models && expectations.iter().all(is_good) {
            true => Ok(()),
            false => Err(FeedbackError::Expectations {
                given: expectations.len(),
                models,
            }),
        }
    }
}

const MAX_MODELS: usize = 1024;

impl OnlineSettings {
    fn in_range(self) -> Self {
        let within = |value: f64, low: f64, high: f64| match value.is_finite() {
            true => value.clamp(low, high),
            false => low,
        };
        Self {
            exploration: within(self.exploration, 0.0, 1.0),
            boldness: within(self.boldness, 0.0, 10.0),
            settling: within(self.settling, 1.0, 1e9),
            noise: within(self.noise, 1e-3, 1e3),
            spread: within(self.spread, 1e-3, 1e3),
            notices_drift: self.notices_drift,
        }
    }
}

fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

/// Running mean and spread of the measures (Welford 1962).
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Scale {
    count: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            count: 0.0,
            means: vec![0.0; SURFACE_SIZE],
            squares: vec![0.0; SURFACE_SIZE],
        }
    }
}

impl Scale {
    /// The scale settles: after this many prompts it would move under the learned weights for nothing.
    const ENOUGH: f64 = 500.0;

    fn see(&mut self, features: &Features) {
        if self.count >= Self::ENOUGH {
            return;
        }
        self.count += 1.0;
        let sums = self.means.iter_mut().zip(&mut self.squares);
        for ((mean, square), value) in sums.zip(features.surface) {
            let step = f64::from(value) - *mean;
            *mean += step / self.count;
            *square += step * (f64::from(value) - *mean);
        }
    }

    /// The surface, of length about one, and one for the constant.
    fn vector(&self, features: &Features) -> Vec<f64> {
        let mut vector = vec![0.0; SIZE];
        let shrink = (SURFACE_SIZE as f64).sqrt().recip();
        for (at, value) in features.surface.iter().enumerate() {
            let spread = (self.squares[at] / self.count.max(1.0)).sqrt().max(0.05);
            let standard = (f64::from(*value) - self.means[at]) / spread;
            vector[at] = standard.clamp(-3.0, 3.0) * shrink;
        }
        vector[SIZE - 1] = 1.0;
        vector
    }
}

/// Recursive least squares with a Gaussian prior of mean zero.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Regression {
    weights: Vec<f64>,
    /// Row by row, symmetric.
    covariance: Vec<f64>,
}

impl Regression {
    fn new(prior: f64) -> Self {
        let mut covariance = vec![0.0; SIZE * SIZE];
        covariance
            .iter_mut()
            .step_by(SIZE + 1)
            .for_each(|it| *it = prior);
        Self {
            weights: vec![0.0; SIZE],
            covariance,
        }
    }

    fn mean(&self, vector: &[f64]) -> f64 {
        product(&self.weights, vector)
    }

    fn variance(&self, vector: &[f64]) -> f64 {
        product(&self.spread(vector), vector).max(0.0)
    }

    fn spread(&self, vector: &[f64]) -> Vec<f64> {
        self.covariance
            .chunks_exact(SIZE)
            .map(|row| product(row, vector))
            .collect()
    }

    fn update(&mut self, vector: &[f64], target: f64, noise: f64) {
        let spread = self.spread(vector);
        let total = noise + product(&spread, vector).max(0.0);
        let error = target - self.mean(vector);
        for (weight, spread) in self.weights.iter_mut().zip(&spread) {
            *weight += spread * error / total;
        }
        for (row, left) in self.covariance.chunks_exact_mut(SIZE).zip(&spread) {
            for (cell, right) in row.iter_mut().zip(&spread) {
                *cell -= left * right / total;
            }
        }
    }

    /// Keeps what was learned as a guess, and learns as if half of the prior doubt were back.
    fn doubt(&mut self, prior: f64) {
        self.covariance
            .iter_mut()
            .step_by(SIZE + 1)
            .for_each(|it| *it += prior / 2.0);
    }
}

fn product(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// Sums of errors beyond an allowance, upwards and downwards.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
struct Cusum {
    up: f64,
    down: f64,
}

impl Cusum {
    /// Half of the shift that is to be noticed, in standard deviations of the noise.
    const ALLOWANCE: f64 = 0.25;
    /// On either side a false alarm comes every e^(2 × .25 × 16) / (2 × .25²) ≈ 24,000 results, if the
    /// errors have this standard deviation and mean zero (Siegmund's approximation).
    const LIMIT: f64 = 16.0;

    fn see(&mut self, error: f64) -> bool {
        let error = error.clamp(-3.0, 3.0);
        self.up = (self.up + error - Self::ALLOWANCE).max(0.0);
        self.down = (self.down - error - Self::ALLOWANCE).max(0.0);
        let is_alarm = self.up.max(self.down) > Self::LIMIT;
        if is_alarm {
            *self = Self::default();
        }
        is_alarm
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    format: Format<2>,
    settings: OnlineSettings,
    results: f64,
    scale: Scale,
    shared: Regression,
    models: Vec<Arm>,
}

impl From<OnlineRouter> for Saved {
    fn from(router: OnlineRouter) -> Self {
        Self {
            format: Format,
            settings: router.settings,
            results: router.results,
            scale: router.scale,
            shared: router.shared,
            models: router.models,
        }
    }
}

impl TryFrom<Saved> for OnlineRouter {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let is_whole = |it: &Regression| {
            it.weights.len() == SIZE
                && it.covariance.len() == SIZE * SIZE
                && all_finite(&it.weights)
                && all_finite(&it.covariance)
        };
        let arms = &saved.models;
        let is_sound = (1..=MAX_MODELS).contains(&arms.len())
            && is_whole(&saved.shared)
            && arms.iter().all(|it| is_whole(&it.regression))
            && arms
                .iter()
                .all(|it| all_finite(&[it.alarm.up, it.alarm.down]))
            && saved.scale.means.len() == SURFACE_SIZE
            && saved.scale.squares.len() == SURFACE_SIZE
            && all_finite(&saved.scale.means)
            && saved
                .scale
                .squares
                .iter()
                .all(|it| *it >= 0.0 && it.is_finite())
            && (0.0..=Scale::ENOUGH).contains(&saved.scale.count)
            && (0.0..=1e15).contains(&saved.results)
            && saved.settings == saved.settings.in_range();
        match is_sound {
            true => Ok(Self {
                settings: saved.settings,
                results: saved.results,
                scale: saved.scale,
                shared: saved.shared,
                models: saved.models,
            }),
            false => Err("the saved online router is damaged: its numbers do not fit together"),
        }
    }
}

fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|it| it.is_finite())
}
