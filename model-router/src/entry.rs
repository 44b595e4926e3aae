//! What is known of a model that may be chosen?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::catalog::CatalogModel;
use crate::feature::{Feature, FeatureSet};
use crate::name::{ModelId, ProviderId};
use crate::price_list::PriceList;
use crate::price_terms::PriceContext;
use crate::rates::Rates;
use crate::task::{Complexity, TaskType};

/// How good answers are, from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[must_use]
pub struct Quality(f64);

/// A quality that is not from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a quality is from 0 to 100, not {value}")]
pub struct QualityError {
    /// What it was said to be.
    pub value: f64,
}

impl Quality {
    /// The quality of this many points.
    ///
    /// # Errors
    /// [`QualityError`] unless they are from 0 to 100.
    pub fn new(value: f64) -> Result<Self, QualityError> {
        if (0.0..=100.0).contains(&value) {
            return Ok(Self(value));
        }
        Err(QualityError { value })
    }

    /// The quality of a share of right answers, held inside 0 to 1; of one that is not a number, 0.
    pub fn of_share(share: f64) -> Self {
        Self(if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0) * 100.0
        })
    }

    /// The points.
    #[must_use]
    pub const fn points(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Quality {
    type Error = QualityError;

    fn try_from(value: f64) -> Result<Self, QualityError> {
        Self::new(value)
    }
}

impl From<Quality> for f64 {
    fn from(quality: Quality) -> f64 {
        quality.0
    }
}

/// One decimal place, `87.5`.
impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// The points that `WeightedScore` adds for how hard a request is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplexityBonus {
    /// For a simple request.
    pub simple: f64,
    /// For a medium one.
    pub medium: f64,
    /// For a complex one.
    pub complex: f64,
}

impl ComplexityBonus {
    /// The points for this complexity.
    #[must_use]
    pub const fn of(self, complexity: Complexity) -> f64 {
        match complexity {
            Complexity::Simple => self.simple,
            Complexity::Medium => self.medium,
            Complexity::Complex => self.complex,
        }
    }
}

/// A model that may be chosen, with all that is known of it. What is not known is `None`, and is not
/// taken for a no or a zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelEntry {
    /// As its provider calls it.
    pub id: ModelId,
    /// Who serves it.
    pub provider: ProviderId,
    /// As people call it.
    pub name: String,
    /// What its tokens cost; `None` if it is not known.
    pub rates: Option<Rates>,
    /// The most tokens of input and output together; `None` if it is not known.
    pub context_window: Option<u64>,
    /// The most output tokens of one answer; `None` if it is not known.
    pub max_output_tokens: Option<u64>,
    /// What it is known to do.
    pub features: FeatureSet,
    /// What it is known not to do.
    pub lacking: FeatureSet,
    /// The tasks that it is good at.
    pub strengths: Vec<TaskType>,
    /// How long an answer takes on average; `None` if it is not known.
    pub average_latency: Option<Duration>,
    /// How good its answers are; `None` if it is not known.
    pub quality: Option<Quality>,
    /// How good they are by task, where that is known.
    pub quality_by_task: BTreeMap<TaskType, Quality>,
    /// For the policy `WeightedScore`; `None` adds nothing.
    pub complexity_bonus: Option<ComplexityBonus>,
}

impl ModelEntry {
    /// A model of which no more is known than its name.
    pub fn new(provider: ProviderId, id: ModelId) -> Self {
        Self {
            name: id.as_str().to_owned(),
            id,
            provider,
            rates: None,
            context_window: None,
            max_output_tokens: None,
            features: FeatureSet::EMPTY,
            lacking: FeatureSet::EMPTY,
            strengths: Vec::new(),
            average_latency: None,
            quality: None,
            quality_by_task: BTreeMap::new(),
            complexity_bonus: None,
        }
    }

    /// What a catalog says of a model, with the standard price that holds in this context. Quality, strengths
    /// and latency are not in a catalog of prices: set them from your own measurements.
    pub fn of_catalog(model: &CatalogModel, prices: &PriceList, context: &PriceContext) -> Self {
        let mut entry = Self::new(model.provider.clone(), model.id.clone());
        let listing = prices.find(model.provider.as_str(), model.id.as_str());
        let price = listing.and_then(|listing| listing.price(context)).ok();
        entry.rates = price.and_then(|price| Rates::of_card(&price.rates));
        entry.context_window = model.context_window;
        entry.max_output_tokens = model.max_output;
        let named = |names: &BTreeSet<Box<str>>| {
            let features = names.iter().filter_map(|name| feature_named(name));
            features.collect::<FeatureSet>()
        };
        entry.features = named(&model.input).with(named(&model.features));
        if !model.input.is_empty() {
            entry.lacking = FeatureSet::from(INPUTS).without(entry.features);
        }
        entry
    }

    /// How good its answers to this task are: by task where that is known, else in all.
    #[must_use]
    pub fn quality_for(&self, task: TaskType) -> Option<Quality> {
        self.quality_by_task.get(&task).copied().or(self.quality)
    }

    /// Whether it does this; `None` if it is not known.
    #[must_use]
    pub const fn supports(&self, feature: Feature) -> Option<bool> {
        if self.features.contains(feature) {
            return Some(true);
        }
        if self.lacking.contains(feature) {
            return Some(false);
        }
        None
    }
}

/// Of these a catalog that names any says all.
const INPUTS: [Feature; 4] = [
    Feature::ImageInput,
    Feature::AudioInput,
    Feature::VideoInput,
    Feature::DocumentInput,
];

fn feature_named(name: &str) -> Option<Feature> {
    match name {
        "image" => Some(Feature::ImageInput),
        "audio" => Some(Feature::AudioInput),
        "video" => Some(Feature::VideoInput),
        "pdf" => Some(Feature::DocumentInput),
        "tools" => Some(Feature::Tools),
        "json_schema" => Some(Feature::JsonMode),
        "reasoning" => Some(Feature::Reasoning),
        "prompt_caching" => Some(Feature::PromptCaching),
        _ => None,
    }
}
