//! What becomes of a charge whose answer is lost? Counted in units, on quotas too slow to refill.

use std::time::Duration;

use bursar_ratelimit::fallback::{Fallback, Settings};
use bursar_ratelimit::{
    Dimension, Limit, Limits, OnFailure, Progress, Rate, Request, Reservation, Store, StoreError,
    Timestamp, Unit, Usage,
};
use bursar_redis::RedisStore;

use super::proxy::{Network, Proxy};
use super::{impatient, patient};
use crate::server::{Server, eventually};

const NOW: Timestamp = Timestamp::ZERO;

/// A hundred units, and one more in 10 000 s.
fn slow() -> Limits {
    let quota = Rate::new(1, Duration::from_secs(10_000)).unwrap();
    let quota = quota.burst(100).unwrap();
    Limits::new([Limit::new("slow", Dimension::TENANT, Unit::TOKENS, quota)]).unwrap()
}

fn request(tenant: &str, cost: u64) -> Request<'_> {
    Request::new().tenant(tenant).cost(Unit::TOKENS, cost)
}

/// A server, the way to it that a test disturbs, and one that it does not.
struct Ways {
    _server: Server,
    proxy: Proxy,
    disturbed: RedisStore,
    direct: RedisStore,
    limits: Limits,
}

impl Ways {
    async fn start() -> Option<Self> {
        let server = Server::start()?;
        let proxy = Proxy::start(server.port()).await;
        Some(Self {
            disturbed: RedisStore::single(&proxy.url(), impatient().connections(1)).unwrap(),
            direct: RedisStore::single(&server.url(), patient()).unwrap(),
            limits: slow(),
            proxy,
            _server: server,
        })
    }

    async fn remaining(&self) -> u64 {
        let charges = self.limits.resolve(&request("acme", 1)).unwrap();
        let decision = self.direct.peek(&charges, NOW).await.unwrap();
        decision.statuses()[0].remaining()
    }

    async fn reserve(&self, cost: u64) -> Reservation {
        let charges = self.limits.resolve(&request("acme", cost)).unwrap();
        let admission = self.disturbed.reserve(&charges, NOW).await.unwrap();
        admission.reservation.unwrap()
    }

    /// Settles over a way on which the answer is lost, then again over one that works, twice.
    async fn settle_unheard(&self, reservation: &mut Reservation, used: u64, progress: Progress) {
        let usage = Usage::new().with(Unit::TOKENS, used);
        self.proxy.set(Network::SwallowsAnswers);
        let lost = self.disturbed.settle(reservation, &usage, progress, NOW);
        let lost = lost.await;
        assert!(matches!(lost, Err(StoreError::TimedOut { .. })), "{lost:?}");
        self.proxy.set(Network::Works);
        for _ in 0..2 {
            let mut settled = self
                .disturbed
                .settle(reservation, &usage, progress, NOW)
                .await;
            for _ in 0..100 {
                if settled.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                settled = self
                    .disturbed
                    .settle(reservation, &usage, progress, NOW)
                    .await;
            }
            let _ = settled.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_charge_whose_answer_is_lost_counts_as_spent() {
    let Some(ways) = Ways::start().await else {
        return;
    };
    drop(ways.reserve(10).await);
    ways.proxy.set(Network::SwallowsAnswers);
    let charges = ways.limits.resolve(&request("acme", 20)).unwrap();
    let lost = ways.disturbed.reserve(&charges, NOW).await;
    assert!(matches!(lost, Err(StoreError::TimedOut { .. })), "{lost:?}");
    assert_eq!(ways.remaining().await, 70);
    // Once, and not again by a connection that is made anew.
    ways.proxy.set(Network::Works);
    let mut tries = 0;
    while ways.disturbed.peek(&charges, NOW).await.is_err() {
        tries += 1;
        assert!(tries < 1000, "the store does not come back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(ways.remaining().await, 70);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_refund_whose_answer_is_lost_is_given_once() {
    let Some(ways) = Ways::start().await else {
        return;
    };
    let mut reservation = ways.reserve(50).await;
    ways.settle_unheard(&mut reservation, 30, Progress::Final)
        .await;
    assert!(reservation.is_settled());
    assert_eq!(ways.remaining().await, 70);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_debt_whose_answer_is_lost_is_charged_once() {
    let Some(ways) = Ways::start().await else {
        return;
    };
    let mut reservation = ways.reserve(50).await;
    ways.settle_unheard(&mut reservation, 80, Progress::Final)
        .await;
    assert_eq!(ways.remaining().await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_step_whose_answer_is_lost_is_charged_once() {
    let Some(ways) = Ways::start().await else {
        return;
    };
    let mut reservation = ways.reserve(50).await;
    ways.settle_unheard(&mut reservation, 60, Progress::Step)
        .await;
    assert_eq!(ways.remaining().await, 40);
    ways.settle_unheard(&mut reservation, 75, Progress::Step)
        .await;
    assert_eq!(ways.remaining().await, 25);
    ways.settle_unheard(&mut reservation, 75, Progress::Final)
        .await;
    assert_eq!(ways.remaining().await, 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_settlement_waits_for_the_store_that_made_the_reservation() {
    let Some(ways) = Ways::start().await else {
        return;
    };
    let local = OnFailure::Local { instances: 1 };
    let limits = Limits::new([slow().as_slice()[0].clone().on_failure(local)]).unwrap();
    let charges = limits.resolve(&request("acme", 50)).unwrap();
    let store = Fallback::new(&ways.disturbed, Settings::default());
    // The breaker's time goes on by 20 s with each call, so that it probes each time.
    let mut seconds = 0;
    let mut now = || {
        seconds += 20;
        Timestamp::from_secs(seconds)
    };
    let admission = store.reserve(&charges, now()).await.unwrap();
    let mut shared = admission.reservation.unwrap();

    ways.proxy.set(Network::Cuts);
    let usage = Usage::new().with(Unit::TOKENS, 30);
    let failed = store
        .settle(&mut shared, &usage, Progress::Final, now())
        .await;
    assert!(failed.is_err_and(|error| error.is_failure()));
    assert!(!shared.is_settled());
    let admission = store.reserve(&charges, now()).await.unwrap();
    let mut own = admission.reservation.unwrap();

    ways.proxy.set(Network::Works);
    let mut tries = 0;
    while store
        .settle(&mut shared, &usage, Progress::Final, now())
        .await
        .is_err()
    {
        tries += 1;
        assert!(tries < 1000, "the store does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ways.remaining().await, 70);
    // What was held in this process while the store failed is nothing to the store.
    let settled = store.settle(&mut own, &usage, Progress::Final, now()).await;
    assert!(settled.unwrap().is_applied());
    assert_eq!(ways.remaining().await, 70);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lets_exactly_twenty_of_fifty_pass_over_several_connections() {
    let Some(server) = Server::start() else {
        return;
    };
    let stores: Vec<RedisStore> = (0..4)
        .map(|_| RedisStore::single(&server.url(), patient()).unwrap())
        .collect();
    for run in 0..100 {
        let allowed = fifty(&stores, run).await.0;
        assert_eq!(allowed, 20, "in run {run}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_fifty_callers_while_the_server_stops() {
    let Some(server) = Server::start() else {
        return;
    };
    let stores: Vec<RedisStore> = (0..4)
        .map(|_| RedisStore::single(&server.url(), impatient()).unwrap())
        .collect();
    // Connected before the server stops.
    assert_eq!(fifty(&stores, 0).await.0, 20);
    server.signal("STOP");
    let (allowed, unknown) = fifty(&stores, 1).await;
    server.signal("CONT");
    assert_eq!((allowed, unknown), (0, 50));
    // What arrives late is charged all the same, twenty times and no more.
    let tenant = tenant(1);
    let limits = slow();
    let charges = limits.resolve(&request(&tenant, 1)).unwrap();
    let direct = RedisStore::single(&server.url(), patient()).unwrap();
    let handle = tokio::runtime::Handle::current();
    let spent = tokio::task::block_in_place(|| {
        let mut remaining = 100;
        eventually("what was sent has arrived", || {
            let decision = handle.block_on(direct.peek(&charges, NOW)).unwrap();
            remaining = decision.statuses()[0].remaining();
            remaining == 0
        });
        100 - remaining
    });
    assert_eq!(spent, 100);
}

fn tenant(run: usize) -> String {
    format!("tenant-{run}")
}

/// How many of fifty callers at once pass with 5 each of 100, and how many learn nothing.
async fn fifty(stores: &[RedisStore], run: usize) -> (usize, usize) {
    let callers: Vec<_> = (0..50)
        .map(|caller| {
            let store = stores[caller % stores.len()].clone();
            tokio::spawn(async move {
                let (limits, tenant) = (slow(), tenant(run));
                let charges = limits.resolve(&request(&tenant, 5)).unwrap();
                store.check(&charges, NOW).await.map(|one| one.is_allowed())
            })
        })
        .collect();
    let (mut allowed, mut unknown) = (0, 0);
    for caller in callers {
        match caller.await.unwrap() {
            Ok(passed) => allowed += usize::from(passed),
            Err(StoreError::TimedOut { .. }) => unknown += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    (allowed, unknown)
}
