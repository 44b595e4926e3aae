//! Where did a month's money for language models go, and what would it have cost at the same quality with
//! routing, an answer cache, prompt caching and batches?
//!
//! `--calls FILE` reads recorded calls, one JSON object a line; `llm_cost_report/call.rs` documents the
//! record, and `--write-calls FILE` writes the month that is reported. Without a file it makes a month of
//! its own, of which the truth is known. Prices are those of the shipped catalog. Each figure comes from
//! pricing the whole month anew: the saving together is the cost before less the cost after.
#![expect(clippy::print_stdout, reason = "what it finds is printed")]

#[path = "llm_cost_report/call.rs"]
mod call;
#[path = "llm_cost_report/month.rs"]
mod month;
#[path = "llm_cost_report/page.rs"]
mod page;
#[path = "llm_cost_report/prices.rs"]
mod prices;
#[path = "llm_cost_report/quality.rs"]
mod quality;
#[path = "llm_cost_report/savings.rs"]
mod savings;
#[path = "llm_cost_report/spend.rs"]
mod spend;
#[path = "llm_cost_report/svg.rs"]
mod svg;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use bursar_model_router::{Catalog, CatalogText};
use clap::Parser;
use serde::Serialize;

use crate::call::Call;
use crate::month::Truth;
use crate::prices::{PricedCall, Unpriced};
use crate::quality::Comparison;
use crate::savings::Savings;
use crate::spend::Spend;

/// Reports where the money went and what would have been saved.
#[derive(Parser)]
struct Arguments {
    /// Recorded calls, one JSON object a line. Unless given, a month is made.
    #[arg(long)]
    calls: Option<PathBuf>,

    /// How many calls the made month has.
    #[arg(long, default_value_t = 12_000, conflicts_with = "calls")]
    number: u32,

    /// From which number the month is made.
    #[arg(long, default_value_t = 1, conflicts_with = "calls")]
    seed: u64,

    /// How much worse the mean grade of a task may get, on a scale from 0 to 1, before another model does
    /// not count as equally good.
    #[arg(long, default_value_t = 0.03)]
    tolerance: f64,

    /// Where to write a picture.
    #[arg(long)]
    svg: Option<PathBuf>,

    /// Where to write the calls that are reported.
    #[arg(long)]
    write_calls: Option<PathBuf>,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// All that is known of the month.
#[derive(Serialize)]
struct Report {
    calls: usize,
    spend: Spend,
    savings: Savings,
    comparisons: Vec<Comparison>,
    assumptions: Vec<String>,
    unpriced: Vec<Unpriced>,
    /// Of a month that was made.
    truth: Option<Truth>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let tolerance = arguments.tolerance;
    ensure!(
        (0.0..=1.0).contains(&tolerance),
        "a tolerance of {tolerance} is not between 0 and 1"
    );
    let calls = match &arguments.calls {
        Some(path) => call::read(path)?,
        None => month::make(arguments.number, arguments.seed)?,
    };
    if let Some(path) = &arguments.write_calls {
        call::write(path, &calls)?;
    }
    let is_made = arguments.calls.is_none();
    let report = Report::of(&calls, tolerance, is_made)?;
    if let Some(path) = &arguments.svg {
        std::fs::write(path, svg::document(&report))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", page::text(&report));
    }
    Ok(())
}

impl Report {
    fn of(calls: &[Call], tolerance: f64, is_made: bool) -> Result<Self> {
        let catalog = Catalog::parse(&CatalogText {
            providers: bursar_catalog::PROVIDERS,
            models: bursar_catalog::MODELS,
            prices: bursar_catalog::PRICES,
            sources: bursar_catalog::SOURCES,
        })?;
        let comparisons = quality::compare(calls, tolerance);
        let (priced, unpriced) = prices::price(calls, &comparisons, catalog.prices())?;
        let savings = Savings::of(&priced, &comparisons)?;
        let truth = is_made.then(|| {
            let keys: Vec<_> = priced.iter().filter_map(|it| it.cache_key).collect();
            Truth::of(calls, &keys, &savings.moves)
        });
        Ok(Self {
            calls: calls.len(),
            spend: Spend::of(&priced)?,
            assumptions: assumptions(tolerance, &priced),
            savings,
            comparisons,
            unpriced,
            truth,
        })
    }
}

/// What the figures rest on.
fn assumptions(tolerance: f64, priced: &[PricedCall<'_>]) -> Vec<String> {
    let no_key = priced.iter().filter(|it| it.cache_key.is_none()).count();
    vec![
        format!(
            "Routing: a task moves to a cheaper model only if, with a confidence of 99.5 %, the mean grade \
             of the same calls falls by no more than {tolerance}; both models graded at least {} of them. \
             Token counts are taken over; models with another tokenizer count differently.",
            quality::FEWEST_PAIRS
        ),
        format!(
            "Answer cache: a call is answered from the cache if its key (tenant, model, task, prompt, tools, \
             parameters) was answered within the hour before, at a temperature of at most 0.2 and without \
             tools. {no_key} calls are never cached: they have no key, or another temperature."
        ),
        format!(
            "Prompt caching: a recorded prefix of at least {} tokens stays warm for five minutes after each \
             use; writing it costs what the catalog says. Only prefixes for which that was cheaper over the \
             month are marked, which is known in hindsight only.",
            prices::SHORTEST_PREFIX
        ),
        "Batch: a call whose deadline is a day or more away can wait, at the batch price of its own model \
         if the catalog has one, without any prompt cache."
            .to_owned(),
    ]
}
