//! Which alarms are one and the same event, and how far has it come?

use std::fmt;

use bursar_units::{Money, MoneyError};
use jiff::{SignedDuration, Timestamp};

use crate::alert::as_statistic;
use crate::{Alarm, Alert, DetectorKind, Direction, Feedback, Severity, Suppression, When};

/// The name of an event, the same for as long as it lives and in every run over the same alarms:
/// series, begin, and the number among the events of that series with this begin, as in
/// `aws/prod@2026-11-20#1`. (A rise and a fall on one day are two.)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct EventId(String);

impl EventId {
    /// The first name that none of the other events of the series has.
    fn new(series: &str, start: When, others: &[Event]) -> Self {
        let names = (1u64..).map(|number| Self(format!("{series}@{start}#{number}")));
        let is_free = |id: &Self| others.iter().all(|other| other.id != *id);
        names
            .take(others.len() + 1)
            .find(is_free)
            .expect("of one name more than there are events, one is free")
    }

    /// The name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// From its text, as an answer to a message brings it back.
impl From<String> for EventId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Phase {
    /// It has been told, and is as it was.
    Open,
    /// It has been told again, because it became worse.
    Growing,
    /// It has been quiet for long enough, or a person has closed it.
    Closed,
}

/// What one detector has contributed to an event.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Witness {
    /// Which detector.
    pub detector: DetectorKind,
    /// How many of its alarms belong to the event.
    pub n_alarms: u64,
    /// Its alarm with the highest score.
    pub strongest: Alarm,
}

/// One thing that happened, however many points and detectors have noticed it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// Its name, which never changes.
    pub id: EventId,
    /// In which way the series is unusual.
    pub direction: Direction,
    /// The begin of its first point or day.
    pub started_at: Timestamp,
    /// The begin of its last point or day so far.
    pub last_alarm_at: Timestamp,
    /// The first moment of which it is known, or expected without a further alarm, that it is over.
    pub closes_at: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// The highest severity so far.
    pub severity: Severity,
    /// How many alarms it has merged.
    pub n_alarms: u64,
    /// The money at stake of all its points or days together, each counted once; `None` for a series
    /// that is not money.
    pub at_stake: Option<Money>,
    /// Who noticed it, in the order in which they did.
    pub witnesses: Vec<Witness>,
    /// The newest of its points or days: of several detectors' alarms about it, the one of the highest
    /// severity, and then of the most money.
    pub alert: Alert,
    /// What a person said of it.
    pub feedback: Option<Feedback>,
    /// The money at stake before the point or day of the alert.
    settled: Option<Money>,
    /// The money at stake when it was last told.
    told: Option<Money>,
}

/// By what an event became worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Escalation {
    /// Its severity is higher than before.
    Severity,
    /// Its money at stake is the stated factor of what was told last.
    AtStake,
}

/// What an alarm adds to the number of alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Once,
    /// It corrects one that is counted.
    Already,
}

impl Event {
    pub(crate) fn open(alert: Alert, others: &[Self], quiet: SignedDuration) -> Self {
        let alarm = &alert.alarm;
        let start = alarm.when.start();
        Self {
            id: EventId::new(&alarm.series, alarm.when, others),
            direction: alarm.direction,
            started_at: start,
            last_alarm_at: start,
            closes_at: later(alarm.when.end(), quiet),
            phase: Phase::Open,
            severity: alert.severity,
            n_alarms: 1,
            at_stake: alarm.at_stake(),
            witnesses: vec![Witness::new(alarm)],
            feedback: None,
            settled: None,
            told: alarm.at_stake(),
            alert,
        }
    }

    /// Whether it is still going on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Closed
    }

    /// Takes another alarm in, and says whether it became worse by it.
    pub(crate) fn merge(
        &mut self,
        alert: Alert,
        count: Count,
        quiet: SignedDuration,
        growth: f64,
    ) -> Result<Option<Escalation>, MoneyError> {
        // Everything that can fail comes before the first change.
        let (settled, at_stake) = self.with_stake_of(&alert)?;
        let worse = alert.severity > self.severity;
        let alarm = &alert.alarm;
        self.n_alarms += u64::from(count == Count::Once);
        self.hear(alarm, count);
        self.started_at = self.started_at.min(alarm.when.start());
        self.last_alarm_at = self.last_alarm_at.max(alarm.when.start());
        self.closes_at = self.closes_at.max(later(alarm.when.end(), quiet));
        self.severity = self.severity.max(alert.severity);
        if self.direction == Direction::Pattern {
            self.direction = alarm.direction;
        }
        if self.is_replaced_by(&alert) {
            self.replace(alert);
        }
        (self.settled, self.at_stake) = (settled, at_stake);
        let escalation = match worse {
            true => Some(Escalation::Severity),
            false => self.has_grown(growth).then_some(Escalation::AtStake),
        };
        if escalation.is_some() {
            self.phase = Phase::Growing;
            self.told = self.at_stake;
        }
        Ok(escalation)
    }

    /// Whether an alarm belongs to it: its direction does, and no quiet time lies between them.
    pub(crate) fn has_place_for(&self, alarm: &Alarm, quiet: SignedDuration) -> bool {
        let directions = [self.direction, alarm.direction];
        let is_same = self.direction == alarm.direction || directions.contains(&Direction::Pattern);
        is_same
            && alarm.when.start() < self.closes_at
            && later(alarm.when.end(), quiet) > self.started_at
    }

    /// Whether a person has said that there is nothing to do.
    pub(crate) fn dismissal(&self) -> Option<Suppression> {
        match self.feedback {
            Some(Feedback::Expected) => Some(Suppression::Expected),
            Some(Feedback::FalseAlarm) => Some(Suppression::FalseAlarm),
            Some(Feedback::Confirmed) | None => None,
        }
    }

    /// Ends it: nobody has seen more of it in time.
    pub(crate) fn close(&mut self) {
        self.phase = Phase::Closed;
        // Its days are over, and so is what was projected for one of them.
        self.alert.alarm.projection = None;
    }

    /// Ends it with its last point or day, because a person has said so.
    pub(crate) fn dismiss(&mut self, quiet: SignedDuration) {
        let end = self.closes_at.checked_sub(quiet).unwrap_or(self.closes_at);
        self.closes_at = end.max(self.last_alarm_at);
        self.close();
    }

    /// Goes on with an event of which more has become known after it was closed.
    pub(crate) fn reopen(&mut self) {
        self.phase = Phase::Open;
    }

    /// What is settled, and all that is at stake, with this alert taken in.
    fn with_stake_of(&self, alert: &Alert) -> Result<(Option<Money>, Option<Money>), MoneyError> {
        let settled = match alert.alarm.when.start() > self.alert.alarm.when.start() {
            true => self.at_stake,
            false => self.settled,
        };
        let shown = match self.is_replaced_by(alert) {
            true => alert,
            false => &self.alert,
        };
        Ok((settled, sum(settled, shown.alarm.at_stake())?))
    }

    fn is_replaced_by(&self, alert: &Alert) -> bool {
        let (new, old) = (&alert.alarm, &self.alert.alarm);
        match new.when.start().cmp(&old.when.start()) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            // A detector that corrects itself, or one that sees more than the other did.
            std::cmp::Ordering::Equal => {
                new.detector == old.detector
                    || (alert.severity, stake(new)) > (self.alert.severity, stake(old))
            }
        }
    }

    /// Culprits and projection stay until newer ones come.
    fn replace(&mut self, mut alert: Alert) {
        let old = &mut self.alert.alarm;
        if alert.alarm.culprits.is_empty() {
            alert.alarm.culprits = std::mem::take(&mut old.culprits);
        }
        alert.alarm.projection = alert.alarm.projection.or(old.projection);
        self.alert = alert;
    }

    fn hear(&mut self, alarm: &Alarm, count: Count) {
        let of_detector = |witness: &&mut Witness| witness.detector == alarm.detector;
        match self.witnesses.iter_mut().find(of_detector) {
            Some(witness) => witness.hear(alarm, count),
            None => self.witnesses.push(Witness::new(alarm)),
        }
    }

    fn has_grown(&self, growth: f64) -> bool {
        match (self.at_stake, self.told) {
            (Some(now), Some(told)) => {
                now > told && as_statistic(now) >= growth * as_statistic(told)
            }
            _ => false,
        }
    }
}

impl Witness {
    fn new(alarm: &Alarm) -> Self {
        Self {
            detector: alarm.detector,
            n_alarms: 1,
            strongest: alarm.clone(),
        }
    }

    fn hear(&mut self, alarm: &Alarm, count: Count) {
        self.n_alarms += u64::from(count == Count::Once);
        if alarm.score > self.strongest.score {
            self.strongest = alarm.clone();
        }
    }
}

fn stake(alarm: &Alarm) -> f64 {
    alarm.at_stake().map_or(0.0, as_statistic)
}

fn sum(settled: Option<Money>, more: Option<Money>) -> Result<Option<Money>, MoneyError> {
    match (settled, more) {
        (Some(settled), Some(more)) => settled.checked_add(more).map(Some),
        (settled, more) => Ok(settled.or(more)),
    }
}

/// A moment later by this; the last that a timestamp reaches stands for later ones.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
