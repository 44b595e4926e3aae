//! How is a decision told to a client over HTTP? Header fields and problem details, as text.
//!
//! [`FieldSet`] writes the header fields of a response, [`Problem`] the body of a refusal. Names and
//! values are plain text, so they suit any HTTP library; `bursar-tower` applies them as a layer.
//!
//! ```
//! use bursar_ratelimit::http::FieldSet;
//! use bursar_ratelimit::{Dimension, Limit, Limits, MemoryStore, Rate, Request, Timestamp, Unit};
//!
//! let limits = Limits::new([Limit::new(
//!     "tenant",
//!     Dimension::TENANT,
//!     Unit::REQUESTS,
//!     Rate::per_minute(30)?,
//! )])?;
//! let store = MemoryStore::default();
//! let charges = limits.resolve(&Request::new().tenant("acme"))?;
//! let decision = store.check(&charges, Timestamp::from_secs(1))?;
//!
//! let mut head = Vec::new();
//! FieldSet::default().for_each(&decision, |name, value| head.push(format!("{name}: {value}")));
//! assert_eq!(head[..2], [
//!     r#"ratelimit-policy: "tenant";q=30;w=60"#,
//!     r#"ratelimit: "tenant";r=29;t=2"#,
//! ]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The fields
//!
//! | field | value |
//! |---|---|
//! | `ratelimit-policy` | every limit: its quota `q`, the window `w` in seconds, and what is counted |
//! | `ratelimit` | every limit: what remains, `r`, and the seconds until more is there, `t` |
//! | `retry-after` | seconds to wait; only on refusals that waiting can cure |
//! | `x-ratelimit-limit`, `-remaining`, `-reset` | the limit that refused, or else the tightest |
//! | `x-ratelimit-limit-requests`, `…-tokens` and so on | the same for requests and for tokens, as APIs of language models send them |
//! | `retry-after-ms` | the wait in milliseconds, which clients of such APIs prefer |
//! | `x-should-retry` | `false` where waiting cannot help, which such clients obey |
//!
//! `RateLimit` and `RateLimit-Policy` follow draft-ietf-httpapi-ratelimit-headers-10, Lists of
//! Structured Fields (RFC 9651). Where it leaves a choice:
//!
//! - **`q` and `w`** are a rate's limit and its period. A period that is not of whole seconds is
//!   rounded up and the limit converted to it, rounded down; a window is only rounded up. Where the
//!   burst is not `q`, it follows as `bursar-burst`. What does not free itself with time
//!   (concurrent calls, budgets) has no `w`.
//! - **`qu`** says what is counted. The registry knows `requests` (left out, being the default),
//!   `content-bytes` and `concurrent-requests`; anything else, tokens too, is named in a parameter of
//!   our own, `bursar-unit`, as the draft asks of such.
//! - **`t`** is the draft's "seconds until additional quota is made available", rounded up. After an
//!   allowed request that is the time until one more unit fits (for a sliding window, which frees
//!   itself unevenly, the time until all of it is free). After a refusal it is the time until this
//!   request fits, and stands only at the limits that refused, so `Retry-After` is never earlier than
//!   any `t`, which the draft asks for. A full bucket gains nothing, and a stock does so at no time
//!   that can be named: both leave `t` out.
//! - **`r`** is rounded down.
//! - **`pk`**, the partition key, appears only if [`FieldSet::partition_seed`] is set.
//!
//! `x-ratelimit-reset` is in seconds from now, rounded up, until the quota is whole again;
//! `x-ratelimit-reset-requests` and `-tokens` are the same time as `20ms`, `8.64s` or `6m0s`.
//! Concurrent calls end when they end: the expiry of their holds, for calls whose owner has died, is
//! no time to name to a client.

mod problem;
mod value;

use std::hash::BuildHasher as _;
use std::time::Duration;

use foldhash::quality::FixedState;

use crate::decision::{Decision, Level, RetryAfter, Status};
use crate::name::Unit;
use crate::quota::Quota;

pub use self::problem::{PROBLEM_JSON, Problem, QUOTA_EXCEEDED, TEMPORARY_REDUCED_CAPACITY};
use self::value::{Value, whole_millis, whole_seconds};

/// Which header fields tell a decision. All but partition keys and shadow limits, unless said
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSet {
    /// `RateLimit-Policy` and `RateLimit`.
    pub standard: bool,
    /// `x-ratelimit-limit`, `x-ratelimit-remaining` and `x-ratelimit-reset`.
    pub classic: bool,
    /// What clients of language models read: `x-ratelimit-limit-requests`, `-tokens` and so on,
    /// `retry-after-ms` and `x-should-retry`.
    pub model: bool,
    /// Whether limits in shadow mode appear in `RateLimit-Policy` and `RateLimit`.
    pub shadow: bool,
    /// Tells which partition of the quota a request was counted in, as the parameter `pk`: 64 bits
    /// made of this seed and the key. They tell partitions apart without showing the key, but are no
    /// cryptographic hash; take a random seed. Limits of a single key have no `pk`.
    pub partition_seed: Option<u64>,
}

impl Default for FieldSet {
    fn default() -> Self {
        Self {
            standard: true,
            classic: true,
            model: true,
            shadow: false,
            partition_seed: None,
        }
    }
}

impl FieldSet {
    /// Only `RateLimit-Policy`, `RateLimit` and `Retry-After`.
    pub const STANDARD: Self = Self {
        standard: true,
        classic: false,
        model: false,
        shadow: false,
        partition_seed: None,
    };

    /// Calls `field` with the name (in lower case) and the value of every field that the decision
    /// gives, each name at most once. One buffer serves all values.
    pub fn for_each(&self, decision: &Decision<'_>, mut field: impl FnMut(&'static str, &str)) {
        let mut value = Value::new();
        let mut emit = |name: &'static str, value: &mut Value| {
            if !value.as_str().is_empty() {
                field(name, value.as_str());
            }
            value.clear();
        };
        if self.standard {
            self.write_policies(decision, &mut value);
            emit("ratelimit-policy", &mut value);
            self.write_limits(decision, &mut value);
            emit("ratelimit", &mut value);
        }
        if self.classic {
            write_trio(Trio::CLASSIC, of_interest(decision), &mut value, &mut emit);
        }
        if self.model {
            let requests = tightest_of(decision, Unit::REQUESTS);
            write_trio(Trio::REQUESTS, requests, &mut value, &mut emit);
            let tokens = tightest_of(decision, Unit::TOKENS);
            write_trio(Trio::TOKENS, tokens, &mut value, &mut emit);
        }
        let wait = retry_after(decision);
        if let Some(RetryAfter::After(wait)) = wait {
            value.integer(whole_seconds(wait).max(1));
            emit("retry-after", &mut value);
        }
        if !self.model {
            return;
        }
        match wait {
            Some(RetryAfter::After(wait)) => {
                value.integer(whole_millis(wait).max(1));
                emit("retry-after-ms", &mut value);
            }
            Some(RetryAfter::Never) => {
                value.text("false");
                emit("x-should-retry", &mut value);
            }
            Some(RetryAfter::Unknown) | None => {}
        }
    }

    fn write_policies(&self, decision: &Decision<'_>, value: &mut Value) {
        for status in self.shown(decision) {
            value.item(status.name());
            let (quota, window) = quota_and_window(status.quota());
            value.parameter("q", quota);
            if let Some(quota_unit) = quota_unit(status) {
                value.string_parameter("qu", quota_unit);
            }
            if let Some(window) = window {
                value.parameter("w", window);
            }
            if let Quota::Rate(rate) = status.quota()
                && rate.burst_size() != quota
            {
                value.parameter("bursar-burst", rate.burst_size());
            }
            let unit = status.limit().unit();
            if !is_registered(unit) {
                value.string_parameter("bursar-unit", unit.as_str());
            }
            self.write_partition(status, value);
        }
    }

    fn write_limits(&self, decision: &Decision<'_>, value: &mut Value) {
        let allowed = decision.is_allowed();
        for status in self.shown(decision).filter(|status| says_something(status)) {
            value.item(status.name());
            value.parameter("r", status.remaining());
            let more = match allowed {
                true => until_more(status),
                false => until_it_fits(status),
            };
            if let Some(more) = more {
                value.parameter("t", whole_seconds(more).max(1));
            }
            self.write_partition(status, value);
        }
    }

    fn write_partition(&self, status: &Status<'_>, value: &mut Value) {
        if let Some(seed) = self.partition_seed
            && !status.key().is_empty()
        {
            let hash = FixedState::with_seed(seed).hash_one(status.key());
            value.byte_parameter("pk", &hash.to_be_bytes());
        }
    }

    fn shown<'d, 'a>(&self, decision: &'d Decision<'a>) -> impl Iterator<Item = &'d Status<'a>> {
        let shadow = self.shadow;
        let statuses = decision.statuses().iter();
        statuses.filter(move |status| shadow || !status.is_shadow())
    }
}

/// When a refused request should come again, as HTTP should tell it; `None` if it was allowed.
///
/// This is [`Decision::retry_after`], but for concurrent calls: when others end is unknown, and the
/// time at which their holds expire is a guard against callers that have died. Where the store could
/// not be asked, it is the time when it is asked again.
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::http::retry_after;
/// use bursar_ratelimit::{
///     Dimension, Limit, Limits, MemoryStore, Rate, Request, RetryAfter, Timestamp, Unit,
/// };
///
/// let rate = Rate::per_minute(30)?.burst(1)?;
/// let limits = Limits::new([Limit::new("all", Dimension::GLOBAL, Unit::REQUESTS, rate)])?;
/// let store = MemoryStore::default();
/// let charges = limits.resolve(&Request::new())?;
/// assert_eq!(retry_after(&store.check(&charges, Timestamp::ZERO)?), None);
/// let refused = store.check(&charges, Timestamp::ZERO)?;
/// assert_eq!(retry_after(&refused), Some(RetryAfter::After(Duration::from_secs(2))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn retry_after(decision: &Decision<'_>) -> Option<RetryAfter> {
    decision.violated().filter_map(wait_of).max()
}

/// What a violated limit says about waiting.
fn wait_of(status: &Status<'_>) -> Option<RetryAfter> {
    match (status.retry_after()?, status.quota()) {
        (RetryAfter::After(_), Quota::Concurrency(_)) if status.is_known() => {
            Some(RetryAfter::Unknown)
        }
        (wait, _) => Some(wait),
    }
}

/// When a limit has one more unit than now; `None` if it is full, or nobody knows.
fn until_more(status: &Status<'_>) -> Option<Duration> {
    if status.quota().is_stock() {
        return None;
    }
    let more = match status.level() {
        Level::Rate {
            gcra,
            tick_nanos,
            outstanding,
        } => {
            let next = gcra.remaining(*outstanding).saturating_add(1);
            let ticks = gcra.wait(*outstanding, next.min(gcra.burst()));
            Duration::from_nanos(ticks.saturating_mul(*tick_nanos))
        }
        Level::Counted { reset_after, .. } => reset_after.duration()?,
        Level::Unavailable { .. } => return None,
    };
    (!more.is_zero()).then_some(more)
}

/// When a limit that refused lets the same request pass.
fn until_it_fits(status: &Status<'_>) -> Option<Duration> {
    if !status.is_violated() || status.quota().is_stock() {
        return None;
    }
    status.retry_after()?.duration()
}

/// Whether what is left of a limit is known, or is nothing for this request. Of a limit that was
/// left open because its store failed, clients are told the policy alone.
fn says_something(status: &Status<'_>) -> bool {
    status.is_known() || status.is_violated()
}

/// The limit that three fields without a name of their own should tell about.
fn of_interest<'d, 'a>(decision: &'d Decision<'a>) -> Option<&'d Status<'a>> {
    decision.deciding().or_else(|| decision.tightest())
}

/// Of the limits that count a unit as it flows, the first that refused, or else the tightest.
fn tightest_of<'d, 'a>(decision: &'d Decision<'a>, unit: Unit) -> Option<&'d Status<'a>> {
    let flows = |status: &&Status<'_>| {
        let counts = !status.is_shadow() && !status.quota().is_stock();
        counts && status.limit().unit() == unit && says_something(status)
    };
    let share = |status: &Status<'_>| (!status.is_violated(), u128::from(status.remaining()));
    decision
        .statuses()
        .iter()
        .filter(flows)
        .reduce(|tightest, status| {
            let (fits, left) = share(status);
            let (tightest_fits, least_left) = share(tightest);
            let of = u128::from(status.limit_units());
            let least_of = u128::from(tightest.limit_units());
            // Fractions compared by their cross products.
            match (fits, left * least_of) < (tightest_fits, least_left * of) {
                true => status,
                false => tightest,
            }
        })
}

/// Three fields about one limit, and how they tell the reset.
#[derive(Clone, Copy)]
struct Trio {
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
    in_seconds: bool,
}

impl Trio {
    const CLASSIC: Self = Self {
        limit: "x-ratelimit-limit",
        remaining: "x-ratelimit-remaining",
        reset: "x-ratelimit-reset",
        in_seconds: true,
    };
    /// Names and formats as in OpenAI's guide on rate limits, "Rate limits in headers"
    /// (<https://platform.openai.com/docs/guides/rate-limits>).
    const REQUESTS: Self = Self {
        limit: "x-ratelimit-limit-requests",
        remaining: "x-ratelimit-remaining-requests",
        reset: "x-ratelimit-reset-requests",
        in_seconds: false,
    };
    const TOKENS: Self = Self {
        limit: "x-ratelimit-limit-tokens",
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
        in_seconds: false,
    };
}

fn write_trio(
    trio: Trio,
    status: Option<&Status<'_>>,
    value: &mut Value,
    emit: &mut impl FnMut(&'static str, &mut Value),
) {
    let Some(status) = status else { return };
    value.integer(status.limit_units());
    emit(trio.limit, value);
    value.integer(status.remaining());
    emit(trio.remaining, value);
    if let (Some(reset), false) = (status.reset_after().duration(), status.quota().is_stock()) {
        match trio.in_seconds {
            true => value.integer(whole_seconds(reset)),
            false => value.duration(reset),
        }
        emit(trio.reset, value);
    }
}

/// A quota as `q` and `w` say it.
fn quota_and_window(quota: &Quota) -> (u64, Option<u64>) {
    match quota {
        Quota::Rate(rate) => {
            let seconds = whole_seconds(rate.period());
            // Only the very longest periods come near the end of 128 bits.
            let in_period = u128::from(rate.limit())
                .saturating_mul(u128::from(seconds))
                .saturating_mul(NANOS_IN_SECOND);
            let in_window = in_period / rate.period().as_nanos().max(1);
            (u64::try_from(in_window).unwrap_or(u64::MAX), Some(seconds))
        }
        Quota::SlidingWindow(window) => (window.limit(), Some(whole_seconds(window.window()))),
        Quota::Concurrency(_) | Quota::Budget(_) => (quota.largest_cost(), None),
    }
}

const NANOS_IN_SECOND: u128 = 1_000_000_000;

/// The registered quota unit, `None` for the default and for what is not registered.
fn quota_unit(status: &Status<'_>) -> Option<&'static str> {
    let unit = status.limit().unit();
    let concurrent = matches!(status.quota(), Quota::Concurrency(_)) && unit == Unit::REQUESTS;
    if concurrent || unit == Unit::CONCURRENT_REQUESTS {
        Some("concurrent-requests")
    } else if unit == Unit::CONTENT_BYTES {
        Some("content-bytes")
    } else {
        None
    }
}

fn is_registered(unit: Unit) -> bool {
    [
        Unit::REQUESTS,
        Unit::CONTENT_BYTES,
        Unit::CONCURRENT_REQUESTS,
    ]
    .contains(&unit)
}
