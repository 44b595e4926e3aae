//! Which model answers this request, at what cost?
//!
//! Pure logic: a catalog, a request and statistics in, a decision out. No network, no clock, no runtime.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod name;
mod price_list;
mod task;
mod usage;

pub use extract::{ApiFormat, ExtractError, Extracted, Extractor, StreamedUsage};
pub use name::{MAX_NAME, ModelId, NameError, ProviderId};
pub use price_list::{NamePattern, PatternError};
pub use task::{Complexity, TaskType, UnknownTask};
pub use usage::{Direction, Usage, UsageError, UsageKind};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
