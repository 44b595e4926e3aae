//! Is memory bounded, and does forgetting change no decision?

use bursar_ratelimit::{
    Dimension, Limit, Limits, MemoryStore, Rate, Request, Settings, StoreError, Unit, WhenFull,
};

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
