//! How is a trained router saved, and what of a saved one can be believed?

use super::calibration::SavedCalibration;
use super::encoder::{DENSE_SIZE, Encoder, MAX_PIECES, MAX_WORDS, Surface, Vocabulary};
use super::ridge::Quantized;
use super::topics::{SKETCH, Topics};
use super::trust::Trust;
use super::{LearnedModel, LengthTrend};
use crate::features::SURFACE_SIZE;
use crate::format::Format;
use crate::name::ModelId;

/// The numbers of a model; what follows from them is made anew.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Saved {
    format: Format<1>,
    models: Vec<ModelId>,
    words: SavedVocabulary,
    pieces: SavedVocabulary,
    surface_means: Vec<f32>,
    surface_spreads: Vec<f32>,
    weights: Vec<i16>,
    weight_scales: Vec<f32>,
    means: Vec<f64>,
    length_slopes: Vec<f64>,
    topic_centers: Vec<Vec<f32>>,
    topic_radii: Vec<f32>,
    trust: Vec<(f64, f64)>,
    errors: Vec<(f64, f64)>,
    calibration: SavedCalibration,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct SavedVocabulary {
    hashes: Vec<u32>,
    frequencies: Vec<u32>,
    prompts: u32,
}

impl From<LearnedModel> for Saved {
    fn from(model: LearnedModel) -> Self {
        Self {
            format: Format,
            words: (&model.encoder.words).into(),
            pieces: (&model.encoder.pieces).into(),
            surface_means: model.encoder.surface.means,
            surface_spreads: model.encoder.surface.spreads,
            weights: model.weights.values,
            weight_scales: model.weights.scales,
            means: model.means,
            length_slopes: model.length.slopes,
            topic_centers: model.topics.centers,
            topic_radii: model.topics.radii,
            trust: model.trust.knots,
            errors: model.errors,
            calibration: (&model.calibration).into(),
            models: model.models,
        }
    }
}

impl From<&Vocabulary> for SavedVocabulary {
    fn from(vocabulary: &Vocabulary) -> Self {
        Self {
            hashes: vocabulary.hashes.clone(),
            frequencies: vocabulary.frequencies.clone(),
            prompts: vocabulary.prompts,
        }
    }
}

const DAMAGED: &str = "the saved router is damaged: its numbers do not fit together";

impl TryFrom<Saved> for LearnedModel {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        if !saved.is_sound() {
            return Err(DAMAGED);
        }
        let surface = Surface {
            means: saved.surface_means,
            spreads: saved.surface_spreads,
        };
        Ok(Self {
            calibration: saved
                .calibration
                .restore(saved.models.len())
                .ok_or(DAMAGED)?,
            weights: Quantized {
                targets: saved.models.len() + 1,
                values: saved.weights,
                scales: saved.weight_scales,
            },
            models: saved.models,
            encoder: Encoder::new(saved.words.restore(), saved.pieces.restore(), surface),
            means: saved.means,
            length: LengthTrend {
                slopes: saved.length_slopes,
            },
            topics: Topics {
                centers: saved.topic_centers,
                radii: saved.topic_radii,
            },
            trust: Trust { knots: saved.trust },
            errors: saved.errors,
        })
    }
}

impl Saved {
    fn is_sound(&self) -> bool {
        let models = self.models.len();
        let columns = self.words.hashes.len() + self.pieces.hashes.len() + DENSE_SIZE;
        let has_models = (2..=256).contains(&models)
            && self.means.len() == models
            && self.length_slopes.len() == models
            && self.errors.len() == models
            && self.weight_scales.len() == models + 1
            && self.weights.len() == columns * (models + 1);
        let has_numbers = small(&self.means)
            && small(&self.length_slopes)
            && small(
                self.errors
                    .iter()
                    .chain(&self.trust)
                    .flat_map(|it| [&it.0, &it.1]),
            )
            && singles(&self.weight_scales);
        has_models && has_numbers && self.has_encoder() && self.has_topics()
    }

    fn has_encoder(&self) -> bool {
        self.words.is_sound(MAX_WORDS)
            && self.pieces.is_sound(MAX_PIECES)
            && self.surface_means.len() == SURFACE_SIZE
            && self.surface_spreads.len() == SURFACE_SIZE
            && singles(self.surface_means.iter().chain(&self.surface_spreads))
    }

    fn has_topics(&self) -> bool {
        !self.topic_centers.is_empty()
            && self.topic_radii.len() == self.topic_centers.len()
            && self.topic_centers.iter().all(|it| it.len() == SKETCH)
            && singles(self.topic_centers.iter().flatten())
            && self.topic_radii.iter().all(|it| (1e-4..=1e6).contains(it))
            && self.trust.iter().all(|it| (0.0..=1.0).contains(&it.1))
            && self.trust.is_sorted_by(|a, b| a.0 <= b.0 && a.1 >= b.1)
    }
}

impl SavedVocabulary {
    fn is_sound(&self, most: usize) -> bool {
        self.hashes.len() <= most
            && self.frequencies.len() == self.hashes.len()
            && self.hashes.is_sorted_by(|a, b| a < b)
    }

    fn restore(self) -> Vocabulary {
        Vocabulary::new(self.hashes, self.frequencies, self.prompts)
    }
}

/// No number that a training makes is anywhere near a million; below it nothing overflows.
fn small<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> bool {
    numbers.into_iter().all(|it| it.abs() <= 1e6)
}

fn singles<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> bool {
    numbers.into_iter().all(|it| it.abs() <= 1e6)
}
