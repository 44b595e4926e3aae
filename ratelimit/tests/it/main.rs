//! The public interface of the crate, tested as its users see it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allocation;
