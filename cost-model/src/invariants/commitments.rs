//! Is what a commitment cost charged to its usage, no more and no less, over its term?
//!
//! The charge periods of the purchases say which days they pay for. Only where the bill has
//! usage, used or unused, for all these days and no others are the two sums of the same thing.

use jiff::Timestamp;

use super::InvariantOptions;
use super::invoices::is_within;
use super::ledger::{First, Ledger};
use super::outcome::{CommitmentSum, Example};
use super::tally::Tally;
use crate::{ChargeCategory, Column, CostRecord, Exact, ExactError, ExactSum, Period};

const SECONDS_PER_DAY: i64 = 86_400;

/// The rows of one commitment in one currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct Commitment {
    purchased: ExactSum,
    paid_days: Days,
    purchases: u64,
    recurring: u64,
    /// One-time purchases whose charge period is no longer than the billing period: it may be
    /// the day or month of payment and not the term.
    within_billing_period: u64,
    effective: ExactSum,
    used_days: Days,
    usage_rows: u64,
    /// The most places after the point that an effective cost has.
    places: u32,
    without_amount: u64,
    first: First,
}

impl Commitment {
    #[inline]
    pub(crate) fn add(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        match record.charge_category {
            Some(ChargeCategory::Usage) => self.add_usage(record)?,
            Some(ChargeCategory::Purchase) => self.add_purchase(record)?,
            _ => return Ok(()),
        }
        self.first.see(record);
        Ok(())
    }

    fn add_usage(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        self.usage_rows += 1;
        let is_dated = self.used_days.add(record.charge_period);
        match record.effective_cost {
            Some(cost) if is_dated => {
                self.places = self.places.max(cost.scale());
                self.effective.add(cost)
            }
            _ => {
                self.without_amount += 1;
                Ok(())
            }
        }
    }

    fn add_purchase(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        self.purchases += 1;
        let is_recurring = record
            .text(Column::ChargeFrequency)
            .is_some_and(|f| f.eq_ignore_ascii_case("Recurring"));
        let (charged, billed) = (record.charge_period, record.billing_period);
        if is_recurring {
            self.recurring += 1;
        } else if charged.end <= billed.end {
            self.within_billing_period += 1;
        }
        let is_dated = self.paid_days.add(charged);
        match record.billed_cost {
            Some(cost) if is_dated => self.purchased.add(cost),
            _ => {
                self.without_amount += 1;
                Ok(())
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Commitment) -> Result<(), ExactError> {
        self.purchased.add_sum(&other.purchased)?;
        self.effective.add_sum(&other.effective)?;
        self.paid_days.merge(&other.paid_days);
        self.used_days.merge(&other.used_days);
        self.purchases += other.purchases;
        self.recurring += other.recurring;
        self.within_billing_period += other.within_billing_period;
        self.usage_rows += other.usage_rows;
        self.places = self.places.max(other.places);
        self.without_amount += other.without_amount;
        self.first.merge(other.first);
        Ok(())
    }

    /// Why the two sums cannot be compared, whatever they are.
    fn obstacle(&self) -> Option<&'static str> {
        if self.purchases == 0 {
            Some("its purchase is not in the bill")
        } else if self.usage_rows == 0 {
            Some("its usage is not in the bill")
        } else if self.without_amount > 0 {
            Some("a row states no amount or no period")
        } else if self.paid_days.ranges.len() != 1 {
            Some("its purchases leave days out")
        } else if !self.used_days.cover(&self.paid_days) {
            Some("the bill does not have every day of its term")
        } else if !self.paid_days.cover(&self.used_days) {
            Some("it was used outside the charge periods of its purchases")
        } else {
            None
        }
    }

    /// Why two different sums do not prove a fault: an amount may have been paid outside.
    fn doubt(&self, data_start: Option<i64>) -> Option<&'static str> {
        let one_time = self.purchases - self.recurring;
        if one_time == 0 {
            let begins_later = data_start
                .zip(self.paid_days.start())
                .is_some_and(|(data, term)| data < term);
            // An upfront payment before the bill begins makes usage cost more, never less.
            let costs_more = self.effective > self.purchased;
            return (costs_more && !begins_later)
                .then_some("an upfront payment may lie before the bill begins");
        }
        if self.within_billing_period == 0 {
            return None;
        }
        let share = self.effective.to_f64() / self.purchased.to_f64();
        // One month, of 28 to 31 days, of a term of one year or three.
        let is_one_month = (0.074..0.088).contains(&share) || (0.0247..0.0293).contains(&share);
        (self.recurring > 0 || is_one_month)
            .then_some("the charge period of its upfront payment is not its term")
    }

    /// Sums of rounded amounts: half a unit of the last place for every row, where there are
    /// enough places that they are the result of rounding.
    fn allowed(&self, tolerance: Exact) -> Exact {
        const ROUNDED_PLACES: u32 = 6;
        let by_rounding = (self.places >= ROUNDED_PLACES)
            .then(|| Exact::new(i128::from(self.usage_rows) * 5, self.places + 1))
            .flatten();
        by_rounding.map_or(tolerance, |rounding| rounding.max(tolerance))
    }
}

/// Compares the two sums of every commitment whose whole term is in the bill.
pub(crate) fn balances(
    commitments: &Ledger<Commitment>,
    data_start: Option<i64>,
    options: &InvariantOptions,
) -> (Tally, Vec<CommitmentSum>) {
    let mut tally = Tally::default();
    let mut sums = Vec::new();
    for (id, currency, commitment) in commitments.sorted() {
        let mut obstacle = commitment.obstacle();
        if obstacle.is_none() {
            obstacle = compare(id, commitment, data_start, options, &mut tally).err();
        }
        sums.push(CommitmentSum {
            commitment: id.to_owned(),
            currency,
            purchased: commitment.purchased.clone(),
            effective: commitment.effective.clone(),
            term: commitment.paid_days.period(),
            not_testable: obstacle.map(str::to_owned),
        });
    }
    (tally, sums)
}

fn compare(
    id: &str,
    commitment: &Commitment,
    data_start: Option<i64>,
    options: &InvariantOptions,
    tally: &mut Tally,
) -> Result<(), &'static str> {
    let difference = commitment
        .effective
        .minus(&commitment.purchased)
        .map_err(|_| "its sums are too large")?;
    if is_within(&difference, commitment.allowed(options.tolerance)) {
        tally.exact += u64::from(difference.is_zero());
        tally.pass();
        return Ok(());
    }
    if let Some(doubt) = commitment.doubt(data_start) {
        return Err(doubt);
    }
    let (line, provider) = (commitment.first.line(), commitment.first.provider());
    tally.fail(line, provider, options.examples, || Example {
        line,
        provider: provider.map(str::to_owned),
        values: vec![
            ("CommitmentDiscountId", id.to_owned()),
            ("purchased", commitment.purchased.to_string()),
            ("EffectiveCost", commitment.effective.to_string()),
            ("usage rows", commitment.usage_rows.to_string()),
        ],
        difference: Some(difference),
    });
    Ok(())
}

/// Days, as ranges that neither touch nor overlap, in order; ends excluded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Days {
    ranges: Vec<(i64, i64)>,
}

impl Days {
    /// Adds every day that the period touches; `false` when the period is not a period.
    #[inline]
    fn add(&mut self, period: Period) -> bool {
        let (Some(start), Some(end)) = (period.start, period.end) else {
            return false;
        };
        let (start, end) = (start.as_second(), end.as_second());
        if end <= start {
            return false;
        }
        let first = start.div_euclid(SECONDS_PER_DAY);
        let last = (end - 1).div_euclid(SECONDS_PER_DAY);
        self.insert((first, last + 1));
        true
    }

    fn insert(&mut self, (start, end): (i64, i64)) {
        // The ranges that touch the new one become one with it.
        let from = self.ranges.partition_point(|range| range.1 < start);
        let to = self.ranges.partition_point(|range| range.0 <= end);
        match self.ranges.get(from..to) {
            Some([one]) if one.0 <= start && end <= one.1 => {}
            Some([first, ..]) => {
                let start = first.0.min(start);
                let end = self.ranges[to - 1].1.max(end);
                self.ranges.splice(from..to, [(start, end)]);
            }
            _ => self.ranges.insert(from, (start, end)),
        }
    }

    fn merge(&mut self, other: &Days) {
        for &range in &other.ranges {
            self.insert(range);
        }
    }

    fn cover(&self, other: &Days) -> bool {
        let covers = |range: &(i64, i64)| {
            self.ranges
                .iter()
                .any(|ours| ours.0 <= range.0 && range.1 <= ours.1)
        };
        other.ranges.iter().all(covers)
    }

    fn start(&self) -> Option<i64> {
        self.ranges.first().map(|range| range.0 * SECONDS_PER_DAY)
    }

    /// From the first day to the last.
    fn period(&self) -> Period {
        let time = |day: i64| Timestamp::from_second(day * SECONDS_PER_DAY).ok();
        Period {
            start: self.ranges.first().and_then(|range| time(range.0)),
            end: self.ranges.last().and_then(|range| time(range.1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_days_in_any_order() {
        let mut days = Days::default();
        for range in [(5, 6), (1, 2), (9, 12), (2, 3), (6, 9), (5, 7)] {
            days.insert(range);
        }
        assert_eq!(days.ranges, [(1, 3), (5, 12)]);
        days.insert((0, 20));
        assert_eq!(days.ranges, [(0, 20)]);
    }

    #[test]
    fn covers_only_what_lies_inside_one_range() {
        let days = |ranges: &[(i64, i64)]| Days {
            ranges: ranges.to_vec(),
        };
        assert!(days(&[(0, 5)]).cover(&days(&[(0, 2), (3, 5)])));
        assert!(!days(&[(0, 2), (3, 5)]).cover(&days(&[(0, 5)])));
    }
}
