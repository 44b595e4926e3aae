//! Which machine, at what cost and with what risk, and why none of the others?

use std::fmt;

use bursar_units::Money;

use super::options::PurchaseOption;
use super::workload::Resource;
use crate::instances::{Architecture, CreditMode};

/// The answer of a [`FitScorer`](super::FitScorer).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Recommendation {
    /// Stay or move.
    pub decision: Decision,
    /// The machine that it runs on now, judged like the others; `None` where it has no price or
    /// could not be judged.
    pub present: Option<Candidate>,
    /// Machines that hold the workload, the best first. Each type is there once for each purchase
    /// option and credit mode that it is priced for.
    pub ranked: Vec<Candidate>,
    /// Machines that do not, in the order of the catalog, each with the first reason found.
    pub rejected: Vec<Rejected>,
    /// Which machine is the least risky for its money: no other one costs at most as much and has
    /// less risk. The cheapest first; machines beyond the risk budget are among them. Empty where
    /// the scorer knows no risk.
    pub pareto: Vec<Candidate>,
    /// What was assumed, what is unknown, and what the reader should know.
    pub notes: Vec<Note>,
}

impl Recommendation {
    /// An answer to be filled in.
    #[must_use]
    pub fn new(decision: Decision) -> Recommendation {
        Recommendation {
            decision,
            present: None,
            ranked: Vec::new(),
            rejected: Vec::new(),
            pareto: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The machine to take: the first of those ranked.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate> {
        self.ranked.first()
    }
}

/// Stay or move.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Decision {
    /// Move to the first machine of those ranked.
    Move {
        /// What that saves a month; negative where the present machine is too small and a larger
        /// one costs more; `None` where the present cost is unknown.
        monthly_saving: Option<Money>,
    },
    /// Stay: the present machine holds the workload, and no other one is cheaper.
    StayCheapest,
    /// Stay: what is saved does not pay the switch.
    StaySwitchingCosts {
        /// What the best machine would save over the horizon.
        saving: Money,
        /// What the switch costs.
        switching: Money,
    },
    /// No machine holds the workload within its tolerance.
    NothingFits,
    /// The measurements are too few for a statement about so small a share of the time.
    DataDoNotSuffice {
        /// The resource.
        resource: Resource,
        /// Days measured.
        days: f64,
        /// Samples measured.
        samples: u64,
        /// Days needed at least.
        needed_days: f64,
        /// Samples needed at least.
        needed_samples: u64,
    },
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decision::Move {
                monthly_saving: Some(saving),
            } => write!(f, "move: it saves {saving} a month"),
            Decision::Move {
                monthly_saving: None,
            } => f.write_str("move: what it saves is unknown, for the present cost is"),
            Decision::StayCheapest => {
                f.write_str("stay: no machine that holds the workload is cheaper")
            }
            Decision::StaySwitchingCosts { saving, switching } => {
                write!(
                    f,
                    "stay: {saving} of saving do not pay a switch at {switching}"
                )
            }
            Decision::NothingFits => f.write_str("no machine holds the workload"),
            Decision::DataDoNotSuffice {
                resource,
                days,
                samples,
                needed_days,
                needed_samples,
            } => write!(
                f,
                "the data of {resource} do not suffice for this tolerance: {samples} samples over \
                 {days:.1} days, needed are {needed_samples} over {needed_days:.1}"
            ),
        }
    }
}

/// A machine with a way to pay for it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Candidate {
    /// The name of its type.
    pub instance: Box<str>,
    /// How it is paid.
    pub purchase: PurchaseOption,
    /// How its CPU is rationed; `None` for a machine that may use its CPU all day.
    pub credit_mode: Option<CreditMode>,
    /// What it costs a month.
    pub monthly: MonthlyCost,
    /// How likely it is too small; `None` where the scorer does not know.
    pub risk: Option<Risk>,
    /// Points, 0 to 100, where the scorer gives points.
    pub score: Option<f64>,
    /// How busy it will be, for each resource whose use and limit are known.
    pub projected: Vec<Projection>,
    /// What was assumed of this machine, because it is not known.
    pub assumptions: Vec<Assumption>,
}

impl Candidate {
    /// A candidate of which only the cost is known yet.
    #[must_use]
    pub fn new(instance: &str, purchase: PurchaseOption, monthly: MonthlyCost) -> Candidate {
        Candidate {
            instance: instance.into(),
            purchase,
            credit_mode: None,
            monthly,
            risk: None,
            score: None,
            projected: Vec::new(),
            assumptions: Vec::new(),
        }
    }
}

/// What a machine costs a month, and of what that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MonthlyCost {
    /// The machine itself.
    pub machine: Money,
    /// Expected charge for CPU above the credits; `None` for a machine without credits or one that
    /// is throttled instead.
    pub surplus_credits: Option<Money>,
    /// Expected cost of interruptions; `None` for a machine that is not taken back.
    pub interruptions: Option<Money>,
    /// The sum.
    pub total: Money,
}

impl MonthlyCost {
    /// The cost of a machine with its parts.
    ///
    /// # Errors
    /// As [`Money::checked_add`].
    pub fn new(
        machine: Money,
        surplus_credits: Option<Money>,
        interruptions: Option<Money>,
    ) -> Result<MonthlyCost, bursar_units::MoneyError> {
        let mut total = machine;
        for part in [surplus_credits, interruptions].into_iter().flatten() {
            total = total.checked_add(part)?;
        }
        Ok(MonthlyCost {
            machine,
            surplus_credits,
            interruptions,
            total,
        })
    }
}

/// How likely a machine is too small.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Risk {
    /// The best estimate of the share of the time in which its worst resource is short, 0 to 1.
    pub expected: f64,
    /// What that share will not exceed in the next weeks, with the confidence of the scorer.
    pub at_most: f64,
    /// What the share in which any resource is short will not exceed: the sum over resources.
    pub any_at_most: f64,
    /// The resource that is nearest to its limit.
    pub binding: Resource,
    /// Each resource whose use and limit are known, but for memory, which is a hard limit.
    pub by_resource: Vec<Breach>,
    /// Memory needed and had.
    pub memory: MemoryRoom,
}

impl Risk {
    /// A machine whose memory was compared, and nothing else yet.
    pub(crate) fn of_memory(memory: MemoryRoom) -> Risk {
        Risk {
            expected: 0.0,
            at_most: 0.0,
            any_at_most: 0.0,
            binding: Resource::Memory,
            by_resource: Vec::with_capacity(1),
            memory,
        }
    }

    pub(crate) fn add(&mut self, breach: Breach) {
        self.expected = self.expected.max(breach.expected);
        self.at_most = self.at_most.max(breach.at_most);
        self.any_at_most = (self.any_at_most + breach.at_most).min(1.0);
        self.by_resource.push(breach);
    }
}

/// How likely one resource is short.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Breach {
    /// The resource.
    pub resource: Resource,
    /// The best estimate of the share of the time in which it is short, 0 to 1.
    pub expected: f64,
    /// What that share will not exceed in the next weeks, with the confidence of the scorer.
    pub at_most: f64,
    /// Where the two figures come from.
    pub basis: BreachBasis,
}

/// Where the probability of a breach comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum BreachBasis {
    /// Samples above the limit were counted.
    Counted,
    /// Too few samples are above the limit to count them: the tail was extrapolated.
    Extrapolated,
    /// Only average and maximum, or only a histogram without order, are known.
    Assumed,
    /// Credits or a token bucket were simulated over the series.
    Simulated,
    /// It has at least what the present machine has: the share is that in which that was full.
    PresentMachine,
}

/// Memory needed and had. It is a hard limit: no share of the time may be without memory.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MemoryRoom {
    /// What is needed with its headroom, in MiB. Where use is unknown: memory of the present
    /// machine, as it is sold.
    pub need_mib: f64,
    /// What the operating system of the machine sees, in MiB; as it is sold where use is unknown.
    pub available_mib: f64,
    /// Whether the need was measured.
    pub measured: bool,
}

/// How busy a resource of a machine will be, in percent of what it can give all day (CPU of a
/// burstable machine: of all its vCPUs).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Projection {
    /// The resource.
    pub resource: Resource,
    /// On average.
    pub average_percent: f64,
    /// At the largest measured value.
    pub maximum_percent: f64,
}

impl Projection {
    /// Use of a resource in percent of its limit.
    #[must_use]
    pub fn new(resource: Resource, average_percent: f64, maximum_percent: f64) -> Projection {
        Projection {
            resource,
            average_percent,
            maximum_percent,
        }
    }
}

/// A machine that is not recommended, and why.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Rejected {
    /// The name of its type.
    pub instance: Box<str>,
    /// Why.
    pub reason: Rejection,
}

impl Rejected {
    /// A machine with the reason why it is not recommended.
    #[must_use]
    pub fn new(instance: &str, reason: Rejection) -> Rejected {
        Rejected {
            instance: instance.into(),
            reason,
        }
    }
}

/// Why a machine is not recommended.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Rejection {
    /// The software does not run on its instruction set.
    Architecture {
        /// Its instruction set.
        has: Architecture,
    },
    /// It carries accelerators that the workload does not ask for.
    Accelerated,
    /// The provider no longer counts it among the current ones.
    PreviousGeneration,
    /// No price is known for any purchase option that is allowed.
    NoPrice,
    /// Its CPU cannot be compared with the present one: no score of it, or of its family, is known.
    CpuScoreUnknown,
    /// Memory that the operating system would see is under the need.
    MemoryTooSmall {
        /// What is needed with its headroom, in MiB.
        need_mib: f64,
        /// What it has, in MiB.
        usable_mib: f64,
    },
    /// It is short too often.
    OverBudget {
        /// The resource that is short.
        resource: Resource,
        /// The best estimate of the share of the time, 0 to 1.
        expected: f64,
        /// What that share would not exceed.
        at_most: f64,
        /// What is allowed.
        budget: f64,
    },
    /// It throttles, and a day's mean of CPU is above what its credits pay for.
    BaselineTooLow {
        /// The largest mean of 24 hours, in percent of its CPU.
        day_mean_percent: f64,
        /// Its baseline, in percent.
        baseline_percent: f64,
    },
    /// The use of a resource is known, and what this machine has of it is not.
    LimitUnknown {
        /// The resource.
        resource: Resource,
    },
    /// Its points are under those that a recommendation needs.
    LowScore {
        /// The points.
        score: f64,
        /// Points needed.
        needed: f64,
    },
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::Architecture { has } => write!(f, "the workload does not run on {has}"),
            Rejection::Accelerated => f.write_str("it carries accelerators that nobody asked for"),
            Rejection::PreviousGeneration => f.write_str("it is of a previous generation"),
            Rejection::NoPrice => f.write_str("no price is known for an allowed way to pay"),
            Rejection::CpuScoreUnknown => f.write_str("its CPU score is unknown"),
            Rejection::MemoryTooSmall {
                need_mib,
                usable_mib,
            } => write!(
                f,
                "memory: {need_mib:.0} MiB are needed, {usable_mib:.0} usable"
            ),
            Rejection::OverBudget {
                resource,
                expected,
                at_most,
                budget,
            } => write!(
                f,
                "{resource}: short in {:.2} % of the time, at most {:.2} %, allowed are {:.2} %",
                expected * 100.0,
                at_most * 100.0,
                budget * 100.0
            ),
            Rejection::BaselineTooLow {
                day_mean_percent,
                baseline_percent,
            } => write!(
                f,
                "CPU: {day_mean_percent:.1} % on the busiest day, credits pay for {baseline_percent:.1} %"
            ),
            Rejection::LimitUnknown { resource } => {
                write!(f, "{resource}: what it can give is unknown")
            }
            Rejection::LowScore { score, needed } => {
                write!(f, "{score:.1} points of {needed:.1} needed")
            }
        }
    }
}

/// What was assumed of one machine, because it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Assumption {
    /// Its CPU score is unknown: that of its family per vCPU was taken.
    CpuScoreOfFamily,
    /// No CPU scores are known: a vCPU was taken to do what a vCPU of the present machine does.
    EqualVcpus,
    /// Usable memory is unknown: what is sold, less the most that machines of its size lose.
    UsableMemory,
    /// A reserved price is unknown: a ratio of the price on demand was taken.
    ReservedPrice,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Assumption::CpuScoreOfFamily => "CPU score of its family",
            Assumption::EqualVcpus => "a vCPU equals a vCPU of the present machine",
            Assumption::UsableMemory => "usable memory estimated from what is sold",
            Assumption::ReservedPrice => "reserved price modeled from the price on demand",
        })
    }
}

/// What the reader of a recommendation should know.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Note {
    /// The use of a resource is unknown, and no limit of it was checked.
    UseUnknown {
        /// The resource.
        resource: Resource,
    },
    /// Memory use is unknown: at least the memory of the present machine is kept.
    MemoryUnknown,
    /// Only average and maximum are known: a beta distribution was assumed between them.
    BetaAssumed {
        /// The resource.
        resource: Resource,
    },
    /// The order of samples is unknown: samples of one hour were counted as one, and credits were
    /// taken to even out within a day.
    OrderUnknown {
        /// The resource.
        resource: Resource,
    },
    /// The tolerance is smaller than the samples can show: the tail was extrapolated.
    TailExtrapolated {
        /// The resource.
        resource: Resource,
        /// Samples that are as good as independent, by the variation from day to day.
        effective_samples: f64,
    },
    /// Use is growing, and the growth was carried on.
    GrowthProjected {
        /// The resource.
        resource: Resource,
        /// Growth per week, in the unit of the resource.
        per_week: f64,
    },
    /// Use has risen to another level: what came before was lifted by the step.
    LevelChanged {
        /// The resource.
        resource: Resource,
        /// Days from the start of the measurement to the change.
        after_days: f64,
    },
    /// The present machine was fully used at times: what the workload would have taken is not seen.
    Saturated {
        /// Share of the samples, 0 to 1.
        share: f64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::UseUnknown { resource } => {
                write!(f, "{resource}: use is unknown, its limits were not checked")
            }
            Note::MemoryUnknown => f.write_str(
                "memory: use is unknown, at least the memory of the present machine is kept",
            ),
            Note::BetaAssumed { resource } => write!(
                f,
                "{resource}: only average and maximum are known, a beta distribution was assumed"
            ),
            Note::OrderUnknown { resource } => write!(
                f,
                "{resource}: the order of samples is unknown, credits were taken to even out within a day"
            ),
            Note::TailExtrapolated {
                resource,
                effective_samples,
            } => write!(
                f,
                "{resource}: the tolerance is smaller than {effective_samples:.0} independent samples \
                 can show, the tail was extrapolated"
            ),
            Note::GrowthProjected { resource, per_week } => write!(
                f,
                "{resource}: grows by {per_week:.2} {} a week, which was carried on",
                resource.unit()
            ),
            Note::LevelChanged {
                resource,
                after_days,
            } => write!(
                f,
                "{resource}: rose to another level after {after_days:.0} days, what came before was lifted to it"
            ),
            Note::Saturated { share } => write!(
                f,
                "CPU: the present machine was full in {:.2} % of the samples, need beyond it is not seen",
                share * 100.0
            ),
        }
    }
}
