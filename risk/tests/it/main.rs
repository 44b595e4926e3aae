//! Does the public interface keep its promises?

mod decisions;
mod distinct;
mod files;
#[cfg(feature = "synthetic")]
mod learning;
mod memory;
