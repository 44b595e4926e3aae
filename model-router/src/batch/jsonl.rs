//! How do records and results look in files?

use serde_json::{Value, json};

use super::{BatchRecord, RecordId};
use crate::{ChatAnswer, ConverseBody, ModelId, OpenAiBody, WireError};

/// The form of a batch's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchFormat {
    /// Bedrock with `modelInvocationType` `Converse`: `{recordId, modelInput}`, whose input is the same
    /// for every model. The model stands in the job and not in the records. Pictures at `s3://…` have to
    /// be in the folder of the input file.
    BedrockConverse,
    /// OpenAI: `{custom_id, method, url, body}`.
    OpenAi,
}

/// What a results file says about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLine {
    /// Which record.
    pub record_id: RecordId,
    /// Its answer, or what went wrong with it.
    pub result: Result<ChatAnswer, RecordError>,
}

/// Why a record has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("the record failed ({code}): {message}")]
pub struct RecordError {
    /// The provider's code, such as `400` or `batch_expired`.
    pub code: String,
    /// The provider's words.
    pub message: String,
}

impl RecordError {
    /// Whether the same record may be answered when it is asked again: it was throttled, the provider had
    /// an error, or the job's time was over.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.code.parse::<u16>() {
            Ok(status) => matches!(status, 408 | 424 | 429 | 500..),
            Err(_) => matches!(
                self.code.as_str(),
                "batch_expired" | "batch_cancelled" | "rate_limit_exceeded" | "server_error"
            ),
        }
    }
}

/// A line of a results file that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no result: {problem}")]
pub struct UnreadLine {
    /// Its number, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl BatchFormat {
    /// One line of an input file, with its end.
    ///
    /// # Errors
    /// [`WireError`] if the provider cannot take the record.
    pub fn write_record(self, record: &BatchRecord) -> Result<String, WireError> {
        let value = match self {
            Self::BedrockConverse => {
                let mut input = ConverseBody::write(&record.request)?;
                // It belongs to the operation and not to its body.
                if let Some(input) = input.as_object_mut() {
                    input.remove("requestMetadata");
                }
                json!({"recordId": record.id, "modelInput": input})
            }
            Self::OpenAi => json!({
                "custom_id": record.id,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": OpenAiBody::default().write(&record.model, &record.request)?,
            }),
        };
        Ok(format!("{value}\n"))
    }

    /// Everything in a results file of a job for `model`. Lines that are no results, such as one that was
    /// cut off, are reported and stop nothing.
    #[must_use]
    pub fn read_results(self, model: &ModelId, file: &[u8]) -> Vec<Result<ResultLine, UnreadLine>> {
        let lines = file.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        let read = lines.map(|(place, line)| {
            self.read_line(model, line).map_err(|problem| UnreadLine {
                line: place + 1,
                problem,
            })
        });
        read.collect()
    }

    fn read_line(self, model: &ModelId, line: &[u8]) -> Result<ResultLine, String> {
        let value: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let name = match self {
            Self::BedrockConverse => "recordId",
            Self::OpenAi => "custom_id",
        };
        let id = value.get(name).and_then(Value::as_str);
        let id = id.ok_or_else(|| format!("it has no `{name}`"))?;
        Ok(ResultLine {
            record_id: RecordId::new(id).map_err(|error| error.to_string())?,
            result: match self {
                Self::BedrockConverse => bedrock_result(model, &value),
                Self::OpenAi => openai_result(model, &value),
            },
        })
    }
}

fn bedrock_result(model: &ModelId, line: &Value) -> Result<ChatAnswer, RecordError> {
    if let Some(error) = line.get("error").filter(|error| !error.is_null()) {
        return Err(error_of(error, "errorCode", "errorMessage"));
    }
    let output = line.get("modelOutput").unwrap_or(&Value::Null);
    ConverseBody::read(model, output).map_err(unreadable)
}

fn openai_result(model: &ModelId, line: &Value) -> Result<ChatAnswer, RecordError> {
    if let Some(error) = line.get("error").filter(|error| !error.is_null()) {
        return Err(error_of(error, "code", "message"));
    }
    let status = line
        .pointer("/response/status_code")
        .and_then(Value::as_u64);
    let body = line.pointer("/response/body").unwrap_or(&Value::Null);
    match status {
        Some(200) => OpenAiBody::read(model, body).map_err(unreadable),
        status => {
            let message = body.pointer("/error/message").and_then(Value::as_str);
            Err(RecordError {
                code: status.map_or_else(|| "unknown".to_owned(), |status| status.to_string()),
                message: message.unwrap_or("without a message").to_owned(),
            })
        }
    }
}

/// Codes come as numbers and as texts.
fn error_of(error: &Value, code: &str, message: &str) -> RecordError {
    let text = |key: &str| match error.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "unknown".to_owned(),
        Some(other) => other.to_string(),
    };
    RecordError {
        code: text(code),
        message: text(message),
    }
}

fn unreadable(error: WireError) -> RecordError {
    RecordError {
        code: "unreadable".to_owned(),
        message: error.to_string(),
    }
}
