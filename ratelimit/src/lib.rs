//! May this request pass, and if not, when?
//!
//! A request of a language-model gateway has to pass several limits at once: so many requests in all, for
//! the tenant, the API key and the method, so many tokens a minute, so much money a month. This crate
//! decides them as one: either every limit is charged or none is, in integer arithmetic that neither drifts
//! nor overflows. What a call will cost is known only when it is over, so it reserves an estimate and
//! settles the real usage.
//!
//! ```
//! use bursar_ratelimit::{
//!     Limits, MemoryStore, Progress, Request, RetryAfter, Timestamp, Unit, Usage,
//! };
//! use std::time::Duration;
//!
//! // 100 000 requests a minute in all; 10 000 a minute and 1500 at once for a tenant; 1000 requests
//! // and 100 000 tokens a minute for an API key; 500 requests a minute for a method.
//! let limits = Limits::preset()?;
//! let store = MemoryStore::default();
//! let request = Request::new()
//!     .tenant("acme")
//!     .api_key("key-17")
//!     .method("chat")
//!     .cost(Unit::TOKENS, 70_000);
//! let charges = limits.resolve(&request)?;
//! let now = Timestamp::from_secs(1);
//!
//! // The prompt and the longest answer may take 70 000 tokens.
//! let admission = store.reserve(&charges, now)?;
//! let mut reservation = admission.reservation.ok_or("a fresh bucket has room")?;
//!
//! // A second call of that size does not fit beside it, and takes from none of the five limits.
//! let refused = store.check(&charges, now)?;
//! assert_eq!(refused.deciding().map(|status| status.name()), Some("key-tokens"));
//! assert_eq!(refused.retry_after(), Some(RetryAfter::After(Duration::from_secs(24))));
//!
//! // The answer was short. What was not used is there for others at once.
//! let usage = Usage::new().with(Unit::TOKENS, 4_200);
//! let settlement = store.settle(&mut reservation, &usage, Progress::Final, now)?;
//! assert!(settlement.is_applied());
//! assert!(store.check(&charges, now)?.is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - A [`Limit`] gives a [`Quota`] to every key of a [`Dimension`], counted in a [`Unit`]; tiers and single
//!   keys may have quotas of their own. It may be optional, in [shadow mode](Enforcement::Shadow), and says
//!   what happens when its store [fails](OnFailure).
//! - [`Limits`] is a checked set of them, known by their names. It resolves a [`Request`] (who asks, and
//!   for how much of each unit) to [`Charges`]. To change limits at run time, resolve with another set.
//! - A [`Store`] keeps what every key has used, and decides: [`MemoryStore`] in this process, without a
//!   clock, a background task or an `await`; adapters elsewhere. The present time is an argument.
//! - A [`Decision`] tells whether, which limit decided, all that were violated, and for every limit what
//!   remains, when it is whole again and when the cost fits. A refusal is a result; an error means that
//!   nothing could be decided.
//! - A [`Reservation`] is what is held until the [`Usage`] is known. [`MemoryStore::guard`] makes a
//!   [`Permit`] of it, which settles itself when it is dropped.
//!
//! # Algorithms
//!
//! | question | answer |
//! |---|---|
//! | Does a cost fit a rate? | The generic cell rate algorithm (ITU-T I.371, 1993), which equals a token bucket, on a state of whole numbers: [`gcra`] |
//! | Never more than N in any minute? | [`SlidingWindow`]: every admission is remembered until it is as old as the window |
//! | How many at once, how much in all? | [`Concurrency`] and [`Budget`]: holds by reservation, with an expiry |
//! | What may be given back? | What has not drained yet, measured from where the reservation ends in its busy period: [`gcra::Gcra::refund`] |
//! | Where are a million keys? | In ordered hash tables (Amble and Knuth, 1974) of 32 bytes a key, behind locks taken in one order |
//!
//! # Guarantees
//!
//! - **Rates.** For every key and every window of length W, net use (units admitted in the window, less
//!   those given back) is at most burst + rate × W. That is exact to the nanosecond and the unit, from one
//!   a day to a billion a second. A fresh bucket is full, so with the burst left at the limit up to twice
//!   the limit passes in the first period; where that is too much, take a [`SlidingWindow`].
//! - **All or nothing.** A refused request is charged to no limit, and no other request ever sees a charge
//!   that is taken back.
//! - **Waits.** A caller who waits [`RetryAfter::After`] and finds no other passes; one nanosecond earlier
//!   he does not.
//! - **Overruns.** Usage beyond the estimate is charged whether or not it fits, and paid by waiting. So
//!   the bound above is exceeded by at most the sum of the underestimates in flight.
//! - **Refunds.** Giving back all that was not used would break the bound, since what has drained may have
//!   been used again. What comes back never does; the rest is reported as [`Settled::kept`].
//! - **Change.** Under a new quota of the same kind, what is used stays used, up to the new burst. A quota
//!   of another kind starts afresh, as the two cannot be compared. After a rate was changed, reservations
//!   made before give nothing back.
//! - **Clock.** A step back frees nothing, a step forward at most a burst. See [`MemoryStore`].
//! - **Memory.** A key that has drained is forgotten when room is needed, which changes no decision; one
//!   that is in use never is. [`Settings::max_keys`] bounds them.
//!
//! # What it does not do
//!
//! It reads no clock, opens no connection and starts no task. It does not guess what a call will cost, does
//! not translate tokens into money, and does not authenticate: keys are what the caller says they are. It
//! does not choose between requests by priority, and a store in memory knows this process alone.
//!
//! # Features
//!
//! - `serde`: limits in configuration files (module `config`), and [`DecisionReport`] serializes.
//! - `conformance`: the tests that every [`Store`] must pass.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod breaker;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod decision;
pub mod fallback;
pub mod gcra;
pub mod http;
pub mod lease;
mod limit;
mod limits;
mod memory;
mod name;
pub mod observe;
mod quota;
mod report;
mod request;
mod reservation;
mod store;
mod sync;
mod time;

pub use decision::{Decision, Level, RetryAfter, Status};
pub use limit::{Absence, Enforcement, Limit, OnFailure};
pub use limits::{Limits, LimitsError};
pub use memory::{MemoryStore, Permit, Settings, Ticket, Turn, WhenFull};
pub use name::{Dimension, MAX_NAME, NameError, Unit};
pub use quota::{Budget, Concurrency, Expired, Quota, QuotaError, Rate, SlidingWindow};
pub use report::{DecisionReport, RetryReport, StatusReport};
pub use request::{Charge, Charges, Request, ResolveError};
pub use reservation::{
    CellName, Change, Hold, HoldKind, Progress, Reservation, ReservationId, Settled, Settlement,
    Usage,
};
pub use store::{Admission, Store, StoreError};
pub use time::Timestamp;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
