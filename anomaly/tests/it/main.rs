//! The crate as its users see it.

mod alert_events;
mod alerts;
mod feedback;
mod merging;
mod projection;
mod random;
