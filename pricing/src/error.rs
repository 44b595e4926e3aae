//! Why is there no price?

use bursar_units::{Currency, Money, MoneyError};
use rust_decimal::Decimal;

use crate::contract::TermName;
use crate::demand::SupplyThresholds;
use crate::factor::Factor;
use crate::margin::Margin;
use crate::name::{ContractId, Model};
use crate::price::{Bound, CostRise};

/// Why a price could not be computed, or a policy or contract not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PricingError {
    /// The cost is zero or negative, so no margin says what the price is.
    #[error(
        "a cost of {cost} has no price by margin: state what it costs, or agree on a fixed price"
    )]
    CostNotPositive {
        /// The cost as given.
        cost: Money,
    },
    /// The policy has no factor for the model.
    #[error("the policy does not know the model `{model}`: add its factor")]
    UnknownModel {
        /// The model as asked for.
        model: Model,
    },
    /// Two amounts that belong together are in different currencies.
    #[error(
        "the {what} is in {found} and the cost in {expected}: convert one at a rate of your choice"
    )]
    Currency {
        /// What is in another currency.
        what: &'static str,
        /// The currency of the cost.
        expected: Currency,
        /// The other currency.
        found: Currency,
    },
    /// No multiple of the quantum lies inside the bounds.
    #[error(
        "no multiple of {quantum} is a price for {cost} inside the bounds{}",
        suggested(suggestion)
    )]
    NoMultiple {
        /// The cost.
        cost: Money,
        /// The step of prices that was asked for.
        quantum: Decimal,
        /// The largest finer power of ten that has a multiple inside; `None` if none with 28 places has.
        suggestion: Option<Decimal>,
    },
    /// A term of the contract leaves no price inside the margin bounds.
    #[error(
        "the {term} of {amount} in contract `{contract}` leaves no price: by the margin the {bound} is about {limit}"
    )]
    ContractConflict {
        /// The contract.
        contract: ContractId,
        /// The term that excludes every price.
        term: TermName,
        /// Its amount.
        amount: Money,
        /// The margin bound on its other side.
        bound: Bound,
        /// The price at that bound, rounded up to the places of the amounts.
        limit: Money,
    },
    /// The floor of a contract is over its ceiling.
    #[error("contract `{contract}` has a floor of {floor} over its ceiling of {ceiling}")]
    ContractContradiction {
        /// The contract.
        contract: ContractId,
        /// Its floor.
        floor: Money,
        /// Its ceiling.
        ceiling: Money,
    },
    /// A contract names an amount that is no price.
    #[error("the {term} of {amount} in contract `{contract}` is no price: it must be over zero")]
    TermNotPositive {
        /// The contract.
        contract: ContractId,
        /// The term.
        term: TermName,
        /// Its amount.
        amount: Money,
    },
    /// A contract has two terms of one kind for the same scope.
    #[error("contract `{contract}` has two terms `{term}` for the same scope: keep one")]
    DuplicateTerm {
        /// The contract.
        contract: ContractId,
        /// The term.
        term: TermName,
    },
    /// A contract ends before it begins.
    #[error("contract `{contract}` would end on {last_day}, before its first day, {first_day}")]
    ContractEndsBefore {
        /// The contract.
        contract: ContractId,
        /// The first day.
        first_day: jiff::civil::Date,
        /// The last day.
        last_day: jiff::civil::Date,
    },
    /// The cost may rise by so much that a price which then keeps the floor breaks the ceiling now.
    #[error(
        "no price keeps the margin bounds now and after a rise of the cost by {rise}: allow less"
    )]
    CostRiseTooWide {
        /// The rise that was to be covered.
        rise: CostRise,
    },
    /// The least margin is not under the largest.
    #[error("the least margin of {least} is not under the largest of {most}")]
    NoBounds {
        /// The least margin.
        least: Margin,
        /// The largest margin.
        most: Margin,
    },
    /// The parameters make no demand curve.
    #[error(
        "no demand curve from {low} to {high} with steepness {steepness}: low is at most high and has up to 6 places, steepness is at most 1000"
    )]
    NoCurve {
        /// The lower bound.
        low: Factor,
        /// The upper bound.
        high: Factor,
        /// The steepness.
        steepness: u32,
    },
    /// The thresholds are not in order.
    #[error(
        "the thresholds of supply must rise: enter surplus {}, leave surplus {}, leave scarce {}, enter scarce {}",
        thresholds.enter_surplus, thresholds.leave_surplus, thresholds.leave_scarce, thresholds.enter_scarce
    )]
    NoThresholds {
        /// The thresholds as given.
        thresholds: SupplyThresholds,
    },
    /// The price or a step of its explanation has more digits than a decimal holds.
    #[error(
        "the price of {cost} in steps of {quantum} has more digits than a decimal holds (28): round the cost or take a coarser quantum"
    )]
    TooManyDigits {
        /// The cost.
        cost: Money,
        /// The step of prices that was asked for.
        quantum: Decimal,
    },
    /// Amounts could not be combined.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

fn suggested(suggestion: &Option<Decimal>) -> String {
    match suggestion {
        Some(quantum) => format!(": a quantum of {quantum} would do"),
        None => ", nor is one of 28 decimal places".to_owned(),
    }
}
