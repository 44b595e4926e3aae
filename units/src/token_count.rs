//! How many tokens?

use std::fmt;

use rust_decimal::Decimal;

/// A number of tokens, of one kind: input, output, cached. Which kind is for the
/// name of the variable or field to say, as in OpenTelemetry (`input_tokens`).
///
/// A count that a provider did not report is an `Option<TokenCount>` of `None`,
/// not [`ZERO`](Self::ZERO).
///
/// ```
/// use bursar_units::TokenCount;
///
/// let input_tokens = TokenCount::new(12_000);
/// let cached_tokens = TokenCount::new(9_500);
/// assert_eq!(input_tokens.checked_sub(cached_tokens)?, TokenCount::new(2_500));
/// # Ok::<(), bursar_units::TokenCountError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TokenCount(u64);

impl TokenCount {
    /// No tokens.
    pub const ZERO: Self = Self(0);

    /// A count of tokens.
    #[must_use]
    pub const fn new(n_tokens: u64) -> Self {
        Self(n_tokens)
    }

    /// The count as a plain number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The sum of two counts.
    ///
    /// # Errors
    /// [`TokenCountError::Overflow`] over 2⁶⁴ − 1.
    pub fn checked_add(self, other: Self) -> Result<Self, TokenCountError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(TokenCountError::Overflow {
                left: self,
                right: other,
            })
    }

    /// What is left of this count without `part`.
    ///
    /// # Errors
    /// [`TokenCountError::Negative`] when `part` is larger.
    pub fn checked_sub(self, part: Self) -> Result<Self, TokenCountError> {
        self.0
            .checked_sub(part.0)
            .map(Self)
            .ok_or(TokenCountError::Negative { whole: self, part })
    }
}

impl From<u64> for TokenCount {
    fn from(n_tokens: u64) -> Self {
        Self(n_tokens)
    }
}

impl From<TokenCount> for u64 {
    fn from(count: TokenCount) -> Self {
        count.0
    }
}

/// Exact for every count.
impl From<TokenCount> for Decimal {
    fn from(count: TokenCount) -> Self {
        Self::from(count.0)
    }
}

impl fmt::Display for TokenCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why two counts of tokens could not be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenCountError {
    /// The sum is over 2⁶⁴ − 1.
    #[error("{left} + {right} tokens are more than a count holds, 18446744073709551615")]
    Overflow {
        /// The first count.
        left: TokenCount,
        /// The second count.
        right: TokenCount,
    },
    /// The part is larger than the whole.
    #[error("{part} tokens cannot be part of {whole}; check which kinds the whole includes")]
    Negative {
        /// The count to take from.
        whole: TokenCount,
        /// The count to take.
        part: TokenCount,
    },
}
