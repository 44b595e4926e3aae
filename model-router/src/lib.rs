//! Which model answers this request, at what cost?
//!
//! Pure logic: a catalog, a request and statistics in, a decision out. No network, no clock, no runtime.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod batch;
mod cache;
mod candidate;
mod catalog;
mod chat;
mod client;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod constraint;
mod cost;
mod decision;
mod entry;
mod extract;
mod feature;
mod format;
mod histogram;
mod import;
mod infer;
mod invocation;
mod name;
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
pub use histogram::{Histogram, HistogramError};
pub use import::{ImportError, Imported, Skipped, read_genai_prices, read_litellm};
pub use invocation::{
    Attempt, AttemptFailure, CircuitState, InvocationError, InvocationSettings, Invoked,
    InvokedStream, Invoker, ModelRef, ProviderSettings,
};
pub use name::{MAX_NAME, ModelId, NameError, ProviderId, Region};
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
pub use usage::{Direction, Usage, UsageError, UsageKind};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
