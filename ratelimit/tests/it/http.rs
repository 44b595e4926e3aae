//! Does every header field say what the drafts ask for, to a parser that is not ours?

use std::collections::HashMap;
use std::time::Duration;

use bursar_ratelimit::gcra::Gcra;
use bursar_ratelimit::http::{FieldSet, Problem, retry_after};
use bursar_ratelimit::{
    Budget, Charge, Charges, Concurrency, Decision, Dimension, Level, Limit, Limits, MemoryStore,
    Quota, Rate, Request, RetryAfter, SlidingWindow, Status, Timestamp, Unit,
};
use proptest::prelude::*;
use sfv::{BareItem, List, ListEntry, Parser};

/// The fields of a response, as a client sees them.
#[derive(Debug)]
struct Head(HashMap<&'static str, String>);

/// One item of a list field.
#[derive(Debug, PartialEq)]
struct Item {
    name: String,
    integers: HashMap<String, i64>,
    strings: HashMap<String, String>,
    bytes: HashMap<String, Vec<u8>>,
}

impl Head {
    fn of(fields: &FieldSet, decision: &Decision<'_>) -> Self {
        let mut head = HashMap::new();
        fields.for_each(decision, |name, value| {
            let before = head.insert(name, value.to_owned());
            assert_eq!(before, None, "{name} twice");
        });
        Self(head)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn integer(&self, name: &str) -> Option<u64> {
        self.get(name).map(|value| value.parse().unwrap())
    }

    /// A list field, read by an independent implementation of RFC 9651.
    fn items(&self, name: &str) -> Vec<Item> {
        let Some(value) = self.get(name) else {
            return Vec::new();
        };
        let list: List = Parser::new(value).parse().unwrap();
        list.iter().map(item).collect()
    }
}

fn item(entry: &ListEntry) -> Item {
    let ListEntry::Item(parsed) = entry else {
        unreachable!("no inner lists: {entry:?}");
    };
    let BareItem::String(name) = &parsed.bare_item else {
        unreachable!("names are strings: {parsed:?}");
    };
    let mut item = Item {
        name: name.as_str().to_owned(),
        integers: HashMap::new(),
        strings: HashMap::new(),
        bytes: HashMap::new(),
    };
    for (key, value) in &parsed.params {
        let key = key.as_str().to_owned();
        match value {
            BareItem::Integer(number) => {
                item.integers.insert(key, (*number).into());
            }
            BareItem::String(text) => {
                item.strings.insert(key, text.as_str().to_owned());
            }
            BareItem::ByteSequence(bytes) => {
                item.bytes.insert(key, bytes.clone());
            }
            other => unreachable!("{key} is {other:?}"),
        }
    }
    item
}

/// How `openai-python` finds the seconds to wait: milliseconds first, then seconds, each as a float.
/// `BaseClient._parse_retry_after_header` in `src/openai/_base_client.py` of openai/openai-python;
/// `anthropic-sdk-python` has the same function.
fn wait_of_openai_client(head: &Head) -> Option<f64> {
    let seconds = |name, divisor: f64| Some(head.get(name)?.parse::<f64>().ok()? / divisor);
    seconds("retry-after-ms", 1_000.0).or_else(|| seconds("retry-after", 1.0))
}

/// Whether it tries again: `BaseClient._should_retry` in the same file, for status 429.
fn openai_client_retries(head: &Head) -> bool {
    head.get("x-should-retry") != Some("false")
}

fn limit(name: &str, unit: Unit, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, Dimension::TENANT, unit, quota).optional()
}

fn in_use(used: u64, retry_after: RetryAfter, reset_after: RetryAfter) -> Level {
    Level::Counted {
        used,
        retry_after,
        reset_after,
    }
}

#[test]
fn tells_every_kind_of_quota() {
    let limits = [
        limit(
            "tenant",
            Unit::REQUESTS,
            Rate::per_minute(10_000).unwrap().burst(1_500).unwrap(),
        ),
        limit("tokens", Unit::TOKENS, Rate::per_minute(100_000).unwrap()),
        limit(
            "bytes",
            Unit::CONTENT_BYTES,
            SlidingWindow::new(65_535, Duration::from_secs(10)).unwrap(),
        ),
        limit(
            "calls",
            Unit::REQUESTS,
            Concurrency::new(8, Duration::from_secs(60)).unwrap(),
        ),
        limit(
            "budget",
            Unit::MICRO_USD,
            Budget::new(5_000_000, Duration::from_secs(60)).unwrap(),
        ),
        limit("tried", Unit::REQUESTS, Rate::per_second(1).unwrap()).shadow(),
    ];
    let limits = Limits::new(limits).unwrap();
    let request = Request::new()
        .tenant("acme")
        .cost(Unit::TOKENS, 25_000)
        .cost(Unit::CONTENT_BYTES, 5_535)
        .cost(Unit::MICRO_USD, 1);
    let charges = limits.resolve(&request).unwrap();
    let store = MemoryStore::default();
    let decision = store.reserve(&charges, Timestamp::ZERO).unwrap().decision;
    let head = Head::of(&FieldSet::default(), &decision);

    assert_eq!(
        head.get("ratelimit-policy"),
        Some(
            "\"tenant\";q=10000;w=60;bursar-burst=1500,\
             \"tokens\";q=100000;w=60;bursar-unit=\"tokens\",\
             \"bytes\";q=65535;qu=\"content-bytes\";w=10,\
             \"calls\";q=8;qu=\"concurrent-requests\",\
             \"budget\";q=5000000;bursar-unit=\"micro-usd\""
        )
    );
    assert_eq!(
        head.get("ratelimit"),
        Some(
            "\"tenant\";r=1499;t=1,\"tokens\";r=75000;t=1,\"bytes\";r=60000;t=10,\
             \"calls\";r=7,\"budget\";r=4999999"
        )
    );
    // The tightest is tokens, with three quarters left; they drain in 15 s, a request in 6 ms.
    for (name, value) in [
        ("x-ratelimit-limit", "100000"),
        ("x-ratelimit-remaining", "75000"),
        ("x-ratelimit-reset", "15"),
        ("x-ratelimit-limit-requests", "1500"),
        ("x-ratelimit-remaining-requests", "1499"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-limit-tokens", "100000"),
        ("x-ratelimit-remaining-tokens", "75000"),
        ("x-ratelimit-reset-tokens", "15s"),
    ] {
        assert_eq!(head.get(name), Some(value), "{name}");
    }
    assert_eq!(head.0.len(), 11, "{head:?}");
}

#[test]
fn shows_shadow_limits_only_when_asked() {
    let limits = Limits::new([
        limit("tried", Unit::REQUESTS, Rate::per_second(1).unwrap()).shadow(),
        limit("held", Unit::REQUESTS, Rate::per_second(9).unwrap()),
    ])
    .unwrap();
    let charges = limits.resolve(&Request::new().tenant("acme")).unwrap();
    let decision = MemoryStore::default()
        .check(&charges, Timestamp::ZERO)
        .unwrap();
    let names = |fields: &FieldSet| -> Vec<String> {
        let head = Head::of(fields, &decision);
        let items = head.items("ratelimit");
        items.into_iter().map(|item| item.name).collect()
    };
    let mut fields = FieldSet::default();
    assert_eq!(names(&fields), ["held"]);
    fields.shadow = true;
    assert_eq!(names(&fields), ["tried", "held"]);
}

#[test]
fn says_nothing_when_no_limit_applies() {
    let head = Head::of(&FieldSet::default(), &Decision::new([]));
    assert!(head.0.is_empty(), "{head:?}");
}

#[test]
fn converts_periods_that_are_not_of_whole_seconds() {
    for (quota, policy) in [
        (
            Quota::from(Rate::new(100, Duration::from_millis(100)).unwrap()),
            "\"x\";q=1000;w=1;bursar-burst=100",
        ),
        (
            Rate::new(7, Duration::from_millis(1_500)).unwrap().into(),
            "\"x\";q=9;w=2;bursar-burst=7",
        ),
        (
            SlidingWindow::new(7, Duration::from_millis(1_500))
                .unwrap()
                .into(),
            "\"x\";q=7;w=2",
        ),
        (
            Rate::new(1, Duration::from_secs(86_400)).unwrap().into(),
            "\"x\";q=1;w=86400",
        ),
    ] {
        let limits = Limits::new([limit("x", Unit::REQUESTS, quota)]).unwrap();
        let charges = limits.resolve(&Request::new().tenant("acme")).unwrap();
        let decision = MemoryStore::default()
            .check(&charges, Timestamp::ZERO)
            .unwrap();
        let head = Head::of(&FieldSet::STANDARD, &decision);
        assert_eq!(head.get("ratelimit-policy"), Some(policy));
    }
}

#[test]
fn tells_partitions_apart_without_their_keys() {
    let limits = Limits::new([
        Limit::new(
            "all",
            Dimension::GLOBAL,
            Unit::REQUESTS,
            Rate::per_second(9).unwrap(),
        ),
        limit("tenant", Unit::REQUESTS, Rate::per_second(9).unwrap()),
    ])
    .unwrap();
    let store = MemoryStore::default();
    let partition = |tenant: &str, seed| {
        let charges = limits.resolve(&Request::new().tenant(tenant)).unwrap();
        let decision = store.check(&charges, Timestamp::ZERO).unwrap();
        let mut fields = FieldSet::default();
        fields.partition_seed = seed;
        let head = Head::of(&fields, &decision);
        let (policies, limits) = (head.items("ratelimit-policy"), head.items("ratelimit"));
        assert_eq!(policies[1].bytes, limits[1].bytes);
        assert!(policies[0].bytes.is_empty(), "there is one partition only");
        policies[1].bytes.get("pk").cloned()
    };
    assert_eq!(partition("acme", None), None);
    let acme = partition("acme", Some(1)).unwrap();
    assert_eq!(acme.len(), 8);
    assert_eq!(partition("acme", Some(1)), Some(acme.clone()));
    assert_ne!(partition("zenith", Some(1)), Some(acme.clone()));
    assert_ne!(partition("acme", Some(2)), Some(acme));
}

#[test]
fn a_model_client_waits_to_the_millisecond() {
    let rate = Rate::per_second(8).unwrap().burst(1).unwrap();
    let limits = Limits::new([limit("requests", Unit::REQUESTS, rate)]).unwrap();
    let charges = limits.resolve(&Request::new().tenant("acme")).unwrap();
    let store = MemoryStore::default();
    assert!(store.check(&charges, Timestamp::ZERO).unwrap().is_allowed());
    let refused = store.check(&charges, Timestamp::ZERO).unwrap();
    let head = Head::of(&FieldSet::default(), &refused);
    // One in 125 ms, which a whole number of seconds would make a second.
    assert_eq!(wait_of_openai_client(&head), Some(0.125));
    assert_eq!(head.get("retry-after"), Some("1"));
    assert_eq!(head.get("x-ratelimit-reset-requests"), Some("125ms"));
    assert!(openai_client_retries(&head));

    let head = Head::of(&FieldSet::STANDARD, &refused);
    assert_eq!(wait_of_openai_client(&head), Some(1.0));
}

#[test]
fn a_model_client_gives_up_where_waiting_is_in_vain() {
    let limits =
        Limits::new([limit("tokens", Unit::TOKENS, Rate::per_second(8).unwrap())]).unwrap();
    let request = Request::new().tenant("acme").cost(Unit::TOKENS, 9);
    let charges = limits.resolve(&request).unwrap();
    let refused = MemoryStore::default()
        .check(&charges, Timestamp::ZERO)
        .unwrap();
    let head = Head::of(&FieldSet::default(), &refused);
    assert_eq!(wait_of_openai_client(&head), None);
    assert!(!openai_client_retries(&head));
    assert_eq!(head.get("ratelimit"), Some("\"tokens\";r=8"));
}

#[test]
fn calls_in_flight_end_at_no_time_that_can_be_named() {
    let quota = Concurrency::new(1, Duration::from_secs(600)).unwrap();
    let limits = Limits::new([limit("calls", Unit::REQUESTS, quota)]).unwrap();
    let charges = limits.resolve(&Request::new().tenant("acme")).unwrap();
    let store = MemoryStore::default();
    let _ = store.reserve(&charges, Timestamp::ZERO).unwrap();
    let refused = store.reserve(&charges, Timestamp::ZERO).unwrap().decision;
    assert_eq!(retry_after(&refused), Some(RetryAfter::Unknown));
    let head = Head::of(&FieldSet::default(), &refused);
    assert_eq!(head.get("retry-after"), None);
    assert_eq!(head.get("ratelimit"), Some("\"calls\";r=0"));
    assert_eq!(head.get("x-ratelimit-reset"), None);
    assert!(openai_client_retries(&head));
    assert_eq!(
        Problem::quota_exceeded(&refused).detail,
        "The limit \"calls\" allows 1 requests at once: 1 were asked for and 0 are left. Try again \
         when requests under way have ended."
    );
}

#[test]
fn a_limit_that_could_not_be_asked_says_when_to_come_again_and_makes_up_no_numbers() {
    let quota = Concurrency::new(5, Duration::from_secs(600)).unwrap();
    let limit = limit("calls", Unit::REQUESTS, quota);
    let wait = RetryAfter::After(Duration::from_millis(1_500));
    let charge = Charge::new(&limit, limit.quota(), "acme", 1);
    let level = Level::Unavailable { retry_after: wait };
    let refused = Decision::new([Status::new(charge, false, level)]);
    assert_eq!(retry_after(&refused), Some(wait));
    let head = Head::of(&FieldSet::default(), &refused);
    assert_eq!(head.get("retry-after"), Some("2"));
    assert_eq!(head.get("retry-after-ms"), Some("1500"));
    assert_eq!(
        Problem::quota_exceeded(&refused).detail,
        "The limit \"calls\" allows 5 requests at once: 1 were asked for, and how many are left is \
         not known at present. Try again in 1.5s."
    );
}

#[test]
fn problem_details_are_json_whatever_the_names() {
    let names = ["daily", "quote\" and \\", "line\nbreak\u{1}", "ümlaut"];
    let quota = Rate::per_second(1).unwrap();
    let limits = names.map(|name| limit(name, Unit::TOKENS, quota));
    let charges = limits
        .iter()
        .map(|limit| Charge::new(limit, limit.quota(), "acme", 2));
    let charges = Charges::new(charges).unwrap();
    let refused = MemoryStore::default()
        .check(&charges, Timestamp::ZERO)
        .unwrap();

    let problem = Problem::quota_exceeded(&refused);
    let json: serde_json::Value = serde_json::from_str(&problem.to_string()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "title": "Request cannot be satisfied as assigned quota has been exceeded",
            "status": 429,
            "detail": "The limit \"daily\" allows 1 tokens in 1s: 2 were asked for and 1 are left. \
                       A request may ask for at most 1.",
            "violated-policies": names,
        })
    );
    // A field can carry ASCII alone.
    let head = Head::of(&FieldSet::default(), &refused);
    let items = head.items("ratelimit");
    assert_eq!(items[1].name, "quote\" and \\");
    assert_eq!(items[3].name, "%c3%bcmlaut");

    let unavailable = Problem::temporary_reduced_capacity();
    let json: serde_json::Value = serde_json::from_str(&unavailable.to_string()).unwrap();
    assert_eq!(json["status"], 503);
    assert_eq!(
        json["type"],
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    );
    let other = Problem::of_status(400, "Bad Request", "no".to_owned());
    assert_eq!(
        other.to_string(),
        r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"no"}"#
    );
}

fn any_unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![
        Unit::REQUESTS,
        Unit::TOKENS,
        Unit::CONTENT_BYTES,
        Unit::CONCURRENT_REQUESTS,
        Unit::MICRO_USD,
        Unit::new("qu\"o\\ted").unwrap(),
    ])
}

fn any_number() -> impl Strategy<Value = u64> {
    prop_oneof![1..20_u64, 1..=u64::MAX, Just(u64::MAX)]
}

fn any_quota() -> impl Strategy<Value = Quota> {
    let period = any_number().prop_map(Duration::from_nanos);
    (0..4_u8, any_number(), any_number(), period).prop_map(
        |(kind, limit, burst, period)| match kind {
            0 => Rate::new(limit, period)
                .unwrap()
                .burst(burst)
                .unwrap()
                .into(),
            1 => SlidingWindow::new(limit, period).unwrap().into(),
            2 => Concurrency::new(limit, period).unwrap().into(),
            _ => Budget::new(limit, period).unwrap().into(),
        },
    )
}

fn any_wait() -> impl Strategy<Value = RetryAfter> {
    prop_oneof![
        4 => any::<u64>().prop_map(|nanos| RetryAfter::After(Duration::from_nanos(nanos))),
        1 => Just(RetryAfter::Unknown),
        1 => Just(RetryAfter::Never),
    ]
}

/// Whatever a store may say, even if no store would.
fn any_level() -> impl Strategy<Value = Level> {
    let rate = (
        any::<(u64, u64, u64)>(),
        any::<u64>(),
        prop_oneof![any::<u128>(), Just(0)],
    )
        .prop_map(
            |((ticks, units, burst), tick_nanos, outstanding)| Level::Rate {
                gcra: Gcra::new(ticks, units, burst),
                tick_nanos,
                outstanding,
            },
        );
    let counted = (any::<u64>(), any_wait(), any_wait())
        .prop_map(|(used, retry_after, reset_after)| in_use(used, retry_after, reset_after));
    prop_oneof![rate, counted]
}

#[derive(Clone, Debug)]
struct Answer {
    name: String,
    unit: Unit,
    quota: Quota,
    shadow: bool,
    cost: u64,
    fits: bool,
    level: Level,
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let flags = any::<(bool, bool)>();
    (
        "[ -~]{1,12}",
        any_unit(),
        any_quota(),
        any::<u64>(),
        any_level(),
        flags,
    )
        .prop_map(|(name, unit, quota, cost, level, (shadow, fits))| Answer {
            name,
            unit,
            quota,
            shadow,
            cost,
            fits,
            level,
        })
}

const LARGEST: i64 = 999_999_999_999_999;

proptest! {
    #[test]
    fn an_independent_parser_reads_every_decision(
        answers in prop::collection::vec(any_answer(), 0..6),
        seed in any::<Option<u64>>(),
        shadow in any::<bool>(),
    ) {
        let limits: Vec<Limit> = answers
            .iter()
            .map(|answer| {
                let limit = limit(&answer.name, answer.unit, answer.quota);
                if answer.shadow { limit.shadow() } else { limit }
            })
            .collect();
        let statuses = answers.iter().zip(&limits).map(|(answer, limit)| {
            let charge = Charge::new(limit, &answer.quota, "acme", answer.cost);
            Status::new(charge, answer.fits, answer.level)
        });
        let decision = Decision::new(statuses);
        let mut fields = FieldSet::default();
        (fields.partition_seed, fields.shadow) = (seed, shadow);
        let head = Head::of(&fields, &decision);
        let shown: Vec<&Answer> = answers.iter().filter(|answer| shadow || !answer.shadow).collect();

        let policies = head.items("ratelimit-policy");
        prop_assert_eq!(policies.len(), shown.len());
        for (policy, answer) in policies.iter().zip(&shown) {
            prop_assert_eq!(&policy.name, &answer.name);
            prop_assert!((0..=LARGEST).contains(&policy.integers["q"]));
            prop_assert_eq!(!policy.integers.contains_key("w"), answer.quota.is_stock());
            prop_assert!(policy.integers.get("w").is_none_or(|window| *window > 0));
            let unit = policy.strings.get("qu").map(String::as_str);
            prop_assert!(matches!(unit, None | Some("content-bytes" | "concurrent-requests")));
            if let Some(own) = policy.strings.get("bursar-unit") {
                prop_assert_eq!(own, answer.unit.as_str());
            }
            prop_assert_eq!(policy.bytes.contains_key("pk"), seed.is_some());
        }

        let limits = head.items("ratelimit");
        prop_assert_eq!(limits.len(), shown.len());
        let wait = head.integer("retry-after");
        let waiting_helps = matches!(retry_after(&decision), Some(RetryAfter::After(_)));
        prop_assert_eq!(wait.is_some(), waiting_helps);
        for (item, answer) in limits.iter().zip(&shown) {
            prop_assert_eq!(&item.name, &answer.name);
            prop_assert!((0..=LARGEST).contains(&item.integers["r"]));
            if let Some(&time) = item.integers.get("t") {
                prop_assert!(time > 0);
                prop_assert!(!answer.quota.is_stock());
                prop_assert!(wait.is_none_or(|wait| time as u64 <= wait), "{:?}", head);
            }
        }
        if let Some(wait) = wait {
            prop_assert!(wait > 0 && !decision.is_allowed());
            let millis = head.integer("retry-after-ms").unwrap();
            prop_assert!(millis > 0 && millis.div_ceil(1_000) == wait);
        }
        let problem = Problem::quota_exceeded(&decision).to_string();
        let problem: serde_json::Value = serde_json::from_str(&problem).unwrap();
        let violated = decision.violated().count();
        prop_assert_eq!(problem["violated-policies"].as_array().map(Vec::len), Some(violated));
    }

    #[test]
    fn fields_are_promises_that_the_store_keeps(
        quotas in prop::collection::vec((1..50_u64, 1..20_000_u64, 1..50_u64, any::<bool>()), 1..4),
        calls in prop::collection::vec((1..20_u64, 0..3_000_u64), 1..40),
    ) {
        let limits = quotas.iter().enumerate().map(|(index, &(units, millis, burst, exact))| {
            let period = Duration::from_millis(millis);
            let quota: Quota = match exact {
                true => SlidingWindow::new(units, period).unwrap().into(),
                false => Rate::new(units, period).unwrap().burst(burst).unwrap().into(),
            };
            limit(&format!("limit-{index}"), Unit::TOKENS, quota)
        });
        let limits = Limits::new(limits).unwrap();
        let charges_of = |cost| {
            let request = Request::new().tenant("acme").cost(Unit::TOKENS, cost);
            limits.resolve(&request).unwrap()
        };
        let mut now = Timestamp::from_secs(1);
        let mut history = Vec::new();
        for (cost, pause) in calls {
            now = now + Duration::from_millis(pause);
            history.push((cost, now));
            // A store's time never runs backward, so each look ahead takes a store of its own.
            let replay = || {
                let store = MemoryStore::default();
                let decide = |&(cost, at)| store.check(&charges_of(cost), at).unwrap();
                let last = history.iter().map(decide).last().unwrap();
                (Head::of(&FieldSet::default(), &last), last.is_allowed(), store)
            };
            let look_ahead = |wait| {
                let (_, _, store) = replay();
                store.peek(&charges_of(cost), now + wait).unwrap()
            };
            let (head, allowed, _) = replay();
            if let Some(wait) = head.integer("retry-after") {
                prop_assert!(look_ahead(Duration::from_secs(wait)).is_allowed());
                let millis = Duration::from_millis(head.integer("retry-after-ms").unwrap());
                prop_assert!(look_ahead(millis).is_allowed());
            }
            for (index, item) in head.items("ratelimit").iter().enumerate() {
                let Some(&time) = item.integers.get("t") else { continue };
                let after = look_ahead(Duration::from_secs(time as u64));
                let status = &after.statuses()[index];
                if allowed {
                    prop_assert!(status.remaining() as i64 > item.integers["r"]);
                } else {
                    prop_assert!(status.fits());
                }
            }
        }
    }
}
