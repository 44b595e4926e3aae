//! What of the storage is too big, of the wrong kind, or kept where it is dear, and what is done?
//!
//! A [`StoragePlan`] looks at described [volumes](Volume), [buckets](Bucket) and
//! [log files](LogFile), and says what to change and what that saves. Every amount follows from
//! sizes and prices; where a size or a price is missing, the saving is unknown and the plan says
//! why.
//!
//! ```
//! use bursar_cost_model::storage::{StorageInputs, StoragePlan, Volume, VolumeMethod};
//! use bursar_cost_model::{Percent, VolumeInventory, VolumeType};
//!
//! let mut volume = Volume::new("vol-0a1b", VolumeInventory::new(VolumeType::Gp2, 500));
//! volume.used = Some(Percent::new(10.0)?);
//! let mut inputs = StorageInputs::new("2026-11-27".parse()?);
//! inputs.volumes.push(volume);
//!
//! let plan = StoragePlan::new(&inputs)?;
//! let advice = &plan.volumes[0];
//! // 500 GiB × (10 % + 20 %), as gp3 with the 250 MiB/s that the gp2 volume has.
//! assert_eq!((advice.to.size_gib, advice.to.volume_type), (150, VolumeType::Gp3));
//! assert_eq!(advice.method, VolumeMethod::CopyToNew);
//! // 500 × 0.10 against 150 × 0.08 + 125 × 0.04.
//! assert_eq!(plan.monthly_saving.to_string(), "33 USD");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - [`VolumeAdvice`] changes type and size of a volume as one action, and keeps what the volume
//!   does. A volume cannot shrink in place: a smaller one is a copy, and the advice says so.
//! - [`LifecycleMerge`] adds rules to the ones a bucket has. The API replaces all rules at once, so
//!   the merge has all of them, unchanged; what contradicts an existing rule is reported and not
//!   added.
//! - [`ArchivePlan`] names the log files to be moved and [`ArchiveMachine`] leads one file through
//!   it, so that at every moment either the original or a verified copy is there.
//! - Gigabytes of prices are 2³⁰ bytes, as the provider counts them.
//!
//! # Sources
//!
//! Prices of `us-east-1`: reference outputs of Infracost (`internal/providers/terraform/aws/testdata`,
//! Apache-2.0), read in November 2026. Limits of volumes: Amazon EBS User Guide. Rules of
//! lifecycles and of Intelligent-Tiering: Amazon S3 User Guide and the service description in
//! botocore. The places that use them say which.
//!
//! # What it does not do
//!
//! It reads no metrics and calls nothing: descriptions come in, a plan goes out. It does not weigh
//! snapshots (they share blocks), unattached volumes (see
//! [`Opportunities`](crate::Opportunities)), nor versions of objects.

mod archive;
mod bucket;
mod lifecycle;
mod logs;
mod merge;
mod prices;
mod render;
mod tiering;
mod volume;

use bursar_units::{Currency, Money, MoneyError};
use jiff::civil::Date;
use rust_decimal::Decimal;

pub use self::archive::{
    ArchiveCommand, ArchiveEvent, ArchiveMachine, ArchiveState, ArchiveStep, Fingerprint,
};
pub use self::bucket::{AgeBand, Bucket, BucketAdvice, ObjectGroup, RuleSaving};
pub use self::lifecycle::{
    LifecycleError, LifecycleFilter, LifecycleRule, StorageClass, Transition,
};
pub use self::logs::{
    ArchiveItem, ArchivePlan, ArchiveSettings, LogFile, LogFolder, SkipReason, SkippedFile,
};
pub use self::merge::{LifecycleConflict, LifecycleMerge, MAX_LIFECYCLE_RULES, RuleConflict};
pub use self::prices::{ClassPrices, EbsPrices, S3Prices};
pub use self::tiering::IntelligentTiering;
pub use self::volume::{
    KeptVolume, Volume, VolumeAdvice, VolumeFinding, VolumeMethod, VolumeShape,
};
use crate::ExactError;

/// All that a [`StoragePlan`] is made of.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StorageInputs {
    /// The day from which ages are counted.
    pub today: Date,
    /// Block volumes.
    pub volumes: Vec<Volume>,
    /// What they cost.
    pub ebs_prices: EbsPrices,
    /// Buckets.
    pub buckets: Vec<Bucket>,
    /// The rules that every bucket should have; at first those for `logs/` and for incomplete
    /// uploads.
    pub lifecycle: Vec<LifecycleRule>,
    /// What objects cost.
    pub s3_prices: S3Prices,
    /// Folders with log files on volumes.
    pub log_folders: Vec<LogFolder>,
    /// How log files are archived.
    pub archive: ArchiveSettings,
}

impl StorageInputs {
    /// Nothing yet, at the prices of `us-east-1`.
    #[must_use]
    pub fn new(today: Date) -> StorageInputs {
        StorageInputs {
            today,
            volumes: Vec::new(),
            ebs_prices: EbsPrices::us_east_1(),
            buckets: Vec::new(),
            lifecycle: vec![LifecycleRule::logs(), LifecycleRule::abort_uploads()],
            s3_prices: S3Prices::us_east_1(),
            log_folders: Vec::new(),
            archive: ArchiveSettings::default(),
        }
    }
}

/// What is done about storage, and what it saves.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StoragePlan {
    /// How many volumes were looked at.
    pub volumes_analyzed: usize,
    /// What is done with volumes, the greatest saving first.
    pub volumes: Vec<VolumeAdvice>,
    /// Volumes that stay as they are, and why.
    pub kept_volumes: Vec<KeptVolume>,
    /// The rules of each bucket.
    pub buckets: Vec<BucketAdvice>,
    /// The files of each folder.
    pub logs: Vec<ArchivePlan>,
    /// What is saved a month, as far as it is known.
    pub monthly_saving: Money,
    /// Twelve months of it.
    pub annual_saving: Money,
    /// What is paid once: transitions of objects and uploads of files.
    pub one_off_cost: Money,
    /// How many actions save an amount that is not known, and is not in the sums.
    pub unknown_savings: usize,
}

impl StoragePlan {
    /// The plan for what was described.
    ///
    /// # Errors
    /// [`StorageError`] names the volume, the rule or the amount at fault.
    pub fn new(inputs: &StorageInputs) -> Result<StoragePlan, StorageError> {
        let mut plan = StoragePlan::empty(inputs.ebs_prices.currency());
        plan.volumes_analyzed = inputs.volumes.len();
        for volume in &inputs.volumes {
            match volume.advise(&inputs.ebs_prices)? {
                VolumeFinding::Advised(advice) => plan.volumes.push(*advice),
                VolumeFinding::Kept(kept) => plan.kept_volumes.push(kept),
            }
        }
        // All amounts are of the currency of the prices.
        plan.volumes.sort_by(|a, b| {
            let saving = |advice: &VolumeAdvice| advice.monthly_saving.amount();
            saving(b).cmp(&saving(a)).then_with(|| a.id.cmp(&b.id))
        });
        for bucket in &inputs.buckets {
            let advice = bucket.advise(&inputs.lifecycle, &inputs.s3_prices)?;
            plan.buckets.push(advice);
        }
        for folder in &inputs.log_folders {
            plan.logs.push(folder.plan(&inputs.archive, inputs.today)?);
        }
        plan.add_up()?;
        Ok(plan)
    }

    fn empty(currency: Currency) -> StoragePlan {
        StoragePlan {
            volumes_analyzed: 0,
            volumes: Vec::new(),
            kept_volumes: Vec::new(),
            buckets: Vec::new(),
            logs: Vec::new(),
            monthly_saving: Money::zero(currency),
            annual_saving: Money::zero(currency),
            one_off_cost: Money::zero(currency),
            unknown_savings: 0,
        }
    }

    fn add_up(&mut self) -> Result<(), StorageError> {
        let mut monthly = self.monthly_saving;
        for advice in &self.volumes {
            monthly = monthly.checked_add(advice.monthly_saving)?;
        }
        for advice in &self.buckets {
            monthly = monthly.checked_add(advice.monthly_saving)?;
            self.unknown_savings += advice.unknown_savings;
            self.one_off_cost = self.one_off_cost.checked_add(advice.transition_cost)?;
        }
        for plan in &self.logs {
            match plan.monthly_saving {
                Some(saving) => monthly = monthly.checked_add(saving)?,
                None => self.unknown_savings += 1,
            }
            self.one_off_cost = self.one_off_cost.checked_add(plan.upload_cost)?;
        }
        self.monthly_saving = monthly;
        self.annual_saving = self.monthly_saving.checked_mul(Decimal::from(12))?;
        Ok(())
    }
}

/// Why there is no storage plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No volume has such a size.
    #[error("volume `{id}` of {size_gib} GiB: a volume has 1 to 65,536 GiB")]
    VolumeSize {
        /// Its id.
        id: String,
        /// Its size as given.
        size_gib: u32,
    },
    /// A bucket has the ages of its objects out of order.
    #[error(
        "bucket `{bucket}`, prefix `{prefix}`: the age of {from_days} days is not over the one before"
    )]
    AgeOrder {
        /// The bucket.
        bucket: String,
        /// The prefix of the group.
        prefix: String,
        /// The age at fault.
        from_days: u32,
    },
    /// More bytes are said to be compressed away than there are.
    #[error(
        "the expected compression ratio is {0}: give how many times smaller files become, 1 or more"
    )]
    Ratio(Decimal),
    /// A lifecycle rule that the service would refuse, or that makes no sense.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// An amount cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A price of volumes cannot be kept.
    #[error(transparent)]
    Exact(#[from] ExactError),
}
