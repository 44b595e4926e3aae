//! Are quantities and their units stated where there are any, and nowhere else?

use super::rule::Rule;
use super::shown::{Shown, shown_number};
use super::{Facts, InvariantChecks};
use crate::{ChargeCategory, Column, CostRecord};

impl InvariantChecks {
    #[inline]
    pub(crate) fn check_quantities(&mut self, record: &CostRecord<'_>, facts: &Facts<'_>) {
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
}
