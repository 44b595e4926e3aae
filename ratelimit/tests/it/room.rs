//! Is memory bounded, and does forgetting change no decision?

use std::time::Duration;

use bursar_ratelimit::{
    Budget, Concurrency, Dimension, Expired, Limit, Limits, MemoryStore, Progress, Quota, Rate,
    Request, Settings, SlidingWindow, StoreError, Unit, Usage, WhenFull,
};
use proptest::prelude::*;

use crate::fixture::{Fixture, SECOND, at};

fn room_for(max_keys: usize, when_full: WhenFull) -> Settings {
    let mut settings = Settings::default();
    settings.shards = 1;
    settings.max_keys = max_keys;
    settings.when_full = when_full;
    settings
}

fn ten_a_second() -> Rate {
    Rate::per_second(10).unwrap()
}

/// A decision in which the first limit's cell is found and the second one's has to be made, in a
/// store that is full of drained keys and sweeps at that moment.
#[test]
fn a_sweep_in_the_middle_of_a_decision_charges_the_right_key() {
    let limits = Limits::new([
        Limit::new(
            "requests",
            Dimension::TENANT,
            Unit::REQUESTS,
            ten_a_second(),
        ),
        Limit::new("tokens", Dimension::TENANT, Unit::TOKENS, ten_a_second()).optional(),
    ])
    .unwrap();
    for number in 0..200 {
        let store = MemoryStore::new(room_for(64, WhenFull::Share));
        let names: Vec<String> = (0..63).map(|other| format!("{number}-{other}")).collect();
        for name in &names {
            let request = Request::new().tenant(name);
            let charges = limits.resolve(&request).unwrap();
            assert!(store.check(&charges, at(SECOND)).unwrap().is_allowed());
        }
        let now = at(100 * SECOND);
        let acme = Request::new().tenant("acme");
        let requests = limits.resolve(&acme).unwrap();
        assert!(store.check(&requests, now).unwrap().is_allowed());
        let both = acme.clone().cost(Unit::TOKENS, 1);
        let both = limits.resolve(&both).unwrap();
        assert!(store.check(&both, now).unwrap().is_allowed());
        let left = store.peek(&requests, now).unwrap().statuses()[0].remaining();
        assert_eq!(left, 8, "round {number}");
    }
}

#[test]
fn a_key_that_shared_a_bucket_gets_no_second_burst() {
    let fixture = Fixture::with_settings(ten_a_second(), room_for(2, WhenFull::Share));
    // Two keys that are soon drained, one that shares.
    assert!(fixture.check_for("one", 1, SECOND));
    assert!(fixture.check_for("two", 1, SECOND));
    assert!(fixture.check(10, SECOND));
    assert!(!fixture.check(1, SECOND));
    // The two have drained and are forgotten, but what was shared is not.
    let now = SECOND + SECOND / 10;
    fixture.store.sweep(at(now));
    assert!(fixture.check(1, now));
    assert!(!fixture.check(1, now));
    // Once the shared bucket has drained, the key has its own.
    assert!(fixture.check(10, 3 * SECOND));
    assert!(fixture.check_for("three", 10, 3 * SECOND));
}

#[test]
fn new_keys_of_a_full_store_share_one_bucket() {
    let fixture = Fixture::with_settings(ten_a_second(), room_for(100, WhenFull::Share));
    let names: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let passed = names.iter().filter(|name| fixture.check_for(name, 10, 0));
    assert_eq!(passed.count(), 101);
    assert_eq!(fixture.store.keys(), 101);
    assert!(fixture.store.rate_bytes() <= 101 * 48, "bounded");
}

#[test]
fn new_keys_of_a_full_store_are_an_error_where_asked_for() {
    let fixture = Fixture::with_settings(ten_a_second(), room_for(2, WhenFull::Error));
    assert!(fixture.check_for("one", 1, SECOND));
    assert!(fixture.check_for("two", 1, SECOND));
    let request = Request::new().tenant("three").cost(Unit::TOKENS, 1);
    let charges = fixture.limits.resolve(&request).unwrap();
    let full = fixture.store.check(&charges, at(SECOND));
    assert!(
        matches!(full, Err(StoreError::Full { keys: 2 })),
        "{full:?}"
    );
    // Keys that are known go on, and those that have drained make room.
    assert!(fixture.check_for("two", 1, SECOND));
    assert!(fixture.check_for("three", 1, 2 * SECOND));
}

#[test]
fn a_hundred_thousand_keys_are_each_counted_on_their_own() {
    let fixture = Fixture::new(ten_a_second());
    let names: Vec<String> = (0..100_000)
        .map(|number| format!("tenant-{number}"))
        .collect();
    for name in &names {
        assert!(fixture.check_for(name, 7, SECOND));
    }
    assert_eq!(fixture.store.keys(), names.len());
    assert!(fixture.store.rate_bytes() <= 40 * names.len());
    for name in &names {
        assert!(!fixture.check_for(name, 4, SECOND), "{name}");
        assert!(fixture.check_for(name, 3, SECOND), "{name}");
    }
    // All have drained, and their memory is given back.
    fixture.store.sweep(at(3 * SECOND));
    assert_eq!(fixture.store.keys(), 0);
    assert!(fixture.store.rate_bytes() <= 256 * 1_024);
}

#[test]
fn keys_that_drain_make_room_without_being_swept() {
    let fixture = Fixture::new(ten_a_second());
    for number in 0..200_000_u64 {
        // Each drains within a tenth of a second, in which a hundred come.
        let now = SECOND + number * SECOND / 1_000;
        assert!(fixture.check_for(&number.to_string(), 1, now));
    }
    assert!(
        fixture.store.rate_bytes() < 1 << 20,
        "{}",
        fixture.store.rate_bytes()
    );
}

fn mixed_quotas() -> Vec<Quota> {
    let short = Duration::from_nanos(50);
    vec![
        Rate::new(3, Duration::from_nanos(7))
            .unwrap()
            .burst(9)
            .unwrap()
            .into(),
        SlidingWindow::new(20, short).unwrap().into(),
        SlidingWindow::new(20, short)
            .unwrap()
            .slices(4)
            .unwrap()
            .into(),
        Concurrency::new(15, short).unwrap().into(),
        Budget::new(200, short).unwrap().into(),
        Budget::new(90, short)
            .unwrap()
            .on_expiry(Expired::Returned)
            .into(),
    ]
}

proptest! {
    /// All keys in one small table that is swept at random decide as each key alone.
    #[test]
    fn forgetting_changes_no_decision(
        steps in prop::collection::vec(
            (0..9_u64, 0..40_usize, 0..12_u64, 0..4_u8, any::<usize>()),
            1..300,
        ),
    ) {
        let limits = mixed_quotas().into_iter().enumerate().map(|(number, quota)| {
            Limit::new(number.to_string(), Dimension::TENANT, Unit::new("n").unwrap(), quota)
        });
        // One limit a key, so that every kind is met by itself.
        let limits: Vec<Limits> = limits.map(|limit| Limits::new([limit]).unwrap()).collect();
        let together = MemoryStore::new(room_for(1_000_000, WhenFull::Share));
        let alone: Vec<MemoryStore> = (0..40).map(|_| MemoryStore::default()).collect();
        let names: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let unit = Unit::new("n").unwrap();
        let mut open = Vec::new();
        let mut now = 0;
        for (later, key, cost, action, pick) in steps {
            now += later;
            if action == 0 {
                together.sweep(at(now));
            }
            if action == 1 && !open.is_empty() {
                let index = pick % open.len();
                let (one, same) = &mut open[index];
                let usage = Usage::new().with(unit, cost);
                let progress = if pick % 3 == 0 { Progress::Step } else { Progress::Final };
                let settled = together.settle(one, &usage, progress, at(now)).unwrap();
                // Only the store that made a reservation settles it.
                let mut settles =
                    |store: &MemoryStore| store.settle(same, &usage, progress, at(now)).ok();
                let settled_alone: Vec<_> = alone.iter().filter_map(&mut settles).collect();
                prop_assert_eq!(settled_alone, [settled]);
                continue;
            }
            let request = Request::new().tenant(&names[key]).cost(unit, cost);
            let charges = limits[key % limits.len()].resolve(&request).unwrap();
            let one = together.reserve(&charges, at(now)).unwrap();
            let same = alone[key].reserve(&charges, at(now)).unwrap();
            let tells = |admission: &bursar_ratelimit::Admission<'_>| {
                let status = &admission.decision.statuses()[0];
                (status.fits(), status.remaining(), status.retry_after(), status.reset_after())
            };
            // The two clocks differ only in what other keys have told the common one: nothing.
            prop_assert_eq!(tells(&one), tells(&same));
            if let (Some(one), Some(same)) = (one.reservation, same.reservation) {
                open.push((one, same));
            }
        }
    }
}
