//! Where do records come from, and where are they kept?
//!
//! Two ports. A [`CostSource`] yields the records of one partition (a month of one export, one
//! file, one answer of an API) in batches. A [`CostStore`] keeps partitions: collecting one again
//! replaces it whole, in one transaction. FOCUS has no line id and splits rows lawfully, so rows
//! are never told apart by their columns: a row is (source, partition, ordinal).

use std::fmt;

use async_trait::async_trait;
use jiff::tz::Offset;

use crate::{CostRecord, DateRange};

/// The error of an adapter, kept whole.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Yields the records of one partition of a bill.
#[async_trait]
pub trait CostSource: Send {
    /// The next records, in the order of the source; `None` after the last, however often it is
    /// asked. A batch may be empty; how many records it has is the source's choice, and what
    /// bounds the memory of whoever reads it.
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
///
/// ```
/// use bursar_cost_model::PartitionKey;
///
/// let february = PartitionKey::new("aws-cur/payer-1234", "2024-02");
/// assert_eq!(february.to_string(), "source `aws-cur/payer-1234`, partition `2024-02`");
/// ```
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

impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "source `{}`, partition `{}`",
            self.source, self.partition
        )
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
///
/// ```
/// use bursar_cost_model::{PartitionKey, Scan};
///
/// let february = Scan::within("2024-02-01..2024-03-01".parse()?);
/// assert!(february.includes(&PartitionKey::new("aws-cur", "2024-02")));
///
/// let mut of_one_source = february.clone();
/// of_one_source.source = Some("azure".to_owned());
/// assert!(!of_one_source.includes(&PartitionKey::new("aws-cur", "2024-02")));
/// # Ok::<(), bursar_cost_model::SeriesError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scan {
    /// Only charges that start in these days (UTC); charges without a start are left out.
    pub window: Option<DateRange>,
    /// Only this source.
    pub source: Option<String>,
    /// Only partitions of this name: one if the source is given too, else one of each source.
    pub partition: Option<String>,
}

impl Scan {
    /// The charges that start in these days (UTC).
    #[must_use]
    pub fn within(window: DateRange) -> Scan {
        Scan {
            window: Some(window),
            ..Scan::default()
        }
    }

    /// The records of one partition.
    #[must_use]
    pub fn of_partition(key: &PartitionKey) -> Scan {
        Scan {
            source: Some(key.source.clone()),
            partition: Some(key.partition.clone()),
            ..Scan::default()
        }
    }

    /// Whether records of this partition are wanted.
    #[must_use]
    pub fn includes(&self, key: &PartitionKey) -> bool {
        let wanted = |want: &Option<String>, have: &str| want.as_ref().is_none_or(|w| w == have);
        wanted(&self.source, &key.source) && wanted(&self.partition, &key.partition)
    }

    /// Whether a charge lies in the window: whether it starts, by UTC, on one of its days.
    #[must_use]
    pub fn includes_charge(&self, record: &CostRecord<'_>) -> bool {
        let starts_in = |window: DateRange| {
            let start = record.charge_period.start;
            start.is_some_and(|start| window.contains(Offset::UTC.to_datetime(start).date()))
        };
        self.window.is_none_or(starts_in)
    }
}

/// Keeps billing records by partition.
///
/// An implementation proves itself with `conformance::run` (feature `conformance`).
#[async_trait]
pub trait CostStore: Send + Sync {
    /// Makes a partition hold exactly the records of `records`, in one transaction.
    ///
    /// A reader sees the old partition or the new one, never a mixture, also when the process
    /// ends in the middle. Doing it twice with the same records changes nothing but the revision.
    /// Rows that are alike are all kept. Of two that replace the same partition at once the one
    /// that commits last stays, whole. A future that is dropped half way changes nothing.
    ///
    /// The source may read from this very store, but must not write to it: it would wait for the
    /// transaction that waits for it.
    ///
    /// # Errors
    /// [`StoreError`]; the partition is then as it was.
    async fn replace_partition(
        &self,
        key: &PartitionKey,
        records: &mut dyn CostSource,
    ) -> Result<PartitionInfo, StoreError>;

    /// Forgets a partition and its revision; `false` if there was none.
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
    /// The moment lies between the call and its answer; what is written later is not seen, however
    /// slowly the records are taken. Names are ordered by their bytes.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read. What fails later, among it a value that
    /// cannot be read back ([`StoreError::Corrupt`]), is the `error` of a [`SourceError`].
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
    #[error(
        "{key}, record {ordinal}: the stored {column} `{value}` cannot be read; \
         collect the partition again"
    )]
    Corrupt {
        /// The partition.
        key: PartitionKey,
        /// The record in it, from 0.
        ordinal: u64,
        /// The column.
        column: String,
        /// What is stored.
        value: String,
    },
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn ports_are_object_safe_and_errors_travel_between_threads() {
        fn travels<T: Send + Sync + 'static>() {}
        fn moves<T: Send + 'static>() {}
        travels::<Arc<dyn CostStore>>();
        moves::<Box<dyn CostSource>>();
        travels::<StoreError>();
        travels::<SourceError>();
    }

    #[test]
    fn a_window_takes_charges_by_the_utc_day_of_their_start() {
        let scan = Scan::within("2024-02-01..2024-03-01".parse().unwrap());
        for (start, included) in [
            (Some("2024-01-31T23:59:59.999999999Z"), false),
            (Some("2024-02-01T00:00:00Z"), true),
            (Some("2024-02-29T23:59:59.999999999Z"), true),
            (Some("2024-03-01T00:00:00Z"), false),
            (None, false),
        ] {
            let mut record = CostRecord::new(bursar_units::Currency::USD);
            record.charge_period.start = start.map(|s| s.parse().unwrap());
            assert_eq!(scan.includes_charge(&record), included, "{start:?}");
            assert!(Scan::default().includes_charge(&record));
        }
    }
}
