//! What does this instance hold of all cells, and can a request be paid from it? All of it under one
//! short lock, without waiting for anything.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::FixedState;
use smallvec::SmallVec;

use super::cell::{Answer, Cell, Grant, Lease, Target};
use super::settings::Settings;
use crate::decision::{Level, RetryAfter, Status};
use crate::limit::Enforcement;
use crate::request::{Charge, Charges};
use crate::reservation::{CellName, Change, Hold, HoldKind, Progress, Reservation};
use crate::sync::Mutex;
use crate::time::Timestamp;

/// A draw in a reservation: which lease of which cell it came from.
#[derive(Clone, Debug)]
pub(crate) struct LeasedPart {
    fingerprint: u64,
    generation: u64,
    target: Arc<Target>,
}

/// Every lease of this instance.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) settings: Settings,
    hasher: FixedState,
    cells: Mutex<Cells>,
}

#[derive(Debug, Default)]
struct Cells {
    map: HashMap<u64, Cell, foldhash::fast::FixedState>,
    next_generation: u64,
    /// Cells that found no room since the last sweep.
    crowded_out: usize,
}

/// One leased charge on its way to a decision.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Which charge of the request.
    pub(super) index: usize,
    pub(super) charge: Charge<'a>,
    fingerprint: u64,
    state: PartState,
    pub(super) level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartState {
    Undecided,
    /// Spent from the lease of this generation.
    Drawn(u64),
    Refused,
    /// There is no room for its cell; the store decides.
    Central,
}

/// How far the leases decide a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Every leased limit has been charged, or does not refuse.
    Drawn,
    /// A limit refuses.
    Denied,
    /// The store has to be asked for the part of this number.
    Short(usize),
}

/// The leased charges of one request. What was drawn goes back when it is dropped before the request
/// was allowed.
#[derive(Debug)]
pub(super) struct Drawing<'l, 'a> {
    ledger: &'l Ledger,
    pub(super) parts: SmallVec<[Part<'a>; 4]>,
    /// Whether a draw may come back: it is a reservation, or others still have to say yes.
    may_return: bool,
    now: Timestamp,
}

impl Ledger {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            hasher: FixedState::with_seed(settings.seed),
            settings,
            cells: Mutex::new(Cells::default()),
        }
    }

    /// The leased charges of a request.
    pub(super) fn drawing<'a>(
        &self,
        charges: &Charges<'a>,
        reserves: bool,
        now: Timestamp,
    ) -> Drawing<'_, 'a> {
        let charges = charges.as_slice();
        let leased = charges
            .iter()
            .enumerate()
            .filter(|(_, charge)| self.settings.leases(charge.limit(), charge.quota()));
        let parts: SmallVec<[Part<'a>; 4]> = leased
            .map(|(index, charge)| Part {
                index,
                charge: *charge,
                fingerprint: self.hasher.hash_one((charge.limit().seed(), charge.key())),
                state: PartState::Undecided,
                level: UNKNOWN,
            })
            .collect();
        Drawing {
            ledger: self,
            may_return: reserves || parts.len() < charges.len(),
            parts,
            now,
        }
    }

    /// The statuses of charges that the leases answer for; `None` for those that the store has to be
    /// asked about.
    pub(super) fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> SmallVec<[Option<Status<'a>>; 8]> {
        let drawing = self.drawing(charges, false, now);
        let mut known: SmallVec<[Option<Status<'a>>; 8]> =
            charges.as_slice().iter().map(|_| None).collect();
        let cells = self.cells.lock();
        for part in &drawing.parts {
            let Some(cell) = cells.map.get(&part.fingerprint) else {
                continue;
            };
            let cost = part.charge.cost();
            let fits = match cell.ask(cost, now) {
                Answer::Fits => true,
                Answer::Refused => false,
                Answer::Short => continue,
            };
            let level = cell.level(cost, fits, now);
            known[part.index] = Some(Status::new(part.charge, fits, level));
        }
        drop(cells);
        known
    }

    pub(super) fn keys(&self) -> usize {
        self.cells.lock().map.len()
    }

    /// What the store should get back: every lease, or those that have expired. Forgets idle cells.
    pub(super) fn take_over(&self, all: bool, now: Timestamp) -> Vec<(Arc<Target>, Lease)> {
        let mut cells = self.cells.lock();
        let mut over = Vec::new();
        for cell in cells.map.values_mut() {
            let leases = cell.take_over(all, now);
            over.extend(
                leases
                    .into_iter()
                    .map(|lease| (Arc::clone(&cell.target), lease)),
            );
        }
        cells.map.retain(|_, cell| !cell.is_idle(now));
        over
    }

    /// Cells that owe something to the store.
    pub(super) fn owing(&self) -> Vec<u64> {
        let cells = self.cells.lock();
        let owing = cells.map.iter().filter(|(_, cell)| cell.owed > 0);
        owing.map(|(fingerprint, _)| *fingerprint).collect()
    }

    /// Takes a cell's debt to pay it; what is not paid is owed again.
    pub(super) fn debt(&self, fingerprint: u64) -> Option<Debt<'_>> {
        let mut cells = self.cells.lock();
        let cell = cells.map.get_mut(&fingerprint)?;
        let units = std::mem::take(&mut cell.owed);
        (units > 0).then(|| Debt {
            ledger: self,
            fingerprint,
            target: Arc::clone(&cell.target),
            units,
        })
    }

    /// Settles one draw of a reservation: how much came back, and the lease that the store should
    /// get back.
    pub(super) fn settle(
        &self,
        part: &LeasedPart,
        change: Change,
        progress: Progress,
        now: Timestamp,
    ) -> (u64, Option<(Arc<Target>, Lease)>) {
        let mut cells = self.cells.lock();
        let owes = matches!(change, Change::Debt(1..));
        if !owes && !cells.map.contains_key(&part.fingerprint) {
            return (0, None);
        }
        // As many cells as reservations may owe something, whatever the settings say.
        let cell = cells.add(part.fingerprint, || Arc::clone(&part.target));
        // What comes back may have drained in the store long ago, so only the store can tell how much
        // of it may be spent again: here there is room for nothing.
        let (refunded, over) = cell.settle(part.generation, change, progress, 0, now);
        let target = Arc::clone(&cell.target);
        (refunded, over.map(|lease| (target, lease)))
    }

    fn release(&self, fingerprint: u64, units: u64) {
        if let Some(cell) = self.cells.lock().map.get_mut(&fingerprint) {
            cell.pending = cell.pending.saturating_sub(units);
        }
    }
}

pub(super) const UNKNOWN: Level = Level::Unavailable {
    retry_after: RetryAfter::Unknown,
};

impl Cells {
    /// The cell of a charge, `None` if there is no room for one more.
    fn cell(
        &mut self,
        fingerprint: u64,
        charge: &Charge<'_>,
        max_cells: usize,
        now: Timestamp,
    ) -> Option<&mut Cell> {
        if self.map.len() >= max_cells && !self.map.contains_key(&fingerprint) {
            if self.crowded_out == 0 {
                self.map.retain(|_, cell| !cell.is_idle(now));
            }
            // The next sweep comes when it can have become worth its time.
            self.crowded_out = (self.crowded_out + 1) % (max_cells / 8).max(1);
            if self.map.len() >= max_cells {
                return None;
            }
        }
        let cell = self.add(fingerprint, || Arc::new(Target::new(charge)));
        cell.update(charge);
        Some(cell)
    }

    /// The cell, whether or not there is room for one more.
    fn add(&mut self, fingerprint: u64, target: impl FnOnce() -> Arc<Target>) -> &mut Cell {
        let cell = self.map.entry(fingerprint);
        cell.or_insert_with(|| Cell::new(target()))
    }
}

impl Drawing<'_, '_> {
    /// Charges every leased limit if all of them fit; otherwise none that was not charged before.
    pub(super) fn draw(&mut self) -> Round {
        let mut cells = self.ledger.cells.lock();
        let mut short = None;
        let mut denied = false;
        for (number, part) in self.parts.iter_mut().enumerate() {
            denied |= part.state == PartState::Refused && part.is_enforced();
            if part.state != PartState::Undecided {
                continue;
            }
            let max_cells = self.ledger.settings.max_cells;
            let cell = cells.cell(part.fingerprint, &part.charge, max_cells, self.now);
            let Some(cell) = cell else {
                part.state = PartState::Central;
                self.may_return = true;
                continue;
            };
            match cell.ask(part.charge.cost(), self.now) {
                Answer::Fits => {}
                Answer::Refused => {
                    part.state = PartState::Refused;
                    denied |= part.is_enforced();
                }
                Answer::Short => short = short.or(Some(number)),
            }
        }
        let round = match short {
            _ if denied => Round::Denied,
            Some(number) => {
                // What the store grants for one limit comes back if another one refuses.
                self.may_return = true;
                return Round::Short(number);
            }
            None => Round::Drawn,
        };
        for part in &mut self.parts {
            let Some(cell) = cells.map.get_mut(&part.fingerprint) else {
                continue;
            };
            let cost = part.charge.cost();
            if round == Round::Drawn && part.state == PartState::Undecided {
                let drawn = cell.draw(cost, self.may_return, self.now);
                part.state = drawn.map_or(PartState::Refused, PartState::Drawn);
            }
            part.level = cell.level(cost, part.fits(), self.now);
        }
        round
    }

    /// Begins to ask the store for a part; see [`Cell::plan`].
    pub(super) fn ask(&self, number: usize) -> Asking<'_> {
        let part = &self.parts[number];
        let cost = part.charge.cost();
        let size = self.ledger.settings.lease_units(part.charge.quota());
        let mut cells = self.ledger.cells.lock();
        let cell = cells.add(part.fingerprint, || Arc::new(Target::new(&part.charge)));
        // A request of another tier may have come in between.
        cell.update(&part.charge);
        let over = cell.take_over(false, self.now);
        let amount = cell.plan(cost, size, self.now);
        Asking {
            ledger: self.ledger,
            fingerprint: part.fingerprint,
            target: Arc::clone(&cell.target),
            cost,
            amount,
            size,
            pending: amount - cost,
            is_first: true,
            over,
        }
    }

    /// Takes what the store has granted.
    pub(super) fn granted(&mut self, number: usize, generation: u64) {
        self.parts[number].state = PartState::Drawn(generation);
    }

    /// Takes note that the store has refused.
    pub(super) fn refused(&mut self, number: usize) {
        self.parts[number].state = PartState::Refused;
    }

    /// Whether the leases, and not the store, decide a charge.
    pub(super) fn part(&self, index: usize) -> Option<&Part<'_>> {
        let mut parts = self.parts.iter();
        parts.find(|part| part.index == index && part.state != PartState::Central)
    }

    /// Gives back what was drawn, for a request that is denied. What has no room here goes back to
    /// the store.
    pub(super) fn put_back(&mut self) -> Vec<(Arc<Target>, Lease)> {
        let mut cells = self.ledger.cells.lock();
        let mut over = Vec::new();
        for part in &mut self.parts {
            let Some(cell) = cells.map.get_mut(&part.fingerprint) else {
                continue;
            };
            let cost = part.charge.cost();
            let mut fits = part.fits();
            if let PartState::Drawn(generation) = part.state {
                let size = self.ledger.settings.lease_units(part.charge.quota());
                let unused = Change::Unused(cost);
                let (_, lease) = cell.settle(generation, unused, Progress::Final, size, self.now);
                over.extend(lease.map(|lease| (Arc::clone(&cell.target), lease)));
                part.state = PartState::Undecided;
                fits = true;
            }
            part.level = cell.level(cost, fits, self.now);
        }
        over
    }

    /// The draws of a request that has been allowed, and their holds, for its reservation.
    pub(super) fn keep(mut self) -> (SmallVec<[LeasedPart; 2]>, SmallVec<[Hold; 6]>) {
        let parts = std::mem::take(&mut self.parts);
        let mut leased = SmallVec::new();
        let mut holds = SmallVec::new();
        let cells = self.ledger.cells.lock();
        for part in parts {
            let PartState::Drawn(generation) = part.state else {
                continue;
            };
            let cell = cells.map.get(&part.fingerprint);
            let target = cell
                .filter(|cell| cell.target.quota() == part.charge.quota())
                .map(|cell| Arc::clone(&cell.target));
            leased.push(LeasedPart {
                fingerprint: part.fingerprint,
                generation,
                target: target.unwrap_or_else(|| Arc::new(Target::new(&part.charge))),
            });
            let cell = CellName::Fingerprint {
                shard: 0,
                fingerprint: part.fingerprint,
            };
            let (unit, cost) = (part.charge.limit().unit(), part.charge.cost());
            holds.push(Hold::new(cell, unit, cost, HoldKind::Leased));
        }
        (leased, holds)
    }

    /// Spends the draws of a request that has been allowed for good. What others gave back to their
    /// leases in the meantime and has no room here goes back to the store.
    pub(super) fn spend(mut self) -> Vec<(Arc<Target>, Lease)> {
        let parts = std::mem::take(&mut self.parts);
        let mut over = Vec::new();
        if !self.may_return {
            return over;
        }
        let mut cells = self.ledger.cells.lock();
        for part in parts {
            if let PartState::Drawn(generation) = part.state
                && let Some(cell) = cells.map.get_mut(&part.fingerprint)
            {
                let nothing = Change::Unused(0);
                let (_, lease) = cell.settle(generation, nothing, Progress::Final, 0, self.now);
                over.extend(lease.map(|lease| (Arc::clone(&cell.target), lease)));
            }
        }
        over
    }
}

impl Drop for Drawing<'_, '_> {
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            // Whoever does not wait for the end of a decision leaves a surplus with the store.
            let _ = self.put_back();
        }
    }
}

impl Part<'_> {
    fn is_enforced(&self) -> bool {
        self.charge.limit().enforcement() == Enforcement::Enforced
    }

    /// Whether nothing is known that speaks against it.
    pub(super) fn fits(&self) -> bool {
        self.state != PartState::Refused
    }
}

impl LeasedPart {
    pub(super) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// A question to the store that is under way; dropped, it is over.
#[derive(Debug)]
pub(super) struct Asking<'l> {
    ledger: &'l Ledger,
    fingerprint: u64,
    pub(super) target: Arc<Target>,
    pub(super) cost: u64,
    /// How much to ask for.
    pub(super) amount: u64,
    size: u64,
    pending: u64,
    is_first: bool,
    /// Leases that the store should get back first.
    pub(super) over: Vec<Lease>,
}

impl Asking<'_> {
    pub(super) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Adds what the store has granted, spends the cost of it, and names the lease.
    pub(super) fn granted(
        mut self,
        reservation: Reservation,
        status: &Status<'_>,
        now: Timestamp,
    ) -> u64 {
        let mut cells = self.ledger.cells.lock();
        cells.next_generation += 1;
        let generation = cells.next_generation;
        let grant = Grant {
            generation,
            granted: self.amount,
            expires: now + self.ledger.settings.time,
            reservation,
        };
        let cell = cells.add(self.fingerprint, || Arc::clone(&self.target));
        cell.pending = cell.pending.saturating_sub(self.pending);
        self.pending = 0;
        cell.saw(status, now);
        cell.grant(grant, self.cost, self.size, now);
        generation
    }

    /// Takes note of a refusal, and says whether to ask for less: what is left, and in the end the
    /// very cost.
    pub(super) fn refused(&mut self, status: &Status<'_>, now: Timestamp) -> bool {
        let (least, most) = (self.ledger.settings.refusal, self.ledger.settings.time);
        let mut cells = self.ledger.cells.lock();
        let cell = cells.add(self.fingerprint, || Arc::clone(&self.target));
        cell.saw(status, now);
        if self.amount == self.cost {
            cell.refuse(status, least, most, now);
            return false;
        }
        if matches!(status.level(), Level::Rate { .. }) && status.remaining() < self.cost {
            // A rate's level says of every cost when it fits.
            let exact = Status::new(self.target.charge(self.cost), false, *status.level());
            let exact = exact.late(status.lateness());
            cell.refuse(&exact, least, most, now);
            return false;
        }
        let left = status.remaining().min(self.amount - 1);
        self.amount = match self.is_first {
            true => left.max(self.cost),
            false => self.cost,
        };
        self.is_first = false;
        true
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.pending > 0 {
            self.ledger.release(self.fingerprint, self.pending);
        }
    }
}

/// A debt on its way to the store.
#[derive(Debug)]
pub(super) struct Debt<'l> {
    ledger: &'l Ledger,
    fingerprint: u64,
    pub(super) target: Arc<Target>,
    pub(super) units: u64,
}

impl Debt<'_> {
    /// The store knows of it.
    pub(super) fn paid(mut self) {
        self.units = 0;
    }
}

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        if self.units == 0 {
            return;
        }
        let mut cells = self.ledger.cells.lock();
        let cell = cells.add(self.fingerprint, || Arc::clone(&self.target));
        cell.owed = cell.owed.saturating_add(self.units);
    }
}
