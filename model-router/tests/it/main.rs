//! The router as its users see it.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

mod cache_aware;
mod cascade;
mod constraints;
mod models;
mod names;
mod selection;
mod statistics;
