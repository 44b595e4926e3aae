//! Does every decision need the store that all instances share? Units borrowed in advance and spent
//! here.
//!
//! A lease is an ordinary reservation of some units of one cell (a limit and a key) in the central
//! store. It is prepaid: the store has charged the units before this instance spends the first of
//! them, so the store never issues more than the quota, whatever happens to an instance. What is not
//! spent in time goes back by settling the reservation, under the rule that makes refunds safe.
//!
//! # The bound
//!
//! What an instance spends in a window, it has leased in the window or held when the window began,
//! and it never holds more than one lease's units. So with `n` instances and leases of `L` units,
//! in any window of a rate at most
//!
//! > burst + rate × window + n × L
//!
//! pass, and under an exact window at most limit + n × L; debts of overruns come on top as always.
//! [`Settings::bound`] says `n × L`. With [`LeaseSize::RateShare`] it is what comes in during the
//! time of a lease.
//!
//! # One round trip for the rest
//!
//! Limits that are not leased ([`Settings::dimensions`], [`Settings::limits`]) are decided by the
//! store, in one question for all of them. With leases of the global and the method limits alone,
//! the store can keep all cells of a tenant in one place of a cluster: tenant and key are exact,
//! one round trip a decision, and what all tenants share comes from leases. A request is still all
//! or nothing: leases are spent first, and put back when the store refuses.
//!
//! # What a status says
//!
//! Of a leased limit it says what the store said last, with this instance's unspent units as not
//! used. What other instances have leased since is not in it, nor what has drained, and a wait is
//! the least one. A refusal stands until the time that the store named for it, and at least for
//! [`Settings::refusal`]: a caller who comes earlier is refused here. After the time of a lease the
//! store is asked again in any case, for it may have been given something back.

mod cell;
mod ledger;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use smallvec::SmallVec;

use self::cell::{Lease, Target};
pub(crate) use self::ledger::LeasedPart;
use self::ledger::{Drawing, Ledger, Round, UNKNOWN};
pub use self::settings::{LeaseSize, Settings};
use crate::decision::{Decision, Status};
use crate::limit::Limit;
use crate::quota::Quota;
use crate::request::{Charge, Charges};
use crate::reservation::{Layer, LayerId, Progress, Reservation, Settled, Settlement, Usage};
use crate::store::{Admission, Store, StoreError};
use crate::time::Timestamp;

/// A store that leases units from another one and decides with them here.
///
/// **Refunds.** While the lease lives that a reservation was taken from, its unused units go back to
/// the store, with the last of the lease's reservations or with the lease; the store alone knows how
/// much of them has not drained. Later they are lost, but never counted twice. An overrun is paid from
/// the leases as far as they reach; the rest is told the store at once. If that fails, or if the
/// store has the cell in debt already and takes no more for now, it is told before the cell's next
/// lease is asked for, or by [`return_expired`](Self::return_expired).
///
/// **Memory.** Leases are held of at most [`Settings::max_cells`] cells; those of idle cells are
/// forgotten when room is needed. Call [`return_expired`](Self::return_expired) now and then, so
/// that unspent units of idle cells go back, and [`return_all`](Self::return_all) before an instance
/// ends. Neither is needed for the bound.
///
/// **Failure.** While leases last, nobody notices that the store cannot be reached. To go on after
/// that, lease from a [`Fallback`](crate::fallback::Fallback).
///
/// **Many at once.** While a lease is on its way, other requests that find the cell empty ask the
/// store for exactly what they need. So at most as many round trips run at once as requests do.
///
/// ```
/// use std::time::Duration;
/// use bursar_ratelimit::lease::{LeaseSize, Leased, Settings};
/// use bursar_ratelimit::{Dimension, Limit, Limits, MemoryStore, Rate, Request, Store, Timestamp, Unit};
///
/// # futures_executor::block_on(async {
/// let global = Limit::new("global", Dimension::GLOBAL, Unit::REQUESTS, Rate::per_second(1_000)?);
/// let limits = Limits::new([global])?;
/// let charges = limits.resolve(&Request::new())?;
/// let now = Timestamp::from_secs(1);
///
/// // Four instances lease from one store (here in memory, really on a server).
/// let center = MemoryStore::default();
/// let settings = Settings::new(LeaseSize::Units(100), Duration::from_secs(1), 4);
/// let instances: Vec<_> = (0..4).map(|_| Leased::new(&center, settings.clone())).collect();
/// let mut allowed = 0;
/// for instance in instances.iter().cycle().take(2_000) {
///     allowed += u32::from(instance.check(&charges, now).await?.is_allowed());
/// }
/// assert_eq!(allowed, 1_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Leased<S> {
    store: S,
    ledger: Ledger,
    id: LayerId,
    next_reservation: AtomicU64,
}

/// What a decision is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Check,
    Reserve,
}

impl<S: Store> Leased<S> {
    /// Leases from `store`.
    #[must_use]
    pub fn new(store: S, settings: Settings) -> Self {
        Self {
            store,
            ledger: Ledger::new(settings),
            id: LayerId::next(),
            next_reservation: AtomicU64::new(0),
        }
    }

    /// The store that is leased from.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// How it leases.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.ledger.settings
    }

    /// By how many units more than the quota promises may pass in a window; see
    /// [`Settings::bound`].
    #[must_use]
    pub fn bound(&self, limit: &Limit, quota: &Quota) -> u64 {
        self.settings().bound(limit, quota)
    }

    /// Cells of which leases, refusals or debts are remembered.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.ledger.keys()
    }

    /// Gives the store back what is left of leases that are over, tells it debts it does not know
    /// yet, and forgets idle cells.
    ///
    /// # Errors
    ///
    /// The store's first error. The leases are over all the same; what was left of them stands as
    /// spent.
    pub async fn return_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        self.return_leases(false, now).await
    }

    /// Gives the store back what is left of all leases, for an instance that ends.
    ///
    /// # Errors
    ///
    /// As [`return_expired`](Self::return_expired).
    pub async fn return_all(&self, now: Timestamp) -> Result<(), StoreError> {
        self.return_leases(true, now).await
    }

    async fn return_leases(&self, all: bool, now: Timestamp) -> Result<(), StoreError> {
        let mut result = Ok(());
        for (target, lease) in self.ledger.take_over(all, now) {
            result = result.and(self.close(&target, lease, now).await);
        }
        for fingerprint in self.ledger.owing() {
            self.pay(fingerprint, now).await;
        }
        result
    }

    async fn decide<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        intent: Intent,
    ) -> Result<Admission<'a>, StoreError> {
        let mut drawing = self.ledger.drawing(charges, intent == Intent::Reserve, now);
        if drawing.parts.is_empty() {
            return self.ask(charges, now, intent).await;
        }
        let allowed = self.draw(&mut drawing, now).await?;
        let rest = rest(charges, &drawing);
        let central = match (rest.as_slice().is_empty(), allowed) {
            (true, _) => None,
            (false, true) => Some(self.ask(&rest, now, intent).await?),
            // Nothing is charged any more, but the caller is told about every limit.
            (false, false) => Some(Admission::new(self.look(&rest, now).await?, None)),
        };
        let (decided, reservation) = match central {
            Some(Admission {
                decision,
                reservation,
            }) => (Some(decision), reservation),
            None => (None, None),
        };
        let allowed = allowed && decided.as_ref().is_none_or(Decision::is_allowed);
        let over = match allowed {
            true => Vec::new(),
            false => drawing.put_back(),
        };
        let decision = merge(charges, &drawing, decided.as_ref());
        let mut admission = Admission::new(decision, None);
        let over = match (allowed, intent) {
            (false, _) => over,
            (true, Intent::Check) => drawing.spend(),
            (true, Intent::Reserve) => {
                admission.reservation = Some(self.reservation(drawing, reservation));
                over
            }
        };
        self.close_all(over, now).await;
        Ok(admission)
    }

    /// What the store says about limits that do not decide any more. That it fails does not undo a
    /// refusal.
    async fn look<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        match self.store.peek(charges, now).await {
            Err(error) if error.is_failure() => {
                let charges = charges.as_slice().iter();
                let unknown = charges.map(|charge| Status::new(*charge, true, UNKNOWN));
                Ok(Decision::new(unknown))
            }
            answer => answer,
        }
    }

    /// Asks the store for a decision.
    async fn ask<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        intent: Intent,
    ) -> Result<Admission<'a>, StoreError> {
        match intent {
            Intent::Check => {
                let decision = self.store.check(charges, now).await?;
                Ok(Admission::new(decision, None))
            }
            Intent::Reserve => self.store.reserve(charges, now).await,
        }
    }

    /// Spends leases for all leased charges, and asks the store for what is missing. Says whether
    /// all of them let the request pass.
    async fn draw(
        &self,
        drawing: &mut Drawing<'_, '_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        loop {
            match drawing.draw() {
                Round::Drawn => return Ok(true),
                Round::Denied => return Ok(false),
                Round::Short(number) => match self.lease(drawing, number, now).await? {
                    Some(generation) => drawing.granted(number, generation),
                    None => drawing.refused(number),
                },
            }
        }
    }

    /// Asks the store for a lease that has a charge's cost, and names it; `None` if it refuses.
    async fn lease(
        &self,
        drawing: &Drawing<'_, '_>,
        number: usize,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let mut asking = drawing.ask(number);
        for lease in std::mem::take(&mut asking.over) {
            // What cannot be given back stands as spent.
            let _ = self.close(&asking.target, lease, now).await;
        }
        self.pay(asking.fingerprint(), now).await;
        loop {
            let target = Arc::clone(&asking.target);
            let charges = alone(target.charge(asking.amount));
            let Admission {
                decision,
                reservation,
            } = self.store.reserve(&charges, now).await?;
            let Some(status) = decision.statuses().first() else {
                return Ok(None);
            };
            if let Some(reservation) = reservation.filter(|_| decision.is_allowed()) {
                let generation = asking.granted(reservation, status, now);
                return Ok(Some(generation));
            }
            if !asking.refused(status, now) {
                return Ok(None);
            }
        }
    }

    fn reservation(&self, drawing: Drawing<'_, '_>, central: Option<Reservation>) -> Reservation {
        let (leased, mut holds) = drawing.keep();
        let central_holds = central.as_ref().map_or(&[][..], Reservation::holds);
        holds.extend(central_holds.iter().cloned());
        let number = self.next_reservation.fetch_add(1, Ordering::Relaxed);
        Reservation::new(self.id.reservation(number), holds).with_layer(Layer {
            owner: self.id,
            inner: central,
            leased,
        })
    }

    /// Gives the store back what is left of a lease.
    async fn close(
        &self,
        target: &Target,
        mut lease: Lease,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let usage = Usage::new().with(target.limit().unit(), lease.spent);
        let settled = self
            .store
            .settle(&mut lease.reservation, &usage, Progress::Final, now);
        settled.await.map(|_| ())
    }

    async fn close_all(&self, leases: Vec<(Arc<Target>, Lease)>, now: Timestamp) {
        for (target, lease) in leases {
            // What cannot be given back stands as spent.
            let _ = self.close(&target, lease, now).await;
        }
    }

    /// Tells the store a cell's debt. If that fails, it is owed until the next time.
    async fn pay(&self, fingerprint: u64, now: Timestamp) {
        let Some(debt) = self.ledger.debt(fingerprint) else {
            return;
        };
        let target = Arc::clone(&debt.target);
        let charges = alone(target.charge(0));
        // A reservation of nothing, settled with the debt: an overrun never asks for room.
        let Ok(admission) = self.store.reserve(&charges, now).await else {
            return;
        };
        let Some(mut reservation) = admission.reservation else {
            return;
        };
        let usage = Usage::new().with(target.limit().unit(), debt.units);
        let settled = self
            .store
            .settle(&mut reservation, &usage, Progress::Final, now);
        if settled
            .await
            .is_ok_and(|settlement| !settlement.parts().is_empty())
        {
            debt.paid();
        }
    }
}

#[async_trait]
impl<S: Store> Store for Leased<S> {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        let admission = self.decide(charges, now, Intent::Check).await?;
        Ok(admission.decision)
    }

    /// Changes nothing, here or in the store; asks the store only for what the leases do not cover.
    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        let known = self.ledger.peek(charges, now);
        let slice = charges.as_slice().iter().zip(&known);
        let unknown = slice.filter(|(_, known)| known.is_none());
        let rest = several(unknown.map(|(charge, _)| *charge));
        let asked = match rest.as_slice().is_empty() {
            true => None,
            false => Some(self.store.peek(&rest, now).await?),
        };
        let mut asked = asked.iter().flat_map(|decision| decision.statuses());
        let statuses = known.into_iter().filter_map(|known| match known {
            Some(status) => Some(status),
            None => asked.next().cloned(),
        });
        Ok(Decision::new(statuses))
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        self.decide(charges, now, Intent::Reserve).await
    }

    /// Parts of leased limits come first in the settlement.
    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        let settled_before = reservation.is_settled();
        let Some(layer) = reservation.layer(self.id) else {
            return self.store.settle(reservation, usage, progress, now).await;
        };
        if settled_before {
            return Ok(Settlement::ALREADY_SETTLED);
        }
        // First what may fail, so that the whole call may be repeated.
        let central = match &mut layer.inner {
            Some(inner) => Some(self.store.settle(inner, usage, progress, now).await?),
            None => None,
        };
        let mut over = Vec::new();
        let mut settled: SmallVec<[Settled; 6]> = SmallVec::new();
        let leased = reservation.leased();
        for (part, hold) in leased.iter().zip(reservation.holds()) {
            let change = reservation.change(hold, usage, progress);
            let (refunded, lease) = self.ledger.settle(part, change, progress, now);
            over.extend(lease);
            settled.push(Settled::new(hold, change, refunded));
        }
        let central = central.iter().flat_map(Settlement::parts);
        settled.extend(central.copied());
        let fingerprints: SmallVec<[u64; 4]> = leased.iter().map(LeasedPart::fingerprint).collect();
        reservation.settled(usage, progress);
        self.close_all(over, now).await;
        for fingerprint in fingerprints {
            self.pay(fingerprint, now).await;
        }
        Ok(Settlement::applied(settled))
    }
}

/// The charges that the store decides.
fn rest<'a>(charges: &Charges<'a>, drawing: &Drawing<'_, '_>) -> Charges<'a> {
    let charges = charges.as_slice().iter().enumerate();
    let central = charges.filter(|(index, _)| drawing.part(*index).is_none());
    several(central.map(|(_, charge)| *charge))
}

fn alone(charge: Charge<'_>) -> Charges<'_> {
    several([charge])
}

fn several<'a>(charges: impl IntoIterator<Item = Charge<'a>>) -> Charges<'a> {
    Charges::new(charges).expect("charges of one request name each limit once")
}

/// Every limit's status, in the order of the charges.
fn merge<'a>(
    charges: &Charges<'a>,
    drawing: &Drawing<'_, '_>,
    central: Option<&Decision<'a>>,
) -> Decision<'a> {
    let mut central = central.iter().flat_map(|decision| decision.statuses());
    let charges = charges.as_slice().iter().enumerate();
    let statuses = charges.filter_map(|(index, charge)| match drawing.part(index) {
        Some(part) => Some(Status::new(*charge, part.fits(), part.level)),
        None => central.next().cloned(),
    });
    Decision::new(statuses)
}
