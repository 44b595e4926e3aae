//! How much memory does a key take, beside the peers?
//!
//! A million keys of 32 bytes, each used once under one limit, in a process of its own for every
//! peer. Printed are the bytes a key by which the resident memory of the process has grown, and for
//! bursar also what its table of cells says. The peers keep the text of a key, bursar a fingerprint.
//!
//! `cargo bench -p bursar-benches --bench ratelimit_memory`, about ten seconds.

#![expect(clippy::print_stdout, reason = "the figures are for a terminal")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bursar_ratelimit::{Charge, Charges, Dimension, Limit, MemoryStore, Rate, Timestamp, Unit};
use foldhash::quality::FixedState;
use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use limitador::counter::Counter;
use limitador::limit::{Context, Expression};
use limitador::storage::CounterStorage;
use limitador::storage::in_memory::InMemoryStorage;

const PEERS: [&str; 3] = ["bursar", "governor", "limitador"];
/// The peer to measure in this process.
const PEER: &str = "BURSAR_BENCH_PEER";

fn main() {
    match std::env::var(PEER) {
        Ok(peer) => measure(&peer),
        Err(_) => PEERS.into_iter().for_each(measure_apart),
    }
}

fn measure_apart(peer: &str) {
    let program = std::env::current_exe().expect("it is running");
    let arguments = std::env::args().skip(1);
    let status = Command::new(program)
        .args(arguments)
        .env(PEER, peer)
        .status();
    assert!(status.expect("it can be started").success(), "{peer}");
}

fn measure(peer: &str) {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let keys = if measured { 1_000_000 } else { 1000 };
    let before = resident_bytes();
    // Kept until the memory has been looked at.
    let (_kept, own): (Box<dyn std::any::Any>, Option<usize>) = match peer {
        "bursar" => bursar(keys),
        "governor" => (governor(keys), None),
        _ => (limitador(keys), None),
    };
    let grown = resident_bytes().saturating_sub(before) as f64 / keys as f64;
    let own = own.map_or(String::new(), |bytes| {
        format!(", {:.1} in its table", bytes as f64 / keys as f64)
    });
    println!("{peer}: {grown:.1} bytes a key for {keys} keys{own}");
}

fn key(number: u64) -> String {
    format!("{:032x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn bursar(keys: u64) -> (Box<dyn std::any::Any>, Option<usize>) {
    let rate = Rate::per_minute(1000).expect("not zero");
    let limit = Limit::new("key", Dimension::API_KEY, Unit::REQUESTS, rate);
    let store = MemoryStore::default();
    for number in 0..keys {
        let key = key(number);
        let charges = Charges::new([Charge::new(&limit, limit.quota(), &key, 1)]);
        let decision = store.check(&charges.expect("one limit"), Timestamp::ZERO);
        assert!(decision.expect("there is room").is_allowed());
    }
    assert_eq!(store.keys() as u64, keys);
    let bytes = store.rate_bytes();
    (Box::new(store), Some(bytes))
}

fn governor(keys: u64) -> Box<dyn std::any::Any> {
    let quota = Quota::with_period(Duration::from_millis(60)).expect("not zero");
    let limiter = RateLimiter::dashmap_with_clock_and_hasher(
        quota,
        FakeRelativeClock::default(),
        FixedState::default(),
    );
    for number in 0..keys {
        assert!(limiter.check_key(&key(number)).is_ok());
    }
    Box::new(limiter)
}

fn limitador(keys: u64) -> Box<dyn std::any::Any> {
    let variable = Expression::parse("api_key").expect("a name");
    let limit = limitador::limit::Limit::with_id("key", "requests", 1000, 3600, [], [variable]);
    let limit = Arc::new(limit);
    let storage = InMemoryStorage::new(keys * 2);
    for number in 0..keys {
        let variables = std::collections::HashMap::from([("api_key".to_owned(), key(number))]);
        let counter = Counter::new(Arc::clone(&limit), &Context::from(variables));
        let counter = counter.expect("names only").expect("it is named");
        let answer = storage.check_and_update(&mut vec![counter], 1);
        assert!(answer.is_ok());
    }
    Box::new(storage)
}

/// As Linux tells it; elsewhere zero.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes
        .and_then(|number| number.parse().ok())
        .map_or(0, |kilobytes: usize| kilobytes * 1024)
}
