//! Was the promise of service kept, and what is owed if not?
//!
//! [`SlaTerms`] is what a tier promises, [`SlaMeter`] counts what happened in a period, [`SlaReport`]
//! compares the two, and [`Compensation`] is what follows in money. [`PlanCheck`] asks beforehand
//! what a plan earns when everything that was promised has to be paid.

mod compensation;
mod meter;
mod plan;
mod report;
mod terms;

pub use compensation::{Compensation, CompensationKey, CompensationTerms};
pub use meter::{Event, Outcome, SlaMeter, Window};
pub use plan::{PlanCheck, PlanVerdict};
pub use report::{AvailabilityVerdict, LatencyVerdict, SlaReport};
pub use terms::{LatencyClock, LatencyPromise, Percentile, Share, SlaError, SlaTerms, Support};
