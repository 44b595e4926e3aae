//! Which whole numbers is it computed in?

use bnum::types::U512;

/// A number does not fit; a wider type holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooWide;

/// A whole number that is not negative, with operations that say when they do not fit.
pub(crate) trait Whole: Copy + Ord {
    fn of(number: u128) -> Self;

    fn plus(self, other: Self) -> Result<Self, TooWide>;

    /// The difference; too wide where it is under zero.
    fn minus(self, other: Self) -> Result<Self, TooWide>;

    fn times(self, other: Self) -> Result<Self, TooWide>;

    /// Quotient and remainder; too wide by zero.
    fn divided(self, divisor: Self) -> Result<(Self, Self), TooWide>;

    fn to_u128(self) -> Result<u128, TooWide>;

    fn is_odd(self) -> bool;

    fn is_zero(self) -> bool;
}

impl Whole for u128 {
    fn of(number: u128) -> Self {
        number
    }

    fn plus(self, other: Self) -> Result<Self, TooWide> {
        self.checked_add(other).ok_or(TooWide)
    }

    fn minus(self, other: Self) -> Result<Self, TooWide> {
        self.checked_sub(other).ok_or(TooWide)
    }

    fn times(self, other: Self) -> Result<Self, TooWide> {
        self.checked_mul(other).ok_or(TooWide)
    }

    fn divided(self, divisor: Self) -> Result<(Self, Self), TooWide> {
        let quotient = self.checked_div(divisor).ok_or(TooWide)?;
        let remainder = self.checked_rem(divisor).ok_or(TooWide)?;
        Ok((quotient, remainder))
    }

    fn to_u128(self) -> Result<u128, TooWide> {
        Ok(self)
    }

    fn is_odd(self) -> bool {
        !self.is_multiple_of(2)
    }

    fn is_zero(self) -> bool {
        self == 0
    }
}

/// Wide enough for every product that pricing forms, whatever decimals go in.
///
/// A cost brought to the places of the quantum has at most 96 + 94 bits, the product of its fractions 182,
/// and 10^28, by which a result is brought to decimal places, 94: 466 in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wide(U512);

impl Whole for Wide {
    fn of(number: u128) -> Self {
        let mut bytes = [0; 64];
        if let Some(low) = bytes.first_chunk_mut() {
            *low = number.to_le_bytes();
        }
        Self(U512::from_le_bytes(bytes))
    }

    fn plus(self, other: Self) -> Result<Self, TooWide> {
        self.0.checked_add(other.0).map(Self).ok_or(TooWide)
    }

    fn minus(self, other: Self) -> Result<Self, TooWide> {
        self.0.checked_sub(other.0).map(Self).ok_or(TooWide)
    }

    fn times(self, other: Self) -> Result<Self, TooWide> {
        self.0.checked_mul(other.0).map(Self).ok_or(TooWide)
    }

    fn divided(self, divisor: Self) -> Result<(Self, Self), TooWide> {
        let quotient = Self(self.0.checked_div(divisor.0).ok_or(TooWide)?);
        let remainder = self.minus(quotient.times(divisor)?)?;
        Ok((quotient, remainder))
    }

    fn to_u128(self) -> Result<u128, TooWide> {
        let bytes = self.0.to_le_bytes();
        let (low, high) = bytes.split_first_chunk().ok_or(TooWide)?;
        match high.iter().all(|byte| *byte == 0) {
            true => Ok(u128::from_le_bytes(*low)),
            false => Err(TooWide),
        }
    }

    fn is_odd(self) -> bool {
        self.0.bit(0)
    }

    fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}
