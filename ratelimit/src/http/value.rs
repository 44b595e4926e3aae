//! How are numbers, texts and times written in a field? Structured Fields and short durations.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// The largest Integer of a Structured Field (RFC 9651, section 3.3.1).
const LARGEST_INTEGER: u64 = 999_999_999_999_999;

/// A field value under way. Writing to a string cannot fail, so results are not looked at.
pub(super) struct Value(String);

impl Value {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(128))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn integer(&mut self, number: u64) {
        let _ = write!(self.0, "{number}");
    }

    pub(super) fn duration(&mut self, duration: Duration) {
        let _ = write!(self.0, "{}", ShortDuration(duration));
    }

    /// The next item of a List.
    pub(super) fn item(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.string(name);
    }

    pub(super) fn parameter(&mut self, key: &str, number: u64) {
        let _ = write!(self.0, ";{key}={}", number.min(LARGEST_INTEGER));
    }

    pub(super) fn string_parameter(&mut self, key: &str, text: &str) {
        let _ = write!(self.0, ";{key}=");
        self.string(text);
    }

    /// A Byte Sequence: base64 between colons.
    pub(super) fn byte_parameter(&mut self, key: &str, bytes: &[u8]) {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let _ = write!(self.0, ";{key}=:");
        for chunk in bytes.chunks(3) {
            let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                let digit = (bits >> (18 - 6 * place)) as usize & 63;
                let padding = place > chunk.len();
                self.0
                    .push(if padding { '=' } else { ALPHABET[digit].into() });
            }
        }
        self.0.push(':');
    }

    /// A String: ASCII in quotes. Names from [`Limits`](crate::Limits) hold nothing else; other
    /// bytes of a name that never went through it are written as `%` and two digits.
    fn string(&mut self, text: &str) {
        self.0.push('"');
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.0.extend(['\\', byte.into()]),
                b' '..=b'~' => self.0.push(byte.into()),
                _ => {
                    let _ = write!(self.0, "%{byte:02x}");
                }
            }
        }
        self.0.push('"');
    }
}

/// Rounded up.
pub(super) fn whole_seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}

/// Rounded up.
pub(super) fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A duration as `20ms`, `8.64s`, `6m0s` or `1h0m0s`, rounded up to milliseconds: how Go prints
/// durations, and with it the APIs of language models.
pub(super) struct ShortDuration(pub(super) Duration);

impl fmt::Display for ShortDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = whole_millis(self.0);
        if (1..1_000).contains(&millis) {
            return write!(formatter, "{millis}ms");
        }
        let seconds = millis / 1_000;
        if seconds >= 3_600 {
            write!(formatter, "{}h", seconds / 3_600)?;
        }
        if seconds >= 60 {
            write!(formatter, "{}m", seconds / 60 % 60)?;
        }
        write!(formatter, "{}", seconds % 60)?;
        let fraction = millis % 1_000;
        match fraction {
            0 => {}
            _ if fraction.is_multiple_of(100) => write!(formatter, ".{}", fraction / 100)?,
            _ if fraction.is_multiple_of(10) => write!(formatter, ".{:02}", fraction / 10)?,
            _ => write!(formatter, ".{fraction:03}")?,
        }
        formatter.write_char('s')
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ShortDuration, Value, whole_millis, whole_seconds};

    #[test]
    fn shows_durations_as_model_apis_do() {
        for (millis, shown) in [
            (0, "0s"),
            (20, "20ms"),
            (999, "999ms"),
            (1_000, "1s"),
            (8_640, "8.64s"),
            (1_500, "1.5s"),
            (1_001, "1.001s"),
            (72_172, "1m12.172s"),
            (360_000, "6m0s"),
            (3_600_000, "1h0m0s"),
            (90_061_000, "25h1m1s"),
        ] {
            let duration = ShortDuration(Duration::from_millis(millis));
            assert_eq!(duration.to_string(), shown);
        }
    }

    #[test]
    fn rounds_times_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(7)), 7);
        assert_eq!(whole_millis(Duration::from_nanos(1_000_001)), 2);
        let longest = ShortDuration(Duration::MAX);
        assert_eq!(longest.to_string(), "5124095576030h25m51.615s");
    }

    #[test]
    fn writes_strings_and_bytes_of_structured_fields() {
        let mut value = Value(String::new());
        value.item("a \"b\" \\ ü\n");
        value.parameter("q", u64::MAX);
        value.byte_parameter("pk", b"");
        // The test vectors of RFC 4648, section 10.
        value.byte_parameter("f", b"f");
        value.byte_parameter("fo", b"fo");
        value.byte_parameter("foobar", b"foobar");
        assert_eq!(
            value.0,
            r#""a \"b\" \\ %c3%bc%0a";q=999999999999999;pk=::;f=:Zg==:;fo=:Zm8=:;foobar=:Zm9vYmFy:"#
        );
    }
}
