//! Saved states say in which format they were written.

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

/// The version of a state's format, as its first field: nothing in memory, a number when saved, and
/// an error when another number is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Format<const VERSION: u16>;

impl<const VERSION: u16> Serialize for Format<VERSION> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(VERSION)
    }
}

impl<'de, const VERSION: u16> Deserialize<'de> for Format<VERSION> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            found if found == VERSION => Ok(Self),
            found => Err(D::Error::custom(format_args!(
                "the state was saved in format {found}, and this version reads format {VERSION}: train the model anew"
            ))),
        }
    }
}
