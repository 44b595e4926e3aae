//! Saved states say in which format they were written.

use jiff::Timestamp;
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
                "the state was saved in format {found}, and this version reads format {VERSION}: make it anew from its source"
            ))),
        }
    }
}

/// Reads milliseconds since 1970 that a `Timestamp` can hold: differences of two such times never
/// overflow.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let at_ms = i64::deserialize(deserializer)?;
    check_time(at_ms).map_err(D::Error::custom)
}

/// Reads a sum or a weight: finite and not negative.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let amount = f64::deserialize(deserializer)?;
    check_amount(amount).map_err(D::Error::custom)
}

pub(crate) fn check_time(at_ms: i64) -> Result<i64, String> {
    match Timestamp::from_millisecond(at_ms) {
        Ok(_) => Ok(at_ms),
        Err(_) => Err(format!(
            "{at_ms} ms since 1970 is no time that can have been saved: make the state anew from its source"
        )),
    }
}

pub(crate) fn check_amount(amount: f64) -> Result<f64, String> {
    match amount.is_finite() && amount >= 0.0 {
        true => Ok(amount),
        false => Err(format!(
            "{amount} is no sum that can have been saved: make the state anew from its source"
        )),
    }
}
