//! What do we charge, and never below the margin?
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
