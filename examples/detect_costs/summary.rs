//! What was found in all accounts, for a person or a program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use bursar_anomaly::evaluation::events::{DatedAlert, EventReport, EventScore};
use bursar_anomaly::synthetic::costs::CostSeries;
use serde_json::json;

use super::alert::{Alert, Severity};

/// The alerts of all accounts, beside the truth where it is known.
#[derive(Debug, Default)]
pub(super) struct Summary {
    series: usize,
    days: usize,
    alerts: Vec<Alert>,
    score: Option<EventScore>,
}

/// Alerts that are printed before the rest is only counted.
const PRINTED_ALERTS: usize = 12;

impl Summary {
    pub(super) fn add(&mut self, n_days: usize, alerts: Vec<Alert>) {
        self.series += 1;
        self.days += n_days;
        self.alerts.extend(alerts);
    }

    /// Counts an account's alerts against its truth.
    pub(super) fn compare(&mut self, series: &CostSeries, alerts: &[Alert]) {
        let Some(truth) = series.truth() else {
            return;
        };
        let alerts: Vec<DatedAlert> = alerts
            .iter()
            .map(|alert| {
                let dated = DatedAlert::new(alert.date);
                match &alert.service {
                    Some(service) => dated.service(service),
                    None => dated,
                }
            })
            .collect();
        self.score.get_or_insert_default().add(&truth, &alerts);
    }

    pub(super) fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    pub(super) fn print_json(&self, mut out: impl Write) -> anyhow::Result<()> {
        let report = json!({
            "series": self.series,
            "days": self.days,
            "alerts": self.alerts,
            "score": self.score.as_ref().map(EventScore::report),
        });
        serde_json::to_writer_pretty(&mut out, &report)?;
        Ok(writeln!(out)?)
    }

    pub(super) fn print_text(
        &self,
        mut out: impl Write,
        file: Option<&Path>,
    ) -> anyhow::Result<()> {
        for alert in self.alerts.iter().take(PRINTED_ALERTS) {
            writeln!(out, "{:<8} {}", alert.severity, alert.message)?;
        }
        if let Some(more) = self.alerts.len().checked_sub(PRINTED_ALERTS + 1) {
            writeln!(out, "... and {} more", more + 1)?;
        }
        let (series, days, alerts) = (self.series, self.days, self.alerts.len());
        writeln!(out, "\n{series} accounts, {days} days, {alerts} alerts:")?;
        let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
        for alert in &self.alerts {
            *by_severity.entry(alert.severity).or_default() += 1;
        }
        for (severity, count) in by_severity.iter().rev() {
            writeln!(out, "  {severity:<8} {count:>5}")?;
        }
        if let Some(file) = file {
            writeln!(out, "written to {}", file.display())?;
        }
        match &self.score {
            Some(score) => print_score(&mut out, &score.report()),
            None => Ok(()),
        }
    }
}

fn print_score(out: &mut impl Write, report: &EventReport) -> anyhow::Result<()> {
    let percent = |ratio: Option<f64>| {
        ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.0} %", 100.0 * ratio))
    };
    writeln!(out, "\nbeside the truth, by event:")?;
    for kind in &report.kinds {
        let delay = kind
            .median_delay
            .map_or_else(String::new, |days| format!(", after {days} days"));
        let (name, found, all) = (&kind.kind, kind.found, kind.anomalies);
        writeln!(out, "  {name:<12} {found:>3} of {all:>3} found{delay}")?;
    }
    writeln!(
        out,
        "  precision {}, recall {}, right service {}, {:.2} false alarms a series-year",
        percent(report.precision),
        percent(report.recall),
        percent(report.attribution),
        report.false_per_series_year.unwrap_or(0.0),
    )?;
    Ok(())
}
