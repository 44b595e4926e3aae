//! How many instances carry the peak, keep nearly every request quick, and survive a loss; and what
//! do they cost?
//!
//! Three answers stand side by side: a formula with a factor for redundancy, a table of stages, and
//! a queueing model that knows how long requests wait. [`CapacityPlan`] shows all of them, says
//! which one binds, and adds what the loss of an instance or of a zone asks for.
//!
//! ```
//! use bursar_cost_model::capacity::{Binding, CapacityPlan, CapacityPrices, Demand, Reason};
//! use bursar_units::{Currency, Money};
//!
//! let mut demand = Demand::new(2_000.0);
//! demand.p99_seconds = 0.1;
//! let mut prices = CapacityPrices::default();
//! prices.instance_hour = Some(Money::parse("0.0336", Currency::USD)?);
//!
//! let plan = CapacityPlan::new(&demand, &prices)?;
//! // 2,000 ÷ 500 × 1.5; the table has 8 to 10 for this stage; three servers of 1 ms would do.
//! assert_eq!((plan.formula, plan.listed.map(|l| l.least)), (6, Some(8)));
//! assert_eq!((plan.queue, plan.binds), (Some(3), Binding::Formula));
//! assert_eq!((plan.advised, plan.reason), (10, Reason::Listed));
//! // 10 × 730 × 0.0336; Redis and the database have no price here, so the total is not known.
//! assert_eq!(plan.cost.instances, Some(Money::parse("245.28", Currency::USD)?));
//! assert_eq!(plan.cost.total, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - [`Demand`] is the peak, what an instance can do, and what must be kept: a p99 and so many
//!   zones.
//! - The formula is ⌈peak ÷ rated requests per instance × redundancy⌉. The [`Stage`]s are those of
//!   a service that was planned by hand; they disagree with its formula, so both are shown.
//! - [`Queue`] is M/M/c: [`erlang_c`] gives the share that waits, and the distribution of waiting
//!   and service together gives the p99. [`servers_for`] turns it around.
//! - Real arrivals come in bursts. [`squared_variation`], [`dispersion`] and [`peakedness`] measure
//!   how much, [`Queue::with_variation`] (Allen and Cunneen) and [`Queue::with_peakedness`] (Hayward)
//!   correct for it, and [`simulate`] lets the very requests wait.
//!
//! # Sources
//!
//! Erlang (1917) for both formulas; Cooper, *Introduction to Queueing Theory*, for the recursion;
//! Allen, *Probability, Statistics and Queueing Theory*, Kingman (1961) and Fredericks (1980) for the
//! corrections.
//!
//! # What it does not do
//!
//! No correction replaces the requests themselves: on real traces all of them promised less than
//! the simulation took where the load was high, so a plan for a service that runs should come from
//! [`simulate`].
//!
//! The queue has one line for all servers. Where a balancer sends each request to an instance before
//! one is free, requests wait longer. It does not model retries, timeouts, nor an autoscaler: it
//! says what must be there at the peak.

mod plan;
mod queue;
mod render;
mod simulate;
mod stage;
mod trace;

use bursar_units::MoneyError;

pub use self::plan::{Binding, CapacityCost, CapacityPlan, CapacityPrices, Demand, Reason};
pub use self::queue::{Queue, erlang_b, erlang_c, servers_for};
pub use self::simulate::{
    Arrival, Simulated, arrival_variation, dispersion, peakedness, simulate, squared_variation,
};
pub use self::stage::{ListedInstances, Stage};
pub use self::trace::{TokenRequest, TokenSpeed, TraceError, read_token_requests};

/// Why there is no answer about capacity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CapacityError {
    /// A number is not one that can be.
    #[error("{what}: {value} cannot be")]
    Value {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: f64,
    },
    /// More instances would be needed than are counted.
    #[error("over a million servers would be needed ({needed} at full use): check the units")]
    TooMany {
        /// How many would be busy.
        needed: f64,
    },
    /// There is nothing to simulate.
    #[error("there are no arrivals: give at least one")]
    NoArrivals,
    /// An arrival cannot be.
    #[error("arrival {index}: {problem}")]
    Arrival {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A cost cannot be computed.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A number that is zero or more.
fn check_rate(what: &'static str, value: f64) -> Result<(), CapacityError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(CapacityError::Value { what, value })
}

/// A number above zero.
fn check_positive(what: &'static str, value: f64) -> Result<(), CapacityError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(CapacityError::Value { what, value })
}
