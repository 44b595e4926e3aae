//! The public interface of the crate, tested as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

mod concurrency;
mod waiting;
