//! How is a bill in Parquet read and written?
//!
//! Query engines and AWS, Azure and BigQuery exports deliver Parquet. [`ParquetBill`] turns its
//! rows into the same text cells that a CSV row has and lets the same decoders read them, so that
//! FOCUS, AWS CUR, Azure and OCI work as they do from CSV. [`FocusParquetWriter`] writes records.

mod input;
mod text;
mod write;

use std::io::{Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::cells::Cells;
use crate::read::cell::{CellProblem, Memo};
use crate::read::decode::{self, Decoder};
use crate::read::rows::shorten;
use crate::{FileProblem, Format, ReadError, ReadOptions, RejectReason, RejectedRow, Row};

use input::Input;

pub use write::FocusParquetWriter;

/// Reads the rows of one bill in Parquet, batch by batch.
///
/// What the types of Parquet become: integers and decimals their exact digits (zeros at the end
/// of a fraction are left out), floating-point numbers the shortest decimal that reads back as
/// the same number, timestamps of any unit RFC 3339 in UTC (one without a zone is taken for UTC,
/// as in CSV), dates `YYYY-MM-DD`, byte arrays UTF-8 text, maps, structs and lists JSON. A null
/// is an empty cell. `line` of records and rejections is the ordinal of the row, from 1.
///
/// A damaged part of the file costs the rest of its row group and no more: the rows that it held
/// are named in [`problems`](ParquetBill::problems), and reading goes on with the next group.
///
/// ```
/// use bursar_cost_model::{
///     CostRecord, FocusParquetWriter, FocusVersion, ParquetBill, ReadOptions, Row,
/// };
/// use bursar_units::Currency;
///
/// let mut record = CostRecord::new(Currency::USD);
/// record.billed_cost = Some("119.81".parse()?);
/// let mut writer = FocusParquetWriter::new(Vec::new(), FocusVersion::V1_2)?;
/// writer.write(&record)?;
/// let file = std::io::Cursor::new(writer.finish()?);
///
/// let mut bill = ParquetBill::new(file, &ReadOptions::default())?;
/// let Some(Row::Record(read)) = bill.next_row() else { panic!("one row was written") };
/// assert_eq!(read, record);
/// assert!(bill.next_row().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParquetBill {
    open: OpenGroup,
    /// How many rows each row group says it has.
    group_rows: Vec<u64>,
    /// The row group that is opened next.
    next_group: usize,
    /// The row group that is being read, and how many of its rows are still to come.
    group: Option<ParquetRecordBatchReader>,
    group_left: u64,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    at: usize,
    /// How many rows of the file came before.
    ordinal: u64,
    decoder: Decoder,
    /// For each column, whether its type can be read.
    readable: Vec<bool>,
    text: String,
    ends: Vec<usize>,
    memo: Memo,
    problems: Vec<FileProblem>,
}

/// Opens one row group.
type OpenGroup = Box<dyn FnMut(usize) -> Result<ParquetRecordBatchReader, ParquetError> + Send>;

/// Rows that are decoded at a time: enough to share the cost of a batch, few enough that a batch
/// of wide rows stays at some ten megabytes.
const BATCH_ROWS: usize = 8192;

impl ParquetBill {
    /// Opens a bill: reads the footer and finds the format from the names of the columns.
    ///
    /// # Errors
    /// [`ReadError`] when the input is no Parquet file, its footer is damaged, or it is no bill
    /// that is known. Columns that lack are no error: see [`problems`](ParquetBill::problems).
    pub fn new(
        input: impl Read + Seek + Send + 'static,
        options: &ReadOptions,
    ) -> Result<ParquetBill, ReadError> {
        let input = Input::new(input)?;
        // An Arrow schema that a writer left in the metadata only renames the types; without it
        // there is less to trust.
        let arrow_options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata =
            guarded(|| ArrowReaderMetadata::load(&input, arrow_options)).map_err(damaged)?;
        let fields = metadata.schema().fields();
        let names: Vec<&str> = fields.iter().map(|field| field.name().trim()).collect();
        let format = options.format.or_else(|| decode::detect(&names));
        let Some(format) = format.filter(|_| !names.is_empty()) else {
            return Err(ReadError::UnknownFormat(shorten(&names.join(", "))));
        };
        let (decoder, mut problems) = Decoder::new(format, &names, options);
        let readable: Vec<bool> = fields
            .iter()
            .map(|field| text::is_readable(field.data_type()))
            .collect();
        let unreadable = fields
            .iter()
            .zip(&readable)
            .filter(|(_, readable)| !**readable);
        problems.extend(unreadable.map(|(field, _)| FileProblem {
            line: 1,
            column: field.name().clone(),
            reason: format!(
                "columns of type {} cannot be read; its values are unknown",
                field.data_type()
            ),
        }));
        let groups = metadata.metadata().row_groups().iter();
        let group_rows = groups
            .map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
            .collect();
        let open = move |group| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), metadata.clone())
                .with_row_groups(vec![group])
                .with_batch_size(BATCH_ROWS)
                .build()
        };
        Ok(ParquetBill {
            open: Box::new(open),
            group_rows,
            next_group: 0,
            group: None,
            group_left: 0,
            batch: None,
            at: 0,
            ordinal: 0,
            decoder,
            readable,
            text: String::new(),
            ends: Vec::new(),
            memo: Memo::new(),
            problems,
        })
    }

    /// The format of the file.
    #[must_use]
    pub fn format(&self) -> Format {
        self.decoder.format
    }

    /// What is wrong with the file as a whole: at first what the columns lack, while reading also
    /// which rows are lost to damage.
    #[must_use]
    pub fn problems(&self) -> &[FileProblem] {
        &self.problems
    }

    /// How many rows the file says it has.
    #[must_use]
    pub fn stated_rows(&self) -> u64 {
        self.group_rows
            .iter()
            .fold(0, |sum, &n| sum.saturating_add(n))
    }

    /// The next row; `None` after the last.
    pub fn next_row(&mut self) -> Option<Row<'_>> {
        while self
            .batch
            .as_ref()
            .is_none_or(|batch| self.at >= batch.num_rows())
        {
            self.advance()?;
        }
        let row = self.at;
        self.at += 1;
        self.ordinal = self.ordinal.saturating_add(1);
        let fault = self.gather(row);
        Some(self.decode(fault))
    }

    /// Moves one step on: to the next batch, or to the next row group; `None` at the end.
    fn advance(&mut self) -> Option<()> {
        self.batch = None;
        self.at = 0;
        let group = &mut self.group;
        match guarded(|| {
            group
                .as_mut()
                .and_then(Iterator::next)
                .transpose()
                .map_err(Into::into)
        })
        .transpose()
        {
            Some(Ok(batch)) => {
                self.group_left = self.group_left.saturating_sub(batch.num_rows() as u64);
                self.batch = Some(batch);
            }
            Some(Err(error)) => self.lose_group(&error.to_string()),
            None if self.group_left > 0 => self.lose_group("the row group ends early"),
            None => self.open_group()?,
        }
        Some(())
    }

    /// Opens the next row group; `None` after the last.
    fn open_group(&mut self) -> Option<()> {
        self.group = None;
        self.group_left = *self.group_rows.get(self.next_group)?;
        let open = &mut self.open;
        match guarded(|| open(self.next_group)) {
            Ok(group) => self.group = Some(group),
            Err(error) => self.lose_group(&error.to_string()),
        }
        self.next_group += 1;
        Some(())
    }

    /// Reports what is left of the row group as lost.
    fn lose_group(&mut self, reason: &str) {
        let lost = std::mem::take(&mut self.group_left);
        self.group = None;
        let first = self.ordinal.saturating_add(1);
        self.ordinal = self.ordinal.saturating_add(lost);
        self.problems.push(FileProblem {
            line: first,
            column: String::new(),
            reason: format!(
                "{lost} rows from here on, to the end of their row group, cannot be read: {}",
                shorten(reason)
            ),
        });
    }

    /// Writes the cells of a row of the batch as text; the first that is none is returned.
    fn gather(&mut self, row: usize) -> Option<(usize, String)> {
        self.text.clear();
        self.ends.clear();
        let mut fault = None;
        let columns = self.batch.iter().flat_map(RecordBatch::columns);
        for (at, (column, readable)) in columns.zip(&self.readable).enumerate() {
            let column: &dyn Array = column;
            if *readable && let Err(text::NotUtf8(lossy)) = text::push(&mut self.text, column, row)
            {
                fault = fault.or(Some((at, lossy)));
            }
            self.ends.push(self.text.len());
        }
        fault
    }

    /// The gathered row as a record, or why it is none.
    fn decode(&mut self, fault: Option<(usize, String)>) -> Row<'_> {
        // Field by field, so that the memo can be written while the cells are read.
        let ParquetBill {
            decoder,
            text,
            ends,
            memo,
            ordinal,
            ..
        } = self;
        let cells = Cells::new(text, ends);
        let reject = |at: usize, value: &str, reason| {
            Row::Rejected(RejectedRow {
                line: *ordinal,
                column: decoder.layout.name(at),
                value: shorten(value),
                reason,
            })
        };
        if let Some((at, lossy)) = fault {
            return reject(at, &lossy, RejectReason::NotUtf8);
        }
        match decoder.decode(cells, memo) {
            Ok(mut record) => {
                record.line = Some(*ordinal);
                Row::Record(record)
            }
            Err(CellProblem { at, reason }) => {
                reject(at, cells.get(at).unwrap_or_default(), reason)
            }
        }
    }
}

impl std::fmt::Debug for ParquetBill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetBill")
            .field("format", &self.format())
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// Calls the decoder, for which some damage is not an error but a panic.
///
/// What it left half done must be dropped. The panic is reported by the process's hook before it
/// becomes an error, and a build that aborts on panics aborts.
fn guarded<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = said.unwrap_or("for no stated reason");
        Err(ParquetError::General(format!(
            "the decoder gave up: {reason}"
        )))
    })
}

fn damaged(error: ParquetError) -> ReadError {
    ReadError::Parquet(error.into())
}
