//! What can wait, and is therefore cheaper?
//!
//! A [`BatchPlanner`] groups records by their models and says which of them a provider takes as a batch;
//! a [`BatchRunner`] creates the jobs so that a crash creates none twice; results come back in any order
//! and are matched by their records' identities ([`Collected`]), and what a job has not done can be
//! planned again. [`answer_each`] is for the other kind of batch, many questions whose asker waits.

mod id;
mod interactive;
mod job;
mod jsonl;
mod limits;
mod memory;
mod plan;
mod port;
mod results;
mod runner;
mod saving;
mod status;

pub use id::{IdError, JobId, RecordId};
pub use interactive::{Answered, answer_each};
pub use job::{BatchJob, RecordCounts};
pub use jsonl::{BatchFormat, RecordError, ResultLine, UnreadLine};
pub use limits::{BatchLimits, BatchOffer, Support};
pub use memory::MemoryBatchJournal;
pub use plan::{BatchPlan, BatchPlanner, BatchRecord, Ineligibility, Ineligible, PlannedJob};
pub use port::{BatchJournal, BatchService, BatchServiceError, JobReport, JournalError, Recorded};
pub use results::{Collected, NotFinal};
pub use runner::{BatchError, BatchRunner, Recovered};
pub use saving::{BatchSaving, SavingError, TokenRates};
pub use status::{BatchStatus, Progress, UnknownStatus};
