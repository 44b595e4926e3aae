//! What happens to a request that may pass.

use std::sync::Arc;
use std::time::Duration;

use bursar_ratelimit::http::FieldSet;
use bursar_ratelimit::{Limits, MemoryStore, Rate, Unit};
use bursar_tower::{LimitsHandle, Mode, RequestFacts, ReservationHandle};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::{Answer, Fixture, header, layer, limit, ping, send, text};

#[tokio::test]
async fn an_answer_carries_the_decision() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_minute(30).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    let answer = ping(&layer).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        header(&answer, "ratelimit-policy"),
        Some("\"all\";q=30;w=60")
    );
    assert_eq!(header(&answer, "ratelimit"), Some("\"all\";r=29;t=2"));
    assert_eq!(
        header(&answer, "x-ratelimit-remaining-requests"),
        Some("29")
    );
    assert_eq!(header(&answer, "retry-after"), None);
    assert_eq!(text(answer).await, "pong");
}

#[tokio::test]
async fn list_fields_of_layers_further_in_stay_and_others_are_replaced() {
    let store = Arc::new(MemoryStore::default());
    let of = |name, per_minute| {
        let rate = Rate::per_minute(per_minute).unwrap();
        layer(&store, [limit(name, Unit::REQUESTS, rate)]).layer
    };
    let handler = service_fn(|_: Request<()>| async {
        let answer = Response::builder().header("x-ratelimit-limit", "777");
        Ok::<_, std::convert::Infallible>(answer.body(Full::<bytes::Bytes>::from("")).unwrap())
    });
    let service = of("outer", 60).layer(of("inner", 30).layer(handler));
    let answer = service.oneshot(Request::new(())).await.unwrap();
    let all = |name| -> Vec<&str> {
        let values = answer.headers().get_all(name).into_iter();
        values.map(|value| value.to_str().unwrap()).collect()
    };
    assert_eq!(
        all("ratelimit"),
        ["\"inner\";r=29;t=2", "\"outer\";r=59;t=1"]
    );
    assert_eq!(all("x-ratelimit-limit"), ["60"]);
}

#[tokio::test]
async fn fields_are_as_chosen() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_minute(30).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    let answer = ping(&layer.fields(FieldSet::STANDARD)).await;
    assert_eq!(header(&answer, "x-ratelimit-limit"), None);
    assert_eq!(header(&answer, "ratelimit"), Some("\"all\";r=29;t=2"));
}

#[tokio::test]
async fn limits_change_while_the_service_runs_and_use_is_carried_over() {
    let store = Arc::new(MemoryStore::default());
    let named = |per_minute| {
        let rate = Rate::per_minute(per_minute).unwrap();
        Limits::new([limit("all", Unit::REQUESTS, rate)]).unwrap()
    };
    let Fixture { layer, .. } = layer(&store, named(10).as_slice().to_vec());
    let handle: LimitsHandle = layer.limits().clone();
    let remaining = |answer: Answer| header(&answer, "x-ratelimit-remaining").map(str::to_owned);
    for expected in ["9", "8", "7"] {
        assert_eq!(remaining(ping(&layer).await).as_deref(), Some(expected));
    }
    handle.replace(named(100));
    assert_eq!(remaining(ping(&layer).await).as_deref(), Some("96"));
    handle.replace(named(4));
    let refused = ping(&layer).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(handle.load().as_slice().len(), 1);
}

#[tokio::test]
async fn exempt_requests_meet_no_limit() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::per_minute(1).unwrap();
    let Fixture { layer, runtime } = layer(&store, [limit("all", Unit::REQUESTS, rate)]);
    let limits = layer.limits().clone();
    let extract = |parts: &http::request::Parts| {
        Ok(match parts.uri.path() {
            "/health" => RequestFacts::exempt(),
            _ => RequestFacts::new(),
        })
    };
    let layer = bursar_tower::RateLimitLayer::with_runtime(store, limits, extract, runtime);
    for _ in 0..3 {
        let request = Request::get("/health").body(()).unwrap();
        let answer = send(&layer, request, |request| async move {
            assert!(request.extensions().get::<ReservationHandle>().is_none());
            Response::new(Full::from(""))
        })
        .await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "ratelimit"), None);
    }
    assert_eq!(ping(&layer).await.status(), 200);
    assert_eq!(ping(&layer).await.status(), 429);
}

#[tokio::test]
async fn checking_charges_the_cost_and_leaves_nothing_to_settle() {
    let store = Arc::new(MemoryStore::default());
    let rate = Rate::new(1_000, Duration::from_secs(1_000)).unwrap();
    let Fixture { layer, .. } = layer(&store, [limit("tokens", Unit::TOKENS, rate)]);
    let layer = layer.mode(Mode::Check);
    let answer = send(&layer, Request::new(()), |request| async move {
        assert!(request.extensions().get::<ReservationHandle>().is_none());
        Response::new(Full::from(""))
    })
    .await;
    assert_eq!(header(&answer, "x-ratelimit-remaining-tokens"), Some("900"));
}
