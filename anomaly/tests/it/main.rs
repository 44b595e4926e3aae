//! The crate as its users see it.

#[cfg(feature = "synthetic")]
mod daily;
mod events;
#[cfg(feature = "synthetic")]
mod synthetic_costs;
