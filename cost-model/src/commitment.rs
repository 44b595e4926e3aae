//! When does a commitment pay, and what do commitments that one has cover?
//!
//! A commitment trades a lower price for a promise: a *reserved instance* is one machine paid for
//! all hours of a term, a *savings plan* is an amount of money spent in every hour of it. Both cost
//! the same whether the machine runs or not.
//!
//! ```
//! use bursar_cost_model::commitment::{Commitment, Term};
//!
//! // A machine of 0.1664 USD an hour, reserved for a year at 0.1203 USD with nothing in advance.
//! let reserved = Commitment::no_upfront("0.1203 USD".parse()?, Term::OneYear);
//! let break_even = reserved.break_even("0.1664 USD".parse()?)?;
//! assert_eq!(break_even.utilization.round_dp(4).to_string(), "0.7230");
//! assert!(!break_even.pays_at("0.70".parse()?), "it has to run 72.3 % of the hours");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - A [`Commitment`] is what is paid in advance and what is paid per hour, over a [`Term`]. Its
//!   [`BreakEven`] is the share of hours that the machine must run, so that on demand would cost as
//!   much, and the months until the payment in advance has come back.
//! - [`apply`] lays [`Reservation`]s and [`SavingsPlan`]s over the [`Usage`] of one hour, in the
//!   order that AWS publishes, and says for each unit of usage who pays for it: an
//!   [`AppliedHour`].
//!
//! # The order of application
//!
//! From *Understanding how Savings Plans apply to your usage*
//! (<https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html>):
//!
//! 1. Reserved instances come before all plans.
//! 2. EC2 Instance Savings Plans come before Compute Savings Plans, which fit more usage.
//! 3. Plans of one kind are one group. Each is applied to the usage of the account that owns it,
//!    and then to that of other accounts if it is shared.
//! 4. Within that, the highest saving over the price on demand goes first; of equal savings, the
//!    lowest rate.
//! 5. What is left when the commitment is spent is charged on demand. A commitment that is not used
//!    within its hour is lost.
//!
//! The page does not say how ties beyond the rate are broken; here they go by the order in which
//! plans and usage were given.
//!
//! # What it does not do
//!
//! It knows no rates: they differ by term, payment, region and contract, and come with the plan.
//! It does not choose how much to commit to. Size flexibility of reserved instances has to be
//! resolved into units before.

mod break_even;
mod hour;

pub use break_even::{BreakEven, Commitment, Term};
pub use hour::{
    Application, AppliedHour, PlanKind, PlanLine, Reservation, SavingsPlan, Sharing, Usage,
    UsageLine, apply,
};

use bursar_units::MoneyError;
use rust_decimal::Decimal;

/// Why a commitment could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitmentError {
    /// An amount of money that must be above zero is not.
    #[error("the {what} is {value}; it must be above zero")]
    NotPositive {
        /// Which amount, and of what.
        what: String,
        /// The amount as given.
        value: bursar_units::Money,
    },
    /// An amount of money is below zero.
    #[error("the {what} is {value}; it must not be below zero")]
    Negative {
        /// Which amount, and of what.
        what: String,
        /// The amount as given.
        value: bursar_units::Money,
    },
    /// A number of units is below zero.
    #[error("the quantity of {what} is {value}; it must not be below zero")]
    NegativeQuantity {
        /// Whose quantity.
        what: String,
        /// The quantity as given.
        value: Decimal,
    },
    /// Two currencies, or a number that a decimal cannot hold.
    #[error(transparent)]
    Money(#[from] MoneyError),
}
