//! From the events of a server to the parts of an answer.

use std::collections::VecDeque;
use std::fmt;

use bursar_model_router::{
    ChatEvent, ChatStream, ClientError, ErrorClass, FinishReason, ModelId, OpenAiBody, Usage,
};
use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use crate::error;

/// The parts of the answer in a response.
pub(crate) fn events<B, E>(
    model: ModelId,
    bytes: impl Stream<Item = Result<B, E>> + Send + Unpin + 'static,
) -> ChatStream
where
    B: AsRef<[u8]> + Send + 'static,
    E: fmt::Display + Send + 'static,
{
    let source = bytes.eventsource();
    let state = (source, Reader::new(model), VecDeque::new());
    Box::pin(futures_util::stream::unfold(
        state,
        |(mut source, mut reader, mut ready)| async move {
            loop {
                if let Some(item) = ready.pop_front() {
                    return Some((item, (source, reader, ready)));
                }
                if reader.is_over {
                    return None;
                }
                match source.next().await {
                    Some(Ok(event)) => reader.read(&event.data, &mut ready),
                    Some(Err(error)) => ready.push_back(Err(reader.broken(error))),
                    None => ready.push_back(reader.finish()),
                }
            }
        },
    ))
}

/// Reads one event after the other.
struct Reader {
    model: ModelId,
    has_started: bool,
    is_over: bool,
    /// The place of the tool call that is being written.
    tool: Option<u64>,
    finish_reason: Option<FinishReason>,
    usage: Usage,
}

type Ready = VecDeque<Result<ChatEvent, ClientError>>;

impl Reader {
    fn new(model: ModelId) -> Self {
        Self {
            model,
            has_started: false,
            is_over: false,
            tool: None,
            finish_reason: None,
            usage: Usage::new(),
        }
    }

    fn read(&mut self, data: &str, ready: &mut Ready) {
        if data.trim() == "[DONE]" {
            ready.push_back(self.finish());
            return;
        }
        let Ok(chunk) = serde_json::from_str::<Value>(data) else {
            self.is_over = true;
            let message = format!("an event of the stream is no JSON: {}", excerpt(data));
            ready.push_back(Err(ClientError::new(ErrorClass::Unknown, message)));
            return;
        };
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            self.is_over = true;
            ready.push_back(Err(error::of_event(&chunk)));
            return;
        }
        self.start(&chunk, ready);
        // The last event has the usage and no choice; some servers repeat it in every event.
        let usage = OpenAiBody::read_usage(&chunk);
        if usage != Usage::new() {
            self.usage = usage;
        }
        let Some(choice) = chunk.pointer("/choices/0") else {
            return;
        };
        if let Some(delta) = choice.get("delta") {
            self.read_delta(delta, ready);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish_reason
                .get_or_insert_with(|| FinishReason::from_openai(reason));
        }
    }

    fn start(&mut self, chunk: &Value, ready: &mut Ready) {
        if self.has_started {
            return;
        }
        self.has_started = true;
        let reported = chunk.get("model").and_then(Value::as_str);
        let model = reported.and_then(|name| ModelId::new(name).ok());
        let model = model.unwrap_or_else(|| self.model.clone());
        ready.push_back(Ok(ChatEvent::Started { model }));
    }

    fn read_delta(&mut self, delta: &Value, ready: &mut Ready) {
        let text = |key| {
            delta
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        // Servers of open models stream what the model thinks under either name.
        for thought in [text("reasoning_content"), text("reasoning")]
            .into_iter()
            .flatten()
            .take(1)
        {
            ready.push_back(Ok(ChatEvent::Reasoning(thought.to_owned())));
        }
        if let Some(said) = text("content") {
            ready.push_back(Ok(ChatEvent::Text(said.to_owned())));
        }
        if let Some(refusal) = text("refusal") {
            self.finish_reason = Some(FinishReason::Refused);
            ready.push_back(Ok(ChatEvent::Text(refusal.to_owned())));
        }
        let calls = delta.get("tool_calls").and_then(Value::as_array);
        for call in calls.into_iter().flatten() {
            self.read_tool_call(call, ready);
        }
    }

    /// The first piece of a call has its name, the others go on with its arguments.
    fn read_tool_call(&mut self, call: &Value, ready: &mut Ready) {
        let text = |path| call.pointer(path).and_then(Value::as_str);
        let index = call
            .get("index")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if let Some(name) = text("/function/name").filter(|_| self.tool != Some(index)) {
            self.tool = Some(index);
            let id = text("/id").unwrap_or_default().to_owned();
            let name = name.to_owned();
            ready.push_back(Ok(ChatEvent::ToolUseStarted { id, name }));
        }
        if let Some(input) = text("/function/arguments").filter(|input| !input.is_empty()) {
            ready.push_back(Ok(ChatEvent::ToolInput(input.to_owned())));
        }
    }

    /// At the mark of the end, or at the end of the connection: some servers leave the mark out. An answer
    /// that has said why it ended is whole.
    fn finish(&mut self) -> Result<ChatEvent, ClientError> {
        self.is_over = true;
        match self.finish_reason.take() {
            Some(finish_reason) => Ok(ChatEvent::Finished {
                finish_reason,
                usage: std::mem::take(&mut self.usage),
            }),
            None => {
                let message = "the stream ended before the answer did";
                Err(ClientError::new(ErrorClass::Unavailable, message))
            }
        }
    }

    fn broken<E: fmt::Display>(&mut self, error: EventStreamError<E>) -> ClientError {
        self.is_over = true;
        let message = format!("the stream broke off: {error}");
        ClientError::new(ErrorClass::Unavailable, message)
    }
}

fn excerpt(data: &str) -> String {
    data.chars().take(100).collect()
}
