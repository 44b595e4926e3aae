//! What has a job brought, and what is left to do?

use std::collections::{BTreeMap, BTreeSet};

use super::{BatchJob, BatchRecord, BatchStatus, PlannedJob, RecordError, RecordId, UnreadLine};
use crate::ChatAnswer;

/// A job has not ended, so that what is missing may still come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the job is {status}: collect it when it has ended")]
pub struct NotFinal {
    /// How far it is.
    pub status: BatchStatus,
}

/// What a job that has ended has brought, matched by the records' identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// The answers.
    pub answers: BTreeMap<RecordId, ChatAnswer>,
    /// The records that failed.
    pub errors: BTreeMap<RecordId, RecordError>,
    /// The records about which nothing was written, in the order in which they were given.
    pub missing: Vec<RecordId>,
    /// Results of records that are not the job's.
    pub foreign: Vec<RecordId>,
    /// Records with more than one result; the first answer counts.
    pub repeated: BTreeSet<RecordId>,
    /// Lines that are no results.
    pub unread: Vec<UnreadLine>,
}

impl Collected {
    /// Matches the results of a job with its records.
    ///
    /// # Errors
    /// [`NotFinal`] while the job goes on.
    pub fn new(job: &BatchJob, planned: &PlannedJob, file: &[u8]) -> Result<Self, NotFinal> {
        if !job.status.is_final() {
            let status = job.status;
            return Err(NotFinal { status });
        }
        let known: BTreeSet<_> = planned.records.iter().map(|record| &record.id).collect();
        let mut collected = Self::default();
        for line in job.format.read_results(&job.model, file) {
            match line {
                Err(unread) => collected.unread.push(unread),
                Ok(line) if !known.contains(&line.record_id) => {
                    collected.foreign.push(line.record_id);
                }
                Ok(line) => collected.add(job, line.record_id, line.result),
            }
        }
        let ids = planned.records.iter().map(|record| &record.id);
        let missing = ids.filter(|id| !collected.has(id)).cloned();
        collected.missing = missing.collect();
        Ok(collected)
    }

    fn has(&self, id: &RecordId) -> bool {
        self.answers.contains_key(id) || self.errors.contains_key(id)
    }

    /// An answer is worth more than an error, and the first of each more than further ones.
    fn add(&mut self, job: &BatchJob, id: RecordId, result: Result<ChatAnswer, RecordError>) {
        if self.has(&id) {
            self.repeated.insert(id.clone());
        }
        match result {
            Ok(mut answer) => {
                answer.batch_job = Some(job.id.clone());
                self.errors.remove(&id);
                self.answers.entry(id).or_insert(answer);
            }
            Err(error) if !self.answers.contains_key(&id) => {
                self.errors.entry(id).or_insert(error);
            }
            Err(_) => {}
        }
    }

    /// The records to plan again: those without a result, and those whose error may pass, in the order in
    /// which they were given. There may be too few of them for another job.
    #[must_use]
    pub fn rest(&self, planned: &PlannedJob) -> Vec<BatchRecord> {
        let again = |record: &&BatchRecord| match self.errors.get(&record.id) {
            Some(error) => error.is_transient(),
            None => !self.answers.contains_key(&record.id),
        };
        planned.records.iter().filter(again).cloned().collect()
    }
}
