//! What did a model say, and what did that take?

use std::time::Duration;

use bursar_units::Money;

use super::{ContentBlock, FinishReason};
use crate::{JobId, ModelId, Usage};

/// What a model answered.
///
/// ```
/// use bursar_model_router::{ChatAnswer, FinishReason, ModelId, Usage, UsageKind};
///
/// let model = ModelId::new("amazon.nova-lite-v1:0")?;
/// let answer = ChatAnswer::new(model, ["Spare capacity at a discount."], FinishReason::EndTurn)
///     .usage(Usage::new().with(UsageKind::InputTokens, 9).with(UsageKind::OutputTokens, 7));
/// assert_eq!(answer.text(), "Spare capacity at a discount.");
/// # Ok::<(), bursar_model_router::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ChatAnswer {
    /// What was said, in order.
    pub content: Vec<ContentBlock>,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Which model said it, as the provider reports it where it does.
    pub model: ModelId,
    /// What the call used as the provider reports it, never an estimate. Of an answer that no model was
    /// asked for, nothing: zero of every kind.
    pub usage: Usage,
    /// What the call cost, once somebody has priced its usage. Of an answer that no model was asked for,
    /// zero.
    pub cost: Option<Money>,
    /// How long it took from the request to the whole answer.
    pub latency: Duration,
    /// Whether a model was asked for it.
    pub cached: CacheUse,
    /// What was not used and not paid since no model was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
    /// The batch job that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_job: Option<JobId>,
}

/// Whether a model was asked for an answer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum CacheUse {
    /// It was.
    #[default]
    Asked,
    /// It was kept from an earlier call.
    Hit,
    /// It comes from an equal request that was under way.
    Shared,
}

impl CacheUse {
    /// Whether the answer comes from a call that somebody else has paid for.
    #[must_use]
    pub const fn is_cached(self) -> bool {
        matches!(self, Self::Hit | Self::Shared)
    }
}

/// What an answer that no model was asked for would have taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Saved {
    /// What the call used that the answer comes from.
    pub usage: Usage,
    /// What that call cost, if it was priced.
    pub cost: Option<Money>,
}

impl ChatAnswer {
    /// An answer of a model, of which neither usage nor cost is known.
    pub fn new(
        model: ModelId,
        content: impl IntoIterator<Item = impl Into<ContentBlock>>,
        finish_reason: FinishReason,
    ) -> Self {
        Self {
            content: content.into_iter().map(Into::into).collect(),
            finish_reason,
            model,
            usage: Usage::new(),
            cost: None,
            latency: Duration::ZERO,
            cached: CacheUse::Asked,
            saved: None,
            batch_job: None,
        }
    }

    /// With what it used.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// With what it cost.
    #[must_use]
    pub fn cost(mut self, cost: Money) -> Self {
        self.cost = Some(cost);
        self
    }

    /// With how long it took.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Every text in it, joined.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            ContentBlock::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Whether it asks for tools.
    #[must_use]
    pub fn has_tool_use(&self) -> bool {
        let mut blocks = self.content.iter();
        blocks.any(|block| matches!(block, ContentBlock::ToolUse(_)))
    }
}
