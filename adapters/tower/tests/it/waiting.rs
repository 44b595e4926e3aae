//! Who waits, for how long, and who passes first? In tokio's paused time.

use std::sync::Arc;
use std::time::Duration;

use bursar_ratelimit::{Concurrency, Limit, Limits, MemoryStore, Rate, Unit};
use bursar_tower::{RateLimitLayer, RequestFacts};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{header, limit, ping, send, text};

/// A layer by tokio's clock, with the cost in tokens from a header.
fn waiting(limits: impl IntoIterator<Item = Limit>, max_wait: Duration) -> RateLimitLayer {
    let extract = |parts: &Parts| {
        let cost = parts
            .headers
            .get("cost")
            .map_or("1", |cost| cost.to_str().unwrap());
        Ok(RequestFacts::new().cost(Unit::TOKENS, cost.parse().unwrap()))
    };
    let limits = Limits::new(limits).unwrap();
    RateLimitLayer::new(Arc::new(MemoryStore::default()), limits, extract).max_wait(max_wait)
}

async fn status(layer: &RateLimitLayer, cost: u64) -> u16 {
    let request = Request::builder().header("cost", cost).body(()).unwrap();
    let handler = |_| async { Response::new(Full::from("")) };
    send(layer, request, handler).await.status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_as_long_as_it_has_to_and_no_longer() {
    let rate = Rate::per_second(1).unwrap();
    let layer = waiting([limit("all", Unit::REQUESTS, rate)], Duration::from_secs(5));
    assert_eq!(status(&layer, 1).await, 200);
    let started = Instant::now();
    assert_eq!(status(&layer, 1).await, 200);
    assert_eq!(started.elapsed().as_millis(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn whoever_cannot_pass_in_time_is_refused_at_once() {
    let rate = Rate::new(1, Duration::from_secs(10)).unwrap();
    let layer = waiting([limit("all", Unit::REQUESTS, rate)], Duration::from_secs(9));
    assert_eq!(status(&layer, 1).await, 200);
    let started = Instant::now();
    let refused = ping(&layer).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(header(&refused, "retry-after"), Some("10"));
    assert_eq!(started.elapsed(), Duration::ZERO);

    let tokens = Rate::per_second(10).unwrap();
    let layer = waiting(
        [limit("tokens", Unit::TOKENS, tokens)],
        Duration::from_secs(9),
    );
    assert_eq!(status(&layer, 11).await, 429, "more than ever passes");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn requests_pass_in_the_order_in_which_they_came_whatever_they_cost() {
    let rate = Rate::per_second(10).unwrap();
    let layer = waiting(
        [limit("tokens", Unit::TOKENS, rate)],
        Duration::from_secs(60),
    );
    assert_eq!(status(&layer, 10).await, 200);
    let started = Instant::now();
    let passed = Arc::new(Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for (number, cost) in [10, 1, 5, 1, 10, 3].into_iter().enumerate() {
        let (layer, passed) = (layer.clone(), Arc::clone(&passed));
        calls.push(tokio::spawn(async move {
            assert_eq!(status(&layer, cost).await, 200);
            passed.lock().push((number, started.elapsed().as_millis()));
        }));
        tokio::task::yield_now().await;
    }
    for call in calls {
        call.await.unwrap();
    }
    // Ten a second: each passes when those before it and its own tokens have drained.
    let expected = [
        (0, 1_000),
        (1, 1_100),
        (2, 1_600),
        (3, 1_700),
        (4, 2_700),
        (5, 3_000),
    ];
    assert_eq!(*passed.lock(), expected);
}

#[tokio::test(start_paused = true)]
async fn newcomers_do_not_starve_a_large_request() {
    let rate = Rate::per_second(50).unwrap();
    let layer = waiting(
        [limit("tokens", Unit::TOKENS, rate)],
        Duration::from_secs(2),
    )
    .max_waiting(3);
    assert_eq!(status(&layer, 50).await, 200);
    let large = {
        let layer = layer.clone();
        tokio::spawn(async move {
            let started = Instant::now();
            (status(&layer, 50).await, started.elapsed().as_millis())
        })
    };
    tokio::task::yield_now().await;
    let mut small = Vec::new();
    for _ in 0..200 {
        let layer = layer.clone();
        small.push(tokio::spawn(async move { status(&layer, 1).await }));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(large.await.unwrap(), (200, 1_000));
    let mut crowded_out = 0;
    for call in small {
        crowded_out += usize::from(call.await.unwrap() == 429);
    }
    assert!(
        crowded_out > 100,
        "only three may wait, {crowded_out} were refused"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_leaves_the_line() {
    let rate = Rate::per_second(1).unwrap();
    let layer = waiting(
        [limit("all", Unit::REQUESTS, rate)],
        Duration::from_secs(60),
    );
    assert_eq!(status(&layer, 1).await, 200);
    let started = Instant::now();
    let call = |layer: RateLimitLayer| tokio::spawn(async move { status(&layer, 1).await });
    let first = call(layer.clone());
    tokio::task::yield_now().await;
    let second = call(layer.clone());
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap(), 200);
    assert_eq!(started.elapsed().as_millis(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_served_in_time_is_refused_and_takes_nothing() {
    let rate = Rate::per_second(1).unwrap();
    let layer = waiting(
        [limit("all", Unit::REQUESTS, rate)],
        Duration::from_millis(2_500),
    );
    assert_eq!(status(&layer, 1).await, 200);
    let started = Instant::now();
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let layer = layer.clone();
            tokio::spawn(async move { status(&layer, 1).await })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        passed += usize::from(call.await.unwrap() == 200);
    }
    assert_eq!(passed, 2);
    // The third would pass after three seconds, and nobody waits in vain.
    assert_eq!(started.elapsed().as_millis(), 2_000);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        status(&layer.clone().max_wait(Duration::ZERO), 1).await,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_another_to_end() {
    let calls = Concurrency::new(1, Duration::from_secs(3_600)).unwrap();
    let layer = waiting(
        [limit("calls", Unit::REQUESTS, calls)],
        Duration::from_secs(2),
    );
    let under_way = ping(&layer).await;
    let started = Instant::now();
    assert_eq!(status(&layer, 1).await, 429);
    assert!(started.elapsed() <= Duration::from_secs(2));

    let next = {
        let layer = layer.clone();
        tokio::spawn(async move { text(ping(&layer).await).await })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(under_way);
    assert_eq!(next.await.unwrap(), "pong");
}

#[tokio::test(start_paused = true)]
async fn requests_under_several_limits_do_not_wait_for_each_other_in_a_circle() {
    let tokens = Rate::per_second(100).unwrap();
    let requests = Rate::per_second(10).unwrap();
    let limits = [
        limit("tokens", Unit::TOKENS, tokens),
        limit("requests", Unit::REQUESTS, requests),
    ];
    let layer = waiting(limits, Duration::from_secs(600));
    let started = Instant::now();
    // One by one they are held up by tokens or by requests, and change from line to line.
    let calls: Vec<_> = (0..100_u64)
        .map(|number| {
            let layer = layer.clone();
            tokio::spawn(async move { status(&layer, number * 37 % 29).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    let used: u64 = (0..100).map(|number| number * 37 % 29).sum();
    let least = Duration::from_millis((used - 100) * 10);
    let elapsed = started.elapsed();
    assert!(elapsed >= least, "{elapsed:?} for {used} tokens");
    assert!(elapsed < least * 3, "{elapsed:?} for {used} tokens");
}
