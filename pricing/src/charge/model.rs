//! What does so much of one thing cost?

use std::num::NonZeroU64;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

use crate::schedule::{Schedule, Tiering};

/// Units that are sold in packages: one that is begun is charged whole.
///
/// ```
/// use bursar_pricing::charge::Package;
/// use std::num::NonZeroU64;
///
/// let hundred = NonZeroU64::new(100).ok_or("more than none")?;
/// let package = Package { size: hundred, price: "5.00 USD".parse()? };
/// assert_eq!(package.amount(101)?.to_string(), "10.00 USD");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Package {
    /// How many units a package holds.
    pub size: NonZeroU64,
    /// What a package costs.
    pub price: Money,
}

impl Package {
    /// What a quantity costs, exactly.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount has more digits than can be kept.
    pub fn amount(&self, quantity: u64) -> Result<Money, MoneyError> {
        let begun = quantity.div_ceil(self.size.get());
        self.price.checked_mul(Decimal::from(begun))
    }

    /// What `quantity` more costs where `before` were charged already, exactly: nothing while the last
    /// package that was begun has room.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount has more digits than can be kept, or the quantities together are
    /// beyond 2⁶⁴.
    pub fn amount_after(&self, before: u64, quantity: u64) -> Result<Money, MoneyError> {
        difference(before, quantity, |quantity| self.amount(quantity))
    }
}

impl Schedule {
    /// What a quantity costs, exactly.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount has more digits than can be kept.
    ///
    /// ```
    /// use bursar_pricing::{Band, Schedule, Tiering};
    /// use bursar_units::UnitRate;
    ///
    /// let rate = |text: &str| text.parse().map(UnitRate::per_million);
    /// let bands = vec![
    ///     Band { up_to: Some(1_000_000), rate: rate("3.00 USD")? },
    ///     Band { up_to: None, rate: rate("2.00 USD")? },
    /// ];
    /// // Three million tokens: the first at 3.00 and two at 2.00, or all of them at 2.00.
    /// let graduated = Schedule::tiered(Tiering::Graduated, bands.clone())?;
    /// assert_eq!(graduated.amount(3_000_000)?, "7 USD".parse()?);
    /// let volume = Schedule::tiered(Tiering::Volume, bands)?;
    /// assert_eq!(volume.amount(3_000_000)?, "6 USD".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn amount(&self, quantity: u64) -> Result<Money, MoneyError> {
        match self.tiering() {
            Tiering::Graduated => self.graduated(quantity),
            Tiering::Volume => self.band(quantity).rate.cost(quantity),
        }
    }

    /// What `quantity` more costs where `before` were charged in the period already, exactly. The
    /// charges of a period add up to the charge of its whole quantity, in whatever pieces they come.
    ///
    /// Below zero when the new units take all of them to a cheaper band of volume prices.
    ///
    /// # Errors
    /// [`MoneyError`] when the amount has more digits than can be kept, or the quantities together are
    /// beyond 2⁶⁴.
    pub fn amount_after(&self, before: u64, quantity: u64) -> Result<Money, MoneyError> {
        difference(before, quantity, |quantity| self.amount(quantity))
    }

    fn graduated(&self, quantity: u64) -> Result<Money, MoneyError> {
        let mut amount = Money::zero(self.currency());
        let mut charged = 0_u64;
        for band in self.bands() {
            let end = band.up_to.unwrap_or(u64::MAX).min(quantity);
            amount = amount.checked_add(band.rate.cost(end.saturating_sub(charged))?)?;
            charged = charged.max(end);
        }
        Ok(amount)
    }
}

fn difference(
    before: u64,
    quantity: u64,
    amount: impl Fn(u64) -> Result<Money, MoneyError>,
) -> Result<Money, MoneyError> {
    let all = before.checked_add(quantity);
    let all = all.ok_or_else(|| MoneyError::Overflow {
        expression: format!("{before} + {quantity} units"),
    })?;
    amount(all)?.checked_sub(amount(before)?)
}
