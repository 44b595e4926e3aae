//! The crate as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

mod alert_events;
mod alerts;
mod attribution;
mod batch;
#[cfg(feature = "synthetic")]
mod calibration;
#[cfg(all(feature = "conformance", feature = "serde"))]
mod conformance;
mod daily;
mod decomposition;
mod events;
mod feedback;
mod level_shift;
mod merging;
mod metric;
mod moving_average;
mod nab;
mod normal;
mod point;
mod projection;
mod random;
mod seasonal;
mod series;
mod synthetic_costs;
mod z_score;
