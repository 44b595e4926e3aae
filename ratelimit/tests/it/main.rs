//! The crate as its users see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

mod allocation;
mod breaker;
mod change;
mod clock;
mod concurrency;
#[cfg(feature = "serde")]
mod config;
#[cfg(feature = "conformance")]
mod conformance;
mod fallback;
mod fixture;
mod http;
mod lease;
mod observe;
mod rates;
mod requests;
mod room;
mod settle;
mod stocks;
mod support;
mod waiting;
mod windows;

#[test]
fn values_can_be_shared_between_threads_and_shown() {
    use bursar_ratelimit::*;
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Admission<'static>>();
    shared::<Charges<'static>>();
    shared::<Decision<'static>>();
    shared::<Limits>();
    shared::<MemoryStore>();
    shared::<Permit<'static>>();
    shared::<Reservation>();
    shared::<Settlement>();
    shared::<StoreError>();
}
