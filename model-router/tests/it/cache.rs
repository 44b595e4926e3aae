//! What was answered once is answered again, only to whom and what it belongs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bursar_model_router::conformance::{self, ManualClock};
use bursar_model_router::{
    AnswerCache, CacheError, CacheKey, CachePoint, CachePolicy as _, CacheRequest, CacheScope,
    CacheUse, CachedAnswer, ChatAnswer, ChatRequest, ClientError, Clock as _, Complexity,
    ContentBlock, ErrorClass, FinishReason, MemoryCache, Message, ModelId, NotKept, Parameters,
    ResponseCache, Role, StandardCachePolicy, TaskType, Temperature, TenantId, TenantSharing, Tool,
    ToolChoice, ToolUse, TopP, Usage, UsageKind,
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

fn tool(schema: serde_json::Value) -> Tool {
    Tool {
        name: "look_up".to_owned(),
        description: None,
        input_schema: schema,
    }
}

#[test]
fn the_order_of_keys_in_json_does_not_change_a_key() {
    let schema = |text: &str| tool(serde_json::from_str(text).unwrap());
    let used = |text: &str| ToolUse {
        id: "t".to_owned(),
        name: "look_up".to_owned(),
        input: serde_json::from_str(text).unwrap(),
    };
    let sorted = ChatRequest::user("How much?")
        .tool(schema(
            r#"{"properties":{"a":{"type":"string"},"b":{}},"type":"object"}"#,
        ))
        .message(Message::assistant([used(r#"{"a":1,"b":{"c":2,"d":3}}"#)]));
    let other = ChatRequest::user("How much?")
        .tool(schema(
            r#"{"type":"object","properties":{"b":{},"a":{"type":"string"}}}"#,
        ))
        .message(Message::assistant([used(r#"{"b":{"d":3,"c":2},"a":1}"#)]));
    let model = model("m");
    let key = |request| CacheKey::of(&asked(request, &model), &CacheScope::Everybody);
    assert_eq!(key(&sorted), key(&other));
    // The same request after a journey as JSON with its fields in another order.
    let journey: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(serde_json::to_value(&sorted).unwrap()).unwrap();
    let fields = journey
        .into_iter()
        .rev()
        .map(|(name, value)| format!("{name:?}:{value}"));
    let json = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
    assert_eq!(key(&serde_json::from_str(&json).unwrap()), key(&sorted));
}

#[test]
fn everything_that_shapes_an_answer_changes_the_key() {
    let base = || ChatRequest::user("What is a spot instance?").system("Be short.");
    let parameters = Parameters::default;
    let temperature = |value| Some(Temperature::new(value).unwrap());
    let schema = || json!({"type": "object"});
    let of_assistant = Message {
        role: Role::Assistant,
        content: vec!["What is a spot instance?".into()],
    };
    let requests = [
        base(),
        ChatRequest::user("What is a spot instance?"),
        ChatRequest::user("What is a spot instance? ").system("Be short."),
        ChatRequest::user("What is a spot instance?Be short."),
        ChatRequest::of(vec![of_assistant]).system("Be short."),
        ChatRequest::of(vec![Message::user(["What is a ", "spot instance?"])]).system("Be short."),
        base().system(""),
        base().then_assistant("Capacity.").then_user("More."),
        base().max_output_tokens(201),
        base().parameters(Parameters {
            temperature: temperature(0.2),
            ..parameters()
        }),
        base().parameters(Parameters {
            temperature: None,
            ..parameters()
        }),
        base().parameters(Parameters {
            top_p: Some(TopP::new(0.1).unwrap()),
            ..parameters()
        }),
        base().parameters(Parameters {
            stop: vec!["END".to_owned()],
            ..parameters()
        }),
        base().parameters(Parameters {
            stop: vec!["EN".to_owned(), "D".to_owned()],
            ..parameters()
        }),
        base().tool(tool(schema())),
        base().tool(tool(json!({"type": "object", "required": ["a"]}))),
        base().tool(Tool {
            description: Some(String::new()),
            ..tool(schema())
        }),
        base().tool(tool(schema())).tool(tool(schema())),
        base().tool(tool(schema())).tool_choice(ToolChoice::Any),
    ];
    let (first, second) = (model("m"), model("n"));
    let everybody = CacheScope::Everybody;
    let of = |asked: CacheRequest<'_>, scope: &CacheScope| CacheKey::of(&asked, scope).to_string();
    let mut keys: Vec<String> = requests
        .iter()
        .map(|it| of(asked(it, &first), &everybody))
        .collect();
    let base = base();
    keys.push(of(asked(&base, &second), &everybody));
    let task = TaskType::Classification;
    keys.push(of(
        CacheRequest {
            task,
            ..asked(&base, &first)
        },
        &everybody,
    ));
    let complexity = Complexity::Medium;
    keys.push(of(
        CacheRequest {
            complexity,
            ..asked(&base, &first)
        },
        &everybody,
    ));
    for named in [None, Some("acme"), Some("umbrella"), Some("everybody")] {
        let scope = CacheScope::Tenant(named.map(tenant));
        keys.push(of(asked(&base, &first), &scope));
    }
    let total = keys.len();
    assert!(keys.iter().all(|key| key.len() == 64));
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), total);
}

#[test]
fn what_does_not_shape_an_answer_does_not_change_the_key() {
    let model = model("m");
    let key = |request: &ChatRequest| CacheKey::of(&asked(request, &model), &CacheScope::Everybody);
    let plain = ChatRequest::user("Hello").system("Be short.");
    let marked = ChatRequest::of(vec![Message::user([
        ContentBlock::from("Hello"),
        CachePoint::default().into(),
    ])])
    .system("Be short.")
    .system_cache_point(CachePoint::default())
    .metadata("trace", "17");
    assert_eq!(key(&plain), key(&marked));
}

// By `printf '%s' '…' | sha256sum` over this text on one line:
//
//     {"complexity":"simple","messages":[{"content":[{"text":"Hello"}],"role":"user"}],"model":"m",
//     "parameters":{"max_output_tokens":200,"stop":[],"temperature":0.1,"top_p":null},
//     "scope":{"tenant":"acme"},"system":[],"task":"question_answering","tool_choice":"auto",
//     "tools":[],"version":1}
#[test]
fn a_key_is_the_digest_of_a_text_that_is_written_down() {
    let request = ChatRequest::user("Hello").tenant(tenant("acme"));
    let model = model("m");
    let policy = StandardCachePolicy::default();
    let asked = asked(&request, &model);
    let key = CacheKey::of(&asked, &policy.scope(&asked));
    let expected = "093383bdf9026e333f13069cdb2c542c04a8c71e953f4508830fdbc692b99eb5";
    assert_eq!(key.to_string(), expected);
    assert_eq!(key.to_string().parse(), Ok(key));
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

/// Runs the same request on threads at once; what each call is said is up to `call`.
fn at_once(
    cache: &AnswerCache<ClientError>,
    count: usize,
    call: impl Fn() -> Result<ChatAnswer, ClientError> + Sync,
) -> Vec<Result<ChatAnswer, ClientError>> {
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let (barrier, results) = (Barrier::new(count), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..count {
            let task = || {
                barrier.wait();
                let asked = asked(&request, &model);
                let result = block_on(cache.answer(&asked, async || call()));
                results.lock().unwrap().push(result);
            };
            let builder = std::thread::Builder::new().stack_size(256 * 1_024);
            builder.spawn_scoped(scope, task).unwrap();
        }
    });
    results.into_inner().unwrap()
}

#[test]
fn a_thousand_equal_requests_at_once_make_one_call() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let calls = AtomicUsize::new(0);
    let results = at_once(&cache, 1_000, || {
        calls.fetch_add(1, Ordering::SeqCst);
        Ok(answer("A network."))
    });
    assert_eq!(calls.into_inner(), 1);
    assert_eq!(results.len(), 1_000);
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().unwrap().text() == "A network.")
    );
    let statistics = cache.statistics();
    assert_eq!(statistics.hits + statistics.shared, 999);
    assert_eq!(statistics.misses, 1);
    let saved: Vec<_> = statistics.saved_amounts().collect();
    // 999 × 0.0021.
    assert_eq!(saved, [Money::parse("2.0979", Currency::USD).unwrap()]);
}

#[test]
fn leaders_that_fail_neither_hang_nor_poison_those_who_wait() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let calls = AtomicUsize::new(0);
    let results = at_once(&cache, 200, || match calls.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(ClientError::new(ErrorClass::Unavailable, "down")),
        _ => Ok(answer("A network.")),
    });
    assert_eq!(calls.into_inner(), 3);
    let failed = results.iter().filter(|result| result.is_err()).count();
    assert_eq!((results.len(), failed), (200, 2));
}

type Answering<'c> = std::pin::Pin<Box<dyn Future<Output = Result<ChatAnswer, ClientError>> + 'c>>;

/// A call that waits for a turn before it does what it is told.
async fn slowly(result: Result<ChatAnswer, ClientError>) -> Result<ChatAnswer, ClientError> {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    result
}

fn poll(answering: &mut Answering<'_>) -> Poll<Result<ChatAnswer, ClientError>> {
    answering
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_cancelled_leader_makes_way_for_one_follower() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let (asked, calls) = (asked(&request, &model), AtomicUsize::new(0));
    let start = || -> Answering<'_> {
        Box::pin(cache.answer(&asked, || {
            calls.fetch_add(1, Ordering::SeqCst);
            slowly(Ok(answer("A network.")))
        }))
    };
    let mut leader = start();
    assert!(poll(&mut leader).is_pending());
    let mut followers: Vec<_> = (0..10).map(|_| start()).collect();
    for follower in &mut followers {
        assert!(poll(follower).is_pending());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    drop(leader);
    let mut answered = 0;
    for _ in 0..3 {
        for follower in &mut followers {
            if let Poll::Ready(result) = poll(follower) {
                answered += usize::from(result.is_ok());
                *follower = Box::pin(std::future::pending());
            }
        }
    }
    assert_eq!((answered, calls.load(Ordering::SeqCst)), (10, 2));
}

#[test]
fn a_model_that_is_down_is_asked_three_times_for_all_who_wait() {
    let World { cache, .. } = world(MemoryCache::new(1 << 20));
    let (request, model) = (ChatRequest::user("What is a VPC?"), model("m"));
    let (asked, calls) = (asked(&request, &model), AtomicUsize::new(0));
    let down = || ClientError::new(ErrorClass::Unavailable, "down");
    let mut waiting: Vec<Answering<'_>> = Vec::new();
    for _ in 0..50 {
        waiting.push(Box::pin(cache.answer(&asked, || {
            calls.fetch_add(1, Ordering::SeqCst);
            slowly(Err(down()))
        })));
    }
    let mut failed = 0;
    for _ in 0..10 {
        for answering in &mut waiting {
            if let Poll::Ready(result) = poll(answering) {
                failed += usize::from(result.is_err());
                *answering = Box::pin(std::future::pending());
            }
        }
    }
    assert_eq!((failed, calls.load(Ordering::SeqCst)), (50, 3));
    // Nothing of it is remembered.
    let call = async || Ok(answer("Up again."));
    let after = block_on(cache.answer(&asked, call)).unwrap();
    assert_eq!(after.cached, CacheUse::Asked);
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
