//! Which of the models that can serve a request should? The port of selection, and its policies.

mod cache_aware;
mod cascade;
mod cheapest_above;
mod learned;
mod weighted_score;

use std::fmt;

use bursar_units::Money;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;

pub use self::cache_aware::CacheAware;
pub use self::cascade::{
    AnswerCheck, Cascade, CascadePlan, CascadeStage, CascadeStep, CheckFailure, CheckedAnswer,
};
pub use self::cheapest_above::CheapestAbove;
pub use self::learned::{Exploration, ExplorationError, Learned};
pub use self::weighted_score::WeightedScore;

use crate::candidate::{Candidate, Situation};

/// Orders the models that can serve a request. An implementation answers the same to the same
/// arguments; its randomness is the seed of the situation.
pub trait SelectionPolicy: fmt::Debug + Send + Sync {
    /// What it is called in decisions and logs.
    fn name(&self) -> &str;

    /// Orders the candidates, of which there is at least one.
    fn select(&self, situation: &Situation<'_>, candidates: &[Candidate<'_>]) -> Selection;
}

/// The candidates in the order in which they should be tried.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Selection {
    /// The best first.
    pub ranking: Vec<Scored>,
    /// How to go about it.
    pub plan: Plan,
    /// Why the best is not the one with the highest score, where that is so.
    pub remark: Option<String>,
}

/// What a policy thinks of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The place of the candidate among those that were handed in.
    pub candidate: usize,
    /// The sum of the parts; higher is better.
    pub score: f64,
    /// What it is made of.
    pub parts: Vec<ScorePart>,
}

/// A part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScorePart {
    /// What it is for.
    pub what: &'static str,
    /// How much it adds.
    pub points: f64,
}

/// How the ranking is meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Plan {
    /// The first answers; the others are for the case that it cannot.
    Direct,
    /// The first answers, and the next is asked if the answer is not good enough.
    Cascade(CascadePlan),
}

impl Scored {
    /// With the sum of these parts as its score.
    #[must_use]
    pub fn of(candidate: usize, parts: Vec<ScorePart>) -> Self {
        let score = parts.iter().map(|part| part.points).sum();
        Self {
            candidate,
            score,
            parts,
        }
    }
}

impl Selection {
    /// By score, the highest first; among equals the cheaper, then by name. A score that is not a
    /// number comes last.
    pub fn by_score(mut ranking: Vec<Scored>, candidates: &[Candidate<'_>]) -> Self {
        let number = |it: &Scored| {
            if it.score.is_nan() {
                f64::NEG_INFINITY
            } else {
                it.score
            }
        };
        let tie = |it: &Scored| {
            candidates.get(it.candidate).map(|candidate| {
                (
                    candidate.cost.expected.amount(),
                    &candidate.entry.id,
                    &candidate.entry.provider,
                )
            })
        };
        ranking.sort_by(|left, right| {
            let by_score = number(right).total_cmp(&number(left));
            by_score.then_with(|| tie(left).cmp(&tie(right)))
        });
        Self {
            ranking,
            plan: Plan::Direct,
            remark: None,
        }
    }
}

/// An amount for a score, which is a statistic and no money.
fn points_of(amount: Money) -> f64 {
    amount.amount().to_f64().unwrap_or(f64::INFINITY)
}
