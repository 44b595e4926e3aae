//! What becomes of a request? Decided, waited for, passed on or refused.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bursar_ratelimit::http::{Problem, retry_after};
use bursar_ratelimit::{Admission, Decision, StoreError};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use crate::body::LimitedBody;
use crate::extract::ExtractError;
use crate::layer::{FailureMode, Rules};
use crate::refusal::Refusal;
use crate::reservation::Held;

/// A service behind a [`RateLimitLayer`](crate::RateLimitLayer).
#[derive(Clone, Debug)]
pub struct RateLimit<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S> RateLimit<S> {
    pub(crate) const fn new(inner: S, rules: Arc<Rules>) -> Self {
        Self { inner, rules }
    }
}

/// The response to come of a [`RateLimit`] service.
pub struct ResponseFuture<B, E>(Boxed<Result<Response<LimitedBody<B>>, E>>);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<B, E> Future for ResponseFuture<B, E> {
    type Output = Result<Response<LimitedBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<B, E> fmt::Debug for ResponseFuture<B, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseFuture")
            .finish_non_exhaustive()
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for RateLimit<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: 'static,
    RequestBody: Send + 'static,
    ResponseBody: Body + 'static,
    ResponseBody::Data: From<Bytes>,
{
    type Response = Response<LimitedBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<ResponseBody, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        // The one that has said to be ready is called, its clone is asked next time.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let rules = Arc::clone(&self.rules);
        ResponseFuture(Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let pass = match rules.decide(&parts).await {
                Ok(pass) => pass,
                Err(refusal) => {
                    let content_type = parts.headers.get(CONTENT_TYPE);
                    let response = refusal.response(rules.refusals, content_type);
                    return Ok(response.map(LimitedBody::refusal));
                }
            };
            if let Some(held) = &pass.held {
                parts.extensions.insert(held.handle());
            }
            let response = inner.call(Request::from_parts(parts, body)).await?;
            let mut response = response.map(|body| LimitedBody::of_service(body, pass.held));
            add_fields(response.headers_mut(), pass.fields);
            Ok(response)
        }))
    }
}

/// A request that may pass.
#[derive(Debug, Default)]
struct Pass {
    fields: HeaderMap,
    held: Option<Held>,
}

impl Rules {
    async fn decide(&self, parts: &Parts) -> Result<Pass, Box<Refusal>> {
        let facts = self
            .extract
            .extract(parts)
            .map_err(|error| self.unusable(&error))?;
        if facts.is_exempt() {
            return Ok(Pass::default());
        }
        let limits = self.limits.load();
        let charges = limits
            .resolve(&facts.as_request())
            .map_err(|error| self.misconfigured(&error))?;
        match self.ask_or_wait(&charges).await {
            Ok(answer) if answer.may_pass() => Ok(self.pass(answer.admission)),
            Ok(answer) => Err(self.refuse(&answer.admission.decision)),
            Err(error) => self.undecided(&error),
        }
    }

    fn pass(&self, admission: Admission<'_>) -> Pass {
        let fields = self.fields_of(&admission.decision);
        let held = admission.reservation.map(|reservation| {
            let (store, runtime) = (Arc::clone(&self.store), Arc::clone(&self.runtime));
            Held::new(reservation, store, runtime, self.on_error.clone())
        });
        Pass { fields, held }
    }

    fn refuse(&self, decision: &Decision<'_>) -> Box<Refusal> {
        let mut problem = Problem::quota_exceeded(decision);
        if decision.is_allowed() {
            problem.detail =
                "Other requests are waiting for the same limits. Try again later.".to_owned();
        }
        Box::new(Refusal {
            problem,
            fields: self.fields_of(decision),
            retry_after: retry_after(decision),
        })
    }

    fn fields_of(&self, decision: &Decision<'_>) -> HeaderMap {
        let mut fields = HeaderMap::new();
        self.fields.for_each(decision, |name, value| {
            if let Ok(value) = HeaderValue::from_str(value) {
                fields.insert(HeaderName::from_static(name), value);
            }
        });
        fields
    }

    /// The store could not decide.
    fn undecided(&self, error: &StoreError) -> Result<Pass, Box<Refusal>> {
        if !error.is_failure() {
            return Err(self.misconfigured(error));
        }
        self.tell(error);
        match self.failure_mode {
            FailureMode::Open => Ok(Pass::default()),
            FailureMode::Closed => Err(Refusal::of(Problem::temporary_reduced_capacity())),
        }
    }

    /// The request does not say who it is from or what it costs.
    fn unusable(&self, error: &ExtractError) -> Box<Refusal> {
        let status = (self.error_status)(error);
        Refusal::of(problem_of(status, sentence(error)))
    }

    /// Limits, extractor and mode do not go together, which is not for clients to know in detail.
    fn misconfigured(&self, error: &(dyn Error + 'static)) -> Box<Refusal> {
        self.tell(error);
        let detail = "The limits of this request cannot be checked.".to_owned();
        Refusal::of(problem_of(StatusCode::INTERNAL_SERVER_ERROR, detail))
    }

    fn tell(&self, error: &(dyn Error + 'static)) {
        if let Some(on_error) = &self.on_error {
            on_error(error);
        }
    }
}

fn problem_of(status: StatusCode, detail: String) -> Problem {
    let title = status.canonical_reason().unwrap_or("Error");
    Problem::of_status(status.as_u16(), title, detail)
}

/// An error as a sentence.
fn sentence(error: &ExtractError) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

/// Adds the decision's fields: to those lists of layers further in, in the place of anything else.
fn add_fields(headers: &mut HeaderMap, fields: HeaderMap) {
    for (name, value) in fields {
        let Some(name) = name else { continue };
        if name.as_str().starts_with("ratelimit") {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}
