//! When may Intelligent-Tiering archive what nobody reads?

use super::lifecycle::LifecycleError;

/// The days that Intelligent-Tiering allows for its archive tiers. Source: Amazon S3 API,
/// `PutBucketIntelligentTieringConfiguration`, which refuses others.
const MIN_ARCHIVE_DAYS: u32 = 90;
const MIN_DEEP_ARCHIVE_DAYS: u32 = 180;
const MAX_ARCHIVE_DAYS: u32 = 730;

/// When Intelligent-Tiering archives objects that nobody reads.
///
/// It concerns only objects that are already in the class, and none under 128 KiB.
///
/// ```
/// use bursar_cost_model::storage::IntelligentTiering;
///
/// let tiering = IntelligentTiering::new("all", "", Some(90), Some(180))?;
/// assert_eq!(tiering.archive_after_days(), Some(90));
/// let error = IntelligentTiering::new("all", "", Some(60), None);
/// assert_eq!(
///     error.map_err(|e| e.to_string()),
///     Err("archive access after 60 days: the service takes 90 to 730".to_owned()),
/// );
/// # Ok::<(), bursar_cost_model::storage::LifecycleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct IntelligentTiering {
    id: String,
    prefix: String,
    archive_after_days: Option<u32>,
    deep_archive_after_days: Option<u32>,
}

impl IntelligentTiering {
    /// A configuration for all keys that begin so.
    ///
    /// # Errors
    /// [`LifecycleError::TieringDays`] outside of what the service takes: 90 to 730 days for
    /// archive access, 180 to 730 for deep archive access, the second later than the first.
    pub fn new(
        id: impl Into<String>,
        prefix: impl Into<String>,
        archive_after_days: Option<u32>,
        deep_archive_after_days: Option<u32>,
    ) -> Result<IntelligentTiering, LifecycleError> {
        let within = |tier, days: Option<u32>, least: u32| match days {
            Some(days) if !(least..=MAX_ARCHIVE_DAYS).contains(&days) => {
                Err(LifecycleError::TieringDays { tier, days, least })
            }
            _ => Ok(()),
        };
        within("archive access", archive_after_days, MIN_ARCHIVE_DAYS)?;
        let least = archive_after_days.map_or(0, |days| days.saturating_add(1));
        within(
            "deep archive access",
            deep_archive_after_days,
            least.max(MIN_DEEP_ARCHIVE_DAYS),
        )?;
        Ok(IntelligentTiering {
            id: id.into(),
            prefix: prefix.into(),
            archive_after_days,
            deep_archive_after_days,
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Days without a read before archive access.
    #[must_use]
    pub fn archive_after_days(&self) -> Option<u32> {
        self.archive_after_days
    }

    /// Days without a read before deep archive access.
    #[must_use]
    pub fn deep_archive_after_days(&self) -> Option<u32> {
        self.deep_archive_after_days
    }
}
