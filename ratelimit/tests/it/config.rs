//! Are limits read as they are written, and mistakes named?

use std::time::Duration;

use bursar_ratelimit::{
    Absence, Budget, Concurrency, DecisionReport, Dimension, Enforcement, Expired, Limit, Limits,
    MemoryStore, OnFailure, Quota, Rate, Request, SlidingWindow, Timestamp, Unit,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Service {
    limits: Limits,
}

fn read(text: &str) -> Result<Limits, String> {
    let service: Result<Service, _> = toml::from_str(text);
    service
        .map(|service| service.limits)
        .map_err(|error| error.to_string())
}

const TENANT: &str = "[[limits]]\nname = \"tenant\"\ndimension = \"tenant\"\nunit = \"requests\"\n";

#[test]
fn reads_every_field() {
    let limits = read(&format!(
        "{TENANT}quota.rate = {{ limit = 100, period = \"1m\", burst = 15 }}
        tiers.gold.sliding-window = {{ limit = 7, window = \"1h 30m\", slices = 90 }}
        keys.acme.budget = {{ amount = 9, expiry = \"1d\", expired = \"returned\" }}
        keys.\"b b\".concurrency = {{ limit = 3, expiry = \"PT5M\" }}
        shadow = true
        optional = true
        on-failure.local = {{ instances = 3 }}
        near-percent = 95"
    ))
    .unwrap();
    let limit = &limits.as_slice()[0];
    let rate = Rate::per_minute(100).unwrap().burst(15).unwrap();
    assert_eq!(limit.quota(), &rate.into());
    let window = SlidingWindow::new(7, Duration::from_secs(5_400)).unwrap();
    let window = window.slices(90).unwrap();
    assert_eq!(limit.quota_of("x", Some("gold")), &window.into());
    let budget = Budget::new(9, Duration::from_secs(86_400)).unwrap();
    let budget = budget.on_expiry(Expired::Returned);
    assert_eq!(limit.quota_of("acme", None), &budget.into());
    let concurrency = Concurrency::new(3, Duration::from_secs(300)).unwrap();
    assert_eq!(limit.quota_of("b b", None), &concurrency.into());
    assert_eq!(limit.enforcement(), Enforcement::Shadow);
    assert_eq!(limit.absence(), Absence::Skip);
    assert_eq!(limit.failure_policy(), OnFailure::Local { instances: 3 });
    assert_eq!(limit.near_threshold(), 95);
}

#[test]
fn what_is_not_said_is_strict() {
    let limits = read(&format!(
        "{TENANT}quota.rate = {{ limit = 100, period = \"60s\" }}"
    ));
    let limits = limits.unwrap();
    let limit = &limits.as_slice()[0];
    assert_eq!(limit.quota(), &Rate::per_minute(100).unwrap().into());
    assert_eq!(limit.enforcement(), Enforcement::Enforced);
    assert_eq!(limit.absence(), Absence::Error);
    assert_eq!(limit.failure_policy(), OnFailure::Closed);
    assert_eq!(limit.near_threshold(), 80);
}

/// Mistakes, and what the error has to say of each.
#[test]
fn mistakes_are_named_with_their_place_and_value() {
    let cases: [(&str, &[&str]); 13] = [
        (
            "quota.rate = { limit = 0, period = \"60s\" }",
            &["limit `tenant`", "quota.rate.limit", "at least 1"],
        ),
        (
            "quota.rate = { limit = 1, period = \"soon\" }",
            &["limit `tenant`", "quota.rate.period", "`soon`"],
        ),
        (
            "quota.rate = { limit = 1, period = \"1mo\" }",
            &["quota.rate.period", "`1mo`", "no fixed length"],
        ),
        (
            "quota.rate = { limit = 1, period = \"-60s\" }",
            &["quota.rate.period", "`-60s`", "less than nothing"],
        ),
        (
            "quota.rate = { limit = 1, period = \"0s\" }",
            &["quota.rate.period", "too short"],
        ),
        (
            "quota.rate = { limit = 1, period = \"6000000h\" }",
            &["quota.rate.period", "584 years"],
        ),
        (
            "quota.rate = { limit = 1, period = \"1s\", burst = 0 }",
            &["quota.rate.burst"],
        ),
        (
            "quota.rate = { limit = 1, period = \"1s\", brust = 2 }",
            &["brust", "burst"],
        ),
        (
            "quota.sliding-window = { limit = 1, window = \"1s\", slices = 0 }",
            &["quota.sliding-window.slices", "0 slices"],
        ),
        (
            "quota.rate = { limit = 1, period = \"1s\" }\ntiers.gold.budget = { amount = 0, expiry = \"1s\" }",
            &["limit `tenant`", "tiers.gold.budget.amount"],
        ),
        (
            "quota.rate = { limit = 1, period = \"1s\" }\nkeys.acme.concurrency = { limit = 0, expiry = \"1s\" }",
            &["keys.acme.concurrency.limit"],
        ),
        (
            "quota.rate = { limit = 1, period = \"1s\" }\non_failure = \"open\"",
            &["on_failure", "on-failure"],
        ),
        (
            "quota.flow = { limit = 1, period = \"1s\" }",
            &["flow", "sliding-window"],
        ),
    ];
    for (text, says) in cases {
        let error = read(&format!("{TENANT}{text}")).unwrap_err();
        for part in says {
            assert!(error.contains(part), "{text}\n{error}\nlacks {part}");
        }
    }
    let twice = format!("{TENANT}quota.rate = {{ limit = 1, period = \"1s\" }}\n").repeat(2);
    assert!(read(&twice).unwrap_err().contains("two limits are named"));
    let spaced = TENANT.replace("dimension = \"tenant\"", "dimension = \"te nant\"");
    let spaced = read(&format!(
        "{spaced}quota.rate = {{ limit = 1, period = \"1s\" }}"
    ));
    assert!(spaced.unwrap_err().contains("limit `tenant`, dimension"));
}

#[test]
fn a_decision_serializes_without_its_keys() {
    let limits = Limits::preset().unwrap();
    let request = Request::new().tenant("acme").api_key("secret-17");
    let request = request.method("chat").cost(Unit::TOKENS, 100_001);
    let charges = limits.resolve(&request).unwrap();
    let store = MemoryStore::default();
    let decision = store.check(&charges, Timestamp::ZERO).unwrap();
    let report = DecisionReport::from(&decision);
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.starts_with(r#"{"allowed":false,"deciding":"key-tokens","retry_after":"never""#));
    assert!(!json.contains("secret"), "{json}");
    assert_eq!(
        serde_json::from_str::<DecisionReport>(&json).unwrap(),
        report
    );
}

fn quotas() -> impl Strategy<Value = Quota> {
    let length = prop_oneof![1..=u64::MAX, 1..10_000_u64].prop_map(Duration::from_nanos);
    let units = prop_oneof![1..=u64::MAX, 1..10_000_u64];
    (
        0..4_u8,
        units.clone(),
        units,
        length,
        any::<u32>(),
        any::<bool>(),
    )
        .prop_map(|(kind, limit, burst, length, slices, flag)| match kind {
            0 => Rate::new(limit, length)
                .unwrap()
                .burst(burst)
                .unwrap()
                .into(),
            1 => {
                let window = SlidingWindow::new(limit, length).unwrap();
                window.slices(slices).unwrap_or(window).into()
            }
            2 => Concurrency::new(limit, length).unwrap().into(),
            _ => {
                let expired = if flag {
                    Expired::Spent
                } else {
                    Expired::Returned
                };
                Budget::new(limit, length)
                    .unwrap()
                    .on_expiry(expired)
                    .into()
            }
        })
}

fn limit() -> impl Strategy<Value = Limit> {
    let others = || prop::collection::btree_map("[ -~]{0,12}", quotas(), 0..3);
    (
        quotas(),
        others(),
        others(),
        any::<(bool, bool, u8, Option<u32>)>(),
    )
        .prop_map(|(quota, tiers, keys, (shadow, optional, near, local))| {
            let mut limit = Limit::new("any name", Dimension::TENANT, Unit::TOKENS, quota);
            for (tier, quota) in tiers {
                limit = limit.tier(tier, quota);
            }
            for (key, quota) in keys {
                limit = limit.key(key, quota);
            }
            if shadow {
                limit = limit.shadow();
            }
            if optional {
                limit = limit.optional();
            }
            let policy = local.map_or(OnFailure::Open, |instances| OnFailure::Local { instances });
            limit.near_percent(near).on_failure(policy)
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(limit in limit()) {
        let limits = Limits::new([limit]).unwrap();
        let json = serde_json::to_string(&limits).unwrap();
        let back: Limits = serde_json::from_str(&json).unwrap();
        let (limit, same) = (&limits.as_slice()[0], &back.as_slice()[0]);
        prop_assert_eq!(limit.quota(), same.quota());
        for (tier, quota) in limit.tiers() {
            prop_assert_eq!(same.quota_of("no such key!", Some(tier)), quota);
        }
        for (key, quota) in limit.keys() {
            prop_assert_eq!(same.quota_of(key, None), quota);
        }
        prop_assert_eq!(same.tiers().count(), limit.tiers().count());
        prop_assert_eq!(same.keys().count(), limit.keys().count());
        prop_assert_eq!(limit.failure_policy(), same.failure_policy());
        prop_assert_eq!(limit.near_threshold(), same.near_threshold());
        prop_assert_eq!(limit.enforcement(), same.enforcement());
        prop_assert_eq!(limit.absence(), same.absence());
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), json);
    }
}

#[test]
fn the_preset_survives_toml() {
    let service = Service {
        limits: Limits::preset().unwrap(),
    };
    let text = toml::to_string(&service).unwrap();
    let back = read(&text).unwrap();
    assert_eq!(back.as_slice().len(), 5);
    assert_eq!(toml::to_string(&Service { limits: back }).unwrap(), text);
}
