//! How is a trained router saved, and what of a saved one can be believed?

use super::bytes;
use super::calibration::SavedCalibration;
use super::encoder::{Blocks, Encoder, MAX_WORDS, Surface, Vocabulary};
use super::quantized::Quantized;
use super::topics::{SKETCH, Topics};
use super::trust::Trust;
use super::{LearnedModel, LengthTrend};
use crate::features::SURFACE_SIZE;
use crate::format::Format;
use crate::name::ModelId;

/// The numbers of a model; what follows from them is made anew.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Saved {
    format: Format<2>,
    models: Vec<ModelId>,
    words: SavedVocabulary,
    pieces: SavedVocabulary,
    surface_means: Vec<f32>,
    surface_spreads: Vec<f32>,
    /// A byte each.
    weights: String,
    weight_scales: Vec<f32>,
    means: Vec<f64>,
    length_slopes: Vec<f64>,
    /// In ten-thousandths, two bytes each.
    topic_centers: String,
    topic_radii: Vec<f32>,
    trust: Vec<(f64, f64)>,
    errors: Vec<(f64, f64)>,
    calibration: SavedCalibration,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct SavedVocabulary {
    hashes: String,
    frequencies: String,
    prompts: u32,
}

impl From<LearnedModel> for Saved {
    fn from(model: LearnedModel) -> Self {
        let centers = model.topics.centers.iter().flatten();
        Self {
            format: Format,
            words: (&model.encoder.words).into(),
            pieces: (&model.encoder.pieces).into(),
            surface_means: model.encoder.surface.means,
            surface_spreads: model.encoder.surface.spreads,
            weights: bytes::from_small(&model.weights.values()),
            weight_scales: model.weights.scales,
            means: model.means,
            length_slopes: model.length.slopes,
            topic_centers: bytes::from_middle(centers.map(|it| (it * CENTER_STEPS) as i16)),
            topic_radii: model.topics.radii,
            trust: model.trust.knots,
            errors: model.errors,
            calibration: (&model.calibration).into(),
            models: model.models,
        }
    }
}

/// No coordinate of a center is above 2.
const CENTER_STEPS: f32 = 1e4;

impl From<&Vocabulary> for SavedVocabulary {
    fn from(vocabulary: &Vocabulary) -> Self {
        Self {
            hashes: bytes::from_rising(&vocabulary.hashes),
            frequencies: bytes::from_whole(vocabulary.frequencies.iter().copied()),
            prompts: vocabulary.prompts,
        }
    }
}

const DAMAGED: &str = "the saved router is damaged: its numbers do not fit together";

impl TryFrom<Saved> for LearnedModel {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        saved.restore().ok_or(DAMAGED)
    }
}

impl Saved {
    fn restore(self) -> Option<LearnedModel> {
        let models = self.models.len();
        if !self.is_sound() {
            return None;
        }
        let surface = Surface {
            means: self.surface_means,
            spreads: self.surface_spreads,
        };
        let encoder = Encoder::new(self.words.restore()?, self.pieces.restore()?, surface);
        let values = bytes::to_small(&self.weights)?;
        let centers = bytes::to_middle(&self.topic_centers)?;
        let center = |it: &[i16]| it.iter().map(|it| f32::from(*it) / CENTER_STEPS).collect();
        let is_whole = values.len() == encoder.blocks.columns() * (models + 1)
            && !centers.is_empty()
            && centers.len() == SKETCH * self.topic_radii.len();
        is_whole.then_some(())?;
        Some(LearnedModel {
            calibration: self.calibration.restore(models)?,
            weights: Quantized::of_values(models + 1, &values, self.weight_scales),
            models: self.models,
            encoder,
            means: self.means,
            length: LengthTrend {
                slopes: self.length_slopes,
            },
            topics: Topics {
                centers: centers.chunks(SKETCH).map(center).collect(),
                radii: self.topic_radii,
            },
            trust: Trust { knots: self.trust },
            errors: self.errors,
        })
    }

    fn is_sound(&self) -> bool {
        let models = self.models.len();
        let has_models = (2..=256).contains(&models)
            && self.means.len() == models
            && self.length_slopes.len() == models
            && self.errors.len() == models
            && self.weight_scales.len() == Blocks::COUNT * (models + 1);
        let pairs = self.errors.iter().chain(&self.trust);
        let has_numbers = small(&self.means)
            && small(&self.length_slopes)
            && small(pairs.flat_map(|it| [&it.0, &it.1]))
            && singles(&self.weight_scales);
        let has_surface = self.surface_means.len() == SURFACE_SIZE
            && self.surface_spreads.len() == SURFACE_SIZE
            && singles(self.surface_means.iter().chain(&self.surface_spreads));
        let has_topics = self.topic_radii.iter().all(|it| (1e-4..=1e6).contains(it))
            && self.trust.iter().all(|it| (0.0..=1.0).contains(&it.1))
            && self.trust.is_sorted_by(|a, b| a.0 <= b.0 && a.1 >= b.1);
        has_models && has_numbers && has_surface && has_topics
    }
}

impl SavedVocabulary {
    fn restore(self) -> Option<Vocabulary> {
        let hashes = bytes::to_rising(&self.hashes)?;
        let frequencies = bytes::to_whole(&self.frequencies)?;
        let is_whole = hashes.len() <= MAX_WORDS
            && hashes.len() == frequencies.len()
            && hashes.is_sorted_by(|a, b| a < b);
        is_whole.then(|| Vocabulary::new(hashes, frequencies, self.prompts))
    }
}

/// No number that a training makes is anywhere near a million; below it nothing overflows.
fn small<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> bool {
    numbers.into_iter().all(|it| it.abs() <= 1e6)
}

fn singles<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> bool {
    numbers.into_iter().all(|it| it.abs() <= 1e6)
}
