//! How have the models done so far: calls, errors, cost, latency, cache hits?

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bursar_units::{Money, MoneyError};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;
use crate::name::ModelId;

/// What is to be counted of one call that is over.
#[derive(Debug, Clone, Copy)]
pub struct CallRecord<'a> {
    /// The model that was called.
    pub model: &'a ModelId,
    /// How it went.
    pub outcome: CallOutcome,
}

/// How a lookup or a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// The response cache had the answer.
    CacheHit {
        /// What the call would have cost, if it is known.
        saved: Option<Money>,
    },
    /// The model answered.
    Answered {
        /// From the request to the end of the answer.
        latency: Duration,
        /// What it cost; `None` if a price is not known.
        cost: Option<Money>,
        /// Whether the response cache was asked first.
        after_cache_miss: bool,
    },
    /// The call failed.
    Failed {
        /// What it cost all the same; `None` if that is not known.
        cost: Option<Money>,
        /// Whether the response cache was asked first.
        after_cache_miss: bool,
    },
}

/// What was counted of one model, in bounded memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelStatistics {
    calls: u64,
    errors: u64,
    cache_lookups: u64,
    cache_hits: u64,
    unpriced: u64,
    cost: Option<Money>,
    saved: Option<Money>,
    latency_sum: Duration,
    latency: Histogram,
}

impl ModelStatistics {
    /// The calls that were made, whether they failed or not; hits of the cache are no calls.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// The calls that failed.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// The share of the calls that failed; `None` before the first.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        share(self.errors, self.calls)
    }

    /// How often the response cache was asked for an answer of this model.
    #[must_use]
    pub const fn cache_lookups(&self) -> u64 {
        self.cache_lookups
    }

    /// How often it had one.
    #[must_use]
    pub const fn cache_hits(&self) -> u64 {
        self.cache_hits
    }

    /// The share of all lookups that the cache answered; `None` before the first.
    #[must_use]
    pub fn cache_hit_rate(&self) -> Option<f64> {
        share(self.cache_hits, self.cache_lookups)
    }

    /// The sum of the costs that are known; `None` if there is none.
    #[must_use]
    pub const fn cost(&self) -> Option<Money> {
        self.cost
    }

    /// The calls whose cost is not known, which [`cost`](Self::cost) leaves out.
    #[must_use]
    pub const fn unpriced(&self) -> u64 {
        self.unpriced
    }

    /// What hits of the cache saved, as far as it is known.
    #[must_use]
    pub const fn saved(&self) -> Option<Money> {
        self.saved
    }

    /// The average cost of the calls whose cost is known, rounded half to even to 28 digits; `None` if
    /// there is none.
    #[must_use]
    pub fn cost_per_call(&self) -> Option<Money> {
        let priced = self.calls.saturating_sub(self.unpriced);
        self.cost?.checked_div(Decimal::from(priced)).ok()
    }

    /// The mean latency of the answers; `None` before the first.
    #[must_use]
    pub fn mean_latency(&self) -> Option<Duration> {
        let nanoseconds = self
            .latency_sum
            .as_nanos()
            .checked_div(self.latency.count().into())?;
        u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
    }

    /// The latency that this share of the answers keeps to, within 1.6 %; `None` before the first.
    #[must_use]
    pub fn latency(&self, share: f64) -> Option<Duration> {
        self.latency.quantile(share).map(Duration::from_micros)
    }

    /// How many answers the latencies are of.
    #[must_use]
    pub const fn answers(&self) -> u64 {
        self.latency.count()
    }

    fn add(&mut self, outcome: CallOutcome) -> Result<(), MoneyError> {
        match outcome {
            CallOutcome::CacheHit { saved } => {
                let total = sum(self.saved, saved)?;
                self.saved = total;
                self.cache_lookups = self.cache_lookups.saturating_add(1);
                self.cache_hits = self.cache_hits.saturating_add(1);
            }
            CallOutcome::Answered {
                latency,
                cost,
                after_cache_miss,
            } => {
                self.call(cost, after_cache_miss)?;
                self.latency_sum = self.latency_sum.saturating_add(latency);
                let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
                self.latency.record(microseconds);
            }
            CallOutcome::Failed {
                cost,
                after_cache_miss,
            } => {
                self.call(cost, after_cache_miss)?;
                self.errors = self.errors.saturating_add(1);
            }
        }
        Ok(())
    }

    fn call(&mut self, cost: Option<Money>, after_cache_miss: bool) -> Result<(), MoneyError> {
        self.cost = sum(self.cost, cost)?;
        self.unpriced = self.unpriced.saturating_add(u64::from(cost.is_none()));
        self.calls = self.calls.saturating_add(1);
        let lookups = u64::from(after_cache_miss);
        self.cache_lookups = self.cache_lookups.saturating_add(lookups);
        Ok(())
    }
}

/// What was counted of all models since a moment.
///
/// ```
/// use std::time::Duration;
/// use bursar_model_router::{CallOutcome, CallRecord, ModelId, Statistics};
/// use jiff::{SignedDuration, Timestamp};
///
/// let begin = Timestamp::from_second(1_800_000_000)?;
/// let nova = ModelId::new("amazon.nova-lite-v1:0")?;
/// let mut statistics = Statistics::since(begin);
/// statistics.record(&CallRecord {
///     model: &nova,
///     outcome: CallOutcome::Answered {
///         latency: Duration::from_millis(900),
///         cost: Some("0.0012 USD".parse()?),
///         after_cache_miss: true,
///     },
/// })?;
/// let saved = Some("0.0012 USD".parse()?);
/// statistics.record(&CallRecord { model: &nova, outcome: CallOutcome::CacheHit { saved } })?;
///
/// let of_nova = statistics.model(&nova).ok_or("counted above")?;
/// assert_eq!(of_nova.cache_hit_rate(), Some(0.5));
/// // Two hours at this pace make 30 days of 0.432 USD.
/// let now = begin + SignedDuration::from_hours(2);
/// assert_eq!(statistics.projected_monthly_cost(now), Some("0.432 USD".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    since: Timestamp,
    models: BTreeMap<ModelId, ModelStatistics>,
}

/// The month of a projection, in seconds: 30 days.
const MONTH: i64 = 30 * 24 * 60 * 60;

impl Statistics {
    /// Nothing yet, from this moment on.
    #[must_use]
    pub const fn since(begin: Timestamp) -> Self {
        Self {
            since: begin,
            models: BTreeMap::new(),
        }
    }

    /// Counts a lookup or a call.
    ///
    /// # Errors
    /// [`MoneyError`] if the amount is of another currency than those before it, or the sum has too many
    /// digits; then nothing of it is counted.
    pub fn record(&mut self, call: &CallRecord<'_>) -> Result<(), MoneyError> {
        if let Some(statistics) = self.models.get_mut(call.model.as_str()) {
            return statistics.add(call.outcome);
        }
        let mut statistics = ModelStatistics::default();
        statistics.add(call.outcome)?;
        self.models.insert(call.model.clone(), statistics);
        Ok(())
    }

    /// What was counted of a model.
    #[must_use]
    pub fn model(&self, model: &ModelId) -> Option<&ModelStatistics> {
        self.models.get(model.as_str())
    }

    /// All models that were counted, by name.
    pub fn models(&self) -> impl Iterator<Item = (&ModelId, &ModelStatistics)> {
        self.models.iter()
    }

    /// Since when it is counted.
    #[must_use]
    pub const fn begin(&self) -> Timestamp {
        self.since
    }

    /// The cost of all models; `None` if no cost is known, and if they are of several currencies.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        let mut costs = self.models.values().filter_map(ModelStatistics::cost);
        let first = costs.next()?;
        costs.try_fold(first, |sum, cost| sum.checked_add(cost).ok())
    }

    /// The cost of 30 days at the pace from the beginning to now; `None` as long as no time has passed
    /// or no cost is known.
    #[must_use]
    pub fn projected_monthly_cost(&self, now: Timestamp) -> Option<Money> {
        let elapsed = now.duration_since(self.since).as_millis();
        let elapsed = i64::try_from(elapsed).ok().filter(|it| *it > 0)?;
        let month = Decimal::from(MONTH).checked_mul(Decimal::from(1_000))?;
        let factor = month.checked_div(Decimal::from(elapsed))?;
        self.cost()?.checked_mul(factor).ok()
    }
}

/// A table of the models, a line each.
impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<44} {:>8} {:>7} {:>8} {:>8} {:>8} {:>6} {:>16}",
            "model", "calls", "errors", "p50 ms", "p95 ms", "p99 ms", "hits", "cost"
        )?;
        for (id, it) in &self.models {
            let quantile = |share| or_dash(it.latency(share).map(|it| it.as_millis().to_string()));
            let hits = or_dash(it.cache_hit_rate().map(|it| format!("{:.0}%", it * 100.0)));
            let cost = or_dash(it.cost().map(|it| it.to_string()));
            writeln!(
                f,
                "{:<44} {:>8} {:>7} {:>8} {:>8} {:>8} {hits:>6} {cost:>16}",
                id.as_str(),
                it.calls,
                it.errors,
                quantile(0.5),
                quantile(0.95),
                quantile(0.99),
            )?;
        }
        Ok(())
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share of counts, not an amount"
)]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The sum of what is known.
fn sum(total: Option<Money>, amount: Option<Money>) -> Result<Option<Money>, MoneyError> {
    match (total, amount) {
        (Some(total), Some(amount)) => total.checked_add(amount).map(Some),
        (total, amount) => Ok(total.or(amount)),
    }
}
