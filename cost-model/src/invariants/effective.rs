//! Is the effective cost of prepaid purchases zero, and that of credits what is billed?

use super::rule::Rule;
use super::shown::Shown;
use super::{Facts, InvariantChecks};
use crate::{ChargeCategory, CostRecord, Exact};

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_effective_cost(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
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
}

/// Equality of two cells of one row, which mostly have the same places.
#[inline]
pub(crate) fn is_same(a: Exact, b: Exact) -> bool {
    if a.scale() == b.scale() {
        a.mantissa() == b.mantissa()
    } else {
        a == b
    }
}
