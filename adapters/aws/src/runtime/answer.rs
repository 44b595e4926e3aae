//! What has the model said, and what did it use?

use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::types::{
    CacheTtl, ContentBlock as SdkBlock, ConverseOutput as Output, ReasoningContentBlock, TokenUsage,
};
use aws_smithy_types::{Document, Number};
use bursar_model_router::{
    ChatAnswer, ClientError, ContentBlock, ErrorClass, FinishReason, ModelId, ToolUse, Usage,
    UsageKind,
};
use serde_json::Value;

/// The answer to what `model` was asked. A prompt router says which model it has chosen.
pub(super) fn read(model: &ModelId, output: ConverseOutput) -> Result<ChatAnswer, ClientError> {
    let router = output.trace.as_ref().and_then(|it| it.prompt_router());
    let invoked = router.and_then(|router| router.invoked_model_id());
    let invoked = invoked.and_then(|name| ModelId::new(name).ok());
    let Some(Output::Message(message)) = output.output else {
        let text = "Bedrock's answer has no message";
        return Err(ClientError::new(ErrorClass::Unknown, text));
    };
    let content: Vec<_> = message.content.into_iter().filter_map(block).collect();
    let reason = FinishReason::from_converse(output.stop_reason.as_str());
    let answer = ChatAnswer::new(invoked.unwrap_or_else(|| model.clone()), content, reason);
    Ok(answer.usage(output.usage.as_ref().map(usage).unwrap_or_default()))
}

/// A block of an answer. Kinds that a conversation here does not have are left out: thoughts that the
/// provider has made unreadable, and what answers to documents and sound are made of.
fn block(block: SdkBlock) -> Option<ContentBlock> {
    match block {
        SdkBlock::Text(text) => Some(text.into()),
        SdkBlock::ToolUse(call) => {
            let input = value(call.input);
            let (id, name) = (call.tool_use_id, call.name);
            Some(ToolUse { id, name, input }.into())
        }
        SdkBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)) => {
            let (text, signature) = (thought.text, thought.signature);
            Some(ContentBlock::Reasoning { text, signature })
        }
        _ => None,
    }
}

/// Converse counts tokens from and into its cache apart from `inputTokens`; here they are a part of the
/// input. What was written is told apart by how long it is kept, where Bedrock does so.
pub(super) fn usage(tokens: &TokenUsage) -> Usage {
    let count = |tokens: i32| u64::try_from(tokens).ok();
    let read = tokens.cache_read_input_tokens.and_then(count);
    let write = tokens.cache_write_input_tokens.and_then(count);
    let input = count(tokens.input_tokens);
    // Three numbers of 31 bits.
    let input = input.map(|input| input + read.unwrap_or(0) + write.unwrap_or(0));
    let kept = |ttl: CacheTtl| {
        let details = tokens.cache_details().iter();
        let counts = details.filter(|detail| detail.ttl == ttl);
        let counts: Option<Vec<_>> = counts.map(|detail| count(detail.input_tokens)).collect();
        counts
            .filter(|counts| !counts.is_empty())
            .map(|counts| counts.iter().sum::<u64>())
    };
    let counts = [
        (UsageKind::InputTokens, input),
        (UsageKind::OutputTokens, count(tokens.output_tokens)),
        (UsageKind::CacheReadTokens, read),
        (UsageKind::CacheWriteTokens, write),
        (UsageKind::CacheWrite5mTokens, kept(CacheTtl::FiveMinutes)),
        (UsageKind::CacheWrite1hTokens, kept(CacheTtl::OneHour)),
    ];
    let known = counts
        .into_iter()
        .filter_map(|(kind, count)| Some((kind, count?)));
    known.fold(Usage::new(), |usage, (kind, count)| usage.with(kind, count))
}

pub(super) fn value(document: Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(bool) => bool.into(),
        Document::Number(Number::PosInt(number)) => number.into(),
        Document::Number(Number::NegInt(number)) => number.into(),
        Document::Number(Number::Float(number)) => number.into(),
        Document::String(text) => text.into(),
        Document::Array(items) => items.into_iter().map(value).collect(),
        Document::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.map(|(key, item)| (key, value(item))).collect())
        }
    }
}
