//! Was this asked before?
//!
//! [`AnswerCache`] stands in front of the models: it computes a [`CacheKey`] over everything that shapes
//! an answer, asks a [`CachePolicy`] what may be kept, looks into a [`ResponseCache`], and lets equal
//! requests that are under way at the same time make one call. A cache that fails is a cache that has
//! nothing: the request goes to the model, and the failure is counted.

mod canonical;
mod flight;
mod key;
mod memory;
mod policy;
mod port;
mod statistics;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bursar_units::{Currency, Money};

pub use key::{CacheKey, CacheKeyError, CacheScope};
pub use memory::MemoryCache;
pub use policy::{Bypass, CachePolicy, NotKept, StandardCachePolicy, TenantSharing};
pub use port::{CacheError, CachedAnswer, ResponseCache};
pub use statistics::CacheStatistics;

use self::flight::{Flights, Outcome};
use crate::client::{later, since};
use crate::{
    CacheUse, ChatAnswer, ChatRequest, Clock, Complexity, InvocationError, ModelId, Saved,
    TaskType, Usage, UsageKind,
};

/// What an answer depends on.
#[derive(Debug, Clone, Copy)]
pub struct CacheRequest<'a> {
    /// What is asked.
    pub request: &'a ChatRequest,
    /// Which model was chosen for it.
    pub model: &'a ModelId,
    /// What kind of work it is.
    pub task: TaskType,
    /// How hard it is.
    pub complexity: Complexity,
}

/// Answers from earlier calls where that is allowed, and otherwise from one call for all who ask the
/// same at the same time.
///
/// `E` is how a call fails.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use std::sync::Arc;
/// use bursar_model_router::conformance::ManualClock;
/// use bursar_model_router::{
///     AnswerCache, CacheRequest, CacheUse, ChatAnswer, ChatRequest, ClientError, Complexity,
///     FinishReason, MemoryCache, ModelId, StandardCachePolicy, TaskType,
/// };
///
/// let cache: AnswerCache<ClientError> = AnswerCache::new(
///     Arc::new(MemoryCache::new(64 << 20)),
///     Arc::new(StandardCachePolicy::default()),
///     Arc::new(ManualClock::default()),
/// );
/// let (request, model) = (ChatRequest::user("What is a spot instance?"), ModelId::new("nova")?);
/// let asked = CacheRequest {
///     request: &request,
///     model: &model,
///     task: TaskType::QuestionAnswering,
///     complexity: Complexity::Simple,
/// };
/// futures_executor::block_on(async {
///     for expected in [CacheUse::Asked, CacheUse::Hit] {
///         let call = async || Ok(ChatAnswer::new(model.clone(), ["Spare."], FinishReason::EndTurn));
///         let answer = cache.answer(&asked, call).await?;
///         assert_eq!(answer.cached, expected);
///     }
///     Ok::<(), ClientError>(())
/// })?;
/// assert_eq!(cache.statistics().hits, 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AnswerCache<E = InvocationError> {
    store: Arc<dyn ResponseCache>,
    policy: Arc<dyn CachePolicy>,
    clock: Arc<dyn Clock>,
    currency: Currency,
    flights: Flights<(ChatAnswer, CacheUse), E>,
    statistics: Mutex<CacheStatistics>,
}

impl<E> fmt::Debug for AnswerCache<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerCache")
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

impl<E> AnswerCache<E> {
    /// A cache that keeps answers in a store as a policy says.
    #[must_use]
    pub fn new(
        store: Arc<dyn ResponseCache>,
        policy: Arc<dyn CachePolicy>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            policy,
            clock,
            currency: Currency::USD,
            flights: Flights::default(),
            statistics: Mutex::default(),
        }
    }

    /// With the currency of the zero that a hit costs when it is not known what its call had cost; USD
    /// unless said otherwise.
    #[must_use]
    pub const fn currency(mut self, currency: Currency) -> Self {
        self.currency = currency;
        self
    }

    /// What was asked and saved so far.
    pub fn statistics(&self) -> CacheStatistics {
        let statistics = self.statistics.lock();
        statistics.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, count: impl FnOnce(&mut CacheStatistics)) {
        count(
            &mut self
                .statistics
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl<E: Clone> AnswerCache<E> {
    /// The answer that was kept, that of an equal request under way, or what `call` answers.
    ///
    /// Of equal requests at the same time one looks into the store and calls, and the others wait for
    /// it. If it is dropped, one of them takes its place. If it fails, one of them does as well, but after
    /// three failures in a row all who wait get the last one. A request that is neither polled nor dropped
    /// keeps the others waiting; they have time-outs of their own.
    ///
    /// # Errors
    /// What `call` fails with. The store's failures are counted and nothing else.
    pub async fn answer<C, F>(&self, asked: &CacheRequest<'_>, call: C) -> Result<ChatAnswer, E>
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<ChatAnswer, E>>,
    {
        let began = self.clock.now();
        if self.policy.bypasses(asked).is_some() {
            self.count(|statistics| statistics.bypassed += 1);
            return call().await;
        }
        let key = CacheKey::of(asked, &self.policy.scope(asked));
        let flown = self
            .flights
            .fly(key, || self.look_up_or_call(&key, asked, call))
            .await;
        let (mut answer, cache_use) = match flown {
            Outcome::Own(result) => result?,
            Outcome::Others(result) => {
                let (answer, _) = result?;
                (answer, CacheUse::Shared)
            }
        };
        if cache_use.is_cached() {
            self.mark(&mut answer, cache_use);
            answer.latency = since(self.clock.now(), began);
        }
        Ok(answer)
    }

    async fn look_up_or_call<C, F>(
        &self,
        key: &CacheKey,
        asked: &CacheRequest<'_>,
        call: C,
    ) -> Result<(ChatAnswer, CacheUse), E>
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<ChatAnswer, E>>,
    {
        let found = self.store.get(key, self.clock.now()).await;
        let store_works = found.is_ok();
        match found {
            Ok(Some(kept)) => return Ok((kept.answer, CacheUse::Hit)),
            Ok(None) => self.count(|statistics| statistics.misses += 1),
            Err(_) => self.count(|statistics| {
                statistics.misses += 1;
                statistics.failed_lookups += 1;
            }),
        }
        let answer = call().await?;
        // A store that has just failed would make the request wait once more.
        if store_works {
            self.keep(key, asked, &answer).await;
        }
        Ok((answer, CacheUse::Asked))
    }

    async fn keep(&self, key: &CacheKey, asked: &CacheRequest<'_>, answer: &ChatAnswer) {
        let Ok(ttl) = self.policy.keeps(asked, answer) else {
            return;
        };
        let now = self.clock.now();
        let kept = CachedAnswer::new(answer.clone(), now, later(now, ttl));
        let result = self.store.put(key, &kept, now).await;
        self.count(|statistics| match result {
            Ok(()) => statistics.kept += 1,
            Err(_) => statistics.failed_puts += 1,
        });
    }

    /// Says of an answer that no model was asked for it, and counts what that saved.
    fn mark(&self, answer: &mut ChatAnswer, cache_use: CacheUse) {
        let saved = Saved {
            usage: std::mem::take(&mut answer.usage),
            cost: answer.cost,
        };
        self.count(|statistics| statistics.saved(cache_use, saved.cost));
        let currency = saved.cost.map_or(self.currency, |cost| cost.currency());
        answer.cached = cache_use;
        answer.cost = Some(Money::zero(currency));
        let kinds = saved.usage.iter().map(|(kind, _)| kind);
        let kinds = kinds.chain([UsageKind::InputTokens, UsageKind::OutputTokens]);
        answer.usage = kinds.fold(Usage::new(), |usage, kind| usage.with(kind, 0));
        answer.saved = Some(saved);
    }
}
