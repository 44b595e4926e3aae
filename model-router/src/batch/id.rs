//! How are records and jobs called?

use std::fmt;

/// Letters and digits, in which random identities are written.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The longest identity of a record. Bedrock states none for `recordId`; OpenAI and Anthropic take 64
/// characters for `custom_id`.
const MAX_LENGTH: usize = 64;

/// Why a text is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no identity of a record or job; 1 to {MAX_LENGTH} letters and digits will do")]
pub struct IdError {
    /// What was given.
    pub text: String,
}

macro_rules! identities {
    ($($(#[$documentation:meta])* $type:ident, $digits:literal;)*) => {$(
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The identity of this text.
            ///
            /// # Errors
            /// [`IdError`] unless it has 1 to 64 letters and digits of ASCII.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let fits = (1..=MAX_LENGTH).contains(&text.len());
                match fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    true => Ok(Self(text)),
                    false => Err(IdError { text }),
                }
            }

            /// The identity that these random bits make. Bits that are random make identities that are
            /// unique.
            #[must_use]
            pub fn from_random(random: u128) -> Self {
                Self(digits(random, $digits))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> String {
                id.0
            }
        }
    )*};
}

identities! {
    /// A record of a batch, by which its result is found again: 1 to 64 letters and digits, as Bedrock
    /// wants them ("alphanumeric string", user guide, "Format and upload your batch inference data").
    /// Random ones have 11, which Bedrock's own examples have, and carry 65 bits.
    RecordId, 11;
    /// A batch job, under which it is written down before it is created: 1 to 64 letters and digits. It
    /// is the token by which the service tells a repeated creation from a second one. Random ones have
    /// 22 and carry all 128 bits.
    JobId, 22;
}

fn digits(mut number: u128, count: usize) -> String {
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        let digit = usize::try_from(number % 62).map_or(0, |digit| digit);
        text.push(char::from(DIGITS[digit]));
        number /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_identities_are_valid_and_differ_by_every_bit() {
        let base = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128;
        let job = JobId::from_random(base);
        assert_eq!(JobId::new(job.as_str()), Ok(job.clone()));
        for bit in 0..128 {
            assert_ne!(JobId::from_random(base ^ 1 << bit), job, "bit {bit}");
        }
        assert_eq!(RecordId::from_random(0).as_str(), "00000000000");
        assert_eq!(RecordId::from_random(62).as_str(), "01000000000");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "a-b", "ä", "a b", &"a".repeat(65)] {
            assert!(RecordId::new(text).is_err(), "{text}");
        }
    }
}
