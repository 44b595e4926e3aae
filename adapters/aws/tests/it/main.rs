//! The clients against servers that speak the documented formats. None of AWS is ever reached.

#![cfg(feature = "client")]
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

#[cfg(feature = "bedrock-batch")]
mod batch;
#[cfg(feature = "bedrock-runtime")]
mod converse;
#[cfg(feature = "bedrock-runtime")]
mod failures;
#[cfg(feature = "bedrock-runtime")]
mod frames;
#[cfg(feature = "bedrock-batch")]
mod moto;
mod server;
#[cfg(feature = "bedrock-batch")]
mod signature;
#[cfg(feature = "bedrock-batch")]
mod simulated_bedrock;
#[cfg(feature = "bedrock-runtime")]
mod streams;
