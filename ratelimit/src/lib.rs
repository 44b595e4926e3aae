//! May this request pass, and if not, when?
//!
//! ```
//! use bursar_ratelimit::{Limits, MemoryStore, Request, Timestamp, Unit};
//!
//! let limits = Limits::preset()?;
//! let store = MemoryStore::default();
//! let request = Request::new()
//!     .tenant("acme")
//!     .api_key("key-17")
//!     .method("chat")
//!     .cost(Unit::TOKENS, 1_200);
//!
//! let decision = store.check(&limits.resolve(&request)?, Timestamp::from_secs(1))?;
//! assert!(decision.is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod decision;
pub mod gcra;
pub mod http;
mod limit;
mod limits;
mod memory;
mod name;
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
