//! What is known of a job?

use jiff::Timestamp;

use super::{BatchFormat, BatchStatus, JobId, JobReport, PlannedJob, Progress};
use crate::ModelId;
use crate::Priority;
use crate::format::Format;

/// A job, from before it is created until it has ended: what a [journal](super::BatchJournal) keeps.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct BatchJob {
    format_version: Format<1>,
    /// Its identity, which is the token by which the service tells a repeated creation from a second one.
    pub id: JobId,
    /// The model of all its records.
    pub model: ModelId,
    /// The form of its files.
    pub format: BatchFormat,
    /// How urgent it is.
    pub priority: Priority,
    /// How many records it has.
    pub n_records: usize,
    /// After how many hours the service gives it up: 24 unless said otherwise. Bedrock takes 24 to 168,
    /// OpenAI 24.
    pub timeout_hours: u32,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Where its input file is, once that was uploaded.
    pub input: Option<String>,
    /// How the service calls it, once it is known to be created: Bedrock's ARN, OpenAI's `batch_…`.
    pub service_id: Option<String>,
    /// How far it is.
    pub status: BatchStatus,
    /// How many records are done, if the service says so.
    pub counts: Option<RecordCounts>,
    /// What the service says about it.
    pub message: Option<String>,
}

/// How many of a job's records are done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordCounts {
    /// All of them.
    pub total: u64,
    /// Those with an answer.
    pub succeeded: u64,
    /// Those that failed.
    pub failed: u64,
}

impl BatchJob {
    /// A job that is about to be created.
    #[must_use]
    pub fn new(id: JobId, planned: &PlannedJob, now: Timestamp) -> Self {
        Self {
            format_version: Format,
            id,
            model: planned.model.clone(),
            format: planned.format,
            priority: planned.priority,
            n_records: planned.records.len(),
            timeout_hours: 24,
            recorded_at: now,
            input: None,
            service_id: None,
            status: BatchStatus::Submitted,
            counts: None,
            message: None,
        }
    }

    /// With another time after which the service gives it up.
    #[must_use]
    pub const fn timeout_hours(mut self, hours: u32) -> Self {
        self.timeout_hours = hours;
        self
    }

    /// Takes over what the service reports, unless it is older than what is known.
    pub fn advance(&mut self, report: JobReport) -> Progress {
        let progress = self.status.progress_to(report.status);
        match progress {
            Progress::Advanced | Progress::Same => {
                self.status = report.status;
                self.counts = report.counts.or(self.counts);
                self.message = report.message.or(self.message.take());
            }
            Progress::Stale | Progress::Contradiction => {}
        }
        progress
    }
}
