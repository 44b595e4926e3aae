//! What did a streamed call use, once its last event is in?

use serde_json::{Map, Value};

use super::{ExtractError, Extracted, Extractor};

/// Collects usage from the events of a stream.
///
/// Providers report a stream's usage in pieces: Anthropic the input with the first event and the output
/// with the last, OpenAI all of it in one event near the end, Gemini running totals in each. Later values
/// replace earlier ones; whatever is replaced was smaller, for every provider reports totals so far.
///
/// ```
/// use bursar_model_router::{ApiFormat, StreamedUsage, UsageKind};
///
/// let mut stream = StreamedUsage::new(ApiFormat::Anthropic.extractor());
/// for event in [
///     r#"{"type":"message_start","message":{"model":"claude-haiku-4-5","usage":{"input_tokens":9,"output_tokens":1}}}"#,
///     r#"{"type":"content_block_delta","delta":{"text":"Hello"}}"#,
///     r#"{"type":"message_delta","usage":{"output_tokens":15}}"#,
/// ] {
///     stream.push(event.as_bytes())?;
/// }
/// let extracted = stream.finish()?;
/// assert_eq!(extracted.model.as_deref(), Some("claude-haiku-4-5"));
/// assert_eq!(extracted.usage.get(UsageKind::InputTokens), Some(9));
/// assert_eq!(extracted.usage.get(UsageKind::OutputTokens), Some(15));
/// # Ok::<(), bursar_model_router::ExtractError>(())
/// ```
#[derive(Debug, Clone)]
pub struct StreamedUsage<'a> {
    extractor: &'a Extractor,
    usage: Value,
    model: Option<String>,
}

/// In which field of an event the body, or a part of it, may be: Anthropic's `message_start`, OpenAI's
/// `response.completed`, and Bedrock's `metadata`.
const ENVELOPES: [&str; 3] = ["message", "response", "metadata"];

impl<'a> StreamedUsage<'a> {
    /// Nothing has come yet.
    #[must_use]
    pub const fn new(extractor: &'a Extractor) -> Self {
        Self {
            extractor,
            usage: Value::Null,
            model: None,
        }
    }

    /// The next event, a JSON document. Events without usage and OpenAI's closing `[DONE]` may come too.
    ///
    /// # Errors
    /// [`ExtractError::Json`].
    pub fn push(&mut self, event: &[u8]) -> Result<(), ExtractError> {
        if event.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        self.push_value(&serde_json::from_slice(event)?);
        Ok(())
    }

    /// As [`push`](Self::push), of an event that was parsed before.
    pub fn push_value(&mut self, event: &Value) {
        let bodies = ENVELOPES.iter().filter_map(|name| event.get(name));
        for body in std::iter::once(event).chain(bodies) {
            if let Some(usage) = self.extractor.root.find(body) {
                replace(&mut self.usage, usage);
            }
            let model = self.extractor.model.as_ref();
            let model = model.and_then(|path| path.find(body)?.as_str());
            if let Some(model) = model {
                self.model = Some(model.to_owned());
            }
        }
    }

    /// Every `data:` line of a body of server-sent events, for one that was kept as a whole.
    ///
    /// # Errors
    /// [`ExtractError::Json`].
    pub fn push_server_sent_events(&mut self, body: &str) -> Result<(), ExtractError> {
        let mut data = body.lines().filter_map(|line| line.strip_prefix("data:"));
        data.try_for_each(|data| self.push(data.as_bytes()))
    }

    /// What all of it used.
    ///
    /// # Errors
    /// [`ExtractError`]; a stream that broke off before its usage came has none.
    pub fn finish(&self) -> Result<Extracted, ExtractError> {
        let steps = self.extractor.root.0.iter().rev();
        let body = steps.fold(self.usage.clone(), |value, step| match step {
            super::Step::Field(name) => Value::Object(Map::from_iter([(name.to_string(), value)])),
            super::Step::Element { .. } => value,
        });
        let extracted = self.extractor.extract_value(&body)?;
        Ok(Extracted {
            model: self.model.clone(),
            ..extracted
        })
    }
}

/// Fields are merged; anything else takes the place of what was there, except for null.
fn replace(known: &mut Value, new: &Value) {
    match (known, new) {
        (_, Value::Null) => {}
        (Value::Object(known), Value::Object(new)) => {
            for (name, value) in new {
                replace(known.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (known, new) => *known = new.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::ApiFormat;
    use crate::usage::{Usage, UsageKind as Kind};

    fn usage(format: ApiFormat, body: &str) -> Result<Extracted, ExtractError> {
        let mut stream = StreamedUsage::new(format.extractor());
        stream.push_server_sent_events(body)?;
        stream.finish()
    }

    #[test]
    fn openai_reports_in_the_event_before_the_end() {
        let body = r#"
data: {"model":"gpt-4o-mini","choices":[{"delta":{"content":"Hi"}}],"usage":null}

data: {"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0}}}

data: [DONE]
"#;
        let extracted = usage(ApiFormat::OpenAiChat, body).unwrap();
        assert_eq!(extracted.model.as_deref(), Some("gpt-4o-mini"));
        let expected = Usage::new()
            .with(Kind::InputTokens, 8)
            .with(Kind::OutputTokens, 2)
            .with(Kind::CacheReadTokens, 0);
        assert_eq!(extracted.usage, expected);
    }

    #[test]
    fn responses_report_inside_of_the_completed_response() {
        let body = r#"
event: response.created
data: {"type":"response.created","response":{"model":"gpt-5","usage":null}}

event: response.completed
data: {"type":"response.completed","response":{"model":"gpt-5","usage":{"input_tokens":5,"output_tokens":6}}}
"#;
        let extracted = usage(ApiFormat::OpenAiResponses, body).unwrap();
        assert_eq!(extracted.usage.get(Kind::OutputTokens), Some(6));
    }

    #[test]
    fn anthropic_keeps_what_the_last_event_does_not_repeat() {
        let body = r#"
data: {"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":3,"cache_read_input_tokens":50,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":7},"output_tokens":1}}}
data: {"type":"message_delta","usage":{"output_tokens":12}}
data: {"type":"message_stop"}
"#;
        let extracted = usage(ApiFormat::Anthropic, body).unwrap();
        assert_eq!(extracted.usage.get(Kind::InputTokens), Some(60));
        assert_eq!(extracted.usage.get(Kind::CacheWrite1hTokens), Some(7));
        assert_eq!(extracted.usage.get(Kind::OutputTokens), Some(12));
    }

    #[test]
    fn converse_reports_in_its_metadata() {
        let mut stream = StreamedUsage::new(ApiFormat::BedrockConverse.extractor());
        stream
            .push(br#"{"contentBlockDelta":{"delta":{"text":"Hi"}}}"#)
            .unwrap();
        stream
            .push(br#"{"metadata":{"usage":{"inputTokens":4,"outputTokens":2,"totalTokens":6}}}"#)
            .unwrap();
        let extracted = stream.finish().unwrap();
        assert_eq!(extracted.usage.get(Kind::InputTokens), Some(4));
    }

    #[test]
    fn a_stream_that_broke_off_has_no_usage() {
        let body = "data: {\"model\":\"gpt-4o\",\"choices\":[]}\n";
        let error = usage(ApiFormat::OpenAiChat, body).unwrap_err();
        assert!(matches!(error, ExtractError::NoUsage { .. }), "{error}");
    }
}
