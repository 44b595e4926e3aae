//! How are limits written in a configuration file? Limits as text that a person reviews.
//!
//! ```
//! use bursar_ratelimit::{Limits, Request, Unit};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Gateway {
//!     limits: Limits,
//! }
//!
//! let gateway: Gateway = toml::from_str(r#"
//!     [[limits]]
//!     name = "tenant"
//!     dimension = "tenant"
//!     unit = "requests"
//!     quota.rate = { limit = 10_000, period = "60s", burst = 1_500 }
//!     tiers.enterprise.rate = { limit = 100_000, period = "60s" }
//!     keys.load-test.rate = { limit = 10, period = "1s" }
//!
//!     [[limits]]
//!     name = "answers"
//!     dimension = "api-key"
//!     unit = "output-tokens"
//!     quota.sliding-window = { limit = 1_000_000, window = "1d", slices = 1_440 }
//!     optional = true
//!     shadow = true
//!     near-percent = 90
//!
//!     [[limits]]
//!     name = "in-flight"
//!     dimension = "api-key"
//!     unit = "concurrent-requests"
//!     quota.concurrency = { limit = 20, expiry = "10m" }
//!     on-failure.local = { instances = 3 }
//!
//!     [[limits]]
//!     name = "spend"
//!     dimension = "tenant"
//!     unit = "micro-usd"
//!     quota.budget = { amount = 250_000_000, expiry = "15m", expired = "spent" }
//!     on-failure = "open"
//! "#)?;
//! assert_eq!(gateway.limits.as_slice().len(), 4);
//!
//! let request = Request::new().tenant("acme").api_key("key-17").cost(Unit::MICRO_USD, 1_200);
//! assert_eq!(gateway.limits.resolve(&request)?.as_slice().len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A set is a list, so that limits keep their order. Every limit has a `name`, a `dimension`, a `unit`
//! and a `quota` of exactly one kind:
//!
//! | quota | fields |
//! |---|---|
//! | `rate` | `limit`, `period`, `burst` (the limit unless said otherwise) |
//! | `sliding-window` | `limit`, `window`, `slices` (exact to the nanosecond without) |
//! | `concurrency` | `limit`, `expiry` |
//! | `budget` | `amount`, `expiry`, `expired`: `"spent"` (unless said otherwise) or `"returned"` |
//!
//! `tiers` and `keys` give other quotas by name. `shadow` and `optional` are false, `on-failure` is
//! `"closed"` and `near-percent` 80 unless said otherwise. Durations are text as [`jiff`] reads it:
//! `60s`, `1h 30m`, `250ms`, `1d` (24 hours), or ISO 8601. Fields that are not known are an error.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::fmt::friendly::SpanPrinter;
use jiff::{Span, SpanRelativeTo};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limit::{Absence, Enforcement, Limit, OnFailure};
use crate::limits::Limits;
use crate::name::{Dimension, Unit};
use crate::quota::{Budget, Concurrency, Expired, Quota, QuotaError, Rate, SlidingWindow};

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.as_slice())
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<Limit>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        LimitText::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = LimitText::deserialize(deserializer)?;
        Self::try_from(text).map_err(D::Error::custom)
    }
}

/// A limit as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimitText {
    name: String,
    dimension: String,
    unit: String,
    quota: QuotaText,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tiers: BTreeMap<String, QuotaText>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<String, QuotaText>,
    #[serde(default, skip_serializing_if = "is_false")]
    shadow: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
    #[serde(default, skip_serializing_if = "is_closed")]
    on_failure: OnFailureText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    near_percent: Option<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum QuotaText {
    Rate(RateText),
    SlidingWindow(SlidingWindowText),
    Concurrency(ConcurrencyText),
    Budget(BudgetText),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateText {
    limit: u64,
    period: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    burst: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlidingWindowText {
    limit: u64,
    window: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slices: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConcurrencyText {
    limit: u64,
    expiry: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetText {
    amount: u64,
    expiry: String,
    #[serde(default)]
    expired: ExpiredText,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ExpiredText {
    #[default]
    Spent,
    Returned,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum OnFailureText {
    Open,
    #[default]
    Closed,
    Local {
        instances: u32,
    },
}

const NEAR_PERCENT: u8 = 80;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_closed(policy: &OnFailureText) -> bool {
    matches!(policy, OnFailureText::Closed)
}

/// What is wrong in a limit, and where.
struct Mistake {
    limit: String,
    field: String,
    reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            limit,
            field,
            reason,
        } = self;
        write!(formatter, "limit `{limit}`, {field}: {reason}")
    }
}

impl TryFrom<LimitText> for Limit {
    type Error = Mistake;

    fn try_from(text: LimitText) -> Result<Self, Mistake> {
        let name = text.name;
        let mistake = |field: &str, reason: &dyn fmt::Display| Mistake {
            limit: name.clone(),
            field: field.to_owned(),
            reason: reason.to_string(),
        };
        let dimension = Dimension::new(&text.dimension);
        let dimension = dimension.map_err(|error| mistake("dimension", &error))?;
        let unit = Unit::new(&text.unit).map_err(|error| mistake("unit", &error))?;
        let quota = |field: &str, text: &QuotaText| {
            text.quota()
                .map_err(|(inner, reason)| mistake(&format!("{field}.{inner}"), &reason))
        };
        let mut limit = Self::new(&*name, dimension, unit, quota("quota", &text.quota)?);
        for (tier, text) in &text.tiers {
            limit = limit.tier(&**tier, quota(&format!("tiers.{tier}"), text)?);
        }
        for (key, text) in &text.keys {
            limit = limit.key(&**key, quota(&format!("keys.{key}"), text)?);
        }
        if text.shadow {
            limit = limit.shadow();
        }
        if text.optional {
            limit = limit.optional();
        }
        limit = limit.near_percent(text.near_percent.unwrap_or(NEAR_PERCENT));
        Ok(limit.on_failure(match text.on_failure {
            OnFailureText::Open => OnFailure::Open,
            OnFailureText::Closed => OnFailure::Closed,
            OnFailureText::Local { instances } => OnFailure::Local { instances },
        }))
    }
}

/// The field, and what is wrong with it.
type Wrong = (&'static str, String);

impl QuotaText {
    fn quota(&self) -> Result<Quota, Wrong> {
        Ok(match self {
            Self::Rate(text) => {
                let period = duration("rate.period", &text.period)?;
                let field = if text.limit == 0 {
                    "rate.limit"
                } else {
                    "rate.period"
                };
                let rate = Rate::new(text.limit, period).map_err(in_field(field))?;
                let burst = text.burst.unwrap_or(text.limit);
                rate.burst(burst).map_err(in_field("rate.burst"))?.into()
            }
            Self::SlidingWindow(text) => {
                let length = duration("sliding-window.window", &text.window)?;
                let field = if text.limit == 0 {
                    "sliding-window.limit"
                } else {
                    "sliding-window.window"
                };
                let window = SlidingWindow::new(text.limit, length).map_err(in_field(field))?;
                match text.slices {
                    Some(slices) => window
                        .slices(slices)
                        .map_err(in_field("sliding-window.slices"))?
                        .into(),
                    None => window.into(),
                }
            }
            Self::Concurrency(text) => {
                let expiry = duration("concurrency.expiry", &text.expiry)?;
                let field = if text.limit == 0 {
                    "concurrency.limit"
                } else {
                    "concurrency.expiry"
                };
                let concurrency = Concurrency::new(text.limit, expiry);
                concurrency.map_err(in_field(field))?.into()
            }
            Self::Budget(text) => {
                let expiry = duration("budget.expiry", &text.expiry)?;
                let field = if text.amount == 0 {
                    "budget.amount"
                } else {
                    "budget.expiry"
                };
                let budget = Budget::new(text.amount, expiry).map_err(in_field(field))?;
                budget.on_expiry(text.expired.into()).into()
            }
        })
    }
}

fn in_field(field: &'static str) -> impl Fn(QuotaError) -> Wrong {
    move |error| (field, error.to_string())
}

fn duration(field: &'static str, text: &str) -> Result<Duration, Wrong> {
    let span: Span = text.parse().map_err(|error: jiff::Error| {
        let reason = format!("`{text}` is not a duration such as `60s` or `1h 30m` ({error})");
        (field, reason)
    })?;
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours());
    let signed = signed.map_err(|_| {
        let reason = format!("`{text}` has no fixed length; give weeks, days or less");
        (field, reason)
    })?;
    Duration::try_from(signed).map_err(|_| {
        let reason = format!("`{text}` is less than nothing; give a time to come");
        (field, reason)
    })
}

fn text_of(duration: Duration) -> String {
    SpanPrinter::new().unsigned_duration_to_string(&duration)
}

impl From<&Limit> for LimitText {
    fn from(limit: &Limit) -> Self {
        let quotas = |quotas: &mut dyn Iterator<Item = (&str, &Quota)>| {
            quotas
                .map(|(name, quota)| (name.to_owned(), quota.into()))
                .collect()
        };
        let near_percent = limit.near_threshold();
        Self {
            name: limit.name().to_owned(),
            dimension: limit.dimension().to_string(),
            unit: limit.unit().to_string(),
            quota: limit.quota().into(),
            tiers: quotas(&mut limit.tiers()),
            keys: quotas(&mut limit.keys()),
            shadow: limit.enforcement() == Enforcement::Shadow,
            optional: limit.absence() == Absence::Skip,
            on_failure: match limit.failure_policy() {
                OnFailure::Open => OnFailureText::Open,
                OnFailure::Closed => OnFailureText::Closed,
                OnFailure::Local { instances } => OnFailureText::Local { instances },
            },
            near_percent: (near_percent != NEAR_PERCENT).then_some(near_percent),
        }
    }
}

impl From<&Quota> for QuotaText {
    fn from(quota: &Quota) -> Self {
        match quota {
            Quota::Rate(rate) => Self::Rate(RateText {
                limit: rate.limit(),
                period: text_of(rate.period()),
                burst: (rate.burst_size() != rate.limit()).then_some(rate.burst_size()),
            }),
            Quota::SlidingWindow(window) => Self::SlidingWindow(SlidingWindowText {
                limit: window.limit(),
                window: text_of(window.window()),
                slices: slices_of(window),
            }),
            Quota::Concurrency(concurrency) => Self::Concurrency(ConcurrencyText {
                limit: concurrency.limit(),
                expiry: text_of(concurrency.expiry()),
            }),
            Quota::Budget(budget) => Self::Budget(BudgetText {
                amount: budget.amount(),
                expiry: text_of(budget.expiry()),
                expired: budget.expired().into(),
            }),
        }
    }
}

/// The least number of slices that makes slices of this length; `None` if they are of a nanosecond.
fn slices_of(window: &SlidingWindow) -> Option<u32> {
    let (length, slice) = (window.window().as_nanos(), window.slice().as_nanos());
    match slice {
        0 | 1 => None,
        _ => u32::try_from(length.div_ceil(slice)).ok(),
    }
}

impl From<ExpiredText> for Expired {
    fn from(text: ExpiredText) -> Self {
        match text {
            ExpiredText::Spent => Self::Spent,
            ExpiredText::Returned => Self::Returned,
        }
    }
}

impl From<Expired> for ExpiredText {
    fn from(expired: Expired) -> Self {
        match expired {
            Expired::Spent => Self::Spent,
            Expired::Returned => Self::Returned,
        }
    }
}
