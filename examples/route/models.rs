//! Four models of Amazon Bedrock: prices and limits from the catalog; quality, latency and strengths as a
//! team would measure them on its own requests.

use std::time::Duration;

use anyhow::{Context, Result};
use bursar_model_router::{
    Catalog, CatalogText, ComplexityBonus, ModelEntry, ModelId, PriceContext, Quality, TaskType,
};
use jiff::Timestamp;

/// The day whose prices hold.
const TODAY: &str = "2026-11-27T00:00:00Z";

struct Measured {
    id: &'static str,
    quality: f64,
    milliseconds: u64,
    strengths: &'static [TaskType],
    bonus: ComplexityBonus,
}

const fn bonus(simple: f64, medium: f64, complex: f64) -> ComplexityBonus {
    ComplexityBonus {
        simple,
        medium,
        complex,
    }
}

const MEASURED: [Measured; 4] = [
    Measured {
        id: "anthropic.claude-3-5-sonnet-20241022-v2:0",
        quality: 95.0,
        milliseconds: 1_200,
        strengths: &[
            TaskType::CodeGeneration,
            TaskType::CodeReview,
            TaskType::Analysis,
        ],
        bonus: bonus(-10.0, 0.0, 20.0),
    },
    Measured {
        id: "anthropic.claude-3-haiku-20240307-v1:0",
        quality: 85.0,
        milliseconds: 800,
        strengths: &[
            TaskType::Classification,
            TaskType::Summarization,
            TaskType::QuestionAnswering,
        ],
        bonus: bonus(10.0, 10.0, -5.0),
    },
    Measured {
        id: "amazon.nova-lite-v1:0",
        quality: 80.0,
        milliseconds: 900,
        strengths: &[
            TaskType::TextGeneration,
            TaskType::Summarization,
            TaskType::QuestionAnswering,
        ],
        bonus: bonus(5.0, 15.0, 5.0),
    },
    Measured {
        id: "amazon.nova-micro-v1:0",
        quality: 75.0,
        milliseconds: 600,
        strengths: &[TaskType::Classification, TaskType::Summarization],
        bonus: bonus(15.0, -5.0, -15.0),
    },
];

/// The four models.
pub(crate) fn four() -> Result<Vec<ModelEntry>> {
    let catalog = Catalog::parse(&CatalogText {
        providers: bursar_catalog::PROVIDERS,
        models: bursar_catalog::MODELS,
        prices: bursar_catalog::PRICES,
        sources: bursar_catalog::SOURCES,
    })?;
    let context = PriceContext::at(TODAY.parse::<Timestamp>()?);
    let entry = |measured: &Measured| {
        let listing = catalog.prices().find("aws", measured.id)?;
        let id = listing.model().id();
        let mut models = catalog.models().iter();
        let model = models
            .find(|model| model.provider.as_str() == "aws" && model.id == *id)
            .with_context(|| format!("the catalog has no model {}", measured.id))?;
        let mut entry = ModelEntry::of_catalog(model, catalog.prices(), &context);
        // The list may have it under the name of a family; requests go to this one.
        entry.id = ModelId::new(measured.id)?;
        entry.quality = Some(Quality::new(measured.quality)?);
        entry.average_latency = Some(Duration::from_millis(measured.milliseconds));
        entry.strengths = measured.strengths.to_vec();
        entry.complexity_bonus = Some(measured.bonus);
        Ok(entry)
    };
    MEASURED.iter().map(entry).collect()
}
