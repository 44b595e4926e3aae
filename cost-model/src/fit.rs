//! Which machine holds this workload for the least money, and how sure is that?

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
