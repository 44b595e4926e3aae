//! Does the SQLite store keep what it is given, whatever happens around it?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

mod bills;
mod callers;
mod conformance;
mod corrupt;
mod files;
mod generations;
mod kill;
mod ledger;
mod prices;
mod prices_killed;
mod processes;
