//! What does the database hold, as of one moment?
//!
//! A scan is one read transaction that steps through the rows, so that its memory is that of a
//! batch, and what is committed meanwhile is not seen.

use std::ops::ControlFlow;

use bursar_cost_model::{CostRecord, PartitionInfo, PartitionKey, Scan, StoreError};
use jiff::civil::Date;
use rusqlite::{Connection, Row};

use crate::error::store_error;
use crate::row::{self, StoredRow, corrupt};

/// What the database holds, by source and partition.
pub(crate) fn partitions(connection: &Connection) -> Result<Vec<PartitionInfo>, StoreError> {
    let stored = stored_partitions(connection)?;
    Ok(stored.into_iter().map(|stored| stored.info).collect())
}

/// Hands the records of a scan to `deliver`, in batches, until it breaks. `opened` is called as
/// soon as the moment is fixed.
pub(crate) fn scan(
    connection: &Connection,
    scan: &Scan,
    batch_records: usize,
    opened: impl FnOnce(),
    mut deliver: impl FnMut(Vec<CostRecord<'static>>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    // The first read fixes the moment; nothing is written, so that the end needs no commit.
    let transaction = connection.unchecked_transaction().map_err(store_error)?;
    let stored = stored_partitions(&transaction)?;
    opened();
    let mut select = transaction.prepare(&row::SELECT).map_err(store_error)?;
    let mut batch = Vec::new();
    for partition in stored.iter().filter(|partition| partition.may_have(scan)) {
        let mut rows = select.query([partition.id]).map_err(store_error)?;
        let mut ordinal = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            let key = &partition.info.key;
            batch.extend(StoredRow { row, key, ordinal }.decode(scan)?);
            ordinal += 1;
            if batch.len() >= batch_records && deliver(std::mem::take(&mut batch)).is_break() {
                return Ok(());
            }
        }
        partition.check_count(ordinal)?;
    }
    if !batch.is_empty() {
        let _ = deliver(batch);
    }
    Ok(())
}

/// A row of the table `partitions`.
struct StoredPartition {
    id: i64,
    info: PartitionInfo,
    days: Option<(Date, Date)>,
}

fn stored_partitions(connection: &Connection) -> Result<Vec<StoredPartition>, StoreError> {
    // Texts are compared by their bytes, SQLite's BINARY.
    const SQL: &str = "SELECT PartitionId, Source, Partition, Records, Revision,
                              FirstChargeDay, LastChargeDay
                       FROM partitions ORDER BY Source, Partition";
    let mut select = connection.prepare(SQL).map_err(store_error)?;
    let mut rows = select.query([]).map_err(store_error)?;
    let mut partitions = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        partitions.push(StoredPartition::read(row)?);
    }
    Ok(partitions)
}

impl StoredPartition {
    fn read(row: &Row<'_>) -> Result<StoredPartition, StoreError> {
        let text = |at: usize| row.get::<_, String>(at).map_err(store_error);
        let key = PartitionKey::new(text(1)?, text(2)?);
        let count = |at: usize, column: &str| {
            let count: i64 = row.get(at).map_err(store_error)?;
            u64::try_from(count).map_err(|_| corrupt(&key, 0, column, &count.to_string()))
        };
        let day = |at: usize, column: &str| {
            let day: Option<String> = row.get(at).map_err(store_error)?;
            let parse = |day: String| day.parse().map_err(|_| corrupt(&key, 0, column, &day));
            day.map(parse).transpose()
        };
        let (records, revision) = (count(3, "Records")?, count(4, "Revision")?);
        let days = Option::zip(day(5, "FirstChargeDay")?, day(6, "LastChargeDay")?);
        Ok(StoredPartition {
            id: row.get(0).map_err(store_error)?,
            info: PartitionInfo::new(key, records, revision),
            days,
        })
    }

    /// Whether a scan can find something here: the names fit, and some day of the partition lies
    /// in the window.
    fn may_have(&self, scan: &Scan) -> bool {
        let overlaps = scan.window.is_none_or(|window| {
            self.days
                .is_some_and(|(first, last)| first < window.end() && window.start() <= last)
        });
        overlaps && scan.includes(&self.info.key)
    }

    /// Rows that are missing at the end leave no gap; the count tells.
    fn check_count(&self, found: u64) -> Result<(), StoreError> {
        if found == self.info.records {
            return Ok(());
        }
        let records = self.info.records.to_string();
        Err(corrupt(&self.info.key, found, "Records", &records))
    }
}
