//! How good is a detector on labels of one's own?

pub mod calibration;
pub mod events;
pub mod nab;
