//! Who decides? Plain commands, bursar exactly, in four calls and from leases, and limitador's questions.

use std::time::{Duration, Instant};

use bursar_ratelimit::lease::{LeaseSize, Leased, Settings};
use bursar_ratelimit::{Dimension, Limit, Limits, Rate, Request, Store, Timestamp, Unit};
use bursar_redis::{RedisSettings, RedisStore};
use redis::Script;
use redis::aio::MultiplexedConnection;

use crate::load::now;
use crate::server::Server;
use crate::{CONNECTIONS, Failure};

/// One decision, however many round trips it takes.
pub(crate) trait Question: Send + Sync + 'static {
    /// Asks a caller's `number`-th question. Says whether it may pass.
    fn ask(&self, caller: usize, number: u64)
    -> impl Future<Output = Result<bool, Failure>> + Send;

    /// How many keys there are. A caller's first questions ask for one after another.
    fn keys(&self) -> u64;

    /// How many of the callers find nothing that another one left.
    fn instances(&self) -> usize {
        1
    }
}

/// Methods of the API, of which there are few.
const METHODS: u64 = 16;
/// Units that no run uses up.
const PLENTY: u64 = 1 << 40;
/// Answers are waited for as long as a busy machine needs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A bijection without a pattern: SplitMix64's finalizer.
const fn scattered(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The names that requests have: tenants, each with an API key, and methods.
pub(crate) struct Names {
    tenants: Vec<(String, String)>,
    methods: Vec<String>,
}

impl Names {
    fn new(tenants: u64) -> Self {
        let tenant = |number| {
            (
                format!("tenant-{number:06}"),
                format!("api-key-{number:06}"),
            )
        };
        Self {
            tenants: (0..tenants).map(tenant).collect(),
            methods: (0..METHODS)
                .map(|number| format!("method-{number:02}"))
                .collect(),
        }
    }

    fn keys(&self) -> u64 {
        self.tenants.len() as u64
    }

    fn of(&self, caller: usize, number: u64) -> (&str, &str, &str) {
        let tenants = self.keys();
        let random = match number < tenants {
            true => number,
            false => scattered(number ^ (caller as u64) << 40),
        };
        let (tenant, api_key) = &self.tenants[(random % tenants) as usize];
        let method = &self.methods[(random % METHODS) as usize];
        (tenant, api_key, method)
    }

    fn request(&self, caller: usize, number: u64) -> Request<'_> {
        let (tenant, api_key, method) = self.of(caller, number);
        let request = Request::new().tenant(tenant).api_key(api_key);
        request.method(method).cost(Unit::TOKENS, 700)
    }
}

/// One plain command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PlainCommand {
    Ping,
    Set,
    Incr,
    EmptyScript,
}

impl PlainCommand {
    pub(crate) const ALL: [Self; 4] = [Self::Ping, Self::Set, Self::Incr, Self::EmptyScript];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Set => "set",
            Self::Incr => "incr",
            Self::EmptyScript => "empty script",
        }
    }
}

pub(crate) struct Plain {
    connections: Vec<MultiplexedConnection>,
    command: PlainCommand,
    script: Script,
}

impl Plain {
    pub(crate) fn new(connections: &[MultiplexedConnection], command: PlainCommand) -> Self {
        Self {
            connections: connections.to_vec(),
            command,
            script: Script::new("return 1"),
        }
    }
}

fn pick(
    connections: &[MultiplexedConnection],
    caller: usize,
    number: u64,
) -> MultiplexedConnection {
    connections[(caller + number as usize) % connections.len()].clone()
}

impl Question for Plain {
    async fn ask(&self, caller: usize, number: u64) -> Result<bool, Failure> {
        let mut connection = pick(&self.connections, caller, number);
        let key = || format!("{{plain}}:{:03}", scattered(number) % self.keys());
        let mut command = match self.command {
            PlainCommand::EmptyScript => {
                let _: i64 = self.script.invoke_async(&mut connection).await?;
                return Ok(true);
            }
            PlainCommand::Ping => redis::cmd("PING"),
            PlainCommand::Set => redis::cmd("SET"),
            PlainCommand::Incr => redis::cmd("INCR"),
        };
        match self.command {
            PlainCommand::Set => command.arg(key()).arg([7_u8; 64].as_slice()),
            PlainCommand::Incr => command.arg(key().replace("plain", "count")),
            _ => &mut command,
        };
        command.exec_async(&mut connection).await?;
        Ok(true)
    }

    fn keys(&self) -> u64 {
        1000
    }
}

/// Which limits there are and which of them refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    Requests,
    RequestsAndTokens,
    Refused,
}

/// Four limits on requests.
const DIMENSIONS: [(&str, Dimension); 4] = [
    ("key", Dimension::API_KEY),
    ("tenant", Dimension::TENANT),
    ("method", Dimension::METHOD),
    ("global", Dimension::GLOBAL),
];

fn rate(mix: Mix, dimension: Dimension) -> Result<Rate, Failure> {
    match mix == Mix::Refused && dimension == Dimension::API_KEY {
        true => Ok(Rate::new(1, Duration::from_secs(86_400))?),
        false => Ok(Rate::per_second(1_000_000)?.burst(PLENTY)?),
    }
}

fn limits(mix: Mix) -> Result<Vec<Limit>, Failure> {
    let mut limits = Vec::new();
    for (name, dimension) in DIMENSIONS {
        let rate = rate(mix, dimension)?;
        limits.push(Limit::new(name, dimension, Unit::REQUESTS, rate));
    }
    if mix == Mix::RequestsAndTokens {
        let rate = Rate::per_second(1_000_000)?.burst(PLENTY)?;
        limits.push(Limit::new("tokens", Dimension::API_KEY, Unit::TOKENS, rate));
    }
    Ok(limits)
}

/// A store under keys that no other row uses.
pub(crate) fn store(
    server: &Server,
    prefix: &str,
    connections: usize,
) -> Result<RedisStore, Failure> {
    let settings = RedisSettings::default()
        .prefix(prefix)
        .connections(connections)
        .timeout(TIMEOUT);
    Ok(RedisStore::single(server.url(), settings)?)
}

/// All limits at once.
pub(crate) struct Exact {
    store: RedisStore,
    limits: Limits,
    names: Names,
}

impl Exact {
    pub(crate) fn new(server: &Server, mix: Mix, tenants: u64) -> Result<Self, Failure> {
        let prefix = format!("{mix:?}-{tenants}");
        Ok(Self {
            store: store(server, &prefix, CONNECTIONS)?,
            limits: Limits::new(limits(mix)?)?,
            names: Names::new(tenants),
        })
    }
}

impl Question for Exact {
    async fn ask(&self, caller: usize, number: u64) -> Result<bool, Failure> {
        let request = self.names.request(caller, number);
        let charges = self.limits.resolve(&request)?;
        let decision = self.store.check(&charges, Timestamp::ZERO).await?;
        Ok(decision.is_allowed())
    }

    fn keys(&self) -> u64 {
        self.names.keys()
    }
}

/// The same limits, one after another.
pub(crate) struct Separate {
    store: RedisStore,
    limits: Vec<Limits>,
    names: Names,
}

impl Separate {
    pub(crate) fn new(server: &Server, tenants: u64) -> Result<Self, Failure> {
        let alone = limits(Mix::Requests)?
            .into_iter()
            .map(|limit| Limits::new([limit]));
        Ok(Self {
            store: store(server, "separate", CONNECTIONS)?,
            limits: alone.collect::<Result<_, _>>()?,
            names: Names::new(tenants),
        })
    }
}

impl Question for Separate {
    async fn ask(&self, caller: usize, number: u64) -> Result<bool, Failure> {
        let request = self.names.request(caller, number);
        for limits in &self.limits {
            let charges = limits.resolve(&request)?;
            let decision = self.store.check(&charges, Timestamp::ZERO).await?;
            if !decision.is_allowed() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn keys(&self) -> u64 {
        self.names.keys()
    }
}

/// What limitador 0.14's `AsyncRedisStorage::check_and_update` asks: all values, and if they allow it
/// an increment of each.
pub(crate) struct Limitador {
    connections: Vec<MultiplexedConnection>,
    most: u64,
    names: Names,
    values: Script,
    increment: Script,
}

impl Limitador {
    /// Counters that go up to `most` in an hour.
    pub(crate) fn new(connections: &[MultiplexedConnection], tenants: u64, most: u64) -> Self {
        Self {
            connections: connections.to_vec(),
            most,
            names: Names::new(tenants),
            values: Script::new(
                "local values = {} \
                 for _, key in ipairs(KEYS) do \
                   table.insert(values, redis.call('get', key)) \
                   table.insert(values, redis.call('pttl', key)) \
                 end \
                 return values",
            ),
            increment: Script::new(
                "local count = redis.call('incrby', KEYS[1], ARGV[2]) \
                 if count == tonumber(ARGV[2]) then \
                   redis.call('expire', KEYS[1], ARGV[1], 'NX') \
                   redis.call('sadd', KEYS[2], KEYS[1]) \
                 end \
                 return count",
            ),
        }
    }

    /// For each counter its key and that of the set of its limit's counters.
    fn counters(&self, caller: usize, number: u64) -> [(String, String); 4] {
        let (tenant, api_key, method) = self.names.of(caller, number);
        let of = |limit: &str, key: &str| {
            let space = format!("namespace:{{limitador-{}}}", self.most);
            (
                format!("{space},counter:{limit}:{key}"),
                format!("{space},limit:{limit}"),
            )
        };
        [
            of("key", api_key),
            of("tenant", tenant),
            of("method", method),
            of("global", ""),
        ]
    }
}

impl Question for Limitador {
    async fn ask(&self, caller: usize, number: u64) -> Result<bool, Failure> {
        let mut connection = pick(&self.connections, caller, number);
        let keys = self.counters(caller, number);
        let mut values = self.values.prepare_invoke();
        for (counter, _) in &keys {
            values.key(counter);
        }
        let values: Vec<Option<i64>> = values.invoke_async(&mut connection).await?;
        let counts = values.chunks(2).map(|pair| pair.first().copied().flatten());
        for count in counts {
            if u64::try_from(count.unwrap_or(0))? + 1 > self.most {
                return Ok(false);
            }
        }
        let mut both = redis::pipe();
        for (counter, limit) in &keys {
            let increment = self.increment.key(counter);
            let mut increment = increment;
            both.invoke_script(increment.key(limit).arg(3600).arg(1))
                .ignore();
        }
        let result = both.exec_async(&mut connection).await;
        if result.is_err() {
            self.increment.load_async(&mut connection).await?;
            both.exec_async(&mut connection).await?;
        }
        Ok(true)
    }

    fn keys(&self) -> u64 {
        self.names.keys()
    }
}

/// Instances that lease all limits.
pub(crate) struct Leases {
    instances: Vec<Leased<RedisStore>>,
    limits: Limits,
    names: Names,
    started: Instant,
}

impl Leases {
    pub(crate) fn new(server: &Server, instances: usize, tenants: u64) -> Result<Self, Failure> {
        let size = LeaseSize::Units(1000);
        let mut settings = Settings::new(size, Duration::from_secs(60), instances as u32);
        settings.max_cells = 4 * tenants as usize;
        let instance = |_| Ok(Leased::new(store(server, "leased", 1)?, settings.clone()));
        Ok(Self {
            instances: (0..instances)
                .map(instance)
                .collect::<Result<_, Failure>>()?,
            limits: Limits::new(limits(Mix::Requests)?)?,
            names: Names::new(tenants),
            started: now(),
        })
    }
}

impl Question for Leases {
    async fn ask(&self, caller: usize, number: u64) -> Result<bool, Failure> {
        let instance = &self.instances[caller % self.instances.len()];
        let request = self.names.request(caller, number);
        let charges = self.limits.resolve(&request)?;
        let now = Timestamp::from(self.started.elapsed());
        let decision = instance.check(&charges, now).await?;
        Ok(decision.is_allowed())
    }

    fn keys(&self) -> u64 {
        self.names.keys()
    }

    fn instances(&self) -> usize {
        self.instances.len()
    }
}
