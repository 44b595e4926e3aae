//! Which tokenizer does a model have?

use std::fmt;
use std::str::FromStr;

use super::weights::TokenWeights;
use crate::name::ModelId;

/// Models that count tokens alike.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenFamily {
    /// OpenAI's `o200k_base`: GPT-4o and later, o1 and later, gpt-oss.
    O200k,
    /// OpenAI's `cl100k_base`: GPT-3.5, GPT-4, the embedding models.
    Cl100k,
    /// Anthropic's tokenizer of Claude 1 and 2, the last that is public. Later models have others:
    /// calibrate.
    Claude,
    /// Meta's Llama 3 and later.
    Llama3,
    /// DeepSeek V3 and later.
    DeepSeek,
    /// Alibaba's Qwen 2 and later.
    Qwen,
    /// Mistral's models of its third tokenizer.
    Mistral,
    /// No tokenizer is known, as for Gemini and Nova: weights for the mean of ten tokenizers, and errors
    /// as they are over all ten.
    Unknown,
}

impl TokenFamily {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::O200k,
        Self::Cl100k,
        Self::Claude,
        Self::Llama3,
        Self::DeepSeek,
        Self::Qwen,
        Self::Mistral,
        Self::Unknown,
    ];

    /// The name in data, `o200k`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k",
            Self::Cl100k => "cl100k",
            Self::Claude => "claude",
            Self::Llama3 => "llama3",
            Self::DeepSeek => "deep_seek",
            Self::Qwen => "qwen",
            Self::Mistral => "mistral",
            Self::Unknown => "unknown",
        }
    }

    /// The family that a model's name tells, wherever it is served:
    /// `us.anthropic.claude-sonnet-4-20250514-v1:0` and `anthropic/claude-sonnet-4` are both
    /// [`Claude`](Self::Claude).
    ///
    /// ```
    /// use bursar_model_router::{ModelId, TokenFamily};
    ///
    /// let of = |name| ModelId::new(name).map(|model| TokenFamily::of_model(&model));
    /// assert_eq!(of("gpt-4o-2024-08-06")?, TokenFamily::O200k);
    /// assert_eq!(of("gpt-4-turbo")?, TokenFamily::Cl100k);
    /// assert_eq!(of("amazon.nova-lite-v1:0")?, TokenFamily::Unknown);
    /// # Ok::<(), bursar_model_router::NameError>(())
    /// ```
    #[must_use]
    pub fn of_model(model: &ModelId) -> Self {
        let name = model.as_str().to_ascii_lowercase();
        let mut parts = PARTS.iter();
        // Distilled models keep the tokenizer of the model that was taught.
        let found = parts.find(|(part, _)| name.contains(part));
        found.map_or_else(|| of_reasoning_model(&name), |(_, family)| *family)
    }

    /// The weights that ship with the crate.
    #[must_use]
    pub fn weights(self) -> TokenWeights {
        let json = match self {
            Self::O200k => include_str!("weights/o200k.json"),
            Self::Cl100k => include_str!("weights/cl100k.json"),
            Self::Claude => include_str!("weights/claude.json"),
            Self::Llama3 => include_str!("weights/llama3.json"),
            Self::DeepSeek => include_str!("weights/deep_seek.json"),
            Self::Qwen => include_str!("weights/qwen.json"),
            Self::Mistral => include_str!("weights/mistral.json"),
            Self::Unknown => include_str!("weights/unknown.json"),
        };
        serde_json::from_str(json).expect("a test reads the weights of every family")
    }
}

/// What names hold, the first that does decides.
const PARTS: &[(&str, TokenFamily)] = &[
    ("claude", TokenFamily::Claude),
    ("gpt-3.5", TokenFamily::Cl100k),
    ("gpt-35", TokenFamily::Cl100k),
    ("gpt-4o", TokenFamily::O200k),
    ("gpt-4.", TokenFamily::O200k),
    ("chatgpt-4o", TokenFamily::O200k),
    ("gpt-4", TokenFamily::Cl100k),
    ("gpt-", TokenFamily::O200k),
    ("text-embedding-3", TokenFamily::Cl100k),
    ("text-embedding-ada-002", TokenFamily::Cl100k),
    ("llama-2", TokenFamily::Unknown),
    ("llama2", TokenFamily::Unknown),
    ("codellama", TokenFamily::Unknown),
    ("llama", TokenFamily::Llama3),
    ("qwen", TokenFamily::Qwen),
    ("qwq", TokenFamily::Qwen),
    ("deepseek", TokenFamily::DeepSeek),
    ("mistral", TokenFamily::Mistral),
    ("mixtral", TokenFamily::Mistral),
];

/// `o1`, `o3-mini`, `openai/o4-mini`: a whole word of the name.
fn of_reasoning_model(name: &str) -> TokenFamily {
    let mut words = name.split(|it: char| !it.is_ascii_alphanumeric());
    if words.any(|word| matches!(word, "o1" | "o3" | "o4")) {
        return TokenFamily::O200k;
    }
    TokenFamily::Unknown
}

impl fmt::Display for TokenFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no family of tokenizers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no family of tokenizers {name:?}; one of o200k, cl100k, claude, llama3, deep_seek, qwen, mistral, unknown will do"
)]
pub struct UnknownFamily {
    /// What was written.
    pub name: String,
}

/// From [`TokenFamily::name`].
impl FromStr for TokenFamily {
    type Err = UnknownFamily;

    fn from_str(text: &str) -> Result<Self, UnknownFamily> {
        let mut all = Self::ALL.iter();
        let family = all.find(|family| family.name() == text);
        family.copied().ok_or_else(|| UnknownFamily {
            name: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_every_family_are_read() {
        for family in TokenFamily::ALL {
            let weights = family.weights();
            assert!(weights.sum("a few words") > 1.0, "{family}");
            assert_eq!(family.name().parse(), Ok(*family));
        }
    }
}
