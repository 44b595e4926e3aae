//! What does a policy see of a request and of each model that can serve it?

use std::time::Duration;

use bursar_units::Money;
use serde::Serialize;

use crate::constraint::Reason;
use crate::entry::{ModelEntry, Quality};
use crate::rates::CallShape;
use crate::request::RouteRequest;
use crate::statistics::Statistics;
use crate::task::{Complexity, TaskType};

/// How many tokens a text is thought to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TokenRange {
    /// As many as are expected.
    pub expected: u64,
    /// As many as one text in a hundred has more than.
    pub upper: u64,
}

impl TokenRange {
    /// So many and no doubt.
    #[must_use]
    pub const fn exactly(tokens: u64) -> Self {
        Self {
            expected: tokens,
            upper: tokens,
        }
    }
}

/// A request with all that has been found out about it before a model is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The request.
    pub request: &'a RouteRequest<'a>,
    /// The kind of work, as given or inferred.
    pub task: TaskType,
    /// How hard it is, as given or inferred.
    pub complexity: Complexity,
    /// The tokens of the input: the most that any of the tokenizers of the models may make of it.
    pub input_tokens: TokenRange,
    /// The randomness of a policy that explores. The same seed makes the same choice.
    pub seed: u64,
}

/// What a call of a model may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CandidateCost {
    /// With the expected input and answer, and with what is warm in this model's prompt cache.
    pub expected: Money,
    /// The same with nothing in any prompt cache.
    pub cold: Money,
    /// With the most input tokens and the longest answer that is allowed, and nothing in a cache.
    pub upper_bound: Money,
}

/// How long a model may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// On average.
    pub mean: Duration,
    /// The 95th percentile: measured, or [twice the average](Self::ASSUMED_SPREAD) of the catalog.
    pub upper: Duration,
    /// Whether it was measured here; else it is the catalog's.
    pub is_measured: bool,
}

impl Latency {
    /// As many answers it takes until their 95th percentile is trusted: one in 20 lies above it.
    pub const ENOUGH_ANSWERS: u64 = 20;

    /// The 95th percentile over the average where only an average is known. A log-normal latency
    /// with a coefficient of variation of 0.5, which streamed answers of one model commonly have, has
    /// its 95th percentile at 1.95 times its mean.
    pub const ASSUMED_SPREAD: u32 = 2;

    /// From what was measured if that is [enough](Self::ENOUGH_ANSWERS), else from the catalog.
    pub(crate) fn of(entry: &ModelEntry, statistics: Option<&Statistics>) -> Option<Self> {
        let measured = statistics.and_then(|it| it.model(&entry.id));
        let measured = measured.filter(|it| it.answers() >= Self::ENOUGH_ANSWERS);
        if let Some(measured) = measured {
            return Some(Self {
                mean: measured.mean_latency()?,
                upper: measured.latency(0.95)?,
                is_measured: true,
            });
        }
        let mean = entry.average_latency?;
        Some(Self {
            mean,
            upper: mean.saturating_mul(Self::ASSUMED_SPREAD),
            is_measured: false,
        })
    }
}

/// How good the answer of a model to this request is thought to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PredictedQuality {
    /// The best guess.
    pub expected: Quality,
    /// It is hardly under this.
    pub low: Quality,
    /// It is hardly over this.
    pub high: Quality,
}

impl PredictedQuality {
    /// So good and no doubt.
    pub const fn exactly(quality: Quality) -> Self {
        Self {
            expected: quality,
            low: quality,
            high: quality,
        }
    }
}

/// A model that can serve a request.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The model.
    pub entry: &'a ModelEntry,
    /// The tokens of the input for this model's tokenizer, counted or estimated.
    pub input_tokens: TokenRange,
    /// What it may cost.
    pub cost: CandidateCost,
    /// How long it may take; `None` if it is not known.
    pub latency: Option<Latency>,
    /// How good its answer may be; `None` if it is not known.
    pub quality: Option<PredictedQuality>,
}

impl Situation<'_> {
    /// The cost of a model with an expected answer of so many tokens.
    pub(crate) fn cost(
        &self,
        entry: &ModelEntry,
        input_tokens: TokenRange,
        output_tokens: u64,
    ) -> Result<CandidateCost, Reason> {
        let rates = entry.rates.as_ref().ok_or(Reason::PriceUnknown)?;
        let warm = self
            .request
            .warm_cache()
            .filter(|warm| *warm.model == entry.id);
        let cold = CallShape {
            input_tokens: input_tokens.expected,
            output_tokens: output_tokens.min(self.request.max_output_tokens()),
            ..CallShape::default()
        };
        let upper_bound = CallShape {
            input_tokens: input_tokens.upper,
            output_tokens: self.request.max_output_tokens(),
            ..CallShape::default()
        };
        let cost = |shape| rates.cost(shape).map_err(|_| Reason::PriceTooLong);
        let cold_cost = cost(cold)?;
        let expected = match warm {
            Some(warm) => cost(CallShape {
                cache_read_tokens: warm.cached_tokens,
                ..cold
            })?,
            None => cold_cost,
        };
        Ok(CandidateCost {
            expected,
            cold: cold_cost,
            upper_bound: cost(upper_bound)?,
        })
    }
}
