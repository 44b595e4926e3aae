//! How many instances carry the peak, with how slow a p99, and what do they cost?
//!
//! Without arguments the four stages of growth are planned, with the price of an instance from the
//! catalog. `--qps` plans one peak. `--arrivals` takes the requests of a real service (a CSV file with
//! `TIMESTAMP`, `ContextTokens` and `GeneratedTokens`, as the LLM inference traces of Azure have), lets
//! them wait in a simulation, and says which of the formulas came nearest to it; `--made-arrivals` does
//! the same with requests that the example makes.

#[path = "capacity_plan/chart.rs"]
mod chart;
#[path = "capacity_plan/comparison.rs"]
mod comparison;
#[path = "capacity_plan/made.rs"]
mod made;
#[path = "capacity_plan/terminal.rs"]
mod terminal;

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bursar_cost_model::capacity::{
    Arrival, CapacityPlan, CapacityPrices, Demand, TokenSpeed, read_token_requests,
};
use bursar_cost_model::instances::{InstanceCatalog, InstanceTables};
use bursar_examples::exit_code;
use bursar_units::{Currency, Money};
use clap::Parser;
use rust_decimal::Decimal;
use serde_json::json;

use crate::chart::{Chart, Line};
use crate::comparison::Comparison;

/// Plans capacity for a peak, or compares formulas with real arrivals.
#[derive(Debug, Parser)]
struct Arguments {
    /// Requests a second at the peak; the four stages of growth without it.
    #[arg(long)]
    qps: Option<f64>,
    /// What 99 of 100 requests must be answered within, in milliseconds; 100 by default, and for
    /// arrivals a tenth more than the p99 of the service alone.
    #[arg(long)]
    p99_ms: Option<f64>,
    /// Mean work for one request, in milliseconds.
    #[arg(long, default_value_t = 1.0)]
    service_ms: f64,
    /// Requests a second that one instance is planned for.
    #[arg(long, default_value_t = 500.0)]
    rated_qps: f64,
    /// How much burstier than Poisson the requests come; `--arrivals` measures it.
    #[arg(long, default_value_t = 1.0)]
    peakedness: f64,
    /// Requests that an instance works on at once.
    #[arg(long, default_value = "1")]
    slots: NonZeroU32,
    /// Availability zones.
    #[arg(long, default_value = "3")]
    zones: NonZeroU32,
    /// The instance type, whose price is looked up in the catalog for us-east-1.
    #[arg(long, default_value = "c7g.medium")]
    instance: String,
    /// USD for a gigabyte of Redis a month; its cost is unknown without it.
    #[arg(long, value_name = "USD")]
    redis_gb_month: Option<Decimal>,
    /// USD for a gigabyte of the database a month; its cost is unknown without it.
    #[arg(long, value_name = "USD")]
    database_gb_month: Option<Decimal>,
    /// Compare with the requests of a file.
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["qps", "made_arrivals"])]
    arrivals: Option<PathBuf>,
    /// Compare with requests that are made here, in bursts.
    #[arg(long, conflicts_with = "qps")]
    made_arrivals: bool,
    /// Another seed makes other requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tokens of a prompt that a server reads in a second.
    #[arg(long, default_value_t = 5_000.0)]
    input_tokens_per_second: f64,
    /// Tokens of an answer that a server writes in a second.
    #[arg(long, default_value_t = 30.0)]
    output_tokens_per_second: f64,
    /// Draw the p99 against the instances into a file.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.arrivals {
        return compare(
            arguments,
            &path.display().to_string(),
            &read(arguments, path)?,
        );
    }
    if arguments.made_arrivals {
        let arrivals = made::arrivals(arguments.seed);
        return compare(arguments, "requests made in bursts", &arrivals);
    }
    plan(arguments)
}

fn read(arguments: &Arguments, path: &Path) -> anyhow::Result<Vec<Arrival>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let requests =
        read_token_requests(file).with_context(|| format!("cannot read {}", path.display()))?;
    let speed = TokenSpeed::new(
        arguments.input_tokens_per_second,
        arguments.output_tokens_per_second,
    )?;
    Ok(speed.arrivals(&requests))
}

fn compare(arguments: &Arguments, name: &str, arrivals: &[Arrival]) -> anyhow::Result<()> {
    let comparison = Comparison::of(name, arrivals, arguments.p99_ms.map(|ms| ms / 1_000.0))?;
    draw(arguments, || comparison.chart())?;
    let mut output = std::io::stdout().lock();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&comparison)?)?;
    } else {
        write!(output, "{}", terminal::comparison(&comparison))?;
    }
    Ok(())
}

fn plan(arguments: &Arguments) -> anyhow::Result<()> {
    let prices = prices(arguments)?;
    let mut demand = Demand::new(arguments.qps.unwrap_or_default());
    demand.p99_seconds = arguments.p99_ms.unwrap_or(100.0) / 1_000.0;
    demand.service_seconds = arguments.service_ms / 1_000.0;
    demand.rated_qps = arguments.rated_qps;
    demand.slots = arguments.slots;
    demand.peakedness = arguments.peakedness;
    demand.zones = arguments.zones;
    let plans = match arguments.qps {
        Some(_) => vec![CapacityPlan::new(&demand, &prices)?],
        None => CapacityPlan::of_stages(&demand, &prices)?,
    };
    draw(arguments, || chart_of(&plans))?;
    let mut output = std::io::stdout().lock();
    if arguments.json {
        let object = json!({ "instance": arguments.instance, "prices": prices, "plans": plans });
        writeln!(output, "{}", serde_json::to_string_pretty(&object)?)?;
        return Ok(());
    }
    match plans.as_slice() {
        [plan] => write!(output, "{}", plan.to_text())?,
        plans => write!(
            output,
            "{}",
            terminal::stages(&arguments.instance, &prices, plans)
        )?,
    }
    Ok(())
}

fn prices(arguments: &Arguments) -> anyhow::Result<CapacityPrices> {
    let tables = InstanceTables {
        instances: bursar_catalog::INSTANCES,
        credits: bursar_catalog::INSTANCE_CREDITS,
        measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
        prices: bursar_catalog::INSTANCE_PRICES,
        spot: bursar_catalog::INSTANCE_SPOT,
        sources: bursar_catalog::INSTANCE_SOURCES,
    };
    let catalog = InstanceCatalog::parse(&tables, "us-east-1")?;
    let name = &arguments.instance;
    let machine = catalog.get(name);
    let machine = machine.with_context(|| format!("the catalog has no type `{name}`"))?;
    let usd = |amount: Option<Decimal>| amount.map(|amount| Money::new(amount, Currency::USD));
    Ok(CapacityPrices {
        instance_hour: machine.on_demand,
        redis_gb_month: usd(arguments.redis_gb_month),
        database_gb_month: usd(arguments.database_gb_month),
    })
}

fn draw(
    arguments: &Arguments,
    chart: impl FnOnce() -> anyhow::Result<Chart>,
) -> anyhow::Result<()> {
    let Some(path) = &arguments.svg else {
        return Ok(());
    };
    std::fs::write(path, chart()?.to_svg())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The p99 of each plan's peak from the fewest instances that keep up to what is advised.
fn chart_of(plans: &[CapacityPlan]) -> anyhow::Result<Chart> {
    let mut chart = Chart {
        title: "p99 by instances".to_owned(),
        lines: Vec::new(),
        target_seconds: plans.first().map(|plan| plan.demand.p99_seconds),
        marks: Vec::new(),
    };
    for plan in plans {
        let name = match plan.stage {
            Some(stage) if plans.len() > 1 => stage.name.to_owned(),
            _ => format!("{} requests a second", plan.demand.peak_qps),
        };
        let mut points = Vec::new();
        for instances in 1..=plan.advised {
            let instances_or_one = NonZeroU32::new(instances).unwrap_or(NonZeroU32::MIN);
            if let Some(p99) = plan.demand.p99_with(instances_or_one)? {
                points.push((instances, p99));
            }
        }
        if let Some(last) = points.last() {
            chart
                .marks
                .push((*last, format!("{} advised", plan.advised)));
        }
        chart.lines.push(Line { name, points });
    }
    Ok(chart)
}
