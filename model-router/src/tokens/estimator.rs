//! How many tokens is a text, without a tokenizer?

use bursar_units::TokenCount;

use super::estimate::{CountTokens, Ratios, TokenEstimate};
use super::family::TokenFamily;
use super::weights::TokenWeights;
use crate::name::ModelId;

/// Estimates tokens from what a text is made of.
///
/// One pass, no allocation, no vocabulary. Make one for a model and keep it: it reads its weights when
/// it is made.
///
/// ```
/// use bursar_model_router::{CountTokens, ModelId, TokenEstimator};
///
/// let estimator = TokenEstimator::for_model(&ModelId::new("gpt-4o-mini")?);
/// // o200k_base makes 11 tokens of the first and 12 of the second.
/// let english = estimator.count("The invoice is due within thirty days of the delivery.");
/// assert!((8..=12).contains(&english.expected.as_u64()), "{english:?}");
/// let chinese = estimator.count("发票应在交货后三十天内支付。");
/// assert!((8..=13).contains(&chinese.expected.as_u64()), "{chinese:?}");
/// # Ok::<(), bursar_model_router::NameError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenEstimator {
    weights: TokenWeights,
}

impl TokenEstimator {
    /// With the weights of a family of tokenizers.
    #[must_use]
    pub fn new(family: TokenFamily) -> Self {
        Self::with_weights(family.weights())
    }

    /// With the weights of the family that the model's name tells. Where the family is known but its
    /// tokenizer is not public, as for Claude 3 and later, the errors are those of an unknown one.
    #[must_use]
    pub fn for_model(model: &ModelId) -> Self {
        let family = TokenFamily::of_model(model);
        let mut weights = family.weights();
        if family == TokenFamily::Claude {
            weights.errors = TokenFamily::Unknown.weights().errors;
        }
        Self::with_weights(weights)
    }

    /// With weights that were [fitted](TokenWeights::fit) to a tokenizer.
    #[must_use]
    pub const fn with_weights(weights: TokenWeights) -> Self {
        Self { weights }
    }

    /// The tokens of a conversation: of all its texts, and of what stands around a message, which is
    /// taken to be 4 tokens each and 3 for the begin of the answer, as in OpenAI's chat format
    /// (OpenAI cookbook, "How to count tokens with tiktoken", read 2026-11-27). For other formats a
    /// [`TokenCalibration`](super::TokenCalibration) learns the difference.
    pub fn count_messages<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> TokenEstimate {
        let (mut sum, mut bytes) = (3.0, 3_u64);
        for text in texts {
            sum += self.weights.sum(text) + 4.0;
            bytes = bytes.saturating_add(text.len() as u64).saturating_add(4);
        }
        self.estimate_of(sum, bytes)
    }

    fn estimate_of(&self, sum: f64, bytes: u64) -> TokenEstimate {
        if bytes == 0 {
            return TokenEstimate::exact(TokenCount::ZERO);
        }
        let tokens = sum.max(1.0);
        let ratios: Ratios = self.weights.ratios(tokens);
        TokenEstimate::of_ratios(tokens, ratios, TokenCount::new(bytes))
    }
}

impl CountTokens for TokenEstimator {
    fn count(&self, text: &str) -> TokenEstimate {
        self.estimate_of(self.weights.sum(text), text.len() as u64)
    }
}
