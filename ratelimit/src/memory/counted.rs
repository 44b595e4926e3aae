//! What has to be remembered one by one? The entries of exact windows and the holds of stocks.

use std::collections::VecDeque;
use std::time::Duration;

use crate::decision::{Level, RetryAfter};
use crate::quota::{Expired, Quota, SlidingWindow};
use crate::time::nanos;

/// A cell of anything but a rate.
#[derive(Debug)]
pub(crate) enum CountedCell {
    Window(WindowCell),
    Stock(StockCell),
}

impl CountedCell {
    /// An unused cell for a quota; `None` for a rate, whose cells are in the table.
    pub(crate) fn new(quota: &Quota) -> Option<Self> {
        match quota {
            Quota::Rate(_) => None,
            Quota::SlidingWindow(_) => Some(Self::Window(WindowCell::default())),
            Quota::Concurrency(_) | Quota::Budget(_) => Some(Self::Stock(StockCell::default())),
        }
    }

    /// Whether the cell still means anything at `now`.
    pub(crate) fn is_unused(&self, now: u64) -> bool {
        match self {
            Self::Window(cell) => cell.kept_until <= now,
            Self::Stock(cell) => cell.is_unused(now),
        }
    }
}

/// Admissions in the order of their times.
#[derive(Debug, Default)]
pub(crate) struct WindowCell {
    entries: VecDeque<WindowEntry>,
    used: u64,
    /// When the last entry has left every window that entries were admitted under. From then on the
    /// cell may be forgotten, so it counts for nothing even if the window has been lengthened since.
    kept_until: u64,
}

#[derive(Clone, Copy, Debug)]
struct WindowEntry {
    at: u64,
    units: u64,
}

impl WindowCell {
    pub(crate) fn used(&mut self, window: &SlidingWindow, now: u64) -> u64 {
        if self.kept_until <= now {
            self.entries.clear();
            self.used = 0;
        }
        // The window may have been changed since, so ends are computed anew.
        let length = nanos(window.window());
        while let Some(oldest) = self.entries.front()
            && oldest.at.saturating_add(length) <= now
        {
            self.used = self.used.saturating_sub(oldest.units);
            self.entries.pop_front();
        }
        self.used
    }

    /// After [`WindowCell::used`]: how full it is, and when `cost` fits.
    pub(crate) fn level(&self, window: &SlidingWindow, now: u64, cost: u64) -> Level {
        let length = nanos(window.window());
        let until = |entry: &WindowEntry| {
            let ends = entry.at.saturating_add(length);
            RetryAfter::After(Duration::from_nanos(ends.saturating_sub(now)))
        };
        let mut excess = self
            .used
            .saturating_sub(window.limit().saturating_sub(cost));
        let freeing = self.entries.iter().find(|entry| {
            excess = excess.saturating_sub(entry.units);
            excess == 0
        });
        let none = RetryAfter::After(Duration::ZERO);
        Level::Counted {
            used: self.used,
            retry_after: freeing.map_or(none, until),
            reset_after: self.last_used().map_or(none, until),
        }
    }

    /// After [`WindowCell::used`]: when `cost` fits if those ahead pass first, each as soon as it can.
    pub(crate) fn wait_behind(
        &self,
        window: &SlidingWindow,
        now: u64,
        ahead: impl Iterator<Item = u64>,
        cost: u64,
    ) -> RetryAfter {
        let (mut used, mut passes_at) = (self.used, now);
        let mut entries = self.entries.iter().map(|entry| (entry.at, entry.units));
        let mut passed = VecDeque::new();
        for units in ahead.chain([cost]) {
            let Some(room) = window.limit().checked_sub(units) else {
                // The limit was lowered; it is up to the waiter to notice that it never passes.
                return RetryAfter::Unknown;
            };
            while used > room
                && let Some((at, leaving)) = entries.next().or_else(|| passed.pop_front())
            {
                passes_at = passes_at.max(at.saturating_add(nanos(window.window())));
                used = used.saturating_sub(leaving);
            }
            used = used.saturating_add(units);
            passed.push_back((slice_end(window, passes_at), units));
        }
        RetryAfter::After(Duration::from_nanos(passes_at - now))
    }

    /// The newest entry that was not given back.
    fn last_used(&self) -> Option<&WindowEntry> {
        self.entries.iter().rev().find(|entry| entry.units > 0)
    }

    /// Charges `cost` and says under which time.
    pub(crate) fn charge(&mut self, window: &SlidingWindow, now: u64, cost: u64) -> u64 {
        let at = slice_end(window, now);
        // Time never runs backward in a shard, but a window may have got coarser slices.
        let at = self.entries.back().map_or(at, |last| last.at.max(at));
        if cost > 0 {
            self.add(window, at, cost);
        }
        at
    }

    fn add(&mut self, window: &SlidingWindow, at: u64, cost: u64) {
        self.used = self.used.saturating_add(cost);
        let leaves = at.saturating_add(nanos(window.window()));
        self.kept_until = self.kept_until.max(leaves);
        match self.entries.back_mut() {
            Some(last) if last.at == at => last.units = last.units.saturating_add(cost),
            _ => self.entries.push_back(WindowEntry { at, units: cost }),
        }
    }

    /// Gives back up to `unused` units of the entry at a time: the use of a window is counted at the
    /// time of its admission, so this is exact.
    pub(crate) fn refund(&mut self, at: u64, unused: u64) -> u64 {
        let Ok(index) = self.entries.binary_search_by_key(&at, |entry| entry.at) else {
            return 0;
        };
        let entry = &mut self.entries[index];
        let credit = unused.min(entry.units);
        entry.units -= credit;
        self.used = self.used.saturating_sub(credit);
        credit
    }
}

/// The time that an admission at `now` counts under.
fn slice_end(window: &SlidingWindow, now: u64) -> u64 {
    let slice = nanos(window.slice());
    now.checked_next_multiple_of(slice).unwrap_or(now)
}

/// What is held, by whom and until when, and what is spent for good.
#[derive(Debug, Default)]
pub(crate) struct StockCell {
    /// In the order of their ids, which is that of their admission.
    holds: VecDeque<StockHold>,
    held: u64,
    spent: u64,
    /// Whether some hold counts as spent when it expires.
    expires_as_spent: bool,
}

#[derive(Clone, Copy, Debug)]
struct StockHold {
    id: u128,
    units: u64,
    expires: u64,
}

impl StockCell {
    /// Whether nothing is spent, and nothing held that is not free again by `now`.
    fn is_unused(&self, now: u64) -> bool {
        let ended = match self.holds.back() {
            Some(last) => last.expires <= now && !self.expires_as_spent,
            None => true,
        };
        ended && self.spent == 0
    }

    /// Units in use, after what has expired by `now` was dealt with.
    pub(crate) fn used(&mut self, stock: &Stock, now: u64) -> u64 {
        self.expire(stock.expired, now);
        self.held.saturating_add(self.spent(stock))
    }

    /// Ends what has expired before a settlement, which is not to depend on whether somebody has
    /// asked in the meantime.
    pub(crate) fn expire_before_settlement(&mut self, now: u64) {
        let expired = match self.expires_as_spent {
            true => Expired::Spent,
            false => Expired::Returned,
        };
        self.expire(expired, now);
    }

    fn expire(&mut self, expired: Expired, now: u64) {
        while let Some(oldest) = self.holds.front()
            && oldest.expires <= now
        {
            self.held = self.held.saturating_sub(oldest.units);
            if expired == Expired::Spent {
                self.spent = self.spent.saturating_add(oldest.units);
            }
            self.holds.pop_front();
        }
    }

    /// What was spent when the quota was a budget counts again if it becomes one again.
    fn spent(&self, stock: &Stock) -> u64 {
        if stock.spends { self.spent } else { 0 }
    }

    /// After [`StockCell::used`]: how full it is, and when `cost` fits if nobody settles before.
    pub(crate) fn level(&self, stock: &Stock, now: u64, cost: u64) -> Level {
        let spent = self.spent(stock);
        let used = self.held.saturating_add(spent);
        let excess = used.saturating_sub(stock.limit.saturating_sub(cost));
        Level::Counted {
            used,
            retry_after: self.until_free(excess, stock.expired, now),
            reset_after: match spent {
                0 => self.until_free(self.held, stock.expired, now),
                _ => RetryAfter::Never,
            },
        }
    }

    /// When so many units have become free.
    fn until_free(&self, excess: u64, expired: Expired, now: u64) -> RetryAfter {
        if excess == 0 {
            return RetryAfter::After(Duration::ZERO);
        }
        if excess > self.held {
            return RetryAfter::Never;
        }
        // Holds that count as spent when they expire become free only if they are settled with less.
        if expired == Expired::Spent {
            return RetryAfter::Unknown;
        }
        let mut freed = 0_u64;
        let last = self.holds.iter().find(|hold| {
            freed = freed.saturating_add(hold.units);
            freed >= excess
        });
        last.map_or(RetryAfter::Unknown, |hold| {
            RetryAfter::After(Duration::from_nanos(hold.expires.saturating_sub(now)))
        })
    }

    pub(crate) fn spend(&mut self, units: u64) {
        self.spent = self.spent.saturating_add(units);
    }

    /// Adds a hold. Threads may come in another order than that of their ids; holds stay in the order
    /// of ids and end in it too, so one that was overtaken lets those after it wait for its own end.
    pub(crate) fn hold(&mut self, id: u128, units: u64, expires: u64, expired: Expired) {
        let alone = self.holds.is_empty();
        self.expires_as_spent = expired == Expired::Spent || (self.expires_as_spent && !alone);
        self.held = self.held.saturating_add(units);
        let index = self.holds.partition_point(|hold| hold.id < id);
        let before = index.checked_sub(1).and_then(|last| self.holds.get(last));
        let expires = before.map_or(expires, |last| last.expires.max(expires));
        self.holds.insert(index, StockHold { id, units, expires });
        for later in self.holds.iter_mut().skip(index + 1) {
            if later.expires >= expires {
                break;
            }
            later.expires = expires;
        }
    }

    /// Charges more for a hold, whether or not it fits. False if the hold has ended.
    pub(crate) fn grow(&mut self, id: u128, units: u64) -> bool {
        let Some(index) = self.find(id) else {
            return false;
        };
        let hold = &mut self.holds[index];
        hold.units = hold.units.saturating_add(units);
        self.held = self.held.saturating_add(units);
        true
    }

    /// Ends a hold and says how many units it held; `None` if it has ended before.
    pub(crate) fn end(&mut self, id: u128) -> Option<u64> {
        let index = self.find(id)?;
        let hold = self.holds.remove(index)?;
        self.held = self.held.saturating_sub(hold.units);
        Some(hold.units)
    }

    fn find(&self, id: u128) -> Option<usize> {
        self.holds.binary_search_by_key(&id, |hold| hold.id).ok()
    }
}

/// A stock's numbers, whichever kind it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stock {
    pub(crate) limit: u64,
    pub(crate) expiry: Duration,
    pub(crate) expired: Expired,
    /// Whether what is used up never comes back.
    pub(crate) spends: bool,
}

impl Stock {
    /// The numbers of a concurrency limit or a budget; of another quota an empty stock.
    pub(crate) const fn of(quota: &Quota) -> Self {
        match quota {
            Quota::Concurrency(concurrency) => Self {
                limit: concurrency.limit(),
                expiry: concurrency.expiry(),
                expired: Expired::Returned,
                spends: false,
            },
            Quota::Budget(budget) => Self {
                limit: budget.amount(),
                expiry: budget.expiry(),
                expired: budget.expired(),
                spends: true,
            },
            Quota::Rate(_) | Quota::SlidingWindow(_) => Self {
                limit: 0,
                expiry: Duration::ZERO,
                expired: Expired::Spent,
                spends: false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Stock, StockCell};
    use crate::quota::Expired;

    const CALLS: Stock = Stock {
        limit: 100,
        expiry: Duration::from_nanos(100),
        expired: Expired::Returned,
        spends: false,
    };

    #[test]
    fn finds_holds_of_threads_that_overtook_each_other() {
        let mut cell = StockCell::default();
        cell.hold(6, 10, 100, Expired::Returned);
        cell.hold(5, 20, 101, Expired::Returned);
        cell.hold(7, 40, 90, Expired::Returned);
        assert_eq!(cell.end(6), Some(10));
        assert_eq!(cell.used(&CALLS, 100), 60);
        assert_eq!(cell.used(&CALLS, 101), 0);
        assert_eq!(cell.end(5), None);
    }
}
