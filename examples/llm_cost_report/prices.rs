//! What does each call cost, as it was made and as it might have been?

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use bursar_model_router::{
    CacheKey, Cost, Listing, PriceContext, PriceList, Processing, StandardCachePolicy, Usage,
    UsageKind,
};
use bursar_units::Money;
use serde::Serialize;

use crate::call::Call;
use crate::quality::Comparison;

/// The shortest prefix that every model keeps in its cache: Anthropic's documentation of prompt caching names
/// 4,096 tokens for Claude Haiku 4.5 and Opus 4.5 and less for others, OpenAI's 1,024.
pub(crate) const SHORTEST_PREFIX: u64 = 4_096;

/// A call with its cost.
pub(crate) struct PricedCall<'a> {
    pub(crate) call: &'a Call,
    pub(crate) cache_key: Option<CacheKey>,
    /// As it was made.
    pub(crate) cost: Cost,
    /// On the model that served it.
    pub(crate) own: Variants,
    /// On others that are as good, by `provider/model`.
    pub(crate) others: BTreeMap<String, Variants>,
}

/// What a call costs on a model.
pub(crate) struct Variants {
    /// With the usage that was recorded.
    pub(crate) plain: Money,
    /// As a part of a batch; `None` where it cannot wait or the model has no price for that.
    pub(crate) batch: Option<Money>,
    /// With its prefix written into the prompt cache and read from there; `None` where there is none.
    pub(crate) prefix: Option<PrefixCosts>,
}

#[derive(Clone, Copy)]
pub(crate) struct PrefixCosts {
    pub(crate) written: Money,
    pub(crate) read: Money,
}

/// Calls that have no price.
#[derive(Serialize)]
pub(crate) struct Unpriced {
    pub(crate) model: String,
    pub(crate) reason: String,
    pub(crate) calls: usize,
}

/// The calls with their costs, and those that have none.
pub(crate) fn price<'a>(
    calls: &'a [Call],
    comparisons: &[Comparison],
    prices: &PriceList,
) -> Result<(Vec<PricedCall<'a>>, Vec<Unpriced>)> {
    let policy = StandardCachePolicy::default();
    let mut priced = Vec::with_capacity(calls.len());
    let mut unpriced: BTreeMap<(String, String), usize> = BTreeMap::new();
    for call in calls {
        let context = PriceContext::at(call.at).with_processing(call.processing);
        let found = prices.find(&call.provider, &call.model);
        let cost = found.map_err(Into::into).and_then(|listing| {
            let cost = listing.cost(&call.usage, &context)?;
            let _known = cost.total()?;
            Ok::<_, bursar_model_router::CostError>((listing, cost))
        });
        match cost {
            Ok((listing, cost)) => priced.push(PricedCall {
                call,
                cache_key: call.key(&policy)?,
                own: Variants::of(call, &listing)
                    .with_context(|| format!("a call of {} at {}", call.model, call.at))?,
                others: others(call, comparisons, prices),
                cost,
            }),
            Err(error) => {
                let place = unpriced.entry((call.served_by(), error.to_string()));
                *place.or_default() += 1;
            }
        }
    }
    let unpriced = unpriced.into_iter();
    let unpriced = unpriced.map(|((model, reason), calls)| Unpriced {
        model,
        reason,
        calls,
    });
    Ok((priced, unpriced.collect()))
}

/// The call on the models that are as good for its task, as far as they have all prices that it needs.
fn others(
    call: &Call,
    comparisons: &[Comparison],
    prices: &PriceList,
) -> BTreeMap<String, Variants> {
    let is_ordinary = call.processing == Processing::Standard;
    let served_by = call.served_by();
    let as_good = comparisons
        .iter()
        .filter(|it| is_ordinary && it.is_as_good && it.task == call.task && it.from == served_by);
    let variants = as_good.filter_map(|it| {
        let (provider, model) = it.to.split_once('/')?;
        let listing = prices.find(provider, model).ok()?;
        Some((it.to.clone(), Variants::of(call, &listing).ok()?))
    });
    variants.collect()
}

impl Variants {
    fn of(call: &Call, listing: &Listing<'_>) -> Result<Self> {
        let context = PriceContext::at(call.at);
        let made = context.clone().with_processing(call.processing);
        let cost = |usage: &Usage, context: &PriceContext| -> Result<Money> {
            Ok(listing.cost(usage, context)?.total()?)
        };
        let batch = call.can_wait().then(|| {
            let context = context.clone().with_processing(Processing::Batch);
            cost(&without_prompt_cache(&call.usage), &context).ok()
        });
        let prefix = (call.processing == Processing::Standard)
            .then(|| prefix_costs(call, listing, &context))
            .flatten();
        Ok(Self {
            plain: cost(&call.usage, &made)?,
            batch: batch.flatten(),
            prefix,
        })
    }
}

/// `None` unless the prefix is long enough, not cached already, and the model has a price for reading it.
fn prefix_costs(call: &Call, listing: &Listing<'_>, context: &PriceContext) -> Option<PrefixCosts> {
    let tokens = call.prefix.as_ref()?.tokens;
    let is_cached = [UsageKind::CacheReadTokens, UsageKind::CacheWriteTokens]
        .iter()
        .any(|&kind| call.usage.get(kind).is_some_and(|count| count > 0));
    if tokens < SHORTEST_PREFIX || is_cached {
        return None;
    }
    let rates = &listing.price(context).ok()?.rates;
    rates.rate(UsageKind::CacheReadTokens)?;
    let cost = |kind: UsageKind| {
        let usage = without_prompt_cache(&call.usage).with(kind, tokens);
        listing.cost(&usage, context).ok()?.total().ok()
    };
    let read = cost(UsageKind::CacheReadTokens)?;
    // Where writing has no price of its own it costs what input costs.
    let written = match rates.rate(UsageKind::CacheWriteTokens) {
        Some(_) => cost(UsageKind::CacheWriteTokens)?,
        None => listing.cost(&call.usage, context).ok()?.total().ok()?,
    };
    Some(PrefixCosts { written, read })
}

/// The same tokens with none from or into a cache.
fn without_prompt_cache(usage: &Usage) -> Usage {
    let is_of_cache = |kind: UsageKind| {
        kind == UsageKind::CacheReadTokens
            || kind == UsageKind::CacheWriteTokens
            || kind.is_part_of(UsageKind::CacheReadTokens)
            || kind.is_part_of(UsageKind::CacheWriteTokens)
    };
    usage
        .iter()
        .filter(|&(kind, _)| !is_of_cache(kind))
        .collect()
}
