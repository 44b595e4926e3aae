//! A cheap model first, a better one if the answer is not good enough.

use bursar_units::Money;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde::Serialize;

use crate::candidate::{Candidate, Situation};
use crate::name::ModelId;
use crate::policy::{Plan, ScorePart, Scored, Selection, SelectionPolicy, points_of};

/// Asks the cheapest model that is likely enough to do, checks the answer, and escalates to better ones
/// only when a check fails.
///
/// A stage is worth its money if it is cheaper than what it saves: with acceptance p, cost c and C for all
/// later stages, c < p × C. Stages that are not are left out. The acceptance of an answer is taken
/// to be the predicted quality over 100; calibrate the predictor, or set the rates that were seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Cascade {
    most_stages: usize,
    checks: Vec<AnswerCheck>,
}

/// The stages of a cascade and what it is expected to cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CascadePlan {
    /// In the order in which they are asked; at least one.
    pub stages: Vec<CascadeStage>,
    /// The cost of all stages, each weighed with how likely it is reached.
    pub expected_cost: Money,
    /// What an answer is checked for.
    pub checks: Vec<AnswerCheck>,
}

/// One model of a cascade.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CascadeStage {
    /// The model.
    pub model: ModelId,
    /// What it is expected to cost.
    pub cost: Money,
    /// How likely its answer is to be accepted, from 0 to 1; of the last stage it is taken as it is.
    pub acceptance: f64,
}

/// What the answer of a stage must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnswerCheck {
    /// There is something in it.
    NotEmpty,
    /// It was not cut off.
    Complete,
    /// It is valid JSON.
    Json,
    /// The model, or a judge, is at least so sure of it, from 0 to 1.
    Confidence(f64),
}

/// What a check sees of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckedAnswer<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether the model came to an end by itself.
    pub is_complete: bool,
    /// How sure the model or a judge is, from 0 to 1; `None` if nobody says.
    pub confidence: Option<f64>,
}

/// Why an answer is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckFailure {
    /// There is nothing in it.
    #[error("the answer is empty")]
    Empty,
    /// It was cut off.
    #[error("the answer was cut off")]
    Cut,
    /// It is no JSON.
    #[error("the answer is no valid JSON")]
    NotJson,
    /// Nobody is sure enough of it.
    #[error("the confidence of {confidence} is under {least}")]
    Unsure {
        /// How sure they are.
        confidence: f64,
        /// How sure they should be.
        least: f64,
    },
    /// Nobody says how sure they are.
    #[error("nobody says how sure they are")]
    ConfidenceUnknown,
}

/// What follows on the answer of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CascadeStep<'a> {
    /// The answer is good enough.
    Accept,
    /// It is not, and this model is asked next.
    Escalate {
        /// Whom to ask.
        to: &'a CascadeStage,
        /// Why.
        why: CheckFailure,
    },
    /// It is not, and there is nobody better to ask.
    Exhausted {
        /// What is wrong with it.
        why: CheckFailure,
    },
}

impl AnswerCheck {
    /// Checks an answer.
    ///
    /// # Errors
    /// [`CheckFailure`] if it is not good enough.
    pub fn check(self, answer: &CheckedAnswer<'_>) -> Result<(), CheckFailure> {
        let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(answer.text).is_ok();
        match self {
            Self::NotEmpty if answer.text.trim().is_empty() => Err(CheckFailure::Empty),
            Self::Complete if !answer.is_complete => Err(CheckFailure::Cut),
            Self::Json if !is_json() => Err(CheckFailure::NotJson),
            Self::Confidence(least) => match answer.confidence {
                None => Err(CheckFailure::ConfidenceUnknown),
                Some(confidence) if confidence >= least => Ok(()),
                Some(confidence) => Err(CheckFailure::Unsure { confidence, least }),
            },
            _ => Ok(()),
        }
    }
}

impl CascadePlan {
    /// What follows on the answer of a stage, counted from 0.
    #[must_use]
    pub fn after(&self, stage: usize, answer: &CheckedAnswer<'_>) -> CascadeStep<'_> {
        let failed = self
            .checks
            .iter()
            .find_map(|check| check.check(answer).err());
        let Some(why) = failed else {
            return CascadeStep::Accept;
        };
        match stage.checked_add(1).and_then(|next| self.stages.get(next)) {
            Some(to) => CascadeStep::Escalate { to, why },
            None => CascadeStep::Exhausted { why },
        }
    }
}

impl Cascade {
    /// At most so many stages, at least one, and these checks of their answers.
    #[must_use]
    pub fn new(most_stages: usize, checks: Vec<AnswerCheck>) -> Self {
        Self {
            most_stages: most_stages.max(1),
            checks,
        }
    }
}

impl SelectionPolicy for Cascade {
    fn name(&self) -> &str {
        "cascade"
    }

    fn select(&self, _: &Situation<'_>, candidates: &[Candidate<'_>]) -> Selection {
        let scored = |(at, candidate): (usize, &Candidate<'_>)| {
            let quality = candidate.quality.map_or(0.0, |it| it.expected.points());
            Scored::of(
                at,
                vec![ScorePart {
                    what: "quality",
                    points: quality,
                }],
            )
        };
        let ranking = candidates.iter().enumerate().map(scored).collect();
        let mut selection = Selection::by_score(ranking, candidates);
        let best_first: Vec<usize> = selection.ranking.iter().map(|it| it.candidate).collect();
        let stages = stages(&best_first, candidates, self.most_stages);
        let Some(expected_cost) = expected_cost(&stages, candidates) else {
            return selection;
        };
        let place = |it: &Scored| stages.iter().position(|stage| *stage == it.candidate);
        selection
            .ranking
            .sort_by_key(|it| place(it).unwrap_or(usize::MAX));
        let stage = |at: &usize| {
            let candidate = candidates.get(*at)?;
            Some(CascadeStage {
                model: candidate.entry.id.clone(),
                cost: candidate.cost.expected,
                acceptance: acceptance(candidate),
            })
        };
        selection.plan = Plan::Cascade(CascadePlan {
            stages: stages.iter().filter_map(stage).collect(),
            expected_cost,
            checks: self.checks.clone(),
        });
        selection
    }
}

fn acceptance(candidate: &Candidate<'_>) -> f64 {
    candidate
        .quality
        .map_or(0.0, |it| it.expected.points() / 100.0)
}

/// The stages, cheap first: from the best model backwards, each time the one that saves most in front of
/// what is there, as long as one saves anything.
fn stages(best_first: &[usize], candidates: &[Candidate<'_>], most: usize) -> Vec<usize> {
    let Some((last, others)) = best_first.split_first() else {
        return Vec::new();
    };
    let cost = |at: usize| {
        candidates
            .get(at)
            .map_or(f64::INFINITY, |it| points_of(it.cost.expected))
    };
    let mut stages = vec![*last];
    let mut later = cost(*last);
    let mut quality = f64::INFINITY;
    while stages.len() < most {
        let with = |at: usize| {
            let accepted = candidates.get(at).map_or(0.0, acceptance);
            (cost(at) + (1.0 - accepted) * later, accepted, at)
        };
        // Every earlier stage is worse than the later ones, or its answer would not be worth escalating.
        let worse = others
            .iter()
            .copied()
            .map(with)
            .filter(|it| it.1 < quality && !stages.contains(&it.2));
        let cheapest = worse.min_by(|left, right| left.0.total_cmp(&right.0));
        let Some((total, accepted, at)) = cheapest.filter(|it| it.0 < later) else {
            break;
        };
        stages.insert(0, at);
        (later, quality) = (total, accepted);
    }
    stages
}

/// The cost of the stages, each weighed with how likely it is reached; `None` if it cannot be told.
fn expected_cost(stages: &[usize], candidates: &[Candidate<'_>]) -> Option<Money> {
    let mut total: Option<Money> = None;
    let mut reached = 1.0_f64;
    for at in stages {
        let candidate = candidates.get(*at)?;
        // Six decimal places of a probability are more than it is known to; the product stays short.
        let share = Decimal::from_f64(reached)?.round_dp(6);
        let cost = candidate.cost.expected.checked_mul(share).ok()?;
        total = Some(match total {
            Some(total) => total.checked_add(cost).ok()?,
            None => cost,
        });
        reached *= 1.0 - acceptance(candidate);
    }
    total
}
