//! The crate as its users see it.

mod analysis;
mod efficiency;
mod scenario;
