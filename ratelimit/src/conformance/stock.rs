//! Do concurrency limits and budgets hold what is held, and let go of what is not?

use std::time::Duration;

use super::Harness;
use super::trial::{Trial, bucket, limits, request, requests, tokens, wait_of};
use crate::decision::RetryAfter;
use crate::limit::Limit;
use crate::name::{Dimension, Unit};
use crate::quota::{Budget, Concurrency, Expired};
use crate::reservation::{Progress, Usage};
use crate::store::{Store as _, StoreError};

const HOUR: Duration = Duration::from_secs(3600);
/// Long beside a few calls to a server, short to wait for.
const SOON: Duration = Duration::from_secs(2);

fn calls(limit: u64, expiry: Duration) -> Limit {
    let quota = Concurrency::new(limit, expiry).expect("a valid quota");
    let unit = Unit::CONCURRENT_REQUESTS;
    Limit::new("calls", Dimension::TENANT, unit, quota)
}

fn budget(name: &str, amount: u64, expiry: Duration, expired: Expired) -> Limit {
    let quota = Budget::new(amount, expiry).expect("a valid quota");
    tokens(name, quota.on_expiry(expired))
}

pub(super) async fn concurrent_use_ends_with_the_settlement(trial: &Trial<'_, impl Harness>) {
    let limits = limits([calls(2, HOUR)]);
    let mut first = trial.reserve(&limits, &request(0)).await;
    let mut second = trial.reserve(&limits, &request(0)).await;
    for over in [&mut first, &mut second] {
        let admission = trial.try_reserve(&limits, &request(0)).await;
        assert!(!admission.decision.is_allowed(), "a third of two calls");
        // A stream goes on after a step, and so does the hold.
        let _ = trial.settle(over, &Usage::new(), Progress::Step).await;
        assert_eq!(trial.remaining(&limits, &request(0)).await, [0]);
        let _ = trial.settle(over, &Usage::new(), Progress::Final).await;
        assert_eq!(trial.remaining(&limits, &request(0)).await, [1]);
        let again = trial.settle(over, &Usage::new(), Progress::Final).await;
        assert!(!again.is_applied());
        drop(trial.reserve(&limits, &request(0)).await);
    }
    assert_eq!(trial.remaining(&limits, &request(0)).await, [0]);
}

pub(super) async fn concurrent_use_needs_a_reservation(trial: &Trial<'_, impl Harness>) {
    let limits = limits([requests("tenant", bucket(5)), calls(2, HOUR)]);
    let request = request(0);
    let charges = limits.resolve(&request).expect("the request is complete");
    let decision = trial.store.check(&charges, trial.harness.now()).await;
    assert!(
        matches!(decision, Err(StoreError::NeedsReservation { .. })),
        "what nobody could release was charged: {decision:?}"
    );
    assert_eq!(trial.remaining(&limits, &request).await, [5, 2]);
}

pub(super) async fn a_budget_is_spent_for_good(trial: &Trial<'_, impl Harness>) {
    let limits = limits([budget("budget", 100, HOUR, Expired::Spent)]);
    let mut reservation = trial.reserve(&limits, &request(80)).await;
    assert!(!trial.check(&limits, &request(21)).await.is_allowed());
    let settlement = trial.settle_tokens(&mut reservation, 30).await;
    assert_eq!(settlement.parts()[0].refunded, 50);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [70]);
    assert!(trial.check(&limits, &request(20)).await.is_allowed());

    // An overrun is spent too, beyond the amount if need be.
    let mut reservation = trial.reserve(&limits, &request(50)).await;
    let settlement = trial.settle_tokens(&mut reservation, 60).await;
    assert_eq!(settlement.parts()[0].debt, 10);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [0]);
    let refused = trial.check(&limits, &request(1)).await;
    assert_eq!(refused.retry_after(), Some(RetryAfter::Never));
}

pub(super) async fn holds_expire(trial: &Trial<'_, impl Harness>) {
    let calls = limits([calls(1, SOON)]);
    let spent = limits([budget("spent", 10, SOON, Expired::Spent)]);
    let returned = limits([budget("returned", 10, SOON, Expired::Returned)]);
    drop(trial.reserve(&calls, &request(0)).await);
    drop(trial.reserve(&spent, &request(6)).await);
    drop(trial.reserve(&returned, &request(6)).await);
    let refused = trial.try_reserve(&calls, &request(0)).await;
    assert!(wait_of(&refused.decision) <= SOON);
    assert!(!trial.check(&returned, &request(5)).await.is_allowed());
    trial.pass(SOON).await;
    drop(trial.reserve(&calls, &request(0)).await);
    assert_eq!(trial.remaining(&spent, &request(0)).await, [4]);
    assert_eq!(trial.remaining(&returned, &request(0)).await, [10]);
}

pub(super) async fn a_late_settlement_does_not_end_the_hold_of_another(
    trial: &Trial<'_, impl Harness>,
) {
    let limits = limits([calls(1, SOON)]);
    let mut late = trial.reserve(&limits, &request(0)).await;
    trial.pass(SOON).await;
    drop(trial.reserve(&limits, &request(0)).await);
    let _ = trial
        .settle(&mut late, &Usage::new(), Progress::Final)
        .await;
    let admission = trial.try_reserve(&limits, &request(0)).await;
    assert!(!admission.decision.is_allowed(), "two calls of one at once");
}
