//! How do many processes share their limits?
//!
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acquire;
mod connection;
mod identity;
mod keys;
mod quota;
#[cfg(feature = "response-cache")]
mod response_cache;
mod script;
mod settings;
mod settle;
mod store;
#[cfg(test)]
mod virtual_time;
mod wire;

#[cfg(feature = "response-cache")]
#[cfg_attr(docsrs, doc(cfg(feature = "response-cache")))]
pub use response_cache::RedisResponseCache;
pub use settings::{Keying, OpenError, RedisSettings};
pub use store::RedisStore;
