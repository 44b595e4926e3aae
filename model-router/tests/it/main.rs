//! The router as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

#[cfg(feature = "conformance")]
mod batch_jobs;
mod batch_plan;
#[cfg(feature = "conformance")]
mod cache;
#[cfg(feature = "conformance")]
mod invocation;
mod names;
