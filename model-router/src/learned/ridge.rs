//! Which weights predict the targets best and are small?
//!
//! Ridge regression for many targets over the same vectors: the weights minimize the squared errors
//! plus λ times their squares. The dual system (K + λI)a = y, K being the products of the vectors, is
//! solved by conjugate gradients (Hestenes and Stiefel 1952) without ever writing K down; the weights
//! are Φᵀa.

use super::encoder::{DENSE_SIZE, Encoded};

/// Vectors as rows, sparse and dense columns apart.
#[derive(Debug)]
pub(super) struct Design<'a> {
    pub(super) rows: Vec<&'a Encoded>,
    pub(super) sparse_size: usize,
    /// What each column is multiplied with.
    pub(super) scales: &'a [f32],
}

/// Weights of every column for every target: `targets` numbers per column.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) targets: usize,
    pub(super) values: Vec<f32>,
}

impl Weights {
    pub(super) fn zero(columns: usize, targets: usize) -> Self {
        Self {
            targets,
            values: vec![0.0; columns * targets],
        }
    }

    fn row(&self, column: usize) -> &[f32] {
        &self.values[column * self.targets..][..self.targets]
    }

    /// Adds the products with a vector to `out`.
    pub(super) fn apply(&self, sparse_size: usize, vector: &Encoded, out: &mut [f32]) {
        let mut add = |column: usize, value: f32| {
            for (out, weight) in out.iter_mut().zip(self.row(column)) {
                *out += value * weight;
            }
        };
        for &(column, value) in &vector.sparse {
            add(column as usize, value);
        }
        for (column, &value) in (sparse_size..).zip(&vector.dense) {
            add(column, value);
        }
    }
}

impl Design<'_> {
    fn columns(&self) -> usize {
        self.sparse_size + DENSE_SIZE
    }

    /// Φᵀa, in unscaled columns: the scale is applied twice, once for each side of K.
    fn transposed(&self, dual: &[f64], targets: usize) -> Weights {
        let mut weights = Weights::zero(self.columns(), targets);
        for (row, dual) in self.rows.iter().zip(dual.chunks_exact(targets)) {
            let mut add = |column: usize, value: f32| {
                let into = &mut weights.values[column * targets..][..targets];
                for (into, dual) in into.iter_mut().zip(dual) {
                    *into += value * *dual as f32;
                }
            };
            for &(column, value) in &row.sparse {
                add(column as usize, value);
            }
            for (column, &value) in (self.sparse_size..).zip(&row.dense) {
                add(column, value);
            }
        }
        for (row, scale) in weights.values.chunks_exact_mut(targets).zip(self.scales) {
            row.iter_mut().for_each(|it| *it *= scale * scale);
        }
        weights
    }

    /// K a + λ a, zero where a target is not known.
    fn product(&self, dual: &[f64], known: &[bool], targets: usize, lambda: f64) -> Vec<f64> {
        let weights = self.transposed(dual, targets);
        let mut out = Vec::with_capacity(dual.len());
        let mut buffer = vec![0.0_f32; targets];
        for row in &self.rows {
            buffer.fill(0.0);
            weights.apply(self.sparse_size, row, &mut buffer);
            out.extend(buffer.iter().map(|it| f64::from(*it)));
        }
        for ((out, dual), known) in out.iter_mut().zip(dual).zip(known) {
            *out = if *known { *out + lambda * dual } else { 0.0 };
        }
        out
    }

    /// The weights for these targets, row by row; `None` where one is not known. `start` is the dual
    /// solution of a similar system or zeros, and is left at this one's.
    pub(super) fn solve(
        &self,
        goals: &[Option<f64>],
        targets: usize,
        lambda: f64,
        start: &mut [f64],
    ) -> Weights {
        let known: Vec<_> = goals.iter().map(Option::is_some).collect();
        let goals: Vec<_> = goals.iter().map(|it| it.unwrap_or(0.0)).collect();
        let norms = products(&goals, &goals, targets);
        let product = self.product(start, &known, targets, lambda);
        let mut residual: Vec<_> = goals.iter().zip(product).map(|(a, b)| a - b).collect();
        let mut direction = residual.clone();
        let mut squares = products(&residual, &residual, targets);
        for _ in 0..MOST_STEPS {
            let is_done = |(square, norm): (&f64, &f64)| *square <= TOLERANCE * norm;
            if squares.iter().zip(&norms).all(is_done) {
                break;
            }
            let product = self.product(&direction, &known, targets, lambda);
            let curvature = products(&direction, &product, targets);
            let step: Vec<_> = squares.iter().zip(&curvature).map(ratio).collect();
            for (at, ((dual, residual), direction)) in start
                .iter_mut()
                .zip(&mut residual)
                .zip(&direction)
                .enumerate()
            {
                *dual += step[at % targets] * direction;
                *residual -= step[at % targets] * product[at];
            }
            let next = products(&residual, &residual, targets);
            let keep: Vec<_> = next.iter().zip(&squares).map(ratio).collect();
            for (at, (direction, residual)) in direction.iter_mut().zip(&residual).enumerate() {
                *direction = residual + keep[at % targets] * *direction;
            }
            squares = next;
        }
        self.transposed(start, targets)
    }
}

/// Weights as small whole numbers, with a scale per target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantized {
    pub(super) targets: usize,
    pub(super) values: Vec<i16>,
    /// One per target.
    pub(super) scales: Vec<f32>,
}

impl Quantized {
    /// Rounds the weights to 2,001 steps.
    pub(super) fn new(weights: &Weights) -> Self {
        let targets = weights.targets;
        let mut scales = vec![0.0_f32; targets];
        for row in weights.values.chunks_exact(targets) {
            for (scale, weight) in scales.iter_mut().zip(row) {
                *scale = scale.max(weight.abs() / STEPS);
            }
        }
        let steps = |(at, weight): (usize, &f32)| match scales[at % targets] {
            scale if scale > 0.0 => (weight / scale).round() as i16,
            _ => 0,
        };
        Self {
            targets,
            values: weights.values.iter().enumerate().map(steps).collect(),
            scales,
        }
    }

    pub(super) fn at(&self, column: usize, target: usize) -> f32 {
        f32::from(self.values[column * self.targets + target]) * self.scales[target]
    }

    /// The products with a vector, one per target.
    pub(super) fn apply(&self, sparse_size: usize, vector: &Encoded) -> Vec<f32> {
        let mut out = vec![0.0; self.targets];
        let mut add = |column: usize, value: f32| {
            let row = &self.values[column * self.targets..][..self.targets];
            for (out, weight) in out.iter_mut().zip(row) {
                *out += value * f32::from(*weight);
            }
        };
        for &(column, value) in &vector.sparse {
            add(column as usize, value);
        }
        for (column, &value) in (sparse_size..).zip(&vector.dense) {
            add(column, value);
        }
        out.iter_mut()
            .zip(&self.scales)
            .for_each(|(out, scale)| *out *= scale);
        out
    }
}

pub(super) const STEPS: f32 = 1_000.0;

const MOST_STEPS: usize = 60;

/// Of the squared residual: one part in a hundred thousand is far below what the data can tell.
const TOLERANCE: f64 = 1e-5;

fn products(left: &[f64], right: &[f64], targets: usize) -> Vec<f64> {
    let mut sums = vec![0.0; targets];
    for (at, (left, right)) in left.iter().zip(right).enumerate() {
        sums[at % targets] += left * right;
    }
    sums
}

fn ratio((part, whole): (&f64, &f64)) -> f64 {
    if *whole > 0.0 { part / whole } else { 0.0 }
}
