//! Are the failing products of one provider and unit all off by the same power of ten?

use std::collections::BTreeMap;

use super::rule::Rule;
use crate::intern::Interner;
use crate::{Column, CostRecord};

/// By which powers of ten the products of a provider and pricing unit are off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factors {
    names: Interner,
    found: BTreeMap<(Rule, u32, u32), (Option<i32>, u64)>,
}

impl Factors {
    #[cold]
    pub(crate) fn add(&mut self, rule: Rule, record: &CostRecord<'_>, power: Option<i32>) {
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

    pub(crate) fn merge(&mut self, other: &Factors) {
        for ((rule, provider, unit), (power, rows)) in &other.found {
            let provider = self.names.id(other.names.text(*provider));
            let unit = self.names.id(other.names.text(*unit));
            self.count((*rule, provider, unit), *power, *rows);
        }
    }

    /// Says which providers and units are off by the same power of ten in every failing row.
    pub(crate) fn explain(&self, rule: Rule, notes: &mut Vec<String>) {
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
