//! Fractions of any size.
//!
//! They are not reduced: a few operations make a price, and the greatest common divisor would take most of
//! the time.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Sub};

use num_bigint::BigInt;
use num_integer::Integer;
use rust_decimal::Decimal;

/// A fraction with a denominator over zero.
#[derive(Debug, Clone)]
pub(crate) struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

impl Fraction {
    pub(crate) fn whole(number: impl Into<BigInt>) -> Self {
        Self {
            numerator: number.into(),
            denominator: 1.into(),
        }
    }

    /// The exact value of a decimal.
    pub(crate) fn of(decimal: Decimal) -> Self {
        Self {
            numerator: decimal.mantissa().into(),
            denominator: BigInt::from(10).pow(decimal.scale()),
        }
    }

    pub(crate) fn floor(&self) -> BigInt {
        self.numerator.div_floor(&self.denominator)
    }

    pub(crate) fn ceiling(&self) -> BigInt {
        -(-&self.numerator).div_floor(&self.denominator)
    }

    /// To the nearest whole number, a tie to the even one.
    pub(crate) fn half_even(&self) -> BigInt {
        let (down, rest): (BigInt, BigInt) = self.numerator.div_mod_floor(&self.denominator);
        match (rest * 2_u32).cmp(&self.denominator) {
            Ordering::Less => down,
            Ordering::Equal if down.is_even() => down,
            _ => down + 1_u32,
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.numerator.is_multiple_of(&self.denominator)
    }

    /// Whether two are at most so far apart.
    pub(crate) fn is_near(&self, other: &Self, distance: &Self) -> bool {
        self <= &(other + distance) && other <= &(self + distance)
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Fraction {}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = &self.numerator * &other.denominator;
        left.cmp(&(&other.numerator * &self.denominator))
    }
}

impl Add for &Fraction {
    type Output = Fraction;

    fn add(self, other: Self) -> Fraction {
        let left = &self.numerator * &other.denominator;
        Fraction {
            numerator: left + &other.numerator * &self.denominator,
            denominator: &self.denominator * &other.denominator,
        }
    }
}

impl Sub for &Fraction {
    type Output = Fraction;

    fn sub(self, other: Self) -> Fraction {
        let left = &self.numerator * &other.denominator;
        Fraction {
            numerator: left - &other.numerator * &self.denominator,
            denominator: &self.denominator * &other.denominator,
        }
    }
}

impl Mul for &Fraction {
    type Output = Fraction;

    fn mul(self, other: Self) -> Fraction {
        Fraction {
            numerator: &self.numerator * &other.numerator,
            denominator: &self.denominator * &other.denominator,
        }
    }
}

/// By a number over zero.
impl Div for &Fraction {
    type Output = Fraction;

    fn div(self, other: Self) -> Fraction {
        Fraction {
            numerator: &self.numerator * &other.denominator,
            denominator: &self.denominator * &other.numerator,
        }
    }
}
