//! How is a partition replaced, whole or not at all, while its records are still coming in?
//!
//! One transaction takes the batches as they arrive. Whatever ends it but a commit (a source that
//! fails, a caller that goes away, a full disk, a killed process) leaves the partition as it was.

use std::sync::mpsc::Receiver;

use bursar_cost_model::{CostRecord, PartitionInfo, PartitionKey};
use futures_channel::oneshot;
use jiff::civil::Date;
use jiff::tz::Offset;
use rusqlite::{Connection, OptionalExtension, Statement, Transaction, TransactionBehavior};

use crate::SqliteError;
use crate::row;

/// The next step of a replacement: some records, or with none the commit.
pub(crate) struct Step {
    pub(crate) records: Option<Vec<CostRecord<'static>>>,
    pub(crate) answer: Answer,
}

/// Who is told that a step is done; after the commit, with what the partition is now.
pub(crate) type Answer = oneshot::Sender<Result<Option<PartitionInfo>, SqliteError>>;

/// Takes the steps of one replacement until the commit, a failure, or the end of the caller.
pub(crate) fn replace(connection: &mut Connection, key: &PartitionKey, steps: &Receiver<Step>) {
    let mut answer = None;
    if let Err(error) = attempt(connection, key, steps, &mut answer) {
        // The step that failed is told; what failed before the first step, the first.
        let answer = answer.or_else(|| steps.recv().ok().map(|step| step.answer));
        tell(answer, Err(error));
    }
}

fn attempt(
    connection: &mut Connection,
    key: &PartitionKey,
    steps: &Receiver<Step>,
    answer: &mut Option<Answer>,
) -> Result<(), SqliteError> {
    // Immediate: the lock is waited for here, where nothing has been done that could be in vain.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut partition = Partition::begin(&transaction, key)?;
    let mut insert = transaction.prepare(&row::INSERT)?;
    for step in steps {
        *answer = Some(step.answer);
        let Some(records) = step.records else {
            drop(insert);
            let info = partition.finish(&transaction, key)?;
            transaction.commit()?;
            tell(answer.take(), Ok(Some(info)));
            return Ok(());
        };
        partition.add(&mut insert, &records)?;
        tell(answer.take(), Ok(None));
    }
    // The caller is gone without a commit, and dropping the transaction rolls it back.
    Ok(())
}

/// Answers, if anybody still waits.
fn tell(answer: Option<Answer>, outcome: Result<Option<PartitionInfo>, SqliteError>) {
    if let Some(answer) = answer {
        // Nobody waits when the caller was dropped; then there is nobody to tell.
        let _ = answer.send(outcome);
    }
}

/// A partition while it is filled.
struct Partition {
    id: i64,
    revision: i64,
    records: i64,
    /// The first and the last UTC day on which a charge starts.
    days: Option<(Date, Date)>,
}

impl Partition {
    /// Empties the partition, or makes an empty one.
    fn begin(transaction: &Transaction<'_>, key: &PartitionKey) -> Result<Partition, SqliteError> {
        const FIND: &str =
            "SELECT PartitionId, Revision FROM partitions WHERE Source = ? AND Partition = ?";
        const MAKE: &str =
            "INSERT INTO partitions (Source, Partition, Records, Revision) VALUES (?, ?, 0, 0)";
        let names = [&key.source, &key.partition];
        let found: Option<(i64, i64)> = transaction
            .query_row(FIND, names, |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (id, revision) = match found {
            Some((id, revision)) => {
                transaction.execute("DELETE FROM records WHERE PartitionId = ?", [id])?;
                (id, revision)
            }
            None => {
                transaction.execute(MAKE, names)?;
                (transaction.last_insert_rowid(), 0)
            }
        };
        Ok(Partition {
            id,
            revision: revision.saturating_add(1),
            records: 0,
            days: None,
        })
    }

    fn add(
        &mut self,
        insert: &mut Statement<'_>,
        records: &[CostRecord<'_>],
    ) -> Result<(), SqliteError> {
        for record in records {
            row::insert(insert, self.id, self.records, record)?;
            self.records += 1;
            if let Some(start) = record.charge_period.start {
                let day = Offset::UTC.to_datetime(start).date();
                let (first, last) = self.days.unwrap_or((day, day));
                self.days = Some((first.min(day), last.max(day)));
            }
        }
        Ok(())
    }

    /// Notes down what the partition has become.
    fn finish(
        self,
        transaction: &Transaction<'_>,
        key: &PartitionKey,
    ) -> Result<PartitionInfo, SqliteError> {
        const NOTE: &str = "UPDATE partitions
             SET Records = ?, Revision = ?, FirstChargeDay = ?, LastChargeDay = ?
             WHERE PartitionId = ?";
        let (first, last) = self.days.unzip();
        let day = |day: Option<Date>| day.map(|day| day.to_string());
        transaction.execute(
            NOTE,
            (self.records, self.revision, day(first), day(last), self.id),
        )?;
        let (records, revision) = (self.records.unsigned_abs(), self.revision.unsigned_abs());
        Ok(PartitionInfo::new(key.clone(), records, revision))
    }
}

/// Forgets a partition; `false` if there was none.
pub(crate) fn remove(connection: &mut Connection, key: &PartitionKey) -> Result<bool, SqliteError> {
    const FIND: &str = "SELECT PartitionId FROM partitions WHERE Source = ? AND Partition = ?";
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: Option<i64> = transaction
        .query_row(FIND, [&key.source, &key.partition], |row| row.get(0))
        .optional()?;
    let Some(id) = found else {
        return Ok(false);
    };
    for sql in [
        "DELETE FROM records WHERE PartitionId = ?",
        "DELETE FROM partitions WHERE PartitionId = ?",
    ] {
        transaction.execute(sql, [id])?;
    }
    transaction.commit()?;
    Ok(true)
}
