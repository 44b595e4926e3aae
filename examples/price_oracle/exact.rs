//! Numbers of any size, which share no code with the engine.
//!
//! A price is a [`Fraction`]. It is not reduced: a few operations make a price, and the greatest common
//! divisor would take most of the time. Charges and credits have an end in decimals, so they are whole
//! numbers of [`units`].

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Sub};
use std::sync::LazyLock;

use bursar_units::Rounding;
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use rust_decimal::Decimal;

/// The places of a [unit](units): those of two decimals multiplied, and four more.
pub(crate) const PLACES: u32 = 60;

/// A decimal as a whole number of 10⁻⁶⁰.
pub(crate) fn units(decimal: Decimal) -> BigInt {
    BigInt::from(decimal.mantissa()) * power(PLACES - decimal.scale())
}

/// The product of two decimals in units.
pub(crate) fn product(left: Decimal, right: Decimal) -> BigInt {
    let digits = BigInt::from(left.mantissa()) * BigInt::from(right.mantissa());
    digits * power(PLACES - left.scale() - right.scale())
}

/// 10^`exponent`, up to 10⁶⁰.
pub(crate) fn power(exponent: u32) -> &'static BigInt {
    static POWERS: LazyLock<Vec<BigInt>> =
        LazyLock::new(|| (0..=PLACES).map(|it| BigInt::from(10).pow(it)).collect());
    &POWERS[exponent as usize]
}

/// Whether a decimal of 96 bits and 28 places has this value.
pub(crate) fn is_decimal(units: &BigInt) -> bool {
    let (mantissa, beyond) = units.div_rem(power(PLACES - Decimal::MAX_SCALE));
    beyond.sign() == Sign::NoSign && fits(mantissa, Decimal::MAX_SCALE)
}

/// The decimal of this value, if there is one.
pub(crate) fn decimal(units: &BigInt) -> Option<Decimal> {
    let (mut mantissa, beyond) = units.div_rem(power(PLACES - Decimal::MAX_SCALE));
    let mut scale = Decimal::MAX_SCALE;
    while mantissa.bits() > 96 && scale > 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    let decimal = Decimal::try_from_i128_with_scale(i128::try_from(mantissa).ok()?, scale).ok()?;
    (beyond.sign() == Sign::NoSign && self::units(decimal) == *units).then_some(decimal)
}

/// Whether so many units of the `scale`-th place are a decimal, perhaps with fewer places.
pub(crate) fn fits(mut mantissa: BigInt, mut scale: u32) -> bool {
    while mantissa.bits() > 96 {
        let (shorter, digit) = mantissa.div_rem(power(1));
        if scale == 0 || digit.sign() != Sign::NoSign {
            return false;
        }
        (mantissa, scale) = (shorter, scale - 1);
    }
    true
}

/// The multiple of a step over zero that a rounding chooses.
pub(crate) fn rounded(value: &BigInt, step: &BigInt, rounding: Rounding) -> BigInt {
    let (down, rest) = value.div_mod_floor(step);
    let side = (&rest * 2_u32).cmp(step);
    let is_negative = value.sign() == Sign::Minus;
    let is_up = rest.sign() != Sign::NoSign
        && match rounding {
            Rounding::HalfEven => side.is_gt() || side.is_eq() && down.is_odd(),
            Rounding::HalfUp => side.is_gt() || side.is_eq() && !is_negative,
            Rounding::Up => !is_negative,
            Rounding::Down => is_negative,
            Rounding::Ceiling => true,
            _ => false,
        };
    (down + BigInt::from(is_up)) * step
}

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
            denominator: power(decimal.scale()).clone(),
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

    /// Whether two are at most so far apart.
    pub(crate) fn is_near(&self, other: &Self, distance: &Self) -> bool {
        let mut apart = self - other;
        if apart.numerator.sign() == Sign::Minus {
            apart.numerator = -apart.numerator;
        }
        apart <= *distance
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
