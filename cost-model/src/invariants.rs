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
mod invoices;
mod ledger;
mod outcome;
mod product;
mod rule;
mod tags;
mod tally;
mod taxes;
mod times;

use std::collections::BTreeMap;

use bursar_units::Currency;

use crate::intern::Interner;
use crate::{ChargeCategory, Column, CommitmentStatus, CostRecord, Exact, ExactError, ExactSum};
use commitments::Commitment;
use invoices::Invoice;
use ledger::Ledger;
use product::Agreement;
use tags::{TagFault, TagJudge};
use tally::Tally;
use taxes::TaxedPeriod;
use times::Zone;

pub use outcome::{
    CommitmentSum, Evidence, Example, InvariantResult, InvoiceSum, Outcome, ProviderFailures,
    RuleResult, Verdict,
};
pub use rule::{Basis, Invariant, Rule, Subject};

/// What the checks compare with, and how strictly.
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

/// By which powers of ten the products of a provider and pricing unit are off.
#[derive(Debug, Clone, Default)]
struct Factors {
    names: Interner,
    found: BTreeMap<(Rule, u32, u32), (Option<i32>, u64)>,
}

/// The texts of a row that more than one rule asks for.
struct Facts<'r> {
    category: Option<ChargeCategory>,
    is_correction: bool,
    commitment: Option<&'r str>,
    status: Option<&'r str>,
    is_unused: bool,
}

const _: () = assert!(Column::COUNT <= 128, "one bit for each column");

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
        let class = record.text(Column::ChargeClass);
        let facts = Facts {
            category: record.charge_category,
            is_correction: class.is_some_and(|c| c.eq_ignore_ascii_case("Correction")),
            commitment,
            status,
            is_unused: status.is_some_and(|s| s.eq_ignore_ascii_case("Unused")),
        };
        self.check_periods(record, &facts);
        self.check_nulls(record);
        self.check_products(record, &facts);
        self.check_accounts(record, &facts)?;
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

    fn rule_result(&mut self, rule: Rule) -> RuleResult {
        let keep = self.options.examples;
        let mut notes = Vec::new();
        let mut evidence = Evidence::None;
        let mut tally = std::mem::take(&mut self.tallies[rule as usize]);
        if self.has_columns(rule) {
            tally.merge(std::mem::take(&mut self.nulls[rule as usize]), keep);
        }
        match rule {
            Rule::InvoiceTotal => {
                tally = invoices::totals(&self.invoices, &self.options, &mut notes);
                evidence = Evidence::Invoices(invoices::sums(&self.invoices, &self.options));
            }
            Rule::InvoiceAccount => tally = invoices::accounts(&self.invoices, keep),
            Rule::TaxFollowsCharges => tally = taxes::taxes(&self.taxed, keep, &mut notes),
            Rule::CommitmentBalance => {
                let (balances, sums) =
                    commitments::balances(&self.commitments, self.data_start, &self.options);
                tally = balances;
                note_untested(&sums, &mut notes);
                evidence = Evidence::Commitments(sums);
            }
            Rule::ListProduct | Rule::ContractedProduct => {
                self.factors.explain(rule, &mut notes);
            }
            _ => {}
        }
        let has_tolerance = matches!(
            rule,
            Rule::ListProduct
                | Rule::ContractedProduct
                | Rule::InvoiceTotal
                | Rule::CommitmentBalance
        );
        let exact = (has_tolerance && tally.tested > 0).then_some(tally.exact);
        RuleResult {
            rule,
            outcome: tally.outcome(|| self.reason(rule, &notes)),
            exact,
            notes,
            evidence,
        }
    }

    /// Why a rule was tested on nothing.
    fn reason(&self, rule: Rule, notes: &[String]) -> String {
        if self.rows == 0 {
            return "the bill has no rows".to_owned();
        }
        let missing: Vec<String> = rule
            .columns()
            .iter()
            .filter(|column| !self.has(**column))
            // Read in no other rows than the rule is about: without such a row, nothing is known.
            .filter(|column| **column != Column::ResourceId || self.nulls[rule as usize].tested > 0)
            .map(|column| format!("`{column}`"))
            .collect();
        if !missing.is_empty() {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            return format!(
                "{} {verb} missing, or null in all {} rows",
                missing.join(", "),
                self.rows
            );
        }
        if rule == Rule::InvoiceTotal && self.options.invoices.is_empty() {
            return "no payable amounts of invoices were given to compare with".to_owned();
        }
        let reason = format!("no row {}", rule.kind());
        match notes.first() {
            Some(note) => format!("{reason} ({note})"),
            None => reason,
        }
    }

    /// Whether every column that the rule needs had a value in some row.
    fn has_columns(&self, rule: Rule) -> bool {
        rule.columns().iter().all(|&column| self.has(column))
    }

    fn has(&self, column: Column) -> bool {
        self.seen & bit(column) != 0
    }

    /// The text of a column, remembering that the bill has it.
    #[inline]
    fn text<'r>(&mut self, record: &'r CostRecord<'_>, column: Column) -> Option<&'r str> {
        let text = record.text(column);
        if text.is_some() {
            self.seen |= bit(column);
        }
        text
    }

    #[inline]
    fn see_fields(&mut self, record: &CostRecord<'_>) {
        if let Some(start) = record.charge_period.start {
            let start = start.as_second();
            self.data_start = Some(self.data_start.map_or(start, |first| first.min(start)));
        }
        // After the first rows there is mostly nothing new to see.
        if self.seen & FIELDS != FIELDS {
            self.see_new_fields(record);
        }
    }

    #[cold]
    fn see_new_fields(&mut self, record: &CostRecord<'_>) {
        let mut see = |is_some: bool, column: Column| {
            self.seen |= if is_some { bit(column) } else { 0 };
        };
        see(record.billed_cost.is_some(), Column::BilledCost);
        see(record.effective_cost.is_some(), Column::EffectiveCost);
        see(record.list_cost.is_some(), Column::ListCost);
        see(record.contracted_cost.is_some(), Column::ContractedCost);
        see(record.list_unit_price.is_some(), Column::ListUnitPrice);
        see(
            record.contracted_unit_price.is_some(),
            Column::ContractedUnitPrice,
        );
        see(record.pricing_quantity.is_some(), Column::PricingQuantity);
        see(record.consumed_quantity.is_some(), Column::ConsumedQuantity);
        see(record.charge_category.is_some(), Column::ChargeCategory);
        let (charged, billed) = (record.charge_period, record.billing_period);
        see(charged.start.is_some(), Column::ChargePeriodStart);
        see(charged.end.is_some(), Column::ChargePeriodEnd);
        see(billed.start.is_some(), Column::BillingPeriodStart);
        see(billed.end.is_some(), Column::BillingPeriodEnd);
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

    #[inline]
    fn check_periods(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let (charged, billed) = (record.charge_period, record.billing_period);
        let mut are_exclusive = None;
        if let (Some(start), Some(end)) = (charged.start, charged.end) {
            let shown = || times::shown(record, &CHARGE_PERIOD);
            self.check(Rule::ChargePeriodOrder, record, start < end, shown);
            are_exclusive = Some(!times::ends_inclusively(start, end));
        }
        if let (Some(start), Some(end)) = (billed.start, billed.end) {
            let shown = || times::shown(record, &BILLING_PERIOD);
            self.check(Rule::BillingPeriodOrder, record, start < end, shown);
            let is_exclusive = !self.billing.ends_inclusively(start, end);
            are_exclusive = Some(are_exclusive.unwrap_or(true) && is_exclusive);
            if let Some(charge_start) = charged.start.filter(|_| !facts.is_correction) {
                let is_inside = start <= charge_start && charge_start < end;
                self.check(Rule::ChargeInBillingPeriod, record, is_inside, || {
                    times::shown(record, &PERIODS)
                });
            }
        }
        if let Some(are_exclusive) = are_exclusive {
            self.check(Rule::ExclusiveEnds, record, are_exclusive, || {
                times::shown(record, &PERIODS)
            });
        }
        match times::zone(record) {
            Zone::Unstated => {}
            zone => self.check(Rule::UtcTimes, record, zone == Zone::Utc, || {
                times::spelled(record)
            }),
        }
    }

    #[inline]
    fn check_nulls(&mut self, record: &CostRecord<'_>) {
        let (has_text, placeholder) = record.seek_text(may_start_placeholder, is_placeholder);
        if has_text {
            self.check(Rule::NullsAreNull, record, placeholder.is_none(), || {
                let (column, text) = placeholder.unwrap_or((Column::Tags, ""));
                Shown::values([(column.name(), format!("`{text}`"))])
            });
        }
    }

    #[inline]
    fn check_products(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let Some(quantity) = record.pricing_quantity.filter(|_| !facts.is_correction) else {
            return;
        };
        let list = record.list_unit_price.zip(record.list_cost);
        let contracted = record.contracted_unit_price.zip(record.contracted_cost);
        let names = ["ListCost", "ListUnitPrice"];
        self.check_product(Rule::ListProduct, record, list, quantity, names);
        let names = ["ContractedCost", "ContractedUnitPrice"];
        self.check_product(Rule::ContractedProduct, record, contracted, quantity, names);
    }

    #[inline]
    fn check_product(
        &mut self,
        rule: Rule,
        record: &CostRecord<'_>,
        price_and_cost: Option<(Exact, Exact)>,
        quantity: Exact,
        [cost_name, price_name]: [&'static str; 2],
    ) {
        let Some((price, cost)) = price_and_cost else {
            return;
        };
        let agreement = product::agreement(price, quantity, cost, self.options.tolerance);
        self.tallies[rule as usize].exact += u64::from(agreement == Agreement::Exact);
        if agreement == Agreement::Off {
            let power = product::power_of_ten(price, quantity, cost);
            self.factors.add(rule, record, power);
        }
        self.check(rule, record, agreement != Agreement::Off, || Shown {
            values: vec![
                (cost_name, cost.normalized().to_string()),
                (price_name, price.normalized().to_string()),
                ("PricingQuantity", quantity.normalized().to_string()),
            ],
            difference: product::difference(price, quantity, cost),
        });
    }

    /// Adds the row to its invoice and to its account's billing period.
    #[inline]
    fn check_accounts(
        &mut self,
        record: &CostRecord<'_>,
        facts: &Facts<'_>,
    ) -> Result<(), ExactError> {
        let currency = record.billing_currency;
        let account = self.text(record, Column::BillingAccountId);
        if let Some(id) = self.text(record, Column::InvoiceId) {
            self.invoices.entry(id, currency, 0).add(record, account)?;
        }
        let (Some(effective), Some(billed)) = (record.effective_cost, record.billed_cost) else {
            return Ok(());
        };
        if facts.is_correction {
            return Ok(());
        }
        let start = record.billing_period.start;
        let moment = start.map_or(i64::MIN, |start| start.as_second());
        let period = self
            .taxed
            .entry(account.unwrap_or_default(), currency, moment);
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
        Ok(())
    }

    #[inline]
    fn check_effective_cost(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let Some(effective) = record.effective_cost else {
            return;
        };
        match (facts.category, facts.commitment) {
            (Some(ChargeCategory::Purchase), Some(_)) => {
                self.check(Rule::PrepaidPurchase, record, effective.is_zero(), || {
                    Shown {
                        values: vec![("EffectiveCost", effective.normalized().to_string())],
                        difference: Some(effective.into()),
                    }
                });
            }
            (Some(ChargeCategory::Credit), _) => {
                if let Some(billed) = record.billed_cost {
                    self.check(Rule::CreditCost, record, is_same(effective, billed), || {
                        Shown::costs(effective, billed)
                    });
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn check_commitment(
        &mut self,
        record: &CostRecord<'_>,
        facts: &Facts<'_>,
    ) -> Result<(), ExactError> {
        if let Some(id) = facts.commitment {
            let entry = self.commitments.entry(id, record.billing_currency, 0);
            entry.add(record)?;
            let is_covered = facts.category == Some(ChargeCategory::Usage);
            let billed = record
                .billed_cost
                .filter(|_| is_covered && !facts.is_correction);
            if let Some(billed) = billed {
                self.check(Rule::CoveredIsNotBilled, record, billed.is_zero(), || {
                    Shown {
                        values: vec![
                            ("BilledCost", billed.normalized().to_string()),
                            ("CommitmentDiscountId", id.to_owned()),
                        ],
                        difference: Some(billed.into()),
                    }
                });
            }
        }
        if facts.is_unused {
            self.check_unused(record, facts);
        }
        Ok(())
    }

    #[cold]
    fn check_unused(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let consumed = record.consumed_quantity;
        self.check(
            Rule::UnusedIsNotConsumed,
            record,
            consumed.is_none(),
            || Shown::values([("ConsumedQuantity", shown_number(consumed))]),
        );
        let resource = self.text(record, Column::ResourceId);
        let Some(commitment) = facts.commitment else {
            return;
        };
        let shown = || {
            Shown::values([
                ("ResourceId", resource.unwrap_or("null").to_owned()),
                ("CommitmentDiscountId", commitment.to_owned()),
            ])
        };
        let rule = Rule::UnusedNamesCommitment;
        match resource {
            Some(resource) => self.check(rule, record, resource == commitment, shown),
            None => self.check_is_stated(rule, record, false, shown),
        }
    }

    #[inline]
    fn check_quantities(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let pricing_unit = self.text(record, Column::PricingUnit);
        let consumed_unit = self.text(record, Column::ConsumedUnit);
        let Some(category) = facts.category else {
            return;
        };
        let (pricing, consumed) = (record.pricing_quantity, record.consumed_quantity);
        let is_usage = category == ChargeCategory::Usage;
        if !is_usage || facts.is_unused {
            self.check(
                Rule::ConsumedOnlyByUsage,
                record,
                consumed.is_none(),
                || {
                    Shown::values([
                        ("ChargeCategory", category.to_string()),
                        ("ConsumedQuantity", shown_number(consumed)),
                    ])
                },
            );
        } else if consumed.is_some() && !facts.is_correction {
            let is_stated = consumed_unit.is_some();
            self.check_is_stated(Rule::ConsumedUnitIsStated, record, is_stated, || {
                Shown::values([
                    ("ConsumedQuantity", shown_number(consumed)),
                    ("ConsumedUnit", "null".to_owned()),
                ])
            });
        }
        if category == ChargeCategory::Tax {
            self.check(Rule::TaxHasNoQuantity, record, pricing.is_none(), || {
                Shown::values([("PricingQuantity", shown_number(pricing))])
            });
        }
        if (is_usage || category == ChargeCategory::Purchase) && !facts.is_correction {
            let is_stated = pricing.is_some();
            self.check_is_stated(Rule::QuantityIsStated, record, is_stated, || {
                Shown::values([
                    ("ChargeCategory", category.to_string()),
                    ("PricingQuantity", "null".to_owned()),
                ])
            });
            if is_stated {
                let is_stated = pricing_unit.is_some();
                self.check_is_stated(Rule::PricingUnitIsStated, record, is_stated, || {
                    Shown::values([
                        ("PricingQuantity", shown_number(pricing)),
                        ("PricingUnit", "null".to_owned()),
                    ])
                });
            }
        }
    }

    #[inline]
    fn check_splits(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
        let pricing = self.text(record, Column::PricingCategory);
        let is_committed = pricing.is_some_and(|p| p.eq_ignore_ascii_case("Committed"));
        let shown = || {
            let text = |text: Option<&str>| text.unwrap_or("null").to_owned();
            Shown::values([
                ("CommitmentDiscountId", text(facts.commitment)),
                ("CommitmentDiscountStatus", text(facts.status)),
                ("PricingCategory", text(pricing)),
            ])
        };
        let names_commitment = facts.commitment.is_some();
        if facts.status.is_some() {
            self.check_is_stated(Rule::StatusNamesCommitment, record, names_commitment, shown);
        }
        if is_committed && !facts.is_correction {
            self.check_is_stated(
                Rule::CommittedNamesCommitment,
                record,
                names_commitment,
                shown,
            );
        }
        if facts.category != Some(ChargeCategory::Usage) || !names_commitment {
            return;
        }
        match facts.status {
            Some(_) => {
                let is_known = record.commitment_status().is_some_and(|status| {
                    matches!(status, CommitmentStatus::Used | CommitmentStatus::Unused)
                });
                self.check(Rule::CoveredHasStatus, record, is_known, shown);
            }
            None => self.check_is_stated(Rule::CoveredHasStatus, record, false, shown),
        }
        if facts.is_correction {
            return;
        }
        match pricing {
            Some(_) => self.check(Rule::CoveredIsCommitted, record, is_committed, shown),
            None => self.check_is_stated(Rule::CoveredIsCommitted, record, false, shown),
        }
    }

    #[inline]
    fn check_tags(&mut self, record: &CostRecord<'_>) {
        let Some(tags) = self.text(record, Column::Tags) else {
            return;
        };
        let fault = self.tags.fault(tags);
        let shown = || {
            let fault = fault.as_ref().map(TagFault::to_string);
            Shown::values([("Tags", fault.unwrap_or_default())])
        };
        let is_object = !matches!(fault, Some(TagFault::NoObject(_)));
        self.check(Rule::TagsAreObject, record, is_object, shown);
        if is_object {
            let is_flat = !matches!(fault, Some(TagFault::Nested(_)));
            self.check(Rule::TagsAreFlat, record, is_flat, shown);
            let is_unique = !matches!(fault, Some(TagFault::Duplicate(_)));
            self.check(Rule::TagKeysAreUnique, record, is_unique, shown);
        }
    }
}

const CHARGE_PERIOD: [Column; 2] = [Column::ChargePeriodStart, Column::ChargePeriodEnd];
const BILLING_PERIOD: [Column; 2] = [Column::BillingPeriodStart, Column::BillingPeriodEnd];
const PERIODS: [Column; 4] = [
    Column::ChargePeriodStart,
    Column::ChargePeriodEnd,
    Column::BillingPeriodStart,
    Column::BillingPeriodEnd,
];

/// What a failure shows.
struct Shown {
    values: Vec<(&'static str, String)>,
    difference: Option<ExactSum>,
}

impl Shown {
    fn values<const N: usize>(values: [(&'static str, String); N]) -> Shown {
        Shown {
            values: values.into(),
            difference: None,
        }
    }

    fn costs(effective: Exact, billed: Exact) -> Shown {
        let mut difference = ExactSum::from(effective);
        let difference = difference
            .add_sum(&ExactSum::from(billed).negated())
            .map(|()| difference);
        Shown {
            values: vec![
                ("EffectiveCost", effective.normalized().to_string()),
                ("BilledCost", billed.normalized().to_string()),
            ],
            difference: difference.ok(),
        }
    }
}

#[cold]
fn fail(tally: &mut Tally, record: &CostRecord<'_>, keep: usize, shown: impl FnOnce() -> Shown) {
    let provider = record.provider();
    tally.fail(record.line, provider, keep, || {
        let Shown { values, difference } = shown();
        Example {
            line: record.line,
            provider: provider.map(str::to_owned),
            values,
            difference,
        }
    });
}

fn shown_number(number: Option<Exact>) -> String {
    number.map_or("null".to_owned(), |number| number.normalized().to_string())
}

#[inline]
const fn bit(column: Column) -> u128 {
    1 << column as u8
}

/// The columns with a field of their own that the rules look at.
const FIELDS: u128 = bit(Column::BilledCost)
    | bit(Column::EffectiveCost)
    | bit(Column::ListCost)
    | bit(Column::ContractedCost)
    | bit(Column::ListUnitPrice)
    | bit(Column::ContractedUnitPrice)
    | bit(Column::PricingQuantity)
    | bit(Column::ConsumedQuantity)
    | bit(Column::ChargeCategory)
    | bit(Column::ChargePeriodStart)
    | bit(Column::ChargePeriodEnd)
    | bit(Column::BillingPeriodStart)
    | bit(Column::BillingPeriodEnd);

/// Equality of two cells of one row, which mostly have the same places.
#[inline]
fn is_same(a: Exact, b: Exact) -> bool {
    if a.scale() == b.scale() {
        a.mantissa() == b.mantissa()
    } else {
        a == b
    }
}

/// The first bytes of the texts that stand in for null.
#[inline]
fn may_start_placeholder(byte: u8) -> bool {
    matches!(
        byte,
        b'n' | b'N' | b'-' | b'#' | b'(' | b'<' | b'[' | b' ' | b'\t'
    )
}

/// Whether a text stands in for a value that is not there.
///
/// Only texts that can hardly be a value: `NA` is a region, `0` a number, `undefined` a name.
#[inline]
fn is_placeholder(text: &[u8]) -> bool {
    match text {
        // NULL itself, which is what ought to be there.
        [b'n' | b'N', b'u' | b'U', ..] => false,
        [b'n' | b'N', ..] => is_one_of(
            text,
            &[
                "n/a",
                "none",
                "nil",
                "nan",
                "not available",
                "not applicable",
            ],
        ),
        [b'#' | b'(' | b'<' | b'[', ..] => is_one_of(text, &["#n/a", "(null)", "<null>", "[null]"]),
        [b'-', ..] => text.iter().all(|&b| b == b'-'),
        [b' ' | b'\t', ..] => text.iter().all(|b| matches!(b, b' ' | b'\t')),
        _ => false,
    }
}

fn is_one_of(text: &[u8], words: &[&str]) -> bool {
    let is = |word: &&str| text.eq_ignore_ascii_case(word.as_bytes());
    words.iter().any(is)
}

fn verdict(rules: &[RuleResult]) -> Verdict {
    let any = |of: fn(&Outcome) -> bool| rules.iter().any(|rule| of(&rule.outcome));
    let has_failed = any(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let has_passed = any(|outcome| matches!(outcome, Outcome::Passed { .. }));
    let has_untested = any(|outcome| matches!(outcome, Outcome::NotTestable { .. }));
    match (has_failed, has_passed, has_untested) {
        (true, _, _) => Verdict::Failed,
        (false, true, true) => Verdict::PassedInPart,
        (false, true, false) => Verdict::Passed,
        (false, false, _) => Verdict::NotTestable,
    }
}

fn note_untested(sums: &[CommitmentSum], notes: &mut Vec<String>) {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for reason in sums.iter().filter_map(|sum| sum.not_testable.as_deref()) {
        *reasons.entry(reason).or_default() += 1;
    }
    for (reason, count) in reasons {
        notes.push(format!(
            "not tested for {count} of {} commitments: {reason}",
            sums.len()
        ));
    }
}

impl Factors {
    #[cold]
    fn add(&mut self, rule: Rule, record: &CostRecord<'_>, power: Option<i32>) {
        let provider = self.names.id(record.provider());
        let unit = self.names.id(record.text(Column::PricingUnit));
        self.count((rule, provider, unit), power, 1);
    }

    fn count(&mut self, key: (Rule, u32, u32), power: Option<i32>, rows: u64) {
        let (common, count) = self.found.entry(key).or_insert((power, 0));
        if *common != power {
            *common = None;
        }
        *count += rows;
    }

    fn merge(&mut self, other: &Factors) {
        for ((rule, provider, unit), (power, rows)) in &other.found {
            let provider = self.names.id(other.names.text(*provider));
            let unit = self.names.id(other.names.text(*unit));
            self.count((*rule, provider, unit), *power, *rows);
        }
    }

    /// Says which providers and units are off by the same power of ten in every failing row.
    fn explain(&self, rule: Rule, notes: &mut Vec<String>) {
        let mut lines: Vec<String> = Vec::new();
        for ((of, provider, unit), (power, rows)) in &self.found {
            let Some(power) = power.filter(|_| *of == rule) else {
                continue;
            };
            let provider = self.names.text(*provider).unwrap_or("an unnamed provider");
            let unit = self.names.text(*unit).unwrap_or("no unit");
            lines.push(format!(
                "{provider}, PricingUnit `{unit}`: the stated cost is 10^{power} times the product in all {rows} failing rows; the unit may hide a block of that many"
            ));
        }
        lines.sort_unstable();
        notes.append(&mut lines);
    }
}
