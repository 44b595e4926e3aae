//! How is the price list of genai-prices read?
//!
//! <https://github.com/pydantic/genai-prices>, `prices/new_data/v2/data.json`: a list of providers, each
//! with the form of its bodies and with its models. The rules for names, dates and tiers are those of its
//! Python package 0.2.3.

mod bodies;
mod prices;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use self::bodies::RawExtractor;
use super::{ImportError, Imported, Notes};
use crate::name::{ModelId, ProviderId};
use crate::price_list::{ModelPrices, NamePattern, PatternError, PriceList, PricedProvider};
use crate::price_terms::Source;

#[derive(Deserialize)]
struct RawProvider<'a> {
    id: String,
    #[serde(default)]
    api_pattern: Option<String>,
    #[serde(default)]
    model_match: Option<Clause>,
    #[serde(default)]
    provider_match: Option<Clause>,
    #[serde(default)]
    fallback_model_providers: Option<Vec<String>>,
    #[serde(default)]
    extractors: Option<Vec<RawExtractor>>,
    #[serde(borrow)]
    models: Vec<RawModel<'a>>,
}

#[derive(Deserialize)]
struct RawModel<'a> {
    id: String,
    r#match: Clause,
    #[serde(borrow)]
    prices: &'a RawValue,
    #[serde(borrow, default)]
    price_variants: Option<Vec<prices::RawVariant<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Clause {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(String),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// The prices, names and forms of bodies in a `data.json` of genai-prices, with the source to name in
/// costs.
///
/// ```
/// use bursar_model_router::{PriceContext, Source, Usage, UsageKind, read_genai_prices};
///
/// let file = br#"[{"id":"openai","name":"OpenAI","api_pattern":"https://api\\.openai\\.com",
///     "models":[{"id":"gpt-4o-mini","match":{"starts_with":"gpt-4o-mini"},
///                "prices":{"input_mtok":0.15,"cache_read_mtok":0.075,"output_mtok":0.6}}]}]"#;
/// let imported = read_genai_prices(file, Source::new("genai-prices"))?;
/// assert!(imported.skipped.is_empty());
///
/// let usage = Usage::new()
///     .with(UsageKind::InputTokens, 1_000)
///     .with(UsageKind::OutputTokens, 100);
/// let context = PriceContext::at("2026-08-01T00:00:00Z".parse()?);
/// let cost = imported.list.cost("openai", "gpt-4o-mini-2024-07-18", &usage, &context)?;
/// assert_eq!(cost.total()?.to_string(), "0.00021 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ImportError`]. A model that is not understood is skipped and said to be.
pub fn read_genai_prices(file: &[u8], source: Source) -> Result<Imported, ImportError> {
    let raw = serde_json::from_slice(file).map_err(|source| ImportError::Json {
        list: "genai-prices",
        source,
    })?;
    let raw: Vec<RawProvider<'_>> = raw;
    let source = Arc::new(source);
    let mut notes = Notes::default();
    let providers = raw
        .into_iter()
        .filter_map(|raw| provider(raw, &source, &mut notes));
    let list = PriceList::new(providers.collect::<Vec<_>>());
    Ok(Imported {
        list,
        skipped: notes.0,
    })
}

fn provider(
    raw: RawProvider<'_>,
    source: &Arc<Source>,
    notes: &mut Notes,
) -> Option<PricedProvider> {
    let id = notes.keep(&raw.id, ProviderId::new(&raw.id))?;
    let mut provider = PricedProvider::new(id);
    if let Some(names) = optional_pattern(raw.provider_match, &raw.id, notes) {
        provider = provider.also_called(names);
    }
    if let Some(names) = optional_pattern(raw.model_match, &raw.id, notes) {
        provider = provider.owning(names);
    }
    if let Some(expression) = raw.api_pattern {
        // As Python's `re.match`, at the beginning alone.
        let at_start = NamePattern::regex(&format!("^(?:{expression})"));
        if let Some(addresses) = notes.keep(format!("{} api_pattern", raw.id), at_start) {
            provider = provider.serving_at(addresses);
        }
    }
    for stand_in in raw.fallback_model_providers.unwrap_or_default() {
        if let Some(stand_in) = notes.keep(&raw.id, ProviderId::new(&stand_in)) {
            provider = provider.with_stand_in(stand_in);
        }
    }
    for extractor in raw.extractors.unwrap_or_default() {
        let flavor = extractor.api_flavor().to_owned();
        let place = format!("{} {flavor}", raw.id);
        if let Some(extractor) = extractor.read(&place, notes) {
            provider = provider.with_extractor(&flavor, extractor);
        }
    }
    for raw_model in raw.models {
        let place = format!("{} {}", raw.id, raw_model.id);
        if let Some(model) = model(raw_model, &place, source, notes) {
            provider = provider.with_model(model);
        }
    }
    Some(provider)
}

fn optional_pattern(clause: Option<Clause>, place: &str, notes: &mut Notes) -> Option<NamePattern> {
    clause.and_then(|clause| notes.keep(place, clause.pattern()))
}

fn model(
    raw: RawModel<'_>,
    place: &str,
    source: &Arc<Source>,
    notes: &mut Notes,
) -> Option<ModelPrices> {
    let id = notes.keep(place, ModelId::new(&raw.id))?;
    let names = notes.keep(place, raw.r#match.pattern())?;
    let variants = raw.price_variants.unwrap_or_default();
    let prices = prices::read(raw.prices, &variants, place, source, notes);
    let model = ModelPrices::new(id).called(names);
    Some(prices.into_iter().fold(model, ModelPrices::with_price))
}

impl Clause {
    fn pattern(self) -> Result<NamePattern, PatternError> {
        let all = |clauses: Vec<Self>| -> Result<Vec<_>, _> {
            clauses.into_iter().map(Self::pattern).collect()
        };
        match self {
            Self::Equals(name) => Ok(NamePattern::equals(&name)),
            Self::StartsWith(start) => NamePattern::starts_with(&start),
            Self::EndsWith(end) => NamePattern::ends_with(&end),
            Self::Contains(part) => NamePattern::contains(&part),
            Self::Regex(expression) => NamePattern::regex(&expression),
            Self::And(clauses) => NamePattern::all(all(clauses)?),
            Self::Or(clauses) => NamePattern::any(all(clauses)?),
        }
    }
}
