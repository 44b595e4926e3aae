//! Which model answers, and why that one?

use std::fmt;

use bursar_units::Money;
use serde::Serialize;

use crate::candidate::{CandidateCost, Latency, PredictedQuality, TokenRange};
use crate::constraint::Rejection;
use crate::name::{ModelId, ProviderId};
use crate::policy::{Plan, ScorePart};
use crate::task::{Complexity, TaskType};

/// The model that answers a request, with everything that the choice rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Decision {
    /// The model.
    pub model: ModelId,
    /// Its provider.
    pub provider: ProviderId,
    /// The policy that chose it.
    pub policy: String,
    /// Who predicted the qualities.
    pub predictor: String,
    /// The kind of work.
    pub task: TaskType,
    /// How hard it is.
    pub complexity: Complexity,
    /// The tokens of the input.
    pub input_tokens: TokenRange,
    /// All models that can serve the request, in the order in which they should be tried: the chosen one
    /// first, its fallbacks after it.
    pub candidates: Vec<RankedCandidate>,
    /// All models that cannot, with every reason.
    pub rejected: Vec<Rejection>,
    /// How to go about it.
    pub plan: Plan,
    /// What the choice saves.
    pub savings: Savings,
    /// What is out of the ordinary about the choice.
    pub remark: Option<String>,
    /// What the policy in shadow would have chosen.
    pub shadow: Option<ShadowChoice>,
}

/// A model that can serve the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RankedCandidate {
    /// The model.
    pub model: ModelId,
    /// Its provider.
    pub provider: ProviderId,
    /// The sum of the parts.
    pub score: f64,
    /// What the score is made of.
    pub parts: Vec<ScorePart>,
    /// What it may cost.
    pub cost: CandidateCost,
    /// How long it may take; `None` if it is not known.
    pub latency: Option<Latency>,
    /// How good its answer may be; `None` if it is not known.
    pub quality: Option<PredictedQuality>,
}

/// What a choice saves against always taking one model. Under zero it costs more.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Savings {
    /// Against the candidate with the highest quality.
    pub against_strongest: Option<Saving>,
    /// Against the one model that a thrifty team would use for everything.
    pub against_single: Option<Saving>,
    /// The same, with what is warm in a prompt cache read at its cached price. A router that changes models
    /// has to beat this one.
    pub against_single_with_cache: Option<Saving>,
}

/// A saving against one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Saving {
    /// The model that it is against.
    pub model: ModelId,
    /// What it is expected to cost.
    pub cost: Money,
    /// Its cost less that of the choice.
    pub saved: Money,
}

/// What a policy in shadow would have chosen; it changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShadowChoice {
    /// The policy.
    pub policy: String,
    /// The model.
    pub model: ModelId,
    /// Its provider.
    pub provider: ProviderId,
    /// What it is expected to cost.
    pub cost: Money,
    /// Whether it is the model that was chosen.
    pub agrees: bool,
}

impl Decision {
    /// The chosen candidate.
    ///
    /// ```
    /// # use bursar_model_router::Decision;
    /// fn log(decision: &Decision) -> Option<String> {
    ///     let chosen = decision.chosen()?;
    ///     Some(format!("{} for about {}", chosen.model, chosen.cost.expected))
    /// }
    /// ```
    #[must_use]
    pub fn chosen(&self) -> Option<&RankedCandidate> {
        self.candidates.first()
    }

    /// Whom to ask if the chosen model does not answer, in order.
    pub fn fallbacks(&self) -> impl Iterator<Item = &RankedCandidate> {
        self.candidates.iter().skip(1)
    }
}

/// Several lines for a log: the choice, the candidates with their parts, the rejections.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            model,
            provider,
            policy,
            task,
            complexity,
            ..
        } = self;
        writeln!(
            f,
            "{model} ({provider}) by {policy}: {complexity} {task}, {} input tokens",
            self.input_tokens.expected
        )?;
        if let Some(remark) = &self.remark {
            writeln!(f, "  {remark}")?;
        }
        for candidate in &self.candidates {
            write!(
                f,
                "  {:<44} {:>8.2}  {}",
                candidate.model.as_str(),
                candidate.score,
                candidate.cost.expected
            )?;
            for ScorePart { what, points } in &candidate.parts {
                write!(f, "  {what} {points:+.2}")?;
            }
            writeln!(f)?;
        }
        for rejection in &self.rejected {
            writeln!(f, "  not {rejection}")?;
        }
        Ok(())
    }
}
