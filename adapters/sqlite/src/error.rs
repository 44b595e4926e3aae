//! Why could the database not do what it was asked to?

use std::io;
use std::path::PathBuf;

use bursar_cost_model::StoreError;
use rusqlite::ErrorCode;

/// What went wrong in SQLite or around it.
///
/// [`SqliteStore::open`](crate::SqliteStore::open) returns it; from the other operations it is the
/// cause of a [`StoreError::Store`], where `downcast_ref` finds it, as it does in
/// [`LedgerError::Store`](bursar_pricing::ledger::LedgerError::Store) and in the
/// [`StoreError`](bursar_pricing::StoreError) of prices.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The file cannot be opened or created.
    #[error("cannot open `{}`: {error}; check that its folder exists and can be written to", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite or the operating system says.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is not a database of this crate; it was not changed.
    #[error("`{}` is {found}, not {wanted}; name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        found: String,
        /// What it should have been, in words.
        wanted: &'static str,
    },
    /// The file was written by a newer version of this crate; it was not changed.
    #[error(
        "`{}` has schema version {found}, this program knows versions up to {supported}; \
         use a newer program", path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest that is known here.
        supported: i32,
    },
    /// Write-ahead logging is not to be had: the file system cannot share memory.
    #[error(
        "`{}` cannot use a write-ahead log (its journal mode stays `{mode}`); \
         put it on a local disk", path.display()
    )]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The journal mode that it has instead.
        mode: String,
    },
    /// Another connection held the lock longer than the busy timeout.
    #[error(
        "the database is locked by another writer ({0}); \
         try again, or raise `SqliteOptions::busy_timeout`"
    )]
    Busy(#[source] rusqlite::Error),
    /// SQLite failed: the disk is full, cannot be read, or the file is damaged.
    #[error("SQLite failed: {0}")]
    Database(#[source] rusqlite::Error),
    /// A record cannot be kept.
    #[error("record {ordinal} cannot be stored: {reason}")]
    Unstorable {
        /// The record in its partition, from 0.
        ordinal: u64,
        /// What of it, and why.
        reason: String,
    },
    /// What is stored cannot be what was written.
    #[error("{place} is damaged: {problem}; restore the file from a copy")]
    Corrupt {
        /// Which row or file, in words: ``quote `q-1` ``.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread for the database: {0}")]
    Thread(#[source] io::Error),
    /// The thread that works on the database has ended before it answered.
    #[error("the database thread has ended; open the store again")]
    Stopped,
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> SqliteError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SqliteError::Busy(error),
            _ => SqliteError::Database(error),
        }
    }
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> StoreError {
        StoreError::Store(Box::new(error))
    }
}

/// The error of an operation of SQLite as that of a store.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    SqliteError::from(error).into()
}
