//! How are models and their providers called?

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name, in bytes. ARNs of inference profiles, the longest names in use, have about 120.
pub const MAX_NAME: usize = 256;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing in it.
    #[error("a name cannot be empty")]
    Empty,
    /// It is longer than [`MAX_NAME`].
    #[error("a name of {length} bytes is too long; at most {MAX_NAME} will do")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It holds a character that names do not have.
    #[error(
        "a name cannot hold {character:?}; visible characters of ASCII and spaces inside will do"
    )]
    Character {
        /// The first such character.
        character: char,
    },
}

fn checked(text: &str) -> Result<Arc<str>, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_NAME {
        return Err(NameError::TooLong { length: text.len() });
    }
    let is_edge = |at: usize| at == 0 || at + 1 == text.len();
    let is_allowed = |at, it: char| it.is_ascii_graphic() || it == ' ' && !is_edge(at);
    match text.char_indices().find(|&(at, it)| !is_allowed(at, it)) {
        Some((_, character)) => Err(NameError::Character { character }),
        None => Ok(text.into()),
    }
}

macro_rules! names {
    ($($(#[$documentation:meta])* $name:ident;)*) => {$(
        $(#[$documentation])*
        ///
        /// At most [`MAX_NAME`] visible characters of ASCII, with spaces inside; cheap to clone.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name of this text.
            ///
            /// # Errors
            /// [`NameError`] unless the text is a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                checked(text).map(Self)
            }

            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    )*};
}

names! {
    /// A model as its provider calls it in requests, such as `amazon.nova-lite-v1:0`.
    ModelId;
    /// Who serves a model and bills for it, such as `aws`.
    ProviderId;
    /// Where a call is served, in the words of its price list: `eu`, `us-gov-west-1`.
    Region;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_models_are_names() {
        for name in [
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "Qwen/Qwen2.5-7B-Instruct",
            "claude-sonnet-4@20250514",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
        ] {
            assert_eq!(ModelId::new(name).map(String::from), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        assert_eq!(ModelId::new(""), Err(NameError::Empty));
        let long = "a".repeat(MAX_NAME + 1);
        let length = long.len();
        assert_eq!(ModelId::new(&long), Err(NameError::TooLong { length }));
        for (text, character) in [("a\nb", '\n'), (" a", ' '), ("a ", ' '), ("modèle", 'è')] {
            let refused = Err(NameError::Character { character });
            assert_eq!(ModelId::new(text), refused, "{text:?}");
        }
    }
}
