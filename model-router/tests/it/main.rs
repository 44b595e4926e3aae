//! The router as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]
#![cfg_attr(
    feature = "conformance",
    expect(
        clippy::panic,
        reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
    )
)]

mod cache_aware;
mod cascade;
mod constraints;
#[cfg(feature = "conformance")]
mod invocation;
mod models;
mod names;
mod selection;
mod statistics;
