//! Predicted quality against cost, with an exploration that is bounded.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::candidate::{Candidate, PredictedQuality, Situation};
use crate::policy::{ScorePart, Scored, Selection, SelectionPolicy, points_of};

/// Quality minus what it costs: the reward that learning from feedback maximizes.
///
/// What is learned stands in the router's [predictor](crate::QualityPredictor), the qualities of the
/// candidates come from it. This policy weighs them against the cost, and may try another
/// model now and then, so that the predictor learns of models that are never chosen otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learned {
    points_per_unit: f64,
    exploration: Exploration,
}

/// How often, and how far from the best, a policy may try another model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exploration {
    share: f64,
    most_regret: f64,
}

/// An exploration that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "an exploration has a share from 0 to {} and a regret from 0 to 100 points, not {share} and {most_regret}",
    Exploration::MOST
)]
pub struct ExplorationError {
    /// The share that was asked for.
    pub share: f64,
    /// The regret that was asked for.
    pub most_regret: f64,
}

impl Exploration {
    /// The best is always chosen.
    pub const OFF: Self = Self {
        share: 0.0,
        most_regret: 0.0,
    };

    /// The largest share of requests that may be explored with: one in five.
    pub const MOST: f64 = 0.2;

    /// In this share of the requests chooses among the models whose score is at most so many points
    /// under the best, each as often as it is likely to be the better one.
    ///
    /// # Errors
    /// [`ExplorationError`] if the share is not from 0 to [`MOST`](Self::MOST), or the regret not from 0
    /// to 100 points.
    pub fn new(share: f64, most_regret: f64) -> Result<Self, ExplorationError> {
        if (0.0..=Self::MOST).contains(&share) && (0.0..=100.0).contains(&most_regret) {
            return Ok(Self { share, most_regret });
        }
        Err(ExplorationError { share, most_regret })
    }
}

impl Learned {
    /// Weighs a unit of the currency as so many points of quality, and never explores. Under zero, and if
    /// it is not a number, it counts as 0, and cost decides among equals alone.
    #[must_use]
    pub const fn new(points_per_unit: f64) -> Self {
        let is_weight = points_per_unit > 0.0;
        Self {
            points_per_unit: if is_weight { points_per_unit } else { 0.0 },
            exploration: Exploration::OFF,
        }
    }

    /// Explores so much.
    #[must_use]
    pub const fn with_exploration(mut self, exploration: Exploration) -> Self {
        self.exploration = exploration;
        self
    }

    /// Draws a quality for each candidate near the best and puts the highest first.
    fn explore(&self, selection: &mut Selection, candidates: &[Candidate<'_>], seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        if self.exploration.share <= 0.0 || uniform(&mut random) >= self.exploration.share {
            return;
        }
        let Some(best) = selection.ranking.first().map(|it| it.score) else {
            return;
        };
        let is_near = |it: &&Scored| best - it.score <= self.exploration.most_regret;
        let near = selection.ranking.iter().take_while(is_near).enumerate();
        let drawn = near.map(|(place, it)| {
            let quality = candidates.get(it.candidate).and_then(|it| it.quality);
            (
                it.score + quality.map_or(0.0, |it| deviation(it, uniform(&mut random))),
                place,
            )
        });
        let chosen = drawn.max_by(|left, right| left.0.total_cmp(&right.0));
        if let Some((_, place)) = chosen.filter(|(_, place)| *place > 0) {
            let explored = selection.ranking.remove(place);
            selection.ranking.insert(0, explored);
            selection.remark = Some("explored: not the model with the highest score".to_owned());
        }
    }
}

impl SelectionPolicy for Learned {
    fn name(&self) -> &str {
        "learned"
    }

    fn select(&self, situation: &Situation<'_>, candidates: &[Candidate<'_>]) -> Selection {
        let scored = |(at, candidate): (usize, &Candidate<'_>)| {
            let quality = match candidate.quality {
                Some(quality) => ScorePart {
                    what: "quality",
                    points: quality.expected.points(),
                },
                None => ScorePart {
                    what: "quality not known",
                    points: 0.0,
                },
            };
            let cost = points_of(candidate.cost.expected) * self.points_per_unit;
            Scored::of(
                at,
                vec![
                    quality,
                    ScorePart {
                        what: "cost",
                        points: -cost,
                    },
                ],
            )
        };
        let ranking = candidates.iter().enumerate().map(scored).collect();
        let mut selection = Selection::by_score(ranking, candidates);
        self.explore(&mut selection, candidates, situation.seed);
        selection
    }
}

/// A number from 0 to under 1, in steps of 2⁻⁵³.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The 95th percentile of the standard normal distribution, which low and high are away.
const P95: f64 = 1.644_853_626_951_472_2;

/// By how many points a drawn quality differs from the expected one.
fn deviation(quality: PredictedQuality, uniform: f64) -> f64 {
    let width = quality.high.points() - quality.low.points();
    let standard = Normal::standard().inverse_cdf(uniform.max(f64::EPSILON));
    standard * width / (2.0 * P95)
}
