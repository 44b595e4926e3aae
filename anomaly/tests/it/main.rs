//! The crate as its users see it.

#[cfg(all(feature = "conformance", feature = "serde"))]
mod conformance;
mod decomposition;
mod level_shift;
mod moving_average;
mod normal;
mod seasonal;
mod series;
mod z_score;
