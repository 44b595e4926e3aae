//! May this HTTP request pass, and what is its client told? Rate limits as a tower layer.
//!
//! [`RateLimitLayer`] puts the limits of [`bursar_ratelimit`] in front of any service of
//! [`http`] requests: axum, hyper, tonic.
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::{Extension, Router, routing::post};
//! use bursar_ratelimit::{Dimension, Limits, MemoryStore, Unit, Usage};
//! use bursar_tower::{Extractor, RateLimitLayer, ReservationHandle};
//!
//! async fn complete(Extension(reservation): Extension<ReservationHandle>) -> &'static str {
//!     // 873 of the 2 000 tokens that were held; the rest returns when the answer has been sent.
//!     reservation.report(&Usage::new().with(Unit::TOKENS, 873));
//!     "It depends."
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let extractor = Extractor::new()
//!     .header(Dimension::TENANT, http::HeaderName::from_static("x-tenant"))
//!     .bearer_token(Dimension::API_KEY)
//!     .path(Dimension::METHOD, ["/v1/chat/completions"])
//!     .fixed_cost(Unit::TOKENS, 2_000);
//! let layer = RateLimitLayer::new(Arc::new(MemoryStore::default()), Limits::preset()?, extractor);
//! let app: Router = Router::new()
//!     .route("/v1/chat/completions", post(complete))
//!     .layer(layer);
//! # Ok(())
//! # }
//! ```
//!
//! # What happens to a request
//!
//! 1. The [extractor](Extract) finds out who asks and for how much. If it cannot, the answer is 400
//!    or 401.
//! 2. The limits of [`LimitsHandle`] decide, all as one. A refused request takes nothing and is
//!    answered with 429 and [problem details](bursar_ratelimit::http::Problem), or in the way of
//!    gRPC (see [`Refusals`]). With [`max_wait`](RateLimitLayer::max_wait) it waits in line first.
//! 3. The service runs, with a [`ReservationHandle`] in the request's extensions.
//! 4. Its response gets the [header fields](bursar_ratelimit::http) of the decision. List fields
//!    (`RateLimit`, `RateLimit-Policy`) are added to those of layers further in, the others replace
//!    what is there, such as the numbers of a provider behind a gateway.
//! 5. When the body has been sent, or the client has gone, the reservation is settled: with the usage
//!    that was reported, or else at its estimate. The same holds when the service fails or panics.
//!
//! # When something fails
//!
//! | what | answer |
//! |---|---|
//! | the request lacks something | 400 or 401, see [`RateLimitLayer::error_status`] |
//! | a limit needs a key or a cost that the extractor does not give | 500: the set-up is wrong |
//! | the store cannot decide | 503, or the request passes, see [`FailureMode`] |
//! | the last settlement fails | nobody waits for it; [`RateLimitLayer::on_error`] is told, and the reservation stands at its estimate |
//!
//! A policy for each limit is the business of the store; the layer's [`FailureMode`] is for errors
//! that are left over.
//!
//! # Clock and tasks
//!
//! The layer reads the clock of its [`Runtime`], by default that of tokio. A store with a clock of its
//! own, such as a server's, lets that one win. A store in memory settles in the body's destructor; a
//! store that has to wait for a server is given to the runtime as a task. Without the feature `tokio`
//! nothing here depends on it.
//!
//! The layer writes nothing anywhere else and reads no environment variables.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod extract;
mod layer;
mod limits;
mod queue;
mod refusal;
mod reservation;
mod runtime;
mod service;
mod waiting;

pub use body::LimitedBody;
pub use extract::{
    ClientAddress, Extract, ExtractError, Extractor, ForwardedBy, RequestFacts, hashed,
};
pub use layer::{FailureMode, Mode, RateLimitLayer};
pub use limits::LimitsHandle;
pub use refusal::Refusals;
pub use reservation::ReservationHandle;
#[cfg(feature = "tokio")]
pub use runtime::TokioRuntime;
pub use runtime::{Runtime, Task};
pub use service::{RateLimit, ResponseFuture};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
