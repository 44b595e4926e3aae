//! Does the provider's invoice say what our own records say?

use std::collections::BTreeMap;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

use crate::sla::Share;

/// One thing that is billed, in our records or on the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BilledItem {
    /// By which the two sides are matched: a request id, or a day, model and token kind.
    pub key: String,
    /// How much of it, where that is known.
    pub quantity: Option<Decimal>,
    /// What it costs.
    pub amount: Money,
}

impl BilledItem {
    /// An item whose quantity is not stated.
    #[must_use]
    pub fn new(key: impl Into<String>, amount: Money) -> Self {
        let key = key.into();
        Self {
            key,
            quantity: None,
            amount,
        }
    }
}

/// How far two amounts may lie apart and still be called equal: by an amount or by a share of our own,
/// whichever is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tolerance {
    /// By an amount of this currency, for the rounding of lines.
    pub amount: Money,
    /// By a share of our own amount.
    pub share: Share,
}

impl Tolerance {
    /// Every digit has to agree.
    #[must_use]
    pub const fn exact(currency: bursar_units::Currency) -> Self {
        let amount = Money::zero(currency);
        Self {
            amount,
            share: Share::NONE,
        }
    }
}

/// Something that the two sides do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Discrepancy {
    /// We recorded it, and the invoice does not have it.
    Missing(BilledItem),
    /// The invoice has it, and we did not record it.
    Extra(BilledItem),
    /// Both have it, with other amounts or quantities.
    Different {
        /// What we recorded.
        recorded: BilledItem,
        /// What is invoiced.
        invoiced: BilledItem,
    },
}

impl Discrepancy {
    /// What the invoice asks for beyond our records, below zero where it asks for less.
    ///
    /// # Errors
    /// [`MoneyError`] where currencies differ or the difference cannot be kept.
    pub fn difference(&self) -> Result<Money, MoneyError> {
        match self {
            Self::Missing(recorded) => Ok(-recorded.amount),
            Self::Extra(invoiced) => Ok(invoiced.amount),
            Self::Different { recorded, invoiced } => invoiced.amount.checked_sub(recorded.amount),
        }
    }
}

/// Our records beside an invoice: each item of either side is in exactly one place.
///
/// Items are matched by key. Where a key stands several times, equal amounts are matched first, then
/// the rest in the order of their amounts; what is left over is missing or extra.
///
/// ```
/// use bursar_pricing::reconciliation::{BilledItem, Discrepancy, Reconciliation, Tolerance};
/// use bursar_units::{Currency, Money};
///
/// let item = |key, amount| Ok::<_, bursar_units::ParseMoneyError>(
///     BilledItem::new(key, Money::parse(amount, Currency::USD)?),
/// );
/// let recorded = [item("r1", "0.10")?, item("r2", "0.20")?, item("r3", "0.30")?];
/// let invoiced = [item("r1", "0.10")?, item("r2", "0.25")?, item("r4", "0.40")?];
///
/// let result = Reconciliation::of(recorded, invoiced, &Tolerance::exact(Currency::USD))?;
/// assert_eq!((result.matched, result.missing(), result.extra(), result.different()), (1, 1, 1, 1));
/// assert_eq!(result.difference.to_string(), "0.15 USD"); // 0.75 invoiced, 0.60 recorded
/// assert_eq!(result.accuracy().map(|share| share.to_string()), Some("0.25".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Reconciliation {
    /// Pairs that agree within the tolerance.
    pub matched: u64,
    /// What does not agree, by key.
    pub discrepancies: Vec<Discrepancy>,
    /// What we recorded in all.
    pub recorded: Money,
    /// What is invoiced in all.
    pub invoiced: Money,
    /// Invoiced less recorded: the differences of all pairs, also of those within the tolerance.
    pub difference: Money,
}

/// The items of one key, on each side.
#[derive(Debug, Default)]
struct Sides {
    recorded: Vec<BilledItem>,
    invoiced: Vec<BilledItem>,
}

impl Reconciliation {
    /// Compares our records with an invoice of the same period, in the tolerance's currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] when an item is of another currency; other [`MoneyError`]s when
    /// a sum cannot be kept.
    pub fn of(
        recorded: impl IntoIterator<Item = BilledItem>,
        invoiced: impl IntoIterator<Item = BilledItem>,
        tolerance: &Tolerance,
    ) -> Result<Self, MoneyError> {
        let zero = Money::zero(tolerance.amount.currency());
        let (mut total_recorded, mut total_invoiced) = (zero, zero);
        let mut keys = BTreeMap::<String, Sides>::new();
        for item in recorded {
            total_recorded = total_recorded.checked_add(item.amount)?;
            keys.entry(item.key.clone())
                .or_default()
                .recorded
                .push(item);
        }
        for item in invoiced {
            total_invoiced = total_invoiced.checked_add(item.amount)?;
            keys.entry(item.key.clone())
                .or_default()
                .invoiced
                .push(item);
        }
        let mut result = Self {
            matched: 0,
            discrepancies: Vec::new(),
            recorded: total_recorded,
            invoiced: total_invoiced,
            difference: total_invoiced.checked_sub(total_recorded)?,
        };
        for sides in keys.into_values() {
            result.compare(sides, tolerance)?;
        }
        Ok(result)
    }

    fn compare(&mut self, sides: Sides, tolerance: &Tolerance) -> Result<(), MoneyError> {
        let (recorded, invoiced) = self.without_equals(sides);
        let mut invoiced = invoiced.into_iter();
        for mine in recorded {
            match invoiced.next() {
                None => self.discrepancies.push(Discrepancy::Missing(mine)),
                Some(theirs) if agree(&mine, &theirs, tolerance)? => {
                    self.matched = self.matched.saturating_add(1);
                }
                Some(theirs) => {
                    let (recorded, invoiced) = (mine, theirs);
                    self.discrepancies
                        .push(Discrepancy::Different { recorded, invoiced });
                }
            }
        }
        self.discrepancies.extend(invoiced.map(Discrepancy::Extra));
        Ok(())
    }

    /// Matches what is equal, and returns the rest of both sides in the order of their amounts.
    fn without_equals(&mut self, sides: Sides) -> (Vec<BilledItem>, Vec<BilledItem>) {
        let order = |item: &BilledItem| (item.amount.amount(), item.quantity);
        let (mut recorded, mut invoiced) = (sides.recorded, sides.invoiced);
        recorded.sort_by_key(order);
        invoiced.sort_by_key(order);
        let mut theirs = invoiced.into_iter().peekable();
        let (mut only_mine, mut only_theirs) = (Vec::new(), Vec::new());
        for mine in recorded {
            while let Some(smaller) = theirs.next_if(|item| order(item) < order(&mine)) {
                only_theirs.push(smaller);
            }
            match theirs.next_if(|item| order(item) == order(&mine)) {
                Some(_) => self.matched = self.matched.saturating_add(1),
                None => only_mine.push(mine),
            }
        }
        only_theirs.extend(theirs);
        (only_mine, only_theirs)
    }

    /// How many items only we have.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.count(|discrepancy| matches!(discrepancy, Discrepancy::Missing(_)))
    }

    /// How many items only the invoice has.
    #[must_use]
    pub fn extra(&self) -> usize {
        self.count(|discrepancy| matches!(discrepancy, Discrepancy::Extra(_)))
    }

    /// How many items differ.
    #[must_use]
    pub fn different(&self) -> usize {
        self.count(|discrepancy| matches!(discrepancy, Discrepancy::Different { .. }))
    }

    fn count(&self, kind: impl Fn(&Discrepancy) -> bool) -> usize {
        self.discrepancies
            .iter()
            .filter(|discrepancy| kind(discrepancy))
            .count()
    }

    /// 1 − discrepancies ÷ records, where a pair is one record; unknown without any.
    #[must_use]
    pub fn accuracy(&self) -> Option<Decimal> {
        let wrong = Decimal::from(self.discrepancies.len());
        let records = wrong.checked_add(Decimal::from(self.matched))?;
        Decimal::ONE.checked_sub(wrong.checked_div(records)?)
    }
}

fn agree(
    recorded: &BilledItem,
    invoiced: &BilledItem,
    tolerance: &Tolerance,
) -> Result<bool, MoneyError> {
    if let (Some(mine), Some(theirs)) = (recorded.quantity, invoiced.quantity)
        && mine != theirs
    {
        return Ok(false);
    }
    let apart = invoiced.amount.checked_sub(recorded.amount)?.abs();
    let by_share = recorded
        .amount
        .abs()
        .checked_mul(tolerance.share.as_decimal())?;
    Ok(apart.try_cmp(&tolerance.amount)?.is_le() || apart.try_cmp(&by_share)?.is_le())
}
