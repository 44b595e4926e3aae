//! How are weights kept in a byte each?

use super::encoder::{Blocks, Encoded};
use crate::features::SURFACE_SIZE;

/// Weights as small whole numbers, with a scale for every block of columns and target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantized {
    targets: usize,
    /// Column by column, four targets at a time; the last four are filled up with zeros.
    fours: Vec<[i8; 4]>,
    /// Block by block.
    pub(super) scales: Vec<f32>,
}

impl Quantized {
    /// Rounds weights, a list of all columns for each target, to 255 steps.
    pub(super) fn new(weights: &[Vec<f32>], blocks: &Blocks) -> Self {
        let targets = weights.len();
        let columns = weights.first().map_or(0, Vec::len);
        let mut scales = vec![0.0_f32; targets * Blocks::COUNT];
        for (target, weights) in weights.iter().enumerate() {
            for (column, weight) in weights.iter().enumerate() {
                let scale = &mut scales[blocks.of(column) * targets + target];
                *scale = scale.max(weight.abs() / STEPS);
            }
        }
        let mut values = Vec::with_capacity(columns * targets);
        for column in 0..columns {
            let scales = &scales[blocks.of(column) * targets..][..targets];
            let pairs = weights.iter().zip(scales);
            values.extend(pairs.map(|(weights, scale)| match *scale > 0.0 {
                true => (weights[column] / scale).round() as i8,
                false => 0,
            }));
        }
        Self::of_values(targets, &values, scales)
    }

    /// Of the values of all targets, column by column.
    pub(super) fn of_values(targets: usize, values: &[i8], scales: Vec<f32>) -> Self {
        let four = |it: &[i8]| std::array::from_fn(|at| it.get(at).copied().unwrap_or(0));
        let fours = values.chunks(targets).flat_map(|it| it.chunks(4).map(four));
        Self {
            targets,
            fours: fours.collect(),
            scales,
        }
    }

    pub(super) fn values(&self) -> Vec<i8> {
        let columns = self.fours.chunks(self.groups());
        let targets = columns.flat_map(|it| it.as_flattened().iter().take(self.targets));
        targets.copied().collect()
    }

    /// In how many fours the targets are.
    const fn groups(&self) -> usize {
        self.targets.div_ceil(4)
    }

    pub(super) fn at(&self, blocks: &Blocks, column: usize, target: usize) -> f32 {
        let scale = self.scales[blocks.of(column) * self.targets + target];
        f32::from(self.fours[column * self.groups() + target / 4][target % 4]) * scale
    }

    /// The products with a vector, one per target.
    pub(super) fn apply(&self, blocks: &Blocks, vector: &Encoded) -> Vec<f32> {
        let mut out = vec![0.0; self.targets];
        let words = vector
            .sparse
            .partition_point(|it| blocks.of(it.0 as usize) == Blocks::WORDS);
        let (words, pieces) = vector.sparse.split_at(words);
        self.add(Blocks::WORDS, words.iter().copied(), &mut out);
        self.add(Blocks::PIECES, pieces.iter().copied(), &mut out);
        let (surface, cosines) = vector.dense.split_at(SURFACE_SIZE);
        let first = blocks.sparse() as u32;
        let surface = (first..).zip(surface.iter().copied());
        self.add(Blocks::SURFACE, surface, &mut out);
        let cosines = (first + SURFACE_SIZE as u32..).zip(cosines.iter().copied());
        self.add(Blocks::COSINES, cosines, &mut out);
        out
    }

    /// Adds the products with a part of a vector, in a block.
    fn add(&self, block: usize, part: impl Iterator<Item = (u32, f32)> + Clone, out: &mut [f32]) {
        let scales = self.scales[block * self.targets..].chunks(4);
        for (group, (out, scales)) in out.chunks_mut(4).zip(scales).enumerate() {
            let mut sums = [0.0_f32; 4];
            for (column, value) in part.clone() {
                let weights = self.fours[column as usize * self.groups() + group];
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += value * f32::from(weight);
                }
            }
            for ((out, sum), scale) in out.iter_mut().zip(sums).zip(scales) {
                *out += sum * scale;
            }
        }
    }
}

const STEPS: f32 = 127.0;

#[cfg(test)]
mod tests {
    use super::super::encoder::DENSE_SIZE;
    use super::*;

    #[test]
    fn a_weight_is_off_by_half_a_step_at_most() {
        let blocks = Blocks::new(3, 2);
        let columns = 5 + DENSE_SIZE;
        let weight = |it: usize| ((it * 37 % 101) as f32 - 50.0) / if it < 3 { 1.0 } else { 1e4 };
        let weights: Vec<Vec<f32>> = vec![(0..columns).map(weight).collect(), vec![0.0; columns]];
        let quantized = Quantized::new(&weights, &blocks);
        for (column, weight) in weights[0].iter().enumerate() {
            let step = if column < 3 { 50.0 } else { 50e-4 } / STEPS;
            let off = quantized.at(&blocks, column, 0) - weight;
            assert!(off.abs() <= 0.51 * step, "{column}: {off}");
            assert_eq!(quantized.at(&blocks, column, 1), 0.0);
        }
    }

    #[test]
    fn products_are_those_of_the_weights_one_by_one() {
        let blocks = Blocks::new(3, 2);
        let weights = |target: usize| {
            let weight = move |it: usize| ((it + 31 * target) * 37 % 101) as f32 / 50.0 - 1.0;
            (0..blocks.columns()).map(weight).collect()
        };
        let quantized = Quantized::new(&(0..5).map(weights).collect::<Vec<_>>(), &blocks);
        let vector = Encoded {
            sparse: vec![(2, 0.5), (0, -1.0), (4, 2.0)],
            dense: (0..DENSE_SIZE).map(|it| (it % 7) as f32 - 3.0).collect(),
        };
        let dense = (5..).zip(vector.dense.iter().copied());
        let columns = vector
            .sparse
            .iter()
            .map(|it| (it.0 as usize, it.1))
            .chain(dense);
        let columns: Vec<_> = columns.collect();
        for (target, product) in quantized.apply(&blocks, &vector).into_iter().enumerate() {
            let products = columns
                .iter()
                .map(|it| it.1 * quantized.at(&blocks, it.0, target));
            assert!((product - products.sum::<f32>()).abs() < 1e-3, "{target}");
        }
        let again = Quantized::of_values(5, &quantized.values(), quantized.scales.clone());
        assert_eq!(again, quantized);
    }
}
