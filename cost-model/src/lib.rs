//! What did it cost?

mod exact;

pub use exact::{Exact, ExactError, ExactSum, MAX_SCALE, RoundedSum};
