//! Money, currencies, token counts and unit rates.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod currency;
mod error;
mod exact;
mod excerpt;
mod money;
mod rounding;
#[cfg(feature = "serde")]
mod serialization;
mod token_count;
mod unit_rate;

pub use crate::currency::{Currency, CurrencyError};
pub use crate::error::MoneyError;
pub use crate::money::{Money, ParseMoneyError};
pub use crate::rounding::{Quantum, Rounding};
pub use crate::token_count::{TokenCount, TokenCountError};
pub use crate::unit_rate::{Per, UnitRate};
