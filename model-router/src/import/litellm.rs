//! placeholder
use super::{ImportError, Imported};
use crate::price_terms::Source;
/// x
/// # Errors
/// x
pub fn read_litellm(_file: &[u8], _source: Source) -> Result<Imported, ImportError> {
    unreachable!()
}
