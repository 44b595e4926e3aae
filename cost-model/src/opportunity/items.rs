//! What did each resource cost, in bounded memory and whatever the order of the rows?

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use super::{ComputeFamily, VolumeType};
use crate::{Exact, ExactError, ExactSum};

/// Spend that one action can change and another can change too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SpendClass {
    /// Machines at on-demand prices.
    OnDemand(ComputeFamily),
    /// Machines at dynamic prices.
    Spot(ComputeFamily),
    /// Machines that a commitment covers.
    Covered(ComputeFamily),
    Volume(VolumeType),
    VolumePerformance,
    /// Objects in the class that is meant for what is read often.
    ObjectStorage,
    Snapshot,
    IdleAddress,
    Balancer,
    LlmOnDemand,
    LlmBatch,
}

impl SpendClass {
    /// Machines, whatever their price.
    pub(super) fn is_machine(self) -> bool {
        match self {
            SpendClass::OnDemand(family)
            | SpendClass::Spot(family)
            | SpendClass::Covered(family) => family.is_machines(),
            _ => false,
        }
    }

    /// Machines whose cost goes when they do; a commitment is paid with or without them.
    pub(super) fn is_uncovered_machine(self) -> bool {
        self.is_machine() && !matches!(self, SpendClass::Covered(_))
    }

    pub(super) fn is_volume(self) -> bool {
        matches!(self, SpendClass::Volume(_) | SpendClass::VolumePerformance)
    }
}

/// One resource's spend of one class.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) class: SpendClass,
    pub(super) id: Box<str>,
    pub(super) cost: ExactSum,
    /// Of volumes: GB-months.
    pub(super) quantity: ExactSum,
    /// Of volumes: where they are.
    pub(super) region: Option<Box<str>>,
    /// Of load balancers: whether they did anything.
    pub(super) active: bool,
    hash: u64,
}

/// What one row adds to an item.
#[derive(Debug, Default)]
pub(super) struct Share<'a> {
    pub(super) cost: Exact,
    pub(super) quantity: Exact,
    pub(super) region: Option<&'a str>,
    pub(super) active: bool,
}

/// The spend by resource.
///
/// Above the limit, half of the resources are let go at a time: those whose hash has one more
/// leading bit set. Which are kept depends on the set of resources alone, so that rows in any
/// order and parts in any order lead to the same items; the costs of the others are kept as
/// one sum by class.
#[derive(Debug, Clone)]
pub(super) struct Items {
    table: HashTable<Item>,
    limit: usize,
    /// Items are kept whose hash starts with so many zero bits.
    level: u32,
    loose: BTreeMap<SpendClass, ExactSum>,
}

impl Items {
    pub(super) fn new(limit: usize) -> Items {
        Items {
            table: HashTable::new(),
            limit,
            level: 0,
            loose: BTreeMap::new(),
        }
    }

    #[inline]
    pub(super) fn add(
        &mut self,
        class: SpendClass,
        id: Option<&str>,
        share: &Share<'_>,
    ) -> Result<(), ExactError> {
        let Some(id) = id else {
            return self.loose.entry(class).or_default().add(share.cost);
        };
        let hash = FixedState::default().hash_one((class, id));
        if !self.keeps(hash) {
            return self.loose.entry(class).or_default().add(share.cost);
        }
        let same = |item: &Item| item.class == class && *item.id == *id;
        match self.table.find_mut(hash, same) {
            Some(item) => item.add(share),
            None => {
                let mut item = Item::new(class, id, hash);
                item.add(share)?;
                self.table.insert_unique(hash, item, |item| item.hash);
                self.let_go()
            }
        }
    }

    fn keeps(&self, hash: u64) -> bool {
        hash.leading_zeros() >= self.level
    }

    /// Lets resources go until the rest is within the limit.
    fn let_go(&mut self) -> Result<(), ExactError> {
        while self.table.len() > self.limit {
            self.level += 1;
            self.let_go_above_level()?;
        }
        Ok(())
    }

    fn let_go_above_level(&mut self) -> Result<(), ExactError> {
        let level = self.level;
        let gone = self
            .table
            .extract_if(|item| item.hash.leading_zeros() < level);
        for item in gone {
            self.loose
                .entry(item.class)
                .or_default()
                .add_sum(&item.cost)?;
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Items) -> Result<(), ExactError> {
        self.limit = self.limit.min(other.limit);
        if self.level < other.level {
            self.level = other.level;
            self.let_go_above_level()?;
        }
        for (class, sum) in &other.loose {
            self.loose.entry(*class).or_default().add_sum(sum)?;
        }
        for item in other.table {
            if !self.keeps(item.hash) {
                self.loose
                    .entry(item.class)
                    .or_default()
                    .add_sum(&item.cost)?;
                continue;
            }
            let same = |mine: &Item| mine.class == item.class && mine.id == item.id;
            match self.table.find_mut(item.hash, same) {
                Some(mine) => mine.merge(&item)?,
                None => {
                    self.table.insert_unique(item.hash, item, |item| item.hash);
                }
            }
        }
        self.let_go()
    }

    /// The resources that are told apart, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.table.iter()
    }

    /// By class, what rows without a resource and resources that were let go cost.
    pub(super) fn loose(&self) -> &BTreeMap<SpendClass, ExactSum> {
        &self.loose
    }

    /// Whether there were more resources than are told apart.
    pub(super) fn is_cut(&self) -> bool {
        self.level > 0
    }
}

impl Item {
    fn new(class: SpendClass, id: &str, hash: u64) -> Item {
        Item {
            class,
            id: id.into(),
            cost: ExactSum::ZERO,
            quantity: ExactSum::ZERO,
            region: None,
            active: false,
            hash,
        }
    }

    #[inline]
    fn add(&mut self, share: &Share<'_>) -> Result<(), ExactError> {
        self.cost.add(share.cost)?;
        self.quantity.add(share.quantity)?;
        self.active |= share.active;
        self.place(share.region);
        Ok(())
    }

    fn merge(&mut self, other: &Item) -> Result<(), ExactError> {
        self.cost.add_sum(&other.cost)?;
        self.quantity.add_sum(&other.quantity)?;
        self.active |= other.active;
        self.place(other.region.as_deref());
        Ok(())
    }

    /// A volume stays in one region; where rows disagree the first by name is kept.
    fn place(&mut self, region: Option<&str>) {
        let Some(region) = region else { return };
        if self.region.as_deref().is_none_or(|mine| region < mine) {
            self.region = Some(region.into());
        }
    }
}
