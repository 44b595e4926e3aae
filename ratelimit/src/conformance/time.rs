//! Is the wait that a refusal names the right one, and does time free what it should?

use std::time::Duration;

use super::Harness;
use super::oracle::Bucket;
use super::trial::{Trial, bucket, limits, request, requests, tokens, wait_of};
use crate::decision::{RetryAfter, Status};
use crate::quota::{Rate, SlidingWindow};
use crate::store::Store as _;

/// A rate of `limit` in `period` with `burst` at once.
fn rate(limit: u64, period: Duration, burst: u64) -> Rate {
    let rate = Rate::new(limit, period).expect("a valid rate");
    rate.burst(burst).expect("a valid burst")
}

/// Exactly the wait that was named, and where the clock can be set not a tick less.
pub(super) async fn a_caller_who_waits_as_told_passes(trial: &Trial<'_, impl Harness>) {
    let second = Duration::from_secs(1);
    for (name, rate, cost) in [
        ("one", rate(10, second, 1), 1),
        ("several", rate(70, second, 14), 13),
        ("thirds", rate(3, Duration::from_millis(100), 2), 2),
        ("sevenths", rate(7, Duration::from_nanos(999_999_937), 3), 2),
    ] {
        let limits = limits([tokens(name, rate)]);
        assert!(trial.check(&limits, &request(cost)).await.is_allowed());
        let refused = loop {
            let decision = trial.check(&limits, &request(cost)).await;
            if !decision.is_allowed() {
                break decision;
            }
        };
        let wait = wait_of(&refused);
        assert!(wait > Duration::ZERO, "a refusal without a wait");
        match trial.tick() {
            Some(tick) => {
                trial.pass(wait - tick).await;
                let early = trial.check(&limits, &request(cost)).await;
                assert_eq!(wait_of(&early), tick, "{name}: a tick early");
                trial.pass(tick).await;
            }
            None => trial.pass(wait).await,
        }
        let decision = trial.check(&limits, &request(cost)).await;
        assert!(decision.is_allowed(), "{name}: refused after {wait:?}");
    }
}

pub(super) async fn the_longest_wait_of_several_limits_is_told(trial: &Trial<'_, impl Harness>) {
    let second = Duration::from_secs(1);
    let limits = limits([
        requests("requests", rate(20, second, 1)),
        tokens("tokens", rate(10, second, 3)),
    ]);
    assert!(trial.check(&limits, &request(3)).await.is_allowed());
    let refused = trial.check(&limits, &request(3)).await;
    assert_eq!(refused.deciding().map(Status::name), Some("tokens"));
    let wait = wait_of(&refused);
    assert!(wait <= Duration::from_millis(300), "{wait:?}");
    trial.pass(wait).await;
    assert!(trial.check(&limits, &request(3)).await.is_allowed());
}

pub(super) async fn a_bucket_is_whole_after_its_reset(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", rate(40, Duration::from_secs(1), 20))]);
    let decision = trial.check(&limits, &request(20)).await;
    let reset = decision.statuses()[0].reset_after().duration();
    let reset = reset.expect("a rate resets");
    assert!(reset <= Duration::from_millis(500), "{reset:?}");
    trial.pass(reset).await;
    let decision = trial.peek(&limits, &request(20)).await;
    assert!(decision.is_allowed());
    assert_eq!(decision.statuses()[0].remaining(), 20);
    let reset = decision.statuses()[0].reset_after();
    assert_eq!(reset, RetryAfter::After(Duration::ZERO));
}

pub(super) async fn a_window_never_lets_more_than_its_limit_pass(trial: &Trial<'_, impl Harness>) {
    let window = Duration::from_secs(2);
    let exact = SlidingWindow::new(10, window).expect("a valid window");
    let limits = limits([tokens("key", exact)]);
    assert!(trial.check(&limits, &request(6)).await.is_allowed());
    trial.pass(window / 4).await;
    let mut reservation = trial.reserve(&limits, &request(4)).await;
    assert!(!trial.check(&limits, &request(1)).await.is_allowed());
    // In a window a use counts at its own time, so what was not used is free at once.
    let settlement = trial.settle_tokens(&mut reservation, 1).await;
    assert_eq!(settlement.parts()[0].refunded, 3);
    assert!(trial.check(&limits, &request(3)).await.is_allowed());

    let refused = trial.check(&limits, &request(5)).await;
    let wait = wait_of(&refused);
    assert!(wait <= window * 3 / 4, "{wait:?}");
    if let Some(tick) = trial.tick() {
        assert_eq!(wait, window * 3 / 4);
        trial.pass(wait - tick).await;
        assert!(!trial.check(&limits, &request(5)).await.is_allowed());
        trial.pass(tick).await;
    } else {
        trial.pass(wait).await;
    }
    assert!(trial.check(&limits, &request(5)).await.is_allowed());
    let never = trial.check(&limits, &request(11)).await;
    assert_eq!(never.retry_after(), Some(RetryAfter::Never));
    trial.pass(window).await;
    assert!(trial.check(&limits, &request(10)).await.is_allowed());
}

/// Rates whose intervals are no whole numbers of nanoseconds, against a bucket that never rounds.
pub(super) async fn odd_rates_are_exact(trial: &Trial<'_, impl Harness>) {
    let Some(tick) = trial.tick() else { return };
    let day = Duration::from_secs(86_400);
    for (name, rate) in [
        ("one a day", rate(1, day, 2)),
        ("seven a day", rate(7, day, 3)),
        ("three in ten ns", rate(3, Duration::from_nanos(10), 2)),
        ("a billion a second", rate(1_000_000_000, day / 86_400, 5)),
        ("700 million", rate(700_000_000, day / 86_400, 5)),
        (
            "primes",
            rate(999_983, Duration::from_nanos(999_999_937), 11),
        ),
    ] {
        let limits = limits([tokens(name, rate)]);
        let mut model = Bucket::new(&rate);
        for step in 0..400_u32 {
            let now = trial.harness.now();
            let cost = u64::from(step % 3);
            let decision = trial.check(&limits, &request(cost)).await;
            let fits = model.holds(cost, now);
            assert_eq!(decision.is_allowed(), fits, "{name}, step {step}");
            if fits {
                model.take(cost, now);
            } else {
                let wait = model.wait(cost, now).map(|wait| whole_ticks(wait, tick));
                assert_eq!(decision.retry_after(), wait.map(RetryAfter::After));
            }
            let left = decision.statuses()[0].remaining();
            assert_eq!(left, model.remaining(now), "{name}, step {step}");
            match (step % 5, model.wait(2, now)) {
                (0 | 3, Some(wait)) => trial.pass(wait).await,
                (1, Some(wait)) => trial.pass(wait.saturating_sub(tick)).await,
                (2, _) => trial.pass(tick).await,
                _ => {}
            }
        }
    }
}

/// The first tick after a wait.
fn whole_ticks(wait: Duration, tick: Duration) -> Duration {
    let nanos = wait.as_nanos().next_multiple_of(tick.as_nanos());
    Duration::from_nanos(u64::try_from(nanos).expect("a wait of less than 584 years"))
}

/// Whatever it is taken for, no more than a burst beyond the time that has passed becomes free, and
/// nobody is locked out for the length of the step.
pub(super) async fn a_clock_that_steps_back_gives_nothing_away(trial: &Trial<'_, impl Harness>) {
    if trial.tick().is_none() {
        return;
    }
    let limits = limits([tokens("key", bucket(10))]);
    let request = request(10);
    let charges = limits.resolve(&request).expect("the request is complete");
    let now = trial.harness.now();
    let hour = Duration::from_secs(3600);
    let mut passed = 0;
    for back in [0, 1, 100, 200, 10, 0] {
        let nanos = now.as_nanos() - (hour.as_nanos() as u64) * back / 10;
        let time = crate::Timestamp::from_nanos(nanos);
        let decision = trial.store.check(&charges, time).await;
        passed += u32::from(decision.expect("the store can decide").is_allowed());
    }
    // 200 tenths of an hour forward at the end have freed 20 units at most.
    assert!((1..=3).contains(&passed), "{passed} bursts of 10 passed");

    // After a step back, a caller who waits as told passes.
    let back = crate::Timestamp::from_nanos(now.as_nanos() - 40 * hour.as_nanos() as u64);
    let refused = trial.store.check(&charges, back).await;
    let refused = refused.expect("the store can decide");
    if !refused.is_allowed() {
        let wait = wait_of(&refused);
        assert!(wait <= 10 * hour, "locked out for {wait:?}");
        let decision = trial.store.check(&charges, back + wait).await;
        assert!(decision.expect("the store can decide").is_allowed());
    }
}
