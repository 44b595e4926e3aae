//! Which machine should this run on?
//!
//! Give the use as a CSV file whose header names any of these columns, one row per sample:
//!
//! - `time`: seconds, or `2026-11-27 14:30:00`, at equal steps of whole minutes (5 without it);
//! - `cpu`: percent of the whole machine; the one column that is needed;
//! - `memory`: MiB in use;
//! - `network`: Mbit/s of the direction that carries more;
//! - `iops`: operations of the volumes per second;
//! - `throughput`: MB/s of the volumes.
//!
//! An empty cell is a missing sample; `timestamp,value` is read as `time,cpu`, and a file of one number a line as
//! `cpu`. Without a file, the reference workload is used: a t3.xlarge with
//! 15.2 % CPU on average and 28.3 % at most, and 2,048 and 3,072 MiB of memory.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it finds is printed, and what it could not read"
)]

#[path = "right_size/drawing.rs"]
mod drawing;
#[path = "right_size/report.rs"]
mod report;
#[path = "right_size/series.rs"]
mod series;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bursar_cost_model::fit::{
    CostUnderRisk, FitOptions, FitScorer, Resource, Usage, WeightedFit, Workload,
};
use bursar_cost_model::instances::{Architecture, InstanceCatalog, InstanceTables, InstanceType};
use bursar_examples::HowOften;
use bursar_units::{Currency, Money};
use clap::{Parser, ValueEnum};

/// Find the cheapest machine of the catalog that holds a workload, and say why not the others.
#[derive(Parser)]
struct Arguments {
    /// The measured use, as CSV; without it, the reference workload.
    #[arg(long, value_name = "FILE")]
    series: Option<PathBuf>,

    /// The type that it was measured on.
    #[arg(long, value_name = "TYPE", default_value = "t3.xlarge")]
    instance: String,

    /// How often the machine may be too small: 0.1, 0.5 or 5 % of the time.
    #[arg(long, value_enum, default_value_t = HowOften::Medium)]
    tolerance: HowOften,

    /// How many machines to list.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,

    /// By risk and cost, or by points.
    #[arg(long, value_enum, default_value_t = Scorer::Risk)]
    scorer: Scorer,

    /// The software runs on x86_64 only.
    #[arg(long)]
    x86_only: bool,

    /// What a switch costs once, in US dollars; it has to come back within a year.
    #[arg(long, value_name = "USD")]
    switching_cost: Option<rust_decimal::Decimal>,

    /// Say of this type why it is, or is not, the answer.
    #[arg(long, value_name = "TYPE", default_value = "t4g.medium")]
    why: Vec<String>,

    /// Draw cost against risk into this SVG file; without it, into a file of the temporary folder.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scorer {
    Risk,
    Weighted,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let catalog = InstanceCatalog::parse(&shipped(), "us-east-1")?;
    let present = catalog.get(&arguments.instance).with_context(|| {
        let name = &arguments.instance;
        format!("the catalog has no type {name:?}: give the type that it was measured on")
    })?;
    let workload = workload(&arguments, present)?;
    let scorer: &dyn FitScorer = match arguments.scorer {
        Scorer::Risk => &CostUnderRisk::default(),
        Scorer::Weighted => &WeightedFit::default(),
    };
    let answer = scorer.recommend(&workload, catalog.instances(), &options(&arguments))?;
    let report = report::Report {
        catalog: &catalog,
        workload: &workload,
        answer: &answer,
        top: arguments.top,
        why: &arguments.why,
    };
    let drawn = draw(&arguments, &report)?;
    match arguments.json {
        true => println!("{:#}", report.json()?),
        false => print!("{}", report.text(drawn.as_deref())?),
    }
    Ok(())
}

fn workload(arguments: &Arguments, present: &InstanceType) -> anyhow::Result<Workload> {
    let workload = Workload::new(present.clone()).with_tolerance(arguments.tolerance.into());
    let Some(file) = &arguments.series else {
        return reference(workload);
    };
    let measured = series::read(file)?;
    for problem in &measured.problems {
        eprintln!("{problem}");
    }
    let mut workload = workload;
    for (resource, usage) in measured.usages {
        workload = workload.with_usage(resource, usage)?;
    }
    Ok(workload)
}

/// What the project's source measured. Its network (10 MB/s) and 100 IOPS are averages without a
/// maximum: no limit can be checked by them.
fn reference(workload: Workload) -> anyhow::Result<Workload> {
    let cpu = Usage::average_and_maximum(15.2, 28.3)?;
    let memory = Usage::average_and_maximum(2048.0, 3072.0)?;
    Ok(workload
        .with_usage(Resource::Cpu, cpu)?
        .with_usage(Resource::Memory, memory)?)
}

fn options(arguments: &Arguments) -> FitOptions {
    let mut options = FitOptions::default();
    if arguments.x86_only {
        options.architectures = vec![Architecture::X86_64];
    }
    let switching = arguments.switching_cost;
    options.switching_cost = switching.map(|usd| Money::new(usd, Currency::USD));
    options
}

/// Draws where it was asked for, and always for people; `None` where there is nothing to draw.
fn draw(arguments: &Arguments, report: &report::Report<'_>) -> anyhow::Result<Option<PathBuf>> {
    let file = match &arguments.svg {
        Some(file) => file.clone(),
        None if arguments.json => return Ok(None),
        None => std::env::temp_dir().join("right_size.svg"),
    };
    let Some(svg) = drawing::document(report) else {
        return Ok(None);
    };
    write(&file, &svg)?;
    Ok(Some(file))
}

fn write(file: &Path, svg: &str) -> anyhow::Result<()> {
    fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))
}

fn shipped() -> InstanceTables<'static> {
    InstanceTables {
        instances: bursar_catalog::INSTANCES,
        credits: bursar_catalog::INSTANCE_CREDITS,
        measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
        prices: bursar_catalog::INSTANCE_PRICES,
        spot: bursar_catalog::INSTANCE_SPOT,
        sources: bursar_catalog::INSTANCE_SOURCES,
    }
}
