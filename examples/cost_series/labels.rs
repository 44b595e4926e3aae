//! What is true of each account, and what was said of it, as CSV.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, bail};
use bursar_anomaly::evaluation::events::{DatedAlert, Label, Truth};
use bursar_anomaly::synthetic::costs::CostSeries;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A row of the file of labels.
#[derive(Debug, Serialize, Deserialize)]
struct LabelRow {
    series: String,
    label: LabelName,
    kind: String,
    start: Date,
    end: Date,
    deadline: Option<Date>,
    service: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LabelName {
    Watched,
    Anomaly,
    Harmless,
}

/// A row of a file of alerts; other columns are left alone.
#[derive(Debug, Deserialize)]
struct AlertRow {
    series: String,
    date: Date,
    #[serde(default)]
    service: Option<String>,
}

#[derive(Debug)]
pub(super) struct LabelWriter {
    writer: csv::Writer<File>,
}

impl LabelWriter {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let writer = csv::Writer::from_path(path).with_context(|| format!("{}", path.display()))?;
        Ok(Self { writer })
    }

    pub(super) fn write(&mut self, series: &CostSeries) -> anyhow::Result<()> {
        let row = |label, kind: &str, start, end| LabelRow {
            series: series.name.clone(),
            label,
            kind: kind.to_owned(),
            start,
            end,
            deadline: None,
            service: None,
        };
        if let (Some(first), Some(last)) = (series.days.first(), series.days.last()) {
            self.writer
                .serialize(row(LabelName::Watched, "", first.date, last.date))?;
        }
        for anomaly in &series.anomalies {
            let kind = anomaly.kind.name();
            self.writer.serialize(LabelRow {
                deadline: Some(anomaly.deadline),
                service: anomaly.service.clone(),
                ..row(LabelName::Anomaly, kind, anomaly.start, anomaly.end)
            })?;
        }
        for event in &series.benign {
            let kind = event.kind.name();
            self.writer
                .serialize(row(LabelName::Harmless, kind, event.start, event.end))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        Ok(self.writer.flush()?)
    }
}

/// The truth about each series.
pub(super) fn read_labels(path: &Path) -> anyhow::Result<BTreeMap<String, Truth>> {
    let mut truths: BTreeMap<String, Truth> = BTreeMap::new();
    for row in read_rows::<LabelRow>(path)? {
        if row.label == LabelName::Watched {
            truths.insert(row.series, Truth::new(row.start, row.end));
            continue;
        }
        let Some(truth) = truths.remove(&row.series) else {
            bail!(
                "{}: `{}` has no row with the label watched before this one of {}",
                path.display(),
                row.series,
                row.start
            );
        };
        let series = row.series.clone();
        truths.insert(series, with_event(truth, row));
    }
    Ok(truths)
}

fn with_event(truth: Truth, row: LabelRow) -> Truth {
    if row.label == LabelName::Harmless {
        return truth.harmless(row.start, row.end);
    }
    let deadline = row.deadline.unwrap_or(row.end);
    let label = Label::new(row.kind, row.start, row.end).deadline(deadline);
    truth.anomaly(match row.service {
        Some(service) => label.service(service),
        None => label,
    })
}

/// The alerts about each series; one about a series without labels is an error.
pub(super) fn read_alerts(
    path: &Path,
    truths: &BTreeMap<String, Truth>,
) -> anyhow::Result<BTreeMap<String, Vec<DatedAlert>>> {
    let mut alerts: BTreeMap<String, Vec<DatedAlert>> = BTreeMap::new();
    for row in read_rows::<AlertRow>(path)? {
        if !truths.contains_key(&row.series) {
            bail!("{}: `{}` has no labels", path.display(), row.series);
        }
        let alert = DatedAlert::new(row.date);
        let alert = match row.service {
            Some(service) => alert.service(service),
            None => alert,
        };
        alerts.entry(row.series).or_default().push(alert);
    }
    Ok(alerts)
}

fn read_rows<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("{}", path.display()))?;
    let rows: Result<Vec<T>, _> = reader.deserialize().collect();
    rows.with_context(|| format!("{}", path.display()))
}
