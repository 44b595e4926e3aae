//! Which mixture of features and which strength of shrinkage predict prompts that were held out?

use super::encoder::{Block, DENSE_SIZE, Encoded, Encoder};
use super::random::Random;
use super::ridge::{Design, Weights};

/// Prompts as vectors with their targets: gains of every model, then the level.
pub(super) struct Examples {
    pub(super) rows: Vec<Encoded>,
    pub(super) goals: Vec<Vec<Option<f64>>>,
    pub(super) targets: usize,
}

/// Factors of the blocks: words, pieces, surface, cosines.
type Blend = [f32; 4];

/// Words and shape; all of them; rather the words; rather the pieces; rather the surface.
const BLENDS: [Blend; 5] = [
    [1.0, 0.0, 0.0, 1.0],
    [1.0, 0.7, 0.0, 0.7],
    [1.4, 0.0, 0.3, 0.5],
    [0.5, 1.0, 0.0, 0.5],
    [0.5, 0.5, 0.5, 1.0],
];

/// From strong to weak, so that each solution is a good start for the next.
const LAMBDAS: [f64; 4] = [40.0, 16.0, 6.0, 2.0];

/// How many blends are averaged.
const BEST: usize = 3;

const FOLDS: usize = 4;

/// What cross-validation chose, and what it predicted for the prompts it held out.
pub(super) struct Choice {
    parts: Vec<(Blend, f64)>,
    pub(super) held_out: Vec<Vec<f64>>,
}

struct Trial {
    blend: Blend,
    lambda: f64,
    error: f64,
    predictions: Vec<Vec<f64>>,
}

/// Tries all blends and strengths in folds drawn by `random`; reports each blend that is done.
pub(super) fn choose(
    encoder: &Encoder,
    examples: &Examples,
    random: &mut Random,
    mut done: impl FnMut(usize, usize),
) -> Choice {
    let mut folds: Vec<_> = (0..examples.rows.len()).map(|it| it % FOLDS).collect();
    random.shuffle(&mut folds);
    let mut trials = Vec::new();
    for (at, blend) in BLENDS.into_iter().enumerate() {
        trials.push(best_strength(encoder, examples, blend, &folds));
        done(at + 1, BLENDS.len());
    }
    trials.sort_by(|a, b| a.error.total_cmp(&b.error));
    trials.truncate(BEST);
    Choice {
        held_out: mean_of(trials.iter().map(|it| &it.predictions)),
        parts: trials.iter().map(|it| (it.blend, it.lambda)).collect(),
    }
}

fn best_strength(encoder: &Encoder, examples: &Examples, blend: Blend, folds: &[usize]) -> Trial {
    let empty = vec![vec![0.0; examples.targets]; examples.rows.len()];
    let mut predictions = vec![empty; LAMBDAS.len()];
    let scales = scales(encoder, blend);
    for fold in 0..FOLDS {
        let is_in = |row: usize| folds[row] != fold;
        let mut solver = Solver::new(encoder, examples, &scales, is_in);
        for (lambda, predictions) in LAMBDAS.into_iter().zip(&mut predictions) {
            let weights = solver.solve(lambda);
            for row in (0..folds.len()).filter(|row| !is_in(*row)) {
                predictions[row] = apply(encoder, &weights, &examples.rows[row]);
            }
        }
    }
    let trials = LAMBDAS
        .into_iter()
        .zip(predictions)
        .map(|(lambda, predictions)| Trial {
            blend,
            lambda,
            error: error(examples, &predictions),
            predictions,
        });
    trials
        .min_by(|a, b| a.error.total_cmp(&b.error))
        .expect("there are strengths to try")
}

/// Of the gains alone: the level does not choose between models.
fn error(examples: &Examples, predictions: &[Vec<f64>]) -> f64 {
    let gains = examples.targets - 1;
    let pairs = examples.goals.iter().zip(predictions);
    let errors = pairs.flat_map(|(goals, predictions)| {
        let known = goals[..gains].iter().zip(predictions);
        known.filter_map(|(goal, predicted)| goal.map(|it| (it - predicted).powi(2)))
    });
    errors.sum()
}

impl Choice {
    /// Learns from the prompts that are in.
    pub(super) fn fit(
        &self,
        encoder: &Encoder,
        examples: &Examples,
        is_in: impl Fn(usize) -> bool + Copy,
    ) -> Weights {
        let columns = encoder.sparse_size() + DENSE_SIZE;
        let mut sum = Weights::zero(columns, examples.targets);
        let part = (self.parts.len() as f32).recip();
        for (blend, lambda) in &self.parts {
            let scales = scales(encoder, *blend);
            let weights = Solver::new(encoder, examples, &scales, is_in).solve(*lambda);
            for (sum, weight) in sum.values.iter_mut().zip(weights.values) {
                *sum += part * weight;
            }
        }
        sum
    }
}

/// The products of a vector with weights, one per target.
pub(super) fn apply(encoder: &Encoder, weights: &Weights, row: &Encoded) -> Vec<f64> {
    let mut out = vec![0.0; weights.targets];
    weights.apply(encoder.sparse_size(), row, &mut out);
    out.into_iter().map(f64::from).collect()
}

fn scales(encoder: &Encoder, blend: Blend) -> Vec<f32> {
    let factor = |column| match encoder.block(column) {
        Block::Words => blend[0],
        Block::Pieces => blend[1],
        Block::Surface => blend[2],
        Block::Cosines => blend[3],
    };
    (0..encoder.sparse_size() + DENSE_SIZE)
        .map(factor)
        .collect()
}

struct Solver<'a> {
    design: Design<'a>,
    goals: Vec<Option<f64>>,
    targets: usize,
    dual: Vec<f64>,
}

impl<'a> Solver<'a> {
    fn new(
        encoder: &Encoder,
        examples: &'a Examples,
        scales: &'a [f32],
        is_in: impl Fn(usize) -> bool,
    ) -> Self {
        let rows = (0..examples.rows.len()).filter(|it| is_in(*it));
        let rows: Vec<_> = rows.collect();
        let goals: Vec<_> = rows
            .iter()
            .flat_map(|it| examples.goals[*it].clone())
            .collect();
        Self {
            design: Design {
                rows: rows.iter().map(|it| &examples.rows[*it]).collect(),
                sparse_size: encoder.sparse_size(),
                scales,
            },
            dual: vec![0.0; goals.len()],
            goals,
            targets: examples.targets,
        }
    }

    fn solve(&mut self, lambda: f64) -> Weights {
        self.design
            .solve(&self.goals, self.targets, lambda, &mut self.dual)
    }
}

fn mean_of<'a>(lists: impl ExactSizeIterator<Item = &'a Vec<Vec<f64>>>) -> Vec<Vec<f64>> {
    let part = (lists.len() as f64).recip();
    let mut sum: Vec<Vec<f64>> = Vec::new();
    for list in lists {
        if sum.is_empty() {
            sum = list.iter().map(|row| vec![0.0; row.len()]).collect();
        }
        for (sum, value) in sum.iter_mut().flatten().zip(list.iter().flatten()) {
            *sum += part * value;
        }
    }
    sum
}
