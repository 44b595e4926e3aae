//! How does money move?

use std::fmt;

use bursar_units::{Money, MoneyError};
use jiff::Timestamp;

use super::{Account, LedgerError, Shortfall};

/// What makes a transaction that is posted twice the same one: chosen by its author, for example the
/// id of the usage record that is charged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TransactionId(String);

impl TransactionId {
    /// An id of any text.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Purpose {
    /// A tenant pays in advance.
    TopUp,
    /// Usage is charged.
    Charge,
    /// A credit is given.
    Credit,
    /// Money goes back to the tenant.
    Refund,
    /// A mistake is mended.
    Correction,
}

impl Purpose {
    /// Its name, as stores keep it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::Charge => "charge",
            Self::Credit => "credit",
            Self::Refund => "refund",
            Self::Correction => "correction",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [
            Self::TopUp,
            Self::Charge,
            Self::Credit,
            Self::Refund,
            Self::Correction,
        ];
        all.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A change of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// What is added to it, below zero when it is taken.
    pub amount: Money,
    /// What the account must still hold afterwards, if that is demanded.
    pub floor: Option<Money>,
}

/// Money that moves between accounts: at least two postings that sum to zero.
///
/// ```
/// use bursar_pricing::ledger::{Account, Purpose, Transaction};
/// use bursar_units::{Currency, Money};
///
/// let at = "2026-11-20T12:00:00Z".parse()?;
/// let amount = Money::parse("12.30", Currency::USD)?;
/// let charge = Transaction::transfer(
///     "usage-17", at, Purpose::Charge, Account::wallet("acme"), Account::Revenue, amount,
/// )?;
/// assert_eq!(charge.postings()[0].amount.to_string(), "-12.30 USD");
/// assert_eq!(charge.postings()[1].amount.to_string(), "12.30 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Transaction {
    id: TransactionId,
    at: Timestamp,
    purpose: Purpose,
    postings: Vec<Posting>,
}

/// Why postings are no transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// There is only one posting, or none.
    #[error(
        "transaction `{0}` has fewer than two postings: money comes from somewhere and goes somewhere"
    )]
    OneSided(TransactionId),
    /// The postings do not sum to zero.
    #[error("the postings of transaction `{id}` sum to {sum}, and not to zero")]
    Unbalanced {
        /// The transaction.
        id: TransactionId,
        /// What they sum to.
        sum: Money,
    },
    /// The amount of a transfer is not over zero.
    #[error("transaction `{id}` moves {amount}: exchange the accounts to move it back")]
    NotPositive {
        /// The transaction.
        id: TransactionId,
        /// The amount.
        amount: Money,
    },
    /// Two postings name one account.
    #[error("transaction `{id}` names {account} twice: post the sum")]
    AccountTwice {
        /// The transaction.
        id: TransactionId,
        /// The account.
        account: Account,
    },
    /// Currencies meet, or an amount cannot be kept.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Transaction {
    /// Postings of one currency that sum to zero, each account once.
    ///
    /// # Errors
    /// [`TransactionError`] names what is wrong with them.
    pub fn new(
        id: impl Into<String>,
        at: Timestamp,
        purpose: Purpose,
        postings: Vec<Posting>,
    ) -> Result<Self, TransactionError> {
        let id = TransactionId::new(id);
        if postings.len() < 2 {
            return Err(TransactionError::OneSided(id));
        }
        for (index, posting) in postings.iter().enumerate() {
            let earlier = postings.iter().take(index);
            if earlier
                .into_iter()
                .any(|other| other.account == posting.account)
            {
                let account = posting.account.clone();
                return Err(TransactionError::AccountTwice { id, account });
            }
        }
        let sum = Money::try_sum(postings.iter().map(|posting| posting.amount))?;
        match sum {
            Some(sum) if !sum.is_zero() => Err(TransactionError::Unbalanced { id, sum }),
            _ => Ok(Self {
                id,
                at,
                purpose,
                postings,
            }),
        }
    }

    /// Moves an amount over zero from one account to another.
    ///
    /// # Errors
    /// [`TransactionError::NotPositive`], [`TransactionError::AccountTwice`].
    pub fn transfer(
        id: impl Into<String>,
        at: Timestamp,
        purpose: Purpose,
        from: Account,
        to: Account,
        amount: Money,
    ) -> Result<Self, TransactionError> {
        let id = id.into();
        if amount.is_zero() || amount.is_negative() {
            let id = TransactionId::new(id);
            return Err(TransactionError::NotPositive { id, amount });
        }
        let posting = |account, amount| Posting {
            account,
            amount,
            floor: None,
        };
        Self::new(
            id,
            at,
            purpose,
            vec![posting(from, -amount), posting(to, amount)],
        )
    }

    /// The same, refused when the account that is taken from would hold less than `floor` afterwards.
    #[must_use]
    pub fn leaving_at_least(mut self, floor: Money) -> Self {
        for posting in &mut self.postings {
            if posting.amount.is_negative() {
                posting.floor = Some(floor);
            }
        }
        self
    }

    /// What makes it the same when it is posted twice.
    #[must_use]
    pub const fn id(&self) -> &TransactionId {
        &self.id
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The changes, which sum to zero.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// What a transaction does to the balances it meets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// The balances afterwards, in the order of the postings.
    Applied(Vec<Money>),
    /// It may not be applied.
    Refused(Shortfall),
}

impl Transaction {
    /// What it does to these balances, one for each posting in their order. Every ledger asks this, so
    /// that all of them decide alike.
    ///
    /// # Errors
    /// [`LedgerError::Balance`] when a balance cannot be kept or is of another currency;
    /// [`LedgerError::Corrupt`] when there is not a balance for each posting.
    pub fn effect_on(&self, balances: &[Money]) -> Result<Effect, LedgerError> {
        if balances.len() != self.postings.len() {
            return Err(LedgerError::Corrupt {
                place: format!("transaction `{}`", self.id),
                problem: format!(
                    "{} balances for {} postings",
                    balances.len(),
                    self.postings.len()
                ),
            });
        }
        let mut after = Vec::with_capacity(balances.len());
        for (posting, balance) in self.postings.iter().zip(balances) {
            let failed = |source| {
                let account = posting.account.clone();
                LedgerError::Balance { account, source }
            };
            let changed = balance.checked_add(posting.amount).map_err(failed)?;
            if let Some(floor) = posting.floor {
                let lacking = floor.checked_sub(changed).map_err(failed)?;
                if !lacking.is_zero() && !lacking.is_negative() {
                    let (account, balance) = (posting.account.clone(), *balance);
                    return Ok(Effect::Refused(Shortfall {
                        account,
                        balance,
                        lacking,
                    }));
                }
            }
            after.push(changed);
        }
        Ok(Effect::Applied(after))
    }

    /// Whether another transaction says the same: for whom, when, what for and how much. Floors are
    /// conditions and no contents.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let same = |(a, b): (&Posting, &Posting)| a.account == b.account && a.amount == b.amount;
        self.id == other.id
            && self.at == other.at
            && self.purpose == other.purpose
            && self.postings.len() == other.postings.len()
            && self.postings.iter().zip(&other.postings).all(same)
    }
}
