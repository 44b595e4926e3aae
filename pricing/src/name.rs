//! How are customer tiers, models, contracts, lists and quotes called?

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name, in bytes.
pub const MAX_NAME: usize = 128;

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
        "a name cannot hold {character:?}; letters and digits of ASCII and any of `-_.:/` will do"
    )]
    Character {
        /// The first such character.
        character: char,
    },
}

/// A short text of letters, digits and `-_.:/`, which is cheap to clone. There is no `@` and no space
/// in it: a name is an identifier of a product or a paper, not of a person.
#[derive(Clone)]
pub(crate) enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Name {
    pub(crate) fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong { length: text.len() });
        }
        let is_allowed = |it: char| it.is_ascii_alphanumeric() || "-_.:/".contains(it);
        match text.chars().find(|it| !is_allowed(*it)) {
            Some(character) => Err(NameError::Character { character }),
            None => Ok(Self::Shared(text.into())),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

macro_rules! names {
    ($($(#[$documentation:meta])* $name:ident;)*) => {$(
        $(#[$documentation])*
        ///
        /// At most [`MAX_NAME`] letters and digits of ASCII and any of `-_.:/`; cheap to clone.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
        pub struct $name(Name);

        impl $name {
            /// The name of this text.
            ///
            /// # Errors
            /// [`NameError`] unless the text is a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                Name::new(text).map(Self)
            }

            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
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
    )*};
}

names! {
    /// A model or a family of models, as the policy, the cost table and the price list call it.
    Model;
    /// A contract with a customer.
    ContractId;
    /// A quote, chosen by whoever issues it. Issuing a quote twice under one id is one quote.
    QuoteId;
    /// What redeems a quote: an order, an invoice line. Redeeming twice for the same is once.
    RedemptionId;
    /// A price list over all its editions.
    PriceListName;
}

impl Model {
    /// `gpt-4`, with the factor 1.2 in the standard policy.
    pub const GPT_4: Self = Self(Name::Static("gpt-4"));
    /// `gpt-3.5`, with the factor 1.0 in the standard policy.
    pub const GPT_3_5: Self = Self(Name::Static("gpt-3.5"));
    /// `claude`, with the factor 1.1 in the standard policy.
    pub const CLAUDE: Self = Self(Name::Static("claude"));
    /// `domestic`, with the factor 0.9 in the standard policy.
    pub const DOMESTIC: Self = Self(Name::Static("domestic"));
}

/// A customer's tier, which decides the margin that is aimed at.
///
/// ```
/// use bursar_pricing::Tier;
///
/// assert_eq!("growth".parse::<Tier>()?, Tier::Growth);
/// assert_eq!("partner".parse::<Tier>()?.as_str(), "partner");
/// assert!("jane@example.com".parse::<Tier>().is_err());
/// # Ok::<(), bursar_pricing::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
#[non_exhaustive]
pub enum Tier {
    /// `free`.
    Free,
    /// `growth`.
    Growth,
    /// `enterprise`.
    Enterprise,
    /// Any other; [`Tier::new`] makes one.
    Other(TierName),
}

names! {
    /// The name of a tier that is none of the three.
    TierName;
}

impl Tier {
    /// The three tiers that every policy of this house knows.
    pub const STANDARD: [Self; 3] = [Self::Free, Self::Growth, Self::Enterprise];

    /// The tier of this name.
    ///
    /// # Errors
    /// [`NameError`] unless the text is a name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        match Self::STANDARD.into_iter().find(|it| it.as_str() == text) {
            Some(tier) => Ok(tier),
            None => TierName::new(text).map(Self::Other),
        }
    }

    /// The name of the tier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Free => "free",
            Self::Growth => "growth",
            Self::Enterprise => "enterprise",
            Self::Other(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Tier {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Tier> for String {
    fn from(tier: Tier) -> String {
        tier.as_str().to_owned()
    }
}
