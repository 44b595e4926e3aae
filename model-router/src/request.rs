//! What is asked, how hard is it, and what must the model be able to do?

use std::time::Duration;

use bursar_units::Money;

use crate::feature::FeatureSet;
use crate::infer;
use crate::name::{ModelId, ProviderId};
use crate::task::{Complexity, TaskType};

/// The output tokens that a request allows when it does not say.
pub const DEFAULT_MAX_OUTPUT_TOKENS: u64 = 200;

/// How much a request presses.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It may wait.
    Low,
    /// As most.
    #[default]
    Normal,
    /// Somebody is waiting for it.
    High,
}

/// A conversation whose beginning a provider still has in its prompt cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmCache<'a> {
    /// The model that has it.
    pub model: &'a ModelId,
    /// As many input tokens of this request are in the cache.
    pub cached_tokens: u64,
}

/// A request to be routed: its text or its measures, and what the answer must keep to.
///
/// ```
/// use bursar_model_router::{Complexity, RouteRequest, TaskType};
///
/// let request = RouteRequest::new("What is the capital of Peru?");
/// assert_eq!(request.task(), TaskType::QuestionAnswering);
/// assert_eq!(request.complexity(), Complexity::Simple);
/// assert_eq!(request.max_output_tokens(), 200);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct RouteRequest<'a> {
    text: &'a str,
    task: Option<TaskType>,
    complexity: Option<Complexity>,
    input_tokens: Option<u64>,
    expected_output_tokens: Option<u64>,
    max_output_tokens: u64,
    temperature: f64,
    priority: Priority,
    deadline: Option<Duration>,
    needs: FeatureSet,
    budget: Option<Money>,
    providers: Option<&'a [ProviderId]>,
    warm: Option<WarmCache<'a>>,
}

/// The temperature of a request that does not say one.
pub const DEFAULT_TEMPERATURE: f64 = 0.1;

impl<'a> RouteRequest<'a> {
    /// Asks this: the whole text that a model will read, instructions and conversation included.
    pub const fn new(text: &'a str) -> Self {
        Self {
            text,
            task: None,
            complexity: None,
            input_tokens: None,
            expected_output_tokens: None,
            max_output_tokens: DEFAULT_MAX_OUTPUT_TOKENS,
            temperature: DEFAULT_TEMPERATURE,
            priority: Priority::Normal,
            deadline: None,
            needs: FeatureSet::EMPTY,
            budget: None,
            providers: None,
            warm: None,
        }
    }

    /// Is of this kind, whatever the text looks like.
    pub const fn with_task(mut self, task: TaskType) -> Self {
        self.task = Some(task);
        self
    }

    /// Is so hard, whatever the text looks like.
    pub const fn with_complexity(mut self, complexity: Complexity) -> Self {
        self.complexity = Some(complexity);
        self
    }

    /// Has exactly so many input tokens, where the caller has counted them.
    pub const fn with_input_tokens(mut self, tokens: u64) -> Self {
        self.input_tokens = Some(tokens);
        self
    }

    /// Is expected to be answered in so many tokens, where the caller knows better than what was learned of
    /// answers.
    pub const fn with_expected_output_tokens(mut self, tokens: u64) -> Self {
        self.expected_output_tokens = Some(tokens);
        self
    }

    /// Allows so many output tokens.
    pub const fn with_max_output_tokens(mut self, tokens: u64) -> Self {
        self.max_output_tokens = tokens;
        self
    }

    /// Is answered at this temperature.
    pub const fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = temperature;
        self
    }

    /// Presses so much.
    pub const fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Must be answered in this time.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Needs these features.
    pub fn with_needs(mut self, needs: impl Into<FeatureSet>) -> Self {
        self.needs = needs.into();
        self
    }

    /// May not cost more than this, even if the answer is as long as it may be.
    pub const fn with_budget(mut self, budget: Money) -> Self {
        self.budget = Some(budget);
        self
    }

    /// May only go to these providers.
    pub const fn with_providers(mut self, providers: &'a [ProviderId]) -> Self {
        self.providers = Some(providers);
        self
    }

    /// Goes on with a conversation that is warm in a prompt cache.
    pub const fn with_warm_cache(mut self, warm: WarmCache<'a>) -> Self {
        self.warm = Some(warm);
        self
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The kind of work: as given, or inferred from the text.
    #[must_use]
    pub fn task(&self) -> TaskType {
        self.task.unwrap_or_else(|| infer::task(self.text))
    }

    /// How hard it is: as given, or inferred from the text.
    #[must_use]
    pub fn complexity(&self) -> Complexity {
        let inferred = || infer::complexity(self.text, self.max_output_tokens);
        self.complexity.unwrap_or_else(inferred)
    }

    /// Whether the caller has said the kind of work.
    #[must_use]
    pub const fn is_task_given(&self) -> bool {
        self.task.is_some()
    }

    /// The input tokens, where the caller has counted them.
    #[must_use]
    pub const fn input_tokens(&self) -> Option<u64> {
        self.input_tokens
    }

    /// The output tokens that the caller expects; `None` if what was learned of answers counts.
    #[must_use]
    pub const fn expected_output_tokens(&self) -> Option<u64> {
        self.expected_output_tokens
    }

    /// The output tokens that are allowed.
    #[must_use]
    pub const fn max_output_tokens(&self) -> u64 {
        self.max_output_tokens
    }

    /// The temperature.
    #[must_use]
    pub const fn temperature(&self) -> f64 {
        self.temperature
    }

    /// How much it presses.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// The time in which it must be answered.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The features that it needs.
    pub const fn needs(&self) -> FeatureSet {
        self.needs
    }

    /// What it may cost at most.
    #[must_use]
    pub const fn budget(&self) -> Option<Money> {
        self.budget
    }

    /// The providers that it may go to; `None` if any will do.
    #[must_use]
    pub const fn providers(&self) -> Option<&'a [ProviderId]> {
        self.providers
    }

    /// The prompt cache that is warm.
    #[must_use]
    pub const fn warm_cache(&self) -> Option<WarmCache<'a>> {
        self.warm
    }
}
