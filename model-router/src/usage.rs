//! What did a call use?

use std::collections::BTreeMap;
use std::fmt;

macro_rules! kinds {
    ($($(#[$documentation:meta])* $kind:ident = $name:literal,)*) => {
        /// What is counted and billed in a call.
        ///
        /// A kind may be a part of another: cached tokens are a part of the input tokens, and reasoning
        /// tokens of the output tokens, whatever the provider's own counting is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum UsageKind {
            $($(#[$documentation])* $kind,)*
        }

        impl UsageKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name in data, `cache_read_tokens`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// All tokens of the input, those from and into a cache included.
    InputTokens = "input_tokens",
    /// All tokens of the answer, those of reasoning included.
    OutputTokens = "output_tokens",
    /// Of the input, what was read from the provider's prompt cache.
    CacheReadTokens = "cache_read_tokens",
    /// Of the input, what was written into the provider's prompt cache.
    CacheWriteTokens = "cache_write_tokens",
    /// Of the output, what was reasoning.
    OutputReasoningTokens = "output_reasoning_tokens",
}

impl fmt::Display for UsageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a call used, by kind. A kind that is not in it is not known, which is not zero.
///
/// ```
/// use bursar_model_router::{Usage, UsageKind};
///
/// let usage = Usage::new()
///     .with(UsageKind::InputTokens, 1_200)
///     .with(UsageKind::OutputTokens, 80);
/// assert_eq!(usage.get(UsageKind::InputTokens), Some(1_200));
/// assert_eq!(usage.get(UsageKind::CacheReadTokens), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
#[must_use]
pub struct Usage {
    counts: BTreeMap<UsageKind, u64>,
}

impl Usage {
    /// Of which nothing is known.
    pub const fn new() -> Self {
        Self {
            counts: BTreeMap::new(),
        }
    }

    /// With this count of a kind, in place of what was known of it.
    pub fn with(mut self, kind: UsageKind, count: u64) -> Self {
        self.counts.insert(kind, count);
        self
    }

    /// The count of a kind, if it is known.
    #[must_use]
    pub fn get(&self, kind: UsageKind) -> Option<u64> {
        self.counts.get(&kind).copied()
    }

    /// Every kind that is known with its count.
    pub fn iter(&self) -> impl Iterator<Item = (UsageKind, u64)> + '_ {
        self.counts.iter().map(|(kind, count)| (*kind, *count))
    }
}
