//! The cheapest model that is good enough.

use crate::candidate::{Candidate, Situation};
use crate::entry::Quality;
use crate::policy::{ScorePart, Scored, Selection, SelectionPolicy, points_of};

/// The cheapest model whose predicted quality for the request reaches a bar; if none does, the best there
/// is. The fallbacks of a model that reaches it are the others that do, by cost, and then the rest by
/// quality. A model whose quality is not known does not reach any bar.
///
/// The score of those above the bar is 200 − cost as a share of the dearest, that of the rest
/// their quality, so that it only orders and has no other meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheapestAbove {
    bar: Quality,
}

/// Above every quality, so that all that reach the bar come before all that do not.
const ABOVE_THE_BAR: f64 = 200.0;

impl CheapestAbove {
    /// The cheapest with at least this quality.
    #[must_use]
    pub const fn new(bar: Quality) -> Self {
        Self { bar }
    }
}

impl SelectionPolicy for CheapestAbove {
    fn name(&self) -> &str {
        "cheapest_above"
    }

    fn select(&self, _: &Situation<'_>, candidates: &[Candidate<'_>]) -> Selection {
        let costs = candidates.iter().map(|it| points_of(it.cost.expected));
        let dearest = costs.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let scored = |(at, candidate): (usize, &Candidate<'_>)| {
            let quality = candidate.quality.map_or(0.0, |it| it.expected.points());
            let parts = if candidate.quality.is_some() && quality >= self.bar.points() {
                let share = points_of(candidate.cost.expected) / dearest;
                vec![
                    ScorePart {
                        what: "reaches the bar",
                        points: ABOVE_THE_BAR,
                    },
                    ScorePart {
                        what: "cost as a share of the dearest",
                        points: -share,
                    },
                ]
            } else {
                vec![ScorePart {
                    what: "quality",
                    points: quality,
                }]
            };
            Scored::of(at, parts)
        };
        let ranking = candidates.iter().enumerate().map(scored).collect();
        let mut selection = Selection::by_score(ranking, candidates);
        if selection
            .ranking
            .first()
            .is_some_and(|best| best.score < ABOVE_THE_BAR - 1.0)
        {
            selection.remark = Some(format!(
                "no model is known to reach a quality of {}",
                self.bar
            ));
        }
        selection
    }
}
