//! Does every cell have a key of its own, and are the right ones in one slot?

use std::collections::BTreeSet;
use std::time::Duration;

use bursar_ratelimit::{
    Charge, Charges, Dimension, Limit, Limits, Progress, Quota, Rate, Request, Store as _,
    StoreError, Timestamp, Unit, Usage,
};
use bursar_redis::{Keying, OpenError, RedisSettings, RedisStore};

use crate::server::{Server, SharedCluster, Single, fresh_prefix};

fn bucket(burst: u64) -> Rate {
    let rate = Rate::new(1, Duration::from_secs(86_400)).unwrap();
    rate.burst(burst).unwrap()
}

fn settings() -> RedisSettings {
    RedisSettings::default()
        .prefix(fresh_prefix())
        .timeout(Duration::from_secs(5))
}

fn by_tenant() -> RedisSettings {
    settings().keying(Keying::ByDimension(Dimension::TENANT))
}

/// Takes the only unit of a cell and says whether it was there.
async fn take(store: &RedisStore, limit: &str, key: &str) -> bool {
    let limit = Limit::new(limit, Dimension::API_KEY, Unit::REQUESTS, bucket(1));
    let quota: Quota = bucket(1).into();
    let charges = Charges::new([Charge::new(&limit, &quota, key, 1)]).unwrap();
    let decision = store.check(&charges, Timestamp::ZERO).await;
    decision.unwrap().is_allowed()
}

#[tokio::test]
async fn no_two_cells_share_a_key() {
    let Some(server) = Single::find() else { return };
    let store = RedisStore::single(server.url(), settings()).unwrap();
    let long = "k".repeat(20_000);
    let texts = [
        "", ":", "a", "a:b", "b", "a%3Ab", "%", "{a}", "}", "{", "a b", "ä", "日本", "\0", "\r\n",
        "*", "s", "r", &long,
    ];
    for limit in texts {
        for key in texts {
            assert!(
                take(&store, limit, key).await,
                "{limit:?} {key:?} was taken"
            );
        }
    }
    for limit in texts {
        for key in texts {
            assert!(
                !take(&store, limit, key).await,
                "{limit:?} {key:?} is fresh"
            );
        }
    }
}

#[tokio::test]
async fn stores_with_different_prefixes_share_nothing() {
    let Some(server) = Single::find() else { return };
    for _ in 0..2 {
        let store = RedisStore::single(server.url(), settings()).unwrap();
        assert!(take(&store, "key", "key-17").await);
    }
}

#[tokio::test]
async fn writes_the_keys_that_the_documentation_names() {
    let Some(server) = Server::start() else {
        return;
    };
    let limits = Limits::preset().unwrap();
    let request = Request::new()
        .tenant("acme")
        .api_key("key-17")
        .method("chat");
    let request = request.cost(Unit::TOKENS, 1_200);
    let charges = limits.resolve(&request).unwrap();
    let store = RedisStore::single(&server.url(), RedisSettings::default()).unwrap();
    let admission = store.reserve(&charges, Timestamp::ZERO).await.unwrap();
    let mut reservation = admission.reservation.unwrap();
    let usage = Usage::new().with(Unit::TOKENS, 873);
    let settled = store.settle(&mut reservation, &usage, Progress::Final, Timestamp::ZERO);
    assert!(settled.await.unwrap().is_applied());

    let marker = format!("{{bursar}}:s:{:032x}", reservation.id().0);
    let written = server.cli(&["keys", "*"]);
    let written: BTreeSet<&str> = written.lines().collect();
    let expected = BTreeSet::from([
        "{bursar}:r:global:",
        "{bursar}:r:tenant:acme",
        "{bursar}:r:key:key-17",
        "{bursar}:r:key-tokens:key-17",
        "{bursar}:r:method:chat",
        &marker,
    ]);
    assert_eq!(written, expected);
    for key in written {
        let left: i64 = server.cli(&["pttl", key]).trim().parse().unwrap();
        assert!(left > 0, "{key} never goes: {left}");
    }
}

#[tokio::test]
async fn tenants_spread_over_a_cluster_and_stay_exact() {
    let Some(cluster) = SharedCluster::find() else {
        return;
    };
    let store = RedisStore::cluster(&cluster.urls(), by_tenant()).unwrap();
    let limits = Limits::new([
        Limit::new("tenant", Dimension::TENANT, Unit::REQUESTS, bucket(4)),
        Limit::new("key", Dimension::API_KEY, Unit::TOKENS, bucket(10)),
    ])
    .unwrap();
    for tenant in [
        "acme", "", "{", "}", "a:b", "a/b", "日本", "globex", "initech",
    ] {
        let request = Request::new().tenant(tenant).api_key("key-17");
        let request = request.cost(Unit::TOKENS, 5);
        let charges = limits.resolve(&request).unwrap();
        let mut allowed = 0;
        for _ in 0..6 {
            let admission = store.reserve(&charges, Timestamp::ZERO).await.unwrap();
            if let Some(mut reservation) = admission.reservation {
                allowed += 1;
                let (usage, progress) = (Usage::new(), Progress::Final);
                let settled = store.settle(&mut reservation, &usage, progress, Timestamp::ZERO);
                assert!(settled.await.unwrap().is_applied());
            }
        }
        assert_eq!(allowed, 2, "tenant {tenant:?}");
        let decision = store.peek(&charges, Timestamp::ZERO).await.unwrap();
        let left: Vec<u64> = decision
            .statuses()
            .iter()
            .map(|one| one.remaining())
            .collect();
        assert_eq!(left, [2, 0], "refusals took something of {tenant:?}");
    }
}

#[tokio::test]
async fn what_is_in_several_slots_is_an_error_that_says_what_to_do() {
    let Some(server) = Single::find() else { return };
    let store = RedisStore::single(server.url(), by_tenant()).unwrap();
    let preset = Limits::preset().unwrap();
    let request = Request::new()
        .tenant("acme")
        .api_key("key-17")
        .method("chat");
    let request = request.cost(Unit::TOKENS, 1);
    let all = preset.resolve(&request).unwrap();
    let apart = async |charges: &Charges<'_>| match store.check(charges, Timestamp::ZERO).await {
        Err(StoreError::Apart { limit, reason, .. }) => (limit, reason),
        other => panic!("{other:?}"),
    };
    let (limit, reason) = apart(&all).await;
    assert_eq!(limit, "global");
    assert!(reason.contains("lease its dimension"), "{reason}");

    let only = |name: &str| {
        let charges = all.as_slice().iter().copied();
        Charges::new(charges.filter(|charge| charge.limit().name() == name)).unwrap()
    };
    let (limit, reason) = apart(&only("key")).await;
    assert_eq!(limit, "key");
    assert!(reason.contains("found by the tenant"), "{reason}");
    // A shared limit alone is what a lease asks for.
    for name in ["global", "method", "tenant"] {
        let decision = store.check(&only(name), Timestamp::ZERO).await.unwrap();
        assert!(decision.is_allowed(), "{name}");
    }
}

#[test]
fn refuses_settings_that_cannot_work() {
    let open = |settings| RedisStore::single("redis://127.0.0.1:1", settings);
    for prefix in ["", "a:b", "{a}", "a b", "ü", &"x".repeat(101)] {
        let refused = open(RedisSettings::default().prefix(prefix));
        assert!(matches!(refused, Err(OpenError::Prefix(_))), "{prefix:?}");
    }
    for connections in [0, 65] {
        let refused = open(RedisSettings::default().connections(connections));
        assert!(matches!(refused, Err(OpenError::Connections(_))));
    }
    let settings = RedisSettings::default();
    let refused = RedisStore::single("http://127.0.0.1", settings);
    assert!(matches!(refused, Err(OpenError::Url(_))));
}
