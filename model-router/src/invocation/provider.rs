//! What stands between a provider and its callers?

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::breaker::{Breaker, CircuitState, Entry, Verdict};
use super::settings::ProviderSettings;
use crate::{ClientError, ModelClient};

/// A provider behind its circuit breaker and its bulkhead.
pub(super) struct Provider {
    client: Arc<dyn ModelClient>,
    concurrency: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    under_way: usize,
}

/// Why a call is not made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    CircuitOpen { until: Timestamp },
    BulkheadFull { limit: usize },
}

/// A call under way. Dropped without an end, it counts as given up.
#[derive(Debug)]
pub(super) struct Pass {
    provider: Arc<Provider>,
    entry: Entry,
    verdict: Verdict,
    ended: Timestamp,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("concurrency", &self.concurrency)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Provider {
    pub(super) fn new(client: Arc<dyn ModelClient>, settings: ProviderSettings) -> Self {
        Self {
            client,
            concurrency: settings.concurrency,
            state: Mutex::new(State {
                breaker: Breaker::new(settings),
                under_way: 0,
            }),
        }
    }

    pub(super) fn client(&self) -> &dyn ModelClient {
        self.client.as_ref()
    }

    pub(super) fn circuit(&self, now: Timestamp) -> CircuitState {
        self.state().breaker.state(now)
    }

    pub(super) fn enter(self: &Arc<Self>, now: Timestamp) -> Result<Pass, Refusal> {
        let mut state = self.state();
        if state.under_way >= self.concurrency {
            let limit = self.concurrency;
            return Err(Refusal::BulkheadFull { limit });
        }
        let entered = state.breaker.enter(now);
        let entry = entered.map_err(|until| Refusal::CircuitOpen { until })?;
        state.under_way += 1;
        Ok(Pass {
            provider: Arc::clone(self),
            entry,
            verdict: Verdict::Unknown,
            ended: now,
        })
    }

    /// Nothing panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    pub(super) fn end<T>(mut self, result: &Result<T, ClientError>, now: Timestamp) {
        self.verdict = match result {
            Err(error) if error.class.is_unhealthy() => Verdict::Unwell,
            _ => Verdict::Well,
        };
        self.ended = now;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.provider.state();
        state.under_way = state.under_way.saturating_sub(1);
        state.breaker.leave(self.entry, self.verdict, self.ended);
    }
}
