//! What does Bedrock know that the SDK does not?
//!
//! The SDK that builds with our Rust is older than jobs of the type Converse and than the counts of a
//! job's records. Both are a member of a JSON document that the SDK lets through: one is put into the
//! request before it is signed, the others are read from the response beside what the SDK reads.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_bedrock::config::http::HttpRequest;
use aws_sdk_bedrock::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_bedrock::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_bedrock::error::BoxError;
use aws_smithy_types::body::SdkBody;
use bursar_model_router::RecordCounts;
use serde_json::{Map, Value};

/// The same creation of a job, of the type Converse.
pub(super) fn as_converse(mut request: HttpRequest) -> Result<HttpRequest, serde_json::Error> {
    let body = request.body().bytes().unwrap_or_default();
    let mut body: Map<String, Value> = serde_json::from_slice(body)?;
    body.insert("modelInvocationType".to_owned(), "Converse".into());
    let body = serde_json::to_vec(&body)?;
    let length = body.len().to_string();
    request.headers_mut().insert("content-length", length);
    *request.body_mut() = SdkBody::from(body);
    Ok(request)
}

/// Reads the counts of a job's records while its description passes by.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    found: Arc<Mutex<Option<RecordCounts>>>,
}

impl Counts {
    /// What was found.
    pub(super) fn read(&self) -> Option<RecordCounts> {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Counts {
    fn name(&self) -> &'static str {
        "counts of records"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let found = context.response().body().bytes().and_then(counts);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }
}

/// The counts in a description of a job, if it has them all.
fn counts(body: &[u8]) -> Option<RecordCounts> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let count = |name: &str| body.get(name)?.as_u64();
    Some(RecordCounts {
        total: count("totalRecordCount")?,
        succeeded: count("successRecordCount")?,
        failed: count("errorRecordCount")?,
    })
}
