//! The public interface of the crate, tested as its users see it.

#[cfg(feature = "conformance")]
mod conformance;
