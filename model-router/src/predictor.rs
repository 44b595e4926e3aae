//! How good will each model's answer to this request be? The port of prediction.

use std::fmt;

use crate::candidate::{PredictedQuality, Situation};
use crate::entry::{ModelEntry, Quality};
use crate::features::Features;
use crate::learned::LearnedModel;

/// Predicts the quality of the answers of models to a request.
///
/// Predict the quality of each model and not the difficulty of the request: what a choice turns on is the
/// gain between the models, and a request that is hard for all of them is one for the cheapest.
pub trait QualityPredictor: fmt::Debug + Send + Sync {
    /// What it is called in decisions and logs.
    fn name(&self) -> &str;

    /// The quality of each model, in the order of `entries`; `None` if nothing is known of a model. A
    /// list that is too short leaves the rest unknown.
    fn predict(
        &self,
        situation: &Situation<'_>,
        entries: &[&ModelEntry],
    ) -> Vec<Option<PredictedQuality>>;
}

/// The quality that the catalog has of a model for the task, whatever the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CatalogQuality;

impl QualityPredictor for CatalogQuality {
    fn name(&self) -> &str {
        "catalog"
    }

    fn predict(
        &self,
        situation: &Situation<'_>,
        entries: &[&ModelEntry],
    ) -> Vec<Option<PredictedQuality>> {
        let quality = |entry: &&ModelEntry| {
            let quality = entry.quality_for(situation.task);
            quality.map(PredictedQuality::exactly)
        };
        entries.iter().map(quality).collect()
    }
}

/// What was learned from outcomes, for the models that outcomes were known of; nothing of others. A score of
/// 1 is a quality of 100.
impl QualityPredictor for LearnedModel {
    fn name(&self) -> &str {
        "learned"
    }

    fn predict(
        &self,
        situation: &Situation<'_>,
        entries: &[&ModelEntry],
    ) -> Vec<Option<PredictedQuality>> {
        let prediction = LearnedModel::predict(self, &Features::of(situation.request.text()));
        let quality = |entry: &&ModelEntry| {
            let place = self.models().iter().position(|model| *model == entry.id)?;
            let quality = prediction.qualities.get(place)?;
            Some(PredictedQuality {
                expected: Quality::of_share(quality.expected),
                low: Quality::of_share(quality.low),
                high: Quality::of_share(quality.high),
            })
        };
        entries.iter().map(quality).collect()
    }
}
