//! What did the last days cost, and which of them are no example of what is normal?

use std::collections::VecDeque;

use jiff::ToSpan;
use jiff::civil::Date;

use super::episode::Episode;

/// Days that are kept: six months, so that a position in the month is seen six times.
pub(crate) const HISTORY_DAYS: usize = 190;

/// Stands for a day without a value. A cost is far smaller.
const MISSING: f32 = f32::MAX;

/// The largest cost that is told apart.
const LARGEST_COST: f64 = 1e30;

/// The last days of the total or of one service.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Channel {
    /// Empty for the total.
    pub(super) name: String,
    costs: VecDeque<f32>,
    set_aside: VecDeque<bool>,
    pub(super) shifts: Vec<Shift>,
    pub(super) episode: Option<Episode>,
    /// By how much feedback has raised the bars of single days and of levels.
    pub(super) tolerance: Tolerance,
}

/// A new normal: the logarithm of costs is higher by this from a day on.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Shift {
    pub(super) from: Date,
    pub(super) change: f64,
    /// Whether its end was seen: then a change back is not the end of it.
    pub(super) is_settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Tolerance {
    pub(super) single: f64,
    pub(super) level: f64,
}

impl Channel {
    /// A channel of which the past days are not known.
    pub(super) fn new(name: String, n_days: usize) -> Self {
        Self {
            name,
            costs: vec![MISSING; n_days].into(),
            set_aside: vec![false; n_days].into(),
            shifts: Vec::new(),
            episode: None,
            tolerance: Tolerance {
                single: 1.0,
                level: 1.0,
            },
        }
    }

    pub(super) fn n_days(&self) -> usize {
        self.costs.len()
    }

    pub(super) fn push(&mut self, cost: Option<f64>, set_aside: bool) {
        self.costs.push_back(stored(cost));
        self.set_aside.push_back(set_aside);
        if self.costs.len() > HISTORY_DAYS {
            self.costs.pop_front();
            self.set_aside.pop_front();
        }
    }

    pub(super) fn cost(&self, day: usize) -> Option<f64> {
        let cost = *self.costs.get(day)?;
        (cost != MISSING).then_some(f64::from(cost))
    }

    pub(super) fn replace(&mut self, day: usize, cost: Option<f64>) {
        if let Some(known) = self.costs.get_mut(day) {
            *known = stored(cost);
        }
    }

    pub(super) fn is_set_aside(&self, day: usize) -> bool {
        self.set_aside.get(day).copied().unwrap_or(false)
    }

    /// Says of the last `n_days` whether they are no example of what is normal.
    pub(super) fn mark(&mut self, from: usize, until: usize, set_aside: bool) {
        let until = until.min(self.set_aside.len());
        for day in from..until {
            if let Some(mark) = self.set_aside.get_mut(day) {
                *mark = set_aside;
            }
        }
    }

    /// Whether what is stored can be what was stored: lengths agree, numbers are finite.
    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self, n_days: usize) -> bool {
        let numbers = self.shifts.iter().map(|shift| shift.change);
        let tolerance = [self.tolerance.single, self.tolerance.level];
        self.costs.len() == n_days
            && self.set_aside.len() == n_days
            && n_days <= HISTORY_DAYS
            && self.costs.iter().all(|cost| cost.is_finite())
            && numbers.chain(tolerance).all(f64::is_finite)
            && self.episode.as_ref().is_none_or(Episode::is_sound)
    }
}

fn stored(cost: Option<f64>) -> f32 {
    cost.map_or(MISSING, |cost| {
        cost.clamp(-LARGEST_COST, LARGEST_COST) as f32
    })
}

/// A later or earlier date; dates beyond the calendar stay at its end.
pub(super) fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

pub(super) fn days_between(from: Date, to: Date) -> i64 {
    i64::from((to - from).get_days())
}
