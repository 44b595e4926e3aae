//! How are models and batch jobs on Amazon Bedrock reached?
//!
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "bedrock-batch")]
mod batch;
#[cfg(feature = "client")]
mod config;
#[cfg(feature = "bedrock-runtime")]
mod runtime;

#[cfg(feature = "bedrock-batch")]
pub use batch::{BatchSettingsError, BedrockBatchService, BedrockBatchSettings};
#[cfg(feature = "client")]
pub use config::{SdkConfig, http_client, load_config};
#[cfg(feature = "bedrock-runtime")]
pub use runtime::{BedrockClient, ProfileScope};
