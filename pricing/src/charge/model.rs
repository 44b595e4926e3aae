//! What does so much of one thing cost?

use bursar_units::{Money, MoneyError, UnitRate};
use rust_decimal::Decimal;

/// How a quantity becomes an amount.
///
/// ```
/// use bursar_pricing::charge::{ChargeModel, PriceStep};
/// use bursar_units::{Currency, Money, UnitRate};
///
/// let usd = |amount| Money::parse(amount, Currency::USD);
/// let steps = || Ok::<_, bursar_units::ParseMoneyError>(vec![
///     PriceStep { up_to: Some(1_000_000), rate: UnitRate::per_million(usd("3.00")?), fee: None },
///     PriceStep { up_to: None, rate: UnitRate::per_million(usd("2.00")?), fee: None },
/// ]);
/// // Three million tokens: the first at 3.00, two at 2.00; or all of them at 2.00.
/// let graduated = ChargeModel::graduated(steps()?)?;
/// assert_eq!(graduated.amount(3_000_000)?, usd("7.00")?);
/// let volume = ChargeModel::volume(steps()?)?;
/// assert_eq!(volume.amount(3_000_000)?, usd("6.00")?);
/// // A hundred images at 5.00; the 101st begins another hundred.
/// let package = ChargeModel::package(100, usd("5.00")?)?;
/// assert_eq!(package.amount(101)?, usd("10.00")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub struct ChargeModel {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
enum Kind {
    Flat(UnitRate),
    Graduated(Vec<PriceStep>),
    Volume(Vec<PriceStep>),
    Package { size: u64, price: Money },
}

/// A rate that holds up to a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PriceStep {
    /// Up to this quantity, included; the last step has no end.
    pub up_to: Option<u64>,
    /// What a unit costs.
    pub rate: UnitRate,
    /// What is due once as soon as a unit falls into the step.
    pub fee: Option<Money>,
}

/// Why steps or a package are no charge model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChargeModelError {
    /// There is no step.
    #[error("a charge model needs at least one step")]
    NoSteps,
    /// A step does not reach beyond the one before it.
    #[error(
        "step {step} ends at {up_to}, not beyond the step before it: order steps by where they end"
    )]
    OutOfOrder {
        /// The step, from 1.
        step: usize,
        /// Where it ends.
        up_to: u64,
    },
    /// A step that is not the last has no end, or the last has one.
    #[error("step {step} of {steps}: the last step has no end, and every other has one")]
    WrongEnd {
        /// The step, from 1.
        step: usize,
        /// How many there are.
        steps: usize,
    },
    /// A price is below zero.
    #[error("the price {0} is below zero: give a credit instead")]
    NegativePrice(Money),
    /// Steps are priced in different currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A package holds nothing.
    #[error("a package of 0 units: it holds at least one")]
    EmptyPackage,
}

impl ChargeModel {
    /// Each unit costs the same.
    ///
    /// # Errors
    /// [`ChargeModelError::NegativePrice`].
    pub fn flat(rate: UnitRate) -> Result<Self, ChargeModelError> {
        require_price(rate.price)?;
        Ok(Self {
            kind: Kind::Flat(rate),
        })
    }

    /// Each unit costs what the step says that it falls into.
    ///
    /// # Errors
    /// [`ChargeModelError`] names the step that is wrong.
    pub fn graduated(steps: Vec<PriceStep>) -> Result<Self, ChargeModelError> {
        require_steps(&steps)?;
        Ok(Self {
            kind: Kind::Graduated(steps),
        })
    }

    /// All units cost what the step says that the last of them falls into. One more unit can make the
    /// whole cheaper.
    ///
    /// # Errors
    /// [`ChargeModelError`] names the step that is wrong.
    pub fn volume(steps: Vec<PriceStep>) -> Result<Self, ChargeModelError> {
        require_steps(&steps)?;
        Ok(Self {
            kind: Kind::Volume(steps),
        })
    }

    /// Units are sold in packages, and one that is begun is charged whole.
    ///
    /// # Errors
    /// [`ChargeModelError::EmptyPackage`], [`ChargeModelError::NegativePrice`].
    pub fn package(size: u64, price: Money) -> Result<Self, ChargeModelError> {
        require_price(price)?;
        if size == 0 {
            return Err(ChargeModelError::EmptyPackage);
        }
        Ok(Self {
            kind: Kind::Package { size, price },
        })
    }

    /// What a quantity costs, exactly.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount has more digits than can be kept.
    pub fn amount(&self, quantity: u64) -> Result<Money, MoneyError> {
        match &self.kind {
            Kind::Flat(rate) => rate.cost(quantity),
            Kind::Graduated(steps) => graduated(steps, quantity),
            Kind::Volume(steps) => volume(steps, quantity),
            Kind::Package { size, price } => {
                price.checked_mul(Decimal::from(quantity.div_ceil(*size)))
            }
        }
    }

    /// What `quantity` more costs where `before` were charged in the period already, exactly. Charges
    /// of a period add up to the charge of its whole quantity, in whatever pieces they come.
    ///
    /// Below zero when the new units take all of them to a cheaper step of volume prices.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount has more digits than can be kept, and
    /// [`MoneyError::Overflow`] when the quantities are beyond 2⁶⁴.
    pub fn amount_after(&self, before: u64, quantity: u64) -> Result<Money, MoneyError> {
        let all = before
            .checked_add(quantity)
            .ok_or_else(|| MoneyError::Overflow {
                expression: format!("{before} + {quantity} units"),
            })?;
        self.amount(all)?.checked_sub(self.amount(before)?)
    }
}

fn require_price(price: Money) -> Result<(), ChargeModelError> {
    if price.is_negative() {
        return Err(ChargeModelError::NegativePrice(price));
    }
    Ok(())
}

fn require_steps(steps: &[PriceStep]) -> Result<(), ChargeModelError> {
    let first = steps.first().ok_or(ChargeModelError::NoSteps)?;
    let mut end = 0;
    for (number, step) in (1..).zip(steps) {
        require_price(step.rate.price)?;
        // Only whether the currencies are the same is asked.
        first.rate.price.try_cmp(&step.rate.price)?;
        if let Some(fee) = step.fee {
            require_price(fee)?;
            first.rate.price.try_cmp(&fee)?;
        }
        match step.up_to {
            Some(_) if number == steps.len() => return wrong_end(number, steps),
            Some(up_to) if up_to <= end => {
                return Err(ChargeModelError::OutOfOrder {
                    step: number,
                    up_to,
                });
            }
            Some(up_to) => end = up_to,
            None if number < steps.len() => return wrong_end(number, steps),
            None => {}
        }
    }
    Ok(())
}

fn wrong_end(step: usize, steps: &[PriceStep]) -> Result<(), ChargeModelError> {
    let steps = steps.len();
    Err(ChargeModelError::WrongEnd { step, steps })
}

fn graduated(steps: &[PriceStep], quantity: u64) -> Result<Money, MoneyError> {
    let mut amount: Option<Money> = None;
    let mut begin = 0_u64;
    for step in steps {
        let end = step.up_to.unwrap_or(u64::MAX).min(quantity);
        let units = end.saturating_sub(begin);
        let mut part = step.rate.cost(units)?;
        if let Some(fee) = step.fee.filter(|_| units > 0) {
            part = part.checked_add(fee)?;
        }
        amount = Some(match amount {
            Some(sum) => sum.checked_add(part)?,
            None => part,
        });
        begin = begin.max(end);
    }
    Ok(amount.expect("a charge model has at least one step"))
}

fn volume(steps: &[PriceStep], quantity: u64) -> Result<Money, MoneyError> {
    let reached = steps
        .iter()
        .find(|step| step.up_to.is_none_or(|up_to| quantity <= up_to));
    let step = reached.expect("the last step has no end");
    let amount = step.rate.cost(quantity)?;
    match step.fee.filter(|_| quantity > 0) {
        Some(fee) => amount.checked_add(fee),
        None => Ok(amount),
    }
}
