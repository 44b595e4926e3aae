//! How does a conversation look to Converse of Amazon Bedrock?
//!
//! The body of the operation `Converse`, which is also the `modelInput` of a batch record of the type
//! `Converse`. Source: Bedrock's runtime API, botocore 1.44.5, read 2026-11-27.

use serde_json::{Map, Value, json};

use super::wire::{missing, reported_usage, text};
use super::{
    CachePoint, CacheTtl, ChatAnswer, ChatRequest, ContentBlock, FinishReason, Image, ImageSource,
    Message, Role, SystemBlock, Tool, ToolChoice, ToolResult, ToolUse, WireError,
};
use crate::{ApiFormat, ModelId};

/// Writes requests for Converse and reads its answers.
///
/// ```
/// use bursar_model_router::{ChatRequest, ConverseBody};
///
/// let body = ConverseBody::write(&ChatRequest::user("What is a spot instance?"))?;
/// assert_eq!(body["messages"][0]["content"][0]["text"], "What is a spot instance?");
/// assert_eq!(body["inferenceConfig"]["maxTokens"], 200);
/// # Ok::<(), bursar_model_router::WireError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ConverseBody;

impl ConverseBody {
    /// The body of a request. The model's name is not in it; Converse has it in the URL, and a batch job
    /// beside its records.
    ///
    /// # Errors
    /// [`WireError`] if Converse cannot take the request.
    pub fn write(request: &ChatRequest) -> Result<Value, WireError> {
        if request.messages.is_empty() {
            return Err(WireError::NoMessages);
        }
        if request.parameters.max_output_tokens == 0 {
            return Err(WireError::NoOutput);
        }
        let messages: Result<Vec<_>, _> = request.messages.iter().map(message).collect();
        let mut body = json!({"messages": messages?, "inferenceConfig": inference_config(request)});
        if !request.system.is_empty() {
            body["system"] = request.system.iter().map(system_block).collect();
        }
        if !request.tools.is_empty() {
            body["toolConfig"] = tool_config(request);
        }
        if !request.metadata.is_empty() {
            body["requestMetadata"] = json!(request.metadata);
        }
        Ok(body)
    }

    /// The answer in the body of a response to a request that `model` was asked.
    ///
    /// Converse counts tokens from and into its cache apart from `inputTokens`; here they are a part of
    /// the input.
    ///
    /// # Errors
    /// [`WireError::Format`] if it is none.
    pub fn read(model: &ModelId, body: &Value) -> Result<ChatAnswer, WireError> {
        let content = body.pointer("/output/message/content");
        let blocks = content
            .and_then(Value::as_array)
            .ok_or(missing("output.message.content"))?;
        let reason = text(body, "stopReason").ok_or(missing("stopReason"))?;
        let content: Vec<ContentBlock> = blocks.iter().filter_map(block).collect();
        let answer = ChatAnswer::new(model.clone(), content, FinishReason::from_converse(reason));
        Ok(answer.usage(reported_usage(ApiFormat::BedrockConverse, body)))
    }
}

fn message(message: &Message) -> Result<Value, WireError> {
    let content: Result<Vec<_>, _> = message.content.iter().map(write_block).collect();
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    Ok(json!({"role": role, "content": content?}))
}

fn write_block(block: &ContentBlock) -> Result<Value, WireError> {
    Ok(match block {
        ContentBlock::Text(text) => json!({"text": text}),
        ContentBlock::Image(image) => write_image(image)?,
        ContentBlock::Reasoning { text, signature } => {
            let mut reasoning = json!({"text": text});
            if let Some(signature) = signature {
                reasoning["signature"] = json!(signature);
            }
            json!({"reasoningContent": {"reasoningText": reasoning}})
        }
        ContentBlock::ToolUse(ToolUse { id, name, input }) => {
            json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
        }
        ContentBlock::ToolResult(result) => write_tool_result(result),
        ContentBlock::CachePoint(point) => cache_point(*point),
    })
}

fn write_image(image: &Image) -> Result<Value, WireError> {
    let source = match &image.source {
        ImageSource::Bytes(bytes) => json!({"bytes": ImageSource::base64(bytes)}),
        ImageSource::Uri(uri) if uri.starts_with("s3://") => json!({"s3Location": {"uri": uri}}),
        ImageSource::Uri(uri) => return Err(WireError::ImageUri { uri: uri.clone() }),
    };
    Ok(json!({"image": {"format": image.image_type.name(), "source": source}}))
}

fn write_tool_result(result: &ToolResult) -> Value {
    let status = if result.is_error { "error" } else { "success" };
    json!({"toolResult": {
        "toolUseId": result.tool_use_id,
        "content": [{"text": result.content}],
        "status": status,
    }})
}

fn cache_point(point: CachePoint) -> Value {
    let mut inner = json!({"type": "default"});
    // Not every model takes the field, and five minutes are its default.
    if point.ttl == CacheTtl::OneHour {
        inner["ttl"] = json!("1h");
    }
    json!({"cachePoint": inner})
}

fn system_block(block: &SystemBlock) -> Value {
    match block {
        SystemBlock::Text(text) => json!({"text": text}),
        SystemBlock::CachePoint(point) => cache_point(*point),
    }
}

fn inference_config(request: &ChatRequest) -> Value {
    let parameters = &request.parameters;
    let mut config = json!({"maxTokens": parameters.max_output_tokens});
    if let Some(temperature) = parameters.temperature {
        config["temperature"] = json!(temperature);
    }
    if let Some(top_p) = parameters.top_p {
        config["topP"] = json!(top_p);
    }
    if !parameters.stop.is_empty() {
        config["stopSequences"] = json!(parameters.stop);
    }
    config
}

fn tool_config(request: &ChatRequest) -> Value {
    let choice = match &request.tool_choice {
        ToolChoice::Auto => json!({"auto": {}}),
        ToolChoice::Any => json!({"any": {}}),
        ToolChoice::Tool(name) => json!({"tool": {"name": name}}),
    };
    let tools: Vec<_> = request.tools.iter().map(tool).collect();
    json!({"tools": tools, "toolChoice": choice})
}

fn tool(tool: &Tool) -> Value {
    let mut spec = json!({"name": tool.name, "inputSchema": {"json": tool.input_schema}});
    if let Some(description) = &tool.description {
        spec["description"] = json!(description);
    }
    json!({"toolSpec": spec})
}

/// A block of an answer. Kinds that this version does not know are left out.
fn block(block: &Value) -> Option<ContentBlock> {
    if let Some(text) = text(block, "text") {
        return Some(text.into());
    }
    if let Some(tool_use) = block.get("toolUse") {
        let tool_use = ToolUse {
            id: text(tool_use, "toolUseId")?.to_owned(),
            name: text(tool_use, "name")?.to_owned(),
            input: tool_use
                .get("input")
                .cloned()
                .unwrap_or(Value::Object(Map::new())),
        };
        return Some(tool_use.into());
    }
    let reasoning = block.pointer("/reasoningContent/reasoningText")?;
    Some(ContentBlock::Reasoning {
        text: text(reasoning, "text")?.to_owned(),
        signature: text(reasoning, "signature").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageType, Parameters, Temperature, TopP, Usage, UsageKind};

    #[test]
    fn a_whole_request_is_written_as_the_reference_says() {
        let look_up = Tool {
            name: "look_up".to_owned(),
            description: Some("A price.".to_owned()),
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
        let ttl = CacheTtl::OneHour;
        let request = ChatRequest::of(vec![
            Message::user([ContentBlock::from("How much?"), image.into()]),
            Message::assistant([tool_use]),
            Message::user([ContentBlock::from(result), CachePoint { ttl }.into()]),
        ])
        .system("Be short.")
        .system_cache_point(CachePoint::default())
        .tool(look_up)
        .tool_choice(ToolChoice::Any)
        .metadata("team", "billing")
        .parameters(Parameters {
            max_output_tokens: 50,
            temperature: Some(Temperature::new(0.5).unwrap()),
            top_p: Some(TopP::new(0.9).unwrap()),
            stop: vec!["END".to_owned()],
        });
        let expected = json!({
            "messages": [
                {"role": "user", "content": [
                    {"text": "How much?"},
                    {"image": {"format": "png", "source": {"bytes": "AQID"}}},
                ]},
                {"role": "assistant", "content": [
                    {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {"of": "m7g"}}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "t1", "content": [{"text": "0.08"}], "status": "success"}},
                    {"cachePoint": {"type": "default", "ttl": "1h"}},
                ]},
            ],
            "system": [{"text": "Be short."}, {"cachePoint": {"type": "default"}}],
            "inferenceConfig": {
                "maxTokens": 50, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"],
            },
            "toolConfig": {
                "tools": [{"toolSpec": {
                    "name": "look_up", "description": "A price.",
                    "inputSchema": {"json": {"type": "object"}},
                }}],
                "toolChoice": {"any": {}},
            },
            "requestMetadata": {"team": "billing"},
        });
        assert_eq!(ConverseBody::write(&request), Ok(expected));
    }

    #[test]
    fn what_converse_does_not_take_is_an_error() {
        let none = ConverseBody::write(&ChatRequest::default());
        assert_eq!(none, Err(WireError::NoMessages));
        let silent = ConverseBody::write(&ChatRequest::user("Hello").max_output_tokens(0));
        assert_eq!(silent, Err(WireError::NoOutput));
        let uri = "https://example.com/a.png".to_owned();
        let image = Image {
            image_type: ImageType::Png,
            source: ImageSource::Uri(uri.clone()),
        };
        let far = ConverseBody::write(&ChatRequest::of(vec![Message::user([image])]));
        assert_eq!(far, Err(WireError::ImageUri { uri }));
    }

    #[test]
    fn cached_tokens_are_a_part_of_the_input() {
        // The form of the API reference, with numbers of a cached prompt.
        let body = json!({
            "output": {"message": {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
                {"text": "Four."},
                {"somethingNew": {}},
            ]}},
            "stopReason": "end_turn",
            "usage": {
                "inputTokens": 20, "outputTokens": 3, "totalTokens": 1023,
                "cacheReadInputTokens": 900, "cacheWriteInputTokens": 100,
                "cacheDetails": [{"inputTokens": 60, "ttl": "1h"}, {"inputTokens": 40, "ttl": "5m"}],
            },
            "metrics": {"latencyMs": 400},
        });
        let model = ModelId::new("amazon.nova-lite-v1:0").unwrap();
        let answer = ConverseBody::read(&model, &body).unwrap();
        assert_eq!(answer.text(), "Four.");
        assert_eq!(answer.content.len(), 2);
        assert_eq!(answer.finish_reason, FinishReason::EndTurn);
        let expected = Usage::new()
            .with(UsageKind::InputTokens, 1_020)
            .with(UsageKind::OutputTokens, 3)
            .with(UsageKind::CacheReadTokens, 900)
            .with(UsageKind::CacheWriteTokens, 100)
            .with(UsageKind::CacheWrite5mTokens, 40)
            .with(UsageKind::CacheWrite1hTokens, 60);
        assert_eq!(answer.usage, expected);
        assert!(ConverseBody::read(&model, &json!({})).is_err());
    }
}
