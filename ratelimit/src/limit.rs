//! Which quota holds for whom? One limit: a quota per key of a dimension, with its exceptions.

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;

use crate::gcra::Gcra;
use crate::name::{Dimension, DimensionRole, Unit, UnitRole};
use crate::quota::Quota;

/// A quota for every key of a dimension, counted in a unit.
///
/// ```
/// use bursar_ratelimit::{Dimension, Limit, OnFailure, Rate, Unit};
///
/// let tokens = Limit::new(
///     "key-tokens",
///     Dimension::API_KEY,
///     Unit::TOKENS,
///     Rate::per_minute(100_000)?,
/// )
/// .tier("enterprise", Rate::per_minute(2_000_000)?)
/// .key("key-of-the-load-test", Rate::per_minute(1_000)?)
/// .on_failure(OnFailure::Closed);
/// assert_eq!(tokens.quota_of("any", None), &Rate::per_minute(100_000)?.into());
/// assert_eq!(tokens.quota_of("any", Some("enterprise")), &Rate::per_minute(2_000_000)?.into());
/// # Ok::<(), bursar_ratelimit::QuotaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Limit {
    name: Box<str>,
    dimension: Dimension,
    unit: Unit,
    dimension_role: DimensionRole,
    unit_role: UnitRole,
    quota: Quota,
    tiers: HashMap<Box<str>, Quota, FixedState>,
    keys: HashMap<Box<str>, Quota, FixedState>,
    enforcement: Enforcement,
    absence: Absence,
    on_failure: OnFailure,
    near_percent: u8,
    seed: u64,
}

/// Whether a limit refuses, or only counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Enforcement {
    /// A request that does not fit is refused.
    #[default]
    Enforced,
    /// A request that does not fit passes, takes nothing from this limit and is reported, so that a
    /// limit can be tried before it hurts.
    Shadow,
}

/// What a request without this limit's dimension, or without a cost in its unit, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Absence {
    /// An error: a limit must not be passed by by leaving something out.
    #[default]
    Error,
    /// The limit does not apply.
    Skip,
}

/// What a limit does when its store cannot decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnFailure {
    /// Lets pass and counts nothing: the caller's work matters more than the limit.
    Open,
    /// Refuses: the limit matters more than the caller's work.
    #[default]
    Closed,
    /// Counts in this process alone, with the quota divided by the number of instances, so that all
    /// of them together stay within the quota.
    Local {
        /// How many instances share the quota; zero counts as one.
        instances: u32,
    },
}

impl Limit {
    /// A limit of `quota` for each key of `dimension`, counted in `unit`.
    ///
    /// The name is the limit's identity: a limit of the same name in a later set takes over the state,
    /// whatever its quota.
    #[must_use]
    pub fn new(
        name: impl Into<Box<str>>,
        dimension: Dimension,
        unit: Unit,
        quota: impl Into<Quota>,
    ) -> Self {
        let name = name.into();
        Self {
            seed: FixedState::with_seed(0x6275_7273_6172).hash_one(&*name),
            name,
            dimension_role: dimension.role(),
            unit_role: unit.role(),
            dimension,
            unit,
            quota: quota.into(),
            tiers: HashMap::default(),
            keys: HashMap::default(),
            enforcement: Enforcement::Enforced,
            absence: Absence::Error,
            on_failure: OnFailure::Closed,
            near_percent: 80,
        }
    }

    /// Another quota for requests of a tier (a plan of the customer).
    #[must_use]
    pub fn tier(mut self, tier: impl Into<Box<str>>, quota: impl Into<Quota>) -> Self {
        self.tiers.insert(tier.into(), quota.into());
        self
    }

    /// Another quota for one key, before any tier.
    #[must_use]
    pub fn key(mut self, key: impl Into<Box<str>>, quota: impl Into<Quota>) -> Self {
        self.keys.insert(key.into(), quota.into());
        self
    }

    /// Counts and reports, never refuses.
    #[must_use]
    pub fn shadow(mut self) -> Self {
        self.enforcement = Enforcement::Shadow;
        self
    }

    /// Does not apply to requests that lack the dimension or a cost in the unit.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.absence = Absence::Skip;
        self
    }

    /// What happens when the store cannot decide; [`OnFailure::Closed`] unless said otherwise.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// From how much use on, in percent of the quota, a status is
    /// [near](crate::Status::is_near) its limit; 80 unless said otherwise.
    #[must_use]
    pub fn near_percent(mut self, percent: u8) -> Self {
        self.near_percent = percent;
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the keys are.
    #[must_use]
    pub const fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// What is counted.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether it refuses.
    #[must_use]
    pub const fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// What a request that leaves something out means.
    #[must_use]
    pub const fn absence(&self) -> Absence {
        self.absence
    }

    /// What happens when the store cannot decide.
    #[must_use]
    pub const fn failure_policy(&self) -> OnFailure {
        self.on_failure
    }

    /// From how much use on a status is near, in percent.
    #[must_use]
    pub const fn near_threshold(&self) -> u8 {
        self.near_percent
    }

    /// The quota without tier or exception.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// The quotas of tiers, in no order.
    pub fn tiers(&self) -> impl Iterator<Item = (&str, &Quota)> {
        self.tiers.iter().map(|(tier, quota)| (&**tier, quota))
    }

    /// The quotas of single keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Quota)> {
        self.keys.iter().map(|(key, quota)| (&**key, quota))
    }

    /// The quota of a key: its own, or its tier's, or the limit's.
    #[inline]
    #[must_use]
    pub fn quota_of(&self, key: &str, tier: Option<&str>) -> &Quota {
        if !self.keys.is_empty()
            && let Some(quota) = self.keys.get(key)
        {
            return quota;
        }
        match tier {
            Some(tier) if !self.tiers.is_empty() => self.tiers.get(tier).unwrap_or(&self.quota),
            _ => &self.quota,
        }
    }

    /// The limit as requests under `key` may find it: every tier's quota and the key's own, without
    /// those of other keys, and each as `part` says.
    pub(crate) fn of_key(&self, key: &str, part: impl Fn(&Quota) -> Quota) -> Self {
        let mut limit = Self::new(self.name(), self.dimension, self.unit, part(&self.quota))
            .on_failure(self.on_failure)
            .near_percent(self.near_percent);
        for (tier, quota) in &self.tiers {
            limit = limit.tier(tier.clone(), part(quota));
        }
        match self.keys.get(key) {
            Some(quota) => limit.key(key, part(quota)),
            None => limit,
        }
    }

    pub(crate) fn has_tiers(&self) -> bool {
        !self.tiers.is_empty()
    }

    /// Whether a request under `key` may come under this rate, whatever its tier.
    pub(crate) fn may_have(&self, key: &str, rate: &Gcra) -> bool {
        let same = |quota: &Quota| matches!(quota, Quota::Rate(own) if own.gcra() == rate);
        match self.keys.get(key) {
            Some(quota) => same(quota),
            None => same(&self.quota) || self.tiers.values().any(same),
        }
    }

    pub(crate) const fn dimension_role(&self) -> DimensionRole {
        self.dimension_role
    }

    pub(crate) const fn unit_role(&self) -> UnitRole {
        self.unit_role
    }

    /// A number that stands for the name, so that no name is hashed in a decision.
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }
}
