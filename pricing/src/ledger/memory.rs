//! The ledger that other ledgers are compared with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bursar_units::{Currency, Money};

use super::transaction::Effect;
use super::{
    Account, Audit, Entry, Ledger, LedgerError, Posted, Receipt, Transaction, TransactionId,
};

/// A [`Ledger`] in the memory of this process, for tests and for services whose books are elsewhere.
/// It is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    applied: Vec<(Transaction, Receipt)>,
    places: HashMap<TransactionId, usize>,
    balances: BTreeMap<(Account, &'static str), Money>,
}

impl MemoryLedger {
    /// Empty books.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Books are changed in one step after everything was computed, so a thread that panicked while
    /// it held the lock has left them whole.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn post(&mut self, transaction: &Transaction) -> Result<Posted, LedgerError> {
        let known = self.places.get(transaction.id());
        if let Some((before, receipt)) = known.and_then(|place| self.applied.get(*place)) {
            return match before.says_the_same_as(transaction) {
                true => Ok(Posted::AlreadyApplied(receipt.clone())),
                false => Err(LedgerError::Conflict(transaction.id().clone())),
            };
        }
        let postings = transaction.postings();
        let balances: Vec<Money> = postings
            .iter()
            .map(|posting| self.balance(&posting.account, posting.amount.currency()))
            .collect();
        let balances = match transaction.effect_on(&balances)? {
            Effect::Applied(balances) => balances,
            Effect::Refused(shortfall) => return Ok(Posted::Refused(shortfall)),
        };
        Ok(Posted::Applied(self.append(transaction, balances)))
    }

    fn append(&mut self, transaction: &Transaction, balances: Vec<Money>) -> Receipt {
        for (posting, balance) in transaction.postings().iter().zip(&balances) {
            let key = (posting.account.clone(), balance.currency().code());
            self.balances.insert(key, *balance);
        }
        let place = self.applied.len();
        let sequence = (place as u64).saturating_add(1);
        let receipt = Receipt { sequence, balances };
        self.places.insert(transaction.id().clone(), place);
        self.applied.push((transaction.clone(), receipt.clone()));
        receipt
    }

    fn balance(&self, account: &Account, currency: Currency) -> Money {
        let key = (account.clone(), currency.code());
        let balance = self.balances.get(&key).copied();
        balance.unwrap_or(Money::zero(currency))
    }

    fn entries_of<'a>(
        &'a self,
        account: &'a Account,
        currency: Currency,
    ) -> impl Iterator<Item = Entry> + 'a {
        let with_receipt = self.applied.iter();
        with_receipt.flat_map(move |(transaction, receipt)| {
            let postings = transaction.postings().iter().zip(&receipt.balances);
            let mine = postings.filter(move |(posting, _)| {
                posting.account == *account && posting.amount.currency() == currency
            });
            mine.map(|(posting, balance)| Entry {
                sequence: receipt.sequence,
                transaction: transaction.id().clone(),
                purpose: transaction.purpose(),
                at: transaction.at(),
                amount: posting.amount,
                balance: *balance,
            })
        })
    }

    fn audit(&self) -> Result<Audit, LedgerError> {
        let mut entries = 0_u64;
        for ((account, _), balance) in &self.balances {
            let mut sum = Money::zero(balance.currency());
            for entry in self.entries_of(account, balance.currency()) {
                entries = entries.saturating_add(1);
                let added = sum.checked_add(entry.amount);
                sum = added.map_err(|source| {
                    let account = account.clone();
                    LedgerError::Balance { account, source }
                })?;
            }
            if sum != *balance {
                return Err(LedgerError::Corrupt {
                    place: format!("the balance of {account}"),
                    problem: format!("it is {balance}, and its entries sum to {sum}"),
                });
            }
        }
        let (transactions, balances) = (self.applied.len() as u64, self.balances.len() as u64);
        Ok(Audit {
            transactions,
            entries,
            balances,
        })
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn post(&self, transaction: &Transaction) -> Result<Posted, LedgerError> {
        self.books().post(transaction)
    }

    async fn balance(&self, account: &Account, currency: Currency) -> Result<Money, LedgerError> {
        Ok(self.books().balance(account, currency))
    }

    async fn entries(
        &self,
        account: &Account,
        currency: Currency,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, LedgerError> {
        let books = self.books();
        let entries = books.entries_of(account, currency);
        Ok(entries
            .filter(|entry| entry.sequence > after)
            .take(limit)
            .collect())
    }

    async fn audit(&self) -> Result<Audit, LedgerError> {
        self.books().audit()
    }
}
