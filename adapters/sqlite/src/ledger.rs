//! How are books kept that a crash cannot make wrong?
//!
//! One thread writes. It takes all transactions that wait and commits them together, so that many
//! callers at once share the wait for the disk; each is answered after the commit.

mod books;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bursar_pricing::ledger::{Account, Audit, Entry, Ledger, LedgerError, Posted, Transaction};
use bursar_units::{Currency, Money};
use futures_channel::oneshot;
use rusqlite::{Connection, TransactionBehavior};

use crate::store::spawn;
use crate::{SqliteError, SqliteOptions, schema};

/// How many transactions share a commit at most: a bound on what one crash leaves undecided, and on
/// how long the first of them waits.
const LARGEST_COMMIT: usize = 256;

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
    /// `None` only while the ledger is dropped.
    work: Option<Sender<Work>>,
    writer: Option<JoinHandle<()>>,
}

/// What the writing thread is asked for.
enum Work {
    Post(Posting),
    Read(Box<dyn FnOnce(&Connection) + Send>),
}

/// A transaction, and who waits for what becomes of it.
struct Posting {
    transaction: Transaction,
    answer: oneshot::Sender<Result<Posted, LedgerError>>,
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
        mut connection: Connection,
        path: Option<PathBuf>,
        options: &SqliteOptions,
    ) -> Result<Self, SqliteError> {
        let (work, works) = channel::<Work>();
        let writer = spawn("bursar-sqlite-ledger", move || run(&mut connection, &works))?;
        Ok(Self {
            path,
            options: options.clone(),
            work: Some(work),
            writer: Some(writer),
        })
    }

    fn send(&self, work: Work) -> Result<(), LedgerError> {
        let sender = self
            .work
            .as_ref()
            .ok_or_else(|| failed(SqliteError::Stopped))?;
        sender.send(work).map_err(|_| failed(SqliteError::Stopped))
    }

    /// What the writing thread's connection says, after what was posted before.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.send(Work::Read(Box::new(move |connection| {
            // Nobody waits when the caller was dropped.
            let _ = answer.send(question(connection));
        })))?;
        answered.await.map_err(|_| failed(SqliteError::Stopped))?
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn post(&self, transaction: &Transaction) -> Result<Posted, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let transaction = transaction.clone();
        self.send(Work::Post(Posting {
            transaction,
            answer,
        }))?;
        answered.await.map_err(|_| failed(SqliteError::Stopped))?
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

/// Does what is asked until nobody can ask any more.
fn run(connection: &mut Connection, works: &Receiver<Work>) {
    let mut next = works.recv().ok();
    while let Some(work) = next.take() {
        match work {
            Work::Read(question) => question(connection),
            Work::Post(first) => {
                let mut postings = vec![first];
                while postings.len() < LARGEST_COMMIT {
                    match works.try_recv() {
                        Ok(Work::Post(posting)) => postings.push(posting),
                        other => {
                            next = other.ok();
                            break;
                        }
                    }
                }
                commit(connection, postings);
            }
        }
        if next.is_none() {
            next = works.recv().ok();
        }
    }
}

/// Applies transactions in their order and answers each of them after the commit.
fn commit(connection: &mut Connection, postings: Vec<Posting>) {
    let outcomes = attempt(connection, &postings);
    match outcomes {
        Ok(outcomes) => {
            for (posting, outcome) in postings.into_iter().zip(outcomes) {
                let _ = posting.answer.send(outcome);
            }
        }
        Err(error) => {
            // None of them was written. The first is told the cause itself, the others its words.
            let words = error.to_string();
            let mut error = Some(error);
            for posting in postings {
                let cause = error
                    .take()
                    .map_or_else(|| words.clone().into(), Into::into);
                let _ = posting.answer.send(Err(LedgerError::Store(cause)));
            }
        }
    }
}

fn attempt(
    connection: &mut Connection,
    postings: &[Posting],
) -> Result<Vec<Result<Posted, LedgerError>>, SqliteError> {
    // Immediate: what is read in it holds until the commit, also beside other processes.
    let books = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcomes: Result<Vec<_>, SqliteError> = postings
        .iter()
        .map(|posting| books::post(&books, &posting.transaction))
        .collect();
    let outcomes = outcomes?;
    books.commit()?;
    Ok(outcomes)
}

fn failed(error: SqliteError) -> LedgerError {
    LedgerError::Store(Box::new(error))
}

/// Waits until what was posted is committed and the connection closed.
impl Drop for SqliteLedger {
    fn drop(&mut self) {
        self.work = None;
        if let Some(writer) = self.writer.take() {
            // A panic of that thread has been reported to whoever waited for its answer.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger")
            .field("path", &self.path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
