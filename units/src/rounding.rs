//! To what is an amount rounded, and which way?

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::{Currency, MoneyError};

/// Which neighbor is chosen when an amount lies between two multiples of a
/// [`Quantum`].
///
/// | amount | `HalfEven` | `HalfUp` | `Up` | `Down` | `Floor` | `Ceiling` |
/// |-------:|-----------:|---------:|-----:|-------:|--------:|----------:|
/// |   2.5  |    2       |    3     |   3  |   2    |    2    |     3     |
/// |   1.5  |    2       |    2     |   2  |   1    |    1    |     2     |
/// |   1.1  |    1       |    1     |   2  |   1    |    1    |     2     |
/// |  −1.1  |   −1       |   −1     |  −2  |  −1    |   −2    |    −1     |
/// |  −2.5  |   −2       |   −3     |  −3  |  −2    |   −3    |    −2     |
///
/// An amount that is a multiple of the quantum stays as it is in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rounding {
    /// To the nearest; a tie goes to the even multiple. IEEE 754 calls it
    /// roundTiesToEven; over many amounts the errors cancel out.
    HalfEven,
    /// To the nearest; a tie goes away from zero, as taught at school and
    /// written in most contracts.
    HalfUp,
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
    /// Toward negative infinity.
    Floor,
    /// Toward positive infinity.
    Ceiling,
}

impl Rounding {
    /// Whether an amount that is not a multiple takes one step more than the
    /// `n_whole` in its magnitude; `side` says where it is from the half step.
    pub(crate) fn goes_away_from_zero(self, negative: bool, side: Ordering, n_whole: u128) -> bool {
        match self {
            Self::HalfEven => match side {
                Ordering::Less => false,
                Ordering::Equal => !n_whole.is_multiple_of(2),
                Ordering::Greater => true,
            },
            Self::HalfUp => side.is_ge(),
            Self::Up => true,
            Self::Down => false,
            Self::Floor => negative,
            Self::Ceiling => !negative,
        }
    }
}

/// The step whose multiples an amount is rounded or divided to.
///
/// ```
/// use bursar_units::{Currency, Money, Quantum, Rounding};
/// use rust_decimal::Decimal;
///
/// let price = Money::parse("7.4249", Currency::CHF)?;
/// let cash = Quantum::step(Decimal::new(5, 2))?;
/// assert_eq!(price.round_to(Quantum::MINOR_UNIT, Rounding::HalfEven)?.to_string(), "7.42 CHF");
/// assert_eq!(price.round_to(cash, Rounding::HalfEven)?.to_string(), "7.40 CHF");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quantum(Step);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    MinorUnit,
    Explicit(Decimal),
}

impl Quantum {
    /// The smallest unit of account of the amount's own currency: a cent for
    /// `USD`, a yen for `JPY`. Currencies without one (`XXX`) are an error where
    /// the quantum is used.
    pub const MINOR_UNIT: Self = Self(Step::MinorUnit);

    /// An explicit step: 0.05 for Swiss cash, 0.000001 for a price list, 1000
    /// for a report in thousands.
    ///
    /// # Errors
    /// [`MoneyError::InvalidQuantum`] unless the step is over zero.
    pub fn step(step: Decimal) -> Result<Self, MoneyError> {
        if step.is_zero() || step.is_sign_negative() {
            return Err(MoneyError::InvalidQuantum { step });
        }
        Ok(Self(Step::Explicit(step)))
    }

    /// The step of this many decimal places: 6 is 0.000001.
    ///
    /// # Errors
    /// [`MoneyError::TooManyPlaces`] over 28 places.
    pub fn decimal_places(places: u32) -> Result<Self, MoneyError> {
        Decimal::try_new(1, places)
            .map(|step| Self(Step::Explicit(step)))
            .map_err(|_| MoneyError::TooManyPlaces { places })
    }

    /// The step in units of `currency`; always over zero.
    ///
    /// # Errors
    /// [`MoneyError::NoMinorUnit`] for [`MINOR_UNIT`](Self::MINOR_UNIT) where
    /// ISO 4217 gives the currency none.
    pub fn step_in(self, currency: Currency) -> Result<Decimal, MoneyError> {
        match self.0 {
            Step::Explicit(step) => Ok(step),
            Step::MinorUnit => currency
                .minor_units()
                .and_then(|places| Decimal::try_new(1, places).ok())
                .ok_or(MoneyError::NoMinorUnit { currency }),
        }
    }
}
