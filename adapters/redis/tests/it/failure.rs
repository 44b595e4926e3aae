//! What do callers see when something is not as it should be?

use std::time::Duration;

use bursar_ratelimit::{
    Dimension, Limit, Limits, MemoryStore, Progress, Rate, Request, Reservation, Store as _,
    StoreError, Timestamp, Unit, Usage,
};
use bursar_redis::{RedisSettings, RedisStore};

use crate::server::{Server, Single, fresh_prefix};

fn limits(quota: Rate) -> Limits {
    Limits::new([Limit::new("key", Dimension::API_KEY, Unit::TOKENS, quota)]).unwrap()
}

fn settings() -> RedisSettings {
    RedisSettings::default()
        .prefix(fresh_prefix())
        .timeout(Duration::from_secs(5))
}

#[tokio::test]
async fn nobody_at_the_port_is_not_available() {
    let store = RedisStore::single("redis://127.0.0.1:1", settings()).unwrap();
    for _ in 0..3 {
        let error = store.ping().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }
}

#[test]
fn outside_of_a_runtime_is_an_error_and_no_panic() {
    let store = RedisStore::single("redis://127.0.0.1:1", settings()).unwrap();
    let mut ping = Box::pin(store.ping());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match ping.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(StoreError::Unavailable { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn scripts_that_a_server_has_forgotten_are_sent_again() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = RedisStore::single(&server.url(), settings()).unwrap();
    let limits = limits(Rate::per_minute(1_000).unwrap());
    let request = Request::new().api_key("key-17").cost(Unit::TOKENS, 10);
    let charges = limits.resolve(&request).unwrap();
    for _ in 0..3 {
        server.cli(&["script", "flush"]);
        let admission = store.reserve(&charges, Timestamp::ZERO).await.unwrap();
        let mut reservation = admission.reservation.unwrap();
        server.cli(&["script", "flush"]);
        let usage = Usage::new().with(Unit::TOKENS, 5);
        let settled = store.settle(&mut reservation, &usage, Progress::Final, Timestamp::ZERO);
        assert!(settled.await.unwrap().is_applied());
        assert!(store.ping().await.unwrap() > Duration::from_secs(1_600_000_000));
    }
}

#[tokio::test]
async fn a_value_of_something_else_is_an_error_and_stays() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = RedisStore::single(&server.url(), RedisSettings::default()).unwrap();
    let limits = limits(Rate::per_minute(1_000).unwrap());
    let request = Request::new().api_key("key-17").cost(Unit::TOKENS, 10);
    let charges = limits.resolve(&request).unwrap();
    let key = "{bursar}:r:key:key-17";
    server.cli(&["set", key, "somebody else's"]);
    let error = store.check(&charges, Timestamp::ZERO).await.unwrap_err();
    let StoreError::Unavailable { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(
        source.to_string().contains("is not a rate of this version"),
        "{source}"
    );
    assert_eq!(server.cli(&["get", key]).trim(), "somebody else's");
}

#[tokio::test]
async fn reservations_of_others_are_foreign() {
    let Some(server) = Single::find() else { return };
    let limits = limits(Rate::per_minute(1_000).unwrap());
    let request = Request::new().api_key("key-17").cost(Unit::TOKENS, 10);
    let charges = limits.resolve(&request).unwrap();
    let store = RedisStore::single(server.url(), settings()).unwrap();
    let other = RedisStore::single(server.url(), settings()).unwrap();
    let of_other = other.reserve(&charges, Timestamp::ZERO).await.unwrap();
    let of_memory = MemoryStore::default().reserve(&charges, Timestamp::ZERO);
    let foreign: [Reservation; 2] = [
        of_other.reservation.unwrap(),
        of_memory.unwrap().reservation.unwrap(),
    ];
    for mut reservation in foreign {
        let (usage, progress) = (Usage::new(), Progress::Final);
        let settled = store.settle(&mut reservation, &usage, progress, Timestamp::ZERO);
        assert!(matches!(settled.await, Err(StoreError::ForeignReservation)));
    }
}

#[tokio::test]
async fn more_limits_than_a_script_takes_are_an_error() {
    let Some(server) = Single::find() else { return };
    let store = RedisStore::single(server.url(), settings()).unwrap();
    let limit = |number: usize| {
        let rate = Rate::per_minute(1_000).unwrap();
        Limit::new(
            format!("limit-{number}"),
            Dimension::GLOBAL,
            Unit::REQUESTS,
            rate,
        )
    };
    for (count, fits) in [(52, true), (53, false)] {
        let limits = Limits::new((0..count).map(limit)).unwrap();
        let charges = limits.resolve(&Request::new()).unwrap();
        match store.check(&charges, Timestamp::ZERO).await {
            Ok(decision) => assert!(fits && decision.is_allowed()),
            Err(StoreError::Apart { limit, .. }) => assert!(!fits && limit == "limit-52"),
            Err(other) => panic!("{other:?}"),
        }
    }
}
