//! Do decisions stay whole when threads meet in every possible order? Models for loom, which runs
//! each of them once for every interleaving of the store's locks.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p bursar-ratelimit --release --test loom
//! ```
//!
//! The locks of shards, of open reservations and of the registry of quotas are modeled, with two
//! shards instead of 16 for limits with few keys. Not modeled are the counter of reservations
//! and tickets, an atomic that is only added to, and the cells of the registry, each written once
//! under its lock before anybody knows its number.
#![cfg(loom)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and each says how much it explored; clippy allows that in test functions, not in their helpers"
)]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bursar_ratelimit::{
    CellName, Charge, Charges, Concurrency, Dimension, Limit, MemoryStore, Progress, Quota, Rate,
    Reservation, Settings, StoreError, Ticket, Timestamp, Turn, Unit, Usage, WhenFull,
};
use loom::sync::Arc;
use loom::thread;

const NOW: Timestamp = Timestamp::from_secs(1_000);
const HOUR: Duration = Duration::from_secs(3_600);

/// Explores all interleavings of a model and says what came out of them.
fn explore<T: Ord + Send + 'static>(model: impl Fn() -> T + Send + Sync + 'static) -> BTreeSet<T> {
    let outcomes = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let runs = std::sync::Arc::new(AtomicUsize::new(0));
    let (seen, counted) = (outcomes.clone(), runs.clone());
    let model = std::sync::Arc::new(model);
    loom::model(move || {
        let model = model.clone();
        let outcome = spawn(move || model()).join().unwrap();
        seen.lock().unwrap().insert(outcome);
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs > 1, "nothing was there to explore");
    eprintln!("{runs} interleavings");
    std::mem::take(&mut *outcomes.lock().unwrap())
}

/// A thread with a stack of half a megabyte; loom's own have 32 kB.
fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    let words = 1 << 16;
    let builder = thread::Builder::new().stack_size(words);
    builder.spawn(body).unwrap()
}

/// Runs two threads, and says what they said.
fn race<A, B: Send + 'static>(
    store: &Arc<MemoryStore>,
    one: impl FnOnce(&MemoryStore) -> A,
    other: impl FnOnce(&MemoryStore) -> B + Send + 'static,
) -> (A, B) {
    let shared = Arc::clone(store);
    let thread = spawn(move || other(&shared));
    (one(store), thread.join().unwrap())
}

fn store() -> Arc<MemoryStore> {
    store_of(|_| {})
}

fn store_of(change: impl FnOnce(&mut Settings)) -> Arc<MemoryStore> {
    let mut settings = Settings::default();
    settings.shards = 2;
    change(&mut settings);
    Arc::new(MemoryStore::new(settings))
}

/// A cell of its own in one of the store's three shards: two for keys, one for shared limits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Left,
    Right,
    Shared,
}
use Cell::{Left, Right, Shared};

impl Cell {
    const fn key(self) -> &'static str {
        match self {
            Left => "c",
            Right => "a",
            Shared => "",
        }
    }

    /// `burst` units, and as many more in an hour, so that at one instant it is a plain counter.
    fn hourly(self, burst: u64) -> Limit {
        self.limit(Rate::new(burst, HOUR).unwrap())
    }

    fn limit(self, quota: impl Into<Quota>) -> Limit {
        let (name, dimension) = match self {
            Left => ("left", Dimension::TENANT),
            Right => ("right", Dimension::API_KEY),
            Shared => ("shared", Dimension::GLOBAL),
        };
        Limit::new(name, dimension, Unit::TOKENS, quota)
    }
}

/// `cost` units of every one of the limits, in their order.
fn charges<'a>(limits: &'a [(Cell, Limit)], cost: u64) -> Charges<'a> {
    let charge =
        |(cell, limit): &'a (Cell, Limit)| Charge::new(limit, limit.quota(), cell.key(), cost);
    Charges::new(limits.iter().map(charge)).unwrap()
}

fn hourly(cells: &[Cell], burst: u64) -> Vec<(Cell, Limit)> {
    cells
        .iter()
        .map(|&cell| (cell, cell.hourly(burst)))
        .collect()
}

/// Whether a check of `cost` units of every one of the limits passes.
fn check(store: &MemoryStore, limits: &[(Cell, Limit)], cost: u64) -> bool {
    let decision = store.check(&charges(limits, cost), NOW);
    decision.unwrap().is_allowed()
}

fn reserve(store: &MemoryStore, limits: &[(Cell, Limit)], cost: u64) -> Option<Reservation> {
    reserve_at(store, limits, cost, NOW)
}

fn reserve_at(
    store: &MemoryStore,
    limits: &[(Cell, Limit)],
    cost: u64,
    now: Timestamp,
) -> Option<Reservation> {
    let admission = store.reserve(&charges(limits, cost), now);
    admission.unwrap().reservation
}

fn remaining(store: &MemoryStore, limits: &[(Cell, Limit)]) -> Vec<u64> {
    let decision = store.peek(&charges(limits, 0), NOW).unwrap();
    let statuses = decision.statuses().iter();
    statuses.map(|status| status.remaining()).collect()
}

fn settle(store: &MemoryStore, reservation: &mut Reservation, used: u64) -> bool {
    settle_at(store, reservation, used, NOW)
}

fn settle_at(
    store: &MemoryStore,
    reservation: &mut Reservation,
    used: u64,
    now: Timestamp,
) -> bool {
    let usage = Usage::new().with(Unit::TOKENS, used);
    let settlement = store.settle(reservation, &usage, Progress::Final, now);
    settlement.unwrap().is_applied()
}

#[test]
fn the_cells_are_in_three_shards() {
    loom::model(|| {
        let store = store();
        let limits = hourly(&[Left, Right, Shared], 1);
        let reservation = reserve(&store, &limits, 1).unwrap();
        let shards: Vec<u32> = reservation
            .holds()
            .iter()
            .map(|hold| match hold.cell {
                CellName::Fingerprint { shard, .. } => shard,
                ref other => panic!("{other:?}"),
            })
            .collect();
        assert!(matches!(shards[..], [0, 1, 2 | 3]), "{shards:?}");
    });
}

/// Lets threads ask for a unit of several cells at once, of which each has only one. Whoever comes
/// first passes and no other does; where charges are taken back again, nobody might.
fn only_the_first_passes(wanted: &'static [&'static [Cell]]) {
    let winners = explore(move || {
        let store = store();
        let threads: Vec<_> = wanted[1..]
            .iter()
            .map(|cells| {
                let store = Arc::clone(&store);
                spawn(move || check(&store, &hourly(cells, 1), 1))
            })
            .collect();
        let mut passed = vec![check(&store, &hourly(wanted[0], 1), 1)];
        passed.extend(threads.into_iter().map(|thread| thread.join().unwrap()));

        let winner = passed.iter().position(|passed| *passed).unwrap();
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 1);
        for cell in [Left, Right, Shared] {
            let taken = wanted[winner].contains(&cell);
            let left = remaining(&store, &hourly(&[cell], 1));
            assert_eq!(left, [u64::from(!taken)], "all or nothing");
        }
        winner
    });
    assert_eq!(winners.len(), wanted.len(), "each is first in some order");
}

#[test]
fn two_threads_want_the_same_cells_in_different_orders() {
    only_the_first_passes(&[&[Left, Right, Shared], &[Shared, Right, Left]]);
}

#[test]
fn two_threads_want_overlapping_cells() {
    only_the_first_passes(&[&[Left, Shared], &[Shared, Right]]);
}

#[test]
fn three_threads_want_overlapping_cells_in_a_circle() {
    only_the_first_passes(&[&[Left, Right], &[Right, Shared], &[Shared, Left]]);
}

#[test]
fn as_many_threads_pass_as_there_are_units() {
    explore(|| {
        let store = store();
        let threads = [[Left, Right], [Right, Left]].map(|cells| {
            let store = Arc::clone(&store);
            spawn(move || check(&store, &hourly(&cells, 2), 1))
        });
        let mut passed = usize::from(check(&store, &hourly(&[Left, Right], 2), 1));
        for thread in threads {
            passed += usize::from(thread.join().unwrap());
        }
        assert_eq!(passed, 2);
        assert_eq!(remaining(&store, &hourly(&[Left, Right], 2)), [0, 0]);
    });
}

#[test]
fn what_a_settlement_gives_back_goes_to_one() {
    let outcomes = explore(|| {
        let store = store();
        let limits = hourly(&[Left, Right], 3);
        let mut held = reserve(&store, &limits, 3).unwrap();
        let others = [[Left], [Right]].map(|cells| {
            let store = Arc::clone(&store);
            spawn(move || check(&store, &hourly(&cells, 3), 2))
        });
        assert!(settle(&store, &mut held, 1));
        let passed = others.map(|thread| thread.join().unwrap());
        let left = passed.map(|passed| if passed { 0 } else { 2 });
        assert_eq!(remaining(&store, &limits), left);
        passed
    });
    // A settlement is not a decision: its limits are settled one after the other.
    assert_eq!(outcomes.len(), 4);
}

#[test]
fn an_overrun_is_charged_beside_others() {
    let outcomes = explore(|| {
        let store = store();
        let mut held = reserve(&store, &hourly(&[Left], 4), 1).unwrap();
        let (_, passed) = race(
            &store,
            |store| assert!(settle(store, &mut held, 3)),
            |store| check(store, &hourly(&[Left], 4), 3),
        );
        assert_eq!(
            remaining(&store, &hourly(&[Left], 4)),
            [if passed { 0 } else { 1 }]
        );
        // The debt of two units is owed: one and a half hours of waiting for all four.
        let later = NOW + HOUR.mul_f64(if passed { 1.49 } else { 0.74 });
        let limits = hourly(&[Left], 4);
        let all = store.check(&charges(&limits, 4), later).unwrap();
        assert!(!all.is_allowed());
        passed
    });
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_dropped_permit_frees_its_slot_for_one() {
    let calls = || [(Left, Left.limit(Concurrency::new(1, HOUR).unwrap()))];
    let outcomes = explore(move || {
        let store = store();
        let held = reserve(&store, &calls(), 1).unwrap();
        let permit = store.guard(held);
        let others = [(); 2].map(|()| {
            let store = Arc::clone(&store);
            spawn(move || reserve(&store, &calls(), 1).is_some())
        });
        drop(permit);
        let passed = others.map(|thread| thread.join().unwrap());
        let passed = passed.iter().filter(|passed| **passed).count();
        assert_eq!(remaining(&store, &calls()), [1 - passed as u64]);
        passed
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1]));
}

#[test]
fn a_slot_that_expires_while_it_is_settled_is_free_once() {
    let calls = || [(Left, Left.limit(Concurrency::new(1, HOUR).unwrap()))];
    explore(move || {
        let store = store();
        let mut held = reserve(&store, &calls(), 1).unwrap();
        let (_, later) = race(
            &store,
            |store| assert!(settle_at(store, &mut held, 1, NOW + HOUR)),
            move |store| reserve_at(store, &calls(), 1, NOW + HOUR).unwrap(),
        );
        assert!(reserve_at(&store, &calls(), 1, NOW + HOUR).is_none());
        drop(store.guard(later));
        assert!(reserve_at(&store, &calls(), 1, NOW + HOUR).is_some());
    });
}

#[test]
fn a_reservation_is_settled_once_by_a_permit_that_is_dropped() {
    explore(|| {
        let store = store();
        let first = reserve(&store, &hourly(&[Left], 4), 2).unwrap();
        let second = reserve(&store, &hourly(&[Left], 4), 2).unwrap();
        race(
            &store,
            |store| {
                let usage = Usage::new().with(Unit::TOKENS, 1);
                let settled = store.guard(first).settle(&usage, NOW).unwrap();
                assert!(settled.is_applied());
            },
            |store| drop(store.guard(second)),
        );
        assert_eq!(remaining(&store, &hourly(&[Left], 4)), [1]);
    });
}

#[test]
fn a_sweep_changes_no_decision() {
    let later = NOW + HOUR;
    explore(move || {
        let store = store();
        assert!(check(&store, &hourly(&[Left, Right], 1), 1));
        let threads = [[Left, Right], [Right, Left]].map(|cells| {
            let store = Arc::clone(&store);
            spawn(move || {
                let limits = hourly(&cells, 1);
                let decision = store.check(&charges(&limits, 1), later).unwrap();
                decision.is_allowed()
            })
        });
        store.sweep(later);
        let passed = threads.map(|thread| thread.join().unwrap());
        assert!(passed[0] != passed[1]);
    });
}

#[test]
fn a_refund_into_a_key_that_is_swept_gives_nothing_twice() {
    let later = NOW + HOUR;
    explore(move || {
        let store = store();
        let mut held = reserve(&store, &hourly(&[Left], 2), 2).unwrap();
        race(
            &store,
            move |store| {
                let usage = Usage::new().with(Unit::TOKENS, 0);
                let settled = store.settle(&mut held, &usage, Progress::Final, later);
                assert_eq!(settled.unwrap().parts()[0].refunded, 0);
            },
            move |store| {
                store.sweep(later);
                let limits = hourly(&[Left], 2);
                let decision = store.check(&charges(&limits, 2), later).unwrap();
                assert!(decision.is_allowed());
            },
        );
        let limits = hourly(&[Left], 2);
        let decision = store.check(&charges(&limits, 1), later).unwrap();
        assert!(!decision.is_allowed());
    });
}

#[test]
fn the_last_free_key_is_given_to_one() {
    let outcomes = explore(|| {
        let store = store_of(|settings| {
            settings.shards = 1;
            settings.max_keys = 1;
            settings.when_full = WhenFull::Error;
        });
        let ask = |cell: Cell| {
            move |store: &MemoryStore| {
                let limits = hourly(&[cell], 1);
                match store.check(&charges(&limits, 1), NOW) {
                    Ok(decision) => decision.is_allowed(),
                    Err(StoreError::Full { keys: 1 }) => false,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let passed = race(&store, ask(Left), ask(Right));
        assert!(passed.0 != passed.1);
        assert_eq!(store.keys(), 1);
        passed
    });
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_limit_is_lowered_while_it_is_used() {
    explore(|| {
        let store = store();
        assert!(check(&store, &hourly(&[Left], 2), 1));
        let passed = race(
            &store,
            |store| check(store, &hourly(&[Left], 1), 1),
            |store| check(store, &hourly(&[Left], 2), 1),
        );
        assert_eq!(passed, (false, true));
        assert_eq!(remaining(&store, &hourly(&[Left], 1)), [0]);
    });
}

#[test]
fn a_limit_is_raised_while_it_is_used() {
    let outcomes = explore(|| {
        let store = store();
        assert!(check(&store, &hourly(&[Left], 2), 1));
        let (raised, old) = race(
            &store,
            |store| check(store, &hourly(&[Left], 3), 1),
            |store| check(store, &hourly(&[Left], 2), 1),
        );
        assert!(raised);
        assert_eq!(remaining(&store, &hourly(&[Left], 3)), [1 - u64::from(old)]);
        old
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

/// A ticket for `cost` units of each of the limits, taken at a time when they do not fit.
fn ticket<'s, 'a>(
    store: &'s MemoryStore,
    limits: &'a [(Cell, Limit)],
    cost: u64,
) -> Ticket<'s, 'a> {
    match store.wait_in_line(&charges(limits, cost), 10 * HOUR, NOW) {
        Ok(Turn::Waiting(ticket)) => ticket,
        other => panic!("should wait, but {other:?}"),
    }
}

#[test]
fn nobody_overtakes_a_waiter_whose_turn_has_come() {
    explore(|| {
        let store = store();
        let limits = hourly(&[Left, Shared], 2);
        assert!(check(&store, &limits, 2));
        let ticket = ticket(&store, &limits, 2);
        let ready_at = ticket.ready_at().unwrap();
        let (passed, others) = race(
            &store,
            |_| matches!(ticket.poll(ready_at), Ok(Turn::Admitted(_))),
            move |store| {
                [Left, Shared].map(|cell| {
                    let limits = hourly(&[cell], 2);
                    let decision = store.check(&charges(&limits, 1), ready_at);
                    decision.unwrap().is_allowed()
                })
            },
        );
        assert!(passed);
        assert_eq!(others, [false, false]);
    });
}

#[test]
fn the_place_of_a_dropped_ticket_is_free_at_once() {
    let outcomes = explore(|| {
        let store = store();
        let limits = hourly(&[Left, Right], 2);
        assert!(check(&store, &limits, 1));
        let ticket = ticket(&store, &limits, 2);
        let (_, passed) = race(
            &store,
            |_| drop(ticket),
            |store| check(store, &hourly(&[Left, Right], 2), 1),
        );
        assert_eq!(check(&store, &limits, 1), !passed);
        passed
    });
    assert_eq!(outcomes, BTreeSet::from([false, true]));
}

#[test]
fn two_threads_get_in_two_lines_in_different_orders() {
    let wait = |cells: [Cell; 2]| {
        move |store: &MemoryStore| ticket(store, &hourly(&cells, 1), 1).ready_at().unwrap()
    };
    let outcomes = explore(move || {
        let store = store();
        assert!(check(&store, &hourly(&[Left, Right], 1), 1));
        race(&store, wait([Left, Right]), wait([Right, Left]))
    });
    // One of them is behind the other, unless that has left already.
    let (first, second) = (NOW + HOUR, NOW + 2 * HOUR);
    assert_eq!(
        outcomes,
        BTreeSet::from([(first, first), (first, second), (second, first)])
    );
}

#[test]
fn the_first_in_line_passes_whoever_asks_first() {
    explore(|| {
        // loom has no scoped threads that could share what the tickets borrow.
        let mut settings = Settings::default();
        settings.shards = 2;
        let store: &'static MemoryStore = Box::leak(Box::new(MemoryStore::new(settings)));
        let limits: &'static [(Cell, Limit)] = hourly(&[Left, Right], 2).leak();
        let reversed: &'static [(Cell, Limit)] = hourly(&[Right, Left], 2).leak();
        assert!(check(store, limits, 2));
        let first = ticket(store, limits, 2);
        let second = ticket(store, reversed, 2);
        let ready_at = first.ready_at().unwrap();
        // Where each of them is next: it has passed, or is told when it will.
        let poll = move |ticket: Ticket<'static, 'static>| match ticket.poll(ready_at) {
            Ok(Turn::Waiting(ticket)) => ticket.ready_at(),
            Ok(Turn::Admitted(_)) => None,
            other => panic!("{other:?}"),
        };
        let other = spawn(move || poll(second));
        let told = (poll(first), other.join().unwrap());
        assert_eq!(told, (None, Some(NOW + 2 * HOUR)));
    });
}
