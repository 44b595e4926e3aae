//! How do the tables of the catalog look?

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use bursar_model_router::{Price, UsageKind};
use bursar_units::{Per, UnitRate};
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::abilities::Known;
use crate::merge::{Merged, MergedModel, MergedProvider};

/// The four tables and the version.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) providers: String,
    pub(crate) models: String,
    pub(crate) prices: String,
    pub(crate) sources: String,
    pub(crate) version: String,
}

const KINDS: [UsageKind; 5] = [
    UsageKind::InputTokens,
    UsageKind::OutputTokens,
    UsageKind::CacheReadTokens,
    UsageKind::CacheWriteTokens,
    UsageKind::CacheWrite1hTokens,
];

impl Tables {
    pub(crate) fn shipped() -> Self {
        Self {
            providers: bursar_catalog::PROVIDERS.to_owned(),
            models: bursar_catalog::MODELS.to_owned(),
            prices: bursar_catalog::PRICES.to_owned(),
            sources: bursar_catalog::SOURCES.to_owned(),
            version: bursar_catalog::VERSION.to_owned(),
        }
    }

    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Self {
            providers: read("providers.csv")?,
            models: read("models.csv")?,
            prices: read("prices.csv")?,
            sources: read("sources.csv")?,
            version: read("version.txt")?,
        })
    }

    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        for (name, text) in [
            ("providers.csv", &self.providers),
            ("models.csv", &self.models),
            ("prices.csv", &self.prices),
            ("sources.csv", &self.sources),
            ("version.txt", &self.version),
        ] {
            let path = folder.join(name);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    pub(crate) fn write(merged: &Merged, known: &Known, read_on: Date) -> Self {
        let mut tables = Self {
            providers: "provider,names,models,stand_ins\n".to_owned(),
            models: "provider,model,names,context_window,max_output,input,output,features,deprecated_on\n"
                .to_owned(),
            prices: "provider,model,processing,region,from,until,hours,above,input,output,cache_read,\
                     cache_write,cache_write_1h,others,source\n"
                .to_owned(),
            sources: format!(
                "source,name,url,read_on\n\
                 genai-prices,genai-prices,https://github.com/pydantic/genai-prices,{read_on}\n\
                 litellm,LiteLLM,https://github.com/BerriAI/litellm,{read_on}\n"
            ),
            version: format!("{read_on}\n"),
        };
        for provider in &merged.providers {
            let MergedProvider {
                id,
                names,
                own_models,
                stand_ins,
                ..
            } = provider;
            line(&mut tables.providers, [id, names, own_models, stand_ins]);
            for model in &provider.models {
                tables.add(id, model, known);
            }
        }
        tables
    }

    fn add(&mut self, provider: &str, model: &MergedModel, known: &Known) {
        let can = known.find(provider, &model.id, &model.known_as);
        let names = if model.names == model.id {
            ""
        } else {
            &model.names
        };
        line(
            &mut self.models,
            [
                provider,
                &model.id,
                names,
                &can.context_window,
                &can.max_output,
                &can.input,
                &can.output,
                &can.features,
                &can.deprecated_on,
            ],
        );
        for (at, price) in model.prices.iter().enumerate() {
            let later = &model.prices[at + 1..];
            if !is_superseded(price, later) {
                self.add_price(provider, &model.id, price, later);
            }
        }
    }

    fn add_price(&mut self, provider: &str, model: &str, price: &Price, later: &[Price]) {
        let text = |date: Option<Date>| date.map_or_else(String::new, |it| it.to_string());
        let region = price.region.as_ref().map_or("", |it| it.as_str());
        let hours = price.validity.daily.map_or_else(String::new, |it| {
            format!(
                "{}-{}",
                it.start.strftime("%H:%M"),
                it.end.strftime("%H:%M")
            )
        });
        let (from, until) = (text(price.validity.from), text(until(price, later)));
        let mut aboves: Vec<u64> = price
            .rates
            .iter()
            .flat_map(|(_, rate)| rate.tiers().iter().map(|tier| tier.above))
            .collect();
        aboves.sort_unstable();
        aboves.dedup();
        for above in std::iter::once(None).chain(aboves.into_iter().map(Some)) {
            let of_kind = |kind: UsageKind| -> Option<UnitRate> {
                let rate = price.rates.rate(kind)?;
                match above {
                    None => Some(rate.base()),
                    Some(above) => {
                        let tier = rate.tiers().iter().find(|tier| tier.above == above)?;
                        Some(tier.rate)
                    }
                }
            };
            let columns =
                KINDS.map(|kind| of_kind(kind).map_or_else(String::new, |it| number(kind, it)));
            let mut others = String::new();
            for &kind in UsageKind::ALL.iter().filter(|kind| !KINDS.contains(kind)) {
                if let Some(rate) = of_kind(kind) {
                    let space = if others.is_empty() { "" } else { " " };
                    write!(others, "{space}{kind}={}", number(kind, rate))
                        .expect("a string takes all");
                }
            }
            let above = above.map_or_else(String::new, |it| it.to_string());
            let [input, output, read, write, hour] = &columns;
            line(
                &mut self.prices,
                [
                    provider,
                    model,
                    price.processing.name(),
                    region,
                    &from,
                    &until,
                    &hours,
                    &above,
                    input,
                    output,
                    read,
                    write,
                    hour,
                    &others,
                    &price.source.name,
                ],
            );
        }
    }
}

/// A price ends where a later one of the same kind begins.
fn until(price: &Price, later: &[Price]) -> Option<Date> {
    let starts = later
        .iter()
        .filter(|it| is_same(price, it))
        .filter_map(|it| it.validity.from);
    let next = starts
        .filter(|from| Some(*from) > price.validity.from)
        .min();
    match (price.validity.until, next) {
        (Some(until), Some(next)) => Some(until.min(next)),
        (until, next) => until.or(next),
    }
}

/// Whether a later price of the same kind holds whenever this one would.
fn is_superseded(price: &Price, later: &[Price]) -> bool {
    later.iter().filter(|it| is_same(price, it)).any(|it| {
        let (own, other) = (price.validity, it.validity);
        let ends_no_sooner = match (own.until, other.until) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => other >= own,
        };
        other.from <= own.from && ends_no_sooner
    })
}

fn is_same(one: &Price, other: &Price) -> bool {
    one.processing == other.processing
        && one.region == other.region
        && one.validity.daily == other.validity.daily
}

/// A price per million tokens, and per thousand of anything else.
///
/// LiteLLM's numbers went through floating point before they were written: 4.0000000000000003e-07 was
/// 0.4 per million. No provider quotes 12 digits, so that digits after the twelfth are dropped here.
fn number(kind: UsageKind, rate: UnitRate) -> String {
    let amount = rate.price.amount();
    let per_list_unit = match rate.per {
        Per::Unit => amount.checked_mul(Decimal::ONE_THOUSAND).unwrap_or(amount),
        _ => amount,
    };
    debug_assert!(rate.per != Per::Unit || kind.direction().is_none());
    per_list_unit
        .round_sf_with_strategy(12, RoundingStrategy::MidpointNearestEven)
        .unwrap_or(per_list_unit)
        .normalize()
        .to_string()
}

fn line<'a, const N: usize>(table: &mut String, cells: [impl AsRef<str> + 'a; N]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            table.push(',');
        }
        table.push_str(cell.as_ref());
    }
    table.push('\n');
}
