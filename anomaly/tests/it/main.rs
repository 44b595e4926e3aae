//! The crate as its users see it.

mod batch;
#[cfg(feature = "synthetic")]
mod calibration;
mod point;
