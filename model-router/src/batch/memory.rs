//! How are jobs remembered in this process?

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{BatchJob, BatchJournal, JobId, JournalError, Recorded};

/// Jobs in the memory of this process: the reference of [`BatchJournal`], for tests. It forgets them when
/// the process ends, which is when a journal is needed.
#[derive(Debug, Default)]
pub struct MemoryBatchJournal {
    jobs: Mutex<BTreeMap<JobId, BatchJob>>,
}

impl MemoryBatchJournal {
    /// Nothing panics while it holds the lock.
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<JobId, BatchJob>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BatchJournal for MemoryBatchJournal {
    async fn record(&self, job: &BatchJob) -> Result<Recorded, JournalError> {
        Ok(match self.jobs().entry(job.id.clone()) {
            Entry::Occupied(known) => Recorded::Known(Box::new(known.get().clone())),
            Entry::Vacant(place) => {
                place.insert(job.clone());
                Recorded::New
            }
        })
    }

    async fn update(&self, job: &BatchJob) -> Result<(), JournalError> {
        match self.jobs().get_mut(&job.id) {
            Some(known) => *known = job.clone(),
            None => {
                let problem = format!("the job `{}` was not recorded; record it first", job.id);
                return Err(JournalError::new(problem));
            }
        }
        Ok(())
    }

    async fn find(&self, id: &JobId) -> Result<Option<BatchJob>, JournalError> {
        Ok(self.jobs().get(id).cloned())
    }

    async fn unfinished(&self) -> Result<Vec<BatchJob>, JournalError> {
        let jobs = self.jobs();
        let open = jobs.values().filter(|job| !job.status.is_final());
        Ok(open.cloned().collect())
    }
}
