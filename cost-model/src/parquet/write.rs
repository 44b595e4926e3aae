//! How do records become a Parquet file, with no amount rounded?

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, Decimal128Builder, StringDictionaryBuilder, TimestampMillisecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::write::{amount, text, time};
use crate::{Column, ColumnKind, CostRecord, Exact, FocusColumns, WriteError};

/// Writes records as a FOCUS Parquet file, compressed with Zstandard.
///
/// Decimal columns are `DECIMAL(38, 18)`, which query engines read exactly; times are
/// milliseconds in UTC; everything else, tags in JSON among it, is text. What these types cannot
/// hold without loss is refused, not rounded: amounts of 10²⁰ and more or with more than 18
/// places, and times between two milliseconds.
///
/// ```
/// use bursar_cost_model::{CostRecord, FocusParquetWriter, FocusVersion, WriteError};
/// use bursar_units::Currency;
///
/// let mut writer = FocusParquetWriter::new(Vec::new(), FocusVersion::V1_2)?;
/// let mut record = CostRecord::new(Currency::USD);
/// record.billed_cost = Some("1e-19".parse()?);
/// assert!(matches!(writer.write(&record), Err(WriteError::DoesNotFit { .. })));
/// record.billed_cost = Some("0.000000000000000001".parse()?);
/// writer.write(&record)?;
/// assert!(writer.finish()?.starts_with(b"PAR1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FocusParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
    columns: FocusColumns,
    builders: Vec<Builder>,
    /// Rows in the builders.
    rows: usize,
}

/// Places after the point of the decimal columns.
const SCALE: i8 = 18;

/// Digits of the decimal columns: the most that 128 bits hold.
const PRECISION: u8 = 38;

/// Rows that are encoded at a time.
const BATCH_ROWS: usize = 8192;

/// Rows of a row group. A group is kept in memory, compressed, until it is whole.
const GROUP_ROWS: usize = 1 << 20;

enum Builder {
    Decimal(Decimal128Builder),
    Time(TimestampMillisecondBuilder),
    /// A dictionary, because bills repeat the same few texts.
    Text(StringDictionaryBuilder<Int32Type>),
}

impl<W: Write + Send> FocusParquetWriter<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// [`WriteError::Parquet`] when the output fails.
    pub fn new(
        output: W,
        columns: impl Into<FocusColumns>,
    ) -> Result<FocusParquetWriter<W>, WriteError> {
        let columns = columns.into();
        let kinds = columns.columns().iter().map(|column| column.kind());
        let extras = columns.extras().iter().map(|_| ColumnKind::Text);
        let builders: Vec<Builder> = kinds.chain(extras).map(Builder::new).collect();
        let fields: Vec<Field> = columns
            .names()
            .zip(&builders)
            .map(|(name, builder)| Field::new(name, builder.data_type(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            // Dictionaries are how texts are written here, not how others should read them.
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output, Arc::clone(&schema), options)
            .map_err(failed)?;
        Ok(FocusParquetWriter {
            writer,
            schema,
            columns,
            builders,
            rows: 0,
        })
    }

    /// Writes one record. Columns that the file does not have are left out.
    ///
    /// # Errors
    /// [`WriteError::DoesNotFit`] for an amount or a time that would lose digits; the record is
    /// then not written, and others can be. [`WriteError::Parquet`] when the output fails.
    pub fn write(&mut self, record: &CostRecord<'_>) -> Result<(), WriteError> {
        for &column in self.columns.columns() {
            check(record, column)?;
        }
        let columns = self.columns.columns();
        let extras = self.columns.extras();
        let (of_columns, of_extras) = self.builders.split_at_mut(columns.len());
        for (builder, &column) in of_columns.iter_mut().zip(columns) {
            builder.append(record, column)?;
        }
        for (builder, name) in of_extras.iter_mut().zip(extras) {
            if let Builder::Text(builder) = builder {
                builder.append_option(record.extra(name));
            }
        }
        self.rows += 1;
        if self.rows == BATCH_ROWS {
            self.encode()?;
        }
        Ok(())
    }

    /// Writes what is left, and the footer without which the file cannot be read.
    ///
    /// # Errors
    /// [`WriteError::Parquet`] and [`WriteError::Io`] when the output fails.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.encode()?;
        let mut output = self.writer.into_inner().map_err(failed)?;
        output.flush()?;
        Ok(output)
    }

    fn encode(&mut self) -> Result<(), WriteError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let arrays: Vec<ArrayRef> = self.builders.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| failed(error.into()))?;
        self.writer.write(&batch).map_err(failed)
    }
}

impl<W: Write + Send> std::fmt::Debug for FocusParquetWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FocusParquetWriter")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Builder {
    fn new(kind: ColumnKind) -> Builder {
        match kind {
            ColumnKind::Decimal => {
                let data_type = DataType::Decimal128(PRECISION, SCALE);
                Builder::Decimal(Decimal128Builder::new().with_data_type(data_type))
            }
            ColumnKind::Timestamp => {
                Builder::Time(TimestampMillisecondBuilder::new().with_timezone("UTC"))
            }
            ColumnKind::Text | ColumnKind::Json => Builder::Text(StringDictionaryBuilder::new()),
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Builder::Decimal(_) => DataType::Decimal128(PRECISION, SCALE),
            Builder::Time(_) => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Builder::Text(_) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
        }
    }

    fn append(&mut self, record: &CostRecord<'_>, column: Column) -> Result<(), WriteError> {
        match self {
            Builder::Decimal(builder) => builder.append_option(decimal(record, column)?),
            Builder::Time(builder) => builder.append_option(millisecond(record, column)?),
            Builder::Text(builder) => builder.append_option(text(record, column)),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Decimal(builder) => ArrayBuilder::finish(builder),
            Builder::Time(builder) => ArrayBuilder::finish(builder),
            Builder::Text(builder) => ArrayBuilder::finish(builder),
        }
    }
}

/// Whether the column can hold what the record says, so that a row is written whole or not.
fn check(record: &CostRecord<'_>, column: Column) -> Result<(), WriteError> {
    match column.kind() {
        ColumnKind::Decimal => decimal(record, column).map(drop),
        ColumnKind::Timestamp => millisecond(record, column).map(drop),
        ColumnKind::Text | ColumnKind::Json => Ok(()),
    }
}

/// The amount of a decimal column, in units of its last place.
fn decimal(record: &CostRecord<'_>, column: Column) -> Result<Option<i128>, WriteError> {
    let refuse = |value: String| WriteError::DoesNotFit {
        column: column.name(),
        value,
        holds: "DECIMAL(38, 18)",
    };
    let exact = match (amount(record, column), text(record, column)) {
        (Some(exact), _) => exact,
        // The decimal columns without a field of their own are kept as text.
        (None, Some(text)) => text.parse().map_err(|_| refuse(text.to_owned()))?,
        (None, None) => return Ok(None),
    };
    match scaled(exact) {
        Some(units) => Ok(Some(units)),
        None => Err(refuse(exact.to_string())),
    }
}

/// The number as an integer of its 18th place; `None` when that loses digits.
fn scaled(exact: Exact) -> Option<i128> {
    let scale = SCALE.unsigned_abs().into();
    let exact = if exact.scale() > scale {
        exact.normalized()
    } else {
        exact
    };
    let up = 10i128.checked_pow(u32::checked_sub(scale, exact.scale())?)?;
    let units = exact.mantissa().checked_mul(up)?;
    (units.unsigned_abs() < 10u128.pow(PRECISION.into())).then_some(units)
}

fn millisecond(record: &CostRecord<'_>, column: Column) -> Result<Option<i64>, WriteError> {
    let Some(time) = time(record, column) else {
        return Ok(None);
    };
    let milliseconds = time.as_millisecond();
    if Timestamp::from_millisecond(milliseconds).is_ok_and(|whole| whole == time) {
        return Ok(Some(milliseconds));
    }
    Err(WriteError::DoesNotFit {
        column: column.name(),
        value: time.to_string(),
        holds: "a time in milliseconds",
    })
}

fn failed(error: ParquetError) -> WriteError {
    WriteError::Parquet(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_what_fits_and_nothing_else() {
        for (text, units) in [
            ("119.81", Some(119_810_000_000_000_000_000)),
            ("-0.000000000000000001", Some(-1)),
            ("0.00000000000000000010", None),
            ("0.0000000000000000010", Some(1)),
            (
                "99999999999999999999",
                Some(99_999_999_999_999_999_999 * 10i128.pow(18)),
            ),
            ("100000000000000000000", None),
        ] {
            let exact: Exact = text.parse().unwrap();
            assert_eq!(scaled(exact), units, "{text}");
        }
    }
}
