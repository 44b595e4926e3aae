//! The client against a server that speaks the documented format.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

mod failures;
mod server;
mod streams;
mod whole;
