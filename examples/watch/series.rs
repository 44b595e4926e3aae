//! Where do the points come from?

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use bursar_anomaly::Observation;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub(crate) type Line = anyhow::Result<Observation>;

/// Points in five minutes: a day.
const DAY: u32 = 288;

/// Requests a second of a busy service: more by day than by night, noise that lasts, and in the second
/// week a spike of half an hour, an evening at a new level and an outage.
pub(crate) fn generated(
    seed: u64,
    n_points: u32,
) -> anyhow::Result<Box<dyn Iterator<Item = Line>>> {
    let monday = date(2026, 11, 2).to_zoned(TimeZone::UTC)?.timestamp();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut wander = 0.0;
    Ok(Box::new((0..n_points).map(move |n| {
        let at = monday + SignedDuration::from_mins(5 * i64::from(n));
        // The sum of twelve uniform numbers is nearly normal.
        let noise: f64 = (0..12).map(|_| random.random_range(-0.5..0.5)).sum();
        wander = 0.7 * wander + noise;
        let hour = f64::from(n % DAY) / 12.0;
        let usual = 240.0 - 130.0 * ((hour - 2.0) / 24.0 * std::f64::consts::TAU).cos();
        let value = (usual + 6.0 * wander) * fault(n);
        Ok(Observation::new(at, (value * 10.0).round() / 10.0)?)
    })))
}

fn fault(n: u32) -> f64 {
    let hours = |day: u32, from: u32, until: u32| day * DAY + from * 12..day * DAY + until * 12;
    match n {
        n if (9 * DAY + 130..9 * DAY + 136).contains(&n) => 2.2,
        n if hours(11, 13, 19).contains(&n) => 1.45,
        n if hours(13, 8, 9).contains(&n) => 0.02,
        _ => 1.0,
    }
}

pub(crate) fn file(path: &Path) -> anyhow::Result<Box<dyn Iterator<Item = Line>>> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
    Ok(read(file, name))
}

/// Lines of `timestamp,value`; an empty value is missing, and the first line may be a header.
pub(crate) fn read(input: impl Read + 'static, name: String) -> Box<dyn Iterator<Item = Line>> {
    let lines = BufReader::new(input).lines().enumerate();
    Box::new(lines.filter_map(move |(index, line)| {
        let here = || format!("{name}, line {}", index + 1);
        match line.with_context(here) {
            Ok(line) if line.trim().is_empty() => None,
            Ok(line) if index == 0 && is_header(&line) => None,
            Ok(line) => Some(parse(&line).with_context(here)),
            Err(error) => Some(Err(error)),
        }
    }))
}

fn is_header(line: &str) -> bool {
    !line.contains(|c: char| c.is_ascii_digit())
}

fn parse(line: &str) -> anyhow::Result<Observation> {
    let Some((at, value)) = line.split_once(',') else {
        bail!("`{line}` has no comma: write `timestamp,value`");
    };
    let (at, value) = (moment(at.trim())?, value.trim());
    if value.is_empty() {
        return Ok(Observation::missing(at));
    }
    let value = value
        .parse()
        .with_context(|| format!("`{value}` is not a number"))?;
    Ok(Observation::new(at, value)?)
}

/// `2026-11-20T12:00:00Z`, or without zone in UTC.
fn moment(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let local: DateTime = text
        .parse()
        .with_context(|| format!("`{text}` is not a time"))?;
    Ok(local.to_zoned(TimeZone::UTC)?.timestamp())
}
