//! What do most tests need? One limit on the tokens of tenants, and a store.

use std::time::Duration;

use bursar_ratelimit::{
    Decision, Dimension, Limit, Limits, MemoryStore, Progress, Quota, Request, Reservation,
    RetryAfter, Settings, Settlement, Timestamp, Unit, Usage,
};

/// A store and one limit named `tokens`, asked for the tenant `acme` unless a test says otherwise.
pub(crate) struct Fixture {
    pub(crate) limits: Limits,
    pub(crate) store: MemoryStore,
}

impl Fixture {
    pub(crate) fn new(quota: impl Into<Quota>) -> Self {
        Self::with_settings(quota, Settings::default())
    }

    pub(crate) fn with_settings(quota: impl Into<Quota>, settings: Settings) -> Self {
        Self {
            limits: limits(quota),
            store: MemoryStore::new(settings),
        }
    }

    /// Puts another quota in the place of the present one.
    pub(crate) fn change(&mut self, quota: impl Into<Quota>) {
        self.limits = limits(quota);
    }

    pub(crate) fn check_for(&self, tenant: &str, cost: u64, now: u64) -> bool {
        let request = Request::new().tenant(tenant).cost(Unit::TOKENS, cost);
        let charges = self.limits.resolve(&request).unwrap();
        let decision = self.store.check(&charges, at(now)).unwrap();
        decision.is_allowed()
    }

    pub(crate) fn check(&self, cost: u64, now: u64) -> bool {
        self.check_for("acme", cost, now)
    }

    /// What the limit would say, and whether it changes nothing by being asked.
    pub(crate) fn peek<T>(&self, cost: u64, now: u64, look: impl Fn(&Decision<'_>) -> T) -> T {
        let request = Request::new().tenant("acme").cost(Unit::TOKENS, cost);
        let charges = self.limits.resolve(&request).unwrap();
        look(&self.store.peek(&charges, at(now)).unwrap())
    }

    /// Checks, and looks at the decision.
    pub(crate) fn decide<T>(&self, cost: u64, now: u64, look: impl Fn(&Decision<'_>) -> T) -> T {
        let request = Request::new().tenant("acme").cost(Unit::TOKENS, cost);
        let charges = self.limits.resolve(&request).unwrap();
        look(&self.store.check(&charges, at(now)).unwrap())
    }

    pub(crate) fn remaining(&self, now: u64) -> u64 {
        self.peek(0, now, |decision| decision.statuses()[0].remaining())
    }

    pub(crate) fn retry_after(&self, cost: u64, now: u64) -> Option<RetryAfter> {
        self.peek(cost, now, |decision| decision.retry_after())
    }

    pub(crate) fn reserve(&self, cost: u64, now: u64) -> Option<Reservation> {
        let request = Request::new().tenant("acme").cost(Unit::TOKENS, cost);
        let charges = self.limits.resolve(&request).unwrap();
        self.store.reserve(&charges, at(now)).unwrap().reservation
    }

    pub(crate) fn settle(&self, held: &mut Reservation, used: u64, now: u64) -> Settlement {
        let usage = Usage::new().with(Unit::TOKENS, used);
        let settled = self.store.settle(held, &usage, Progress::Final, at(now));
        settled.unwrap()
    }

    pub(crate) fn step(&self, held: &mut Reservation, used: u64, now: u64) -> Settlement {
        let usage = Usage::new().with(Unit::TOKENS, used);
        let settled = self.store.settle(held, &usage, Progress::Step, at(now));
        settled.unwrap()
    }

    /// The wait of a refused cost, after which it passes, a nanosecond earlier not.
    pub(crate) fn assert_exact_wait(&self, cost: u64, now: u64) -> u64 {
        let Some(RetryAfter::After(wait)) = self.retry_after(cost, now) else {
            unreachable!("{cost} at {now}: {:?}", self.retry_after(cost, now));
        };
        let wait = u64::try_from(wait.as_nanos()).unwrap();
        assert!(wait > 0);
        assert!(!self.check(cost, now + wait - 1), "{cost} passes early");
        assert!(self.check(cost, now + wait), "{cost} waits too short");
        wait
    }
}

fn limits(quota: impl Into<Quota>) -> Limits {
    let limit = Limit::new("tokens", Dimension::TENANT, Unit::TOKENS, quota);
    Limits::new([limit]).unwrap()
}

pub(crate) fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
