//! Are rates exact, from one a day to a billion a second, whatever the numbers?

use std::time::Duration;

use bursar_ratelimit::gcra::{Gcra, RateCell};
use bursar_ratelimit::{Decision, Rate, RetryAfter};
use proptest::prelude::*;

use crate::fixture::{Fixture, SECOND, seconds};

const DAY: u64 = 86_400 * SECOND;

/// Units in nanoseconds: numbers that divide a second, and numbers that divide nothing.
const RATES: [(u64, u64); 9] = [
    (1, DAY),
    (7, SECOND),
    (1_000, 60 * SECOND),
    (100_000, 60 * SECOND),
    (999_983, DAY),
    (700_000_000, SECOND),
    (999_999_937, SECOND),
    (1_000_000_000, SECOND),
    (18_446_744_073_709_551_557, SECOND),
];

/// After the burst is gone, the n-th unit fits at the first nanosecond that is not before n periods
/// divided by the limit, and never one earlier.
fn steps_are_exact(limit: u64, period: u64, burst: u64, steps: u64) -> u64 {
    let gcra = Gcra::new(period, limit, burst);
    let mut cell = RateCell::default();
    gcra.charge(&mut cell, burst, 0);
    let mut now = 0;
    let mut taken = 0;
    for unit in 1..=steps {
        let due = (u128::from(unit) * u128::from(period)).div_ceil(u128::from(limit));
        let Ok(due) = u64::try_from(due) else { break };
        let outstanding = gcra.outstanding(&cell, now);
        assert_eq!(now + gcra.wait(outstanding, 1), due, "unit {unit}");
        now = due;
        gcra.charge(&mut cell, 1, now);
        taken = unit;
    }
    taken
}

#[test]
fn ten_million_steps_are_exact() {
    for (limit, period) in RATES {
        // Room for what comes in within a nanosecond, so that the bucket is never full for a part of
        // one, in which nothing comes in.
        let burst = limit / period + 2;
        let taken = steps_are_exact(limit, period, burst, 1_200_000);
        let most_in_time = u128::from(u64::MAX) * u128::from(limit) / u128::from(period);
        assert_eq!(u128::from(taken), most_in_time.min(1_200_000));
    }
}

#[test]
#[ignore = "takes half a minute optimized: cargo test --release -- --ignored"]
fn a_billion_steps_are_exact() {
    for (limit, period) in [(7, SECOND), (999_999_937, SECOND)] {
        assert_eq!(
            steps_are_exact(limit, period, 3, 1_000_000_000),
            1_000_000_000
        );
    }
}

/// A billion units in strides, taken whenever a caller who always hammers would have had them.
#[test]
fn a_billion_units_are_exact() {
    for (limit, period) in RATES {
        let burst = 1_000_000_007;
        let rate = Rate::new(limit, Duration::from_nanos(period)).unwrap();
        let fixture = Fixture::new(rate.burst(burst).unwrap());
        assert!(fixture.check(burst, 0));
        let mut taken = 0;
        for step in 1..=1_000_u64 {
            // Strides of uneven length, a million units each on average.
            let units = 1_000_000 * step + step * step % 999_983;
            let now = u128::from(units) * u128::from(period) / u128::from(limit);
            let Ok(now) = u64::try_from(now) else { break };
            let due = u128::from(now) * u128::from(limit) / u128::from(period);
            let fits = u64::try_from(due).unwrap() - taken;
            assert_eq!(fixture.remaining(now), fits, "{limit} in {period} ns");
            assert!(!fixture.check(fits + 1, now));
            assert!(fixture.check(fits, now));
            taken += fits;
        }
    }
}

#[test]
fn hammering_lets_burst_and_rate_times_window_pass() {
    for (limit, burst) in [(10_000, 1_500), (10_000, 10_000)] {
        let fixture = Fixture::new(Rate::per_minute(limit).unwrap().burst(burst).unwrap());
        // Every millisecond of the first minute, without its last one.
        let passed: u64 = (0..60_000)
            .map(|millis| {
                let now = millis * 1_000_000;
                let fits = fixture.remaining(now);
                u64::from(fixture.check(fits, now)) * fits
            })
            .sum();
        assert_eq!(passed, burst + limit * 59_999 / 60_000);
    }
}

/// governor 0.10.4 accepts 5 124 097 units of a burst of ten, because the product with the hour's
/// nanoseconds wraps.
#[test]
fn a_cost_beyond_the_burst_never_passes() {
    let fixture = Fixture::new(Rate::new(1, seconds(3_600)).unwrap().burst(10).unwrap());
    for cost in [11, 5_124_097, 1 << 32, u64::MAX] {
        assert_eq!(fixture.retry_after(cost, 0), Some(RetryAfter::Never));
        assert!(!fixture.check(cost, 0), "{cost}");
    }
    assert!(fixture.check(10, 0));
}

/// governor before 0.8 let one more than the burst pass after a longer break (its issues 107, 249).
#[test]
fn a_longer_break_lets_no_extra_unit_pass() {
    let fixture = Fixture::new(Rate::per_second(1).unwrap().burst(2).unwrap());
    for now in [0, 2 * SECOND, 5 * SECOND, 100 * SECOND, 100_000 * SECOND] {
        let passed = (0..10).filter(|_| fixture.check(1, now)).count();
        assert_eq!(passed, 2, "after a break, at {now}");
    }
}

/// Balances that a store with 53 bits or 14 digits of precision would blur: 200 000 dollars in
/// nano-dollars.
#[test]
fn large_balances_are_kept_to_the_unit() {
    let balance = 200_000_000_000_000;
    let rate = Rate::new(1_000, seconds(86_400)).unwrap().burst(balance);
    let fixture = Fixture::new(rate.unwrap());
    assert!(fixture.check(1, 0));
    assert_eq!(fixture.remaining(0), balance - 1);
    assert!(!fixture.check(balance, 0));
    assert!(fixture.check(balance - 1, 0));
    assert!(!fixture.check(1, 0));
}

/// Time, cost, allowed, remaining, milliseconds to the reset, milliseconds to wait.
type Row = (u64, u64, bool, u64, u64, Option<Option<u64>>);

/// One a second and five at once: what a decision tells at each time, derived by hand from the
/// bucket's definition. The cases are those that limiters of the kind are commonly tried with.
#[test]
fn tells_what_the_definition_says() {
    const MILLI: u64 = 1_000_000;
    let never = Some(None);
    let wait = |millis: u64| Some(Some(millis));
    let rows: [Row; 15] = [
        // More than the bucket holds.
        (0, 6, false, 5, 0, never),
        // The burst, one by one.
        (0, 1, true, 4, 1_000, None),
        (0, 1, true, 3, 2_000, None),
        (0, 1, true, 2, 3_000, None),
        (0, 1, true, 1, 4_000, None),
        (0, 1, true, 0, 5_000, None),
        (0, 1, false, 0, 5_000, wait(1_000)),
        // One second lets one pass.
        (1_000, 1, true, 0, 5_000, None),
        // Nothing asked for costs nothing, and half a unit is not one.
        (1_500, 0, true, 0, 4_500, None),
        (1_500, 1, false, 0, 4_500, wait(500)),
        // Three seconds are three units; two of them at once leave one.
        (4_000, 2, true, 1, 4_000, None),
        (4_000, 2, false, 1, 4_000, wait(1_000)),
        // More at once than have come in, and exactly as many.
        (6_500, 4, false, 3, 1_500, wait(500)),
        (7_000, 4, true, 0, 5_000, None),
        // A long break fills the bucket and no more.
        (60_000, 5, true, 0, 5_000, None),
    ];
    let fixture = Fixture::new(Rate::per_second(1).unwrap().burst(5).unwrap());
    for (row, (millis, cost, allowed, remaining, reset, retry)) in rows.into_iter().enumerate() {
        let look = |decision: &Decision<'_>| {
            let retry = decision.retry_after().map(RetryAfter::duration);
            (
                decision.is_allowed(),
                decision.statuses()[0].remaining(),
                decision.statuses()[0].reset_after().duration(),
                retry,
            )
        };
        let seen = fixture.decide(cost, millis * MILLI, look);
        let retry = retry.map(|wait| wait.map(Duration::from_millis));
        let reset = Some(Duration::from_millis(reset));
        assert_eq!(seen, (allowed, remaining, reset, retry), "row {row}");
    }
}

#[derive(Clone, Debug)]
struct Run {
    limit: u64,
    period: u64,
    burst: u64,
    /// How much later, and for how much.
    steps: Vec<(u64, u64)>,
}

fn any_size() -> impl Strategy<Value = u64> {
    let shift = 0..64_u32;
    (any::<u64>(), shift).prop_map(|(number, shift)| number >> shift)
}

fn runs() -> impl Strategy<Value = Run> {
    let steps = prop::collection::vec((any_size(), any_size()), 1..40);
    (any_size(), any_size(), any_size(), steps).prop_map(|(limit, period, burst, steps)| Run {
        limit: limit.max(1),
        period: period.max(1),
        burst: burst.max(1),
        steps,
    })
}

proptest! {
    /// The bucket's definition in unreduced fractions: units × period that have not drained.
    #[test]
    fn any_numbers_are_decided_as_defined(run in runs()) {
        let Run { limit, period, burst, steps } = run;
        let rate = Rate::new(limit, Duration::from_nanos(period)).unwrap();
        let fixture = Fixture::new(rate.burst(burst).unwrap());
        let wide = |left: u64, right: u64| u128::from(left) * u128::from(right);
        let (mut now, mut level, mut charged) = (0_u64, 0_u128, 0_u128);
        for (later, cost) in steps {
            // Short of the last instant, at which time stands still.
            let then = now.saturating_add(later).min(u64::MAX - 1);
            level = level.saturating_sub(wide(then - now, limit));
            now = then;
            let fits = cost <= burst && level <= wide(burst.saturating_sub(cost), period);
            let passes = fixture.check(cost, now);
            charged += u128::from(cost);
            // Past 2^64 units in one busy period a part of a unit may be rounded up.
            if charged <= u128::from(u64::MAX) {
                prop_assert_eq!(passes, fits, "{} at {}", cost, now);
            }
            prop_assert!(fits || !passes);
            if passes {
                level += wide(cost, period);
            }
            if charged <= u128::from(u64::MAX) {
                let room = (wide(burst, period) - level) / u128::from(period);
                prop_assert_eq!(u128::from(fixture.remaining(now)), room);
            }
        }
    }

    #[test]
    fn a_refused_caller_waits_exactly(run in runs(), change in any::<Option<(u64, u64)>>()) {
        let Run { limit, period, burst, steps } = run;
        let rate = Rate::new(limit, Duration::from_nanos(period)).unwrap();
        let mut fixture = Fixture::new(rate.burst(burst).unwrap());
        let mut now = 0_u64;
        for (later, cost) in &steps {
            now = now.saturating_add(later >> 8).min(u64::MAX >> 2);
            let _ = fixture.check(*cost, now);
        }
        if let Some((limit, burst)) = change {
            let rate = Rate::new(limit.max(1), Duration::from_nanos(period)).unwrap();
            fixture.change(rate.burst(burst.max(1)).unwrap());
        }
        let (_, cost) = steps[0];
        match fixture.retry_after(cost, now) {
            None => prop_assert!(fixture.check(cost, now)),
            Some(RetryAfter::After(wait)) if wait < Duration::from_nanos(u64::MAX >> 1) => {
                let wait = u64::try_from(wait.as_nanos()).unwrap();
                prop_assert!(wait > 0);
                prop_assert!(!fixture.check(cost, now + wait - 1));
                prop_assert!(fixture.check(cost, now + wait));
            }
            Some(RetryAfter::After(_)) => {}
            Some(never) => {
                let most = fixture.limits.as_slice()[0].quota().largest_cost();
                prop_assert_eq!(never, RetryAfter::Never);
                prop_assert!(cost > most);
            }
        }
    }

    /// Whatever the clock does, each step forward frees at most a burst.
    #[test]
    fn a_wild_clock_frees_at_most_a_burst_each_step_forward(
        times in prop::collection::vec(prop_oneof![any::<u64>(), 0..5 * SECOND], 1..40),
    ) {
        let fixture = Fixture::new(Rate::per_second(10).unwrap());
        let mut passed = 0;
        let mut most = 10;
        let mut last = times[0];
        for now in times {
            if now > last {
                most += 10;
            }
            last = now;
            passed += (0..25).filter(|_| fixture.check(1, now)).count();
            prop_assert!(passed <= most, "{} of {}", passed, most);
        }
    }
}
