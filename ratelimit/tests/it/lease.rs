//! Leases: what they save, what they let pass at most, and that nothing is lost or made up.

mod bound;

use std::future::Future as _;
use std::task::{Context, Waker};
use std::time::Duration;

use bursar_ratelimit::fallback::{self, Fallback};
use bursar_ratelimit::lease::{LeaseSize, Leased, Settings};
use bursar_ratelimit::{
    Budget, Concurrency, Decision, Dimension, Limit, Limits, MemoryStore, OnFailure, Progress,
    Quota, Rate, Request, Reservation, RetryAfter, SlidingWindow, Store, Timestamp, Unit, Usage,
};
use futures_executor::block_on;

use crate::support::Server;

const NOW: Timestamp = Timestamp::from_secs(1_000);
const SECOND: Duration = Duration::from_secs(1);

/// A unit in 1000 years: what is used up does not come back in a test.
fn never_refilled(burst: u64) -> Rate {
    let period = Duration::from_secs(500 * 365 * 86_400);
    Rate::new(1, period).unwrap().burst(burst).unwrap()
}

fn global(quota: impl Into<Quota>) -> Limit {
    Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, quota)
}

fn tenant(quota: impl Into<Quota>) -> Limit {
    Limit::new("tenant", Dimension::TENANT, Unit::REQUESTS, quota)
}

fn only(limit: Limit) -> Limits {
    Limits::new([limit]).unwrap()
}

fn units(units: u64) -> Settings {
    let mut settings = Settings::new(LeaseSize::Units(units), 10 * SECOND, 1);
    settings.refusal = Duration::ZERO;
    settings
}

fn check<'a>(store: &impl Store, limits: &'a Limits, cost: u64, now: Timestamp) -> Decision<'a> {
    let request = Request::new().tenant("acme").cost(Unit::REQUESTS, cost);
    let charges = limits.resolve(&request).unwrap();
    block_on(store.check(&charges, now)).unwrap()
}

fn passes(store: &impl Store, limits: &Limits, cost: u64, now: Timestamp) -> bool {
    check(store, limits, cost, now).is_allowed()
}

fn reserve(store: &impl Store, limits: &Limits, cost: u64, now: Timestamp) -> Reservation {
    let request = Request::new().tenant("acme").cost(Unit::REQUESTS, cost);
    let charges = limits.resolve(&request).unwrap();
    let admission = block_on(store.reserve(&charges, now)).unwrap();
    admission.reservation.unwrap()
}

/// Debt and refund of the first part.
fn settle(
    store: &impl Store,
    reservation: &mut Reservation,
    used: u64,
    now: Timestamp,
) -> (u64, u64) {
    let usage = Usage::new().with(Unit::REQUESTS, used);
    let settled = store.settle(reservation, &usage, Progress::Final, now);
    let settlement = block_on(settled).unwrap();
    (settlement.parts()[0].debt, settlement.parts()[0].refunded)
}

/// What is used in the server, of the first limit.
fn used(server: &Server, limits: &Limits, now: Timestamp) -> u64 {
    let request = Request::new().tenant("acme").cost(Unit::REQUESTS, 0);
    let charges = limits.resolve(&request).unwrap();
    let decision = server.memory.peek(&charges, now).unwrap();
    let status = &decision.statuses()[0];
    status.limit_units() - status.remaining()
}

#[test]
fn a_hot_key_needs_a_round_trip_a_lease() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000_000)));
    assert!((0..100_000).all(|_| passes(&store, &limits, 1, NOW)));
    assert_eq!(server.calls(), 1_000);
}

#[test]
fn an_overloaded_key_needs_few_round_trips_too() {
    // 1000 a second, and 4000 requests a second for ten seconds.
    let server = Server::default();
    let settings = Settings::new(LeaseSize::RateShare, SECOND, 1);
    let store = Leased::new(&server, settings);
    let limits = only(global(Rate::per_second(1_000).unwrap()));
    let asked = 40_000;
    let passed = (0..asked)
        .filter(|micros| {
            passes(
                &store,
                &limits,
                1,
                NOW + Duration::from_micros(250 * micros),
            )
        })
        .count();
    assert!((10_500..=11_000).contains(&passed), "{passed}");
    let calls = server.calls();
    assert!(
        calls * 50 <= asked,
        "{calls} round trips for {asked} decisions"
    );
}

#[test]
fn leases_that_share_a_quota_pass_exactly_that() {
    let server = Server::default();
    let limits = only(global(never_refilled(1_000)));
    let stores = [7, 30, 111].map(|size| Leased::new(&server, units(size)));
    let passed = (0..4_000)
        .filter(|number| passes(&stores[number % 3], &limits, 1, NOW))
        .count();
    assert_eq!(passed, 1_000);
}

#[test]
fn threads_pass_exactly_the_quota() {
    for _ in 0..20 {
        let server = Server::default();
        let limits = only(global(never_refilled(1_000)));
        let stores = [10, 64].map(|size| Leased::new(&server, units(size)));
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let (store, limits) = (&stores[number % 2], &limits);
                    scope
                        .spawn(move || (0..1_000).filter(|_| passes(store, limits, 1, NOW)).count())
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(passed, 1_000);
    }
}

#[test]
fn a_refusal_stands_without_asking_until_the_time_that_the_store_named() {
    let server = Server::default();
    let store = Leased::new(&server, units(10));
    // A unit each 100 ms.
    let limits = only(global(Rate::per_second(10).unwrap()));
    assert!((0..10).all(|_| passes(&store, &limits, 1, NOW)));
    let wait = |decision: Decision<'_>| decision.retry_after().unwrap().duration().unwrap();
    assert_eq!(
        wait(check(&store, &limits, 1, NOW)),
        Duration::from_millis(100)
    );
    let calls = server.calls();
    let later = NOW + Duration::from_millis(30);
    for _ in 0..100 {
        assert_eq!(
            wait(check(&store, &limits, 1, later)),
            Duration::from_millis(70)
        );
    }
    let early = NOW + Duration::from_nanos(99_999_999);
    assert!(!passes(&store, &limits, 1, early));
    assert_eq!(server.calls(), calls);
    assert!(passes(&store, &limits, 1, NOW + Duration::from_millis(100)));
}

#[test]
fn a_refusal_of_much_leaves_little_to_be_asked_for() {
    let server = Server::default();
    let store = Leased::new(&server, units(1));
    let limits = only(global(never_refilled(10)));
    assert!(passes(&store, &limits, 8, NOW));
    assert!(!passes(&store, &limits, 3, NOW));
    assert!(passes(&store, &limits, 2, NOW));
}

#[test]
fn takes_what_is_left_when_a_whole_lease_is_not() {
    let window = SlidingWindow::new(250, 60 * SECOND).unwrap();
    for quota in [never_refilled(250).into(), Quota::from(window)] {
        let server = Server::default();
        let store = Leased::new(&server, units(100));
        let limits = only(global(quota));
        let passed = (0..500).filter(|_| passes(&store, &limits, 1, NOW)).count();
        assert_eq!(passed, 250);
        assert!(server.calls() < 10, "{}", server.calls());
    }
}

#[test]
fn a_cost_beyond_the_quota_is_never_asked_for() {
    let server = Server::default();
    let store = Leased::new(&server, units(10));
    let limits = only(global(never_refilled(100)));
    let decision = check(&store, &limits, 101, NOW);
    assert_eq!(decision.retry_after(), Some(RetryAfter::Never));
    assert_eq!(server.calls(), 0);
}

#[test]
fn what_the_store_refuses_takes_nothing_from_a_lease() {
    let server = Server::default();
    let settings = units(10).dimensions([Dimension::GLOBAL]);
    let store = Leased::new(&server, settings);
    let limits = Limits::new([global(never_refilled(20)), tenant(never_refilled(5))]).unwrap();
    let passed = (0..100).filter(|_| passes(&store, &limits, 1, NOW)).count();
    assert_eq!(passed, 5);
    // The rest of the global limit is there for the next tenant.
    let other = Request::new().tenant("globex").cost(Unit::REQUESTS, 1);
    let charges = limits.resolve(&other).unwrap();
    for _ in 0..5 {
        assert!(block_on(store.check(&charges, NOW)).unwrap().is_allowed());
    }
    let global_only = only(global(never_refilled(20)));
    let passed = (0..100)
        .filter(|_| passes(&store, &global_only, 1, NOW))
        .count();
    assert_eq!(passed, 10);
}

#[test]
fn what_one_lease_refuses_takes_nothing_from_another_and_not_from_the_store() {
    let server = Server::default();
    let settings = units(4).dimensions([Dimension::GLOBAL, Dimension::METHOD]);
    let store = Leased::new(&server, settings);
    let method = Limit::new(
        "method",
        Dimension::METHOD,
        Unit::REQUESTS,
        never_refilled(3),
    );
    let limits = Limits::new([
        global(never_refilled(20)),
        tenant(never_refilled(30)),
        method,
    ])
    .unwrap();
    let request = Request::new().tenant("acme").method("chat");
    let charges = limits.resolve(&request).unwrap();
    for turn in 0..50 {
        let decision = block_on(store.check(&charges, NOW)).unwrap();
        assert_eq!(decision.is_allowed(), turn < 3);
        let names: Vec<&str> = decision.statuses().iter().map(|one| one.name()).collect();
        assert_eq!(names, ["global", "tenant", "method"]);
    }
    assert_eq!(used(&server, &only(tenant(never_refilled(30))), NOW), 3);
    let global = only(global(never_refilled(20)));
    let passed = (0..100).filter(|_| passes(&store, &global, 1, NOW)).count();
    assert_eq!(passed, 17);
}

#[test]
fn an_error_of_the_store_takes_nothing_from_a_lease() {
    let server = Server::default();
    let store = Leased::new(&server, units(10).dimensions([Dimension::GLOBAL]));
    let both = Limits::new([global(never_refilled(10)), tenant(never_refilled(10))]).unwrap();
    let global = only(global(never_refilled(10)));
    assert!(passes(&store, &global, 1, NOW));
    server.set_down(true);
    let request = Request::new().tenant("acme");
    let charges = both.resolve(&request).unwrap();
    for _ in 0..20 {
        assert!(block_on(store.check(&charges, NOW)).is_err());
    }
    let passed = (0..9).filter(|_| passes(&store, &global, 1, NOW)).count();
    assert_eq!(passed, 9);
}

#[test]
fn a_limit_in_shadow_mode_counts_and_refuses_nothing() {
    let server = Server::default();
    let store = Leased::new(&server, units(4));
    let limits = Limits::new([
        global(never_refilled(10)).shadow(),
        tenant(never_refilled(15)),
    ])
    .unwrap();
    let decisions: Vec<_> = (0..20).map(|_| check(&store, &limits, 1, NOW)).collect();
    let allowed = decisions.iter().filter(|one| one.is_allowed()).count();
    let shadow = |one: &&Decision<'_>| one.is_allowed() && one.shadow_violated().count() == 1;
    assert_eq!(allowed, 15);
    assert_eq!(decisions.iter().filter(shadow).count(), 5);
}

#[test]
fn a_refund_goes_through_the_store_while_its_lease_lives() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    let mut reservation = reserve(&store, &limits, 60, NOW);
    assert_eq!(reservation.reserved(Unit::REQUESTS), Some(60));
    let calls = server.calls();
    assert_eq!(settle(&store, &mut reservation, 25, NOW), (0, 35));
    // All of the lease but what was used, and once only.
    assert!(passes(&store, &limits, 75, NOW));
    let usage = Usage::new().with(Unit::REQUESTS, 0);
    let again = store.settle(&mut reservation, &usage, Progress::Final, NOW);
    assert!(!block_on(again).unwrap().is_applied());
    // The lease went back, and another one came.
    assert_eq!(server.calls(), calls + 2);
}

#[test]
fn a_refund_after_its_lease_is_lost_and_not_made_up() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    let mut reservation = reserve(&store, &limits, 60, NOW);
    let later = NOW + 10 * SECOND;
    assert_eq!(settle(&store, &mut reservation, 25, later), (0, 0));
    block_on(store.return_expired(later)).unwrap();
    assert_eq!(used(&server, &limits, later), 60);
}

#[test]
fn a_large_refund_goes_to_the_store_and_does_not_fatten_a_lease() {
    let server = Server::default();
    let store = Leased::new(&server, units(10));
    let limits = only(global(never_refilled(1_000)));
    let mut reservation = reserve(&store, &limits, 900, NOW);
    assert_eq!(settle(&store, &mut reservation, 300, NOW), (0, 600));
    assert_eq!(used(&server, &limits, NOW), 300);
}

#[test]
fn an_overrun_is_paid_from_the_lease_and_then_by_the_store() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    let mut reservation = reserve(&store, &limits, 60, NOW);
    assert_eq!(settle(&store, &mut reservation, 90, NOW), (30, 0));
    assert_eq!(used(&server, &limits, NOW), 100);
    assert!(passes(&store, &limits, 10, NOW));
    let mut reservation = reserve(&store, &limits, 50, NOW);
    assert_eq!(settle(&store, &mut reservation, 350, NOW), (300, 0));
    block_on(store.return_all(NOW)).unwrap();
    assert_eq!(used(&server, &limits, NOW), 90 + 10 + 350);
}

#[test]
fn an_overrun_that_the_store_cannot_be_told_is_told_later() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    let mut reservation = reserve(&store, &limits, 100, NOW);
    server.set_down(true);
    assert_eq!(settle(&store, &mut reservation, 400, NOW), (300, 0));
    server.set_down(false);
    assert_eq!(used(&server, &limits, NOW), 100);
    assert!(passes(&store, &limits, 1, NOW));
    assert_eq!(used(&server, &limits, NOW), 500);
}

#[test]
fn steps_charge_what_grows_beyond_the_estimate() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    let mut reservation = reserve(&store, &limits, 10, NOW);
    for (used, debt) in [(5, 0), (15, 5), (15, 0), (40, 25)] {
        let usage = Usage::new().with(Unit::REQUESTS, used);
        let step = store.settle(&mut reservation, &usage, Progress::Step, NOW);
        assert_eq!(block_on(step).unwrap().parts()[0].debt, debt);
    }
    assert_eq!(settle(&store, &mut reservation, 40, NOW), (0, 0));
    assert!(passes(&store, &limits, 60, NOW));
    assert_eq!(used(&server, &limits, NOW), 100);
}

#[test]
fn a_reservation_over_leases_and_the_store_settles_in_both() {
    let server = Server::default();
    let store = Leased::new(&server, units(100).dimensions([Dimension::GLOBAL]));
    let limits = Limits::new([tenant(never_refilled(500)), global(never_refilled(1_000))]).unwrap();
    let mut reservation = reserve(&store, &limits, 50, NOW);
    let usage = Usage::new().with(Unit::REQUESTS, 20);
    server.set_down(true);
    let failed = store.settle(&mut reservation, &usage, Progress::Final, NOW);
    assert!(block_on(failed).is_err());
    server.set_down(false);
    let settled = store.settle(&mut reservation, &usage, Progress::Final, NOW);
    let settlement = block_on(settled).unwrap();
    let refunded: Vec<u64> = settlement
        .parts()
        .iter()
        .map(|part| part.refunded)
        .collect();
    assert_eq!(refunded, [30, 30]);
    assert_eq!(used(&server, &limits, NOW), 20);
}

#[test]
fn unspent_units_go_back() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    assert!(passes(&store, &limits, 30, NOW));
    assert_eq!(used(&server, &limits, NOW), 100);
    block_on(store.return_expired(NOW)).unwrap();
    assert_eq!(used(&server, &limits, NOW), 100);
    let later = NOW + 10 * SECOND;
    block_on(store.return_expired(later)).unwrap();
    assert_eq!(used(&server, &limits, later), 30);
    assert_eq!(store.keys(), 0);

    assert!(passes(&store, &limits, 1, later));
    block_on(store.return_all(later)).unwrap();
    assert_eq!(used(&server, &limits, later), 31);
}

#[test]
fn a_lease_that_is_over_is_not_spent() {
    let server = Server::default();
    let store = Leased::new(&server, units(100));
    let limits = only(global(never_refilled(1_000)));
    assert!(passes(&store, &limits, 30, NOW));
    let calls = server.calls();
    assert!(passes(&store, &limits, 1, NOW + 10 * SECOND));
    // The old lease back, the new one.
    assert_eq!(server.calls(), calls + 2);
    assert_eq!(used(&server, &limits, NOW + 10 * SECOND), 130);
}

#[test]
fn stocks_are_decided_by_the_store() {
    let minute = 60 * SECOND;
    let quotas = [
        Quota::from(Concurrency::new(3, minute).unwrap()),
        Budget::new(3, minute).unwrap().into(),
    ];
    for quota in quotas {
        let server = Server::default();
        let store = Leased::new(&server, units(100));
        let limit = global(quota);
        assert_eq!(store.bound(&limit, &quota), 0);
        let limits = only(limit);
        let mut held: Vec<_> = (0..3).map(|_| reserve(&store, &limits, 1, NOW)).collect();
        assert_eq!(settle(&store, &mut held[0], 0, NOW).1, 1);
        assert_eq!(server.calls(), 4);
    }
}

#[test]
fn holds_no_more_cells_than_it_may() {
    let server = Server::default();
    let mut settings = units(10);
    settings.max_cells = 100;
    let store = Leased::new(&server, settings);
    let limits = only(tenant(never_refilled(15)));
    let keys: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    for _ in 0..20 {
        for key in &keys {
            let charges = limits.resolve(&Request::new().tenant(key)).unwrap();
            let _ = block_on(store.check(&charges, NOW)).unwrap();
        }
    }
    assert!(store.keys() <= 100);
    // Leased or not, each key has passed what it may.
    for key in &keys {
        let charges = limits.resolve(&Request::new().tenant(key)).unwrap();
        let decision = server.memory.peek(&charges, NOW).unwrap();
        assert_eq!(decision.statuses()[0].remaining(), 0);
    }
    // Room for others when these are idle.
    let later = NOW + 11 * SECOND;
    let charges = limits.resolve(&Request::new().tenant("new")).unwrap();
    for _ in 0..50 {
        let _ = block_on(store.check(&charges, later)).unwrap();
    }
    assert!(store.keys() <= 100);
}

#[test]
fn a_status_says_what_the_store_said_and_what_is_unspent() {
    let server = Server::default();
    let store = Leased::new(&server, units(10));
    let limits = only(global(never_refilled(100)));
    for left in (80..100).rev() {
        let decision = check(&store, &limits, 1, NOW);
        assert_eq!(decision.statuses()[0].remaining(), left);
        assert!(decision.statuses()[0].is_known());
        assert!(!decision.statuses()[0].is_near() || left <= 20);
    }
    let request = Request::new().tenant("acme").cost(Unit::REQUESTS, 70);
    let charges = limits.resolve(&request).unwrap();
    assert!(block_on(store.peek(&charges, NOW)).unwrap().is_allowed());
    assert_eq!(check(&store, &limits, 1, NOW).statuses()[0].remaining(), 79);
}

#[test]
fn a_request_that_is_given_up_leaves_nothing_behind() {
    let server = Server::default();
    let store = Leased::new(&server, units(10).dimensions([Dimension::GLOBAL]));
    let both = Limits::new([global(never_refilled(40)), tenant(never_refilled(40))]).unwrap();
    let global = only(global(never_refilled(40)));
    let request = Request::new().tenant("acme");
    let charges = both.resolve(&request).unwrap();
    let mut context = Context::from_waker(Waker::noop());

    // While it waits for a lease, and while it waits for the store with a lease in its hands.
    for has_lease in [false, true] {
        if has_lease {
            assert!(passes(&store, &global, 1, NOW));
        }
        server.set_hangs(true);
        let mut waiting = Box::pin(store.check(&charges, NOW));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        drop(waiting);
        server.set_hangs(false);
    }
    let calls = server.calls();
    let passed = (0..100).filter(|_| passes(&store, &global, 1, NOW)).count();
    assert_eq!(passed, 39);
    // Whole leases, and one refusal.
    assert_eq!(server.calls(), calls + 4);
}

#[test]
fn a_refusal_does_not_outlive_a_clock_that_is_set_back() {
    let server = Server::default();
    let store = Leased::new(&server, units(1));
    let limits = only(global(Rate::new(1, Duration::from_secs(3_600)).unwrap()));
    assert!(passes(&store, &limits, 1, NOW));
    assert!(!passes(&store, &limits, 1, NOW));
    let calls = server.calls();
    let _ = check(&store, &limits, 1, Timestamp::from_secs(10));
    assert_eq!(server.calls(), calls + 1);
}

#[test]
fn leases_outlast_a_failure_and_a_fallback_goes_on_from_there() {
    let mut settings = fallback::Settings::default();
    settings.breaker.consecutive_failures = 1;
    settings.breaker.backoff = SECOND;
    let store = Leased::new(Fallback::new(Server::default(), settings), units(10));
    let local = OnFailure::Local { instances: 4 };
    let limits = only(global(never_refilled(100)).on_failure(local));
    assert!(passes(&store, &limits, 1, NOW));
    store.store().store().set_down(true);
    // What is left of the lease, then a quarter of the quota.
    let passed = (0..200).filter(|_| passes(&store, &limits, 1, NOW)).count();
    assert_eq!(passed, 9 + 25);
    store.store().store().set_down(false);
    // The local refusal was for good, but none stands for longer than a lease.
    let later = NOW + 10 * SECOND;
    let passed = (0..200)
        .filter(|_| passes(&store, &limits, 1, later))
        .count();
    assert_eq!(passed, 90);
}

#[test]
fn a_change_of_the_quota_holds_from_the_next_lease_on() {
    let server = Server::default();
    let store = Leased::new(&server, Settings::new(LeaseSize::BurstPart(10), SECOND, 1));
    let before = only(global(never_refilled(100)));
    assert!((0..15).all(|_| passes(&store, &before, 1, NOW)));
    let after = only(global(never_refilled(50)));
    let passed = (0..100).filter(|_| passes(&store, &after, 1, NOW)).count();
    assert_eq!(passed, 35);
}

#[test]
fn tiers_of_one_cell_do_not_forget_each_others_use() {
    let center = MemoryStore::default();
    let store = Leased::new(&center, units(1));
    let limit = global(never_refilled(100)).tier("big", never_refilled(1_000));
    let limits = only(limit);
    let passes = |tier: &'static str, cost| {
        let request = Request::new().tier(tier).cost(Unit::REQUESTS, cost);
        let charges = limits.resolve(&request).unwrap();
        block_on(store.check(&charges, NOW)).unwrap().is_allowed()
    };
    assert!(passes("big", 800));
    assert!(!passes("small", 1));
    assert!(!passes("big", 201));
    // What was refused under the smaller quota does not stand under the larger one.
    assert!(!passes("small", 1));
    assert!(passes("big", 200));
}

#[test]
fn a_refusal_stays_a_refusal_when_the_store_cannot_be_asked_about_the_rest() {
    let server = Server::default();
    let settings = units(10).dimensions([Dimension::GLOBAL]);
    let store = Leased::new(&server, settings);
    let limits =
        Limits::new([global(never_refilled(1)), tenant(never_refilled(1_000_000))]).unwrap();
    assert!(passes(&store, &limits, 1, NOW));
    assert!(!passes(&store, &limits, 1, NOW));
    server.set_down(true);
    let decision = check(&store, &limits, 1, NOW);
    let deciding = decision.deciding().map(|status| status.name());
    assert_eq!(deciding, Some("global"));
    assert!(!decision.statuses()[1].is_known());
}
