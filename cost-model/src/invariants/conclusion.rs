//! What do the tests of a rule come to, and why could it not be tested?

use std::collections::BTreeMap;

use super::outcome::{CommitmentSum, Evidence, Outcome, RuleResult, Verdict};
use super::rule::Rule;
use super::{InvariantChecks, commitments, invoices, taxes};
use crate::Column;

impl InvariantChecks {
    pub(crate) fn rule_result(&mut self, rule: Rule) -> RuleResult {
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
}

pub(crate) fn verdict(rules: &[RuleResult]) -> Verdict {
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
