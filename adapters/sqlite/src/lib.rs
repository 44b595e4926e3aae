//! Where do billing records, books and prices stay, without a server?
//!
//! [`SqliteStore`] implements [`CostStore`](bursar_cost_model::CostStore) on an embedded SQLite
//! database: one file, no service to run, readable with any tool that speaks SQL. A partition (a
//! month of one export, one file) is replaced in one transaction, so that collecting it twice
//! counts it once, and what has been committed survives a crash.
//!
//! ```
//! use bursar_cost_model::{CostRecord, CostStore, PartitionKey, RecordsSource};
//! use bursar_sqlite::SqliteStore;
//! use bursar_units::Currency;
//!
//! # futures_executor::block_on(async {
//! let mut record = CostRecord::new(Currency::USD);
//! record.billed_cost = Some("119.81".parse()?);
//!
//! let store = SqliteStore::open_in_memory()?;
//! let february = PartitionKey::new("aws-cur/payer-1234", "2024-02");
//! store.replace_partition(&february, &mut RecordsSource::new([record])).await?;
//! assert_eq!(store.partitions().await?[0].records, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Two more kinds of file keep what `bursar-pricing` decides: [`SqliteLedger`] its books, and
//! [`SqlitePriceStore`] its price lists and quotes. Their documentation tells their tables; versions, what
//! several processes see, and what a failure leaves are as below.
//!
//! # Version
//! SQLite is built in from the source that `rusqlite` 0.41 bundles (3.54); nothing of the system's
//! is used. Other programs read the file with SQLite 3.37 or newer, because its tables are
//! `STRICT`.
//!
//! # Tables
//! | table | a row is | key |
//! |---|---|---|
//! | `partitions` | one partition: `Source`, `Partition`, `Records`, `Revision`, `FirstChargeDay`, `LastChargeDay` | `PartitionId` |
//! | `records` | one charge: `Ordinal` from 0, `Line` of its file, every FOCUS column under its own name, `Extras` | `PartitionId`, `Ordinal` |
//!
//! Amounts and quantities are decimals as text, to the last of their 38 digits and with the places
//! that the source gave: SQLite's own numbers would round them, and so does `sum(BilledCost)`,
//! which is a float. Times are UTC as `2024-02-01T00:00:00Z`, with as many fractional digits as
//! they need; `date()` and comparisons by day (`ChargePeriodStart < '2024-03-01'`) work on them.
//! JSON columns are the text of the source. Columns that FOCUS does not know are a JSON object in
//! `Extras`. `NULL` is unknown.
//!
//! ```sql
//! SELECT Source, ServiceName, count(*), round(sum(BilledCost), 2) AS Approximately
//! FROM records JOIN partitions USING (PartitionId)
//! WHERE ChargePeriodStart >= '2024-02-01' AND ChargePeriodStart < '2024-03-01'
//! GROUP BY Source, ServiceName ORDER BY Approximately DESC;
//! ```
//!
//! The only index is the key of `records`. A scan reads partitions in order, and one for a window
//! skips those whose days lie outside it; an index over all start times would cost a sort in every
//! scan and a second tree in every write. The table is an ordinary one, not `WITHOUT ROWID`, which
//! was measured no faster for rows of 800 bytes and would move what a row has over 1 KB to pages
//! of its own.
//!
//! # File
//! The header carries the application id `0x42757273` ("Burs") and, as `user_version`, the version
//! of the schema, at present 2. Opening an older file brings it up to date in one transaction. A
//! newer file, and one that is something else, are refused and left as they are, to the last byte.
//! Beside the file stand `-wal` and `-shm` while it is open; a copy of the file alone, made
//! meanwhile, is not whole (`VACUUM INTO` makes one that is).
//!
//! # Several at once
//! The write-ahead log lets readers and one writer work at the same time, in one process or in
//! several on one machine; network file systems cannot do it. A scan holds its own connection and
//! sees the moment at which it was opened. A second writer waits for the first, at most
//! [`SqliteOptions::busy_timeout`] if that is another process. The lock is held from the first batch
//! that a source yields until the commit, so a source that dawdles makes others wait. While a scan
//! is open the log cannot start over, and grows by what is written.
//!
//! # Threads
//! Each store has one thread that writes, each open scan and each listing one that reads. Callers
//! wait for them without blocking their executor, whichever it is. Dropping a store waits for the
//! end of what is being written; dropping the future of a replacement rolls it back.
//!
//! # Failure
//! | what happens | what is left |
//! |---|---|
//! | the source fails, the caller goes away, the disk is full | the partition as it was |
//! | the process is killed | the last commit; the next opening recovers the log |
//! | power is lost | the last commit (`synchronous = FULL`), if the disk keeps its promises |
//! | another process holds the lock too long | [`SqliteError::Busy`], nothing changed |
//! | a stored value cannot be read, a row is missing or doubled | [`StoreError::Corrupt`](bursar_cost_model::StoreError::Corrupt) with place, column and value; no zero in its stead |
//!
//! # Memory
//! Writing and scanning a file hold two batches of records, SQLite's page cache of 2 MB, and 8
//! bytes for each page of the log. A store in memory holds everything.
//!
//! # Environment
//! No environment variables are read, no clock, and no randomness.

mod error;
mod group_commit;
mod ledger;
mod prices;
mod read;
mod row;
mod scan;
mod schema;
mod store;
mod write;

pub use error::SqliteError;
pub use ledger::SqliteLedger;
pub use prices::SqlitePriceStore;
pub use store::{SqliteOptions, SqliteStore};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
