//! The crate as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

mod batch;
#[cfg(feature = "synthetic")]
mod calibration;
mod point;
