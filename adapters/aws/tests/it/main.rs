//! The clients against servers that speak the documented formats. None of AWS is ever reached.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

mod batch;
mod converse;
mod failures;
mod frames;
mod moto;
mod server;
mod signature;
mod simulated_bedrock;
mod streams;
