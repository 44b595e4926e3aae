//! Money, currencies, token counts and unit rates.

mod currency;
mod excerpt;

pub use currency::{Currency, CurrencyError};
