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

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::hash::BuildHasher as _;
use std::time::Duration;

use foldhash::quality::FixedState;

use crate::decision::{Decision, Level, RetryAfter, Status};
use crate::name::Unit;
use crate::quota::Quota;

/// The problem type of a refusal (draft-ietf-httpapi-ratelimit-headers-10, section 5.1).
pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
/// The problem type for limits that could not be checked (the same draft, section 5.2).
pub const TEMPORARY_REDUCED_CAPACITY: &str =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
/// The media type of [`Problem`] (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The largest Integer of a Structured Field (RFC 9651, section 3.3.1).
const LARGEST_INTEGER: u64 = 999_999_999_999_999;

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
        let mut value = Value(String::with_capacity(128));
        let mut emit = |name: &'static str, value: &mut Value| {
            if !value.0.is_empty() {
                field(name, &value.0);
            }
            value.0.clear();
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
        for status in self.shown(decision) {
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
/// time at which their holds expire is a guard against callers that have died.
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

/// What became wrong, for a machine and for a person: problem details by RFC 9457.
///
/// Its `Display` is the JSON document.
///
/// ```
/// use bursar_ratelimit::http::Problem;
/// use bursar_ratelimit::{Dimension, Limit, Limits, MemoryStore, Rate, Request, Timestamp, Unit};
///
/// let limits = Limits::new([Limit::new(
///     "key-tokens",
///     Dimension::API_KEY,
///     Unit::TOKENS,
///     Rate::per_minute(60_000)?,
/// )])?;
/// let store = MemoryStore::default();
/// let request = Request::new().api_key("key-17").cost(Unit::TOKENS, 40_000);
/// let charges = limits.resolve(&request)?;
/// let _ = store.check(&charges, Timestamp::ZERO)?;
/// let problem = Problem::quota_exceeded(&store.check(&charges, Timestamp::ZERO)?);
/// assert_eq!(
///     problem.detail,
///     "The limit \"key-tokens\" allows 60000 tokens in 1m0s: 40000 were asked for and 20000 are \
///      left. Try again in 20s."
/// );
/// assert_eq!((problem.status, problem.violated_policies), (429, vec!["key-tokens".to_owned()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The problem's type, a URI; `about:blank` where the status says it all.
    pub type_uri: Cow<'static, str>,
    /// What kind of problem it is; the same for every occurrence.
    pub title: Cow<'static, str>,
    /// The status code of the response.
    pub status: u16,
    /// This occurrence, in a sentence.
    pub detail: String,
    /// The names of the limits that refused; empty for other problems.
    pub violated_policies: Vec<String>,
}

impl Problem {
    /// A refusal: status 429 and the limits that refused. Limits in shadow mode do not appear, and
    /// neither do keys.
    #[must_use]
    pub fn quota_exceeded(decision: &Decision<'_>) -> Self {
        let violated = decision.violated().map(|status| status.name().to_owned());
        Self {
            type_uri: QUOTA_EXCEEDED.into(),
            title: "Request cannot be satisfied as assigned quota has been exceeded".into(),
            status: 429,
            detail: refusal(decision),
            violated_policies: violated.collect(),
        }
    }

    /// The limits could not be checked: status 503.
    #[must_use]
    pub fn temporary_reduced_capacity() -> Self {
        Self {
            type_uri: TEMPORARY_REDUCED_CAPACITY.into(),
            title: "Request cannot be satisfied due to temporary server capacity constraints"
                .into(),
            status: 503,
            detail: "The limits of this request cannot be checked at present. Try again later."
                .to_owned(),
            violated_policies: Vec::new(),
        }
    }

    /// Any other problem that its status describes.
    #[must_use]
    pub fn of_status(status: u16, title: impl Into<Cow<'static, str>>, detail: String) -> Self {
        Self {
            type_uri: "about:blank".into(),
            title: title.into(),
            status,
            detail,
            violated_policies: Vec::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            r#"{{"type":{},"title":{},"status":{},"detail":{}"#,
            Json(&self.type_uri),
            Json(&self.title),
            self.status,
            Json(&self.detail)
        )?;
        if self.type_uri != "about:blank" {
            formatter.write_str(r#","violated-policies":["#)?;
            for (index, name) in self.violated_policies.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(formatter, "{comma}{}", Json(name))?;
            }
            formatter.write_char(']')?;
        }
        formatter.write_char('}')
    }
}

/// A text as JSON, in quotes.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(formatter, "\\{character}")?,
                control if control < ' ' => write!(formatter, "\\u{:04x}", u32::from(control))?,
                other => formatter.write_char(other)?,
            }
        }
        formatter.write_char('"')
    }
}

/// A refusal in a sentence: what the limit allows, what was asked for, and what to do.
fn refusal(decision: &Decision<'_>) -> String {
    let longest =
        decision
            .violated()
            .reduce(|longest, status| match wait_of(status) > wait_of(longest) {
                true => status,
                false => longest,
            });
    let Some(status) = longest else {
        return "No limit was exceeded.".to_owned();
    };
    let unit = status.limit().unit();
    let allows = match status.quota() {
        Quota::Rate(rate) => {
            let period = ShortDuration(rate.period());
            match (rate.limit(), rate.burst_size()) {
                (limit, burst) if limit == burst => format!("{limit} {unit} in {period}"),
                (limit, burst) => format!("{limit} {unit} in {period}, {burst} of them at once"),
            }
        }
        Quota::SlidingWindow(window) => {
            let length = ShortDuration(window.window());
            format!("{} {unit} in any {length}", window.limit())
        }
        Quota::Concurrency(concurrency) => format!("{} {unit} at once", concurrency.limit()),
        Quota::Budget(budget) => format!("{} {unit} in all", budget.amount()),
    };
    let advice = match wait_of(status) {
        Some(RetryAfter::After(wait)) => format!("Try again in {}.", ShortDuration(wait)),
        Some(RetryAfter::Never) if status.cost() > status.limit_units() => {
            format!("A request may ask for at most {}.", status.limit_units())
        }
        Some(RetryAfter::Never) => "Waiting does not help.".to_owned(),
        Some(RetryAfter::Unknown) | None => {
            "Try again when requests under way have ended.".to_owned()
        }
    };
    format!(
        "The limit \"{}\" allows {allows}: {} were asked for and {} are left. {advice}",
        status.name(),
        status.cost(),
        status.remaining()
    )
}

/// What a violated limit says about waiting.
fn wait_of(status: &Status<'_>) -> Option<RetryAfter> {
    match (status.retry_after()?, status.quota()) {
        (RetryAfter::After(_), Quota::Concurrency(_)) => Some(RetryAfter::Unknown),
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

/// The limit that three fields without a name of their own should tell about.
fn of_interest<'d, 'a>(decision: &'d Decision<'a>) -> Option<&'d Status<'a>> {
    decision.deciding().or_else(|| decision.tightest())
}

/// Of the limits that count a unit as it flows, the first that refused, or else the tightest.
fn tightest_of<'d, 'a>(decision: &'d Decision<'a>, unit: Unit) -> Option<&'d Status<'a>> {
    let flows = |status: &&Status<'_>| {
        !status.is_shadow() && !status.quota().is_stock() && status.limit().unit() == unit
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

/// Rounded up.
fn whole_seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}

/// Rounded up.
fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A duration as `20ms`, `8.64s`, `6m0s` or `1h0m0s`, rounded up to milliseconds: how Go prints
/// durations, and with it the APIs of language models.
struct ShortDuration(Duration);

impl fmt::Display for ShortDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = whole_millis(self.0);
        if (1..1_000).contains(&millis) {
            return write!(formatter, "{millis}ms");
        }
        let seconds = millis / 1_000;
        if seconds >= 3_600 {
            write!(formatter, "{}h", seconds / 3_600)?;
        }
        if seconds >= 60 {
            write!(formatter, "{}m", seconds / 60 % 60)?;
        }
        write!(formatter, "{}", seconds % 60)?;
        let fraction = millis % 1_000;
        match fraction {
            0 => {}
            _ if fraction.is_multiple_of(100) => write!(formatter, ".{}", fraction / 100)?,
            _ if fraction.is_multiple_of(10) => write!(formatter, ".{:02}", fraction / 10)?,
            _ => write!(formatter, ".{fraction:03}")?,
        }
        formatter.write_char('s')
    }
}

/// A field value under way. Writing to a string cannot fail, so results are not looked at.
struct Value(String);

impl Value {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn integer(&mut self, number: u64) {
        let _ = write!(self.0, "{number}");
    }

    fn duration(&mut self, duration: Duration) {
        let _ = write!(self.0, "{}", ShortDuration(duration));
    }

    /// The next item of a List.
    fn item(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.string(name);
    }

    fn parameter(&mut self, key: &str, number: u64) {
        let _ = write!(self.0, ";{key}={}", number.min(LARGEST_INTEGER));
    }

    fn string_parameter(&mut self, key: &str, text: &str) {
        let _ = write!(self.0, ";{key}=");
        self.string(text);
    }

    /// A Byte Sequence: base64 between colons.
    fn byte_parameter(&mut self, key: &str, bytes: &[u8]) {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let _ = write!(self.0, ";{key}=:");
        for chunk in bytes.chunks(3) {
            let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                let digit = (bits >> (18 - 6 * place)) as usize & 63;
                let padding = place > chunk.len();
                self.0
                    .push(if padding { '=' } else { ALPHABET[digit].into() });
            }
        }
        self.0.push(':');
    }

    /// A String: ASCII in quotes. Names from [`Limits`](crate::Limits) hold nothing else; other
    /// bytes of a name that never went through it are written as `%` and two digits.
    fn string(&mut self, text: &str) {
        self.0.push('"');
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.0.extend(['\\', byte.into()]),
                b' '..=b'~' => self.0.push(byte.into()),
                _ => {
                    let _ = write!(self.0, "%{byte:02x}");
                }
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ShortDuration, Value, whole_millis, whole_seconds};

    #[test]
    fn shows_durations_as_model_apis_do() {
        for (millis, shown) in [
            (0, "0s"),
            (20, "20ms"),
            (999, "999ms"),
            (1_000, "1s"),
            (8_640, "8.64s"),
            (1_500, "1.5s"),
            (1_001, "1.001s"),
            (72_172, "1m12.172s"),
            (360_000, "6m0s"),
            (3_600_000, "1h0m0s"),
            (90_061_000, "25h1m1s"),
        ] {
            let duration = ShortDuration(Duration::from_millis(millis));
            assert_eq!(duration.to_string(), shown);
        }
    }

    #[test]
    fn rounds_times_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(7)), 7);
        assert_eq!(whole_millis(Duration::from_nanos(1_000_001)), 2);
        let longest = ShortDuration(Duration::MAX);
        assert_eq!(longest.to_string(), "5124095576030h25m51.615s");
    }

    #[test]
    fn writes_strings_and_bytes_of_structured_fields() {
        let mut value = Value(String::new());
        value.item("a \"b\" \\ ü\n");
        value.parameter("q", u64::MAX);
        value.byte_parameter("pk", b"");
        // The test vectors of RFC 4648, section 10.
        value.byte_parameter("f", b"f");
        value.byte_parameter("fo", b"fo");
        value.byte_parameter("foobar", b"foobar");
        assert_eq!(
            value.0,
            r#""a \"b\" \\ %c3%bc%0a";q=999999999999999;pk=::;f=:Zg==:;fo=:Zm8=:;foobar=:Zm9vYmFy:"#
        );
    }
}
