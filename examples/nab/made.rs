//! What does the benchmark look like, in small?

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::{DateTime, date};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// Where the made benchmark lies.
pub(crate) struct Made {
    pub(crate) data: PathBuf,
    pub(crate) labels: PathBuf,
}

const ROWS: usize = 4_032;

/// The value of a row without its noise.
type Value<'a> = &'a dyn Fn(usize) -> f64;

/// Writes two weeks of 5-minute points of four metrics, three with an anomaly in the middle of a
/// labeled window.
pub(crate) fn write(folder: &Path) -> anyhow::Result<Made> {
    let data = folder.join("data");
    let mut labels = serde_json::Map::new();
    let day = |row: usize| (row as f64 * std::f64::consts::TAU / 288.0).sin();
    let series: [(&str, Value, bool); 4] = [
        ("quiet/daily.csv", &|row| 40.0 + 10.0 * day(row), false),
        (
            "broken/spike.csv",
            &|row| 40.0 + 10.0 * day(row) + spike(row),
            true,
        ),
        (
            "broken/level.csv",
            &|row| 20.0 + if row >= MIDDLE { 9.0 } else { 0.0 },
            true,
        ),
        (
            "broken/flat_day.csv",
            &|row| 40.0 + if is_flat(row) { 0.0 } else { 10.0 * day(row) },
            true,
        ),
    ];
    for (seed, (name, value, labeled)) in series.into_iter().enumerate() {
        let path = data.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&data))?;
        fs::write(&path, csv(value, seed as u64)?)?;
        let windows = match labeled {
            true => json!([[moment(MIDDLE - 200)?, moment(MIDDLE + 200)?]]),
            false => json!([]),
        };
        labels.insert(name.to_owned(), windows);
    }
    let path = folder.join("windows.json");
    fs::write(&path, serde_json::to_string_pretty(&labels)?)?;
    Ok(Made { data, labels: path })
}

const MIDDLE: usize = 2_880;

fn spike(row: usize) -> f64 {
    if row == MIDDLE { 30.0 } else { 0.0 }
}

fn is_flat(row: usize) -> bool {
    (MIDDLE..MIDDLE + 200).contains(&row)
}

fn csv(value: Value, seed: u64) -> anyhow::Result<String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut text = String::from("timestamp,value\n");
    for row in 0..ROWS {
        let noise: f64 = random.random_range(-1.0..1.0);
        writeln!(text, "{},{:.4}", moment(row)?, value(row) + noise)?;
    }
    Ok(text)
}

fn moment(row: usize) -> anyhow::Result<String> {
    let start: DateTime = date(2026, 11, 1).at(0, 0, 0, 0);
    let at = start.checked_add((5 * row as i64).minutes())?;
    Ok(at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
