//! How is an amount cut into parts that add up to it again?

use std::cmp::Reverse;

use rust_decimal::Decimal;

use super::Money;
use crate::exact::{self, Failure};
use crate::{MoneyError, Quantum};

/// Weights may add up to this: [`exact::multiply_divide`] takes no more.
const MAX_TOTAL_WEIGHT: u128 = 1 << 126;

impl Money {
    /// Parts in proportion to `weights`, in their order, that add up to this
    /// amount to the last digit.
    ///
    /// Each part is a multiple of `quantum`. The method is that of the largest
    /// remainder (Hamilton's, of 1792, for seats in the House): everyone gets
    /// the whole quanta of their exact share; the quanta still left go one each
    /// to the largest remainders, and among equal ones to the lowest index. So
    /// each part of a whole number of quanta is less than one quantum from its
    /// exact share. A weight of zero gets zero. An amount under zero is divided
    /// as its opposite is, with the sign put back.
    ///
    /// Where the whole is not a multiple of the quantum, the rest (less than one
    /// quantum) goes to the next in the same order, and that one part is not a
    /// multiple either; [`round_to`](Self::round_to) first where this must not
    /// be.
    ///
    /// Weights are whole numbers or [`Decimal`]s: percentages, seats, usage, or
    /// the amounts of other money.
    ///
    /// # Errors
    /// [`MoneyError::NoWeight`] when no weight is over zero;
    /// [`MoneyError::NegativeWeight`]; [`MoneyError::WeightOutOfRange`];
    /// [`MoneyError::NoMinorUnit`]; [`MoneyError::TooManyParts`];
    /// [`MoneyError::Inexact`] or [`MoneyError::Overflow`] when the quantum is so
    /// fine for the amount that a part has more digits than a decimal holds.
    ///
    /// ```
    /// use bursar_units::{Currency, Money, Quantum};
    ///
    /// let bill = Money::parse("100.00", Currency::USD)?;
    /// let parts = bill.allocate(&[1, 1, 1], Quantum::MINOR_UNIT)?;
    /// let texts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    /// assert_eq!(texts, ["33.34 USD", "33.33 USD", "33.33 USD"]);
    /// assert_eq!(Money::try_sum(&parts)?, Some(bill));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocate<W: Copy + Into<Decimal>>(
        &self,
        weights: &[W],
        quantum: Quantum,
    ) -> Result<Vec<Self>, MoneyError> {
        let step = quantum.step_in(self.currency)?;
        let weights = Weights::align(*self, weights)?;
        let failed = |failure| {
            let expression = format!("{self} in parts of {step}");
            MoneyError::from_failure(failure, expression)
        };
        let (n_quanta, rest) = exact::divide_into_steps(self.amount, step).map_err(failed)?;
        let (quanta, receiver_of_rest) = weights.distribute(n_quanta).map_err(failed)?;
        let part = |index: usize, quanta: u128| -> Result<Decimal, Failure> {
            let amount = exact::steps(self.is_negative(), quanta, step)?;
            if Some(index) != receiver_of_rest {
                return Ok(amount);
            }
            let rest = if self.is_negative() {
                exact::negate(rest)
            } else {
                rest
            };
            exact::add(amount, rest)
        };
        let mut parts = reserve(weights.shares.len())?;
        for (index, quanta) in quanta.into_iter().enumerate() {
            parts.push(Self::new(
                part(index, quanta).map_err(failed)?,
                self.currency,
            ));
        }
        Ok(parts)
    }

    /// `n_parts` parts as equal as the quantum allows, larger ones first, that
    /// add up to this amount: [`allocate`](Self::allocate) with equal weights.
    ///
    /// # Errors
    /// As [`allocate`](Self::allocate); no parts at all are
    /// [`MoneyError::NoWeight`].
    ///
    /// ```
    /// use bursar_units::{Currency, Money, Quantum};
    ///
    /// let credit = Money::parse("-10.00", Currency::EUR)?;
    /// let parts = credit.split(3, Quantum::MINOR_UNIT)?;
    /// let texts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    /// assert_eq!(texts, ["-3.34 EUR", "-3.33 EUR", "-3.33 EUR"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split(&self, n_parts: u32, quantum: Quantum) -> Result<Vec<Self>, MoneyError> {
        let n_parts = usize::try_from(n_parts).unwrap_or(usize::MAX);
        let mut weights = reserve(n_parts)?;
        weights.resize(n_parts, Decimal::ONE);
        self.allocate(&weights, quantum)
    }
}

/// Weights as whole numbers of one size.
struct Weights {
    shares: Vec<u128>,
    total: u128,
}

impl Weights {
    fn align<W: Copy + Into<Decimal>>(whole: Money, weights: &[W]) -> Result<Self, MoneyError> {
        let mut decimals = reserve(weights.len())?;
        decimals.extend(weights.iter().map(|&weight| weight.into().normalize()));
        let scale = decimals
            .iter()
            .map(Decimal::scale)
            .max()
            .unwrap_or_default();
        let mut aligned = Self {
            shares: reserve(weights.len())?,
            total: 0,
        };
        for (index, &weight) in decimals.iter().enumerate() {
            if weight.is_sign_negative() && !weight.is_zero() {
                return Err(MoneyError::NegativeWeight { index, weight });
            }
            aligned
                .push(weight, scale)
                .ok_or(MoneyError::WeightOutOfRange { index, weight })?;
        }
        if aligned.total == 0 {
            return Err(MoneyError::NoWeight {
                whole,
                n_weights: weights.len(),
            });
        }
        Ok(aligned)
    }

    fn push(&mut self, weight: Decimal, scale: u32) -> Option<()> {
        let factor = exact::power_of_ten(scale.checked_sub(weight.scale())?)?;
        let share = weight.mantissa().unsigned_abs().checked_mul(factor)?;
        let total = self.total.checked_add(share)?;
        self.total = Some(total).filter(|total| *total <= MAX_TOTAL_WEIGHT)?;
        self.shares.push(share);
        Some(())
    }

    /// The quanta of each share, and who is next in line after the last one.
    ///
    /// The remainders are each less than `total` and add up to `total` × the
    /// quanta left over, so more shares have a remainder than there are quanta
    /// left: no one gets two, and a share of zero is never in line before.
    fn distribute(&self, n_quanta: u128) -> Result<(Vec<u128>, Option<usize>), Failure> {
        let mut quanta = Vec::with_capacity(self.shares.len());
        let mut line = Vec::with_capacity(self.shares.len());
        let mut n_left = n_quanta;
        for (index, &share) in self.shares.iter().enumerate() {
            let (whole, remainder) =
                exact::multiply_divide(n_quanta, share, self.total).ok_or(Failure::Overflow)?;
            n_left = n_left.checked_sub(whole).ok_or(Failure::Overflow)?;
            quanta.push(whole);
            if share != 0 {
                line.push((Reverse(remainder), index));
            }
        }
        line.sort_unstable();
        let mut line = line.into_iter().map(|(_, index)| index);
        while n_left > 0 {
            let receiver = line.next().and_then(|index| quanta.get_mut(index));
            let quanta = receiver.ok_or(Failure::Overflow)?;
            *quanta = quanta.checked_add(1).ok_or(Failure::Overflow)?;
            n_left = n_left.saturating_sub(1);
        }
        Ok((quanta, line.next()))
    }
}

/// An empty vector with room for all parts, or the error that says there is none.
fn reserve<T>(n_parts: usize) -> Result<Vec<T>, MoneyError> {
    let mut parts = Vec::new();
    parts
        .try_reserve_exact(n_parts)
        .map_err(|_| MoneyError::TooManyParts { n_parts })?;
    Ok(parts)
}
