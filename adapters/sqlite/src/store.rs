//! How does an asynchronous caller use a database that blocks?
//!
//! The connection that writes lives on a thread of its own, which takes one piece of work after
//! another; answers come back over channels that any executor can wait for.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bursar_cost_model::{
    CostSource, CostStore, PartitionInfo, PartitionKey, RecordsSource, Scan, StoreError,
};
use futures_channel::oneshot;
use rusqlite::Connection;

use crate::scan::ScanSource;
use crate::write::Step;
use crate::{SqliteError, read, schema, write};

/// Keeps billing records in a SQLite database.
///
/// ```
/// use bursar_cost_model::{BillReader, BillSource, CostSource, CostStore, ExactSum, PartitionKey,
///     ReadOptions, Scan};
/// use bursar_sqlite::SqliteStore;
///
/// # futures_executor::block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("costs.db");
/// let bill = "\
/// BilledCost,BillingCurrency,ChargePeriodStart,ServiceName
/// 119.81,USD,2024-02-01T00:00:00Z,Amazon Elastic Compute Cloud
/// 68.54,USD,2024-02-01T00:00:00Z,Amazon Bedrock
/// ";
/// let store = SqliteStore::open(&path)?;
/// let february = PartitionKey::new("aws-cur/payer-1234", "2024-02");
/// for revision in [1, 2] {
///     let reader = BillReader::new(bill.as_bytes(), &ReadOptions::default())?;
///     let info = store.replace_partition(&february, &mut BillSource::new(reader)).await?;
///     assert_eq!((info.records, info.revision), (2, revision));
/// }
///
/// let mut billed = ExactSum::default();
/// let mut scan = store.scan(&Scan::within("2024-02".parse()?)).await?;
/// while let Some(batch) = scan.next_batch().await? {
///     for record in batch {
///         billed.add(record.billed_cost.ok_or("a row without a cost")?)?;
///     }
/// }
/// assert_eq!(billed.to_string(), "188.35");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct SqliteStore {
    place: Place,
    /// `None` only while the store is dropped.
    work: Option<Sender<Work>>,
    writer: Option<JoinHandle<()>>,
    options: SqliteOptions,
}

/// Where the database is.
#[derive(Debug)]
enum Place {
    /// In a file, where other connections can read while one writes.
    File(PathBuf),
    /// In the memory of the one connection.
    Memory,
}

/// Something to do with the connection that writes.
type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// How a [`SqliteStore`] is opened.
///
/// ```
/// use std::time::Duration;
/// use bursar_sqlite::SqliteOptions;
///
/// let options = SqliteOptions::default().with_busy_timeout(Duration::from_secs(60));
/// assert_eq!(options.busy_timeout, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long to wait for a lock that another process holds, before
    /// [`SqliteError::Busy`]; 10 seconds.
    pub busy_timeout: Duration,
    /// How many records a scan hands out at once; 1024. Two such batches are in memory.
    pub batch_records: NonZeroUsize,
}

impl Default for SqliteOptions {
    fn default() -> SqliteOptions {
        SqliteOptions {
            busy_timeout: Duration::from_secs(10),
            batch_records: const { NonZeroUsize::new(1024).expect("1024 is not 0") },
        }
    }
}

impl SqliteOptions {
    /// These options with another busy timeout, at most 24 days.
    #[must_use]
    pub fn with_busy_timeout(self, busy_timeout: Duration) -> SqliteOptions {
        SqliteOptions {
            busy_timeout,
            ..self
        }
    }

    /// These options with another number of records in a batch.
    #[must_use]
    pub fn with_batch_records(self, batch_records: NonZeroUsize) -> SqliteOptions {
        SqliteOptions {
            batch_records,
            ..self
        }
    }
}

impl SqliteStore {
    /// Opens the database in this file, or makes it; its folder must exist.
    ///
    /// Blocks, at most for twice the busy timeout beside the disk's own time.
    ///
    /// # Errors
    /// [`SqliteError::Open`] where there can be no such file, [`SqliteError::Foreign`] and
    /// [`SqliteError::NewerSchema`] for a file that is not changed because it is not understood,
    /// [`SqliteError::Busy`] when another process keeps it locked.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, SqliteError> {
        SqliteStore::open_with(path, &SqliteOptions::default())
    }

    /// Like [`open`](SqliteStore::open), with other options.
    ///
    /// # Errors
    /// Those of [`open`](SqliteStore::open).
    pub fn open_with(
        path: impl AsRef<Path>,
        options: &SqliteOptions,
    ) -> Result<SqliteStore, SqliteError> {
        let path = schema::absolute(path.as_ref())?;
        let connection = schema::open_writer(&schema::BILLS, &path, options)?;
        SqliteStore::start(connection, Place::File(path), options)
    }

    /// Makes a database in memory, gone when it is dropped.
    ///
    /// It has one connection, so that a partition is gathered before it is written and a scan is
    /// read before it is handed out: both are in memory whole, as the database is.
    ///
    /// # Errors
    /// [`SqliteError::Database`] when there is not enough memory, [`SqliteError::Thread`].
    pub fn open_in_memory() -> Result<SqliteStore, SqliteError> {
        let connection = schema::open_in_memory(&schema::BILLS)?;
        SqliteStore::start(connection, Place::Memory, &SqliteOptions::default())
    }

    fn start(
        mut connection: Connection,
        place: Place,
        options: &SqliteOptions,
    ) -> Result<SqliteStore, SqliteError> {
        let (work, works) = channel::<Work>();
        let writer = spawn("bursar-sqlite-write", move || {
            for work in works {
                work(&mut connection);
            }
        })?;
        Ok(SqliteStore {
            place,
            work: Some(work),
            writer: Some(writer),
            options: options.clone(),
        })
    }

    /// Has the writing thread do something, when it is its turn.
    fn send(&self, work: impl FnOnce(&mut Connection) + Send + 'static) -> Result<(), SqliteError> {
        let sender = self.work.as_ref().ok_or(SqliteError::Stopped)?;
        sender
            .send(Box::new(work))
            .map_err(|_| SqliteError::Stopped)
    }

    /// What the writing thread answers.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (answer, answered) = oneshot::channel();
        self.send(move |connection| {
            // Nobody waits when the caller was dropped.
            let _ = answer.send(question(connection));
        })?;
        answered.await.map_err(|_| SqliteError::Stopped)
    }

    /// Replaces a partition batch by batch: while one is written, the source reads the next.
    async fn replace(
        &self,
        key: &PartitionKey,
        records: &mut dyn CostSource,
    ) -> Result<PartitionInfo, StoreError> {
        // A source that fails at once, or takes long to begin, holds no lock.
        let mut batch = records.next_batch().await?;
        let (steps, taken) = channel();
        let owned_key = key.clone();
        self.send(move |connection| write::replace(connection, &owned_key, &taken))?;
        let step = |records| {
            let (answer, answered) = oneshot::channel();
            let sent = steps.send(Step { records, answer });
            sent.map(|()| answered).map_err(|_| SqliteError::Stopped)
        };
        while let Some(records_read) = batch {
            let written = step(Some(records_read))?;
            batch = records.next_batch().await?;
            written.await.map_err(|_| SqliteError::Stopped)??;
        }
        let committed = step(None)?.await.map_err(|_| SqliteError::Stopped)??;
        Ok(committed.ok_or(SqliteError::Stopped)?)
    }
}

#[async_trait]
impl CostStore for SqliteStore {
    async fn replace_partition(
        &self,
        key: &PartitionKey,
        records: &mut dyn CostSource,
    ) -> Result<PartitionInfo, StoreError> {
        match self.place {
            Place::File(_) => self.replace(key, records).await,
            Place::Memory => {
                let mut gathered = Vec::new();
                while let Some(mut batch) = records.next_batch().await? {
                    gathered.append(&mut batch);
                }
                self.replace(key, &mut RecordsSource::new(gathered)).await
            }
        }
    }

    async fn remove_partition(&self, key: &PartitionKey) -> Result<bool, StoreError> {
        let key = key.clone();
        let removed = self.ask(move |connection| write::remove(connection, &key));
        Ok(removed.await??)
    }

    async fn partitions(&self) -> Result<Vec<PartitionInfo>, StoreError> {
        match &self.place {
            Place::Memory => self.ask(|connection| read::partitions(connection)).await?,
            // Not on the writing thread, which may be busy with a long replacement.
            Place::File(path) => {
                let (path, options) = (path.clone(), self.options.clone());
                let (answer, answered) = oneshot::channel();
                spawn("bursar-sqlite-list", move || {
                    let listed = schema::open_reader(&path, &options)
                        .map_err(StoreError::from)
                        .and_then(|connection| read::partitions(&connection));
                    let _ = answer.send(listed);
                })?;
                answered.await.map_err(|_| SqliteError::Stopped)?
            }
        }
    }

    async fn scan(&self, scan: &Scan) -> Result<Box<dyn CostSource>, StoreError> {
        match &self.place {
            Place::File(path) => Ok(Box::new(ScanSource::open(path, &self.options, scan).await?)),
            Place::Memory => {
                let scan = scan.clone();
                let records = self.ask(move |connection| {
                    let mut records = Vec::new();
                    let all = usize::MAX;
                    read::scan(
                        connection,
                        &scan,
                        all,
                        || (),
                        |mut batch| {
                            records.append(&mut batch);
                            std::ops::ControlFlow::Continue(())
                        },
                    )
                    .map(|()| records)
                });
                Ok(Box::new(RecordsSource::new(records.await??)))
            }
        }
    }
}

/// Starts a thread with a name by which a debugger or `top` shows it.
pub(crate) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, SqliteError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(run).map_err(SqliteError::Thread)
}

/// Waits until the writing thread has closed its connection; scans go on with their own.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.work = None;
        if let Some(writer) = self.writer.take() {
            // A panic of that thread has been reported to whoever waited for its answer.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("place", &self.place)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
