//! What can wait, and is therefore cheaper?
mod id;
pub use id::{IdError, JobId, RecordId};
