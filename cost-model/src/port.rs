//! Where do records come from, and where are they kept?
//!
//! Two ports. A [`CostSource`] yields the records of one partition (a month of one export, one
//! file, one answer of an API) in batches. A [`CostStore`] keeps partitions: collecting one again
//! replaces it whole, in one transaction. FOCUS has no line id and splits rows lawfully, so rows
//! are never told apart by their columns: a row is (source, partition, ordinal).

use async_trait::async_trait;

use crate::{CostRecord, DateRange};

/// The error of an adapter, kept whole.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Yields the records of one partition of a bill.
#[async_trait]
pub trait CostSource: Send {
    /// The next records, in the order of the source; `None` after the last.
    ///
    /// # Errors
    /// [`SourceError`] when the source fails: what came before is not the whole partition, and a
    /// store must not commit it.
    async fn next_batch(&mut self) -> Result<Option<Vec<CostRecord<'static>>>, SourceError>;
}

/// A source failed in the middle of a partition.
#[derive(Debug, thiserror::Error)]
#[error("the source failed after {records} records: {error}")]
#[non_exhaustive]
pub struct SourceError {
    /// How many records had been delivered.
    pub records: u64,
    /// What failed.
    #[source]
    pub error: BoxError,
}

impl SourceError {
    /// A source failed after it had delivered so many records.
    #[must_use]
    pub fn new(records: u64, error: impl Into<BoxError>) -> SourceError {
        SourceError {
            records,
            error: error.into(),
        }
    }
}

/// Which part of which source: the unit that is collected, replaced and counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PartitionKey {
    /// The export, account or API: `aws-cur/payer-1234`.
    pub source: String,
    /// The part of it that is collected in one go: `2024-02`, or a file's name.
    pub partition: String,
}

impl PartitionKey {
    /// The partition of this source.
    #[must_use]
    pub fn new(source: impl Into<String>, partition: impl Into<String>) -> PartitionKey {
        PartitionKey {
            source: source.into(),
            partition: partition.into(),
        }
    }
}

/// What a store holds of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PartitionInfo {
    /// Which partition.
    pub key: PartitionKey,
    /// How many records it has.
    pub records: u64,
    /// How often it has been collected: 1 after the first time.
    pub revision: u64,
}

impl PartitionInfo {
    /// What a store holds of this partition.
    #[must_use]
    pub fn new(key: PartitionKey, records: u64, revision: u64) -> PartitionInfo {
        PartitionInfo {
            key,
            records,
            revision,
        }
    }
}

/// Which records a scan yields; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scan {
    /// Only charges that start in these days (UTC); charges without a start are left out.
    pub window: Option<DateRange>,
    /// Only this source.
    pub source: Option<String>,
    /// Only this partition of it.
    pub partition: Option<String>,
}

/// Keeps billing records by partition.
#[async_trait]
pub trait CostStore: Send + Sync {
    /// Makes a partition hold exactly the records of `records`, in one transaction.
    ///
    /// A reader sees the old partition or the new one, never a mixture, also when the process
    /// ends in the middle. Doing it twice with the same records changes nothing but the revision.
    ///
    /// # Errors
    /// [`StoreError`]; the partition is then as it was.
    async fn replace_partition(
        &self,
        key: &PartitionKey,
        records: &mut dyn CostSource,
    ) -> Result<PartitionInfo, StoreError>;

    /// Forgets a partition; `false` if there was none.
    ///
    /// # Errors
    /// [`StoreError`]; the partition is then as it was.
    async fn remove_partition(&self, key: &PartitionKey) -> Result<bool, StoreError>;

    /// What the store holds, by source and partition.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    async fn partitions(&self) -> Result<Vec<PartitionInfo>, StoreError>;

    /// The records of a scan, ordered by source, partition and ordinal, as of one moment.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    async fn scan(&self, scan: &Scan) -> Result<Box<dyn CostSource>, StoreError>;
}

/// Why a store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The records could not be had; the store is as it was.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store itself failed.
    #[error("the store failed: {0}")]
    Store(#[source] BoxError),
    /// A stored value cannot be read back.
    #[error("{partition}, record {ordinal}: stored {column} `{value}` cannot be read")]
    Corrupt {
        /// The partition.
        partition: String,
        /// The record in it, from 0.
        ordinal: u64,
        /// The column.
        column: String,
        /// What is stored.
        value: String,
    },
}
