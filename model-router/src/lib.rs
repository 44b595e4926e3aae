//! Which model answers this request, at what cost?
//!
//! Pure logic: a catalog, a request and statistics in, a decision out. No network, no clock, no runtime.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod batch;
mod cache;
mod chat;
mod client;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod format;
mod invocation;
mod name;
mod task;
mod usage;

pub use batch::{
    Answered, BatchError, BatchFormat, BatchJob, BatchJournal, BatchLimits, BatchOffer, BatchPlan,
    BatchPlanner, BatchRecord, BatchRunner, BatchSaving, BatchService, BatchServiceError,
    BatchStatus, Collected, IdError, Ineligibility, Ineligible, JobId, JobReport, JournalError,
    MemoryBatchJournal, NotFinal, PlannedJob, Priority, Progress, RecordCounts, RecordError,
    RecordId, Recorded, Recovered, ResultLine, SavingError, Support, TokenRates, UnknownStatus,
    UnreadLine, answer_each,
};
pub use cache::{
    AnswerCache, Bypass, CacheError, CacheKey, CacheKeyError, CachePolicy, CacheRequest,
    CacheScope, CacheStatistics, CachedAnswer, MemoryCache, NotKept, ResponseCache,
    StandardCachePolicy, TenantSharing,
};
pub use chat::{
    AnswerBuilder, CachePoint, CacheTtl, CacheUse, ChatAnswer, ChatEvent, ChatRequest,
    ContentBlock, ConverseBody, FinishReason, Image, ImageSource, ImageType, Message, OpenAiBody,
    OutOfRange, Parameters, Role, Saved, SystemBlock, Temperature, TenantId, TenantIdError,
    TokenLimitName, Tool, ToolChoice, ToolResult, ToolUse, TopP, WireError,
};
pub use client::{ChatStream, ClientError, Clock, ErrorClass, ModelClient, Remedy};
pub use invocation::{
    Attempt, AttemptFailure, Candidate, CircuitState, InvocationError, InvocationSettings, Invoked,
    InvokedStream, Invoker, ProviderSettings,
};
pub use name::{MAX_NAME, ModelId, NameError, ProviderId};
pub use task::{Complexity, TaskType, UnknownTask};
pub use usage::{Usage, UsageKind};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
