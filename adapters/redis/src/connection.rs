//! How is a server reached, and reached again after a failure?
//!
//! The client library multiplexes calls over a connection, but what it does after a failure does not
//! suit charges: it may send one again that has landed already. So a [`Line`] keeps its connection
//! itself. It repeats only what a server has refused to run (a script it does not know, a slot that
//! is elsewhere) or what may run twice, connects in a task that outlives the calls that wait for it,
//! and gives up a connection that stays silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::SingleNodeRoutingInfo;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo as _, RedisConnectionInfo,
    RedisError, ServerErrorKind, Value,
};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::script::Call;
use crate::settings::RedisSettings;

/// Calls that wait to be written to a connection before further ones wait outside.
const QUEUE: usize = 1024;
/// How often a call is sent that the servers refuse to run, with pauses of 1, 2, 4, 8 and 16 ms.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The first and the longest time between attempts to connect.
const FIRST_DELAY: Duration = Duration::from_millis(10);
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(crate) enum Source {
    Single(Client),
    Sentinel(Mutex<SentinelClient>),
    Cluster(ClusterClient),
}

/// One connection, made when it is first needed and again when it is lost.
pub(crate) struct Line {
    source: Arc<Source>,
    connect_timeout: Duration,
    silence: Duration,
    state: watch::Sender<State>,
    generation: AtomicU64,
}

#[derive(Clone)]
enum State {
    Idle,
    Connecting,
    Up(Up),
    Down {
        error: RedisError,
        failures: u32,
        until: Instant,
    },
}

/// A connection that stands, as far as is known.
#[derive(Clone)]
struct Up {
    generation: u64,
    connection: Connection,
    trouble: Arc<Trouble>,
}

#[derive(Clone)]
enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Since when a connection has been silent, in milliseconds after it was made; 0 if it is not.
#[derive(Debug)]
struct Trouble {
    made: Instant,
    since: AtomicU64,
    last: AtomicU64,
}

/// What to do after an error.
enum After {
    GiveUp,
    SendWholeScript,
    Ask(String, u16),
    Pause,
    Reconnect,
}

impl Line {
    pub(crate) fn new(source: Arc<Source>, connect_timeout: Duration, silence: Duration) -> Self {
        Self {
            source,
            connect_timeout,
            silence,
            state: watch::Sender::new(State::Idle),
            generation: AtomicU64::new(0),
        }
    }

    /// Runs a script. The caller limits the time.
    pub(crate) async fn run(self: &Arc<Self>, call: &Call<'_>) -> Result<Value, RedisError> {
        let mut by_digest = true;
        let mut repeats = call.may_repeat;
        let mut ask = None;
        let mut pause = FIRST_PAUSE;
        let mut attempts = 1;
        loop {
            let mut up = self.up().await?;
            let result = up.connection.send(call.command(by_digest), &ask).await;
            let error = match result {
                Ok(value) => {
                    up.trouble.answered(&up.connection);
                    return Ok(value);
                }
                Err(error) => error,
            };
            ask = None;
            match up.connection.after(&error) {
                After::SendWholeScript if by_digest => by_digest = false,
                After::Ask(host, port) if attempts < ATTEMPTS => {
                    ask = Some((host, port));
                    attempts += 1;
                }
                After::Pause if attempts < ATTEMPTS => {
                    sleep(pause).await;
                    pause *= 2;
                    attempts += 1;
                }
                After::Reconnect => {
                    self.lost(up.generation);
                    if !std::mem::take(&mut repeats) {
                        return Err(error);
                    }
                }
                _ => return Err(error),
            }
        }
    }

    /// Takes note that a call got no answer in time.
    pub(crate) fn timed_out(self: &Arc<Self>) {
        let up = match &*self.state.borrow() {
            State::Up(up) => up.clone(),
            _ => return,
        };
        if up.trouble.grows(&up.connection, self.silence) {
            self.lost(up.generation);
        }
    }

    /// The connection, after waiting for it if need be.
    async fn up(self: &Arc<Self>) -> Result<Up, RedisError> {
        let state = match &*self.state.borrow() {
            State::Up(up) => return Ok(up.clone()),
            other => other.clone(),
        };
        if let State::Down { error, until, .. } = state
            && Instant::now() < until
        {
            return Err(error);
        }
        let mut changes = self.state.subscribe();
        self.connect();
        let settled = |state: &State| matches!(state, State::Up(_) | State::Down { .. });
        match changes.wait_for(settled).await.as_deref() {
            Ok(State::Up(up)) => Ok(up.clone()),
            Ok(State::Down { error, .. }) => Err(error.clone()),
            _ => Err((ErrorKind::Client, "the attempt to connect was abandoned").into()),
        }
    }

    /// Replaces a connection, unless somebody else has done so.
    fn lost(self: &Arc<Self>, generation: u64) {
        let lost = self.state.send_if_modified(|state| match state {
            State::Up(up) if up.generation == generation => {
                *state = State::Idle;
                true
            }
            _ => false,
        });
        if lost {
            self.connect();
        }
    }

    /// Starts an attempt to connect, unless one is under way.
    fn connect(self: &Arc<Self>) {
        let mut failures = 0;
        let starts = self.state.send_if_modified(|state| {
            match state {
                State::Idle => {}
                State::Down { failures: past, .. } => failures = *past,
                State::Connecting | State::Up(_) => return false,
            }
            *state = State::Connecting;
            true
        });
        if starts {
            let attempt = Attempt(Arc::clone(self));
            tokio::spawn(async move { attempt.run(failures).await });
        }
    }
}

/// An attempt to connect. If its runtime ends before it does, the next call starts another one.
struct Attempt(Arc<Line>);

impl Attempt {
    async fn run(self, failures: u32) {
        let line = &self.0;
        let connected = timeout(line.connect_timeout, line.source.connect(line)).await;
        let connected = connected.unwrap_or_else(|_| {
            let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(RedisError::from(error))
        });
        let state = match connected {
            Ok(connection) => State::Up(Up {
                generation: line.generation.fetch_add(1, Ordering::Relaxed),
                connection,
                trouble: Arc::new(Trouble::new()),
            }),
            Err(error) => State::Down {
                error,
                failures: failures.saturating_add(1),
                until: Instant::now() + delay(failures),
            },
        };
        line.state.send_replace(state);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.state.send_if_modified(|state| {
            let abandoned = matches!(state, State::Connecting);
            if abandoned {
                *state = State::Idle;
            }
            abandoned
        });
    }
}

/// Doubles with each failure, and is anywhere in its upper half, so that the processes of a service
/// do not all come at once.
fn delay(failures: u32) -> Duration {
    let longest = FIRST_DELAY * 2_u32.saturating_pow(failures.min(10));
    let longest = longest.min(LONGEST_DELAY);
    // Without random numbers all come at once, which works as well.
    let part = getrandom::u32().unwrap_or(u32::MAX) / 2;
    longest / 2 + longest.mul_f64(f64::from(part) / f64::from(u32::MAX))
}

/// A call is sent at once: by default the system may hold it back until the answer to the one before is
/// confirmed.
fn at_once() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

impl Source {
    pub(crate) fn single(url: &str) -> Result<Self, RedisError> {
        let info = url.into_connection_info()?;
        let client = Client::open(info.set_tcp_settings(at_once()))?;
        Ok(Self::Single(client))
    }

    pub(crate) fn sentinel(
        urls: &[&str],
        name: &str,
        settings: &RedisSettings,
    ) -> Result<Self, RedisError> {
        let mut info = RedisConnectionInfo::default().set_db(settings.database);
        if let Some(login) = &settings.login {
            info = info.set_password(&login.password);
            if let Some(user) = &login.user {
                info = info.set_username(user);
            }
        }
        let server = SentinelNodeConnectionInfo::default()
            .set_redis_connection_info(info)
            .set_tcp_settings(at_once());
        let client = SentinelClient::build(
            urls.to_vec(),
            name.to_owned(),
            Some(server),
            SentinelServerType::Master,
        );
        Ok(Self::Sentinel(Mutex::new(client?)))
    }

    pub(crate) fn cluster(urls: &[&str], settings: &RedisSettings) -> Result<Self, RedisError> {
        // The library would send a call again that may have landed; `Line` knows which may be.
        let client = ClusterClientBuilder::new(urls.to_vec())
            .retries(0)
            .tcp_settings(at_once())
            .connection_timeout(settings.connect_timeout)
            .response_timeout(settings.connect_timeout.max(settings.timeout))
            .overall_response_timeout(None)
            .build()?;
        Ok(Self::Cluster(client))
    }

    async fn connect(&self, line: &Line) -> Result<Connection, RedisError> {
        // Time is limited for whole calls, here and in `connect` of `Line`.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(line.connect_timeout))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        Ok(match self {
            Self::Single(client) => Connection::Node(
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            ),
            Self::Sentinel(client) => {
                let mut client = client.lock().await;
                Connection::Node(client.get_async_connection_with_config(&config).await?)
            }
            Self::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        })
    }
}

impl Connection {
    /// Sends a command, to the node that a slot is moving to if that is named.
    async fn send(
        &mut self,
        command: Cmd,
        ask: &Option<(String, u16)>,
    ) -> Result<Value, RedisError> {
        match (self, ask) {
            (Self::Node(node), _) => command.query_async(node).await,
            (Self::Cluster(cluster), None) => command.query_async(cluster).await,
            (Self::Cluster(cluster), Some((host, port))) => {
                let mut both = redis::pipe();
                both.add_command(redis::cmd("ASKING")).add_command(command);
                let node = SingleNodeRoutingInfo::ByAddress {
                    host: host.clone(),
                    port: *port,
                };
                let mut values = cluster.route_pipeline(both, 1, 1, node).await?;
                match values.pop() {
                    Some(value) => value.extract_error(),
                    None => Err((ErrorKind::UnexpectedReturnType, "no answer to ASKING").into()),
                }
            }
        }
    }

    /// What helps after an error. Nothing was run if anything but a new connection does.
    fn after(&self, error: &RedisError) -> After {
        let cluster = matches!(self, Self::Cluster(_));
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => After::SendWholeScript,
            ErrorKind::Server(ServerErrorKind::Ask) if cluster => {
                let node = error.redirect_node().and_then(|(node, _)| {
                    let (host, port) = node.rsplit_once(':')?;
                    Some((host.to_owned(), port.parse().ok()?))
                });
                node.map_or(After::GiveUp, |(host, port)| After::Ask(host, port))
            }
            // The client library asks for the slots anew after these.
            ErrorKind::Server(
                ServerErrorKind::Moved
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::ClusterDown,
            )
            | ErrorKind::ClusterConnectionNotFound
                if cluster =>
            {
                After::Pause
            }
            // The library connects to lost nodes again by itself.
            _ if cluster => After::GiveUp,
            // A master that has become a replica: the way to the new one is to connect again.
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => {
                After::Reconnect
            }
            ErrorKind::Server(_) | ErrorKind::Extension => After::GiveUp,
            _ => After::Reconnect,
        }
    }
}

impl Trouble {
    fn new() -> Self {
        Self {
            made: Instant::now(),
            since: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).map_or(u64::MAX, |now| now.max(1))
    }

    /// An answer ends the silence of a node. That of another node does not end the silence of one in a
    /// cluster, which is over when no call has timed out for a while.
    fn answered(&self, connection: &Connection) {
        if matches!(connection, Connection::Node(_)) && self.since.load(Ordering::Relaxed) != 0 {
            self.since.store(0, Ordering::Relaxed);
        }
    }

    /// Takes note of a call that timed out, and says whether such calls have been coming for too long.
    fn grows(&self, connection: &Connection, silence: Duration) -> bool {
        let silence = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        let now = self.now();
        let last = self.last.swap(now, Ordering::Relaxed);
        let since = self.since.load(Ordering::Relaxed);
        let ended = matches!(connection, Connection::Cluster(_))
            && now.saturating_sub(last) > silence.saturating_mul(2).max(1000);
        if since == 0 || ended {
            self.since.store(now, Ordering::Relaxed);
            return false;
        }
        now.saturating_sub(since) >= silence
    }
}
