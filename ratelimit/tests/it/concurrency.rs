//! Do many threads get together what one thread would have got in some order?

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use bursar_ratelimit::{
    Budget, Charge, Charges, Decision, Dimension, Limit, MemoryStore, Progress, Quota, Rate,
    Reservation, Settings, SlidingWindow, Timestamp, Turn, Unit, Usage,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_000);
const DAY: Duration = Duration::from_secs(86_400);

fn limit(name: &str, dimension: Dimension, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, dimension, Unit::TOKENS, quota)
}

/// So slow that nothing drains while a test runs.
fn slow_rate(name: &str, burst: u64) -> Limit {
    limit(name, Dimension::API_KEY, Rate::new(burst, DAY).unwrap())
}

fn store(shards: usize) -> MemoryStore {
    let mut settings = Settings::default();
    settings.shards = shards;
    MemoryStore::new(settings)
}

fn units_left(store: &MemoryStore, limit: &Limit, key: &str) -> u64 {
    let charge = Charge::new(limit, limit.quota(), key, 0);
    let decision = store.peek(&Charges::new([charge]).unwrap(), NOW).unwrap();
    decision.statuses()[0].remaining()
}

#[test]
fn of_50_callers_for_5_units_each_exactly_20_pass_where_there_are_100() {
    for round in 0..100 {
        let store = store(1 << (round % 9));
        let limits = [slow_rate("one", 100), slow_rate("two", 100)];
        let start = Barrier::new(50);
        let passed = thread::scope(|scope| {
            let callers: Vec<_> = (0..50_u64)
                .map(|caller| {
                    let (store, limits, start) = (&store, &limits, &start);
                    scope.spawn(move || {
                        let charge = |limit| Charge::new(limit, limit.quota(), "key-17", 5);
                        let charges = Charges::new(limits.iter().map(charge)).unwrap();
                        let now = NOW + Duration::from_micros(caller);
                        start.wait();
                        store.check(&charges, now).unwrap().is_allowed()
                    })
                })
                .collect();
            let passed = callers.into_iter().map(|caller| caller.join().unwrap());
            passed.filter(|passed| *passed).count()
        });
        assert_eq!(passed, 20, "in round {round}");
        for limit in &limits {
            assert_eq!(units_left(&store, limit, "key-17"), 0);
        }
    }
}

/// Runs threads that might lock each other out, and fails if they have not come back in a minute.
fn run_bounded<T: Send + 'static>(
    threads: u64,
    body: impl Fn(u64) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let body = Arc::new(body);
    let start = Arc::new(Barrier::new(threads as usize));
    let (sender, receiver) = mpsc::channel();
    for number in 0..threads {
        let (body, start, sender) = (body.clone(), start.clone(), sender.clone());
        thread::spawn(move || {
            start.wait();
            // The receiver has gone only if the test has failed.
            let _ = sender.send(body(number));
        });
    }
    drop(sender);
    (0..threads)
        .map(|_| receiver.recv_timeout(Duration::from_secs(60)).unwrap())
        .collect()
}

/// A row of numbers that look random: SplitMix64.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

const KEYS: [&str; 3] = ["acme", "globex", "initech"];
const LIMITS: usize = 10;

#[test]
fn all_or_nothing_is_charged_under_many_limits_in_any_order() {
    let store = Arc::new(store(4));
    let limits: Arc<Vec<Limit>> = Arc::new(
        (0..LIMITS)
            .map(|index| {
                let dimension = match index % 3 {
                    0 => Dimension::METHOD,
                    1 => Dimension::TENANT,
                    _ => Dimension::API_KEY,
                };
                let rate = Rate::new(2_000 + 300 * index as u64, DAY).unwrap();
                limit(&format!("limit-{index}"), dimension, rate)
            })
            .collect(),
    );
    let (shared, set) = (store.clone(), limits.clone());
    let charged = run_bounded(4, move |thread| {
        let mut number = numbers(thread);
        let mut charged = [[0_u64; KEYS.len()]; LIMITS];
        let mut refused = 0;
        for _ in 0..3_000 {
            // Some of the limits, in an order of its own, each with a key and a cost of its own.
            let mut order: Vec<usize> = (0..LIMITS).collect();
            for index in (1..LIMITS).rev() {
                order.swap(index, number(index as u64 + 1) as usize);
            }
            order.truncate(1 + number(LIMITS as u64) as usize);
            let wanted: Vec<(usize, usize, u64)> = order
                .iter()
                .map(|&limit| (limit, number(3) as usize, 1 + number(4)))
                .collect();
            let charges = wanted.iter().map(|&(limit, key, cost)| {
                let limit = &set[limit];
                Charge::new(limit, limit.quota(), KEYS[key], cost)
            });
            let charges = Charges::new(charges).unwrap();
            if !shared.check(&charges, NOW).unwrap().is_allowed() {
                refused += 1;
                continue;
            }
            for (limit, key, cost) in wanted {
                charged[limit][key] += cost;
            }
        }
        (charged, refused)
    });
    assert!(charged.iter().any(|(_, refused)| *refused > 0));
    for (index, limit) in limits.iter().enumerate() {
        for (key, name) in KEYS.iter().enumerate() {
            let sum: u64 = charged.iter().map(|(charged, _)| charged[index][key]).sum();
            let used = limit.quota().largest_cost() - units_left(&store, limit, name);
            assert_eq!(used, sum, "under {} for {name}", limit.name());
        }
    }
}

#[test]
fn everybody_in_lines_that_cross_passes_in_the_end() {
    let store = Arc::new(store(4));
    let rate = |burst| Rate::per_second(10).unwrap().burst(burst).unwrap();
    let limits = Arc::new([
        limit("narrow", Dimension::API_KEY, rate(8)),
        limit("wide", Dimension::GLOBAL, rate(20)),
        limit("tenant", Dimension::TENANT, rate(12)),
    ]);
    let clock = Arc::new(AtomicU64::new(0));
    let (shared, set, time) = (store, limits.clone(), clock.clone());
    let passed = run_bounded(6, move |thread| {
        let mut number = numbers(thread);
        let mut passed = [0_u64; 3];
        for _ in 0..100 {
            let first = number(3) as usize;
            let cost = 1 + number(8);
            let order = [first, (first + 1) % 3, (first + 2) % 3];
            let order = &order[..1 + number(3) as usize];
            let charges = order.iter().map(|&index| {
                let limit = &set[index];
                Charge::new(limit, limit.quota(), "", cost)
            });
            let charges = Charges::new(charges).unwrap();
            let now = Timestamp::from_nanos(time.load(Ordering::SeqCst));
            let mut turn = shared.wait_in_line(&charges, DAY, now).unwrap();
            loop {
                turn = match turn {
                    Turn::Admitted(_) => break,
                    Turn::Denied(decision) => panic!("{decision:?}"),
                    Turn::Waiting(ticket) => {
                        // Whoever is ready next moves the clock; the others come to see that.
                        let ready = ticket.next_poll().as_nanos();
                        let now = time.load(Ordering::SeqCst);
                        let step = ready.min(now + 10_000_000);
                        let now = time.fetch_max(step, Ordering::SeqCst).max(step);
                        thread::yield_now();
                        ticket.poll(Timestamp::from_nanos(now)).unwrap()
                    }
                };
            }
            for &index in order {
                passed[index] += cost;
            }
        }
        passed
    });
    let seconds = clock.load(Ordering::SeqCst).div_ceil(1_000_000_000);
    for (index, limit) in limits.iter().enumerate() {
        let units: u64 = passed.iter().map(|passed| passed[index]).sum();
        let most = limit.quota().largest_cost() + 10 * seconds;
        assert!(units <= most, "{units} of {most} under {}", limit.name());
    }
}

/// What a thread asks of the store.
#[derive(Clone, Debug)]
enum Step {
    Peek(Costs),
    Check(Costs),
    Reserve(Costs),
    /// Settles one of the thread's open reservations with so many units in each cell.
    Settle(prop::sample::Index, u64),
}

/// The cost in each cell, `None` where it is not asked.
type Costs = [Option<u64>; 3];

/// One thing that happened to the cells in one moment, between its call and its return.
#[derive(Clone, Debug)]
struct Event {
    called: u64,
    returned: u64,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Decided {
        costs: Costs,
        charged: bool,
        /// The number of the reservation that was asked for.
        reserving: Option<usize>,
        passed: bool,
        remaining: Vec<u64>,
    },
    /// A settlement is no decision: each limit is settled in a moment of its own.
    Settled {
        reservation: usize,
        cell: usize,
        reserved: u64,
        used: u64,
        refunded: u64,
    },
}

/// The three cells as one thread would count them at one instant: a rate, a window, a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Model {
    used: [u64; 3],
    /// Units given back to the rate.
    refunded: u64,
    /// The reservations in the rate: what was used and given back by then.
    positions: Vec<(usize, u64, u64)>,
}

const QUOTAS: [u64; 3] = [10, 12, 14];

fn cells() -> [Limit; 3] {
    [
        slow_rate("rate", QUOTAS[0]),
        limit(
            "window",
            Dimension::TENANT,
            SlidingWindow::new(QUOTAS[1], DAY).unwrap(),
        ),
        limit(
            "budget",
            Dimension::GLOBAL,
            Budget::new(QUOTAS[2], DAY).unwrap(),
        ),
    ]
}

impl Model {
    /// The cells after an event, `None` if it cannot have happened to these.
    fn after(&self, what: &What) -> Option<Self> {
        let mut model = self.clone();
        match what {
            What::Decided {
                costs,
                charged,
                reserving,
                passed,
                remaining,
            } => {
                let asked = || costs.iter().enumerate();
                let fits = |(cell, cost): (usize, &Option<u64>)| {
                    cost.is_none_or(|cost| self.used[cell] + cost <= QUOTAS[cell])
                };
                let fit = asked().all(fits);
                if fit && *charged {
                    for (cell, cost) in asked() {
                        model.used[cell] += cost.unwrap_or(0);
                    }
                    if let (Some(reservation), Some(_)) = (reserving, costs[0]) {
                        let position = (*reservation, model.used[0], model.refunded);
                        model.positions.push(position);
                    }
                }
                let left = asked()
                    .filter(|(_, cost)| cost.is_some())
                    .map(|(cell, _)| QUOTAS[cell].saturating_sub(model.used[cell]));
                (fit == *passed && left.eq(remaining.iter().copied())).then_some(model)
            }
            What::Settled {
                reservation,
                cell,
                reserved,
                used,
                refunded,
            } => {
                let unused = reserved.saturating_sub(*used);
                let credit = match cell {
                    0 => self.safe_credit(*reservation, unused)?,
                    _ => unused,
                };
                model.used[*cell] += used.saturating_sub(*reserved);
                model.used[*cell] -= credit;
                if *cell == 0 {
                    model.refunded += credit;
                }
                (credit == *refunded).then_some(model)
            }
        }
    }

    /// What a rate gives back: the reservation's end, moved by what was given back since, is the
    /// most that cannot have drained.
    fn safe_credit(&self, reservation: usize, unused: u64) -> Option<u64> {
        let mut positions = self.positions.iter();
        let (_, used, refunded) = positions.find(|position| position.0 == reservation)?;
        let end = used.saturating_sub(self.refunded - refunded);
        Some(unused.min(end).min(self.used[0]))
    }
}

/// Whether there is an order of the events in which one thread could have seen them, and in which
/// nothing comes before what had returned when it was called. The search of Wing and Gong ("Testing
/// and verifying concurrent objects", 1993) with Lowe's memory of states ("Testing for
/// linearizability", 2017).
fn is_linearizable(events: &[Event]) -> bool {
    fn search(
        events: &[Event],
        done: u64,
        model: &Model,
        visited: &mut HashSet<(u64, Model)>,
    ) -> bool {
        let open = || (0..events.len()).filter(|index| done >> index & 1 == 0);
        let Some(first_return) = open().map(|index| events[index].returned).min() else {
            return true;
        };
        if !visited.insert((done, model.clone())) {
            return false;
        }
        open()
            .filter(|&index| events[index].called < first_return)
            .any(|index| {
                let after = model.after(&events[index].what);
                after.is_some_and(|after| search(events, done | 1 << index, &after, visited))
            })
    }
    assert!(events.len() <= 64);
    search(events, 0, &Model::default(), &mut HashSet::new())
}

fn charged<'a>(limits: &'a [Limit; 3], costs: &Costs, reversed: bool) -> Charges<'a> {
    let mut charges: Vec<_> = limits
        .iter()
        .zip(costs)
        .filter_map(|(limit, cost)| Some(Charge::new(limit, limit.quota(), "key", (*cost)?)))
        .collect();
    if reversed {
        charges.reverse();
    }
    Charges::new(charges).unwrap()
}

/// The units that a decision leaves, in the order of the cells.
fn left(decision: &Decision<'_>) -> Vec<u64> {
    let statuses = decision.statuses().iter();
    let mut left: Vec<_> = statuses
        .map(|status| (status.limit_units(), status.remaining()))
        .collect();
    // The larger the quota the later the cell.
    left.sort_unstable();
    left.into_iter().map(|(_, remaining)| remaining).collect()
}

/// Lets threads do their steps and says what happened.
fn history(programs: &[Vec<Step>]) -> Vec<Event> {
    let (store, limits) = (store(2), cells());
    let clock = AtomicU64::new(0);
    let tick = || clock.fetch_add(1, Ordering::SeqCst);
    let start = Barrier::new(programs.len());
    let run = |number: usize, steps: &[Step]| {
        let mut events = Vec::new();
        let mut open: Vec<(usize, Costs, Reservation)> = Vec::new();
        start.wait();
        for (index, step) in steps.iter().enumerate() {
            let name = number * 100 + index;
            let called = tick();
            let (costs, reserving, decision) = match step {
                Step::Settle(which, used) => {
                    if open.is_empty() {
                        continue;
                    }
                    let (reservation, costs, mut held) = open.remove(which.index(open.len()));
                    let usage = Usage::new().with(Unit::TOKENS, *used);
                    let settled = store
                        .settle(&mut held, &usage, Progress::Final, NOW)
                        .unwrap();
                    let returned = tick();
                    let mut cells: Vec<usize> =
                        (0..3).filter(|&cell| costs[cell].is_some()).collect();
                    if number % 2 == 1 {
                        cells.reverse();
                    }
                    for (cell, part) in cells.into_iter().zip(settled.parts()) {
                        events.push(Event {
                            called,
                            returned,
                            what: What::Settled {
                                reservation,
                                cell,
                                reserved: part.reserved,
                                used: *used,
                                refunded: part.refunded,
                            },
                        });
                    }
                    continue;
                }
                Step::Peek(costs) => {
                    let charges = charged(&limits, costs, number % 2 == 1);
                    (costs, None, store.peek(&charges, NOW).unwrap())
                }
                Step::Check(costs) => {
                    let charges = charged(&limits, costs, number % 2 == 1);
                    (costs, None, store.check(&charges, NOW).unwrap())
                }
                Step::Reserve(costs) => {
                    let charges = charged(&limits, costs, number % 2 == 1);
                    let admission = store.reserve(&charges, NOW).unwrap();
                    if let Some(reservation) = admission.reservation {
                        open.push((name, *costs, reservation));
                    }
                    (costs, Some(name), admission.decision)
                }
            };
            events.push(Event {
                called,
                returned: tick(),
                what: What::Decided {
                    costs: *costs,
                    charged: !matches!(step, Step::Peek(_)),
                    reserving,
                    passed: decision.is_allowed(),
                    remaining: left(&decision),
                },
            });
        }
        events
    };
    thread::scope(|scope| {
        let threads: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(number, steps)| scope.spawn(move || run(number, steps)))
            .collect();
        let events = threads.into_iter().map(|thread| thread.join().unwrap());
        events.flatten().collect()
    })
}

fn costs() -> impl Strategy<Value = Costs> {
    prop::array::uniform3(prop::option::weighted(0.7, 1..7_u64))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => costs().prop_map(Step::Peek),
        2 => costs().prop_map(Step::Check),
        3 => costs().prop_map(Step::Reserve),
        3 => (any::<prop::sample::Index>(), 0..9_u64)
            .prop_map(|(which, used)| Step::Settle(which, used)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_200))]

    #[test]
    fn threads_see_what_one_thread_could_have_seen(
        programs in prop::collection::vec(prop::collection::vec(step(), 2..7), 3..=4),
    ) {
        let events = history(&programs);
        prop_assert!(is_linearizable(&events), "{events:#?}");
    }
}

fn decided(called: u64, returned: u64, costs: Costs, passed: bool, remaining: &[u64]) -> Event {
    Event {
        called,
        returned,
        what: What::Decided {
            costs,
            charged: true,
            reserving: None,
            passed,
            remaining: remaining.to_vec(),
        },
    }
}

#[test]
fn the_search_finds_the_only_order_and_no_other() {
    // Both were under way at once; the second one was first.
    let first = decided(0, 3, [Some(6), None, None], false, &[4]);
    let second = decided(1, 2, [Some(6), None, None], true, &[4]);
    assert!(is_linearizable(&[first.clone(), second.clone()]));

    // The refused one had returned before the other was called, so it was refused for nothing.
    let early = Event {
        returned: 1,
        ..first.clone()
    };
    let late = Event {
        called: 2,
        returned: 3,
        ..second.clone()
    };
    assert!(!is_linearizable(&[early, late]));

    // Two on the last permit.
    let twice = Event {
        called: 0,
        ..second.clone()
    };
    assert!(!is_linearizable(&[twice, second.clone()]));

    // Refused by the window, and yet something of the rate is gone.
    let torn = decided(4, 5, [Some(1), Some(13), None], false, &[3, 12]);
    let whole = decided(4, 5, [Some(1), Some(13), None], false, &[4, 12]);
    assert!(!is_linearizable(&[second.clone(), torn]));
    assert!(is_linearizable(&[second, whole]));
}
