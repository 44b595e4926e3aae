//! The suite of [`ResponseCache`].

use std::time::Duration;

use bursar_units::{Currency, Money};
use jiff::Timestamp;

use crate::client::later;
use crate::{
    CacheKey, CacheRequest, CacheScope, CachedAnswer, ChatAnswer, ChatRequest, Complexity,
    ContentBlock, FinishReason, ModelId, ResponseCache, TaskType, ToolUse, Usage, UsageKind,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Shows that the stores that `make` makes, each of them empty, keep answers. `now` is a moment that the
/// store's own clock agrees with, if it has one.
///
/// ```
/// use bursar_model_router::{MemoryCache, conformance};
///
/// let noon = "2026-11-20T12:00:00Z".parse()?;
/// futures_executor::block_on(conformance::response_cache(
///     async || MemoryCache::new(1 << 20),
///     noon,
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// When a store breaks the contract of [`ResponseCache`].
pub async fn response_cache<C: ResponseCache>(make: impl AsyncFn() -> C, now: Timestamp) {
    an_unknown_key_has_nothing(&make().await, now).await;
    an_answer_comes_back_as_it_was(&make().await, now).await;
    keys_are_independent(&make().await, now).await;
    the_last_answer_counts(&make().await, now).await;
    an_answer_is_found_until_before_its_deadline(&make().await, now).await;
    an_expired_answer_is_not_kept(&make().await, now).await;
}

async fn an_unknown_key_has_nothing(store: &impl ResponseCache, now: Timestamp) {
    assert_eq!(get(store, &key("unknown"), now).await, None);
}

async fn an_answer_comes_back_as_it_was(store: &impl ResponseCache, now: Timestamp) {
    let tool_use = ToolUse {
        id: "t".to_owned(),
        name: "look_up".to_owned(),
        input: serde_json::json!({"b": [1, 2.5, null], "a": "\u{0}“\n"}),
    };
    let content = [ContentBlock::from("现货实例\u{2028}🦀"), tool_use.into()];
    let model = ModelId::new("amazon.nova-lite-v1:0").expect("it is a name");
    let cost = Money::parse("0.000000123456789", Currency::USD).expect("it is an amount");
    let usage = Usage::new()
        .with(UsageKind::InputTokens, u64::MAX)
        .with(UsageKind::OutputTokens, 0);
    let answer = ChatAnswer::new(model, content, FinishReason::Other("new".to_owned()))
        .usage(usage)
        .cost(cost)
        .latency(Duration::from_micros(1_234_567));
    let kept = CachedAnswer::new(answer, now, later(now, HOUR));
    put(store, &key("rich"), &kept, now).await;
    assert_eq!(get(store, &key("rich"), now).await, Some(kept));
}

async fn keys_are_independent(store: &impl ResponseCache, now: Timestamp) {
    for text in ["one", "two"] {
        put(store, &key(text), &kept(text, now, HOUR), now).await;
    }
    for text in ["one", "two"] {
        assert_eq!(
            get(store, &key(text), now).await,
            Some(kept(text, now, HOUR))
        );
    }
}

async fn the_last_answer_counts(store: &impl ResponseCache, now: Timestamp) {
    for text in ["old", "new"] {
        put(store, &key("same"), &kept(text, now, HOUR), now).await;
    }
    assert_eq!(
        get(store, &key("same"), now).await,
        Some(kept("new", now, HOUR))
    );
}

async fn an_answer_is_found_until_before_its_deadline(store: &impl ResponseCache, now: Timestamp) {
    put(store, &key("brief"), &kept("brief", now, HOUR), now).await;
    let last = later(now, HOUR - Duration::from_millis(1));
    assert!(get(store, &key("brief"), last).await.is_some());
    assert_eq!(get(store, &key("brief"), later(now, HOUR)).await, None);
}

async fn an_expired_answer_is_not_kept(store: &impl ResponseCache, now: Timestamp) {
    put(store, &key("gone"), &kept("old", now, HOUR), now).await;
    let expired = kept("gone", now, Duration::ZERO);
    put(store, &key("gone"), &expired, now).await;
    assert_eq!(get(store, &key("gone"), now).await, None);
}

fn key(text: &str) -> CacheKey {
    let asked = CacheRequest {
        request: &ChatRequest::user(text),
        model: &ModelId::new("m").expect("it is a name"),
        task: TaskType::QuestionAnswering,
        complexity: Complexity::Simple,
    };
    CacheKey::of(&asked, &CacheScope::Everybody)
}

fn kept(text: &str, now: Timestamp, ttl: Duration) -> CachedAnswer {
    let model = ModelId::new("m").expect("it is a name");
    let answer = ChatAnswer::new(model, [text], FinishReason::EndTurn);
    CachedAnswer::new(answer, now, later(now, ttl))
}

async fn get(store: &impl ResponseCache, key: &CacheKey, now: Timestamp) -> Option<CachedAnswer> {
    store.get(key, now).await.expect("the store answers")
}

async fn put(store: &impl ResponseCache, key: &CacheKey, kept: &CachedAnswer, now: Timestamp) {
    store.put(key, kept, now).await.expect("the store keeps");
}
