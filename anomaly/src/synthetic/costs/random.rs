//! The numbers that a series is drawn from.

use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of random numbers that depends on a seed and the number of a series only.
#[derive(Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub(super) fn between(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Between two positive numbers, even in the logarithm.
    pub(super) fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        self.between((low.ln(), high.ln())).exp()
    }

    pub(super) fn whole(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.random_range(range)
    }

    pub(super) fn choice<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let last = choices.len().checked_sub(1)?;
        choices.get(self.whole(0..=last))
    }

    /// From 0 to just below 1.
    fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Mean 0, standard deviation 1 (Box and Muller, 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Student's t with 4 degrees of freedom, scaled to standard deviation 1.
    pub(super) fn heavy_tailed(&mut self) -> f64 {
        // A chi-square variable with 4 degrees of freedom is the sum of two exponential ones.
        let chi_square = -2.0 * ((1.0 - self.unit()) * (1.0 - self.unit())).ln();
        self.normal() / (chi_square / 4.0).sqrt() / std::f64::consts::SQRT_2
    }
}
