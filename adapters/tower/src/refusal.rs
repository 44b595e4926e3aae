//! How is a request turned away? Problem details for HTTP, a status of its own for gRPC.

use std::fmt::Write as _;

use bursar_ratelimit::RetryAfter;
use bursar_ratelimit::http::{PROBLEM_JSON, Problem};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

/// In which form requests are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Refusals {
    /// In the way of gRPC if the request is one (its `Content-Type` begins with `application/grpc`),
    /// as problem details if not.
    #[default]
    Auto,
    /// Status 429 (or what else applies) with problem details as JSON (RFC 9457).
    ProblemDetails,
    /// Status 200 with `grpc-status` 8, RESOURCE_EXHAUSTED (or what else applies), `grpc-message`,
    /// and `grpc-retry-pushback-ms`, by which clients time their retries (gRFC A6).
    Grpc,
}

/// What a client is told instead of an answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) problem: Problem,
    pub(crate) fields: HeaderMap,
    pub(crate) retry_after: Option<RetryAfter>,
}

impl Refusal {
    pub(crate) fn of(problem: Problem) -> Box<Self> {
        Box::new(Self {
            problem,
            fields: HeaderMap::new(),
            retry_after: None,
        })
    }

    /// The response; `content_type` is the request's.
    pub(crate) fn response(
        self,
        refusals: Refusals,
        content_type: Option<&HeaderValue>,
    ) -> Response<Bytes> {
        let grpc = content_type.filter(|value| value.as_bytes().starts_with(b"application/grpc"));
        match (refusals, grpc) {
            (Refusals::ProblemDetails, _) | (Refusals::Auto, None) => self.problem_details(),
            (Refusals::Auto | Refusals::Grpc, grpc) => {
                let default = HeaderValue::from_static("application/grpc");
                self.grpc(grpc.cloned().unwrap_or(default))
            }
        }
    }

    fn problem_details(self) -> Response<Bytes> {
        let text = Bytes::from(self.problem.to_string());
        let status = status_of(&self.problem);
        let mut response = Response::new(text);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        *headers = self.fields;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: a 401 has to name a scheme.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// A response of headers only ("Trailers-Only" in gRPC over HTTP/2).
    fn grpc(self, content_type: HeaderValue) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        *headers = self.fields;
        headers.insert(CONTENT_TYPE, content_type);
        let status = HeaderValue::from(grpc_status(status_of(&self.problem)));
        headers.insert(HeaderName::from_static("grpc-status"), status);
        if let Ok(message) = HeaderValue::from_str(&percent_encoded(&self.problem.detail)) {
            headers.insert(HeaderName::from_static("grpc-message"), message);
        }
        let pushback = match self.retry_after {
            Some(RetryAfter::After(wait)) => {
                let millis = wait.as_nanos().div_ceil(1_000_000);
                // Clients read a signed number of 32 bits.
                Some(i32::try_from(millis).unwrap_or(i32::MAX).max(1))
            }
            // A negative number: do not retry.
            Some(RetryAfter::Never) => Some(-1),
            Some(RetryAfter::Unknown) | None => None,
        };
        if let Some(millis) = pushback {
            let name = HeaderName::from_static("grpc-retry-pushback-ms");
            headers.insert(name, HeaderValue::from(millis));
        }
        response
    }
}

fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The codes that gRPC has for these reasons (grpc/grpc, `doc/statuscodes.md`).
fn grpc_status(status: StatusCode) -> u16 {
    match status {
        StatusCode::TOO_MANY_REQUESTS => 8,      // RESOURCE_EXHAUSTED
        StatusCode::SERVICE_UNAVAILABLE => 14,   // UNAVAILABLE
        StatusCode::UNAUTHORIZED => 16,          // UNAUTHENTICATED
        StatusCode::FORBIDDEN => 7,              // PERMISSION_DENIED
        status if status.is_client_error() => 3, // INVALID_ARGUMENT
        _ => 13,                                 // INTERNAL
    }
}

/// As `grpc-message` has it: printable ASCII but for `%` (grpc/grpc, `doc/PROTOCOL-HTTP2.md`).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => encoded.push_str("%25"),
            b' '..=b'~' => encoded.push(byte.into()),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bursar_ratelimit::RetryAfter;
    use bursar_ratelimit::http::Problem;
    use http::HeaderValue;

    use super::{Refusal, Refusals, percent_encoded};

    #[test]
    fn encodes_what_a_grpc_message_cannot_carry() {
        assert_eq!(percent_encoded("100 % für\n"), "100 %25 f%C3%BCr%0A");
    }

    #[test]
    fn times_the_retries_of_grpc_clients() {
        let pushback = |retry_after| {
            let refusal = Refusal {
                retry_after,
                ..*Refusal::of(Problem::of_status(429, "", String::new()))
            };
            let response = refusal.response(Refusals::Grpc, None);
            let value = response.headers().get("grpc-retry-pushback-ms");
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let after = |wait| pushback(Some(RetryAfter::After(wait)));
        assert_eq!(after(Duration::from_micros(1)).as_deref(), Some("1"));
        assert_eq!(after(Duration::MAX).as_deref(), Some("2147483647"));
        assert_eq!(pushback(Some(RetryAfter::Never)).as_deref(), Some("-1"));
        assert_eq!(pushback(Some(RetryAfter::Unknown)), None);
    }

    #[test]
    fn tells_grpc_by_the_content_type() {
        for (refusals, content_type, status) in [
            (Refusals::Auto, Some("application/grpc+proto"), 200),
            (Refusals::Auto, Some("application/json"), 503),
            (Refusals::Auto, None, 503),
            (Refusals::Grpc, None, 200),
            (Refusals::ProblemDetails, Some("application/grpc"), 503),
        ] {
            let refusal = Refusal::of(Problem::temporary_reduced_capacity());
            let content_type = content_type.map(HeaderValue::from_static);
            let response = refusal.response(refusals, content_type.as_ref());
            assert_eq!(response.status(), status, "{refusals:?} {content_type:?}");
        }
    }
}
