//! When and with what is a reservation settled?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bursar_ratelimit::{
    Budget, Charges, Concurrency, Limit, Limits, MemoryStore, Rate, Request as Asked, Timestamp,
    Unit, Usage,
};
use bursar_tower::{RateLimitLayer, ReservationHandle};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::stores::Remote;
use crate::{Fixture, header, layer, limit, ping, send, text};

fn tokens(used: u64) -> Usage {
    Usage::new().with(Unit::TOKENS, used)
}

/// A budget of 1000 tokens, which shows every unit that was charged.
fn budget() -> Limit {
    let quota = Budget::new(1_000, Duration::from_secs(60)).unwrap();
    limit("budget", Unit::TOKENS, quota)
}

/// What is left of the only limit that counts tokens.
fn left(store: &MemoryStore, layer: &RateLimitLayer) -> u64 {
    let limits = layer.limits().load();
    let request = Asked::new().cost(Unit::TOKENS, 0);
    let charges: Charges<'_> = limits.resolve(&request).unwrap();
    let peeked = store.peek(&charges, Timestamp::ZERO).unwrap();
    peeked.statuses()[0].remaining()
}

fn handle(request: &Request<()>) -> ReservationHandle {
    request
        .extensions()
        .get::<ReservationHandle>()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_report_is_settled_when_the_body_has_ended() {
    let store = Arc::new(MemoryStore::default());
    let Fixture { layer, .. } = layer(&store, [budget()]);
    let answer = send(&layer, Request::new(()), |request| async move {
        let reservation = handle(&request);
        assert_eq!(reservation.estimate(Unit::TOKENS), Some(100));
        assert_eq!(reservation.estimate(Unit::REQUESTS), None);
        reservation.report(&tokens(30));
        reservation.report(&tokens(40).with(Unit::REQUESTS, 7));
        Response::new(Full::from("answer"))
    })
    .await;
    assert_eq!(left(&store, &layer), 900, "the answer has not been sent");
    let mut body = answer.into_body();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "answer");
    assert_eq!(left(&store, &layer), 960, "that was the last frame");
    drop(body);
    assert_eq!(left(&store, &layer), 960, "once is enough");
}

#[tokio::test]
async fn silence_is_settled_at_the_estimate() {
    let store = Arc::new(MemoryStore::default());
    let Fixture { layer, .. } = layer(&store, [budget()]);
    text(ping(&layer).await).await;
    assert_eq!(left(&store, &layer), 900);
}

#[tokio::test]
async fn a_handler_may_settle_at_once_and_only_once() {
    let store = Arc::new(MemoryStore::default());
    let Fixture { layer, .. } = layer(&store, [budget()]);
    let inner = Arc::clone(&store);
    let limits = layer.clone();
    let answer = send(&layer, Request::new(()), |request| async move {
        let reservation = handle(&request);
        assert!(reservation.settle(&tokens(10)).await.unwrap().is_applied());
        assert!(reservation.is_settled());
        assert_eq!(left(&inner, &limits), 990);
        assert!(!reservation.settle(&tokens(500)).await.unwrap().is_applied());
        assert!(!reservation.step(&tokens(500)).await.unwrap().is_applied());
        Response::new(Full::from(""))
    })
    .await;
    text(answer).await;
    assert_eq!(left(&store, &layer), 990);
}

#[tokio::test]
async fn a_long_answer_is_charged_while_it_grows() {
    let store = Arc::new(MemoryStore::default());
    let Fixture { layer, .. } = layer(&store, [budget()]);
    let (mut sender, body) = Channel::<Bytes>::new(4);
    let (give, take) = tokio::sync::oneshot::channel();
    let give = Arc::new(parking_lot::Mutex::new(Some(give)));
    let body = Arc::new(parking_lot::Mutex::new(Some(body)));
    let service = layer.layer(service_fn(move |request: Request<()>| {
        let _ = give.lock().take().unwrap().send(handle(&request));
        let body = body.lock().take().unwrap();
        async move { Ok::<_, std::convert::Infallible>(Response::new(body)) }
    }));
    let answer = service.oneshot(Request::new(())).await.unwrap();
    let reservation = take.await.unwrap();
    let mut body = answer.into_body();
    for (used, expected) in [(60, 900), (150, 850), (150, 850), (400, 600)] {
        sender.send_data(Bytes::from_static(b"word")).await.unwrap();
        assert!(body.frame().await.unwrap().unwrap().is_data());
        let _ = reservation.step(&tokens(used)).await.unwrap();
        assert_eq!(left(&store, &layer), expected, "{used} used");
    }
    reservation.report(&tokens(420));
    drop(sender);
    assert!(body.frame().await.is_none());
    assert!(reservation.is_settled());
    assert_eq!(left(&store, &layer), 580);
}

#[tokio::test]
async fn trailers_end_a_body_too() {
    let store = Arc::new(MemoryStore::default());
    let quota = Concurrency::new(1, Duration::from_secs(60)).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("calls", Unit::REQUESTS, quota)]);
    let service = layer.layer(service_fn(|_: Request<()>| async {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let frames =
            Full::new(Bytes::from_static(b"data")).with_trailers(async move { Some(Ok(trailers)) });
        Ok::<_, std::convert::Infallible>(Response::new(frames))
    }));
    let answer = service.oneshot(Request::new(())).await.unwrap();
    let collected = answer.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(ping(&layer).await.status(), 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_over() {
    let store = Arc::new(MemoryStore::default());
    let quota = Concurrency::new(1, Duration::from_secs(60)).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("calls", Unit::REQUESTS, quota)]);
    let service = layer.layer(service_fn(|_: Request<()>| async {
        let (sender, body) = Channel::<Bytes, String>::new(1);
        sender.abort("broken off".to_owned());
        Ok::<_, std::convert::Infallible>(Response::new(body))
    }));
    let mut answer = service.oneshot(Request::new(())).await.unwrap();
    let error = answer.body_mut().frame().await.unwrap().unwrap_err();
    assert_eq!(error, "broken off");
    assert_eq!(ping(&layer).await.status(), 200);
}

#[tokio::test]
async fn concurrent_calls_last_until_the_body_has_ended_or_was_dropped() {
    let store = Arc::new(MemoryStore::default());
    let quota = Concurrency::new(1, Duration::from_secs(600)).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("calls", Unit::REQUESTS, quota)]);
    let (mut sender, body) = Channel::<Bytes>::new(4);
    let body = Arc::new(parking_lot::Mutex::new(Some(body)));
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let body = body.lock().take().unwrap();
        async move { Ok::<_, std::convert::Infallible>(Response::new(body)) }
    }));
    let mut answer = service.oneshot(Request::new(())).await.unwrap();
    sender
        .send(Frame::data(Bytes::from_static(b"word")))
        .await
        .unwrap();
    answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(ping(&layer).await.status(), 429, "the answer is under way");
    drop(answer);
    let next = ping(&layer).await;
    assert_eq!(next.status(), 200, "the client has gone");
    assert_eq!(text(next).await, "pong");
    assert_eq!(ping(&layer).await.status(), 200);
}

#[tokio::test]
async fn a_service_that_fails_or_is_given_up_holds_nothing() {
    let store = Arc::new(MemoryStore::default());
    let quota = Concurrency::new(1, Duration::from_secs(600)).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("calls", Unit::REQUESTS, quota)]);
    let failing = layer.layer(service_fn(|_: Request<()>| async {
        Err::<Response<Full<Bytes>>, _>("broken")
    }));
    assert_eq!(
        failing.oneshot(Request::new(())).await.unwrap_err(),
        "broken"
    );

    let endless = layer.layer(service_fn(|_: Request<()>| {
        std::future::pending::<Result<Response<Full<Bytes>>, ()>>()
    }));
    let mut call = Box::pin(endless.oneshot(Request::new(())));
    assert!(futures_executor::block_on(std::future::poll_fn(
        |context| { std::task::Poll::Ready(call.as_mut().poll(context).is_pending()) }
    )));
    assert_eq!(ping(&layer).await.status(), 429, "a call is under way");
    drop(call);
    assert_eq!(ping(&layer).await.status(), 200);
}

#[tokio::test]
async fn a_store_far_away_settles_in_a_task() {
    let store = Arc::new(Remote::default());
    let Fixture { layer, runtime } = layer(&store, [budget()]);
    let answer = send(&layer, Request::new(()), |request| async move {
        handle(&request).report(&tokens(1));
        Response::new(Full::from(""))
    })
    .await;
    drop(answer);
    assert_eq!(left(&store.memory, &layer), 900);
    assert_eq!(runtime.run_tasks(), 1);
    assert_eq!(left(&store.memory, &layer), 999);
}

#[tokio::test]
async fn a_step_that_outlives_its_body_leaves_the_settlement_to_its_end() {
    let store = Arc::new(Remote::default());
    let Fixture { layer, runtime } = layer(&store, [budget()]);
    let (give, take) = tokio::sync::oneshot::channel();
    let give = Arc::new(parking_lot::Mutex::new(Some(give)));
    let answer = send(&layer, Request::new(()), move |request| async move {
        let _ = give.lock().take().unwrap().send(handle(&request));
        Response::new(Full::from(""))
    })
    .await;
    let reservation = take.await.unwrap();
    let usage = tokens(300);
    let mut step = Box::pin(reservation.step(&usage));
    let poll_once = |step: &mut std::pin::Pin<Box<_>>| {
        fn pending<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> bool {
            let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
            future.as_mut().poll(context).is_pending()
        }
        pending(step)
    };
    assert!(poll_once(&mut step));
    // Meanwhile a second report comes, and the client goes.
    assert!(!reservation.step(&tokens(310)).await.unwrap().is_applied());
    drop(answer);
    assert_eq!(runtime.run_tasks(), 0, "the reservation is still lent");
    // Dropped half way, the step gives it back, and it is settled.
    drop(step);
    assert_eq!(runtime.run_tasks(), 1);
    assert_eq!(left(&store.memory, &layer), 690);
    assert_eq!(store.settlements.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_failed_settlement_is_reported_and_tried_again_at_the_end() {
    let store = Arc::new(Remote::default());
    let Fixture { layer, runtime } = layer(&store, [budget()]);
    let errors = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let log = Arc::clone(&errors);
    let layer = layer.on_error(move |error| log.lock().push(error.to_string()));
    let inner = Arc::clone(&store);
    let answer = send(&layer, Request::new(()), |request| async move {
        inner.is_down.store(true, Ordering::Relaxed);
        let error = handle(&request).settle(&tokens(20)).await.unwrap_err();
        assert!(error.to_string().contains("remote"));
        inner.is_down.store(false, Ordering::Relaxed);
        Response::new(Full::from(""))
    })
    .await;
    drop(answer);
    assert_eq!(runtime.run_tasks(), 1);
    assert_eq!(left(&store.memory, &layer), 980);
    assert!(errors.lock().is_empty());

    let answer = ping(&layer).await;
    store.is_down.store(true, Ordering::Relaxed);
    drop(answer);
    runtime.run_tasks();
    assert_eq!(errors.lock().len(), 1, "nobody else would know");
    assert_eq!(left(&store.memory, &layer), 880);
}

#[tokio::test]
async fn a_store_that_panics_does_not_do_so_in_a_destructor() {
    let store = Arc::new(Remote::default());
    let Fixture { layer, runtime } = layer(&store, [budget()]);
    let answer = ping(&layer).await;
    store.panics.store(true, Ordering::Relaxed);
    drop(answer);
    assert_eq!(runtime.run_tasks(), 0);
}

#[tokio::test]
async fn a_refund_serves_the_next_request() {
    let store: Arc<MemoryStore> = Arc::default();
    let rate = Rate::per_minute(100).unwrap();
    let limits = Limits::new([limit("tokens", Unit::TOKENS, rate)]).unwrap();
    let Fixture { layer, .. } = layer(&store, limits.as_slice().to_vec());
    let answer = send(&layer, Request::new(()), |request| async move {
        handle(&request).report(&tokens(0));
        Response::new(Full::from(""))
    })
    .await;
    assert_eq!(ping(&layer).await.status(), 429, "the whole rate is held");
    text(answer).await;
    let next = ping(&layer).await;
    assert_eq!(header(&next, "x-ratelimit-remaining-tokens"), Some("0"));
}
