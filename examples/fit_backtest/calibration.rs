//! Are stated probabilities true?

use bursar_cost_model::fit::{Recommendation, Rejection, Resource, Risk};
use bursar_cost_model::instances::InstanceType;

use crate::physics::Series;
use crate::traces::Trace;

/// A stated probability of a breach and what it was.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) expected: f64,
    pub(crate) at_most: f64,
    pub(crate) seen: f64,
    /// Whether `seen` is the truth in the long run, and not the share of the samples that came.
    pub(crate) is_truth: bool,
}

/// The capacities that are asked for, in percent of the present machine.
const CAPACITIES: std::ops::RangeInclusive<u32> = 1..=60;

/// Machines that differ from the present one in nothing but speed, so that probabilities of all
/// sizes are stated; those of a catalog are mostly far too large for a machine, or a little.
pub(crate) fn ladder(present: &InstanceType) -> Vec<InstanceType> {
    let score = present.cpu_score.unwrap_or(1.0);
    let step = |percent: u32| {
        let mut machine = present.clone();
        machine.name = format!("step.{percent}").into();
        machine.burst = None;
        machine.flex = false;
        machine.current_generation = true;
        machine.accelerated = false;
        machine.cpu_score = Some(score * f64::from(percent) / 100.0);
        machine
    };
    CAPACITIES.map(step).collect()
}

/// What an answer about the ladder states, and what was.
pub(crate) fn pairs(answer: &Recommendation, trace: &Trace, future: &Series) -> Vec<Pair> {
    let ranked = answer.ranked.iter().filter_map(|candidate| {
        let (expected, at_most) = of_risk(candidate.risk.as_ref()?)?;
        Some((&candidate.instance, expected, at_most))
    });
    let rejected = answer
        .rejected
        .iter()
        .filter_map(|rejected| match rejected.reason {
            Rejection::OverBudget {
                resource: Resource::Cpu,
                expected,
                at_most,
                ..
            } => Some((&rejected.instance, expected, at_most)),
            _ => None,
        });
    ranked
        .chain(rejected)
        .filter_map(|(name, expected, at_most)| {
            let capacity = name.strip_prefix("step.")?.parse().ok()?;
            let made = trace.made.as_ref();
            let truth = made.and_then(|made| made.exceedance(capacity));
            Some(Pair {
                expected,
                at_most,
                seen: truth.unwrap_or_else(|| future.share_above(capacity)),
                is_truth: truth.is_some(),
            })
        })
        .collect()
}

fn of_risk(risk: &Risk) -> Option<(f64, f64)> {
    let mut breaches = risk.by_resource.iter();
    let cpu = breaches.find(|it| it.resource == Resource::Cpu)?;
    Some((cpu.expected, cpu.at_most))
}

/// What pairs say together.
pub(crate) struct Calibration {
    pub(crate) is_truth: bool,
    pub(crate) n_pairs: usize,
    /// Of the line through (expected, seen) by least squares; 1 is right, less is overstated.
    pub(crate) slope: Option<f64>,
    pub(crate) intercept: Option<f64>,
    /// The same over pairs of which at most a tenth was expected, where choices are made.
    pub(crate) slope_of_small: Option<f64>,
    /// How often the upper bound was above what was seen, or that was next to nothing.
    pub(crate) bound_held: f64,
    pub(crate) bins: Vec<Bin>,
}

/// Pairs of a range of stated probabilities.
pub(crate) struct Bin {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) n_pairs: usize,
    pub(crate) expected: f64,
    pub(crate) seen: f64,
}

/// A share of time that matters to nobody: a minute a week. A bound of zero is kept by it.
const NOTHING: f64 = 0.0001;

const EDGES: [f64; 9] = [0.0, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.2, 0.5, 1.0];

impl Calibration {
    pub(crate) fn of(pairs: &[Pair]) -> Calibration {
        let small: Vec<Pair> = pairs
            .iter()
            .copied()
            .filter(|it| it.expected <= 0.1)
            .collect();
        let line = line(pairs);
        let held = pairs.iter().filter(|it| it.seen <= it.at_most.max(NOTHING));
        let held = held.count();
        Calibration {
            is_truth: pairs.iter().all(|it| it.is_truth),
            n_pairs: pairs.len(),
            slope: line.map(|(slope, _)| slope),
            intercept: line.map(|(_, intercept)| intercept),
            slope_of_small: self::line(&small).map(|(slope, _)| slope),
            bound_held: held as f64 / pairs.len().max(1) as f64,
            bins: EDGES
                .windows(2)
                .filter_map(|edges| Bin::of(pairs, edges))
                .collect(),
        }
    }
}

impl Bin {
    fn of(pairs: &[Pair], edges: &[f64]) -> Option<Bin> {
        let &[from, to] = edges else {
            return None;
        };
        let within = |pair: &&Pair| {
            pair.expected < to && pair.expected >= from || to >= 1.0 && pair.expected >= to
        };
        let inside: Vec<&Pair> = pairs.iter().filter(within).collect();
        let n = inside.len();
        (n > 0).then(|| Bin {
            from,
            to,
            n_pairs: n,
            expected: inside.iter().map(|it| it.expected).sum::<f64>() / n as f64,
            seen: inside.iter().map(|it| it.seen).sum::<f64>() / n as f64,
        })
    }
}

/// Slope and intercept by least squares.
fn line(pairs: &[Pair]) -> Option<(f64, f64)> {
    let n = pairs.len() as f64;
    let mean_x = pairs.iter().map(|it| it.expected).sum::<f64>() / n;
    let mean_y = pairs.iter().map(|it| it.seen).sum::<f64>() / n;
    let spread: f64 = pairs.iter().map(|it| (it.expected - mean_x).powi(2)).sum();
    let product: f64 = pairs
        .iter()
        .map(|it| (it.expected - mean_x) * (it.seen - mean_y))
        .sum();
    let slope = product / spread;
    slope
        .is_finite()
        .then_some((slope, mean_y - slope * mean_x))
}
