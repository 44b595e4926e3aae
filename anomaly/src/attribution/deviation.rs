//! How far did each leaf move, and how far do leaves move when nothing happened?
//!
//! A leaf's deviation is (actual − expected) ÷ the larger of the two without sign: −1 for one that
//! vanished, 1 for a new one, up to 2 where a charge became a credit. It treats a rise and a fall
//! alike, as the deviation score of Squeeze (ISSRE 2019) and `RiskLoc` (arXiv 2205.10004) does,
//! without squeezing the large ones together.
//!
//! The spread of normal leaves is read off the calmer side. Causes of one window mostly push one
//! way, while forecast errors go both ways: `RiskLoc` takes its cut between normal and abnormal from
//! the opposite tail for this reason. Here the median of the calmer side gives the spread, and its
//! far tail says how often a normal leaf surprises.

use rust_decimal::prelude::ToPrimitive;

use super::cube::Cube;

/// Spread of a forecast about which nothing is known yet, as relative change.
const PRIOR_SPREAD: f64 = 0.05;
/// How many leaves the prior counts as.
const PRIOR_LEAVES: f64 = 5.0;
/// No forecast is taken to be better than half a percent.
const LEAST_SPREAD: f64 = 0.005;
/// The median of the absolute value of a standard normal variable.
const HALF_NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;
/// Beyond so many spreads a leaf belongs to the tail.
const TAIL: f64 = 4.0;
/// Surprises that the prior counts as.
const SURPRISES_BEFORE: f64 = 0.01;
/// Leaves in a class of sizes, so that its spread is known to about a tenth.
const LEAVES_PER_CLASS: usize = 200;
/// More classes of sizes than this do not change a spread that varies slowly.
const MOST_CLASSES: usize = 8;
/// The length of the range of deviations.
const RANGE: f64 = 2.0;

/// The leaves that moved or could have, as statistics.
#[derive(Debug, Clone)]
pub(super) struct Leaves {
    pub(super) n_dimensions: usize,
    /// One row of codes per leaf.
    pub(super) codes: Vec<u32>,
    pub(super) deviation: Vec<f64>,
    /// Actual less expected. Statistics choose the causes; their amounts are summed exactly.
    pub(super) change: Vec<f64>,
    size: Vec<f64>,
    /// How much a leaf has to say: less where leaves of its size are noisy.
    pub(super) weight: Vec<f64>,
    /// Logarithm of the density of its deviation when nothing happened.
    pub(super) normal: Vec<f64>,
    /// Whether its deviation is in the tail.
    surprising: Vec<bool>,
    /// The row in the cube.
    pub(super) row: Vec<usize>,
}

impl Leaves {
    /// Leaves that are zero on both sides say nothing and are left out.
    pub(super) fn of(cube: &Cube) -> Self {
        let mut leaves = Self {
            n_dimensions: cube.dimensions().len(),
            codes: Vec::new(),
            deviation: Vec::new(),
            change: Vec::new(),
            size: Vec::new(),
            weight: Vec::new(),
            normal: Vec::new(),
            surprising: Vec::new(),
            row: Vec::new(),
        };
        for (row, leaf) in cube.leaves.iter().enumerate() {
            let actual = leaf.actual.amount().to_f64().unwrap_or(0.0);
            let expected = leaf.expected.amount().to_f64().unwrap_or(0.0);
            let size = actual.abs() + expected.abs();
            if size > 0.0 {
                leaves.codes.extend_from_slice(&leaf.codes);
                leaves
                    .deviation
                    .push((actual - expected) / actual.abs().max(expected.abs()));
                leaves.change.push(actual - expected);
                leaves.size.push(size);
                leaves.row.push(row);
            }
        }
        leaves.weight = vec![1.0; leaves.row.len()];
        leaves.normal = vec![0.0; leaves.row.len()];
        leaves.surprising = vec![false; leaves.row.len()];
        leaves
    }

    pub(super) fn len(&self) -> usize {
        self.row.len()
    }

    /// What the leaves moved, without sign, that went further than noise does.
    pub(super) fn surprising_change(&self) -> f64 {
        let moved = self.change.iter().zip(&self.surprising);
        moved
            .filter(|(_, surprising)| **surprising)
            .map(|(change, _)| change.abs())
            .sum()
    }

    pub(super) fn codes(&self, leaf: usize) -> &[u32] {
        &self.codes[leaf * self.n_dimensions..(leaf + 1) * self.n_dimensions]
    }

    /// Sets what is normal from the given leaves, for all leaves.
    pub(super) fn learn_normal(&mut self, from: &[usize], sides: Sides) {
        let deviations: Vec<f64> = from.iter().map(|&leaf| self.deviation[leaf]).collect();
        let overall = Noise::of(&deviations, sides, PRIOR_SPREAD, PRIOR_LEAVES);
        let classes = self.classes(from, sides, overall);
        for leaf in 0..self.len() {
            let class = classes.partition_point(|(size, _)| *size < self.size[leaf]);
            let spread = classes[class.min(classes.len() - 1)].1;
            self.weight[leaf] = (overall.spread / spread).powi(2).min(1.0);
            self.surprising[leaf] = self.deviation[leaf].abs() > TAIL * spread;
            let noise = Noise { spread, ..overall };
            self.normal[leaf] = noise.log_density(self.deviation[leaf]);
        }
    }

    /// The largest size of each class of sizes and the spread in it.
    fn classes(&self, from: &[usize], sides: Sides, overall: Noise) -> Vec<(f64, f64)> {
        let n_classes = (from.len() / LEAVES_PER_CLASS).clamp(1, MOST_CLASSES);
        if n_classes == 1 {
            return vec![(f64::INFINITY, overall.spread)];
        }
        let mut by_size = from.to_vec();
        by_size.sort_by(|&left, &right| self.size[left].total_cmp(&self.size[right]));
        by_size
            .chunks(by_size.len().div_ceil(n_classes))
            .map(|class| {
                let deviations: Vec<f64> = class.iter().map(|&leaf| self.deviation[leaf]).collect();
                let largest = class.last().map_or(0.0, |&leaf| self.size[leaf]);
                let prior = overall.spread;
                (largest, Noise::of(&deviations, sides, prior, 30.0).spread)
            })
            .collect()
    }
}

/// Which side of zero shows the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    /// The calmer one: causes are still among the leaves.
    Calmer,
    /// Both: the causes have been taken out.
    Both,
}

/// A normal distribution, beyond [`TAIL`] spreads an exponential tail as the leaves show it, and
/// the rare surprise that can be anywhere.
#[derive(Debug, Clone, Copy)]
struct Noise {
    spread: f64,
    /// The part of the leaves in the tail.
    in_tail: f64,
    /// How far the tail reaches beyond its begin on average, in spreads.
    reach: f64,
    surprises: f64,
}

impl Noise {
    fn of(deviations: &[f64], sides: Sides, prior: f64, prior_leaves: f64) -> Self {
        let side = |sign: f64| -> Vec<f64> {
            let mut side: Vec<f64> = deviations
                .iter()
                .map(|deviation| deviation * sign)
                .filter(|deviation| *deviation > 0.0)
                .collect();
            side.sort_by(f64::total_cmp);
            side
        };
        let (up, down) = (side(1.0), side(-1.0));
        if sides == Sides::Both {
            let mut both = [up, down].concat();
            both.sort_by(f64::total_cmp);
            return Self::of_side(&both, prior, prior_leaves);
        }
        let up = Self::of_side(&up, prior, prior_leaves);
        let down = Self::of_side(&down, prior, prior_leaves);
        // A single cause hardly moves the median of its side, and fills the tail.
        let tail = |side: &Self| side.in_tail * side.reach;
        let calmer = if tail(&up) <= tail(&down) { up } else { down };
        Self {
            spread: up.spread.min(down.spread),
            ..calmer
        }
    }

    fn of_side(side: &[f64], prior: f64, prior_leaves: f64) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a number of leaves is below 2^52"
        )]
        let n = side.len() as f64;
        let median = side.get(side.len() / 2).copied().unwrap_or(0.0);
        let spread = median / HALF_NORMAL_MEDIAN;
        let pooled = (n * spread * spread + prior_leaves * prior * prior) / (n + prior_leaves);
        let spread = pooled.sqrt().max(LEAST_SPREAD);
        let tail = &side[side.partition_point(|deviation| *deviation <= TAIL * spread)..];
        let reach: f64 = tail.iter().map(|deviation| deviation / spread - TAIL).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a number of leaves is below 2^52"
        )]
        let in_tail = tail.len() as f64;
        Self {
            spread,
            in_tail: (in_tail + SURPRISES_BEFORE) / (n + 10.0),
            reach: (reach + 1.0) / (in_tail + 1.0),
            surprises: SURPRISES_BEFORE / (n + 10.0),
        }
    }

    fn log_density(self, deviation: f64) -> f64 {
        let z = deviation.abs() / self.spread;
        let bell = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        let tail = if z > TAIL {
            self.in_tail * (-(z - TAIL) / self.reach).exp() / (2.0 * self.reach)
        } else {
            0.0
        };
        ((bell + tail) / self.spread + self.surprises / RANGE).ln()
    }
}
