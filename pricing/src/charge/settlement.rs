//! What is due for a period after what was paid in advance and what was given back?

use bursar_units::{Money, MoneyError};

use super::Statement;
use crate::sla::Compensation;

/// Why a period cannot be settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettlementError {
    /// More was taken from the wallet than was charged.
    #[error(
        "{prepaid} were taken from the wallet for charges of {charged}: give the rest back first"
    )]
    PrepaidOverCharges {
        /// What was taken.
        prepaid: Money,
        /// What was charged.
        charged: Money,
    },
    /// An amount that is subtracted is below zero.
    #[error("the amount {0} is below zero: what is subtracted is at least zero")]
    Negative(Money),
    /// Currencies meet, or an amount cannot be kept.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A period of one tenant, closed: charged − prepaid − credit = due − carried.
///
/// ```
/// use bursar_pricing::charge::Settlement;
/// use bursar_units::{Currency, Money};
///
/// let usd = |amount| Money::parse(amount, Currency::USD);
/// // 120.00 were charged, 100.00 of them were prepaid, and a credit of 25.00 is due to the tenant.
/// let settlement = Settlement::new(usd("120.00")?, usd("100.00")?, usd("25.00")?, usd("3.00")?)?;
/// assert_eq!(settlement.due, usd("0.00")?);
/// assert_eq!(settlement.carried, usd("5.00")?);
/// assert_eq!(settlement.refund, usd("3.00")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Settlement {
    /// What the period's usage costs.
    pub charged: Money,
    /// What of it the wallet has paid already.
    pub prepaid: Money,
    /// What is credited for broken promises.
    pub credit: Money,
    /// What is paid back for them.
    pub refund: Money,
    /// What the invoice asks for, at least zero.
    pub due: Money,
    /// What of the credit is more than the invoice, and reduces the next one.
    pub carried: Money,
}

impl Settlement {
    /// Settles a period.
    ///
    /// # Errors
    /// [`SettlementError`] names the amount that cannot be.
    pub fn new(
        charged: Money,
        prepaid: Money,
        credit: Money,
        refund: Money,
    ) -> Result<Self, SettlementError> {
        for amount in [prepaid, credit, refund] {
            if amount.is_negative() {
                return Err(SettlementError::Negative(amount));
            }
        }
        // Also refuses a refund of another currency.
        charged.try_cmp(&refund)?;
        let open = charged.checked_sub(prepaid)?;
        if open.is_negative() {
            return Err(SettlementError::PrepaidOverCharges { prepaid, charged });
        }
        let rest = open.checked_sub(credit)?;
        let zero = Money::zero(charged.currency());
        let (due, carried) = if rest.is_negative() {
            (zero, -rest)
        } else {
            (rest, zero)
        };
        Ok(Self {
            charged,
            prepaid,
            credit,
            refund,
            due,
            carried,
        })
    }

    /// Settles a statement with what its service agreement gives back.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(
        statement: &Statement,
        prepaid: Money,
        compensation: &Compensation,
    ) -> Result<Self, SettlementError> {
        Self::new(
            statement.total,
            prepaid,
            compensation.credit,
            compensation.refund,
        )
    }
}
