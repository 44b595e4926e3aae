//! Shared by the examples.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The program in the project's README, compiled and run with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The second since 1970 that a monitor's file means: a number of seconds, `2014-02-22T14:25:00Z`, or
/// `2014-02-22 14:25:00`, which is taken for UTC.
///
/// ```
/// use bursar_examples::second_of;
///
/// for text in ["1393079100", "1393079100.0", "2014-02-22 14:25:00", "2014-02-22T15:25:00+01:00"] {
///     assert_eq!(second_of(text), Some(1_393_079_100), "{text}");
/// }
/// assert_eq!(second_of("soon"), None);
/// ```
#[must_use]
pub fn second_of(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
        let time = Timestamp::UNIX_EPOCH.checked_add(since).ok()?;
        return Some(time.as_second());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    let time: DateTime = text.parse().ok()?;
    let zoned = time.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}
