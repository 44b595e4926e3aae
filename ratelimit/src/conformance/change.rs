//! Does what was used stay used when limits change while the service runs?

use super::Harness;
use super::trial::{Trial, bucket, hourly, limits, request, tokens};
use crate::decision::Status;

pub(super) async fn a_raised_limit_keeps_what_was_used(trial: &Trial<'_, impl Harness>) {
    let before = limits([tokens("key", hourly(10))]);
    let raised = limits([tokens("key", hourly(20))]);
    assert!(trial.check(&before, &request(8)).await.is_allowed());
    assert_eq!(trial.remaining(&raised, &request(0)).await, [12]);
    assert!(trial.check(&raised, &request(12)).await.is_allowed());
    assert!(!trial.check(&raised, &request(1)).await.is_allowed());
}

pub(super) async fn a_lowered_limit_keeps_what_was_used(trial: &Trial<'_, impl Harness>) {
    let before = limits([tokens("key", hourly(10))]);
    let lowered = limits([tokens("key", hourly(5))]);
    assert!(trial.check(&before, &request(3)).await.is_allowed());
    assert_eq!(trial.remaining(&lowered, &request(0)).await, [2]);
    assert!(trial.check(&lowered, &request(2)).await.is_allowed());
    let refused = trial.check(&lowered, &request(1)).await;
    assert_eq!(refused.deciding().map(Status::limit_units), Some(5));

    // More was used than the new limit holds: it is empty, and not in debt for what was allowed.
    let before = limits([tokens("other", hourly(10))]);
    let lowered = limits([tokens("other", hourly(5))]);
    assert!(trial.check(&before, &request(9)).await.is_allowed());
    let refused = trial.check(&lowered, &request(1)).await;
    let wait = super::trial::wait_of(&refused);
    assert!(
        wait.as_secs() <= 720,
        "an hour of 5 lets one pass in {wait:?}"
    );
}

pub(super) async fn another_tier_keeps_what_was_used(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", hourly(10)).tier("paid", hourly(100))]);
    assert!(trial.check(&limits, &request(8)).await.is_allowed());
    assert!(!trial.check(&limits, &request(8)).await.is_allowed());
    let paid = |cost| request(cost).tier("paid");
    assert_eq!(trial.remaining(&limits, &paid(0)).await, [92]);
    assert!(trial.check(&limits, &paid(42)).await.is_allowed());
    assert_eq!(trial.remaining(&limits, &paid(0)).await, [50]);
    // Back in the free tier nothing is left; and moving to and fro gives nothing away.
    assert!(!trial.check(&limits, &request(1)).await.is_allowed());
}

pub(super) async fn another_burst_keeps_what_was_used(trial: &Trial<'_, impl Harness>) {
    let [small, large] = [bucket(10), bucket(30)].map(|quota| limits([tokens("key", quota)]));
    assert!(trial.check(&small, &request(10)).await.is_allowed());
    assert_eq!(trial.remaining(&large, &request(0)).await, [20]);
    assert!(trial.check(&large, &request(20)).await.is_allowed());
    assert!(!trial.check(&small, &request(1)).await.is_allowed());
    assert!(!trial.check(&large, &request(30)).await.is_allowed());
}

pub(super) async fn a_settlement_after_a_change_gives_nothing_away(
    trial: &Trial<'_, impl Harness>,
) {
    let [before, after] = [hourly(100), hourly(50)].map(|quota| limits([tokens("key", quota)]));
    let mut reservation = trial.reserve(&before, &request(40)).await;
    let mut overrun = trial.reserve(&before, &request(5)).await;
    assert!(trial.check(&after, &request(1)).await.is_allowed());
    let settlement = trial.settle_tokens(&mut reservation, 10).await;
    assert!(settlement.parts()[0].refunded <= 30);
    let left = trial.remaining(&after, &request(0)).await;
    assert!(left[0] <= 34, "{left:?} of 50 with 16 used");
    // An overrun is owed all the same.
    let _ = trial.settle_tokens(&mut overrun, 9).await;
    let owed = trial.remaining(&after, &request(0)).await;
    assert_eq!(owed[0], left[0].saturating_sub(4));
}
