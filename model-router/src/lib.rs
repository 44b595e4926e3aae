//! Which model answers this request, at what cost?
//!
//! Pure logic: a catalog, a request and statistics in, a decision out. No network, no clock, no runtime.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod evaluation;
mod features;
mod format;
pub mod learned;
mod name;
mod task;
mod usage;

pub use features::{Features, SURFACE_NAMES};
pub use name::{MAX_NAME, ModelId, NameError, ProviderId};
pub use task::{Complexity, TaskType, UnknownTask};
pub use usage::{Usage, UsageKind};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
