//! The four models of the examples, at their list prices of 2026-11.

use std::time::Duration;

use bursar_model_router::{
    ComplexityBonus, Feature, FeatureSet, ModelEntry, ModelId, ProviderId, Quality, RateTier,
    Rates, TaskType,
};
use bursar_units::Currency;
use rust_decimal::Decimal;

pub(crate) const SONNET: &str = "anthropic.claude-3-5-sonnet-20241022-v2:0";
pub(crate) const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
pub(crate) const LITE: &str = "amazon.nova-lite-v1:0";
pub(crate) const MICRO: &str = "amazon.nova-micro-v1:0";

pub(crate) fn id(text: &str) -> ModelId {
    ModelId::new(text).unwrap()
}

pub(crate) fn provider(text: &str) -> ProviderId {
    ProviderId::new(text).unwrap()
}

/// Input, output and, where there is a prompt cache, reading from it and writing into it.
pub(crate) fn rates(input: &str, output: &str, cache: Option<(&str, &str)>) -> Rates {
    let price = |text: &str| text.parse::<Decimal>().unwrap();
    let tier = RateTier {
        from_input_tokens: 0,
        input: price(input),
        output: price(output),
        cache_read: cache.map(|(read, _)| price(read)),
        cache_write: cache.map(|(_, write)| price(write)),
    };
    Rates::new(Currency::USD, vec![tier]).unwrap()
}

fn bonus(simple: f64, medium: f64, complex: f64) -> Option<ComplexityBonus> {
    Some(ComplexityBonus {
        simple,
        medium,
        complex,
    })
}

fn entry(name: &str, milliseconds: u64, quality: f64, window: u64) -> ModelEntry {
    let mut entry = ModelEntry::new(provider("aws"), id(name));
    entry.average_latency = Some(Duration::from_millis(milliseconds));
    entry.quality = Some(Quality::new(quality).unwrap());
    entry.context_window = Some(window);
    entry.features = FeatureSet::from([Feature::Tools, Feature::Streaming]);
    entry
}

pub(crate) fn four() -> Vec<ModelEntry> {
    let mut sonnet = entry(SONNET, 1_200, 95.0, 200_000);
    sonnet.rates = Some(rates("3", "15", Some(("0.30", "3.75"))));
    sonnet.strengths = vec![
        TaskType::CodeGeneration,
        TaskType::CodeReview,
        TaskType::Analysis,
    ];
    sonnet.complexity_bonus = bonus(-10.0, 0.0, 20.0);
    sonnet.features = sonnet.features.with([Feature::ImageInput].into());
    let mut haiku = entry(HAIKU, 800, 85.0, 200_000);
    haiku.rates = Some(rates("0.25", "1.25", None));
    haiku.strengths = vec![
        TaskType::Classification,
        TaskType::Summarization,
        TaskType::QuestionAnswering,
    ];
    haiku.complexity_bonus = bonus(10.0, 10.0, -5.0);
    let mut lite = entry(LITE, 900, 80.0, 300_000);
    lite.rates = Some(rates("0.06", "0.24", Some(("0.015", "0.06"))));
    lite.strengths = vec![
        TaskType::TextGeneration,
        TaskType::Summarization,
        TaskType::QuestionAnswering,
    ];
    lite.complexity_bonus = bonus(5.0, 15.0, 5.0);
    let mut micro = entry(MICRO, 600, 75.0, 128_000);
    micro.rates = Some(rates("0.035", "0.14", Some(("0.00875", "0.035"))));
    micro.strengths = vec![TaskType::Classification, TaskType::Summarization];
    micro.complexity_bonus = bonus(15.0, -5.0, -15.0);
    micro.lacking = [Feature::ImageInput].into();
    vec![sonnet, haiku, lite, micro]
}
