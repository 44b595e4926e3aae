//! What is a refused client told in the body? Problem details by RFC 9457.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::value::ShortDuration;
use super::wait_of;
use crate::decision::{Decision, RetryAfter};
use crate::quota::Quota;

/// The problem type of a refusal (draft-ietf-httpapi-ratelimit-headers-10, section 5.1).
pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
/// The problem type for limits that could not be checked (the same draft, section 5.2).
pub const TEMPORARY_REDUCED_CAPACITY: &str =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
/// The media type of [`Problem`] (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

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
    let left = match status.is_known() {
        true => format!(" and {} are left", status.remaining()),
        false => ", and how many are left is not known at present".to_owned(),
    };
    format!(
        "The limit \"{}\" allows {allows}: {} were asked for{left}. {advice}",
        status.name(),
        status.cost(),
    )
}
