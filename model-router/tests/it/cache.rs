//! What was answered once is answered again, only to whom and what it belongs.

mod flights;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use bursar_model_router::conformance::{self, ManualClock};
use bursar_model_router::{
    AnswerCache, CacheError, CacheKey, CachePolicy as _, CacheRequest, CacheScope, CacheUse,
    CachedAnswer, ChatAnswer, ChatRequest, ClientError, Clock as _, Complexity, FinishReason,
    MemoryCache, ModelId, NotKept, Parameters, ResponseCache, StandardCachePolicy, TaskType,
    Temperature, TenantId, TenantSharing, ToolUse, Usage, UsageKind,
};
use bursar_units::{Currency, Money};
use futures_executor::block_on;
use jiff::Timestamp;
use serde_json::json;

fn model(name: &str) -> ModelId {
    ModelId::new(name).unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn asked<'a>(request: &'a ChatRequest, model: &'a ModelId) -> CacheRequest<'a> {
    CacheRequest {
        request,
        model,
        task: TaskType::QuestionAnswering,
        complexity: Complexity::Simple,
    }
}

fn answer(text: &str) -> ChatAnswer {
    let usage = Usage::new()
        .with(UsageKind::InputTokens, 9)
        .with(UsageKind::OutputTokens, 7);
    ChatAnswer::new(model("m"), [text], FinishReason::EndTurn)
        .usage(usage)
        .cost(Money::parse("0.0021", Currency::USD).unwrap())
}

struct World {
    cache: AnswerCache<ClientError>,
    clock: ManualClock,
}

fn world(store: impl ResponseCache + 'static) -> World {
    let clock = ManualClock::default();
    let policy = StandardCachePolicy::default();
    World {
        cache: AnswerCache::new(Arc::new(store), Arc::new(policy), Arc::new(clock.clone())),
        clock,
    }
}

#[test]
fn the_store_in_memory_keeps_the_contract() {
    let now = ManualClock::default().now();
    block_on(conformance::response_cache(
        async || MemoryCache::new(1 << 20),
        now,
    ));
}

#[test]
fn the_store_in_memory_stays_within_its_bytes() {
    let (store, now) = (MemoryCache::new(200_000), ManualClock::default().now());
    let model = model("m");
    for number in 0..2_000 {
        let request = ChatRequest::user(format!("Question {number}"));
        let key = CacheKey::of(&asked(&request, &model), &CacheScope::Everybody);
        let kept = CachedAnswer::new(answer(&"a".repeat(1_000)), now, Timestamp::MAX);
        block_on(store.put(&key, &kept, now)).unwrap();
        assert!(store.bytes() <= 200_000);
    }
    // Each takes 1,576 bytes, so that 126 of them fit.
    assert!((90..=126).contains(&store.len()), "{}", store.len());
    let large = CachedAnswer::new(answer(&"a".repeat(100_000)), now, Timestamp::MAX);
    let request = ChatRequest::user("large");
    let key = CacheKey::of(&asked(&request, &model), &CacheScope::Everybody);
    block_on(store.put(&key, &large, now)).unwrap();
    assert_eq!(block_on(store.get(&key, now)).unwrap(), None);
    let none = MemoryCache::new(0);
    block_on(none.put(&key, &large, now)).unwrap();
    assert!(none.is_empty());
}

#[test]
fn a_hit_costs_nothing_and_counts_what_it_saved() {
    let World { cache, clock } = world(MemoryCache::new(1 << 20));
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let asked = asked(&request, &model);
    let first = block_on(cache.answer(&asked, async || Ok(answer("A network.")))).unwrap();
    assert_eq!((first.cached, first.saved), (CacheUse::Asked, None));
    let hit = block_on(cache.answer(&asked, async || panic!("nobody is to be asked"))).unwrap();
    assert_eq!(hit.text(), "A network.");
    assert_eq!(hit.cached, CacheUse::Hit);
    assert_eq!(hit.cost, Some(Money::zero(Currency::USD)));
    assert_eq!(hit.usage.get(UsageKind::OutputTokens), Some(0));
    let saved = hit.saved.unwrap();
    assert_eq!(saved.cost, first.cost);
    assert_eq!(saved.usage, first.usage);
    clock.pass(Duration::from_secs(3_600));
    let late = block_on(cache.answer(&asked, async || Ok(answer("New.")))).unwrap();
    assert_eq!(
        (late.text().as_str(), late.cached),
        ("New.", CacheUse::Asked)
    );
    let statistics = cache.statistics();
    assert_eq!(
        (statistics.hits, statistics.misses, statistics.kept),
        (1, 2, 2)
    );
    assert_eq!(statistics.hit_rate(), Some(1.0 / 3.0));
    let amounts: Vec<_> = statistics.saved_amounts().collect();
    assert_eq!(amounts, [Money::parse("0.0021", Currency::USD).unwrap()]);
}

#[test]
fn tenants_do_not_get_each_others_answers_unless_that_is_allowed() {
    for (sharing, expected) in [
        (TenantSharing::Never, CacheUse::Asked),
        (TenantSharing::Allowed, CacheUse::Hit),
    ] {
        let policy = StandardCachePolicy::default().sharing(sharing);
        let cache: AnswerCache<ClientError> = AnswerCache::new(
            Arc::new(MemoryCache::new(1 << 20)),
            Arc::new(policy),
            Arc::new(ManualClock::default()),
        );
        let model = model("m");
        let ours = ChatRequest::user("What is a VPC?").tenant(tenant("acme"));
        let theirs = ChatRequest::user("What is a VPC?").tenant(tenant("umbrella"));
        let call = async || Ok(answer("A network."));
        block_on(cache.answer(&asked(&ours, &model), call)).unwrap();
        let other = block_on(cache.answer(&asked(&theirs, &model), call)).unwrap();
        assert_eq!(other.cached, expected);
    }
}

#[test]
fn hot_requests_go_past_the_cache() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let model = model("m");
    let hot = Temperature::new(0.3).unwrap();
    let unknown = Parameters {
        temperature: None,
        ..Parameters::default()
    };
    let requests = [
        ChatRequest::user("What is a VPC?").temperature(hot),
        ChatRequest::user("What is a VPC?").parameters(unknown),
    ];
    for request in requests {
        for _ in 0..2 {
            let call = async || Ok(answer("A network."));
            let answer = block_on(cache.answer(&asked(&request, &model), call)).unwrap();
            assert_eq!(answer.cached, CacheUse::Asked);
        }
    }
    assert_eq!(cache.statistics().bypassed, 4);
    assert_eq!(cache.statistics().hit_rate(), Some(0.0));
}

#[test]
fn the_policy_keeps_what_the_rule_says() {
    let policy = StandardCachePolicy::default();
    let model = model("m");
    let long = "Tell me a story about a cloud and its bill. ".repeat(6);
    let tool_use = ToolUse {
        id: "t".to_owned(),
        name: "look_up".to_owned(),
        input: json!({}),
    };
    let finished = |reason| ChatAnswer::new(model.clone(), ["Once."], reason);
    let whole = || finished(FinishReason::EndTurn);
    let calling = || ChatAnswer::new(model.clone(), [tool_use.clone()], FinishReason::EndTurn);
    let keeps = Ok(Duration::from_secs(3_600));
    let (story, question) = (TaskType::TextGeneration, TaskType::QuestionAnswering);
    let cases = [
        (
            "short",
            "Tell me a story.".to_owned(),
            story,
            whole(),
            keeps,
        ),
        ("199 letters", "云".repeat(199), story, whole(), keeps),
        (
            "200 letters",
            "云".repeat(200),
            story,
            whole(),
            Err(NotKept::NotWorthIt),
        ),
        (
            "long",
            long.clone(),
            story,
            whole(),
            Err(NotKept::NotWorthIt),
        ),
        (
            "concept",
            format!("{long} Explain it."),
            story,
            whole(),
            keeps,
        ),
        ("概念", format!("{long}什么是云？"), story, whole(), keeps),
        ("question", long.clone(), question, whole(), keeps),
        (
            "class",
            long.clone(),
            TaskType::Classification,
            whole(),
            keeps,
        ),
        (
            "300 of answer",
            long.clone(),
            story,
            answer(&"a".repeat(300)),
            Err(NotKept::NotWorthIt),
        ),
        (
            "301 of answer",
            long,
            story,
            answer(&"a".repeat(301)),
            keeps,
        ),
        (
            "cut off",
            "Hi".to_owned(),
            question,
            finished(FinishReason::MaxTokens),
            Err(NotKept::Incomplete),
        ),
        (
            "refused",
            "Hi".to_owned(),
            question,
            finished(FinishReason::Refused),
            Err(NotKept::Incomplete),
        ),
        (
            "filtered",
            "Hi".to_owned(),
            question,
            finished(FinishReason::ContentFiltered),
            Err(NotKept::Incomplete),
        ),
        (
            "calling",
            "Hi".to_owned(),
            question,
            calling(),
            Err(NotKept::ToolUse),
        ),
        (
            "empty",
            "Hi".to_owned(),
            question,
            answer(" "),
            Err(NotKept::Empty),
        ),
    ];
    for (name, text, task, answer, expected) in cases {
        let request = ChatRequest::user(text);
        let asked = CacheRequest {
            task,
            ..asked(&request, &model)
        };
        assert_eq!(policy.keeps(&asked, &answer), expected, "{name}");
    }
}

/// A store that fails as long as it is told to.
struct Broken;

#[async_trait::async_trait]
impl ResponseCache for Broken {
    async fn get(&self, _: &CacheKey, _: Timestamp) -> Result<Option<CachedAnswer>, CacheError> {
        Err(CacheError::new("broken"))
    }

    async fn put(&self, _: &CacheKey, _: &CachedAnswer, _: Timestamp) -> Result<(), CacheError> {
        Err(CacheError::new("broken"))
    }
}

#[test]
fn a_broken_store_breaks_no_request_and_is_counted() {
    let World { cache, .. } = world(Broken);
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    for _ in 0..3 {
        let call = async || Ok(answer("A network."));
        let answer = block_on(cache.answer(&asked(&request, &model), call)).unwrap();
        assert_eq!(answer.cached, CacheUse::Asked);
    }
    let statistics = cache.statistics();
    assert_eq!((statistics.misses, statistics.failed_lookups), (3, 3));
}

#[test]
fn damaged_entries_are_errors_when_they_are_loaded() {
    let now = ManualClock::default().now();
    let kept = CachedAnswer::new(answer("A network."), now, Timestamp::MAX);
    let json = serde_json::to_value(&kept).unwrap();
    let read = |json: serde_json::Value| serde_json::from_value::<CachedAnswer>(json);
    assert_eq!(read(json.clone()).unwrap(), kept);
    let mut newer = json.clone();
    newer["format"] = json!(2);
    assert!(read(newer).unwrap_err().to_string().contains("format 2"));
    let mut nameless = json;
    nameless["answer"]["model"] = json!("");
    assert!(read(nameless).is_err());
    assert!(serde_json::from_str::<CacheKey>("\"00\"").is_err());
}
