//! What does a failed request say, and what helps?

use std::time::{Duration, SystemTime};

use bursar_model_router::{ClientError, ErrorClass, WireError};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// The longest part of a body that is told in an error.
const EXCERPT: usize = 500;

/// From a request that has no response.
pub(crate) fn of_transport(error: reqwest::Error) -> ClientError {
    let class = if error.is_timeout() {
        ErrorClass::Timeout
    } else if error.is_builder() {
        ErrorClass::Invalid
    } else {
        ErrorClass::Unavailable
    };
    ClientError::new(class, error.to_string()).caused_by(error)
}

/// From a request that cannot be written.
pub(crate) fn of_request(error: WireError) -> ClientError {
    ClientError::new(ErrorClass::Invalid, error.to_string()).caused_by(error)
}

/// From a response that cannot be read.
pub(crate) fn of_response(error: WireError) -> ClientError {
    ClientError::new(ErrorClass::Unknown, error.to_string()).caused_by(error)
}

/// From a response with a status that is no success.
pub(crate) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    now: SystemTime,
) -> ClientError {
    let parsed = serde_json::from_str::<Value>(body).unwrap_or_default();
    let error = ClientError::new(class(status, &parsed), message(status, &parsed, body));
    match retry_after(headers, now) {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}

/// From an error that arrives inside a stream.
pub(crate) fn of_event(event: &Value) -> ClientError {
    let code = event.pointer("/error/code").and_then(Value::as_u64);
    let status = code.and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ClientError::new(
        class(status, event),
        message(status, event, &event.to_string()),
    )
}

/// By the code that the body names, and else by the status. Sources: the page "Error codes" of OpenAI's API
/// guide, read 2026-11-27; RFC 9110 §15; 529 is Anthropic's "overloaded".
fn class(status: StatusCode, body: &Value) -> ErrorClass {
    let at = |path| {
        body.pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    for named in [at("/error/code"), at("/error/type")] {
        match named {
            "context_length_exceeded" => return ErrorClass::ContextTooLong,
            "content_filter" | "content_policy_violation" => return ErrorClass::ContentFiltered,
            "model_not_found" => return ErrorClass::ModelMissing,
            // No money is left: waiting does not help, another provider does.
            "insufficient_quota" => return ErrorClass::Denied,
            "rate_limit_exceeded" | "rate_limit_error" => return ErrorClass::Throttled,
            "overloaded_error" => return ErrorClass::Overloaded,
            _ => {}
        }
    }
    match status.as_u16() {
        400 | 405 | 413 | 415 | 422 => ErrorClass::Invalid,
        401..=403 => ErrorClass::Denied,
        404 => ErrorClass::ModelMissing,
        408 | 504 => ErrorClass::Timeout,
        429 => ErrorClass::Throttled,
        500 | 502 => ErrorClass::Unavailable,
        503 | 529 => ErrorClass::Overloaded,
        _ => ErrorClass::Unknown,
    }
}

fn message(status: StatusCode, parsed: &Value, body: &str) -> String {
    let told = parsed
        .pointer("/error/message")
        .and_then(Value::as_str)
        .unwrap_or(body);
    let told: String = told.trim().chars().take(EXCERPT).collect();
    format!("HTTP {}: {told}", status.as_u16())
}

/// `retry-after-ms` as OpenAI and Azure send it, else `Retry-After` in seconds or as a date (RFC 9110
/// §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let field = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(milliseconds) = field("retry-after-ms").and_then(|it| it.parse().ok()) {
        return Some(Duration::from_millis(milliseconds));
    }
    let field = field("retry-after")?;
    if let Ok(seconds) = field.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(field).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_in_the_body_tells_more_than_the_status() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":{"code":"context_length_exceeded"}}"#,
                ErrorClass::ContextTooLong,
            ),
            (
                400,
                r#"{"error":{"code":"content_filter"}}"#,
                ErrorClass::ContentFiltered,
            ),
            (
                400,
                r#"{"error":{"type":"invalid_request_error"}}"#,
                ErrorClass::Invalid,
            ),
            (
                429,
                r#"{"error":{"code":"insufficient_quota"}}"#,
                ErrorClass::Denied,
            ),
            (429, "slow down", ErrorClass::Throttled),
            (
                404,
                r#"{"error":{"code":"model_not_found"}}"#,
                ErrorClass::ModelMissing,
            ),
            (401, "", ErrorClass::Denied),
            (500, "<html>", ErrorClass::Unavailable),
            (503, "", ErrorClass::Overloaded),
            (529, "", ErrorClass::Overloaded),
            (504, "", ErrorClass::Timeout),
            (418, "", ErrorClass::Unknown),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let error = of_status(status, &HeaderMap::new(), body, SystemTime::UNIX_EPOCH);
            assert_eq!(error.class, expected, "{status} {body}");
        }
    }

    #[test]
    fn every_way_to_say_when_to_come_back_is_read() {
        let after = |fields: &[(&'static str, &str)]| {
            let fields = fields
                .iter()
                .map(|(name, value)| ((*name).try_into().unwrap(), (*value).try_into().unwrap()));
            retry_after(&fields.collect(), SystemTime::UNIX_EPOCH)
        };
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            after(&[("retry-after", "0.5")]),
            Some(Duration::from_millis(500))
        );
        let both = [("retry-after", "7"), ("retry-after-ms", "250")];
        assert_eq!(after(&both), Some(Duration::from_millis(250)));
        let date = "Thu, 01 Jan 1970 00:01:00 GMT";
        assert_eq!(
            after(&[("retry-after", date)]),
            Some(Duration::from_secs(60))
        );
        assert_eq!(after(&[("retry-after", "-1")]), None);
        assert_eq!(after(&[("retry-after", "soon")]), None);
    }

    #[test]
    fn a_long_body_is_told_in_part() {
        let body = "é".repeat(2_000);
        let status = StatusCode::BAD_GATEWAY;
        let error = of_status(status, &HeaderMap::new(), &body, SystemTime::UNIX_EPOCH);
        assert_eq!(error.message.chars().count(), EXCERPT + "HTTP 502: ".len());
    }
}
