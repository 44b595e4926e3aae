//! What alerts are worth, beside a control that alerts every day.

use std::collections::BTreeMap;
use std::io::Write;

use bursar_anomaly::evaluation::events::{DatedAlert, EventReport, EventScore, Truth};
use serde_json::json;

/// The report of the alerts, and that of an alert every day.
pub(super) fn compare(
    truths: &BTreeMap<String, Truth>,
    alerts: &BTreeMap<String, Vec<DatedAlert>>,
) -> (EventReport, EventReport) {
    let mut scored = EventScore::default();
    let mut control = EventScore::default();
    for (series, truth) in truths {
        scored.add(truth, alerts.get(series).map_or(&[], Vec::as_slice));
        control.add(truth, &truth.always());
    }
    (scored.report(), control.report())
}

pub(super) fn print_json(
    mut out: impl Write,
    scored: &EventReport,
    control: &EventReport,
) -> anyhow::Result<()> {
    let report = json!({ "alerts": scored, "always": control });
    serde_json::to_writer_pretty(&mut out, &report)?;
    Ok(writeln!(out)?)
}

pub(super) fn print_text(
    mut out: impl Write,
    scored: &EventReport,
    control: &EventReport,
) -> anyhow::Result<()> {
    let (series, years) = (scored.series, scored.series_years);
    writeln!(out, "{series} series, {years:.1} series-years, by event:\n")?;
    writeln!(
        out,
        "{:<16} {:>9} {:>7} {:>5} {:>14} {:>12} {:>10} {:>11}",
        "",
        "precision",
        "recall",
        "F1",
        "false per year",
        "median delay",
        "mean delay",
        "attribution"
    )?;
    for (name, report) in [("alerts", scored), ("alert every day", control)] {
        writeln!(
            out,
            "{name:<16} {:>9} {:>7} {:>5} {:>14} {:>12} {:>10} {:>11}",
            number(report.precision),
            number(report.recall),
            number(report.f1),
            number(report.false_per_series_year),
            number(report.median_delay),
            number(report.mean_delay),
            number(report.attribution),
        )?;
    }
    writeln!(
        out,
        "\n{:<16} {:>9} {:>7} {:>7} {:>12} {:>10} {:>11}",
        "kind", "anomalies", "found", "recall", "median delay", "mean delay", "attribution"
    )?;
    for kind in &scored.kinds {
        writeln!(
            out,
            "{:<16} {:>9} {:>7} {:>7} {:>12} {:>10} {:>11}",
            kind.kind,
            kind.anomalies,
            kind.found,
            number(kind.recall),
            number(kind.median_delay),
            number(kind.mean_delay),
            number(kind.attribution),
        )?;
    }
    Ok(())
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.2}"))
}
