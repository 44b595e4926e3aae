//! How is the price list of LiteLLM read?
//!
//! <https://github.com/BerriAI/litellm>, `model_prices_and_context_window.json`: one flat object for each
//! model, with a price per token in each of some hundred fields. There are no dates: what the file says
//! holds from the day on which it is read, as far as anybody knows.

mod field;
mod key;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bursar_units::{Currency, Money, UnitRate};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use self::field::Field;
use self::key::Key;
use super::{ImportError, Imported, Notes, exact_decimal};
use crate::name::{ModelId, ProviderId, Region};
use crate::price::{Rate, RateCard};
use crate::price_list::{ModelPrices, NamePattern, PriceList, PricedProvider};
use crate::price_terms::{Price, Processing, Source};
use crate::usage::UsageKind;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The prices in a `model_prices_and_context_window.json` of LiteLLM, with the source to name in costs.
///
/// Providers are called as genai-prices calls them (`aws`, `azure`, `google`, `x-ai`), models as in their
/// own APIs; LiteLLM's keys are understood too. Prices of regions (`azure/eu/…`, `bedrock/eu-west-1/…`),
/// of Bedrock's inference profiles (`eu.…`) and of batches, flex and priority are kept apart. A price of 0
/// is not taken: the file writes it both for what is free and for what nobody has looked up.
///
/// ```
/// use bursar_model_router::{PriceContext, Processing, Source, Usage, UsageKind, read_litellm};
///
/// let file = br#"{"gpt-4o-mini":{"litellm_provider":"openai","input_cost_per_token":1.5e-07,
///     "output_cost_per_token":6e-07,"input_cost_per_token_batches":7.5e-08,
///     "output_cost_per_token_batches":3e-07}}"#;
/// let list = read_litellm(file, Source::new("LiteLLM"))?.list;
/// let usage = Usage::new()
///     .with(UsageKind::InputTokens, 1_000)
///     .with(UsageKind::OutputTokens, 100);
/// let context = PriceContext::at("2026-11-20T00:00:00Z".parse()?).with_processing(Processing::Batch);
/// let cost = list.cost("openai", "gpt-4o-mini", &usage, &context)?;
/// assert_eq!(cost.total()?.to_string(), "0.000105 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ImportError`]. What is not understood is skipped and said to be.
pub fn read_litellm(file: &[u8], source: Source) -> Result<Imported, ImportError> {
    let entries = serde_json::from_slice(file).map_err(|source| ImportError::Json {
        list: "LiteLLM",
        source,
    })?;
    let entries: BTreeMap<String, &RawValue> = entries;
    let mut reader = Reader {
        source: Arc::new(source),
        notes: Notes::default(),
        models: BTreeMap::new(),
    };
    for (key, entry) in entries {
        reader.read(&key, entry);
    }
    Ok(reader.finish())
}

struct Reader {
    source: Arc<Source>,
    notes: Notes,
    /// By provider and name.
    models: BTreeMap<(ProviderId, ModelId), Model>,
}

#[derive(Default)]
struct Model {
    names: Vec<String>,
    prices: Vec<Price>,
}

impl Reader {
    fn read(&mut self, key: &str, entry: &RawValue) {
        let fields = serde_json::from_str(entry.get());
        let Some(fields): Option<Fields<'_>> = self.notes.keep(key, fields) else {
            return;
        };
        let provider = fields.get("litellm_provider").map(|it| it.get());
        let Some(parsed) = Key::parse(key, provider.unwrap_or_default().trim_matches('"')) else {
            self.notes
                .skip(key, "no model that is billed by its tokens");
            return;
        };
        let provider = self.notes.keep(key, ProviderId::new(&parsed.provider));
        let model = self.notes.keep(key, ModelId::new(&parsed.model));
        let (Some(provider), Some(model)) = (provider, model) else {
            return;
        };
        let rates = rates(key, &fields, &mut self.notes);
        if rates.is_empty() {
            self.notes.skip(key, "no price per token");
            return;
        }
        self.add(key, provider, model, &parsed, rates);
        self.add_uplifts(key, &fields, &parsed);
    }

    fn add(
        &mut self,
        key: &str,
        provider: ProviderId,
        model: ModelId,
        parsed: &Key,
        rates: BTreeMap<Processing, HashMap<UsageKind, Rate>>,
    ) {
        let region = parsed.region.as_deref().map(Region::new);
        let region = region.and_then(|region| self.notes.keep(key, region));
        let mut prices = Vec::with_capacity(rates.len());
        for (processing, rates) in rates {
            let Some(card) = self.notes.keep(key, RateCard::new(rates)) else {
                continue;
            };
            let mut price = Price::new(card, Arc::clone(&self.source)).for_processing(processing);
            price.region.clone_from(&region);
            prices.push(price);
        }
        if let Some((area, base)) = parsed.profile() {
            let base = ModelId::new(base).ok();
            if let (Ok(area), Some(base)) = (Region::new(area), base) {
                let in_area = prices.iter().cloned().map(|it| it.in_region(area.clone()));
                let entry = self.models.entry((provider.clone(), base));
                entry.or_default().prices.extend(in_area);
            }
        }
        let entry = self.models.entry((provider, model)).or_default();
        entry.names.push(key.to_owned());
        let is_new = |price: &Price| {
            let has_it =
                |it: &Price| it.processing == price.processing && it.region == price.region;
            !entry.prices.iter().any(has_it)
        };
        let (new, known): (Vec<_>, Vec<_>) = prices.into_iter().partition(is_new);
        if known.iter().any(|price| !entry.prices.contains(price)) {
            self.notes
                .skip(key, "another price than an entry before it has");
        }
        entry.prices.extend(new);
    }

    /// The surcharge of a region, a factor on every rate of the standard price.
    fn add_uplifts(&mut self, key: &str, fields: &Fields<'_>, parsed: &Key) {
        const UPLIFT: &str = "regional_processing_uplift_multiplier_";
        let id = (
            ProviderId::new(&parsed.provider),
            ModelId::new(&parsed.model),
        );
        let (Ok(provider), Ok(model)) = id else {
            return;
        };
        let Some(entry) = self.models.get_mut(&(provider, model)) else {
            return;
        };
        let is_ordinary =
            |it: &&Price| it.region.is_none() && it.processing == Processing::Standard;
        let Some(ordinary) = entry.prices.iter().find(is_ordinary).cloned() else {
            return;
        };
        for (name, factor) in fields {
            let Some(region) = name.strip_prefix(UPLIFT) else {
                continue;
            };
            let region = self.notes.keep(key, Region::new(region));
            let card =
                exact_decimal(factor.get(), 0).and_then(|factor| times(&ordinary.rates, factor));
            if let (Some(region), Some(card)) = (region, card) {
                let price = Price::new(card, Arc::clone(&self.source));
                entry.prices.push(price.in_region(region));
            }
        }
    }

    fn finish(self) -> Imported {
        let mut providers: BTreeMap<ProviderId, PricedProvider> = BTreeMap::new();
        let mut notes = self.notes;
        for ((provider, id), model) in self.models {
            let Model { mut names, prices } = model;
            names.push(id.as_str().to_owned());
            let names = NamePattern::any(names.iter().map(|it| NamePattern::equals(it)).collect());
            let Some(names) = notes.keep(&id, names) else {
                continue;
            };
            let model = ModelPrices::new(id).called(names);
            let model = prices.into_iter().fold(model, ModelPrices::with_price);
            let known = providers.remove(&provider);
            let known = known.unwrap_or_else(|| PricedProvider::new(provider.clone()));
            providers.insert(provider, known.with_model(model));
        }
        Imported {
            list: PriceList::new(providers.into_values()),
            skipped: notes.0,
        }
    }
}

/// The rates in the fields of an entry, by processing.
fn rates(
    key: &str,
    fields: &Fields<'_>,
    notes: &mut Notes,
) -> BTreeMap<Processing, HashMap<UsageKind, Rate>> {
    let mut tiers: BTreeMap<(Processing, UsageKind), BTreeMap<u64, UnitRate>> = BTreeMap::new();
    for (name, value) in fields {
        if !name.contains("cost") && name != "tiered_pricing" && name != "off_peak_pricing" {
            continue;
        }
        let Some(field) = Field::parse(name) else {
            notes.skip(key, format!("the field {name}"));
            continue;
        };
        match field.rate(value) {
            Some(rate) if !rate.price.is_zero() => {
                let of_kind = tiers.entry((field.processing, field.kind)).or_default();
                of_kind.insert(field.above, rate);
            }
            Some(_) => notes.skip(key, format!("0 in {name}")),
            None => notes.skip(key, format!("{value} in {name} is no price")),
        }
    }
    let mut rates: BTreeMap<_, HashMap<_, _>> = BTreeMap::new();
    for ((processing, kind), mut tiers) in tiers {
        match tiers.remove(&0) {
            Some(base) => {
                let rate = tiers
                    .into_iter()
                    .fold(Rate::flat(base), |rate, (above, it)| {
                        rate.with_tier(above, it)
                    });
                rates.entry(processing).or_default().insert(kind, rate);
            }
            None => notes.skip(
                key,
                format!("{kind} has a {processing} price for long inputs alone"),
            ),
        }
    }
    rates
}

/// Every rate of a card times a factor.
fn times(card: &RateCard, factor: Decimal) -> Option<RateCard> {
    let product = |rate: UnitRate| {
        let price = rate.price.checked_mul(factor).ok()?;
        Some(UnitRate { price, ..rate })
    };
    let rates = card.iter().map(|(kind, rate)| {
        let base = Rate::flat(product(rate.base())?);
        let rate = rate.tiers().iter().try_fold(base, |rate, tier| {
            Some(rate.with_tier(tier.above, product(tier.rate)?))
        })?;
        Some((kind, rate))
    });
    RateCard::new(rates.collect::<Option<Vec<_>>>()?).ok()
}

/// A price per token as a price per million of them.
fn per_million(value: &RawValue) -> Option<UnitRate> {
    let amount = exact_decimal(value.get(), 6)?.normalize();
    Some(UnitRate::per_million(Money::new(amount, Currency::USD)))
}

/// A price per call.
fn per_unit(value: &RawValue) -> Option<UnitRate> {
    let amount = exact_decimal(value.get(), 0)?;
    Some(UnitRate::per_unit(Money::new(amount, Currency::USD)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price_terms::PriceContext;
    use crate::usage::Usage;

    fn total(
        imported: &Imported,
        provider: &str,
        model: &str,
        processing: Processing,
        region: Option<&str>,
    ) -> String {
        let usage = Usage::new()
            .with(UsageKind::InputTokens, 1_000_000)
            .with(UsageKind::CacheReadTokens, 400_000)
            .with(UsageKind::OutputTokens, 10);
        let mut context = PriceContext::at("2026-11-20T00:00:00Z".parse().unwrap());
        context.processing = processing;
        context.region = region.map(|it| Region::new(it).unwrap());
        match imported.list.cost(provider, model, &usage, &context) {
            Ok(cost) => cost.total().unwrap().to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Values of the file of LiteLLM 1.109.1.
    const FILE: &str = r#"{
        "amazon.nova-lite-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat",
            "input_cost_per_token": 6e-08, "output_cost_per_token": 2.4e-07,
            "cache_read_input_token_cost": 1.5e-08,
            "input_cost_per_token_batches": 3e-08, "output_cost_per_token_batches": 1.2e-07},
        "eu.amazon.nova-lite-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat",
            "input_cost_per_token": 7.8e-08, "output_cost_per_token": 3.12e-07},
        "gpt-5.4": {"litellm_provider": "openai", "mode": "chat",
            "input_cost_per_token": 2.5e-06, "input_cost_per_token_above_272k_tokens": 5e-06,
            "output_cost_per_token": 1.5e-05, "output_cost_per_token_above_272k_tokens": 2.25e-05,
            "cache_read_input_token_cost": 2.5e-07, "regional_processing_uplift_multiplier_eu": 1.1},
        "azure/eu/gpt-4o": {"litellm_provider": "azure", "mode": "chat",
            "input_cost_per_token": 5.5e-06, "output_cost_per_token": 1.65e-05},
        "free": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
        "1024-x-1024/dall-e-3": {"litellm_provider": "openai", "input_cost_per_pixel": 1e-08}
    }"#;

    #[test]
    fn regions_and_processing_have_prices_of_their_own() {
        let imported = read_litellm(FILE.as_bytes(), Source::new("LiteLLM")).unwrap();
        let cost = |provider, model, processing, region| {
            total(&imported, provider, model, processing, region)
        };
        let lite = "amazon.nova-lite-v1:0";
        let (standard, batch) = (Processing::Standard, Processing::Batch);
        assert_eq!(cost("aws", lite, standard, None), "0.0420024 USD");
        assert_eq!(cost("aws", lite, batch, None), "0.0300012 USD");
        assert_eq!(cost("aws", lite, standard, Some("eu")), "0.07800312 USD");
        let profile = "eu.amazon.nova-lite-v1:0";
        assert_eq!(cost("aws", profile, standard, None), "0.07800312 USD");
        let none = cost("aws", lite, Processing::Flex, None);
        assert_eq!(
            none,
            "the price list has no flex price of amazon.nova-lite-v1:0 at aws"
        );
        // 600,000 at 5, 400,000 at 0.25 and 10 at 22.50 per million; a tenth more in the EU.
        assert_eq!(cost("openai", "gpt-5.4", standard, None), "3.100225 USD");
        assert_eq!(
            cost("openai", "gpt-5.4", standard, Some("eu")),
            "3.4102475 USD"
        );
        assert_eq!(
            cost("azure", "azure/eu/gpt-4o", standard, Some("eu")),
            "5.500165 USD"
        );
        let elsewhere = cost("azure", "gpt-4o", standard, None);
        assert!(
            elsewhere.starts_with("no standard price of gpt-4o at azure holds"),
            "{elsewhere}"
        );
    }

    #[test]
    fn what_is_zero_or_not_understood_is_no_price() {
        let imported = read_litellm(FILE.as_bytes(), Source::new("LiteLLM")).unwrap();
        let skipped: Vec<_> = imported.skipped.iter().map(ToString::to_string).collect();
        let expected = [
            "1024-x-1024/dall-e-3: no model that is billed by its tokens",
            "free: 0 in input_cost_per_token",
            "free: 0 in output_cost_per_token",
            "free: no price per token",
        ];
        assert_eq!(skipped, expected);
        assert!(read_litellm(b"[]", Source::new("LiteLLM")).is_err());
    }
}
