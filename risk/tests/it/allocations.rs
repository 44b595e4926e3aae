//! Does a decision allocate, and how many bytes does "more than ten addresses" take an account?
//!
//! Counted by the allocator, for each thread by itself.

#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use bursar_risk::{
    Action, Context, Effect, Entry, Event, Holding, Mode, Monitor, RecentDistinct, Rule, RuleSet,
    Signal, Standing,
};
use jiff::Timestamp;

struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counters need no allocation and
// no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.set(BYTES.get().wrapping_add(layout.size()));
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // What another thread allocated may be freed here.
        BYTES.set(BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(vec![1_u8; 10]))), 1);
    let mut list = vec![1_u8];
    assert_eq!(allocations(|| list.reserve(1000)), 1);
}

#[test]
fn a_decision_by_the_four_rules_allocates_nothing() {
    assert_eq!(four_rules(), 0);
}

/// Sixteen places of a list are within the decision. From there on it doubles: 17 need one
/// allocation, 1000 need six.
#[test]
fn a_decision_by_a_thousand_rules_allocates_for_its_list_alone() {
    for (held, allowed) in [(0, 0), (16, 0), (17, 1), (1000, 6)] {
        let allocations = long_list(1000, held);
        assert!(allocations <= allowed, "{held}: {allocations}");
    }
}

#[test]
fn sixteen_rules_that_hold_and_are_in_shadow_and_are_open_need_no_allocation() {
    assert_eq!(three_lists(), 0);
}

#[test]
fn an_event_of_a_known_account_and_its_signals_allocate_nothing() {
    assert_eq!(observed(10), 0);
}

#[test]
fn an_account_over_its_threshold_of_addresses_allocates_one_sketch() {
    assert_eq!(observed(200), 1);
}

#[test]
fn more_than_ten_addresses_take_at_most_200_bytes_an_account() {
    let bytes = distinct(10_000);
    assert!((11 * 16..=200).contains(&bytes), "{bytes}");
}

/// How often something is allocated meanwhile.
fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

/// The sixteen combinations, each with one signal missing and with none, on every kind of list, with
/// memory and read to the end; only texts are left out.
fn four_rules() -> usize {
    let rules = RuleSet::standard();
    let entries = [Effect::Deny, Effect::Watch, Effect::Allow].map(entry);
    let holding = Holding::default();
    let mut standing = Standing::default();
    let now = Timestamp::from_second(1_800_000_000).expect("it is a time");
    allocations(|| {
        for bits in 0..16 {
            for missing in rules.vocabulary().signals().take(6) {
                let mut context = consumer(bits);
                context.clear(missing);
                for entry in entries.iter().map(Some).chain([None]) {
                    let decision = rules.judge(&context, entry);
                    let decision = decision.hold(&mut standing, &holding, now);
                    black_box((decision.verdict(), decision.held_score()));
                    let points = decision.triggered().chain(decision.shadow());
                    black_box(points.map(Rule::points).sum::<u32>());
                }
            }
        }
    })
}

/// A context in which the rules of the bits hold, in the order of the product.
fn consumer(bits: u8) -> Context {
    let pick = |bit: u8, yes: f64, no: f64| if bits & bit != 0 { yes } else { no };
    Context::new()
        .with(Signal::TOKENS_PER_MINUTE, pick(1, 1500.0, 500.0))
        .with(Signal::UNIQUE_IPS, pick(2, 11.0, 10.0))
        .with(Signal::USAGE_ANOMALY, pick(4, 0.5, 0.25))
        .with(Signal::ACCOUNT_AGE_DAYS, pick(8, 2.0, 70.0))
        .with(Signal::SPEND_PER_DAY, 101.0)
}

fn entry(effect: Effect) -> Entry {
    Entry {
        effect,
        owner: "trust".to_owned(),
        reason: "known".to_owned(),
        expires: None,
    }
}

/// As many rules, of which the first `held` hold.
fn long_list(count: usize, held: usize) -> usize {
    let rule = |index: usize| {
        let threshold = if index < held { 1.0 } else { 3.0 };
        let when = Signal::UNIQUE_IPS.above(threshold);
        Rule::new(format!("rule_{index}"), when, 1, Action::Flag)
    };
    let rules = RuleSet::new("many", 1, (0..count).map(rule)).expect("they are sound");
    let context = Context::new().with(Signal::UNIQUE_IPS, 2.0);
    allocations(|| {
        let decision = rules.evaluate(black_box(&context));
        assert_eq!(decision.triggered().len(), held);
    })
}

/// Sixteen rules that hold, sixteen in shadow that do and sixteen that are open, among others.
fn three_lists() -> usize {
    let rule = |index: usize| {
        let (signal, threshold) = match index % 60 {
            0 => (Signal::UNIQUE_IPS, 1.0),
            1 => (Signal::UNIQUE_IPS, 0.5),
            2 => (Signal::SPEND_PER_DAY, 1.0),
            _ => (Signal::UNIQUE_IPS, 3.0),
        };
        let rule = Rule::new(
            format!("rule_{index}"),
            signal.above(threshold),
            1,
            Action::Flag,
        );
        let mode = if index % 60 == 1 {
            Mode::Shadow
        } else {
            Mode::Active
        };
        rule.mode(mode)
    };
    let rules = RuleSet::new("many", 1, (0..960).map(rule)).expect("they are sound");
    let context = Context::new().with(Signal::UNIQUE_IPS, 2.0);
    allocations(|| {
        let decision = rules.evaluate(black_box(&context));
        let lengths = (decision.triggered().len(), decision.shadow().len());
        assert_eq!(lengths, (16, 16));
        assert_eq!(decision.not_evaluable().len(), 16);
    })
}

/// A thousand events of one account and the contexts after them.
/// A thousand events, an hour apart, from so many addresses in turn.
fn observed(addresses: i64) -> usize {
    let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).expect("it is a time");
    let event = |second: i64| Event {
        tokens: 700,
        network: Some(u32::try_from(second % 30).unwrap_or_default()),
        client: Some(second as u64 % 20),
        address: Some([192, 0, 2, (second % addresses) as u8].into()),
        ..Event::new(at(second * 3600))
    };
    let mut monitor = Monitor::new(10);
    let _ = monitor.observe("acme", &event(0));
    allocations(|| {
        for second in 1..1000 {
            let _ = monitor.observe("acme", &event(second));
            black_box(monitor.context("acme", at(second * 3600)));
        }
    })
}

/// The bytes an account of so many, each with forty addresses.
fn distinct(accounts: usize) -> usize {
    let before = BYTES.get();
    let mut all: Vec<RecentDistinct> = Vec::with_capacity(accounts);
    for account in 0..accounts {
        let mut recent = RecentDistinct::new(10);
        for address in 0..40 {
            let at = Timestamp::from_second(address + account as i64).expect("it is a time");
            recent.insert(address.unsigned_abs(), at);
        }
        all.push(recent);
    }
    let bytes = BYTES.get() - before;
    drop(black_box(all));
    bytes / accounts
}
