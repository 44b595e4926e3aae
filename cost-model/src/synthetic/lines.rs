//! Where are the texts of a made-up bill? In lines that many of its charges share.

use bursar_units::Currency;

use crate::cells::Cells;
use crate::layout::Layout;
use crate::{Column, CostRecord};

/// One text column and its value.
pub(super) type Cell = (Column, String);

/// The texts of charges: each line is what many charges have in common.
#[derive(Debug)]
pub(super) struct Lines {
    layout: Layout,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    text: String,
    ends: Vec<usize>,
}

/// The columns that lines have, in the order of their cells.
const COLUMNS: [Column; 31] = [
    Column::AvailabilityZone,
    Column::BillingAccountId,
    Column::BillingAccountName,
    Column::ChargeClass,
    Column::ChargeDescription,
    Column::ChargeFrequency,
    Column::CommitmentDiscountCategory,
    Column::CommitmentDiscountId,
    Column::CommitmentDiscountName,
    Column::CommitmentDiscountStatus,
    Column::CommitmentDiscountType,
    Column::ConsumedUnit,
    Column::InvoiceId,
    Column::InvoiceIssuerName,
    Column::PricingCategory,
    Column::PricingUnit,
    Column::ProviderName,
    Column::PublisherName,
    Column::RegionId,
    Column::RegionName,
    Column::ResourceId,
    Column::ResourceName,
    Column::ResourceType,
    Column::ServiceCategory,
    Column::ServiceName,
    Column::ServiceSubcategory,
    Column::SkuId,
    Column::SkuPriceId,
    Column::SubAccountId,
    Column::SubAccountName,
    Column::Tags,
];

impl Lines {
    pub(super) fn new() -> Lines {
        let names = COLUMNS.map(Column::name);
        Lines {
            layout: Layout::new(&names, Column::from_name),
            lines: Vec::new(),
        }
    }

    /// Keeps a line of these cells; its number.
    pub(super) fn add(&mut self, cells: &[Cell]) -> usize {
        let mut line = Line {
            text: String::new(),
            ends: Vec::with_capacity(COLUMNS.len()),
        };
        for column in COLUMNS {
            if let Some((_, text)) = cells.iter().find(|(c, _)| *c == column) {
                line.text.push_str(text);
            }
            line.ends.push(line.text.len());
        }
        self.lines.push(line);
        self.lines.len() - 1
    }

    /// The cells of a line that name its commitment.
    pub(super) fn commitment(&self, line: usize) -> Vec<Cell> {
        let record = self.record(line, Currency::XXX);
        let columns = [
            Column::CommitmentDiscountCategory,
            Column::CommitmentDiscountId,
            Column::CommitmentDiscountName,
            Column::CommitmentDiscountType,
        ];
        let cell = |column| Some((column, record.text(column)?.to_owned()));
        columns.into_iter().filter_map(cell).collect()
    }

    /// A record with the texts of a line and nothing else.
    pub(super) fn record(&self, line: usize, currency: Currency) -> CostRecord<'_> {
        let Line { text, ends } = &self.lines[line];
        CostRecord::of_row(currency, Cells::new(text, ends), &self.layout)
    }
}
