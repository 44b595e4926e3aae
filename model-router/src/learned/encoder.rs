//! Which vector is a prompt to a model?
//!
//! Four blocks, each of length about one: the words and the pieces of words weighted by TF-IDF, the
//! measures of the surface, and random cosines of these measures. A linear model on the cosines is a
//! smooth curved one on the measures (Rahimi and Recht 2007, "Random features for large-scale kernel
//! machines"): difficulty does not grow along a line with length or digits.

use std::collections::BTreeMap;

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
    pub(super) blocks: Blocks,
}

impl Encoder {
    /// For this many models: the more there are, the fewer grams are kept, so that a trained router
    /// has at most about 250 kilobytes.
    pub(super) fn learn(prompts: &[&Features], models: usize) -> Self {
        let most = (MOST_WEIGHTS / (models + 6)).min(MAX_WORDS);
        Self::new(
            Vocabulary::learn(prompts, |it| &it.words, most),
            Vocabulary::learn(prompts, |it| &it.pieces, most / 2),
            Surface::learn(prompts),
        )
    }

    pub(super) fn new(words: Vocabulary, pieces: Vocabulary, surface: Surface) -> Self {
        Self {
            blocks: Blocks::new(words.len(), pieces.len()),
            words,
            pieces,
            surface,
            cosines: Cosines::new(),
        }
    }

    pub(super) fn sparse_size(&self) -> usize {
        self.blocks.sparse()
    }

    /// The standardized length of a prompt.
    pub(super) fn length(&self, features: &Features) -> f64 {
        f64::from(self.surface.standardize(&features.surface)[0])
    }

    pub(super) fn encode(&self, features: &Features) -> Encoded {
        self.encode_standard(features, &self.surface.standardize(&features.surface))
    }

    /// With the standardized surface, for those that need it as well.
    pub(super) fn encode_standard(
        &self,
        features: &Features,
        standard: &[f32; SURFACE_SIZE],
    ) -> Encoded {
        let mut sparse = Vec::with_capacity(features.words.len() + features.pieces.len());
        self.words.encode(&features.words, 0, &mut sparse);
        let offset = self.words.len() as u32;
        self.pieces.encode(&features.pieces, offset, &mut sparse);
        let mut dense = Vec::with_capacity(DENSE_SIZE);
        let scale = (SURFACE_SIZE as f32).sqrt().recip();
        dense.extend(standard.iter().map(|it| it * scale));
        self.cosines.encode(standard, &mut dense);
        Encoded { sparse, dense }
    }
}

/// Where the columns of each block end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocks([usize; Blocks::COUNT]);

impl Blocks {
    pub(super) const COUNT: usize = 4;
    pub(super) const WORDS: usize = 0;
    pub(super) const PIECES: usize = 1;
    pub(super) const SURFACE: usize = 2;
    pub(super) const COSINES: usize = 3;

    pub(super) const fn new(words: usize, pieces: usize) -> Self {
        let sparse = words + pieces;
        Self([words, sparse, sparse + SURFACE_SIZE, sparse + DENSE_SIZE])
    }

    /// The block of a column, by its number.
    pub(super) const fn of(&self, column: usize) -> usize {
        let [words, pieces, surface, _] = self.0;
        (column >= words) as usize + (column >= pieces) as usize + (column >= surface) as usize
    }

    pub(super) const fn sparse(&self) -> usize {
        self.0[Self::PIECES]
    }

    pub(super) const fn columns(&self) -> usize {
        self.0[Self::COUNT - 1]
    }
}

pub(super) const DENSE_SIZE: usize = SURFACE_SIZE + COSINES;

/// The most frequent words are kept, and half as many pieces.
pub(super) const MAX_WORDS: usize = 12_000;

/// A gram takes a byte for each model and one for the level, three for its hash and two for its
/// frequency.
const MOST_WEIGHTS: usize = 120_000;

/// The grams that at least two prompts of the training had, with their weights.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Sorted; a gram's place in it is its column.
    pub(super) hashes: Vec<u32>,
    /// How many prompts of the training had each.
    pub(super) frequencies: Vec<u32>,
    /// How many prompts there were.
    pub(super) prompts: u32,
    /// The hashes with their weights: both are asked for together.
    table: Vec<(u32, f32)>,
    unseen: f32,
    /// What small counts weigh: 1 + ln(count).
    frequency: [f32; 32],
    /// Where the hashes start whose upper bits are 0, 1, …; one more at the end.
    starts: Vec<u32>,
    shift: u32,
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
        let weights = frequencies.iter().map(|it| weight(*it));
        let weighted = hashes.iter().copied().zip(weights);
        // Twice as many starts as hashes: most ranges hold one hash or none.
        let bits = hashes.len().max(1).next_power_of_two().trailing_zeros() + 1;
        let shift = u32::BITS - bits.min(24);
        let buckets = 1_u64 << (u32::BITS - shift);
        let start = |it: u64| hashes.partition_point(|hash| u64::from(hash >> shift) < it) as u32;
        Self {
            table: weighted.collect(),
            unseen: weight(1),
            frequency: std::array::from_fn(|count| 1.0 + (count.max(1) as f32).ln()),
            starts: (0..=buckets).map(start).collect(),
            shift,
            hashes,
            frequencies,
            prompts,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The column of a gram with its weight.
    #[inline]
    fn find(&self, hash: u32) -> Option<(u32, f32)> {
        let bucket = (hash >> self.shift) as usize;
        let (start, end) = (self.starts[bucket], self.starts[bucket + 1]);
        let range = &self.table[start as usize..end as usize];
        let pairs = (start..).zip(range);
        let mut found = pairs.filter(|it| it.1.0 == hash);
        found.next().map(|(column, (_, weight))| (column, *weight))
    }

    /// Sublinear TF-IDF of length one. What is unknown counts for the length: the less of a prompt
    /// is known, the shorter is the part that a model sees of it.
    fn encode(&self, grams: &[Gram], offset: u32, out: &mut Vec<(u32, f32)>) {
        let start = out.len();
        let mut square = 0.0;
        for gram in grams {
            let frequency = match self.frequency.get(usize::from(gram.count)) {
                Some(frequency) => *frequency,
                None => 1.0 + f32::from(gram.count).ln(),
            };
            let found = self.find(gram.hash);
            let value = frequency * found.map_or(self.unseen, |it| it.1);
            square += value * value;
            out.extend(found.map(|(column, _)| (offset + column, value)));
        }
        let scale = if square > 0.0 {
            square.sqrt().recip()
        } else {
            0.0
        };
        out[start..].iter_mut().for_each(|it| it.1 *= scale);
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
    /// For each measure, one per cosine: so many are computed side by side.
    frequencies: Vec<[f32; COSINES]>,
    phases: [f32; COSINES],
}

impl Cosines {
    /// The same for every model: their seed is a constant.
    fn new() -> Self {
        let mut random = Random::new(0x636f_7369_6e65_7321);
        let scale = (2.0 * WIDTH / SURFACE_SIZE as f64).sqrt();
        let mut frequencies = vec![[0.0; COSINES]; SURFACE_SIZE];
        for cosine in 0..COSINES {
            for frequencies in &mut frequencies {
                frequencies[cosine] = (random.normal() * scale) as f32;
            }
        }
        let mut phase = || (random.uniform() * std::f64::consts::TAU) as f32;
        Self {
            frequencies,
            phases: std::array::from_fn(|_| phase()),
        }
    }

    fn encode(&self, standard: &[f32; SURFACE_SIZE], out: &mut Vec<f32>) {
        let mut angles = self.phases;
        for (frequencies, measure) in self.frequencies.iter().zip(standard) {
            for (angle, frequency) in angles.iter_mut().zip(frequencies) {
                *angle += frequency * measure;
            }
        }
        let scale = (2.0 / COSINES as f32).sqrt();
        out.extend(angles.iter().map(|angle| scale * angle.cos()));
    }
}
