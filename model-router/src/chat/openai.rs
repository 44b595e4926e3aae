//! How does a conversation look to an endpoint that is compatible with OpenAI?
//!
//! The body of `POST /v1/chat/completions`, which is also the `body` of a line of OpenAI's batches.
//! Source: OpenAI's API reference, "chat completions", read 2026-11-27.

use serde_json::{Value, json};

use super::wire::{missing, reported_usage, text, tool_input};
use super::{
    ChatAnswer, ChatRequest, ContentBlock, FinishReason, Image, ImageSource, Message, Role,
    SystemBlock, Tool, ToolChoice, ToolUse, WireError,
};
use crate::{ApiFormat, ModelId, Usage};

/// Writes requests for chat completions and reads their answers.
///
/// ```
/// use bursar_model_router::{ChatRequest, ModelId, OpenAiBody};
///
/// let model = ModelId::new("gpt-5.6-mini")?;
/// let body = OpenAiBody::default().write(&model, &ChatRequest::user("What is a spot instance?"))?;
/// assert_eq!(body["messages"][0]["content"], "What is a spot instance?");
/// assert_eq!(body["max_completion_tokens"], 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpenAiBody {
    /// How the endpoint calls the most tokens of an answer.
    pub token_limit: TokenLimitName,
}

/// How an endpoint calls the most tokens of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimitName {
    /// `max_completion_tokens`, as OpenAI does; its reasoning models refuse the other one.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the older name, the only one that many compatible servers know.
    MaxTokens,
}

impl OpenAiBody {
    /// The body of a request to a model. Cache points and reasoning are left out: OpenAI caches by
    /// itself, and takes no thoughts back here.
    ///
    /// # Errors
    /// [`WireError`] if the endpoint cannot take the request.
    pub fn write(self, model: &ModelId, request: &ChatRequest) -> Result<Value, WireError> {
        if request.messages.is_empty() {
            return Err(WireError::NoMessages);
        }
        let parameters = &request.parameters;
        if parameters.max_output_tokens == 0 {
            return Err(WireError::NoOutput);
        }
        let mut body = json!({"model": model, "messages": messages(request)?});
        let limit = match self.token_limit {
            TokenLimitName::MaxCompletionTokens => "max_completion_tokens",
            TokenLimitName::MaxTokens => "max_tokens",
        };
        body[limit] = json!(parameters.max_output_tokens);
        if let Some(temperature) = parameters.temperature {
            body["temperature"] = json!(temperature);
        }
        if let Some(top_p) = parameters.top_p {
            body["top_p"] = json!(top_p);
        }
        if !parameters.stop.is_empty() {
            body["stop"] = json!(parameters.stop);
        }
        if !request.tools.is_empty() {
            body["tools"] = request.tools.iter().map(tool).collect();
            body["tool_choice"] = tool_choice(&request.tool_choice);
        }
        Ok(body)
    }

    /// The answer in the body of a response to a request that `model` was asked.
    ///
    /// # Errors
    /// [`WireError::Format`] if it is none.
    pub fn read(model: &ModelId, body: &Value) -> Result<ChatAnswer, WireError> {
        let choice = body.pointer("/choices/0").ok_or(missing("choices[0]"))?;
        let message = choice.get("message").ok_or(missing("choices[0].message"))?;
        let reason = text(choice, "finish_reason").ok_or(missing("choices[0].finish_reason"))?;
        let mut finish_reason = FinishReason::from_openai(reason);
        let mut content: Vec<ContentBlock> = Vec::new();
        content.extend(text(message, "content").map(ContentBlock::from));
        if let Some(refusal) = text(message, "refusal") {
            content.push(refusal.into());
            finish_reason = FinishReason::Refused;
        }
        let calls = message.get("tool_calls").and_then(Value::as_array);
        content.extend(calls.into_iter().flatten().filter_map(tool_call));
        let reported = text(body, "model").and_then(|name| ModelId::new(name).ok());
        let model = reported.unwrap_or_else(|| model.clone());
        Ok(ChatAnswer::new(model, content, finish_reason).usage(Self::read_usage(body)))
    }

    /// The usage in a response, or in an event of a stream, of which the last has it. What is not in it is
    /// not known.
    pub fn read_usage(body: &Value) -> Usage {
        reported_usage(ApiFormat::OpenAiChat, body)
    }
}

fn messages(request: &ChatRequest) -> Result<Vec<Value>, WireError> {
    let system = request.system.iter().filter_map(|block| match block {
        SystemBlock::Text(text) => Some(json!({"role": "system", "content": text})),
        SystemBlock::CachePoint(_) => None,
    });
    let mut messages: Vec<Value> = system.collect();
    for message in &request.messages {
        match message.role {
            Role::User => push_user(message, &mut messages)?,
            Role::Assistant => messages.push(assistant(message)),
        }
    }
    Ok(messages)
}

/// Appends a turn of the user. Results of tools are messages of their own here, right after the call.
fn push_user(message: &Message, messages: &mut Vec<Value>) -> Result<(), WireError> {
    let mut parts = Vec::new();
    for block in &message.content {
        match block {
            ContentBlock::Text(text) => parts.push(json!({"type": "text", "text": text})),
            ContentBlock::Image(image) => parts.push(write_image(image)?),
            ContentBlock::ToolResult(result) => messages.push(json!({
                "role": "tool", "tool_call_id": result.tool_use_id, "content": result.content,
            })),
            ContentBlock::Reasoning { .. }
            | ContentBlock::ToolUse(_)
            | ContentBlock::CachePoint(_) => {}
        }
    }
    match parts.as_mut_slice() {
        [] => {}
        // Many compatible servers read nothing but a plain text.
        [part] if part["type"] == "text" => {
            messages.push(json!({"role": "user", "content": part["text"].take()}));
        }
        _ => messages.push(json!({"role": "user", "content": parts})),
    }
    Ok(())
}

fn assistant(message: &Message) -> Value {
    let mut said = String::new();
    let mut calls = Vec::new();
    for block in &message.content {
        match block {
            ContentBlock::Text(text) => said.push_str(text),
            ContentBlock::ToolUse(ToolUse { id, name, input }) => calls.push(json!({
                "id": id, "type": "function",
                "function": {"name": name, "arguments": input.to_string()},
            })),
            _ => {}
        }
    }
    let mut written = json!({"role": "assistant", "content": said});
    if !calls.is_empty() {
        if said.is_empty() {
            written["content"] = Value::Null;
        }
        written["tool_calls"] = Value::Array(calls);
    }
    written
}

fn write_image(image: &Image) -> Result<Value, WireError> {
    let url = match &image.source {
        ImageSource::Bytes(bytes) => {
            let (name, bytes) = (image.image_type.name(), ImageSource::base64(bytes));
            format!("data:image/{name};base64,{bytes}")
        }
        ImageSource::Uri(uri) if uri.starts_with("https://") || uri.starts_with("http://") => {
            uri.clone()
        }
        ImageSource::Uri(uri) => return Err(WireError::ImageUri { uri: uri.clone() }),
    };
    Ok(json!({"type": "image_url", "image_url": {"url": url}}))
}

fn tool(tool: &Tool) -> Value {
    let mut function = json!({"name": tool.name, "parameters": tool.input_schema});
    if let Some(description) = &tool.description {
        function["description"] = json!(description);
    }
    json!({"type": "function", "function": function})
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::Any => json!("required"),
        ToolChoice::Tool(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

fn tool_call(call: &Value) -> Option<ContentBlock> {
    let function = call.get("function")?;
    let tool_use = ToolUse {
        id: text(call, "id")?.to_owned(),
        name: text(function, "name")?.to_owned(),
        input: tool_input(text(function, "arguments").unwrap_or_default().to_owned()),
    };
    Some(tool_use.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageType, ToolResult, UsageKind};

    fn model() -> ModelId {
        ModelId::new("gpt-5.6").unwrap()
    }

    #[test]
    fn a_whole_request_is_written_as_the_reference_says() {
        let look_up = Tool {
            name: "look_up".to_owned(),
            description: None,
            input_schema: json!({"type": "object"}),
        };
        let tool_use = ToolUse {
            id: "t1".to_owned(),
            name: "look_up".to_owned(),
            input: json!({"of": "m7g"}),
        };
        let result = ToolResult {
            tool_use_id: "t1".to_owned(),
            content: "0.08".to_owned(),
            is_error: false,
        };
        let image = Image {
            image_type: ImageType::Png,
            source: ImageSource::Bytes(vec![1, 2, 3]),
        };
        let request = ChatRequest::of(vec![
            Message::user([ContentBlock::from("How much?"), image.into()]),
            Message::assistant([tool_use]),
            Message::user([ContentBlock::from(result), "And a year?".into()]),
        ])
        .system("Be short.")
        .tool(look_up)
        .tool_choice(ToolChoice::Tool("look_up".to_owned()));
        let expected = json!({
            "model": "gpt-5.6",
            "messages": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": [
                    {"type": "text", "text": "How much?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AQID"}},
                ]},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "t1", "type": "function",
                     "function": {"name": "look_up", "arguments": "{\"of\":\"m7g\"}"}},
                ]},
                {"role": "tool", "tool_call_id": "t1", "content": "0.08"},
                {"role": "user", "content": "And a year?"},
            ],
            "max_tokens": 200,
            "temperature": 0.1,
            "tools": [{"type": "function", "function": {
                "name": "look_up", "parameters": {"type": "object"},
            }}],
            "tool_choice": {"type": "function", "function": {"name": "look_up"}},
        });
        let token_limit = TokenLimitName::MaxTokens;
        let body = OpenAiBody { token_limit }.write(&model(), &request);
        assert_eq!(body, Ok(expected));
    }

    #[test]
    fn an_answer_with_a_tool_call_is_read() {
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5.6-2026-08-01",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": null, "refusal": null,
                "tool_calls": [{"id": "t1", "type": "function",
                    "function": {"name": "look_up", "arguments": "{\"of\":\"m7g\"}"}}],
            }}],
            "usage": {
                "prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050,
                "prompt_tokens_details": {"cached_tokens": 900, "audio_tokens": 30},
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
        });
        let answer = OpenAiBody::read(&model(), &body).unwrap();
        assert_eq!(answer.model.as_str(), "gpt-5.6-2026-08-01");
        assert_eq!(answer.finish_reason, FinishReason::ToolUse);
        assert!(answer.has_tool_use());
        assert_eq!(answer.usage.get(UsageKind::InputTokens), Some(1_000));
        assert_eq!(answer.usage.get(UsageKind::CacheReadTokens), Some(900));
        assert_eq!(answer.usage.get(UsageKind::CacheWriteTokens), None);
        assert_eq!(answer.usage.get(UsageKind::InputAudioTokens), Some(30));
        assert_eq!(answer.usage.get(UsageKind::OutputReasoningTokens), Some(40));
    }

    #[test]
    fn a_refusal_is_no_whole_answer() {
        let body = json!({"choices": [{"finish_reason": "stop", "message": {
            "role": "assistant", "content": null, "refusal": "I cannot help with that.",
        }}]});
        let answer = OpenAiBody::read(&model(), &body).unwrap();
        assert_eq!(answer.finish_reason, FinishReason::Refused);
        assert!(!answer.finish_reason.is_complete());
        assert_eq!(answer.usage, Usage::new());
    }
}
