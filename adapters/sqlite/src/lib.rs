//! Billing records in embedded SQLite.
mod error;
mod read;
mod row;
mod scan;
mod schema;
mod store;
mod write;

pub use error::SqliteError;
pub use store::{SqliteOptions, SqliteStore};
