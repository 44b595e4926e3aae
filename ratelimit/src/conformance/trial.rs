//! What does a part of the suite work with? A fresh store, and calls that must not fail.

use std::time::Duration;

use super::{Harness, Time};
use crate::decision::{Decision, RetryAfter, Status};
use crate::limit::Limit;
use crate::limits::Limits;
use crate::name::{Dimension, Unit};
use crate::quota::{Quota, Rate};
use crate::request::Request;
use crate::reservation::{Progress, Reservation, Settlement, Usage};
use crate::store::{Admission, Store as _};

pub(super) struct Trial<'h, H: Harness> {
    pub(super) harness: &'h H,
    pub(super) store: H::Store,
}

impl<'h, H: Harness> Trial<'h, H> {
    pub(super) async fn new(harness: &'h H) -> Self {
        Self {
            harness,
            store: harness.store().await,
        }
    }

    pub(super) async fn check<'a>(
        &self,
        limits: &'a Limits,
        request: &Request<'a>,
    ) -> Decision<'a> {
        let charges = limits.resolve(request).expect("the request is complete");
        let decision = self.store.check(&charges, self.harness.now()).await;
        decision.expect("the store can decide")
    }

    pub(super) async fn peek<'a>(&self, limits: &'a Limits, request: &Request<'a>) -> Decision<'a> {
        let charges = limits.resolve(request).expect("the request is complete");
        let decision = self.store.peek(&charges, self.harness.now()).await;
        decision.expect("the store can look")
    }

    pub(super) async fn try_reserve<'a>(
        &self,
        limits: &'a Limits,
        request: &Request<'a>,
    ) -> Admission<'a> {
        let charges = limits.resolve(request).expect("the request is complete");
        let admission = self.store.reserve(&charges, self.harness.now()).await;
        let admission = admission.expect("the store can decide");
        assert_eq!(
            admission.decision.is_allowed(),
            admission.reservation.is_some(),
            "an allowed request and no other has a reservation"
        );
        admission
    }

    /// A reservation that has to be there.
    pub(super) async fn reserve<'a>(
        &self,
        limits: &'a Limits,
        request: &Request<'a>,
    ) -> Reservation {
        let admission = self.try_reserve(limits, request).await;
        admission.reservation.expect("there is room")
    }

    pub(super) async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
    ) -> Settlement {
        let now = self.harness.now();
        let settlement = self.store.settle(reservation, usage, progress, now).await;
        settlement.expect("the store can settle")
    }

    /// The last settlement, in tokens.
    pub(super) async fn settle_tokens(
        &self,
        reservation: &mut Reservation,
        tokens: u64,
    ) -> Settlement {
        let usage = Usage::new().with(Unit::TOKENS, tokens);
        self.settle(reservation, &usage, Progress::Final).await
    }

    /// What is left under each limit.
    pub(super) async fn remaining<'a>(
        &self,
        limits: &'a Limits,
        request: &Request<'a>,
    ) -> Vec<u64> {
        let decision = self.peek(limits, request).await;
        decision.statuses().iter().map(Status::remaining).collect()
    }

    pub(super) async fn pass(&self, duration: Duration) {
        self.harness.pass(duration).await;
    }

    /// The store's unit of time, `None` if its clock cannot be set.
    pub(super) fn tick(&self) -> Option<Duration> {
        match self.harness.time() {
            Time::Virtual { tick } => Some(tick),
            Time::Real => None,
        }
    }
}

/// So many an hour, which is next to nothing while a part of the suite runs.
pub(super) fn hourly(limit: u64) -> Rate {
    Rate::new(limit, Duration::from_secs(3600)).expect("a valid rate")
}

/// A burst that refills by one unit an hour, so not at all while a part of the suite runs.
pub(super) fn bucket(burst: u64) -> Rate {
    hourly(1).burst(burst).expect("a valid burst")
}

/// Tokens of an API key.
pub(super) fn tokens(name: &str, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, Dimension::API_KEY, Unit::TOKENS, quota)
}

/// Requests of a tenant.
pub(super) fn requests(name: &str, quota: impl Into<Quota>) -> Limit {
    Limit::new(name, Dimension::TENANT, Unit::REQUESTS, quota)
}

pub(super) fn limits(limits: impl IntoIterator<Item = Limit>) -> Limits {
    Limits::new(limits).expect("the names differ")
}

/// A request of one tenant and API key.
pub(super) fn request<'a>(cost: u64) -> Request<'a> {
    let request = Request::new().tenant("acme").api_key("key-17");
    request.method("chat").cost(Unit::TOKENS, cost)
}

/// How long a refused caller is told to wait.
pub(super) fn wait_of(decision: &Decision<'_>) -> Duration {
    assert!(!decision.is_allowed(), "expected a refusal: {decision:?}");
    let wait = decision.retry_after().and_then(RetryAfter::duration);
    wait.expect("a refusal that ends by itself says when")
}
