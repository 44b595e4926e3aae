//! Do concurrency limits and budgets hold what they should, for as long as they should?

use std::time::Duration;

use bursar_ratelimit::{
    Budget, Concurrency, Expired, Quota, Request, Reservation, RetryAfter, StoreError, Unit, Usage,
};
use proptest::prelude::*;

use crate::fixture::{Fixture, SECOND, at, seconds};

#[test]
fn calls_pass_while_there_are_free_places() {
    let fixture = Fixture::new(Concurrency::new(2, seconds(60)).unwrap());
    let mut first = fixture.reserve(1, 0).unwrap();
    let second = fixture.reserve(1, SECOND).unwrap();
    assert!(fixture.reserve(1, 2 * SECOND).is_none());
    // Without a settlement, the first place is free when its hold expires.
    let wait = RetryAfter::After(seconds(58));
    assert_eq!(fixture.retry_after(1, 2 * SECOND), Some(wait));
    let _ = fixture.settle(&mut first, 1, 2 * SECOND);
    assert!(fixture.reserve(1, 2 * SECOND).is_some());
    drop(second);
}

#[test]
fn a_call_in_flight_cannot_be_charged_without_a_reservation() {
    let fixture = Fixture::new(Concurrency::new(2, seconds(60)).unwrap());
    let request = Request::new().tenant("acme").cost(Unit::TOKENS, 1);
    let charges = fixture.limits.resolve(&request).unwrap();
    let refused = fixture.store.check(&charges, at(0));
    assert!(matches!(refused, Err(StoreError::NeedsReservation { limit }) if limit == "tokens"));
}

#[test]
fn a_permit_that_is_dropped_gives_its_place_back() {
    let fixture = Fixture::new(Concurrency::new(1, seconds(60)).unwrap());
    let permit = fixture.store.guard(fixture.reserve(1, 0).unwrap());
    assert!(fixture.reserve(1, 0).is_none());
    drop(permit);
    let mut permit = fixture.store.guard(fixture.reserve(1, 0).unwrap());
    let _ = permit.step(&Usage::new(), at(SECOND)).unwrap();
    assert!(
        permit
            .settle(&Usage::new(), at(SECOND))
            .unwrap()
            .is_applied()
    );
    assert!(fixture.reserve(1, SECOND).is_some());
}

#[test]
fn holders_that_vanish_leave_no_memory_behind() {
    let fixture = Fixture::new(Concurrency::new(1, seconds(60)).unwrap());
    let held = fixture.reserve(1, 0);
    drop(held);
    fixture.store.sweep(at(59 * SECOND));
    assert_eq!(fixture.store.keys(), 1);
    fixture.store.sweep(at(60 * SECOND));
    assert_eq!(fixture.store.keys(), 0);
}

#[test]
fn a_budget_is_spent_for_good() {
    let fixture = Fixture::new(Budget::new(100, seconds(60)).unwrap());
    let mut held = fixture.reserve(60, 0).unwrap();
    // Whether 50 will fit depends on what the holder reports; whether 101 will does not.
    assert_eq!(fixture.retry_after(50, 0), Some(RetryAfter::Unknown));
    assert_eq!(fixture.retry_after(101, 0), Some(RetryAfter::Never));
    let settled = fixture.settle(&mut held, 20, SECOND);
    assert_eq!(settled.parts()[0].refunded, 40);
    assert!(fixture.check(80, SECOND));
    assert_eq!(fixture.retry_after(1, SECOND), Some(RetryAfter::Never));
    fixture.store.sweep(at(1_000_000 * SECOND));
    assert!(!fixture.check(1, 1_000_000 * SECOND));
}

#[test]
fn a_budget_pays_for_what_nobody_settled_unless_told_otherwise() {
    let budget = Budget::new(100, seconds(60)).unwrap();
    for (expired, left) in [(Expired::Spent, 70), (Expired::Returned, 100)] {
        let fixture = Fixture::new(budget.on_expiry(expired));
        let held = fixture.reserve(30, 0);
        drop(held);
        assert_eq!(fixture.remaining(60 * SECOND - 1), 70);
        assert_eq!(fixture.remaining(60 * SECOND), left);
    }
}

#[test]
fn an_overrun_of_a_budget_is_spent_too() {
    let fixture = Fixture::new(Budget::new(100, seconds(60)).unwrap());
    let mut held = fixture.reserve(30, 0).unwrap();
    let _ = fixture.step(&mut held, 50, SECOND);
    assert_eq!(fixture.remaining(SECOND), 50);
    assert_eq!(fixture.settle(&mut held, 130, SECOND).parts()[0].debt, 80);
    assert_eq!(fixture.remaining(SECOND), 0);
}

/// Holds remembered one by one.
struct Naive {
    limit: u64,
    expired: Expired,
    spends: bool,
    spent: u64,
    /// Units, when they expire, and the number of the reservation.
    holds: Vec<(u64, u64, usize)>,
}

impl Naive {
    fn used(&mut self, now: u64) -> u64 {
        let (over, held) = self.holds.iter().partition(|hold| hold.1 <= now);
        self.holds = held;
        let over: Vec<(u64, u64, usize)> = over;
        if self.spends && self.expired == Expired::Spent {
            self.spent += over.iter().map(|hold| hold.0).sum::<u64>();
        }
        self.spent + self.holds.iter().map(|hold| hold.0).sum::<u64>()
    }

    fn settle(&mut self, number: usize, used: u64) {
        if let Some(index) = self.holds.iter().position(|hold| hold.2 == number) {
            let _ = self.holds.remove(index);
            if self.spends {
                self.spent += used;
            }
        }
    }
}

proptest! {
    #[test]
    fn stocks_hold_what_one_who_remembers_everything_holds(
        kind in 0..3_u8,
        limit in 1..30_u64,
        expiry in 1..60_u64,
        steps in prop::collection::vec((0..10_u64, 0..3_u8, 0..12_u64, any::<usize>()), 1..100),
    ) {
        let length = Duration::from_nanos(expiry);
        let expired = if kind == 1 { Expired::Spent } else { Expired::Returned };
        let quota: Quota = match kind {
            0 => Concurrency::new(limit, length).unwrap().into(),
            _ => Budget::new(limit, length).unwrap().on_expiry(expired).into(),
        };
        let fixture = Fixture::new(quota);
        let mut naive = Naive { limit, expired, spends: kind > 0, spent: 0, holds: Vec::new() };
        let mut open: Vec<(usize, u64, u64, Reservation)> = Vec::new();
        let mut now = 0;
        for (number, (later, action, cost, pick)) in steps.into_iter().enumerate() {
            now += later;
            let used = naive.used(now);
            if action > 0 {
                let fits = cost <= limit && used <= limit - cost;
                let held = fixture.reserve(cost, now);
                prop_assert_eq!(held.is_some(), fits);
                if let Some(held) = held {
                    naive.holds.push((cost, now + expiry, number));
                    open.push((number, cost, now + expiry, held));
                }
            } else if !open.is_empty() {
                let (number, cost, expires, mut held) = open.swap_remove(pick % open.len());
                // Late settlements have tests of their own.
                if expires > now {
                    let actual = pick as u64 % (cost + 1);
                    let settled = fixture.settle(&mut held, actual, now);
                    prop_assert!(settled.is_applied());
                    naive.settle(number, actual);
                }
            }
            let left = naive.limit.saturating_sub(naive.used(now));
            prop_assert_eq!(fixture.remaining(now), left);
        }
    }
}

#[test]
fn a_late_settlement_does_not_depend_on_who_has_looked() {
    for looks in [false, true] {
        let fixture = Fixture::new(Budget::new(100, seconds(60)).unwrap());
        let mut held = fixture.reserve(60, 0).unwrap();
        if looks {
            assert_eq!(fixture.remaining(61 * SECOND), 40);
        }
        assert_eq!(
            fixture.settle(&mut held, 0, 61 * SECOND).parts()[0].kept,
            60
        );
        assert_eq!(fixture.remaining(61 * SECOND), 40);
    }
}
