//! Are the scripts exact to the microsecond? They run on a real server, with a clock that the tests
//! move.
//!
//! The time lies far ahead, so that no key expires by the server's own clock meanwhile.

#[expect(dead_code, reason = "shared with the integration tests")]
#[path = "../tests/it/server.rs"]
mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bursar_ratelimit::conformance::{self, Harness, Time};
use bursar_ratelimit::{
    Budget, Charges, Concurrency, Decision, Dimension, Expired, Limit, Limits, MemoryStore,
    Progress, Quota, Rate, Request, Reservation, RetryAfter, Settings, SlidingWindow, Store,
    Timestamp, Unit, Usage,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use self::server::{Single, fresh_prefix};
use crate::{RedisSettings, RedisStore};

/// The year 2103, in nanoseconds.
const FAR_AHEAD: u64 = 4_200_000_000_000_000_000;
const MICROSECOND: Duration = Duration::from_micros(1);

fn store(server: &Single) -> RedisStore {
    let settings = RedisSettings::default()
        .prefix(fresh_prefix())
        .timeout(Duration::from_secs(5))
        .connections(2);
    let store = RedisStore::single(server.url(), settings).unwrap();
    store.in_virtual_time()
}

struct VirtualServer {
    server: Single,
    now: AtomicU64,
}

#[async_trait]
impl Harness for VirtualServer {
    type Store = RedisStore;

    async fn store(&self) -> RedisStore {
        store(&self.server)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.load(Ordering::SeqCst))
    }

    async fn pass(&self, duration: Duration) {
        let micros = duration.as_nanos().div_ceil(1000) as u64;
        self.now.fetch_add(micros * 1000, Ordering::SeqCst);
    }

    fn time(&self) -> Time {
        Time::Virtual { tick: MICROSECOND }
    }
}

#[tokio::test]
async fn keeps_the_contract_to_the_microsecond() {
    let Some(server) = Single::find() else { return };
    let now = AtomicU64::new(FAR_AHEAD);
    conformance::run(&VirtualServer { server, now }).await;
}

/// A history of both stores side by side: whatever is asked, they say the same.
struct Twins {
    redis: RedisStore,
    memory: MemoryStore,
    limits: Limits,
    now: Timestamp,
    random: ChaCha8Rng,
    /// What is reserved in both, and since when.
    open: Vec<(Reservation, Reservation, Timestamp)>,
    /// From which age on reservations are not settled any more.
    expiry: Duration,
    decisions: u32,
    refusals: u32,
    refunds: u64,
}

impl Twins {
    fn new(server: &Single, limits: impl IntoIterator<Item = Limit>, seed: u64) -> Self {
        let mut settings = Settings::default();
        settings.reservation_expiry = Duration::from_secs(1 << 40);
        Self {
            redis: store(server),
            memory: MemoryStore::new(settings),
            limits: Limits::new(limits).unwrap(),
            now: Timestamp::from_nanos(FAR_AHEAD),
            random: ChaCha8Rng::seed_from_u64(seed),
            open: Vec::new(),
            expiry: Duration::MAX,
            decisions: 0,
            refusals: 0,
            refunds: 0,
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random.next_u64() % end
    }

    async fn run(&mut self, steps: u32, longest_pause: u64, largest_cost: u64) {
        for _ in 0..steps {
            let pause = match self.below(4) {
                0 => 0,
                1 => 1,
                _ => self.below(longest_pause),
            };
            self.now = self.now + Duration::from_micros(pause);
            match self.below(10) {
                0..=3 => self.reserve(largest_cost).await,
                4 | 5 => self.check(largest_cost).await,
                _ => self.settle(largest_cost).await,
            }
        }
        assert!(
            self.refusals > 0,
            "no refusal in {} decisions",
            self.decisions
        );
        assert!(self.decisions > self.refusals, "refusals only");
    }

    async fn check(&mut self, largest_cost: u64) {
        let cost = self.below(largest_cost + 1);
        let limits = self.limits.clone();
        let request = request(cost);
        let charges = limits.resolve(&request).unwrap();
        let counts_calls = |limit: &Limit| matches!(limit.quota(), Quota::Concurrency(_));
        let (redis, memory) = if limits.as_slice().iter().any(counts_calls) {
            (
                self.redis.peek(&charges, self.now).await.unwrap(),
                self.memory.peek(&charges, self.now).unwrap(),
            )
        } else {
            (
                self.redis.check(&charges, self.now).await.unwrap(),
                self.memory.check(&charges, self.now).unwrap(),
            )
        };
        self.compare(&redis, &memory);
    }

    async fn reserve(&mut self, largest_cost: u64) {
        let cost = self.below(largest_cost + 1);
        let limits = self.limits.clone();
        let request = request(cost);
        let charges: Charges<'_> = limits.resolve(&request).unwrap();
        let redis = self.redis.reserve(&charges, self.now).await.unwrap();
        let memory = self.memory.reserve(&charges, self.now).unwrap();
        self.compare(&redis.decision, &memory.decision);
        if let (Some(redis), Some(memory)) = (redis.reservation, memory.reservation) {
            self.open.push((redis, memory, self.now));
        }
    }

    async fn settle(&mut self, largest_cost: u64) {
        let (now, expiry) = (self.now, self.expiry);
        self.open
            .retain(|(_, _, since)| now.saturating_since(*since) < expiry);
        if self.open.is_empty() {
            return;
        }
        let index = self.below(self.open.len() as u64) as usize;
        let used = self.below(largest_cost * 5 / 4 + 1);
        let (usage, progress) = match self.below(4) {
            0 => (Usage::new().with(Unit::TOKENS, used), Progress::Step),
            1 => (Usage::new(), Progress::Final),
            _ => (Usage::new().with(Unit::TOKENS, used), Progress::Final),
        };
        let (redis, memory, _) = &mut self.open[index];
        let of_redis = self.redis.settle(redis, &usage, progress, self.now).await;
        let of_redis = of_redis.unwrap();
        let of_memory = self.memory.settle(memory, &usage, progress, self.now);
        assert_eq!(of_redis, of_memory.unwrap(), "{usage:?} {progress:?}");
        self.refunds += of_redis
            .parts()
            .iter()
            .map(|part| part.refunded)
            .sum::<u64>();
        if progress == Progress::Final {
            drop(self.open.swap_remove(index));
        }
    }

    fn compare(&mut self, redis: &Decision<'_>, memory: &Decision<'_>) {
        self.decisions += 1;
        self.refusals += u32::from(!redis.is_allowed());
        let step = self.decisions;
        for (redis, memory) in redis.statuses().iter().zip(memory.statuses()) {
            let name = redis.name();
            assert_eq!(redis.fits(), memory.fits(), "{name}, decision {step}");
            assert_eq!(redis.remaining(), memory.remaining(), "{name}, {step}");
            let wait = memory.retry_after().map(in_micros);
            assert_eq!(redis.retry_after(), wait, "{name}, {step}");
            let reset = in_micros(memory.reset_after());
            assert_eq!(redis.reset_after(), reset, "{name}, {step}");
        }
    }
}

/// The first whole microsecond at which the same is so.
fn in_micros(wait: RetryAfter) -> RetryAfter {
    match wait {
        RetryAfter::After(wait) => {
            RetryAfter::After(Duration::from_micros(wait.as_nanos().div_ceil(1000) as u64))
        }
        other => other,
    }
}

fn request<'a>(tokens: u64) -> Request<'a> {
    let request = Request::new().tenant("acme").api_key("key-17");
    request.method("chat").cost(Unit::TOKENS, tokens)
}

fn tokens(name: &str, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, Dimension::API_KEY, Unit::TOKENS, quota)
}

fn rate(limit: u64, micros: u64, burst: u64) -> Rate {
    let rate = Rate::new(limit, Duration::from_micros(micros)).unwrap();
    rate.burst(burst).unwrap()
}

#[tokio::test]
async fn rates_agree_with_the_store_in_memory() {
    let Some(server) = Single::find() else { return };
    let day = 86_400_000_000;
    let mut refunds = 0;
    for (seed, (first, second, pause)) in [
        (rate(1, 600, 20), rate(7, 3_000, 40), 12_000),
        (rate(50, 3, 30), rate(999_983, 60_000_000, 25), 400),
        (rate(1, day, 12), rate(7, day, 33), day / 2),
        (rate(1_000, 1, 30), rate(3, 2, 60), 4),
        // Fractions whose products no double holds.
        (
            rate(999_999_999_961, 999_999_999_989, 21),
            rate(999_999_999_989, 999_999_999_961, 45),
            20,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for round in 0..4 {
            let limits = [
                tokens("first", first),
                Limit::new("second", Dimension::TENANT, Unit::TOKENS, second),
                tokens("tried", first).shadow(),
            ];
            let seed = seed as u64 * 100 + round;
            let mut twins = Twins::new(&server, limits, seed);
            twins.run(300, pause, 12).await;
            refunds += twins.refunds;
        }
    }
    assert!(refunds > 100, "{refunds} units came back");
}

#[tokio::test]
async fn windows_agree_with_the_store_in_memory() {
    let Some(server) = Single::find() else { return };
    // Slices of whole microseconds; others are longer on the server.
    for (seed, slices) in (0..).zip([4, 5, 8, 10, 20, 25]) {
        let exact = SlidingWindow::new(40, Duration::from_micros(1_000)).unwrap();
        let coarse = SlidingWindow::new(60, Duration::from_micros(2_000)).unwrap();
        let limits = [
            tokens("exact", exact),
            tokens("coarse", coarse.slices(slices).unwrap()),
            Limit::new("rate", Dimension::TENANT, Unit::TOKENS, rate(1, 50, 90)),
        ];
        let mut twins = Twins::new(&server, limits, 1_000 + seed);
        twins.run(400, 300, 12).await;
    }
}

#[tokio::test]
async fn calls_in_flight_agree_with_the_store_in_memory() {
    let Some(server) = Single::find() else { return };
    for seed in 0..6 {
        let calls = Concurrency::new(5, Duration::from_micros(3_000)).unwrap();
        let tenant = Concurrency::new(7, Duration::from_micros(9_000)).unwrap();
        let unit = Unit::CONCURRENT_REQUESTS;
        let limits = [
            Limit::new("calls", Dimension::API_KEY, unit, calls),
            Limit::new("tenant", Dimension::TENANT, unit, tenant),
            tokens("rate", rate(1, 20, 80)),
        ];
        let mut twins = Twins::new(&server, limits, 2_000 + seed);
        twins.expiry = Duration::from_micros(3_000);
        twins.run(400, 600, 8).await;
    }
}

#[tokio::test]
async fn budgets_agree_with_the_store_in_memory() {
    let Some(server) = Single::find() else { return };
    for (seed, expired) in [Expired::Spent, Expired::Returned].into_iter().enumerate() {
        for round in 0..4 {
            let budget = Budget::new(700, Duration::from_micros(2_000)).unwrap();
            let limits = [
                tokens("budget", budget.on_expiry(expired)),
                Limit::new("rate", Dimension::TENANT, Unit::TOKENS, rate(1, 30, 120)),
            ];
            let mut twins = Twins::new(&server, limits, 3_000 + seed as u64 * 100 + round);
            twins.expiry = Duration::from_micros(2_000);
            twins.run(400, 500, 12).await;
        }
    }
}
