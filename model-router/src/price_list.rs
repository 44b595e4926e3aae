//! What does a model cost at a provider, whatever name it was called by?

mod lookup;
mod pattern;

use std::sync::Arc;

use jiff::Timestamp;

use self::lookup::Index;
pub use self::pattern::{NamePattern, PatternError};
use crate::cost::{Assumption, Calculation, Cost, CostError, Provenance, calculate};
use crate::extract::Extractor;
use crate::name::{ModelId, ProviderId, Region};
use crate::price_terms::{Price, PriceContext, Processing};
use crate::usage::Usage;

/// The prices of many models at many providers.
///
/// A list is made once and looked up often; [`find`](Self::find) is a look-up by name, and what it finds
/// can be kept for as long as the list.
///
/// ```
/// use std::sync::Arc;
///
/// use bursar_model_router::{
///     ApiFormat, ModelId, ModelPrices, Price, PriceContext, PriceList, PricedProvider, ProviderId,
///     Rate, RateCard, Source, UsageKind,
/// };
/// use bursar_units::UnitRate;
///
/// // Usually a list comes from a file: a catalog, genai-prices' or LiteLLM's.
/// let rates = RateCard::new([
///     (UsageKind::InputTokens, Rate::flat(UnitRate::per_million("0.06 USD".parse()?))),
///     (UsageKind::CacheReadTokens, Rate::flat(UnitRate::per_million("0.015 USD".parse()?))),
///     (UsageKind::OutputTokens, Rate::flat(UnitRate::per_million("0.24 USD".parse()?))),
/// ])?;
/// let price = Price::new(rates, Arc::new(Source::new("aws.amazon.com/bedrock/pricing")));
/// let model = ModelPrices::new(ModelId::new("amazon.nova-lite-v1:0")?).with_price(price);
/// let provider = PricedProvider::new(ProviderId::new("aws")?).with_model(model);
/// let prices = PriceList::new([provider]);
///
/// let body = br#"{"usage":{"inputTokens":100,"cacheReadInputTokens":900,"outputTokens":50}}"#;
/// let usage = ApiFormat::BedrockConverse.extract(body)?.usage;
/// let context = PriceContext::at("2026-11-20T12:00:00Z".parse()?);
/// let cost = prices.cost("aws", "amazon.nova-lite-v1:0", &usage, &context)?;
/// assert_eq!(cost.total()?.to_string(), "0.0000315 USD");
/// assert_eq!(cost.lines.len(), 3);
///
/// // What is not in the list has no price, and does not cost nothing.
/// assert!(prices.cost("aws", "amazon.nova-pro-v1:0", &usage, &context).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PriceList {
    providers: Vec<PricedProvider>,
    index: Index,
}

/// A provider with its prices, its names and how its bodies are read.
#[derive(Debug, Clone)]
#[must_use]
pub struct PricedProvider {
    id: ProviderId,
    models: Vec<ModelPrices>,
    /// Other names of the provider.
    also_called: Option<NamePattern>,
    /// Names of models that are its own wherever they are served.
    owns: Option<NamePattern>,
    /// What addresses of its API look like.
    addresses: Option<NamePattern>,
    /// Whose prices hold for models that it has no price of, in order.
    stand_ins: Vec<ProviderId>,
    extractors: Vec<(String, Extractor)>,
}

/// The prices of a model: today's, those of before, those of a batch and those of elsewhere.
#[derive(Debug, Clone)]
#[must_use]
pub struct ModelPrices {
    pub(crate) id: ModelId,
    pub(crate) names: NamePattern,
    pub(crate) prices: Vec<Price>,
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPrice {
    /// The list does not know the provider.
    #[error("the price list has no provider {provider:?}")]
    UnknownProvider {
        /// As it was called.
        provider: String,
    },
    /// The list does not know whose model it is.
    #[error("the price list has no provider whose own model {model:?} is; name the provider")]
    UnknownOwner {
        /// As the model was called.
        model: String,
    },
    /// The list does not know the model.
    #[error("the price list has no model {model:?} at {provider}")]
    UnknownModel {
        /// Who was asked.
        provider: ProviderId,
        /// As it was called.
        model: String,
    },
    /// The model has no price for this processing; whether it can be had so, the list does not say.
    #[error("the price list has no {processing} price of {model} at {provider}")]
    NoProcessing {
        /// In whose list.
        provider: ProviderId,
        /// The entry.
        model: ModelId,
        /// What was asked for.
        processing: Processing,
    },
    /// No price of the model holds at that time and place.
    #[error("no {processing} price of {model} at {provider} holds at {at}{}", place(.region))]
    NotInForce {
        /// In whose list.
        provider: ProviderId,
        /// The entry.
        model: ModelId,
        /// What was asked for.
        processing: Processing,
        /// When.
        at: Timestamp,
        /// Where.
        region: Option<Region>,
    },
}

fn place(region: &Option<Region>) -> String {
    region
        .as_ref()
        .map_or_else(String::new, |it| format!(" in {it}"))
}

impl PriceList {
    /// The prices of these providers. Of providers with the same id the first is found.
    #[must_use]
    pub fn new(providers: impl IntoIterator<Item = PricedProvider>) -> Self {
        let providers: Vec<_> = providers.into_iter().collect();
        let index = Index::new(&providers);
        Self { providers, index }
    }

    /// All providers, in their order.
    pub fn providers(&self) -> &[PricedProvider] {
        &self.providers
    }

    /// How many models have prices, over all providers.
    #[must_use]
    pub fn n_models(&self) -> usize {
        self.providers.iter().map(|it| it.models.len()).sum()
    }

    /// This list with another before it: where both know a model of a provider, the other's prices hold.
    ///
    /// So a contract's prices come before the list prices, and a newer list before the one that was
    /// shipped.
    #[must_use]
    pub fn with_priority_to(self, other: Self) -> Self {
        let mut providers = other.providers;
        for provider in self.providers {
            match providers.iter_mut().find(|it| it.id == provider.id) {
                Some(first) => first.append(provider),
                None => providers.push(provider),
            }
        }
        Self::new(providers)
    }

    /// The cost of a call at the price of its provider, time and context.
    ///
    /// # Errors
    /// [`CostError`].
    pub fn cost(
        &self,
        provider: &str,
        model: &str,
        usage: &Usage,
        context: &PriceContext,
    ) -> Result<Cost, CostError> {
        self.find(provider, model)?.cost(usage, context)
    }
}

impl PricedProvider {
    /// A provider without prices.
    pub const fn new(id: ProviderId) -> Self {
        Self {
            id,
            models: Vec::new(),
            also_called: None,
            owns: None,
            addresses: None,
            stand_ins: Vec::new(),
            extractors: Vec::new(),
        }
    }

    /// With the prices of a model, after those of the models before it.
    pub fn with_model(mut self, model: ModelPrices) -> Self {
        self.models.push(model);
        self
    }

    /// With the prices of these models, after those of the models before them.
    pub(crate) fn with_models(mut self, models: Vec<ModelPrices>) -> Self {
        self.models.extend(models);
        self
    }

    /// Also found by names like these.
    pub fn also_called(mut self, names: NamePattern) -> Self {
        self.also_called = Some(names);
        self
    }

    /// The owner of models with names like these, for [`PriceList::find_model`].
    pub fn owning(mut self, models: NamePattern) -> Self {
        self.owns = Some(models);
        self
    }

    /// Serving at addresses like these, for [`PriceList::provider_at`].
    pub fn serving_at(mut self, addresses: NamePattern) -> Self {
        self.addresses = Some(addresses);
        self
    }

    /// With another provider's prices for models that this one has none of, after those given before.
    pub fn with_stand_in(mut self, provider: ProviderId) -> Self {
        self.stand_ins.push(provider);
        self
    }

    /// With a way to read the bodies of a flavor of its API.
    pub fn with_extractor(mut self, flavor: &str, extractor: Extractor) -> Self {
        self.extractors.push((flavor.to_owned(), extractor));
        self
    }

    /// Its name in the list.
    #[must_use]
    pub const fn id(&self) -> &ProviderId {
        &self.id
    }

    /// Its other names.
    #[must_use]
    pub const fn names(&self) -> Option<&NamePattern> {
        self.also_called.as_ref()
    }

    /// The names of models that are its own.
    #[must_use]
    pub const fn own_models(&self) -> Option<&NamePattern> {
        self.owns.as_ref()
    }

    /// Whose prices hold for models that it has none of, in order.
    #[must_use]
    pub fn stand_ins(&self) -> &[ProviderId] {
        &self.stand_ins
    }

    /// Its models, in the order in which their names are tried.
    pub fn models(&self) -> &[ModelPrices] {
        &self.models
    }

    /// How its bodies are read, by the flavor of its API: `chat`, `responses`, `default`.
    pub fn extractors(&self) -> impl Iterator<Item = (&str, &Extractor)> {
        self.extractors
            .iter()
            .map(|(flavor, extractor)| (&**flavor, extractor))
    }

    /// How bodies of this flavor are read.
    #[must_use]
    pub fn extractor(&self, flavor: &str) -> Option<&Extractor> {
        let mut extractors = self.extractors();
        extractors.find(|(it, _)| *it == flavor).map(|(_, it)| it)
    }

    fn append(&mut self, other: Self) {
        self.models.extend(other.models);
        self.also_called = self.also_called.take().or(other.also_called);
        self.owns = self.owns.take().or(other.owns);
        self.addresses = self.addresses.take().or(other.addresses);
        self.extractors.extend(other.extractors);
        if self.stand_ins.is_empty() {
            self.stand_ins = other.stand_ins;
        }
    }
}

impl ModelPrices {
    /// A model without prices that is called by its id alone.
    pub fn new(id: ModelId) -> Self {
        let names = NamePattern::equals(id.as_str());
        Self {
            id,
            names,
            prices: Vec::new(),
        }
    }

    /// Called by names like these, and by no other.
    pub fn called(mut self, names: NamePattern) -> Self {
        self.names = names;
        self
    }

    /// With a price; of several that hold for a call, the last one given counts.
    pub fn with_price(mut self, price: Price) -> Self {
        self.prices.push(price);
        self
    }

    /// Its name in the list.
    #[must_use]
    pub const fn id(&self) -> &ModelId {
        &self.id
    }

    /// By which names it is called.
    #[must_use]
    pub const fn names(&self) -> &NamePattern {
        &self.names
    }

    /// All of its prices.
    pub fn prices(&self) -> &[Price] {
        &self.prices
    }
}

/// A model that was found at a provider: ready to price calls.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    provider: &'a PricedProvider,
    model: &'a ModelPrices,
    /// Who was asked, where `provider` stands in for it.
    asked: Option<&'a ProviderId>,
}

impl<'a> Listing<'a> {
    /// In whose list it is; where another's price stands in, this other.
    #[must_use]
    pub const fn provider(&self) -> &'a ProviderId {
        &self.provider.id
    }

    /// The model.
    pub const fn model(&self) -> &'a ModelPrices {
        self.model
    }

    /// The price that holds in a context.
    ///
    /// A context with a region gets the region's price where there is one and the ordinary price
    /// otherwise. A processing that has no price gets none: half the standard price, or all of it, would
    /// be a guess.
    ///
    /// # Errors
    /// [`NoPrice`].
    pub fn price(&self, context: &PriceContext) -> Result<&'a Price, NoPrice> {
        let mut ordinary = None;
        for price in self.model.prices.iter().rev() {
            if !self.offers(context.processing) || !price.holds(context) {
                continue;
            }
            if price.region == context.region {
                return Ok(price);
            }
            if price.region.is_none() {
                ordinary = ordinary.or(Some(price));
            }
        }
        ordinary.ok_or_else(|| self.no_price(context))
    }

    /// A provider that stands in for another does so with its standard price alone.
    fn offers(&self, processing: Processing) -> bool {
        let has_price = |price: &Price| price.processing == processing;
        let is_ordinary = self.asked.is_none() || processing == Processing::Standard;
        is_ordinary && self.model.prices.iter().any(has_price)
    }

    #[cold]
    fn no_price(&self, context: &PriceContext) -> NoPrice {
        let (provider, model) = (self.provider.id.clone(), self.model.id.clone());
        let processing = context.processing;
        if !self.offers(processing) {
            return NoPrice::NoProcessing {
                provider,
                model,
                processing,
            };
        }
        NoPrice::NotInForce {
            provider,
            model,
            processing,
            at: context.at,
            region: context.region.clone(),
        }
    }

    /// The cost of a call in a context.
    ///
    /// # Errors
    /// [`CostError`].
    pub fn cost(&self, usage: &Usage, context: &PriceContext) -> Result<Cost, CostError> {
        let price = self.price(context)?;
        let Calculation {
            lines,
            unpriced,
            mut assumptions,
            total,
            input,
            output,
        } = calculate(&price.rates, usage)?;
        if let Some(region) = context.region.as_ref().filter(|_| price.region.is_none()) {
            let region = region.clone();
            assumptions.push(Assumption::NoRegionalPrice { region });
        }
        if let Some(provider) = self.asked.cloned() {
            assumptions.push(Assumption::OtherProvidersPrice { provider });
        }
        Ok(Cost {
            lines,
            unpriced,
            assumptions,
            provenance: self.provenance(price),
            known_total: total,
            input,
            output,
        })
    }

    fn provenance(&self, price: &Price) -> Provenance {
        Provenance {
            provider: self.provider.id.clone(),
            model: self.model.id.clone(),
            processing: price.processing,
            region: price.region.clone(),
            validity: price.validity,
            source: Arc::clone(&price.source),
        }
    }
}
