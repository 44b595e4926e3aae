//! What do settlements charge and give back?

use std::time::Duration;

use bursar_ratelimit::{
    Budget, Concurrency, Expired, MemoryStore, Rate, Settings, StoreError, Usage,
};
use bursar_ratelimit::{Progress, Unit};

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
