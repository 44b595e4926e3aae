//! Is the displayed count of addresses near the true one, whatever their number?

use std::collections::HashMap;
use std::time::Duration;

use bursar_risk::{DistinctCount, DistinctSketch, Event, Monitor, STANDARD_ERROR};
use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

const DAY: Duration = Duration::from_secs(86_400);

/// Mean and root mean square of the relative errors over many sets of `count` random values.
fn errors(count: usize, sets: u64) -> (f64, f64) {
    let mut draw = ChaCha8Rng::seed_from_u64(count as u64);
    let (mut sum, mut squares) = (0.0, 0.0);
    for _ in 0..sets {
        let mut sketch = DistinctSketch::new(DAY);
        for _ in 0..count {
            sketch.insert(draw.random(), at(0));
        }
        let error = sketch.estimate(at(0)) / count as f64 - 1.0;
        sum += error;
        squares += error * error;
    }
    (sum / sets as f64, (squares / sets as f64).sqrt())
}

/// The stated error is the asymptotic one; at small counts it is smaller. Four standard errors of a
/// mean of 100 sets are 2.6 %, and of their root mean square (the χ distribution) 28 % of it.
#[test]
fn estimates_are_unbiased_and_as_exact_as_stated() {
    for count in [12, 100, 1000, 5000] {
        let (bias, spread) = errors(count, 100);
        assert!(bias.abs() < 0.026, "{count}: bias {bias}");
        assert!(spread < STANDARD_ERROR * 1.28, "{count}: spread {spread}");
    }
    assert!(errors(5000, 100).1 > STANDARD_ERROR / 1.28);
}

#[test]
#[ignore = "ten million values take a minute without optimization"]
fn a_hundred_thousand_values_are_estimated_as_exactly() {
    let (bias, spread) = errors(100_000, 100);
    assert!(
        bias.abs() < 0.026 && spread < STANDARD_ERROR * 1.28,
        "{bias} {spread}"
    );
}

#[test]
fn nothing_is_estimated_as_nothing() {
    let sketch = DistinctSketch::new(DAY);
    assert!(sketch.estimate(at(0)).abs() < f64::EPSILON);
}

/// A moving set of values against a table of every value's last time: the estimate lies between the
/// counts of one window and of one and an eighth, each widened by four standard errors.
#[test]
fn the_window_slides() {
    let mut draw = ChaCha8Rng::seed_from_u64(3);
    let mut sketch = DistinctSketch::new(Duration::from_secs(800));
    let mut last: HashMap<u64, i64> = HashMap::new();
    for second in 0..6_000_i64 {
        let value = u64::from(draw.random_range(0..400_u32)) + (second / 2) as u64;
        sketch.insert(value, at(second));
        last.insert(value, second);
        if second % 50 == 0 {
            let within = |span: i64| last.values().filter(|&&seen| seen > second - span).count();
            let estimate = sketch.estimate(at(second));
            let (least, most) = (within(800) as f64, within(900) as f64);
            assert!(estimate > least * (1.0 - 4.0 * STANDARD_ERROR) - 1.0);
            assert!(estimate < most * (1.0 + 4.0 * STANDARD_ERROR) + 1.0);
        }
    }
    let later = at(6_000 + 900);
    assert!(sketch.estimate(later).abs() < f64::EPSILON);
}

#[test]
fn an_account_shows_few_addresses_exactly_and_a_crowd_roughly() {
    let mut monitor = Monitor::new(10);
    for number in 0..3_000_u32 {
        let mut event = Event::new(at(i64::from(number)));
        event.address = Some(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into());
        monitor.observe("fleet", &event).unwrap();
        let shown = monitor.addresses("fleet", event.at).unwrap();
        match shown {
            DistinctCount::Exact(count) => assert_eq!(count, number as usize + 1),
            DistinctCount::About(count) => {
                assert!(number >= 10);
                let error = count as f64 / f64::from(number + 1) - 1.0;
                assert!(error.abs() < 4.0 * STANDARD_ERROR, "{shown} of {number}");
            }
        }
    }
    let later = at(3_000 + 90_000);
    let shown = monitor.addresses("fleet", later).unwrap();
    assert_eq!(shown, DistinctCount::Exact(0));
}
