//! Was each promise kept?

use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

use super::meter::{SlaMeter, Window};
use super::terms::{LatencyPromise, Share, SlaTerms};

/// Whether requests were answered as promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AvailabilityVerdict {
    /// The promise was kept.
    Kept,
    /// The promise was broken.
    Broken,
    /// There were too few requests to say.
    TooFewRequests {
        /// How many there were.
        have: u64,
        /// How many a verdict needs.
        need: u64,
    },
}

/// Whether answers came as fast as promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LatencyVerdict {
    /// Nothing was promised.
    NotPromised,
    /// The promise was kept.
    Kept,
    /// The promise was broken.
    Broken,
    /// Too few answers were measured by the promise's clock to say.
    TooFewAnswers {
        /// How many were measured.
        have: u64,
        /// How many a verdict needs.
        need: u64,
    },
}

/// A period beside its promise, with every number that the verdicts rest on.
///
/// ```
/// use bursar_pricing::{Tier, sla::{AvailabilityVerdict, Event, Outcome, SlaMeter, SlaTerms, Window}};
/// use std::time::Duration;
///
/// let terms = SlaTerms::of_tier(&Tier::Growth).ok_or("a standard tier")?;
/// let start = "2026-11-01T00:00:00Z".parse()?;
/// let mut meter = SlaMeter::new(terms, Window::new(start, "2026-12-01T00:00:00Z".parse()?)?);
/// for second in 0..2_000_i64 {
///     let failed = second % 500 == 0;
///     meter.record(&Event {
///         at: start + Duration::from_secs(second.unsigned_abs()),
///         outcome: if failed { Outcome::Failed } else { Outcome::Answered },
///         time_to_first_token: Some(Duration::from_millis(300)),
///         whole_answer: None,
///     })?;
/// }
/// let report = meter.report();
/// assert_eq!(report.availability, AvailabilityVerdict::Broken); // 99.8 % of a promised 99.9 %
/// assert_eq!((report.valid, report.failed, report.downtime_minutes), (2_000, 4, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct SlaReport {
    /// The period.
    pub period: Window,
    /// What was promised.
    pub terms: SlaTerms,
    /// Requests that count: answered or failed, outside maintenance, not the caller's fault.
    pub valid: u64,
    /// Those of them that were not answered: the affected requests.
    pub failed: u64,
    /// Requests left out as the caller's own fault.
    pub caller_errors: u64,
    /// Requests left out because they fell into announced maintenance.
    pub in_maintenance: u64,
    /// Answers measured by the promise's clock.
    pub timed: u64,
    /// Those of them that came in time.
    pub in_time: u64,
    /// Minutes in which requests came and none was answered.
    pub downtime_minutes: u64,
    /// The verdict on availability.
    pub availability: AvailabilityVerdict,
    /// The verdict on latency.
    pub latency: LatencyVerdict,
}

impl SlaReport {
    /// The part of valid requests that was answered, to six places; unknown without any.
    ///
    /// It is for people: the verdict compares whole numbers.
    #[must_use]
    pub fn measured_availability(&self) -> Option<Decimal> {
        let answered = Decimal::from(self.valid.saturating_sub(self.failed));
        let measured = answered.checked_div(Decimal::from(self.valid))?;
        Some(measured.round_dp_with_strategy(6, rust_decimal::RoundingStrategy::ToZero))
    }
}

impl SlaMeter {
    /// Compares what was counted with what was promised.
    pub fn report(&self) -> SlaReport {
        SlaReport {
            period: self.period(),
            terms: *self.terms(),
            valid: self.valid(),
            failed: self.failed(),
            caller_errors: self.caller_errors(),
            in_maintenance: self.in_maintenance(),
            timed: self.timed(),
            in_time: self.in_time(),
            downtime_minutes: self.downtime_minutes(),
            availability: self.availability(),
            latency: self.latency(),
        }
    }

    fn availability(&self) -> AvailabilityVerdict {
        let (have, need) = (self.valid(), self.terms().minimum_requests);
        if have < need {
            return AvailabilityVerdict::TooFewRequests { have, need };
        }
        if self
            .terms()
            .availability
            .is_reached_by(self.answered(), have)
        {
            return AvailabilityVerdict::Kept;
        }
        AvailabilityVerdict::Broken
    }

    fn latency(&self) -> LatencyVerdict {
        let Some(LatencyPromise { percentile, .. }) = self.terms().latency else {
            return LatencyVerdict::NotPromised;
        };
        let (have, need) = (self.timed(), self.terms().minimum_requests);
        if have < need {
            return LatencyVerdict::TooFewAnswers { have, need };
        }
        if percentile.is_reached_by(self.in_time(), have) {
            return LatencyVerdict::Kept;
        }
        LatencyVerdict::Broken
    }
}

/// The report as a person reads it, a line each.
impl fmt::Display for SlaReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let promised = self.terms.availability;
        match (self.availability, self.measured_availability()) {
            (AvailabilityVerdict::TooFewRequests { have, need }, _) => {
                writeln!(
                    formatter,
                    "availability: no verdict on {have} requests of at least {need}"
                )?;
            }
            (verdict, measured) => {
                let measured = measured
                    .and_then(|share| Share::new(share).ok())
                    .unwrap_or(Share::NONE);
                let word = if verdict == AvailabilityVerdict::Kept {
                    "kept"
                } else {
                    "broken"
                };
                writeln!(
                    formatter,
                    "availability: {word}, {measured} of a promised {promised} ({} of {} requests failed, {} minutes down)",
                    self.failed, self.valid, self.downtime_minutes,
                )?;
            }
        }
        self.write_latency(formatter)
    }
}

impl SlaReport {
    fn write_latency(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(LatencyPromise {
            percentile, within, ..
        }) = self.terms.latency
        else {
            return Ok(());
        };
        let word = match self.latency {
            LatencyVerdict::Kept => "kept",
            LatencyVerdict::Broken => "broken",
            LatencyVerdict::TooFewAnswers { have, need } => {
                return write!(
                    formatter,
                    "latency: no verdict on {have} answers of at least {need}"
                );
            }
            LatencyVerdict::NotPromised => return Ok(()),
        };
        write!(
            formatter,
            "latency: {word}, {} of {} answers within {} ms, promised for {percentile}",
            self.in_time,
            self.timed,
            Duration::as_millis(&within),
        )
    }
}
