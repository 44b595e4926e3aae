//! Why is there no price list, or no price in it?

use bursar_units::{Currency, MoneyError, UnitRate};

use crate::error::PricingError;
use crate::name::{Model, PriceListName};
use crate::schedule::ScheduleError;
use crate::token_kind::TokenKind;

/// Why a price list cannot be made or does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceListError {
    /// The list has no such price.
    #[error(
        "price list `{list}` has no price for {kind} tokens of `{model}`: add their cost and publish an edition"
    )]
    NotListed {
        /// The list.
        list: PriceListName,
        /// The model.
        model: Model,
        /// The kind of tokens.
        kind: TokenKind,
    },
    /// There is nothing in the list.
    #[error("price list `{list}` has no entries: give it a cost table that has costs")]
    Empty {
        /// The list.
        list: PriceListName,
    },
    /// A model and kind occurs twice.
    #[error("{kind} tokens of `{model}` are there twice: keep one")]
    Duplicate {
        /// The model.
        model: Model,
        /// The kind of tokens.
        kind: TokenKind,
    },
    /// Costs are in two currencies.
    #[error("{other} in a table of {currency}: make a table for each currency")]
    Currency {
        /// The currency of the others.
        currency: Currency,
        /// The other currency.
        other: Currency,
    },
    /// A cost per million tokens has more digits than a decimal holds.
    #[error("the cost {rate} cannot be told per million: {error}")]
    Cost {
        /// The cost.
        rate: UnitRate,
        /// Why not.
        #[source]
        error: MoneyError,
    },
    /// A price could not be computed.
    #[error("{kind} tokens of `{model}` have no price: {error}")]
    Pricing {
        /// The model.
        model: Model,
        /// The kind of tokens.
        kind: TokenKind,
        /// Why not.
        #[source]
        error: PricingError,
    },
    /// Bands make no schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}
