//! What can a model do, beside answering in text?

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ability that a request may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// Calls tools.
    Tools,
    /// Answers in JSON of a given form.
    JsonMode,
    /// Answers in pieces while it thinks.
    Streaming,
    /// Its provider keeps the beginning of a prompt at a lower price.
    PromptCaching,
    /// Thinks before it answers, at the price of output tokens.
    Reasoning,
    /// Reads images.
    ImageInput,
    /// Reads sound.
    AudioInput,
    /// Reads films.
    VideoInput,
    /// Reads documents as files.
    DocumentInput,
}

impl Feature {
    /// All of them, in the order in which they sort.
    pub const ALL: [Self; 9] = [
        Self::Tools,
        Self::JsonMode,
        Self::Streaming,
        Self::PromptCaching,
        Self::Reasoning,
        Self::ImageInput,
        Self::AudioInput,
        Self::VideoInput,
        Self::DocumentInput,
    ];

    /// The name in data and texts, `image_input`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::JsonMode => "json_mode",
            Self::Streaming => "streaming",
            Self::PromptCaching => "prompt_caching",
            Self::Reasoning => "reasoning",
            Self::ImageInput => "image_input",
            Self::AudioInput => "audio_input",
            Self::VideoInput => "video_input",
            Self::DocumentInput => "document_input",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Some features; in data the list of their names.
///
/// ```
/// use bursar_model_router::{Feature, FeatureSet};
///
/// let needs = FeatureSet::from([Feature::Tools, Feature::ImageInput]);
/// let offers = FeatureSet::from([Feature::Tools, Feature::Streaming]);
/// let lacking: Vec<Feature> = needs.without(offers).iter().collect();
/// assert_eq!(lacking, [Feature::ImageInput]);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Feature>", into = "Vec<Feature>")]
#[must_use]
pub struct FeatureSet(u16);

impl FeatureSet {
    /// None at all.
    pub const EMPTY: Self = Self(0);

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & feature.bit() != 0
    }

    /// These and those.
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These but not those.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// One after the other, sorted.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        let all = Feature::ALL.into_iter();
        all.filter(move |feature| self.contains(*feature))
    }
}

impl FromIterator<Feature> for FeatureSet {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        let bits = features.into_iter().map(Feature::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

impl<const N: usize> From<[Feature; N]> for FeatureSet {
    fn from(features: [Feature; N]) -> Self {
        features.into_iter().collect()
    }
}

impl From<Vec<Feature>> for FeatureSet {
    fn from(features: Vec<Feature>) -> Self {
        features.into_iter().collect()
    }
}

impl From<FeatureSet> for Vec<Feature> {
    fn from(features: FeatureSet) -> Self {
        features.iter().collect()
    }
}

/// `{Tools, Streaming}`.
impl fmt::Debug for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_its_own_bit_and_name() {
        let all = FeatureSet::from(Feature::ALL);
        assert_eq!(all.iter().count(), Feature::ALL.len());
        for feature in Feature::ALL {
            let json = serde_json::to_value(feature).expect("a unit variant is a text");
            assert_eq!(json, feature.name());
        }
    }
}
