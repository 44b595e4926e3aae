//! Which machine has the most points?

use std::cmp::Ordering;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::options::{FitOptions, PurchaseOption};
use super::recommendation::{
    Assumption, Candidate, Decision, MonthlyCost, Note, Projection, Recommendation, Rejected,
    Rejection,
};
use super::usage::Usage;
use super::workload::{HOURS_PER_MONTH, Resource, Tolerance, Workload};
use super::{FitError, FitScorer};
use crate::instances::{Architecture, BurstCredits, CreditMode, InstanceType};

/// Hours of a month in the cost term, and the most that is billed on demand under medium tolerance.
const SCORED_HOURS: Decimal = Decimal::from_parts(720, 0, 0, false, 0);

/// What a year reserved costs of the price on demand where it is not known: the ratio of the 14
/// types of the source, such as 0.0243 ÷ 0.0336.
const RESERVED_RATIO: Decimal = Decimal::from_parts(7236, 0, 0, false, 4);

/// Points under which a machine is not recommended.
const NEEDED_SCORE: f64 = 50.0;

/// Scores each machine from 0 to 100 and recommends the best, without a word about risk.
///
/// The scorer is kept for those who come from it: it is simple to follow, and every figure of it is
/// a convention. [`CostUnderRisk`](super::CostUnderRisk) answers the question that matters, how
/// often a machine is too small. The points are a sum of five terms:
///
/// | term | weight | points |
/// |---|---|---|
/// | CPU | 0.25 | 100 from 0.8 to 1.5 × need; above, 50 less for each need more; below, 100 × capacity ÷ need |
/// | memory | 0.30 | 100 from 0.9 to 1.3 × need; above, 40 less for each need more; below, 0 |
/// | architecture | 0.10 | x86_64 100, arm64 95; measured speed does not support a difference |
/// | cost | 0.25 | 10 × base ÷ price of 720 hours, at most 100; base: spot 150, reserved 100, on demand 80 |
/// | network | 0.10 | burst to 5 Gbit/s 70, to 10 Gbit/s 90, more 100, unknown 50 |
///
/// Need of CPU is the larger of the average and 0.7 × the maximum, times the vCPUs of the present
/// machine; capacity is 100 per vCPU, whatever its speed and its credits. Need of memory is the
/// larger of the average and 0.8 × the maximum. A need of zero gives a term of 0, to which the term
/// tends when the need goes to zero. Where memory was not measured, the memory of the present
/// machine is the need.
///
/// Never recommended: less than 50 points; less memory than 0.9 × the need, or less usable memory
/// than the need where that is known (or than the present machine has, where memory was not
/// measured).
///
/// How a machine is paid: spot for high tolerance, reserved for medium when it runs over 720 hours,
/// else on demand; on demand too where an option is not allowed or no spot price is known. Where no
/// reserved price is known it is taken for 0.7236 × the price on demand, and an
/// [assumption](Assumption::ReservedPrice) says so. A burstable machine is charged for what the mean
/// of each day is above its baseline, in its cost and not in its points.
///
/// ```
/// use bursar_cost_model::fit::{
///     FitOptions, FitScorer, Resource, Usage, WeightedFit, Workload,
/// };
/// use bursar_cost_model::instances::source_catalog;
///
/// let catalog = source_catalog();
/// let present = catalog.get("t3.xlarge").ok_or("t3.xlarge is in the source")?.clone();
/// let workload = Workload::new(present)
///     .with_usage(Resource::Cpu, Usage::average_and_maximum(15.2, 28.3)?)?
///     .with_usage(Resource::Memory, Usage::average_and_maximum(2048.0, 3072.0)?)?;
/// let scorer = WeightedFit::default();
/// let answer = scorer.recommend(&workload, catalog.instances(), &FitOptions::default())?;
/// let best = answer.best().ok_or("something fits")?;
/// assert_eq!(&*best.instance, "t4g.medium");
/// assert_eq!(best.score.map(|score| format!("{score:.2}")).as_deref(), Some("68.59"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct WeightedFit {
    /// Whether CPU need counts the vCPUs of the machine it was measured on.
    pub cpu_need: CpuNeed,
    /// At which price a machine is scored.
    pub scored_price: ScoredPrice,
}

/// How need of CPU is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum CpuNeed {
    /// Percent of the present machine times its vCPUs.
    #[default]
    OfPresentMachine,
    /// Percent as if of one vCPU: the literal form of the source, which makes every machine look
    /// far too large.
    Literal,
}

/// At which price a machine is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ScoredPrice {
    /// At the price at which it is billed.
    #[default]
    AsBilled,
    /// Spot under high, reserved under medium, on demand under low tolerance, however it is billed:
    /// as the source does.
    ByTolerance,
}

impl WeightedFit {
    /// The source to the letter: no conversion of CPU need, and the price of the tolerance.
    #[must_use]
    pub fn literal() -> WeightedFit {
        WeightedFit {
            cpu_need: CpuNeed::Literal,
            scored_price: ScoredPrice::ByTolerance,
        }
    }
}

impl FitScorer for WeightedFit {
    fn recommend(
        &self,
        workload: &Workload,
        machines: &[InstanceType],
        options: &FitOptions,
    ) -> Result<Recommendation, FitError> {
        if machines.is_empty() {
            return Err(FitError::NoMachines);
        }
        let need = Need::of(workload, self.cpu_need)?;
        let mut answer = Recommendation::new(Decision::NothingFits);
        for machine in machines {
            match self.judge(&need, workload, machine, options)? {
                Ok(candidate) => answer.ranked.push(candidate),
                Err(reason) => answer.rejected.push(Rejected::new(&machine.name, reason)),
            }
        }
        answer.ranked.sort_by(by_score);
        answer.present = present(&need, workload, options)?;
        answer.notes = notes(workload);
        answer.decision = decide(&answer, workload, options)?;
        Ok(answer)
    }
}

/// What the workload needs, in the units of the terms.
struct Need<'a> {
    cpu: f64,
    memory_mib: f64,
    cpu_usage: &'a Usage,
    memory_usage: Option<&'a Usage>,
}

impl Need<'_> {
    fn of(workload: &Workload, cpu_need: CpuNeed) -> Result<Need<'_>, FitError> {
        let cpu_usage = workload.usage(Resource::Cpu).ok_or(FitError::CpuUnknown)?;
        let memory_usage = workload.usage(Resource::Memory);
        let vcpus = match cpu_need {
            CpuNeed::OfPresentMachine => vcpus(workload.source()),
            CpuNeed::Literal => 1.0,
        };
        Ok(Need {
            cpu: cpu_usage.average().max(0.7 * cpu_usage.maximum()) * vcpus,
            memory_mib: memory_usage.map_or_else(
                || memory_capacity(workload.source()),
                |memory| memory.average().max(0.8 * memory.maximum()),
            ),
            cpu_usage,
            memory_usage,
        })
    }
}

impl WeightedFit {
    fn judge(
        &self,
        need: &Need<'_>,
        workload: &Workload,
        machine: &InstanceType,
        options: &FitOptions,
    ) -> Result<Result<Candidate, Rejection>, FitError> {
        if let Some(reason) = refusal(need, machine, options) {
            return Ok(Err(reason));
        }
        let tolerance = workload.tolerance();
        let billed = Price::billed(workload, machine, options);
        let scored = match self.scored_price {
            ScoredPrice::AsBilled => billed.clone(),
            ScoredPrice::ByTolerance => Price::by_tolerance(tolerance, machine),
        };
        let (Some(billed), Some(scored)) = (
            billed.map_err(|source| money_error(machine, source))?,
            scored.map_err(|source| money_error(machine, source))?,
        ) else {
            return Ok(Err(Rejection::NoPrice));
        };
        let score = score(need, machine, &scored);
        if score < NEEDED_SCORE {
            let needed = NEEDED_SCORE;
            return Ok(Err(Rejection::LowScore { score, needed }));
        }
        let mut candidate = match price_month(need, workload, machine, &billed)? {
            Ok(candidate) => candidate,
            Err(reason) => return Ok(Err(reason)),
        };
        candidate.score = Some(score);
        if billed.modeled || scored.modeled {
            candidate.assumptions.push(Assumption::ReservedPrice);
        }
        Ok(Ok(candidate))
    }
}

/// Why a machine is left out whatever its points.
fn refusal(need: &Need<'_>, machine: &InstanceType, options: &FitOptions) -> Option<Rejection> {
    if !options.architectures.contains(&machine.architecture) {
        let has = machine.architecture;
        return Some(Rejection::Architecture { has });
    }
    if machine.accelerated && !options.accelerated {
        return Some(Rejection::Accelerated);
    }
    if !machine.current_generation && !options.previous_generations {
        return Some(Rejection::PreviousGeneration);
    }
    let capacity = memory_capacity(machine);
    let measured = need.memory_usage.is_some();
    let share = if measured && machine.usable_memory_mib.is_none() {
        0.9
    } else {
        1.0
    };
    if capacity < share * need.memory_mib {
        return Some(Rejection::MemoryTooSmall {
            need_mib: need.memory_mib,
            usable_mib: capacity,
        });
    }
    None
}

/// The price of an hour, and what of it is known.
#[derive(Clone)]
struct Price {
    purchase: PurchaseOption,
    hourly: Money,
    modeled: bool,
}

impl Price {
    fn billed(
        workload: &Workload,
        machine: &InstanceType,
        options: &FitOptions,
    ) -> Result<Option<Price>, MoneyError> {
        let tolerance = workload.tolerance();
        let allowed = options.purchase_options(tolerance);
        let wanted = match tolerance {
            Tolerance::High => PurchaseOption::Spot,
            Tolerance::Medium if workload.hours_per_month() > SCORED_HOURS => {
                PurchaseOption::ReservedOneYear
            }
            _ => PurchaseOption::OnDemand,
        };
        if allowed.contains(&wanted) {
            let price = Price::of(machine, wanted)?;
            if price.is_some() {
                return Ok(price);
            }
        }
        if allowed.contains(&PurchaseOption::OnDemand) {
            return Price::of(machine, PurchaseOption::OnDemand);
        }
        Ok(None)
    }

    fn by_tolerance(
        tolerance: Tolerance,
        machine: &InstanceType,
    ) -> Result<Option<Price>, MoneyError> {
        let purchase = match tolerance {
            Tolerance::High => PurchaseOption::Spot,
            Tolerance::Medium => PurchaseOption::ReservedOneYear,
            Tolerance::Low => PurchaseOption::OnDemand,
        };
        Price::of(machine, purchase)
    }

    fn of(machine: &InstanceType, purchase: PurchaseOption) -> Result<Option<Price>, MoneyError> {
        let known = |hourly| Price {
            purchase,
            hourly,
            modeled: false,
        };
        Ok(match purchase {
            PurchaseOption::OnDemand => machine.on_demand.map(known),
            PurchaseOption::Spot => machine.spot_hourly()?.map(known),
            PurchaseOption::ReservedOneYear => match machine.reserved_one_year {
                Some(hourly) => Some(known(hourly)),
                None => Price::modeled(machine)?,
            },
        })
    }

    fn modeled(machine: &InstanceType) -> Result<Option<Price>, MoneyError> {
        let Some(on_demand) = machine.on_demand else {
            return Ok(None);
        };
        Ok(Some(Price {
            purchase: PurchaseOption::ReservedOneYear,
            hourly: on_demand.checked_mul(RESERVED_RATIO)?,
            modeled: true,
        }))
    }

    /// A machine reserved is paid in every hour, used or not.
    fn month(&self, workload: &Workload) -> Result<Money, MoneyError> {
        self.hourly.checked_mul(match self.purchase {
            PurchaseOption::ReservedOneYear => HOURS_PER_MONTH,
            PurchaseOption::OnDemand | PurchaseOption::Spot => workload.hours_per_month(),
        })
    }
}

fn score(need: &Need<'_>, machine: &InstanceType, price: &Price) -> f64 {
    let architecture = match machine.architecture {
        Architecture::X86_64 => 100.0,
        Architecture::Arm64 => 95.0,
    };
    0.25 * cpu_term(need.cpu, vcpus(machine) * 100.0)
        + 0.30 * memory_term(need.memory_mib, memory_capacity(machine))
        + 0.10 * architecture
        + 0.25 * cost_term(price)
        + 0.10 * network_term(machine)
}

fn cpu_term(need: f64, capacity: f64) -> f64 {
    if need <= 0.0 {
        0.0
    } else if capacity >= 1.5 * need {
        (100.0 - 50.0 * (capacity - 1.5 * need) / need).max(0.0)
    } else if capacity < 0.8 * need {
        100.0 * capacity / need
    } else {
        100.0
    }
}

fn memory_term(need: f64, capacity: f64) -> f64 {
    if need <= 0.0 || capacity < 0.9 * need {
        0.0
    } else if capacity >= 1.3 * need {
        (100.0 - 40.0 * (capacity - 1.3 * need) / need).max(0.0)
    } else {
        100.0
    }
}

/// A machine that costs nothing has all points.
fn cost_term(price: &Price) -> f64 {
    let base = match price.purchase {
        PurchaseOption::Spot => 150.0,
        PurchaseOption::ReservedOneYear => 100.0,
        PurchaseOption::OnDemand => 80.0,
    };
    let hourly = price.hourly.amount().to_f64().unwrap_or(f64::INFINITY);
    let monthly = hourly * SCORED_HOURS.to_f64().unwrap_or(720.0);
    if monthly <= 0.0 {
        return 100.0;
    }
    (10.0 * base / monthly).min(100.0)
}

fn network_term(machine: &InstanceType) -> f64 {
    match machine.network.map(|network| network.burst_mbps) {
        None => 50.0,
        Some(..=5_000) => 70.0,
        Some(..=10_000) => 90.0,
        Some(_) => 100.0,
    }
}

/// The machine with what a month of it costs; a burstable one of which the surplus would be charged
/// at an unknown price is refused.
fn price_month(
    need: &Need<'_>,
    workload: &Workload,
    machine: &InstanceType,
    price: &Price,
) -> Result<Result<Candidate, Rejection>, FitError> {
    let surplus = match &machine.burst {
        None => None,
        Some(credits) => match surplus(need.cpu_usage, workload, machine, credits, price)? {
            Some(charge) => Some(charge),
            None => {
                let resource = Resource::Cpu;
                return Ok(Err(Rejection::LimitUnknown { resource }));
            }
        },
    };
    let monthly = price
        .month(workload)
        .and_then(|month| MonthlyCost::new(month, surplus, None))
        .map_err(|source| money_error(machine, source))?;
    let mut candidate = Candidate::new(&machine.name, price.purchase, monthly);
    candidate.credit_mode = machine.burst.as_ref().map(|_| CreditMode::Unlimited);
    candidate.projected = projected(need, workload, machine);
    Ok(Ok(candidate))
}

/// What the CPU above the baseline costs a month in unlimited mode, where a vCPU is taken to do what
/// one of the present machine does; `None` where there is some and its price is unknown.
fn surplus(
    cpu: &Usage,
    workload: &Workload,
    machine: &InstanceType,
    credits: &BurstCredits,
    price: &Price,
) -> Result<Option<Money>, FitError> {
    let vcpus_used = vcpus(workload.source()) / 100.0;
    let baseline = vcpus(machine) * credits.baseline_percent / 100.0;
    let over = mean_over(cpu, baseline / vcpus_used) * vcpus_used;
    if over <= 0.0 {
        return Ok(Some(Money::zero(price.hourly.currency())));
    }
    let (Some(price), Some(over)) = (
        credits.surplus_per_vcpu_hour,
        Decimal::from_f64_retain(over),
    ) else {
        return Ok(None);
    };
    // Six places of a vCPU are a millionth of what is charged for one.
    price
        .checked_mul(over.round_dp(6))
        .and_then(|hourly| hourly.checked_mul(workload.hours_per_month()))
        .map(Some)
        .map_err(|source| money_error(machine, source))
}

/// How far the days' means are above a level, on average over the days; of the mean of all where
/// the order of samples is unknown.
fn mean_over(usage: &Usage, level: f64) -> f64 {
    let (Some(series), Some(step)) = (usage.series(), usage.step()) else {
        return (usage.average() - level).max(0.0);
    };
    let days = series.chunks(step.per_day()).filter_map(|day| {
        let known: Vec<f64> = day
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    });
    let over: Vec<f64> = days.map(|mean| (mean - level).max(0.0)).collect();
    over.iter().sum::<f64>() / over.len().max(1) as f64
}

fn projected(need: &Need<'_>, workload: &Workload, machine: &InstanceType) -> Vec<Projection> {
    let ratio = vcpus(workload.source()) / vcpus(machine);
    let cpu = need.cpu_usage;
    let mut projected = vec![Projection::new(
        Resource::Cpu,
        cpu.average() * ratio,
        cpu.maximum() * ratio,
    )];
    if let Some(memory) = need.memory_usage {
        let share = 100.0 / memory_capacity(machine).max(1.0);
        projected.push(Projection::new(
            Resource::Memory,
            memory.average() * share,
            memory.maximum() * share,
        ));
    }
    projected
}

fn present(
    need: &Need<'_>,
    workload: &Workload,
    options: &FitOptions,
) -> Result<Option<Candidate>, FitError> {
    let machine = workload.source();
    let price = Price::of(machine, options.present_purchase)
        .map_err(|source| money_error(machine, source))?;
    let Some(price) = price else {
        return Ok(None);
    };
    let mut candidate = price_month(need, workload, machine, &price)?.ok();
    if let Some(candidate) = &mut candidate {
        candidate.score = Some(score(need, machine, &price));
    }
    Ok(candidate)
}

fn notes(workload: &Workload) -> Vec<Note> {
    let mut notes = Vec::new();
    if workload.usage(Resource::Memory).is_none() {
        notes.push(Note::MemoryUnknown);
    }
    for resource in Resource::ALL {
        if !matches!(resource, Resource::Cpu | Resource::Memory) {
            notes.push(Note::UseUnknown { resource });
        }
    }
    notes
}

fn decide(
    answer: &Recommendation,
    workload: &Workload,
    options: &FitOptions,
) -> Result<Decision, FitError> {
    let Some(best) = answer.best() else {
        return Ok(Decision::NothingFits);
    };
    if best.instance == workload.source().name {
        return Ok(Decision::StayCheapest);
    }
    let Some(present) = &answer.present else {
        let monthly_saving = None;
        return Ok(Decision::Move { monthly_saving });
    };
    pays(present, best, options).map_err(|source| money_error(workload.source(), source))
}

fn pays(
    present: &Candidate,
    best: &Candidate,
    options: &FitOptions,
) -> Result<Decision, MoneyError> {
    let monthly = present.monthly.total.checked_sub(best.monthly.total)?;
    if let Some(switching) = options.switching_cost {
        let saving = monthly.checked_mul(options.horizon_months)?;
        if saving.try_cmp(&switching)?.is_lt() {
            return Ok(Decision::StaySwitchingCosts { saving, switching });
        }
    }
    Ok(Decision::Move {
        monthly_saving: Some(monthly),
    })
}

/// The most points first, then the cheaper one, then by name.
fn by_score(left: &Candidate, right: &Candidate) -> Ordering {
    let cost = |candidate: &Candidate| candidate.monthly.total.amount();
    let score = |candidate: &Candidate| candidate.score.unwrap_or(0.0);
    score(right)
        .total_cmp(&score(left))
        .then(cost(left).cmp(&cost(right)))
        .then_with(|| left.instance.cmp(&right.instance))
}

fn vcpus(machine: &InstanceType) -> f64 {
    f64::from(machine.vcpus.get())
}

/// What the operating system sees where that is known, else what is sold, in MiB.
fn memory_capacity(machine: &InstanceType) -> f64 {
    machine.usable_memory_mib.unwrap_or(machine.memory_mib) as f64
}

fn money_error(machine: &InstanceType, source: MoneyError) -> FitError {
    FitError::Money {
        machine: machine.name.clone(),
        source,
    }
}
