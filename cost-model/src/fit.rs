//! Which machine holds this workload for the least money, and how sure is that?
//!
//! A [`Workload`] is what was measured on one machine; a [`FitScorer`] judges all others for it.
//! [`CostUnderRisk`] takes the cheapest machine and way to pay whose risk stays within the
//! tolerance, and says what each other one lacks; [`WeightedFit`] gives points by a fixed rule.
//!
//! ```
//! use bursar_cost_model::fit::{CostUnderRisk, FitOptions, FitScorer, Resource, Tolerance, Usage, Workload};
//! use bursar_cost_model::instances::{InstanceCatalog, InstanceTables};
//!
//! let catalog = InstanceCatalog::parse(
//!     &InstanceTables {
//!         instances: bursar_catalog::INSTANCES,
//!         credits: bursar_catalog::INSTANCE_CREDITS,
//!         measurements: bursar_catalog::INSTANCE_MEASUREMENTS,
//!         prices: bursar_catalog::INSTANCE_PRICES,
//!         spot: bursar_catalog::INSTANCE_SPOT,
//!         sources: bursar_catalog::INSTANCE_SOURCES,
//!     },
//!     "us-east-1",
//! )?;
//! let machines: Vec<_> = catalog.iter().cloned().collect();
//! let present = catalog.get("t3.xlarge").ok_or("the catalog has it")?.clone();
//!
//! let workload = Workload::new(present)
//!     .with_tolerance(Tolerance::Medium)
//!     .with_usage(Resource::Cpu, Usage::average_and_maximum(15.2, 28.3)?)?
//!     .with_usage(Resource::Memory, Usage::average_and_maximum(2048.0, 3072.0)?)?;
//! let answer = CostUnderRisk::default().recommend(&workload, &machines, &FitOptions::default())?;
//!
//! let best = answer.best().ok_or("something holds so little")?;
//! let risk = best.risk.as_ref().ok_or("this scorer knows the risk")?;
//! assert!(risk.at_most <= 0.005 && risk.memory.available_mib >= 3072.0 * 1.2);
//! println!("{}: {} {}, {}", best.instance, best.monthly.total, best.purchase, answer.decision);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - **Use belongs to a machine.** CPU is percent of the machine that it was measured on. It is
//!   carried over by measured scores (CoreMark on all threads), not by vCPUs, which differ by up to
//!   three times. Without a score the lowest of the same family counts and the candidate
//!   [says so](Assumption); without that, the machine is [not recommended](UnknownCpuScore).
//! - **Risk is a share of time**: that in which the worst resource is short. The budget is the
//!   [`Tolerance`]: 0.1, 0.5 or 5 %. Each [`Breach`] has the best estimate
//!   ([`expected`](Breach::expected)) and what the share will not exceed in the next two weeks
//!   ([`at_most`](Breach::at_most)); only the second is compared with the budget.
//! - **Memory is a limit, not a share.** The largest use with a fifth more has to fit into what the
//!   operating system sees. Where memory was not measured, at least the present memory is kept.
//! - **Short means shorter than now.** Measurements end at 100 %, so a machine at least as fast as
//!   the present one gives what that gave. Only where the present one was full more often than
//!   is tolerated, the need beyond is extrapolated.
//! - **Cost is all that moves with the choice**: the machine, the surplus charge of burstable types,
//!   and the expected interruptions of spot machines. Commitments are paid for every hour. A price
//!   that is unknown is no price.
//!
//! # How the risk is found
//!
//! 1. *Change.* The level of each day's busiest tenth is tested for growth and for a step, beside
//!    the weekdays from two weeks on. What is found is carried on, with its error in the bound.
//! 2. *Count.* Where at least 20 samples are above a limit, their share is the estimate, and the
//!    bound is that of Clopper and Pearson. Its number of samples is deflated by how the share
//!    varies from day to day: a rhythm that every day repeats costs nothing, a day that is busy
//!    throughout counts once. The samples of the weeks ahead, which are few as well, are in it.
//! 3. *Extrapolate.* Beyond that a generalized Pareto tail is fitted to the highest 5 % by
//!    probability-weighted moments; the bound takes a shape one standard error heavier, and a
//!    gamma distribution of what may come. The answer [says so](Note::TailExtrapolated). Less than
//!    three days, or than a tenth of the inverse of the budget in samples, [do not
//!    suffice](Decision::DataDoNotSuffice).
//! 4. *Weigh.* A fortnight tells little of how sure it is itself. The margin between estimate and
//!    bound is brought together with what is believed of any machine, that the level of its busy
//!    hours moves by 11 % from one fortnight to the next (chosen on synthetic machines).
//! 5. *Simulate.* CPU credits run over the series ([`CreditSimulation`]), with all demand as many
//!    times larger as the bound is above the estimate. So do token buckets of network and volumes:
//!    five minutes of burst for the network, the least of the “5 to 60 minutes” that AWS states, and
//!    30 minutes a day for volumes. Flex types are short where more than 5 % of the time is above
//!    40 % of their CPU.
//!
//! Bounds hold with a confidence of 0.9 each. Machines come in sizes, so that the one taken is
//! mostly larger than was asked for, and promises are kept more often.
//!
//! # What it does not do
//!
//! It does not look into the machine: a process that uses one thread gains nothing from many
//! slower ones. Volumes cost the same beside every machine and are not priced here. It does not
//! know of a launch next month, and the largest value ever is no bound on the future. Launch
//! credits of T2 are left out, as they are spent once.

mod bucket;
mod credits;
mod days;
mod options;
mod outlook;
mod recommendation;
mod solve;
mod sorted;
mod tail;
mod under_risk;
mod usage;
mod weighted;
mod workload;

use bursar_units::{Money, MoneyError};
use rust_decimal::Decimal;

pub use self::credits::{CreditSimulation, CreditStep, break_even_percent};
pub use self::options::{FitOptions, InterruptionTerms, PurchaseOption};
pub use self::recommendation::{
    Assumption, Breach, BreachBasis, Candidate, Decision, MemoryRoom, MonthlyCost, Note,
    Projection, Recommendation, Rejected, Rejection, Risk,
};
pub use self::under_risk::{CostUnderRisk, UnknownCpuScore};
pub use self::usage::{SampleStep, Usage, UsageError};
pub use self::weighted::{CpuNeed, ScoredPrice, WeightedFit};
pub use self::workload::{HOURS_PER_MONTH, Resource, Tolerance, Workload};
use crate::instances::InstanceType;

/// A way to choose a machine.
pub trait FitScorer {
    /// Judges `machines` for `workload`, in any order of theirs, and ranks those that hold it.
    ///
    /// # Errors
    /// [`FitError`] where the question cannot be answered; a machine that does not fit, and data
    /// that do not suffice, are answers.
    fn recommend(
        &self,
        workload: &Workload,
        machines: &[InstanceType],
        options: &FitOptions,
    ) -> Result<Recommendation, FitError>;
}

/// Why no machine can be chosen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// CPU over 100 %.
    #[error("CPU of {percent} % is over 100: give percent of the whole machine, not of one vCPU")]
    CpuOverHundred {
        /// The largest value.
        percent: f64,
    },
    /// Hours that no month has.
    #[error("{hours} hours a month are not over 0 and up to 744")]
    Hours {
        /// The hours.
        hours: Decimal,
    },
    /// CPU was not measured, and without it no machine can be chosen.
    #[error("the CPU use of the workload is unknown: give samples, or average and maximum")]
    CpuUnknown,
    /// No machine to choose from.
    #[error("there is no machine to choose from")]
    NoMachines,
    /// A setting out of its range.
    #[error("`{setting}` is {value}, which is not {expected}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// A value of a machine that no machine has.
    #[error("`{value}` of machine `{machine}` is {found}, which no machine has")]
    Machine {
        /// The machine.
        machine: Box<str>,
        /// The name of the value.
        value: &'static str,
        /// The value.
        found: f64,
    },
    /// A price under zero.
    #[error("an hour of machine `{machine}` costs {price}, which no machine does")]
    NegativePrice {
        /// The machine.
        machine: Box<str>,
        /// The price of an hour.
        price: Money,
    },
    /// Prices that cannot be added or compared, such as those of two currencies.
    #[error("the cost of machine `{machine}` cannot be computed")]
    Money {
        /// The machine.
        machine: Box<str>,
        /// Why.
        source: MoneyError,
    },
}
