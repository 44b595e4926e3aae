//! Which counters does an operator see? Those of the `metrics` facade, by limit and outcome.

use std::collections::HashMap;

use metrics::{Counter, counter, describe_counter};

use super::{Observer, Outcome};
use crate::decision::{Decision, Status};
use crate::limit::{Limit, OnFailure};
use crate::limits::Limits;
use crate::reservation::Settlement;
use crate::store::StoreError;

/// Counts with the recorder that the process has installed for the
/// [`metrics`](https://docs.rs/metrics) facade.
///
/// | counter | labels | counts |
/// |---|---|---|
/// | `ratelimit_requests_total` | `outcome`: `allowed`, `denied` | decisions as a whole |
/// | `ratelimit_decisions_total` | `limit`; `outcome`: `allowed`, `denied`, `shadow_denied`, `withheld` | decisions of each limit, see [`Outcome`] |
/// | `ratelimit_near_limit_total` | `limit` | decisions that left the limit near its end |
/// | `ratelimit_fallbacks_total` | `limit`; `policy`: `open`, `closed`, `local` | decisions by a failure policy |
/// | `ratelimit_settled_units_total` | `unit`; `change`: `debt`, `refunded`, `kept` | units that settlements changed; `kept` were not used and could not be given back |
/// | `ratelimit_errors_total` | `error`: `unavailable`, `timed_out`, `full`, `misuse` | calls that the store failed |
///
/// Labels name limits and units, of which there are as many as the service has defined; keys, of which
/// there is no end, are never among them.
///
/// ```
/// use bursar_ratelimit::observe::{MetricsObserver, Observed};
/// use bursar_ratelimit::{Limits, MemoryStore};
///
/// let limits = Limits::preset()?;
/// // After the process has installed its recorder.
/// let store = Observed::new(MemoryStore::default(), MetricsObserver::new(&limits));
/// # let _ = store;
/// # Ok::<(), bursar_ratelimit::LimitsError>(())
/// ```
pub struct MetricsObserver {
    allowed: Counter,
    denied: Counter,
    /// By the limits' names, looked up through their hashes.
    limits: HashMap<u64, LimitCounters, foldhash::fast::FixedState>,
}

impl std::fmt::Debug for MetricsObserver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MetricsObserver")
            .field("limits", &self.limits.len())
            .finish_non_exhaustive()
    }
}

struct LimitCounters {
    outcomes: [Counter; Outcome::ALL.len()],
    near: Counter,
}

impl MetricsObserver {
    /// Looks the limits' counters up once. Limits that come later are counted as well, a little
    /// slower.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        describe();
        let limits = limits.as_slice().iter();
        Self {
            allowed: counter!("ratelimit_requests_total", "outcome" => "allowed"),
            denied: counter!("ratelimit_requests_total", "outcome" => "denied"),
            limits: limits
                .map(|limit| (limit.seed(), LimitCounters::new(limit)))
                .collect(),
        }
    }

    fn with_limit(&self, limit: &Limit, count: impl FnOnce(&LimitCounters)) {
        match self.limits.get(&limit.seed()) {
            Some(counters) => count(counters),
            None => count(&LimitCounters::new(limit)),
        }
    }
}

impl LimitCounters {
    fn new(limit: &Limit) -> Self {
        let name = limit.name();
        Self {
            outcomes: Outcome::ALL.map(|outcome| {
                counter!(
                    "ratelimit_decisions_total",
                    "limit" => name.to_owned(),
                    "outcome" => outcome.as_str(),
                )
            }),
            near: counter!("ratelimit_near_limit_total", "limit" => name.to_owned()),
        }
    }
}

impl Observer for MetricsObserver {
    fn decided(&self, decision: &Decision<'_>) {
        let allowed = decision.is_allowed();
        match allowed {
            true => self.allowed.increment(1),
            false => self.denied.increment(1),
        }
        for status in decision.statuses() {
            let outcome = Outcome::of(status, allowed);
            self.with_limit(status.limit(), |counters| {
                counters.outcomes[outcome as usize].increment(1);
            });
        }
    }

    fn near(&self, status: &Status<'_>) {
        self.with_limit(status.limit(), |counters| counters.near.increment(1));
    }

    fn settled(&self, settlement: &Settlement) {
        for part in settlement.parts() {
            let changes = [
                ("debt", part.debt),
                ("refunded", part.refunded),
                ("kept", part.kept),
            ];
            for (change, units) in changes.into_iter().filter(|(_, units)| *units > 0) {
                counter!(
                    "ratelimit_settled_units_total",
                    "unit" => part.unit.as_str().to_owned(),
                    "change" => change,
                )
                .increment(units);
            }
        }
    }

    fn failed(&self, limit: &Limit, policy: OnFailure) {
        let policy = match policy {
            OnFailure::Open => "open",
            OnFailure::Closed => "closed",
            OnFailure::Local { .. } => "local",
        };
        counter!(
            "ratelimit_fallbacks_total",
            "limit" => limit.name().to_owned(),
            "policy" => policy,
        )
        .increment(1);
    }

    fn undecided(&self, error: &StoreError) {
        let error = match error {
            StoreError::Unavailable { .. } => "unavailable",
            StoreError::TimedOut { .. } => "timed_out",
            StoreError::Full { .. } => "full",
            StoreError::NeedsReservation { .. }
            | StoreError::TooManyQuotas(_)
            | StoreError::Quota { .. }
            | StoreError::Apart { .. }
            | StoreError::ForeignReservation => "misuse",
        };
        counter!("ratelimit_errors_total", "error" => error).increment(1);
    }
}

fn describe() {
    describe_counter!("ratelimit_requests_total", "Decisions, by outcome.");
    describe_counter!(
        "ratelimit_decisions_total",
        "Decisions of each limit, by outcome."
    );
    describe_counter!(
        "ratelimit_near_limit_total",
        "Decisions that left a limit near its end."
    );
    describe_counter!(
        "ratelimit_fallbacks_total",
        "Decisions by a limit's failure policy, because the store failed."
    );
    describe_counter!(
        "ratelimit_settled_units_total",
        "Units that settlements charged later, gave back or could not give back."
    );
    describe_counter!("ratelimit_errors_total", "Calls that the store failed.");
}
