//! From the events of ConverseStream to the parts of an answer.

use std::collections::VecDeque;

use aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_sdk_bedrockruntime::types::{
    ContentBlockDelta, ContentBlockStart, ConverseStreamOutput as Event, ReasoningContentBlockDelta,
};
use bursar_model_router::{
    ChatEvent, ChatStream, ClientError, ErrorClass, FinishReason, ModelId, Usage,
};

use super::{answer, error};

type Receiver = EventReceiver<Event, ConverseStreamOutputError>;

/// The parts of the answer of `model`.
pub(super) fn events(model: ModelId, receiver: Receiver) -> ChatStream {
    let state = (receiver, Reader::new(model), VecDeque::new());
    Box::pin(futures_util::stream::unfold(
        state,
        |(mut receiver, mut reader, mut ready)| async move {
            loop {
                if let Some(item) = ready.pop_front() {
                    return Some((item, (receiver, reader, ready)));
                }
                if reader.is_over {
                    return None;
                }
                match receiver.recv().await {
                    Ok(Some(event)) => ready.extend(reader.read(event).map(Ok)),
                    Ok(None) => ready.push_back(reader.end()),
                    Err(failure) => {
                        reader.is_over = true;
                        ready.push_back(Err(error::of_event(failure)));
                    }
                }
            }
        },
    ))
}

/// Reads one event after the other.
struct Reader {
    model: ModelId,
    is_over: bool,
    finish_reason: Option<FinishReason>,
}

impl Reader {
    fn new(model: ModelId) -> Self {
        Self {
            model,
            is_over: false,
            finish_reason: None,
        }
    }

    fn read(&mut self, event: Event) -> Option<ChatEvent> {
        match event {
            Event::MessageStart(_) => Some(ChatEvent::Started {
                model: self.model.clone(),
            }),
            Event::ContentBlockStart(start) => match start.start? {
                ContentBlockStart::ToolUse(call) => Some(ChatEvent::ToolUseStarted {
                    id: call.tool_use_id,
                    name: call.name,
                }),
                _ => None,
            },
            Event::ContentBlockDelta(delta) => part(delta.delta?),
            Event::MessageStop(stop) => {
                self.finish_reason = Some(FinishReason::from_converse(stop.stop_reason.as_str()));
                None
            }
            // The last event, after the stop.
            Event::Metadata(metadata) => {
                let usage = metadata.usage.as_ref().map(answer::usage);
                self.finish(usage.unwrap_or_default())
            }
            _ => None,
        }
    }

    fn finish(&mut self, usage: Usage) -> Option<ChatEvent> {
        let finish_reason = self.finish_reason.take()?;
        self.is_over = true;
        Some(ChatEvent::Finished {
            finish_reason,
            usage,
        })
    }

    /// At the end of the connection. An answer that has said why it ended is whole, and what it used is
    /// not known then.
    fn end(&mut self) -> Result<ChatEvent, ClientError> {
        self.is_over = true;
        self.finish(Usage::new()).ok_or_else(|| {
            let message = "the stream ended before the answer did";
            ClientError::new(ErrorClass::Unavailable, message)
        })
    }
}

fn part(delta: ContentBlockDelta) -> Option<ChatEvent> {
    let event = match delta {
        ContentBlockDelta::Text(text) => ChatEvent::Text(text),
        ContentBlockDelta::ToolUse(call) => ChatEvent::ToolInput(call.input),
        ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) => {
            ChatEvent::Reasoning(text)
        }
        ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Signature(text)) => {
            ChatEvent::ReasoningSignature(text)
        }
        _ => return None,
    };
    let is_empty = match &event {
        ChatEvent::Text(text) | ChatEvent::ToolInput(text) | ChatEvent::Reasoning(text) => {
            text.is_empty()
        }
        _ => false,
    };
    (!is_empty).then_some(event)
}
