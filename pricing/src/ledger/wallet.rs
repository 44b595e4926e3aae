//! How much has a tenant left, and when must somebody know?

use bursar_units::{Currency, Money};
use jiff::Timestamp;

use super::{
    Account, Ledger, LedgerError, Posted, Purpose, Receipt, Shortfall, Transaction,
    TransactionError,
};

/// When a tenant is told, and how far the balance may fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WalletPolicy {
    /// Below this balance it is low.
    pub low_balance: Money,
    /// What may be used beyond what was paid: zero, unless credit is granted.
    pub credit_line: Money,
}

impl WalletPolicy {
    /// Tells of a balance below `low_balance`, and grants no credit.
    #[must_use]
    pub const fn prepaid(low_balance: Money) -> Self {
        let credit_line = Money::zero(low_balance.currency());
        Self {
            low_balance,
            credit_line,
        }
    }
}

/// What a change of the balance means to the tenant. Each is told when the line is crossed, once, and
/// again only after the balance was over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum WalletEvent {
    /// The balance fell below the low-balance line.
    LowBalance {
        /// What is left.
        balance: Money,
    },
    /// Nothing is left.
    Depleted {
        /// What is left: zero, or less where credit is granted.
        balance: Money,
    },
    /// The balance rose over zero again.
    Replenished {
        /// What is there now.
        balance: Money,
    },
}

/// What became of a movement of a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum WalletReceipt {
    /// It was applied.
    Done {
        /// Its proof.
        receipt: Receipt,
        /// The balance right after it.
        balance: Money,
        /// What it means to the tenant; nothing when it had been applied before.
        events: Vec<WalletEvent>,
    },
    /// There is too little in the wallet. Nothing was taken.
    Insufficient(Shortfall),
}

/// Why a wallet could not be moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The movement is no transaction.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The ledger could not decide.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A tenant's prepaid money, kept in a [`Ledger`].
///
/// ```
/// use bursar_pricing::ledger::{MemoryLedger, Wallet, WalletEvent, WalletPolicy, WalletReceipt};
/// use bursar_units::{Currency, Money};
///
/// # futures_executor::block_on(async {
/// let usd = |amount| Money::parse(amount, Currency::USD);
/// let ledger = MemoryLedger::new();
/// let wallet = Wallet::new("acme", WalletPolicy::prepaid(usd("5.00")?));
/// let at = "2026-11-20T12:00:00Z".parse()?;
///
/// let _ = wallet.top_up(&ledger, "payment-1", at, usd("20.00")?).await?;
/// let charged = wallet.charge(&ledger, "usage-1", at, usd("16.50")?).await?;
/// let WalletReceipt::Done { balance, events, .. } = charged else { return Err("enough".into()) };
/// assert_eq!(balance, usd("3.50")?);
/// assert_eq!(events, [WalletEvent::LowBalance { balance }]);
///
/// // The same record again takes nothing, and what is not there cannot be taken.
/// let _ = wallet.charge(&ledger, "usage-1", at, usd("16.50")?).await?;
/// let refused = wallet.charge(&ledger, "usage-2", at, usd("4.00")?).await?;
/// let WalletReceipt::Insufficient(shortfall) = refused else { return Err("too much".into()) };
/// assert_eq!(shortfall.lacking, usd("0.50")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    tenant: String,
    policy: WalletPolicy,
}

impl Wallet {
    /// The wallet of a tenant, in the currency of the policy.
    #[must_use]
    pub fn new(tenant: impl Into<String>, policy: WalletPolicy) -> Self {
        let tenant = tenant.into();
        Self { tenant, policy }
    }

    /// Its account.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::wallet(&*self.tenant)
    }

    /// What is left.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn balance(&self, ledger: &dyn Ledger) -> Result<Money, LedgerError> {
        ledger.balance(&self.account(), self.currency()).await
    }

    /// Takes what usage costs, if there is enough.
    ///
    /// # Errors
    /// [`WalletError`]: nothing was decided.
    pub async fn charge(
        &self,
        ledger: &dyn Ledger,
        id: &str,
        at: Timestamp,
        amount: Money,
    ) -> Result<WalletReceipt, WalletError> {
        let charge = Transaction::transfer(
            id,
            at,
            Purpose::Charge,
            self.account(),
            Account::Revenue,
            amount,
        )?;
        let charge = charge.leaving_at_least(-self.policy.credit_line);
        self.post(ledger, &charge, -amount).await
    }

    /// Adds what the tenant paid in advance.
    ///
    /// # Errors
    /// [`WalletError`]: nothing was decided.
    pub async fn top_up(
        &self,
        ledger: &dyn Ledger,
        id: &str,
        at: Timestamp,
        amount: Money,
    ) -> Result<WalletReceipt, WalletError> {
        self.receive(ledger, id, at, Purpose::TopUp, Account::Cash, amount)
            .await
    }

    /// Adds a credit, for example of a service agreement.
    ///
    /// # Errors
    /// [`WalletError`]: nothing was decided.
    pub async fn credit(
        &self,
        ledger: &dyn Ledger,
        id: &str,
        at: Timestamp,
        amount: Money,
    ) -> Result<WalletReceipt, WalletError> {
        self.receive(
            ledger,
            id,
            at,
            Purpose::Credit,
            Account::Compensation,
            amount,
        )
        .await
    }

    async fn receive(
        &self,
        ledger: &dyn Ledger,
        id: &str,
        at: Timestamp,
        purpose: Purpose,
        from: Account,
        amount: Money,
    ) -> Result<WalletReceipt, WalletError> {
        let transaction = Transaction::transfer(id, at, purpose, from, self.account(), amount)?;
        self.post(ledger, &transaction, amount).await
    }

    async fn post(
        &self,
        ledger: &dyn Ledger,
        transaction: &Transaction,
        change: Money,
    ) -> Result<WalletReceipt, WalletError> {
        let posted = ledger.post(transaction).await?;
        let is_new = matches!(posted, Posted::Applied(_));
        let receipt = match posted {
            Posted::Refused(shortfall) => return Ok(WalletReceipt::Insufficient(shortfall)),
            Posted::Applied(receipt) | Posted::AlreadyApplied(receipt) => receipt,
        };
        let account = self.account();
        let place = transaction
            .postings()
            .iter()
            .position(|posting| posting.account == account);
        let balance = place.and_then(|place| receipt.balances.get(place)).copied();
        let balance = balance.unwrap_or(Money::zero(self.currency()));
        let events = match is_new {
            true => self.events(
                balance
                    .checked_sub(change)
                    .map_err(TransactionError::from)?,
                balance,
            ),
            false => Vec::new(),
        };
        Ok(WalletReceipt::Done {
            receipt,
            balance,
            events,
        })
    }

    /// The lines that lie between two balances.
    fn events(&self, before: Money, after: Money) -> Vec<WalletEvent> {
        let zero = Money::zero(self.currency());
        let low = self.policy.low_balance;
        let mut events = Vec::new();
        if before >= low && after < low {
            events.push(WalletEvent::LowBalance { balance: after });
        }
        if before > zero && after <= zero {
            events.push(WalletEvent::Depleted { balance: after });
        }
        if before <= zero && after > zero {
            events.push(WalletEvent::Replenished { balance: after });
        }
        events
    }

    fn currency(&self) -> Currency {
        self.policy.low_balance.currency()
    }
}
