//! What does genai-prices say a model costs, and when?

use std::collections::BTreeMap;
use std::sync::Arc;

use bursar_units::{Currency, Money, UnitRate};
use jiff::civil::{Date, Time};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::import::{Notes, exact_decimal};
use crate::price::{Rate, RateCard};
use crate::price_terms::{DailyWindow, Price, Processing, Source, Validity};
use crate::usage::UsageKind;

/// Prices of the kinds by key, each a number or an object with tiers.
type RawPrices<'a> = BTreeMap<&'a str, &'a RawValue>;

type Rates = BTreeMap<UsageKind, Rate>;

#[derive(Deserialize)]
struct RawConditional<'a> {
    #[serde(default)]
    constraint: Option<RawConstraint>,
    #[serde(borrow)]
    prices: RawPrices<'a>,
}

/// Prices of some kinds in place of the standard ones, where the context of the request says so.
#[derive(Deserialize)]
pub(super) struct RawVariant<'a> {
    when: BTreeMap<String, String>,
    #[serde(default)]
    constraint: Option<RawConstraint>,
    #[serde(borrow)]
    prices: RawPrices<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawConstraint {
    From {
        start_date: Date,
    },
    Daily {
        start_time: String,
        end_time: String,
    },
}

#[derive(Deserialize)]
struct RawTiered<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
    #[serde(borrow)]
    tiers: Vec<RawTier<'a>>,
}

#[derive(Deserialize)]
struct RawTier<'a> {
    start: u64,
    #[serde(borrow)]
    price: &'a RawValue,
}

/// The prices of a model, in the order in which later ones count before earlier ones.
pub(super) fn read(
    raw: &RawValue,
    variants: &[RawVariant<'_>],
    place: &str,
    source: &Arc<Source>,
    notes: &mut Notes,
) -> Vec<Price> {
    let Some(standard) = standard_prices(raw, place, notes) else {
        return Vec::new();
    };
    let mut prices = Vec::with_capacity(standard.len());
    for (validity, rates) in &standard {
        if rates.is_empty() {
            notes.skip(place, "no rate; it is free of charge or not known");
            continue;
        }
        let card = notes.keep(place, RateCard::new(rates.clone()));
        prices.extend(card.map(|card| Price::new(card, Arc::clone(source)).valid(*validity)));
    }
    // Of several variants for a request the first counts, and here the last.
    for variant in variants.iter().rev() {
        prices.extend(variant_prices(variant, &standard, place, source, notes));
    }
    prices
}

fn standard_prices(
    raw: &RawValue,
    place: &str,
    notes: &mut Notes,
) -> Option<Vec<(Validity, Rates)>> {
    let conditional = if raw.get().starts_with('[') {
        serde_json::from_str(raw.get())
    } else {
        serde_json::from_str(raw.get()).map(|prices| {
            vec![RawConditional {
                constraint: None,
                prices,
            }]
        })
    };
    let conditional: Vec<RawConditional<'_>> = notes.keep(place, conditional)?;
    let mut standard = Vec::with_capacity(conditional.len());
    for it in conditional {
        let validity = validity(it.constraint.as_ref(), place, notes)?;
        standard.push((validity, rates(&it.prices, place, notes)?));
    }
    Some(standard)
}

/// A variant over each of the standard prices: what it does not price stays as it is there.
fn variant_prices(
    variant: &RawVariant<'_>,
    standard: &[(Validity, Rates)],
    place: &str,
    source: &Arc<Source>,
    notes: &mut Notes,
) -> Vec<Price> {
    let Some(processing) = processing(&variant.when) else {
        notes.skip(place, format!("prices for {:?}", variant.when));
        return Vec::new();
    };
    let Some(validity) = validity(variant.constraint.as_ref(), place, notes) else {
        return Vec::new();
    };
    let Some(overrides) = rates(&variant.prices, place, notes) else {
        return Vec::new();
    };
    let over = |&(of_standard, ref rates): &(Validity, Rates)| {
        let validity = validity.and(of_standard)?;
        let mut rates = rates.clone();
        rates.extend(overrides.clone());
        let card = notes.keep(place, RateCard::new(rates))?;
        let price = Price::new(card, Arc::clone(source));
        Some(price.valid(validity).for_processing(processing))
    };
    standard.iter().filter_map(over).collect()
}

fn processing(when: &BTreeMap<String, String>) -> Option<Processing> {
    let mut when = when.iter();
    let (key, value) = when.next()?;
    let processing = Processing::named(value)?;
    let key_of = match processing {
        Processing::Standard => return None,
        Processing::Batch => "processing",
        Processing::Flex | Processing::Priority | Processing::Fast => "service_tier",
    };
    (key == key_of && when.next().is_none()).then_some(processing)
}

fn validity(
    constraint: Option<&RawConstraint>,
    place: &str,
    notes: &mut Notes,
) -> Option<Validity> {
    match constraint {
        None => Some(Validity::ALWAYS),
        Some(RawConstraint::From { start_date }) => Some(Validity {
            from: Some(*start_date),
            ..Validity::ALWAYS
        }),
        Some(RawConstraint::Daily {
            start_time,
            end_time,
        }) => {
            let start = notes.keep(place, utc_time(start_time))?;
            let end = notes.keep(place, utc_time(end_time))?;
            Some(Validity {
                daily: Some(DailyWindow { start, end }),
                ..Validity::ALWAYS
            })
        }
    }
}

/// `16:30:00Z`; a time of another zone is an error.
fn utc_time(text: &str) -> Result<Time, jiff::Error> {
    text.strip_suffix('Z').unwrap_or(text).parse()
}

/// The rates of a price object. A key that is not known spoils them all: what it prices may be a part of
/// something else, which would then be priced too high or too low.
fn rates(raw: &RawPrices<'_>, place: &str, notes: &mut Notes) -> Option<Rates> {
    let mut rates = Rates::new();
    for (&key, value) in raw {
        if value.get() == "null" {
            continue;
        }
        let mut kinds = UsageKind::ALL.iter().copied();
        let Some(kind) = kinds.find(|kind| kind.price_key().0 == key) else {
            notes.skip(place, format!("a price for {key}"));
            return None;
        };
        let Some(rate) = rate(value, kind.price_key().1) else {
            notes.skip(place, format!("{key} is no price: {value}"));
            return None;
        };
        rates.insert(kind, rate);
    }
    Some(rates)
}

fn rate(raw: &RawValue, per: u64) -> Option<Rate> {
    if !raw.get().starts_with('{') {
        return unit_rate(raw, per).map(Rate::flat);
    }
    let RawTiered { base, tiers } = serde_json::from_str(raw.get()).ok()?;
    let mut rate = Rate::flat(unit_rate(base, per)?);
    for tier in tiers {
        rate = rate.with_tier(tier.start, unit_rate(tier.price, per)?);
    }
    Some(rate)
}

/// All prices of the list are in US dollars.
fn unit_rate(raw: &RawValue, per: u64) -> Option<UnitRate> {
    let dollars = |shift| {
        let amount = exact_decimal(raw.get(), shift)?;
        Some(Money::new(amount, Currency::USD))
    };
    match per {
        1_000 => dollars(0).map(UnitRate::per_thousand),
        1_000_000 => dollars(0).map(UnitRate::per_million),
        1_000_000_000 => dollars(-3).map(UnitRate::per_million),
        _ => None,
    }
}
