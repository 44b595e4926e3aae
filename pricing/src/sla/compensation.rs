//! What does a broken promise cost?

use std::fmt;

use bursar_units::{Money, Quantum, Rounding};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::meter::Window;
use super::report::{AvailabilityVerdict, SlaReport};
use super::terms::{Share, SlaError};
use crate::ledger::{Account, Posting, Purpose, Transaction, TransactionError};

/// How affected requests become money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompensationTerms {
    /// What one affected request is worth.
    pub value_of_request: Money,
    /// The step that credits and refunds are rounded to, in the customer's favor.
    pub quantum: Quantum,
}

/// For which tenant, period and promise something is given back. It can be given once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CompensationKey {
    /// The tenant.
    pub tenant: String,
    /// The period.
    pub period: Window,
    /// The name of the agreement.
    pub sla: String,
}

/// What is given back for a period: a credit on the next invoice, and a refund beside it.
///
/// Both are computed, shown and capped; neither stands for the other. Nobody has to ask for it.
///
/// ```
/// use bursar_pricing::{Tier, sla::{CompensationTerms, Event, Outcome, SlaMeter, SlaTerms, Window}};
/// use bursar_units::{Currency, Money, Quantum};
/// use std::time::Duration;
///
/// let terms = SlaTerms::of_tier(&Tier::Enterprise).ok_or("a standard tier")?;
/// let start = "2026-11-01T00:00:00Z".parse()?;
/// let mut meter = SlaMeter::new(terms, Window::new(start, "2026-12-01T00:00:00Z".parse()?)?);
/// for second in 0..10_000_u64 {
///     let outcome = if second < 1_000 { Outcome::Failed } else { Outcome::Answered };
///     let at = start + Duration::from_secs(second);
///     meter.record(&Event { at, outcome, time_to_first_token: None, whole_answer: None })?;
/// }
/// let compensation = CompensationTerms {
///     value_of_request: Money::parse("0.01", Currency::USD)?,
///     quantum: Quantum::MINOR_UNIT,
/// };
/// let fees = Money::parse("500.00", Currency::USD)?;
/// let owed = compensation.of(&meter.report(), fees)?;
/// // 1000 requests × 0.01 USD, of which 25 % and 5 %.
/// assert_eq!(owed.credit.to_string(), "2.50 USD");
/// assert_eq!(owed.refund.to_string(), "0.50 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Compensation {
    /// How many requests were affected; none while the promise holds.
    pub affected_requests: u64,
    /// What the credit would be, exactly and without a cap.
    pub exact_credit: Money,
    /// What the refund would be, exactly and without a cap.
    pub exact_refund: Money,
    /// What is credited.
    pub credit: Money,
    /// What is paid back.
    pub refund: Money,
    /// Whether the fees were the limit.
    pub is_capped: bool,
}

impl CompensationTerms {
    /// What is owed for a period in which the tenant paid `fees`.
    ///
    /// Credit and refund are each affected requests × value × rate, rounded up to the quantum; the
    /// credit is at most the fees, and the refund at most what the credit leaves of them. While the
    /// promise of availability holds, or no verdict could be passed, both are zero.
    ///
    /// # Errors
    /// [`SlaError::NegativeFees`], [`SlaError::NegativeValue`]; [`SlaError::Money`] where currencies
    /// differ or an amount has more digits than can be kept.
    pub fn of(&self, report: &SlaReport, fees: Money) -> Result<Compensation, SlaError> {
        if fees.is_negative() {
            return Err(SlaError::NegativeFees(fees));
        }
        if self.value_of_request.is_negative() {
            return Err(SlaError::NegativeValue(self.value_of_request));
        }
        let affected_requests = match report.availability {
            AvailabilityVerdict::Broken => report.failed,
            AvailabilityVerdict::Kept | AvailabilityVerdict::TooFewRequests { .. } => 0,
        };
        let worth = self
            .value_of_request
            .checked_mul(Decimal::from(affected_requests))?;
        let exact_credit = share_of(worth, report.terms.credit)?;
        let exact_refund = share_of(worth, report.terms.refund)?;
        let full_credit = exact_credit.round_to(self.quantum, Rounding::Up)?;
        let full_refund = exact_refund.round_to(self.quantum, Rounding::Up)?;
        let credit = smaller(full_credit, fees)?;
        let refund = smaller(full_refund, fees.checked_sub(credit)?)?;
        Ok(Compensation {
            affected_requests,
            exact_credit,
            exact_refund,
            credit,
            refund,
            is_capped: credit < full_credit || refund < full_refund,
        })
    }
}

impl Compensation {
    /// Credit and refund together, at most the fees.
    ///
    /// # Errors
    /// [`SlaError::Money`] when the sum has more digits than can be kept.
    pub fn total(&self) -> Result<Money, SlaError> {
        Ok(self.credit.checked_add(self.refund)?)
    }
}

impl Compensation {
    /// The movement that gives it: the credit into the tenant's wallet, the refund out to the tenant.
    /// `None` when nothing is owed.
    ///
    /// Its id is that of the key, so that a ledger applies it once, however often it is issued; with
    /// other amounts the ledger answers that the id is taken.
    ///
    /// # Errors
    /// [`TransactionError::Money`] when the sum has more digits than can be kept.
    ///
    /// ```
    /// use bursar_pricing::ledger::{Ledger, MemoryLedger, Posted};
    /// use bursar_pricing::sla::{Compensation, CompensationKey, Window};
    /// use bursar_units::{Currency, Money};
    ///
    /// # futures_executor::block_on(async {
    /// let usd = |amount| Money::parse(amount, Currency::USD);
    /// let november = Window::new("2026-11-01T00:00:00Z".parse()?, "2026-12-01T00:00:00Z".parse()?)?;
    /// let key = CompensationKey { tenant: "acme".into(), period: november, sla: "api".into() };
    /// let owed = Compensation {
    ///     affected_requests: 1_000,
    ///     exact_credit: usd("2.50")?,
    ///     exact_refund: usd("0.50")?,
    ///     credit: usd("2.50")?,
    ///     refund: usd("0.50")?,
    ///     is_capped: false,
    /// };
    /// let ledger = MemoryLedger::new();
    /// let transaction = owed.transaction(&key, november.end())?.ok_or("something is owed")?;
    /// assert!(matches!(ledger.post(&transaction).await?, Posted::Applied(_)));
    /// assert!(matches!(ledger.post(&transaction).await?, Posted::AlreadyApplied(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn transaction(
        &self,
        key: &CompensationKey,
        at: Timestamp,
    ) -> Result<Option<Transaction>, TransactionError> {
        let total = self.credit.checked_add(self.refund)?;
        if total.is_zero() {
            return Ok(None);
        }
        let receivers = [
            (Account::wallet(&*key.tenant), self.credit),
            (Account::Cash, self.refund),
        ];
        let mut postings = vec![posting(Account::Compensation, -total)];
        let owed = receivers
            .into_iter()
            .filter(|(_, amount)| !amount.is_zero());
        postings.extend(owed.map(|(account, amount)| posting(account, amount)));
        Transaction::new(key.to_string(), at, Purpose::Credit, postings).map(Some)
    }
}

fn posting(account: Account, amount: Money) -> Posting {
    Posting {
        account,
        amount,
        floor: None,
    }
}

/// The text that makes it unique, with lengths before the names so that no two keys share one.
impl fmt::Display for CompensationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            period,
            sla,
        } = self;
        write!(
            formatter,
            "compensation:{}:{tenant}:{}:{sla}:{}:{}",
            tenant.len(),
            sla.len(),
            period.start(),
            period.end(),
        )
    }
}

fn share_of(worth: Money, share: Share) -> Result<Money, SlaError> {
    Ok(worth.checked_mul(share.as_decimal())?)
}

fn smaller(amount: Money, limit: Money) -> Result<Money, SlaError> {
    let is_within = amount.try_cmp(&limit)?.is_le();
    Ok(if is_within { amount } else { limit })
}
