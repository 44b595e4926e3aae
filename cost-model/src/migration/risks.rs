//! What can hurt when one machine takes the place of another, and what is done about it?

use std::fmt;

use super::platform::{Hypervisor, Platform};
use super::{MigrationTerms, Purchase};
use crate::instances::{Architecture, BurstCredits, InstanceType};
use crate::report::number;

/// A difference between two machines that can hurt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MigrationRisk {
    /// What differs.
    pub kind: RiskKind,
    /// How much it can hurt.
    pub level: RiskLevel,
    /// The difference in numbers.
    pub reason: String,
    /// What is done about it.
    pub mitigation: String,
}

/// How much a difference can hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RiskLevel {
    /// The checks of the plan find it, or there is room.
    Low,
    /// Something fails or slows down unless it is prepared for.
    Medium,
    /// The service stops or data is lost unless it is prepared for.
    High,
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RiskLevel::Low => "low",
            RiskLevel::Medium => "medium",
            RiskLevel::High => "high",
        })
    }
}

/// What differs between two machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RiskKind {
    /// Programs must be built for another instruction set.
    ArchitectureChange,
    /// There is less memory.
    LessMemory,
    /// There are fewer threads.
    FewerVcpus,
    /// All threads together are slower, as measured.
    SlowerCpu,
    /// The network carries less all day, or it is not known what it carries.
    LowerNetworkBaseline,
    /// Less passes to the volumes all day, or it is not known how much.
    LowerEbsBaseline,
    /// The CPU is rationed.
    BurstableCredits,
    /// Xen in place of Nitro, or the other way around: device names and drivers differ.
    Hypervisor,
    /// The local disks are gone.
    InstanceStore,
    /// The provider may take the machine back.
    SpotInterruption,
    /// A year is paid for, used or not.
    Commitment,
}

/// All risks of a move, the worst first.
pub(super) fn between(
    current: &InstanceType,
    target: &InstanceType,
    terms: &MigrationTerms,
) -> Vec<MigrationRisk> {
    let mut risks: Vec<MigrationRisk> = [
        architecture(current, target),
        memory(current, target, terms.peak_memory_mib),
        vcpus(current, target),
        cpu_score(current, target),
        network(current, target),
        ebs(current, target),
        credits(current, target),
        hypervisor(current, target),
        local_disks(current, target),
        purchase(target, terms),
    ]
    .into_iter()
    .flatten()
    .collect();
    risks.sort_by(|a, b| b.level.cmp(&a.level).then(a.kind.cmp(&b.kind)));
    risks
}

fn risk(
    kind: RiskKind,
    level: RiskLevel,
    reason: String,
    mitigation: &str,
) -> Option<MigrationRisk> {
    Some(MigrationRisk {
        kind,
        level,
        reason,
        mitigation: mitigation.to_owned(),
    })
}

fn architecture(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let (from, to) = (current.architecture, target.architecture);
    if from == to {
        return None;
    }
    let build = match to {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x86_64",
    };
    risk(
        RiskKind::ArchitectureChange,
        RiskLevel::Medium,
        format!("programs, containers and native modules run on {from}, not on {to}"),
        &format!(
            "build and test everything for {build} beforehand; start from an image of {build}; the \
             image backup of the old machine serves rollback only"
        ),
    )
}

/// What is left of the memory decides the level: under the peak, under 1.3 times of it (the
/// margin of the points score), or more.
fn memory(
    current: &InstanceType,
    target: &InstanceType,
    peak: Option<u64>,
) -> Option<MigrationRisk> {
    if target.memory_mib >= current.memory_mib {
        return None;
    }
    let holds = target.usable_memory_mib.unwrap_or(target.memory_mib);
    let (level, known) = match peak {
        None => (
            RiskLevel::Medium,
            "how much is in use is not known".to_owned(),
        ),
        Some(peak) => {
            let level = match holds {
                _ if peak >= holds => RiskLevel::High,
                _ if u128::from(peak) * 13 > u128::from(holds) * 10 => RiskLevel::Medium,
                _ => RiskLevel::Low,
            };
            let (peak, holds) = (number::count(peak), number::count(holds));
            (level, format!("at most {peak} of {holds} MiB were in use"))
        }
    };
    risk(
        RiskKind::LessMemory,
        level,
        format!(
            "{} MiB in place of {}; {known}",
            number::count(target.memory_mib),
            number::count(current.memory_mib)
        ),
        "measure memory at the peak on the test instance; lower caches and workers first; alarm at \
         80 %",
    )
}

fn vcpus(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    if target.vcpus >= current.vcpus {
        return None;
    }
    risk(
        RiskKind::FewerVcpus,
        RiskLevel::Medium,
        format!("{} vCPU in place of {}", target.vcpus, current.vcpus),
        "set worker and thread counts for the new number; test under the peak load; alarm on CPU \
         over 70 %",
    )
}

fn cpu_score(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let (before, after) = (current.cpu_score?, target.cpu_score?);
    let comparable = before.is_finite() && after.is_finite() && before > 0.0 && after >= 0.0;
    if !comparable || after >= before {
        return None;
    }
    risk(
        RiskKind::SlowerCpu,
        RiskLevel::Medium,
        format!(
            "measured CPU score {} in place of {}, {:.0} % less",
            number::count(after.round() as u64),
            number::count(before.round() as u64),
            100.0 * (1.0 - after / before)
        ),
        "compare response times with the baseline under the peak load",
    )
}

fn network(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let mitigation = "measure traffic at the peak; what lasts longer than minutes must fit the \
                      baseline, not the burst";
    let kind = RiskKind::LowerNetworkBaseline;
    match (current.network, target.network) {
        (Some(before), Some(after)) if after.baseline_mbps < before.baseline_mbps => risk(
            kind,
            RiskLevel::Medium,
            format!(
                "network baseline of {} Mbit/s in place of {}",
                number::count(after.baseline_mbps),
                number::count(before.baseline_mbps)
            ),
            mitigation,
        ),
        (Some(_), Some(_)) => None,
        (before, _) => {
            let of = if before.is_none() { current } else { target };
            let reason = format!("the network baseline of {} is not known", of.name);
            risk(kind, RiskLevel::Low, reason, mitigation)
        }
    }
}

fn ebs(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let mitigation = "measure IOPS and throughput of the volumes at the peak; the machine's limit \
                      holds for all of its volumes together";
    let kind = RiskKind::LowerEbsBaseline;
    let (before, after) = match (current.ebs, target.ebs) {
        (Some(before), Some(after)) => (before, after),
        (before, _) => {
            let of = if before.is_none() { current } else { target };
            let reason = format!("the EBS baseline of {} is not known", of.name);
            return risk(kind, RiskLevel::Low, reason, mitigation);
        }
    };
    if after.baseline_mbps >= before.baseline_mbps && after.baseline_iops >= before.baseline_iops {
        return None;
    }
    risk(
        kind,
        RiskLevel::Medium,
        format!(
            "EBS baseline of {} Mbit/s and {} IOPS in place of {} and {}",
            number::count(after.baseline_mbps),
            number::count(after.baseline_iops),
            number::count(before.baseline_mbps),
            number::count(before.baseline_iops)
        ),
        mitigation,
    )
}

fn credits(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let after = target.burst.as_ref()?;
    let kind = RiskKind::BurstableCredits;
    let mitigation = "compare the mean CPU use of a day with the baseline; alarm on the credit \
                      balance and on surplus credits charged";
    let reason = match current.burst.as_ref() {
        None => format!(
            "CPU is rationed to {} % of each vCPU; it was not",
            after.baseline_percent
        ),
        Some(before) if earned(target, after) < earned(current, before) => format!(
            "{} credits an hour in place of {}",
            after.credits_per_hour, before.credits_per_hour
        ),
        Some(_) => return None,
    };
    risk(kind, RiskLevel::Medium, reason, mitigation)
}

/// What the earned credits pay for all day, in percent of one vCPU.
fn earned(machine: &InstanceType, burst: &BurstCredits) -> f64 {
    burst.baseline_percent * f64::from(machine.vcpus.get())
}

fn hypervisor(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let (before, after) = (Platform::of(current)?, Platform::of(target)?);
    if before.hypervisor == after.hypervisor {
        return None;
    }
    let (reason, mitigation) = match after.hypervisor {
        Hypervisor::Nitro => (
            "Nitro in place of Xen: disks appear as NVMe, and the network needs ENA",
            "install the NVMe and ENA drivers, and name file systems by UUID in fstab, before the \
             image is made",
        ),
        Hypervisor::Xen => (
            "Xen in place of Nitro: disks appear as xvd, and few such types have ENA",
            "name file systems by UUID in fstab before the image is made; check the network driver",
        ),
    };
    risk(
        RiskKind::Hypervisor,
        RiskLevel::Medium,
        reason.to_owned(),
        mitigation,
    )
}

fn local_disks(current: &InstanceType, target: &InstanceType) -> Option<MigrationRisk> {
    let (before, after) = (Platform::of(current)?, Platform::of(target)?);
    if !before.local_disks || after.local_disks {
        return None;
    }
    risk(
        RiskKind::InstanceStore,
        RiskLevel::High,
        "the target has no local disks; an image does not hold what is on them".to_owned(),
        "move caches and scratch files to a volume that can carry their IOPS; copy what must be \
         kept before the old machine is stopped",
    )
}

fn purchase(target: &InstanceType, terms: &MigrationTerms) -> Option<MigrationRisk> {
    match terms.target_purchase {
        Purchase::OnDemand => None,
        Purchase::ReservedOneYear => risk(
            RiskKind::Commitment,
            RiskLevel::Low,
            "a year is paid for, used or not".to_owned(),
            "commit only after the new machine ran for some weeks",
        ),
        Purchase::Spot => {
            let taken = target
                .spot
                .map(|spot| spot.interruption.percent_per_month());
            let (level, reason) = match taken {
                None => (
                    RiskLevel::High,
                    "how often such machines are taken back is not known".to_owned(),
                ),
                Some((from, Some(to))) => (
                    RiskLevel::Medium,
                    format!("{from} to {to} % of such machines are taken back in a month"),
                ),
                Some((from, None)) => (
                    RiskLevel::High,
                    format!("more than {from} % of such machines are taken back in a month"),
                ),
            };
            risk(
                RiskKind::SpotInterruption,
                level,
                reason,
                "keep no state on it, act on the notice of two minutes, and have a machine on \
                 demand take over",
            )
        }
    }
}
