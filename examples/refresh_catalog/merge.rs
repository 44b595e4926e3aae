//! What do two price lists say together?
//!
//! genai-prices has dates and patterns of names, and LiteLLM more models, regions and ways of processing.
//! Where both know a model and agree on its standard price, LiteLLM's other prices are added; where they
//! disagree, genai-prices holds and the difference is noted for a person to look at. Bedrock is the
//! exception: there LiteLLM has every inference profile under its own name, taken from AWS's price list,
//! so its entries come first, with the history that genai-prices has of them.

use bursar_model_router::{
    Listing, ModelPrices, Price, PriceContext, PriceList, PricedProvider, Processing,
};
use bursar_units::Per;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The providers whose models are in the catalog: those who sell models of their own or of many others.
const PROVIDERS: [&str; 33] = [
    "anthropic",
    "aws",
    "azure",
    "cerebras",
    "cohere",
    "deepseek",
    "fireworks",
    "google",
    "groq",
    "huggingface_cerebras",
    "huggingface_fireworks-ai",
    "huggingface_groq",
    "huggingface_hyperbolic",
    "huggingface_nebius",
    "huggingface_novita",
    "huggingface_nscale",
    "huggingface_ovhcloud",
    "huggingface_publicai",
    "huggingface_sambanova",
    "huggingface_together",
    "minimax",
    "mistral",
    "moonshotai",
    "novita",
    "openai",
    "openrouter",
    "ovhcloud",
    "perplexity",
    "together",
    "voyageai",
    "x-ai",
    "zai",
    "zhipuai",
];

/// Everything that goes into the tables.
pub(crate) struct Merged {
    pub(crate) providers: Vec<MergedProvider>,
    pub(crate) notes: Vec<String>,
}

pub(crate) struct MergedProvider {
    pub(crate) id: String,
    pub(crate) names: String,
    pub(crate) own_models: String,
    pub(crate) stand_ins: String,
    pub(crate) models: Vec<MergedModel>,
}

pub(crate) struct MergedModel {
    pub(crate) id: String,
    pub(crate) names: String,
    pub(crate) prices: Vec<Price>,
    /// Under which names LiteLLM may know what it can do.
    pub(crate) known_as: Vec<String>,
}

pub(crate) fn merge(curated: &PriceList, broad: &PriceList, read_on: Date) -> Merged {
    let mut notes = Vec::new();
    let midnight = read_on.to_zoned(TimeZone::UTC);
    let at = midnight.map_or(jiff::Timestamp::UNIX_EPOCH, |it| it.timestamp());
    let context = PriceContext::at(at);
    let of_name = |name: &&str| {
        let (one, other) = (exact(curated, name), exact(broad, name));
        (one.is_some() || other.is_some())
            .then(|| provider(name, curated, one, other, &context, &mut notes))
    };
    let mut of_name = of_name;
    let providers = PROVIDERS.iter().filter_map(&mut of_name).collect();
    Merged { providers, notes }
}

fn exact<'a>(list: &'a PriceList, id: &str) -> Option<&'a PricedProvider> {
    list.provider(id).filter(|it| it.id().as_str() == id)
}

fn provider(
    id: &str,
    curated_list: &PriceList,
    curated: Option<&PricedProvider>,
    broad: Option<&PricedProvider>,
    context: &PriceContext,
    notes: &mut Vec<String>,
) -> MergedProvider {
    let of_broad = broad.map_or(&[][..], PricedProvider::models);
    let of_curated = curated.map_or(&[][..], PricedProvider::models);
    let mut models: Vec<_> = of_curated.iter().map(MergedModel::of).collect();
    let mut others = Vec::new();
    for model in of_broad {
        let name = model.id().as_str();
        let twin = curated_list.find(id, name).ok();
        let twin = twin.filter(|it| it.provider().as_str() == id);
        match twin {
            None => others.push(MergedModel::of(model)),
            Some(twin) if id == "aws" => {
                let mut entry = MergedModel::of(model);
                entry.add_history(&twin, context);
                others.push(entry);
            }
            Some(twin) => {
                let place = of_curated
                    .iter()
                    .position(|it| std::ptr::eq(it, twin.model()));
                if let Some(entry) = place.and_then(|at| models.get_mut(at)) {
                    entry.add(id, &twin, model, context, notes);
                }
            }
        }
    }
    if id == "aws" {
        others.append(&mut models);
        models = others;
    } else {
        models.append(&mut others);
    }
    models.retain(|it| !it.prices.is_empty());
    // Both lists may have an entry of one name for different names of models; the later gets a star.
    let mut ids = std::collections::BTreeSet::new();
    for model in &mut models {
        while !ids.insert(model.id.clone()) {
            model.id.push('*');
        }
    }
    let text = |it: Option<String>| it.unwrap_or_default();
    MergedProvider {
        id: id.to_owned(),
        names: text(curated.and_then(|it| it.names()).map(ToString::to_string)),
        own_models: text(
            curated
                .and_then(|it| it.own_models())
                .map(ToString::to_string),
        ),
        stand_ins: curated.map_or_else(String::new, |it| {
            let stand_ins: Vec<_> = it.stand_ins().iter().map(|it| it.as_str()).collect();
            stand_ins.join(" ")
        }),
        models,
    }
}

impl MergedModel {
    fn of(model: &ModelPrices) -> Self {
        let names = model.names().to_string();
        Self {
            id: model.id().as_str().to_owned(),
            known_as: names.split(" | ").map(str::to_owned).collect(),
            names,
            prices: model.prices().to_vec(),
        }
    }

    /// What LiteLLM has beside the standard price, if it agrees on that one.
    fn add(
        &mut self,
        provider: &str,
        twin: &Listing<'_>,
        model: &ModelPrices,
        context: &PriceContext,
        notes: &mut Vec<String>,
    ) {
        self.known_as.extend(MergedModel::of(model).known_as);
        let Some(theirs) = model.prices().iter().find(|it| is_ordinary(it)) else {
            return self.add_others(model);
        };
        let Ok(ours) = twin.price(context) else {
            return;
        };
        match first_difference(ours, theirs) {
            None => self.add_others(model),
            Some(difference) => {
                notes.push(format!(
                    "{provider} {} as {}: {difference}",
                    model.id(),
                    self.id
                ));
            }
        }
    }

    /// The older standard prices of genai-prices, if its present one is that of LiteLLM.
    fn add_history(&mut self, twin: &Listing<'_>, context: &PriceContext) {
        let theirs = self.prices.iter_mut().find(|it| is_ordinary(it));
        let (Some(theirs), Ok(ours)) = (theirs, twin.price(context)) else {
            return;
        };
        if first_difference(ours, theirs).is_some() {
            return;
        }
        let Some(since) = ours.validity.from else {
            return;
        };
        theirs.validity.from = Some(since);
        let older = twin.model().prices().iter();
        let is_older = |it: &&Price| it.validity.from.is_none_or(|from| from < since);
        let older = older.filter(|it| is_ordinary(it)).filter(is_older).cloned();
        self.prices.splice(0..0, older);
    }

    fn add_others(&mut self, model: &ModelPrices) {
        for price in model.prices() {
            let is_known = self
                .prices
                .iter()
                .any(|it| it.processing == price.processing && it.region == price.region);
            if !is_known {
                self.prices.push(price.clone());
            }
        }
    }
}

/// What a call costs that asks for nothing special.
fn is_ordinary(price: &Price) -> bool {
    price.processing == Processing::Standard && price.region.is_none()
}

/// Of the kinds of tokens that both price.
fn first_difference(ours: &Price, theirs: &Price) -> Option<String> {
    ours.rates.iter().find_map(|(kind, rate)| {
        let other = theirs.rates.rate(kind)?;
        let is_of_tokens = rate.base().per == Per::Million;
        (is_of_tokens && rate != other)
            .then(|| format!("{kind} {} and {}", rate.base().price, other.base().price))
    })
}
