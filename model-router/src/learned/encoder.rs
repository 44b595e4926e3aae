//! Which vector is a prompt to a model?
//!
//! Four blocks, each of length about one: the words and the pieces of words weighted by TF-IDF, the
//! measures of the surface, and random cosines of these measures. A linear model on the cosines is a
//! smooth curved one on the measures (Rahimi and Recht 2007, "Random features for large-scale kernel
//! machines"): difficulty does not grow along a line with length or digits.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::random::Random;
use crate::features::{Features, Gram, SURFACE_SIZE};

/// A vector: what is not in `sparse` is zero there.
#[derive(Debug, Clone, Default)]
pub(super) struct Encoded {
    pub(super) sparse: Vec<(u32, f32)>,
    pub(super) dense: Vec<f32>,
}

/// How prompts become vectors; learned from the prompts of the training alone.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    pub(super) words: Vocabulary,
    pub(super) pieces: Vocabulary,
    pub(super) surface: Surface,
    cosines: Cosines,
}

impl Encoder {
    pub(super) fn learn(prompts: &[&Features]) -> Self {
        Self::new(
            Vocabulary::learn(prompts, |it| &it.words, MAX_WORDS),
            Vocabulary::learn(prompts, |it| &it.pieces, MAX_PIECES),
            Surface::learn(prompts),
        )
    }

    pub(super) fn new(words: Vocabulary, pieces: Vocabulary, surface: Surface) -> Self {
        Self {
            words,
            pieces,
            surface,
            cosines: Cosines::new(),
        }
    }

    pub(super) fn sparse_size(&self) -> usize {
        self.words.len() + self.pieces.len()
    }

    /// The block of a column.
    pub(super) fn block(&self, column: usize) -> Block {
        let dense = self.words.len() + self.pieces.len();
        match column {
            _ if column < self.words.len() => Block::Words,
            _ if column < dense => Block::Pieces,
            _ if column < dense + SURFACE_SIZE => Block::Surface,
            _ => Block::Cosines,
        }
    }

    /// The standardized length of a prompt.
    pub(super) fn length(&self, features: &Features) -> f64 {
        f64::from(self.surface.standardize(&features.surface)[0])
    }

    pub(super) fn encode(&self, features: &Features) -> Encoded {
        let mut sparse = Vec::with_capacity(features.words.len() + features.pieces.len());
        self.words.encode(&features.words, 0, &mut sparse);
        let offset = self.words.len() as u32;
        self.pieces.encode(&features.pieces, offset, &mut sparse);
        let standard = self.surface.standardize(&features.surface);
        let mut dense = Vec::with_capacity(DENSE_SIZE);
        let scale = (SURFACE_SIZE as f32).sqrt().recip();
        dense.extend(standard.iter().map(|it| it * scale));
        self.cosines.encode(&standard, &mut dense);
        Encoded { sparse, dense }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Words,
    Pieces,
    Surface,
    Cosines,
}

pub(super) const DENSE_SIZE: usize = SURFACE_SIZE + COSINES;

/// So that a model stays below a few hundred kilobytes. The most frequent ones are kept.
pub(super) const MAX_WORDS: usize = 12_000;
pub(super) const MAX_PIECES: usize = 6_000;

/// The grams that at least two prompts of the training had, with their weights.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Sorted; a gram's place in it is its column.
    pub(super) hashes: Vec<u32>,
    /// How many prompts of the training had each.
    pub(super) frequencies: Vec<u32>,
    /// How many prompts there were.
    pub(super) prompts: u32,
    weights: Vec<f32>,
    unseen: f32,
    columns: HashMap<u32, u32, BuildHasherDefault<Spread>>,
}

impl Vocabulary {
    fn learn(prompts: &[&Features], grams: impl Fn(&Features) -> &[Gram], most: usize) -> Self {
        let mut frequencies: BTreeMap<u32, u32> = BTreeMap::new();
        for gram in prompts.iter().flat_map(|it| grams(it)) {
            *frequencies.entry(gram.hash).or_default() += 1;
        }
        let mut known: Vec<_> = frequencies.into_iter().filter(|it| it.1 >= 2).collect();
        known.sort_by_key(|it| (std::cmp::Reverse(it.1), it.0));
        known.truncate(most);
        known.sort_unstable();
        Self::new(
            known.iter().map(|it| it.0).collect(),
            known.iter().map(|it| it.1).collect(),
            u32::try_from(prompts.len()).unwrap_or(u32::MAX),
        )
    }

    pub(super) fn new(hashes: Vec<u32>, frequencies: Vec<u32>, prompts: u32) -> Self {
        let weight = |frequency: u32| {
            let odds = (1.0 + f64::from(prompts)) / (1.0 + f64::from(frequency));
            (odds.ln() + 1.0).max(0.0) as f32
        };
        Self {
            weights: frequencies.iter().map(|it| weight(*it)).collect(),
            unseen: weight(1),
            columns: hashes.iter().copied().zip(0..).collect(),
            hashes,
            frequencies,
            prompts,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Sublinear TF-IDF of length one. What is unknown counts for the length: the less of a prompt
    /// is known, the shorter is the part that a model sees of it.
    fn encode(&self, grams: &[Gram], offset: u32, out: &mut Vec<(u32, f32)>) {
        let start = out.len();
        let mut square = 0.0;
        for gram in grams {
            let frequency = 1.0 + f32::from(gram.count).ln();
            let column = self.columns.get(&gram.hash);
            let weight = column.map_or(self.unseen, |&it| self.weights[it as usize]);
            let value = frequency * weight;
            square += value * value;
            out.extend(column.map(|column| (offset + column, value)));
        }
        let scale = if square > 0.0 {
            square.sqrt().recip()
        } else {
            0.0
        };
        out[start..].iter_mut().for_each(|it| it.1 *= scale);
    }

    /// The same with the hashes.
    pub(super) fn values(&self, grams: &[Gram]) -> impl Iterator<Item = (u32, f32)> {
        let mut encoded = Vec::with_capacity(grams.len());
        self.encode(grams, 0, &mut encoded);
        encoded
            .into_iter()
            .map(|(column, value)| (self.hashes[column as usize], value))
    }
}

/// The hashes of grams are mixed already; this brings their bits to where the map looks for them.
#[derive(Debug, Default, Clone)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u32(&mut self, hash: u32) {
        self.0 = u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Mean and spread of each measure.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    pub(super) means: Vec<f32>,
    pub(super) spreads: Vec<f32>,
}

impl Surface {
    fn learn(prompts: &[&Features]) -> Self {
        let count = prompts.len().max(1) as f64;
        let moment = |at: usize, power: i32, center: f64| {
            let values = prompts.iter().map(|it| f64::from(it.surface[at]));
            values.map(|it| (it - center).powi(power)).sum::<f64>() / count
        };
        let means: Vec<_> = (0..SURFACE_SIZE).map(|at| moment(at, 1, 0.0)).collect();
        let spreads = means
            .iter()
            .zip(0..)
            .map(|(mean, at)| moment(at, 2, *mean).sqrt());
        Self {
            spreads: spreads.map(|it| it as f32).collect(),
            means: means.iter().map(|it| *it as f32).collect(),
        }
    }

    /// In standard deviations, at most [`LARGEST`].
    pub(super) fn standardize(&self, measures: &[f32; SURFACE_SIZE]) -> [f32; SURFACE_SIZE] {
        std::array::from_fn(|at| {
            let spread = self.spreads[at].max(SMALLEST_SPREAD);
            ((measures[at] - self.means[at]) / spread).clamp(-LARGEST, LARGEST)
        })
    }
}

/// A measure further out is taken as one that is so far out.
const LARGEST: f32 = 4.0;

/// A measure that never varied in the training is far out as soon as it differs, which novelty sees.
const SMALLEST_SPREAD: f32 = 0.05;

const COSINES: usize = 256;

/// Width of the Gaussian kernel over the standardized measures that the cosines stand for:
/// exp(−0.3 × mean square of the differences).
const WIDTH: f64 = 0.3;

#[derive(Debug, Clone)]
struct Cosines {
    /// One row per cosine.
    frequencies: Vec<[f32; SURFACE_SIZE]>,
    phases: Vec<f32>,
}

impl Cosines {
    /// The same for every model: their seed is a constant.
    fn new() -> Self {
        let mut random = Random::new(0x636f_7369_6e65_7321);
        let scale = (2.0 * WIDTH / SURFACE_SIZE as f64).sqrt();
        let mut frequency = || std::array::from_fn(|_| (random.normal() * scale) as f32);
        let frequencies = (0..COSINES).map(|_| frequency()).collect();
        let mut phase = || (random.uniform() * std::f64::consts::TAU) as f32;
        Self {
            frequencies,
            phases: (0..COSINES).map(|_| phase()).collect(),
        }
    }

    fn encode(&self, standard: &[f32; SURFACE_SIZE], out: &mut Vec<f32>) {
        let scale = (2.0 / COSINES as f32).sqrt();
        let rows = self.frequencies.iter().zip(&self.phases);
        out.extend(rows.map(|(frequency, phase)| {
            let products = frequency.iter().zip(standard).map(|(a, b)| a * b);
            scale * (products.sum::<f32>() + phase).cos()
        }));
    }
}
