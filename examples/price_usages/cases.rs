//! Response bodies with what should be found in them.

use std::collections::BTreeMap;

use bursar_model_router::UsageKind;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

/// A response body.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) body: Value,
    /// The model under whose name it is priced.
    pub(crate) model: Option<String>,
    /// What is found in it.
    pub(crate) extracted: Vec<Expected>,
}

/// A usage, and the readers that find it.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) usage: BTreeMap<UsageKind, u64>,
    pub(crate) extractors: Vec<Reading>,
}

/// A provider's reader, with the price at this provider if there is one.
#[derive(Deserialize)]
pub(crate) struct Reading {
    pub(crate) provider_id: String,
    pub(crate) api_flavor: String,
    pub(crate) input_price: Option<Decimal>,
    pub(crate) output_price: Option<Decimal>,
    pub(crate) total_price: Option<Decimal>,
}

/// A list of two providers whose caches are counted differently. Prices as published in 2025.
pub(crate) const OWN_PRICES: &str = r#"[
  {"id": "anthropic", "name": "Anthropic", "api_pattern": "https://api\\.anthropic\\.com",
   "extractors": [{"root": "usage", "model_path": "model", "mappings": [
     {"path": "input_tokens", "dest": "input_tokens", "required": true},
     {"path": "cache_creation_input_tokens", "dest": "input_tokens", "required": false},
     {"path": "cache_read_input_tokens", "dest": "input_tokens", "required": false},
     {"path": "cache_creation_input_tokens", "dest": "cache_write_tokens", "required": false},
     {"path": ["cache_creation", "ephemeral_1h_input_tokens"], "dest": "cache_write_1h_tokens", "required": false},
     {"path": "cache_read_input_tokens", "dest": "cache_read_tokens", "required": false},
     {"path": "output_tokens", "dest": "output_tokens", "required": true}]}],
   "models": [{"id": "claude-haiku-4-5", "match": {"starts_with": "claude-haiku-4-5"},
     "prices": {"input_mtok": 1, "cache_read_mtok": 0.1, "cache_write_mtok": 1.25,
                "cache_write_1h_mtok": 2, "output_mtok": 5}}]},
  {"id": "openai", "name": "OpenAI", "api_pattern": "https://api\\.openai\\.com",
   "extractors": [{"api_flavor": "chat", "root": "usage", "model_path": "model", "mappings": [
     {"path": "prompt_tokens", "dest": "input_tokens", "required": true},
     {"path": ["prompt_tokens_details", "cached_tokens"], "dest": "cache_read_tokens", "required": false},
     {"path": "completion_tokens", "dest": "output_tokens", "required": true}]}],
   "models": [{"id": "gpt-4o-mini", "match": {"or": [{"equals": "gpt-4o-mini"}, {"starts_with": "gpt-4o-mini-2"}]},
     "prices": {"input_mtok": 0.15, "cache_read_mtok": 0.075, "output_mtok": 0.6}}]}
]"#;

/// Counted by hand: 100 × 1 + 900 × 0.1 + 400 × 1.25 + 100 × 2 = 890 and 20 × 5 = 100 millionths;
/// 100 × 0.15 + 900 × 0.075 = 82.5 and 20 × 0.6 = 12 millionths.
pub(crate) const OWN_USAGES: &str = r#"[
  {"model": "claude-haiku-4-5-20251001",
   "body": {"model": "claude-haiku-4-5-20251001", "usage": {"input_tokens": 100, "output_tokens": 20,
     "cache_read_input_tokens": 900, "cache_creation_input_tokens": 500,
     "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 100}}},
   "extracted": [{"usage": {"input_tokens": 1500, "cache_read_tokens": 900, "cache_write_tokens": 500,
       "cache_write_1h_tokens": 100, "output_tokens": 20},
     "extractors": [{"provider_id": "anthropic", "api_flavor": "default",
       "input_price": "0.00089", "output_price": "0.0001"}]}]},
  {"model": "gpt-4o-mini",
   "body": {"model": "gpt-4o-mini", "usage": {"prompt_tokens": 1000, "completion_tokens": 20,
     "prompt_tokens_details": {"cached_tokens": 900}}},
   "extracted": [{"usage": {"input_tokens": 1000, "cache_read_tokens": 900, "output_tokens": 20},
     "extractors": [{"provider_id": "openai", "api_flavor": "chat",
       "input_price": "0.0000825", "output_price": "0.000012"}]}]},
  {"model": "a-model-of-nobody",
   "body": {"usage": {"prompt_tokens": 10, "completion_tokens": 2}},
   "extracted": [{"usage": {"input_tokens": 10, "output_tokens": 2},
     "extractors": [{"provider_id": "openai", "api_flavor": "chat"}]}]}
]"#;
