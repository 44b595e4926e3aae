//! Who runs jobs, and who remembers them?

use std::error::Error;

use async_trait::async_trait;

use super::{BatchJob, BatchStatus, JobId, RecordCounts};

/// Runs batch jobs: Bedrock, OpenAI and the like.
#[async_trait]
pub trait BatchService: Send + Sync {
    /// Uploads a job's input file and says where it is. Again for the same job replaces the file, or makes
    /// another one that nobody is billed for.
    ///
    /// # Errors
    /// [`BatchServiceError`].
    async fn upload(&self, job: &BatchJob, input: Vec<u8>) -> Result<String, BatchServiceError>;

    /// Creates a job whose [input](BatchJob::input) was uploaded, and says how the service calls it. The
    /// job's [id](BatchJob::id) goes along: as `clientRequestToken` and in the name to Bedrock, which
    /// answers a second creation with the first job, and as metadata to OpenAI, which does not.
    ///
    /// # Errors
    /// [`BatchServiceError::Refused`] if no job was created, [`BatchServiceError::Unclear`] if one may
    /// have been.
    async fn create(&self, job: &BatchJob) -> Result<String, BatchServiceError>;

    /// How the service calls the job that was created with this token, if one was. Services that cannot
    /// be asked by token list their latest jobs.
    ///
    /// # Errors
    /// [`BatchServiceError`].
    async fn find(&self, token: &JobId) -> Result<Option<String>, BatchServiceError>;

    /// How far a job is.
    ///
    /// # Errors
    /// [`BatchServiceError`], also for a status that is not known.
    async fn report(&self, service_id: &str) -> Result<JobReport, BatchServiceError>;

    /// Asks for a job to be stopped. One that has ended stays as it is.
    ///
    /// # Errors
    /// [`BatchServiceError`].
    async fn stop(&self, service_id: &str) -> Result<(), BatchServiceError>;

    /// What a job that has ended has written: all files of results and of errors, one after the other.
    /// Nothing if it has written nothing.
    ///
    /// # Errors
    /// [`BatchServiceError`].
    async fn results(&self, job: &BatchJob) -> Result<Vec<u8>, BatchServiceError>;
}

/// What a service says about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobReport {
    /// How far it is.
    pub status: BatchStatus,
    /// How many records are done.
    pub counts: Option<RecordCounts>,
    /// In words.
    pub message: Option<String>,
}

/// A service failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchServiceError {
    /// It does not do what was asked, and will not when asked again.
    #[error("the batch service refused: {message}")]
    Refused {
        /// Its words.
        message: String,
    },
    /// It is not known whether it has done what was asked.
    #[error("the batch service failed, and what was asked may have been done: {source}")]
    Unclear {
        /// What failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl BatchServiceError {
    /// A refusal.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused {
            message: message.into(),
        }
    }

    /// A failure.
    pub fn unclear(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unclear {
            source: source.into(),
        }
    }
}

/// Remembers jobs across crashes. What a call has returned from is durable.
#[async_trait]
pub trait BatchJournal: Send + Sync {
    /// Writes a job down before it is created, unless one of its id is written down already. Of those who
    /// do it at once for one id, one is the first.
    ///
    /// # Errors
    /// [`JournalError`]: the job may be written down or not.
    async fn record(&self, job: &BatchJob) -> Result<Recorded, JournalError>;

    /// Writes down what is known of a recorded job now.
    ///
    /// # Errors
    /// [`JournalError`]: the old or the new is written down, whole. Also if the job was not recorded.
    async fn update(&self, job: &BatchJob) -> Result<(), JournalError>;

    /// A job, if it was recorded.
    ///
    /// # Errors
    /// [`JournalError`].
    async fn find(&self, id: &JobId) -> Result<Option<BatchJob>, JournalError>;

    /// The jobs that have not ended, by id.
    ///
    /// # Errors
    /// [`JournalError`].
    async fn unfinished(&self) -> Result<Vec<BatchJob>, JournalError>;
}

/// What became of a job that was to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Recorded {
    /// It is written down now.
    New,
    /// It was before, and has come as far as this.
    Known(Box<BatchJob>),
}

/// A journal failed.
#[derive(Debug, thiserror::Error)]
#[error("the journal of batch jobs failed: {source}")]
#[non_exhaustive]
pub struct JournalError {
    /// What failed.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl JournalError {
    /// A journal failed for this reason.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}
