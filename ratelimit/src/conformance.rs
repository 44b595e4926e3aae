//! Does a [`Store`] keep the contract of the port?
//!
//! [`run`] is the suite that every implementation passes. A [`Harness`] makes the stores and moves
//! their time; for stores that go by the caller's clock there is [`VirtualTime`]:
//!
//! ```
//! use bursar_ratelimit::{MemoryStore, conformance};
//!
//! let harness = conformance::VirtualTime::new(MemoryStore::default);
//! futures_executor::block_on(conformance::run(&harness));
//! ```
//!
//! [`oracle`] judges what a store let pass in the end, whatever was asked of it and in what order.

mod atomicity;
mod change;
pub mod oracle;
mod settlement;
mod stock;
mod time;
mod trial;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use self::trial::Trial;
use crate::store::Store;
use crate::time::{Timestamp, nanos};

/// What the suite needs to know of a store: how to get an empty one, and what time it is.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The store under test.
    type Store: Store;

    /// A store that holds nothing, or a part of a server that nothing else uses.
    async fn store(&self) -> Self::Store;

    /// The time that is passed to the store.
    fn now(&self) -> Timestamp;

    /// Lets at least so much time pass by the store's clock.
    async fn pass(&self, duration: Duration);

    /// How the store's clock moves.
    fn time(&self) -> Time;

    /// Makes the calls at once: from threads, tasks or connections of their own. Unless said
    /// otherwise, as parts of one task, which is enough where every call waits for a server.
    async fn at_once<'c>(&self, calls: Vec<Call<'c>>) {
        join(calls).await;
    }
}

/// A call of the suite that is made beside others.
pub type Call<'c> = Pin<Box<dyn Future<Output = ()> + Send + 'c>>;

/// How a store's clock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Only in [`Harness::pass`], by exactly what is said, in units of `tick`. Answers are then
    /// compared exactly.
    Virtual {
        /// The store's unit of time.
        tick: Duration,
    },
    /// By itself. Answers about quotas that need time to recover may then differ by what drains
    /// between two calls, and the suite waits for about ten seconds in all.
    Real,
}

/// A harness of stores that go by the caller's time, which only moves when the suite moves it. Calls
/// at once come from threads of their own, so the store must not need a runtime.
#[derive(Debug)]
pub struct VirtualTime<Make> {
    make: Make,
    now: AtomicU64,
}

impl<S: Store, Make: Fn() -> S + Send + Sync> VirtualTime<Make> {
    /// A harness of the stores that `make` makes.
    pub const fn new(make: Make) -> Self {
        Self {
            make,
            // Some time after the epoch, so that the suite can set the clock back.
            now: AtomicU64::new(1_000_000_000_000_000),
        }
    }
}

#[async_trait]
impl<S: Store, Make: Fn() -> S + Send + Sync> Harness for VirtualTime<Make> {
    type Store = S;

    async fn store(&self) -> S {
        (self.make)()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.load(Ordering::SeqCst))
    }

    async fn pass(&self, duration: Duration) {
        self.now.fetch_add(nanos(duration), Ordering::SeqCst);
    }

    fn time(&self) -> Time {
        Time::Virtual {
            tick: Duration::from_nanos(1),
        }
    }

    async fn at_once<'c>(&self, calls: Vec<Call<'c>>) {
        std::thread::scope(|scope| {
            for call in calls {
                scope.spawn(|| finish(call));
            }
        });
    }
}

/// Shows that the stores of `harness` keep the contract of [`Store`].
///
/// # Panics
///
/// When a store breaks the contract; the message names what was expected.
pub async fn run<H: Harness>(harness: &H) {
    atomicity::a_refusal_takes_nothing_from_any_limit(&Trial::new(harness).await).await;
    atomicity::all_violated_limits_are_named_and_the_longest_wait_decides(
        &Trial::new(harness).await,
    )
    .await;
    atomicity::a_cost_above_the_burst_never_passes(&Trial::new(harness).await).await;
    atomicity::costs_of_any_size_are_decided(&Trial::new(harness).await).await;
    atomicity::peeking_changes_nothing(&Trial::new(harness).await).await;
    atomicity::a_cost_of_nothing_takes_nothing(&Trial::new(harness).await).await;
    atomicity::a_request_without_limits_passes(&Trial::new(harness).await).await;
    atomicity::a_limit_in_shadow_mode_neither_refuses_nor_pays(&Trial::new(harness).await).await;
    atomicity::keys_and_limits_are_independent(&Trial::new(harness).await).await;
    atomicity::fifty_callers_share_a_bucket_exactly(&Trial::new(harness).await).await;
    atomicity::callers_of_overlapping_limits_share_them_exactly(&Trial::new(harness).await).await;

    settlement::what_was_not_used_comes_back(&Trial::new(harness).await).await;
    settlement::an_overrun_is_a_debt(&Trial::new(harness).await).await;
    settlement::settling_again_changes_nothing(&Trial::new(harness).await).await;
    settlement::a_copy_of_a_settled_reservation_changes_nothing(&Trial::new(harness).await).await;
    settlement::a_settlement_in_steps_counts_the_sum_once(&Trial::new(harness).await).await;
    settlement::an_unsettled_reservation_stands_at_its_estimate(&Trial::new(harness).await).await;
    settlement::a_unit_that_is_not_named_stands_at_its_estimate(&Trial::new(harness).await).await;
    settlement::a_denied_reservation_holds_nothing(&Trial::new(harness).await).await;
    settlement::what_has_drained_does_not_come_back(&Trial::new(harness).await).await;
    settlement::refunds_of_others_are_not_credited_twice(&Trial::new(harness).await).await;
    settlement::a_debt_of_any_size_is_charged(&Trial::new(harness).await).await;

    stock::concurrent_use_ends_with_the_settlement(&Trial::new(harness).await).await;
    stock::concurrent_use_needs_a_reservation(&Trial::new(harness).await).await;
    stock::a_budget_is_spent_for_good(&Trial::new(harness).await).await;
    stock::holds_expire(&Trial::new(harness).await).await;
    stock::a_late_settlement_does_not_end_the_hold_of_another(&Trial::new(harness).await).await;

    change::a_raised_limit_keeps_what_was_used(&Trial::new(harness).await).await;
    change::a_lowered_limit_keeps_what_was_used(&Trial::new(harness).await).await;
    change::another_tier_keeps_what_was_used(&Trial::new(harness).await).await;
    change::another_burst_keeps_what_was_used(&Trial::new(harness).await).await;
    change::a_settlement_after_a_change_gives_nothing_away(&Trial::new(harness).await).await;

    time::a_caller_who_waits_as_told_passes(&Trial::new(harness).await).await;
    time::the_longest_wait_of_several_limits_is_told(&Trial::new(harness).await).await;
    time::a_bucket_is_whole_after_its_reset(&Trial::new(harness).await).await;
    time::a_window_never_lets_more_than_its_limit_pass(&Trial::new(harness).await).await;
    time::odd_rates_are_exact(&Trial::new(harness).await).await;
    time::a_clock_that_steps_back_gives_nothing_away(&Trial::new(harness).await).await;
}

/// Makes all calls as parts of one task.
async fn join(mut calls: Vec<Call<'_>>) {
    std::future::poll_fn(|context| {
        calls.retain_mut(|call| call.as_mut().poll(context).is_pending());
        match calls.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// Makes a call on this thread. Nothing is waited for in virtual time but other threads' locks, so
/// it polls again without being woken.
fn finish(mut call: Call<'_>) {
    let mut context = Context::from_waker(Waker::noop());
    while call.as_mut().poll(&mut context).is_pending() {
        std::thread::yield_now();
    }
}
