//! What did the last days cost, and which of them are no example of what is normal?

use std::collections::VecDeque;

use jiff::ToSpan;
use jiff::civil::Date;

use super::episode::Episode;

/// Days that are remembered: six months and a week, so that a position in the month is seen six times.
pub const HISTORY_DAYS: usize = 190;

/// Stands for a day without a value. A cost is far smaller.
const MISSING: f32 = f32::MAX;

/// The largest cost that memory tells apart.
const LARGEST_COST: f64 = 1e30;

/// The last days of the total or of one service: five bytes a day.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Channel {
    /// Empty for the total.
    pub(super) name: String,
    costs: VecDeque<f32>,
    set_aside: VecDeque<bool>,
    shifts: Vec<Shift>,
    pub(super) episode: Option<Episode>,
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

/// By how much feedback has raised the bars of single days and of levels.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Tolerance {
    pub(super) single: f64,
    pub(super) level: f64,
}

/// The most that feedback raises a bar.
const LARGEST_TOLERANCE: f64 = 4.0;

impl Tolerance {
    /// After a false alarm.
    pub(super) fn raise(&mut self, is_single: bool) {
        let tolerance = if is_single {
            &mut self.single
        } else {
            &mut self.level
        };
        *tolerance = (*tolerance * 1.3).min(LARGEST_TOLERANCE);
    }
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

    /// Whether any day of it is known.
    pub(super) fn is_known(&self) -> bool {
        self.costs.iter().any(|&cost| cost != MISSING)
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

    /// Says of the last days whether they are no example of what is normal.
    pub(super) fn mark_last(&mut self, n_days: usize, set_aside: bool) {
        for mark in self.set_aside.iter_mut().rev().take(n_days) {
            *mark = set_aside;
        }
    }

    /// Says that the level has changed for good. Changes that memory no longer reaches are dropped.
    pub(super) fn shift(&mut self, shift: Shift) {
        let memory = plus_days(shift.from, -days_of(HISTORY_DAYS));
        self.shifts.retain(|known| known.from > memory);
        if shift.is_settled {
            for known in &mut self.shifts {
                known.is_settled = true;
            }
        }
        self.shifts.push(shift);
    }

    /// The past costs in terms of the present level; NaN where unknown.
    pub(super) fn at_present_level(&self, first: Date) -> Vec<f64> {
        let known = |&cost: &f32| {
            if cost == MISSING {
                f64::NAN
            } else {
                f64::from(cost)
            }
        };
        let mut past: Vec<f64> = self.costs.iter().map(known).collect();
        for shift in &self.shifts {
            let n_before = usize::try_from(days_between(first, shift.from)).unwrap_or(0);
            let factor = shift.change.exp();
            past.iter_mut()
                .take(n_before)
                .for_each(|cost| *cost *= factor);
        }
        past
    }

    /// Whether a change of the level only undoes one that had become normal.
    pub(super) fn undoes_a_shift(&self, change: f64, sigma: f64) -> bool {
        let mut undone = 0.0_f64;
        let open_ones = self
            .shifts
            .iter()
            .rev()
            .take_while(|shift| !shift.is_settled);
        open_ones.map(|shift| shift.change).any(|shift| {
            undone += shift;
            undone * change < 0.0 && change.abs() < 1.3 * undone.abs() + 2.0 * sigma
        })
    }

    /// The day of the first cost.
    pub(super) fn appeared(&self) -> usize {
        self.costs
            .iter()
            .position(|&cost| cost != MISSING && cost > 0.0)
            .unwrap_or(self.costs.len())
    }

    /// Whether this can have been stored: lengths agree, numbers are in range.
    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self, n_days: usize) -> bool {
        let is_tolerance = |tolerance: f64| (1.0..=LARGEST_TOLERANCE).contains(&tolerance);
        self.costs.len() == n_days
            && self.set_aside.len() == n_days
            && n_days <= HISTORY_DAYS
            && self.shifts.len() <= HISTORY_DAYS
            && self.costs.iter().all(|cost| cost.is_finite())
            && self
                .shifts
                .iter()
                .all(|shift| shift.change.abs() < LARGEST_CHANGE)
            && is_tolerance(self.tolerance.single)
            && is_tolerance(self.tolerance.level)
            && self.episode.as_ref().is_none_or(Episode::is_sound)
    }
}

/// No logarithms of costs that memory holds differ by more.
#[cfg(feature = "serde")]
pub(super) const LARGEST_CHANGE: f64 = 200.0;

fn stored(cost: Option<f64>) -> f32 {
    cost.map_or(MISSING, |cost| {
        cost.clamp(-LARGEST_COST, LARGEST_COST) as f32
    })
}

/// A later or earlier date; beyond the calendar's end, its end.
pub(super) fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

pub(super) fn days_between(from: Date, to: Date) -> i64 {
    i64::from((to - from).get_days())
}

/// A number of remembered days, which is small.
pub(super) fn days_of(n_days: usize) -> i64 {
    i64::try_from(n_days).unwrap_or(i64::MAX)
}
