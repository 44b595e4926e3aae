//! Which model answers this request, at what cost?
//!
//! A service that uses several language models has to know what a call costs before and after it is made,
//! which model is good enough for it, and whether it has to be made at all. This crate decides that from values
//! that it is handed: a catalog, a request, statistics, and a time and a seed where they are needed.
//!
//! ```
//! use bursar_model_router::{ApiFormat, PriceContext, PriceList, Source, read_genai_prices};
//!
//! // The body as the provider sent it: Anthropic counts cached tokens beside the input.
//! let body = br#"{"model": "claude-sonnet-4-5-20250929", "usage": {"input_tokens": 100,
//!     "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 0, "output_tokens": 50}}"#;
//! let usage = ApiFormat::Anthropic.extract(body)?.usage;
//!
//! let prices = br#"[{"id": "anthropic", "name": "Anthropic", "api_pattern": "", "models": [{
//!     "id": "claude-sonnet-4-5", "match": {"starts_with": "claude-sonnet-4-5"},
//!     "prices": {"input_mtok": 3, "cache_read_mtok": 0.3, "output_mtok": 15}}]}]"#;
//! let prices: PriceList = read_genai_prices(prices, Source::new("our list"))?.list;
//! let context = PriceContext::at("2026-11-27T00:00:00Z".parse()?);
//! let cost = prices.cost("anthropic", "claude-sonnet-4-5-20250929", &usage, &context)?;
//! // 100 at 3, 9,000 at 0.30 and 50 at 15 US dollars per million.
//! assert_eq!(cost.total()?, "0.00375 USD".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - **Cost.** [`ApiFormat`] and [`Extractor`] read [`Usage`] from a body, in one form whatever the provider
//!   counts. A [`PriceList`] finds the [`Price`] of a model in a [`PriceContext`] (when, where, how it is
//!   processed), and a [`Cost`] has a line for each kind of usage, with its rate, source and what had to be
//!   assumed. [`Catalog`] reads the tables of `bursar-catalog`; [`read_genai_prices`] and [`read_litellm`] read
//!   lists that you may have.
//! - **Choice.** A [`Router`] takes a [`RouteRequest`] through the hard constraints, asks a
//!   [`QualityPredictor`] how good each model's answer will be, and lets a [`SelectionPolicy`] order the rest:
//!   [`WeightedScore`], [`CheapestAbove`], [`Learned`], [`Cascade`], and [`CacheAware`] around any of them. The
//!   [`Decision`] lists candidates, parts of scores, rejections with all their reasons, and savings against
//!   the strongest and the best single model, with and without prompt caching. [`Statistics`] of past calls
//!   feed it.
//! - **Asking.** [`ChatRequest`] and [`ChatAnswer`] are one form for all providers, [`ModelClient`] is the port
//!   that adapters implement, [`Invoker`] asks candidates in order.
//! - **Not asking.** [`AnswerCache`] keeps answers by the whole digest of what shapes them and lets equal
//!   requests share a call.
//! - **Asking later.** [`BatchPlanner`] and [`BatchRunner`] make and follow batch jobs over the ports
//!   [`BatchService`] and [`BatchJournal`].
//!
//! # Algorithms and sources
//!
//! | question | how |
//! |---|---|
//! | Which rate for a kind of usage? | The smallest whole with a rate of its own, parts before wholes, as in the units of genai-prices |
//! | Which percentile of a latency? | Bins of logarithmic width, 1.6 % wide at most, as in HdrHistogram |
//! | How good will an answer be? | The gain between models, not the difficulty of a prompt: see `learned` |
//! | When does leaving a warm prompt cache pay? | When the input at the new model, written into its cache once and read from it later, costs less over the expected turns |
//! | When is a cheap stage worth trying first? | When its cost is under what it saves: its acceptance times the cost of all later stages |
//! | When is a call retried? | After throttling alone, with full jitter; everything else falls back or ends |
//!
//! # What it does not do
//!
//! It opens no connection and reads no clock: `bursar-http` asks models over HTTP, `bursar-redis` shares answers
//! between processes. It trains on your outcomes and ships no trained model, since none may be made from
//! public data that may be shipped. It does not compare answers by meaning: two requests are equal when all
//! that shapes their answer is.
//!
//! # Features
//!
//! `conformance`: suites for implementations of the ports, scripted clients and services to test with.
//! `tokenizers`: exact token counts where the tokenizer is public.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod batch;
mod cache;
mod call_estimate;
mod candidate;
mod catalog;
mod chat;
mod client;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod constraint;
mod cost;
mod decaying;
mod decision;
mod entry;
pub mod evaluation;
mod extract;
mod feature;
mod features;
mod format;
mod histogram;
mod import;
mod infer;
mod invocation;
pub mod learned;
mod name;
mod output_length;
mod policy;
mod predictor;
mod price;
mod price_list;
mod price_terms;
mod rates;
mod request;
mod router;
mod statistics;
mod task;
mod tokens;
mod usage;

pub use batch::{
    Answered, BatchError, BatchFormat, BatchJob, BatchJournal, BatchLimits, BatchOffer, BatchPlan,
    BatchPlanner, BatchRecord, BatchRunner, BatchSaving, BatchService, BatchServiceError,
    BatchStatus, Collected, IdError, Ineligibility, Ineligible, JobId, JobReport, JournalError,
    MemoryBatchJournal, NotFinal, PlannedJob, Progress, RecordCounts, RecordError, RecordId,
    Recorded, Recovered, ResultLine, SavingError, Support, TokenRates, UnknownStatus, UnreadLine,
    answer_each,
};
pub use cache::{
    AnswerCache, Bypass, CacheError, CacheKey, CacheKeyError, CachePolicy, CacheRequest,
    CacheScope, CacheStatistics, CachedAnswer, MemoryCache, NotKept, ResponseCache,
    StandardCachePolicy, TenantSharing,
};
pub use call_estimate::{CallRates, CostEstimate};
pub use candidate::{Candidate, CandidateCost, Latency, PredictedQuality, Situation, TokenRange};
pub use catalog::{Catalog, CatalogError, CatalogModel, CatalogProblem, CatalogText};
pub use chat::{
    AnswerBuilder, CachePoint, CacheTtl, CacheUse, ChatAnswer, ChatEvent, ChatRequest,
    ContentBlock, ConverseBody, FinishReason, Image, ImageSource, ImageType, Message, OpenAiBody,
    OutOfRange, Parameters, Role, Saved, SystemBlock, Temperature, TenantId, TenantIdError,
    TokenLimitName, Tool, ToolChoice, ToolResult, ToolUse, TopP, WireError,
};
pub use client::{ChatStream, ClientError, Clock, ErrorClass, ModelClient, Remedy};
pub use constraint::{Constraint, Reason, Rejection, RouteError};
pub use cost::{Assumption, Cost, CostError, CostLine, Provenance, Unpriced};
pub use decision::{Decision, RankedCandidate, Saving, Savings, ShadowChoice};
pub use entry::{ComplexityBonus, ModelEntry, Quality, QualityError};
pub use extract::{ApiFormat, ExtractError, Extracted, Extractor, StreamedUsage};
pub use feature::{Feature, FeatureSet};
pub use features::{Features, SURFACE_NAMES};
pub use histogram::{Histogram, HistogramError};
pub use import::{ImportError, Imported, Skipped, read_genai_prices, read_litellm};
pub use invocation::{
    Attempt, AttemptFailure, CircuitState, InvocationError, InvocationSettings, Invoked,
    InvokedStream, Invoker, ModelRef, ProviderSettings,
};
pub use name::{MAX_NAME, ModelId, NameError, ProviderId, Region};
pub use output_length::{AnswerEnd, OutputLength, OutputLengths};
pub use policy::{
    AnswerCheck, CacheAware, Cascade, CascadePlan, CascadeStage, CascadeStep, CheapestAbove,
    CheckFailure, CheckedAnswer, Exploration, ExplorationError, Learned, Plan, ScorePart, Scored,
    Selection, SelectionPolicy, WeightedScore,
};
pub use predictor::{CatalogQuality, QualityPredictor};
pub use price::{Rate, RateCard, RateCardError, Tier};
pub use price_list::{
    Listing, ModelPrices, NamePattern, NoPrice, PatternError, PriceList, PricedProvider,
};
pub use price_terms::{DailyWindow, Price, PriceContext, Processing, Source, Validity};
pub use rates::{CallShape, RateTier, Rates, RatesError};
pub use request::{
    DEFAULT_MAX_OUTPUT_TOKENS, DEFAULT_TEMPERATURE, Priority, RouteRequest, WarmCache,
};
pub use router::{Conditions, Router};
pub use statistics::{CallOutcome, CallRecord, ModelStatistics, Statistics};
pub use task::{Complexity, TaskType, UnknownTask};
#[cfg(feature = "tokenizers")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokenizers")))]
pub use tokens::ExactTokenizer;
pub use tokens::{
    CalibrationError, CountTokens, FitError, TokenCalibration, TokenEstimate, TokenEstimator,
    TokenFamily, TokenSample, TokenWeights, UnknownFamily, WeightsError,
};
pub use usage::{Direction, Usage, UsageError, UsageKind};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
