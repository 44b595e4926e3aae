//! What do limits do all day? A trait that hears of decisions, settlements and failures, and a store
//! that tells it.

#[cfg(feature = "metrics")]
mod metrics;

use std::sync::Arc;

use async_trait::async_trait;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
use crate::decision::{Decision, Status};
use crate::limit::{Limit, OnFailure};
use crate::request::Charges;
use crate::reservation::{Progress, Reservation, Settlement, Usage};
use crate::store::{Admission, Store, StoreError};
use crate::time::Timestamp;

/// Hears of everything that a store does. Called on the path of every request, so it should be quick;
/// methods that are not of interest may be left out.
pub trait Observer: Send + Sync {
    /// A request was decided; see [`Outcome::of`] for what that means for each limit.
    fn decided(&self, decision: &Decision<'_>) {
        let _ = decision;
    }

    /// A decision left a limit [near](Status::is_near) its end, or it was so before.
    fn near(&self, status: &Status<'_>) {
        let _ = status;
    }

    /// A reservation was settled.
    fn settled(&self, settlement: &Settlement) {
        let _ = settlement;
    }

    /// A store could not decide, and a limit's failure policy did. Told by
    /// [`Fallback::observed_by`](crate::fallback::Fallback::observed_by).
    fn failed(&self, limit: &Limit, policy: OnFailure) {
        let _ = (limit, policy);
    }

    /// A store could not decide or settle.
    fn undecided(&self, error: &StoreError) {
        let _ = error;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn decided(&self, decision: &Decision<'_>) {
        (**self).decided(decision);
    }

    fn near(&self, status: &Status<'_>) {
        (**self).near(status);
    }

    fn settled(&self, settlement: &Settlement) {
        (**self).settled(settlement);
    }

    fn failed(&self, limit: &Limit, policy: OnFailure) {
        (**self).failed(limit, policy);
    }

    fn undecided(&self, error: &StoreError) {
        (**self).undecided(error);
    }
}

/// What a decision was for one of its limits. Every limit of every decision has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Outcome {
    /// The request passed and was charged here.
    Allowed,
    /// The request was refused here.
    Denied,
    /// It would have been refused here, but the limit is in shadow mode.
    ShadowDenied,
    /// It fits here, but another limit refused it, so nothing was charged.
    Withheld,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [
        Self::Allowed,
        Self::Denied,
        Self::ShadowDenied,
        Self::Withheld,
    ];

    /// The outcome for one limit of a decision that was or was not `allowed`.
    #[must_use]
    pub fn of(status: &Status<'_>, allowed: bool) -> Self {
        match (status.fits(), status.is_shadow()) {
            (false, false) => Self::Denied,
            (false, true) => Self::ShadowDenied,
            (true, _) if allowed => Self::Allowed,
            (true, _) => Self::Withheld,
        }
    }

    /// As a word in lower case, for labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::ShadowDenied => "shadow_denied",
            Self::Withheld => "withheld",
        }
    }
}

/// A store that tells an [`Observer`] what it does. Peeking is not told: it decides nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use bursar_ratelimit::observe::{Observed, Observer};
/// use bursar_ratelimit::{Decision, Limits, MemoryStore, Request, Store, Timestamp, Unit};
///
/// /// Counts refused requests.
/// #[derive(Default)]
/// struct Refused(AtomicU64);
///
/// impl Observer for Refused {
///     fn decided(&self, decision: &Decision<'_>) {
///         self.0.fetch_add(u64::from(!decision.is_allowed()), Ordering::Relaxed);
///     }
/// }
///
/// # futures_executor::block_on(async {
/// let refused = Arc::new(Refused::default());
/// let store = Observed::new(MemoryStore::default(), Arc::clone(&refused));
/// let limits = Limits::preset()?;
/// let request = Request::new().tenant("acme").api_key("key-17").method("chat");
/// let charges = limits.resolve(&request.cost(Unit::TOKENS, 60_000))?;
/// for _ in 0..2 {
///     let _ = store.check(&charges, Timestamp::from_secs(1)).await?;
/// }
/// assert_eq!(refused.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Observed<S, O> {
    store: S,
    observer: O,
}

impl<S: Store, O: Observer> Observed<S, O> {
    /// Tells `observer` what `store` does.
    #[must_use]
    pub const fn new(store: S, observer: O) -> Self {
        Self { store, observer }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The observer.
    #[must_use]
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    fn tell(&self, decision: &Decision<'_>) {
        self.observer.decided(decision);
        for status in decision.statuses().iter().filter(|status| status.is_near()) {
            self.observer.near(status);
        }
    }

    fn told<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|error| self.observer.undecided(error))
    }
}

#[async_trait]
impl<S: Store, O: Observer> Store for Observed<S, O> {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        let decision = self.told(self.store.check(charges, now).await)?;
        self.tell(&decision);
        Ok(decision)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.told(self.store.peek(charges, now).await)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        let admission = self.told(self.store.reserve(charges, now).await)?;
        self.tell(&admission.decision);
        Ok(admission)
    }

    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        let settled = self.store.settle(reservation, usage, progress, now).await;
        let settlement = self.told(settled)?;
        self.observer.settled(&settlement);
        Ok(settlement)
    }
}
