//! Do the rows of each invoice add up to what it says is payable?

use std::collections::BTreeMap;

use bursar_units::Currency;

use super::ledger::{First, Ledger};
use super::outcome::{Example, InvoiceSum};
use super::tally::Tally;
use super::{Facts, InvariantChecks, InvariantOptions};
use crate::{Column, CostRecord, Exact, ExactError, ExactSum};

impl InvariantChecks {
    /// Adds the row to its invoice.
    #[inline]
    pub(crate) fn check_invoice(
        &mut self,
        record: &CostRecord<'_>,
        facts: &Facts<'_>,
    ) -> Result<(), ExactError> {
        match self.text(record, Column::InvoiceId) {
            Some(id) => {
                let invoice = self.invoices.entry(id, record.billing_currency, 0);
                invoice.add(record, facts.account)
            }
            None => Ok(()),
        }
    }
}

/// The rows of one invoice in one currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invoice {
    billed: ExactSum,
    rows: u64,
    rows_without_cost: u64,
    first: First,
    /// One, in a lawful bill.
    accounts: Vec<(Box<str>, First)>,
}

impl Invoice {
    #[inline]
    fn add(&mut self, record: &CostRecord<'_>, account: Option<&str>) -> Result<(), ExactError> {
        match record.billed_cost {
            Some(cost) => {
                self.rows += 1;
                self.billed.add(cost)?;
            }
            None => self.rows_without_cost += 1,
        }
        self.first.see(record);
        if let Some(account) = account {
            match self.accounts.iter_mut().find(|(id, _)| **id == *account) {
                Some((_, first)) => first.see(record),
                None => {
                    let mut first = First::default();
                    first.see(record);
                    self.accounts.push((account.into(), first));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Invoice) -> Result<(), ExactError> {
        self.billed.add_sum(&other.billed)?;
        self.rows += other.rows;
        self.rows_without_cost += other.rows_without_cost;
        self.first.merge(other.first);
        for (account, first) in other.accounts {
            match self.accounts.iter_mut().find(|(id, _)| *id == account) {
                Some((_, ours)) => ours.merge(first),
                None => self.accounts.push((account, first)),
            }
        }
        Ok(())
    }
}

pub(crate) fn sums(invoices: &Ledger<Invoice>, options: &InvariantOptions) -> Vec<InvoiceSum> {
    let payable = |id: &str, currency| {
        let (stated, amount) = options.invoices.get(id)?;
        (*stated == currency).then_some(*amount)
    };
    let sum = |(id, currency, invoice): (&str, Currency, &Invoice)| InvoiceSum {
        invoice: id.to_owned(),
        currency,
        billed: invoice.billed.clone(),
        rows: invoice.rows,
        rows_without_cost: invoice.rows_without_cost,
        payable: payable(id, currency),
    };
    invoices.sorted().into_iter().map(sum).collect()
}

/// Compares every invoice whose payable amount is given with its rows.
pub(crate) fn totals(
    invoices: &Ledger<Invoice>,
    options: &InvariantOptions,
    notes: &mut Vec<String>,
) -> Tally {
    let mut tally = Tally::default();
    let entries: BTreeMap<_, _> = invoices
        .sorted()
        .into_iter()
        .map(|(id, currency, invoice)| ((id, currency), invoice))
        .collect();
    let none = Invoice::default();
    for (id, (currency, payable)) in &options.invoices {
        let invoice = *entries.get(&(id.as_str(), *currency)).unwrap_or(&&none);
        if invoice.rows_without_cost > 0 {
            notes.push(format!(
                "invoice {id} was not tested: {} of its rows state no billed cost",
                invoice.rows_without_cost
            ));
            continue;
        }
        let Ok(difference) = invoice.billed.minus(&ExactSum::from(*payable)) else {
            notes.push(format!("invoice {id} was not tested: its sum is too large"));
            continue;
        };
        let allowed = allowed(options, *currency);
        if difference.is_zero() {
            tally.exact += 1;
        }
        if is_within(&difference, allowed) {
            tally.pass();
            continue;
        }
        let (line, provider) = (invoice.first.line(), invoice.first.provider());
        tally.fail(line, provider, options.examples, || Example {
            line,
            provider: provider.map(str::to_owned),
            values: vec![
                ("InvoiceId", id.clone()),
                ("payable", format!("{payable} {currency}")),
                ("BilledCost", invoice.billed.to_string()),
                ("rows", invoice.rows.to_string()),
            ],
            difference: Some(difference),
        });
    }
    let unknown = entries
        .keys()
        .filter(|(id, _)| !options.invoices.contains_key(*id))
        .count();
    if unknown > 0 {
        notes.push(format!(
            "no payable amount is given for {unknown} invoices of the bill; their sums are in the evidence"
        ));
    }
    tally
}

/// The payable amount is the exact one rounded once to the currency's minor unit.
fn allowed(options: &InvariantOptions, currency: Currency) -> Exact {
    let half_minor_unit = || Exact::new(5, currency.minor_units()? + 1);
    options
        .invoice_tolerance
        .or_else(half_minor_unit)
        .unwrap_or(options.tolerance)
}

pub(crate) fn is_within(difference: &ExactSum, allowed: Exact) -> bool {
    let allowed = ExactSum::from(allowed);
    *difference <= allowed && difference.negated() <= allowed
}

/// Looks for invoices that name more than one billing account.
pub(crate) fn accounts(invoices: &Ledger<Invoice>, keep: usize) -> Tally {
    let mut by_invoice: BTreeMap<&str, BTreeMap<&str, First>> = BTreeMap::new();
    for (id, _, invoice) in invoices.sorted() {
        for (account, first) in &invoice.accounts {
            let accounts = by_invoice.entry(id).or_default();
            accounts.entry(account).or_default().merge(first.clone());
        }
    }
    let mut tally = Tally::default();
    for (id, accounts) in by_invoice {
        if accounts.len() == 1 {
            tally.pass();
            continue;
        }
        // The odd one out is more likely the one that appears last.
        let Some(odd) = accounts.values().max_by_key(|first| first.line()) else {
            continue;
        };
        let (line, provider) = (odd.line(), odd.provider());
        tally.fail(line, provider, keep, || Example {
            line,
            provider: provider.map(str::to_owned),
            values: std::iter::once(("InvoiceId", id.to_owned()))
                .chain(
                    accounts
                        .keys()
                        .map(|a| ("BillingAccountId", (*a).to_owned())),
                )
                .collect(),
            difference: None,
        });
    }
    tally
}
