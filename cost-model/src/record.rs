//! What is one charge of a bill?
//!
//! A [`CostRecord`] is one row of the FOCUS cost and usage dataset. Amounts, quantities and
//! times are typed; every other column is text, found by [`Column`]; columns that FOCUS does not
//! know keep their name and value. A record that a reader lends borrows from the row it was read
//! from; [`CostRecord::into_owned`] keeps it.

use std::borrow::Cow;
use std::fmt;

use bursar_units::Currency;
use jiff::Timestamp;

use crate::cells::Cells;
use crate::layout::Layout;
use crate::{Column, ColumnKind, CostGroup, Exact};

/// One charge.
///
/// An amount that the source does not state is `None`: unknown is not zero.
///
/// ```
/// use bursar_cost_model::{ChargeCategory, Column, CostGroup, CostRecord};
/// use bursar_units::Currency;
///
/// let mut record = CostRecord::new(Currency::USD);
/// record.billed_cost = Some("119.81".parse()?);
/// record.charge_category = Some(ChargeCategory::Usage);
/// record.charge_period.start = Some("2024-02-01T00:00:00Z".parse()?);
/// record.set(Column::ServiceCategory, "Compute");
/// record.set(Column::ServiceName, "Amazon Elastic Compute Cloud");
/// record.set_extra("x_Team", "search");
///
/// assert_eq!(record.cost_group(), CostGroup::Compute);
/// assert_eq!(record.extra("x_Team"), Some("search"));
/// assert_eq!(record.effective_cost, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct CostRecord<'a> {
    /// What is invoiced for this charge.
    pub billed_cost: Option<Exact>,
    /// The cost after all discounts, with prepaid purchases spread over what they cover.
    pub effective_cost: Option<Exact>,
    /// The cost at the public price.
    pub list_cost: Option<Exact>,
    /// The cost at the negotiated price, before commitment discounts.
    pub contracted_cost: Option<Exact>,
    /// The public price of one pricing unit.
    pub list_unit_price: Option<Exact>,
    /// The negotiated price of one pricing unit.
    pub contracted_unit_price: Option<Exact>,
    /// How many pricing units were charged.
    pub pricing_quantity: Option<Exact>,
    /// How many units were used.
    pub consumed_quantity: Option<Exact>,
    /// The currency of the four costs and the two unit prices.
    pub billing_currency: Currency,
    /// The kind of charge.
    pub charge_category: Option<ChargeCategory>,
    /// When the charge was incurred; the end is exclusive.
    pub charge_period: Period,
    /// The billing period that the charge belongs to; the end is exclusive.
    pub billing_period: Period,
    /// The line of the file, from 1, on which the row starts.
    pub line: Option<u64>,
    text: Text<'a>,
}

/// A stretch of time, from its start up to and without its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Period {
    /// The first instant, if stated.
    pub start: Option<Timestamp>,
    /// The first instant after it, if stated.
    pub end: Option<Timestamp>,
}

/// The highest-level kind of a charge: FOCUS `ChargeCategory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ChargeCategory {
    /// Consumption of a service.
    Usage,
    /// Acquisition of a service or commitment.
    Purchase,
    /// Taxes levied.
    Tax,
    /// A voucher or incentive of the provider.
    Credit,
    /// Anything else that changes what is due.
    Adjustment,
}

/// Whether a charge consumed its commitment: FOCUS `CommitmentDiscountStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommitmentStatus {
    /// The charge consumed part of the commitment.
    Used,
    /// The charge is the part that nothing consumed.
    Unused,
}

impl ChargeCategory {
    /// The five categories, in the order of the specification.
    pub const ALL: [ChargeCategory; 5] = [
        ChargeCategory::Usage,
        ChargeCategory::Purchase,
        ChargeCategory::Tax,
        ChargeCategory::Credit,
        ChargeCategory::Adjustment,
    ];

    /// The value in the specification.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ChargeCategory::Usage => "Usage",
            ChargeCategory::Purchase => "Purchase",
            ChargeCategory::Tax => "Tax",
            ChargeCategory::Credit => "Credit",
            ChargeCategory::Adjustment => "Adjustment",
        }
    }

    /// The category of this name, in any case; `None` for any other text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<ChargeCategory> {
        ChargeCategory::ALL
            .into_iter()
            .find(|c| c.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for ChargeCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a record's text columns are.
#[derive(Clone)]
enum Text<'a> {
    /// In the row that it was read from, with what the dialect computed beside it.
    Row {
        cells: Cells<'a>,
        layout: &'a Layout,
        computed: Vec<(Column, Cow<'a, str>)>,
    },
    /// In the record itself.
    Owned {
        columns: Vec<(Column, String)>,
        extras: Vec<(String, String)>,
    },
}

impl CostRecord<'static> {
    /// A charge of which nothing is known but its currency.
    #[must_use]
    pub fn new(billing_currency: Currency) -> CostRecord<'static> {
        let text = Text::Owned {
            columns: Vec::new(),
            extras: Vec::new(),
        };
        CostRecord::with_text(billing_currency, text)
    }
}

impl<'a> CostRecord<'a> {
    fn with_text(billing_currency: Currency, text: Text<'a>) -> CostRecord<'a> {
        CostRecord {
            billed_cost: None,
            effective_cost: None,
            list_cost: None,
            contracted_cost: None,
            list_unit_price: None,
            contracted_unit_price: None,
            pricing_quantity: None,
            consumed_quantity: None,
            billing_currency,
            charge_category: None,
            charge_period: Period::default(),
            billing_period: Period::default(),
            line: None,
            text,
        }
    }

    /// A record whose text columns are the cells of one row.
    pub(crate) fn of_row(
        billing_currency: Currency,
        cells: Cells<'a>,
        layout: &'a Layout,
    ) -> CostRecord<'a> {
        CostRecord::with_text(
            billing_currency,
            Text::Row {
                cells,
                layout,
                computed: Vec::new(),
            },
        )
    }

    /// The text of a column; `None` where the source has no such column or a null in it.
    ///
    /// The typed columns (costs, unit prices, quantities, times, currency, charge category) are
    /// the fields of the record; here they are found only if the source spelled them out.
    #[must_use]
    pub fn text(&self, column: Column) -> Option<&str> {
        match &self.text {
            Text::Row {
                cells,
                layout,
                computed,
            } => match computed.iter().find(|(c, _)| *c == column) {
                Some((_, value)) => Some(value),
                None => cells.value(layout.position(column)?),
            },
            Text::Owned { columns, .. } => columns
                .iter()
                .find(|(c, _)| *c == column)
                .map(|(_, value)| value.as_str()),
        }
    }

    /// Sets the text of a column.
    pub fn set(&mut self, column: Column, value: impl Into<Cow<'a, str>>) {
        let value = value.into();
        match &mut self.text {
            Text::Row { computed, .. } => {
                computed.retain(|(c, _)| *c != column);
                computed.push((column, value));
            }
            Text::Owned { columns, .. } => {
                columns.retain(|(c, _)| *c != column);
                columns.push((column, value.into_owned()));
            }
        }
    }

    /// The value of a column that FOCUS does not know, by its exact name.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<&str> {
        self.extras()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    /// The columns that FOCUS does not know, with a value, in the order of the source.
    pub fn extras(&self) -> impl Iterator<Item = (&str, &str)> {
        let (row, owned) = match &self.text {
            Text::Row { cells, layout, .. } => (Some((cells, layout)), &[][..]),
            Text::Owned { extras, .. } => (None, extras.as_slice()),
        };
        let of_row = row.into_iter().flat_map(|(cells, layout)| {
            layout
                .extras()
                .filter_map(|(name, at)| Some((name, cells.value(at)?)))
        });
        of_row.chain(
            owned
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }

    /// Keeps a column that FOCUS does not know, in place of an earlier one of the same name.
    ///
    /// A record that borrows its row is first made to own it.
    pub fn set_extra(&mut self, name: &str, value: &str) {
        self.own_text();
        if let Text::Owned { extras, .. } = &mut self.text {
            extras.retain(|(n, _)| n != name);
        }
        self.add_extra(name, value);
    }

    /// Keeps a column that FOCUS does not know, beside any of the same name: headers repeat names,
    /// and each of their cells is kept. [`extra`](CostRecord::extra) finds the first.
    pub fn add_extra(&mut self, name: &str, value: &str) {
        self.own_text();
        if let Text::Owned { extras, .. } = &mut self.text {
            extras.push((name.to_owned(), value.to_owned()));
        }
    }

    fn own_text(&mut self) {
        if let Text::Row { .. } = self.text {
            self.text = self.owned_text();
        }
    }

    /// Every text column that has a value.
    pub fn columns(&self) -> impl Iterator<Item = (Column, &str)> {
        Column::ALL
            .iter()
            .filter_map(|&column| Some((column, self.text(column)?)))
    }

    /// Whether any [plain text](is_plain_text) column has a text, and the first whose text is
    /// `sought`: one pass over the row, where asking for every column would be dozens of look-ups.
    #[inline]
    pub(crate) fn seek_text(
        &self,
        may_start: impl Fn(u8) -> bool,
        sought: impl Fn(&[u8]) -> bool,
    ) -> (bool, Option<(Column, &str)>) {
        match &self.text {
            Text::Row { cells, layout, .. } => {
                let (any, found) = cells.seek(layout.texts(), may_start, sought);
                let named = found.and_then(|(at, cell)| Some((layout.column(at)?, cell)));
                (any, named)
            }
            Text::Owned { columns, .. } => {
                let texts = || {
                    let plain = columns.iter().filter(|(column, _)| is_plain_text(*column));
                    plain.map(|(column, text)| (*column, text.as_str()))
                };
                let found = texts()
                    .filter(|(_, text)| sought(text.as_bytes()))
                    .min_by_key(|(column, _)| *column);
                (texts().next().is_some(), found)
            }
        }
    }

    /// The record on its own, free of the row it was read from.
    #[must_use]
    pub fn into_owned(self) -> CostRecord<'static> {
        let text = match self.text {
            Text::Row { .. } => self.owned_text(),
            Text::Owned { columns, extras } => Text::Owned { columns, extras },
        };
        CostRecord { text, ..self }
    }

    fn owned_text(&self) -> Text<'static> {
        let columns = self
            .columns()
            .map(|(c, value)| (c, value.to_owned()))
            .collect();
        let extras = self
            .extras()
            .map(|(n, value)| (n.to_owned(), value.to_owned()))
            .collect();
        Text::Owned { columns, extras }
    }

    /// Which of the five groups of a bill the charge belongs to.
    #[must_use]
    pub fn cost_group(&self) -> CostGroup {
        CostGroup::classify(
            self.text(Column::ServiceCategory),
            self.text(Column::ServiceName),
        )
    }

    /// Who provides the service: `ServiceProviderName` (1.3) or else `ProviderName`.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.text(Column::ServiceProviderName)
            .or_else(|| self.text(Column::ProviderName))
    }

    /// The value of one tag, as text; `None` when the record does not have it.
    ///
    /// `Tags` is a JSON object; a tag without a value is `true`.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<Cow<'_, str>> {
        let tags = self.text(Column::Tags)?;
        // A tag that is there is spelled there, unless its name needs escapes.
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if plain && memchr::memmem::find(tags.as_bytes(), name.as_bytes()).is_none() {
            return None;
        }
        let mut tags: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(tags).ok()?;
        match tags.remove(name)? {
            serde_json::Value::String(value) => Some(Cow::Owned(value)),
            serde_json::Value::Null => None,
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    /// Whether the row corrects a charge of an earlier invoice.
    #[must_use]
    pub fn is_correction(&self) -> bool {
        self.text(Column::ChargeClass)
            .is_some_and(|c| c.eq_ignore_ascii_case("Correction"))
    }

    /// Whether the charge consumed its commitment; `None` without one.
    #[must_use]
    pub fn commitment_status(&self) -> Option<CommitmentStatus> {
        match self.text(Column::CommitmentDiscountStatus)? {
            s if s.eq_ignore_ascii_case("Used") => Some(CommitmentStatus::Used),
            s if s.eq_ignore_ascii_case("Unused") => Some(CommitmentStatus::Unused),
            _ => None,
        }
    }
}

impl fmt::Debug for CostRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CostRecord")
            .field("line", &self.line)
            .field("billed_cost", &self.billed_cost)
            .field("effective_cost", &self.effective_cost)
            .field("list_cost", &self.list_cost)
            .field("contracted_cost", &self.contracted_cost)
            .field("billing_currency", &self.billing_currency)
            .field("charge_category", &self.charge_category)
            .field("charge_period", &self.charge_period)
            // Tags may hold personal data, and debug output ends in logs.
            .field("service", &self.text(Column::ServiceName))
            .finish_non_exhaustive()
    }
}

/// Records are equal when every column is; the line is where a record stood, not what it says.
impl PartialEq for CostRecord<'_> {
    fn eq(&self, other: &CostRecord<'_>) -> bool {
        let numbers = |r: &CostRecord<'_>| {
            [
                r.billed_cost,
                r.effective_cost,
                r.list_cost,
                r.contracted_cost,
                r.list_unit_price,
                r.contracted_unit_price,
                r.pricing_quantity,
                r.consumed_quantity,
            ]
        };
        let rest = |r: &CostRecord<'_>| {
            (
                r.billing_currency,
                r.charge_category,
                r.charge_period,
                r.billing_period,
            )
        };
        // The typed columns count as what they say, not as how the source spelled them.
        let texts = |(column, _): &(Column, &str)| !is_typed(*column);
        numbers(self) == numbers(other)
            && rest(self) == rest(other)
            && self
                .columns()
                .filter(texts)
                .eq(other.columns().filter(texts))
            && self.extras().eq(other.extras())
    }
}

/// Whether a column holds text that means something: no number, no time, no description.
pub(crate) fn is_plain_text(column: Column) -> bool {
    let kind = column.kind();
    let is_text = matches!(kind, ColumnKind::Text | ColumnKind::Json);
    is_text && !is_typed(column) && column != Column::ChargeDescription
}

/// Whether a column has a field of its own in [`CostRecord`].
pub(crate) fn is_typed(column: Column) -> bool {
    matches!(
        column,
        Column::BilledCost
            | Column::EffectiveCost
            | Column::ListCost
            | Column::ContractedCost
            | Column::ListUnitPrice
            | Column::ContractedUnitPrice
            | Column::PricingQuantity
            | Column::ConsumedQuantity
            | Column::BillingCurrency
            | Column::ChargeCategory
            | Column::ChargePeriodStart
            | Column::ChargePeriodEnd
            | Column::BillingPeriodStart
            | Column::BillingPeriodEnd
    )
}
