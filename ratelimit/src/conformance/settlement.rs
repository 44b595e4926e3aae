//! Is what was reserved replaced by what was used, once, and without giving anything away?
//!
//! Tokens are used under each limit before they are reserved: in real time a fraction of the first
//! unit drains between two calls, and refunds come in whole units.

use std::time::Duration;

use super::Harness;
use super::trial::{Trial, bucket, limits, request, requests, tokens, wait_of};
use crate::name::Unit;
use crate::quota::Rate;
use crate::reservation::{Progress, Reservation, Usage};

pub(super) async fn what_was_not_used_comes_back(trial: &Trial<'_, impl Harness>) {
    let limits = limits([requests("tenant", bucket(5)), tokens("key", bucket(100))]);
    assert!(trial.check(&limits, &request(20)).await.is_allowed());
    let mut reservation = trial.reserve(&limits, &request(50)).await;
    assert_eq!(reservation.reserved(Unit::TOKENS), Some(50));
    assert_eq!(trial.remaining(&limits, &request(0)).await, [3, 30]);
    let settlement = trial.settle_tokens(&mut reservation, 10).await;
    assert!(settlement.is_applied() && reservation.is_settled());
    let tokens = settlement.parts()[1];
    let told = (tokens.unit, tokens.reserved, tokens.debt);
    assert_eq!(told, (Unit::TOKENS, 50, 0));
    assert_eq!((tokens.refunded, tokens.kept), (40, 0));
    assert_eq!(trial.remaining(&limits, &request(0)).await, [3, 70]);
}

pub(super) async fn an_overrun_is_a_debt(trial: &Trial<'_, impl Harness>) {
    let limits = limits([requests("tenant", bucket(5)), tokens("key", bucket(100))]);
    let mut reservation = trial.reserve(&limits, &request(50)).await;
    let settlement = trial.settle_tokens(&mut reservation, 80).await;
    let tokens = settlement.parts()[1];
    assert_eq!((tokens.debt, tokens.refunded, tokens.kept), (30, 0, 0));
    assert_eq!(trial.remaining(&limits, &request(0)).await, [4, 20]);

    // Beyond the burst too: whether it fits is not asked, and everybody waits until it is paid.
    let mut reservation = trial.reserve(&limits, &request(20)).await;
    let settlement = trial.settle_tokens(&mut reservation, 70).await;
    assert_eq!(settlement.parts()[1].debt, 50);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [3, 0]);
    let wait = wait_of(&trial.check(&limits, &request(1)).await);
    let hour = Duration::from_secs(3600);
    assert!(
        wait <= 51 * hour && wait > 50 * hour,
        "{wait:?} for 51 units"
    );
}

pub(super) async fn settling_again_changes_nothing(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", bucket(100))]);
    assert!(trial.check(&limits, &request(20)).await.is_allowed());
    for (used, left) in [(10, 70), (60, 10)] {
        let mut reservation = trial.reserve(&limits, &request(50)).await;
        let _ = trial.settle_tokens(&mut reservation, used).await;
        assert_eq!(trial.remaining(&limits, &request(0)).await, [left]);
        for again in [used, 0, 50, 1000] {
            let settlement = trial.settle_tokens(&mut reservation, again).await;
            assert!(!settlement.is_applied() && settlement.parts().is_empty());
            let usage = Usage::new().with(Unit::TOKENS, again);
            let step = trial.settle(&mut reservation, &usage, Progress::Step);
            assert!(!step.await.is_applied(), "a step after the last one");
        }
        assert_eq!(trial.remaining(&limits, &request(0)).await, [left]);
    }
}

/// A retry or a fallback may hold what was the same reservation; only the identity counts.
pub(super) async fn a_copy_of_a_settled_reservation_changes_nothing(
    trial: &Trial<'_, impl Harness>,
) {
    let limits = limits([tokens("key", bucket(100))]);
    assert!(trial.check(&limits, &request(20)).await.is_allowed());
    let mut reservation = trial.reserve(&limits, &request(50)).await;
    let mut copy = Reservation::new(reservation.id(), reservation.holds().to_vec());
    assert!(trial.settle_tokens(&mut reservation, 30).await.is_applied());
    assert_eq!(trial.remaining(&limits, &request(0)).await, [50]);
    for used in [30, 0, 1000] {
        assert!(!trial.settle_tokens(&mut copy, used).await.is_applied());
        assert_eq!(trial.remaining(&limits, &request(0)).await, [50]);
    }
}

pub(super) async fn a_settlement_in_steps_counts_the_sum_once(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", bucket(100))]);
    assert!(trial.check(&limits, &request(20)).await.is_allowed());
    let mut reservation = trial.reserve(&limits, &request(10)).await;
    // Used so far, and what is left after it; repeated and late steps among them.
    for (sum, left) in [(4, 70), (10, 70), (15, 65), (15, 65), (12, 65), (30, 50)] {
        let usage = Usage::new().with(Unit::TOKENS, sum);
        let settlement = trial.settle(&mut reservation, &usage, Progress::Step).await;
        assert!(settlement.is_applied() && !reservation.is_settled());
        assert_eq!(trial.remaining(&limits, &request(0)).await, [left], "{sum}");
    }
    let settlement = trial.settle_tokens(&mut reservation, 37).await;
    let last = settlement.parts()[0];
    assert_eq!((last.reserved, last.debt, last.refunded), (10, 7, 0));
    assert_eq!(trial.remaining(&limits, &request(0)).await, [43]);

    // Steps within the estimate leave the rest to the last one.
    let mut reservation = trial.reserve(&limits, &request(40)).await;
    let usage = Usage::new().with(Unit::TOKENS, 5);
    let _ = trial.settle(&mut reservation, &usage, Progress::Step).await;
    assert_eq!(trial.remaining(&limits, &request(0)).await, [3]);
    let settlement = trial.settle_tokens(&mut reservation, 6).await;
    assert_eq!(settlement.parts()[0].refunded, 34);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [37]);
}

pub(super) async fn an_unsettled_reservation_stands_at_its_estimate(
    trial: &Trial<'_, impl Harness>,
) {
    let limits = limits([tokens("key", bucket(100))]);
    drop(trial.reserve(&limits, &request(60)).await);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [40]);
    assert!(!trial.check(&limits, &request(41)).await.is_allowed());
}

pub(super) async fn a_unit_that_is_not_named_stands_at_its_estimate(
    trial: &Trial<'_, impl Harness>,
) {
    let limits = limits([requests("tenant", bucket(5)), tokens("key", bucket(100))]);
    let mut reservation = trial.reserve(&limits, &request(60)).await;
    let nothing_known = Usage::new();
    let settlement = trial.settle(&mut reservation, &nothing_known, Progress::Final);
    let settlement = settlement.await;
    for part in settlement.parts() {
        assert_eq!((part.debt, part.refunded, part.kept), (0, 0, 0), "{part:?}");
    }
    assert_eq!(settlement.parts().len(), 2);
    assert_eq!(trial.remaining(&limits, &request(0)).await, [4, 40]);
}

pub(super) async fn a_denied_reservation_holds_nothing(trial: &Trial<'_, impl Harness>) {
    let limits = limits([requests("tenant", bucket(5)), tokens("key", bucket(100))]);
    drop(trial.reserve(&limits, &request(60)).await);
    for _ in 0..5 {
        let admission = trial.try_reserve(&limits, &request(41)).await;
        assert!(!admission.decision.is_allowed());
    }
    assert_eq!(trial.remaining(&limits, &request(0)).await, [4, 40]);
}

/// The refund that common limiters get wrong: what had time to drain was free again already.
pub(super) async fn what_has_drained_does_not_come_back(trial: &Trial<'_, impl Harness>) {
    let rate = Rate::per_second(20).expect("a valid rate");
    let limits = limits([tokens("key", rate)]);
    let mut half_drained = trial.reserve(&limits, &request(20)).await;
    trial.pass(Duration::from_millis(500)).await;
    let settlement = trial.settle_tokens(&mut half_drained, 0).await;
    let part = settlement.parts()[0];
    assert_eq!(part.refunded + part.kept, 20);
    assert!(
        part.refunded <= 10,
        "{} of 20 after half of it",
        part.refunded
    );
    if trial.tick().is_some() {
        assert_eq!(part.refunded, 10);
    }

    trial.pass(Duration::from_secs(1)).await;
    let mut drained = trial.reserve(&limits, &request(20)).await;
    trial.pass(Duration::from_secs(1)).await;
    let mut next = trial.reserve(&limits, &request(20)).await;
    let settlement = trial.settle_tokens(&mut drained, 0).await;
    assert_eq!(settlement.parts()[0].refunded, 0, "20 had drained by then");
    if trial.tick().is_some() {
        assert!(!trial.check(&limits, &request(1)).await.is_allowed());
        let settlement = trial.settle_tokens(&mut next, 5).await;
        assert_eq!(settlement.parts()[0].refunded, 15);
    }
}

/// A refund moves the end of every later reservation; forgetting that gives the same units away for
/// a second time.
pub(super) async fn refunds_of_others_are_not_credited_twice(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", Rate::per_second(10).expect("a valid rate"))]);
    if trial.tick().is_none() {
        return;
    }
    let mut first = trial.reserve(&limits, &request(5)).await;
    let mut second = trial.reserve(&limits, &request(5)).await;
    let _ = trial.settle_tokens(&mut first, 0).await;
    assert_eq!(trial.remaining(&limits, &request(0)).await, [5]);
    // The second one's five units have moved to the front: after 400 ms one of them is left.
    trial.pass(Duration::from_millis(400)).await;
    assert!(trial.check(&limits, &request(9)).await.is_allowed());
    let settlement = trial.settle_tokens(&mut second, 0).await;
    assert_eq!(settlement.parts()[0].refunded, 1);
    assert!(trial.check(&limits, &request(1)).await.is_allowed());
    assert!(!trial.check(&limits, &request(1)).await.is_allowed());
}

pub(super) async fn a_debt_of_any_size_is_charged(trial: &Trial<'_, impl Harness>) {
    let limits = limits([tokens("key", bucket(100))]);
    let mut reservation = trial.reserve(&limits, &request(50)).await;
    let mut other = trial.reserve(&limits, &request(50)).await;
    for reservation in [&mut reservation, &mut other] {
        let settlement = trial.settle_tokens(reservation, u64::MAX).await;
        assert_eq!(settlement.parts()[0].debt, u64::MAX - 50);
    }
    assert!(!trial.check(&limits, &request(1)).await.is_allowed());
    assert_eq!(trial.remaining(&limits, &request(0)).await, [0]);
    trial.pass(Duration::from_millis(10)).await;
    assert!(!trial.check(&limits, &request(0)).await.is_allowed());
}
