//! What becomes of requests while the store cannot decide? Each limit's failure policy, behind a
//! circuit breaker.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use smallvec::SmallVec;

use crate::breaker::{self, Breaker, Phase};
use crate::decision::{Decision, Level, RetryAfter, Status};
use crate::limit::{Enforcement, Limit, OnFailure};
use crate::memory::{self, MemoryStore};
use crate::observe::Observer;
use crate::quota::Quota;
use crate::request::{Charge, Charges};
use crate::reservation::{Layer, LayerId, Progress, Reservation, Settlement, Usage};
use crate::store::{Admission, Store, StoreError};
use crate::time::Timestamp;

/// A store that goes on deciding while the one behind it fails.
///
/// When the store is not available, does not answer in time or is full, every limit of the request
/// is decided by its [failure policy](crate::Limit::on_failure):
///
/// | policy | the request | is counted |
/// |---|---|---|
/// | [`OnFailure::Closed`] | is refused, until the next probe of the store | nowhere |
/// | [`OnFailure::Open`] | passes | nowhere |
/// | [`OnFailure::Local`] | is decided in this process, under its [share](Quota::share_of) of the quota | here |
///
/// It stays one decision: what one limit refuses takes nothing from the others. Statuses of limits
/// that are closed or open have a [`Level::Unavailable`], and
/// [`is_known`](crate::Status::is_known) is false for them. A limit in shadow mode never refuses.
///
/// After a few failures the [`Breaker`] opens and the store is not asked at all, so that a server
/// that does not answer costs nobody its time-out; single probes find out when it is back. Nobody
/// has to do anything for that.
///
/// A mistake in the call or in the limits ([`StoreError::is_failure`] is false) is passed through
/// as the error that it is.
///
/// **Reservations.** One that was made while the store failed is settled here, also after the store
/// is back. One that the store made can only be settled there: while it fails, the settlement is an
/// error and may be repeated later. If nobody does, a rate or a window loses no more than a refund,
/// and a hold of a stock ends with its expiry; an overrun remains unknown to the store.
///
/// **Local buckets** begin full and know nothing of what the store has counted. Together with what
/// the store let pass before, a window that reaches over the failure can see up to twice the quota,
/// and a budget's share may be spent on top of what was spent before; where that matters, close
/// it. With fewer units than instances, each instance still lets a single one pass at once.
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::fallback::{Fallback, Settings};
/// use bursar_ratelimit::{
///     Dimension, Limit, Limits, MemoryStore, OnFailure, Rate, Request, Store, Timestamp, Unit,
/// };
///
/// # futures_executor::block_on(async {
/// // A tenth of 1000 for each of ten instances while the store fails.
/// let tenant = Limit::new("tenant", Dimension::TENANT, Unit::REQUESTS, Rate::per_minute(1_000)?)
///     .on_failure(OnFailure::Local { instances: 10 });
/// let limits = Limits::new([tenant])?;
///
/// // Really a store on a server.
/// let store = Fallback::new(MemoryStore::default(), Settings::default());
/// let charges = limits.resolve(&Request::new().tenant("acme"))?;
/// let decision = store.check(&charges, Timestamp::from_secs(1)).await?;
/// assert!(decision.is_allowed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Fallback<S> {
    store: S,
    breaker: Breaker,
    local: MemoryStore,
    observer: Option<Arc<dyn Observer>>,
    id: LayerId,
    next_reservation: AtomicU64,
}

/// How a [`Fallback`] behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// When the store is not asked any more, and when again.
    pub breaker: breaker::Settings,
    /// How the store for local decisions is laid out.
    pub local: memory::Settings,
}

impl<S: std::fmt::Debug> std::fmt::Debug for Fallback<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fallback")
            .field("store", &self.store)
            .field("breaker", &self.breaker)
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// What a decision is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Check,
    Peek,
    Reserve,
}

impl<S: Store> Fallback<S> {
    /// Decides with `store` as long as that works.
    #[must_use]
    pub fn new(store: S, settings: Settings) -> Self {
        Self {
            store,
            breaker: Breaker::new(settings.breaker),
            local: MemoryStore::new(settings.local),
            observer: None,
            id: LayerId::next(),
            next_reservation: AtomicU64::new(0),
        }
    }

    /// Tells `observer` which policies were used, and why.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The store that decides as long as it works.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Whether the store is asked: [`Phase::Closed`] if it is, [`Phase::Open`] if it is not, and
    /// [`Phase::HalfOpen`] if it is being probed.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> Phase {
        self.breaker.phase(now)
    }

    /// Asks the store if the breaker lets the call through, and tells the breaker how that went.
    async fn attempt<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
        now: Timestamp,
    ) -> Result<T, StoreError> {
        let permit = match self.breaker.permit(now) {
            Ok(permit) => permit,
            Err(open) => {
                return Err(StoreError::Unavailable {
                    store: "shared",
                    source: Box::new(open),
                });
            }
        };
        let result = call.await;
        match &result {
            // A store that is full has answered.
            Ok(_) | Err(StoreError::Full { .. }) => permit.succeeded(now),
            Err(error) if error.is_failure() => permit.failed(now),
            // Whether the store was asked at all is unknown, so this says nothing about it.
            Err(_) => drop(permit),
        }
        result
    }

    /// The failure of a call; a mistake of the caller stays an error.
    fn failure(&self, error: StoreError) -> Result<(), StoreError> {
        if !error.is_failure() {
            return Err(error);
        }
        if let Some(observer) = &self.observer {
            observer.undecided(&error);
        }
        Ok(())
    }

    /// Decides by the limits' policies.
    fn decide<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        intent: Intent,
    ) -> Result<Admission<'a>, StoreError> {
        let retry_after = RetryAfter::After(self.breaker.retry_after(now));
        let charges = charges.as_slice();
        if intent != Intent::Peek {
            self.observe(charges);
        }
        let shares: SmallVec<[Option<Share>; 8]> = charges.iter().map(Share::of).collect();
        let local = local_charges(charges, &shares);
        let closed = charges.iter().any(is_closed);
        let decided = match intent {
            _ if local.as_slice().is_empty() => Admission::new(Decision::new([]), None),
            Intent::Reserve if !closed => self.local.reserve(&local, now)?,
            Intent::Check if !closed => Admission::new(self.local.check(&local, now)?, None),
            _ => Admission::new(self.local.peek(&local, now)?, None),
        };
        let mut locals = decided.decision.statuses().iter();
        let statuses = charges
            .iter()
            .map(|charge| match charge.limit().failure_policy() {
                OnFailure::Open => unavailable(charge, true, retry_after),
                OnFailure::Closed => unavailable(charge, false, retry_after),
                OnFailure::Local { .. } => locals.next().map_or_else(
                    || unavailable(charge, false, retry_after),
                    |status| of_local(charge, status, retry_after),
                ),
            });
        let decision = Decision::new(statuses);
        let reserves = intent == Intent::Reserve && decision.is_allowed();
        let reservation = reserves.then(|| self.reservation(decided.reservation));
        Ok(Admission::new(decision, reservation))
    }

    fn observe(&self, charges: &[Charge<'_>]) {
        let Some(observer) = &self.observer else {
            return;
        };
        for charge in charges {
            observer.failed(charge.limit(), charge.limit().failure_policy());
        }
    }

    fn reservation(&self, local: Option<Reservation>) -> Reservation {
        let holds = local.as_ref().map_or(&[][..], Reservation::holds);
        let number = self.next_reservation.fetch_add(1, Ordering::Relaxed);
        let reservation = Reservation::new(self.id.reservation(number), holds.iter().cloned());
        reservation.with_layer(Layer {
            owner: self.id,
            inner: local,
            leased: SmallVec::new(),
        })
    }
}

#[async_trait]
impl<S: Store> Store for Fallback<S> {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        match self.attempt(self.store.check(charges, now), now).await {
            Ok(decision) => return Ok(decision),
            Err(error) => self.failure(error)?,
        }
        let admission = self.decide(charges, now, Intent::Check)?;
        Ok(admission.decision)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        match self.attempt(self.store.peek(charges, now), now).await {
            Ok(decision) => return Ok(decision),
            Err(error) => self.failure(error)?,
        }
        let admission = self.decide(charges, now, Intent::Peek)?;
        Ok(admission.decision)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        match self.attempt(self.store.reserve(charges, now), now).await {
            Ok(admission) => return Ok(admission),
            Err(error) => self.failure(error)?,
        }
        self.decide(charges, now, Intent::Reserve)
    }

    /// Where the reservation was made: here, or by the store.
    ///
    /// # Errors
    ///
    /// When the store made it and fails now. The same call may be repeated later.
    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        let settled_before = reservation.is_settled();
        let Some(layer) = reservation.layer(self.id) else {
            let call = self.store.settle(reservation, usage, progress, now);
            return self.attempt(call, now).await;
        };
        if settled_before {
            return Ok(Settlement::ALREADY_SETTLED);
        }
        let settlement = match &mut layer.inner {
            Some(local) => self.local.settle(local, usage, progress, now)?,
            None => Settlement::applied([]),
        };
        reservation.settled(usage, progress);
        Ok(settlement)
    }
}

/// This instance's share of a charge that is decided locally.
struct Share {
    quota: Quota,
    /// The limit with all tiers' shares, by which the local store tells a request of another tier from
    /// a change of the limit; `None` where there are no tiers.
    limit: Option<Box<Limit>>,
}

impl Share {
    fn of(charge: &Charge<'_>) -> Option<Self> {
        let limit = charge.limit();
        let OnFailure::Local { instances } = limit.failure_policy() else {
            return None;
        };
        let part = |quota: &Quota| quota.share_of(instances);
        let shared = || {
            let mut shared = limit.of_key(charge.key(), part);
            if limit.enforcement() == Enforcement::Shadow {
                shared = shared.shadow();
            }
            Box::new(shared)
        };
        Some(Self {
            quota: part(charge.quota()),
            limit: limit.has_tiers().then(shared),
        })
    }
}

fn local_charges<'q, 'a: 'q>(charges: &[Charge<'a>], shares: &'q [Option<Share>]) -> Charges<'q> {
    let local = charges.iter().zip(shares).filter_map(|(charge, share)| {
        let share = share.as_ref()?;
        let limit = share.limit.as_deref().unwrap_or(charge.limit());
        let (key, cost) = (charge.key(), charge.cost());
        Some(Charge::new(limit, &share.quota, key, cost))
    });
    Charges::new(local).expect("charges of one request name each limit once")
}

fn is_closed(charge: &Charge<'_>) -> bool {
    let limit = charge.limit();
    limit.failure_policy() == OnFailure::Closed && limit.enforcement() == Enforcement::Enforced
}

const fn unavailable<'a>(charge: &Charge<'a>, fits: bool, retry_after: RetryAfter) -> Status<'a> {
    Status::new(*charge, fits, Level::Unavailable { retry_after })
}

/// A local status as one of the whole quota.
fn of_local<'a>(charge: &Charge<'a>, local: &Status<'_>, retry_after: RetryAfter) -> Status<'a> {
    if charge.cost() > local.limit_units() {
        // More than the share ever lets pass; the store may.
        return unavailable(charge, false, retry_after);
    }
    let level = match *local.level() {
        Level::Counted {
            retry_after,
            reset_after,
            ..
        } => Level::Counted {
            used: charge
                .quota()
                .largest_cost()
                .saturating_sub(local.remaining()),
            retry_after,
            reset_after,
        },
        level => level,
    };
    Status::new(*charge, local.fits(), level).late(local.lateness())
}
