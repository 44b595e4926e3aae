//! What is a fraction, rounded?

use std::cmp::Ordering;

use super::{TooWide, Whole};

/// A fraction that is not negative, not reduced. Every operation is an error where the numbers are too wide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fraction<W> {
    numerator: W,
    denominator: W,
}

impl<W: Whole> Fraction<W> {
    pub(crate) const fn new(numerator: W, denominator: W) -> Self {
        Self {
            numerator,
            denominator,
        }
    }

    pub(crate) fn whole(number: W) -> Self {
        Self::new(number, W::of(1))
    }

    /// The product with `numerator ÷ denominator`.
    pub(crate) fn scaled(self, (numerator, denominator): (u64, u64)) -> Result<Self, TooWide> {
        Ok(Self::new(
            self.numerator.times(W::of(numerator.into()))?,
            self.denominator.times(W::of(denominator.into()))?,
        ))
    }

    pub(crate) fn times(self, factor: W) -> Result<Self, TooWide> {
        Ok(Self::new(self.numerator.times(factor)?, self.denominator))
    }

    pub(crate) fn divided(self, divisor: W) -> Result<Self, TooWide> {
        Ok(Self::new(self.numerator, self.denominator.times(divisor)?))
    }

    /// The difference; too wide where it is under zero.
    pub(crate) fn minus(self, other: Self) -> Result<Self, TooWide> {
        let left = self.numerator.times(other.denominator)?;
        let right = other.numerator.times(self.denominator)?;
        Ok(Self::new(
            left.minus(right)?,
            self.denominator.times(other.denominator)?,
        ))
    }

    pub(crate) fn plus_one(self) -> Result<Self, TooWide> {
        let numerator = self.numerator.plus(self.denominator)?;
        Ok(Self::new(numerator, self.denominator))
    }

    pub(crate) fn compare(self, other: Self) -> Result<Ordering, TooWide> {
        let left = self.numerator.times(other.denominator)?;
        let right = other.numerator.times(self.denominator)?;
        Ok(left.cmp(&right))
    }

    pub(crate) fn floor(self) -> Result<W, TooWide> {
        let (quotient, _) = self.numerator.divided(self.denominator)?;
        Ok(quotient)
    }

    pub(crate) fn ceiling(self) -> Result<W, TooWide> {
        let (quotient, remainder) = self.numerator.divided(self.denominator)?;
        away(quotient, !remainder.is_zero())
    }

    /// To the nearest; a tie goes to the even number.
    pub(crate) fn half_even(self) -> Result<W, TooWide> {
        let (quotient, side) = self.nearest()?;
        away(
            quotient,
            side.is_gt() || (side.is_eq() && quotient.is_odd()),
        )
    }

    /// To the nearest; a tie goes up.
    pub(crate) fn half_up(self) -> Result<W, TooWide> {
        let (quotient, side) = self.nearest()?;
        away(quotient, side.is_ge())
    }

    /// The whole part, and on which side of the half the rest is.
    fn nearest(self) -> Result<(W, Ordering), TooWide> {
        let (quotient, remainder) = self.numerator.divided(self.denominator)?;
        let missing = self.denominator.minus(remainder)?;
        Ok((quotient, remainder.cmp(&missing)))
    }
}

fn away<W: Whole>(quotient: W, is_away: bool) -> Result<W, TooWide> {
    match is_away {
        true => quotient.plus(W::of(1)),
        false => Ok(quotient),
    }
}
