//! How does a bill file become records, with no row lost in silence?
//!
//! [`BillReader`] reads CSV (plain or gzip) of FOCUS 1.0 to 1.4, AWS CUR, Azure and OCI, and
//! finds out which it is from the header. Rows stream through a bounded number of blocks;
//! every row comes out as a [`Row`]: a record, or a rejection that names line, column, value and
//! reason.

mod aws_cur;
mod azure;
pub(crate) mod cell;
pub(crate) mod decode;
mod focus;
mod native;
mod oci;
mod reader;
pub(crate) mod rows;
mod tokens;

use std::fmt;

use bursar_units::Currency;

use crate::{Column, CostRecord, ExactError};

pub use reader::{BillReader, Folded};

/// The dialects that a bill can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Format {
    /// FinOps Open Cost and Usage Specification, 1.0 to 1.4, of any provider.
    Focus,
    /// AWS Cost and Usage Report: `lineItem/…`, `line_item_…` or Athena's lower-case headers.
    AwsCur,
    /// Azure usage details: Enterprise Agreement, actual cost or amortized cost.
    Azure,
    /// Oracle Cloud Infrastructure cost report.
    Oci,
}

impl Format {
    /// The name by which the command line and reports call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Focus => "focus",
            Format::AwsCur => "aws-cur",
            Format::Azure => "azure",
            Format::Oci => "oci",
        }
    }

    /// The format that this header belongs to; `None` when it is none of them.
    ///
    /// ```
    /// use bursar_cost_model::Format;
    ///
    /// let header = ["lineItem/UsageStartDate", "lineItem/UnblendedCost"];
    /// assert_eq!(Format::detect(&header), Some(Format::AwsCur));
    /// assert_eq!(Format::detect(&["name", "age"]), None);
    /// ```
    #[must_use]
    pub fn detect(header: &[&str]) -> Option<Format> {
        decode::detect(header)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a file is read; the default finds everything out from the file.
///
/// ```
/// use bursar_cost_model::{BillReader, ReadOptions, Row};
/// use bursar_units::Currency;
///
/// let mut options = ReadOptions::default();
/// options.currency = Some(Currency::EUR);
/// let bill = "BilledCost,ChargePeriodStart\n8.00,2024-01-02T00:00:00Z\n";
/// let mut reader = BillReader::new(bill.as_bytes(), &options)?;
/// let Some(Row::Record(charge)) = reader.next_row() else { panic!("8.00 is a charge") };
/// assert_eq!(charge.billing_currency, Currency::EUR);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The format, where the header does not tell or tells wrong.
    pub format: Option<Format>,
    /// The currency of rows that state none; without it they are kept under `XXX`, ISO 4217's
    /// code for no currency, and never added to others.
    pub currency: Option<Currency>,
    /// Which cost an [Azure](Format::Azure) file states; without it, each row is taken for what
    /// it shows itself to be.
    pub azure_cost: Option<AzureCost>,
}

/// What the cost column of an Azure usage file holds. The header is the same for both.
///
/// They differ on reservations and savings plans alone: the actual cost has their purchases, and
/// nothing on the usage that they cover; the amortized cost has them spread over that usage and
/// over what nothing used, and no purchases.
///
/// Where [`ReadOptions::azure_cost`] does not say, usage under a reservation or savings plan that
/// costs something, and `UnusedReservation` and `UnusedSavingsPlan`, are taken as amortized;
/// covered usage that costs nothing is taken as actual, and its effective cost is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum AzureCost {
    /// What is invoiced: the cost column is the billed cost of every row.
    Actual,
    /// What is consumed: the cost column is the effective cost of every row.
    Amortized,
}

/// What one row of a file became.
///
/// ```
/// use bursar_cost_model::{BillReader, ReadOptions, Row};
///
/// let bill = "\
/// BilledCost,BillingCurrency,ChargePeriodStart
/// 8.00,USD,2024-01-02T00:00:00Z
/// oops,USD,2024-01-02T00:00:00Z
/// ";
/// let mut reader = BillReader::new(bill.as_bytes(), &ReadOptions::default())?;
/// let Some(Row::Record(charge)) = reader.next_row() else { panic!("8.00 is a charge") };
/// assert_eq!((charge.line, charge.billed_cost), (Some(2), Some("8".parse()?)));
/// let Some(Row::Rejected(row)) = reader.next_row() else { panic!("oops is no number") };
/// assert_eq!((row.line, row.column.as_str(), row.value.as_str()), (3, "BilledCost", "oops"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "rows are lent one at a time; a box would cost an allocation a row"
)]
pub enum Row<'a> {
    /// A charge.
    Record(CostRecord<'a>),
    /// A row that could not be read.
    Rejected(RejectedRow),
}

/// A row that could not be read: where it stands, what it says, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[error("line {line}{}: {reason}", of_column(column))]
#[non_exhaustive]
pub struct RejectedRow {
    /// The line of the file, from 1, on which the row starts.
    pub line: u64,
    /// The column at fault, as the header spells it; empty where the whole row is.
    pub column: String,
    /// What the cell holds, at most [`RejectedRow::VALUE_BYTES`] bytes of it.
    pub value: String,
    /// What is wrong.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub reason: RejectReason,
}

/// Names the column, where the fault is in one.
fn of_column(column: &str) -> String {
    if column.is_empty() {
        String::new()
    } else {
        format!(", column `{column}`")
    }
}

impl RejectedRow {
    /// Longer values are shortened in the report.
    pub const VALUE_BYTES: usize = 200;
}

/// Why a row was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// A decimal cell holds something else.
    #[error("{0}")]
    Number(#[from] ExactError),
    /// A date cell holds something else.
    #[error("`{0}` is no date or time in a form that bills use")]
    Time(String),
    /// A currency cell holds no code of ISO 4217.
    #[error("`{0}` is no currency code of ISO 4217")]
    Currency(String),
    /// A cell of a closed set of values holds another.
    #[error("`{value}` is none of {expected}")]
    Value {
        /// What the cell holds.
        value: String,
        /// The values that it may hold.
        expected: &'static str,
    },
    /// A cell that must not be null is.
    #[error("the cell is empty, and the row cannot be placed without it")]
    Missing,
    /// The row has more or fewer cells than the header.
    #[error("the row has {have} cells, the header has {want}")]
    Cells {
        /// Cells in the row.
        have: usize,
        /// Cells in the header.
        want: usize,
    },
    /// A quote is opened and not closed.
    #[error("a quote is opened and never closed: the file may be cut off here")]
    OpenQuote,
    /// The row does not end where any row would.
    #[error("the row is longer than {0} bytes")]
    TooLong(usize),
    /// The row is the last that was read before its file broke off.
    #[error("the file breaks off in this row")]
    CutOff,
    /// The row is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
}

/// Something wrong with a file as a whole: a column that is missing, a stream that breaks off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[error("line {line}{}: {reason}", of_column(column))]
#[non_exhaustive]
pub struct FileProblem {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column concerned; empty where it concerns them all.
    pub column: String,
    /// What is wrong, and what that means for the rows.
    pub reason: String,
}

impl FileProblem {
    /// A mandatory column that the header does not have.
    pub(crate) fn missing_column(column: Column) -> FileProblem {
        FileProblem {
            line: 1,
            column: column.name().to_owned(),
            reason: format!("mandatory column `{column}` is missing; its values are unknown"),
        }
    }
}

/// Why a file could not be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input failed before the first row.
    #[error("cannot read the input: {0}")]
    Io(#[from] std::io::Error),
    /// The first line is the header of no known format.
    #[error("line 1: no bill format has these columns ({0}); state the format")]
    UnknownFormat(String),
    /// The input is no Parquet file, or one whose description of itself is damaged.
    #[error("cannot read the Parquet file: {0}")]
    Parquet(#[source] crate::BoxError),
    /// The input is of a kind that this build cannot read.
    #[error("the input is {0}")]
    Unsupported(&'static str),
}

#[cfg(feature = "serde")]
fn as_text<S: serde::Serializer>(reason: &RejectReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}
