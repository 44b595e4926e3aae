//! Which model answers this request, at what cost?
//!
//! Pure logic: a catalog, a request and statistics in, a decision out. No network, no clock, no runtime.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod catalog;
mod cost;
mod extract;
mod import;
mod name;
mod price;
mod price_list;
mod price_terms;
mod task;
mod usage;

pub use catalog::{Catalog, CatalogError, CatalogModel, CatalogProblem, CatalogText};
pub use cost::{Assumption, Cost, CostError, CostLine, Provenance, Unpriced};
pub use extract::{ApiFormat, ExtractError, Extracted, Extractor, StreamedUsage};
pub use import::{ImportError, Imported, Skipped, read_genai_prices, read_litellm};
pub use name::{MAX_NAME, ModelId, NameError, ProviderId, Region};
pub use price::{Rate, RateCard, RateCardError, Tier};
pub use price_list::{
    Listing, ModelPrices, NamePattern, NoPrice, PatternError, PriceList, PricedProvider,
};
pub use price_terms::{DailyWindow, Price, PriceContext, Processing, Source, Validity};
pub use task::{Complexity, TaskType, UnknownTask};
pub use usage::{Direction, Usage, UsageError, UsageKind};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
