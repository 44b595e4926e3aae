//! The engine as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

mod charges;
mod combinations;
#[cfg(feature = "conformance")]
mod conformance;
mod contracts;
mod digits;
mod properties;
mod quotes;
mod rational;
mod reconciliation;
mod sla;
#[cfg(feature = "conformance")]
mod wallet;
