//! How much is it, in which currency, and what is the exact sum?

mod allocate;
mod parse;

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Neg;

use rust_decimal::Decimal;

pub use self::parse::ParseMoneyError;
use crate::exact::{self, Failure};
use crate::{Currency, MoneyError, Quantum, Rounding};

/// An exact decimal amount in one currency.
///
/// Sums, differences and products are exact or an error: nothing is rounded on
/// the way, and two currencies are never combined. `12.3 USD` and `12.30 USD`
/// are equal and hash alike, yet each prints as it was written.
///
/// There is no order between two currencies: `partial_cmp` is `None`, `<` and
/// `>` are both false, and [`try_cmp`](Self::try_cmp) is an error. For that
/// reason `Money` is not `Ord`. Zero dollars are not equal to zero euros.
///
/// # Why there is no `+`
/// An operator cannot return an error, so it would have to panic, or to invent a
/// number, on `USD + EUR` and on overflow. The `checked_` methods say what went
/// wrong. The one operator is the unary minus, which cannot fail.
///
/// ```compile_fail
/// # use bursar_units::{Currency, Money};
/// let one = Money::zero(Currency::USD);
/// let sum = one + one;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An amount in a currency. Any decimal is a valid amount, also one under
    /// zero (a credit) or with more places than the currency has coins for
    /// (unit prices and cloud bills have up to 28).
    pub fn new(mut amount: Decimal, currency: Currency) -> Self {
        if amount.is_zero() {
            // A decimal can hold −0; an amount does not, and never prints it.
            amount.set_sign_positive(true);
        }
        Self { amount, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self {
            amount: Decimal::ZERO,
            currency,
        }
    }

    /// The amount without its currency.
    #[must_use]
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency of the amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero, with any number of decimal places.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    /// Whether the amount is under zero.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.amount.is_sign_negative() && !self.amount.is_zero()
    }

    /// The amount without its sign. It cannot fail: the range is symmetric.
    pub fn abs(&self) -> Self {
        Self {
            amount: self.amount.abs(),
            currency: self.currency,
        }
    }

    /// The exact sum, with the decimal places of the more precise operand.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`]; [`MoneyError::Overflow`];
    /// [`MoneyError::Inexact`] when the sum has more digits than a decimal holds
    /// (9,999,999,999,999,999,999 + 0.00000000000000000001 would need 39).
    ///
    /// ```
    /// use bursar_units::{Currency, Money};
    ///
    /// let compute = Money::parse("119.81", Currency::USD)?;
    /// let requests = Money::parse("0.0000004", Currency::USD)?;
    /// assert_eq!(compute.checked_add(requests)?.to_string(), "119.8100004 USD");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.require_same_currency(other)?;
        self.with_amount(exact::add(self.amount, other.amount), || {
            format!("{self} + {other}")
        })
    }

    /// The exact difference; the same rules as [`checked_add`](Self::checked_add).
    ///
    /// # Errors
    /// As [`checked_add`](Self::checked_add).
    #[inline]
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.require_same_currency(other)?;
        self.with_amount(exact::subtract(self.amount, other.amount), || {
            format!("{self} - {other}")
        })
    }

    /// The exact product with a plain number, with the decimal places of both
    /// (12.30 × 0.10 is 1.2300).
    ///
    /// # Errors
    /// [`MoneyError::Overflow`]; [`MoneyError::Inexact`] when the product has
    /// more digits than a decimal holds. A factor that is itself the result of a
    /// division, with 28 digits, is rounded to the places that matter first.
    ///
    /// ```
    /// use bursar_units::{Currency, Money, Quantum, Rounding};
    /// use rust_decimal::Decimal;
    ///
    /// let net = Money::parse("19.99", Currency::EUR)?;
    /// let tax = net.checked_mul(Decimal::new(19, 2))?;
    /// assert_eq!(tax.to_string(), "3.7981 EUR");
    /// assert_eq!(tax.round_to(Quantum::MINOR_UNIT, Rounding::HalfUp)?.to_string(), "3.80 EUR");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checked_mul(self, factor: Decimal) -> Result<Self, MoneyError> {
        self.with_amount(exact::multiply(self.amount, factor, 0), || {
            format!("{self} * {factor}")
        })
    }

    /// The quotient by a plain number. A quotient such as 10 ÷ 3 has no end, so
    /// this operation rounds: to the nearest decimal with as many digits as one
    /// holds (28 or 29, at most 28 of them places), a tie to the even one.
    ///
    /// [`round_to`](Self::round_to) after a division rounds a second time: a
    /// quotient that lies closer to a multiple than 28 digits tell is taken for
    /// that multiple, also by [`Rounding::Up`].
    ///
    /// To cut an amount into parts that add up again use
    /// [`split`](Self::split) or [`allocate`](Self::allocate), not division.
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`]; [`MoneyError::Overflow`].
    pub fn checked_div(self, divisor: Decimal) -> Result<Self, MoneyError> {
        if divisor.is_zero() {
            return Err(MoneyError::DivisionByZero { dividend: self });
        }
        let quotient = self.amount.checked_div(divisor).ok_or(Failure::Overflow);
        self.with_amount(quotient, || format!("{self} / {divisor}"))
    }

    /// What multiple of `whole` this amount is: 59.8 USD of 200 USD is 0.299.
    /// Rounded as [`checked_div`](Self::checked_div) is.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`]; [`MoneyError::DivisionByZero`] when
    /// `whole` is zero, for a share of nothing is not known to be zero;
    /// [`MoneyError::Overflow`].
    pub fn ratio_to(&self, whole: &Self) -> Result<Decimal, MoneyError> {
        self.require_same_currency(*whole)?;
        self.checked_div(whole.amount).map(|ratio| ratio.amount)
    }

    /// The exact sum of many amounts, or `None` of no amounts: the sum of
    /// nothing has no currency. Where it is known,
    /// `.unwrap_or(Money::zero(currency))` says so.
    ///
    /// # Errors
    /// As [`checked_add`](Self::checked_add), at the first amount that fails.
    ///
    /// ```
    /// use bursar_units::{Currency, Money};
    ///
    /// let lines = [Money::parse("119.81", Currency::USD)?, Money::parse("68.54", Currency::USD)?];
    /// let total = Money::try_sum(&lines)?.unwrap_or(Money::zero(Currency::USD));
    /// assert_eq!(total.to_string(), "188.35 USD");
    /// assert_eq!(Money::try_sum::<Money>([])?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_sum<M: Borrow<Self>>(
        amounts: impl IntoIterator<Item = M>,
    ) -> Result<Option<Self>, MoneyError> {
        let mut amounts = amounts.into_iter();
        let Some(first) = amounts.next() else {
            return Ok(None);
        };
        amounts
            .try_fold(*first.borrow(), |sum, amount| {
                sum.checked_add(*amount.borrow())
            })
            .map(Some)
    }

    /// Which of two amounts of one currency is larger.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn try_cmp(&self, other: &Self) -> Result<Ordering, MoneyError> {
        self.require_same_currency(*other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// The multiple of `quantum` that `rounding` chooses, written with the
    /// decimal places of the quantum (`12.3 USD` to cents is `12.30 USD`).
    /// This and division are the only operations that round.
    ///
    /// # Errors
    /// [`MoneyError::NoMinorUnit`]; [`MoneyError::Overflow`] when the multiple
    /// is beyond the range; [`MoneyError::Inexact`] when it has more digits than
    /// a decimal holds (7e28 to multiples of 3e-28).
    ///
    /// ```
    /// use bursar_units::{Currency, Money, Quantum, Rounding};
    ///
    /// let cost = Money::parse("0.125", Currency::USD)?;
    /// assert_eq!(cost.round_to(Quantum::MINOR_UNIT, Rounding::HalfEven)?.to_string(), "0.12 USD");
    /// assert_eq!(cost.round_to(Quantum::MINOR_UNIT, Rounding::HalfUp)?.to_string(), "0.13 USD");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn round_to(&self, quantum: Quantum, rounding: Rounding) -> Result<Self, MoneyError> {
        let step = quantum.step_in(self.currency)?;
        self.with_amount(exact::round_to_step(self.amount, step, rounding), || {
            format!("{self} rounded to a multiple of {step}")
        })
    }

    fn require_same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch {
            left: self.currency,
            right: other.currency,
        })
    }

    /// An amount of the same currency, or the error that names `expression`.
    #[inline]
    pub(crate) fn with_amount(
        self,
        amount: Result<Decimal, Failure>,
        expression: impl FnOnce() -> String,
    ) -> Result<Self, MoneyError> {
        match amount {
            Ok(amount) => Ok(Self::new(amount, self.currency)),
            Err(failure) => Err(MoneyError::from_failure(failure, expression())),
        }
    }
}

/// Exact, and cannot fail: the range is symmetric.
impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            amount: exact::negate(self.amount),
            currency: self.currency,
        }
    }
}

/// `None` across currencies.
impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.try_cmp(other).ok()
    }
}

/// `12.34 USD`, with all decimal places: printing never rounds, so a precision
/// (`{:.2}`) is ignored. Width, fill, alignment (right unless said otherwise)
/// and `+` are obeyed.
///
/// ```
/// use bursar_units::{Currency, Money};
///
/// let money = Money::parse("12.340", Currency::USD)?;
/// assert_eq!(format!("{money:.1}"), "12.340 USD");
/// assert_eq!(format!("{money:>14}|"), "    12.340 USD|");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} {}", self.amount.abs(), self.currency);
        f.pad_integral(!self.is_negative(), "", &text)
    }
}
