//! Does the effective cost of a tax follow that of the charges it is levied on?
//!
//! A bill does not say which charges a tax is levied on, nor at what rate. But where no charge of
//! an account's billing period is prepaid or amortized, effective costs are billed costs, and so
//! are those of the taxes on them.

use super::ledger::Ledger;
use super::tally::Tally;

/// The charges of one account and billing period in one currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaxedPeriod {
    /// Charges that are no tax, and of those the ones whose effective cost is not the billed.
    pub(crate) charges: u64,
    pub(crate) amortized: u64,
    /// The taxes, should they turn out to be testable.
    pub(crate) taxes: Tally,
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
