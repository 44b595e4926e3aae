//! How is a router learned from outcomes?

use std::collections::{BTreeMap, BTreeSet};

use super::calibration::{self, Calibration};
use super::encoder::Encoder;
use super::fit::{self, Choice, Examples};
use super::quantized::Quantized;
use super::random::Random;
use super::topics::{self, Sketch, Topics};
use super::trust::{self, Trial, Trust};
use super::{LearnedModel, LengthTrend};
use crate::features::Features;
use crate::name::ModelId;

/// A prompt and how well each model answered it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The prompt.
    pub features: Features,
    /// 0 (wrong) to 1 (right) for each model, `None` where it is not known.
    pub scores: Vec<Option<f64>>,
    /// Which kind of prompt it is (a task, a subject, an endpoint), where that is known. It helps to
    /// learn; a router that was trained with kinds tells them from the text alone.
    pub kind: Option<String>,
}

impl Outcome {
    /// Of a prompt's text.
    #[must_use]
    pub fn new(prompt: &str, scores: &[Option<f64>]) -> Self {
        Self {
            features: Features::of(prompt),
            scores: scores.to_vec(),
            kind: None,
        }
    }

    /// The same, of this kind. Prompts of kinds with other names are not taken to be alike.
    #[must_use]
    pub fn with_kind(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }
}

/// Why nothing can be learned.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// There is nothing to choose between.
    #[error("{models} models are no choice; give 2 to {MAX_MODELS} different ones")]
    Models {
        /// How many were given.
        models: usize,
    },
    /// A model was given twice.
    #[error("the model {model} was given twice")]
    Twice {
        /// Which.
        model: ModelId,
    },
    /// Too few outcomes tell two models apart.
    #[error(
        "{outcomes} prompts with the scores of two or more models are too few to learn from; give {LEAST_OUTCOMES} or more"
    )]
    TooFew {
        /// How many there are.
        outcomes: usize,
    },
    /// An outcome has not one score per model.
    #[error("outcome {row} has {scores} scores for {models} models")]
    Scores {
        /// Its place, from 0.
        row: usize,
        /// How many scores it has.
        scores: usize,
        /// How many models there are.
        models: usize,
    },
    /// A score is out of range.
    #[error("outcome {row} has a score of {score}; scores lie between 0 and 1")]
    OutOfRange {
        /// Its place, from 0.
        row: usize,
        /// The score.
        score: f64,
    },
    /// Nothing is known of a model.
    #[error("there is not one score of the model {model}")]
    Unscored {
        /// Which.
        model: ModelId,
    },
}

const MAX_MODELS: usize = 256;

/// Below this, cross-validation has nothing to validate on.
const LEAST_OUTCOMES: usize = 20;

/// How far the training has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps that are done.
    pub done: usize,
    /// All steps.
    pub total: usize,
}

/// Learns a [`LearnedModel`]; the same outcomes and seed give the same model.
#[derive(Debug, Clone)]
#[must_use]
pub struct Trainer {
    models: Vec<ModelId>,
    seed: u64,
}

impl Trainer {
    /// For these models, in the order in which outcomes have their scores.
    ///
    /// # Errors
    /// [`TrainingError::Models`] or [`TrainingError::Twice`].
    pub fn new(models: &[ModelId]) -> Result<Self, TrainingError> {
        if !(2..=MAX_MODELS).contains(&models.len()) {
            return Err(TrainingError::Models {
                models: models.len(),
            });
        }
        let mut sorted: Vec<_> = models.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|it| it[0] == it[1]) {
            return Err(TrainingError::Twice {
                model: pair[0].clone(),
            });
        }
        Ok(Self {
            models: models.to_vec(),
            seed: 0,
        })
    }

    /// Draws folds and topics by another seed than 0.
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Learns from outcomes; reports every step, of which there are four. A few thousand
    /// prompts take some seconds.
    ///
    /// # Errors
    /// [`TrainingError`] if the outcomes do not fit the models or are too few.
    pub fn train(
        &self,
        outcomes: &[Outcome],
        mut progress: impl FnMut(Progress),
    ) -> Result<LearnedModel, TrainingError> {
        self.check(outcomes)?;
        let mut random = Random::new(self.seed);
        let means = self.means(outcomes)?;
        let prompts: Vec<_> = outcomes.iter().map(|it| &it.features).collect();
        let encoder = Encoder::learn(&prompts, self.models.len());
        let examples = examples(&encoder, outcomes, &means);
        let mut report = |done| progress(Progress { done, total: 4 });
        let choice = Choice::new(&encoder, &examples, &mut random, &mut report);
        let sketch = |(prompt, row): (&&Features, _)| {
            topics::sketch(&encoder, row, &encoder.surface.standardize(&prompt.surface))
        };
        let sketches: Vec<_> = prompts.iter().zip(&examples.rows).map(sketch).collect();
        let topics = Topics::learn(&sketches, &mut random);
        let strange = Strange::learn(&encoder, &examples, &choice, &topics, &sketches);
        report(3);
        let session = Session {
            lengths: prompts.iter().map(|it| encoder.length(it)).collect(),
            outcomes,
            examples: &examples,
            choice: &choice,
            strange: &strange,
            means: &means,
        };
        let trust = session.trust(&topics, &sketches);
        let length = session.length_trend();
        let errors = session.errors();
        let calibration = session.calibration(&trust, &length, &topics, &sketches, &mut random);
        let weights = Quantized::new(&choice.fit(|_| true), &encoder.blocks);
        report(4);
        Ok(LearnedModel {
            models: self.models.clone(),
            weights,
            encoder,
            means,
            length,
            topics,
            trust,
            errors,
            calibration,
        })
    }

    fn check(&self, outcomes: &[Outcome]) -> Result<(), TrainingError> {
        let models = self.models.len();
        for (row, outcome) in outcomes.iter().enumerate() {
            let scores = outcome.scores.len();
            if scores != models {
                return Err(TrainingError::Scores {
                    row,
                    scores,
                    models,
                });
            }
            let is_bad = |it: &&f64| !(0.0..=1.0).contains(*it);
            if let Some(&score) = outcome.scores.iter().flatten().find(is_bad) {
                return Err(TrainingError::OutOfRange { row, score });
            }
        }
        let tells = |it: &&Outcome| it.scores.iter().flatten().count() >= 2;
        let outcomes = outcomes.iter().filter(tells).count();
        match outcomes < LEAST_OUTCOMES {
            true => Err(TrainingError::TooFew { outcomes }),
            false => Ok(()),
        }
    }

    fn means(&self, outcomes: &[Outcome]) -> Result<Vec<f64>, TrainingError> {
        let mean = |(at, model): (usize, &ModelId)| {
            let known: Vec<_> = outcomes.iter().filter_map(|it| it.scores[at]).collect();
            match known.is_empty() {
                true => Err(TrainingError::Unscored {
                    model: model.clone(),
                }),
                false => Ok(known.iter().sum::<f64>() / known.len() as f64),
            }
        };
        self.models.iter().enumerate().map(mean).collect()
    }
}

fn examples(encoder: &Encoder, outcomes: &[Outcome], means: &[f64]) -> Examples {
    Examples {
        rows: outcomes
            .iter()
            .map(|it| encoder.encode(&it.features))
            .collect(),
        goals: outcomes.iter().map(|it| goals(&it.scores, means)).collect(),
        targets: means.len() + 1,
        kinds: kinds(outcomes),
    }
}

/// The kinds by number, in the order of their names.
fn kinds(outcomes: &[Outcome]) -> Vec<Option<usize>> {
    let names = outcomes.iter().filter_map(|it| it.kind.as_deref());
    let names: BTreeSet<_> = names.collect();
    let numbers: BTreeMap<_, _> = names.into_iter().zip(0..).collect();
    let number = |it: &Outcome| numbers.get(it.kind.as_deref()?).copied();
    outcomes.iter().map(number).collect()
}

/// The gains of the models and the level of the prompt; no gain is known from the score of one model.
fn goals(scores: &[Option<f64>], means: &[f64]) -> Vec<Option<f64>> {
    let above = scores
        .iter()
        .zip(means)
        .map(|(score, mean)| score.map(|it| it - mean));
    let above: Vec<_> = above.collect();
    let known = above.iter().flatten().count();
    let level = (known > 0).then(|| above.iter().flatten().sum::<f64>() / known as f64);
    let gain = |it: &Option<f64>| Some((*it)? - level.filter(|_| known > 1)?);
    above.iter().map(gain).chain([level]).collect()
}

/// What is predicted for prompts whose whole kind was held out, or their topic if kinds are not named.
struct Strange {
    topics: Vec<usize>,
    predictions: Vec<Vec<f64>>,
    novelties: Vec<f64>,
}

impl Strange {
    /// They are held out in groups, so that it takes no more than this many trainings.
    const GROUPS: usize = 5;

    fn learn(
        encoder: &Encoder,
        examples: &Examples,
        choice: &Choice<'_>,
        topics: &Topics,
        sketches: &[Sketch],
    ) -> Self {
        let of: Vec<_> = sketches.iter().map(|it| topics.topic(it)).collect();
        let group = Self::groups(examples, &of);
        let topic_group = common(&of, &group, topics.centers.len());
        let mut predictions = vec![Vec::new(); of.len()];
        let mut novelties = vec![0.0; of.len()];
        for out in 0..Self::GROUPS {
            let rows = (0..of.len()).filter(|row| group[*row] == out);
            let rows: Vec<_> = rows.collect();
            if rows.is_empty() {
                continue;
            }
            let is_alone = topic_group.iter().all(|it| *it == out);
            let weights = choice.fit(|row| group[row] != out);
            for row in rows {
                predictions[row] = fit::apply(encoder, &weights, &examples.rows[row]);
                let is_known = |it: usize| is_alone || topic_group[it] != out;
                novelties[row] = topics.novelty(&sketches[row], is_known);
            }
        }
        Self {
            topics: of,
            predictions,
            novelties,
        }
    }

    /// The group of each prompt.
    fn groups(examples: &Examples, topics: &[usize]) -> Vec<usize> {
        let has_kinds = examples.kinds.iter().flatten().any(|it| *it > 0);
        let kind = |kind: Option<usize>| kind.filter(|_| has_kinds);
        let pairs = examples.kinds.iter().zip(topics);
        pairs
            .map(|(it, topic)| kind(*it).unwrap_or(*topic) % Self::GROUPS)
            .collect()
    }
}

/// The most frequent group among the prompts of each topic.
fn common(of: &[usize], group: &[usize], topics: usize) -> Vec<usize> {
    let mut counts = vec![[0_usize; Strange::GROUPS]; topics];
    for (topic, group) in of.iter().zip(group) {
        counts[*topic][*group] += 1;
    }
    let most = |it: &[usize; Strange::GROUPS]| (0..it.len()).max_by_key(|at| it[*at]);
    counts.iter().map(|it| most(it).unwrap_or(0)).collect()
}

/// The parts of a prediction that are expected to come true on a known topic and on a new one.
const KNOWN: f64 = 1.0;
const NEW: f64 = 0.0;

/// What is known once the models that hold out prompts or topics are trained.
struct Session<'a> {
    outcomes: &'a [Outcome],
    lengths: Vec<f64>,
    examples: &'a Examples,
    choice: &'a Choice<'a>,
    strange: &'a Strange,
    means: &'a [f64],
}

impl Session<'_> {
    fn trust(&self, topics: &Topics, sketches: &[Sketch]) -> Trust {
        let near = sketches
            .iter()
            .zip(&self.choice.held_out)
            .enumerate()
            .map(|(row, it)| {
                let novelty = topics.novelty(it.0, |_| true);
                self.trial(row, (novelty, KNOWN), it.1)
            });
        let far = self.strange.predictions.iter().zip(&self.strange.novelties);
        let far = far
            .enumerate()
            .map(|(row, it)| self.trial(row, (*it.1, NEW), it.0));
        Trust::learn(near.chain(far).collect())
    }

    fn trial(&self, row: usize, (novelty, expected): (f64, f64), predicted: &[f64]) -> Trial {
        Trial::new(novelty, expected, self.gains(row, predicted))
    }

    /// Predicted gains with those that came.
    fn gains(&self, row: usize, predicted: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        let goals = &self.examples.goals[row];
        let gains = predicted.iter().zip(&goals[..self.means.len()]);
        gains.filter_map(|(predicted, goal)| goal.map(|it| (*predicted, it)))
    }

    /// Learned on all topics but a prompt's own, the trend is worth what came of it there.
    fn length_trend(&self) -> LengthTrend {
        let all = self.slopes(|_| true);
        let topics = self.strange.topics.iter().max().map_or(0, |it| it + 1);
        let without: Vec<_> = (0..topics)
            .map(|out| self.slopes(|row| self.strange.topics[row] != out))
            .collect();
        let trials = (0..self.lengths.len()).map(|row| {
            let slopes = &without[self.strange.topics[row]];
            let predicted: Vec<_> = slopes.iter().map(|it| it * self.lengths[row]).collect();
            self.trial(row, (1.0, NEW), &predicted)
        });
        let kept = trust::kept(&trials.collect::<Vec<_>>());
        LengthTrend {
            slopes: all.into_iter().map(|it| kept * it).collect(),
        }
    }

    fn slopes(&self, is_in: impl Fn(usize) -> bool) -> Vec<f64> {
        let slope = |model: usize| {
            let (mut product, mut square) = (0.0, 1.0);
            for (row, length) in self.lengths.iter().enumerate().filter(|it| is_in(it.0)) {
                if let Some(gain) = self.examples.goals[row][model] {
                    product += gain * length;
                    square += length * length;
                }
            }
            product / square
        };
        (0..self.means.len()).map(slope).collect()
    }

    /// How wrong the mean prediction on a topic is: with other prompts of it in the training, and
    /// without any. One pseudo-topic without error keeps a single one from deciding.
    fn errors(&self) -> Vec<(f64, f64)> {
        let error = |model: usize, predictions: &[Vec<f64>]| {
            let topics = self.strange.topics.iter().max().map_or(0, |it| it + 1);
            let mut sums = vec![(0.0, 0.0); topics];
            for (row, outcome) in self.outcomes.iter().enumerate() {
                if let Some(score) = outcome.scores[model] {
                    let predicted = &predictions[row];
                    let level = predicted[self.means.len()];
                    let sum = &mut sums[self.strange.topics[row]];
                    sum.0 += score - self.means[model] - predicted[model] - level;
                    sum.1 += 1.0;
                }
            }
            let known: Vec<_> = sums.iter().filter(|it| it.1 > 0.0).collect();
            let squares = known.iter().map(|it| (it.0 / it.1).powi(2));
            (squares.sum::<f64>() / known.len().max(1) as f64).sqrt()
        };
        let models = 0..self.means.len();
        models
            .map(|model| {
                let near = error(model, &self.choice.held_out);
                (near, error(model, &self.strange.predictions).max(near))
            })
            .collect()
    }

    fn calibration(
        &self,
        trust: &Trust,
        length: &LengthTrend,
        topics: &Topics,
        sketches: &[Sketch],
        random: &mut Random,
    ) -> Calibration {
        let mut rows: Vec<_> = (0..sketches.len()).collect();
        random.shuffle(&mut rows);
        rows.truncate(calibration::MOST);
        let predictions = rows.iter().flat_map(|&row| {
            let part = trust.at(topics.novelty(&sketches[row], |_| true));
            let held_out = &self.choice.held_out[row];
            let level = part * held_out[self.means.len()];
            (0..self.means.len()).map(move |model| {
                let trend = length.slopes[model] * self.lengths[row];
                self.means[model] + level + part * held_out[model] + (1.0 - part) * trend
            })
        });
        Calibration::new(self.means.len(), predictions)
    }
}
