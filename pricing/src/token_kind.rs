//! Which tokens are meant?

use std::fmt;

/// A kind of token that a provider prices on its own, as OpenTelemetry and the price pages name them.
///
/// Each kind has its own cost and is held inside the margin bounds on its own: a profit on output does not
/// pay for a loss on cached input, since a customer chooses the mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TokenKind {
    /// Tokens of the prompt that no cache held.
    Input,
    /// Tokens of the answer.
    Output,
    /// Tokens of the prompt that were read from a cache.
    CachedInput,
    /// Tokens of the prompt that were written to a cache.
    CacheWrite,
    /// Tokens of reasoning that the provider bills apart from the answer.
    Reasoning,
    /// Tokens of sound in the prompt.
    AudioInput,
    /// Tokens of sound in the answer.
    AudioOutput,
    /// Tokens of images in the prompt.
    ImageInput,
}

impl TokenKind {
    /// All kinds, in the order of a price list.
    pub const ALL: [Self; 8] = [
        Self::Input,
        Self::Output,
        Self::CachedInput,
        Self::CacheWrite,
        Self::Reasoning,
        Self::AudioInput,
        Self::AudioOutput,
        Self::ImageInput,
    ];

    /// As in serialized form: `cached_input`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CachedInput => "cached_input",
            Self::CacheWrite => "cache_write",
            Self::Reasoning => "reasoning",
            Self::AudioInput => "audio_input",
            Self::AudioOutput => "audio_output",
            Self::ImageInput => "image_input",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
