//! How many tokens are expected, and how many may it be?

use bursar_units::TokenCount;

/// How many tokens a text has, as far as is known before a provider has counted them.
///
/// The counts never fall from `p50` to `ceiling`. An exact count has one value in all fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct TokenEstimate {
    /// The mean, for sums over many calls.
    pub expected: TokenCount,
    /// As likely too high as too low.
    pub p50: TokenCount,
    /// One text in twenty has more.
    pub p95: TokenCount,
    /// One text in a hundred has more: what to reserve.
    pub p99: TokenCount,
    /// No text has more: as many as it has bytes, for a token of every tokenizer in use is at least a
    /// byte of the text.
    pub ceiling: TokenCount,
}

impl TokenEstimate {
    /// A count that is known.
    #[must_use]
    pub const fn exact(count: TokenCount) -> Self {
        Self {
            expected: count,
            p50: count,
            p95: count,
            p99: count,
            ceiling: count,
        }
    }

    /// Whether the count is known, and not estimated.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.p50 == self.ceiling && self.expected == self.ceiling
    }

    /// The estimate with these ratios to `tokens`, kept in order and under `ceiling`.
    pub(crate) fn of_ratios(tokens: f64, ratios: Ratios, ceiling: TokenCount) -> Self {
        let at_most = |count: u64| TokenCount::new(count).min(ceiling);
        let p50 = at_most(round(tokens * ratios.p50));
        let p95 = at_most(round_up(tokens * ratios.p95)).max(p50);
        let p99 = at_most(round_up(tokens * ratios.p99)).max(p95);
        Self {
            expected: at_most(round(tokens * ratios.mean)),
            p50,
            p95,
            p99,
            ceiling,
        }
    }
}

/// What true counts are, as multiples of what was estimated.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ratios {
    pub(crate) mean: f64,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

/// Whoever can say how many tokens a text has.
///
/// ```
/// use bursar_model_router::{CountTokens, TokenEstimator, TokenFamily};
///
/// let counts: Box<dyn CountTokens> = Box::new(TokenEstimator::new(TokenFamily::O200k));
/// let estimate = counts.count("How many tokens may this question have?");
/// assert!((7..=9).contains(&estimate.expected.as_u64()));
/// assert!(estimate.p99 > estimate.p50);
/// ```
pub trait CountTokens {
    /// How many tokens this text has, without what a provider adds around a message.
    fn count(&self, text: &str) -> TokenEstimate;
}

/// The nearest count. A float that is not a number is zero, one beyond the range the end of it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as is meant"
)]
pub(crate) fn round(tokens: f64) -> u64 {
    tokens.round() as u64
}

/// The count that is not under this number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as is meant"
)]
pub(crate) fn round_up(tokens: f64) -> u64 {
    tokens.ceil() as u64
}
