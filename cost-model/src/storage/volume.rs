//! Which volumes are too big or of a dear type, and what replaces them?

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

use super::{EbsPrices, StorageError};
use crate::report::number;
use crate::{Gp3Change, Percent, VolumeInventory, VolumePerformance, VolumeType};

/// Volumes up to this size are not shrunk, and none is shrunk below it.
const MIN_SHRUNK_GIB: u32 = 20;
/// Volumes that are used by this or more, in percent, are not shrunk.
const SHRINK_BELOW: f64 = 50.0;
/// What stays free of the old size after a shrink, in percent.
const HEADROOM: f64 = 20.0;
/// The largest volume.
const MAX_GIB: u32 = 65_536;
/// How often a volume may be modified within 24 hours, each time after the last has completed.
/// Source: Amazon EBS User Guide, "Limitations for Elastic Volumes"; it was once in 6 hours before.
const MAX_MODIFICATIONS: u8 = 4;
/// What a gp3 volume can be bought with at most. Source: Amazon EBS User Guide, "General Purpose
/// SSD volumes", as botocore describes `ModifyVolume` in November 2026.
const GP3_MOST: VolumePerformance = VolumePerformance {
    iops: 80_000,
    throughput: 2_000,
};
/// IOPS that can be bought with each GiB of gp3, above the ones included.
const GP3_IOPS_PER_GIB: u32 = 500;
/// IOPS that 1 MiB/s of gp3 needs.
const GP3_IOPS_PER_MIB_S: u32 = 4;
/// IOPS that can be bought with each GiB of io1 and io2.
const IO1_IOPS_PER_GIB: u32 = 50;
const IO2_IOPS_PER_GIB: u32 = 1_000;
/// Above this many IOPS, io2 has other prices.
const IO2_FIRST_TIER_IOPS: u32 = 32_000;

/// A block volume as it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Volume {
    /// The provider's id of it.
    pub id: String,
    /// Its type and size, and what it must go on doing if that is less than what it can do.
    pub inventory: VolumeInventory,
    /// How much of the file system is in use, by the metrics of the agent; `None` without one,
    /// and then there is no advice to shrink.
    pub used: Option<Percent>,
    /// What was bought with it: IOPS and throughput of gp3, IOPS of io1 and io2.
    pub provisioned: Option<VolumePerformance>,
    /// How often it was modified in the last 24 hours.
    pub modifications_in_24h: u8,
}

impl Volume {
    /// A volume of which only type and size are known.
    #[must_use]
    pub fn new(id: impl Into<String>, inventory: VolumeInventory) -> Volume {
        Volume {
            id: id.into(),
            inventory,
            used: None,
            provisioned: None,
            modifications_in_24h: 0,
        }
    }

    /// What is done with it: type and size are weighed together, and the cheapest that keeps its
    /// performance is taken.
    ///
    /// A volume of more than 20 GiB that is used by less than half shrinks to the larger of 20 GiB
    /// and its size × (used share + 20 %).
    ///
    /// # Errors
    /// [`StorageError::VolumeSize`] for a size that no volume has, and amounts out of range.
    pub fn advise(&self, prices: &EbsPrices) -> Result<VolumeFinding, StorageError> {
        let size_gib = self.inventory.size_gib;
        if !(1..=MAX_GIB).contains(&size_gib) {
            return Err(StorageError::VolumeSize {
                id: self.id.clone(),
                size_gib,
            });
        }
        let from = match self.shape() {
            Ok(from) => from,
            Err(reason) => return Ok(self.kept(reason)),
        };
        let Some(cost) = from.cost(prices)? else {
            return Ok(self.kept("its price is not known"));
        };
        let mut best: Option<(Money, VolumeShape)> = None;
        for to in self.candidates(from) {
            let Some(projected) = to.cost(prices)? else {
                continue;
            };
            let least = best.as_ref().map_or(cost, |(least, _)| *least);
            if projected.try_cmp(&least)?.is_lt() {
                best = Some((projected, to));
            }
        }
        match best {
            None => Ok(self.kept("nothing that does the same costs less")),
            Some((projected, to)) => Ok(VolumeFinding::Advised(Box::new(
                self.advice(from, to, cost, projected)?,
            ))),
        }
    }

    fn kept(&self, reason: &'static str) -> VolumeFinding {
        VolumeFinding::Kept(KeptVolume {
            id: self.id.clone(),
            reason,
        })
    }

    /// What it is, with what it can do; a reason where there can be no advice.
    fn shape(&self) -> Result<VolumeShape, &'static str> {
        if self.inventory.attached == Some(false) {
            return Err("attached to nothing: a snapshot and a deletion save more than a change");
        }
        let VolumeInventory {
            volume_type,
            size_gib,
            ..
        } = self.inventory;
        let performance = match (volume_type, self.provisioned) {
            (VolumeType::Gp2, _) => VolumePerformance::of_gp2(size_gib),
            (VolumeType::Gp3, Some(bought)) => bought,
            (VolumeType::Io1, Some(bought)) => VolumePerformance {
                iops: bought.iops,
                throughput: io1_throughput(bought.iops),
            },
            (VolumeType::Io2, Some(bought)) => bought,
            (VolumeType::Gp3 | VolumeType::Io1 | VolumeType::Io2, None) => {
                return Err("what was bought with it is not known");
            }
            (VolumeType::St1 | VolumeType::Sc1, _) => {
                return Err("its throughput comes with its size");
            }
            _ => return Err("there is no advice for its type"),
        };
        Ok(VolumeShape {
            volume_type,
            size_gib,
            performance,
        })
    }

    /// All that could replace it, changes in place first.
    fn candidates(&self, from: VolumeShape) -> Vec<VolumeShape> {
        let needed = self.inventory.performance.unwrap_or(from.performance);
        let mut sizes = vec![from.size_gib];
        sizes.extend(self.shrunk_gib());
        let mut candidates = Vec::new();
        for size_gib in sizes {
            if from.volume_type != VolumeType::Io2 {
                candidates.extend(gp3(size_gib, needed));
            }
            if matches!(from.volume_type, VolumeType::Io1 | VolumeType::Io2) {
                candidates.push(provisioned(from, size_gib));
            }
        }
        candidates.retain(|to| to.size_gib <= from.size_gib);
        candidates
    }

    /// The size that holds what is in use and a fifth of the old size; `None` without metrics, or
    /// where it would not be smaller.
    fn shrunk_gib(&self) -> Option<u32> {
        let used = self.used?.value();
        let size = self.inventory.size_gib;
        if used >= SHRINK_BELOW || size <= MIN_SHRUNK_GIB {
            return None;
        }
        // At most 65,536 GiB × 70 %, so it fits.
        let target = (f64::from(size) * (used + HEADROOM) / 100.0).ceil() as u32;
        Some(target.max(MIN_SHRUNK_GIB)).filter(|&target| target < size)
    }

    fn advice(
        &self,
        from: VolumeShape,
        to: VolumeShape,
        monthly_cost: Money,
        projected_monthly_cost: Money,
    ) -> Result<VolumeAdvice, MoneyError> {
        let method = if to.size_gib < from.size_gib {
            VolumeMethod::CopyToNew
        } else {
            VolumeMethod::ModifyInPlace
        };
        Ok(VolumeAdvice {
            id: self.id.clone(),
            from,
            to,
            method,
            monthly_cost,
            projected_monthly_cost,
            monthly_saving: monthly_cost.checked_sub(projected_monthly_cost)?,
            steps: steps(&from, &to, method, self.modifications_in_24h),
        })
    }
}

/// Type, size and performance of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct VolumeShape {
    /// Its type.
    pub volume_type: VolumeType,
    /// Its size in GiB.
    pub size_gib: u32,
    /// What it does, or is bought with.
    pub performance: VolumePerformance,
}

impl VolumeShape {
    /// A month of it; `None` where the price is not known.
    fn cost(&self, prices: &EbsPrices) -> Result<Option<Money>, StorageError> {
        let cost = match self.volume_type {
            VolumeType::Gp2 => self.general(prices)?.before,
            VolumeType::Gp3 => self.general(prices)?.after,
            VolumeType::Io2 if self.performance.iops > IO2_FIRST_TIER_IOPS => return Ok(None),
            _ => return Ok(Some(self.provisioned_cost(prices)?)),
        };
        Ok(cost
            .to_decimal()
            .map(|amount| Money::new(amount, prices.currency())))
    }

    fn general(&self, prices: &EbsPrices) -> Result<Gp3Change, StorageError> {
        Ok(Gp3Change::new(
            self.size_gib,
            self.performance,
            &prices.general,
        )?)
    }

    fn provisioned_cost(&self, prices: &EbsPrices) -> Result<Money, MoneyError> {
        let space = prices
            .provisioned_gb
            .checked_mul(Decimal::from(self.size_gib))?;
        let iops = prices
            .provisioned_iops
            .checked_mul(Decimal::from(self.performance.iops))?;
        space.checked_add(iops)
    }
}

/// A gp3 volume of this size that does all that is needed; a larger one where the IOPS need more
/// space; `None` where no gp3 volume can.
fn gp3(size_gib: u32, needed: VolumePerformance) -> Option<VolumeShape> {
    if needed.iops > GP3_MOST.iops || needed.throughput > GP3_MOST.throughput {
        return None;
    }
    let included = VolumePerformance::GP3_INCLUDED;
    let throughput = needed.throughput.max(included.throughput);
    let iops = needed
        .iops
        .max(included.iops)
        .max(throughput.saturating_mul(GP3_IOPS_PER_MIB_S));
    let least_gib = if iops > included.iops {
        iops.div_ceil(GP3_IOPS_PER_GIB)
    } else {
        1
    };
    Some(VolumeShape {
        volume_type: VolumeType::Gp3,
        size_gib: size_gib.max(least_gib),
        performance: VolumePerformance { iops, throughput },
    })
}

/// The same volume in another size, or in the smallest that carries its IOPS.
fn provisioned(from: VolumeShape, size_gib: u32) -> VolumeShape {
    let per_gib = if from.volume_type == VolumeType::Io1 {
        IO1_IOPS_PER_GIB
    } else {
        IO2_IOPS_PER_GIB
    };
    VolumeShape {
        size_gib: size_gib.max(from.performance.iops.div_ceil(per_gib)),
        ..from
    }
}

/// What io1 carries: 256 KiB an operation up to 500 MiB/s, and above 32,000 IOPS 16 KiB for each,
/// up to 1,000. Source: Amazon EBS User Guide, "Provisioned IOPS SSD volumes".
fn io1_throughput(iops: u32) -> u32 {
    if iops <= 32_000 {
        (iops / 4).min(500)
    } else {
        (iops / 64).min(1_000)
    }
}

/// What is found about a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum VolumeFinding {
    /// It is changed.
    Advised(Box<VolumeAdvice>),
    /// It stays as it is.
    Kept(KeptVolume),
}

/// A volume that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct KeptVolume {
    /// The provider's id of it.
    pub id: String,
    /// Why.
    pub reason: &'static str,
}

/// A change of a volume: type and size as one action.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct VolumeAdvice {
    /// The provider's id of it.
    pub id: String,
    /// As it is.
    pub from: VolumeShape,
    /// As it should be.
    pub to: VolumeShape,
    /// How it gets there.
    pub method: VolumeMethod,
    /// A month of it as it is.
    pub monthly_cost: Money,
    /// A month of it as it should be.
    pub projected_monthly_cost: Money,
    /// The difference; over zero.
    pub monthly_saving: Money,
    /// What is done, in this order.
    pub steps: Vec<String>,
}

/// How a volume is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum VolumeMethod {
    /// While it is in use.
    ModifyInPlace,
    /// By a copy to a new volume, for a volume cannot shrink in place.
    CopyToNew,
}

/// The steps; from io1 to gp3 with what changes beside the price. Source of the shares: Amazon EBS
/// User Guide, "Provisioned IOPS SSD volumes" and "General Purpose SSD volumes".
fn steps(
    from: &VolumeShape,
    to: &VolumeShape,
    method: VolumeMethod,
    modifications: u8,
) -> Vec<String> {
    let mut steps = Vec::new();
    if (from.volume_type, to.volume_type) == (VolumeType::Io1, VolumeType::Gp3) {
        let question = "make sure that 99 % of the time will do: gp3 promises its IOPS for so \
                        much of it, io1 for 99.9 %";
        steps.push(question.to_owned());
    }
    steps.extend(change_steps(to, method, modifications));
    steps
}

fn change_steps(to: &VolumeShape, method: VolumeMethod, modifications: u8) -> Vec<String> {
    let performance = format!(
        "{} IOPS and {} MiB/s",
        number::count(to.performance.iops),
        number::count(to.performance.throughput)
    );
    match method {
        VolumeMethod::ModifyInPlace => {
            let mut steps = vec!["take a snapshot".to_owned()];
            if modifications >= MAX_MODIFICATIONS {
                steps.push(format!(
                    "wait: it was modified {modifications} times in 24 hours, and \
                     {MAX_MODIFICATIONS} are allowed"
                ));
            }
            steps.push(format!(
                "modify it to gp3 and state {performance}; what is not stated becomes 3,000 and 125"
            ));
            steps.push("wait until the modification has completed".to_owned());
            steps
        }
        VolumeMethod::CopyToNew => vec![
            "take a snapshot; it cannot be restored to a smaller volume, and serves rollback"
                .to_owned(),
            format!(
                "create a volume of {} GiB in the same zone, with {performance}",
                number::count(to.size_gib)
            ),
            "make a file system, copy the files, and compare their checksums".to_owned(),
            "stop writes, copy what has changed, and mount the new volume in place of the old"
                .to_owned(),
            "delete the old volume after a week; both are charged until then".to_owned(),
        ],
    }
}
