//! How do records become a FOCUS file again, with no amount rounded?
//!
//! [`FocusWriter`] writes CSV that [`BillReader`](crate::BillReader) reads back as equal records;
//! with the feature `parquet`, `FocusParquetWriter` does the same for Parquet.

use std::io::Write;

use jiff::Timestamp;

use crate::port::BoxError;
use crate::record::is_typed;
use crate::{Column, CostRecord, Exact, FocusVersion};

/// The columns of a file to be written: those of FOCUS, and others by their name.
///
/// ```
/// use bursar_cost_model::{Column, FocusColumns, FocusVersion};
///
/// let all = FocusColumns::from(FocusVersion::V1_0);
/// assert_eq!(all.columns().len(), 43);
///
/// let few = FocusColumns::new([Column::BilledCost, Column::ChargePeriodStart])
///     .with_extras(["x_Team"])?;
/// assert_eq!(few.names().collect::<Vec<_>>(), ["BilledCost", "ChargePeriodStart", "x_Team"]);
/// # Ok::<(), bursar_cost_model::WriteError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FocusColumns {
    columns: Vec<Column>,
    extras: Vec<String>,
}

impl FocusColumns {
    /// These columns, each once, in this order.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> FocusColumns {
        let mut kept = Vec::new();
        for column in columns {
            if !kept.contains(&column) {
                kept.push(column);
            }
        }
        FocusColumns {
            columns: kept,
            extras: Vec::new(),
        }
    }

    /// And these columns that FOCUS does not know, after the others.
    ///
    /// # Errors
    /// [`WriteError::ColumnName`] for a name that a reader would not find again under this name:
    /// that of a FOCUS column, one with blanks around it, an empty one, the same one twice.
    pub fn with_extras<'a>(
        mut self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<FocusColumns, WriteError> {
        for name in names {
            let taken = self.extras.iter().any(|known| known == name);
            let lost = name.trim() != name || name.is_empty() || name.starts_with('\u{FEFF}');
            if taken || lost || Column::from_name(name).is_some() {
                return Err(WriteError::ColumnName(name.to_owned()));
            }
            self.extras.push(name.to_owned());
        }
        Ok(self)
    }

    /// The columns of FOCUS.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The other columns.
    #[must_use]
    pub fn extras(&self) -> &[String] {
        &self.extras
    }

    /// The names of all of them, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let columns = self.columns.iter().map(|column| column.name());
        columns.chain(self.extras.iter().map(String::as_str))
    }
}

/// Every column that the specification had introduced by this version.
impl From<FocusVersion> for FocusColumns {
    fn from(version: FocusVersion) -> FocusColumns {
        let known = Column::ALL.iter().copied();
        FocusColumns::new(known.filter(|column| column.since() <= version))
    }
}

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The output failed.
    #[error("cannot write the output: {0}")]
    Io(#[from] std::io::Error),
    /// A column that would not be read back under its name.
    #[error(
        "`{0}` cannot name a column beside those of FOCUS: it is empty, has blanks around it, \
         stands twice or is the name of a FOCUS column; rename it"
    )]
    ColumnName(String),
    /// A header that would be split at another character than the comma.
    #[error(
        "the header would be read as separated by `{0}`, which its names hold more often than \
         there are commas; rename the columns that hold it"
    )]
    Separator(char),
    /// A value that the column's type cannot hold without loss.
    #[error("column `{column}`: `{value}` does not fit {holds} without loss; write CSV instead")]
    DoesNotFit {
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
        /// What the column holds.
        holds: &'static str,
    },
    /// The Parquet encoder failed.
    #[error("cannot write the Parquet file: {0}")]
    Parquet(#[source] BoxError),
}

/// Writes records as a FOCUS CSV file.
///
/// Unknown amounts, times and texts are empty cells, times are `YYYY-MM-DDTHH:mm:ssZ` (with a
/// fraction only where the time has one), amounts have the places that they were given.
/// [`BillReader`](crate::BillReader) reads the same records back, with one exception that CSV
/// cannot avoid: a text that is empty, `NULL` in any case or `\N` is read as null.
///
/// ```
/// use bursar_cost_model::{Column, CostRecord, FocusColumns, FocusWriter};
/// use bursar_units::Currency;
///
/// let mut record = CostRecord::new(Currency::USD);
/// record.billed_cost = Some("119.81".parse()?);
/// record.charge_period.start = Some("2024-01-01T00:00:00Z".parse()?);
/// record.set(Column::ServiceName, "Compute, \"elastic\"");
///
/// let columns = FocusColumns::new([
///     Column::BilledCost,
///     Column::BillingCurrency,
///     Column::ChargePeriodStart,
///     Column::ServiceName,
/// ]);
/// let mut writer = FocusWriter::new(Vec::new(), columns)?;
/// writer.write(&record)?;
/// let file = String::from_utf8(writer.finish()?)?;
/// assert_eq!(
///     file,
///     "BilledCost,BillingCurrency,ChargePeriodStart,ServiceName\n\
///      119.81,USD,2024-01-01T00:00:00Z,\"Compute, \"\"elastic\"\"\"\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FocusWriter<W: Write> {
    output: W,
    columns: FocusColumns,
    /// Rows that have not been handed to the output yet.
    buffer: Vec<u8>,
    times: TimeTexts,
}

/// How many bytes are gathered before the output sees them.
const BUFFER_BYTES: usize = 64 * 1024;

impl<W: Write> FocusWriter<W> {
    /// Starts a file: the header is the first thing written.
    ///
    /// # Errors
    /// [`WriteError::Separator`] when the names of the columns would mislead a reader.
    pub fn new(output: W, columns: impl Into<FocusColumns>) -> Result<FocusWriter<W>, WriteError> {
        let mut writer = FocusWriter {
            output,
            columns: columns.into(),
            buffer: Vec::with_capacity(BUFFER_BYTES + 4096),
            times: TimeTexts::default(),
        };
        for name in writer.columns.names() {
            push_text(&mut writer.buffer, name);
            writer.buffer.push(b',');
        }
        end_row(&mut writer.buffer, 0);
        match misleading_separator(&writer.buffer) {
            Some(separator) => Err(WriteError::Separator(separator)),
            None => Ok(writer),
        }
    }

    /// Writes one record. Columns that the file does not have are left out.
    ///
    /// # Errors
    /// [`WriteError::Io`] when the output fails.
    pub fn write(&mut self, record: &CostRecord<'_>) -> Result<(), WriteError> {
        let FocusWriter {
            columns,
            buffer,
            times,
            ..
        } = self;
        let start = buffer.len();
        for &column in &columns.columns {
            push_cell(buffer, times, record, column);
            buffer.push(b',');
        }
        for name in &columns.extras {
            push_text(buffer, record.extra(name).unwrap_or_default());
            buffer.push(b',');
        }
        end_row(buffer, start);
        if buffer.len() >= BUFFER_BYTES {
            self.drain()?;
        }
        Ok(())
    }

    /// Writes what is left and gives the output back, flushed.
    ///
    /// A writer that is dropped without this leaves a file that breaks off.
    ///
    /// # Errors
    /// [`WriteError::Io`] when the output fails.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.drain()?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn drain(&mut self) -> Result<(), WriteError> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> std::fmt::Debug for FocusWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FocusWriter")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// The amount in a typed decimal column; `None` for every other column and for unknown amounts.
pub(crate) fn amount(record: &CostRecord<'_>, column: Column) -> Option<Exact> {
    match column {
        Column::BilledCost => record.billed_cost,
        Column::EffectiveCost => record.effective_cost,
        Column::ListCost => record.list_cost,
        Column::ContractedCost => record.contracted_cost,
        Column::ListUnitPrice => record.list_unit_price,
        Column::ContractedUnitPrice => record.contracted_unit_price,
        Column::PricingQuantity => record.pricing_quantity,
        Column::ConsumedQuantity => record.consumed_quantity,
        _ => None,
    }
}

/// The time in a typed time column; `None` for every other column and for unknown times.
pub(crate) fn time(record: &CostRecord<'_>, column: Column) -> Option<Timestamp> {
    match column {
        Column::ChargePeriodStart => record.charge_period.start,
        Column::ChargePeriodEnd => record.charge_period.end,
        Column::BillingPeriodStart => record.billing_period.start,
        Column::BillingPeriodEnd => record.billing_period.end,
        _ => None,
    }
}

/// The text of a column that is neither an amount nor a time.
pub(crate) fn text<'a>(record: &'a CostRecord<'_>, column: Column) -> Option<&'a str> {
    match column {
        Column::BillingCurrency => Some(record.billing_currency.code()),
        Column::ChargeCategory => record.charge_category.map(|category| category.name()),
        _ if is_typed(column) => None,
        _ => record.text(column),
    }
}

/// Appends the cell of one column.
fn push_cell(buffer: &mut Vec<u8>, times: &mut TimeTexts, record: &CostRecord<'_>, column: Column) {
    if let Some(exact) = amount(record, column) {
        push_exact(buffer, exact);
    } else if let Some(time) = time(record, column) {
        buffer.extend_from_slice(times.of(time).as_bytes());
    } else if let Some(text) = text(record, column) {
        push_text(buffer, text);
    }
}

/// Appends text, in quotes where it needs them.
fn push_text(buffer: &mut Vec<u8>, text: &str) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !text.as_bytes().iter().any(special) {
        buffer.extend_from_slice(text.as_bytes());
        return;
    }
    buffer.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'"', rest) {
        buffer.extend_from_slice(&rest[..=at]);
        buffer.push(b'"');
        rest = &rest[at + 1..];
    }
    buffer.extend_from_slice(rest);
    buffer.push(b'"');
}

/// Turns the comma after the last cell into the end of the row that starts at `start`.
fn end_row(buffer: &mut Vec<u8>, start: usize) {
    if buffer.len() > start {
        buffer.pop();
    }
    if buffer.len() == start {
        // A row of one empty cell would be a blank line, which readers skip.
        buffer.extend_from_slice(b"\"\"");
    }
    buffer.push(b'\n');
}

/// The separator that a reader would take a header for, if it is not the comma.
fn misleading_separator(header: &[u8]) -> Option<char> {
    let line_end = memchr::memchr(b'\n', header).unwrap_or(header.len());
    let count = |byte: u8| memchr::memchr_iter(byte, &header[..line_end]).count();
    [b';', b'\t', b'|']
        .into_iter()
        .find(|&byte| count(byte) > count(b','))
        .map(char::from)
}

/// Appends a number with all of its places, as its `Display` would.
pub(crate) fn push_exact(buffer: &mut Vec<u8>, exact: Exact) {
    /// 39 digits of 128 bits, a zero before the point, the point and the sign.
    const LONGEST: usize = 42;
    let mut text = [b'0'; LONGEST];
    let mut at = LONGEST;
    let scale = exact.scale() as usize;
    let mut left = exact.mantissa().unsigned_abs();
    let mut n_digits = 0;
    while left > 0 || n_digits <= scale {
        if n_digits == scale && scale > 0 {
            at -= 1;
            text[at] = b'.';
        }
        let digit;
        // 64-bit division is many times as fast, and few amounts need more.
        (left, digit) = match u64::try_from(left) {
            Ok(short) => (u128::from(short / 10), (short % 10) as u8),
            Err(_) => (left / 10, (left % 10) as u8),
        };
        at -= 1;
        text[at] = b'0' + digit;
        n_digits += 1;
    }
    if exact.is_negative() {
        at -= 1;
        text[at] = b'-';
    }
    buffer.extend_from_slice(&text[at..]);
}

/// The texts of the last few times: neighboring rows share them.
#[derive(Debug, Default)]
struct TimeTexts {
    kept: [(Option<Timestamp>, String); 4],
    oldest: usize,
}

impl TimeTexts {
    fn of(&mut self, time: Timestamp) -> &str {
        let known = self.kept.iter().position(|(t, _)| *t == Some(time));
        let at = known.unwrap_or_else(|| {
            let at = self.oldest;
            self.oldest = (at + 1) % self.kept.len();
            self.kept[at] = (Some(time), time.to_string());
            at
        });
        &self.kept[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_amounts_as_they_were_given() {
        for text in [
            "0",
            "0.00",
            "7",
            "-7",
            "0.00000080000",
            "-0.5",
            "119.81",
            "100",
            "18446744073709551616.00000000000",
            "999999999999999999999999",
            "-0.0000000000000000000000000000000000001",
        ] {
            let exact: Exact = text.parse().unwrap();
            let mut printed = Vec::new();
            push_exact(&mut printed, exact);
            assert_eq!(String::from_utf8(printed).unwrap(), text);
        }
    }

    #[test]
    fn names_the_separator_that_would_mislead() {
        assert_eq!(misleading_separator(b"a,b\n;;;"), None);
        assert_eq!(misleading_separator(b"a,x;y\n"), None);
        assert_eq!(misleading_separator(b"a,x;y;z\n"), Some(';'));
    }
}
