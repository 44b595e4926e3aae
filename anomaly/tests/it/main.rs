//! The crate as its users see it.

#[cfg(all(feature = "conformance", feature = "serde"))]
mod conformance;
mod series;
