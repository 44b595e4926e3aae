//! One alert: a row with every number, and a sentence.

use std::fmt;

use bursar_anomaly::Direction;
use bursar_anomaly::daily::{Finding, FindingKind, Scope};
use jiff::civil::Date;
use serde::Serialize;

/// A finding as it was raised on its day.
#[derive(Debug, Serialize)]
pub(super) struct Alert {
    pub(super) series: String,
    pub(super) date: Date,
    /// The service that is to blame, if it is one.
    pub(super) service: Option<String>,
    pub(super) severity: Severity,
    pub(super) expected: f64,
    pub(super) actual: f64,
    pub(super) score: f64,
    pub(super) message: String,
}

/// How much it deviates from the expected cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Severity {
    /// By up to 50 %.
    Info,
    /// By more.
    Warning,
    /// By more than 100 %, or to nothing.
    Critical,
}

impl Severity {
    fn of(finding: &Finding) -> Self {
        let percent = percent(finding).abs();
        if percent > 100.0 || finding.kind == FindingKind::Drop {
            Self::Critical
        } else if percent > 50.0 {
            Self::Warning
        } else {
            Self::Info
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        })
    }
}

impl Alert {
    pub(super) const COLUMNS: [&str; 8] = [
        "series", "date", "service", "severity", "expected", "actual", "score", "message",
    ];

    pub(super) fn new(series: &str, date: Date, finding: &Finding) -> Self {
        Self {
            series: series.to_owned(),
            date,
            service: finding.culprit.clone(),
            severity: Severity::of(finding),
            expected: finding.expected,
            actual: finding.actual,
            score: finding.score,
            message: message(series, date, finding),
        }
    }

    /// Its fields as text, in the order of the columns.
    pub(super) fn row(&self) -> [String; 8] {
        [
            self.series.clone(),
            self.date.to_string(),
            self.service.clone().unwrap_or_default(),
            self.severity.to_string(),
            format!("{:.4}", self.expected),
            format!("{:.4}", self.actual),
            format!("{:.4}", self.score),
            self.message.clone(),
        ]
    }
}

/// The deviation in percent of the expected cost, which is never zero.
fn percent(finding: &Finding) -> f64 {
    100.0 * (finding.actual - finding.expected) / finding.expected
}

fn message(series: &str, date: Date, finding: &Finding) -> String {
    let who = match &finding.scope {
        Scope::Total => series.to_owned(),
        Scope::Service(name) => format!("{series}/{name}"),
    };
    let percent = percent(finding);
    let side = if percent < 0.0 { "below" } else { "above" };
    let course = match finding.direction {
        Direction::Fall => "lower",
        Direction::Rise | Direction::Pattern => "higher",
    };
    let culprit = match (&finding.scope, &finding.culprit) {
        (Scope::Total, Some(name)) => format!(", mostly {name}"),
        _ => String::new(),
    };
    format!(
        "{who} cost {:.2} on {date}, {:.1} % {side} the expected {:.2} ({:.2} to {:.2}): {}, {course} since {}{culprit}",
        finding.actual,
        percent.abs(),
        finding.expected,
        finding.interval.low,
        finding.interval.high,
        finding.kind.name(),
        finding.since,
    )
}
