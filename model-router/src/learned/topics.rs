//! Which kinds of prompts were in the training, and how far is one from all of them?
//!
//! k-means over short sketches (the standardized surface and the words in signed buckets). Nobody has
//! to name the topics: they serve to hold out whole kinds of prompts when a model asks itself how much
//! it may be trusted on a kind that it has not seen.

use super::encoder::{Encoded, Encoder};
use super::random::Random;
use crate::features::SURFACE_SIZE;

const BUCKETS: usize = 64;

pub(super) const SKETCH: usize = SURFACE_SIZE + BUCKETS;

pub(super) type Sketch = Vec<f32>;

/// Surface and words, each of length about one, of a prompt that was encoded.
pub(super) fn sketch(
    encoder: &Encoder,
    encoded: &Encoded,
    standard: &[f32; SURFACE_SIZE],
) -> Sketch {
    let mut sketch = vec![0.0; SKETCH];
    let shrink = (SURFACE_SIZE as f32).sqrt().recip();
    let (surface, buckets) = sketch.split_at_mut(SURFACE_SIZE);
    for (into, value) in surface.iter_mut().zip(standard) {
        *into = value * shrink;
    }
    for &(column, value) in &encoded.sparse {
        // Columns of words come before those of pieces.
        let Some(&hash) = encoder.words.hashes.get(column as usize) else {
            break;
        };
        let sign = if hash >> 31 == 0 { 1.0 } else { -1.0 };
        buckets[hash as usize % BUCKETS] += sign * value;
    }
    sketch
}

/// Centers of topics, and how far their own prompts are from them.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    pub(super) centers: Vec<Sketch>,
    /// The mean squared distance of a topic's prompts.
    pub(super) radii: Vec<f32>,
}

impl Topics {
    /// One topic for every sixty prompts, 2 to 24. Starts by k-means++ (Arthur and Vassilvitskii 2007).
    pub(super) fn learn(sketches: &[Sketch], random: &mut Random) -> Self {
        let count = (sketches.len() / 60).clamp(2, 24).min(sketches.len());
        let mut topics = Self::first(sketches, count, random);
        for _ in 0..12 {
            topics.step(sketches);
        }
        topics.measure(sketches);
        topics
    }

    fn first(sketches: &[Sketch], count: usize, random: &mut Random) -> Self {
        let mut centers = vec![sketches[random.below(sketches.len())].clone()];
        let mut nearest = vec![f32::INFINITY; sketches.len()];
        while centers.len() < count {
            let newest = centers.last().expect("there is one from the start");
            for (nearest, sketch) in nearest.iter_mut().zip(sketches) {
                *nearest = nearest.min(distance(newest, sketch));
            }
            let total: f64 = nearest.iter().map(|it| f64::from(*it)).sum();
            let mut left = random.uniform() * total;
            let is_reached = |it: &f32| {
                left -= f64::from(*it);
                left <= 0.0
            };
            let at = nearest.iter().position(is_reached);
            centers.push(sketches[at.unwrap_or(sketches.len() - 1)].clone());
        }
        Self {
            centers,
            radii: Vec::new(),
        }
    }

    fn step(&mut self, sketches: &[Sketch]) {
        let mut sums = vec![vec![0.0_f64; SKETCH]; self.centers.len()];
        let mut counts = vec![0.0_f64; self.centers.len()];
        for sketch in sketches {
            let (topic, _) = self.nearest(sketch, |_| true);
            counts[topic] += 1.0;
            for (sum, value) in sums[topic].iter_mut().zip(sketch) {
                *sum += f64::from(*value);
            }
        }
        for ((center, sum), count) in self.centers.iter_mut().zip(sums).zip(counts) {
            if count > 0.0 {
                *center = sum.iter().map(|it| (it / count) as f32).collect();
            }
        }
    }

    fn measure(&mut self, sketches: &[Sketch]) {
        let mut sums = vec![(0.0_f64, 0.0_f64); self.centers.len()];
        for sketch in sketches {
            let (topic, distance) = self.nearest(sketch, |_| true);
            sums[topic].0 += f64::from(distance);
            sums[topic].1 += 1.0;
        }
        let total: f64 = sums.iter().map(|it| it.0).sum();
        let typical = total / sketches.len() as f64;
        // A topic of a few equal prompts has no width of its own.
        let radius = |(sum, count): (f64, f64)| ((sum + 5.0 * typical) / (count + 5.0)).max(1e-3);
        self.radii = sums.into_iter().map(|it| radius(it) as f32).collect();
    }

    /// The nearest of the topics that are allowed, of which there is one, with its squared distance.
    fn nearest(&self, sketch: &[f32], is_allowed: impl Fn(usize) -> bool) -> (usize, f32) {
        let mut best = (0, f32::INFINITY);
        for (topic, center) in self.centers.iter().enumerate() {
            let distance = distance(center, sketch);
            if distance < best.1 && is_allowed(topic) {
                best = (topic, distance);
            }
        }
        best
    }

    pub(super) fn topic(&self, sketch: &[f32]) -> usize {
        self.nearest(sketch, |_| true).0
    }

    /// Squared distance from the nearest topic in units of that topic's own: about 1 for a prompt like
    /// those of the training.
    pub(super) fn novelty(&self, sketch: &[f32], is_allowed: impl Fn(usize) -> bool) -> f64 {
        let (topic, distance) = self.nearest(sketch, is_allowed);
        f64::from((distance / self.radii[topic]).min(LARGEST_NOVELTY))
    }
}

const LARGEST_NOVELTY: f32 = 1e6;

/// Four sums side by side, as processors add.
fn distance(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; 4];
    let (left, left_rest) = left.as_chunks::<4>();
    let (right, right_rest) = right.as_chunks::<4>();
    for (left, right) in left.iter().zip(right) {
        for (sum, (a, b)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest = left_rest
        .iter()
        .zip(right_rest)
        .map(|(a, b)| (a - b) * (a - b));
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}
