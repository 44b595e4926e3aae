//! How busy were the machines? Read from files, or generated.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bursar_cost_model::synthetic_machines::{Habit, SyntheticMachine};
use bursar_examples::second_of;

/// Seconds between two samples.
const STEP: i64 = 300;
/// The longest gap that is filled with missing samples: a week.
const LONGEST_GAP: i64 = 7 * 86_400 / STEP;
/// A monitor rounds: 100.4 is a full machine, 104 is no percentage.
const HIGHEST: f64 = 101.0;

/// One machine.
pub(crate) struct Trace {
    pub(crate) name: String,
    /// CPU in percent of the machine; NaN where a sample is missing.
    pub(crate) cpu_percent: Vec<f64>,
    /// What it was made as; `None` of a file.
    pub(crate) made: Option<SyntheticMachine>,
}

impl Trace {
    pub(crate) fn habit(&self) -> Option<Habit> {
        self.made.as_ref().map(|made| made.habit)
    }
}

/// All machines, and what could not be read.
pub(crate) struct Traces {
    pub(crate) source: String,
    pub(crate) machines: Vec<Trace>,
    pub(crate) problems: Vec<LineProblem>,
}

/// A line that is no sample, and was left out.
pub(crate) struct LineProblem {
    file: PathBuf,
    line: usize,
    text: String,
    reason: &'static str,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.file.display(), self.line);
        write!(f, "{file}:{line}: {}: {:?}", self.reason, self.text)
    }
}

impl Traces {
    pub(crate) fn generate(n_machines: u64, days: usize, seed: u64) -> Traces {
        let machines = (0..n_machines).map(|number| {
            let made = SyntheticMachine::make(seed, number, days);
            Trace {
                name: format!("{} {number}", made.habit.name()),
                cpu_percent: made.cpu_percent.clone(),
                made: Some(made),
            }
        });
        Traces {
            source: format!("{n_machines} generated machines of {days} days, seed {seed}"),
            machines: machines.collect(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn read(folder: &Path, pattern: &str) -> anyhow::Result<Traces> {
        let entries = fs::read_dir(folder)
            .with_context(|| format!("cannot read the folder {}", folder.display()))?;
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_file() && is_meant(pattern, &name) {
                files.push((name, entry.path()));
            }
        }
        files.sort();
        ensure!(
            !files.is_empty(),
            "no file of {} matches {pattern:?}",
            folder.display()
        );
        let mut traces = Traces {
            source: format!("{} files of {}", files.len(), folder.display()),
            machines: Vec::new(),
            problems: Vec::new(),
        };
        for (name, file) in files {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let cpu_percent = samples(&text, &file, &mut traces.problems);
            traces.machines.push(Trace {
                name,
                cpu_percent,
                made: None,
            });
        }
        Ok(traces)
    }
}

/// Whether a name is meant by a pattern: one with `*` for any text stands for the whole name, another for a
/// part of it.
fn is_meant(pattern: &str, name: &str) -> bool {
    match pattern.contains('*') {
        true => matches(pattern, name),
        false => name.contains(pattern),
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(end, _)| end).chain([name.len()]);
            ends.into_iter().any(|end| matches(rest, &name[end..]))
        }),
    }
}

/// The samples of a file at their places; lines that are none are reported.
fn samples(text: &str, file: &Path, problems: &mut Vec<LineProblem>) -> Vec<f64> {
    let mut samples = Samples::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (index == 0 && is_header(line)) {
            continue;
        }
        if let Err(reason) = samples.take(line) {
            problems.push(LineProblem {
                file: file.to_owned(),
                line: index + 1,
                text: line.to_owned(),
                reason,
            });
        }
    }
    samples.values
}

fn is_header(line: &str) -> bool {
    let first = line.split(',').next_back().unwrap_or(line);
    first.trim().parse::<f64>().is_err() && line.chars().any(char::is_alphabetic)
}

#[derive(Default)]
struct Samples {
    values: Vec<f64>,
    /// The second of the last sample, where lines have a time.
    last: Option<i64>,
}

impl Samples {
    fn take(&mut self, line: &str) -> Result<(), &'static str> {
        let Some((time, value)) = line.split_once(',') else {
            self.values.push(percent(line)?);
            return Ok(());
        };
        let value = percent(value)?;
        let Some(second) = second_of(time.trim()) else {
            self.values.push(value);
            self.last = self.last.map(|last| last + STEP);
            return Err("no time: taken for five minutes after the line before");
        };
        if let Some(last) = self.last {
            let steps = (second - last + STEP / 2).div_euclid(STEP);
            if steps < 1 {
                return Err("not five minutes after the line before");
            }
            if steps > LONGEST_GAP {
                return Err("more than a week after the line before");
            }
            for _ in 1..steps {
                self.values.push(f64::NAN);
            }
            // Steps are counted from the place, so that a clock that is a little late does not
            // lose a sample in the end.
            self.last = Some(last + steps * STEP);
        } else {
            self.last = Some(second);
        }
        self.values.push(value);
        Ok(())
    }
}

/// A percentage; an empty field is a missing sample.
fn percent(text: &str) -> Result<f64, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    let value: f64 = text.parse().map_err(|_| "no number")?;
    if (0.0..=HIGHEST).contains(&value) {
        return Ok(value.min(100.0));
    }
    Err("not a percentage from 0 to 100")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_whole_names_or_for_parts() {
        for (pattern, is_one) in [
            ("*", true),
            ("ec2_*", true),
            ("ec2_*.csv", true),
            ("cpu", true),
            ("*cpu", false),
            ("rds", false),
        ] {
            assert_eq!(is_meant(pattern, "ec2_cpu_1.csv"), is_one, "{pattern}");
        }
    }

    #[test]
    fn samples_keep_their_places_and_bad_lines_are_reported() {
        let text = "timestamp,value\n2014-02-14 14:30:00,10\n2014-02-14 14:40:00,20\nlater,30\n\
                    2014-02-14 14:50:00,many\n2014-02-14 14:50:00,40\n";
        let mut problems = Vec::new();
        let samples = samples(text, Path::new("a.csv"), &mut problems);
        assert_eq!(samples.len(), 5);
        assert!(samples[1].is_nan());
        assert_eq!(
            [samples[0], samples[2], samples[3], samples[4]],
            [10.0, 20.0, 30.0, 40.0]
        );
        let lines: Vec<usize> = problems.iter().map(|it| it.line).collect();
        assert_eq!(lines, [4, 5]);
    }

    #[test]
    fn a_file_of_numbers_needs_no_header() {
        let mut problems = Vec::new();
        assert_eq!(
            samples("1.5\n2.5\n", Path::new("b"), &mut problems),
            [1.5, 2.5]
        );
        assert!(problems.is_empty());
    }
}
