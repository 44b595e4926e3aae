//! How does a store of records behave, shown without a disk?
//!
//! [`MemoryStore`] is the reference implementation of [`CostStore`]: what other stores do must
//! look the same. [`RecordsSource`] turns records that are already there into a [`CostSource`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    CostRecord, CostSource, CostStore, PartitionInfo, PartitionKey, Scan, SourceError, StoreError,
};

/// How many records travel together: enough that handing them over costs nothing beside reading
/// them, few enough that a batch of wide rows stays below a few megabytes.
pub(crate) const BATCH_RECORDS: usize = 1024;

/// Keeps partitions in memory; gone when it is dropped.
///
/// ```
/// use bursar_cost_model::{CostRecord, CostSource, CostStore, MemoryStore, PartitionKey,
///     RecordsSource, Scan};
/// use bursar_units::Currency;
///
/// # futures_executor::block_on(async {
/// let mut record = CostRecord::new(Currency::USD);
/// record.billed_cost = Some("119.81".parse()?);
///
/// let store = MemoryStore::new();
/// let february = PartitionKey::new("aws-cur/payer-1234", "2024-02");
/// store.replace_partition(&february, &mut RecordsSource::new([record.clone()])).await?;
/// let info = store.replace_partition(&february, &mut RecordsSource::new([record.clone()])).await?;
/// assert_eq!((info.records, info.revision), (1, 2));
///
/// let mut scan = store.scan(&Scan::default()).await?;
/// assert_eq!(scan.next_batch().await?, Some(vec![record]));
/// assert_eq!(scan.next_batch().await?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Default)]
pub struct MemoryStore {
    partitions: Mutex<BTreeMap<PartitionKey, Stored>>,
}

/// One partition as it was last collected; scans share its records.
#[derive(Clone)]
struct Stored {
    revision: u64,
    records: Arc<[CostRecord<'static>]>,
}

impl MemoryStore {
    /// A store that holds nothing.
    #[must_use]
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// The map changes by single insertions and removals, so that a panic of another thread
    /// leaves it whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PartitionKey, Stored>> {
        self.partitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, key: &PartitionKey, records: Arc<[CostRecord<'static>]>) -> PartitionInfo {
        let count = records.len() as u64;
        let revision = match self.lock().entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry
                    .insert(Stored {
                        revision: 1,
                        records,
                    })
                    .revision
            }
            Entry::Occupied(mut entry) => {
                let stored = entry.get_mut();
                stored.revision = stored.revision.saturating_add(1);
                stored.records = records;
                stored.revision
            }
        };
        PartitionInfo::new(key.clone(), count, revision)
    }
}

#[async_trait]
impl CostStore for MemoryStore {
    async fn replace_partition(
        &self,
        key: &PartitionKey,
        records: &mut dyn CostSource,
    ) -> Result<PartitionInfo, StoreError> {
        let mut gathered = Vec::new();
        while let Some(mut batch) = records.next_batch().await? {
            gathered.append(&mut batch);
        }
        Ok(self.commit(key, gathered.into()))
    }

    async fn remove_partition(&self, key: &PartitionKey) -> Result<bool, StoreError> {
        Ok(self.lock().remove(key).is_some())
    }

    async fn partitions(&self) -> Result<Vec<PartitionInfo>, StoreError> {
        let info = |(key, stored): (&PartitionKey, &Stored)| {
            PartitionInfo::new(key.clone(), stored.records.len() as u64, stored.revision)
        };
        Ok(self.lock().iter().map(info).collect())
    }

    async fn scan(&self, scan: &Scan) -> Result<Box<dyn CostSource>, StoreError> {
        let partitions = self.lock();
        let wanted = partitions.iter().filter(|(key, _)| scan.includes(key));
        let snapshot: Vec<_> = wanted.map(|(_, stored)| stored.records.clone()).collect();
        let scan = scan.clone();
        let records = snapshot.into_iter().flat_map(move |records| {
            let scan = scan.clone();
            (0..records.len())
                .filter_map(move |at| records.get(at).filter(|r| scan.includes_charge(r)).cloned())
        });
        Ok(Box::new(RecordsSource::new(records)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = |(key, stored): (&PartitionKey, &Stored)| (key.clone(), stored.records.len());
        let partitions: BTreeMap<_, _> = self.lock().iter().map(counts).collect();
        f.debug_struct("MemoryStore")
            .field("partitions", &partitions)
            .finish()
    }
}

/// Yields records that are already there, in batches of 1024.
///
/// ```
/// use bursar_cost_model::{CostRecord, CostSource, RecordsSource};
/// use bursar_units::Currency;
///
/// # futures_executor::block_on(async {
/// let mut source = RecordsSource::new(vec![CostRecord::new(Currency::USD); 1500]);
/// assert_eq!(source.next_batch().await?.map(|batch| batch.len()), Some(1024));
/// assert_eq!(source.next_batch().await?.map(|batch| batch.len()), Some(476));
/// assert_eq!(source.next_batch().await?, None);
/// # Ok::<(), bursar_cost_model::SourceError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct RecordsSource<I> {
    records: std::iter::Fuse<I>,
}

impl<I: Iterator<Item = CostRecord<'static>>> RecordsSource<I> {
    /// The records of a vector, an array or an iterator.
    #[must_use]
    pub fn new(records: impl IntoIterator<IntoIter = I>) -> RecordsSource<I> {
        RecordsSource {
            records: records.into_iter().fuse(),
        }
    }
}

#[async_trait]
impl<I: Iterator<Item = CostRecord<'static>> + Send> CostSource for RecordsSource<I> {
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError> {
        let batch: Vec<_> = self.records.by_ref().take(BATCH_RECORDS).collect();
        Ok((!batch.is_empty()).then_some(batch))
    }
}

impl<I> fmt::Debug for RecordsSource<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordsSource").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_contract_of_a_store() {
        futures_executor::block_on(crate::conformance::run(async || MemoryStore::new()));
    }
}
