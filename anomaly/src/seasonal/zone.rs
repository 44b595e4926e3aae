//! How is a time zone saved?
//!
//! By its name, its rules or its offset, whichever it has. Reading a name needs a database of time
//! zones, which a program gets with jiff's features; UTC is known without one.

use jiff::fmt::{serde::tz, temporal::DateTimeParser};
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

const UTC: &str = "UTC";

pub(super) fn serialize<S: Serializer>(zone: &TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
    match *zone == TimeZone::UTC {
        true => serializer.serialize_str(UTC),
        false => tz::required::serialize(zone, serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    match name == UTC {
        true => Ok(TimeZone::UTC),
        false => DateTimeParser::new()
            .parse_time_zone(&name)
            .map_err(D::Error::custom),
    }
}
