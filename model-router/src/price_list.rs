//! placeholder
mod pattern;
pub use self::pattern::{NamePattern, PatternError};
