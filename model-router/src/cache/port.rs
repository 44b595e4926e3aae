//! Where are answers kept?

use std::error::Error;

use async_trait::async_trait;
use jiff::Timestamp;

use super::CacheKey;
use crate::ChatAnswer;
use crate::format::Format;

/// An answer that is kept until a deadline.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct CachedAnswer {
    format: Format<1>,
    /// The answer as the model gave it.
    pub answer: ChatAnswer,
    /// When it was kept.
    pub kept_at: Timestamp,
    /// From when on it is not found any more.
    pub expires_at: Timestamp,
}

impl CachedAnswer {
    /// An answer kept from a moment until before another one.
    #[must_use]
    pub const fn new(answer: ChatAnswer, kept_at: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            format: Format,
            answer,
            kept_at,
            expires_at,
        }
    }
}

/// A store could not say what it has, or not keep what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the store of answers failed: {source}")]
#[non_exhaustive]
pub struct CacheError {
    /// What failed.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl CacheError {
    /// A store failed for this reason.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
        }
    }
}

/// Keeps answers under keys until their deadlines. It may forget each of them earlier.
///
/// A store is on the way of every request, so an implementation answers or fails within a time that it
/// states, and an entry that it cannot read is an error, not a wrong answer.
#[async_trait]
pub trait ResponseCache: Send + Sync {
    /// What was kept under a key, if it has not expired at `now`.
    ///
    /// # Errors
    /// [`CacheError`] when the store does not answer or what it has is damaged.
    async fn get(&self, key: &CacheKey, now: Timestamp)
    -> Result<Option<CachedAnswer>, CacheError>;

    /// Keeps an answer in place of what was kept under the key. One that has expired at `now` is not kept,
    /// and nothing is kept in its place.
    ///
    /// # Errors
    /// [`CacheError`] when the store fails: under the key is then the old answer or the new one, whole.
    async fn put(
        &self,
        key: &CacheKey,
        kept: &CachedAnswer,
        now: Timestamp,
    ) -> Result<(), CacheError>;
}
