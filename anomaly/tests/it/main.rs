//! The crate as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

#[cfg(all(feature = "conformance", feature = "serde"))]
mod conformance;
mod decomposition;
mod level_shift;
mod moving_average;
mod normal;
mod seasonal;
mod series;
mod z_score;
