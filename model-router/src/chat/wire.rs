//! What can go wrong between a request and the wire, and what do both wire formats share?

use serde_json::Value;

use crate::{ApiFormat, Usage};

/// Why a request cannot be written, or an answer not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// There is nothing to answer.
    #[error("a request without messages cannot be sent; add one of the user")]
    NoMessages,
    /// No room for an answer.
    #[error("an answer of at most 0 tokens cannot be asked for; allow 1 at least")]
    NoOutput,
    /// A picture is where the provider does not fetch it from.
    #[error("the provider does not fetch a picture from `{uri}`; hand over its bytes")]
    ImageUri {
        /// Where the picture is.
        uri: String,
    },
    /// A document lacks something that the format promises, or has something else there.
    #[error("an answer is not in the format: `{path}` {problem}")]
    Format {
        /// Where in the document.
        path: &'static str,
        /// What is wrong there.
        problem: &'static str,
    },
}

pub(super) const fn missing(path: &'static str) -> WireError {
    let problem = "is missing or of another type";
    WireError::Format { path, problem }
}

/// The input of a tool as the model wrote it: a text if that is no JSON, an object if it is nothing.
pub(super) fn tool_input(json: String) -> Value {
    if json.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    serde_json::from_str(&json).unwrap_or(Value::String(json))
}

/// A text at a key.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// What a document says that was used. An answer is worth reading even if its counts are not: these are
/// unknown then, which is not zero.
pub(super) fn reported_usage(format: ApiFormat, body: &Value) -> Usage {
    let extracted = format.extractor().extract_value(body);
    extracted.map_or_else(|_| Usage::new(), |it| it.usage)
}
