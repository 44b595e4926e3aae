//! What is counted, and per what? Short names that cost nothing to copy or compare.

use std::fmt;

use thiserror::Error;

/// The longest name of a [`Dimension`] or a [`Unit`], in bytes.
pub const MAX_NAME: usize = 23;

/// A name of at most [`MAX_NAME`] printable ASCII characters, kept inline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Name([u8; MAX_NAME + 1]);

impl Name {
    /// For names known at compile time; longer ones are cut.
    const fn fixed(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut name = [0; MAX_NAME + 1];
        let mut index = 0;
        while index < bytes.len() && index < MAX_NAME {
            name[index] = bytes[index];
            index += 1;
        }
        Self(name)
    }

    fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong(text.to_owned()));
        }
        match text.chars().find(|character| !character.is_ascii_graphic()) {
            Some(character) => Err(NameError::Character {
                name: text.to_owned(),
                character,
            }),
            None => Ok(Self::fixed(text)),
        }
    }

    fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0);
        std::str::from_utf8(&self.0[..end.unwrap_or(MAX_NAME)]).unwrap_or_default()
    }
}

/// Why a text cannot name a dimension or a unit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing was given.
    #[error("a name of a dimension or unit is empty; give it at least one character")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("the name `{0}` is longer than 23 characters; shorten it")]
    TooLong(String),
    /// Something other than printable ASCII without spaces.
    #[error("the name `{name}` holds {character:?}; use printable ASCII without spaces")]
    Character {
        /// The whole name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
}

macro_rules! named {
    ($(#[$documentation:meta])* $type:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Name);

        impl $type {
            /// A name of the caller's own.
            ///
            /// # Errors
            ///
            /// Refuses an empty name, one of more than [`MAX_NAME`] bytes, and anything but
            /// printable ASCII.
            pub fn new(name: &str) -> Result<Self, NameError> {
                Name::parse(name).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($type), "({})"), self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
    };
}

named! {
    /// What a limit is kept for: one bucket for each value that requests carry under this name.
    ///
    /// ```
    /// use bursar_ratelimit::Dimension;
    ///
    /// let region = Dimension::new("region")?;
    /// assert_eq!(region.as_str(), "region");
    /// assert_ne!(region, Dimension::TENANT);
    /// # Ok::<(), bursar_ratelimit::NameError>(())
    /// ```
    Dimension
}

impl Dimension {
    /// One bucket for all requests; a request need not name it.
    pub const GLOBAL: Self = Self(Name::fixed("global"));
    /// The customer or organization.
    pub const TENANT: Self = Self(Name::fixed("tenant"));
    /// The API key that a request was made with.
    pub const API_KEY: Self = Self(Name::fixed("api-key"));
    /// The operation called, of which there are few.
    pub const METHOD: Self = Self(Name::fixed("method"));
}

/// A dimension that requests have a field for, so that no names are compared in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DimensionRole {
    Global,
    Tenant,
    ApiKey,
    Method,
    Other,
}

impl Dimension {
    #[inline]
    pub(crate) fn role(self) -> DimensionRole {
        if self == Self::GLOBAL {
            DimensionRole::Global
        } else if self == Self::TENANT {
            DimensionRole::Tenant
        } else if self == Self::API_KEY {
            DimensionRole::ApiKey
        } else if self == Self::METHOD {
            DimensionRole::Method
        } else {
            DimensionRole::Other
        }
    }
}

named! {
    /// What a limit counts.
    ///
    /// ```
    /// use bursar_ratelimit::Unit;
    ///
    /// assert_eq!(Unit::TOKENS.as_str(), "tokens");
    /// assert_eq!(Unit::new("images")?.to_string(), "images");
    /// # Ok::<(), bursar_ratelimit::NameError>(())
    /// ```
    Unit
}

impl Unit {
    /// Requests; a request counts as one of these unless it says otherwise.
    pub const REQUESTS: Self = Self(Name::fixed("requests"));
    /// Tokens of a language model, input and output together.
    pub const TOKENS: Self = Self(Name::fixed("tokens"));
    /// Tokens sent to a language model.
    pub const INPUT_TOKENS: Self = Self(Name::fixed("input-tokens"));
    /// Tokens that a language model wrote.
    pub const OUTPUT_TOKENS: Self = Self(Name::fixed("output-tokens"));
    /// Bytes of content, a quota unit of the IETF draft on `RateLimit` fields.
    pub const CONTENT_BYTES: Self = Self(Name::fixed("content-bytes"));
    /// Requests in flight, a quota unit of the IETF draft on `RateLimit` fields.
    pub const CONCURRENT_REQUESTS: Self = Self(Name::fixed("concurrent-requests"));
    /// Millionths of a US dollar, for limits on spending.
    pub const MICRO_USD: Self = Self(Name::fixed("micro-usd"));
}

/// A unit that requests treat apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitRole {
    Requests,
    Tokens,
    ConcurrentRequests,
    Other,
}

impl Unit {
    #[inline]
    pub(crate) fn role(self) -> UnitRole {
        if self == Self::REQUESTS {
            UnitRole::Requests
        } else if self == Self::TOKENS {
            UnitRole::Tokens
        } else if self == Self::CONCURRENT_REQUESTS {
            UnitRole::ConcurrentRequests
        } else {
            UnitRole::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dimension, MAX_NAME, NameError, Unit};

    #[test]
    fn keeps_names_up_to_the_longest() {
        let longest = "x".repeat(MAX_NAME);
        assert_eq!(Unit::new(&longest).unwrap().as_str(), longest);
        assert_eq!(
            Unit::new(&"x".repeat(MAX_NAME + 1)),
            Err(NameError::TooLong("x".repeat(MAX_NAME + 1)))
        );
        assert_eq!(Unit::CONCURRENT_REQUESTS.as_str(), "concurrent-requests");
    }

    #[test]
    fn refuses_what_a_header_could_not_carry() {
        assert_eq!(Dimension::new(""), Err(NameError::Empty));
        for bad in ["two words", "tab\t", "ünit", "line\n"] {
            assert!(
                matches!(Dimension::new(bad), Err(NameError::Character { .. })),
                "{bad:?}"
            );
        }
    }
}
