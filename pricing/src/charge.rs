//! What does recorded usage cost the customer, line by line?
//!
//! A [`ChargeModel`] turns a quantity into an exact amount; a [`Statement`] gathers the lines of a
//! period, rounds their total once, and divides it so that the lines add up to it again.

mod model;
mod settlement;
mod statement;

pub use model::{ChargeModel, ChargeModelError, PriceStep};
pub use settlement::{Settlement, SettlementError};
pub use statement::{ChargeError, ChargeLine, Statement, StatementLine};
