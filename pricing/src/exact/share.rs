//! Which part of a whole, in billionths?

use std::fmt;

use rust_decimal::Decimal;

use crate::margin::{RateError, billionths};

const BILLION: u32 = 1_000_000_000;

/// A part from 0 to less than 1, with up to nine decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Share {
    billionths: u32,
}

impl Share {
    pub(crate) const ZERO: Self = Self { billionths: 0 };

    pub(crate) fn new(value: Decimal, what: &'static str) -> Result<Self, RateError> {
        let range = "at least 0 and under 1";
        let billionths = billionths(value, what, range, Decimal::ZERO, Decimal::ONE)?;
        match u32::try_from(billionths) {
            Ok(billionths) if billionths < BILLION => Ok(Self { billionths }),
            _ => Err(RateError::OutOfRange { what, value, range }),
        }
    }

    pub(crate) const fn percent(percent: u32) -> Self {
        let percent = if percent < 100 { percent } else { 99 };
        Self {
            billionths: percent.saturating_mul(10_000_000),
        }
    }

    pub(crate) fn as_decimal(self) -> Decimal {
        Decimal::new(i64::from(self.billionths), 9).normalize()
    }

    pub(crate) fn billionths(self) -> u64 {
        u64::from(self.billionths)
    }

    /// What is missing to 1; never zero.
    pub(crate) fn rest_billionths(self) -> u64 {
        u64::from(BILLION.saturating_sub(self.billionths))
    }
}

/// In percent, without zeros at its end.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = Decimal::new(i64::from(self.billionths), 7).normalize();
        f.pad(&format!("{percent}%"))
    }
}
