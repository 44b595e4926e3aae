//! What happens when something cannot be decided?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bursar_ratelimit::{Concurrency, Dimension, Limit, MemoryStore, Rate, Unit};
use bursar_tower::{ExtractError, Extractor, FailureMode, Mode, RateLimitLayer};
use http::StatusCode;
use parking_lot::Mutex;

use crate::stores::Remote;
use crate::{Fixture, header, layer, limit, ping, text};

type Log = Arc<Mutex<Vec<String>>>;

fn logged(layer: RateLimitLayer) -> (RateLimitLayer, Log) {
    let log: Log = Arc::default();
    let written = Arc::clone(&log);
    let layer = layer.on_error(move |error| written.lock().push(error.to_string()));
    (layer, log)
}

#[tokio::test]
async fn a_store_that_is_down_closes_or_opens_as_said() {
    let store = Arc::new(Remote::default());
    let rate = Rate::per_minute(60).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    let (layer, log) = logged(layer);
    store.is_down.store(true, Ordering::Relaxed);

    let refused = ping(&layer).await;
    assert_eq!(refused.status(), 503);
    let problem: serde_json::Value = serde_json::from_str(&text(refused).await).unwrap();
    assert_eq!(
        problem["type"],
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    );
    let open = layer.clone().failure_mode(FailureMode::Open);
    let passed = ping(&open).await;
    assert_eq!(passed.status(), 200);
    assert_eq!(header(&passed, "ratelimit"), None);
    assert_eq!(log.lock().len(), 2);

    store.is_down.store(false, Ordering::Relaxed);
    assert_eq!(ping(&layer).await.status(), 200);
}

#[tokio::test]
async fn a_set_up_that_does_not_fit_together_lets_nothing_pass() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_minute(60).unwrap();
    let tenant = Limit::new("tenant", Dimension::TENANT, Unit::REQUESTS, rate);
    let calls = Concurrency::new(9, Duration::from_secs(60)).unwrap();
    let calls = limit("calls", Unit::REQUESTS, calls);
    for (limit, mode, error) in [
        (
            tenant,
            Mode::Reserve,
            "limit `tenant` needs the request's tenant",
        ),
        (
            calls,
            Mode::Check,
            "limit `calls` counts what is held at once",
        ),
    ] {
        let Fixture { layer, .. } = layer(&store, [limit]);
        let (layer, log) = logged(layer.mode(mode).failure_mode(FailureMode::Open));
        let refused = ping(&layer).await;
        assert_eq!(refused.status(), 500);
        assert!(log.lock()[0].starts_with(error), "{log:?}");
        let problem = text(refused).await;
        assert!(
            !problem.contains("tenant") && !problem.contains("calls"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_mistake_in_the_limits_is_not_a_failure_to_be_left_open() {
    let store = Arc::new(Remote::default());
    let rate = Rate::per_minute(60).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    let (layer, log) = logged(layer.failure_mode(FailureMode::Open));
    store
        .has_seen_too_many_quotas
        .store(true, Ordering::Relaxed);
    assert_eq!(ping(&layer).await.status(), 500);
    assert_eq!(log.lock().len(), 1);
}

#[tokio::test]
async fn a_request_that_lacks_something_is_told_what() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_minute(60).unwrap();
    let Fixture { layer, runtime } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    let limits = layer.limits().clone();
    let extractor = Extractor::new().bearer_token(Dimension::API_KEY);
    let layer = RateLimitLayer::with_runtime(store, limits, extractor, runtime);
    let refused = ping(&layer).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(header(&refused, "www-authenticate"), Some("Bearer"));
    assert_eq!(
        text(refused).await,
        "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,\"detail\":\"The \
         request carries no usable header `authorization`; send one.\"}"
    );
    let layer = layer.error_status(|error| match error {
        ExtractError::Unauthenticated(_) => StatusCode::FORBIDDEN,
        other => other.status(),
    });
    assert_eq!(ping(&layer).await.status(), 403);
}
