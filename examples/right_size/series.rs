//! What was measured? A CSV file, read.

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bursar_cost_model::fit::{Resource, SampleStep, Usage};
use bursar_examples::second_of;
use csv::StringRecord;

/// The most samples that a series may have: ten years of minutes. A file with more has a wrong time.
const MOST_SAMPLES: i64 = 5_256_000;

/// The columns with the resources that they measure.
const COLUMNS: [(&str, Resource); 5] = [
    ("cpu", Resource::Cpu),
    ("memory", Resource::Memory),
    ("network", Resource::Network),
    ("iops", Resource::DiskIops),
    ("throughput", Resource::DiskThroughput),
];

/// What a file says, and what of it could not be read.
pub(crate) struct Measured {
    pub(crate) usages: Vec<(Resource, Usage)>,
    pub(crate) problems: Vec<CellProblem>,
}

/// A cell that is no sample and was left out, or a whole line.
pub(crate) struct CellProblem {
    file: PathBuf,
    line: u64,
    column: String,
    text: String,
    reason: &'static str,
}

impl fmt::Display for CellProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line, column) = (self.file.display(), self.line, &self.column);
        write!(
            f,
            "{file}:{line}: {column}: {}: {:?}",
            self.reason, self.text
        )
    }
}

/// One line, by its time.
struct Row {
    second: Option<i64>,
    values: Vec<Option<f64>>,
}

/// Where the columns are.
struct Header {
    time: Option<usize>,
    resources: Vec<(usize, &'static str, Resource)>,
}

pub(crate) fn read(file: &Path) -> anyhow::Result<Measured> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut records = reader.records().peekable();
    let header = match records.peek() {
        Some(Ok(first)) if is_one_number(first) => Header::cpu_alone(),
        _ => match records.next() {
            Some(first) => Header::of(&first?),
            None => bail!("{} is empty", file.display()),
        }
        .with_context(|| format!("the header of {}", file.display()))?,
    };
    for record in records {
        let record = record.with_context(|| format!("cannot read {}", file.display()))?;
        let mut found = header.row(&record);
        if let Some(row) = found.row {
            rows.push(row);
        }
        for problem in &mut found.problems {
            problem.file = file.to_owned();
        }
        problems.append(&mut found.problems);
    }
    ensure!(!rows.is_empty(), "{} has no samples", file.display());
    let usages = usages(&header, rows).with_context(|| format!("in {}", file.display()))?;
    Ok(Measured { usages, problems })
}

/// Whether the file begins without a header, with one number a line.
fn is_one_number(record: &StringRecord) -> bool {
    record.len() == 1 && record.iter().all(|cell| cell.parse::<f64>().is_ok())
}

/// The name of a column as we know it: other tools write `timestamp,value` or add the unit.
fn known_name(name: &str) -> &str {
    match name {
        "timestamp" => "time",
        "value" | "cpu_percent" => "cpu",
        "memory_mib" => "memory",
        "network_mbps" => "network",
        name => name,
    }
}

struct FoundRow {
    row: Option<Row>,
    problems: Vec<CellProblem>,
}

impl Header {
    fn cpu_alone() -> Header {
        Header {
            time: None,
            resources: vec![(0, "cpu", Resource::Cpu)],
        }
    }

    fn of(record: &StringRecord) -> anyhow::Result<Header> {
        let mut header = Header {
            time: None,
            resources: Vec::new(),
        };
        for (place, name) in record.iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').to_lowercase();
            let name = known_name(&name);
            if name == "time" {
                header.time = Some(place);
                continue;
            }
            let Some((name, resource)) = COLUMNS.into_iter().find(|it| it.0 == name) else {
                bail!("column {name:?} is none of time, cpu, memory, network, iops, throughput");
            };
            header.resources.push((place, name, resource));
        }
        ensure!(!header.resources.is_empty(), "it names no resource");
        Ok(header)
    }

    fn row(&self, record: &StringRecord) -> FoundRow {
        let line = record.position().map_or(0, csv::Position::line);
        let mut problems = Vec::new();
        let mut report = |column: &str, text: &str, reason| {
            problems.push(CellProblem {
                file: PathBuf::new(),
                line,
                column: column.to_owned(),
                text: text.to_owned(),
                reason,
            });
        };
        let mut second = None;
        if let Some(place) = self.time {
            let text = record.get(place).unwrap_or("");
            second = second_of(text);
            if second.is_none() {
                report("time", text, "no time, the line is left out");
                let row = None;
                return FoundRow { row, problems };
            }
        }
        let values = self.resources.iter().map(|(place, name, resource)| {
            let text = record.get(*place).unwrap_or("");
            parse_value(*resource, text).unwrap_or_else(|reason| {
                report(name, text, reason);
                None
            })
        });
        let values = values.collect();
        let row = Some(Row { second, values });
        FoundRow { row, problems }
    }
}

/// An empty cell is a missing sample.
fn parse_value(resource: Resource, text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let value: f64 = text.parse().map_err(|_| "no number")?;
    let most = match resource {
        Resource::Cpu => 101.0,
        _ => 1e12,
    };
    if !(0.0..=most).contains(&value) {
        return Err("out of range");
    }
    // A monitor rounds: 100.4 % is a full machine.
    let value = match resource {
        Resource::Cpu => value.min(100.0),
        _ => value,
    };
    Ok(Some(value))
}

fn usages(header: &Header, mut rows: Vec<Row>) -> anyhow::Result<Vec<(Resource, Usage)>> {
    rows.sort_by_key(|row| row.second);
    let (step, places) = places(&rows)?;
    let n_samples = places.last().map_or(0, |last| last + 1);
    let mut usages = Vec::new();
    for (column, (_, name, resource)) in header.resources.iter().enumerate() {
        let mut samples = vec![None; n_samples];
        for (row, place) in rows.iter().zip(&places) {
            let value = row.values.get(column).copied().flatten();
            if let Some(sample) = samples.get_mut(*place) {
                *sample = value.or(*sample);
            }
        }
        if samples.iter().all(Option::is_none) {
            // A column without a sample is a resource that was not measured.
            continue;
        }
        let usage = Usage::samples(step, samples).with_context(|| format!("column {name}"))?;
        usages.push((*resource, usage));
    }
    Ok(usages)
}

/// The step of the rows, and the place of each.
fn places(rows: &[Row]) -> anyhow::Result<(SampleStep, Vec<usize>)> {
    let seconds: Option<Vec<i64>> = rows.iter().map(|row| row.second).collect();
    let Some(seconds) = seconds else {
        return Ok((SampleStep::FIVE_MINUTES, (0..rows.len()).collect()));
    };
    let first = seconds.first().copied().unwrap_or(0);
    let mut gaps: Vec<i64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.retain(|gap| *gap > 0);
    gaps.sort_unstable();
    let gap = gaps.get(gaps.len() / 2).copied().unwrap_or(300);
    let minutes = u32::try_from((gap + 30) / 60)
        .ok()
        .and_then(NonZeroU32::new);
    let minutes = minutes.with_context(|| format!("a step of {gap} seconds is under a minute"))?;
    let step = SampleStep::minutes(minutes)?;
    let seconds_of_step = i64::from(minutes.get()) * 60;
    let places = seconds.into_iter().map(|second| {
        let place = (second - first + seconds_of_step / 2) / seconds_of_step;
        ensure!(
            place < MOST_SAMPLES,
            "there are {place} steps between the first time and the last: one of them is wrong"
        );
        Ok(usize::try_from(place)?)
    });
    Ok((step, places.collect::<anyhow::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_other_tools_are_understood() {
        let header = Header::of(&StringRecord::from(vec!["timestamp", "value"])).unwrap();
        assert_eq!(header.time, Some(0));
        assert_eq!(header.resources, [(1, "cpu", Resource::Cpu)]);
        let header = Header::of(&StringRecord::from(vec!["cpu_percent", "memory_mib"])).unwrap();
        assert_eq!(header.time, None);
        assert_eq!(header.resources.len(), 2);
        assert!(Header::of(&StringRecord::from(vec!["time", "humidity"])).is_err());
    }

    #[test]
    fn a_first_line_of_one_number_is_a_sample() {
        assert!(is_one_number(&StringRecord::from(vec!["12.5"])));
        assert!(!is_one_number(&StringRecord::from(vec!["cpu"])));
        assert!(!is_one_number(&StringRecord::from(vec!["1", "2"])));
    }
}
