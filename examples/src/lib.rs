//! Shared by the examples.

use std::io::ErrorKind;
use std::process::ExitCode;

use bursar_cost_model::fit::Tolerance;
use clap::ValueEnum;
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

/// How a program ends that has printed its result: an error goes to the standard error, unless it only says
/// that the reader of the output, such as `head`, has had enough.
#[expect(clippy::print_stderr, reason = "it is for programs")]
pub fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let io = error.downcast_ref::<std::io::Error>();
    if io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// Text that cannot be taken for markup; XML has no control characters.
///
/// ```
/// assert_eq!(bursar_examples::escaped("a<b & c\u{7}"), "a&lt;b &amp; c ");
/// ```
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// The tolerance of a workload, as a program takes it: 0.1, 0.5 or 5 % of the time.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum HowOften {
    /// 0.1 %.
    Low,
    /// 0.5 %.
    Medium,
    /// 5 %.
    High,
}

impl From<HowOften> for Tolerance {
    fn from(how_often: HowOften) -> Tolerance {
        match how_often {
            HowOften::Low => Tolerance::Low,
            HowOften::Medium => Tolerance::Medium,
            HowOften::High => Tolerance::High,
        }
    }
}
