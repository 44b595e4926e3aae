//! How many consumers can be judged in a second, beside cel and zen-expression?
//!
//! `four_rules`: the rules of the product on 1024 drawn consumers, the sixteen combinations equally
//! often and in no order, so that no processor guesses them. All peers must agree on each of them.
//! - `decide`: contexts are ready, programs are compiled. The answer is verdict, score and which rules;
//!   `bursar` also holds the numbers behind each, and what was missing.
//! - `build_and_decide`: from five `f64` to the answer; zen's numbers are decimals, so it converts.
//! - `reasons_as_text`: the same and the reasons written as strings, two of them on average.
//!
//! `rules`: sets of 4, 100 and 1000, every fourth rule with two comparisons, over twenty signals; each
//! rule holds for three consumers in a hundred (`rare`), or for half of them (`half`).
//!
//! `stream`: two weeks of 200 generated accounts, about 107 000 events. `observe` updates the account,
//! `observe_and_decide` also makes its context and decides. `distinct`: "more than ten addresses in an
//! hour" per event, beside a hash map of all addresses with their last times.
//!
//! Two cores of an Intel Xeon at 2.5 GHz, otherwise idle, 27 November 2026, medians of four runs with their
//! range: `decide` bursar 93 ns (65 to 130), cel 1.3 µs (1.1 to 2.5), zen 0.40 µs (0.39 to 0.71);
//! `build_and_decide` 112 ns, 1.5 and 1.0 µs; reasons as text 1.4 µs. One run: `rare` 44 ns, 0.62 and 4.1 µs,
//! `half` 48 ns, 0.68 and 5.9 µs; an event 0.6 µs, with a decision 1.7 µs.
//!
//! `cargo bench -p bursar-benches --bench risk`, about two minutes, on an idle machine.

mod peers;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use bursar_risk::{
    Action, Condition, Context, Event, Monitor, RecentDistinct, Rule, RuleSet, Signal, synthetic,
};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
};
use jiff::Timestamp;

use self::peers::{Bursar, Cel, Measured, Outcome, Peer, Zen};

const CONSUMERS: usize = 1024;

/// Whether `cargo bench` runs this, and not a test that it runs at all.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Numbers from a seed (SplitMix64; Steele, Lea and Flood, 2014).
struct Draw(u64);

impl Draw {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Consumers for whom each rule of the product holds as often as not.
fn consumers() -> Vec<Measured> {
    let mut draw = Draw(1);
    let mut side = |low: f64, high: f64| if draw.word() & 1 == 0 { low } else { high };
    let one = |_| {
        let is_new = side(0.0, 1.0) > 0.5;
        Measured {
            tokens_per_minute: side(400.0, 1600.0),
            unique_ips: side(3.0, 14.0),
            usage_anomaly: side(0.125, 0.75),
            account_age_days: if is_new { 2.5 } else { side(2.5, 40.0) },
            spend_per_day: if is_new { 140.25 } else { 20.5 },
        }
    };
    (0..CONSUMERS).map(one).collect()
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(2000))
        .sample_size(50);
    group
}

fn four_rules(criterion: &mut Criterion) {
    let consumers = consumers();
    let outcomes = |peer: &mut dyn FnMut(&Measured) -> Outcome| -> Vec<Outcome> {
        consumers.iter().map(peer).collect()
    };
    let mut bursar = Bursar(RuleSet::standard());
    let (mut cel, mut zen) = (Cel::new(), Zen::new());
    let ours = outcomes(&mut |measured| bursar.decide(&bursar.prepare(measured)));
    assert_eq!(
        ours,
        outcomes(&mut |measured| cel.decide(&cel.prepare(measured)))
    );
    assert_eq!(
        ours,
        outcomes(&mut |measured| zen.decide(&zen.prepare(measured)))
    );
    let mut group = group(criterion, "four_rules");
    group.throughput(Throughput::Elements(1));
    rows(&mut group, "bursar", &mut bursar, &consumers);
    rows(&mut group, "cel", &mut cel, &consumers);
    rows(&mut group, "zen", &mut zen, &consumers);
    let contexts: Vec<Context> = consumers.iter().map(|one| bursar.prepare(one)).collect();
    let mut next = contexts.iter().cycle();
    group.bench_function("reasons_as_text/bursar", |bencher| {
        bencher.iter(|| {
            let decision = bursar.0.evaluate(next.next().expect("it never ends"));
            decision.reasons().collect::<Vec<String>>()
        });
    });
    group.finish();
}

fn rows<P: Peer>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    peer: &mut P,
    consumers: &[Measured],
) {
    let prepared: Vec<P::Prepared> = consumers
        .iter()
        .map(|measured| peer.prepare(measured))
        .collect();
    let mut next = prepared.iter().cycle();
    group.bench_function(format!("decide/{name}"), |bencher| {
        bencher.iter(|| peer.decide(black_box(next.next().expect("it never ends"))));
    });
    let mut next = consumers.iter().cycle();
    group.bench_function(format!("build_and_decide/{name}"), |bencher| {
        bencher.iter(|| {
            let prepared = peer.prepare(black_box(next.next().expect("it never ends")));
            peer.decide(&prepared)
        });
    });
}

/// The standard signals that are numbers, of which rules compare the first twenty.
fn signals(rules: &RuleSet) -> Vec<Signal> {
    let numbers = rules.vocabulary().signals().take(20);
    numbers.collect()
}

/// Rules over signals between 0 and 1, each of which holds with the chance `chance`.
fn rule_set(count: usize, chance: f64) -> RuleSet {
    let signals = signals(&RuleSet::standard());
    let mut draw = Draw(2);
    let mut compare = |chance: f64| -> Condition {
        let signal = signals[draw.word() as usize % signals.len()];
        // Twice a tenth up or down, so that no two rules ask the same.
        let chance = chance * (0.8 + 0.4 * draw.share());
        match draw.word() & 1 {
            0 => signal.above(1.0 - chance),
            _ => signal.below(chance),
        }
    };
    let rule = |index: usize| {
        let when = match index % 4 {
            3 => compare(chance.sqrt()).and(compare(chance.sqrt())),
            _ => compare(chance),
        };
        Rule::new(format!("rule_{index}"), when, 5, Action::Flag)
    };
    RuleSet::new("many", 1, (0..count).map(rule)).expect("the rules are sound")
}

fn rules(criterion: &mut Criterion) {
    let signals = signals(&RuleSet::standard());
    let mut draw = Draw(3);
    let mut context = || {
        let shares = signals.iter().map(|&signal| (signal, draw.share()));
        shares.fold(Context::new(), |context, (signal, share)| {
            context.with(signal, share)
        })
    };
    let contexts: Vec<Context> = (0..CONSUMERS).map(|_| context()).collect();
    let mut group = group(criterion, "rules");
    group.throughput(Throughput::Elements(1));
    for (name, chance) in [("rare", 0.03), ("half", 0.5)] {
        for count in [4, 100, 1000] {
            let rules = rule_set(count, chance);
            let mut next = contexts.iter().cycle();
            group.bench_function(format!("{name}/{count}"), |bencher| {
                bencher.iter(|| {
                    let context = black_box(next.next().expect("it never ends"));
                    let decision = rules.evaluate(context);
                    (
                        decision.verdict(),
                        decision.score(),
                        decision.triggered().len(),
                    )
                });
            });
        }
    }
    group.finish();
}

fn stream(criterion: &mut Criterion) {
    let count = if is_measured() { 200 } else { 4 };
    let accounts: Vec<String> = (0..count)
        .map(|number| format!("account-{number}"))
        .collect();
    let events: Vec<(&str, Event)> = synthetic::generate(1, count)
        .into_iter()
        .map(|labeled| (accounts[labeled.account as usize].as_str(), labeled.event))
        .collect();
    let rules = RuleSet::standard();
    let mut group = group(criterion, "stream");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.sample_size(10);
    group.bench_function("observe", |bencher| {
        let run = |monitor: &mut Monitor| {
            for (account, event) in &events {
                let _ = black_box(monitor.observe(account, event));
            }
        };
        bencher.iter_batched_ref(|| Monitor::new(1000), run, BatchSize::PerIteration);
    });
    group.bench_function("observe_and_decide", |bencher| {
        let run = |monitor: &mut Monitor| {
            for (account, event) in &events {
                let _ = monitor.observe(account, event);
                let context = monitor.context(account, event.at);
                black_box(context.map(|context| rules.evaluate(&context).verdict()));
            }
        };
        bencher.iter_batched_ref(|| Monitor::new(1000), run, BatchSize::PerIteration);
    });
    group.finish();
}

/// An account that uses five to twenty of its addresses in an hour.
fn addresses() -> Vec<(u64, Timestamp)> {
    let mut draw = Draw(4);
    let mut now = 1_800_000_000_000;
    let one = |index: u64| {
        now += (draw.word() % 240_000) as i64;
        let in_use = 5 + index / 200 % 15;
        let at = Timestamp::from_millisecond(now).expect("it is a time");
        (draw.word() % in_use, at)
    };
    (0..10_000).map(one).collect()
}

const HOUR: Duration = Duration::from_secs(3600);

fn distinct(criterion: &mut Criterion) {
    let addresses = addresses();
    let mut group = group(criterion, "distinct");
    group.throughput(Throughput::Elements(addresses.len() as u64));
    group.bench_function("bursar", |bencher| bencher.iter(|| recent(&addresses)));
    group.bench_function("hash_map", |bencher| bencher.iter(|| counted(&addresses)));
    assert_eq!(recent(&addresses), counted(&addresses));
    group.finish();
}

/// For how many events more than ten addresses were in use.
fn recent(addresses: &[(u64, Timestamp)]) -> usize {
    let mut recent = RecentDistinct::new(10);
    let is_over = |&&(address, at): &&(u64, Timestamp)| {
        recent.insert(address, at);
        recent.is_over(HOUR, at)
    };
    addresses.iter().filter(is_over).count()
}

fn counted(addresses: &[(u64, Timestamp)]) -> usize {
    let mut last: HashMap<u64, i64> = HashMap::new();
    let mut is_over = |&&(address, at): &&(u64, Timestamp)| {
        let now = at.as_millisecond();
        last.insert(address, now);
        last.retain(|_, last| *last > now - 3_600_000);
        last.len() > 10
    };
    addresses.iter().filter(|pair| is_over(pair)).count()
}

criterion_group!(benches, four_rules, rules, stream, distinct);
criterion_main!(benches);
