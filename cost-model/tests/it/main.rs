//! The crate as its users see it.

mod analysis;
#[cfg(all(feature = "parquet", feature = "synthetic"))]
mod parquet;
mod write;
