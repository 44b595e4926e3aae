//! Which machine and way to pay is the cheapest that is short too seldom to matter?

mod cost;
mod judge;
mod present;

use std::cmp::Ordering;

use self::cost::{Priced, Pricing};
use self::judge::{Judge, Judged};
use super::days::Change;
use super::options::FitOptions;
use super::outlook::{Ceiling, LEAST_DAYS, Outlook, Source, needed_samples};
use super::recommendation::{Candidate, Decision, Note, Recommendation, Rejected, Rejection, Risk};
use super::usage::{Evidence, Usage};
use super::workload::{Resource, Workload};
use super::{FitError, FitScorer};
use crate::instances::InstanceType;

/// CPU from which the present machine counts as fully used, in percent.
const FULL_PERCENT: f64 = 99.5;

/// Takes the cheapest machine whose risk stays within the tolerance of the workload.
///
/// The risk of a machine is the largest of the probabilities that one of its resources is short,
/// each as an upper bound for the next weeks. [The module](super) tells how it is found.
///
/// ```
/// use std::num::NonZeroU32;
///
/// use bursar_cost_model::fit::{CostUnderRisk, FitOptions, FitScorer, Resource, SampleStep, Usage, Workload};
/// use bursar_cost_model::instances::{Architecture, InstanceType};
/// use bursar_units::{Currency, Money};
///
/// let machine = |name, vcpus, gib: u64, score, price| -> Result<_, Box<dyn std::error::Error>> {
///     let vcpus = NonZeroU32::new(vcpus).ok_or("a machine has vCPUs")?;
///     let mut machine = InstanceType::new(name, Architecture::Arm64, vcpus, gib * 1024);
///     machine.cpu_score = Some(score);
///     machine.on_demand = Some(Money::parse(price, Currency::USD)?);
///     Ok(machine)
/// };
/// let machines = [
///     machine("m7g.large", 2, 8, 51_660.0, "0.0816")?,
///     machine("m7g.xlarge", 4, 16, 103_000.0, "0.1632")?,
///     machine("m7g.2xlarge", 8, 32, 206_000.0, "0.3264")?,
/// ];
/// // Two weeks of 5-minute samples: 4 % at night, 18 % by day.
/// let cpu = (0..4032).map(|i| Some(if i / 12 % 24 < 8 { 4.0 } else { 18.0 }));
/// let workload = Workload::new(machines[2].clone())
///     .with_usage(Resource::Cpu, Usage::samples(SampleStep::FIVE_MINUTES, cpu)?)?
///     .with_usage(Resource::Memory, Usage::average_and_maximum(4000.0, 5000.0)?)?;
///
/// let answer = CostUnderRisk::default().recommend(&workload, &machines, &FitOptions::default())?;
/// // 18 % of eight vCPUs are 72 % of two, and 5000 MiB with a fifth more fit into 8 GiB.
/// assert_eq!(answer.best().map(|best| &*best.instance), Some("m7g.large"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CostUnderRisk {
    /// How sure each upper bound is, over 0.5 and under 1; 0.9 by default. Machines come in sizes,
    /// so the one that is taken is mostly larger than the bound asks for, and promises are kept
    /// more often than that.
    pub confidence: f64,
    /// The days ahead for which they hold, 1 to 366; 14 by default.
    pub horizon_days: f64,
    /// CPU that is kept free on top, in percent of the need, 0 to 1000. It is 0 by default: the
    /// bounds already hold room for what was not measured.
    pub cpu_headroom_percent: f64,
    /// Memory that is kept free, in percent of the largest use, 0 to 1000; 20 by default, as AWS
    /// Compute Optimizer keeps.
    pub memory_headroom_percent: f64,
    /// What to do with machines whose CPU cannot be compared with the present one.
    pub unknown_cpu_score: UnknownCpuScore,
}

/// What to do with a machine whose CPU score is unknown, or every machine where that of the
/// present one is. Machines of one family are compared by their vCPUs anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum UnknownCpuScore {
    /// It is not recommended: vCPUs of two families differ by up to three times.
    #[default]
    Reject,
    /// A vCPU is taken to do what a vCPU of the present machine does, and the candidate says so.
    CountVcpus,
}

impl Default for CostUnderRisk {
    fn default() -> CostUnderRisk {
        CostUnderRisk {
            confidence: 0.9,
            horizon_days: 14.0,
            cpu_headroom_percent: 0.0,
            memory_headroom_percent: 20.0,
            unknown_cpu_score: UnknownCpuScore::default(),
        }
    }
}

impl FitScorer for CostUnderRisk {
    fn recommend(
        &self,
        workload: &Workload,
        machines: &[InstanceType],
        options: &FitOptions,
    ) -> Result<Recommendation, FitError> {
        self.check()?;
        if machines.is_empty() {
            return Err(FitError::NoMachines);
        }
        let outlooks = self.outlooks(workload)?;
        let budget = workload.tolerance().budget();
        if let Some(decision) = insufficient(&outlooks, budget) {
            return Ok(Recommendation::new(decision));
        }
        let judge = Judge::new(self, workload, &outlooks, machines)?;
        let pricing = Pricing::new(workload, options);
        let (mut judged, rejected) = judge_all(&judge, &pricing, machines, options)?;
        judged.sort_by(Ranked::order);
        let mut recommendation = Recommendation::new(Decision::NothingFits);
        recommendation.rejected = rejected;
        recommendation.notes = notes(workload, &outlooks);
        recommendation.pareto = pareto(&judged);
        recommendation.present = present::candidate(&judge, workload, machines, options)?;
        recommendation.ranked = judged
            .into_iter()
            .filter(|ranked| ranked.holds)
            .map(|ranked| ranked.candidate)
            .collect();
        recommendation.decision = present::decision(&recommendation, budget, options)?;
        Ok(recommendation)
    }
}

impl CostUnderRisk {
    fn check(&self) -> Result<(), FitError> {
        let rules = [
            (
                "confidence",
                self.confidence,
                self.confidence > 0.5 && self.confidence < 1.0,
                "over 0.5 and under 1",
            ),
            (
                "horizon_days",
                self.horizon_days,
                (1.0..=366.0).contains(&self.horizon_days),
                "from 1 to 366",
            ),
            (
                "cpu_headroom_percent",
                self.cpu_headroom_percent,
                (0.0..=1000.0).contains(&self.cpu_headroom_percent),
                "from 0 to 1000",
            ),
            (
                "memory_headroom_percent",
                self.memory_headroom_percent,
                (0.0..=1000.0).contains(&self.memory_headroom_percent),
                "from 0 to 1000",
            ),
        ];
        for (setting, value, holds, expected) in rules {
            if !holds {
                return Err(FitError::Setting {
                    setting,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }

    fn outlooks(&self, workload: &Workload) -> Result<Vec<(Resource, Outlook)>, FitError> {
        if workload.usage(Resource::Cpu).is_none() {
            return Err(FitError::CpuUnknown);
        }
        let outlook = |resource: Resource| {
            let usage = workload.usage(resource)?;
            let ceiling = match resource {
                Resource::Cpu => ceiling(usage, workload.tolerance().budget()),
                _ => Ceiling::NONE,
            };
            let (horizon, confidence) = (self.horizon_days, self.confidence);
            let budget = workload.tolerance().budget();
            let outlook = Outlook::of(usage, ceiling, horizon, confidence, budget);
            Some((resource, outlook))
        };
        Ok(Resource::ALL.into_iter().filter_map(outlook).collect())
    }
}

/// A machine at least as fast as the present one gives what that gave. This says enough where the
/// present one was full in no larger share of the time than is allowed; otherwise what it would
/// have needed has to be extrapolated.
fn ceiling(cpu: &Usage, budget: f64) -> Ceiling {
    let share = cpu.sorted().share_above(FULL_PERCENT);
    if share > budget {
        return Ceiling::NONE;
    }
    Ceiling {
        level: 100.0,
        share,
    }
}

/// Whether the measurements are too few for so small a share. Memory is a limit, not a share.
fn insufficient(outlooks: &[(Resource, Outlook)], budget: f64) -> Option<Decision> {
    let needed_samples = needed_samples(budget);
    outlooks
        .iter()
        .filter(|(resource, _)| *resource != Resource::Memory)
        .find_map(|(resource, outlook)| {
            let (days, samples) = outlook.measured()?;
            (days < LEAST_DAYS || samples < needed_samples).then_some(Decision::DataDoNotSuffice {
                resource: *resource,
                days,
                samples,
                needed_days: LEAST_DAYS,
                needed_samples,
            })
        })
}

/// A priced machine with what the ranking looks at.
#[derive(Debug)]
struct Ranked {
    candidate: Candidate,
    holds: bool,
    /// CPU that it has, in percent of the present machine's: at equal cost more is better.
    cpu: f64,
}

impl Ranked {
    /// By cost, then by performance for that cost, then by risk and name.
    fn order(&self, other: &Ranked) -> Ordering {
        let cost = |ranked: &Ranked| ranked.candidate.monthly.total.amount();
        let risk = |ranked: &Ranked| at_most(ranked.candidate.risk.as_ref());
        cost(self)
            .cmp(&cost(other))
            .then(other.cpu.total_cmp(&self.cpu))
            .then(risk(self).total_cmp(&risk(other)))
            .then_with(|| self.candidate.instance.cmp(&other.candidate.instance))
    }
}

fn at_most(risk: Option<&Risk>) -> f64 {
    risk.map_or(1.0, |risk| risk.at_most)
}

fn judge_all(
    judge: &Judge<'_>,
    pricing: &Pricing<'_>,
    machines: &[InstanceType],
    options: &FitOptions,
) -> Result<(Vec<Ranked>, Vec<Rejected>), FitError> {
    let (mut ranked, mut rejected) = (Vec::with_capacity(machines.len()), Vec::new());
    for machine in machines {
        let first = ranked.len();
        match judge_one(judge, pricing, machine, options, &mut ranked)? {
            Some(reason) => rejected.push(Rejected::new(&machine.name, reason)),
            None if ranked.len() == first => {
                rejected.push(Rejected::new(&machine.name, Rejection::NoPrice));
            }
            None => {}
        }
    }
    Ok((ranked, rejected))
}

/// Adds the machine once for each way to pay, and says why it does not hold the workload.
fn judge_one(
    judge: &Judge<'_>,
    pricing: &Pricing<'_>,
    machine: &InstanceType,
    options: &FitOptions,
    ranked: &mut Vec<Ranked>,
) -> Result<Option<Rejection>, FitError> {
    if let Some(reason) = not_allowed(machine, options) {
        return Ok(Some(reason));
    }
    let prices = pricing.of(machine)?;
    if prices.is_empty() {
        return Ok(Some(Rejection::NoPrice));
    }
    let room = match judge.room(machine) {
        Ok(room) => room,
        Err(reason) => return Ok(Some(reason)),
    };
    let mut reason = None;
    for judged in judge.modes(machine, &room) {
        add(machine, judged, &prices, pricing, &mut reason, ranked)?;
    }
    let holds = ranked
        .iter()
        .rev()
        .take_while(|last| last.candidate.instance == machine.name)
        .any(|last| last.holds);
    Ok(reason.filter(|_| !holds))
}

fn add(
    machine: &InstanceType,
    judged: Judged,
    prices: &[Priced],
    pricing: &Pricing<'_>,
    reason: &mut Option<Rejection>,
    ranked: &mut Vec<Ranked>,
) -> Result<(), FitError> {
    for priced in prices {
        let Some(monthly) = pricing.monthly(machine, priced, judged.surplus_vcpu_hours)? else {
            reason.get_or_insert(Rejection::NoPrice);
            continue;
        };
        let mut candidate = Candidate::new(&machine.name, priced.purchase, monthly);
        candidate.credit_mode = judged.mode;
        candidate.risk = Some(judged.risk.clone());
        candidate.projected = judged.projected.clone();
        candidate.assumptions = judged.assumptions.clone();
        ranked.push(Ranked {
            candidate,
            holds: judged.rejection.is_none(),
            cpu: judged.cpu,
        });
    }
    if let Some(rejection) = judged.rejection {
        reason.get_or_insert(rejection);
    }
    Ok(())
}

fn not_allowed(machine: &InstanceType, options: &FitOptions) -> Option<Rejection> {
    if !options.architectures.contains(&machine.architecture) {
        return Some(Rejection::Architecture {
            has: machine.architecture,
        });
    }
    if machine.accelerated && !options.accelerated {
        return Some(Rejection::Accelerated);
    }
    (!machine.current_generation && !options.previous_generations)
        .then_some(Rejection::PreviousGeneration)
}

/// Of candidates in order of cost, those with less risk than every one before.
fn pareto(ranked: &[Ranked]) -> Vec<Candidate> {
    let mut least = f64::INFINITY;
    let mut front: Vec<Candidate> = Vec::new();
    for ranked in ranked {
        let risk = at_most(ranked.candidate.risk.as_ref());
        if risk >= least {
            continue;
        }
        least = risk;
        // At the same cost the riskier one before is dominated.
        let total = ranked.candidate.monthly.total;
        if front.last().is_some_and(|last| last.monthly.total == total) {
            front.pop();
        }
        front.push(ranked.candidate.clone());
    }
    front
}

fn notes(workload: &Workload, outlooks: &[(Resource, Outlook)]) -> Vec<Note> {
    let mut notes = Vec::new();
    for resource in Resource::ALL {
        let Some((_, outlook)) = outlooks.iter().find(|(known, _)| *known == resource) else {
            notes.push(match resource {
                Resource::Memory => Note::MemoryUnknown,
                _ => Note::UseUnknown { resource },
            });
            continue;
        };
        match workload.usage(resource).map(Usage::evidence) {
            Some(Evidence::Summary) => notes.push(Note::BetaAssumed { resource }),
            Some(Evidence::Histogram { .. }) => notes.push(Note::OrderUnknown { resource }),
            Some(Evidence::Samples { .. }) | None => {}
        }
        notes.extend(change_note(resource, outlook.change()));
        if resource == Resource::Memory {
            continue;
        }
        if outlook.source_at(outlook.need()) == Source::Extrapolated {
            notes.push(Note::TailExtrapolated {
                resource,
                effective_samples: outlook.effective_samples(),
            });
        }
    }
    notes.extend(saturation(workload));
    notes
}

fn change_note(resource: Resource, change: Change) -> Option<Note> {
    match change {
        Change::None => None,
        Change::Growth { per_day, .. } => Some(Note::GrowthProjected {
            resource,
            per_week: per_day * 7.0,
        }),
        Change::Step { day, .. } => Some(Note::LevelChanged {
            resource,
            after_days: day as f64,
        }),
    }
}

fn saturation(workload: &Workload) -> Option<Note> {
    let cpu = workload.usage(Resource::Cpu)?;
    let share = cpu.sorted().share_above(FULL_PERCENT);
    (share > 0.0).then_some(Note::Saturated { share })
}
