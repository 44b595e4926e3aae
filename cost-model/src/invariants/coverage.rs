//! Does covered usage name its commitment, its status and its pricing, with nothing of it billed,
//! and does the unused part of a commitment name it too?

use super::rule::Rule;
use super::shown::{Shown, shown_number};
use super::{Facts, InvariantChecks};
use crate::{ChargeCategory, Column, CommitmentStatus, CostRecord, ExactError};

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_commitment(
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
    pub(crate) fn check_splits(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
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
}
