//! Which days of these accounts cost too much or too little, and which service is to blame?
//!
//! Without arguments: accounts that the project makes itself, with the truth beside the alerts. With
//! `--data DIR`: every CSV file of a folder, one account each, with the columns
//! `date,total,<service>...`. A day without a row, or an empty cell, is not known; that is not zero.
//! Each alert depends only on the days up to its own.

#![expect(
    clippy::print_stderr,
    reason = "a command tells its user what is wrong"
)]

#[path = "detect_costs/alert.rs"]
mod alert;
#[path = "detect_costs/series_file.rs"]
mod series_file;
#[path = "detect_costs/summary.rs"]
mod summary;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bursar_anomaly::daily::{AlarmBudget, DailyCosts, DailyMonitor};
use bursar_anomaly::synthetic::costs::{CostPortfolio, CostSeries};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use alert::Alert;
use summary::Summary;

/// Finds anomalies in daily costs, without a setting.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder whose CSV files are read; without it, made-up accounts.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the alerts as CSV: series,date,service,severity,expected,actual,score,message.
    #[arg(long, value_name = "ALERTS.csv")]
    out: Option<PathBuf>,
    /// How many false alarms a series may raise in a year, 0.1 to 10.
    #[arg(long, value_name = "ALARMS")]
    budget: Option<f64>,
    /// How many accounts are made up.
    #[arg(long, default_value_t = 12, conflicts_with = "data")]
    series: u64,
    /// Another seed makes other accounts.
    #[arg(long, default_value_t = 1, conflicts_with = "data")]
    seed: u64,
    /// Print the alerts as one JSON object.
    #[arg(long)]
    json: bool,
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
    let budget = match arguments.budget {
        Some(alarms) => AlarmBudget::per_series_year(alarms)?,
        None => AlarmBudget::default(),
    };
    let mut summary = Summary::default();
    match &arguments.data {
        Some(folder) => watch_files(folder, budget, &mut summary)?,
        None => watch_portfolio(arguments, budget, &mut summary)?,
    }
    if let Some(path) = &arguments.out {
        write_alerts(path, summary.alerts())?;
    }
    if arguments.json {
        summary.print_json(io::stdout().lock())
    } else {
        summary.print_text(io::stdout().lock(), arguments.out.as_deref())
    }
}

fn watch_files(folder: &Path, budget: AlarmBudget, summary: &mut Summary) -> anyhow::Result<()> {
    let files = csv_files(folder)?;
    let progress = progress_bar(files.len() as u64)?;
    for file in &files {
        let days = series_file::read(file)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        summary.add(days.len(), watch(&name, &days, budget)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

/// The CSV files of a folder, in the order of their names.
fn csv_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("{}", folder.display()))?
            .path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("{}: there is no file that ends in .csv", folder.display());
    }
    Ok(files)
}

fn watch_portfolio(
    arguments: &Arguments,
    budget: AlarmBudget,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let portfolio = CostPortfolio::new(arguments.seed);
    let progress = progress_bar(arguments.series)?;
    for number in 0..arguments.series {
        let series = portfolio.series(number);
        let alerts = watch(&series.name, &days_of(&series), budget)?;
        summary.compare(&series, &alerts);
        summary.add(series.days.len(), alerts);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

fn days_of(series: &CostSeries) -> Vec<DailyCosts> {
    let with_services = |day: &bursar_anomaly::synthetic::costs::CostDay| {
        series.services.iter().zip(&day.services).fold(
            DailyCosts::new(day.date, day.total),
            |costs, (name, cost)| costs.service(name, *cost),
        )
    };
    series.days.iter().map(with_services).collect()
}

/// The alerts of one account, each raised on its own day.
fn watch(series: &str, days: &[DailyCosts], budget: AlarmBudget) -> anyhow::Result<Vec<Alert>> {
    let mut monitor = DailyMonitor::new().with_budget(budget);
    let mut alerts = Vec::new();
    for costs in days {
        let assessment = monitor.observe(costs)?;
        let news = assessment
            .findings
            .iter()
            .filter(|finding| finding.is_news());
        alerts.extend(news.map(|finding| Alert::new(series, assessment.date, finding)));
    }
    Ok(alerts)
}

fn write_alerts(path: &Path, alerts: &[Alert]) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("{}", path.display()))?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(Alert::COLUMNS)?;
    for alert in alerts {
        writer.write_record(alert.row())?;
    }
    Ok(writer.flush()?)
}

fn progress_bar(series: u64) -> anyhow::Result<ProgressBar> {
    let style = "{bar:40} {human_pos} of {human_len} series, {eta} left";
    Ok(ProgressBar::new(series).with_style(ProgressStyle::with_template(style)?))
}
