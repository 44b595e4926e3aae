//! Who decides? bursar, and governor and limitador as their users have to call them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bursar_ratelimit::{
    Charges, Dimension, Limit, Limits, MemoryStore, Rate, Request, Timestamp, Unit,
};
use foldhash::quality::FixedState;
use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use limitador::counter::Counter;
use limitador::limit::{Context, Expression};
use limitador::storage::in_memory::InMemoryStorage;
use limitador::storage::{Authorization, CounterStorage};

use crate::traffic::{BURST, Call};

/// One unit in this time, under every limit of every peer.
const PERIOD: Duration = Duration::from_millis(1);

/// Decides one call under four limits on requests and one on tokens.
pub(crate) trait Peer: Sync {
    fn is_allowed(&self, call: &Call) -> bool;
}

/// What the global limit has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    Open,
    /// It refuses every call, and it is the first that governor asks.
    Spent,
}

impl Global {
    const fn burst(self) -> u32 {
        match self {
            Self::Open => BURST,
            Self::Spent => 1,
        }
    }
}

/// bursar with a clock of the caller's choice.
pub(crate) struct Bursar<N> {
    limits: Limits,
    pub(crate) store: MemoryStore,
    now: N,
}

/// The time of all benches without a clock.
pub(crate) fn frozen() -> Timestamp {
    Timestamp::from_secs(1)
}

impl<N: Fn() -> Timestamp> Bursar<N> {
    pub(crate) fn new(global: Global, now: N) -> Self {
        let rate = |burst: u32| {
            let rate = Rate::new(1, PERIOD).and_then(|rate| rate.burst(u64::from(burst)));
            rate.expect("neither is zero")
        };
        let limit = |name: &str, dimension, unit| Limit::new(name, dimension, unit, rate(BURST));
        let limits = Limits::new([
            Limit::new(
                "global",
                Dimension::GLOBAL,
                Unit::REQUESTS,
                rate(global.burst()),
            ),
            limit("tenant", Dimension::TENANT, Unit::REQUESTS),
            limit("key", Dimension::API_KEY, Unit::REQUESTS),
            limit("key-tokens", Dimension::API_KEY, Unit::TOKENS),
            limit("method", Dimension::METHOD, Unit::REQUESTS),
        ]);
        Self {
            limits: limits.expect("the names differ"),
            store: MemoryStore::default(),
            now,
        }
    }

    pub(crate) fn charges<'a>(&'a self, call: &'a Call) -> Charges<'a> {
        let request = Request::new()
            .tenant(&call.tenant)
            .api_key(&call.api_key)
            .method(&call.method)
            .cost(Unit::TOKENS, u64::from(call.tokens));
        self.limits.resolve(&request).expect("all keys are named")
    }

    /// Units that are missing under all limits after a call that were there before it.
    pub(crate) fn taken_by(&self, call: &Call) -> u64 {
        let charges = self.charges(call);
        let remaining = || {
            let decision = self.store.peek(&charges, (self.now)());
            let decision = decision.expect("the store has room");
            let units = decision.statuses().iter().map(|status| status.remaining());
            units.sum::<u64>()
        };
        let before = remaining();
        let _ = self.is_within(&charges);
        before - remaining()
    }

    pub(crate) fn is_within(&self, charges: &Charges<'_>) -> bool {
        let decision = self.store.check(charges, (self.now)());
        decision.expect("the store has room").is_allowed()
    }
}

impl<N: Fn() -> Timestamp + Sync> Peer for Bursar<N> {
    #[inline]
    fn is_allowed(&self, call: &Call) -> bool {
        self.is_within(&self.charges(call))
    }
}

type Direct<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;
type Keyed<C> = RateLimiter<
    String,
    DashMapStateStore<String, FixedState>,
    C,
    NoOpMiddleware<<C as Clock>::Instant>,
>;

/// A limiter for each limit, asked in turn until one refuses: what those before it have taken is
/// gone. The same hasher as in bursar.
pub(crate) struct Governor<C: Clock> {
    global: Direct<C>,
    tenant: Keyed<C>,
    api_key: Keyed<C>,
    method: Keyed<C>,
    tokens: Keyed<C>,
}

impl<C: Clock + Clone> Governor<C> {
    pub(crate) fn new(global: Global, clock: &C) -> Self {
        let burst = |burst| NonZeroU32::new(burst).expect("not zero");
        let quota = Quota::with_period(PERIOD).expect("not zero");
        let keyed = || {
            let quota = quota.allow_burst(burst(BURST));
            RateLimiter::dashmap_with_clock_and_hasher(quota, clock.clone(), FixedState::default())
        };
        Self {
            global: RateLimiter::direct_with_clock(
                quota.allow_burst(burst(global.burst())),
                clock.clone(),
            ),
            tenant: keyed(),
            api_key: keyed(),
            method: keyed(),
            tokens: keyed(),
        }
    }
}

impl<C: Clock> Governor<C> {
    /// How many of the four limits on requests were charged before one refused.
    #[inline]
    pub(crate) fn requests_charged(&self, call: &Call) -> u32 {
        if self.global.check().is_err() {
            return 0;
        }
        if self.tenant.check_key(&call.tenant).is_err() {
            return 1;
        }
        if self.api_key.check_key(&call.api_key).is_err() {
            return 2;
        }
        if self.method.check_key(&call.method).is_err() {
            return 3;
        }
        4
    }

    #[inline]
    fn takes_tokens(&self, call: &Call) -> bool {
        let tokens = NonZeroU32::new(call.tokens).expect("not zero");
        matches!(self.tokens.check_key_n(&call.api_key, tokens), Ok(Ok(())))
    }
}

impl<C: Clock + Sync> Peer for Governor<C>
where
    C::Instant: Sync,
{
    #[inline]
    fn is_allowed(&self, call: &Call) -> bool {
        self.requests_charged(call) == 4 && self.takes_tokens(call)
    }
}

/// The four calls without the one for tokens.
pub(crate) struct WithoutTokens<'g>(pub(crate) &'g Governor<FakeRelativeClock>);

impl Peer for WithoutTokens<'_> {
    #[inline]
    fn is_allowed(&self, call: &Call) -> bool {
        self.0.requests_charged(call) == 4
    }
}

/// limitador's limits: fixed windows from the first hit, one cost for all counters of a call, so
/// requests and tokens are two calls. It reads its own clock.
struct LimitadorLimits {
    requests: Vec<Arc<limitador::limit::Limit>>,
    tokens: Arc<limitador::limit::Limit>,
}

impl LimitadorLimits {
    fn new() -> Self {
        let limit = |id: &str, namespace: &str, variable: Option<&str>| {
            let variable = variable.map(|name| Expression::parse(name).expect("a name"));
            let limit = limitador::limit::Limit::with_id(
                id,
                namespace,
                u64::from(BURST),
                3600,
                [],
                variable,
            );
            Arc::new(limit)
        };
        Self {
            requests: vec![
                limit("global", "requests", None),
                limit("tenant", "requests", Some("tenant")),
                limit("key", "requests", Some("api_key")),
                limit("method", "requests", Some("method")),
            ],
            tokens: limit("key-tokens", "tokens", Some("api_key")),
        }
    }
}

fn context(call: &Call) -> Context<'_> {
    let variable = |name: &str, value: &String| (name.to_owned(), value.clone());
    Context::from(std::collections::HashMap::from([
        variable("tenant", &call.tenant),
        variable("api_key", &call.api_key),
        variable("method", &call.method),
    ]))
}

/// limitador's store, called directly with prepared counters, so that no expression is evaluated.
pub(crate) struct LimitadorStorage {
    limits: LimitadorLimits,
    storage: InMemoryStorage,
}

/// The counters of a call.
pub(crate) struct Prepared {
    requests: Vec<Counter>,
    tokens: Vec<Counter>,
    cost: u64,
}

impl LimitadorStorage {
    pub(crate) fn new(keys: u64) -> Self {
        let limits = LimitadorLimits::new();
        let storage = InMemoryStorage::new(keys * 4 + 1000);
        for limit in limits.requests.iter().chain([&limits.tokens]) {
            storage.add_counter(limit).expect("memory is there");
        }
        Self { limits, storage }
    }

    pub(crate) fn prepare(&self, call: &Call) -> Prepared {
        let context = context(call);
        let counter = |limit: &Arc<limitador::limit::Limit>| {
            let counter = Counter::new(Arc::clone(limit), &context);
            counter.expect("names only").expect("all are named")
        };
        Prepared {
            requests: self.limits.requests.iter().map(counter).collect(),
            tokens: vec![counter(&self.limits.tokens)],
            cost: u64::from(call.tokens),
        }
    }

    #[inline]
    pub(crate) fn takes_requests(&self, prepared: &mut Prepared) -> bool {
        let answer = self.storage.check_and_update(&mut prepared.requests, 1);
        matches!(answer, Ok(Authorization::Ok))
    }

    #[inline]
    pub(crate) fn is_allowed(&self, prepared: &mut Prepared) -> bool {
        if !self.takes_requests(prepared) {
            return false;
        }
        let answer = self
            .storage
            .check_and_update(&mut prepared.tokens, prepared.cost);
        matches!(answer, Ok(Authorization::Ok))
    }
}

/// limitador as its users call it: expressions are evaluated to find the counters.
pub(crate) struct Limitador(limitador::RateLimiter);

impl Limitador {
    pub(crate) fn new(keys: u64) -> Self {
        let limiter = limitador::RateLimiter::new(keys * 4 + 1000);
        let limits = LimitadorLimits::new();
        for limit in limits.requests.iter().chain([&limits.tokens]) {
            limiter.add_limit(limitador::limit::Limit::clone(limit));
        }
        Self(limiter)
    }
}

impl Peer for Limitador {
    fn is_allowed(&self, call: &Call) -> bool {
        let context = context(call);
        let passes = |namespace: &str, cost: u64| {
            let answer = self
                .0
                .check_rate_limited_and_update(&namespace.into(), &context, cost);
            !answer.expect("names only").limited
        };
        passes("requests", 1) && passes("tokens", u64::from(call.tokens))
    }
}
