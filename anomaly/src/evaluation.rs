//! How good is a detector on labels of one's own?

pub mod events;
pub mod nab;
