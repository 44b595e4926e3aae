//! How many points does the default detector for metrics get in the Numenta Anomaly Benchmark?
//!
//! Without arguments: a few series that the project makes itself, in the benchmark's layout, scored and
//! judged by their labels. With `--data` and `--out`: for every `<category>/<file>.csv` with the columns
//! `timestamp,value`, the same path under the out folder with the column `anomaly_score`; with `--labels`
//! also the benchmark's points. One setting for all files. The detector reads each file once, forward,
//! and is told nothing of it but the length of the probation, which follows from the number of rows as
//! in the benchmark; fix it by `--probation` to see that later rows change no earlier score.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command tells its user what came out, and what is wrong"
)]

#[path = "nab/file.rs"]
mod file;
#[path = "nab/made.rs"]
mod made;
#[path = "nab/points.rs"]
mod points;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use bursar_anomaly::evaluation::nab;
use bursar_anomaly::{MetricDetector, MetricSettings};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::file::{FileError, Series};
use crate::points::Points;

/// Scores the files of the Numenta Anomaly Benchmark with the default detector for metrics.
#[derive(Parser)]
struct Arguments {
    /// The folder with `<category>/<file>.csv`; without it, series that the project makes itself.
    #[arg(long, value_name = "DIR", requires = "out")]
    data: Option<PathBuf>,

    /// Where the scored files go, under the same relative paths.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// The labeled windows (`combined_windows.json`), to print the benchmark's points.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// The probation of every file, in rows; without it, 15 % of its rows and at most 750.
    #[arg(long, value_name = "ROWS")]
    probation: Option<usize>,

    /// Print the points as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = Arguments::parse();
    let scratch = tempfile::tempdir()?;
    if arguments.data.is_none() {
        let made = made::write(scratch.path())?;
        arguments.data = Some(made.data);
        arguments.labels = arguments.labels.or(Some(made.labels));
    }
    let data = arguments.data.as_deref().context("a folder was made")?;
    let scratch_out = scratch.path().join("scores");
    let out = arguments.out.as_deref().unwrap_or(&scratch_out);
    let outcomes = score_files(data, out, arguments.probation)?;

    let (scored, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    for error in refused.iter().filter_map(|outcome| outcome.as_ref().err()) {
        eprintln!("{error}");
    }
    let scored: Vec<Scored> = scored.into_iter().flatten().collect();
    if let Some(labels) = &arguments.labels {
        let points = Points::of(&scored, labels)?;
        match arguments.json {
            true => println!("{}", serde_json::to_string_pretty(&points)?),
            false => print!("{points}"),
        }
    }
    if arguments.out.is_some() {
        eprintln!("{} files scored, {} refused", scored.len(), refused.len());
    }
    Ok(match refused.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// A file with the score of each of its rows.
struct Scored {
    path: PathBuf,
    series: Series,
    scores: Vec<f64>,
}

/// Scores all files on all cores; a file that cannot be read does not stop the others.
fn score_files(
    data: &Path,
    out: &Path,
    probation: Option<usize>,
) -> anyhow::Result<Vec<Result<Scored, FileError>>> {
    let paths = csv_files(data)?;
    ensure!(
        !paths.is_empty(),
        "no <category>/<file>.csv under {}: name the folder that holds the categories",
        data.display(),
    );
    let progress = ProgressBar::new(paths.len() as u64).with_style(ProgressStyle::with_template(
        "{pos}/{len} files {wide_bar} {eta}",
    )?);
    let score = |path: PathBuf| {
        let scored = score_file(data, path, out, probation);
        progress.inc(1);
        scored
    };
    let outcomes = paths.into_par_iter().map(score).collect();
    progress.finish_and_clear();
    Ok(outcomes)
}

fn score_file(
    data: &Path,
    path: PathBuf,
    out: &Path,
    probation: Option<usize>,
) -> Result<Scored, FileError> {
    let series = Series::read(&data.join(&path))?;
    let n_rows = series.rows.len();
    let probation = probation.unwrap_or_else(|| nab::probation(n_rows));
    let mut detector = MetricDetector::new(settings(probation));
    // Rows count, not moments: files of the benchmark repeat moments and go back in time.
    let values = series.rows.iter().map(|row| row.value);
    let scores: Vec<f64> = values.map(|value| detector.next(value).score()).collect();
    series.write(&scores, &out.join(&path))?;
    Ok(Scored {
        path,
        series,
        scores,
    })
}

/// The probation is the warm-up, within the limits of the detector.
fn settings(probation: usize) -> MetricSettings {
    MetricSettings::default().with_warm_up(probation)
}

/// The paths of all `<category>/<file>.csv`, relative and in order.
fn csv_files(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for category in entries(data)?.into_iter().filter(|path| path.is_dir()) {
        let is_csv = |path: &PathBuf| path.extension().is_some_and(|end| end == "csv");
        for path in entries(&category)?.into_iter().filter(is_csv) {
            paths.push(path.strip_prefix(data)?.to_owned());
        }
    }
    paths.sort();
    Ok(paths)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let entries: std::io::Result<Vec<PathBuf>> = read();
    entries.with_context(|| format!("cannot list {}", folder.display()))
}
