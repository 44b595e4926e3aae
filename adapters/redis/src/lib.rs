//! How do many processes share their limits?
//!
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acquire;
mod connection;
mod identity;
mod keys;
mod quota;
mod script;
mod settings;
mod settle;
mod store;
#[cfg(test)]
mod virtual_time;
mod wire;

pub use settings::{Keying, OpenError, RedisSettings};
pub use store::RedisStore;
