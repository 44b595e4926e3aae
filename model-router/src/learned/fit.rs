//! Which weights predict prompts that were held out?
//!
//! Two mixtures of the features are learned side by side, each with the strength of shrinkage that
//! predicts held-out prompts best, and are averaged with the weights that predict those best. Where the
//! outcomes name kinds of prompts, what a kind gains on average is learned first, and then what is left:
//! the average of a kind is much less noisy than single prompts are, so that it bears more detail.

use super::encoder::{Encoded, Encoder};
use super::random::Random;
use super::ridge::{Design, Four, Problem};

/// Prompts as vectors with their targets: gains of every model, then the level.
pub(super) struct Examples {
    pub(super) rows: Vec<Encoded>,
    pub(super) goals: Vec<Vec<Option<f64>>>,
    pub(super) targets: usize,
    /// The kinds of prompts by number, where they are known.
    pub(super) kinds: Vec<Option<usize>>,
}

/// Factors of the blocks: words, pieces, surface, cosines.
type Blend = [f32; 4];

/// Words and shape, and the same with pieces of words, which tell more where prompts are few.
const BLENDS: [Blend; 2] = [[1.0, 0.0, 0.3, 1.0], [1.0, 1.0, 0.3, 0.7]];

/// From strong to weak, so that each solution is a good start for the next.
const LAMBDAS: [f32; 3] = [16.0, 8.0, 4.0];

/// For the averages of kinds.
const KIND_BLEND: Blend = [1.0, 0.0, 0.3, 0.55];
const KIND_LAMBDA: f32 = 1.0;

/// An average of a kind is taken together with that of this many prompts like all others.
const KIND_PRIOR: f64 = 15.0;

const FOLDS: usize = 4;

/// A list of weights of all columns for each target.
pub(super) type Weights = Vec<Vec<f32>>;

/// What cross-validation chose, and what it predicted for the prompts it held out.
pub(super) struct Choice<'a> {
    examples: &'a Examples,
    blends: Vec<Design>,
    kind_blend: Option<Design>,
    /// The strength of each blend and its part in the average.
    parts: Vec<(f32, f64)>,
    pub(super) held_out: Vec<Vec<f64>>,
}

struct Trial {
    lambda: f32,
    error: f64,
    predictions: Vec<Vec<f64>>,
}

impl<'a> Choice<'a> {
    /// Tries all blends and strengths in folds drawn by `random`; reports each blend that is done.
    pub(super) fn new(
        encoder: &Encoder,
        examples: &'a Examples,
        random: &mut Random,
        mut done: impl FnMut(usize),
    ) -> Self {
        let design = |blend| {
            Design::new(
                &examples.rows,
                encoder.sparse_size(),
                scales(encoder, blend),
            )
        };
        let has_kinds = examples.kinds.iter().any(Option::is_some);
        let mut choice = Self {
            examples,
            blends: BLENDS.into_iter().map(design).collect(),
            kind_blend: has_kinds.then(|| design(KIND_BLEND)),
            parts: Vec::new(),
            held_out: Vec::new(),
        };
        let mut folds: Vec<_> = (0..examples.rows.len()).map(|it| it % FOLDS).collect();
        random.shuffle(&mut folds);
        let mut trials = Vec::new();
        for at in 0..BLENDS.len() {
            trials.push(choice.best_strength(&choice.blends[at], &folds));
            done(at + 1);
        }
        choice.average(&trials);
        choice
    }

    fn best_strength(&self, design: &Design, folds: &[usize]) -> Trial {
        let empty = vec![Vec::new(); folds.len()];
        let mut predictions = vec![empty; LAMBDAS.len()];
        for fold in 0..FOLDS {
            let (out, rows): (Vec<_>, Vec<_>) = (0..folds.len()).partition(|it| folds[*it] == fold);
            let (smooth, rest) = self.goals(&rows);
            let kinds = self.kind_weights(&rows, &smooth);
            let mut solver = Solver::new(design, &rows, &rest, self.examples.targets);
            for (lambda, predictions) in LAMBDAS.into_iter().zip(&mut predictions) {
                let weights = solver.solve(lambda);
                for &row in &out {
                    let mut sum = predicted(design, &weights, row, self.examples.targets);
                    if let (Some(design), Some(kinds)) = (&self.kind_blend, &kinds) {
                        let kind = predicted(design, kinds, row, self.examples.targets);
                        sum.iter_mut()
                            .zip(kind)
                            .for_each(|(sum, kind)| *sum += kind);
                    }
                    predictions[row] = sum;
                }
            }
        }
        let trials = LAMBDAS.into_iter().zip(predictions);
        let trials = trials.map(|(lambda, predictions)| Trial {
            lambda,
            error: self.error(&predictions),
            predictions,
        });
        trials
            .min_by(|a, b| a.error.total_cmp(&b.error))
            .expect("there are strengths to try")
    }

    /// Known gains with what was predicted of them. The level does not choose between models.
    fn gains(&self, predictions: &[Vec<f64>]) -> impl Iterator<Item = (f64, f64)> {
        let gains = self.examples.targets - 1;
        let rows = self.examples.goals.iter().zip(predictions);
        rows.flat_map(move |(goals, predictions)| {
            let pairs = goals[..gains].iter().zip(predictions);
            pairs.filter_map(|(goal, predicted)| Some(((*goal)?, *predicted)))
        })
    }

    fn error(&self, predictions: &[Vec<f64>]) -> f64 {
        let errors = self
            .gains(predictions)
            .map(|(goal, it)| (goal - it).powi(2));
        errors.sum()
    }

    /// The part of the second blend is the slope of what the first one leaves over on what the second
    /// one says more, with a normal prior of mean and standard deviation one half.
    fn average(&mut self, trials: &[Trial]) {
        let [first, second] = trials else { return };
        let pairs = self
            .gains(&first.predictions)
            .zip(self.gains(&second.predictions));
        let (mut product, mut square, mut error, mut count) = (0.0, 0.0, 0.0, 0.0);
        for ((goal, first), (_, second)) in pairs {
            product += (goal - first) * (second - first);
            square += (second - first).powi(2);
            error += (goal - (first + second) / 2.0).powi(2);
            count += 1.0;
        }
        let noise = 4.0 * error / f64::max(count, 1.0);
        let part = match square + noise > 0.0 {
            true => ((product + 0.5 * noise) / (square + noise)).clamp(0.0, 1.0),
            false => 0.5,
        };
        self.parts = vec![(first.lambda, 1.0 - part), (second.lambda, part)];
        let mix = |(first, second): (&Vec<f64>, &Vec<f64>)| {
            let pairs = first.iter().zip(second);
            pairs.map(|(a, b)| (1.0 - part) * a + part * b).collect()
        };
        let rows = first.predictions.iter().zip(&second.predictions);
        self.held_out = rows.map(mix).collect();
    }

    /// Learns from the prompts that are in.
    pub(super) fn fit(&self, is_in: impl Fn(usize) -> bool) -> Weights {
        let targets = self.examples.targets;
        let rows: Vec<_> = (0..self.examples.rows.len())
            .filter(|it| is_in(*it))
            .collect();
        let (smooth, rest) = self.goals(&rows);
        let mut sum: Weights = Vec::new();
        let mut add = |design: &Design, weights: &[Vec<Four>], part: f64| {
            for target in 0..targets {
                let weights = design.unscaled(&weights[target / 4], target % 4);
                if sum.len() == target {
                    sum.push(vec![0.0; weights.len()]);
                }
                let pairs = sum[target].iter_mut().zip(weights);
                pairs.for_each(|(sum, weight)| *sum += part as f32 * weight);
            }
        };
        for (design, (lambda, part)) in self.blends.iter().zip(&self.parts) {
            let weights = Solver::new(design, &rows, &rest, targets).solve(*lambda);
            add(design, &weights, *part);
        }
        if let (Some(design), Some(weights)) = (&self.kind_blend, self.kind_weights(&rows, &smooth))
        {
            add(design, &weights, 1.0);
        }
        sum
    }

    fn kind_weights(&self, rows: &[usize], smooth: &[Goals]) -> Option<Vec<Vec<Four>>> {
        let design = self.kind_blend.as_ref()?;
        Some(Solver::new(design, rows, smooth, self.examples.targets).solve(KIND_LAMBDA))
    }

    /// For each of these rows, the averages of its kind among them, and what is left of its goals.
    fn goals(&self, rows: &[usize]) -> (Vec<Goals>, Vec<Goals>) {
        let kinds = self
            .examples
            .kinds
            .iter()
            .flatten()
            .max()
            .map_or(0, |it| it + 1);
        let mut sums = vec![vec![(0.0, KIND_PRIOR); self.examples.targets]; kinds];
        for &row in rows {
            if let Some(kind) = self.examples.kinds[row] {
                for (sum, goal) in sums[kind].iter_mut().zip(&self.examples.goals[row]) {
                    if let Some(goal) = goal {
                        *sum = (sum.0 + goal, sum.1 + 1.0);
                    }
                }
            }
        }
        let split = |row: &usize| {
            let goals = &self.examples.goals[*row];
            let Some(kind) = self.examples.kinds[*row] else {
                return (vec![None; goals.len()], goals.clone());
            };
            let smooth: Vec<_> = sums[kind].iter().map(|it| Some(it.0 / it.1)).collect();
            let pairs = goals.iter().zip(&smooth);
            let rest = pairs.map(|(goal, smooth)| Some((*goal)? - (*smooth)?));
            let rest = rest.collect();
            (smooth, rest)
        };
        rows.iter().map(split).unzip()
    }
}

/// One per target, where it is known.
type Goals = Vec<Option<f64>>;

fn scales(encoder: &Encoder, blend: Blend) -> Vec<f32> {
    let columns = encoder.blocks.columns();
    (0..columns)
        .map(|it| blend[encoder.blocks.of(it)])
        .collect()
}

/// All targets of some rows, four at a time, with the solution for the last strength.
struct Solver<'a> {
    design: &'a Design,
    rows: &'a [usize],
    batches: Vec<Batch>,
}

struct Batch {
    goals: Vec<Four>,
    known: Vec<Four>,
    dual: Vec<Four>,
}

impl<'a> Solver<'a> {
    /// `goals`: one per row.
    fn new(design: &'a Design, rows: &'a [usize], goals: &[Goals], targets: usize) -> Self {
        let batch = |first: usize| {
            let goal = |goals: &Goals, lane: usize| goals.get(first + lane).copied().flatten();
            let value = |it: &Goals| std::array::from_fn(|at| goal(it, at).unwrap_or(0.0) as f32);
            let known =
                |it: &Goals| std::array::from_fn(|at| f32::from(u8::from(goal(it, at).is_some())));
            Batch {
                goals: goals.iter().map(value).collect(),
                known: goals.iter().map(known).collect(),
                dual: vec![[0.0; 4]; rows.len()],
            }
        };
        Self {
            design,
            rows,
            batches: (0..targets).step_by(4).map(batch).collect(),
        }
    }

    fn solve(&mut self, lambda: f32) -> Vec<Vec<Four>> {
        let solve = |batch: &mut Batch| {
            let problem = Problem {
                rows: self.rows,
                goals: &batch.goals,
                known: &batch.known,
            };
            self.design.solve(&problem, lambda, &mut batch.dual)
        };
        self.batches.iter_mut().map(solve).collect()
    }
}

fn predicted(design: &Design, weights: &[Vec<Four>], row: usize, targets: usize) -> Vec<f64> {
    let products = weights.iter().flat_map(|it| design.product(row, it));
    products.take(targets).map(f64::from).collect()
}

/// The products of a vector with weights, one per target.
pub(super) fn apply(encoder: &Encoder, weights: &Weights, row: &Encoded) -> Vec<f64> {
    let first_dense = encoder.sparse_size();
    let product = |weights: &Vec<f32>| {
        let sparse = row.sparse.iter().map(|it| it.1 * weights[it.0 as usize]);
        let dense = row.dense.iter().zip(&weights[first_dense..]);
        f64::from(sparse.sum::<f32>() + dense.map(|(a, b)| a * b).sum::<f32>())
    };
    weights.iter().map(product).collect()
}
