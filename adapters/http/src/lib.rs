//! How are models behind an HTTP endpoint asked?
//!
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod openai;
mod settings;
mod stream;

pub use openai::OpenAiClient;
pub use settings::{OpenAiSettings, SettingsError};
