//! Which volumes, snapshots, addresses and load balancers cost more than they need?

use super::amount::{times, times_ratio};
use super::items::SpendClass;
use super::machines::{Ids, counted};
use super::rules::{Bill, Concern, Draft, rate_of, thumb, unknown};
use super::{Effort, Estimate, Gp3Change, OpportunityKind, Risk, VolumePerformance, VolumeType};
use crate::{Exact, ExactError, ExactSum};

/// What is usually found to be too much of block volumes.
const VOLUME_RATE: (i128, u32) = (20, 2);

/// A finding on resources each of which saves a part of its own cost.
fn draft(kind: OpportunityKind, reason: String, concerns: Vec<Concern>, risk: Risk) -> Draft {
    Draft {
        kind,
        reason,
        concerns,
        on_class: None,
        further_cost: ExactSum::ZERO,
        estimate: Estimate::Computed,
        effort: Effort::Low,
        risk,
    }
}

/// Volumes that the inventory says are attached to nothing save all that they cost.
pub(super) fn unattached_volumes(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::UnattachedVolumes;
    let volumes = bill.with(SpendClass::is_volume);
    if volumes.is_empty() {
        return Ok(());
    }
    let inventory = &bill.inputs.volumes;
    if inventory.is_empty() {
        let reason =
            "a bill does not say which volumes are attached to a machine: give an inventory"
                .to_owned();
        bill.not_evaluated(kind, reason);
        return Ok(());
    }
    let ids = Ids::new(inventory.keys());
    let detached = |id: &str| {
        let known = ids.find(id).and_then(|id| inventory.get(id));
        known.is_some_and(|volume| volume.attached == Some(false))
    };
    let idle: Vec<usize> = volumes
        .into_iter()
        .filter(|&atom| bill.item(atom).is_some_and(|item| detached(&item.id)))
        .collect();
    if idle.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "{} a month is spent on volumes that are attached to nothing; a snapshot keeps what is \
         on them",
        bill.money(&bill.cost_of(&idle)?)
    );
    let concerns = bill.each_saving(&idle, 1.into())?;
    bill.drafts.push(draft(kind, reason, concerns, Risk::High));
    Ok(())
}

/// Addresses billed as idle save all that they cost.
pub(super) fn idle_addresses(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let idle = bill.with(|class| class == SpendClass::IdleAddress);
    if idle.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "{} a month is billed for public addresses as idle; a released address cannot be had again",
        bill.money(&bill.cost_of(&idle)?)
    );
    let concerns = bill.each_saving(&idle, 1.into())?;
    let kind = OpportunityKind::IdleAddresses;
    bill.drafts
        .push(draft(kind, reason, concerns, Risk::Medium));
    Ok(())
}

/// Load balancers that are billed by the hour, and for nothing that they did.
pub(super) fn idle_balancers(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::IdleLoadBalancers;
    let balancers = bill.with(|class| class == SpendClass::Balancer);
    let (told_apart, loose): (Vec<usize>, Vec<usize>) = balancers
        .into_iter()
        .partition(|&atom| bill.item(atom).is_some());
    if !loose.is_empty() {
        let reason = format!(
            "{} a month of load balancers is on rows that do not say of which",
            bill.money(&bill.cost_of(&loose)?)
        );
        bill.not_evaluated(kind, reason);
    }
    let idle: Vec<usize> = told_apart
        .into_iter()
        .filter(|&atom| bill.item(atom).is_some_and(|item| !item.active))
        .collect();
    if idle.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "{} at {} a month {} billed by the hour and for nothing processed in the window",
        counted(idle.len(), "load balancer"),
        bill.money(&bill.cost_of(&idle)?),
        if idle.len() == 1 { "is" } else { "are" },
    );
    let concerns = bill.each_saving(&idle, 1.into())?;
    bill.drafts
        .push(draft(kind, reason, concerns, Risk::Medium));
    Ok(())
}

/// Snapshots: those that are named as unneeded save at most what they cost, of the others
/// nobody knows.
pub(super) fn snapshots(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::Snapshots;
    let snapshots = bill.with(|class| class == SpendClass::Snapshot);
    if snapshots.is_empty() {
        return Ok(());
    }
    let spend = bill.money(&bill.cost_of(&snapshots)?);
    let unneeded = &bill.inputs.unneeded_snapshots;
    let ids = Ids::new(unneeded);
    let named: Vec<usize> = snapshots
        .iter()
        .copied()
        .filter(|&atom| {
            bill.item(atom)
                .is_some_and(|item| ids.find(&item.id).is_some())
        })
        .collect();
    let (concerns, reason) = if named.is_empty() {
        let reason = format!(
            "{spend} a month is spent on snapshots; which of them are still needed is not in a bill"
        );
        (unknown(&snapshots), reason)
    } else {
        let reason = format!(
            "{} of {spend} a month on snapshots is of those that nobody needs; deleting one frees \
             only what no later snapshot of the volume uses, so this is the most it saves",
            bill.money(&bill.cost_of(&named)?)
        );
        (bill.each_saving(&named, 1.into())?, reason)
    };
    bill.drafts.push(draft(kind, reason, concerns, Risk::High));
    Ok(())
}

/// Everything that is spent on volumes, by the rule of thumb.
pub(super) fn volume_spend(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::VolumeSpend;
    let volumes = bill.with(SpendClass::is_volume);
    if volumes.is_empty() {
        return Ok(());
    }
    let Some(threshold) = bill.threshold(kind, |t| t.volumes) else {
        return Ok(());
    };
    let spend = bill.spend(SpendClass::is_volume)?;
    let (shown, above) = (bill.money(&spend), bill.money(&threshold));
    if spend <= threshold {
        let reason =
            format!("block volumes cost {shown} a month; savings are looked for above {above}");
        bill.condition_not_met(kind, reason);
        return Ok(());
    }
    let rate = thumb(VOLUME_RATE);
    let concerns = bill.each_saving(&volumes, rate)?;
    let reason = format!(
        "block volumes cost {shown} a month; above {above}, 20 % is usually more than needed"
    );
    let mut draft = draft(kind, reason, concerns, Risk::Medium);
    draft.estimate = Estimate::RuleOfThumb { rate };
    draft.effort = Effort::High;
    bill.drafts.push(draft);
    Ok(())
}

/// What S3 Standard-IA costs less than S3 Standard by the gigabyte: 0.0125 against 0.023 US
/// dollars in `us-east-1` is 45.7 %, rounded down, as moving and reading objects costs a little.
///
/// Source: Amazon S3 pricing, checked in November 2026.
const SELDOM_READ_RATE: (i128, u32) = (45, 2);

/// Objects that are seldom read, in the class for those that are read often: how many, a bill
/// does not say.
pub(super) fn object_lifecycle(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let kind = OpportunityKind::ObjectLifecycle;
    let objects = bill.with(|class| class == SpendClass::ObjectStorage);
    if objects.is_empty() {
        return Ok(());
    }
    let rate = thumb(SELDOM_READ_RATE);
    let spend = bill.money(&bill.cost_of(&objects)?);
    let (concerns, reason) = match bill.inputs.seldom_read_share {
        Some(share) => {
            let part = times(&rate.into(), rate_of(share))?;
            let reason = format!(
                "objects in S3 Standard cost {spend} a month, and {share} of their bytes are \
                 seldom read; a lifecycle rule that moves them to Standard-IA after 30 days saves \
                 about 45 % of their cost"
            );
            (bill.each_saving(&objects, one(&part)?)?, reason)
        }
        None => {
            let reason = format!(
                "objects in S3 Standard cost {spend} a month; Standard-IA costs about 45 % less \
                 for those that are seldom read, and how many are is not in a bill"
            );
            (unknown(&objects), reason)
        }
    };
    let mut draft = draft(kind, reason, concerns, Risk::Medium);
    draft.estimate = Estimate::RuleOfThumb { rate };
    bill.drafts.push(draft);
    Ok(())
}

/// gp2 volumes as gp3 volumes that do all that they did.
pub(super) fn gp2_to_gp3(bill: &mut Bill<'_>) -> Result<(), ExactError> {
    let volumes = bill.with(|class| class == SpendClass::Volume(VolumeType::Gp2));
    if volumes.is_empty() {
        return Ok(());
    }
    let found = Gp3Findings::of(bill, &volumes)?;
    found.report_unpriced(bill)?;
    found.report_unprofitable(bill)?;
    if found.concerns.is_empty() {
        return Ok(());
    }
    let profitable: Vec<usize> = found.concerns.iter().map(|c| c.atom).collect();
    let reason = format!(
        "{} at {} a month cost less as gp3 with the same IOPS and throughput, which are stated \
         for each and must be set when the type is changed",
        counted(profitable.len(), "gp2 volume"),
        bill.money(&bill.cost_of(&profitable)?),
    );
    let kind = OpportunityKind::Gp2ToGp3;
    let mut draft = draft(kind, reason, found.concerns, Risk::Low);
    draft.effort = Effort::VeryLow;
    bill.drafts.push(draft);
    Ok(())
}

#[derive(Default)]
struct Gp3Findings {
    concerns: Vec<Concern>,
    /// Volumes that cost no less as gp3.
    unprofitable: Vec<usize>,
    /// Volumes of unknown size, or in a region without prices.
    unpriced: Vec<usize>,
}

impl Gp3Findings {
    fn of(bill: &Bill<'_>, volumes: &[usize]) -> Result<Gp3Findings, ExactError> {
        let ids = Ids::new(bill.inputs.volumes.keys());
        let mut found = Gp3Findings::default();
        for &atom in volumes {
            let Some(change) = Gp3Finding::of(bill, atom, &ids)? else {
                found.unpriced.push(atom);
                continue;
            };
            match change.concern(bill, atom)? {
                Some(concern) => found.concerns.push(concern),
                None => found.unprofitable.push(atom),
            }
        }
        Ok(found)
    }

    fn report_unpriced(&self, bill: &mut Bill<'_>) -> Result<(), ExactError> {
        if self.unpriced.is_empty() {
            return Ok(());
        }
        let reason = format!(
            "{} a month of gp2 volumes is on rows without a resource or size, or in regions \
             without prices: give an inventory and volume prices",
            bill.money(&bill.cost_of(&self.unpriced)?)
        );
        bill.not_evaluated(OpportunityKind::Gp2ToGp3, reason);
        Ok(())
    }

    fn report_unprofitable(&self, bill: &mut Bill<'_>) -> Result<(), ExactError> {
        if self.unprofitable.is_empty() {
            return Ok(());
        }
        let reason = format!(
            "{} a month of gp2 volumes costs no less as gp3 with the same IOPS and throughput",
            bill.money(&bill.cost_of(&self.unprofitable)?)
        );
        bill.condition_not_met(OpportunityKind::Gp2ToGp3, reason);
        Ok(())
    }
}

/// One gp2 volume with its size and what it must go on doing.
struct Gp3Finding {
    size_gib: u32,
    from_bill: bool,
    change: Gp3Change,
}

impl Gp3Finding {
    /// `None` when size or prices are not known.
    fn of(bill: &Bill<'_>, atom: usize, ids: &Ids<'_>) -> Result<Option<Gp3Finding>, ExactError> {
        let Some(item) = bill.item(atom) else {
            return Ok(None);
        };
        let region = item.region.as_deref().unwrap_or_default();
        let Some(prices) = bill.inputs.volume_prices.get(region) else {
            return Ok(None);
        };
        let known = ids
            .find(&item.id)
            .and_then(|id| bill.inputs.volumes.get(id));
        let size_gib = match known {
            Some(volume) => Some(volume.size_gib),
            None => whole(&bill.month.of_sum(&item.quantity)?),
        };
        let Some(size_gib) = size_gib.filter(|size| *size > 0) else {
            return Ok(None);
        };
        let kept = known.and_then(|volume| volume.performance);
        let kept = kept.unwrap_or_else(|| VolumePerformance::of_gp2(size_gib));
        Ok(Some(Gp3Finding {
            size_gib,
            from_bill: known.is_none(),
            change: Gp3Change::new(size_gib, kept, prices)?,
        }))
    }

    /// What the change saves of what the volume costs; `None` when it saves nothing.
    ///
    /// The share at list price is taken from the cost in the bill, so that a discount on one is
    /// a discount on both.
    fn concern(&self, bill: &Bill<'_>, atom: usize) -> Result<Option<Concern>, ExactError> {
        let Gp3Change { gp3, before, after } = &self.change;
        let saved = before.minus(after)?;
        if saved.is_negative() || saved.is_zero() {
            return Ok(None);
        }
        let (saved, before) = (one(&saved)?, one(before)?);
        let source = if self.from_bill {
            " by its GB-months"
        } else {
            ""
        };
        Ok(Some(Concern {
            atom,
            saving: Some(times_ratio(bill.cost(atom), saved, before)?),
            action: Some(format!(
                "{} GiB{source} to gp3 with {} IOPS and {} MB/s",
                self.size_gib, gp3.iops, gp3.throughput
            )),
        }))
    }
}

fn one(sum: &ExactSum) -> Result<Exact, ExactError> {
    sum.to_exact().ok_or(ExactError::SumOutOfRange)
}

/// The nearest whole number of GiB, if a volume can have so many.
fn whole(size: &ExactSum) -> Option<u32> {
    size.rounded(0).to_string().parse().ok()
}
