//! What do lifecycle rules save on the objects of a bucket?

use bursar_units::{Money, MoneyError};
use rust_decimal::{Decimal, RoundingStrategy};

use super::lifecycle::{LifecycleRule, StorageClass};
use super::merge::LifecycleMerge;
use super::prices::{by_gigabyte, by_thousand};
use super::{S3Prices, StorageError};

/// Places of the months after which a move has paid for itself.
const PAYBACK_PLACES: u32 = 1;

/// A bucket as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The rules that it has, all of them.
    pub lifecycle: Vec<LifecycleRule>,
    /// Its objects in S3 Standard, by prefix; a prefix is in one group only. Where there is no
    /// group, nothing is known of them.
    pub groups: Vec<ObjectGroup>,
    /// Bytes of uploads that were never completed, which no listing shows; `None` when nobody
    /// counted.
    pub incomplete_upload_bytes: Option<u64>,
}

impl Bucket {
    /// A bucket without rules, of whose objects nothing is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Bucket {
        Bucket {
            name: name.into(),
            ..Bucket::default()
        }
    }

    /// The rules that it should have, and what they save.
    ///
    /// Each object is weighed in the class that its present age leads to, at the price of that
    /// class with its overhead per object, less what reading costs there. A rule that is known to
    /// cost more than it saves is not added.
    ///
    /// # Errors
    /// [`StorageError::AgeOrder`], a wanted rule that would be refused, amounts out of range.
    pub fn advise(
        &self,
        wanted: &[LifecycleRule],
        prices: &S3Prices,
    ) -> Result<BucketAdvice, StorageError> {
        self.check_ages()?;
        let mut worthwhile = Vec::new();
        let mut savings = Vec::new();
        let mut not_worthwhile = Vec::new();
        for rule in wanted {
            let saving = RuleSaving::of(rule, self, prices)?;
            if saving
                .monthly_saving
                .is_some_and(|money| money.is_negative())
            {
                not_worthwhile.push(saving);
            } else {
                worthwhile.push(rule.clone());
                savings.push(saving);
            }
        }
        let merge = LifecycleMerge::new(&self.lifecycle, &worthwhile)?;
        savings.retain(|saving| merge.added.contains(&saving.rule));
        let mut monthly_saving = Money::zero(prices.currency());
        let mut transition_cost = Money::zero(prices.currency());
        let mut unknown_savings = 0;
        for saving in &savings {
            match saving.monthly_saving {
                Some(part) => monthly_saving = monthly_saving.checked_add(part)?,
                None => unknown_savings += 1,
            }
            transition_cost = transition_cost.checked_add(saving.transition_cost)?;
        }
        Ok(BucketAdvice {
            bucket: self.name.clone(),
            merge,
            savings,
            not_worthwhile,
            payback_months: payback(monthly_saving, transition_cost)?,
            monthly_saving,
            unknown_savings,
            transition_cost,
        })
    }

    /// A month of incomplete uploads, which are charged as S3 Standard.
    fn uploads_cost(&self, prices: &S3Prices) -> Result<Option<Money>, MoneyError> {
        let standard = prices.classes.get(&StorageClass::Standard);
        match (standard, self.incomplete_upload_bytes) {
            (Some(standard), Some(bytes)) => by_gigabyte(standard.storage_gb, bytes).map(Some),
            _ => Ok(None),
        }
    }

    fn check_ages(&self) -> Result<(), StorageError> {
        for group in &self.groups {
            for pair in group.ages.windows(2) {
                if let [young, old] = pair
                    && old.from_days <= young.from_days
                {
                    return Err(StorageError::AgeOrder {
                        bucket: self.name.clone(),
                        prefix: group.prefix.clone(),
                        from_days: old.from_days,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The objects of S3 Standard under one prefix, as Storage Lens or an inventory tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ObjectGroup {
    /// What their keys begin with.
    pub prefix: String,
    /// Objects of 128 KiB and more by age, the youngest first.
    pub ages: Vec<AgeBand>,
    /// Bytes of smaller objects, which do not move.
    pub small_bytes: u64,
}

/// Objects of at least an age, and under that of the next band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AgeBand {
    /// Their least age in days.
    pub from_days: u32,
    /// How many there are.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many bytes of them are read in a month; `None` when nobody counted.
    pub read_bytes_per_month: Option<u64>,
}

/// The rules that a bucket should have, and what they save.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BucketAdvice {
    /// Its name.
    pub bucket: String,
    /// All rules, and what could not be added.
    pub merge: LifecycleMerge,
    /// What each added rule saves.
    pub savings: Vec<RuleSaving>,
    /// Rules that would cost more than they save, and are not added.
    pub not_worthwhile: Vec<RuleSaving>,
    /// What is saved a month on the objects that are there now, as far as it is known.
    pub monthly_saving: Money,
    /// How many added rules save an amount that is not known, and is not in it.
    pub unknown_savings: usize,
    /// What moving these objects costs once.
    pub transition_cost: Money,
    /// After how many months that is paid back, rounded up to one place; `None` when nothing is
    /// known to be saved.
    #[cfg_attr(feature = "serde", serde(with = "rust_decimal::serde::str_option"))]
    pub payback_months: Option<Decimal>,
}

/// What one rule saves on the objects that are there now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RuleSaving {
    /// The name of the rule.
    pub rule: String,
    /// How many objects move.
    pub objects: u64,
    /// Bytes that move.
    pub bytes: u64,
    /// Bytes of objects under 128 KiB, which stay.
    pub small_bytes: u64,
    /// What storing costs less a month, with the overhead of archived objects; `None` when a class
    /// has no known price.
    pub storage_saving: Option<Money>,
    /// What reading costs more a month; `None` when it is not known how much is read.
    pub retrieval_cost: Option<Money>,
    /// The first less the second.
    pub monthly_saving: Option<Money>,
    /// What the moves cost once.
    pub transition_cost: Money,
}

impl RuleSaving {
    fn of(
        rule: &LifecycleRule,
        bucket: &Bucket,
        prices: &S3Prices,
    ) -> Result<RuleSaving, MoneyError> {
        let zero = Money::zero(prices.currency());
        let mut saving = RuleSaving {
            rule: rule.id.clone(),
            objects: 0,
            bytes: 0,
            small_bytes: 0,
            storage_saving: Some(zero),
            retrieval_cost: Some(zero),
            monthly_saving: None,
            transition_cost: zero,
        };
        if rule.abort_uploads_after_days.is_some() {
            saving.storage_saving = bucket.uploads_cost(prices)?;
        }
        let moves = !rule.transitions.is_empty();
        if moves && bucket.groups.is_empty() {
            saving.storage_saving = None;
        }
        for group in bucket.groups.iter().filter(|_| moves) {
            if group.prefix.starts_with(&rule.filter.prefix) {
                saving.add_group(rule, group, prices)?;
            } else if rule.filter.prefix.starts_with(&group.prefix) {
                // Which objects of the group the rule concerns, nobody said.
                saving.storage_saving = None;
            }
        }
        saving.monthly_saving = match (saving.storage_saving, saving.retrieval_cost) {
            (Some(stored), Some(read)) => Some(stored.checked_sub(read)?),
            _ => None,
        };
        Ok(saving)
    }

    fn add_group(
        &mut self,
        rule: &LifecycleRule,
        group: &ObjectGroup,
        prices: &S3Prices,
    ) -> Result<(), MoneyError> {
        self.small_bytes = self.small_bytes.saturating_add(group.small_bytes);
        let filter = &rule.filter;
        let by_prefix_alone =
            filter.tags.is_empty() && filter.larger_than.is_none() && filter.smaller_than.is_none();
        for band in &group.ages {
            let reached = |t: &&super::Transition| t.after_days <= band.from_days;
            let Some(class) = rule.transitions.iter().rfind(reached).map(|t| t.class) else {
                continue;
            };
            if !by_prefix_alone {
                self.storage_saving = None;
                continue;
            }
            self.add_band(band, class, prices)?;
        }
        Ok(())
    }

    fn add_band(
        &mut self,
        band: &AgeBand,
        class: StorageClass,
        prices: &S3Prices,
    ) -> Result<(), MoneyError> {
        self.objects = self.objects.saturating_add(band.objects);
        self.bytes = self.bytes.saturating_add(band.bytes);
        let standard = prices.classes.get(&StorageClass::Standard);
        let (Some(standard), Some(class_prices)) = (standard, prices.classes.get(&class)) else {
            self.storage_saving = None;
            return Ok(());
        };
        let (own, index) = class.overhead_bytes();
        let own = band.bytes.saturating_add(own.saturating_mul(band.objects));
        let index = index.saturating_mul(band.objects);
        let mut after = by_gigabyte(class_prices.storage_gb, own)?
            .checked_add(by_gigabyte(standard.storage_gb, index)?)?;
        if class == StorageClass::IntelligentTiering {
            after = after.checked_add(by_thousand(prices.monitoring_per_1000, band.objects)?)?;
        }
        let less = by_gigabyte(standard.storage_gb, band.bytes)?.checked_sub(after)?;
        self.storage_saving = match self.storage_saving {
            Some(sum) => Some(sum.checked_add(less)?),
            None => None,
        };
        self.add_retrieval(band, class_prices.retrieval_gb)?;
        let moved = by_thousand(class_prices.transition_per_1000, band.objects)?;
        self.transition_cost = self.transition_cost.checked_add(moved)?;
        Ok(())
    }

    fn add_retrieval(&mut self, band: &AgeBand, price: Money) -> Result<(), MoneyError> {
        if price.is_zero() {
            return Ok(());
        }
        self.retrieval_cost = match (self.retrieval_cost, band.read_bytes_per_month) {
            (Some(sum), Some(read)) => Some(sum.checked_add(by_gigabyte(price, read)?)?),
            _ => None,
        };
        Ok(())
    }
}

/// Months after which the saving has paid what was paid once.
fn payback(saving: Money, once: Money) -> Result<Option<Decimal>, MoneyError> {
    if saving.is_zero() || saving.is_negative() {
        return Ok(None);
    }
    let months = once.ratio_to(&saving)?;
    let up = RoundingStrategy::AwayFromZero;
    Ok(Some(months.round_dp_with_strategy(PAYBACK_PLACES, up)))
}
