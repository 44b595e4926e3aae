//! Does a sliding window ever let more than its limit pass, or keep out what fits?

use std::time::Duration;

use bursar_ratelimit::{Quota, RetryAfter, SlidingWindow};
use proptest::prelude::*;

use crate::fixture::{Fixture, SECOND, seconds};

#[test]
fn never_more_than_the_limit_in_any_window() {
    let fixture = Fixture::new(SlidingWindow::new(10, seconds(60)).unwrap());
    assert!(fixture.check(6, 0));
    assert!(fixture.check(4, 59 * SECOND));
    assert!(!fixture.check(1, 60 * SECOND - 1));
    // The first six are 60 s old, the four are not.
    assert!(!fixture.check(7, 60 * SECOND));
    assert!(fixture.check(6, 60 * SECOND));
    assert_eq!(fixture.assert_exact_wait(4, 60 * SECOND), 59 * SECOND);
    assert_eq!(fixture.retry_after(11, 0), Some(RetryAfter::Never));
}

#[test]
fn a_refund_is_exact_however_late_it_comes() {
    let fixture = Fixture::new(SlidingWindow::new(100, seconds(60)).unwrap());
    let mut held = fixture.reserve(100, 0).unwrap();
    assert_eq!(
        fixture.settle(&mut held, 30, 59 * SECOND).parts()[0].refunded,
        70
    );
    assert_eq!(fixture.remaining(59 * SECOND), 70);
    assert_eq!(fixture.remaining(60 * SECOND), 100);
}

#[test]
fn a_window_that_was_given_back_whole_is_reset() {
    let fixture = Fixture::new(SlidingWindow::new(100, seconds(60)).unwrap());
    let mut held = fixture.reserve(100, 0).unwrap();
    let _ = fixture.settle(&mut held, 0, SECOND);
    let reset = fixture.peek(1, SECOND, |decision| decision.statuses()[0].reset_after());
    assert_eq!(reset, RetryAfter::After(Duration::ZERO));
}

/// Admissions that are remembered one by one and never forgotten.
#[derive(Default)]
struct Naive(Vec<(u64, u64)>);

impl Naive {
    /// Units admitted in the window that ends now.
    fn used(&self, now: u64, length: u64) -> u64 {
        let young = |&&(at, _): &&(u64, u64)| now - at < length;
        self.0.iter().filter(young).map(|&(_, units)| units).sum()
    }

    /// The most in any window, which is one that begins with an admission.
    fn worst(&self, length: u64) -> u64 {
        let ends = self.0.iter().map(|&(at, _)| {
            let inside = self
                .0
                .iter()
                .filter(|&&(other, _)| other >= at && other - at < length);
            inside.map(|&(_, units)| units).sum()
        });
        ends.max().unwrap_or_default()
    }
}

proptest! {
    #[test]
    fn decides_as_one_who_remembers_everything(
        limit in 1..50_u64,
        length in 1..200_u64,
        slices in prop::option::of(1..20_u32),
        steps in prop::collection::vec((0..40_u64, 0..20_u64), 1..100),
        sweep in any::<bool>(),
    ) {
        let exact = SlidingWindow::new(limit, Duration::from_nanos(length)).unwrap();
        let window = slices.and_then(|slices| exact.slices(slices).ok()).unwrap_or(exact);
        let slice = u64::try_from(window.slice().as_nanos()).unwrap();
        let fixture = Fixture::new(Quota::from(window));
        let mut naive = Naive::default();
        let mut now = 0;
        for (later, cost) in steps {
            now += later;
            if sweep {
                fixture.store.sweep(crate::fixture::at(now));
            }
            let wait = fixture.retry_after(cost, now);
            let passes = fixture.check(cost, now);
            prop_assert_eq!(passes, wait.is_none());
            let fits = naive.used(now, length) + cost <= limit;
            prop_assert!(fits || !passes, "more than the limit");
            // With slices of a nanosecond the two agree; otherwise a wait is at most a slice longer.
            let surely_fits = naive.used(now, length + slice - 1) + cost <= limit;
            prop_assert!(passes || !surely_fits, "kept out at {}", now);
            if passes {
                naive.0.push((now, cost));
            } else if let Some(RetryAfter::After(wait)) = wait {
                let wait = u64::try_from(wait.as_nanos()).unwrap();
                let before = fixture.peek(cost, now + wait - 1, |one| one.is_allowed());
                prop_assert!(!before);
                // Looking ahead moves the store's time, and the test goes on from there.
                now += wait;
                prop_assert!(fixture.peek(cost, now, |one| one.is_allowed()));
            } else {
                prop_assert!(cost > limit);
            }
        }
        prop_assert!(naive.worst(length) <= limit);
    }
}
