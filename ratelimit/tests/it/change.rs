//! What happens to the state when limits change while a service runs?

use bursar_ratelimit::gcra::{Gcra, RateCell};
use bursar_ratelimit::{
    Budget, Concurrency, Dimension, Limit, Limits, MemoryStore, Rate, Request, SlidingWindow, Unit,
};

use crate::fixture::{Fixture, SECOND, at, seconds};

fn rate(limit: u64, burst: u64) -> Rate {
    Rate::per_second(limit).unwrap().burst(burst).unwrap()
}

#[test]
fn a_lowered_rate_waits_exactly() {
    let mut fixture = Fixture::new(rate(10, 1_000));
    assert!(fixture.check(1_000, SECOND));
    fixture.change(rate(1, 10));
    // Up to the new burst stays used: one unit at the new rate.
    assert_eq!(fixture.assert_exact_wait(1, SECOND), SECOND);
}

#[test]
fn a_raised_rate_counts_from_the_first_request_on() {
    let day = Rate::new(1, seconds(86_400)).unwrap().burst(10).unwrap();
    let mut fixture = Fixture::new(day);
    assert!(fixture.check(10, SECOND));
    fixture.change(rate(10, 10));
    assert_eq!(fixture.assert_exact_wait(1, SECOND), SECOND / 10);
}

#[test]
fn a_raised_burst_frees_at_once_and_no_more() {
    let mut fixture = Fixture::new(rate(1, 10));
    assert!(fixture.check(10, SECOND));
    fixture.change(rate(1, 25));
    assert_eq!(fixture.remaining(SECOND), 15);
    assert!(!fixture.check(16, SECOND));
    assert!(fixture.check(15, SECOND));
}

#[test]
fn a_debt_stays_a_debt_under_a_new_rate() {
    let mut fixture = Fixture::new(rate(10, 100));
    let mut held = fixture.reserve(100, SECOND).unwrap();
    let _ = fixture.settle(&mut held, 150, SECOND);
    fixture.change(rate(10, 20));
    // 20 of burst and 50 of debt are outstanding, so one unit fits after 51 have drained.
    assert_eq!(fixture.assert_exact_wait(1, SECOND), 51 * SECOND / 10);
}

#[test]
fn a_part_of_a_unit_that_has_drained_stays_drained() {
    let mut fixture = Fixture::new(rate(1, 10));
    assert!(fixture.check(10, SECOND));
    // 0.9 of a unit has drained; the tenth that is left takes 10 ms at the new rate.
    let now = SECOND + SECOND * 9 / 10;
    fixture.change(rate(10, 10));
    assert_eq!(fixture.assert_exact_wait(1, now), SECOND / 100);
}

/// Requests of two tiers under one key, as of a method that all tenants share.
#[test]
fn tiers_that_share_a_key_forgive_each_other_nothing() {
    let limit = Limit::new("method", Dimension::METHOD, Unit::TOKENS, rate(1, 10))
        .tier("enterprise", rate(10, 1_000));
    let limits = Limits::new([limit]).unwrap();
    let store = MemoryStore::default();
    let check = |tier: &'static str, cost: u64| {
        let request = Request::new().method("chat").tier(tier);
        let request = request.cost(Unit::TOKENS, cost);
        let charges = limits.resolve(&request).unwrap();
        let decision = store.check(&charges, at(SECOND)).unwrap();
        (decision.is_allowed(), decision.statuses()[0].remaining())
    };
    assert_eq!(check("enterprise", 900), (true, 100));
    assert_eq!(check("free", 0), (false, 0));
    assert_eq!(check("free", 1), (false, 0));
    assert_eq!(check("enterprise", 101), (false, 100));
    assert_eq!(check("enterprise", 100), (true, 0));
}

#[test]
fn the_smaller_of_two_tiers_under_a_key_waits_exactly() {
    let limit = Limit::new("method", Dimension::METHOD, Unit::TOKENS, rate(1, 10))
        .tier("enterprise", rate(10, 1_000));
    let limits = Limits::new([limit]).unwrap();
    let store = MemoryStore::default();
    let enterprise = Request::new().method("chat").tier("enterprise");
    let enterprise = enterprise.cost(Unit::TOKENS, 509);
    let all = limits.resolve(&enterprise).unwrap();
    assert!(store.check(&all, at(SECOND)).unwrap().is_allowed());

    let free = Request::new().method("chat").cost(Unit::TOKENS, 1);
    let free = limits.resolve(&free).unwrap();
    let wait = store.check(&free, at(SECOND)).unwrap().retry_after();
    // The 509 drain at the rate under which they passed, until there are 9.
    assert_eq!(wait.unwrap().duration(), Some(seconds(50)));
    let allowed = |now| store.check(&free, at(now)).unwrap().is_allowed();
    assert!(!allowed(51 * SECOND - 1));
    assert!(allowed(51 * SECOND));
}

#[test]
fn a_refund_after_a_change_to_and_fro_credits_nothing_twice() {
    let (small, large) = (Gcra::new(1, 1, 1_000), Gcra::new(1, 2, 1_000));
    let mut cell = RateCell::default();
    let first = small.charge(&mut cell, 10, 5);
    let _second = small.charge(&mut cell, 10, 5);
    let third = small.charge(&mut cell, 10, 5);
    assert_eq!(small.refund(&mut cell, &first, 10, 5), 10);
    let cell_of_large = small.convert(&cell, 5, &large);
    let mut cell = large.convert(&cell_of_large, 5, &small);
    let _later = small.charge(&mut cell, 10, 24);
    // The third reservation ended at tick 25 at the latest, and has drained by tick 30.
    assert_eq!(small.refund(&mut cell, &third, 10, 30), 0);
}

#[test]
fn a_spent_budget_that_becomes_a_window_lets_pass() {
    let mut fixture = Fixture::new(Budget::new(100, seconds(60)).unwrap());
    assert!(fixture.check(100, SECOND));
    fixture.change(SlidingWindow::new(50, seconds(60)).unwrap());
    assert!(fixture.check(50, SECOND));
    assert!(!fixture.check(1, SECOND));
}

#[test]
fn what_is_spent_does_not_count_as_held() {
    let mut fixture = Fixture::new(Budget::new(100, seconds(60)).unwrap());
    assert!(fixture.check(100, SECOND));
    fixture.change(Concurrency::new(3, seconds(60)).unwrap());
    assert_eq!(fixture.remaining(SECOND), 3);
    let held = fixture.reserve(3, SECOND);
    assert!(held.is_some());
    assert!(fixture.reserve(1, SECOND).is_none());
    // And it is still spent when the budget comes back.
    fixture.change(Budget::new(120, seconds(60)).unwrap());
    assert_eq!(fixture.remaining(SECOND), 17);
}

#[test]
fn a_late_debt_of_a_window_does_not_wipe_a_budget() {
    let mut fixture = Fixture::new(SlidingWindow::new(50, seconds(60)).unwrap());
    let mut held = fixture.reserve(10, SECOND).unwrap();
    fixture.change(Budget::new(100, seconds(60)).unwrap());
    assert!(fixture.check(100, SECOND));
    let _ = fixture.settle(&mut held, 20, SECOND);
    assert!(!fixture.check(1, SECOND), "the budget is spent");
}

#[test]
fn a_window_that_is_lengthened_keeps_what_it_counts() {
    let mut fixture = Fixture::new(SlidingWindow::new(10, seconds(60)).unwrap());
    assert!(fixture.check(6, 0));
    fixture.change(SlidingWindow::new(10, seconds(120)).unwrap());
    assert!(fixture.check(4, 30 * SECOND));
    assert!(!fixture.check(1, 119 * SECOND));
    assert_eq!(fixture.remaining(120 * SECOND), 6);
    // The shorter window comes back: what is older than it no longer counts.
    fixture.change(SlidingWindow::new(10, seconds(60)).unwrap());
    assert_eq!(fixture.remaining(120 * SECOND), 10);
}
