//! How does a conversation look to the SDK?
//!
//! The same mapping as [`ConverseBody`](bursar_model_router::ConverseBody)'s, into types and not JSON; a
//! test compares what the SDK then sends with it.

use std::collections::HashMap;

use aws_sdk_bedrockruntime::error::BuildError;
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{
    self as sdk, AnyToolChoice, AutoToolChoice, CachePointBlock, CachePointType, ConversationRole,
    ImageBlock, ImageFormat, InferenceConfiguration, ReasoningContentBlock, ReasoningTextBlock,
    S3Location, SpecificToolChoice, SystemContentBlock, ToolConfiguration, ToolInputSchema,
    ToolResultBlock, ToolResultContentBlock, ToolResultStatus, ToolSpecification, ToolUseBlock,
};
use aws_smithy_types::{Document, Number};
use bursar_model_router::{
    CachePoint, CacheTtl, ChatRequest, ClientError, ContentBlock, ErrorClass, Image, ImageSource,
    Message, Parameters, Role, SystemBlock, Tool, ToolChoice, ToolResult, ToolUse, WireError,
};
use serde_json::Value;

use super::error;

/// The parts of a call.
pub(super) struct Request {
    pub(super) messages: Vec<sdk::Message>,
    pub(super) system: Option<Vec<SystemContentBlock>>,
    pub(super) tools: Option<ToolConfiguration>,
    pub(super) parameters: InferenceConfiguration,
    pub(super) metadata: Option<HashMap<String, String>>,
}

impl Request {
    pub(super) fn of(request: &ChatRequest) -> Result<Self, ClientError> {
        if request.messages.is_empty() {
            return Err(error::of_wire(WireError::NoMessages));
        }
        if request.parameters.max_output_tokens == 0 {
            return Err(error::of_wire(WireError::NoOutput));
        }
        let messages: Result<_, _> = request.messages.iter().map(message).collect();
        let system: Result<Vec<_>, _> = request.system.iter().map(system_block).collect();
        let metadata = request.metadata.clone().into_iter().collect();
        Ok(Self {
            messages: messages?,
            system: Some(system?).filter(|blocks| !blocks.is_empty()),
            tools: tool_config(request)?,
            parameters: inference_config(&request.parameters),
            metadata: Some(metadata).filter(|pairs: &HashMap<_, _>| !pairs.is_empty()),
        })
    }
}

fn message(message: &Message) -> Result<sdk::Message, ClientError> {
    let content: Result<_, _> = message.content.iter().map(block).collect();
    let role = match message.role {
        Role::User => ConversationRole::User,
        Role::Assistant => ConversationRole::Assistant,
    };
    let builder = sdk::Message::builder().role(role);
    builder.set_content(Some(content?)).build().map_err(invalid)
}

fn block(block: &ContentBlock) -> Result<sdk::ContentBlock, ClientError> {
    Ok(match block {
        ContentBlock::Text(text) => sdk::ContentBlock::Text(text.clone()),
        ContentBlock::Image(picture) => sdk::ContentBlock::Image(image(picture)?),
        ContentBlock::Reasoning { text, signature } => {
            let reasoning = ReasoningTextBlock::builder().text(text);
            let reasoning = reasoning.set_signature(signature.clone()).build();
            let reasoning = ReasoningContentBlock::ReasoningText(reasoning.map_err(invalid)?);
            sdk::ContentBlock::ReasoningContent(reasoning)
        }
        ContentBlock::ToolUse(call) => sdk::ContentBlock::ToolUse(tool_use(call)?),
        ContentBlock::ToolResult(result) => sdk::ContentBlock::ToolResult(tool_result(result)?),
        ContentBlock::CachePoint(point) => sdk::ContentBlock::CachePoint(cache_point(*point)?),
        other => {
            let message = format!("this adapter cannot send this to Converse yet: {other:?}");
            return Err(ClientError::new(ErrorClass::Invalid, message));
        }
    })
}

fn image(image: &Image) -> Result<ImageBlock, ClientError> {
    let source = match &image.source {
        ImageSource::Bytes(bytes) => sdk::ImageSource::Bytes(Blob::new(bytes.clone())),
        ImageSource::Uri(uri) if uri.starts_with("s3://") => {
            let place = S3Location::builder().uri(uri).build().map_err(invalid)?;
            sdk::ImageSource::S3Location(place)
        }
        ImageSource::Uri(uri) => {
            let uri = uri.clone();
            return Err(error::of_wire(WireError::ImageUri { uri }));
        }
    };
    let format = ImageFormat::from(image.image_type.name());
    let builder = ImageBlock::builder().format(format).source(source);
    builder.build().map_err(invalid)
}

fn tool_use(call: &ToolUse) -> Result<ToolUseBlock, ClientError> {
    let builder = ToolUseBlock::builder().tool_use_id(&call.id);
    let builder = builder.name(&call.name).input(document(&call.input));
    builder.build().map_err(invalid)
}

fn tool_result(result: &ToolResult) -> Result<ToolResultBlock, ClientError> {
    let status = match result.is_error {
        true => ToolResultStatus::Error,
        false => ToolResultStatus::Success,
    };
    let builder = ToolResultBlock::builder().tool_use_id(&result.tool_use_id);
    let content = ToolResultContentBlock::Text(result.content.clone());
    builder
        .content(content)
        .status(status)
        .build()
        .map_err(invalid)
}

fn cache_point(point: CachePoint) -> Result<CachePointBlock, ClientError> {
    // Not every model takes the field, and five minutes are its default.
    let ttl = (point.ttl == CacheTtl::OneHour).then_some(sdk::CacheTtl::OneHour);
    let builder = CachePointBlock::builder().r#type(CachePointType::Default);
    builder.set_ttl(ttl).build().map_err(invalid)
}

fn system_block(block: &SystemBlock) -> Result<SystemContentBlock, ClientError> {
    Ok(match block {
        SystemBlock::Text(text) => SystemContentBlock::Text(text.clone()),
        SystemBlock::CachePoint(point) => SystemContentBlock::CachePoint(cache_point(*point)?),
    })
}

fn inference_config(parameters: &Parameters) -> InferenceConfiguration {
    // The SDK has 32 bits, of which about seven digits are right.
    let narrow = |number: f64| number as f32;
    let stop = Some(parameters.stop.clone()).filter(|texts| !texts.is_empty());
    // No model writes as many tokens as 31 bits can count.
    let most = i32::try_from(parameters.max_output_tokens).unwrap_or(i32::MAX);
    InferenceConfiguration::builder()
        .max_tokens(most)
        .set_temperature(parameters.temperature.map(|it| narrow(it.as_f64())))
        .set_top_p(parameters.top_p.map(|it| narrow(it.as_f64())))
        .set_stop_sequences(stop)
        .build()
}

fn tool_config(request: &ChatRequest) -> Result<Option<ToolConfiguration>, ClientError> {
    if request.tools.is_empty() {
        return Ok(None);
    }
    let choice = match &request.tool_choice {
        ToolChoice::Auto => sdk::ToolChoice::Auto(AutoToolChoice::builder().build()),
        ToolChoice::Any => sdk::ToolChoice::Any(AnyToolChoice::builder().build()),
        ToolChoice::Tool(name) => {
            let choice = SpecificToolChoice::builder().name(name).build();
            sdk::ToolChoice::Tool(choice.map_err(invalid)?)
        }
    };
    let tools: Result<_, _> = request.tools.iter().map(tool).collect();
    let builder = ToolConfiguration::builder().tool_choice(choice);
    let config = builder.set_tools(Some(tools?)).build().map_err(invalid)?;
    Ok(Some(config))
}

fn tool(tool: &Tool) -> Result<sdk::Tool, ClientError> {
    let schema = ToolInputSchema::Json(document(&tool.input_schema));
    let builder = ToolSpecification::builder().name(&tool.name);
    let builder = builder.set_description(tool.description.clone());
    let specification = builder.input_schema(schema).build().map_err(invalid)?;
    Ok(sdk::Tool::ToolSpec(specification))
}

fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(bool) => Document::Bool(*bool),
        Value::Number(number) => Document::Number(self::number(number)),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(values) => Document::Array(values.iter().map(document).collect()),
        Value::Object(members) => {
            let members = members.iter();
            Document::Object(
                members
                    .map(|(key, value)| (key.clone(), document(value)))
                    .collect(),
            )
        }
    }
}

fn number(number: &serde_json::Number) -> Number {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => Number::PosInt(number),
        (None, Some(number)) => Number::NegInt(number),
        (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
    }
}

/// The SDK misses a field that it requires, which the functions above have all set.
fn invalid(error: BuildError) -> ClientError {
    ClientError::new(ErrorClass::Invalid, error.to_string()).caused_by(error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runtime::answer;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let members = prop::collection::hash_map(any::<String>(), inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_tools_are_given_is_the_same_there_and_back(value in json()) {
            prop_assert_eq!(answer::value(document(&value)), value);
        }
    }
}
