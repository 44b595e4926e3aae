//! How does a FOCUS row become a record? By the names of its columns, 1.0 to 1.4.

use bursar_units::Currency;

use super::cell::{CellProblem, Memo, decimal};
use super::{FileProblem, ReadOptions};
use crate::cells::Cells;
use crate::layout::Layout;
use crate::record::is_typed;
use crate::{ChargeCategory, Column, ColumnKind, CostRecord, Period, RejectReason};

/// Whether the header has columns that only FOCUS names so.
pub(crate) fn recognizes(header: &[&str]) -> bool {
    let has = |column| {
        header
            .iter()
            .any(|name| Column::from_name(name) == Some(column))
    };
    let costs = [
        Column::BilledCost,
        Column::EffectiveCost,
        Column::ListCost,
        Column::ContractedCost,
    ];
    let places = [
        Column::ChargePeriodStart,
        Column::ChargeCategory,
        Column::BillingCurrency,
    ];
    costs.into_iter().any(has) && places.into_iter().any(has)
}

#[derive(Debug)]
pub(crate) struct Focus {
    /// The currency of rows that state none.
    currency: Currency,
    /// Decimal columns without a field of their own: checked, and kept as text.
    other_decimals: Vec<usize>,
    /// Time columns without a field of their own; none in 1.4.
    places: Places,
}

/// Where the typed columns are, looked up once a file.
#[derive(Debug)]
struct Places {
    billed: Option<usize>,
    effective: Option<usize>,
    list: Option<usize>,
    contracted: Option<usize>,
    list_unit_price: Option<usize>,
    contracted_unit_price: Option<usize>,
    pricing_quantity: Option<usize>,
    consumed_quantity: Option<usize>,
    currency: Option<usize>,
    charge_category: Option<usize>,
    charge_start: Option<usize>,
    charge_end: Option<usize>,
    billing_start: Option<usize>,
    billing_end: Option<usize>,
}

impl Focus {
    pub(crate) fn new(header: &[&str], options: &ReadOptions) -> (Layout, Focus, Vec<FileProblem>) {
        let layout = Layout::new(header, Column::from_name);
        let at = |column| layout.position(column);
        let missing = |column: &&Column| {
            column.is_mandatory()
                && at(**column).is_none()
                && !(**column == Column::BillingCurrency && options.currency.is_some())
        };
        let problems = Column::ALL
            .iter()
            .filter(missing)
            .map(|&c| FileProblem::missing_column(c));
        let problems = problems.chain(columns_twice(header)).collect();
        let other_decimals = Column::ALL
            .iter()
            .filter(|c| c.kind() == ColumnKind::Decimal && !is_typed(**c))
            .filter_map(|&c| at(c))
            .collect();
        let places = Places {
            billed: at(Column::BilledCost),
            effective: at(Column::EffectiveCost),
            list: at(Column::ListCost),
            contracted: at(Column::ContractedCost),
            list_unit_price: at(Column::ListUnitPrice),
            contracted_unit_price: at(Column::ContractedUnitPrice),
            pricing_quantity: at(Column::PricingQuantity),
            consumed_quantity: at(Column::ConsumedQuantity),
            currency: at(Column::BillingCurrency),
            charge_category: at(Column::ChargeCategory),
            charge_start: at(Column::ChargePeriodStart),
            charge_end: at(Column::ChargePeriodEnd),
            billing_start: at(Column::BillingPeriodStart),
            billing_end: at(Column::BillingPeriodEnd),
        };
        let currency = options.currency.unwrap_or(Currency::XXX);
        (
            layout,
            Focus {
                currency,
                other_decimals,
                places,
            },
            problems,
        )
    }

    #[inline]
    pub(crate) fn decode<'a>(
        &'a self,
        cells: Cells<'a>,
        layout: &'a Layout,
        memo: &mut Memo,
    ) -> Result<CostRecord<'a>, CellProblem> {
        let at = &self.places;
        let currency = memo.currency(cells, at.currency)?.unwrap_or(self.currency);
        let mut record = CostRecord::of_row(currency, cells, layout);
        record.billed_cost = decimal(cells, at.billed)?;
        record.effective_cost = decimal(cells, at.effective)?;
        record.list_cost = decimal(cells, at.list)?;
        record.contracted_cost = decimal(cells, at.contracted)?;
        record.list_unit_price = decimal(cells, at.list_unit_price)?;
        record.contracted_unit_price = decimal(cells, at.contracted_unit_price)?;
        record.pricing_quantity = decimal(cells, at.pricing_quantity)?;
        record.consumed_quantity = decimal(cells, at.consumed_quantity)?;
        record.charge_category = charge_category(cells, at.charge_category)?;
        record.charge_period = Period {
            start: memo.time(cells, at.charge_start)?,
            end: memo.time(cells, at.charge_end)?,
        };
        record.billing_period = Period {
            start: memo.time(cells, at.billing_start)?,
            end: memo.time(cells, at.billing_end)?,
        };
        for &other in &self.other_decimals {
            decimal(cells, Some(other))?;
        }
        Ok(record)
    }
}

/// The columns that stand in the header once more; the first of them is the one that is read.
fn columns_twice(header: &[&str]) -> impl Iterator<Item = FileProblem> {
    let columns = header.iter().map(|name| Column::from_name(name));
    let columns: Vec<Option<Column>> = columns.collect();
    let twice = |(at, column): (usize, &Option<Column>)| {
        (*column).filter(|_| columns[..at].contains(column))
    };
    let twice: Vec<Column> = columns.iter().enumerate().filter_map(twice).collect();
    twice.into_iter().map(|column| FileProblem {
        line: 1,
        column: column.name().to_owned(),
        reason: format!(
            "column `{column}` stands twice; its first is read, the other is kept aside"
        ),
    })
}

#[inline]
fn charge_category(
    cells: Cells<'_>,
    at: Option<usize>,
) -> Result<Option<ChargeCategory>, CellProblem> {
    let Some(at) = at else { return Ok(None) };
    let Some(cell) = cells.value(at) else {
        return Ok(None);
    };
    match ChargeCategory::from_name(cell) {
        Some(category) => Ok(Some(category)),
        None => Err(CellProblem {
            at,
            reason: RejectReason::Value {
                value: cell.to_owned(),
                expected: "Usage, Purchase, Tax, Credit, Adjustment",
            },
        }),
    }
}
