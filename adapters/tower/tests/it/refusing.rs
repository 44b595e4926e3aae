//! What happens to a request that may not pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bursar_ratelimit::{Concurrency, MemoryStore, Rate, Unit};
use bursar_tower::Refusals;
use http::{Request, Response};
use http_body_util::Full;

use crate::{Fixture, header, layer, limit, ping, send, text};

#[tokio::test]
async fn a_refused_request_does_not_reach_the_service_and_takes_nothing() {
    let store = Arc::new(MemoryStore::default());
    let requests = Rate::per_minute(10).unwrap();
    let tokens = Rate::per_minute(300).unwrap();
    let limits = [
        limit("requests", Unit::REQUESTS, requests),
        limit("tokens", Unit::TOKENS, tokens),
    ];
    let Fixture { layer, runtime } = layer(&store, limits);
    let reached = Arc::new(AtomicUsize::new(0));
    let call = async || {
        let reached = Arc::clone(&reached);
        send(&layer, Request::new(()), |_| async move {
            reached.fetch_add(1, Ordering::Relaxed);
            Response::new(Full::from(""))
        })
        .await
    };
    for _ in 0..3 {
        assert_eq!(call().await.status(), 200);
    }
    for _ in 0..5 {
        let refused = call().await;
        assert_eq!(refused.status(), 429);
        assert_eq!(header(&refused, "retry-after"), Some("20"));
        assert_eq!(header(&refused, "retry-after-ms"), Some("20000"));
        assert_eq!(
            header(&refused, "ratelimit"),
            Some("\"requests\";r=7,\"tokens\";r=0;t=20")
        );
    }
    assert_eq!(reached.load(Ordering::Relaxed), 3);
    runtime.advance(Duration::from_secs(20));
    assert_eq!(call().await.status(), 200);
}

#[tokio::test]
async fn a_refusal_is_told_as_problem_details() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_minute(60).unwrap().burst(1).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    ping(&layer).await;
    let refused = ping(&layer).await;
    assert_eq!(
        header(&refused, "content-type"),
        Some("application/problem+json")
    );
    let problem: serde_json::Value = serde_json::from_str(&text(refused).await).unwrap();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "title": "Request cannot be satisfied as assigned quota has been exceeded",
            "status": 429,
            "detail": "The limit \"all\" allows 60 requests in 1m0s, 1 of them at once: 1 were asked \
                       for and 0 are left. Try again in 1s.",
            "violated-policies": ["all"],
        })
    );
}

#[tokio::test]
async fn a_grpc_client_is_told_in_its_own_way() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_second(8).unwrap().burst(1).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    ping(&layer).await;
    let request = || {
        let request =
            Request::post("/llm.Chat/Complete").header("content-type", "application/grpc+proto");
        request.body(()).unwrap()
    };
    let handler = |_| async { Response::new(Full::from("")) };
    let refused = send(&layer, request(), handler).await;
    assert_eq!(refused.status(), 200);
    assert_eq!(
        header(&refused, "content-type"),
        Some("application/grpc+proto")
    );
    assert_eq!(header(&refused, "grpc-status"), Some("8"));
    assert_eq!(header(&refused, "grpc-retry-pushback-ms"), Some("125"));
    assert!(
        header(&refused, "grpc-message")
            .unwrap()
            .contains("8 requests in 1s")
    );
    assert_eq!(text(refused).await, "");

    let layer = layer.refusals(Refusals::ProblemDetails);
    assert_eq!(send(&layer, request(), handler).await.status(), 429);
}

#[tokio::test]
async fn calls_in_flight_are_refused_without_a_time() {
    let store = Arc::new(MemoryStore::default());
    let calls = Concurrency::new(1, Duration::from_secs(600)).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("calls", Unit::REQUESTS, calls)]);
    let under_way = ping(&layer).await;
    let refused = ping(&layer).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(header(&refused, "retry-after"), None);
    assert_eq!(header(&refused, "ratelimit"), Some("\"calls\";r=0"));
    drop(under_way);
    assert_eq!(ping(&layer).await.status(), 200);
}
