//! Between whom does money move?

use std::fmt;
use std::str::FromStr;

/// An account of the ledger.
///
/// Its text is what stores keep: the kind, and for a wallet the tenant after a colon.
///
/// ```
/// use bursar_pricing::ledger::Account;
///
/// let wallet = Account::wallet("acme:eu");
/// assert_eq!(wallet.to_string(), "wallet:acme:eu");
/// assert_eq!("wallet:acme:eu".parse::<Account>()?, wallet);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Account {
    /// What a tenant has paid in advance and not used.
    Wallet(String),
    /// What a tenant owes on invoices, below zero while it is owed.
    Receivable(String),
    /// Money that came from outside or went there; below zero by what came in.
    Cash,
    /// What was earned.
    Revenue,
    /// What was given away: credits of service agreements and goodwill.
    Compensation,
}

impl Account {
    /// The prepaid account of a tenant.
    #[must_use]
    pub fn wallet(tenant: impl Into<String>) -> Self {
        Self::Wallet(tenant.into())
    }

    /// The invoice account of a tenant.
    #[must_use]
    pub fn receivable(tenant: impl Into<String>) -> Self {
        Self::Receivable(tenant.into())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallet(tenant) => write!(formatter, "wallet:{tenant}"),
            Self::Receivable(tenant) => write!(formatter, "receivable:{tenant}"),
            Self::Cash => formatter.write_str("cash"),
            Self::Revenue => formatter.write_str("revenue"),
            Self::Compensation => formatter.write_str("compensation"),
        }
    }
}

/// The text names no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no account: write wallet:TENANT, receivable:TENANT, cash, revenue or compensation"
)]
pub struct ParseAccountError(String);

impl FromStr for Account {
    type Err = ParseAccountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("wallet", tenant)) => Ok(Self::wallet(tenant)),
            Some(("receivable", tenant)) => Ok(Self::receivable(tenant)),
            None if text == "cash" => Ok(Self::Cash),
            None if text == "revenue" => Ok(Self::Revenue),
            None if text == "compensation" => Ok(Self::Compensation),
            _ => Err(ParseAccountError(text.to_owned())),
        }
    }
}
