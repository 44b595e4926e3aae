//! Points for quality, strengths, complexity, cost, latency and room, added up.

use std::time::Duration;

use crate::candidate::{Candidate, Situation};
use crate::policy::{ScorePart, Scored, Selection, SelectionPolicy, points_of};
use crate::request::Priority;

/// The points of a fixed table: quality; a strength for the task; the model's bonus for the complexity;
/// low cost; speed when it presses; room in the context window.
///
/// It needs no history and can be checked by hand. The quality is the catalog's or whatever the router's
/// predictor says; a quality that is not known counts 0 points, and the part says so.
///
/// | part | points |
/// |---|---|
/// | quality | 0 to 100 |
/// | the task is a strength | +20 |
/// | complexity | the bonus of the catalog entry |
/// | expected cost under 0.001, 0.005, 0.01 | +15, +10, +5 |
/// | else | −1000 × (cost − 0.01) |
/// | pressing, latency under 800 ms, over 1200 ms | +10, −5 |
/// | over 80 % of the context window | −20 |
///
/// Costs are compared in the currency of the prices, which is US dollars in the shipped catalog. Pressing
/// means high priority or a deadline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WeightedScore;

const STRENGTH: f64 = 20.0;
/// Costs under the first number have the second as points.
const LOW_COSTS: [(f64, f64); 3] = [(0.001, 15.0), (0.005, 10.0), (0.01, 5.0)];
/// From here on a cost takes points away, this many for each unit of the currency.
const DEAR: (f64, f64) = (0.01, 1_000.0);
const FAST: (Duration, f64) = (Duration::from_millis(800), 10.0);
const SLOW: (Duration, f64) = (Duration::from_millis(1_200), -5.0);
/// More than four fifths of the context window.
const CROWDED: f64 = -20.0;

impl SelectionPolicy for WeightedScore {
    fn name(&self) -> &str {
        "weighted_score"
    }

    fn select(&self, situation: &Situation<'_>, candidates: &[Candidate<'_>]) -> Selection {
        let scored = |(at, candidate)| Scored::of(at, parts(situation, candidate));
        let ranking = candidates.iter().enumerate().map(scored).collect();
        Selection::by_score(ranking, candidates)
    }
}

fn parts(situation: &Situation<'_>, candidate: &Candidate<'_>) -> Vec<ScorePart> {
    let entry = candidate.entry;
    let mut parts = Vec::with_capacity(6);
    parts.push(match candidate.quality {
        Some(quality) => ScorePart {
            what: "quality",
            points: quality.expected.points(),
        },
        None => ScorePart {
            what: "quality not known",
            points: 0.0,
        },
    });
    let mut add = |what, points| {
        if points != 0.0 {
            parts.push(ScorePart { what, points });
        }
    };
    if entry.strengths.contains(&situation.task) {
        add("strength", STRENGTH);
    }
    if let Some(bonus) = entry.complexity_bonus {
        add("complexity", bonus.of(situation.complexity));
    }
    add("cost", cost(points_of(candidate.cost.expected)));
    add("latency", latency(situation, candidate));
    if is_crowded(situation, candidate) {
        add("context window", CROWDED);
    }
    parts
}

fn cost(cost: f64) -> f64 {
    let low = LOW_COSTS.iter().find(|(limit, _)| cost < *limit);
    let (limit, per_unit) = DEAR;
    low.map_or_else(|| (limit - cost) * per_unit, |(_, points)| *points)
}

fn latency(situation: &Situation<'_>, candidate: &Candidate<'_>) -> f64 {
    let request = situation.request;
    let presses = request.priority() == Priority::High || request.deadline().is_some();
    match candidate.latency {
        Some(latency) if presses && latency.mean < FAST.0 => FAST.1,
        Some(latency) if presses && latency.mean > SLOW.0 => SLOW.1,
        _ => 0.0,
    }
}

fn is_crowded(situation: &Situation<'_>, candidate: &Candidate<'_>) -> bool {
    let output = situation.request.max_output_tokens();
    let needed = candidate.input_tokens.expected.saturating_add(output);
    let window = candidate.entry.context_window;
    window.is_some_and(|window| u128::from(needed) * 5 > u128::from(window) * 4)
}
