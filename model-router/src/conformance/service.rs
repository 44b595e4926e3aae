//! Who runs batch jobs in a test?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{BatchJob, BatchService, BatchServiceError, BatchStatus, JobId, JobReport};

/// A service whose jobs end when and how the test says. Clones are the same service.
#[derive(Debug, Clone, Default)]
pub struct SimulatedBatchService {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    inputs: BTreeMap<String, Vec<u8>>,
    jobs: BTreeMap<String, Job>,
    ignores_tokens: bool,
    refusal: Option<String>,
    loses_next: bool,
}

#[derive(Debug)]
struct Job {
    token: JobId,
    input: Vec<u8>,
    status: BatchStatus,
    results: Vec<u8>,
}

impl SimulatedBatchService {
    /// A service that makes another job when it is asked again with the same token, as OpenAI does.
    #[must_use]
    pub fn ignoring_tokens() -> Self {
        let service = Self::default();
        service.state().ignores_tokens = true;
        service
    }

    /// Refuses every creation from now on.
    pub fn refuse(&self, message: &str) {
        self.state().refusal = Some(message.to_owned());
    }

    /// Creates the next job, but says that it failed: the answer was lost on its way.
    pub fn lose_next_creation(&self) {
        self.state().loses_next = true;
    }

    /// How many jobs were created.
    #[must_use]
    pub fn n_jobs(&self) -> usize {
        self.state().jobs.len()
    }

    /// The input file that a job was created with.
    #[must_use]
    pub fn input(&self, service_id: &str) -> Option<Vec<u8>> {
        self.state()
            .jobs
            .get(service_id)
            .map(|job| job.input.clone())
    }

    /// Lets a job come this far, with these results.
    pub fn come_to(&self, service_id: &str, status: BatchStatus, results: impl Into<Vec<u8>>) {
        if let Some(job) = self.state().jobs.get_mut(service_id) {
            job.status = status;
            job.results = results.into();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(service_id: &str) -> BatchServiceError {
    BatchServiceError::refused(format!("there is no job `{service_id}`"))
}

#[async_trait]
impl BatchService for SimulatedBatchService {
    async fn upload(&self, job: &BatchJob, input: Vec<u8>) -> Result<String, BatchServiceError> {
        let place = format!("memory:{}", job.id);
        self.state().inputs.insert(place.clone(), input);
        Ok(place)
    }

    async fn create(&self, job: &BatchJob) -> Result<String, BatchServiceError> {
        let mut state = self.state();
        if let Some(message) = &state.refusal {
            return Err(BatchServiceError::refused(message));
        }
        let place = job.input.as_deref().unwrap_or_default();
        let Some(input) = state.inputs.get(place).cloned() else {
            return Err(BatchServiceError::refused(format!(
                "there is nothing at `{place}`"
            )));
        };
        let known = state.jobs.iter().find(|(_, known)| known.token == job.id);
        if let (Some((service_id, _)), false) = (known, state.ignores_tokens) {
            return Ok(service_id.clone());
        }
        let service_id = format!("batch-{}", state.jobs.len());
        let created = Job {
            token: job.id.clone(),
            input,
            status: BatchStatus::Submitted,
            results: Vec::new(),
        };
        state.jobs.insert(service_id.clone(), created);
        if std::mem::take(&mut state.loses_next) {
            return Err(BatchServiceError::unclear("the connection was lost"));
        }
        Ok(service_id)
    }

    async fn find(&self, token: &JobId) -> Result<Option<String>, BatchServiceError> {
        let state = self.state();
        let found = state.jobs.iter().find(|(_, job)| job.token == *token);
        Ok(found.map(|(service_id, _)| service_id.clone()))
    }

    async fn report(&self, service_id: &str) -> Result<JobReport, BatchServiceError> {
        let state = self.state();
        let job = state
            .jobs
            .get(service_id)
            .ok_or_else(|| unknown(service_id))?;
        Ok(JobReport {
            status: job.status,
            counts: None,
            message: None,
        })
    }

    async fn stop(&self, service_id: &str) -> Result<(), BatchServiceError> {
        let mut state = self.state();
        let job = state
            .jobs
            .get_mut(service_id)
            .ok_or_else(|| unknown(service_id))?;
        if !job.status.is_final() {
            job.status = BatchStatus::Stopping;
        }
        Ok(())
    }

    async fn results(&self, job: &BatchJob) -> Result<Vec<u8>, BatchServiceError> {
        let service_id = job.service_id.as_deref().unwrap_or_default();
        let state = self.state();
        let job = state
            .jobs
            .get(service_id)
            .ok_or_else(|| unknown(service_id))?;
        Ok(job.results.clone())
    }
}
