//! The circuit breaker: when it opens, whom it lets probe, and how it closes.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bursar_ratelimit::Timestamp;
use bursar_ratelimit::breaker::{Breaker, Phase, Settings};
use proptest::prelude::*;

/// Three failures in a row, or more than half of at least ten calls in 16 s; a back-off of a second,
/// without jitter.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.consecutive_failures = 3;
    settings.failure_percent = 50;
    settings.minimum_calls = 10;
    settings.window = Duration::from_secs(16);
    settings.backoff = Duration::from_secs(1);
    settings.longest_backoff = Duration::from_secs(3);
    settings.jitter_percent = 0;
    settings.probe_time = Duration::from_millis(100);
    settings
}

const START: Timestamp = Timestamp::from_secs(100);

fn fail(breaker: &Breaker, times: u32, now: Timestamp) {
    for _ in 0..times {
        breaker.permit(now).unwrap().failed(now);
    }
}

fn opened(settings: Settings) -> Breaker {
    let breaker = Breaker::new(settings);
    fail(&breaker, settings.consecutive_failures, START);
    assert_eq!(breaker.phase(START), Phase::Open);
    breaker
}

#[test]
fn opens_after_failures_in_a_row_and_not_when_a_success_is_between() {
    let breaker = Breaker::new(settings());
    fail(&breaker, 2, START);
    breaker.permit(START).unwrap().succeeded(START);
    fail(&breaker, 2, START);
    assert_eq!(breaker.phase(START), Phase::Closed);
    fail(&breaker, 1, START);
    assert_eq!(breaker.phase(START), Phase::Open);
}

#[test]
fn opens_over_the_failure_rate_and_not_at_it() {
    let breaker = Breaker::new(settings());
    for _ in 0..10 {
        breaker.permit(START).unwrap().succeeded(START);
        fail(&breaker, 1, START);
    }
    // Ten of twenty.
    assert_eq!(breaker.phase(START), Phase::Closed);
    fail(&breaker, 1, START);
    assert_eq!(breaker.phase(START), Phase::Open);
}

#[test]
fn says_nothing_about_fewer_calls_than_the_minimum() {
    let breaker = Breaker::new(settings());
    // Two of three failed, nine calls.
    for _ in 0..3 {
        fail(&breaker, 2, START);
        breaker.permit(START).unwrap().succeeded(START);
    }
    assert_eq!(breaker.phase(START), Phase::Closed);
    fail(&breaker, 1, START);
    assert_eq!(breaker.phase(START), Phase::Open);
}

#[test]
fn forgets_outcomes_that_have_left_the_window() {
    let breaker = Breaker::new(settings());
    for _ in 0..3 {
        fail(&breaker, 2, START);
        breaker.permit(START).unwrap().succeeded(START);
    }
    // At once it would have been the seventh failure of ten calls; but those are 17 s old.
    let later = START + Duration::from_secs(17);
    fail(&breaker, 1, later);
    assert_eq!(breaker.phase(later), Phase::Closed);
}

#[test]
fn stays_open_for_the_whole_back_off_and_twice_as_long_after_a_failed_probe() {
    let breaker = opened(settings());
    let mut now = START;
    for backoff in [1, 2, 3, 3] {
        let backoff = Duration::from_secs(backoff);
        assert_eq!(breaker.permit(now).unwrap_err().retry_after, backoff);
        let early = Timestamp::from_nanos((now + backoff).as_nanos() - 1);
        assert_eq!(breaker.phase(early), Phase::Open);
        now = now + backoff;
        let probe = breaker.permit(now).unwrap();
        assert!(probe.is_probe());
        probe.failed(now);
    }
}

#[test]
fn closes_after_as_many_probes_in_a_row_as_asked_for() {
    let mut settings = settings();
    settings.probes = 3;
    let breaker = opened(settings);
    let now = START + Duration::from_secs(1);
    for _ in 0..3 {
        assert_eq!(breaker.phase(now), Phase::HalfOpen);
        breaker.permit(now).unwrap().succeeded(now);
    }
    assert_eq!(breaker.phase(now), Phase::Closed);
    // Nothing is left of before: it takes as many failures as at first.
    fail(&breaker, 2, now);
    assert_eq!(breaker.phase(now), Phase::Closed);
}

#[test]
fn a_probe_that_vanishes_makes_way_at_its_deadline() {
    let breaker = opened(settings());
    let now = START + Duration::from_secs(1);
    std::mem::forget(breaker.permit(now).unwrap());
    let open = breaker.permit(now).unwrap_err();
    assert_eq!(open.retry_after, Duration::from_millis(100));
    assert!(breaker.permit(now + open.retry_after).is_ok());
}

#[test]
fn a_probe_that_is_dropped_makes_way_at_once() {
    let breaker = opened(settings());
    let now = START + Duration::from_secs(1);
    drop(breaker.permit(now).unwrap());
    assert!(breaker.permit(now).unwrap().is_probe());
}

#[test]
fn a_late_probe_does_not_end_its_successor() {
    let breaker = opened(settings());
    let now = START + Duration::from_secs(1);
    let late = breaker.permit(now).unwrap();
    let later = now + Duration::from_millis(100);
    let probe = breaker.permit(later).unwrap();
    late.failed(later);
    assert_eq!(breaker.phase(later), Phase::HalfOpen);
    assert!(breaker.permit(later).is_err());
    probe.succeeded(later);
    assert_eq!(breaker.phase(later), Phase::Closed);
}

#[test]
fn outcomes_of_calls_from_before_it_opened_are_dropped() {
    let breaker = Breaker::new(settings());
    let slow = [
        breaker.permit(START).unwrap(),
        breaker.permit(START).unwrap(),
    ];
    fail(&breaker, 3, START);
    let now = START + Duration::from_secs(1);
    let probe = breaker.permit(now).unwrap();
    for call in slow {
        call.succeeded(now);
    }
    assert_eq!(breaker.phase(now), Phase::HalfOpen);
    probe.failed(now);
    assert_eq!(breaker.phase(now), Phase::Open);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_longer_than_the_longest_back_off() {
    let breaker = opened(settings());
    let past = Timestamp::from_secs(1);
    assert_eq!(
        breaker.permit(past).unwrap_err().retry_after,
        Duration::from_secs(3)
    );
    assert!(breaker.permit(past + Duration::from_secs(3)).is_ok());
}

#[test]
fn exactly_one_of_many_threads_probes_at_a_time() {
    for _ in 0..100 {
        let breaker = opened(settings());
        let probes = AtomicU32::new(0);
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for step in 0..5 {
                        barrier.wait();
                        let now = START + Duration::from_millis(1000 + 100 * step);
                        if let Ok(probe) = breaker.permit(now) {
                            probes.fetch_add(1, Ordering::Relaxed);
                            // Vanishes.
                            std::mem::forget(probe);
                        }
                    }
                });
            }
        });
        assert_eq!(probes.load(Ordering::Relaxed), 5);
    }
}

proptest! {
    /// Whatever happens and whatever the clock does, at most one probe is under way before its
    /// deadline, and it is never closed for good.
    #[test]
    fn comes_back_whatever_happened(
        steps in prop::collection::vec((0..4_u8, 0..5_000_u64), 0..200),
    ) {
        let breaker = Breaker::new(settings());
        let mut now = 1_000_000;
        let mut under_way: Vec<(u64, bursar_ratelimit::breaker::Permit<'_>)> = Vec::new();
        for (step, millis) in steps {
            let at = Timestamp::from_millis(now);
            match step {
                0 => now += millis,
                1 => {
                    if let Ok(permit) = breaker.permit(at) {
                        if permit.is_probe() {
                            let probing = under_way
                                .iter()
                                .any(|(since, permit)| permit.is_probe() && now < since + 100);
                            prop_assert!(!probing);
                        }
                        under_way.push((now, permit));
                    }
                }
                2 => drop(under_way.pop()),
                _ => {
                    if let Some((_, permit)) = under_way.pop() {
                        match millis % 3 {
                            0 => permit.succeeded(at),
                            _ => permit.failed(at),
                        }
                    }
                }
            }
            if now > 2_000_000 {
                now -= 900_000;
            }
        }
        drop(under_way);
        let later = Timestamp::from_millis(now + 3_000);
        breaker.permit(later).unwrap().succeeded(later);
    }
}
