//! Does the store keep the contract of its port, on one server and in a cluster?

use std::time::Duration;

use async_trait::async_trait;
use bursar_ratelimit::Timestamp;
use bursar_ratelimit::conformance::{self, Harness, Time};
use bursar_redis::{RedisSettings, RedisStore};

use crate::server::{SharedCluster, Single, fresh_prefix};

/// Every store under a prefix of its own.
struct Server<Make>(Make);

#[async_trait]
impl<Make: Fn(RedisSettings) -> RedisStore + Send + Sync> Harness for Server<Make> {
    type Store = RedisStore;

    async fn store(&self) -> RedisStore {
        let settings = RedisSettings::default()
            .prefix(fresh_prefix())
            .timeout(Duration::from_secs(5))
            .connections(4);
        (self.0)(settings)
    }

    fn now(&self) -> Timestamp {
        Timestamp::ZERO
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn time(&self) -> Time {
        Time::Real
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_on_one_server() {
    let Some(server) = Single::find() else { return };
    let make = |settings| RedisStore::single(server.url(), settings).unwrap();
    conformance::run(&Server(make)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_in_a_cluster() {
    let Some(cluster) = SharedCluster::find() else {
        return;
    };
    let make = |settings| RedisStore::cluster(&cluster.urls(), settings).unwrap();
    conformance::run(&Server(make)).await;
}
