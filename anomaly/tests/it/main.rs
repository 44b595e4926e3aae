//! The crate as its users see it.

mod metric;
mod nab;
