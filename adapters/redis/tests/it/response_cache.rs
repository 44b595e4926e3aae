//! Answers are shared, and a broken server breaks no request.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bursar_model_router::conformance;
use bursar_model_router::{
    AnswerCache, CacheKey, CacheRequest, CacheScope, CacheUse, CachedAnswer, ChatAnswer,
    ChatRequest, ClientError, Clock, Complexity, FinishReason, ModelId, ResponseCache as _,
    StandardCachePolicy, TaskType,
};
use bursar_redis::{RedisResponseCache, RedisSettings};
use jiff::Timestamp;

use crate::server::{Server, SharedCluster, Single, fresh_prefix};

const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

/// A clock that stands still, so that nothing expires while a test runs.
struct Noon;

#[async_trait]
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        NOON
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn settings() -> RedisSettings {
    RedisSettings::default()
        .prefix(fresh_prefix())
        .timeout(Duration::from_secs(5))
}

fn cache(store: RedisResponseCache) -> AnswerCache<ClientError> {
    AnswerCache::new(
        Arc::new(store),
        Arc::new(StandardCachePolicy::default()),
        Arc::new(Noon),
    )
}

fn answer() -> ChatAnswer {
    let model = ModelId::new("m").unwrap();
    ChatAnswer::new(model, ["A network."], FinishReason::EndTurn)
}

/// Asks a question and says where the answer came from.
async fn ask(cache: &AnswerCache<ClientError>, question: &str) -> CacheUse {
    let asked = CacheRequest {
        request: &ChatRequest::user(question),
        model: &ModelId::new("m").unwrap(),
        task: TaskType::QuestionAnswering,
        complexity: Complexity::Simple,
    };
    let answer = cache.answer(&asked, async || Ok(answer())).await.unwrap();
    assert_eq!(answer.text(), "A network.");
    answer.cached
}

fn key() -> CacheKey {
    let asked = CacheRequest {
        request: &ChatRequest::user("What is a VPC?"),
        model: &ModelId::new("m").unwrap(),
        task: TaskType::QuestionAnswering,
        complexity: Complexity::Simple,
    };
    CacheKey::of(&asked, &CacheScope::Everybody)
}

#[tokio::test]
async fn keeps_the_contract_on_one_server() {
    let Some(server) = Single::find() else { return };
    let make = async || RedisResponseCache::single(server.url(), settings()).unwrap();
    conformance::response_cache(make, NOON).await;
}

#[tokio::test]
async fn keeps_the_contract_in_a_cluster() {
    let Some(cluster) = SharedCluster::find() else {
        return;
    };
    let make = async || RedisResponseCache::cluster(&cluster.urls(), settings()).unwrap();
    conformance::response_cache(make, NOON).await;
}

#[tokio::test]
async fn processes_share_answers() {
    let Some(server) = Single::find() else { return };
    let settings = settings();
    let process = || RedisResponseCache::single(server.url(), settings.clone()).unwrap();
    assert_eq!(
        ask(&cache(process()), "What is a VPC?").await,
        CacheUse::Asked
    );
    assert_eq!(
        ask(&cache(process()), "What is a VPC?").await,
        CacheUse::Hit
    );
}

#[tokio::test]
async fn entries_have_a_key_of_their_own_and_expire_by_themselves() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = RedisResponseCache::single(&server.url(), settings().prefix("gateway")).unwrap();
    let expires_at = NOON.checked_add(Duration::from_secs(3_600)).unwrap();
    let kept = CachedAnswer::new(answer(), NOON, expires_at);
    store.put(&key(), &kept, NOON).await.unwrap();
    let name = format!("gateway:answer:1:{}", key());
    assert_eq!(server.cli(&["keys", "*"]).trim(), name);
    let left: u64 = server.cli(&["pttl", &name]).trim().parse().unwrap();
    assert!((3_540_000..=3_600_000).contains(&left), "{left}");
    let json = server.cli(&["get", &name]);
    assert_eq!(
        serde_json::from_str::<CachedAnswer>(json.trim()).unwrap(),
        kept
    );
    // For a caller whose clock is beyond the deadline it is gone, though the server still has it.
    assert_eq!(store.get(&key(), expires_at).await.unwrap(), None);
    let forever = CachedAnswer::new(answer(), NOON, Timestamp::MAX);
    store.put(&key(), &forever, NOON).await.unwrap();
    assert_eq!(store.get(&key(), NOON).await.unwrap(), Some(forever));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_and_then_replaced() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = RedisResponseCache::single(&server.url(), settings().prefix("gateway")).unwrap();
    let name = format!("gateway:answer:1:{}", key());
    for value in ["", "{}", "{\"format\":2}"] {
        server.cli(&["set", &name, value]);
        let error = store.get(&key(), NOON).await.unwrap_err();
        let source = error.source.to_string();
        assert!(source.contains("no answer of this version"), "{source}");
    }
    server.cli(&["del", &name]);
    server.cli(&["rpush", &name, "a list"]);
    assert!(store.get(&key(), NOON).await.is_err());
    let kept = CachedAnswer::new(answer(), NOON, Timestamp::MAX);
    store.put(&key(), &kept, NOON).await.unwrap();
    assert_eq!(store.get(&key(), NOON).await.unwrap(), Some(kept));
}

#[tokio::test]
async fn nobody_at_the_port_breaks_no_request() {
    let store = RedisResponseCache::single("redis://127.0.0.1:1", settings()).unwrap();
    let cache = cache(store);
    for _ in 0..3 {
        assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Asked);
    }
    assert_eq!(cache.statistics().failed_lookups, 3);
}

#[tokio::test]
async fn a_killed_server_breaks_no_request_and_is_used_again_when_it_is_back() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let store = RedisResponseCache::single(&server.url(), settings()).unwrap();
    let cache = cache(store.clone());
    assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Asked);
    assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Hit);
    server.kill();
    for _ in 0..5 {
        assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Asked);
    }
    assert_eq!(cache.statistics().failed_lookups, 5);
    server.restart();
    // How soon the connection is made again is up to its pauses.
    for _ in 0..500 {
        if store.get(&key(), NOON).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Asked);
    assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Hit);
}

#[tokio::test]
async fn a_paused_server_costs_a_request_one_time_out() {
    let Some(server) = Server::start() else {
        return;
    };
    let settings = settings().timeout(Duration::from_millis(100));
    let store = RedisResponseCache::single(&server.url(), settings).unwrap();
    let cache = cache(store.clone());
    // The first call connects, which may take longer than a call may on a busy machine.
    for _ in 0..500 {
        if store.get(&key(), NOON).await.is_ok() {
            break;
        }
    }
    server.signal("STOP");
    for count in 1..=3 {
        assert_eq!(ask(&cache, "What is a VPC?").await, CacheUse::Asked);
        let statistics = cache.statistics();
        assert_eq!(statistics.failed_lookups, count);
        // The store is not asked to keep what it could not be asked for.
        assert_eq!((statistics.kept, statistics.failed_puts), (0, 0));
    }
    let error = store.get(&key(), NOON).await.unwrap_err();
    assert!(error.to_string().contains("redis"), "{error}");
    server.signal("CONT");
}

#[test]
fn outside_of_a_runtime_is_an_error_and_no_panic() {
    let store = RedisResponseCache::single("redis://127.0.0.1:1", settings()).unwrap();
    let key = key();
    let mut get = Box::pin(store.get(&key, NOON));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = get.as_mut().poll(&mut context);
    assert!(
        matches!(polled, std::task::Poll::Ready(Err(_))),
        "{polled:?}"
    );
}
