//! What does this instance hold of one cell? Its leases, what it owes, and what the store last said.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::decision::{Level, RetryAfter, Status};
use crate::limit::Limit;
use crate::quota::Quota;
use crate::request::Charge;
use crate::reservation::{Change, Progress, Reservation};
use crate::time::Timestamp;

/// The most leases of a cell that are remembered for the sake of refunds.
const MAX_LEASES: usize = 16;

/// A cell of the store, known apart from any request.
#[derive(Debug)]
pub(crate) struct Target {
    limit: Limit,
    quota: Quota,
    key: Box<str>,
}

impl Target {
    /// The limit is never in shadow mode: a lease is granted or refused. It knows all tiers, by which
    /// the store tells a request of another tier from a change of the limit.
    pub(super) fn new(charge: &Charge<'_>) -> Self {
        Self {
            limit: charge.limit().of_key(charge.key(), Quota::clone),
            quota: *charge.quota(),
            key: charge.key().into(),
        }
    }

    pub(super) const fn charge(&self, cost: u64) -> Charge<'_> {
        Charge::new(&self.limit, &self.quota, &self.key, cost)
    }

    pub(super) const fn limit(&self) -> &Limit {
        &self.limit
    }

    pub(super) const fn quota(&self) -> &Quota {
        &self.quota
    }
}

/// Units that the store has charged in advance.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) generation: u64,
    granted: u64,
    pub(super) spent: u64,
    /// What may still be spent: at most what is unspent, and less where that would be more than a
    /// lease's size.
    available: u64,
    /// Draws that may still come back.
    open: u64,
    expires: Timestamp,
    pub(super) reservation: Reservation,
}

impl Lease {
    pub(super) const fn unspent(&self) -> u64 {
        self.granted.saturating_sub(self.spent)
    }

    const fn is_done(&self) -> bool {
        self.unspent() == 0 && self.open == 0
    }
}

#[derive(Debug)]
pub(super) struct Cell {
    pub(super) target: Arc<Target>,
    leases: VecDeque<Lease>,
    /// Units beyond the need of the moment that have been asked for and have not come yet.
    pub(super) pending: u64,
    /// Debts that the store does not know of yet.
    pub(super) owed: u64,
    refusal: Option<Refusal>,
    seen: Option<Seen>,
}

/// The store's last refusal.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    /// For which cost; a smaller one may fit.
    cost: u64,
    since: Timestamp,
    /// When the store is asked again at the latest: it may have been given something back.
    ask_again: Timestamp,
    /// When the cost fits.
    until: Timestamp,
    /// Whether the store could not be asked.
    unavailable: bool,
}

impl Refusal {
    /// After a clock that was set back, the store is asked again.
    fn stands(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.ask_again
    }
}

/// What the store last said about the cell, this instance's leases counted as used.
#[derive(Clone, Copy, Debug)]
struct Seen {
    used: u64,
    reset_at: Timestamp,
}

/// What the cell says to a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A lease has it.
    Fits,
    /// The store has refused it not long ago, or would always.
    Refused,
    /// The store has to be asked.
    Short,
}

/// A grant that has arrived.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) generation: u64,
    pub(super) granted: u64,
    pub(super) expires: Timestamp,
    pub(super) reservation: Reservation,
}

impl Cell {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            leases: VecDeque::new(),
            pending: 0,
            owed: 0,
            refusal: None,
            seen: None,
        }
    }

    /// Takes over a quota that is another one than that of the last request: the limit has changed,
    /// or the request is of another tier. What was refused before may fit under it.
    pub(super) fn update(&mut self, charge: &Charge<'_>) {
        if self.target.quota() != charge.quota() {
            self.target = Arc::new(Target::new(charge));
            self.refusal = None;
        }
    }

    /// Whether forgetting it loses nothing but leases that have expired.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let refused = self.refusal.is_some_and(|refusal| refusal.stands(now));
        let live = self.leases.iter().any(|lease| lease.expires > now);
        self.pending == 0 && self.owed == 0 && !refused && !live
    }

    pub(super) fn ask(&self, cost: u64, now: Timestamp) -> Answer {
        if cost > self.target.quota().largest_cost() {
            return Answer::Refused;
        }
        if self.lease_with(cost, now).is_some() {
            return Answer::Fits;
        }
        match self.refusal {
            Some(refusal) if cost >= refusal.cost && refusal.stands(now) => Answer::Refused,
            _ => Answer::Short,
        }
    }

    /// Spends `cost` of a lease that has it, and names the lease. If `may_return`, it stays known
    /// until the draw is settled or the lease expires.
    pub(super) fn draw(&mut self, cost: u64, may_return: bool, now: Timestamp) -> Option<u64> {
        let index = self.lease_with(cost, now)?;
        let lease = self.leases.get_mut(index)?;
        lease.available -= cost;
        lease.spent += cost;
        lease.open += u64::from(may_return);
        let generation = lease.generation;
        if lease.is_done() {
            self.leases.remove(index);
        }
        Some(generation)
    }

    /// How much to ask the store for, so that no more than `size` is ever left unspent here. Counts
    /// the part that is not spent at once as pending.
    pub(super) fn plan(&mut self, cost: u64, size: u64, now: Timestamp) -> u64 {
        // While a lease is on its way, others ask for what they need and no more: they would have to
        // be counted as unspent, too.
        let amount = match self.pending {
            0 => self.room(size, now).max(cost),
            _ => cost,
        };
        self.pending = self.pending.saturating_add(amount - cost);
        amount
    }

    /// Adds a grant of which `cost` is spent at once by a draw that may come back.
    pub(super) fn grant(&mut self, grant: Grant, cost: u64, size: u64, now: Timestamp) {
        let rest = grant.granted.saturating_sub(cost);
        let lease = Lease {
            generation: grant.generation,
            granted: grant.granted,
            spent: cost.min(grant.granted),
            available: rest.min(self.room(size, now)),
            open: 1,
            expires: grant.expires,
            reservation: grant.reservation,
        };
        self.refusal = None;
        self.leases.push_back(lease);
    }

    /// Remembers what the store said about the cell.
    pub(super) fn saw(&mut self, status: &Status<'_>, now: Timestamp) {
        if status.is_known() {
            let reset = status.reset_after().duration().unwrap_or_default();
            self.seen = Some(Seen {
                used: status.limit_units().saturating_sub(status.remaining()),
                reset_at: now + reset,
            });
        }
    }

    /// Remembers a refusal of the very cost. It stands for at least `least`, and for at most `most`
    /// without asking again.
    pub(super) fn refuse(
        &mut self,
        status: &Status<'_>,
        least: Duration,
        most: Duration,
        now: Timestamp,
    ) {
        let wait = status.retry_after().and_then(RetryAfter::duration);
        // A refusal stands for a tick at least, or nobody could say when to come again.
        let wait = wait.unwrap_or_default().max(least);
        let wait = wait.max(Duration::from_nanos(1));
        self.refusal = Some(Refusal {
            cost: status.cost(),
            since: now,
            ask_again: now + wait.min(most.max(least)),
            until: now + wait,
            unavailable: !status.is_known(),
        });
    }

    /// How full the limit is, as far as that is known here.
    pub(super) fn level(&self, cost: u64, fits: bool, now: Timestamp) -> Level {
        // A caller with an earlier clock may have written it down.
        let wait = self.refusal.map(|refusal| {
            let wait = refusal.until.saturating_since(now);
            wait.max(Duration::from_nanos(1))
        });
        let retry_after = match wait {
            Some(wait) if !fits => RetryAfter::After(wait),
            _ => RetryAfter::Unknown,
        };
        let unavailable = self.refusal.is_some_and(|refusal| refusal.unavailable);
        let seen = self.seen.filter(|_| fits || !unavailable);
        let Some(seen) = seen else {
            return Level::Unavailable { retry_after };
        };
        let used = seen.used.saturating_sub(self.available(now));
        // What does not fit is more than what is left.
        let least = match fits {
            true => 0,
            false => (self.target.quota().largest_cost().saturating_sub(cost)).saturating_add(1),
        };
        Level::Counted {
            used: used.max(least),
            retry_after,
            reset_after: RetryAfter::After(seen.reset_at.saturating_since(now)),
        }
    }

    /// Settles a draw and says how much of it came back, and which lease the store should get back.
    pub(super) fn settle(
        &mut self,
        generation: u64,
        change: Change,
        progress: Progress,
        size: u64,
        now: Timestamp,
    ) -> (u64, Option<Lease>) {
        let unused = match change {
            Change::Unused(unused) => unused,
            Change::Debt(debt) => {
                self.owe(debt, now);
                0
            }
        };
        let room = self.room(size, now);
        let found = self
            .leases
            .iter()
            .position(|lease| lease.generation == generation && lease.expires > now);
        let Some(index) = found else { return (0, None) };
        let lease = &mut self.leases[index];
        let refunded = unused.min(lease.spent);
        lease.spent -= refunded;
        lease.available += refunded.min(room);
        if progress == Progress::Final {
            lease.open = lease.open.saturating_sub(1);
        }
        let surplus = lease.unspent() > lease.available;
        if lease.is_done() || (surplus && lease.open == 0) {
            let lease = self.leases.remove(index);
            return (refunded, lease.filter(|lease| lease.unspent() > 0));
        }
        (refunded, None)
    }

    /// Takes out the leases that are over and have something left. If `all`, every lease is over.
    pub(super) fn take_over(&mut self, all: bool, now: Timestamp) -> Vec<Lease> {
        let mut over = Vec::new();
        let mut index = 0;
        while index < self.leases.len() {
            let lease = &self.leases[index];
            let crowded = self.leases.len() >= MAX_LEASES;
            if !(all || crowded || lease.expires <= now || lease.is_done()) {
                index += 1;
                continue;
            }
            let lease = self.leases.remove(index);
            over.extend(lease.filter(|lease| lease.unspent() > 0));
        }
        over
    }

    /// Units that may still be spent.
    fn available(&self, now: Timestamp) -> u64 {
        let live = self.leases.iter().filter(|lease| lease.expires > now);
        live.fold(0, |sum, lease| sum.saturating_add(lease.available))
    }

    /// Units that may still be leased.
    fn room(&self, size: u64, now: Timestamp) -> u64 {
        size.saturating_sub(self.available(now).saturating_add(self.pending))
    }

    /// The oldest lease that has `cost`.
    fn lease_with(&self, cost: u64, now: Timestamp) -> Option<usize> {
        self.leases
            .iter()
            .position(|lease| lease.expires > now && lease.available >= cost)
    }

    /// Pays a debt out of the leases as far as they reach; the rest is owed to the store.
    fn owe(&mut self, debt: u64, now: Timestamp) {
        let mut rest = debt;
        for lease in self.leases.iter_mut().filter(|lease| lease.expires > now) {
            let paid = rest.min(lease.available);
            lease.available -= paid;
            lease.spent += paid;
            rest -= paid;
        }
        self.owed = self.owed.saturating_add(rest);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Cell, Target};
    use crate::decision::{Level, RetryAfter, Status};
    use crate::limit::Limit;
    use crate::name::{Dimension, Unit};
    use crate::quota::Rate;
    use crate::request::Charge;
    use crate::time::Timestamp;

    #[test]
    fn a_refusal_seen_by_a_later_clock_still_names_a_wait() {
        let rate = Rate::per_second(1).unwrap();
        let limit = Limit::new("all", Dimension::GLOBAL, Unit::REQUESTS, rate);
        let charge = Charge::new(&limit, limit.quota(), "", 1);
        let mut cell = Cell::new(Arc::new(Target::new(&charge)));
        let wait = RetryAfter::After(Duration::from_secs(1));
        let level = Level::Counted {
            used: 1,
            retry_after: wait,
            reset_after: wait,
        };
        let refused = Status::new(charge, false, level);
        cell.saw(&refused, Timestamp::from_secs(1));
        cell.refuse(
            &refused,
            Duration::ZERO,
            Duration::MAX,
            Timestamp::from_secs(1),
        );
        let level = cell.level(1, false, Timestamp::from_secs(9));
        let status = Status::new(charge, false, level);
        let tick = RetryAfter::After(Duration::from_nanos(1));
        assert_eq!(status.retry_after(), Some(tick));
    }
}
