//! What happens when the clock steps, and when callers are late?

use bursar_ratelimit::{Concurrency, Rate, SlidingWindow};

use crate::fixture::{Fixture, SECOND, seconds};

fn ten_a_second() -> Fixture {
    Fixture::new(Rate::per_second(10).unwrap())
}

/// Hammers with single units and says how many pass.
fn hammer(fixture: &Fixture, now: u64) -> u64 {
    (0..1_000).filter(|_| fixture.check(1, now)).count() as u64
}

#[test]
fn callers_whose_clocks_differ_do_not_run_time_faster() {
    let fixture = ten_a_second();
    let start = 1_000 * SECOND;
    let mut passed = 0;
    for step in 0..100 {
        let now = start + step * SECOND / 1_000;
        passed += hammer(&fixture, now);
        // Another thread that stood still for five seconds.
        passed += hammer(&fixture, now - 5 * SECOND);
    }
    // A burst of 10, and the first units of 0.099 s.
    assert_eq!(passed, 10);
}

#[test]
fn a_clock_that_is_set_back_and_corrected_frees_no_burst() {
    let fixture = ten_a_second();
    let (start, hour) = (10_000 * SECOND, 3_600 * SECOND);
    assert_eq!(hammer(&fixture, start), 10);
    assert_eq!(hammer(&fixture, start - hour), 0);
    // Time goes on from where it was.
    assert_eq!(hammer(&fixture, start - hour + SECOND), 10);
    assert_eq!(hammer(&fixture, start + SECOND), 0);
    assert_eq!(hammer(&fixture, start + SECOND + SECOND / 2), 5);
}

#[test]
fn steps_of_any_size_free_at_most_a_burst_each() {
    for step in [1, 1_000, SECOND, 60 * SECOND, 365 * 86_400 * SECOND] {
        let fixture = ten_a_second();
        let start = 50 * 365 * 86_400 * SECOND;
        assert_eq!(hammer(&fixture, start), 10);
        for _ in 0..20 {
            let back = hammer(&fixture, start - step);
            assert_eq!(back, 0, "{step} back");
            assert!(hammer(&fixture, start) <= 10, "{step} forth");
        }
    }
}

#[test]
fn a_late_caller_of_a_rate_waits_exactly() {
    let fixture = ten_a_second();
    let late = 10 * SECOND - SECOND / 3;
    assert!(fixture.check(10, 10 * SECOND));
    assert_eq!(fixture.assert_exact_wait(1, late), SECOND / 3 + SECOND / 10);
}

#[test]
fn a_late_caller_of_a_window_waits_exactly() {
    let fixture = Fixture::new(SlidingWindow::new(10, seconds(60)).unwrap());
    assert!(fixture.check(10, 10 * SECOND));
    let late = 10 * SECOND - SECOND / 3;
    assert_eq!(fixture.assert_exact_wait(1, late), 60 * SECOND + SECOND / 3);
}

#[test]
fn a_late_caller_of_a_concurrency_limit_is_told_the_exact_expiry() {
    let fixture = Fixture::new(Concurrency::new(2, seconds(60)).unwrap());
    let held = fixture.reserve(2, 10 * SECOND);
    assert!(held.is_some());
    let late = 10 * SECOND - SECOND / 3;
    let wait = fixture.retry_after(1, late).unwrap().duration().unwrap();
    let free = late + u64::try_from(wait.as_nanos()).unwrap();
    assert!(fixture.reserve(1, free - 1).is_none());
    assert!(fixture.reserve(1, free).is_some());
}

#[test]
fn a_late_caller_is_told_what_remains() {
    let fixture = ten_a_second();
    assert!(fixture.check(4, 10 * SECOND));
    let late = 9 * SECOND + SECOND / 2;
    assert_eq!(fixture.remaining(late), 6);
    assert!(fixture.check(6, late));
}

#[test]
fn limits_hold_at_the_end_of_time() {
    let end = u64::MAX;
    let rate = ten_a_second();
    assert_eq!(hammer(&rate, end), 10);
    let window = Fixture::new(SlidingWindow::new(10, seconds(60)).unwrap());
    assert_eq!(hammer(&window, end), 10);
    let calls = Fixture::new(Concurrency::new(2, seconds(60)).unwrap());
    let held: Vec<_> = (0..9).filter_map(|_| calls.reserve(1, end)).collect();
    assert_eq!(held.len(), 2);
}
