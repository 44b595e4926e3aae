//! Transactions and entries as rows.

use std::str::FromStr;

use bursar_pricing::ledger::{
    Account, Audit, Effect, Entry, LedgerError, Posted, Posting, Purpose, Receipt, Transaction,
    TransactionId,
};
use bursar_units::{Currency, Money};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::SqliteError;

const LAST_BALANCE: &str = "SELECT Balance FROM entries WHERE Account = ?1 AND Currency = ?2
    ORDER BY Sequence DESC LIMIT 1";

const NEXT_SEQUENCE: &str = "SELECT coalesce(max(Sequence), 0) + 1 FROM transactions";

const INSERT_TRANSACTION: &str =
    "INSERT INTO transactions (Sequence, Id, At, Purpose) VALUES (?1, ?2, ?3, ?4)";

const INSERT_ENTRY: &str = "INSERT INTO entries
    (Account, Currency, Sequence, Ordinal, Amount, Balance) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const KNOWN_TRANSACTION: &str = "SELECT Sequence, At, Purpose FROM transactions WHERE Id = ?1";

const ITS_ENTRIES: &str = "SELECT Account, Currency, Amount, Balance FROM entries
    WHERE Sequence = ?1 ORDER BY Ordinal";

const ENTRIES_OF_ACCOUNT: &str = "SELECT Sequence, Id, Purpose, At, Amount, Balance
    FROM entries JOIN transactions USING (Sequence)
    WHERE Account = ?1 AND Currency = ?2 AND Sequence > ?3 ORDER BY Sequence LIMIT ?4";

const ALL_BY_ACCOUNT: &str = "SELECT Account, Currency, Sequence, Amount, Balance FROM entries
    ORDER BY Account, Currency, Sequence";

const ALL_BY_TRANSACTION: &str = "SELECT Sequence, Currency, Amount FROM entries
    ORDER BY Sequence, Ordinal";

/// Applies a transaction inside the commit that is open. An error of SQLite ends that commit; what the
/// ledger itself says of the transaction does not.
pub(super) fn post(
    connection: &Connection,
    transaction: &Transaction,
) -> Result<Result<Posted, LedgerError>, SqliteError> {
    match decide(connection, transaction) {
        Ok(Decision::Known(posted)) => Ok(Ok(posted)),
        Ok(Decision::New(balances)) => Ok(Ok(append(connection, transaction, balances)?)),
        Err(Failure::Ledger(error)) => Ok(Err(error)),
        Err(Failure::Sqlite(error)) => Err(error),
    }
}

enum Decision {
    /// Nothing is to be written.
    Known(Posted),
    /// The balances that it leads to.
    New(Vec<Money>),
}

/// Whose failure it is.
enum Failure {
    Ledger(LedgerError),
    Sqlite(SqliteError),
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.into())
    }
}

impl From<Failure> for LedgerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ledger(error) => error,
            Failure::Sqlite(error) => Self::Store(Box::new(error)),
        }
    }
}

fn decide(connection: &Connection, transaction: &Transaction) -> Result<Decision, Failure> {
    if let Some((before, receipt)) = known(connection, transaction.id())? {
        if before.says_the_same_as(transaction) {
            return Ok(Decision::Known(Posted::AlreadyApplied(receipt)));
        }
        return Err(LedgerError::Conflict(transaction.id().clone()).into());
    }
    let mut balances = Vec::with_capacity(transaction.postings().len());
    for posting in transaction.postings() {
        let currency = posting.amount.currency();
        balances.push(last_balance(connection, &posting.account, currency)?);
    }
    Ok(match transaction.effect_on(&balances)? {
        Effect::Applied(balances) => Decision::New(balances),
        Effect::Refused(shortfall) => Decision::Known(Posted::Refused(shortfall)),
    })
}

fn append(
    connection: &Connection,
    transaction: &Transaction,
    balances: Vec<Money>,
) -> Result<Posted, SqliteError> {
    let sequence: i64 = connection
        .prepare_cached(NEXT_SEQUENCE)?
        .query_row([], |row| row.get(0))?;
    connection.prepare_cached(INSERT_TRANSACTION)?.execute((
        sequence,
        transaction.id().as_str(),
        transaction.at().to_string(),
        transaction.purpose().name(),
    ))?;
    let mut insert = connection.prepare_cached(INSERT_ENTRY)?;
    let postings = transaction.postings().iter().zip(&balances);
    for (ordinal, (posting, balance)) in (0_i64..).zip(postings) {
        insert.execute((
            posting.account.to_string(),
            balance.currency().code(),
            sequence,
            ordinal,
            posting.amount.amount().to_string(),
            balance.amount().to_string(),
        ))?;
    }
    let sequence = sequence.unsigned_abs();
    Ok(Posted::Applied(Receipt { sequence, balances }))
}

/// The transaction of this id as it was applied.
fn known(
    connection: &Connection,
    id: &TransactionId,
) -> Result<Option<(Transaction, Receipt)>, Failure> {
    let mut statement = connection.prepare_cached(KNOWN_TRANSACTION)?;
    let found = statement.query_row([id.as_str()], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    });
    let Some((sequence, at, purpose)) = found.optional()? else {
        return Ok(None);
    };
    let place = Place::Transaction(sequence);
    let (at, purpose) = (place.parse(&at)?, place.purpose(&purpose)?);
    let (mut postings, mut balances) = (Vec::new(), Vec::new());
    let mut statement = connection.prepare_cached(ITS_ENTRIES)?;
    let mut rows = statement.query([sequence])?;
    while let Some(row) = rows.next()? {
        let account = place.parse(&text(row, 0)?)?;
        let (amount, balance) = (place.money(row, 1, 2)?, place.money(row, 1, 3)?);
        postings.push(Posting {
            account,
            amount,
            floor: None,
        });
        balances.push(balance);
    }
    let transaction = Transaction::new(id.as_str(), at, purpose, postings);
    let transaction = transaction.map_err(|error| place.corrupt(&error))?;
    let sequence = sequence.unsigned_abs();
    Ok(Some((transaction, Receipt { sequence, balances })))
}

fn last_balance(
    connection: &Connection,
    account: &Account,
    currency: Currency,
) -> Result<Money, Failure> {
    let account_text = account.to_string();
    let mut statement = connection.prepare_cached(LAST_BALANCE)?;
    let found = statement
        .query_row((&account_text, currency.code()), |row| {
            row.get::<_, String>(0)
        })
        .optional()?;
    let Some(amount) = found else {
        return Ok(Money::zero(currency));
    };
    let amount = Place::Account(&account_text).parse(&amount)?;
    Ok(Money::new(amount, currency))
}

pub(super) fn balance(
    connection: &Connection,
    account: &Account,
    currency: Currency,
) -> Result<Money, LedgerError> {
    Ok(last_balance(connection, account, currency)?)
}

pub(super) fn entries(
    connection: &Connection,
    account: &Account,
    currency: Currency,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, LedgerError> {
    Ok(read_entries(connection, account, currency, after, limit)?)
}

fn read_entries(
    connection: &Connection,
    account: &Account,
    currency: Currency,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, Failure> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let account_text = account.to_string();
    let mut statement = connection.prepare_cached(ENTRIES_OF_ACCOUNT)?;
    let mut rows = statement.query((&account_text, currency.code(), after, limit))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let sequence: i64 = row.get(0)?;
        let place = Place::Transaction(sequence);
        let amount =
            |column| Ok::<_, Failure>(Money::new(place.parse(&text(row, column)?)?, currency));
        entries.push(Entry {
            sequence: sequence.unsigned_abs(),
            transaction: TransactionId::new(text(row, 1)?),
            purpose: place.purpose(&text(row, 2)?)?,
            at: place.parse(&text(row, 3)?)?,
            amount: amount(4)?,
            balance: amount(5)?,
        });
    }
    Ok(entries)
}

/// Adds everything up anew, as of one moment.
pub(super) fn audit(connection: &Connection) -> Result<Audit, LedgerError> {
    Ok(audit_all(connection)?)
}

fn audit_all(connection: &Connection) -> Result<Audit, Failure> {
    // One read transaction, so that both passes see the same rows.
    let books = connection.unchecked_transaction()?;
    let transactions = audit_transactions(&books)?;
    let (entries, balances) = audit_balances(&books)?;
    Ok(Audit {
        transactions,
        entries,
        balances,
    })
}

/// Whether every transaction sums to zero and none is without entries; returns their number.
fn audit_transactions(books: &Connection) -> Result<u64, Failure> {
    let mut statement = books.prepare(ALL_BY_TRANSACTION)?;
    let mut rows = statement.query([])?;
    let (mut transactions, mut open) = (0_u64, None::<(i64, Money)>);
    while let Some(row) = rows.next()? {
        let sequence: i64 = row.get(0)?;
        let place = Place::Transaction(sequence);
        let amount = place.money(row, 1, 2)?;
        open = match open {
            Some((number, sum)) if number == sequence => {
                let sum = sum
                    .checked_add(amount)
                    .map_err(|error| place.corrupt(&error))?;
                Some((sequence, sum))
            }
            before => {
                require_zero(before)?;
                transactions = transactions.saturating_add(1);
                Some((sequence, amount))
            }
        };
    }
    require_zero(open)?;
    let stored: i64 = books.query_row("SELECT count(*) FROM transactions", [], |row| row.get(0))?;
    if stored.unsigned_abs() != transactions {
        return Err(corrupt(
            "the list of transactions",
            format!("it has {stored}, and entries speak of {transactions}"),
        ));
    }
    Ok(transactions)
}

fn require_zero(transaction: Option<(i64, Money)>) -> Result<(), Failure> {
    match transaction {
        Some((sequence, sum)) if !sum.is_zero() => {
            Err(Place::Transaction(sequence).corrupt(&format_args!("it sums to {sum}")))
        }
        _ => Ok(()),
    }
}

/// Whether every balance is the sum of the entries up to it; returns how many entries and balances
/// there are.
fn audit_balances(books: &Connection) -> Result<(u64, u64), Failure> {
    let mut statement = books.prepare(ALL_BY_ACCOUNT)?;
    let mut rows = statement.query([])?;
    let (mut entries, mut balances) = (0_u64, 0_u64);
    let mut open: Option<(String, Money)> = None;
    while let Some(row) = rows.next()? {
        let account = text(row, 0)?;
        let place = Place::Transaction(row.get(2)?);
        let (amount, balance) = (place.money(row, 1, 3)?, place.money(row, 1, 4)?);
        let before = match open.take() {
            Some((same, sum)) if same == account && sum.currency() == amount.currency() => sum,
            _ => {
                balances = balances.saturating_add(1);
                Money::zero(amount.currency())
            }
        };
        let sum = before
            .checked_add(amount)
            .map_err(|error| place.corrupt(&error))?;
        if sum != balance {
            return Err(place.corrupt(&format_args!(
                "the balance of {account} is {balance}, and its entries sum to {sum}"
            )));
        }
        entries = entries.saturating_add(1);
        open = Some((account, sum));
    }
    Ok((entries, balances))
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column)
}

/// Where a value stands that is read.
#[derive(Clone, Copy)]
enum Place<'a> {
    Transaction(i64),
    Account(&'a str),
}

impl Place<'_> {
    fn parse<T: FromStr<Err: std::fmt::Display>>(self, text: &str) -> Result<T, Failure> {
        text.parse()
            .map_err(|error| self.corrupt(&format_args!("`{text}`: {error}")))
    }

    fn purpose(self, name: &str) -> Result<Purpose, Failure> {
        let purpose = Purpose::of_name(name);
        purpose.ok_or_else(|| self.corrupt(&format_args!("`{name}` is no purpose")))
    }

    fn money(self, row: &Row<'_>, currency: usize, amount: usize) -> Result<Money, Failure> {
        let code = text(row, currency)?;
        let currency = Currency::from_code(&code).map_err(|error| self.corrupt(&error))?;
        Ok(Money::new(self.parse(&text(row, amount)?)?, currency))
    }

    fn corrupt(self, problem: &dyn std::fmt::Display) -> Failure {
        match self {
            Self::Transaction(sequence) => corrupt(&format!("transaction {sequence}"), problem),
            Self::Account(account) => corrupt(account, problem),
        }
    }
}

fn corrupt(place: &str, problem: impl std::fmt::Display) -> Failure {
    let (place, problem) = (place.to_owned(), problem.to_string());
    Failure::Ledger(LedgerError::Corrupt { place, problem })
}
