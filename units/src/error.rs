//! Why could an amount of money not be computed?

use rust_decimal::Decimal;

use crate::exact::Failure;
use crate::{Currency, Money};

/// Why an operation on [`Money`] has no answer.
///
/// The message holds the values that caused it and, where one exists, the next
/// thing to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The two amounts are in different currencies.
    #[error(
        "cannot combine {left} with {right}; convert one at a rate of your choice, or keep one total per currency"
    )]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
    /// The result is beyond ±79,228,162,514,264,337,593,543,950,335, the largest
    /// number that a decimal holds.
    #[error("`{expression}` is over the largest decimal, about 7.9e28")]
    Overflow {
        /// The operation with its values.
        expression: String,
    },
    /// The result is in range but has more digits than a decimal holds, and
    /// this operation does not round.
    #[error(
        "`{expression}` has more digits than a decimal holds (28 places, 2^96 in all); round an operand first"
    )]
    Inexact {
        /// The operation with its values.
        expression: String,
    },
    /// The divisor is zero.
    #[error("cannot divide {dividend} by zero")]
    DivisionByZero {
        /// The amount that was to be divided.
        dividend: Money,
    },
    /// A quantum must be over zero.
    #[error("a quantum of {step} does not divide anything; it must be over zero")]
    InvalidQuantum {
        /// The step as given.
        step: Decimal,
    },
    /// A quantum has at most 28 decimal places.
    #[error("a quantum of {places} decimal places is too fine; a decimal has at most 28")]
    TooManyPlaces {
        /// The number of places as given.
        places: u32,
    },
    /// The currency has no smallest unit of account.
    #[error("ISO 4217 gives {currency} no minor unit; name a step with `Quantum::step`")]
    NoMinorUnit {
        /// The currency.
        currency: Currency,
    },
    /// There is no weight over zero, so nobody can receive a part.
    #[error("cannot allocate {whole} over {n_weights} weights of which none is over zero")]
    NoWeight {
        /// The amount that was to be divided.
        whole: Money,
        /// How many weights, all zero, were given.
        n_weights: usize,
    },
    /// A weight is under zero.
    #[error("weight {weight} at index {index} is negative; allocate charges and credits apart")]
    NegativeWeight {
        /// Its place among the weights.
        index: usize,
        /// Its value.
        weight: Decimal,
    },
    /// The weights, brought to the same number of decimal places, add up to
    /// more than 2¹²⁶.
    #[error(
        "weight {weight} at index {index} is too far from the others in size; round the weights to fewer decimal places"
    )]
    WeightOutOfRange {
        /// The place of the weight that went over the limit.
        index: usize,
        /// Its value.
        weight: Decimal,
    },
    /// The memory for so many parts is not there.
    #[error("cannot hold {n_parts} parts in memory")]
    TooManyParts {
        /// How many parts were asked for.
        n_parts: usize,
    },
}

impl MoneyError {
    #[cold]
    pub(crate) fn from_failure(failure: Failure, expression: String) -> Self {
        match failure {
            Failure::Overflow => Self::Overflow { expression },
            Failure::Inexact => Self::Inexact { expression },
        }
    }
}
