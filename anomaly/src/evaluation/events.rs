//! Found, missed, late, false: how good are alerts, counted by event?
//!
//! A week of alerts about one anomaly is one success and a week of alerts about nothing is one
//! annoyance, so points are not what is counted here. The rules, in days:
//!
//! - An anomaly is **found** by an alert from its start to its deadline, and its delay is the time to
//!   the first of them.
//! - An alert up to [`GRACE_DAYS`] after an anomaly is **not false**: it may be about its end.
//! - An alert during a **harmless event**, or as long after it, is neither rewarded nor punished.
//! - All other alerts are false. Those that follow each other within [`GRACE_DAYS`] are one false
//!   **incident**, of at most [`INCIDENT_DAYS`]: a detector that always alerts is wrong once a week.
//!
//! From these follow precision (found ÷ (found + false incidents)), recall, F1, and false incidents
//! a year of one series. [`Truth::always`] is the control: the alerts of a detector that knows
//! nothing and alerts every day, which no detector should be compared without.
//!
//! ```
//! use bursar_anomaly::evaluation::events::{DatedAlert, EventScore, Label, Truth};
//! use jiff::civil::date;
//!
//! let truth = Truth::new(date(2026, 1, 1), date(2026, 12, 31))
//!     .anomaly(
//!         Label::new("level-shift", date(2026, 3, 2), date(2026, 3, 31))
//!             .deadline(date(2026, 3, 9))
//!             .service("database"),
//!     )
//!     .harmless(date(2026, 6, 1), date(2026, 6, 1));
//! let mut score = EventScore::default();
//! score.add(
//!     &truth,
//!     &[
//!         DatedAlert::new(date(2026, 3, 4)).service("database"),
//!         DatedAlert::new(date(2026, 6, 2)),
//!         DatedAlert::new(date(2026, 9, 9)),
//!     ],
//! );
//! let report = score.report();
//! assert_eq!((report.found, report.false_incidents), (1, 1));
//! assert_eq!((report.precision, report.recall), (Some(0.5), Some(1.0)));
//! assert_eq!(report.median_delay, Some(2.0));
//! assert_eq!(report.attribution, Some(1.0));
//! ```

mod report;

use jiff::civil::Date;

pub use report::{EventReport, KindReport};
use report::{Found, Tally};

/// How long after an event an alert can be about it, and how far apart alerts of one incident are.
pub const GRACE_DAYS: i32 = 3;

/// The longest false incident: a longer run of false alerts is several.
pub const INCIDENT_DAYS: i32 = 7;

/// What is true of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    first: Date,
    last: Date,
    anomalies: Vec<Label>,
    harmless: Vec<Days>,
}

/// A known anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    kind: String,
    days: Days,
    deadline: Date,
    service: Option<String>,
}

/// The first and the last day of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    start: Date,
    end: Date,
}

/// An alert of a detector, as raised on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedAlert {
    date: Date,
    service: Option<String>,
}

impl Truth {
    /// A series that was watched from one day to another, both included, without any event.
    #[must_use]
    pub const fn new(first: Date, last: Date) -> Self {
        Self {
            first,
            last,
            anomalies: Vec::new(),
            harmless: Vec::new(),
        }
    }

    /// With an anomaly.
    #[must_use]
    pub fn anomaly(mut self, label: Label) -> Self {
        self.anomalies.push(label);
        self
    }

    /// With something that looks like an anomaly on these days and is none.
    #[must_use]
    pub fn harmless(mut self, start: Date, end: Date) -> Self {
        self.harmless.push(Days { start, end });
        self
    }

    /// An alert on every day: the control that reads no data.
    #[must_use]
    pub fn always(&self) -> Vec<DatedAlert> {
        let mut alerts = Vec::new();
        let mut next = Some(self.first);
        while let Some(date) = next.filter(|&date| date <= self.last) {
            alerts.push(DatedAlert::new(date));
            next = date.tomorrow().ok();
        }
        alerts
    }

    fn n_days(&self) -> u32 {
        u32::try_from(days_between(self.first, self.last) + 1).unwrap_or(0)
    }

    /// Whether an alert of this day can be about something that is known.
    fn is_excused(&self, date: Date) -> bool {
        let anomalies = self.anomalies.iter().map(|label| label.days);
        let mut events = anomalies.chain(self.harmless.iter().copied());
        events.any(|days| days.start <= date && days_between(days.end, date) <= GRACE_DAYS)
    }
}

impl Label {
    /// An anomaly of a kind, to be found until its end.
    #[must_use]
    pub fn new(kind: impl Into<String>, start: Date, end: Date) -> Self {
        Self {
            kind: kind.into(),
            days: Days { start, end },
            deadline: end,
            service: None,
        }
    }

    /// With another last day on which finding it still helps; it may lie after the end.
    #[must_use]
    pub const fn deadline(mut self, deadline: Date) -> Self {
        self.deadline = deadline;
        self
    }

    /// With the service that causes it.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// How these alerts found it, if they did.
    fn find(&self, alerts: &[DatedAlert]) -> Option<Found> {
        let in_time = |alert: &&DatedAlert| (self.days.start..=self.deadline).contains(&alert.date);
        let first = alerts
            .iter()
            .filter(in_time)
            .map(|alert| alert.date)
            .min()?;
        let is_attributed = self.service.as_ref().map(|service| {
            alerts
                .iter()
                .filter(|alert| alert.date == first)
                .any(|alert| alert.service.as_ref() == Some(service))
        });
        Some(Found {
            delay: u32::try_from(days_between(self.days.start, first)).unwrap_or(0),
            is_attributed,
        })
    }
}

impl DatedAlert {
    /// An alert about the whole series.
    #[must_use]
    pub const fn new(date: Date) -> Self {
        let service = None;
        Self { date, service }
    }

    /// It blames this service.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }
}

/// Counts over any number of series; [`report`](Self::report) says what they amount to.
#[derive(Debug, Clone, Default)]
pub struct EventScore {
    tally: Tally,
}

impl EventScore {
    /// Counts the alerts of one series, in any order.
    pub fn add(&mut self, truth: &Truth, alerts: &[DatedAlert]) {
        self.tally.n_series += 1;
        self.tally.n_days += u64::from(truth.n_days());
        for label in &truth.anomalies {
            self.tally.add_anomaly(&label.kind, label.find(alerts));
        }
        let mut strays: Vec<Date> = alerts
            .iter()
            .map(|alert| alert.date)
            .filter(|&date| !truth.is_excused(date))
            .collect();
        strays.sort_unstable();
        self.tally.false_incidents += count_incidents(&strays);
    }

    /// What the counts amount to.
    #[must_use]
    pub fn report(&self) -> EventReport {
        self.tally.report()
    }
}

/// How many incidents these days are, which are in order.
fn count_incidents(days: &[Date]) -> usize {
    let mut n_incidents = 0;
    let mut current: Option<Days> = None;
    for &date in days {
        let joined = current.filter(|incident| {
            days_between(incident.end, date) <= GRACE_DAYS
                && days_between(incident.start, date) < INCIDENT_DAYS
        });
        let start = joined.map_or(date, |incident| incident.start);
        n_incidents += usize::from(joined.is_none());
        current = Some(Days { start, end: date });
    }
    n_incidents
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}
