//! Is "more than T distinct" decided as by counting them all?

use std::collections::HashMap;
use std::time::Duration;

use bursar_risk::RecentDistinct;
use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const WINDOW_MS: i64 = 3_600_000;

/// Compares with a table of every value's last time; events may come up to ten minutes late.
fn compare(seed: u64, events: u32) {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut recent = RecentDistinct::new(10);
    assert!(recent.size_in_memory() <= 200);
    let mut all: HashMap<u64, i64> = HashMap::new();
    let (mut now, mut over) = (0_i64, 0_u32);
    for event in 0..events {
        // The number of values in use changes, so that the threshold is crossed often.
        let values = 6 + u64::from(event / 97 % 12);
        now += draw.random_range(0..600_000);
        let at = now - draw.random_range(0..600_000);
        let value = draw.random_range(0..values);
        recent.insert(value, Timestamp::from_millisecond(at).unwrap());
        let last = all.entry(value).or_insert(at);
        *last = (*last).max(at);
        all.retain(|_, last| *last > now - 2 * WINDOW_MS);
        let counted = all.values().filter(|&&last| last > now - WINDOW_MS).count();
        let time = Timestamp::from_millisecond(now).unwrap();
        let window = Duration::from_millis(3_600_000);
        assert_eq!(recent.is_over(window, time), counted > 10, "event {event}");
        assert_eq!(recent.count(window, time), counted.min(11), "event {event}");
        over += u32::from(counted > 10);
    }
    assert!(
        over > events / 100 && over < events,
        "{over} of {events} were over"
    );
}

#[test]
fn decisions_equal_brute_force() {
    compare(1, 100_000);
}

#[test]
#[ignore = "a million events take a minute without optimization"]
fn a_million_decisions_equal_brute_force() {
    compare(2, 1_000_000);
}
