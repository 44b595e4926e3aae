//! What did one key use, and was it more than promised in any window?

use std::fmt;
use std::time::Duration;

use crate::quota::{Expired, Quota};
use crate::time::{Timestamp, nanos};

/// The use of one key under one quota, in the order in which the store decided.
///
/// ```
/// use bursar_ratelimit::conformance::oracle::History;
/// use bursar_ratelimit::{Rate, Timestamp};
///
/// let at = |seconds| Timestamp::from_secs(seconds).into();
/// let mut history = History::new(Rate::per_second(10)?);
/// let reserved = history.admit(10, at(0));
/// history.admit(10, at(1));
/// assert_eq!(history.violation(0), None);
///
/// // The first ten are given back after they have drained, and ten more pass at once.
/// history.settle(reserved, 0, at(1));
/// history.admit(10, at(1));
/// let violation = history.violation(0).expect("20 units passed in the same instant");
/// assert_eq!((violation.used, violation.promised), (20, 10));
/// # Ok::<(), bursar_ratelimit::QuotaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct History {
    quota: Quota,
    entries: Vec<Entry>,
}

/// When something happened, as far as that is known: a store with a clock of its own decides some
/// time between the begin and the end of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Not before.
    pub earliest: Timestamp,
    /// Not after.
    pub latest: Timestamp,
}

impl From<Timestamp> for Span {
    /// Exactly then.
    fn from(at: Timestamp) -> Self {
        Self {
            earliest: at,
            latest: at,
        }
    }
}

/// More was used in a window than the quota promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The window's first use.
    pub from: Timestamp,
    /// The window's last use.
    pub until: Timestamp,
    /// Units used in it.
    pub used: u128,
    /// Units that the quota promises for it, and the stated term.
    pub promised: u128,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Span,
    /// What was used in the end, as far as it is known; the estimate until then.
    units: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The store decided that it fits.
    Admission(Held),
    /// Used beyond an estimate; nobody was asked whether it fits.
    Debt,
}

/// What has become of an admission.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// Not settled yet.
    Open,
    /// Used.
    Settled,
    /// Given back as a whole, when there were so many entries.
    Ended(usize),
}

impl History {
    /// A key that nobody has used.
    #[must_use]
    pub fn new(quota: impl Into<Quota>) -> Self {
        Self {
            quota: quota.into(),
            entries: Vec::new(),
        }
    }

    /// The quota.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// How many admissions and debts there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody has used the key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Writes down that the store let `units` pass, and returns the admission's number.
    pub fn admit(&mut self, units: u64, at: Span) -> usize {
        self.push(units, at, Kind::Admission(Held::Open))
    }

    /// Writes down that `used` of an admission's units were used in the end. Units that were not used
    /// count for nothing from the beginning; units beyond the estimate are a debt at the settlement.
    pub fn settle(&mut self, admission: usize, used: u64, at: Span) {
        let Some(entry) = self.entries.get_mut(admission) else {
            return;
        };
        let beyond = used.saturating_sub(entry.units);
        entry.units = entry.units.min(used);
        entry.kind = Kind::Admission(Held::Settled);
        if beyond > 0 {
            self.debt(beyond, at);
        }
    }

    /// Writes down that units were charged although nobody was asked whether they fit.
    pub fn debt(&mut self, units: u64, at: Span) {
        self.push(units, at, Kind::Debt);
    }

    /// Writes down that what an admission held at once is held no more.
    pub fn end(&mut self, admission: usize) {
        let entries = self.entries.len();
        if let Some(entry) = self.entries.get_mut(admission) {
            entry.kind = Kind::Admission(Held::Ended(entries));
        }
    }

    /// Units that count against the quota at `now`, as the sum of entries. For a rate, whose use is
    /// not a sum, ask a [`Bucket`](super::Bucket).
    #[must_use]
    pub fn in_use(&self, now: Timestamp) -> u128 {
        let entries = self.entries.iter();
        entries
            .filter(|entry| self.counts(entry, self.entries.len(), now))
            .map(|entry| u128::from(entry.units))
            .sum()
    }

    /// The window in which the promise was broken by most units, `None` if it was kept in all.
    ///
    /// `term` is what the store says may pass beyond the quota, for example unspent leases. A debt
    /// counts in every window that ends with a later admission, since that one had to wait for it. A
    /// window that ends with a debt is not looked at: nobody was asked.
    #[must_use]
    pub fn violation(&self, term: u128) -> Option<Violation> {
        let mut worst: Option<Violation> = None;
        for (last, end) in self.entries.iter().enumerate() {
            if matches!(end.kind, Kind::Debt) {
                continue;
            }
            let mut used = 0_u128;
            for (first, begin) in self.entries[..=last].iter().enumerate().rev() {
                if !self.counts(begin, last, end.at.latest) {
                    continue;
                }
                used += u128::from(begin.units);
                let window = match first == last {
                    // However little is known of when it was, one admission takes no time.
                    true => Duration::ZERO,
                    false => end.at.latest.saturating_since(begin.at.earliest),
                };
                let promised = self.promised(window).saturating_add(term);
                let excess = used.saturating_sub(promised);
                if excess > worst.map_or(0, |worst| worst.excess()) {
                    worst = Some(Violation {
                        from: begin.at.earliest,
                        until: end.at.latest,
                        used,
                        promised,
                    });
                }
            }
        }
        worst
    }

    /// The most that may be used in a window.
    fn promised(&self, window: Duration) -> u128 {
        let Quota::Rate(rate) = self.quota else {
            return u128::from(self.quota.largest_cost());
        };
        let drained = u128::from(nanos(window)) * u128::from(rate.limit());
        u128::from(rate.burst_size()) + drained / u128::from(nanos(rate.period()))
    }

    /// Whether an entry certainly counts against the quota when the entry of number `last` is decided
    /// at `now`.
    fn counts(&self, entry: &Entry, last: usize, now: Timestamp) -> bool {
        let age = now.saturating_since(entry.at.earliest);
        let held = match entry.kind {
            Kind::Admission(held) => held,
            Kind::Debt => Held::Settled,
        };
        if let Held::Ended(entries) = held
            && entries <= last
        {
            return false;
        }
        match (&self.quota, held) {
            (Quota::Rate(_), _) => true,
            (Quota::SlidingWindow(window), _) => age < window.window(),
            (Quota::Concurrency(concurrency), _) => age < concurrency.expiry(),
            (Quota::Budget(budget), Held::Open) => {
                budget.expired() == Expired::Spent || age < budget.expiry()
            }
            (Quota::Budget(_), _) => true,
        }
    }

    fn push(&mut self, units: u64, at: Span, kind: Kind) -> usize {
        self.entries.push(Entry { at, units, kind });
        self.entries.len() - 1
    }
}

impl Violation {
    /// Units used beyond the promise.
    #[must_use]
    pub const fn excess(&self) -> u128 {
        self.used.saturating_sub(self.promised)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from.as_nanos(), self.until.as_nanos());
        let (used, promised) = (self.used, self.promised);
        write!(
            formatter,
            "{used} units used from {from} ns to {until} ns, {promised} promised"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{History, Span};
    use crate::{Budget, Concurrency, Rate, SlidingWindow, Timestamp};

    fn at(seconds: u64) -> Span {
        Timestamp::from_secs(seconds).into()
    }

    #[test]
    fn a_rate_promises_its_burst_and_what_drains() {
        let mut history = History::new(Rate::new(3, Duration::from_secs(10)).unwrap());
        history.admit(3, at(0));
        history.admit(1, at(4));
        assert_eq!(history.violation(0), None);
        // A third unit has drained after 10 s only.
        history.admit(2, at(9));
        let violation = history.violation(0).unwrap();
        assert_eq!((violation.used, violation.promised), (6, 5));
        assert_eq!(history.violation(1), None);
    }

    #[test]
    fn a_debt_counts_for_later_admissions_alone() {
        let mut history = History::new(Rate::per_second(10).unwrap());
        let reserved = history.admit(10, at(0));
        history.settle(reserved, 25, at(0));
        assert_eq!(history.violation(0), None);
        history.admit(1, at(1));
        assert_eq!(history.violation(0).unwrap().excess(), 6);
    }

    #[test]
    fn bounds_of_times_are_taken_generously() {
        let rate = Rate::per_second(1).unwrap();
        let span = |earliest, latest| Span {
            earliest: Timestamp::from_secs(earliest),
            latest: Timestamp::from_secs(latest),
        };
        let mut history = History::new(rate);
        history.admit(1, span(0, 5));
        // Both may have come a second apart, but not a third one too.
        history.admit(1, span(4, 5));
        history.admit(1, span(4, 5));
        assert_eq!(history.violation(0), None);
        history.admit(1, span(4, 5));
        assert_eq!(history.violation(0).unwrap().excess(), 1);
        // One admission alone takes no time.
        let mut history = History::new(rate);
        history.admit(2, span(0, 5));
        assert_eq!(history.violation(0).unwrap().excess(), 1);
    }

    #[test]
    fn what_has_left_a_window_counts_no_more() {
        let window = SlidingWindow::new(5, Duration::from_secs(10)).unwrap();
        let mut history = History::new(window);
        history.admit(5, at(0));
        history.admit(5, at(10));
        assert_eq!(history.violation(0), None);
        assert_eq!(history.in_use(Timestamp::from_secs(19)), 5);
        assert_eq!(history.in_use(Timestamp::from_secs(20)), 0);
        history.admit(1, at(19));
        assert_eq!(history.violation(0).unwrap().excess(), 1);
    }

    #[test]
    fn what_was_released_counts_until_then() {
        let mut history = History::new(Concurrency::new(1, Duration::from_secs(60)).unwrap());
        let first = history.admit(1, at(0));
        history.end(first);
        let second = history.admit(1, at(0));
        assert_eq!(history.violation(0), None);
        history.admit(1, at(0));
        history.end(second);
        assert_eq!(history.violation(0).unwrap().excess(), 1);
    }

    #[test]
    fn a_budget_is_never_whole_again() {
        let mut history = History::new(Budget::new(10, Duration::from_secs(60)).unwrap());
        let first = history.admit(8, at(0));
        history.settle(first, 4, at(1));
        history.admit(6, at(1_000_000));
        assert_eq!(history.violation(0), None);
        history.admit(1, at(2_000_000));
        assert_eq!(history.violation(0).unwrap().excess(), 1);
    }
}
