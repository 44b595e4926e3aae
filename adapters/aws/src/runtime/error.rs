//! What does a failed call say, and what helps?

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::config::http::HttpResponse;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::event_stream::{Message, RawMessage};
use bursar_model_router::{ClientError, ErrorClass, WireError};

/// From a request that cannot be written.
pub(super) fn of_wire(error: WireError) -> ClientError {
    ClientError::new(ErrorClass::Invalid, error.to_string()).caused_by(error)
}

/// From a call that has no answer.
pub(super) fn of_response<E>(error: SdkError<E, HttpResponse>) -> ClientError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let response = error.raw_response();
    let status = response.map(|response| response.status().as_u16());
    let wait = response.and_then(|response| response.headers().get("retry-after"));
    let wait = wait.and_then(|seconds| seconds.trim().parse().ok());
    let code = error.code().map(str::to_owned);
    let error = of(error, code, status);
    match wait {
        Some(seconds) => error.retry_after(Duration::from_secs(seconds)),
        None => error,
    }
}

/// From a stream that breaks off.
pub(super) fn of_event<E>(error: SdkError<E, RawMessage>) -> ClientError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = match error.raw_response() {
        Some(RawMessage::Decoded(frame)) => exception(frame),
        _ => None,
    };
    of(error, code, None)
}

/// The name of the exception in a frame, which the SDK does not keep: `throttlingException` there is the
/// `ThrottlingException` of a response.
fn exception(frame: &Message) -> Option<String> {
    let mut headers = frame.headers().iter();
    let header = headers.find(|header| header.name().as_str() == ":exception-type")?;
    let mut letters = header.value().as_string().ok()?.as_str().chars();
    let first = letters.next()?.to_ascii_uppercase();
    Some(std::iter::once(first).chain(letters).collect())
}

fn of<E, R>(error: SdkError<E, R>, code: Option<String>, status: Option<u16>) -> ClientError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let told = error.message();
    let class = match &error {
        SdkError::ConstructionFailure(_) => ErrorClass::Invalid,
        SdkError::TimeoutError(_) => ErrorClass::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ErrorClass::Timeout,
        SdkError::DispatchFailure(_) if lacks_credentials(&error) => ErrorClass::Denied,
        SdkError::DispatchFailure(_) => ErrorClass::Unavailable,
        SdkError::ServiceError(_) => {
            let code = code.as_deref().unwrap_or_default();
            class(code, told.unwrap_or_default(), status)
        }
        // The connection has broken off inside the response.
        SdkError::ResponseError(_) => ErrorClass::Unavailable,
        _ => ErrorClass::Unknown,
    };
    // The service's own words, and else what has failed, from the outside in.
    let message = match (code, told) {
        (Some(code), Some(told)) => format!("{code}: {told}"),
        _ => {
            let chain: Vec<_> = causes(&error).map(ToString::to_string).collect();
            chain.join(": ")
        }
    };
    ClientError::new(class, message).caused_by(error)
}

/// By the exception, and else by the status. Sources: the errors of Converse, ConverseStream and
/// CountTokens (botocore 1.44.5); the pages "Common Error Types" of AWS and "Troubleshooting Amazon Bedrock API
/// Error Codes" of the user guide, which disagree about the status of some; read 2026-11-27.
fn class(code: &str, message: &str, status: Option<u16>) -> ErrorClass {
    match code {
        "ThrottlingException" => return ErrorClass::Throttled,
        "ModelTimeoutException" => return ErrorClass::Timeout,
        "InternalServerException" | "InternalFailure" => return ErrorClass::Unavailable,
        "ServiceUnavailableException" | "ServiceUnavailable" | "ModelNotReadyException" => {
            return ErrorClass::Overloaded;
        }
        "ModelErrorException" | "ModelStreamErrorException" => return ErrorClass::Unknown,
        "ResourceNotFoundException" => return ErrorClass::ModelMissing,
        // A quota that waiting does not lift, or a signature that is not accepted, for one because a clock
        // is wrong.
        "AccessDeniedException"
        | "ServiceQuotaExceededException"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "NotAuthorized"
        | "OptInRequired"
        | "RequestExpired"
        | "UnrecognizedClientException" => return ErrorClass::Denied,
        "ValidationException" | "ValidationError" => return validation(message),
        _ => {}
    }
    match status {
        Some(401 | 403) => ErrorClass::Denied,
        Some(404) => ErrorClass::ModelMissing,
        Some(408 | 504) => ErrorClass::Timeout,
        Some(429) => ErrorClass::Throttled,
        Some(500 | 502) => ErrorClass::Unavailable,
        Some(503 | 529) => ErrorClass::Overloaded,
        Some(400 | 405 | 413 | 415 | 422) => ErrorClass::Invalid,
        _ => ErrorClass::Unknown,
    }
}

/// Bedrock says in words alone whether a request is too long, its content refused, or its model not offered
/// here.
fn validation(message: &str) -> ErrorClass {
    let message = message.to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if says(TOO_LONG) {
        ErrorClass::ContextTooLong
    } else if says(CONTENT_REFUSED) {
        ErrorClass::ContentFiltered
    } else if says(NOT_OFFERED) {
        ErrorClass::ModelMissing
    } else {
        ErrorClass::Invalid
    }
}

/// What Bedrock and the models on it say, read 2026-11-27: the first four are the list of Strands Agents
/// (`BEDROCK_CONTEXT_WINDOW_OVERFLOW_MESSAGES`, strands-agents/sdk-python, issues 152 and 1712), then Amazon's
/// Nova ("Input Tokens Exceeded: Number of input tokens exceeds maximum length") and Titan ("Too many input
/// tokens. Max input tokens: 8192, request input token count: 9279"), Meta's Llama ("This model's maximum
/// context length is 8192 tokens") and Cohere ("too many tokens: size limit exceeded").
const TOO_LONG: &[&str] = &[
    "input is too long for requested model",
    "prompt is too long",
    "exceed context limit",
    "too many total text bytes",
    "number of input tokens exceeds maximum length",
    "too many input tokens",
    "maximum context length",
    "too many tokens: size limit exceeded",
];

/// Claude's words, "Output blocked by content filtering policy" (Anthropic's help center, article 10023638,
/// read 2026-11-27).
const CONTENT_REFUSED: &[&str] = &["blocked by content filtering policy"];

/// A name that is none in this region, and one that is offered through an inference profile alone ("…with
/// on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile"; issue
/// terricain/aioboto3#352; with either apostrophe, logancyang/obsidian-copilot#2472).
const NOT_OFFERED: &[&str] = &[
    "model identifier is invalid",
    "on-demand throughput isn’t supported",
    "on-demand throughput isn't supported",
];

fn lacks_credentials<E: Error + 'static>(error: &E) -> bool {
    causes(error).any(|cause| cause.is::<CredentialsError>())
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause: &&'e (dyn Error + 'static)| {
        cause.source()
    })
}
