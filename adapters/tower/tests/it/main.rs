//! The layer as services and clients see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

mod extracting;
mod failing;
mod passing;
mod refusing;
mod server;
mod settling;
mod stores;
mod waiting;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bursar_ratelimit::{Dimension, Limit, Limits, Quota, Store, Timestamp, Unit};
use bursar_tower::{Extractor, LimitedBody, RateLimit, RateLimitLayer, Runtime, Task};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use tower::{Layer as _, ServiceExt as _, service_fn};

type Text = Full<bytes::Bytes>;
type Answer = Response<LimitedBody<Text>>;

/// A clock that stands still until it is moved, and tasks that run when they are told to.
#[derive(Default)]
struct StandStill {
    nanos: AtomicU64,
    tasks: Mutex<Vec<Task>>,
}

impl StandStill {
    fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap();
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Runs what was spawned and says how much that was.
    fn run_tasks(&self) -> usize {
        let tasks = std::mem::take(&mut *self.tasks.lock());
        let count = tasks.len();
        tasks.into_iter().for_each(futures_executor::block_on);
        count
    }
}

impl Runtime for StandStill {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> Task {
        panic!("no test with this clock waits, but one wanted to for {duration:?}");
    }

    fn spawn(&self, task: Task) {
        self.tasks.lock().push(task);
    }
}

/// A limit on everything.
fn limit(name: &str, unit: Unit, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, Dimension::GLOBAL, unit, quota)
}

/// A layer with one limit, fixed costs and a clock that stands still.
fn layer(store: &Arc<impl Store + 'static>, limits: impl IntoIterator<Item = Limit>) -> Fixture {
    let runtime = Arc::new(StandStill::default());
    let layer = RateLimitLayer::with_runtime(
        Arc::clone(store) as Arc<dyn Store>,
        Limits::new(limits).unwrap(),
        Extractor::new().fixed_cost(Unit::TOKENS, 100),
        Arc::clone(&runtime) as Arc<dyn Runtime>,
    );
    Fixture { layer, runtime }
}

struct Fixture {
    layer: RateLimitLayer,
    runtime: Arc<StandStill>,
}

/// Sends a request to a handler behind a layer.
async fn send<F, A>(layer: &RateLimitLayer, request: Request<()>, handler: F) -> Answer
where
    F: FnOnce(Request<()>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Text>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = handler.clone()(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let service: RateLimit<_> = layer.layer(service);
    service.oneshot(request).await.unwrap()
}

/// Sends a request to a handler that does nothing.
async fn ping(layer: &RateLimitLayer) -> Answer {
    send(layer, Request::new(()), |_| async {
        Response::new(Full::from("pong"))
    })
    .await
}

async fn text(answer: Answer) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[test]
fn types_can_be_shared_between_threads_and_shown() {
    use bursar_tower::*;
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<ClientAddress>();
    shared::<Extractor>();
    shared::<ExtractError>();
    shared::<LimitedBody<Text>>();
    shared::<LimitsHandle>();
    shared::<RateLimit<()>>();
    shared::<RateLimitLayer>();
    shared::<RequestFacts>();
    shared::<ReservationHandle>();
    shared::<TokioRuntime>();
}
