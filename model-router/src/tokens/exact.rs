//! How many tokens does a text have, exactly?

use bursar_units::TokenCount;

use super::estimate::{CountTokens, TokenEstimate};
use super::family::TokenFamily;

/// A tokenizer of OpenAI, by the crate `bpe-openai` of GitHub: linear in the length of every text.
///
/// A tokenizer's tables are built when it is first used, which takes tens of milliseconds.
///
/// ```
/// use bursar_model_router::{CountTokens, ExactTokenizer};
///
/// let estimate = ExactTokenizer::o200k().count("tiktoken is great!");
/// assert!(estimate.is_exact());
/// // The OpenAI cookbook counts 6 tokens.
/// assert_eq!(estimate.expected.as_u64(), 6);
/// ```
#[derive(Clone, Copy)]
pub struct ExactTokenizer {
    family: TokenFamily,
    tokenizer: &'static bpe_openai::Tokenizer,
}

impl ExactTokenizer {
    /// `o200k_base`: GPT-4o and later, o1 and later.
    #[must_use]
    pub fn o200k() -> Self {
        Self {
            family: TokenFamily::O200k,
            tokenizer: bpe_openai::o200k_base(),
        }
    }

    /// `cl100k_base`: GPT-3.5, GPT-4, the embedding models.
    #[must_use]
    pub fn cl100k() -> Self {
        Self {
            family: TokenFamily::Cl100k,
            tokenizer: bpe_openai::cl100k_base(),
        }
    }

    /// The tokenizer of a family, if it is one of these two.
    #[must_use]
    pub fn of_family(family: TokenFamily) -> Option<Self> {
        match family {
            TokenFamily::O200k => Some(Self::o200k()),
            TokenFamily::Cl100k => Some(Self::cl100k()),
            _ => None,
        }
    }
}

impl std::fmt::Debug for ExactTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExactTokenizer")
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

impl CountTokens for ExactTokenizer {
    fn count(&self, text: &str) -> TokenEstimate {
        TokenEstimate::exact(TokenCount::new(self.tokenizer.count(text) as u64))
    }
}
