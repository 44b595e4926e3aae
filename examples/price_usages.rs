//! Do usage and cost of real response bodies agree with what others found, to the last digit?
//!
//! Reads a price list in the form of genai-prices and cases in the form of its `tests/dataset/usages.json`:
//! bodies with the usage that each provider's reader should find in them, and with prices where the list
//! has any. Without arguments it takes a small list and bodies of its own. `--catalog` prices the same
//! bodies with the shipped catalog too and says why a price is another.
#![expect(clippy::print_stdout, reason = "what it finds is printed")]

#[path = "price_usages/cases.rs"]
mod cases;
#[path = "price_usages/catalog.rs"]
mod catalog;
#[path = "price_usages/compare.rs"]
mod compare;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bursar_model_router::{
    Catalog, CatalogText, PriceContext, PriceList, Source, read_genai_prices,
};
use clap::Parser;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cases::Case;
use crate::catalog::CatalogReport;
use crate::compare::Report;

/// Compares usage and cost of real response bodies with expected ones.
#[derive(Parser)]
struct Arguments {
    /// A price list in the form of genai-prices, `data.json`.
    #[arg(long, requires = "usages")]
    prices: Option<PathBuf>,

    /// Bodies with expected usage and prices, in the form of genai-prices' `usages.json`.
    #[arg(long, requires = "prices")]
    usages: Option<PathBuf>,

    /// The moment whose prices are expected.
    #[arg(long, default_value = "2025-11-06T12:00:00Z")]
    at: Timestamp,

    /// Price with the shipped catalog too.
    #[arg(long)]
    catalog: bool,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let prices = read_or(arguments.prices.as_deref(), cases::OWN_PRICES)?;
    let usages = read_or(arguments.usages.as_deref(), cases::OWN_USAGES)?;
    let (list, n_skipped) = price_list(&prices)?;
    let cases: Vec<Case> =
        serde_json::from_slice(&usages).context("these are no cases of genai-prices")?;
    let context = PriceContext::at(arguments.at);
    let mut report = Report::compare(&list, &cases, &context);
    if arguments.catalog {
        report.catalog = Some(compare_catalog(&list, &cases, &context)?);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!(
            "{} models, {n_skipped} entries without a price",
            list.n_models()
        );
        print!("{report}");
    }
    ensure!(
        report.is_explained(),
        "there are disagreements without an explanation"
    );
    Ok(())
}

fn compare_catalog(
    list: &PriceList,
    cases: &[Case],
    context: &PriceContext,
) -> Result<CatalogReport> {
    let catalog = Catalog::parse(&CatalogText {
        providers: bursar_catalog::PROVIDERS,
        models: bursar_catalog::MODELS,
        prices: bursar_catalog::PRICES,
        sources: bursar_catalog::SOURCES,
    })?;
    let made_on: Date = bursar_catalog::VERSION.trim().parse()?;
    let later = PriceContext::at(made_on.to_zoned(TimeZone::UTC)?.timestamp());
    Ok(CatalogReport::compare(
        catalog.prices(),
        list,
        cases,
        context,
        &later,
    ))
}

fn read_or(path: Option<&Path>, own: &str) -> Result<Vec<u8>> {
    match path {
        None => Ok(own.as_bytes().to_vec()),
        Some(path) => {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        }
    }
}

fn price_list(file: &[u8]) -> Result<(PriceList, usize)> {
    let imported = read_genai_prices(file, Source::new("genai-prices"))?;
    Ok((imported.list, imported.skipped.len()))
}
