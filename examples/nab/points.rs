//! What are the scores worth by the labels?

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context;
use bursar_anomaly::evaluation::nab::{Corpus, Geometry, Profile, Report, alarm_clock};
use jiff::civil::DateTime;
use serde::Serialize;

use crate::Scored;

/// The points of the three profiles, and those of a clock that reads nothing.
#[derive(Serialize)]
pub(crate) struct Points {
    detector: Vec<Report>,
    /// A clock that fires at every twentieth of a file.
    alarm_clock: Vec<Report>,
}

/// Windows by file, as `combined_windows.json` has them.
type Labels = BTreeMap<String, Vec<(String, String)>>;

impl Points {
    pub(crate) fn of(files: &[Scored], labels: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(labels)
            .with_context(|| format!("cannot read {}", labels.display()))?;
        let labels: Labels = serde_json::from_str(&text)
            .with_context(|| format!("{} is not an object of windows", labels.display()))?;
        let (mut detector, mut clock) = (Corpus::default(), Corpus::default());
        for file in files {
            let name = file.path.to_string_lossy().replace('\\', "/");
            let windows = labels.get(&name).map_or(&[][..], Vec::as_slice);
            let geometry = geometry(file, windows).with_context(|| name.clone())?;
            let category = name.split('/').next().unwrap_or_default();
            let n_rows = geometry.n_rows();
            detector.add(category, &geometry, &file.scores)?;
            clock.add(category, &geometry, &alarm_clock(n_rows, n_rows / 20))?;
        }
        let reports = |corpus: &Corpus| Profile::ALL.map(|profile| corpus.report(profile)).into();
        Ok(Self {
            detector: reports(&detector),
            alarm_clock: reports(&clock),
        })
    }
}

fn geometry(file: &Scored, windows: &[(String, String)]) -> anyhow::Result<Geometry> {
    let rows = file.series.rows.iter();
    let moments: Vec<DateTime> = rows
        .map(|row| moment(&row.timestamp))
        .collect::<anyhow::Result<_>>()?;
    let windows: Vec<(DateTime, DateTime)> = windows
        .iter()
        .map(|(start, end)| Ok((moment(start)?, moment(end)?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(Geometry::new(&moments, &windows)?)
}

fn moment(text: &str) -> anyhow::Result<DateTime> {
    text.parse()
        .with_context(|| format!("`{text}` is no moment"))
}

impl fmt::Display for Points {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (report, clock) in self.detector.iter().zip(&self.alarm_clock) {
            writeln!(
                formatter,
                "{}: {:.2} points at threshold {:.4} (a clock that reads nothing: {:.2})",
                report.profile.name, report.score, report.threshold, clock.score,
            )?;
        }
        let Some(standard) = self.detector.first() else {
            return Ok(());
        };
        writeln!(
            formatter,
            "\n{:24} {:>7} {:>9} {:>11}",
            "standard", "points", "windows", "false rows"
        )?;
        for part in &standard.categories {
            let windows = format!("{}/{}", part.windows_found, part.n_windows);
            let points = match part.n_windows {
                0 => "–".to_owned(),
                _ => format!("{:.1}", part.score),
            };
            let (name, false_rows) = (&part.category, part.false_rows);
            writeln!(
                formatter,
                "{name:24} {points:>7} {windows:>9} {false_rows:>11}"
            )?;
        }
        Ok(())
    }
}
