//! Was a call refused, or is it not known what became of it?

use std::error::Error;

use aws_sdk_bedrock::config::http::HttpResponse;
use aws_sdk_bedrock::error::{ProvideErrorMetadata, SdkError};
use bursar_model_router::BatchServiceError;

/// From a call to Bedrock or S3 that has failed.
pub(super) fn of<E>(error: SdkError<E, HttpResponse>) -> BatchServiceError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|it| it.status().as_u16());
    let Some(told) = error.as_service_error() else {
        return BatchServiceError::unclear(error);
    };
    let code = told.code().unwrap_or("an error without a code");
    match will_pass(code, status) {
        true => BatchServiceError::unclear(error),
        false => {
            let message = told.message().unwrap_or("no reason is given");
            BatchServiceError::refused(format!("{code}: {message}"))
        }
    }
}

/// Whether the same call may do later what it did not do now, or has been done already. The quota is that of
/// jobs at once; a conflict at a creation may be with the same job, which the list then has. Both have the
/// status 400 (botocore 1.44.5, read 2026-11-27). Credentials are renewed and clocks set right. The last four
/// are S3's ("Error responses", read 2026-11-27).
fn will_pass(code: &str, status: Option<u16>) -> bool {
    let passes = matches!(
        code,
        "ThrottlingException"
            | "ServiceQuotaExceededException"
            | "ConflictException"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "ExpiredToken"
            | "RequestTimeTooSkewed"
            | "RequestTimeout"
            | "SlowDown"
    );
    passes || !matches!(status, Some(400..=407 | 409..=428 | 430..=499))
}
