//! Does a machine that a rule chose stay large enough, and what does it cost?
//!
//! Each rule sees the first part of a machine's CPU use and chooses a type of the shipped catalog;
//! the rest of the use is then played on that type. All rules choose among the same types, pay the
//! same prices on demand, and are judged by the same physics: capacity is the measured CPU score,
//! burstable types spend and earn credits. What the rules differ in is how much CPU they ask for.
//! Memory is not in the traces, so that no type with less memory than the present one is taken.
//!
//! Without `--traces` the machines are generated, and of most of them the truth is known: how often,
//! in the long run, they need more than any level. The probabilities that the default rule
//! states are held against it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it finds is printed, and what it could not read"
)]

#[path = "fit_backtest/calibration.rs"]
mod calibration;
#[path = "fit_backtest/drawing.rs"]
mod drawing;
#[path = "fit_backtest/judge.rs"]
mod judge;
#[path = "fit_backtest/physics.rs"]
mod physics;
#[path = "fit_backtest/report.rs"]
mod report;
#[path = "fit_backtest/rules.rs"]
mod rules;
#[path = "fit_backtest/traces.rs"]
mod traces;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use bursar_cost_model::fit::Tolerance;
use bursar_cost_model::instances::{InstanceCatalog, InstanceTables};
use bursar_examples::HowOften;
use clap::Parser;

use crate::judge::Backtest;
use crate::traces::Traces;

/// Choose machines on the first part of their CPU use, and judge the choice on the rest.
#[derive(Parser)]
struct Arguments {
    /// A folder in which each file is one machine at steps of 5 minutes: one CPU percentage per
    /// line, or `timestamp,value` with a header. Without it, machines are generated.
    #[arg(long, value_name = "DIR")]
    traces: Option<PathBuf>,

    /// Files of the folder to take: a part of their names, or whole names with `*` for any text.
    #[arg(
        long = "match",
        value_name = "PATTERN",
        default_value = "*",
        requires = "traces"
    )]
    pattern: String,

    /// The type that the machines were measured on.
    #[arg(long, value_name = "TYPE", default_value = "m5.2xlarge")]
    instance: String,

    /// The part of each series on which is chosen; the rest judges.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.5)]
    choose_fraction: f64,

    /// How often a machine may be too small: 0.1, 0.5 or 5 % of the time.
    #[arg(long, value_enum, default_value_t = HowOften::Medium)]
    tolerance: HowOften,

    /// How sure the upper bounds of the default rule are, over 0.5 and under 1; its own default
    /// otherwise.
    #[arg(long)]
    confidence: Option<f64>,

    /// Machines to generate.
    #[arg(long, default_value_t = 500, conflicts_with = "traces")]
    series: u64,

    /// Days of each generated machine.
    #[arg(long, default_value_t = 28, conflicts_with = "traces")]
    days: usize,

    /// The generated machines.
    #[arg(long, default_value_t = 11, conflicts_with = "traces")]
    seed: u64,

    /// Draw promised against realised breach into this SVG file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let fraction = arguments.choose_fraction;
    ensure!(
        fraction > 0.0 && fraction < 1.0,
        "a fraction of {fraction} leaves nothing to choose on, or nothing to judge by"
    );
    let traces = match &arguments.traces {
        Some(folder) => Traces::read(folder, &arguments.pattern)?,
        None => Traces::generate(arguments.series, arguments.days, arguments.seed),
    };
    for problem in &traces.problems {
        eprintln!("{problem}");
    }
    let catalog = InstanceCatalog::parse(&shipped(), "us-east-1")?;
    let tolerance = Tolerance::from(arguments.tolerance);
    let backtest = Backtest::new(
        &catalog,
        &arguments.instance,
        tolerance,
        arguments.confidence,
    )?;
    let outcome = backtest.run(&traces, fraction)?;
    if let Some(file) = &arguments.svg {
        fs::write(file, drawing::document(&outcome))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    match arguments.json {
        true => println!("{:#}", report::json(&outcome)),
        false => print!("{}", report::text(&outcome)?),
    }
    Ok(())
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
