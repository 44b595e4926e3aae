//! What was held for a request, and what did it really use? Reservations and their settlement.

use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;

use crate::gcra::{Gcra, Position};
use crate::lease::LeasedPart;
use crate::name::Unit;
use crate::quota::SlidingWindow;

/// The identity of a reservation, unique in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationId(pub u128);

/// What a store holds for one request until its real usage is known.
///
/// Settle it with [`Store::settle`](crate::Store::settle), once or in steps while an answer streams.
/// One that is never settled stands at its estimate: in rates and windows it grows old by itself, and
/// in a concurrency limit or a budget it ends when the quota's expiry has passed.
#[derive(Debug)]
#[must_use = "a reservation that is dropped stands at its estimate; settle it with the real usage"]
pub struct Reservation {
    id: ReservationId,
    holds: SmallVec<[Hold; 6]>,
    settled: bool,
    layer: Option<Box<Layer>>,
}

/// What a store that stands before another one keeps in a reservation of its own.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Which store made it.
    pub(crate) owner: LayerId,
    /// What the store behind holds for it.
    pub(crate) inner: Option<Reservation>,
    /// What is held from leases; the first holds, in their order.
    pub(crate) leased: SmallVec<[LeasedPart; 2]>,
}

/// The identity of a store that stands before another one, unique in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerId(u64);

impl LayerId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// An id that no store in memory and no other layer gives out.
    pub(crate) fn reservation(self, number: u64) -> ReservationId {
        let layer = u128::from(self.0) | (1 << 63);
        ReservationId((layer << 64) | u128::from(number))
    }
}

/// A reservation's part under one limit. For implementations of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hold {
    /// Where the store finds the cell.
    pub cell: CellName,
    /// What is counted there.
    pub unit: Unit,
    /// Units held at first: the estimate.
    pub reserved: u64,
    /// Units charged by now: the estimate, or more if the usage has grown beyond it.
    pub charged: u64,
    /// What a settlement needs to know.
    pub kind: HoldKind,
}

/// A store's own name of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CellName {
    /// A part of a store in memory, and a fingerprint in it.
    Fingerprint {
        /// The part.
        shard: u32,
        /// The fingerprint.
        fingerprint: u64,
    },
    /// A key of a remote store.
    Key(Box<str>),
}

/// How a hold is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldKind {
    /// In a rate.
    Rate {
        /// The rate in the store's ticks.
        gcra: Gcra,
        /// Where the reservation ends in the cell's busy period.
        position: Position,
    },
    /// In a sliding window.
    SlidingWindow {
        /// The window.
        window: SlidingWindow,
        /// The entry's time in the store's ticks.
        at: u64,
    },
    /// In a concurrency limit.
    Concurrency,
    /// In a budget.
    Budget,
    /// In units that were [leased](crate::lease) before.
    Leased,
}

impl Hold {
    /// A hold of `reserved` units. For implementations of a store.
    #[must_use]
    pub const fn new(cell: CellName, unit: Unit, reserved: u64, kind: HoldKind) -> Self {
        Self {
            cell,
            unit,
            reserved,
            charged: reserved,
            kind,
        }
    }
}

impl Reservation {
    /// A reservation of the given holds. For implementations of a store.
    pub fn new(id: ReservationId, holds: impl IntoIterator<Item = Hold>) -> Self {
        Self {
            id,
            holds: holds.into_iter().collect(),
            settled: false,
            layer: None,
        }
    }

    pub(crate) const fn from_holds(id: ReservationId, holds: SmallVec<[Hold; 6]>) -> Self {
        Self {
            id,
            holds,
            settled: false,
            layer: None,
        }
    }

    pub(crate) fn with_layer(mut self, layer: Layer) -> Self {
        self.layer = Some(Box::new(layer));
        self
    }

    /// What is held from leases.
    pub(crate) fn leased(&self) -> &[LeasedPart] {
        self.layer.as_ref().map_or(&[], |layer| &layer.leased)
    }

    /// What the given store keeps in it; `None` if another one made it.
    pub(crate) fn layer(&mut self, owner: LayerId) -> Option<&mut Layer> {
        let layer = self.layer.as_deref_mut();
        layer.filter(|layer| layer.owner == owner)
    }

    /// Its identity.
    #[must_use]
    pub const fn id(&self) -> ReservationId {
        self.id
    }

    /// Whether its last settlement has been made.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.settled
    }

    /// Units held in a unit at first, `None` if no limit counts it.
    #[must_use]
    pub fn reserved(&self, unit: Unit) -> Option<u64> {
        let mut holds = self.holds.iter().filter(|hold| hold.unit == unit);
        holds.next().map(|hold| hold.reserved)
    }

    /// The holds in the order of the limits. For implementations of a store.
    #[must_use]
    pub fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// What a settlement with `usage` changes under each hold. For implementations of a store.
    ///
    /// Usage only grows from step to step, so what a step charged beyond the estimate stays charged.
    #[must_use]
    pub fn change(&self, hold: &Hold, usage: &Usage, progress: Progress) -> Change {
        let used = usage.of(hold.unit).unwrap_or(hold.charged);
        if used > hold.charged {
            return Change::Debt(used - hold.charged);
        }
        let within_estimate = hold.charged == hold.reserved;
        match progress {
            Progress::Final if within_estimate => Change::Unused(hold.charged - used),
            Progress::Final | Progress::Step => Change::Unused(0),
        }
    }

    /// Writes down that a settlement was made. For implementations of a store.
    pub fn settled(&mut self, usage: &Usage, progress: Progress) {
        for hold in &mut self.holds {
            let used = usage.of(hold.unit).unwrap_or(hold.charged);
            hold.charged = hold.charged.max(used);
        }
        self.settled |= progress == Progress::Final;
    }
}

/// What a settlement does under one hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Units used beyond what is charged: charged now, whether or not they fit.
    Debt(u64),
    /// Units charged and not used, to be given back as far as that is safe.
    Unused(u64),
}

/// Whether usage is still growing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// More will come: what goes beyond the estimate is charged, nothing is given back.
    Step,
    /// All is known: what was not used is given back, and the reservation ends.
    Final,
}

/// What a request really used, in the units that are known. A unit that is not named is settled at
/// its estimate.
///
/// In a settlement in steps, usage is the sum so far and not the part since the last step, so that a
/// step that is repeated changes nothing.
///
/// ```
/// use bursar_ratelimit::{Unit, Usage};
///
/// let usage = Usage::new().with(Unit::TOKENS, 873);
/// assert_eq!(usage.of(Unit::TOKENS), Some(873));
/// assert_eq!(usage.of(Unit::REQUESTS), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(SmallVec<[(Unit, u64); 4]>);

impl Usage {
    /// Nothing known: everything is settled at its estimate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many units used; the last word for a unit counts.
    #[must_use]
    pub fn with(mut self, unit: Unit, used: u64) -> Self {
        match self.0.iter_mut().find(|(name, _)| *name == unit) {
            Some((_, old)) => *old = used,
            None => self.0.push((unit, used)),
        }
        self
    }

    /// Units used, if they are known.
    #[must_use]
    pub fn of(&self, unit: Unit) -> Option<u64> {
        let found = self.0.iter().find(|(name, _)| *name == unit);
        found.map(|(_, used)| *used)
    }
}

/// What a settlement did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Settlement {
    parts: Option<SmallVec<[Settled; 6]>>,
}

impl Settlement {
    /// The reservation had been settled, or had expired: nothing was changed.
    pub const ALREADY_SETTLED: Self = Self { parts: None };

    /// A settlement that was applied. For implementations of a store.
    pub fn applied(parts: impl IntoIterator<Item = Settled>) -> Self {
        Self {
            parts: Some(parts.into_iter().collect()),
        }
    }

    /// Whether anything was done: false if the reservation had been settled, or had expired.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        self.parts.is_some()
    }

    /// What was done under each limit, in the order of the limits.
    #[must_use]
    pub fn parts(&self) -> &[Settled] {
        self.parts.as_deref().unwrap_or_default()
    }
}

/// A settlement under one hold, in the order of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// What is counted.
    pub unit: Unit,
    /// Units that were held at first.
    pub reserved: u64,
    /// Units charged now beyond what was charged before.
    pub debt: u64,
    /// Units given back.
    pub refunded: u64,
    /// Units not used and yet not given back, because they had drained already or could not safely be
    /// told from such.
    pub kept: u64,
}

impl Settled {
    /// What became of a change under a hold. For implementations of a store.
    #[must_use]
    pub const fn new(hold: &Hold, change: Change, refunded: u64) -> Self {
        let (debt, unused) = match change {
            Change::Debt(debt) => (debt, 0),
            Change::Unused(unused) => (0, unused),
        };
        Self {
            unit: hold.unit,
            reserved: hold.reserved,
            debt,
            refunded,
            kept: unused.saturating_sub(refunded),
        }
    }
}
