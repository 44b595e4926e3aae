//! What happened in the period?

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::terms::{LatencyClock, LatencyPromise, SlaError, SlaTerms};

/// From `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// A window that is not empty.
    ///
    /// # Errors
    /// [`SlaError::EmptyWindow`].
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, SlaError> {
        if start < end {
            return Ok(Self { start, end });
        }
        Err(SlaError::EmptyWindow { start, end })
    }

    /// Where it begins.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// Where it ends, no longer a part of it.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// How a request ended, as far as the promise is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// It should have been answered and was not: 5xx, a time-out, a broken stream.
    Failed,
    /// The caller's own fault: 4xx, or 429 beyond what was bought. It counts for nothing.
    CallerError,
}

/// One request and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// When it arrived.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// How long the first token took, where it was measured.
    pub time_to_first_token: Option<Duration>,
    /// How long the whole answer took, where it was measured.
    pub whole_answer: Option<Duration>,
}

/// Counts the requests of one tenant in one period. Memory grows with the minutes of the period in
/// which requests came (at most 24 bytes each, a megabyte a month), not with the requests.
///
/// ```
/// use bursar_pricing::{Tier, sla::{Event, Outcome, SlaMeter, SlaTerms, Window}};
///
/// let terms = SlaTerms::of_tier(&Tier::Growth).ok_or("a standard tier")?;
/// let november = Window::new("2026-11-01T00:00:00Z".parse()?, "2026-12-01T00:00:00Z".parse()?)?;
/// let mut meter = SlaMeter::new(terms, november);
/// meter.record(&Event {
///     at: "2026-11-20T12:00:00Z".parse()?,
///     outcome: Outcome::Failed,
///     time_to_first_token: None,
///     whole_answer: None,
/// })?;
/// assert_eq!(meter.failed(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SlaMeter {
    terms: SlaTerms,
    period: Window,
    excluded: Vec<Window>,
    answered: u64,
    failed: u64,
    caller_errors: u64,
    in_maintenance: u64,
    timed: u64,
    in_time: u64,
    minutes: BTreeMap<i64, Minute>,
}

/// The valid requests of a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Minute {
    answered: u64,
    failed: u64,
}

const SECONDS_OF_A_MINUTE: i64 = 60;

impl SlaMeter {
    /// Counts for these terms in this period.
    #[must_use]
    pub const fn new(terms: SlaTerms, period: Window) -> Self {
        Self {
            terms,
            period,
            excluded: Vec::new(),
            answered: 0,
            failed: 0,
            caller_errors: 0,
            in_maintenance: 0,
            timed: 0,
            in_time: 0,
            minutes: BTreeMap::new(),
        }
    }

    /// The same, with windows of announced maintenance, in which nothing counts.
    #[must_use]
    pub fn excluding(mut self, windows: impl IntoIterator<Item = Window>) -> Self {
        self.excluded.extend(windows);
        self
    }

    /// Counts a request. They may come in any order.
    ///
    /// # Errors
    /// [`SlaError::OutsidePeriod`]; [`SlaError::TooManyEvents`]. Nothing is counted then.
    pub fn record(&mut self, event: &Event) -> Result<(), SlaError> {
        if !self.period.contains(event.at) {
            return Err(SlaError::OutsidePeriod {
                at: event.at,
                start: self.period.start,
                end: self.period.end,
            });
        }
        if self.excluded.iter().any(|window| window.contains(event.at)) {
            return count(&mut self.in_maintenance);
        }
        match event.outcome {
            Outcome::CallerError => count(&mut self.caller_errors),
            Outcome::Failed => self.record_failure(event),
            Outcome::Answered => self.record_answer(event),
        }
    }

    fn record_failure(&mut self, event: &Event) -> Result<(), SlaError> {
        count(&mut self.failed)?;
        count(&mut self.minute(event).failed)
    }

    fn record_answer(&mut self, event: &Event) -> Result<(), SlaError> {
        count(&mut self.answered)?;
        count(&mut self.minute(event).answered)?;
        let promise = self.terms.latency;
        if let Some((promise, latency)) = promise.zip(promise.and_then(|it| event.latency(it))) {
            count(&mut self.timed)?;
            if latency <= promise.within {
                count(&mut self.in_time)?;
            }
        }
        Ok(())
    }

    fn minute(&mut self, event: &Event) -> &mut Minute {
        let minute = event.at.as_second().div_euclid(SECONDS_OF_A_MINUTE);
        self.minutes.entry(minute).or_default()
    }

    /// The terms that it counts for.
    #[must_use]
    pub const fn terms(&self) -> &SlaTerms {
        &self.terms
    }

    /// The period that it counts in.
    #[must_use]
    pub const fn period(&self) -> Window {
        self.period
    }

    /// Requests that were answered, outside maintenance.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.answered
    }

    /// Requests that should have been answered and were not, outside maintenance.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// Requests that count: answered or failed.
    #[must_use]
    pub const fn valid(&self) -> u64 {
        self.answered.saturating_add(self.failed)
    }

    /// Requests that were the caller's own fault.
    #[must_use]
    pub const fn caller_errors(&self) -> u64 {
        self.caller_errors
    }

    /// Requests in windows of announced maintenance.
    #[must_use]
    pub const fn in_maintenance(&self) -> u64 {
        self.in_maintenance
    }

    /// Answers whose latency was measured by the promise's clock.
    #[must_use]
    pub const fn timed(&self) -> u64 {
        self.timed
    }

    /// Those of them that came in time.
    #[must_use]
    pub const fn in_time(&self) -> u64 {
        self.in_time
    }

    /// The minutes in which requests came and none was answered.
    #[must_use]
    pub fn downtime_minutes(&self) -> u64 {
        let down = self
            .minutes
            .values()
            .filter(|minute| minute.answered == 0 && minute.failed > 0);
        down.count() as u64
    }
}

impl Event {
    fn latency(&self, promise: LatencyPromise) -> Option<Duration> {
        match promise.clock {
            LatencyClock::TimeToFirstToken => self.time_to_first_token,
            LatencyClock::WholeAnswer => self.whole_answer,
        }
    }
}

fn count(counter: &mut u64) -> Result<(), SlaError> {
    *counter = counter.checked_add(1).ok_or(SlaError::TooManyEvents)?;
    Ok(())
}
