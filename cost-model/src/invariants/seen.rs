//! Which columns have a value in some row? A bill without a column breaks no rule about it.

use super::InvariantChecks;
use super::rule::Rule;
use crate::{Column, CostRecord};

const _: () = assert!(Column::COUNT <= 128, "one bit for each column");

impl InvariantChecks {
    /// Whether every column that the rule needs had a value in some row.
    pub(crate) fn has_columns(&self, rule: Rule) -> bool {
        rule.columns().iter().all(|&column| self.has(column))
    }

    pub(crate) fn has(&self, column: Column) -> bool {
        self.seen & bit(column) != 0
    }

    /// The text of a column, remembering that the bill has it.
    #[inline]
    pub(crate) fn text<'r>(
        &mut self,
        record: &'r CostRecord<'_>,
        column: Column,
    ) -> Option<&'r str> {
        let text = record.text(column);
        if text.is_some() {
            self.seen |= bit(column);
        }
        text
    }

    #[inline]
    pub(crate) fn see_fields(&mut self, record: &CostRecord<'_>) {
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
