//! How good are alerts about daily costs? Makes labelled accounts, and scores alerts against labels.
//!
//! `--out DIR` writes `DIR/series/<account>.csv` with `date,total,<service>...` and `DIR/labels.csv`
//! with `series,label,kind,start,end,deadline,service`, where a label is `watched` (the days of the
//! series), `anomaly` or `harmless`. `--score ALERTS.csv` reads alerts (columns `series`, `date` and,
//! if there is one, `service`) and says what they are worth by `--labels FILE`: these, or your own.

#![expect(
    clippy::print_stderr,
    reason = "a command tells its user what is wrong"
)]

#[path = "cost_series/labels.rs"]
mod labels;
#[path = "cost_series/report.rs"]
mod report;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use bursar_anomaly::synthetic::costs::{Calendar, CostPortfolio, CostSeries};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use labels::{LabelWriter, read_alerts, read_labels};

/// Makes daily costs with labelled anomalies, or scores alerts against labels.
#[derive(Debug, Parser)]
struct Arguments {
    /// Another seed makes other accounts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many accounts.
    #[arg(long, default_value_t = 160)]
    series: u64,
    /// On which days of a month charges fall.
    #[arg(long, value_enum, default_value = "mixed")]
    calendar: CalendarName,
    /// Only noise and harmless events.
    #[arg(long)]
    without_anomalies: bool,
    /// The folder that accounts and labels are written into.
    #[arg(long, value_name = "DIR", default_value = "target/cost-series")]
    out: PathBuf,
    /// Score these alerts instead of making accounts.
    #[arg(long, value_name = "ALERTS.csv")]
    score: Option<PathBuf>,
    /// The labels to score by; those in the out folder unless stated.
    #[arg(long, value_name = "FILE", requires = "score")]
    labels: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CalendarName {
    Fixed,
    Mixed,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.score {
        Some(alerts) => score(alerts, arguments),
        None => generate(arguments),
    }
}

fn score(alerts: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let beside = arguments.out.join("labels.csv");
    let truths = read_labels(arguments.labels.as_deref().unwrap_or(&beside))?;
    let alerts = read_alerts(alerts, &truths)?;
    let (scored, control) = report::compare(&truths, &alerts);
    let out = io::stdout().lock();
    if arguments.json {
        report::print_json(out, &scored, &control)
    } else {
        report::print_text(out, &scored, &control)
    }
}

fn generate(arguments: &Arguments) -> anyhow::Result<()> {
    let portfolio = portfolio(arguments);
    let folder = arguments.out.join("series");
    fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let mut labels = LabelWriter::create(&arguments.out.join("labels.csv"))?;
    let progress = progress_bar(arguments.series)?;
    let (mut n_days, mut n_anomalies) = (0, 0);
    for number in 0..arguments.series {
        let series = portfolio.series(number);
        write_series(&folder, &series)?;
        labels.write(&series)?;
        n_days += series.days.len();
        n_anomalies += series.anomalies.len();
        progress.inc(1);
    }
    labels.finish()?;
    progress.finish_and_clear();
    let mut out = io::stdout().lock();
    let path = arguments.out.display();
    let n_series = arguments.series;
    if arguments.json {
        let made = json!({ "out": arguments.out, "series": n_series, "days": n_days, "anomalies": n_anomalies });
        serde_json::to_writer_pretty(&mut out, &made)?;
        return Ok(writeln!(out)?);
    }
    Ok(writeln!(
        out,
        "{path}: {n_series} accounts, {n_days} days, {n_anomalies} anomalies"
    )?)
}

fn portfolio(arguments: &Arguments) -> CostPortfolio {
    let calendar = match arguments.calendar {
        CalendarName::Fixed => Calendar::Fixed,
        CalendarName::Mixed => Calendar::Mixed,
    };
    let portfolio = CostPortfolio::new(arguments.seed).calendar(calendar);
    if arguments.without_anomalies {
        portfolio.without_anomalies()
    } else {
        portfolio
    }
}

fn write_series(folder: &Path, series: &CostSeries) -> anyhow::Result<()> {
    let path = folder.join(format!("{}.csv", series.name));
    let mut writer =
        csv::Writer::from_path(&path).with_context(|| format!("{}", path.display()))?;
    let columns = ["date", "total"].into_iter();
    writer.write_record(columns.chain(series.services.iter().map(String::as_str)))?;
    for day in &series.days {
        let amounts = [day.total].into_iter().chain(day.services.iter().copied());
        let amounts = amounts.map(|amount| format!("{amount:.4}"));
        writer.write_record([day.date.to_string()].into_iter().chain(amounts))?;
    }
    Ok(writer.flush()?)
}

fn progress_bar(series: u64) -> anyhow::Result<ProgressBar> {
    let style = "{bar:40} {human_pos} of {human_len} accounts, {eta} left";
    Ok(ProgressBar::new(series).with_style(ProgressStyle::with_template(style)?))
}
