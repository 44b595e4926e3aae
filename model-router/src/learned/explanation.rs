//! Why is one model preferred to another on this prompt?

use super::LearnedModel;
use super::encoder::Blocks;
use crate::features::{Features, SURFACE_NAMES, gram_texts};

/// What speaks for and against a model, in parts that sum to the preference.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// By how much the strong model is expected to answer better.
    pub preference: f64,
    /// How much better it is on average.
    pub on_average: f64,
    /// What the trend with the prompt's length adds, where the rest is not trusted.
    pub from_length: f64,
    /// What the features add, the largest first.
    pub contributions: Vec<Contribution>,
    /// What all further features add together.
    pub others: f64,
    /// How far the prompt is from those of the training: about 1 for one like them.
    pub novelty: f64,
    /// The part of the features' contributions that was kept, 0 to 1.
    pub trust: f64,
}

/// What a feature adds to a preference.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contribution {
    /// A word or two of the prompt in quotes, a measure of its surface, `pieces of words`, or `shape`
    /// for the curved part that all measures make together.
    pub feature: String,
    /// What it adds to the preference for the strong model.
    pub gain: f64,
}

impl LearnedModel {
    /// Explains the preference for model `strong` over `weak` with at most `most` features. `None` if
    /// there is no such model.
    #[must_use]
    pub fn explain(
        &self,
        text: &str,
        weak: usize,
        strong: usize,
        most: usize,
    ) -> Option<Explanation> {
        if weak.max(strong) >= self.models.len() {
            return None;
        }
        let features = Features::of(text);
        let prediction = self.predict(&features);
        let trust = prediction.trust;
        let mut contributions = self.contributions(text, &features, weak, strong);
        contributions.iter_mut().for_each(|it| it.gain *= trust);
        contributions.sort_by(|a, b| b.gain.abs().total_cmp(&a.gain.abs()));
        let others = contributions.iter().skip(most).map(|it| it.gain).sum();
        contributions.truncate(most);
        let slope = self.length.slopes[strong] - self.length.slopes[weak];
        Some(Explanation {
            preference: prediction.preference(weak, strong),
            on_average: self.means[strong] - self.means[weak],
            from_length: (1.0 - trust) * slope * self.encoder.length(&features),
            contributions,
            others,
            novelty: prediction.novelty,
            trust,
        })
    }

    fn contributions(
        &self,
        text: &str,
        features: &Features,
        weak: usize,
        strong: usize,
    ) -> Vec<Contribution> {
        let encoded = self.encoder.encode(features);
        let texts = gram_texts(text);
        let blocks = &self.encoder.blocks;
        let first_dense = blocks.sparse();
        let dense = (first_dense..).zip(encoded.dense.iter().copied());
        let sparse = encoded.sparse.iter().map(|it| (it.0 as usize, it.1));
        let (mut pieces, mut shape) = (0.0, 0.0);
        let mut found = Vec::new();
        for (column, value) in sparse.chain(dense) {
            let weight = |model| self.weights.at(blocks, column, model);
            let difference = weight(strong) - weight(weak);
            let gain = f64::from(value * difference);
            match blocks.of(column) {
                Blocks::WORDS => {
                    let words = texts.get(&self.encoder.words.hashes[column]);
                    let feature = format!("'{}'", words.map_or("", String::as_str));
                    found.push(Contribution { feature, gain });
                }
                Blocks::SURFACE => {
                    let feature = SURFACE_NAMES[column - first_dense].to_owned();
                    found.push(Contribution { feature, gain });
                }
                Blocks::PIECES => pieces += gain,
                _ => shape += gain,
            }
        }
        for (feature, gain) in [("pieces of words", pieces), ("shape", shape)] {
            let feature = feature.to_owned();
            found.push(Contribution { feature, gain });
        }
        found
    }
}
