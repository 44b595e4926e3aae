//! What do commitments cover, how well are they used, and what would another one save?
//!
//! The rate of a commitment is read from the bill: what covered rows cost, amortized, for each
//! unit of their list price. A commitment is paid in every hour, so it pays when it is used over
//! a larger share of hours than rate ÷ on-demand price: the break-even utilization
//! u* = (upfront ÷ term + hourly) ÷ on demand. What it saves depends on how level the
//! on-demand use is, which the bill shows by the hour or by the day.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};

use super::amount::{rate, times};
use crate::series::MAX_SERIES_DAYS;
use crate::{CommitmentStatus, CostRecord, DateRange, Exact, ExactError, ExactSum};

const SECONDS_PER_HOUR: i64 = 3_600;
const HOURS_PER_DAY: i64 = 24;

/// Hours of the longest window that a daily series has.
const MAX_HOURS: usize = MAX_SERIES_DAYS as usize * 24;

/// The use of one kind of compute, with and without commitments.
#[derive(Debug, Clone)]
pub(super) struct CommitmentUse {
    covered: Priced,
    unused: ExactSum,
    on_demand: Priced,
    /// List cost of on-demand rows by the hour in which they start.
    by_hour: HashMap<i64, ExactSum>,
    grain: Grain,
}

/// Rows that state both their list price and what they cost.
#[derive(Debug, Clone, Default)]
struct Priced {
    list: ExactSum,
    cost: ExactSum,
    /// What rows without a list price cost.
    unpriced: ExactSum,
}

/// How finely the rows tell when something was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grain {
    Hour,
    Day,
    /// Some row covers more than a day, or no stated time.
    Coarse,
}

impl Default for CommitmentUse {
    fn default() -> CommitmentUse {
        CommitmentUse {
            covered: Priced::default(),
            unused: ExactSum::ZERO,
            on_demand: Priced::default(),
            by_hour: HashMap::new(),
            grain: Grain::Hour,
        }
    }
}

impl Priced {
    fn add(&mut self, list: Option<Exact>, cost: Exact) -> Result<(), ExactError> {
        match list {
            Some(list) => {
                self.list.add(list)?;
                self.cost.add(cost)
            }
            None => self.unpriced.add(cost),
        }
    }

    fn merge(&mut self, other: &Priced) -> Result<(), ExactError> {
        self.list.add_sum(&other.list)?;
        self.cost.add_sum(&other.cost)?;
        self.unpriced.add_sum(&other.unpriced)
    }

    /// Cost for each unit of list price; `None` when nothing is priced, or at no cost: exports
    /// with a zero for the amortized cost are met, and nobody sells a commitment for nothing.
    fn rate(&self) -> Option<Exact> {
        let positive = !self.list.is_zero() && !self.list.is_negative();
        let rate = rate(&self.cost, &self.list).filter(|_| positive)?;
        (!rate.is_negative() && !rate.is_zero()).then_some(rate)
    }
}

impl CommitmentUse {
    /// Adds a row that a commitment covers, or that nothing used.
    pub(super) fn add_commitment(
        &mut self,
        status: CommitmentStatus,
        list: Option<Exact>,
        cost: Exact,
    ) -> Result<(), ExactError> {
        match status {
            CommitmentStatus::Used => self.covered.add(list, cost),
            CommitmentStatus::Unused => self.unused.add(cost),
        }
    }

    /// Adds a row at on-demand prices.
    #[inline]
    pub(super) fn add_on_demand(
        &mut self,
        record: &CostRecord<'_>,
        cost: Exact,
    ) -> Result<(), ExactError> {
        self.on_demand.add(record.list_cost, cost)?;
        let Some(list) = record.list_cost else {
            return Ok(());
        };
        let (grain, hour) = when(record);
        self.grain = self.grain.max(grain);
        if self.grain == Grain::Coarse {
            self.by_hour.clear();
            return Ok(());
        }
        self.by_hour.entry(hour).or_default().add(list)?;
        self.bound();
        Ok(())
    }

    /// More hours than a window can have are no series.
    fn bound(&mut self) {
        if self.by_hour.len() > MAX_HOURS {
            self.grain = Grain::Coarse;
            self.by_hour.clear();
        }
    }

    pub(super) fn merge(&mut self, other: &CommitmentUse) -> Result<(), ExactError> {
        self.covered.merge(&other.covered)?;
        self.unused.add_sum(&other.unused)?;
        self.on_demand.merge(&other.on_demand)?;
        self.grain = self.grain.max(other.grain);
        if self.grain == Grain::Coarse {
            self.by_hour.clear();
            return Ok(());
        }
        for (hour, list) in &other.by_hour {
            self.by_hour.entry(*hour).or_default().add_sum(list)?;
        }
        self.bound();
        Ok(())
    }

    /// What was paid for commitments that nothing used.
    pub(super) fn unused(&self) -> &ExactSum {
        &self.unused
    }

    /// What covered rows cost for each unit of their list price.
    pub(super) fn covered_rate(&self) -> Option<Exact> {
        self.covered.rate()
    }

    /// What on-demand rows that state a list price cost, and those that do not.
    pub(super) fn on_demand(&self) -> (&ExactSum, &ExactSum) {
        (&self.on_demand.cost, &self.on_demand.unpriced)
    }

    /// Used ÷ (used + unused) of the commitments; `None` without any.
    pub(super) fn utilization(&self) -> Option<f64> {
        let mut used = self.covered.cost.to_f64();
        used += self.covered.unpriced.to_f64();
        let all = used + self.unused.to_f64();
        (all > 0.0).then(|| used / all)
    }

    /// Covered ÷ (covered + on demand), both at list price; `None` without either.
    pub(super) fn coverage(&self) -> Option<f64> {
        let covered = self.covered.list.to_f64();
        let all = covered + self.on_demand.list.to_f64();
        (all > 0.0).then(|| covered / all)
    }

    /// What the best commitment at this rate would save over the window.
    ///
    /// `None` when no on-demand row states a list price.
    pub(super) fn best(
        &self,
        commitment_rate: Exact,
        window: DateRange,
    ) -> Result<Option<Best>, ExactError> {
        let Some(on_demand_rate) = self.on_demand.rate() else {
            return Ok(None);
        };
        let (buckets, slots) = self.levels(window)?;
        let break_even = commitment_rate.to_f64() / on_demand_rate.to_f64();
        let level = best_level(&buckets, slots, break_even);
        let mut used = ExactSum::ZERO;
        for bucket in &buckets {
            used.add_sum((&level).min(bucket))?;
        }
        let before = times(&used, on_demand_rate)?;
        let paid = times(&level, Exact::from(slots as i64))?;
        Ok(Some(Best {
            saving: before.minus(&times(&paid, commitment_rate)?)?,
            break_even,
            grain: self.grain,
        }))
    }

    /// The list cost of on-demand use by hour or day, and how many of them the window has.
    fn levels(&self, window: DateRange) -> Result<(Vec<ExactSum>, usize), ExactError> {
        let days = window.day_count() as usize;
        match self.grain {
            Grain::Hour => Ok((self.by_hour.values().cloned().collect(), days * 24)),
            Grain::Day => {
                let mut by_day = BTreeMap::<i64, ExactSum>::new();
                for (hour, list) in &self.by_hour {
                    let day = hour.div_euclid(HOURS_PER_DAY);
                    by_day.entry(day).or_default().add_sum(list)?;
                }
                Ok((by_day.into_values().collect(), days))
            }
            Grain::Coarse => Ok((vec![self.on_demand.list.clone()], 1)),
        }
    }
}

/// The commitment that saves most.
#[derive(Debug)]
pub(super) struct Best {
    /// Over the window.
    pub(super) saving: ExactSum,
    /// The share of time over which it must be used to pay.
    pub(super) break_even: f64,
    /// How finely the use is known.
    pub(super) grain: Grain,
}

/// The level, in list price for each slot, above which the next unit would be used too seldom.
///
/// A unit of the commitment at level L is used in as many slots as have at least L, and pays
/// while these are more than `break_even` of all: so the best level is that of the last slot,
/// from the largest down, whose rank still exceeds that share.
fn best_level(buckets: &[ExactSum], slots: usize, break_even: f64) -> ExactSum {
    let mut sorted: Vec<&ExactSum> = buckets.iter().collect();
    sorted.sort_by(|a, b| b.cmp(a));
    let enough = |rank: &usize| *rank as f64 > break_even * slots as f64;
    let first = (1..=sorted.len()).find(enough);
    let level = first
        .map(|rank| sorted[rank - 1].clone())
        .unwrap_or_default();
    if level.is_negative() {
        ExactSum::ZERO
    } else {
        level
    }
}

/// How finely a row tells its time, and the hour in which it starts, since 1970.
fn when(record: &CostRecord<'_>) -> (Grain, i64) {
    let (Some(start), Some(end)) = (record.charge_period.start, record.charge_period.end) else {
        return (Grain::Coarse, 0);
    };
    let (start, end) = (start.as_second(), end.as_second());
    let grain = match end - start {
        seconds if seconds <= SECONDS_PER_HOUR => Grain::Hour,
        seconds if seconds <= HOURS_PER_DAY * SECONDS_PER_HOUR => Grain::Day,
        _ => Grain::Coarse,
    };
    (grain, start.div_euclid(SECONDS_PER_HOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(buckets: &[&str], slots: usize, break_even: f64) -> String {
        let buckets: Vec<ExactSum> = buckets.iter().map(|b| b.parse().unwrap()).collect();
        best_level(&buckets, slots, break_even).to_string()
    }

    #[test]
    fn commits_to_what_is_used_often_enough() {
        // At 60 %, a level must be reached in more than 6 of 10 slots.
        let ten = ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"];
        assert_eq!(level(&ten, 10, 0.6), "3");
        assert_eq!(level(&["5", "5", "5"], 3, 0.6), "5");
        // Rows in 5 of 10 hours are not enough for any level.
        assert_eq!(level(&["9", "9", "9", "9", "9"], 10, 0.6), "0");
        assert_eq!(level(&[], 10, 0.6), "0");
        // A commitment that costs no less than on demand is never taken.
        assert_eq!(level(&["5", "5"], 2, 1.0), "0");
    }
}
