//! Is a decision one over all limits, and does a refusal take nothing?

use std::sync::atomic::{AtomicU64, Ordering};

use super::trial::{Trial, bucket, hourly, limits, request, requests, tokens};
use super::{Call, Harness};
use crate::decision::{RetryAfter, Status};
use crate::limit::Limit;
use crate::name::{Dimension, Unit};
use crate::request::Request;
use crate::store::{Store as _, StoreError};

pub(super) async fn a_refusal_takes_nothing_from_any_limit(trial: &Trial<'_, impl Harness>) {
    let limits = limits([
        Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, bucket(100)),
        requests("tenant", bucket(50)),
        tokens("key", bucket(10)),
        Limit::new("method", Dimension::METHOD, Unit::REQUESTS, bucket(30)),
    ]);
    assert!(trial.check(&limits, &request(7)).await.is_allowed());
    let before = trial.remaining(&limits, &request(0)).await;
    assert_eq!(before, [99, 49, 3, 29]);
    for cost in [4, 10, 11, u64::MAX] {
        let refused = trial.check(&limits, &request(cost)).await;
        assert!(!refused.is_allowed(), "{cost} tokens fit into 3");
        let left: Vec<_> = refused.statuses().iter().map(Status::remaining).collect();
        assert_eq!(left, before, "a refusal shows what is left");
        let admission = trial.try_reserve(&limits, &request(cost)).await;
        assert!(!admission.decision.is_allowed());
        assert_eq!(trial.remaining(&limits, &request(0)).await, before);
    }
    assert!(trial.check(&limits, &request(3)).await.is_allowed());
    assert_eq!(trial.remaining(&limits, &request(0)).await, [98, 48, 0, 28]);
}

pub(super) async fn all_violated_limits_are_named_and_the_longest_wait_decides(
    trial: &Trial<'_, impl Harness>,
) {
    let limits = limits([
        requests("quick", hourly(3600).burst(1).expect("a valid burst")),
        requests("roomy", bucket(100)),
        requests("slow", bucket(1)),
        tokens("middling", hourly(60).burst(1).expect("a valid burst")),
    ]);
    let allowed = trial.check(&limits, &request(1)).await;
    assert!(allowed.is_allowed() && allowed.violated().next().is_none());
    assert!(allowed.deciding().is_none() && allowed.retry_after().is_none());

    let refused = trial.check(&limits, &request(1)).await;
    let violated: Vec<_> = refused.violated().map(Status::name).collect();
    assert_eq!(violated, ["quick", "slow", "middling"]);
    assert_eq!(refused.deciding().map(Status::name), Some("slow"));
    let slow = refused.deciding().and_then(Status::retry_after);
    assert_eq!(refused.retry_after(), slow);
    for status in refused.statuses() {
        assert_eq!(status.fits(), status.name() == "roomy");
    }
    let names: Vec<_> = refused.statuses().iter().map(Status::name).collect();
    assert_eq!(names, ["quick", "roomy", "slow", "middling"]);
}

pub(super) async fn a_cost_above_the_burst_never_passes(trial: &Trial<'_, impl Harness>) {
    let limits = limits([requests("tenant", bucket(5)), tokens("key", bucket(10))]);
    for cost in [11, 1000, u64::from(u32::MAX), 1 << 53, u64::MAX] {
        let refused = trial.check(&limits, &request(cost)).await;
        assert_eq!(refused.retry_after(), Some(RetryAfter::Never), "{cost}");
        assert_eq!(refused.deciding().map(Status::name), Some("key"));
    }
    assert!(trial.check(&limits, &request(10)).await.is_allowed());
    let refused = trial.check(&limits, &request(10)).await;
    let wait = refused.retry_after().and_then(RetryAfter::duration);
    assert!(wait.is_some(), "a cost as large as the burst passes later");
}

/// A store may say that it cannot represent a quota as large as this, but never decide wrongly.
pub(super) async fn costs_of_any_size_are_decided(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", hourly(u64::MAX))]);
    let now = trial.harness.now();
    for (cost, fits) in [
        (u64::MAX - 3, true),
        (4, false),
        (u64::MAX, false),
        (1, true),
    ] {
        let request = request(cost);
        let charges = limits.resolve(&request).expect("the request is complete");
        match trial.store.peek(&charges, now).await {
            Err(StoreError::Quota { .. }) => return,
            other => drop(other.expect("the store can look")),
        }
        // In real time it refills by more than five units between two calls.
        if trial.tick().is_some() {
            let decision = trial.check(&limits, &request).await;
            assert_eq!(decision.is_allowed(), fits, "{cost}");
        }
    }
}

pub(super) async fn peeking_changes_nothing(trial: &Trial<'_, impl Harness>) {
    let limits = limits([requests("tenant", bucket(3)), tokens("key", bucket(10))]);
    for _ in 0..20 {
        let decision = trial.peek(&limits, &request(10)).await;
        assert!(decision.is_allowed(), "nothing was taken: {decision:?}");
        let left: Vec<_> = decision.statuses().iter().map(Status::remaining).collect();
        assert_eq!(left, [3, 10]);
    }
    assert!(trial.check(&limits, &request(10)).await.is_allowed());
    let peeked = trial.peek(&limits, &request(1)).await;
    assert_eq!(peeked.deciding().map(Status::name), Some("key"));
}

pub(super) async fn a_cost_of_nothing_takes_nothing(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", bucket(10))]);
    for _ in 0..20 {
        assert!(trial.check(&limits, &request(0)).await.is_allowed());
    }
    assert!(trial.check(&limits, &request(10)).await.is_allowed());
    assert!(trial.check(&limits, &request(0)).await.is_allowed());
    assert_eq!(trial.remaining(&limits, &request(0)).await, [0]);
}

pub(super) async fn a_request_without_limits_passes(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", bucket(10)).optional()]);
    let decision = trial.check(&limits, &Request::new()).await;
    assert!(decision.is_allowed() && decision.statuses().is_empty());
    let mut reservation = trial.reserve(&limits, &Request::new()).await;
    let settlement = trial.settle_tokens(&mut reservation, 1).await;
    assert_eq!(settlement.parts(), []);
}

pub(super) async fn a_limit_in_shadow_mode_neither_refuses_nor_pays(
    trial: &Trial<'_, impl Harness>,
) {
    let limits = limits([
        requests("tenant", bucket(5)),
        tokens("tried", bucket(10)).shadow(),
    ]);
    assert!(trial.check(&limits, &request(8)).await.is_allowed());
    assert_eq!(trial.remaining(&limits, &request(0)).await, [4, 2]);
    // It does not fit any more: it passes, is reported and is charged to the other limit alone.
    let decision = trial.check(&limits, &request(3)).await;
    assert!(decision.is_allowed(), "{decision:?}");
    let reported: Vec<_> = decision.shadow_violated().map(Status::name).collect();
    assert_eq!(reported, ["tried"]);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [3, 2]);
    // Where it fits, it counts; where another limit refuses, it takes nothing either.
    assert!(trial.check(&limits, &request(2)).await.is_allowed());
    assert_eq!(trial.remaining(&limits, &request(0)).await, [2, 0]);
    let mut reservation = trial.reserve(&limits, &request(5)).await;
    let settlement = trial.settle_tokens(&mut reservation, 0).await;
    let refunded: u64 = settlement.parts().iter().map(|part| part.refunded).sum();
    assert_eq!(refunded, 0, "what was not charged does not come back");
    assert_eq!(trial.remaining(&limits, &request(0)).await, [1, 0]);
}

pub(super) async fn keys_and_limits_are_independent(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("one", bucket(10)), tokens("other", bucket(20))]);
    let keys = [
        "", "a", "a ", "A", "ä", "a:b", "{a}", "*", "one", "\0", "\n",
    ];
    for key in keys {
        let request = Request::new().api_key(key).cost(Unit::TOKENS, 10);
        let decision = trial.check(&limits, &request).await;
        assert!(decision.is_allowed(), "{key:?} shares a bucket");
    }
    for key in keys {
        let request = Request::new().api_key(key).cost(Unit::TOKENS, 0);
        assert_eq!(trial.remaining(&limits, &request).await, [0, 10], "{key:?}");
    }
}

/// The number of callers who pass does not depend on how they meet.
pub(super) async fn fifty_callers_share_a_bucket_exactly<H: Harness>(trial: &Trial<'_, H>) {
    let limits = limits([tokens("key", bucket(100))]);
    for round in 0..100 {
        let key = format!("key-{round}");
        let passed = AtomicU64::new(0);
        let calls = (0..50).map(|_| -> Call<'_> {
            Box::pin(async {
                let request = Request::new().api_key(&key).cost(Unit::TOKENS, 5);
                let decision = trial.check(&limits, &request).await;
                passed.fetch_add(u64::from(decision.is_allowed()), Ordering::SeqCst);
            })
        });
        trial.harness.at_once(calls.collect()).await;
        let passed = passed.into_inner();
        assert_eq!(passed, 20, "50 callers x 5 on a bucket of 100");
    }
}

/// A caller who is refused by one limit must not keep another out of the limit that both share.
pub(super) async fn callers_of_overlapping_limits_share_them_exactly<H: Harness>(
    trial: &Trial<'_, H>,
) {
    let limits = limits([requests("tenant", bucket(30)), tokens("key", bucket(10))]);
    for round in 0..20 {
        let tenant = format!("tenant-{round}");
        // 20 keys with room for two calls of 5 tokens each, of which the tenant lets 30 pass.
        let keys: Vec<_> = (0..20).map(|key| format!("key-{round}-{key}")).collect();
        let passed = AtomicU64::new(0);
        let calls = (0..80).map(|caller| -> Call<'_> {
            let (key, tenant) = (&keys[caller % 20], &tenant);
            let (limits, passed) = (&limits, &passed);
            Box::pin(async move {
                let request = Request::new().tenant(tenant).api_key(key);
                let decision = trial.check(limits, &request.cost(Unit::TOKENS, 5)).await;
                passed.fetch_add(u64::from(decision.is_allowed()), Ordering::SeqCst);
            })
        });
        trial.harness.at_once(calls.collect()).await;
        let passed = passed.into_inner();
        assert_eq!(passed, 30);
        let mut charged = 0;
        for key in &keys {
            let request = Request::new().tenant(&tenant).api_key(key);
            let left = trial
                .remaining(&limits, &request.cost(Unit::TOKENS, 0))
                .await;
            assert_eq!(left[0], 0);
            charged += 10 - left[1];
        }
        assert_eq!(charged, 5 * passed, "refused callers took tokens");
    }
}
