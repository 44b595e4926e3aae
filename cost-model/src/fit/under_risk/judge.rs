//! How often is this machine short, and of what?

use std::collections::BTreeMap;

use super::CostUnderRisk;
use crate::fit::FitError;
use crate::fit::bucket::TokenBucket;
use crate::fit::credits::CreditSimulation;
use crate::fit::outlook::{Outlook, Source};
use crate::fit::recommendation::{
    Assumption, Breach, BreachBasis, MemoryRoom, Projection, Rejection, Risk,
};
use crate::fit::workload::{Resource, Workload};
use crate::instances::{BurstCredits, CreditMode, InstanceType};

use super::UnknownCpuScore;

/// The largest share of sold memory that the operating system does not see, by size sold, in MiB:
/// 20.5 % up to 1 GiB (t3.nano), 12.3 % up to 4 GiB (a1.medium), 8.6 % above (a1.large), of 1,087
/// types measured by ec2instances.info from December 2025 to July 2026; rounded up.
const MEMORY_LOST: [(u64, f64); 3] = [(1024, 0.25), (4096, 0.15), (u64::MAX, 0.10)];

/// What a flex type has all day, as a share of its CPU, and the share of the time in which a busy
/// one may need more. AWS states 40 % and “up to full CPU performance 95 % of the time over a
/// 24-hour window”: what is busier in more than 5 % of the time is not promised to be served.
/// Source: <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html>.
const FLEX_BASELINE: f64 = 0.4;
const FLEX_BUSY_SHARE: f64 = 0.05;

/// What is the same for all machines that are judged.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    settings: &'a CostUnderRisk,
    workload: &'a Workload,
    outlooks: &'a [(Resource, Outlook)],
    /// The lowest CPU score per vCPU of each family of which one is known.
    family_scores: BTreeMap<&'a str, f64>,
    /// The largest mean of 24 hours, in percent of the present machine's CPU.
    largest_day_mean: f64,
}

/// What a machine has, as far as it can be compared at all.
#[derive(Debug)]
pub(crate) struct Room {
    /// All its CPU, in percent of the present machine's.
    cpu: f64,
    memory: MemoryRoom,
    assumptions: Vec<Assumption>,
}

/// A machine judged in one credit mode.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) mode: Option<CreditMode>,
    pub(crate) risk: Risk,
    pub(crate) rejection: Option<Rejection>,
    pub(crate) projected: Vec<Projection>,
    pub(crate) assumptions: Vec<Assumption>,
    pub(crate) cpu: f64,
    /// Expected vCPU-hours of surplus per hour of run; `None` where none are charged.
    pub(crate) surplus_vcpu_hours: Option<f64>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        settings: &'a CostUnderRisk,
        workload: &'a Workload,
        outlooks: &'a [(Resource, Outlook)],
        machines: &'a [InstanceType],
    ) -> Result<Judge<'a>, FitError> {
        check_machine(workload.source())?;
        let mut family_scores: BTreeMap<&str, f64> = BTreeMap::new();
        for machine in machines {
            check_machine(machine)?;
            if let Some(score) = machine.cpu_score {
                let per_vcpu = score / f64::from(machine.vcpus.get());
                let lowest = family_scores.entry(machine.family()).or_insert(per_vcpu);
                *lowest = lowest.min(per_vcpu);
            }
        }
        let largest_day_mean = outlooks
            .iter()
            .find(|(resource, _)| *resource == Resource::Cpu)
            .map_or(0.0, |(_, outlook)| outlook.largest_day_mean());
        Ok(Judge {
            settings,
            workload,
            outlooks,
            family_scores,
            largest_day_mean,
        })
    }

    /// What the machine has, or why it is out of the question.
    pub(crate) fn room(&self, machine: &InstanceType) -> Result<Room, Rejection> {
        let mut assumptions = Vec::new();
        let memory = self.memory(machine, &mut assumptions);
        if memory.need_mib > memory.available_mib {
            return Err(Rejection::MemoryTooSmall {
                need_mib: memory.need_mib,
                usable_mib: memory.available_mib,
            });
        }
        let cpu = self.cpu(machine, &mut assumptions)?;
        Ok(Room {
            cpu,
            memory,
            assumptions,
        })
    }

    /// The machine in the credit modes in which it is of interest: its default one, and the other
    /// one where that changes the answer.
    pub(crate) fn modes(&self, machine: &InstanceType, room: &Room) -> Vec<Judged> {
        let Some(credits) = &machine.burst else {
            return vec![self.judged(machine, room, None)];
        };
        let default = self.judged(machine, room, Some((credits, credits.default_mode)));
        let other = match credits.default_mode {
            CreditMode::Standard if default.rejection.is_some() => CreditMode::Unlimited,
            CreditMode::Unlimited if default.surplus_vcpu_hours > Some(0.0) => CreditMode::Standard,
            CreditMode::Standard | CreditMode::Unlimited => return vec![default],
        };
        let other = self.judged(machine, room, Some((credits, other)));
        if other.rejection.is_some() {
            return vec![default];
        }
        vec![default, other]
    }

    fn judged(
        &self,
        machine: &InstanceType,
        room: &Room,
        credits: Option<(&BurstCredits, CreditMode)>,
    ) -> Judged {
        let mut judged = Judged {
            mode: credits.map(|(_, mode)| mode),
            risk: Risk::of_memory(room.memory),
            rejection: None,
            projected: Vec::with_capacity(self.outlooks.len()),
            assumptions: room.assumptions.clone(),
            cpu: room.cpu,
            surplus_vcpu_hours: credits
                .filter(|(_, mode)| *mode == CreditMode::Unlimited)
                .and_then(|(credits, _)| self.surplus(machine, credits, room.cpu)),
        };
        let mut largest_load = 0.0;
        for (resource, outlook) in self.outlooks {
            let limit = match self.limit(*resource, machine, room) {
                Ok(limit) => limit,
                Err(reason) => {
                    judged.rejection.get_or_insert(reason);
                    continue;
                }
            };
            judged
                .projected
                .push(projection(*resource, outlook, &limit));
            let load = if *resource == Resource::Memory {
                room.memory.need_mib / room.memory.available_mib
            } else {
                outlook.need() / limit.most
            };
            if load > largest_load {
                (judged.risk.binding, largest_load) = (*resource, load);
            }
            let breach = match resource {
                Resource::Memory => continue,
                Resource::Cpu => self.cpu_breach(machine, room, credits, outlook, &limit),
                _ => self.breach(*resource, outlook, &limit),
            };
            if let Some(reason) = self.too_often(machine, room, credits, &breach) {
                judged.rejection.get_or_insert(reason);
            }
            judged.risk.add(breach);
        }
        judged
    }

    fn cpu_breach(
        &self,
        machine: &InstanceType,
        room: &Room,
        credits: Option<(&BurstCredits, CreditMode)>,
        outlook: &Outlook,
        limit: &Limit,
    ) -> Breach {
        let mut breach = self.breach(Resource::Cpu, outlook, limit);
        if let Some((credits, CreditMode::Standard)) = credits {
            throttle(&mut breach, machine, credits, outlook, room.cpu);
        }
        if machine.flex {
            flex(&mut breach, outlook, room.cpu);
        }
        breach
    }

    fn too_often(
        &self,
        machine: &InstanceType,
        room: &Room,
        credits: Option<(&BurstCredits, CreditMode)>,
        breach: &Breach,
    ) -> Option<Rejection> {
        let day_mean_percent = self.largest_day_mean / room.cpu * 100.0;
        let throttled = machine.burst.as_ref().filter(|credits| {
            breach.resource == Resource::Cpu && day_mean_percent > credits.baseline_percent
        });
        if let (Some(throttled), Some((_, CreditMode::Standard))) = (throttled, credits) {
            return Some(Rejection::BaselineTooLow {
                day_mean_percent,
                baseline_percent: throttled.baseline_percent,
            });
        }
        let budget = self.workload.tolerance().budget();
        (breach.at_most > budget).then_some(Rejection::OverBudget {
            resource: breach.resource,
            expected: breach.expected,
            at_most: breach.at_most,
            budget,
        })
    }

    fn breach(&self, resource: Resource, outlook: &Outlook, limit: &Limit) -> Breach {
        let at = |level: f64| Breach {
            resource,
            expected: outlook.expected_above(level),
            at_most: outlook.at_most_above(level),
            basis: basis(outlook.source_at(level)),
        };
        let all_day = at(limit.all_day);
        let (Some(bucket), Some(series)) = (&limit.bucket, outlook.series()) else {
            return all_day;
        };
        if all_day.at_most <= self.workload.tolerance().budget() {
            return all_day;
        }
        // Minutes above the baseline cannot help where the burst itself is too little.
        if outlook.need() > limit.most {
            return at(limit.most);
        }
        let seconds = outlook.step().as_hours() * 3600.0;
        Breach {
            resource,
            expected: bucket.share_short(series, seconds, 1.0),
            at_most: bucket.share_short(series, seconds, outlook.stress()),
            basis: BreachBasis::Simulated,
        }
    }

    fn limit(
        &self,
        resource: Resource,
        machine: &InstanceType,
        room: &Room,
    ) -> Result<Limit, Rejection> {
        let unknown = Rejection::LimitUnknown { resource };
        match resource {
            Resource::Cpu => Ok(Limit::even(
                room.cpu / (1.0 + self.settings.cpu_headroom_percent / 100.0),
            )),
            Resource::Memory => Ok(Limit::even(room.memory.available_mib)),
            Resource::Network => {
                let network = machine.network.ok_or(unknown)?;
                let (baseline, burst) = (network.baseline_mbps, network.burst_mbps);
                Ok(Limit::burst(TokenBucket::network(
                    f64::from(baseline),
                    f64::from(burst),
                )))
            }
            // Mbit/s to MB/s.
            Resource::DiskThroughput => {
                let ebs = machine.ebs.ok_or(unknown)?;
                Ok(Limit::burst(TokenBucket::volumes(
                    f64::from(ebs.baseline_mbps) / 8.0,
                    f64::from(ebs.maximum_mbps) / 8.0,
                )))
            }
            Resource::DiskIops => {
                let ebs = machine.ebs.ok_or(unknown)?;
                Ok(Limit::burst(TokenBucket::volumes(
                    f64::from(ebs.baseline_iops),
                    f64::from(ebs.maximum_iops),
                )))
            }
        }
    }

    fn memory(&self, machine: &InstanceType, assumptions: &mut Vec<Assumption>) -> MemoryRoom {
        let outlook = self.outlooks.iter().find(|(r, _)| *r == Resource::Memory);
        let Some((_, outlook)) = outlook else {
            return MemoryRoom {
                need_mib: self.workload.source().memory_mib as f64,
                available_mib: machine.memory_mib as f64,
                measured: false,
            };
        };
        let usable = machine.usable_memory_mib.map_or_else(
            || {
                assumptions.push(Assumption::UsableMemory);
                least_usable(machine.memory_mib)
            },
            |usable| usable as f64,
        );
        let headroom = 1.0 + self.settings.memory_headroom_percent / 100.0;
        MemoryRoom {
            need_mib: outlook.promised_maximum() * headroom,
            available_mib: usable,
            measured: true,
        }
    }

    /// All CPU of a machine, in percent of the present one's.
    fn cpu(
        &self,
        machine: &InstanceType,
        assumptions: &mut Vec<Assumption>,
    ) -> Result<f64, Rejection> {
        let source = self.workload.source();
        let vcpus = |machine: &InstanceType| f64::from(machine.vcpus.get());
        if let (Some(score), Some(present)) = (machine.cpu_score, source.cpu_score) {
            return Ok(score / present * 100.0);
        }
        let by_vcpus = vcpus(machine) / vcpus(source) * 100.0;
        if machine.family() == source.family() {
            assumptions.push(Assumption::CpuScoreOfFamily);
            return Ok(by_vcpus);
        }
        let score = |machine: &InstanceType| {
            let of_family = || Some(self.family_scores.get(machine.family())? * vcpus(machine));
            machine.cpu_score.or_else(of_family)
        };
        if let (Some(score), Some(present)) = (score(machine), score(source)) {
            assumptions.push(Assumption::CpuScoreOfFamily);
            return Ok(score / present * 100.0);
        }
        match self.settings.unknown_cpu_score {
            UnknownCpuScore::Reject => Err(Rejection::CpuScoreUnknown),
            UnknownCpuScore::CountVcpus => {
                assumptions.push(Assumption::EqualVcpus);
                Ok(by_vcpus)
            }
        }
    }

    /// Expected vCPU-hours of surplus per hour of run.
    fn surplus(&self, machine: &InstanceType, credits: &BurstCredits, cpu: f64) -> Option<f64> {
        let (_, outlook) = self.outlooks.iter().find(|(r, _)| *r == Resource::Cpu)?;
        let vcpus = f64::from(machine.vcpus.get());
        let above_baseline = |mean: f64| (mean - credits.baseline_percent).max(0.0) / 100.0 * vcpus;
        let Some(series) = outlook.series() else {
            // Credits even out within a day, so the mean is charged that is above the baseline.
            return Some(above_baseline((outlook.mean() / cpu * 100.0).min(100.0)));
        };
        let mut simulation = CreditSimulation::new(credits, machine.vcpus, CreditMode::Unlimited);
        let hours = outlook.step().as_hours();
        let (mut charged, mut passed, mut used) = (0.0, 0.0, 0.0);
        // The first pass brings the balance to where weeks of this use leave it.
        for pass in 0..2 {
            for demand in series.iter().filter(|demand| !demand.is_nan()) {
                let percent = (demand / cpu * 100.0).min(100.0);
                let step = simulation.step(hours, percent);
                if pass == 1 {
                    charged += step.charged_credits;
                    passed += hours;
                    used += percent * hours;
                }
            }
        }
        // A mean above the baseline fills the surplus of a day in the end, however slowly, and is
        // charged from then on.
        (passed > 0.0).then(|| (charged / 60.0 / passed).max(above_baseline(used / passed)))
    }
}

/// Adds the time in which a machine in standard mode has spent its credits.
fn throttle(
    breach: &mut Breach,
    machine: &InstanceType,
    credits: &BurstCredits,
    outlook: &Outlook,
    cpu: f64,
) {
    let Some(series) = outlook.series() else {
        // Without an order nothing is known of credits: only the baseline is sure.
        let baseline = cpu * credits.baseline_percent / 100.0;
        breach.expected = outlook.expected_above(baseline);
        breach.at_most = outlook.at_most_above(baseline);
        breach.basis = basis(outlook.source_at(baseline));
        return;
    };
    let hours = outlook.step().as_hours();
    let share = |stress: f64| {
        let mut simulation = CreditSimulation::new(credits, machine.vcpus, CreditMode::Standard);
        let (mut throttled, mut passed) = (0.0, 0.0);
        for pass in 0..2 {
            for demand in series.iter().filter(|demand| !demand.is_nan()) {
                let step = simulation.step(hours, demand * stress / cpu * 100.0);
                if pass == 1 {
                    throttled += step.throttled_hours;
                    passed += hours;
                }
            }
        }
        throttled / passed.max(hours)
    };
    let (expected, at_most) = (share(1.0), share(outlook.stress()));
    if at_most > 0.0 {
        breach.basis = BreachBasis::Simulated;
    }
    breach.expected = (breach.expected + expected).min(1.0);
    breach.at_most = (breach.at_most + at_most).min(1.0);
}

/// A flex machine gives all of its CPU in 95 % of the time and is only sure of its baseline in the
/// rest: what is busier than that for longer counts as short.
fn flex(breach: &mut Breach, outlook: &Outlook, cpu: f64) {
    let baseline = cpu * FLEX_BASELINE;
    let over = |share: f64| (share - FLEX_BUSY_SHARE).max(0.0);
    breach.expected = breach.expected.max(over(outlook.expected_above(baseline)));
    breach.at_most = breach.at_most.max(over(outlook.at_most_above(baseline)));
}

/// What a machine has of one resource, in the unit of its demand.
#[derive(Debug)]
struct Limit {
    all_day: f64,
    /// For minutes.
    most: f64,
    bucket: Option<TokenBucket>,
}

impl Limit {
    fn even(limit: f64) -> Limit {
        Limit {
            all_day: limit,
            most: limit,
            bucket: None,
        }
    }

    fn burst(bucket: TokenBucket) -> Limit {
        Limit {
            all_day: bucket.baseline,
            most: bucket.burst.max(bucket.baseline),
            bucket: Some(bucket),
        }
    }
}

fn projection(resource: Resource, outlook: &Outlook, limit: &Limit) -> Projection {
    let percent = |value: f64| value / limit.all_day * 100.0;
    Projection::new(
        resource,
        percent(outlook.mean()),
        percent(outlook.expected_maximum()),
    )
}

fn basis(source: Source) -> BreachBasis {
    match source {
        Source::Counted => BreachBasis::Counted,
        Source::Extrapolated => BreachBasis::Extrapolated,
        Source::Assumed => BreachBasis::Assumed,
        Source::Ceiling => BreachBasis::PresentMachine,
    }
}

/// Memory that a machine of this size has at least left for its operating system to see.
fn least_usable(sold_mib: u64) -> f64 {
    let lost = MEMORY_LOST
        .iter()
        .find(|(up_to, _)| sold_mib <= *up_to)
        .map_or(0.0, |(_, lost)| *lost);
    sold_mib as f64 * (1.0 - lost)
}

/// Numbers that no machine has would make every comparison meaningless.
fn check_machine(machine: &InstanceType) -> Result<(), FitError> {
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let mut checks = vec![];
    if let Some(score) = machine.cpu_score {
        checks.push(("cpu_score", score, positive(score)));
    }
    if let Some(credits) = &machine.burst {
        let baseline = credits.baseline_percent;
        checks.push((
            "baseline_percent",
            baseline,
            positive(baseline) && baseline <= 100.0,
        ));
        let earned = credits.credits_per_hour;
        checks.push(("credits_per_hour", earned, positive(earned)));
        let cap = credits.credit_cap;
        checks.push(("credit_cap", cap, positive(cap)));
    }
    for (value, found, holds) in checks {
        if !holds {
            return Err(FitError::Machine {
                machine: machine.name.clone(),
                value,
                found,
            });
        }
    }
    Ok(())
}
