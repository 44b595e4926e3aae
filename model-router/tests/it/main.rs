//! The router as its users see it.

#![cfg_attr(
    feature = "conformance",
    expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
    )
)]

#[cfg(feature = "conformance")]
mod cache;
#[cfg(feature = "conformance")]
mod invocation;
mod names;
