//! How long will the answer be?

mod distribution;

use std::collections::BTreeMap;

use bursar_units::TokenCount;

use self::distribution::{Forecast, Point};
use crate::decaying::DecayingHistogram;
use crate::format::Format;
use crate::name::ModelId;
use crate::task::TaskType;
use crate::tokens::{round, round_up};

/// As many answers as what is known from elsewhere is worth: from the task with all models, where a
/// model is new, and from [`PRIOR`], where a task is new.
const PARENT_WORTH: f64 = 10.0;

/// Lengths of answers where nothing is known, each as likely as the others: the quantiles 1/32, 3/32 …
/// 31/32 of the 19,366 answers in `AzureLLMInferenceTrace_conv.csv` (P. Patel et al., "Splitwise",
/// ISCA 2024; the trace is of 2023-11-16 and CC-BY). Their mean is 206 tokens; the whole trace's is 211.
const PRIOR: [f64; 16] = [
    33.0, 53.0, 68.0, 81.0, 89.0, 95.0, 104.0, 118.0, 141.0, 171.0, 223.0, 389.0, 397.0, 411.0,
    427.0, 502.0,
];

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerEnd {
    /// By itself.
    Complete,
    /// At the limit of output tokens: it would have been longer.
    Truncated,
}

/// How many tokens an answer is expected to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct OutputLength {
    /// The mean.
    pub expected: TokenCount,
    /// Half of the answers are longer.
    pub p50: TokenCount,
    /// One answer in twenty is longer.
    pub p95: TokenCount,
    /// One answer in a hundred is longer.
    pub p99: TokenCount,
    /// No answer is longer: the limit that was asked for.
    pub limit: TokenCount,
}

/// How long answers have been, by model and task.
///
/// What a model does in a task is learned from what it did there, mixed with what all models did in the
/// task, worth 10 answers, mixed with what is usual, worth 10 answers too. An answer that was cut off
/// counts as 'at least so long' (E. L. Kaplan, P. Meier, 1958), so a low limit does not teach that
/// answers are short. Old answers fade: of 4,096, half is forgotten.
///
/// At most about 7 kB for each model and task that has had answers, and 40 kB for each task; a forecast
/// looks up, and `learn` computes, in tens of microseconds.
///
/// ```
/// use bursar_model_router::{AnswerEnd, ModelId, OutputLengths, TaskType};
/// use bursar_units::TokenCount;
///
/// let haiku = ModelId::new("anthropic.claude-3-haiku-20240307-v1:0")?;
/// let limit = TokenCount::new(1_000);
/// let mut lengths = OutputLengths::new();
/// let before = lengths.forecast(&haiku, TaskType::Classification, limit);
/// assert_eq!(before.expected.as_u64(), 206);
///
/// for n_tokens in (3..=7).cycle().take(500) {
///     let tokens = TokenCount::new(n_tokens);
///     lengths.learn(&haiku, TaskType::Classification, tokens, AnswerEnd::Complete);
/// }
/// let after = lengths.forecast(&haiku, TaskType::Classification, limit);
/// assert!((5..=9).contains(&after.expected.as_u64()));
/// assert!(after.p95.as_u64() <= 8);
/// assert_eq!(after.limit, limit);
/// # Ok::<(), bursar_model_router::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct OutputLengths {
    models: BTreeMap<ModelId, BTreeMap<TaskType, Learned<Forecast>>>,
    tasks: BTreeMap<TaskType, Learned<Vec<Point>>>,
    usual: Vec<Point>,
    unknown: Forecast,
}

/// Answers, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
struct Learned<T> {
    answers: Answers,
    outcome: T,
}

/// The lengths of answers that ended by themselves and of those that were cut off.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    complete: DecayingHistogram,
    truncated: DecayingHistogram,
}

impl Answers {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a length needs no more than 53 bits"
    )]
    fn add(&mut self, tokens: TokenCount, end: AnswerEnd) {
        let (this, other) = match end {
            AnswerEnd::Complete => (&mut self.complete, &mut self.truncated),
            AnswerEnd::Truncated => (&mut self.truncated, &mut self.complete),
        };
        let before = this.total();
        this.add(tokens.as_u64() as f64);
        // Both fade together, or the share of those that were cut off would drift.
        if this.total() < before {
            other.halve();
        }
    }

    fn distribution(&self, parent: &[Point]) -> Vec<Point> {
        distribution::of(&self.complete, &self.truncated, parent, PARENT_WORTH)
    }
}

impl Default for OutputLengths {
    fn default() -> Self {
        Self::new()
    }
}

impl OutputLengths {
    /// That has seen no answer.
    #[must_use]
    pub fn new() -> Self {
        let usual: Vec<Point> = PRIOR
            .map(|value| Point {
                value,
                mass: 1.0 / 16.0,
            })
            .into();
        let unknown = Forecast::of(&usual);
        Self {
            models: BTreeMap::new(),
            tasks: BTreeMap::new(),
            usual,
            unknown,
        }
    }

    /// Learns the length of an answer, reasoning included, as it was billed.
    pub fn learn(&mut self, model: &ModelId, task: TaskType, tokens: TokenCount, end: AnswerEnd) {
        let of_task = self.tasks.entry(task).or_insert_with(|| Learned {
            answers: Answers::default(),
            outcome: Vec::new(),
        });
        of_task.answers.add(tokens, end);
        of_task.outcome = of_task.answers.distribution(&self.usual);
        let of_model = self.models.entry(model.clone()).or_default();
        let learned = of_model.entry(task).or_insert_with(|| Learned {
            answers: Answers::default(),
            outcome: self.unknown,
        });
        learned.answers.add(tokens, end);
        learned.outcome = Forecast::of(&learned.answers.distribution(&of_task.outcome));
    }

    /// How long the next answer will be, with this limit of output tokens. Every model and task has a
    /// forecast, if only the usual one.
    #[must_use]
    pub fn forecast(&self, model: &ModelId, task: TaskType, limit: TokenCount) -> OutputLength {
        let of_model = self.models.get(model).and_then(|tasks| tasks.get(&task));
        let forecast = of_model.map_or_else(|| self.usual(task), |learned| learned.outcome);
        under(&forecast, limit)
    }

    /// What to expect of a model that has not answered this task.
    fn usual(&self, task: TaskType) -> Forecast {
        let learned = self.tasks.get(&task);
        learned.map_or(self.unknown, |learned| Forecast::of(&learned.outcome))
    }

    /// The expected lengths of the answers of many models to one task.
    pub(crate) fn expected(&self, task: TaskType, limit: TokenCount) -> ExpectedLengths<'_> {
        ExpectedLengths {
            lengths: self,
            task,
            limit,
            usual: under(&self.usual(task), limit).expected,
        }
    }
}

/// The lengths that are expected of one task, with what all models share computed once.
pub(crate) struct ExpectedLengths<'a> {
    lengths: &'a OutputLengths,
    task: TaskType,
    limit: TokenCount,
    usual: TokenCount,
}

impl ExpectedLengths<'_> {
    pub(crate) fn of(&self, model: &ModelId) -> TokenCount {
        let tasks = self.lengths.models.get(model);
        match tasks.and_then(|tasks| tasks.get(&self.task)) {
            Some(learned) => under(&learned.outcome, self.limit).expected,
            None => self.usual,
        }
    }
}

/// What a limit leaves of a forecast.
fn under(forecast: &Forecast, limit: TokenCount) -> OutputLength {
    let at_most = |count: u64| TokenCount::new(count).min(limit);
    OutputLength {
        expected: at_most(round(forecast.mean_under(limit))),
        p50: at_most(round(forecast.p50)),
        p95: at_most(round_up(forecast.p95)),
        p99: at_most(round_up(forecast.p99)),
        limit,
    }
}

/// Answers alone; what follows from them is computed again.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: Format<1>,
    models: BTreeMap<ModelId, BTreeMap<TaskType, Answers>>,
    tasks: BTreeMap<TaskType, Answers>,
}

impl From<OutputLengths> for Saved {
    fn from(lengths: OutputLengths) -> Self {
        let models = lengths.models.into_iter();
        Self {
            format: Format,
            models: models
                .map(|(model, tasks)| (model, answers_of(tasks)))
                .collect(),
            tasks: answers_of(lengths.tasks),
        }
    }
}

fn answers_of<T>(tasks: BTreeMap<TaskType, Learned<T>>) -> BTreeMap<TaskType, Answers> {
    tasks
        .into_iter()
        .map(|(task, learned)| (task, learned.answers))
        .collect()
}

impl From<Saved> for OutputLengths {
    fn from(saved: Saved) -> Self {
        let mut lengths = Self::new();
        for (task, answers) in saved.tasks {
            let outcome = answers.distribution(&lengths.usual);
            lengths.tasks.insert(task, Learned { answers, outcome });
        }
        for (model, tasks) in saved.models {
            let of_model = lengths.models.entry(model).or_default();
            for (task, answers) in tasks {
                let of_task = lengths.tasks.get(&task).map(|learned| &learned.outcome);
                let points = answers.distribution(of_task.unwrap_or(&lengths.usual));
                let outcome = Forecast::of(&points);
                of_model.insert(task, Learned { answers, outcome });
            }
        }
        lengths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_expected_of_many_models_are_their_forecasts() {
        let known = ModelId::new("a.known-model").expect("it is a name");
        let unknown = ModelId::new("a.new-model").expect("it is a name");
        let mut lengths = OutputLengths::new();
        for n_tokens in 100..200 {
            let tokens = TokenCount::new(n_tokens);
            lengths.learn(&known, TaskType::Summarization, tokens, AnswerEnd::Complete);
        }
        for task in [TaskType::Summarization, TaskType::CodeGeneration] {
            let limit = TokenCount::new(150);
            let expected = lengths.expected(task, limit);
            for model in [&known, &unknown] {
                let forecast = lengths.forecast(model, task, limit);
                assert_eq!(expected.of(model), forecast.expected, "{model} {task:?}");
            }
        }
    }
}
