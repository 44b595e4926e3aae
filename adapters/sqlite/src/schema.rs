//! Is this file ours, and is it up to date?
//!
//! The header of the file says so: `application_id` whose it is, `user_version` which of the
//! migrations of its [`Schema`] it has seen. Opening brings an older file up to date in one transaction, and
//! changes nothing of a file that is foreign or newer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::{SqliteError, SqliteOptions};

/// A kind of file that this crate keeps.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Four letters in the field that SQLite's file format has for telling applications apart.
    application_id: i32,
    /// What makes version 1 out of an empty file, version 2 out of version 1, and so on.
    migrations: &'static [&'static str],
    /// What the file is, in words.
    holds: &'static str,
}

/// Billing records.
pub(crate) const BILLS: Schema = Schema {
    application_id: i32::from_be_bytes(*b"Burs"),
    migrations: &[include_str!("schema/v1.sql"), include_str!("schema/v2.sql")],
    holds: "a store of billing records",
};

/// A ledger.
pub(crate) const LEDGER: Schema = Schema {
    application_id: i32::from_be_bytes(*b"BurL"),
    migrations: &[include_str!("schema/ledger_v1.sql")],
    holds: "a ledger",
};

/// Price lists and quotes.
pub(crate) const PRICES: Schema = Schema {
    application_id: i32::from_be_bytes(*b"BurP"),
    migrations: &[include_str!("schema/prices_v1.sql")],
    holds: "a store of prices",
};

impl Schema {
    /// The schema version that this program writes.
    fn version(&self) -> i32 {
        i32::try_from(self.migrations.len()).unwrap_or(i32::MAX)
    }
}

/// What the write-ahead log shrinks to after a large partition has been checkpointed, in bytes.
const LOG_SIZE_LIMIT: i64 = 64 << 20;

/// How long to wait before the switch to the write-ahead log is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// Opens the connection that writes, and makes or updates the schema.
pub(crate) fn open_writer(
    schema: &Schema,
    path: &Path,
    options: &SqliteOptions,
) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(path, flags, options)?;
    check(schema, &connection, path)?;
    use_write_ahead_log(&connection, path, options.busy_timeout)?;
    // With a write-ahead log, FULL makes every commit durable before it is announced.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_SIZE_LIMIT)?;
    prepare(schema, &mut connection, path)?;
    Ok(connection)
}

/// Opens a connection that only reads; the file is one that [`open_writer`] has prepared.
pub(crate) fn open_reader(path: &Path, options: &SqliteOptions) -> Result<Connection, SqliteError> {
    // Not SQLITE_OPEN_READ_ONLY, which could not recover a log that a killed process left behind.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags, options)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens a database in memory.
pub(crate) fn open_in_memory(schema: &Schema) -> Result<Connection, SqliteError> {
    let mut connection = Connection::open_in_memory()?;
    prepare(schema, &mut connection, Path::new(":memory:"))?;
    Ok(connection)
}

fn connect(
    path: &Path,
    flags: OpenFlags,
    options: &SqliteOptions,
) -> Result<Connection, SqliteError> {
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, error))?;
    // SQLite counts milliseconds in 31 bits, that is up to 24 days.
    let longest = Duration::from_millis(i32::MAX as u64);
    connection.busy_timeout(options.busy_timeout.min(longest))?;
    Ok(connection)
}

fn cannot_open(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> SqliteError {
    SqliteError::Open {
        path: path.to_owned(),
        error: Box::new(error),
    }
}

/// The path as it will be found again from another working directory. An absolute path also keeps
/// SQLite from reading a name like `file:x` as a URI.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, SqliteError> {
    std::path::absolute(path).map_err(|error| cannot_open(path, error))
}

/// Refuses a file that is not ours or newer than this program, before anything is changed.
fn check(schema: &Schema, connection: &Connection, path: &Path) -> Result<i32, SqliteError> {
    let Header {
        application_id,
        version,
        tables,
    } = header(schema, connection, path)?;
    let foreign = |found: String| SqliteError::Foreign {
        path: path.to_owned(),
        found,
        wanted: schema.holds,
    };
    let is_ours = application_id == schema.application_id;
    match (application_id, version) {
        (0, 0) if tables == 0 => Ok(0),
        _ if is_ours && (1..=schema.version()).contains(&version) => Ok(version),
        _ if is_ours && version > schema.version() => Err(SqliteError::NewerSchema {
            path: path.to_owned(),
            found: version,
            supported: schema.version(),
        }),
        _ if is_ours => Err(foreign(format!(
            "a damaged store of schema version {version}"
        ))),
        (0, _) => Err(foreign(format!("a SQLite database with {tables} tables"))),
        _ => Err(foreign(format!(
            "a SQLite database of another application ({application_id:#010x})"
        ))),
    }
}

/// What a file says of itself.
struct Header {
    application_id: i32,
    version: i32,
    tables: i64,
}

/// Reads the header, all of it as of one moment.
fn header(schema: &Schema, connection: &Connection, path: &Path) -> Result<Header, SqliteError> {
    const SQL: &str = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
                       FROM pragma_application_id, pragma_user_version";
    let read = connection.query_row(SQL, [], |row| {
        Ok(Header {
            application_id: row.get(0)?,
            version: row.get(1)?,
            tables: row.get(2)?,
        })
    });
    let foreign = |found: &str| SqliteError::Foreign {
        path: path.to_owned(),
        found: found.to_owned(),
        wanted: schema.holds,
    };
    read.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => foreign("no SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => foreign("a damaged SQLite database"),
        Some(ErrorCode::CannotOpen) => cannot_open(path, error),
        _ => error.into(),
    })
}

/// Switches the file to a write-ahead log, with which readers and a writer do not wait for each
/// other.
///
/// The switch needs the file for itself, and SQLite does not wait for it in every case in which
/// another process is doing the same.
fn use_write_ahead_log(
    connection: &Connection,
    path: &Path,
    patience: Duration,
) -> Result<(), SqliteError> {
    let mut waited = Duration::ZERO;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode.map_err(SqliteError::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(SqliteError::NoWriteAheadLog {
                    path: path.to_owned(),
                    mode,
                });
            }
            Err(SqliteError::Busy(_)) if waited < patience => {
                std::thread::sleep(RETRY_PAUSE);
                waited += RETRY_PAUSE;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Brings the schema up to date, unless it is.
fn prepare(schema: &Schema, connection: &mut Connection, path: &Path) -> Result<(), SqliteError> {
    if check(schema, connection, path)? == schema.version() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited for the lock.
    let version = check(schema, &transaction, path)?;
    let seen = usize::try_from(version).unwrap_or(0);
    for migration in schema.migrations.iter().skip(seen) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", schema.application_id)?;
    transaction.pragma_update(None, "user_version", schema.version())?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bursar_cost_model::Column;

    use super::*;

    #[test]
    fn the_schema_has_every_column_of_focus() {
        let connection = open_in_memory(&BILLS).unwrap();
        let mut statement = connection.prepare("SELECT * FROM records").unwrap();
        let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
        for column in Column::ALL {
            assert!(
                names.iter().any(|name| name == column.name()),
                "{column} needs a migration, and a version of its own if the last is released"
            );
        }
        // And nothing besides but the four of our own.
        assert_eq!(names.len(), Column::COUNT + 4, "{names:?}");
        assert!(statement.query([]).unwrap().next().unwrap().is_none());
    }
}
