//! How does an answer arrive in parts?

use std::time::Duration;

use super::{ChatAnswer, ContentBlock, FinishReason, ToolUse};
use crate::{ModelId, Usage};

/// A part of an answer that arrives while the model writes.
#[expect(
    clippy::large_enum_variant,
    reason = "an answer has one end; a box there would save nobody anything"
)]
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatEvent {
    /// The model has begun; nothing was said yet.
    Started {
        /// Which model it is.
        model: ModelId,
    },
    /// More text.
    Text(String),
    /// More of what the model thinks.
    Reasoning(String),
    /// The proof that the thoughts so far are the provider's own.
    ReasoningSignature(String),
    /// The model begins to ask for a tool.
    ToolUseStarted {
        /// The name of this call.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// More of the JSON that the tool last begun is called with.
    ToolInput(String),
    /// The answer is whole.
    Finished {
        /// Why it ended.
        finish_reason: FinishReason,
        /// What it used.
        usage: Usage,
    },
}

impl ChatEvent {
    /// Whether the caller sees something of the answer in it, so that another model cannot begin anew
    /// without being noticed.
    #[must_use]
    pub const fn is_visible(&self) -> bool {
        !matches!(self, Self::Started { .. })
    }
}

/// Puts events together to the answer that they are the parts of.
///
/// ```
/// use std::time::Duration;
/// use bursar_model_router::{AnswerBuilder, ChatEvent, FinishReason, ModelId, Usage};
///
/// let mut builder = AnswerBuilder::new(ModelId::new("amazon.nova-lite-v1:0")?);
/// for part in ["Spare ", "capacity."] {
///     builder.push(ChatEvent::Text(part.to_owned()));
/// }
/// assert!(builder.finish(Duration::ZERO).is_none());
/// # let mut builder = AnswerBuilder::new(ModelId::new("amazon.nova-lite-v1:0")?);
/// # builder.push(ChatEvent::Text("Spare capacity.".to_owned()));
/// builder.push(ChatEvent::Finished { finish_reason: FinishReason::EndTurn, usage: Usage::new() });
/// let answer = builder.finish(Duration::from_millis(300)).expect("the answer is whole");
/// assert_eq!(answer.text(), "Spare capacity.");
/// # Ok::<(), bursar_model_router::NameError>(())
/// ```
#[derive(Debug, Clone)]
pub struct AnswerBuilder {
    model: ModelId,
    content: Vec<ContentBlock>,
    /// The JSON of the tool's input that is being written.
    tool_input: Option<String>,
    finished: Option<(FinishReason, Usage)>,
}

impl AnswerBuilder {
    /// For an answer of this model, unless the events name another one.
    #[must_use]
    pub const fn new(model: ModelId) -> Self {
        Self {
            model,
            content: Vec::new(),
            tool_input: None,
            finished: None,
        }
    }

    /// Adds the next part.
    pub fn push(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Started { model } => self.model = model,
            ChatEvent::Text(part) => self.push_text(&part),
            ChatEvent::Reasoning(part) => self.push_reasoning(&part),
            ChatEvent::ReasoningSignature(part) => self.push_signature(&part),
            ChatEvent::ToolUseStarted { id, name } => {
                self.end_tool_use();
                let input = serde_json::Value::Null;
                self.content.push(ToolUse { id, name, input }.into());
                self.tool_input = Some(String::new());
            }
            ChatEvent::ToolInput(part) => {
                self.tool_input.get_or_insert_default().push_str(&part);
            }
            ChatEvent::Finished {
                finish_reason,
                usage,
            } => {
                self.end_tool_use();
                self.finished = Some((finish_reason, usage));
            }
        }
    }

    /// The whole answer, `None` if its end has not arrived.
    #[must_use]
    pub fn finish(self, latency: Duration) -> Option<ChatAnswer> {
        let (finish_reason, usage) = self.finished?;
        let answer = ChatAnswer::new(self.model, self.content, finish_reason);
        Some(answer.usage(usage).latency(latency))
    }

    fn push_text(&mut self, part: &str) {
        self.end_tool_use();
        match self.content.last_mut() {
            Some(ContentBlock::Text(text)) => text.push_str(part),
            _ => self.content.push(part.into()),
        }
    }

    fn push_reasoning(&mut self, part: &str) {
        self.end_tool_use();
        match self.content.last_mut() {
            Some(ContentBlock::Reasoning {
                text,
                signature: None,
            }) => text.push_str(part),
            _ => self.content.push(ContentBlock::Reasoning {
                text: part.to_owned(),
                signature: None,
            }),
        }
    }

    fn push_signature(&mut self, part: &str) {
        if let Some(ContentBlock::Reasoning { signature, .. }) = self.content.last_mut() {
            signature.get_or_insert_default().push_str(part);
        }
    }

    fn end_tool_use(&mut self) {
        let Some(json) = self.tool_input.take() else {
            return;
        };
        if let Some(ContentBlock::ToolUse(tool_use)) = self.content.last_mut() {
            tool_use.input = super::wire::tool_input(json);
        }
    }
}

impl ChatAnswer {
    /// The answer as events, as if a model had just written it: an answer from a cache for a caller who
    /// waits for a stream.
    #[must_use]
    pub fn into_events(self) -> Vec<ChatEvent> {
        let mut events = vec![ChatEvent::Started { model: self.model }];
        for block in self.content {
            push_events(block, &mut events);
        }
        events.push(ChatEvent::Finished {
            finish_reason: self.finish_reason,
            usage: self.usage,
        });
        events
    }
}

/// Appends the events of a block. Models write neither pictures, nor results of tools, nor cache points.
fn push_events(block: ContentBlock, events: &mut Vec<ChatEvent>) {
    match block {
        ContentBlock::Text(text) => events.push(ChatEvent::Text(text)),
        ContentBlock::Reasoning { text, signature } => {
            events.push(ChatEvent::Reasoning(text));
            events.extend(signature.map(ChatEvent::ReasoningSignature));
        }
        ContentBlock::ToolUse(ToolUse { id, name, input }) => {
            events.push(ChatEvent::ToolUseStarted { id, name });
            events.push(ChatEvent::ToolInput(input.to_string()));
        }
        ContentBlock::Image(_) | ContentBlock::ToolResult(_) | ContentBlock::CachePoint(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_survives_being_told_in_events() {
        let tool_use = ToolUse {
            id: "1".to_owned(),
            name: "look_up".to_owned(),
            input: serde_json::json!({"instance": "m7g.large"}),
        };
        let content: Vec<ContentBlock> = vec![
            ContentBlock::Reasoning {
                text: "I look it up.".to_owned(),
                signature: Some("proof".to_owned()),
            },
            "One moment.".into(),
            tool_use.into(),
        ];
        let model = ModelId::new("m").unwrap();
        let answer = ChatAnswer::new(model.clone(), content, FinishReason::ToolUse);
        let mut builder = AnswerBuilder::new(model);
        for event in answer.clone().into_events() {
            builder.push(event);
        }
        assert_eq!(builder.finish(Duration::ZERO), Some(answer));
    }

    #[test]
    fn input_that_is_no_json_is_kept_as_text() {
        let mut builder = AnswerBuilder::new(ModelId::new("m").unwrap());
        builder.push(ChatEvent::ToolUseStarted {
            id: "1".to_owned(),
            name: "look_up".to_owned(),
        });
        builder.push(ChatEvent::ToolInput("{\"instance".to_owned()));
        builder.push(ChatEvent::Finished {
            finish_reason: FinishReason::MaxTokens,
            usage: Usage::new(),
        });
        let answer = builder.finish(Duration::ZERO).unwrap();
        let [ContentBlock::ToolUse(tool_use)] = answer.content.as_slice() else {
            panic!("{answer:?}");
        };
        assert_eq!(tool_use.input, "{\"instance");
    }
}
