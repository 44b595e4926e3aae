//! Does a bill keep what FOCUS promises, and where it does not, which row is at fault?
//!
//! FOCUS states eight things that hold in every lawful bill: that ends are exclusive, that cost
//! is price times quantity, that rows add up to the invoice, and so on ([`Invariant`]).
//! [`InvariantChecks`] tests them on a stream of records, in memory that grows with the number
//! of invoices, commitments and accounts and not of rows. Each invariant has several [`Rule`]s;
//! each rule passes, fails with the first rows that break it, or says why nothing could be
//! tested. It never passes on zero rows.
//!
//! # What is not done, and why
//!
//! * A column is never used as a stand-in for a fact that the bill does not state. The
//!   specification wants a billed cost of 0 for charges that are paid to a third party, and
//!   focus_validator takes `ProviderName ≠ InvoiceIssuerName` to mean one. But the provider `AWS`
//!   issues its invoices as `Amazon Web Services, Inc.`, so that every billed row of AWS is
//!   flagged (615 of 1,000 in the specification's own sample). No column states the payee;
//!   there is no such rule here.
//! * A condition on a null is never left to three-valued logic. focus_validator tests the list
//!   product `WHERE ChargeClass IS NOT NULL AND ChargeClass <> 'Correction'`; ordinary charges
//!   have a null `ChargeClass`, so it passes on no row at all, and 25 rows of the same sample that
//!   are wrong by a factor of 10,000 pass with it. Here a null class is no correction, and what
//!   was tested is counted.
//! * Whether a row was lawfully split in two cannot be seen from a bill, nor whether rows that
//!   look alike are duplicates: FOCUS has no line identifier, and lawful splits look alike.
//!   What can be seen is that covered usage is covered as a whole: it names its commitment, its
//!   status and its pricing, and nothing of it is billed.
//! * After reading, an empty cell and `NULL` are both null; texts that stand in for null, such as
//!   `N/A`, are still there and are found.

mod commitments;
mod conclusion;
mod coverage;
mod effective;
mod factors;
mod invoices;
mod ledger;
mod nulls;
mod outcome;
mod product;
mod quantities;
mod rule;
mod seen;
mod shown;
mod tags;
mod tally;
mod taxes;
mod times;

use std::collections::BTreeMap;

use bursar_units::Currency;

use crate::{ChargeCategory, Column, CostRecord, Exact, ExactError};
use commitments::Commitment;
use conclusion::verdict;
use factors::Factors;
use invoices::Invoice;
use ledger::Ledger;
use shown::{Shown, fail};
use tags::TagJudge;
use tally::Tally;
use taxes::TaxedPeriod;

pub use outcome::{
    CommitmentSum, Evidence, Example, InvariantResult, InvoiceSum, Outcome, ProviderFailures,
    RuleResult, Verdict,
};
pub use rule::{Basis, Invariant, Rule, Subject};

/// What the checks compare with, and how strictly.
///
/// ```
/// use bursar_cost_model::{
///     Column, CostRecord, InvariantChecks, InvariantOptions, Outcome, Rule,
/// };
/// use bursar_units::Currency;
///
/// let mut options = InvariantOptions::default();
/// options.invoices.insert("INV-7".to_owned(), (Currency::USD, "200.34".parse()?));
/// let mut checks = InvariantChecks::new(options);
/// let mut charge = CostRecord::new(Currency::USD);
/// charge.billed_cost = Some("200.338".parse()?);
/// charge.set(Column::InvoiceId, "INV-7");
/// checks.add(&charge)?;
///
/// let results = checks.finish();
/// let mut rules = results.iter().flat_map(|result| &result.rules);
/// let total = rules.find(|result| result.rule == Rule::InvoiceTotal).ok_or("no such rule")?;
/// // 200.338 is payable as 200.34.
/// assert!(matches!(total.outcome, Outcome::Passed { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InvariantOptions {
    /// How far a cost may be from price × quantity, in units of its currency: 0.000001 unless
    /// set.
    ///
    /// Exporters round cost and quantity to 11 decimal places: of 941 products of AWS in the
    /// specification's sample 490 are exact and all are within 0.000001. How many are exact is
    /// reported beside the outcome.
    pub tolerance: Exact,
    /// What each invoice says is payable, by `InvoiceId`; without it no invoice can be tested.
    pub invoices: BTreeMap<String, (Currency, Exact)>,
    /// How far the rows of an invoice may be from its payable amount; half of the currency's
    /// minor unit (0.005 USD) unless set, as the payable amount is rounded once.
    pub invoice_tolerance: Option<Exact>,
    /// How many failures of each rule are shown: the first by line, 5 unless set.
    pub examples: usize,
}

impl Default for InvariantOptions {
    fn default() -> InvariantOptions {
        InvariantOptions {
            tolerance: Exact::new(1, 6).unwrap_or_default(),
            invoices: BTreeMap::new(),
            invoice_tolerance: None,
            examples: 5,
        }
    }
}

/// The eight invariants, tested on records as they come.
///
/// Records come in any order, and parts that several threads gathered
/// [merge](InvariantChecks::merge) to the same result.
///
/// ```
/// use bursar_cost_model::{
///     BillReader, InvariantChecks, InvariantOptions, Outcome, ReadOptions, Row, Rule,
/// };
///
/// let file = "\
/// BilledCost,BillingCurrency,ChargeCategory,ListCost,ListUnitPrice,PricingQuantity,ProviderName
/// 0.8,USD,Usage,0.8,0.4,2,Contoso
/// 4000,USD,Usage,4000,0.4,1,Contoso
/// ";
/// let mut reader = BillReader::new(file.as_bytes(), &ReadOptions::default())?;
/// let mut checks = InvariantChecks::new(InvariantOptions::default());
/// while let Some(Row::Record(record)) = reader.next_row() {
///     checks.add(&record)?;
/// }
/// let results = checks.finish();
/// let products = &results[1];
/// let Outcome::Failed { tested, failed, examples, .. } = &products.rules[0].outcome else {
///     panic!("0.4 × 1 is not 4000");
/// };
/// assert_eq!((*tested, *failed, examples[0].line), (2, 1, Some(3)));
/// assert_eq!(
///     examples[0].to_string(),
///     "line 3: ListCost 4000, ListUnitPrice 0.4, PricingQuantity 1; off by 3999.6",
/// );
/// assert!(products.rules[0].notes[0].contains("10^4"));
/// // No row has a contracted price, so that rule did not pass: it says what it lacks.
/// assert_eq!(products.rules[1].rule, Rule::ContractedProduct);
/// assert!(matches!(products.rules[1].outcome, Outcome::NotTestable { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct InvariantChecks {
    options: InvariantOptions,
    rows: u64,
    /// The columns that had a value in some row, one bit each.
    seen: u128,
    tallies: Box<[Tally]>,
    /// Rows where a column is null that must not be: failures, if the bill has the column.
    nulls: Box<[Tally]>,
    invoices: Ledger<Invoice>,
    commitments: Ledger<Commitment>,
    taxed: Ledger<TaxedPeriod>,
    tags: TagJudge,
    billing: times::BillingMemo,
    factors: Factors,
    /// The earliest start of a charge period, in seconds.
    data_start: Option<i64>,
}

/// The texts of a row that more than one rule asks for.
pub(crate) struct Facts<'r> {
    category: Option<ChargeCategory>,
    is_correction: bool,
    account: Option<&'r str>,
    commitment: Option<&'r str>,
    status: Option<&'r str>,
    is_unused: bool,
}

impl InvariantChecks {
    /// Checks that have seen no row.
    #[must_use]
    pub fn new(options: InvariantOptions) -> InvariantChecks {
        let tallies = || vec![Tally::default(); Rule::ALL.len()].into_boxed_slice();
        InvariantChecks {
            options,
            rows: 0,
            seen: 0,
            tallies: tallies(),
            nulls: tallies(),
            invoices: Ledger::default(),
            commitments: Ledger::default(),
            taxed: Ledger::default(),
            tags: TagJudge::default(),
            billing: times::BillingMemo::default(),
            factors: Factors::default(),
            data_start: None,
        }
    }

    /// Tests one record.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the sum of an invoice or commitment leaves 128 bits.
    pub fn add(&mut self, record: &CostRecord<'_>) -> Result<(), ExactError> {
        self.rows += 1;
        self.see_fields(record);
        let commitment = self.text(record, Column::CommitmentDiscountId);
        let status = self.text(record, Column::CommitmentDiscountStatus);
        let account = self.text(record, Column::BillingAccountId);
        let facts = Facts {
            category: record.charge_category,
            is_correction: record.is_correction(),
            account,
            commitment,
            status,
            is_unused: status.is_some_and(|s| s.eq_ignore_ascii_case("Unused")),
        };
        self.check_periods(record, &facts);
        self.check_nulls(record);
        self.check_products(record, &facts);
        self.check_invoice(record, &facts)?;
        self.check_tax(record, &facts);
        self.check_effective_cost(record, &facts);
        self.check_commitment(record, &facts)?;
        self.check_quantities(record, &facts);
        self.check_splits(record, &facts);
        self.check_tags(record);
        Ok(())
    }

    /// Adds what another part of the bill showed. Both must have the same options.
    ///
    /// # Errors
    /// [`ExactError::SumOutOfRange`] when the sum of an invoice or commitment leaves 128 bits.
    pub fn merge(&mut self, other: InvariantChecks) -> Result<(), ExactError> {
        let keep = self.options.examples;
        self.rows += other.rows;
        self.seen |= other.seen;
        for (ours, theirs) in self.tallies.iter_mut().zip(other.tallies) {
            ours.merge(theirs, keep);
        }
        for (ours, theirs) in self.nulls.iter_mut().zip(other.nulls) {
            ours.merge(theirs, keep);
        }
        self.invoices.merge(other.invoices, Invoice::merge)?;
        self.commitments
            .merge(other.commitments, Commitment::merge)?;
        self.taxed.merge(other.taxed, |ours, theirs| {
            ours.merge(theirs, keep);
            Ok::<(), ExactError>(())
        })?;
        self.factors.merge(&other.factors);
        self.data_start = match (self.data_start, other.data_start) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        Ok(())
    }

    /// How many records were tested.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What was found: the eight invariants in order.
    #[must_use]
    pub fn finish(mut self) -> Vec<InvariantResult> {
        let mut rules: Vec<RuleResult> = Rule::ALL
            .iter()
            .map(|&rule| self.rule_result(rule))
            .collect();
        Invariant::ALL
            .into_iter()
            .map(|invariant| {
                let of = |result: &mut RuleResult| result.rule.invariant() == invariant;
                let rules: Vec<RuleResult> = rules.extract_if(.., of).collect();
                InvariantResult {
                    invariant,
                    outcome: verdict(&rules),
                    rules,
                }
            })
            .collect()
    }

    /// Counts a test of a rule; what a failure shows is made only where it is kept.
    #[inline]
    fn check(
        &mut self,
        rule: Rule,
        record: &CostRecord<'_>,
        is_kept: bool,
        shown: impl FnOnce() -> Shown,
    ) {
        if is_kept {
            self.tallies[rule as usize].pass();
        } else {
            let keep = self.options.examples;
            fail(&mut self.tallies[rule as usize], record, keep, shown);
        }
    }

    /// Counts a test of a rule that a null breaks, if the bill has the column at all.
    #[inline]
    fn check_is_stated(
        &mut self,
        rule: Rule,
        record: &CostRecord<'_>,
        is_stated: bool,
        shown: impl FnOnce() -> Shown,
    ) {
        if is_stated {
            self.tallies[rule as usize].pass();
        } else {
            let keep = self.options.examples;
            fail(&mut self.nulls[rule as usize], record, keep, shown);
        }
    }
}
