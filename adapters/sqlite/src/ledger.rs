//! How are books kept that a crash cannot make wrong?

mod books;

use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bursar_pricing::ledger::{Account, Audit, Entry, Ledger, LedgerError, Posted, Transaction};
use bursar_units::{Currency, Money};
use futures_channel::oneshot;
use rusqlite::Connection;

use crate::group_commit::GroupCommit;
use crate::store::spawn;
use crate::{SqliteError, SqliteOptions, schema};

/// A [`Ledger`] in a SQLite file of its own: double-entry, append-only, durable.
///
/// Several processes may write to one file, and readers do not wait for writers.
///
/// ```
/// use bursar_pricing::ledger::{Account, Ledger, Purpose, Transaction};
/// use bursar_sqlite::SqliteLedger;
/// use bursar_units::{Currency, Money};
///
/// # futures_executor::block_on(async {
/// let ledger = SqliteLedger::open_in_memory()?;
/// let payment = Transaction::transfer(
///     "payment-1",
///     "2026-11-20T12:00:00Z".parse()?,
///     Purpose::TopUp,
///     Account::Cash,
///     Account::wallet("acme"),
///     Money::parse("20.00", Currency::USD)?,
/// )?;
/// for _ in 0..2 {
///     let posted = ledger.post(&payment).await?;
///     assert_eq!(posted.receipt().map(|receipt| receipt.sequence), Some(1));
/// }
/// let balance = ledger.balance(&Account::wallet("acme"), Currency::USD).await?;
/// assert_eq!(balance.to_string(), "20.00 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Tables
/// | table | a row is | key |
/// |---|---|---|
/// | `transactions` | one transaction: `Sequence` from 1, `Id`, `At`, `Purpose` | `Sequence`; `Id` is unique |
/// | `entries` | one posting: `Account`, `Currency`, `Sequence`, `Ordinal`, `Amount`, and the `Balance` after it | `Account`, `Currency`, `Sequence` |
///
/// Triggers refuse to change or delete a row. There is no table of balances that could disagree with
/// the entries: a balance is that of the account's last entry. The file's application id is
/// `0x4275724c` ("BurL").
pub struct SqliteLedger {
    /// `None` for a ledger in memory, which has one connection.
    path: Option<PathBuf>,
    options: SqliteOptions,
    writer: GroupCommit,
}

impl SqliteLedger {
    /// Opens the ledger in this file, or makes it; its folder must exist.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::SqliteStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Like [`open`](Self::open), with other options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](crate::SqliteStore::open).
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, SqliteError> {
        let path = schema::absolute(path.as_ref())?;
        let connection = schema::open_writer(&schema::LEDGER, &path, options)?;
        Self::start(connection, Some(path), options)
    }

    /// Makes a ledger in memory, gone when it is dropped.
    ///
    /// # Errors
    /// [`SqliteError::Database`] when there is not enough memory, [`SqliteError::Thread`].
    pub fn open_in_memory() -> Result<Self, SqliteError> {
        let connection = schema::open_in_memory(&schema::LEDGER)?;
        Self::start(connection, None, &SqliteOptions::default())
    }

    fn start(
        connection: Connection,
        path: Option<PathBuf>,
        options: &SqliteOptions,
    ) -> Result<Self, SqliteError> {
        Ok(Self {
            path,
            options: options.clone(),
            writer: GroupCommit::start("bursar-sqlite-ledger", connection)?,
        })
    }

    /// What the writing thread's connection says, after what was posted before.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.writer.ask(question).await.map_err(failed)?
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn post(&self, transaction: &Transaction) -> Result<Posted, LedgerError> {
        let transaction = transaction.clone();
        let post = move |connection: &Connection| books::post(connection, &transaction);
        self.writer.change(post).await.map_err(LedgerError::Store)?
    }

    async fn balance(&self, account: &Account, currency: Currency) -> Result<Money, LedgerError> {
        let account = account.clone();
        self.ask(move |connection| books::balance(connection, &account, currency))
            .await
    }

    async fn entries(
        &self,
        account: &Account,
        currency: Currency,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, LedgerError> {
        let account = account.clone();
        self.ask(move |connection| books::entries(connection, &account, currency, after, limit))
            .await
    }

    async fn audit(&self) -> Result<Audit, LedgerError> {
        let Some(path) = self.path.clone() else {
            return self.ask(books::audit).await;
        };
        // On a connection of its own: adding up all entries should not make writers wait.
        let options = self.options.clone();
        let (answer, answered) = oneshot::channel();
        let audit = move || {
            let opened = schema::open_reader(&path, &options).map_err(failed);
            let _ = answer.send(opened.and_then(|connection| books::audit(&connection)));
        };
        spawn("bursar-sqlite-audit", audit).map_err(failed)?;
        answered.await.map_err(|_| failed(SqliteError::Stopped))?
    }
}

fn failed(error: SqliteError) -> LedgerError {
    LedgerError::Store(Box::new(error))
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger")
            .field("path", &self.path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
