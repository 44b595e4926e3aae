//! Which records become which jobs, and which become none?

use std::collections::{BTreeMap, BTreeSet};

use super::{BatchFormat, BatchOffer, RecordId, Support};
use crate::{ChatRequest, ModelId, Priority, WireError};

/// A request that can wait, with the model that was chosen for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BatchRecord {
    /// By what its result is found again.
    pub id: RecordId,
    /// The model that was chosen.
    pub model: ModelId,
    /// What is asked.
    pub request: ChatRequest,
}

/// Knows how models are offered as batches, and makes jobs of records.
///
/// ```
/// use bursar_model_router::{
///     BatchOffer, BatchPlanner, BatchRecord, ChatRequest, Ineligibility, ModelId, Priority, RecordId,
/// };
///
/// let nova = ModelId::new("us.amazon.nova-lite-v1:0")?;
/// let planner = BatchPlanner::new("us-east-1").offer(nova.clone(), BatchOffer::bedrock(["us-east-1"]));
/// let records = (0..20).map(|number| BatchRecord {
///     id: RecordId::from_random(number),
///     model: nova.clone(),
///     request: ChatRequest::user("Summarize this ticket."),
/// });
/// let plan = planner.plan(records.collect(), Priority::Normal);
/// assert!(plan.jobs.is_empty());
/// let reason = Ineligibility::TooFewRecords { records: 20, minimum: 100 };
/// assert!(plan.ineligible.iter().all(|it| it.reason == reason));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct BatchPlanner {
    region: String,
    offers: BTreeMap<ModelId, BatchOffer>,
}

/// Jobs, and the records that are in none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct BatchPlan {
    /// The jobs, by model.
    pub jobs: Vec<PlannedJob>,
    /// The records that cannot be in a job, in the order in which they were given. Ask for them online, or
    /// wait until there are more.
    pub ineligible: Vec<Ineligible>,
}

/// The records of one job.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlannedJob {
    /// The model of all records.
    pub model: ModelId,
    /// The form of the files.
    pub format: BatchFormat,
    /// How urgent the whole is.
    pub priority: Priority,
    /// The records, in the order in which they were given.
    pub records: Vec<BatchRecord>,
}

/// A record that is in no job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ineligible {
    /// The record.
    pub record: BatchRecord,
    /// Why.
    pub reason: Ineligibility,
}

/// Why a record is in no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ineligibility {
    /// The provider sells no batches of the model.
    #[error("`{model}` is not offered as a batch")]
    NoBatch {
        /// The model.
        model: ModelId,
    },
    /// It does, elsewhere.
    #[error("`{model}` is not offered as a batch in `{region}`")]
    Region {
        /// The model.
        model: ModelId,
        /// Where the job would run.
        region: String,
    },
    /// The record has tools, which jobs of this kind refuse.
    #[error("records with tools are refused in batches of `{model}`")]
    Tools {
        /// The model.
        model: ModelId,
    },
    /// Another record before it has the same identity.
    #[error("the identity `{id}` is taken by another record")]
    DuplicateId {
        /// The identity.
        id: RecordId,
    },
    /// It cannot be written.
    #[error("the record cannot be written: {0}")]
    Wire(#[source] WireError),
    /// It is too large by itself.
    #[error("the record has {bytes} bytes, and {limit} is the most")]
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// There are not enough records for a job of the model.
    #[error(
        "{records} records are too few for a job, which has {minimum} at least; ask online, or wait for more"
    )]
    TooFewRecords {
        /// How many there are.
        records: usize,
        /// The fewest.
        minimum: usize,
    },
}

impl BatchPlanner {
    /// A planner for jobs in this region, which knows no model. For providers without regions it does not
    /// matter what it is.
    pub fn new(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            offers: BTreeMap::new(),
        }
    }

    /// With a model that is offered as a batch.
    #[must_use]
    pub fn offer(mut self, model: ModelId, offer: BatchOffer) -> Self {
        self.offers.insert(model, offer);
        self
    }

    /// Makes jobs of records: one for each model, or several where one takes no more.
    pub fn plan(&self, records: Vec<BatchRecord>, priority: Priority) -> BatchPlan {
        let mut groups: BTreeMap<ModelId, Vec<Sized>> = BTreeMap::new();
        let mut ineligible = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for (place, record) in records.into_iter().enumerate() {
            match self.size(&record, &mut ids) {
                Ok(bytes) => groups.entry(record.model.clone()).or_default().push(Sized {
                    place,
                    bytes,
                    record,
                }),
                Err(reason) => {
                    ineligible.insert(place, Ineligible { record, reason });
                }
            }
        }
        let mut jobs = Vec::new();
        for (model, group) in groups {
            let Some(offer) = self.offers.get(&model) else {
                continue;
            };
            let (parts, rest) = cut(group, offer);
            let job = |records: Vec<Sized>| PlannedJob {
                model: model.clone(),
                format: offer.format,
                priority,
                records: records.into_iter().map(|it| it.record).collect(),
            };
            jobs.extend(parts.into_iter().map(job));
            let reason = Ineligibility::TooFewRecords {
                records: rest.len(),
                minimum: offer.limits.min_records,
            };
            for Sized { place, record, .. } in rest {
                let reason = reason.clone();
                ineligible.insert(place, Ineligible { record, reason });
            }
        }
        BatchPlan {
            jobs,
            ineligible: ineligible.into_values().collect(),
        }
    }

    /// The bytes that a record takes in a file, or why it cannot be in one.
    fn size(
        &self,
        record: &BatchRecord,
        ids: &mut BTreeSet<RecordId>,
    ) -> Result<u64, Ineligibility> {
        let model = || record.model.clone();
        let offer = self.offers.get(&record.model);
        let offer = offer.ok_or_else(|| Ineligibility::NoBatch { model: model() })?;
        let elsewhere = offer
            .regions
            .as_ref()
            .is_some_and(|it| !it.contains(&self.region));
        if elsewhere {
            let region = self.region.clone();
            return Err(Ineligibility::Region {
                model: model(),
                region,
            });
        }
        if offer.tools == Support::Unsupported && !record.request.tools.is_empty() {
            return Err(Ineligibility::Tools { model: model() });
        }
        let line = offer
            .format
            .write_record(record)
            .map_err(Ineligibility::Wire)?;
        let bytes = line.len() as u64;
        let limit = offer.limits.max_record_bytes.unwrap_or(u64::MAX);
        let limit = limit.min(offer.limits.max_bytes);
        if bytes > limit {
            return Err(Ineligibility::TooLarge { bytes, limit });
        }
        // Only a record that can be in a job takes its identity.
        if !ids.insert(record.id.clone()) {
            let id = record.id.clone();
            return Err(Ineligibility::DuplicateId { id });
        }
        Ok(bytes)
    }
}

/// A record with its place among all, and its bytes.
struct Sized {
    place: usize,
    bytes: u64,
    record: BatchRecord,
}

/// Cuts a group into parts that each fit a job, and a rest that is too small for one.
///
/// Parts are filled in order. When the last one is too small, records of the part before it move over as
/// far as both keep within the limits.
fn cut(group: Vec<Sized>, offer: &BatchOffer) -> (Vec<Vec<Sized>>, Vec<Sized>) {
    let limits = &offer.limits;
    let mut parts: Vec<Vec<Sized>> = Vec::new();
    let mut bytes = 0_u64;
    for record in group {
        let sum = bytes.saturating_add(record.bytes);
        match parts.last_mut() {
            Some(part) if part.len() < limits.max_records && sum <= limits.max_bytes => {
                bytes = sum;
                part.push(record);
            }
            _ => {
                bytes = record.bytes;
                parts.push(vec![record]);
            }
        }
    }
    if let [.., before, last] = parts.as_mut_slice() {
        let missing = limits.min_records.saturating_sub(last.len());
        let kept = before.len().saturating_sub(missing);
        let moved: u64 = before[kept..].iter().map(|it| it.bytes).sum();
        if kept >= limits.min_records && bytes.saturating_add(moved) <= limits.max_bytes {
            let mut moved = before.split_off(kept);
            moved.append(last);
            *last = moved;
        }
    }
    // With large records any part may be too small.
    let (jobs, small): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .partition(|part| part.len() >= limits.min_records);
    (jobs, small.into_iter().flatten().collect())
}

impl PlannedJob {
    /// The job's input file.
    ///
    /// # Errors
    /// [`WireError`] if a record cannot be written; a [planned](BatchPlanner::plan) one can.
    pub fn to_jsonl(&self) -> Result<Vec<u8>, WireError> {
        let lines = self
            .records
            .iter()
            .map(|record| self.format.write_record(record));
        let lines: Result<Vec<String>, _> = lines.collect();
        Ok(lines?.concat().into_bytes())
    }
}
