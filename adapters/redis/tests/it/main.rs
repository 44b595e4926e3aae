//! Does the store keep its word on real servers?
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on says why and fails"
)]

mod chaos;
mod conformance;
mod exact;
mod failure;
mod keys;
#[cfg(feature = "response-cache")]
mod response_cache;
mod server;
