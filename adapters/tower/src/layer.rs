//! What limits a service, and how? The layer and its settings.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bursar_ratelimit::Store;
use bursar_ratelimit::http::FieldSet;
use http::StatusCode;
use tower_layer::Layer;

use crate::extract::{Extract, ExtractError};
use crate::limits::LimitsHandle;
use crate::queue::Queues;
use crate::refusal::Refusals;
use crate::reservation::OnError;
use crate::runtime::Runtime;
use crate::service::RateLimit;

/// Limits the requests to a service; see the [crate's documentation](crate) for what happens when.
///
/// Clones share the store, the limits and the lines of waiting requests, so one layer may be applied
/// to any number of routes.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use bursar_ratelimit::http::FieldSet;
/// use bursar_ratelimit::{Dimension, Limit, Limits, MemoryStore, Rate, Unit};
/// use bursar_tower::{Extractor, FailureMode, LimitsHandle, RateLimitLayer};
///
/// let all = Limit::new("all", Dimension::GLOBAL, Unit::REQUESTS, Rate::per_second(500)?);
/// let limits = LimitsHandle::new(Limits::new([all])?);
/// let layer = RateLimitLayer::new(Arc::new(MemoryStore::default()), limits.clone(), Extractor::new())
///     .fields(FieldSet::STANDARD)
///     .failure_mode(FailureMode::Open)
///     .max_wait(Duration::from_millis(200));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a layer limits nothing until it is applied"]
pub struct RateLimitLayer {
    pub(crate) rules: Rules,
}

/// Everything that a limited service needs.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: LimitsHandle,
    pub(crate) extract: Arc<dyn Extract>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) fields: FieldSet,
    pub(crate) mode: Mode,
    pub(crate) failure_mode: FailureMode,
    pub(crate) refusals: Refusals,
    pub(crate) error_status: ErrorStatus,
    pub(crate) on_error: Option<OnError>,
    pub(crate) max_wait: Duration,
    pub(crate) max_waiting: usize,
    pub(crate) queues: Arc<Queues>,
}

type ErrorStatus = Arc<dyn Fn(&ExtractError) -> StatusCode + Send + Sync>;

/// How requests are charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// An estimate is held and settled in the end, by the handler or with the body.
    #[default]
    Reserve,
    /// The cost is known beforehand and charged at once. Limits on concurrent calls cannot be checked
    /// like this; such requests are answered with 500.
    Check,
}

/// What happens to a request whose store cannot decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FailureMode {
    /// It is answered with 503.
    #[default]
    Closed,
    /// It passes, without header fields and without a reservation.
    Open,
}

impl RateLimitLayer {
    /// A layer that decides in `store` by tokio's clock.
    #[cfg(feature = "tokio")]
    pub fn new(
        store: Arc<dyn Store>,
        limits: impl Into<LimitsHandle>,
        extract: impl Extract,
    ) -> Self {
        Self::with_runtime(store, limits, extract, Arc::new(crate::TokioRuntime))
    }

    /// A layer that decides in `store` by another clock.
    pub fn with_runtime(
        store: Arc<dyn Store>,
        limits: impl Into<LimitsHandle>,
        extract: impl Extract,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        let rules = Rules {
            store,
            limits: limits.into(),
            extract: Arc::new(extract),
            runtime,
            fields: FieldSet::default(),
            mode: Mode::Reserve,
            failure_mode: FailureMode::Closed,
            refusals: Refusals::Auto,
            error_status: Arc::new(ExtractError::status),
            on_error: None,
            max_wait: Duration::ZERO,
            max_waiting: 1_024,
            queues: Arc::default(),
        };
        Self { rules }
    }

    /// Which header fields tell the decision; all of them unless said otherwise.
    pub fn fields(mut self, fields: FieldSet) -> Self {
        self.rules.fields = fields;
        self
    }

    /// How requests are charged; [`Mode::Reserve`] unless said otherwise.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.rules.mode = mode;
        self
    }

    /// What happens when the store cannot decide; [`FailureMode::Closed`] unless said otherwise.
    pub fn failure_mode(mut self, failure_mode: FailureMode) -> Self {
        self.rules.failure_mode = failure_mode;
        self
    }

    /// In which form requests are refused; [`Refusals::Auto`] unless said otherwise.
    pub fn refusals(mut self, refusals: Refusals) -> Self {
        self.rules.refusals = refusals;
        self
    }

    /// The status for a request that lacks something; [`ExtractError::status`] unless said otherwise.
    pub fn error_status(
        mut self,
        status: impl Fn(&ExtractError) -> StatusCode + Send + Sync + 'static,
    ) -> Self {
        self.rules.error_status = Arc::new(status);
        self
    }

    /// Is told about errors that clients do not see in detail: of the store, of the settlement, of
    /// limits that do not match the extractor. Called on the path of requests, so it must not block.
    pub fn on_error(
        mut self,
        on_error: impl Fn(&(dyn Error + 'static)) + Send + Sync + 'static,
    ) -> Self {
        self.rules.on_error = Some(Arc::new(on_error));
        self
    }

    /// Lets a request that would be refused wait for up to so long; nobody waits unless this is set.
    ///
    /// For each limit and key, those who wait pass in the order in which they came, whatever they
    /// cost, and newcomers line up behind them. A request waits in one line at a time: of several that
    /// it meets, it joins the first, and does not look at the others again until it is refused there.
    /// The line is that of this process: with a store that
    /// several processes share, their lines compete. A request whose limit says that it cannot pass
    /// in time is refused at once. Where no time is known (concurrent calls), the first in line asks
    /// again every 25 ms.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.rules.max_wait = max_wait;
        self
    }

    /// How many requests may wait for one limit and key; 1024 unless said otherwise. Further ones do
    /// not wait and are refused.
    pub fn max_waiting(mut self, max_waiting: usize) -> Self {
        self.rules.max_waiting = max_waiting;
        self
    }

    /// The limits, to be replaced while the service runs.
    #[must_use]
    pub fn limits(&self) -> &LimitsHandle {
        &self.rules.limits
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit::new(inner, Arc::new(self.rules.clone()))
    }
}

impl fmt::Debug for RateLimitLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("RateLimitLayer")
            .field(&self.rules)
            .finish()
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Rules")
            .field("limits", &self.limits)
            .field("fields", &self.fields)
            .field("mode", &self.mode)
            .field("failure_mode", &self.failure_mode)
            .field("refusals", &self.refusals)
            .field("max_wait", &self.max_wait)
            .field("max_waiting", &self.max_waiting)
            .field("queues", &self.queues)
            .finish_non_exhaustive()
    }
}
