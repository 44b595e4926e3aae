//! How does a bill file get into a store, with the rows that could not be read accounted for?
//!
//! [`BillSource`] hands the records of a [`BillReader`], or of any other [`BillRows`], on in batches. What becomes of a rejected
//! row is the caller's choice: counted and kept for the report, shown to a callback, or a reason
//! to stop. An input that breaks off always stops it: half a file is not the partition.

use std::fmt;

use async_trait::async_trait;

use crate::memory::BATCH_RECORDS;
use crate::{
    BillReader, CostRecord, CostSource, FileProblem, Format, RejectedRow, Row, SourceError,
};

/// A bill file, of whatever kind, as rows.
pub trait BillRows: Send {
    /// The format of the file; `None` when it is empty.
    fn format(&self) -> Option<Format>;

    /// What is wrong with the file as a whole, as far as it has been read.
    fn problems(&self) -> &[FileProblem];

    /// The next row; `None` after the last, also when the input broke off there.
    fn next_row(&mut self) -> Option<Row<'_>>;

    /// After the last row: why that is not the last of the file.
    fn broken_off(&self) -> Option<FileProblem>;
}

impl BillRows for BillReader<'_> {
    fn format(&self) -> Option<Format> {
        self.format()
    }

    fn problems(&self) -> &[FileProblem] {
        self.problems()
    }

    fn next_row(&mut self) -> Option<Row<'_>> {
        self.next_row()
    }

    fn broken_off(&self) -> Option<FileProblem> {
        self.broken_off()
    }
}

impl<B: BillRows + ?Sized> BillRows for Box<B> {
    fn format(&self) -> Option<Format> {
        (**self).format()
    }

    fn problems(&self) -> &[FileProblem] {
        (**self).problems()
    }

    fn next_row(&mut self) -> Option<Row<'_>> {
        (**self).next_row()
    }

    fn broken_off(&self) -> Option<FileProblem> {
        (**self).broken_off()
    }
}

#[cfg(feature = "parquet")]
impl BillRows for crate::ParquetBill {
    fn format(&self) -> Option<Format> {
        Some(self.format())
    }

    fn problems(&self) -> &[FileProblem] {
        self.problems()
    }

    fn next_row(&mut self) -> Option<Row<'_>> {
        self.next_row()
    }

    fn broken_off(&self) -> Option<FileProblem> {
        // What the header lacks names its column; rows lost to damage lack them all.
        let lost = self
            .problems()
            .iter()
            .find(|problem| problem.column.is_empty());
        lost.cloned()
    }
}

/// The records of one bill file.
///
/// Reading blocks, for about a millisecond a batch when the input is a local file.
///
/// ```
/// use bursar_cost_model::{BillReader, BillSource, CostStore, MemoryStore, PartitionKey,
///     ReadOptions};
///
/// # futures_executor::block_on(async {
/// let file = "\
/// BilledCost,BillingCurrency,ChargePeriodStart,ServiceName
/// 119.81,USD,2024-02-01T00:00:00Z,Amazon Elastic Compute Cloud
/// oops,USD,2024-02-01T00:00:00Z,Amazon Bedrock
/// ";
/// let february = PartitionKey::new("focus", "2024-02");
/// let store = MemoryStore::new();
///
/// let mut bill = BillSource::new(BillReader::new(file.as_bytes(), &ReadOptions::default())?);
/// let info = store.replace_partition(&february, &mut bill).await?;
/// assert_eq!((info.records, bill.rejected()), (1, 1));
/// assert_eq!(bill.rejections()[0].line, 3);
///
/// let mut bill = BillSource::new(BillReader::new(file.as_bytes(), &ReadOptions::default())?);
/// let refused = store.replace_partition(&february, &mut bill.strict()).await;
/// assert!(refused.unwrap_err().to_string().contains("line 3, column `BilledCost`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct BillSource<'r> {
    rows: Box<dyn BillRows + 'r>,
    on_rejected: OnRejected<'r>,
    records: u64,
    rejected: u64,
    kept: Vec<RejectedRow>,
}

/// What becomes of a row that cannot be read.
enum OnRejected<'r> {
    Keep,
    Show(Box<dyn FnMut(&RejectedRow) + Send + 'r>),
    Fail,
}

impl<'r> BillSource<'r> {
    /// How many rejected rows are kept; all are counted.
    pub const KEPT_REJECTIONS: usize = 1000;

    /// The rows of this bill that have not been read yet; rejected ones are counted, and the
    /// first [`KEPT_REJECTIONS`](Self::KEPT_REJECTIONS) of them kept.
    #[must_use]
    pub fn new(rows: impl BillRows + 'r) -> BillSource<'r> {
        BillSource {
            rows: Box::new(rows),
            on_rejected: OnRejected::Keep,
            records: 0,
            rejected: 0,
            kept: Vec::new(),
        }
    }

    /// Shows every rejected row to `show`, and keeps none.
    #[must_use]
    pub fn on_rejected(self, show: impl FnMut(&RejectedRow) + Send + 'r) -> BillSource<'r> {
        BillSource {
            on_rejected: OnRejected::Show(Box::new(show)),
            ..self
        }
    }

    /// Fails at the first rejected row, and at a file that has not even a header.
    #[must_use]
    pub fn strict(self) -> BillSource<'r> {
        BillSource {
            on_rejected: OnRejected::Fail,
            ..self
        }
    }

    /// How many records have been handed on.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many rows could not be read so far.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// The first rows that could not be read, unless they are shown to a callback.
    #[must_use]
    pub fn rejections(&self) -> &[RejectedRow] {
        &self.kept
    }

    /// What is wrong with the file as a whole.
    #[must_use]
    pub fn problems(&self) -> &[FileProblem] {
        self.rows.problems()
    }

    fn read_batch(&mut self) -> Result<Vec<CostRecord<'static>>, SourceError> {
        let mut batch = Vec::new();
        while batch.len() < BATCH_RECORDS {
            match self.rows.next_row() {
                Some(Row::Record(record)) => batch.push(record.into_owned()),
                Some(Row::Rejected(row)) => self.reject(row)?,
                None => {
                    self.check_end()?;
                    break;
                }
            }
        }
        Ok(batch)
    }

    fn reject(&mut self, row: RejectedRow) -> Result<(), SourceError> {
        self.rejected += 1;
        match &mut self.on_rejected {
            OnRejected::Show(show) => show(&row),
            // After the last row that is kept the count still tells how many there were.
            OnRejected::Keep if self.kept.len() == Self::KEPT_REJECTIONS => {}
            OnRejected::Keep => self.kept.push(row),
            OnRejected::Fail => {
                self.kept = vec![row.clone()];
                return Err(SourceError::new(self.records, row));
            }
        }
        Ok(())
    }

    /// An input that broke off is not the whole bill, whatever is done with rejected rows.
    fn check_end(&self) -> Result<(), SourceError> {
        let strict = matches!(self.on_rejected, OnRejected::Fail);
        let headless = || self.problems().first().cloned();
        let problem = match self.rows.broken_off() {
            None if strict && self.rows.format().is_none() => headless(),
            broken_off => broken_off,
        };
        problem.map_or(Ok(()), |problem| {
            Err(SourceError::new(self.records, problem))
        })
    }
}

#[async_trait]
impl CostSource for BillSource<'_> {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        let batch = self.read_batch()?;
        self.records += batch.len() as u64;
        Ok((!batch.is_empty()).then_some(batch))
    }
}

impl fmt::Debug for BillSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BillSource")
            .field("format", &self.rows.format())
            .field("records", &self.records)
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use futures_executor::block_on;

    use super::*;
    use crate::{CostStore, MemoryStore, PartitionKey, ReadOptions};

    const HEADER: &str = "BilledCost,BillingCurrency,ChargePeriodStart,ServiceName\n";

    fn bill(rows: &[&str]) -> String {
        rows.iter().fold(HEADER.to_owned(), |file, row| {
            file + row + ",USD,2024-02-01T00:00:00Z,Amazon Bedrock\n"
        })
    }

    fn source<'r>(input: impl Read + Send + 'r) -> BillSource<'r> {
        BillSource::new(BillReader::new(input, &ReadOptions::default()).unwrap())
    }

    /// Gives what it has and then fails.
    struct Cut<'a>(&'a [u8]);

    impl Read for Cut<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("connection reset")),
                read => Ok(read),
            }
        }
    }

    #[test]
    fn hands_on_every_record_in_batches_and_in_order() {
        let rows: Vec<String> = (0..2500).map(|i| i.to_string()).collect();
        let file = bill(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        let mut source = source(file.as_bytes());
        let mut costs = Vec::new();
        let mut batches = Vec::new();
        while let Some(batch) = block_on(source.next_batch()).unwrap() {
            batches.push(batch.len());
            costs.extend(batch.iter().map(|r| r.billed_cost.unwrap().to_string()));
        }
        assert_eq!(batches, [1024, 1024, 452]);
        assert_eq!(costs, rows);
        assert_eq!(source.records(), 2500);
        assert!(block_on(source.next_batch()).unwrap().is_none());
    }

    #[test]
    fn counts_every_rejected_row_and_keeps_the_first() {
        let mut rows = vec!["oops"; BillSource::KEPT_REJECTIONS + 5];
        rows.push("1.25");
        let file = bill(&rows);
        let mut source = source(file.as_bytes());
        let batch = block_on(source.next_batch()).unwrap().unwrap();
        assert_eq!(batch.len(), 1);
        assert_eq!(source.rejected(), 1005);
        assert_eq!(source.rejections().len(), 1000);
        assert_eq!(source.rejections()[999].line, 1001);
    }

    #[test]
    fn shows_every_rejected_row_to_the_callback() {
        let file = bill(&["1", "oops", "2", "3..4"]);
        let mut lines = Vec::new();
        let mut source = source(file.as_bytes()).on_rejected(|row| lines.push(row.line));
        let batch = block_on(source.next_batch()).unwrap().unwrap();
        assert_eq!(
            (batch.len(), source.rejected(), source.rejections().len()),
            (2, 2, 0)
        );
        drop(source);
        assert_eq!(lines, [3, 5]);
    }

    #[test]
    fn strict_fails_at_the_first_rejected_row_and_at_a_file_without_a_header() {
        let file = bill(&["1", "oops", "2"]);
        let mut strict = source(file.as_bytes()).strict();
        let error = block_on(strict.next_batch()).unwrap_err();
        let row = error.error.downcast_ref::<RejectedRow>().unwrap();
        assert_eq!((row.line, row.column.as_str()), (3, "BilledCost"));

        let error = block_on(source(&b""[..]).strict().next_batch()).unwrap_err();
        assert!(error.to_string().contains("not even a header"), "{error}");
        let lenient = block_on(source(&b""[..]).next_batch()).unwrap();
        assert!(lenient.is_none());
    }

    #[test]
    fn an_input_that_breaks_off_leaves_the_stored_partition_alone() {
        let file = bill(&["1", "2", "3"]);
        let store = MemoryStore::new();
        let key = PartitionKey::new("focus", "2024-02");
        block_on(store.replace_partition(&key, &mut source(file.as_bytes()))).unwrap();
        let mut cut = source(Cut(&file.as_bytes()[..file.len() - 20]));
        let error = block_on(store.replace_partition(&key, &mut cut)).unwrap_err();
        assert!(error.to_string().contains("connection reset"), "{error}");
        let info = block_on(store.partitions()).unwrap();
        assert_eq!((info[0].records, info[0].revision), (3, 1));
    }
}
