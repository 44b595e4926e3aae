//! Are several limits one decision, and are mistakes in requests and sets named?

use bursar_ratelimit::{
    Budget, Charge, Charges, Concurrency, Dimension, Enforcement, Limit, Limits, LimitsError,
    MemoryStore, NameError, QuotaError, Rate, Request, ResolveError, RetryAfter, SlidingWindow,
    Status, Store, Unit,
};
use proptest::prelude::*;

use crate::fixture::{SECOND, at, seconds};

#[test]
fn a_refusal_takes_from_no_limit() {
    let limits = Limits::preset().unwrap();
    let store = MemoryStore::default();
    let request = Request::new().tenant("acme").api_key("k").method("chat");
    let tokens = |tokens| request.clone().cost(Unit::TOKENS, tokens);
    let small = tokens(1);
    let charges = limits.resolve(&small).unwrap();
    for _ in 0..500 {
        assert!(store.check(&charges, at(0)).unwrap().is_allowed());
    }
    // The method is exhausted, and nine thousand refusals later nothing else is.
    for _ in 0..9_000 {
        let refused = store.check(&charges, at(0)).unwrap();
        let names: Vec<&str> = refused.violated().map(Status::name).collect();
        assert_eq!(names, ["method"]);
        assert_eq!(
            refused.retry_after(),
            Some(RetryAfter::After(seconds(60) / 500))
        );
    }
    let decision = store.peek(&charges, at(0)).unwrap();
    let left: Vec<u64> = decision.statuses().iter().map(Status::remaining).collect();
    assert_eq!(left, [99_500, 1_000, 500, 99_500, 0]);
    assert_eq!(decision.tightest().map(Status::name), Some("method"));
    let large = tokens(99_501);
    let charges = limits.resolve(&large).unwrap();
    let refused = store.check(&charges, at(0)).unwrap();
    let names: Vec<&str> = refused.violated().map(Status::name).collect();
    assert_eq!(names, ["key-tokens", "method"]);
    // The method waits for 120 ms, the one token that is missing takes 0.6 ms.
    assert_eq!(refused.deciding().map(Status::name), Some("method"));
}

/// Twelve limits, more than fit without an allocation, of every kind.
#[test]
fn many_limits_are_one_decision() {
    let limits = (0..12).map(|number| {
        let name = format!("limit-{number}");
        let dimension = [Dimension::TENANT, Dimension::METHOD, Dimension::GLOBAL][number % 3];
        let limit = |quota: bursar_ratelimit::Quota| {
            Limit::new(name.clone(), dimension, Unit::TOKENS, quota)
        };
        match number % 4 {
            0 => limit(Rate::per_second(100 + number as u64).unwrap().into()),
            1 => limit(SlidingWindow::new(100, seconds(1)).unwrap().into()),
            2 => limit(Budget::new(1_000, seconds(9)).unwrap().into()),
            _ => limit(Concurrency::new(100, seconds(9)).unwrap().into()),
        }
    });
    let limits = Limits::new(limits).unwrap();
    let store = MemoryStore::default();
    let reserve = |cost: u64, now: u64| {
        let request = Request::new().tenant("acme").method("chat");
        let request = request.cost(Unit::TOKENS, cost);
        let charges = limits.resolve(&request).unwrap();
        let admission = store.reserve(&charges, at(now)).unwrap();
        let left: Vec<u64> = admission
            .decision
            .statuses()
            .iter()
            .map(Status::remaining)
            .collect();
        (admission.reservation, left)
    };
    let (held, left) = reserve(60, 0);
    assert_eq!(left[..4], [40, 40, 940, 40]);
    let (refused, same) = reserve(60, 0);
    assert!(refused.is_none());
    assert_eq!(same, left);
    drop(store.guard(held.unwrap()));
    let (held, left) = reserve(60, SECOND);
    assert!(held.is_some());
    assert_eq!(left[..4], [40, 40, 880, 40]);
}

#[test]
fn a_limit_in_shadow_mode_reports_and_never_refuses() {
    let rate = Rate::per_second(2).unwrap();
    let shadow = Limit::new("trial", Dimension::GLOBAL, Unit::REQUESTS, rate).shadow();
    let real = Limit::new(
        "real",
        Dimension::GLOBAL,
        Unit::REQUESTS,
        Rate::per_second(5).unwrap(),
    );
    assert_eq!(shadow.enforcement(), Enforcement::Shadow);
    let limits = Limits::new([shadow, real]).unwrap();
    let store = MemoryStore::default();
    let request = Request::new();
    let charges = limits.resolve(&request).unwrap();
    for number in 0..7 {
        let decision = store.check(&charges, at(0)).unwrap();
        assert_eq!(decision.is_allowed(), number < 5);
        assert_eq!(decision.shadow_violated().count(), usize::from(number >= 2));
        // What does not fit is not charged, so the trial recovers as it would if it refused.
        assert_eq!(
            decision.statuses()[0].remaining(),
            1_u64.saturating_sub(number)
        );
        assert_eq!(decision.tightest().map(Status::name), Some("real"));
    }
    let later = store.check(&charges, at(SECOND / 2)).unwrap();
    assert_eq!(later.shadow_violated().count(), 0);
}

#[test]
fn what_a_request_leaves_out_is_an_error_or_skipped() {
    let rate = Rate::per_second(2).unwrap();
    let limit = Limit::new("tokens", Dimension::API_KEY, Unit::TOKENS, rate);
    let limits = Limits::new([limit.clone()]).unwrap();
    let nobody = limits.resolve(&Request::new()).unwrap_err();
    assert_eq!(
        nobody.to_string(),
        "limit `tokens` needs the request's api-key; name it with `Request::key`, or make the limit optional"
    );
    let free = limits.resolve(&Request::new().api_key("k")).unwrap_err();
    assert!(matches!(
        free,
        ResolveError::MissingCost {
            unit: Unit::TOKENS,
            ..
        }
    ));
    let limits = Limits::new([limit.optional()]).unwrap();
    let skipped = limits.resolve(&Request::new()).unwrap();
    assert!(skipped.as_slice().is_empty());
    let decision = MemoryStore::default().check(&skipped, at(0)).unwrap();
    assert!(decision.is_allowed());
    assert!(decision.tightest().is_none());
}

#[test]
fn the_last_word_counts() {
    let limits = Limits::preset().unwrap();
    let request = Request::new().tenant("one").api_key("k").method("chat");
    let request = request
        .tenant("two")
        .cost(Unit::TOKENS, 1)
        .cost(Unit::TOKENS, 2);
    let charges = limits.resolve(&request).unwrap();
    assert_eq!(charges.as_slice()[0].key(), "");
    assert_eq!(charges.as_slice()[1].key(), "two");
    assert_eq!(charges.as_slice()[3].cost(), 2);
}

#[test]
fn sets_and_charges_that_would_count_twice_are_refused() {
    let rate = Rate::per_second(2).unwrap();
    let limit = |name: &str| Limit::new(name, Dimension::GLOBAL, Unit::REQUESTS, rate);
    let twice = Limits::new([limit("one"), limit("one")]).unwrap_err();
    assert_eq!(twice, LimitsError::DuplicateName("one".to_owned()));
    for name in ["", "tab\t", "ünit", &"x".repeat(101)] {
        let refused = Limits::new([limit(name)]).unwrap_err();
        assert_eq!(refused, LimitsError::Name(name.to_owned()));
    }
    let (one, quota) = (limit("one"), rate.into());
    let charge = Charge::new(&one, &quota, "", 1);
    let twice = Charges::new([charge, charge]).unwrap_err();
    assert_eq!(
        twice,
        ResolveError::ChargedTwice {
            limit: "one".to_owned()
        }
    );
    assert_eq!(
        Unit::new("two words").unwrap_err().to_string(),
        NameError::Character {
            name: "two words".to_owned(),
            character: ' ',
        }
        .to_string()
    );
}

#[test]
fn quotas_that_cannot_be_are_refused() {
    assert_eq!(Rate::per_second(0), Err(QuotaError::Zero));
    assert_eq!(Rate::per_second(1).unwrap().burst(0), Err(QuotaError::Zero));
    let zero = std::time::Duration::ZERO;
    assert_eq!(Rate::new(1, zero), Err(QuotaError::TooShort(zero)));
    let long = std::time::Duration::MAX;
    assert_eq!(SlidingWindow::new(1, long), Err(QuotaError::TooLong(long)));
    assert_eq!(Concurrency::new(0, seconds(1)), Err(QuotaError::Zero));
    assert_eq!(Budget::new(1, zero), Err(QuotaError::TooShort(zero)));
    let window = SlidingWindow::new(1, std::time::Duration::from_nanos(5)).unwrap();
    assert!(window.slices(5).is_ok());
    assert!(window.slices(6).is_err());
    assert!(window.slices(0).is_err());
}

#[test]
fn the_port_decides_as_the_store_does() {
    let limits = Limits::preset().unwrap();
    let store: Box<dyn Store> = Box::new(MemoryStore::default());
    let request = Request::new().tenant("acme").api_key("k").method("chat");
    let request = request.cost(Unit::TOKENS, 100_000);
    let charges = limits.resolve(&request).unwrap();
    futures_executor::block_on(async {
        assert!(store.peek(&charges, at(0)).await.unwrap().is_allowed());
        let held = store.reserve(&charges, at(0)).await.unwrap().reservation;
        let refused = store.check(&charges, at(0)).await.unwrap();
        assert_eq!(refused.retry_after(), Some(RetryAfter::After(seconds(60))));
        let usage = bursar_ratelimit::Usage::new().with(Unit::TOKENS, 0);
        let progress = bursar_ratelimit::Progress::Final;
        let settled = store
            .settle(&mut held.unwrap(), &usage, progress, at(0))
            .await;
        assert!(settled.unwrap().is_applied());
        assert!(store.check(&charges, at(0)).await.unwrap().is_allowed());
    });
}

proptest! {
    /// A caller refused by several limits of different kinds waits exactly as long as he is told.
    #[test]
    fn several_limits_wait_exactly(
        limit in 1..40_u64,
        burst in 1..40_u64,
        window in 1..40_u64,
        steps in prop::collection::vec((0..SECOND, 1..20_u64), 1..40),
    ) {
        let limits = Limits::new([
            Limit::new(
                "rate",
                Dimension::TENANT,
                Unit::TOKENS,
                Rate::per_second(limit).unwrap().burst(burst).unwrap(),
            ),
            Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, Rate::per_second(7).unwrap()),
            Limit::new(
                "window",
                Dimension::API_KEY,
                Unit::TOKENS,
                SlidingWindow::new(window, seconds(3)).unwrap(),
            ),
        ])
        .unwrap();
        let store = MemoryStore::default();
        let mut now = 0;
        for (later, cost) in steps {
            now += later;
            let request = Request::new().tenant("acme").api_key("k").cost(Unit::TOKENS, cost);
            let charges = limits.resolve(&request).unwrap();
            let allowed = |now| store.check(&charges, at(now)).unwrap();
            let decision = allowed(now);
            match decision.retry_after() {
                None => prop_assert!(decision.is_allowed()),
                Some(RetryAfter::After(wait)) => {
                    let wait = u64::try_from(wait.as_nanos()).unwrap();
                    prop_assert!(!allowed(now + wait - 1).is_allowed());
                    now += wait;
                    prop_assert!(allowed(now).is_allowed());
                }
                Some(other) => {
                    prop_assert_eq!(other, RetryAfter::Never);
                    prop_assert!(cost > burst || cost > window);
                }
            }
        }
    }
}
