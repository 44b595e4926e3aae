//! Series, costs and faults whose truth is known, from a seed.

pub mod costs;
pub mod noise;
pub mod root_cause;
