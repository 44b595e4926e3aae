//! What do the price lists of others say now, and what does the catalog change by it?
//!
//! Reads a price list of genai-prices and one of LiteLLM, or the lists of EC2's instance types, and writes
//! the tables of the catalog, with the differences to the tables that were there. Without lists it looks at
//! the tables alone: gaps, overlaps, and values whose source is old. Without arguments it checks the catalog
//! that is shipped.
#![expect(clippy::print_stdout, reason = "what it finds is printed")]

#[path = "refresh_catalog/abilities.rs"]
mod abilities;
#[path = "refresh_catalog/check.rs"]
mod check;
#[path = "refresh_catalog/instances.rs"]
mod instances;
#[path = "refresh_catalog/merge.rs"]
mod merge;
#[path = "refresh_catalog/tables.rs"]
mod tables;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bursar_model_router::{Catalog, CatalogText, Source, read_genai_prices, read_litellm};
use clap::Parser;
use jiff::civil::Date;

use crate::instances::{InstanceFiles, Lists};
use crate::tables::Tables;

/// Makes the tables of the catalog from the price lists of others, or checks them.
#[derive(Parser)]
struct Arguments {
    /// A price list of genai-prices, `data.json`.
    #[arg(long, requires_all = ["litellm", "read_on", "out"])]
    genai_prices: Option<PathBuf>,

    /// A price list of LiteLLM, `model_prices_and_context_window.json`.
    #[arg(long, requires = "genai_prices")]
    litellm: Option<PathBuf>,

    /// The day on which both were read.
    #[arg(long)]
    read_on: Option<Date>,

    /// The folder of the tables.
    #[arg(long)]
    out: Option<PathBuf>,

    #[command(flatten)]
    instances: Lists,

    /// The day against which the age of sources is judged; the newest source's own day unless given.
    #[arg(long, alias = "as-of")]
    today: Option<Date>,

    /// Print what the check finds as one JSON object.
    #[arg(long)]
    json: bool,

    /// How many lines of differences are printed.
    #[arg(long, default_value_t = 40)]
    lines: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let (Some(genai_prices), Some(litellm), Some(read_on), Some(out)) = (
        &arguments.genai_prices,
        &arguments.litellm,
        arguments.read_on,
        &arguments.out,
    ) {
        return refresh(genai_prices, litellm, read_on, out, arguments.lines);
    }
    if arguments
        .instances
        .refresh(arguments.out.as_deref(), arguments.lines)?
    {
        return Ok(());
    }
    check(&arguments)
}

fn check(arguments: &Arguments) -> Result<()> {
    let (tables, machines) = match &arguments.out {
        Some(folder) => (Tables::read(folder)?, InstanceFiles::read(folder)?),
        None => (Tables::shipped(), InstanceFiles::shipped()),
    };
    let problems = check::problems(&tables, arguments.today)?;
    let catalog = tables.parse()?;
    let today = match arguments.today {
        Some(today) => today,
        None => tables.version.trim().parse()?,
    };
    let region = &arguments.instances.region;
    let review = machines.review(region, today)?;
    let (n_models, n_providers) = (catalog.models().len(), catalog.prices().providers().len());
    if arguments.json {
        let found = serde_json::json!({
            "as_of": today,
            "models": {"models": n_models, "providers": n_providers, "problems": problems},
            "instances": {"region": region, "counts": review.counts, "findings": review.findings},
        });
        println!("{found:#}");
    } else {
        for problem in &problems {
            println!("{problem}");
        }
        println!(
            "{n_models} models of {n_providers} providers, {} problems",
            problems.len()
        );
        instances::print_counts(region, &review.counts);
        for finding in &review.findings {
            let weight = if finding.is_fault() { "fault" } else { "stale" };
            println!("{weight}: {finding}");
        }
    }
    let has_faults = review.findings.iter().any(|finding| finding.is_fault());
    ensure!(
        problems.is_empty() && !has_faults,
        "the catalog has problems"
    );
    Ok(())
}

fn refresh(
    genai_prices: &Path,
    litellm: &Path,
    read_on: Date,
    out: &Path,
    lines: usize,
) -> Result<()> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (genai_prices, litellm) = (read(genai_prices)?, read(litellm)?);
    let curated = read_genai_prices(&genai_prices, Source::new("genai-prices"))?;
    let broad = read_litellm(&litellm, Source::new("litellm"))?;
    let abilities = abilities::read(&genai_prices, &litellm)?;
    let merged = merge::merge(&curated.list, &broad.list, read_on);
    for note in merged.notes.iter().take(lines) {
        println!("{note}");
    }
    println!("{} prices on which the lists disagree", merged.notes.len());

    let tables = Tables::write(&merged, &abilities, read_on);
    let catalog = tables.parse().context("the tables cannot be read back")?;
    let before = Tables::read(out).unwrap_or_default();
    let changed = [
        ("models", &*before.models, &*tables.models),
        ("prices", &*before.prices, &*tables.prices),
    ];
    show_differences(changed, lines);
    tables.save(out)?;
    let n_prices = tables.prices.lines().count() - 1;
    println!(
        "{} models, {n_prices} rows of prices",
        catalog.models().len()
    );
    Ok(())
}

/// Shows the lines that tables had before and have now, by their names.
fn show_differences<'a>(
    tables: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    lines: usize,
) {
    for (name, before, after) in tables {
        let (old, new): (BTreeSet<_>, BTreeSet<_>) =
            (before.lines().collect(), after.lines().collect());
        let removed: Vec<_> = old.difference(&new).collect();
        let added: Vec<_> = new.difference(&old).collect();
        for line in removed.iter().take(lines) {
            println!("- {line}");
        }
        for line in added.iter().take(lines) {
            println!("+ {line}");
        }
        println!(
            "{name}: {} lines less, {} lines more",
            removed.len(),
            added.len()
        );
    }
}

impl Tables {
    fn parse(&self) -> Result<Catalog> {
        Ok(Catalog::parse(&CatalogText {
            providers: &self.providers,
            models: &self.models,
            prices: &self.prices,
            sources: &self.sources,
        })?)
    }
}
