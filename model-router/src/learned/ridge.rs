//! Which weights predict the targets best and are small?
//!
//! Ridge regression for four targets at a time over the same vectors: the weights minimize the squared
//! errors plus λ times their squares. The dual system (K + λI)a = y, K being the products of the vectors,
//! is solved by conjugate gradients (Hestenes and Stiefel 1952) without ever writing K down; the weights
//! are Φᵀa.

use super::encoder::{DENSE_SIZE, Encoded};

/// A number for each of four targets: processors compute four at a time.
pub(super) type Four = [f32; 4];

/// Vectors as rows, every column multiplied with a scale.
#[derive(Debug)]
pub(super) struct Design {
    scales: Vec<f32>,
    sparse_size: usize,
    /// Where the entries of each row end.
    ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
    dense: Vec<f32>,
}

impl Design {
    /// What is scaled to nothing is left out.
    pub(super) fn new(rows: &[Encoded], sparse_size: usize, scales: Vec<f32>) -> Self {
        let mut entries = Vec::new();
        let mut ends = Vec::with_capacity(rows.len());
        let mut dense = Vec::with_capacity(rows.len() * DENSE_SIZE);
        for row in rows {
            let scaled = row
                .sparse
                .iter()
                .map(|it| (it.0, it.1 * scales[it.0 as usize]));
            entries.extend(scaled.filter(|it| it.1 != 0.0));
            ends.push(entries.len());
            let pairs = row.dense.iter().zip(&scales[sparse_size..]);
            dense.extend(pairs.map(|(value, scale)| value * scale));
        }
        Self {
            scales,
            sparse_size,
            ends,
            entries,
            dense,
        }
    }

    /// One weight per column: for the columns before they were scaled.
    pub(super) fn unscaled(&self, weights: &[Four], at: usize) -> Vec<f32> {
        let pairs = weights.iter().zip(&self.scales);
        pairs.map(|(weight, scale)| weight[at] * scale).collect()
    }

    fn entries(&self, row: usize) -> &[(u32, f32)] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start..self.ends[row]]
    }

    fn dense(&self, row: usize) -> &[f32] {
        &self.dense[row * DENSE_SIZE..][..DENSE_SIZE]
    }

    /// The product of a row with weights.
    pub(super) fn product(&self, row: usize, weights: &[Four]) -> Four {
        let (sparse, dense) = weights.split_at(self.sparse_size);
        let mut sum = [0.0; 4];
        for &(column, value) in self.entries(row) {
            add(&mut sum, value, &sparse[column as usize]);
        }
        for (weight, value) in dense.iter().zip(self.dense(row)) {
            add(&mut sum, *value, weight);
        }
        sum
    }

    /// Φᵀa.
    fn transposed(&self, rows: &[usize], dual: &[Four]) -> Vec<Four> {
        let mut weights = vec![[0.0; 4]; self.scales.len()];
        let (sparse, dense) = weights.split_at_mut(self.sparse_size);
        for (&row, dual) in rows.iter().zip(dual) {
            for &(column, value) in self.entries(row) {
                add(&mut sparse[column as usize], value, dual);
            }
            for (weight, value) in dense.iter_mut().zip(self.dense(row)) {
                add(weight, *value, dual);
            }
        }
        weights
    }

    /// K a + λ a, zero where a target is not known.
    fn system(&self, problem: &Problem<'_>, dual: &[Four], lambda: f32) -> Vec<Four> {
        let weights = self.transposed(problem.rows, dual);
        let rows = problem.rows.iter().zip(dual).zip(problem.known);
        rows.map(|((&row, dual), known)| {
            let product = self.product(row, &weights);
            each(|at| (product[at] + lambda * dual[at]) * known[at])
        })
        .collect()
    }

    /// The weights for the targets. `dual` is the solution of a similar system or zeros, and is left at
    /// this one's.
    pub(super) fn solve(&self, problem: &Problem<'_>, lambda: f32, dual: &mut [Four]) -> Vec<Four> {
        let norms = products(problem.goals, problem.goals);
        let system = self.system(problem, dual, lambda);
        let residual = problem.goals.iter().zip(&system);
        let mut residual: Vec<Four> = residual.map(|(a, b)| each(|at| a[at] - b[at])).collect();
        let mut direction = residual.clone();
        let mut squares = products(&residual, &residual);
        for _ in 0..MOST_STEPS {
            if (0..4).all(|at| squares[at] <= TOLERANCE * norms[at]) {
                break;
            }
            let system = self.system(problem, &direction, lambda);
            let step = ratios(squares, products(&direction, &system));
            for (at, direction) in direction.iter().enumerate() {
                for lane in 0..4 {
                    dual[at][lane] += step[lane] * direction[lane];
                    residual[at][lane] -= step[lane] * system[at][lane];
                }
            }
            let next = products(&residual, &residual);
            let keep = ratios(next, squares);
            for (direction, residual) in direction.iter_mut().zip(&residual) {
                *direction = each(|at| residual[at] + keep[at] * direction[at]);
            }
            squares = next;
        }
        self.transposed(problem.rows, dual)
    }
}

/// Four targets of some rows.
#[derive(Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) rows: &'a [usize],
    /// One per row, 0 where it is not known.
    pub(super) goals: &'a [Four],
    /// 1 where the goal is known, 0 where it is not.
    pub(super) known: &'a [Four],
}

/// Enough for any λ that is tried; most end after a dozen.
const MOST_STEPS: usize = 40;

/// Of the squared residual: one part in three thousand is far below what the data can tell.
const TOLERANCE: f64 = 3e-4;

#[inline]
fn each(value: impl Fn(usize) -> f32) -> Four {
    std::array::from_fn(value)
}

#[inline]
fn add(sum: &mut Four, value: f32, weight: &Four) {
    for (sum, weight) in sum.iter_mut().zip(weight) {
        *sum += value * weight;
    }
}

fn products(left: &[Four], right: &[Four]) -> [f64; 4] {
    let mut sums = [0.0; 4];
    for (left, right) in left.iter().zip(right) {
        for at in 0..4 {
            sums[at] += f64::from(left[at] * right[at]);
        }
    }
    sums
}

fn ratios(parts: [f64; 4], wholes: [f64; 4]) -> Four {
    each(|at| match wholes[at] > 0.0 {
        true => (parts[at] / wholes[at]) as f32,
        false => 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three prompts, of which one differs, in the first dense column and in a sparse one.
    fn design() -> Design {
        let row = |sparse: &[(u32, f32)], first: f32| {
            let mut dense = vec![0.0; DENSE_SIZE];
            dense[0] = first;
            Encoded {
                sparse: sparse.to_vec(),
                dense,
            }
        };
        let rows = [row(&[], 1.0), row(&[(0, 1.0)], 0.0), row(&[(0, 2.0)], 1.0)];
        Design::new(&rows, 1, vec![1.0; 1 + DENSE_SIZE])
    }

    #[test]
    fn weights_are_those_of_the_normal_equations() {
        // (ΦᵀΦ + I) w = Φᵀy with Φ = [0 1; 1 0; 2 1] and y = (1, 2, 3): [6 2; 2 3] w = (8, 4), so that
        // w = (8, 4) / 7. The second target is the first one without the last prompt:
        // [2 0; 0 2] w = (2, 1).
        let mut dual = [[0.0; 4]; 3];
        let problem = Problem {
            rows: &[0, 1, 2],
            goals: &[
                [1.0, 1.0, 0.0, 0.0],
                [2.0, 2.0, 0.0, 0.0],
                [3.0, 0.0, 0.0, 0.0],
            ],
            known: &[[1.0; 4], [1.0; 4], [1.0, 0.0, 0.0, 0.0]],
        };
        let weights = design().solve(&problem, 1.0, &mut dual);
        let expected = [(8.0 / 7.0, 4.0 / 7.0), (1.0, 0.5)];
        for (at, (sparse, dense)) in expected.into_iter().enumerate() {
            assert!((weights[0][at] - sparse).abs() < 0.02, "{weights:?}");
            assert!((weights[1][at] - dense).abs() < 0.02, "{weights:?}");
        }
    }
}
