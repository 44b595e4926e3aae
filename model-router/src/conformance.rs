//! Does an implementation keep the contract of its port? And what can the rest be tested with?
//!
//! [`response_cache`] is the suite that every [`ResponseCache`](crate::ResponseCache) passes, and
//! [`batch_journal`] and [`batch_service`] those of the two ports of batches. [`ScriptedClient`],
//! [`ManualClock`] and [`SimulatedBatchService`] stand for the world in tests and examples.

mod batch;
mod cache;
mod client;
mod clock;
mod service;

pub use batch::{batch_journal, batch_service};
pub use cache::response_cache;
pub use client::{Asked, ScriptedClient};
pub use clock::ManualClock;
pub use service::SimulatedBatchService;
