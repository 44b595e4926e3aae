//! Who is next? Waiting in order, for at most a given time.
//!
//! A limiter that lets waiters try again starves them: beside a steady stream of small requests there
//! is never room for a large one. Here a request that does not fit takes a place in the line of each
//! limit that refused it. Its cost is not charged yet, but whoever comes later is decided as if it
//! were, so nobody overtakes; limits that did not refuse it are left to others meanwhile. When it
//! passes it is decided like any other request, all limits or none, so the bounds of all quotas hold
//! as they do without a line.
//!
//! Tickets are numbered under the locks of all cells that they wait for, and everybody waits for
//! smaller numbers only: nobody waits in a circle, and every line moves.

use std::sync::atomic::Ordering;
use std::time::Duration;

use smallvec::SmallVec;

use super::counted::{CountedCell, Stock, WindowCell};
use super::lines;
use super::shard::{Shard, ShardTime};
use super::{Before, Held, Holds, Intent, MemoryStore, Place, rate_level};
use crate::decision::{Decision, Level, RetryAfter, Status};
use crate::quota::Quota;
use crate::request::{Charge, Charges};
use crate::reservation::{Reservation, ReservationId};
use crate::store::{Admission, StoreError};
use crate::time::{Timestamp, nanos};

/// Where a request stands that is willing to wait.
#[derive(Debug)]
#[must_use = "a ticket that is dropped gives its place up"]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once; a box would cost an allocation for each request that passes"
)]
pub enum Turn<'s, 'a> {
    /// It passed, and its cost is reserved.
    Admitted(Admission<'a>),
    /// It has a place in line.
    Waiting(Ticket<'s, 'a>),
    /// It will not pass in time: nothing was taken, and it is in no line.
    Denied(Decision<'a>),
}

/// A place in line. Dropping it gives the place up.
#[derive(Debug)]
#[must_use = "a ticket that is dropped gives its place up"]
pub struct Ticket<'s, 'a> {
    charges: Charges<'a>,
    waiter: Waiter<'s>,
    decision: Decision<'a>,
    asked_at: Timestamp,
    deadline: Timestamp,
}

impl MemoryStore {
    /// Reserves at once if the request passes, and otherwise takes a place in line if it can be
    /// expected to pass within `max_wait`.
    ///
    /// Those in line pass in the order in which they came, as far as they wait for the same limits;
    /// requests that do not wait do not overtake them either. What the line is ahead of counts as used
    /// in every decision until it has moved on. A place lapses after `max_wait`, so a waiter that has
    /// vanished without dropping its ticket holds the others up for no longer.
    ///
    /// The wait is expected to be as long as the rates and windows that refused say, with those in
    /// line ahead. How long calls in flight and unsettled budgets take is unknown, so these are
    /// waited for until the time is over. A request that no waiting helps is denied at once.
    ///
    /// The store has no clock and wakes nobody: sleep until [`Ticket::next_poll`] and ask again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use bursar_ratelimit::{Dimension, Limit, Limits, MemoryStore, Rate, Request, Timestamp};
    /// use bursar_ratelimit::{Turn, Unit};
    ///
    /// let rate = Rate::per_second(10)?;
    /// let limits = Limits::new([Limit::new("key", Dimension::API_KEY, Unit::TOKENS, rate)])?;
    /// let store = MemoryStore::default();
    /// let request = Request::new().api_key("key-17").cost(Unit::TOKENS, 8);
    /// let charges = limits.resolve(&request)?;
    /// let mut now = Timestamp::from_secs(1);
    ///
    /// let mut passed = Vec::new();
    /// for _ in 0..2 {
    ///     let mut turn = store.wait_in_line(&charges, Duration::from_secs(5), now)?;
    ///     loop {
    ///         turn = match turn {
    ///             Turn::Admitted(admission) => break passed.push((now, admission.reservation)),
    ///             Turn::Denied(decision) => return Err(format!("denied: {decision:?}").into()),
    ///             Turn::Waiting(ticket) => {
    ///                 // A service sleeps here.
    ///                 now = ticket.next_poll();
    ///                 ticket.poll(now)?
    ///             }
    ///         };
    ///     }
    /// }
    /// // After the first 8 of 10 tokens, 6 have to flow in for the other 8.
    /// assert_eq!(passed[1].0, Timestamp::from_millis(1_600));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    pub fn wait_in_line<'a>(
        &self,
        charges: &Charges<'a>,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<Turn<'_, 'a>, StoreError> {
        let mut waiter = Waiter::new(self, max_wait);
        let admission = self.reserve_as(charges, now, Some(&mut waiter))?;
        if admission.reservation.is_some() {
            return Ok(Turn::Admitted(admission));
        }
        if !waiter.is_in_line() {
            return Ok(Turn::Denied(admission.decision));
        }
        Ok(Turn::Waiting(Ticket {
            charges: charges.clone(),
            waiter,
            decision: admission.decision,
            asked_at: now,
            deadline: now + max_wait,
        }))
    }

    /// Reserves, for somebody in line or for somebody who just came.
    pub(super) fn reserve_as<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        waiter: Option<&mut Waiter<'_>>,
    ) -> Result<Admission<'a>, StoreError> {
        let number = self.next_number();
        let id = ReservationId((u128::from(self.identity) << 64) | u128::from(number));
        let mut holds = Holds::new();
        let intent = Intent::Reserve(id);
        let decision = self.decide_as(charges, now, intent, &mut holds, waiter)?;
        if !decision.is_allowed() {
            return Ok(Admission::new(decision, None));
        }
        self.open(number, charges, now);
        let reservation = Reservation::from_holds(id, holds);
        Ok(Admission::new(decision, Some(reservation)))
    }

    fn next_number(&self) -> u64 {
        self.next_reservation.fetch_add(1, Ordering::Relaxed)
    }
}

impl<'s, 'a> Ticket<'s, 'a> {
    /// Asks again: passes, waits on, or is denied because the time is over.
    ///
    /// At the [deadline](Self::deadline) the answer is final. A poll after it has lost its place and
    /// is decided as that of somebody who just came and does not wait. A poll too early changes
    /// nothing, and may always be made, for example after every settlement.
    ///
    /// # Errors
    ///
    /// As [`MemoryStore::reserve`]; the place in line is given up.
    pub fn poll(mut self, now: Timestamp) -> Result<Turn<'s, 'a>, StoreError> {
        if now > self.deadline {
            self.waiter.leave();
            let admission = self.waiter.store.reserve(&self.charges, now)?;
            return Ok(answered(admission));
        }
        let store = self.waiter.store;
        self.waiter.time_left = self.deadline.saturating_since(now);
        let admission = store.reserve_as(&self.charges, now, Some(&mut self.waiter))?;
        let never = admission.decision.retry_after() == Some(RetryAfter::Never);
        if admission.reservation.is_some() || self.waiter.lapsed || never {
            return Ok(answered(admission));
        }
        self.decision = admission.decision;
        self.asked_at = now;
        Ok(Turn::Waiting(self))
    }

    /// When it passes if nobody else comes and nobody settles, by the clock of the caller; it may be
    /// later than the [deadline](Self::deadline). `None` if it cannot pass before somebody settles.
    ///
    /// Those ahead in the same lines are expected to pass as soon as they can. Behind waiters who need
    /// a whole burst, it may be too early by a nanosecond for each of them, never too late. Limits
    /// that did not refuse it are open to others, who may use them up meanwhile; it then gets in line
    /// there too, at the place that its ticket gives it.
    #[must_use]
    pub fn ready_at(&self) -> Option<Timestamp> {
        let wait = self.decision.retry_after()?.duration()?;
        Some(self.asked_at + wait)
    }

    /// When its place lapses.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// When to ask again, if [nobody settles](Self::awaits_settlement) before: when it is ready, or at
    /// its deadline if that is earlier.
    #[must_use]
    pub fn next_poll(&self) -> Timestamp {
        let ready_at = self.ready_at().unwrap_or(self.deadline);
        ready_at.min(self.deadline)
    }

    /// Whether it waits for calls in flight or an unsettled budget, so that any settlement may be the
    /// one it waits for. Where it waits for a rate, a settlement that gives something back can only
    /// shorten the wait.
    #[must_use]
    pub fn awaits_settlement(&self) -> bool {
        let mut violated = self.decision.violated();
        violated.any(|status| status.quota().is_stock())
    }

    /// What refused it when it was last asked, with those in line ahead counted as passed.
    pub const fn decision(&self) -> &Decision<'a> {
        &self.decision
    }
}

fn answered<'s, 'a>(admission: Admission<'a>) -> Turn<'s, 'a> {
    match admission.reservation {
        Some(_) => Turn::Admitted(admission),
        None => Turn::Denied(admission.decision),
    }
}

/// Somebody in line, or about to be. Leaves all lines when it is dropped.
#[derive(Debug)]
pub(super) struct Waiter<'s> {
    store: &'s MemoryStore,
    /// For how much longer it waits if it does not pass now.
    time_left: Duration,
    ticket: Option<u64>,
    places: SmallVec<[TakenPlace; 4]>,
    /// Whether a place had lapsed when it was last asked.
    lapsed: bool,
}

#[derive(Clone, Copy, Debug)]
struct TakenPlace {
    /// The index of the charge.
    charge: usize,
    shard: u32,
    fingerprint: u64,
    until: u64,
}

impl<'s> Waiter<'s> {
    fn new(store: &'s MemoryStore, max_wait: Duration) -> Self {
        Self {
            store,
            time_left: max_wait,
            ticket: None,
            places: SmallVec::new(),
            lapsed: false,
        }
    }

    fn is_in_line(&self) -> bool {
        self.ticket.is_some()
    }

    pub(super) fn ticket(&self) -> Option<u64> {
        self.ticket
    }

    /// Takes a place before every cell that refused, unless there is no hope.
    pub(super) fn refused(
        &mut self,
        statuses: &[Status<'_>],
        places: &[Place],
        held: &mut [Held<'_>],
    ) {
        self.lapsed = self
            .places
            .iter()
            .any(|taken| held[places[taken.charge].guard as usize].time.asked() >= taken.until);
        let ticket = match self.ticket {
            Some(ticket) => ticket,
            None if statuses.iter().any(|status| self.has_no_hope(status)) => return,
            // Numbered under the locks, so that tickets are in the order of those who came.
            None => *self.ticket.insert(self.store.next_number()),
        };
        for (charge, (status, place)) in statuses.iter().zip(places).enumerate() {
            let Held { shard, time } = &mut held[place.guard as usize];
            if !status.is_violated() || self.places.iter().any(|taken| taken.charge == charge) {
                continue;
            }
            let until = time.asked().saturating_add(nanos(self.time_left));
            shard.lines.join(
                place.fingerprint,
                lines::Place {
                    ticket,
                    units: status.cost(),
                    until,
                },
            );
            self.places.push(TakenPlace {
                charge,
                shard: place.shard,
                fingerprint: place.fingerprint,
                until,
            });
        }
    }

    /// Whether a limit refuses for longer than the waiter waits.
    fn has_no_hope(&self, status: &Status<'_>) -> bool {
        if !status.is_violated() {
            return false;
        }
        match status.retry_after() {
            Some(RetryAfter::Never) => true,
            Some(RetryAfter::After(wait)) if !status.quota().is_stock() => wait > self.time_left,
            // Somebody may settle at any time, but not in no time.
            _ => self.time_left.is_zero(),
        }
    }

    /// Gives all places up under the locks of the decision by which it passed.
    pub(super) fn passed(&mut self, places: &[Place], held: &mut [Held<'_>]) {
        let Some(ticket) = self.ticket else { return };
        for taken in self.places.drain(..) {
            let guard = places[taken.charge].guard as usize;
            held[guard].shard.lines.leave(taken.fingerprint, ticket);
        }
    }

    fn leave(&mut self) {
        let Some(ticket) = self.ticket else { return };
        for taken in self.places.drain(..) {
            let mut shard = self.store.shards[taken.shard as usize].0.lock();
            shard.lines.leave(taken.fingerprint, ticket);
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Counts those in line ahead as passed in the last status, which is that of a charge to its cell.
#[cold]
pub(super) fn behind_line<'a>(
    statuses: &mut [Status<'a>],
    charge: &Charge<'a>,
    befores: &[Before],
    place: &Place,
    held: &mut Held<'_>,
    ticket: Option<u64>,
) {
    let (shard, time) = (&mut *held.shard, held.time);
    if let (Some(status), Some(before)) = (statuses.last_mut(), befores.last()) {
        *status = status_behind(status, charge, before, place, shard, time, ticket);
    }
}

fn status_behind<'a>(
    status: &Status<'a>,
    charge: &Charge<'a>,
    before: &Before,
    place: &Place,
    shard: &mut Shard,
    time: ShardTime,
    ticket: Option<u64>,
) -> Status<'a> {
    let queued = shard.lines.units_ahead(place.fingerprint, ticket, time.now);
    // Nobody waits for longer because of a cost of nothing.
    if queued == 0 || charge.cost() == 0 {
        return status.clone();
    }
    match (charge.quota(), status.level()) {
        (Quota::Rate(rate), _) => {
            let gcra = rate.gcra();
            let queued = u128::from(queued) * u128::from(gcra.ticks());
            let outstanding = before.outstanding.saturating_add(queued);
            let fits = gcra.admits(outstanding, charge.cost());
            Status::new(*charge, fits, rate_level(gcra, outstanding)).late(time.ahead)
        }
        (
            quota,
            Level::Counted {
                used, reset_after, ..
            },
        ) => {
            let used = used.saturating_add(queued);
            let fits = used
                .checked_add(charge.cost())
                .is_some_and(|used| used <= quota.largest_cost());
            let level = Level::Counted {
                used,
                retry_after: counted_wait(status, charge, place, shard, time, ticket, queued),
                reset_after: *reset_after,
            };
            Status::new(*charge, fits, level).late(time.ahead)
        }
        _ => status.clone(),
    }
}

/// When the cost fits into anything but a rate after those in line ahead.
fn counted_wait(
    status: &Status<'_>,
    charge: &Charge<'_>,
    place: &Place,
    shard: &Shard,
    time: ShardTime,
    ticket: Option<u64>,
    queued: u64,
) -> RetryAfter {
    match (shard.counted.get(&place.fingerprint), charge.quota()) {
        (cell, Quota::SlidingWindow(window)) => {
            let ahead = shard.lines.ahead(place.fingerprint, ticket);
            let unused = WindowCell::default();
            let cell = match cell {
                Some(CountedCell::Window(cell)) => cell,
                // Those in line wait for another limit; here nothing is in use.
                _ => &unused,
            };
            cell.wait_behind(window, time.now, ahead, charge.cost())
        }
        (Some(CountedCell::Stock(cell)), quota) => {
            if status.retry_after() == Some(RetryAfter::Never) {
                return RetryAfter::Never;
            }
            let stock = Stock::of(quota);
            let together = charge.cost().saturating_add(queued);
            match cell.level(&stock, time.now, together) {
                // Those ahead may hold for as long as they like, or leave without having passed.
                Level::Counted { retry_after, .. }
                    if together <= stock.limit && retry_after != RetryAfter::Never =>
                {
                    retry_after
                }
                _ => RetryAfter::Unknown,
            }
        }
        _ => RetryAfter::Unknown,
    }
}
