//! What do settlements charge and give back?

use std::time::Duration;

use bursar_ratelimit::{
    Budget, Concurrency, Expired, MemoryStore, Progress, Rate, Reservation, RetryAfter, Settings,
    StoreError, Unit, Usage,
};
use proptest::prelude::*;

use crate::fixture::{Fixture, SECOND, at, seconds};

fn ten_a_second() -> Fixture {
    Fixture::new(Rate::per_second(10).unwrap())
}

#[test]
fn a_reservation_of_another_store_is_refused_and_harms_nothing() {
    let (here, there) = (ten_a_second(), ten_a_second());
    let mut own = here.reserve(10, SECOND).unwrap();
    let mut foreign = there.reserve(10, SECOND).unwrap();
    let usage = Usage::new().with(Unit::TOKENS, 0);
    let settled = here
        .store
        .settle(&mut foreign, &usage, Progress::Final, at(SECOND));
    assert!(
        matches!(settled, Err(StoreError::ForeignReservation)),
        "{settled:?}"
    );
    assert_eq!(here.remaining(SECOND), 0);
    assert_eq!(here.settle(&mut own, 3, SECOND).parts()[0].refunded, 7);
    // And it can still be settled where it belongs.
    assert!(there.settle(&mut foreign, 4, SECOND).is_applied());
    assert_eq!(there.remaining(SECOND), 6);
}

#[test]
fn a_hold_is_released_however_old_the_reservation_is() {
    let mut settings = Settings::default();
    settings.reservation_expiry = Duration::from_secs(1);
    let calls = Concurrency::new(1_000, seconds(3_600)).unwrap();
    let fixture = Fixture::with_settings(calls, settings);
    let mut old = fixture.reserve(1, SECOND).unwrap();
    // Others come, long after the expiry of reservations.
    let others: Vec<_> = (0..999).map(|_| fixture.reserve(1, 100 * SECOND)).collect();
    assert!(others.iter().all(Option::is_some));
    assert!(fixture.settle(&mut old, 1, 200 * SECOND).is_applied());
    assert_eq!(fixture.remaining(200 * SECOND), 1);
}

#[test]
fn a_budget_is_charged_what_a_late_settlement_tells() {
    let budget = Budget::new(100, seconds(60)).unwrap();
    let fixture = Fixture::new(budget.on_expiry(Expired::Returned));
    let mut held = fixture.reserve(10, SECOND).unwrap();
    // The hold is over and the key forgotten.
    fixture.store.sweep(at(120 * SECOND));
    assert_eq!(fixture.remaining(120 * SECOND), 100);
    fixture.store.sweep(at(120 * SECOND));
    assert_eq!(
        fixture.settle(&mut held, 30, 120 * SECOND).parts()[0].debt,
        20
    );
    assert!(fixture.remaining(120 * SECOND) <= 80);
}

#[test]
fn an_overrun_of_the_largest_cost_is_never_forgotten() {
    let rate = Rate::new(u64::MAX - 58, seconds(86_400)).unwrap();
    let fixture = Fixture::new(rate.burst(u64::MAX).unwrap());
    assert!(fixture.check(u64::MAX, 0));
    let noon = 43_200 * SECOND;
    let half = fixture.remaining(noon);
    assert!(fixture.check(half, noon));
    assert_eq!(fixture.remaining(noon), 0);
    // Half of it again by midnight, not one unit more.
    let free = fixture.remaining(2 * noon);
    assert!(free.abs_diff((u64::MAX - 58) / 2) <= 1, "{free}");
}

#[test]
fn a_store_can_be_made_often() {
    let stores: Vec<MemoryStore> = (0..3).map(|_| MemoryStore::default()).collect();
    assert!(stores.iter().all(|store| store.keys() == 0));
}

#[test]
fn what_was_not_used_comes_back_if_it_has_not_drained() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    let settled = fixture.settle(&mut held, 2, 0);
    assert_eq!(settled.parts()[0].reserved, 10);
    assert_eq!(settled.parts()[0].refunded, 8);
    assert_eq!(settled.parts()[0].kept, 0);
    assert_eq!(fixture.remaining(0), 8);
}

/// Ten are held, and after 0.7 s seven of them have drained: they may have been used again by others
/// already, so three can come back.
#[test]
fn what_has_drained_does_not_come_back_twice() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    let now = SECOND * 7 / 10;
    assert!(fixture.check(7, now));
    let settled = fixture.settle(&mut held, 0, now);
    assert_eq!(
        (settled.parts()[0].refunded, settled.parts()[0].kept),
        (3, 7)
    );
    assert_eq!(fixture.remaining(now), 3);
}

#[test]
fn a_later_busy_period_gives_nothing_back() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    assert!(fixture.check(10, 2 * SECOND));
    let settled = fixture.settle(&mut held, 0, 2 * SECOND);
    assert_eq!(
        (settled.parts()[0].refunded, settled.parts()[0].kept),
        (0, 10)
    );
    assert_eq!(fixture.remaining(2 * SECOND), 0);
}

#[test]
fn an_overrun_is_a_debt_that_later_requests_wait_for() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    let settled = fixture.settle(&mut held, 35, 0);
    assert_eq!(
        (settled.parts()[0].debt, settled.parts()[0].refunded),
        (25, 0)
    );
    assert_eq!(fixture.remaining(0), 0);
    assert_eq!(fixture.assert_exact_wait(1, 0), 26 * SECOND / 10);
}

#[test]
fn an_overrun_is_charged_also_where_the_key_was_forgotten() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    fixture.store.sweep(at(10 * SECOND));
    assert_eq!(fixture.store.keys(), 0);
    assert_eq!(
        fixture.settle(&mut held, 14, 10 * SECOND).parts()[0].debt,
        4
    );
    assert_eq!(fixture.remaining(10 * SECOND), 6);
}

#[test]
fn a_refusal_after_a_refund_waits_exactly() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    let now = SECOND / 3;
    // 3.33 have drained; of the 6.67 that have not, whole units come back.
    assert_eq!(fixture.settle(&mut held, 1, now).parts()[0].refunded, 6);
    let wait = fixture.assert_exact_wait(10, now);
    assert_eq!(now + wait, SECOND * 4 / 10);
}

#[test]
fn settling_twice_changes_nothing() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(10, 0).unwrap();
    assert!(fixture.settle(&mut held, 4, 0).is_applied());
    assert!(held.is_settled());
    let again = fixture.settle(&mut held, 0, 0);
    assert!(!again.is_applied());
    assert!(again.parts().is_empty());
    assert!(!fixture.step(&mut held, 50, 0).is_applied());
    assert_eq!(fixture.remaining(0), 6);
}

#[test]
fn steps_charge_what_goes_beyond_the_estimate_once() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(4, 0).unwrap();
    assert_eq!(fixture.step(&mut held, 3, 0).parts()[0].debt, 0);
    assert_eq!(fixture.remaining(0), 6);
    assert_eq!(fixture.step(&mut held, 6, 0).parts()[0].debt, 2);
    assert_eq!(fixture.step(&mut held, 6, 0).parts()[0].debt, 0);
    assert_eq!(fixture.step(&mut held, 5, 0).parts()[0].debt, 0);
    assert_eq!(fixture.remaining(0), 4);
    assert_eq!(fixture.settle(&mut held, 7, 0).parts()[0].debt, 1);
    assert_eq!(fixture.remaining(0), 3);
}

#[test]
fn a_unit_that_is_not_named_stands_at_its_estimate() {
    let fixture = ten_a_second();
    let mut held = fixture.reserve(4, 0).unwrap();
    let usage = Usage::new().with(Unit::MICRO_USD, 0);
    let settled = fixture
        .store
        .settle(&mut held, &usage, Progress::Final, at(0));
    assert_eq!(settled.unwrap().parts()[0].refunded, 0);
    assert_eq!(fixture.remaining(0), 6);
}

#[test]
fn a_permit_that_is_dropped_stands_at_its_estimate() {
    let fixture = ten_a_second();
    drop(fixture.store.guard(fixture.reserve(4, 0).unwrap()));
    assert_eq!(fixture.remaining(0), 6);
    let permit = fixture.store.guard(fixture.reserve(6, 0).unwrap());
    assert_eq!(permit.reservation().reserved(Unit::TOKENS), Some(6));
    let usage = Usage::new().with(Unit::TOKENS, 1);
    assert_eq!(permit.settle(&usage, at(0)).unwrap().parts()[0].refunded, 5);
    assert_eq!(fixture.remaining(0), 5);
}

proptest! {
    /// Net use, counted when it was admitted, in every window that begins with an admission.
    #[test]
    fn no_window_sees_more_than_burst_and_rate(
        limit in 1..20_u64,
        burst in 1..30_u64,
        steps in prop::collection::vec((0..SECOND, 0..3_u8, 1..30_u64, any::<usize>()), 1..120),
        changes in any::<bool>(),
    ) {
        let rate = Rate::per_second(limit).unwrap().burst(burst).unwrap();
        let mut fixture = Fixture::new(rate);
        let mut admitted: Vec<(u64, u64)> = Vec::new();
        let mut open: Vec<(usize, Reservation)> = Vec::new();
        let mut now = 0;
        for (later, action, cost, pick) in steps {
            // Half of the steps happen at the same instant as the one before.
            now += if pick % 2 == 0 { later } else { 0 };
            if changes && pick % 5 == 0 {
                // There and back: the other rate is slower and no larger, and charged nothing.
                fixture.change(Rate::new(1, seconds(1_000)).unwrap().burst(burst).unwrap());
                let _ = fixture.remaining(now);
                fixture.change(rate);
            }
            if action > 0 {
                match fixture.reserve(cost, now) {
                    Some(held) => {
                        open.push((admitted.len(), held));
                        admitted.push((now, cost));
                    }
                    None => prop_assert!(fixture.retry_after(cost, now).is_some()),
                }
            } else if !open.is_empty() {
                let (number, mut held) = open.swap_remove(pick % open.len());
                let used = cost.min(admitted[number].1);
                let settled = fixture.settle(&mut held, used, now);
                let part = settled.parts()[0];
                prop_assert_eq!(part.refunded + part.kept, admitted[number].1 - used);
                // Kept units count as used: the caller was charged for them.
                admitted[number].1 -= part.refunded;
            }
            if let Some(RetryAfter::After(wait)) = fixture.retry_after(1, now) {
                prop_assert!(wait <= Duration::from_secs(1_100));
            }
            for &(start, _) in &admitted {
                let inside = admitted.iter().filter(|&&(at, _)| at >= start);
                let net: u64 = inside.map(|&(_, units)| units).sum();
                let allowed = u128::from(burst) * u128::from(SECOND)
                    + u128::from(limit) * u128::from(now - start);
                prop_assert!(u128::from(net) * u128::from(SECOND) <= allowed);
            }
        }
    }
}
