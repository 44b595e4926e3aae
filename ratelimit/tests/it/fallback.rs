//! Failure policies: what becomes of requests while the store fails, and how the store comes back.

use std::time::Duration;

use bursar_ratelimit::breaker::Phase;
use bursar_ratelimit::fallback::{Fallback, Settings};
use bursar_ratelimit::http::FieldSet;
use bursar_ratelimit::{
    Budget, Concurrency, Dimension, Level, Limit, Limits, OnFailure, Progress, Quota, Rate,
    Request, RetryAfter, SlidingWindow, Store, StoreError, Timestamp, Unit, Usage,
};
use futures_executor::block_on;

use crate::support::Server;

const NOW: Timestamp = Timestamp::from_secs(100);

/// Opens after two failures, for a second.
fn fallback() -> Fallback<Server> {
    let mut settings = Settings::default();
    settings.breaker.consecutive_failures = 2;
    settings.breaker.backoff = Duration::from_secs(1);
    settings.breaker.longest_backoff = Duration::from_secs(1);
    settings.breaker.jitter_percent = 0;
    Fallback::new(Server::default(), settings)
}

fn limit(name: &str, quota: impl Into<Quota>, policy: OnFailure) -> Limit {
    Limit::new(name, Dimension::GLOBAL, Unit::REQUESTS, quota).on_failure(policy)
}

fn per_minute(limit: u64) -> Rate {
    Rate::per_minute(limit).unwrap()
}

const LOCAL: OnFailure = OnFailure::Local { instances: 10 };

fn passes(store: &Fallback<Server>, limits: &Limits, cost: u64, now: Timestamp) -> bool {
    let request = Request::new().cost(Unit::REQUESTS, cost);
    let charges = limits.resolve(&request).unwrap();
    block_on(store.check(&charges, now)).unwrap().is_allowed()
}

#[test]
fn the_store_decides_as_long_as_it_works() {
    let limits = Limits::new([limit("a", per_minute(3), OnFailure::Open)]).unwrap();
    let store = fallback();
    let passed = (0..10).filter(|_| passes(&store, &limits, 1, NOW)).count();
    assert_eq!(passed, 3);
    assert_eq!(store.store().calls(), 10);
    assert_eq!(store.state(NOW), Phase::Closed);
}

#[test]
fn a_closed_limit_refuses_until_the_next_probe() {
    let limits = Limits::new([limit("a", per_minute(3), OnFailure::Closed)]).unwrap();
    let charges = limits.resolve(&Request::new()).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let second = RetryAfter::After(Duration::from_secs(1));
    for _ in 0..3 {
        let decision = block_on(store.check(&charges, NOW)).unwrap();
        assert_eq!(decision.retry_after(), Some(second));
        let status = decision.deciding().unwrap();
        assert!(!status.is_known() && !status.is_near());
        assert!(matches!(status.level(), Level::Unavailable { .. }));
    }
    let later = NOW + Duration::from_millis(300);
    let decision = block_on(store.peek(&charges, later)).unwrap();
    let left = RetryAfter::After(Duration::from_millis(700));
    assert_eq!(decision.retry_after(), Some(left));
}

#[test]
fn an_open_limit_passes_everything_that_can_ever_pass() {
    let limits = Limits::new([limit("a", per_minute(3), OnFailure::Open)]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    assert!((0..100).all(|_| passes(&store, &limits, 3, NOW)));
}

#[test]
fn a_local_limit_has_its_part_of_rate_and_burst() {
    let rate = per_minute(600).burst(100).unwrap();
    let limits = Limits::new([limit("a", rate, LOCAL)]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let passed = (0..50).filter(|_| passes(&store, &limits, 1, NOW)).count();
    assert_eq!(passed, 10);
    // A unit comes back each second.
    assert!(!passes(
        &store,
        &limits,
        1,
        NOW + Duration::from_millis(999)
    ));
    assert!(passes(&store, &limits, 1, NOW + Duration::from_secs(1)));
}

#[test]
fn all_instances_together_stay_within_the_quota() {
    let hour = Duration::from_secs(3600);
    let quotas: [Quota; 5] = [
        per_minute(1_003).into(),
        Rate::new(7, Duration::from_nanos(u64::MAX))
            .unwrap()
            .burst(37)
            .unwrap()
            .into(),
        SlidingWindow::new(99, hour).unwrap().into(),
        Concurrency::new(31, hour).unwrap().into(),
        Budget::new(500, hour).unwrap().into(),
    ];
    for quota in quotas {
        for instances in [0, 1, 2, 7, 30] {
            let share = quota.share_of(instances);
            let all = share.largest_cost() * u64::from(instances.max(1));
            assert!(all <= quota.largest_cost(), "{quota:?} {instances}");
            if let (Quota::Rate(share), Quota::Rate(whole)) = (share, quota) {
                // share.units / share.ticks × instances <= whole.units / whole.ticks
                let left = u128::from(share.gcra().units())
                    * u128::from(instances.max(1))
                    * u128::from(whole.gcra().ticks());
                let right = u128::from(whole.gcra().units()) * u128::from(share.gcra().ticks());
                let least = share.limit() == 1 && whole.limit() < u64::from(instances);
                assert!(left <= right || least, "{quota:?} {instances}");
            }
        }
    }
    // Fewer units than instances: one each.
    assert_eq!(quotas[2].share_of(1_000).largest_cost(), 1);
}

#[test]
fn what_one_limit_refuses_takes_nothing_from_a_local_one() {
    let open = limit("open", per_minute(10), OnFailure::Open);
    let local = limit("local", per_minute(100), LOCAL);
    let tokens =
        Limit::new("tokens", Dimension::GLOBAL, Unit::TOKENS, per_minute(1_000)).on_failure(LOCAL);
    let limits = Limits::new([open, local, tokens]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let ask = |tokens: u64| {
        let request = Request::new().cost(Unit::TOKENS, tokens);
        let charges = limits.resolve(&request).unwrap();
        let decision = block_on(store.check(&charges, NOW)).unwrap();
        decision.is_allowed()
    };
    // More than the local share of 100 tokens; then one that has used them all.
    assert!((0..20).all(|_| !ask(101)));
    assert!(ask(100));
    assert!((0..20).all(|_| !ask(1)));
    // Nine of the ten requests are left.
    assert_eq!((0..20).filter(|_| ask(0)).count(), 9);
}

#[test]
fn a_closed_limit_leaves_local_ones_untouched() {
    let local = limit("local", per_minute(100), LOCAL);
    let closed =
        Limit::new("closed", Dimension::TENANT, Unit::REQUESTS, per_minute(100)).optional();
    let limits = Limits::new([local, closed]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let of_tenant = limits.resolve(&Request::new().tenant("acme")).unwrap();
    for _ in 0..20 {
        assert!(!block_on(store.check(&of_tenant, NOW)).unwrap().is_allowed());
        let admission = block_on(store.reserve(&of_tenant, NOW)).unwrap();
        assert!(admission.reservation.is_none());
    }
    let passed = (0..20).filter(|_| passes(&store, &limits, 1, NOW)).count();
    assert_eq!(passed, 10);
}

#[test]
fn a_limit_in_shadow_mode_refuses_nothing() {
    let limits = Limits::new([limit("a", per_minute(3), OnFailure::Closed).shadow()]).unwrap();
    let charges = limits.resolve(&Request::new()).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let decision = block_on(store.check(&charges, NOW)).unwrap();
    assert!(decision.is_allowed());
    assert_eq!(decision.shadow_violated().count(), 1);
}

#[test]
fn a_cost_beyond_the_share_waits_for_the_store_and_one_beyond_the_quota_for_nothing() {
    let limits = Limits::new([limit("a", per_minute(100), LOCAL)]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let wait_of = |cost| {
        let request = Request::new().cost(Unit::REQUESTS, cost);
        let charges = limits.resolve(&request).unwrap();
        let decision = block_on(store.check(&charges, NOW)).unwrap();
        decision.retry_after()
    };
    let second = RetryAfter::After(Duration::from_secs(1));
    assert_eq!(wait_of(10), None);
    assert_eq!(wait_of(11), Some(second));
    assert_eq!(wait_of(101), Some(RetryAfter::Never));
}

#[test]
fn a_counted_limit_reports_what_is_left_of_its_share() {
    let window = SlidingWindow::new(100, Duration::from_secs(60)).unwrap();
    let limits = Limits::new([limit("a", window, LOCAL)]).unwrap();
    let charges = limits.resolve(&Request::new()).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let decision = block_on(store.check(&charges, NOW)).unwrap();
    assert_eq!(decision.statuses()[0].remaining(), 9);
}

#[test]
fn the_store_is_spared_while_the_breaker_is_open_and_comes_back_by_itself() {
    let limits = Limits::new([limit("a", per_minute(100), OnFailure::Open)]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    for _ in 0..50 {
        assert!(passes(&store, &limits, 1, NOW));
    }
    assert_eq!(store.store().calls(), 2);
    assert_eq!(store.state(NOW), Phase::Open);

    // A probe that fails, then one that succeeds.
    let first = NOW + Duration::from_secs(1);
    for _ in 0..50 {
        assert!(passes(&store, &limits, 1, first));
    }
    assert_eq!(store.store().calls(), 3);
    store.store().set_down(false);
    let second = NOW + Duration::from_secs(2);
    let passed = (0..150)
        .filter(|_| passes(&store, &limits, 1, second))
        .count();
    assert_eq!(passed, 100);
    assert_eq!(store.store().calls(), 153);
    assert_eq!(store.state(second), Phase::Closed);
}

#[test]
fn a_mistake_of_the_caller_is_an_error_and_no_failure() {
    let concurrency = Concurrency::new(1, Duration::from_secs(60)).unwrap();
    let limits = Limits::new([limit("calls", concurrency, OnFailure::Open)]).unwrap();
    let charges = limits.resolve(&Request::new()).unwrap();
    let store = fallback();
    for _ in 0..10 {
        let error = block_on(store.check(&charges, NOW)).unwrap_err();
        assert!(matches!(error, StoreError::NeedsReservation { .. }));
    }
    assert_eq!(store.state(NOW), Phase::Closed);
}

#[test]
fn a_reservation_from_a_failure_is_settled_here_also_after_it() {
    let limits = Limits::new([limit("a", per_minute(100), LOCAL)]).unwrap();
    let ten = Request::new().cost(Unit::REQUESTS, 10);
    let charges = limits.resolve(&ten).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let admission = block_on(store.reserve(&charges, NOW)).unwrap();
    let mut reservation = admission.reservation.unwrap();
    assert_eq!(reservation.reserved(Unit::REQUESTS), Some(10));
    assert!(!passes(&store, &limits, 1, NOW));

    store.store().set_down(false);
    let before = store.store().calls();
    let usage = Usage::new().with(Unit::REQUESTS, 4);
    let settle = |reservation: &mut _| {
        block_on(store.settle(reservation, &usage, Progress::Final, NOW)).unwrap()
    };
    let settlement = settle(&mut reservation);
    assert_eq!(settlement.parts()[0].refunded, 6);
    assert!(!settle(&mut reservation).is_applied());
    assert_eq!(store.store().calls(), before);

    store.store().set_down(true);
    assert_eq!(
        (0..20).filter(|_| passes(&store, &limits, 1, NOW)).count(),
        6
    );
}

#[test]
fn a_reservation_under_an_open_limit_holds_nothing_and_settles() {
    let limits = Limits::new([limit("a", per_minute(100), OnFailure::Open)]).unwrap();
    let charges = limits.resolve(&Request::new()).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let admission = block_on(store.reserve(&charges, NOW)).unwrap();
    let mut reservation = admission.reservation.unwrap();
    assert_eq!(reservation.reserved(Unit::REQUESTS), None);
    let usage = Usage::new().with(Unit::REQUESTS, 5);
    let settlement = block_on(store.settle(&mut reservation, &usage, Progress::Final, NOW));
    let settlement = settlement.unwrap();
    assert!(settlement.is_applied() && settlement.parts().is_empty());
    assert!(reservation.is_settled());
}

#[test]
fn a_reservation_of_the_store_is_settled_when_the_store_is_back() {
    let limits = Limits::new([limit("a", per_minute(100), LOCAL)]).unwrap();
    let request = Request::new().cost(Unit::REQUESTS, 100);
    let charges = limits.resolve(&request).unwrap();
    let store = fallback();
    let admission = block_on(store.reserve(&charges, NOW)).unwrap();
    let mut reservation = admission.reservation.unwrap();
    store.store().set_down(true);
    let usage = Usage::new().with(Unit::REQUESTS, 40);
    for _ in 0..5 {
        let result = block_on(store.settle(&mut reservation, &usage, Progress::Final, NOW));
        assert!(matches!(result, Err(StoreError::Unavailable { .. })));
    }
    store.store().set_down(false);
    let later = NOW + Duration::from_secs(1);
    let settlement =
        block_on(store.settle(&mut reservation, &usage, Progress::Final, later)).unwrap();
    // Of the hundred, one has drained and a part of the next.
    assert_eq!(settlement.parts()[0].refunded, 60);
}

#[test]
fn a_fallback_before_a_fallback_knows_its_own_reservations() {
    let limits = Limits::new([limit("a", per_minute(100), LOCAL)]).unwrap();
    let charges = limits.resolve(&Request::new()).unwrap();
    let inner = fallback();
    let outer = Fallback::new(&inner, Settings::default());
    inner.store().set_down(true);
    let mut reservation = block_on(outer.reserve(&charges, NOW))
        .unwrap()
        .reservation
        .unwrap();
    let usage = Usage::new().with(Unit::REQUESTS, 0);
    let settlement = block_on(outer.settle(&mut reservation, &usage, Progress::Final, NOW));
    assert_eq!(settlement.unwrap().parts()[0].refunded, 1);
    assert_eq!(
        (0..20).filter(|_| passes(&inner, &limits, 1, NOW)).count(),
        10
    );
}

#[test]
fn clients_are_not_told_what_nobody_knows() {
    let fields = |policy| {
        let limits = Limits::new([limit("a", per_minute(3), policy)]).unwrap();
        let charges = limits.resolve(&Request::new()).unwrap();
        let store = fallback();
        store.store().set_down(true);
        let decision = block_on(store.check(&charges, NOW)).unwrap();
        let mut fields = Vec::new();
        FieldSet::default().for_each(&decision, |name, value| {
            fields.push(format!("{name}: {value}"));
        });
        fields
    };
    let open = fields(OnFailure::Open);
    assert!(
        open.iter()
            .any(|field| field.starts_with("ratelimit-policy: "))
    );
    assert!(
        !open
            .iter()
            .any(|field| field.contains("remaining") || field.contains("r="))
    );
    let closed = fields(OnFailure::Closed);
    let refused = closed.iter().find(|field| field.starts_with("ratelimit: "));
    assert_eq!(refused.unwrap(), "ratelimit: \"a\";r=0;t=1");
}

#[test]
fn tiers_of_one_key_do_not_forget_each_others_use_in_a_local_share() {
    let limit = limit("a", per_minute(100), OnFailure::Local { instances: 2 });
    let limits = Limits::new([limit.tier("big", per_minute(1_000))]).unwrap();
    let store = fallback();
    store.store().set_down(true);
    let passes = |tier: &'static str, cost| {
        let request = Request::new().tier(tier).cost(Unit::REQUESTS, cost);
        let charges = limits.resolve(&request).unwrap();
        block_on(store.check(&charges, NOW)).unwrap().is_allowed()
    };
    // Of a share of 500, of which the others have 50.
    assert!(passes("big", 400));
    assert!(!passes("small", 1));
    assert!(!passes("big", 101));
    assert!(passes("big", 100));
}
