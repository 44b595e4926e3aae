//! How good is a router on prompts whose outcomes are known?
//!
//! Two questions that published routers are compared by:
//!
//! - [`evaluate_pair`]: between a weak and a strong model, how much of the strong one's advantage
//!   comes back for which share of calls to it? The metric of RouteLLM (Ong et al. 2024,
//!   "RouteLLM: Learning to Route LLMs with Preference Data", and its `evals/benchmarks.py`).
//! - [`evaluate_choices`]: among many models, which quality at which price? [`frontier_area`] makes
//!   one number of several such points, after RouterBench's AIQ (Hu et al. 2024).
//!
//! None of it knows how a router works: scores or choices go in, figures come out.

mod choices;
mod pair;

pub use choices::{ChoiceReport, evaluate_choices, frontier_area, regret};
pub use pair::{PairOutcome, PairReport, evaluate_pair};

/// Why nothing can be said about a router.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// There is not one prompt.
    #[error("there is nothing to evaluate; give at least one prompt with its outcome")]
    Empty,
    /// Two lists that go together have different lengths.
    #[error("{left} prompts cannot be compared with {right} of them; give one of each per prompt")]
    Lengths {
        /// The length of the first list.
        left: usize,
        /// The length of the other.
        right: usize,
    },
    /// A score, an outcome or a price is not a number.
    #[error("the value of prompt {row} is not a finite number")]
    NotFinite {
        /// Its place in the list, from 0.
        row: usize,
    },
    /// A choice names a model that has no outcome.
    #[error("prompt {row} chose model {choice}, which has no outcome or no price")]
    UnknownModel {
        /// The place of the prompt, from 0.
        row: usize,
        /// The place of the model, from 0.
        choice: usize,
    },
    /// Both models are equally good, so that there is no advantage to win back.
    #[error(
        "the weak and the strong model are equally good on these prompts; compare another pair"
    )]
    NoGap,
}
