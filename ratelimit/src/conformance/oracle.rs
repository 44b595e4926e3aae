//! Did a store keep its promise? A judge that knows nothing of how stores decide.
//!
//! A [`History`] lists what one key used, when, and what was settled. [`History::violation`] then
//! looks at every window that begins with one use and ends with another, which is O(n²) and needs no
//! state, no algorithm and no rounding: what was used in the window must be at most what the quota
//! promises for its length. A refund changes the use at the time of its admission, so a store that
//! gives back too much is found out by what it let pass afterwards.
//!
//! [`Bucket`] answers the other question, whether a request was refused wrongly: a bucket that fills
//! up, kept as one fraction, where the stores keep a busy period that drains.

mod bucket;
mod history;

pub use bucket::Bucket;
pub use history::{History, Span, Violation};
