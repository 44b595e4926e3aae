//! How is a job created once, whatever happens in between?

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    BatchJob, BatchJournal, BatchService, BatchServiceError, BatchStatus, Collected, JobId,
    JournalError, NotFinal, PlannedJob, Recorded,
};
use crate::WireError;

/// Creates jobs and follows them to their end.
///
/// A job is written down under its identity before the service hears of it, and the service gets that
/// identity along. Whoever finds a job that is written down but not known to be created asks the service
/// for it first. So a crash at any point leaves one job or none, never two: [`BatchRunner::recover`] after
/// a start finds out. One process at a time should recover, and submit under one identity, where the
/// service does not look at tokens.
#[derive(Clone)]
pub struct BatchRunner {
    service: Arc<dyn BatchService>,
    journal: Arc<dyn BatchJournal>,
}

impl fmt::Debug for BatchRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchRunner").finish_non_exhaustive()
    }
}

/// Why a job could not be created, followed or collected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The journal failed. Before the creation of a job nothing was created; after it, recovering finds
    /// the job.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The service failed.
    #[error(transparent)]
    Service(#[from] BatchServiceError),
    /// A record cannot be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The job goes on.
    #[error(transparent)]
    NotFinal(#[from] NotFinal),
    /// The job is written down for other records.
    #[error(
        "the job `{id}` is written down for {recorded} records of `{model}`, and these are others; take another id"
    )]
    OtherJob {
        /// The job.
        id: JobId,
        /// How many records it has.
        recorded: usize,
        /// Its model.
        model: crate::ModelId,
    },
}

/// What became of a job that was written down and not known to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// The service has it: the crash came after the creation.
    Found(BatchJob),
    /// The service had not heard of it, and has created it now from the input that was uploaded.
    Created(BatchJob),
    /// The service has not heard of it, and its input was not uploaded: submit the same records under the
    /// same identity again.
    NeedsInput(BatchJob),
    /// The service refuses it.
    Refused(BatchJob),
}

impl BatchRunner {
    /// One that runs jobs on a service and writes them down in a journal.
    #[must_use]
    pub fn new(service: Arc<dyn BatchService>, journal: Arc<dyn BatchJournal>) -> Self {
        Self { service, journal }
    }

    /// Creates a job, or goes on with its creation, or says how far it is if it is created already. The
    /// identity comes from random bits or from whoever wants to submit the same again.
    ///
    /// # Errors
    /// [`BatchError`]. Submitting again under the same identity is always safe.
    pub async fn submit(
        &self,
        planned: &PlannedJob,
        id: JobId,
        now: Timestamp,
    ) -> Result<BatchJob, BatchError> {
        let fresh = BatchJob::new(id, planned, now);
        let mut job = match self.journal.record(&fresh).await? {
            Recorded::New => fresh,
            Recorded::Known(known) => {
                let mut job = known.for_records_of(planned)?;
                if job.service_id.is_some()
                    || job.status.is_final()
                    || self.is_found(&mut job).await?
                {
                    return Ok(job);
                }
                job
            }
        };
        if job.input.is_none() {
            let uploaded = self.service.upload(&job, planned.to_jsonl()?).await;
            job.input = Some(self.unless_refused(&mut job, uploaded).await?);
            self.journal.update(&job).await?;
        }
        self.create(&mut job).await?;
        Ok(job)
    }

    /// Finds out about every job that is written down and not known to be created.
    ///
    /// # Errors
    /// [`BatchError`] when the journal or the service fails; what was found out before is written down.
    pub async fn recover(&self) -> Result<Vec<Recovered>, BatchError> {
        let mut recovered = Vec::new();
        for mut job in self.journal.unfinished().await? {
            if job.service_id.is_some() {
                continue;
            }
            recovered.push(if self.is_found(&mut job).await? {
                Recovered::Found(job)
            } else if job.input.is_none() {
                Recovered::NeedsInput(job)
            } else {
                match self.create(&mut job).await {
                    Ok(()) => Recovered::Created(job),
                    Err(BatchError::Service(BatchServiceError::Refused { .. })) => {
                        Recovered::Refused(job)
                    }
                    Err(error) => return Err(error),
                }
            });
        }
        Ok(recovered)
    }

    /// Asks the service how far a job is and writes down what is new.
    ///
    /// # Errors
    /// [`BatchError`] when the journal or the service fails.
    pub async fn poll(&self, job: &mut BatchJob) -> Result<BatchStatus, BatchError> {
        if let (Some(service_id), false) = (&job.service_id, job.status.is_final()) {
            let report = self.service.report(service_id).await?;
            let before = job.clone();
            let _progress = job.advance(report);
            if *job != before {
                self.journal.update(job).await?;
            }
        }
        Ok(job.status)
    }

    /// Asks the service to stop a job. What it has done until then is billed and can be collected.
    ///
    /// # Errors
    /// [`BatchError`] when the service fails.
    pub async fn stop(&self, job: &BatchJob) -> Result<(), BatchError> {
        if let (Some(service_id), false) = (&job.service_id, job.status.is_final()) {
            self.service.stop(service_id).await?;
        }
        Ok(())
    }

    /// The results of a job that has ended, and which of its records can be planned again.
    ///
    /// # Errors
    /// [`BatchError::NotFinal`] while the job goes on, and others when the service fails.
    pub async fn collect(
        &self,
        job: &BatchJob,
        planned: &PlannedJob,
    ) -> Result<Collected, BatchError> {
        let file = match (&job.service_id, job.status.is_final()) {
            (Some(_), true) => self.service.results(job).await?,
            _ => Vec::new(),
        };
        Ok(Collected::new(job, planned, &file)?)
    }

    /// Whether the service has the job, which is then written down.
    async fn is_found(&self, job: &mut BatchJob) -> Result<bool, BatchError> {
        job.service_id = self.service.find(&job.id).await?;
        if job.service_id.is_some() {
            self.journal.update(job).await?;
        }
        Ok(job.service_id.is_some())
    }

    async fn create(&self, job: &mut BatchJob) -> Result<(), BatchError> {
        let created = self.service.create(job).await;
        job.service_id = Some(self.unless_refused(job, created).await?);
        self.journal.update(job).await?;
        Ok(())
    }

    /// A job that the service refuses has ended, and is not created by recovering.
    async fn unless_refused<T>(
        &self,
        job: &mut BatchJob,
        result: Result<T, BatchServiceError>,
    ) -> Result<T, BatchError> {
        if let Err(BatchServiceError::Refused { message }) = &result {
            job.status = BatchStatus::Failed;
            job.message = Some(message.clone());
            self.journal.update(job).await?;
        }
        Ok(result?)
    }
}

impl BatchJob {
    /// The job, if it was written down for these records.
    fn for_records_of(self, planned: &PlannedJob) -> Result<Self, BatchError> {
        if self.model == planned.model && self.n_records == planned.records.len() {
            return Ok(self);
        }
        Err(BatchError::OtherJob {
            id: self.id,
            recorded: self.n_records,
            model: self.model,
        })
    }
}
