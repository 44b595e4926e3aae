//! Does the effective cost of a tax follow that of the charges it is levied on?
//!
//! A bill does not say which charges a tax is levied on, nor at what rate. But where no charge of
//! an account's billing period is prepaid or amortized, effective costs are billed costs, and so
//! are those of the taxes on them.

use super::effective::is_same;
use super::ledger::Ledger;
use super::shown::{Shown, fail};
use super::tally::Tally;
use super::{Facts, InvariantChecks};
use crate::{ChargeCategory, CostRecord};

impl InvariantChecks {
    /// Adds the row to its account's billing period.
    #[inline]
    pub(crate) fn check_tax(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let (Some(effective), Some(billed)) = (record.effective_cost, record.billed_cost) else {
            return;
        };
        if facts.is_correction {
            return;
        }
        let start = record.billing_period.start;
        let moment = start.map_or(i64::MIN, |start| start.as_second());
        let account = facts.account.unwrap_or_default();
        let period = self.taxed.entry(account, record.billing_currency, moment);
        let is_same = is_same(effective, billed);
        match facts.category {
            Some(ChargeCategory::Tax) if is_same => period.taxes.pass(),
            Some(ChargeCategory::Tax) => {
                let keep = self.options.examples;
                fail(&mut period.taxes, record, keep, || {
                    Shown::costs(effective, billed)
                });
            }
            _ => {
                period.charges += 1;
                period.amortized += u64::from(!is_same);
            }
        }
    }
}

/// The charges of one account and billing period in one currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaxedPeriod {
    /// Charges that are no tax, and of those the ones whose effective cost is not the billed.
    charges: u64,
    amortized: u64,
    /// The taxes, should they turn out to be testable.
    taxes: Tally,
}

impl TaxedPeriod {
    pub(crate) fn merge(&mut self, other: TaxedPeriod, keep: usize) {
        self.charges += other.charges;
        self.amortized += other.amortized;
        self.taxes.merge(other.taxes, keep);
    }
}

pub(crate) fn taxes(periods: &Ledger<TaxedPeriod>, keep: usize, notes: &mut Vec<String>) -> Tally {
    let mut tally = Tally::default();
    let mut untested = 0;
    for (_, _, period) in periods.sorted() {
        if period.amortized == 0 && period.charges > 0 {
            tally.merge(period.taxes.clone(), keep);
        } else {
            untested += period.taxes.tested;
        }
    }
    if untested > 0 {
        notes.push(format!(
            "{untested} taxes were not tested: other charges of their billing period are prepaid or amortized, and a bill does not say which charges a tax is levied on"
        ));
    }
    tally
}
