//! Does a cost fit into a rate now, and if not, when? The generic cell rate algorithm without
//! rounding.
//!
//! The algorithm is ITU-T I.371's virtual scheduling, which equals a token bucket: a bucket of
//! `burst` units drains at a constant rate, and a cost passes if it still fits. Common
//! implementations keep the bucket's theoretical arrival time as one number of nanoseconds, so a
//! unit has to take a whole number of them: seven units a second do not, and 700 million a second
//! become a billion. Here the state is the begin of the busy period and the number of units charged
//! in it, both whole, and one unit takes the fraction `ticks / units`. Every question is then a
//! comparison of two products of 128 bits: nothing is divided on the way, nothing drifts, nothing
//! overflows.

/// What a rate is for the arithmetic: `burst` units of room, drained by `units` in every `ticks`.
///
/// A tick is the store's unit of time: a nanosecond in process, a microsecond on Redis.
///
/// ```
/// use bursar_ratelimit::gcra::{Gcra, RateCell};
///
/// // Three units in ten ticks, at most two at once.
/// let rate = Gcra::new(10, 3, 2);
/// let mut cell = RateCell::default();
/// assert!(rate.admits(rate.outstanding(&cell, 100), 2));
/// rate.charge(&mut cell, 2, 100);
///
/// // One third of a unit is missing after three ticks; after four there is room for one.
/// assert!(!rate.admits(rate.outstanding(&cell, 103), 1));
/// assert_eq!(rate.wait(rate.outstanding(&cell, 100), 1), 4);
/// assert!(rate.admits(rate.outstanding(&cell, 104), 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gcra {
    ticks: u64,
    units: u64,
    burst: u64,
}

/// The state of one key under a rate. The default is a bucket that nobody has used, and a cell that
/// has drained may be forgotten without changing any decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RateCell {
    /// The tick in which the present busy period began. It also names that period: no two busy
    /// periods of a cell in which units are still outstanding begin at the same tick.
    pub start: u64,
    /// Units charged since then, less those given back.
    pub used: u64,
    /// Units given back since then.
    pub refunded: u64,
}

/// Where a reservation ends in its cell's busy period; what a refund is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The busy period, by its first tick.
    pub start: u64,
    /// Units charged in it, this reservation included.
    pub used: u64,
    /// Units that had been given back in it by then.
    pub refunded: u64,
}

/// The largest number of refunded units that a cell remembers; from there on nothing is given back
/// until the bucket has drained once. It would take a million units a second for 12 days.
pub const MAX_REFUNDED: u64 = (1 << 40) - 1;

impl Gcra {
    /// A rate of `units` in `ticks` with room for `burst`. Zeros count as one, so that no rate
    /// divides by zero; [`Rate`](crate::Rate) refuses them with an error.
    #[must_use]
    pub const fn new(ticks: u64, units: u64, burst: u64) -> Self {
        let ticks = if ticks == 0 { 1 } else { ticks };
        let units = if units == 0 { 1 } else { units };
        let divisor = greatest_common_divisor(ticks, units);
        Self {
            ticks: ticks / divisor,
            units: units / divisor,
            burst: if burst == 0 { 1 } else { burst },
        }
    }

    /// The same, field by field, which needs no copy in memory.
    #[inline]
    pub(crate) const fn copied(&self) -> Self {
        Self {
            ticks: self.ticks,
            units: self.units,
            burst: self.burst,
        }
    }

    /// The ticks of the reduced fraction.
    #[must_use]
    pub const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The units of the reduced fraction.
    #[must_use]
    pub const fn units(&self) -> u64 {
        self.units
    }

    /// The largest cost that ever passes.
    #[must_use]
    pub const fn burst(&self) -> u64 {
        self.burst
    }

    /// What has not drained yet, in units times [`ticks`](Self::ticks). A time before the cell's own
    /// start counts as that start.
    #[inline]
    #[must_use]
    pub const fn outstanding(&self, cell: &RateCell, now: u64) -> u128 {
        let drained = product(now.saturating_sub(cell.start), self.units);
        product(cell.used, self.ticks).saturating_sub(drained)
    }

    /// Whether `cost` fits beside what is outstanding.
    #[inline]
    #[must_use]
    pub const fn admits(&self, outstanding: u128, cost: u64) -> bool {
        cost <= self.burst && outstanding <= product(self.burst - cost, self.ticks)
    }

    /// The least number of ticks after which `cost` fits if nobody else comes, zero if it fits now.
    /// Only costs up to the burst ever fit; a larger one waits as long as the burst would.
    #[must_use]
    pub const fn wait(&self, outstanding: u128, cost: u64) -> u64 {
        let room = product(self.burst.saturating_sub(cost), self.ticks);
        ticks_to_drain(outstanding.saturating_sub(room), self.units)
    }

    /// The ticks after which the bucket is as good as new.
    #[must_use]
    pub const fn until_drained(&self, outstanding: u128) -> u64 {
        ticks_to_drain(outstanding, self.units)
    }

    /// Units that fit now, rounded down.
    #[must_use]
    pub const fn remaining(&self, outstanding: u128) -> u64 {
        let room = product(self.burst, self.ticks).saturating_sub(outstanding);
        divide(room, self.ticks)
    }

    /// Charges `cost`, whether or not it fits, and says where it ends. The count stops at
    /// `u64::MAX` units instead of wrapping.
    #[inline]
    pub const fn charge(&self, cell: &mut RateCell, cost: u64, now: u64) -> Position {
        let outstanding = self.outstanding(cell, now);
        self.charge_onto(cell, outstanding, cost, now)
    }

    /// [`charge`](Self::charge) where the outstanding part is known.
    #[inline]
    pub(crate) const fn charge_onto(
        &self,
        cell: &mut RateCell,
        outstanding: u128,
        cost: u64,
        now: u64,
    ) -> Position {
        if outstanding == 0 {
            *cell = RateCell {
                // A conversion may have named a start just ahead of now.
                start: if now < cell.start { cell.start } else { now },
                used: cost,
                refunded: 0,
            };
        } else {
            if cell.used.checked_add(cost).is_none() {
                self.forget_drained(cell, now, cost);
            }
            cell.used = cell.used.saturating_add(cost);
        }
        Position {
            start: cell.start,
            used: cell.used,
            refunded: cell.refunded,
        }
    }

    /// Gives back up to `unused` units of a reservation and returns how many.
    ///
    /// The reservation holds the part of the busy period that ends at its position, moved forward
    /// by what was given back since. What of it lies before `now` has drained already; crediting it
    /// again would let more than the burst pass in some window. So at most the part after `now`
    /// comes back, in whole units, and nothing once the bucket has been empty in between.
    pub const fn refund(
        &self,
        cell: &mut RateCell,
        reserved: &Position,
        unused: u64,
        now: u64,
    ) -> u64 {
        if cell.start != reserved.start || cell.refunded >= MAX_REFUNDED {
            return 0;
        }
        let refunded_since = cell.refunded.saturating_sub(reserved.refunded);
        let end = RateCell {
            start: cell.start,
            used: reserved.used.saturating_sub(refunded_since),
            refunded: 0,
        };
        let not_drained = divide(self.outstanding(&end, now), self.ticks);
        let credit = least(least(unused, not_drained), cell.used);
        cell.used -= credit;
        cell.refunded = least(cell.refunded.saturating_add(credit), MAX_REFUNDED);
        credit
    }

    /// The same outstanding units under a rate that replaces this one: what is used stays used, up to
    /// the new burst, and a debt beyond the old burst stays a debt beyond the new one.
    #[must_use]
    pub const fn convert(&self, cell: &RateCell, now: u64, new: &Self) -> RateCell {
        let converted = self.carry(cell, now, new);
        let debt = converted.used.saturating_sub(self.burst);
        let most = new.burst.saturating_add(debt);
        if converted.used <= most {
            return converted;
        }
        let cut = converted.used - most;
        RateCell {
            start: if now < cell.start { cell.start } else { now },
            used: most,
            refunded: least(converted.refunded.saturating_add(cut), MAX_REFUNDED),
        }
    }

    /// The same outstanding units under a rate that holds beside this one, all of them: what goes
    /// beyond the new burst has to drain. Rounded up to a whole tick.
    #[must_use]
    pub const fn carry(&self, cell: &RateCell, now: u64, new: &Self) -> RateCell {
        if now <= cell.start {
            // Nothing has drained, so all positions in the busy period are still right.
            return *cell;
        }
        let outstanding = self.outstanding(cell, now);
        let units = self.units_outstanding(outstanding);
        // The part of the first unit that has drained already, in ticks of the new rate.
        let drained = product(units, self.ticks).saturating_sub(outstanding);
        let drained = if units == 0 { 0 } else { drained };
        let ahead = divide_product(drained, new.ticks, product(self.ticks, new.units));
        // Later than every start that a reservation of this cell may know, so that none of them
        // takes the new busy period for its own.
        let start = now.saturating_sub(ahead);
        let unnamed = cell.start.saturating_add(1);
        RateCell {
            start: if start < unnamed { unnamed } else { start },
            used: units,
            refunded: 0,
        }
    }

    /// Rounded up to whole units.
    const fn units_outstanding(&self, outstanding: u128) -> u64 {
        let whole = divide(outstanding, self.ticks);
        if product(whole, self.ticks) == outstanding {
            whole
        } else {
            whole.saturating_add(1)
        }
    }

    /// Makes room to count `cost` more units, which names the busy period anew, so that reservations
    /// under way get nothing back. Needed once in 2^64 units: whole fractions that have drained move
    /// the start, and if that is not enough, what is outstanding is rounded up to a unit.
    const fn forget_drained(&self, cell: &mut RateCell, now: u64, cost: u64) {
        let elapsed = now.saturating_sub(cell.start);
        let fractions = least(elapsed / self.ticks, cell.used / self.units);
        cell.start += fractions * self.ticks;
        cell.used -= fractions * self.units;
        if cell.used.checked_add(cost).is_none() {
            cell.used = self.units_outstanding(self.outstanding(cell, now));
            cell.start = if now < cell.start { cell.start } else { now };
        }
        // The count is about to stop, and nothing can be given back from what was not counted; or
        // no position is known in the period that begins.
        cell.refunded = if cell.used.checked_add(cost).is_none() {
            MAX_REFUNDED
        } else {
            0
        };
    }
}

const fn product(left: u64, right: u64) -> u128 {
    (left as u128) * (right as u128)
}

/// Rounded up, at most `u64::MAX`.
const fn ticks_to_drain(outstanding: u128, units: u64) -> u64 {
    let whole = divide(outstanding, units);
    if product(whole, units) == outstanding {
        whole
    } else {
        whole.saturating_add(1)
    }
}

/// Rounded down, at most `u64::MAX`. Most quotients need no division of 128 bits.
const fn divide(dividend: u128, divisor: u64) -> u64 {
    if dividend >> 64 == 0 {
        return dividend as u64 / divisor;
    }
    let quotient = dividend / divisor as u128;
    if quotient >> 64 == 0 {
        quotient as u64
    } else {
        u64::MAX
    }
}

/// `left` × `right` ÷ `divisor`, rounded down; zero where 128 bits cannot hold the product.
const fn divide_product(left: u128, right: u64, divisor: u128) -> u64 {
    match left.checked_mul(right as u128) {
        Some(dividend) => {
            let quotient = dividend / divisor;
            if quotient >> 64 == 0 {
                quotient as u64
            } else {
                u64::MAX
            }
        }
        None => 0,
    }
}

const fn least(left: u64, right: u64) -> u64 {
    if left < right { left } else { right }
}

const fn greatest_common_divisor(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}
