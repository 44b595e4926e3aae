//! Which answers are worth keeping, and for whom?

use std::time::Duration;

use super::{CacheRequest, CacheScope};
use crate::{ChatAnswer, ContentBlock, TaskType};

/// Says which answers are kept, for how long and among whom.
pub trait CachePolicy: Send + Sync {
    /// Why a request is neither looked up nor kept, `None` if it is.
    fn bypasses(&self, asked: &CacheRequest<'_>) -> Option<Bypass>;

    /// Among whom the answer is shared.
    fn scope(&self, asked: &CacheRequest<'_>) -> CacheScope;

    /// For how long an answer is kept.
    ///
    /// # Errors
    /// [`NotKept`] says why it is not.
    fn keeps(&self, asked: &CacheRequest<'_>, answer: &ChatAnswer) -> Result<Duration, NotKept>;
}

/// Why a request goes past the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bypass {
    /// Its temperature is above the limit, or not known: who asks wants another answer each time.
    Temperature,
}

/// Why an answer is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// It is cut off, withheld or refused.
    #[error("the answer is not whole")]
    Incomplete,
    /// It asks for tools, whose results are another matter each time.
    #[error("the answer asks for tools")]
    ToolUse,
    /// There is no text in it.
    #[error("the answer has no text")]
    Empty,
    /// Neither the request nor the answer is of a kind that pays.
    #[error("the request is of no kind that is kept")]
    NotWorthIt,
}

/// Whether tenants may get each other's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantSharing {
    /// Never. Requests that name no tenant share among themselves.
    #[default]
    Never,
    /// They may. Only for requests that hold nothing of a tenant's own.
    Allowed,
}

/// Keeps answers to short inputs, to questions for a concept, to classifications and questions, and long
/// answers; each of these is enough.
///
/// ```
/// use bursar_model_router::StandardCachePolicy;
///
/// let policy = StandardCachePolicy::default();
/// assert_eq!(policy.ttl.as_secs(), 3_600);
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StandardCachePolicy {
    /// The highest temperature at which answers are looked up and kept: 0.2, above the default of
    /// requests.
    pub temperature_limit: f64,
    /// For how long an answer is kept: an hour.
    pub ttl: Duration,
    /// Whether tenants may get each other's answers.
    pub sharing: TenantSharing,
    /// An input of fewer characters is short: 200. All messages count, the instructions do not.
    pub short_input: usize,
    /// An answer of more characters is long: 300.
    pub long_output: usize,
}

impl Default for StandardCachePolicy {
    fn default() -> Self {
        Self {
            temperature_limit: 0.2,
            ttl: Duration::from_secs(3_600),
            sharing: TenantSharing::Never,
            short_input: 200,
            long_output: 300,
        }
    }
}

impl StandardCachePolicy {
    /// With this time for which answers are kept.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// With this sharing among tenants.
    #[must_use]
    pub const fn sharing(mut self, sharing: TenantSharing) -> Self {
        self.sharing = sharing;
        self
    }

    fn is_worth_it(&self, asked: &CacheRequest<'_>, answer: &ChatAnswer) -> bool {
        let is_question = matches!(
            asked.task,
            TaskType::Classification | TaskType::QuestionAnswering
        );
        let input: usize = asked.request.texts().map(|text| text.chars().count()).sum();
        is_question
            || input < self.short_input
            || asked.request.last_user_texts().any(asks_for_a_concept)
            || answer.text().chars().count() > self.long_output
    }
}

impl CachePolicy for StandardCachePolicy {
    fn bypasses(&self, asked: &CacheRequest<'_>) -> Option<Bypass> {
        match asked.request.parameters.temperature {
            Some(temperature) if temperature.as_f64() <= self.temperature_limit => None,
            _ => Some(Bypass::Temperature),
        }
    }

    fn scope(&self, asked: &CacheRequest<'_>) -> CacheScope {
        match self.sharing {
            TenantSharing::Never => CacheScope::Tenant(asked.request.tenant.clone()),
            TenantSharing::Allowed => CacheScope::Everybody,
        }
    }

    fn keeps(&self, asked: &CacheRequest<'_>, answer: &ChatAnswer) -> Result<Duration, NotKept> {
        if answer.has_tool_use() {
            return Err(NotKept::ToolUse);
        }
        if !answer.finish_reason.is_complete() {
            return Err(NotKept::Incomplete);
        }
        let is_text = |block: &ContentBlock| matches!(block, ContentBlock::Text(text) if !text.trim().is_empty());
        if !answer.content.iter().any(is_text) {
            return Err(NotKept::Empty);
        }
        match self.is_worth_it(asked, answer) {
            true => Ok(self.ttl),
            false => Err(NotKept::NotWorthIt),
        }
    }
}

/// Whether a text asks what something is. Words of English count as whole words only.
fn asks_for_a_concept(text: &str) -> bool {
    let lower = text.to_lowercase();
    let english = ["what is", "explain", "define"];
    let chinese = ["什么是", "解释", "定义"];
    chinese.iter().any(|phrase| lower.contains(phrase))
        || english.iter().any(|phrase| has_words(&lower, phrase))
}

fn has_words(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + phrase.len()..].chars().next();
        // Chinese letters stand beside English words without a space.
        let joins = |letter: Option<char>| letter.is_some_and(|it| it.is_ascii_alphanumeric());
        !joins(before) && !joins(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_for_a_concept_are_told_by_whole_words() {
        for text in [
            "What is a VPC?",
            "请解释一下",
            "什么是云",
            "Please EXPLAIN.",
            "explain什么",
        ] {
            assert!(asks_for_a_concept(text), "{text}");
        }
        for text in [
            "It is what isolates us.",
            "unexplained",
            "defined",
            "",
            "Write a poem.",
        ] {
            assert!(!asks_for_a_concept(text), "{text}");
        }
    }
}
