//! What does recorded usage cost the customer, line by line?
//!
//! [`PeriodCharges`] charges usage records by a price list, exactly and with volumes that add up over
//! the period; a [`Statement`] rounds their total once and divides it so that the lines add up to it
//! again; a [`Settlement`] says what is due after prepayments and credits.

mod model;
mod period;
mod settlement;
mod statement;

pub use model::Package;
pub use period::{PeriodCharges, UsageRecord};
pub use settlement::{Settlement, SettlementError};
pub use statement::{ChargeError, ChargeLine, Statement, StatementLine};
