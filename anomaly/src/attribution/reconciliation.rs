//! Do the bill and the estimate from metrics agree on the same window?

use std::collections::BTreeMap;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A bill beside an estimate of the same window from metrics.
///
/// ```
/// use std::collections::BTreeMap;
/// use bursar_anomaly::attribution::{Agreement, Reconciliation, Tolerance};
/// use bursar_units::Money;
///
/// let bill = BTreeMap::from([("EC2".to_owned(), "119.81 USD".parse::<Money>()?)]);
/// let estimate = BTreeMap::from([("EC2".to_owned(), "100.00 USD".parse::<Money>()?)]);
/// let tolerance = Tolerance { percent: 10.into(), amount: 1.into() };
/// let reconciliation = Reconciliation::of(&bill, &estimate, tolerance)?;
/// assert_eq!(reconciliation.lines[0].agreement, Agreement::Disagree);
/// assert_eq!(reconciliation.lines[0].difference.map(|money| money.to_string()).as_deref(), Some("19.81 USD"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Reconciliation {
    /// One line for each value of either side, by name.
    pub lines: Vec<ReconciliationLine>,
    /// The sums over the values that both sides know; `None` when they share none.
    pub both: Option<ReconciliationLine>,
}

/// One value of a dimension.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ReconciliationLine {
    /// Its name, or `total`.
    pub value: String,
    /// What the bill says; `None` when it does not know the value.
    pub billed: Option<Money>,
    /// What the metrics say; `None` when they do not know the value.
    pub estimated: Option<Money>,
    /// Billed less estimated, where both are known.
    pub difference: Option<Money>,
    /// The difference in percent of the estimate; `None` where it is unknown or the estimate zero.
    pub percent: Option<f64>,
    /// The judgment.
    pub agreement: Agreement,
}

/// Whether two amounts agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Agreement {
    /// Within the tolerance.
    Agree,
    /// Beyond it.
    Disagree,
    /// Billed, and no metric knows it.
    OnlyBilled,
    /// Measured, and not on the bill.
    OnlyEstimated,
}

/// Two amounts agree when either bound holds. Both are inclusive; negative ones count as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Percent of the estimate.
    pub percent: Decimal,
    /// An amount in the currency of both.
    pub amount: Decimal,
}

impl Default for Tolerance {
    /// Ten percent or one unit of the currency: list prices against a bill with discounts and
    /// taxes seldom come closer.
    fn default() -> Self {
        Self {
            percent: Decimal::TEN,
            amount: Decimal::ONE,
        }
    }
}

impl Reconciliation {
    /// Compares amounts by the values of one dimension. For totals alone give each side one value.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or a sum has more digits than an amount holds.
    pub fn of(
        billed: &BTreeMap<String, Money>,
        estimated: &BTreeMap<String, Money>,
        tolerance: Tolerance,
    ) -> Result<Self, MoneyError> {
        let mut lines = Vec::new();
        for (value, &money) in billed {
            let other = estimated.get(value).copied();
            lines.push(line(value, Some(money), other, tolerance)?);
        }
        for (value, &money) in estimated {
            if !billed.contains_key(value) {
                lines.push(line(value, None, Some(money), tolerance)?);
            }
        }
        lines.sort_by(|left, right| left.value.cmp(&right.value));
        let shared = || lines.iter().filter(|line| line.difference.is_some());
        let billed = Money::try_sum(shared().filter_map(|line| line.billed))?;
        let estimated = Money::try_sum(shared().filter_map(|line| line.estimated))?;
        let both = billed
            .map(|_| line("total", billed, estimated, tolerance))
            .transpose()?;
        Ok(Self { lines, both })
    }

    /// The lines that do not agree, including those that only one side knows.
    pub fn disagreements(&self) -> impl Iterator<Item = &ReconciliationLine> {
        self.lines
            .iter()
            .filter(|line| line.agreement != Agreement::Agree)
    }
}

fn line(
    value: &str,
    billed: Option<Money>,
    estimated: Option<Money>,
    tolerance: Tolerance,
) -> Result<ReconciliationLine, MoneyError> {
    let known = billed.zip(estimated);
    let difference = known
        .map(|(billed, estimated)| billed.checked_sub(estimated))
        .transpose()?;
    let percent = difference
        .zip(estimated)
        .and_then(|(difference, estimated)| {
            let (difference, estimated) =
                (difference.amount().to_f64()?, estimated.amount().to_f64()?);
            (estimated != 0.0).then(|| 100.0 * difference / estimated.abs())
        });
    let agreement = match (billed, estimated, difference) {
        (_, Some(estimated), Some(difference)) if within(difference, estimated, tolerance) => {
            Agreement::Agree
        }
        (Some(_), Some(_), _) => Agreement::Disagree,
        (_, None, _) => Agreement::OnlyBilled,
        (None, _, _) => Agreement::OnlyEstimated,
    };
    Ok(ReconciliationLine {
        value: value.to_owned(),
        billed,
        estimated,
        difference,
        percent,
        agreement,
    })
}

fn within(difference: Money, estimated: Money, tolerance: Tolerance) -> bool {
    let difference = difference.amount().abs();
    let hundredth = tolerance
        .percent
        .max(Decimal::ZERO)
        .checked_div(Decimal::ONE_HUNDRED);
    let allowed = hundredth.and_then(|part| part.checked_mul(estimated.amount().abs()));
    difference <= tolerance.amount.max(Decimal::ZERO)
        || allowed.is_some_and(|allowed| difference <= allowed)
}
