//! Who has how much, and how did it come about?
//!
//! A [`Ledger`] is append-only and double-entry: every [`Transaction`] moves money between accounts
//! and sums to zero, so money is neither made nor lost, and a balance is the sum of its entries. A
//! transaction's id makes it idempotent: posted twice it is applied once.

mod account;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod memory;
mod transaction;
mod wallet;

use async_trait::async_trait;
use bursar_units::{Currency, Money, MoneyError};

pub use account::{Account, ParseAccountError};
pub use memory::MemoryLedger;
pub use transaction::{Effect, Posting, Purpose, Transaction, TransactionError, TransactionId};
pub use wallet::{Wallet, WalletError, WalletEvent, WalletPolicy, WalletReceipt};

/// Where money that is moved is written down.
///
/// # The contract
/// - **Atomic.** A transaction is applied whole or not at all, also when the process is killed, and
///   nobody sees half of it.
/// - **Durable.** What [`post`](Self::post) answered to be applied is still there after a crash, as
///   far as the implementation promises durability at all.
/// - **Idempotent.** An id that is known answers with what was applied the first time; with other
///   contents it is [`LedgerError::Conflict`].
/// - **Serial.** Writers at the same time have the effect of some order of them, and every balance is
///   the sum of its entries in that order.
/// - **Append-only.** Nothing is changed or deleted: a mistake is mended by another transaction.
///
/// `bursar_pricing::ledger::conformance` (feature `conformance`) checks them.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Writes a transaction down, if no account falls below its floor.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was decided, and the same transaction may be posted again.
    async fn post(&self, transaction: &Transaction) -> Result<Posted, LedgerError>;

    /// What an account holds; zero for one that was never used.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn balance(&self, account: &Account, currency: Currency) -> Result<Money, LedgerError>;

    /// The entries of an account in one currency in the order in which they were applied, at most
    /// `limit` of those whose sequence number is over `after`.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn entries(
        &self,
        account: &Account,
        currency: Currency,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, LedgerError>;

    /// Whether the books are right: every transaction sums to zero, and every balance is the sum of its
    /// entries, added up anew.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] with the first place that is wrong.
    async fn audit(&self) -> Result<Audit, LedgerError>;
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Posted {
    /// It was applied now.
    Applied(Receipt),
    /// It had been applied before; this is what happened then.
    AlreadyApplied(Receipt),
    /// An account would have fallen below its floor. Nothing was written.
    Refused(Shortfall),
}

impl Posted {
    /// What was applied, now or before.
    #[must_use]
    pub const fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Applied(receipt) | Self::AlreadyApplied(receipt) => Some(receipt),
            Self::Refused(_) => None,
        }
    }
}

/// Proof of an applied transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
    /// Its place in the order of the ledger, from 1.
    pub sequence: u64,
    /// The balance of each posting's account right after it, in the order of the postings.
    pub balances: Vec<Money>,
}

/// Why a transaction was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shortfall {
    /// The account that has too little.
    pub account: Account,
    /// What it holds.
    pub balance: Money,
    /// How much more it would have needed.
    pub lacking: Money,
}

/// One posting of an applied transaction, as it stands in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// The transaction's place in the order of the ledger.
    pub sequence: u64,
    /// The transaction.
    pub transaction: TransactionId,
    /// What it was for.
    pub purpose: Purpose,
    /// When it happened, as its author said.
    pub at: jiff::Timestamp,
    /// What was added to the account, below zero when it was taken.
    pub amount: Money,
    /// What the account held right after it.
    pub balance: Money,
}

/// The books, added up anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Audit {
    /// How many transactions were applied.
    pub transactions: u64,
    /// How many postings they had.
    pub entries: u64,
    /// How many accounts have a balance, each currency counted.
    pub balances: u64,
}

/// Why a ledger could not decide.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The id is known with other contents.
    #[error(
        "transaction `{0}` was posted before with other contents: give a new transaction a new id"
    )]
    Conflict(TransactionId),
    /// A balance has more digits than can be kept.
    #[error("the balance of {account} cannot be kept")]
    Balance {
        /// The account.
        account: Account,
        /// What is wrong with the amount.
        #[source]
        source: MoneyError,
    },
    /// What is stored cannot be right.
    #[error("the ledger is damaged at {place}: {problem}")]
    Corrupt {
        /// Where.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// The store failed.
    #[error("the ledger's store failed; post the same transaction again")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}
