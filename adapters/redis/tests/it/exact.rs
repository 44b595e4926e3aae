//! Are limits exact when many callers come at once, over several connections and processes' worth of
//! stores?

use std::time::Duration;

use bursar_ratelimit::{
    Concurrency, Dimension, Limit, Limits, Progress, Rate, Request, Store as _, Timestamp, Unit,
    Usage,
};
use bursar_redis::{RedisSettings, RedisStore};
use tokio::task::JoinSet;

use crate::server::{SharedCluster, Single, fresh_prefix};

/// Refills too slowly to matter here.
fn bucket(burst: u64) -> Rate {
    let rate = Rate::new(1, Duration::from_secs(86_400)).unwrap();
    rate.burst(burst).unwrap()
}

fn limits() -> Limits {
    let key = Limit::new("key", Dimension::API_KEY, Unit::TOKENS, bucket(100));
    let tenant = Limit::new("tenant", Dimension::TENANT, Unit::REQUESTS, bucket(1_000));
    Limits::new([tenant, key]).unwrap()
}

fn settings() -> RedisSettings {
    RedisSettings::default()
        .prefix(fresh_prefix())
        .timeout(Duration::from_secs(5))
}

/// 50 callers in tasks of their own, spread over the stores.
async fn passed(stores: &[RedisStore], key: &str) -> u64 {
    let mut calls = JoinSet::new();
    for caller in 0..50 {
        let store = stores[caller % stores.len()].clone();
        let key = key.to_owned();
        calls.spawn(async move {
            let limits = limits();
            let request = Request::new().tenant("acme").api_key(&key);
            let request = request.cost(Unit::TOKENS, 5);
            let charges = limits.resolve(&request).unwrap();
            let decision = store.check(&charges, Timestamp::ZERO).await.unwrap();
            u64::from(decision.is_allowed())
        });
    }
    calls.join_all().await.into_iter().sum()
}

async fn exactly_twenty_pass(stores: &[RedisStore]) {
    for round in 1..=40 {
        assert_eq!(passed(stores, &format!("key-{round}")).await, 20);
        let limits = limits();
        let request = Request::new().tenant("acme").api_key("other");
        let request = request.cost(Unit::TOKENS, 0);
        let charges = limits.resolve(&request).unwrap();
        let decision = stores[0].peek(&charges, Timestamp::ZERO).await.unwrap();
        let left = decision.statuses()[0].remaining();
        assert_eq!(left, 1_000 - 20 * round, "refused callers took requests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_callers_from_several_connections_share_a_bucket_exactly() {
    let Some(server) = Single::find() else { return };
    let settings = settings().connections(2);
    let store = |_| RedisStore::single(server.url(), settings.clone()).unwrap();
    exactly_twenty_pass(&[0; 4].map(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_callers_share_a_bucket_exactly_in_a_cluster() {
    let Some(cluster) = SharedCluster::find() else {
        return;
    };
    let settings = settings();
    let store = |_| RedisStore::cluster(&cluster.urls(), settings.clone()).unwrap();
    exactly_twenty_pass(&[0; 3].map(store)).await;
}

/// One store reserves, another one with the same settings settles, as after a restart of a process.
#[tokio::test]
async fn any_process_may_settle_and_only_once() {
    let Some(server) = Single::find() else { return };
    let settings = settings();
    let store = || RedisStore::single(server.url(), settings.clone()).unwrap();
    let calls = Concurrency::new(1, Duration::from_secs(600)).unwrap();
    let unit = Unit::CONCURRENT_REQUESTS;
    let limits = Limits::new([
        Limit::new("calls", Dimension::API_KEY, unit, calls),
        Limit::new("key", Dimension::API_KEY, Unit::TOKENS, bucket(100)),
    ])
    .unwrap();
    let request = Request::new().api_key("key-17").cost(Unit::TOKENS, 60);
    let charges = limits.resolve(&request).unwrap();
    let (first, second) = (store(), store());
    let reserve = async || first.reserve(&charges, Timestamp::ZERO).await.unwrap();
    let mut reservation = reserve().await.reservation.unwrap();
    assert!(reserve().await.reservation.is_none(), "two calls of one");

    let usage = Usage::new().with(Unit::TOKENS, 10);
    let mut copy =
        bursar_ratelimit::Reservation::new(reservation.id(), reservation.holds().iter().cloned());
    let settle = async |store: &RedisStore, reservation| {
        let progress = Progress::Final;
        let settled = store.settle(reservation, &usage, progress, Timestamp::ZERO);
        settled.await.unwrap().is_applied()
    };
    assert!(settle(&second, &mut copy).await);
    assert!(!settle(&first, &mut reservation).await, "settled twice");
    assert!(reservation.is_settled());
    let left = first.peek(&charges, Timestamp::ZERO).await.unwrap();
    let left: Vec<u64> = left.statuses().iter().map(|one| one.remaining()).collect();
    assert_eq!(left[0], 1);
    // A part of the first unit had drained, so a unit less may be given back.
    assert!((89..=90).contains(&left[1]), "{left:?}");
}
