//! What do we charge, and never below the margin?
//!
//! A reseller of model tokens buys at a cost and sells at a price that depends on tier, model, supply
//! and contract. This crate computes that price so that no input yields one outside the margin, turns
//! usage into charges whose lines add up to the last digit, and keeps the books. All of it is exact:
//! decimals and whole numbers, never a float, rounded where it says so.
//!
//! ```
//! use bursar_pricing::{Model, PriceRequest, PricingPolicy, SupplyState, Tier};
//! use bursar_units::{Currency, Money};
//! use jiff::civil::date;
//!
//! let policy = PricingPolicy::standard();
//! let cost = Money::parse("1000.00", Currency::USD)?;
//! let request = PriceRequest::new(cost, &Tier::Growth, &Model::GPT_4, date(2026, 11, 20))
//!     .supply(SupplyState::Balanced);
//! let price = policy.price(&request)?;
//! // A margin of 25 % is a mark-up of a third; times 1.2 it is 40 %: a margin of 28.6 %.
//! assert_eq!(price.price().to_string(), "1400.00 USD");
//! // The waterfall explains it, and its steps add up to the price.
//! let steps = price.waterfall().steps().map(|(_, amount)| amount);
//! assert_eq!(Money::try_sum(steps)?, Some(price.price()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Questions and their answers
//!
//! | question | answer |
//! |---|---|
//! | What does it cost the customer, and why? | [`PricingPolicy::price`]: a [`Price`] with its [`Waterfall`] |
//! | How do margin and mark-up differ? | [`Margin`] and [`MarkUp`] are two types that do not mix |
//! | What if supply is scarce? | [`SupplyState`] by three steps, or the smooth [`DemandCurve`], with hysteresis in the [`SupplyTracker`] |
//! | What does a contract change? | [`Contract`]: fixed price (honored, and reported as [`Exposure`]), discount, floor, ceiling |
//! | What do we publish? | [`PriceList`] per million tokens by kind, each bounded on its own; [`StabilityRules`] against nervous prices |
//! | How long does an offer hold? | [`Quote`], redeemed exactly once as it was quoted |
//! | What does usage come to? | [`charge`]: lines, statement, invoice, settlement |
//! | Who has how much? | [`ledger`]: append-only, double-entry, idempotent; [`ledger::Wallet`] |
//! | Does the provider's invoice agree? | [`reconciliation`] |
//! | Was the promise kept, and what is owed? | [`sla`]: verdicts, compensation, worst case of a plan |
//!
//! # Algorithms
//!
//! - *Price.* The factors act on the mark-up: u = t ÷ (1 − t) × model × supply, so that no product of
//!   positive factors sells below cost. p* = cost × (1 + u) is then n × quantum with
//!   n = clamp(round half even (p* ÷ q), ⌈L ÷ q⌉, ⌊U ÷ q⌋), decided on exact fractions. Where no multiple
//!   lies inside, that is an error which names a quantum that would do, and never a price outside.
//! - *Division.* The method of the largest remainder: a total is rounded once, and its parts add up.
//!
//! # What it does not do
//!
//! Prices follow from model, tier, contract, utilization and date. Personal data and risk scores have no
//! way in. It converts no currencies, computes no taxes, and moves no money: it writes down who owes it.
//!
//! # Features
//!
//! - `serde`: results and settings serialize; amounts as strings.
//! - `conformance`: the tests that every store and ledger must pass.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod bounds;
pub mod charge;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contract;
mod demand;
mod error;
mod exact;
mod factor;
#[cfg(feature = "serde")]
mod format;
pub mod ledger;
mod margin;
mod memory;
mod name;
mod policy;
mod port;
mod price;
mod price_list;
mod quote;
pub mod reconciliation;
mod schedule;
pub mod sla;
mod stability;
mod token_kind;
mod waterfall;

pub use bounds::MarginBounds;
pub use contract::{Contract, Scope, Term, TermName};
pub use demand::{
    DemandCurve, Supply, SupplyFactors, SupplyState, SupplyThresholds, SupplyTracker, Utilization,
};
pub use error::PricingError;
pub use factor::Factor;
pub use margin::{Discount, Margin, MarkUp, RateError};
pub use memory::MemoryStore;
pub use name::{
    ContractId, MAX_NAME, Model, NameError, PriceListName, QuoteId, RedemptionId, Tier, TierName,
};
pub use policy::PricingPolicy;
pub use port::{BoxError, Issued, PriceListStore, Published, QuoteStore, Redemption, StoreError};
pub use price::{AllowedPrices, Bound, Clamp, CostRise, Exposure, Price, PriceRequest, TierMargin};
pub use price_list::{CostTable, ListEntry, ListTerms, PriceList, PriceListError, VolumeDiscounts};
pub use quote::{Fingerprint, FingerprintError, NotRedeemable, Quote, QuoteError};
pub use schedule::{Band, Schedule, ScheduleError, Tiering};
pub use stability::{Kept, Publication, PublishedPrice, StabilityRules, Update};
pub use token_kind::TokenKind;
pub use waterfall::{Step, Waterfall};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
