//! Does the public interface keep its promises?

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

mod allocations;
mod backtest;
mod decisions;
mod distinct;
mod files;
#[cfg(feature = "synthetic")]
mod learning;
mod lists;
mod memory;
mod sketch;
#[cfg(feature = "serde")]
mod state;
mod stream;
