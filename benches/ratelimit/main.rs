//! How long does a decision over four request limits and one on tokens take, beside its peers?
//!
//! Every peer does the same work: a global limit, one per tenant, API key and method, and one on the
//! tokens of an API key, all a token bucket of one unit a millisecond with a burst of 2^31 (limitador:
//! a window of an hour). Keys are strings of 32 bytes. With N keys there are N tenants and N API keys,
//! asked for at random, and 16 methods. Time stands still unless a row names a clock: bursar is passed
//! `now`, governor reads its `FakeRelativeClock`; limitador can only read the system's.
//!
//! - `bursar` resolves the request to its charges and checks them; `bursar_prepared` only checks.
//! - `governor_5` is `check`, three `check_key` and one `check_key_n`, until one refuses, with the
//!   hasher of bursar; `governor_4` leaves the tokens out.
//! - `limitador_storage` calls the store with prepared counters, once for requests and once for
//!   tokens; `limitador` is `RateLimiter::check_rate_limited_and_update` twice.
//! - `refused`: the tokens do not fit, the last question governor asks. `refused_by_global`: the first.
//!
//! At the begin it prints how many units each peer took for requests that it refused.
//!
//! `cargo bench -p bursar-benches --bench ratelimit`, about three minutes.

mod peers;
mod traffic;

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use bursar_ratelimit::{MemoryStore, Progress, Timestamp, Unit, Usage};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use governor::clock::{Clock, FakeRelativeClock, MonotonicClock, QuantaClock, Reference};

use self::peers::{
    Bursar, Global, Governor, Limitador, LimitadorStorage, Peer, WithoutTokens, frozen,
};
use self::traffic::{Call, Mix, Traffic};

type Group<'c> = BenchmarkGroup<'c, WallTime>;
type Frozen = fn() -> Timestamp;

/// Whether `cargo bench` runs this, and not a test that it runs at all.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn key_counts() -> [u64; 3] {
    [1, 1000, if is_measured() { 1_000_000 } else { 2000 }]
}

fn group<'c>(criterion: &'c mut Criterion, name: impl Into<String>) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1000))
        .sample_size(30);
    group
}

fn row(group: &mut Group<'_>, name: &str, traffic: &Traffic, peer: &impl Peer) {
    group.bench_function(name, |bencher| {
        let mut calls = traffic.stream();
        bencher.iter(|| calls.next().map(|call| peer.is_allowed(black_box(call))));
    });
}

/// Every key uses a token, so that each is there and none has room for a whole burst.
fn visit_all(keys: u64, mut visit: impl FnMut(&Call)) {
    for number in 0..keys {
        visit(&Call::of(number, 1));
    }
}

fn bursar_row(group: &mut Group<'_>, traffic: &Traffic, bursar: &Bursar<Frozen>) {
    row(group, "bursar", traffic, bursar);
    group.bench_function("bursar_prepared", |bencher| {
        let calls: Vec<_> = traffic.stream().take(1 << 18).collect();
        let charges: Vec<_> = calls.iter().map(|call| bursar.charges(call)).collect();
        let mut charges = charges.iter().cycle();
        bencher.iter(|| {
            charges
                .next()
                .map(|charges| bursar.is_within(black_box(charges)))
        });
    });
}

fn limitador_row(group: &mut Group<'_>, traffic: &Traffic, limitador: &LimitadorStorage) {
    const BATCH: usize = 1024;
    group.bench_function("limitador_storage", |bencher| {
        let mut calls = traffic.stream();
        bencher.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            let mut left = iterations as usize;
            while left > 0 {
                let batch = calls.by_ref().take(left.min(BATCH));
                let mut batch: Vec<_> = batch.map(|call| limitador.prepare(call)).collect();
                spent += timed(|| {
                    for prepared in &mut batch {
                        black_box(limitador.is_allowed(prepared));
                    }
                });
                left -= batch.len();
            }
            spent
        });
    });
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn decisions(criterion: &mut Criterion) {
    for keys in key_counts() {
        let bursar = Bursar::new(Global::Open, frozen as Frozen);
        let governor = Governor::new(Global::Open, &FakeRelativeClock::default());
        let storage = LimitadorStorage::new(keys);
        visit_all(keys, |call| {
            assert!(bursar.is_allowed(call) && governor.is_allowed(call));
            assert!(storage.is_allowed(&mut storage.prepare(call)));
        });
        for mix in Mix::ALL {
            let traffic = Traffic::new(keys, mix);
            let mut group = group(criterion, format!("{keys}_keys/{}", mix.name()));
            bursar_row(&mut group, &traffic, &bursar);
            row(&mut group, "governor_5", &traffic, &governor);
            if mix == Mix::Allowed {
                row(
                    &mut group,
                    "governor_4",
                    &traffic,
                    &WithoutTokens(&governor),
                );
            }
            limitador_row(&mut group, &traffic, &storage);
            group.finish();
        }
    }
}

/// The refusal that suits governor best, and limitador with its expressions.
fn further(criterion: &mut Criterion) {
    const KEYS: u64 = 1000;
    let traffic = Traffic::new(KEYS, Mix::Allowed);
    let bursar = Bursar::new(Global::Spent, frozen as Frozen);
    let governor = Governor::new(Global::Spent, &FakeRelativeClock::default());
    visit_all(KEYS, |call| {
        let _ = (bursar.is_allowed(call), governor.is_allowed(call));
    });
    let mut refused = group(criterion, "1000_keys/refused_by_global");
    row(&mut refused, "bursar", &traffic, &bursar);
    row(&mut refused, "governor_5", &traffic, &governor);
    refused.finish();

    let limitador = Limitador::new(KEYS);
    let mut group = group(criterion, "1000_keys/expressions");
    row(&mut group, "limitador", &traffic, &limitador);
    group.finish();
}

/// Everything else that a store does.
fn operations(criterion: &mut Criterion) {
    for keys in key_counts() {
        let bursar = Bursar::new(Global::Open, frozen as Frozen);
        visit_all(keys, |call| assert!(bursar.is_allowed(call)));
        let traffic = Traffic::new(keys, Mix::Allowed);
        let store = &bursar.store;
        let mut group = group(criterion, format!("{keys}_keys/operations"));
        group.bench_function("peek", |bencher| {
            let mut calls = traffic.stream();
            bencher.iter(|| {
                let charges = calls.next().map(|call| bursar.charges(black_box(call)));
                charges.map(|charges| store.peek(&charges, frozen()).is_ok())
            });
        });
        group.bench_function("reserve_and_settle", |bencher| {
            let mut calls = traffic.stream();
            bencher.iter(|| calls.next().map(|call| reserve_and_settle(&bursar, call)));
        });
        group.finish();
    }
}

fn reserve_and_settle(bursar: &Bursar<Frozen>, call: &Call) -> bool {
    let store: &MemoryStore = &bursar.store;
    let admission = store.reserve(&bursar.charges(black_box(call)), frozen());
    let mut reservation = admission
        .expect("the store has room")
        .reservation
        .expect("the cost fits");
    let usage = Usage::new().with(Unit::TOKENS, 0);
    let settled = store.settle(&mut reservation, &usage, Progress::Final, frozen());
    settled.expect("it is this store's").is_applied()
}

/// All with a clock of their own: bursar reads it once, governor five times.
fn real_clocks(criterion: &mut Criterion) {
    for keys in key_counts() {
        let quanta = QuantaClock::default();
        let start = quanta.now();
        let by_quanta = Bursar::new(Global::Open, || {
            Timestamp::from_nanos(quanta.now().duration_since(start).as_u64())
        });
        #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
        let started = Instant::now();
        let by_instant = Bursar::new(Global::Open, || Timestamp::from(started.elapsed()));
        let governor_quanta = Governor::new(Global::Open, &QuantaClock::default());
        let governor_instant = Governor::new(Global::Open, &MonotonicClock);
        visit_all(keys, |call| {
            assert!(by_quanta.is_allowed(call) && by_instant.is_allowed(call));
            assert!(governor_quanta.is_allowed(call) && governor_instant.is_allowed(call));
        });
        let traffic = Traffic::new(keys, Mix::Allowed);
        let mut group = group(criterion, format!("{keys}_keys/allowed_real_clock"));
        row(&mut group, "bursar_quanta", &traffic, &by_quanta);
        row(&mut group, "governor_5_quanta", &traffic, &governor_quanta);
        row(&mut group, "bursar_instant", &traffic, &by_instant);
        row(
            &mut group,
            "governor_5_instant",
            &traffic,
            &governor_instant,
        );
        group.finish();
    }
}

/// Time for each decision while so many threads decide: with one key all limits are hot, with 1000
/// only the global one and the methods.
fn threads(criterion: &mut Criterion) {
    for keys in &key_counts()[..2] {
        for mix in [Mix::Allowed, Mix::Refused] {
            let traffic = Traffic::new(*keys, mix);
            let bursar = Bursar::new(Global::Open, frozen as Frozen);
            let governor = Governor::new(Global::Open, &FakeRelativeClock::default());
            visit_all(*keys, |call| {
                assert!(bursar.is_allowed(call) && governor.is_allowed(call));
            });
            let name = format!("{keys}_keys/{}/2_threads", mix.name());
            let mut group = group(criterion, name);
            threads_row(&mut group, "bursar", &traffic, &bursar);
            threads_row(&mut group, "governor_5", &traffic, &governor);
            group.finish();
        }
    }
}

fn threads_row(group: &mut Group<'_>, name: &str, traffic: &Traffic, peer: &impl Peer) {
    const THREADS: u64 = 2;
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let share = (iterations / THREADS).max(1) as usize;
            let barrier = Barrier::new(THREADS as usize);
            let decide = || {
                let calls = traffic.stream().take(share);
                barrier.wait();
                timed(|| {
                    for call in calls {
                        black_box(peer.is_allowed(call));
                    }
                })
            };
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(decide)).collect();
                let spent = threads
                    .into_iter()
                    .map(|thread| thread.join().expect("no panic"));
                spent.max().unwrap_or_default()
            })
        });
    });
}

/// Units that were taken for requests that were refused, with half of them refused by their tokens.
#[expect(
    clippy::print_stdout,
    reason = "a count and not a time, so criterion cannot show it"
)]
fn taken_by_refused(_: &mut Criterion) {
    const CALLS: usize = 10_000;
    const KEYS: u64 = 1000;
    let traffic = Traffic::new(KEYS, Mix::HalfRefused);
    let bursar = Bursar::new(Global::Open, frozen as Frozen);
    let governor = Governor::new(Global::Open, &FakeRelativeClock::default());
    let storage = LimitadorStorage::new(KEYS);
    visit_all(KEYS, |call| {
        assert!(bursar.is_allowed(call) && governor.is_allowed(call));
        assert!(storage.is_allowed(&mut storage.prepare(call)));
    });
    let [mut by_bursar, mut by_governor, mut by_limitador] = [0; 3];
    let refused = traffic.stream().take(CALLS).filter(|call| call.tokens > 1);
    for call in refused {
        by_bursar += bursar.taken_by(call);
        by_governor += u64::from(governor.requests_charged(call));
        by_limitador += 4 * u64::from(storage.takes_requests(&mut storage.prepare(call)));
    }
    println!(
        "taken by refused requests, of {CALLS} with half refused: \
         bursar {by_bursar}, governor {by_governor}, limitador {by_limitador} units"
    );
}

criterion_group!(
    benches,
    taken_by_refused,
    decisions,
    further,
    operations,
    real_clocks,
    threads
);
criterion_main!(benches);
