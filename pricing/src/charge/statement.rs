//! How do exact amounts become a bill in cents whose lines add up?

use std::cmp::Reverse;

use bursar_units::{Currency, Money, MoneyError, Quantum, Rounding};

/// Why usage cannot be charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChargeError {
    /// The price list has no price for what was used. That is not zero.
    #[error("no price for {item} in record `{record}`: add it to the price list of the period")]
    NoPrice {
        /// The record.
        record: String,
        /// What was used.
        item: String,
    },
    /// A record stands twice.
    #[error("record `{0}` stands twice: charge it once")]
    RecordTwice(String),
    /// A record has more tokens of a kind than a 64-bit counter holds.
    #[error("record `{record}` has more than 2^64 {kind} tokens")]
    TooManyTokens {
        /// The record.
        record: String,
        /// The kind.
        kind: crate::TokenKind,
    },
    /// An amount cannot be kept, or two currencies meet.
    #[error("record `{record}`, {item}")]
    Amount {
        /// The record.
        record: String,
        /// What was used.
        item: String,
        /// What is wrong with the amount.
        #[source]
        source: MoneyError,
    },
    /// The statement's sum cannot be kept.
    #[error(transparent)]
    Sum(#[from] MoneyError),
}

/// What one record used of one thing, and what that costs exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChargeLine {
    /// The usage record.
    pub record: String,
    /// What was used, in words: `gpt-4o input tokens`.
    pub item: String,
    /// How much of it.
    pub quantity: u64,
    /// What it costs, to the last digit.
    pub exact: Money,
}

/// A line of a statement: what it costs exactly, and what is charged for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StatementLine {
    /// What was used.
    pub line: ChargeLine,
    /// Its part of the total, a multiple of the quantum, less than one quantum from the exact amount.
    pub charged: Money,
}

/// The charges of a period: exact lines, one rounding, and a total that the lines add up to.
///
/// The total is the exact sum, rounded once. Each line gets its amount rounded down, and what is then
/// missing from the total goes, a quantum each, to the lines that lost most (the method of the largest
/// remainder; ties to the earlier line).
///
/// ```
/// use bursar_pricing::charge::{ChargeLine, Statement};
/// use bursar_units::{Currency, Money, Quantum, Rounding};
///
/// let line = |record: &str, amount| Ok::<_, bursar_units::ParseMoneyError>(ChargeLine {
///     record: record.to_owned(),
///     item: "gpt-4o input tokens".to_owned(),
///     quantity: 1_111,
///     exact: Money::parse(amount, Currency::USD)?,
/// });
/// let lines = vec![line("r1", "0.003333")?, line("r2", "0.003333")?, line("r3", "0.003334")?];
/// let statement = Statement::of(lines, Currency::USD, Quantum::MINOR_UNIT, Rounding::HalfUp)?;
/// assert_eq!(statement.total.to_string(), "0.01 USD");
/// let charged: Vec<String> = statement.lines.iter().map(|line| line.charged.to_string()).collect();
/// assert_eq!(charged, ["0.00 USD", "0.00 USD", "0.01 USD"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Statement {
    /// The lines in the order in which they were given.
    pub lines: Vec<StatementLine>,
    /// The sum of the exact amounts.
    pub exact: Money,
    /// What is charged: the exact sum, rounded once.
    pub total: Money,
}

impl Statement {
    /// The statement of these lines; none give a total of zero.
    ///
    /// # Errors
    /// [`ChargeError::Sum`] when currencies meet, the currency has no minor unit to round to, or a sum
    /// cannot be kept.
    pub fn of(
        lines: Vec<ChargeLine>,
        currency: Currency,
        quantum: Quantum,
        rounding: Rounding,
    ) -> Result<Self, ChargeError> {
        let zero = Money::zero(currency);
        let mut exact = zero;
        let mut floors = Vec::with_capacity(lines.len());
        let mut given = zero.round_to(quantum, Rounding::Floor)?;
        for line in &lines {
            exact = exact.checked_add(line.exact)?;
            let floor = line.exact.round_to(quantum, Rounding::Floor)?;
            given = given.checked_add(floor)?;
            floors.push(floor);
        }
        let total = exact.round_to(quantum, rounding)?;
        let charged = with_rest(&lines, floors, total.checked_sub(given)?, quantum)?;
        let lines = lines.into_iter().zip(charged);
        let lines = lines.map(|(line, charged)| StatementLine { line, charged });
        Ok(Self {
            lines: lines.collect(),
            exact,
            total,
        })
    }
}

/// Gives the rest out, a quantum to each of the lines that were rounded down most.
fn with_rest(
    lines: &[ChargeLine],
    mut charged: Vec<Money>,
    mut rest: Money,
    quantum: Quantum,
) -> Result<Vec<Money>, MoneyError> {
    let step = Money::new(quantum.step_in(rest.currency())?, rest.currency());
    let mut losers = Vec::with_capacity(lines.len());
    for (index, (line, floor)) in lines.iter().zip(&charged).enumerate() {
        losers.push((Reverse(line.exact.checked_sub(*floor)?.amount()), index));
    }
    losers.sort_unstable();
    for (_, index) in losers {
        if rest.is_zero() || rest.is_negative() {
            break;
        }
        if let Some(amount) = charged.get_mut(index) {
            *amount = amount.checked_add(step)?;
            rest = rest.checked_sub(step)?;
        }
    }
    Ok(charged)
}
