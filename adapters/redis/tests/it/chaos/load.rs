//! What do callers see while a fault happens? Callers that never pause, and a judge of what passed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bursar_ratelimit::fallback::{Fallback, Settings};
use bursar_ratelimit::{
    Decision, Dimension, Level, Limit, Limits, OnFailure, Rate, Request, RetryAfter, Store,
    StoreError, Timestamp, Unit,
};
use bursar_redis::RedisStore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Of the limit that is judged: a burst, units a second, and what a call costs.
pub(crate) const BURST: u64 = 100;
const RATE: u64 = 20;
const COST: u64 = 5;

/// How many instances the local policy divides the quota by.
const INSTANCES: u32 = 4;

/// Callers of each load, and how long each pauses between two calls.
const CALLERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(8);

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest wait that a refusal may name: what one call costs at the rate, and the second by
/// which a clock that was set back may lag behind the latest time seen.
const LONGEST_WAIT: Duration = Duration::from_millis(COST * 1000 / RATE + 1_000);

/// The resolution of the store's clock, by which its decisions are told from local ones.
const MICROSECOND: u64 = 1_000;

/// What one call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Allowed,
    Refused,
    PolicyOpen,
    PolicyClosed,
    LocallyAllowed,
    LocallyRefused,
    TimedOut,
    Unavailable,
}

impl Outcome {
    /// Whether the server decided.
    const fn is_of_store(self) -> bool {
        matches!(self, Self::Allowed | Self::Refused)
    }
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    began: Instant,
    ended: Instant,
    outcome: Outcome,
}

/// Who asks: the store itself, or the store with a policy for its failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    Bare,
    Policy(OnFailure),
}

impl Guard {
    const ALL: [Self; 4] = [
        Self::Bare,
        Self::Policy(OnFailure::Open),
        Self::Policy(OnFailure::Closed),
        Self::Policy(OnFailure::Local {
            instances: INSTANCES,
        }),
    ];

    /// What a call may come to, whatever happens to the server.
    fn permits(self, outcome: Outcome) -> bool {
        let failure: &[Outcome] = match self {
            Self::Bare => &[Outcome::TimedOut, Outcome::Unavailable],
            Self::Policy(OnFailure::Open) => &[Outcome::PolicyOpen],
            Self::Policy(OnFailure::Local { .. }) => {
                &[Outcome::LocallyAllowed, Outcome::LocallyRefused]
            }
            Self::Policy(_) => &[Outcome::PolicyClosed],
        };
        outcome.is_of_store() || failure.contains(&outcome)
    }
}

/// Callers under one guard, each load under limits of its own.
struct Load {
    guard: Guard,
    seen: Arc<Mutex<Vec<Seen>>>,
    errors: Arc<Errors>,
    callers: Vec<JoinHandle<()>>,
}

/// What the errors of the store said, and how often.
type Errors = Mutex<BTreeMap<String, usize>>;

/// All loads of a scenario.
pub(crate) struct Scene {
    name: &'static str,
    loads: Vec<Load>,
    stop: Arc<AtomicBool>,
    began: Instant,
    recovery: Duration,
}

impl Scene {
    /// Starts callers on a store alone and on one behind each policy, and waits until all of them
    /// have used up their burst.
    pub(crate) async fn start(name: &'static str, store: impl Fn() -> RedisStore) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let loads = Guard::ALL
            .into_iter()
            .enumerate()
            .map(|(number, guard)| Load::start(number, guard, store(), &stop, began))
            .collect();
        let scene = Self {
            name,
            loads,
            stop,
            began,
            recovery: Duration::ZERO,
        };
        scene.steady_since(began).await;
        scene
    }

    /// Waits until every load has met the fault, which began at `since`.
    pub(crate) async fn felt_since(&self, since: Instant) {
        self.each("meets the fault", since, |outcome| !outcome.is_of_store())
            .await;
    }

    /// Waits until the server decides for every load again, and refuses again, after a fault that
    /// ended at `since`.
    pub(crate) async fn recovered_since(&mut self, since: Instant) {
        self.each("is decided by the server", since, Outcome::is_of_store)
            .await;
        self.recovery = self.recovery.max(since.elapsed());
        self.steady_since(since).await;
    }

    /// Waits until every load has passed and been refused since.
    async fn steady_since(&self, since: Instant) {
        self.each("passes", since, |outcome| outcome == Outcome::Allowed)
            .await;
        let passed = Instant::now();
        self.each("is refused", passed, |outcome| outcome == Outcome::Refused)
            .await;
    }

    async fn each(&self, what: &str, since: Instant, is_it: impl Fn(Outcome) -> bool) {
        let waiting = Instant::now();
        for load in &self.loads {
            while !load.has_since(since, &is_it) {
                let guard = load.guard;
                let name = self.name;
                assert!(
                    waiting.elapsed() < PATIENCE,
                    "{name}: waited {PATIENCE:?} in vain until a call under {guard:?} {what}: {:?}",
                    load.counts()
                );
                sleep(Duration::from_millis(2)).await;
            }
        }
    }

    /// Stops the callers and holds what they saw against the bound: in every window at most
    /// burst + rate × window + `term` units, under every policy no other outcome than its own.
    pub(crate) async fn judge(self, term: u64) -> Verdict {
        self.stop.store(true, Ordering::Relaxed);
        let mut verdict = Verdict::default();
        for load in self.loads {
            for caller in load.callers {
                caller.await.unwrap();
            }
            let errors = load.errors.lock().unwrap();
            if !errors.is_empty() {
                eprintln!("chaos | {} | {errors:?}", self.name);
            }
            let seen = load.seen.lock().unwrap();
            for one in &*seen {
                assert!(load.guard.permits(one.outcome), "{:?}: {one:?}", load.guard);
                *verdict.counts.entry(one.outcome).or_default() += 1;
            }
            let excess = excess(&seen, Outcome::Allowed, BURST, RATE);
            assert!(
                excess <= term as f64 + 0.5,
                "{}: {excess} units more than burst and rate under {:?}, not {term}",
                self.name,
                load.guard
            );
            verdict.excess = verdict.excess.max(excess);
            let parts = u64::from(INSTANCES);
            let local = excess_of_share(&seen, parts);
            assert!(local <= 0.5, "{}: {local} over the local share", self.name);
        }
        verdict.recovery = self.recovery;
        eprintln!(
            "chaos | {} | {:?} | over burst and rate {:.1} of {term} | decided again after {:.2?} | {:.1?}",
            self.name,
            verdict.counts,
            verdict.excess.max(0.0),
            verdict.recovery,
            self.began.elapsed(),
        );
        verdict
    }
}

/// What callers saw in all.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) counts: BTreeMap<Outcome, usize>,
    /// The most that passed in a window beyond burst + rate × window; less than nothing if it never
    /// came that far.
    pub(crate) excess: f64,
    /// How long after the end of the fault the server decided for all again.
    pub(crate) recovery: Duration,
}

impl Verdict {
    /// Whether every single call was decided by the server.
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.counts.keys().all(|outcome| outcome.is_of_store())
    }
}

impl Load {
    fn start(
        number: usize,
        guard: Guard,
        store: RedisStore,
        stop: &Arc<AtomicBool>,
        began: Instant,
    ) -> Self {
        let (seen, errors) = (Arc::default(), Arc::default());
        let (limits, store): (_, Arc<dyn Store>) = match guard {
            Guard::Bare => (limits(number, OnFailure::Closed), Arc::new(store)),
            Guard::Policy(policy) => {
                let fallback = Fallback::new(store, Settings::default());
                (limits(number, policy), Arc::new(fallback))
            }
        };
        let limits = Arc::new(limits);
        let callers = (0..CALLERS)
            .map(|_| {
                let (limits, store) = (Arc::clone(&limits), Arc::clone(&store));
                let (seen, stop) = (Arc::clone(&seen), Arc::clone(stop));
                let errors = Arc::clone(&errors);
                tokio::spawn(async move {
                    call_on(&limits, &*store, (&seen, &errors), &stop, began).await;
                })
            })
            .collect();
        Self {
            guard,
            seen,
            errors,
            callers,
        }
    }

    fn has_since(&self, since: Instant, is_it: impl Fn(Outcome) -> bool) -> bool {
        let seen = self.seen.lock().unwrap();
        let late = seen.iter().rev().filter(|one| since <= one.began);
        late.into_iter().any(|one| is_it(one.outcome))
    }

    fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for one in &*self.seen.lock().unwrap() {
            *counts.entry(one.outcome).or_default() += 1;
        }
        counts
    }
}

/// The limit that is judged, and one that never refuses, so that each decision is about two keys.
fn limits(number: usize, policy: OnFailure) -> Limits {
    let judged = Rate::per_second(RATE).unwrap().burst(BURST).unwrap();
    let wide = Rate::per_second(1_000_000).unwrap();
    let limit = |name: String, dimension, quota: Rate| {
        Limit::new(name, dimension, Unit::TOKENS, quota).on_failure(policy)
    };
    Limits::new([
        limit(format!("judged-{number}"), Dimension::TENANT, judged),
        limit(format!("wide-{number}"), Dimension::GLOBAL, wide),
    ])
    .unwrap()
}

async fn call_on(
    limits: &Limits,
    store: &dyn Store,
    (seen, errors): (&Mutex<Vec<Seen>>, &Errors),
    stop: &AtomicBool,
    epoch: Instant,
) {
    let request = Request::new().tenant("acme").cost(Unit::TOKENS, COST);
    let charges = limits.resolve(&request).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let now = Timestamp::from(began - epoch);
        let result = store.check(&charges, now).await;
        if let Err(StoreError::Unavailable { source, .. }) = &result {
            *errors
                .lock()
                .unwrap()
                .entry(source.to_string())
                .or_default() += 1;
        }
        let outcome = outcome(&result);
        let ended = Instant::now();
        seen.lock().unwrap().push(Seen {
            began,
            ended,
            outcome,
        });
        sleep(PAUSE).await;
    }
}

/// Anything but a decision or one of the two errors of a server that fails is a defect.
fn outcome(result: &Result<Decision<'_>, StoreError>) -> Outcome {
    let decision = match result {
        Ok(decision) => decision,
        Err(StoreError::TimedOut { .. }) => return Outcome::TimedOut,
        Err(StoreError::Unavailable { .. }) => return Outcome::Unavailable,
        Err(error) => panic!("neither a decision nor a failure of the server: {error:?}"),
    };
    let wait = match decision.retry_after() {
        None => Duration::ZERO,
        Some(RetryAfter::After(wait)) => wait,
        Some(other) => panic!("no wait is named: {other:?}"),
    };
    match (decision.statuses()[0].level(), decision.is_allowed()) {
        (Level::Unavailable { .. }, true) => Outcome::PolicyOpen,
        (Level::Unavailable { .. }, false) => Outcome::PolicyClosed,
        (Level::Rate { tick_nanos, .. }, allowed) if *tick_nanos == MICROSECOND => {
            assert!(wait <= LONGEST_WAIT, "told to wait {wait:?}");
            match allowed {
                true => Outcome::Allowed,
                false => Outcome::Refused,
            }
        }
        (_, true) => Outcome::LocallyAllowed,
        (_, false) => Outcome::LocallyRefused,
    }
}

fn excess_of_share(seen: &[Seen], parts: u64) -> f64 {
    excess(seen, Outcome::LocallyAllowed, BURST / parts, RATE / parts)
}

/// The most by which calls that passed exceed burst + rate × window, over all windows. What a call
/// took was taken between its begin and its end, so it is counted in windows that hold both.
fn excess(seen: &[Seen], passed: Outcome, burst: u64, rate: u64) -> f64 {
    let mut passed: Vec<&Seen> = seen.iter().filter(|one| one.outcome == passed).collect();
    passed.sort_by_key(|one| one.ended);
    let mut most = f64::NEG_INFINITY;
    for first in &passed {
        let mut units = 0;
        for one in passed.iter().filter(|one| first.began <= one.began) {
            units += COST;
            let window = (one.ended - first.began).as_secs_f64();
            most = most.max(units as f64 - burst as f64 - rate as f64 * window);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_passes_beyond_the_bound() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let passed = |millis| Seen {
            began: at(millis),
            ended: at(millis),
            outcome: Outcome::Allowed,
        };
        let mut seen: Vec<Seen> = (0..20).map(|_| passed(0)).collect();
        let excess_of = |seen: &[Seen]| excess(seen, Outcome::Allowed, BURST, RATE);
        assert!(excess_of(&seen).abs() < 1e-9);
        seen.push(passed(250));
        assert!(excess_of(&seen).abs() < 1e-9);
        seen.push(passed(250));
        assert!((excess_of(&seen) - 5.0).abs() < 1e-9);
    }
}
