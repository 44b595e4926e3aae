//! Do three processes that share one Redis stay within a limit that none of them could keep alone?
//!
//! Starts `redis-server` on a free port, unless `--redis` names one. Each process then asks for the
//! same tenant as fast as it can: first with a round trip for every decision, then with leases.

#![expect(
    clippy::print_stderr,
    reason = "a command tells its user what is wrong"
)]

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bursar_ratelimit::lease::{self, LeaseSize, Leased};
use bursar_ratelimit::{
    Charges, Dimension, Limit, Limits, Quota, Rate, Request, Store, Timestamp, Unit,
};
use bursar_redis::{RedisSettings, RedisStore};
use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};
use tokio::runtime;

/// Shows one limit kept by several processes.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// A server that runs already, like redis://127.0.0.1:6379.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// How long the processes ask, in each way.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many processes ask.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    processes: u32,
    /// How many callers each of them has.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    callers: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// What one of the processes does, under which prefix.
    #[arg(long, hide = true, requires = "prefix")]
    child: Option<Way>,
    #[arg(long, hide = true)]
    prefix: Option<String>,
}

/// How decisions are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    RoundTrips,
    Leases,
}

/// Requests of the tenant a second, and at once.
const RATE: u64 = 5_000;
const BURST: u64 = 1_000;
const LEASE_TIME: Duration = Duration::from_millis(200);
/// Longer than any caller should wait; here the servers and all processes share a few cores.
const TIMEOUT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let text = match (arguments.child, &arguments.redis, &arguments.prefix) {
        (Some(way), Some(url), Some(prefix)) => {
            let part = hammer(way, url, prefix, arguments)?;
            serde_json::to_string(&part)? + "\n"
        }
        (Some(_), ..) => bail!("a child process needs --redis and --prefix"),
        (None, Some(url), _) => told(url, arguments)?,
        (None, None, _) => {
            let server = Server::start()?;
            told(&server.url(), arguments)?
        }
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn told(url: &str, arguments: &Arguments) -> anyhow::Result<String> {
    let mut report = Report::default();
    for way in [Way::RoundTrips, Way::Leases] {
        report.ways.push(measure(way, url, arguments)?);
    }
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => report.table(),
    };
    if let Some(over) = report.ways.iter().find(|way| way.allowed > way.bound) {
        bail!(
            "{text}{:?}: {} passed, and the bound is {}",
            over.way,
            over.allowed,
            over.bound
        );
    }
    Ok(text)
}

/// What one process saw.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    allowed: u64,
    refused: u64,
    errors: u64,
    /// By the server's clock, in microseconds since 1970.
    began: u64,
    ended: u64,
    p50_micros: f64,
    p99_micros: f64,
}

/// What all processes saw.
#[derive(Debug, Serialize)]
struct Whole {
    way: Way,
    allowed: u64,
    /// The most that may pass in the time that it took.
    bound: u64,
    refused: u64,
    errors: u64,
    seconds: f64,
    decisions_per_second: f64,
    processes: Vec<Part>,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    ways: Vec<Whole>,
}

/// Starts the processes and adds up what they report.
fn measure(way: Way, url: &str, arguments: &Arguments) -> anyhow::Result<Whole> {
    let prefix = format!("limit-cluster-{}-{way:?}", std::process::id());
    let program = std::env::current_exe()?;
    let children: Vec<Child> = (0..arguments.processes)
        .map(|_| {
            let name = way.to_possible_value().context("a way without a name")?;
            Command::new(&program)
                .args(["--child", name.get_name()])
                .args(["--redis", url, "--prefix", &prefix])
                .args(["--seconds", &arguments.seconds.to_string()])
                .args(["--processes", &arguments.processes.to_string()])
                .args(["--callers", &arguments.callers.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .context("cannot start a process of this example")
        })
        .collect::<anyhow::Result<_>>()?;
    let mut processes = Vec::new();
    for child in children {
        let output = child.wait_with_output()?;
        anyhow::ensure!(
            output.status.success(),
            "a process failed: {}",
            output.status
        );
        processes.push(serde_json::from_slice::<Part>(&output.stdout)?);
    }
    whole(way, processes, arguments)
}

fn whole(way: Way, processes: Vec<Part>, arguments: &Arguments) -> anyhow::Result<Whole> {
    let began = processes.iter().map(|part| part.began).min();
    let ended = processes.iter().map(|part| part.ended).max();
    let micros = ended.unwrap_or(0).saturating_sub(began.unwrap_or(0)).max(1);
    let sum = |figure: fn(&Part) -> u64| processes.iter().map(figure).sum::<u64>();
    let (allowed, refused) = (sum(|part| part.allowed), sum(|part| part.refused));
    let leased = match way {
        Way::RoundTrips => 0,
        Way::Leases => {
            let limit = limit()?;
            leases(arguments.processes).bound(&limit, limit.quota())
        }
    };
    let seconds = micros as f64 / 1e6;
    Ok(Whole {
        way,
        allowed,
        bound: BURST + RATE * micros / 1_000_000 + leased,
        refused,
        errors: sum(|part| part.errors),
        seconds,
        decisions_per_second: (allowed + refused) as f64 / seconds,
        processes,
    })
}

fn limit() -> anyhow::Result<Limit> {
    let quota: Quota = Rate::per_second(RATE)?.burst(BURST)?.into();
    Ok(Limit::new(
        "tenant",
        Dimension::TENANT,
        Unit::REQUESTS,
        quota,
    ))
}

fn leases(processes: u32) -> lease::Settings {
    lease::Settings::new(LeaseSize::RateShare, LEASE_TIME, processes)
}

/// One process: asks until its time is over.
fn hammer(way: Way, url: &str, prefix: &str, arguments: &Arguments) -> anyhow::Result<Part> {
    let settings = RedisSettings::default().prefix(prefix).timeout(TIMEOUT);
    let store = RedisStore::single(url, settings)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let began = store
            .ping()
            .await
            .context("the Redis server does not answer")?;
        let counts = match way {
            Way::RoundTrips => ask(&store, arguments).await?,
            Way::Leases => {
                let leased = Leased::new(store.clone(), leases(arguments.processes));
                let counts = ask(&leased, arguments).await?;
                leased.return_all(clock()).await?;
                counts
            }
        };
        let ended = store.ping().await?;
        Ok(Part {
            allowed: counts.allowed,
            refused: counts.refused,
            errors: counts.errors,
            began: u64::try_from(began.as_micros())?,
            ended: u64::try_from(ended.as_micros())?,
            p50_micros: counts.latencies.quantile(0.5),
            p99_micros: counts.latencies.quantile(0.99),
        })
    })
}

#[derive(Debug, Default)]
struct Counts {
    allowed: u64,
    refused: u64,
    errors: u64,
    latencies: Histogram,
}

/// All callers of a process at once.
async fn ask<S: Store>(store: &S, arguments: &Arguments) -> anyhow::Result<Counts> {
    let limits = Limits::new([limit()?])?;
    let charges = limits.resolve(&Request::new().tenant("acme"))?;
    let end = clock() + Duration::from_secs(arguments.seconds);
    let mut counts = Counts::default();
    let mut callers: Vec<_> = (0..arguments.callers)
        .map(|_| Box::pin(call(store, &charges, end)))
        .collect();
    std::future::poll_fn(|context| {
        callers.retain_mut(|caller| match caller.as_mut().poll(context) {
            std::task::Poll::Ready(own) => {
                counts.add(own);
                false
            }
            std::task::Poll::Pending => true,
        });
        match callers.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    Ok(counts)
}

async fn call<S: Store>(store: &S, charges: &Charges<'_>, end: Timestamp) -> Counts {
    let mut counts = Counts::default();
    let mut now = clock();
    while now < end {
        match store.check(charges, now).await {
            Ok(decision) if decision.is_allowed() => counts.allowed += 1,
            Ok(_) => counts.refused += 1,
            Err(_) => counts.errors += 1,
        }
        let answered = clock();
        counts.latencies.add(answered.saturating_since(now));
        now = answered;
        if (counts.allowed + counts.refused).is_multiple_of(64) {
            // Decisions that need no server would leave the others no time.
            tokio::task::yield_now().await;
        }
    }
    counts
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.errors += other.errors;
        for (count, more) in self.latencies.0.iter_mut().zip(other.latencies.0) {
            *count += more;
        }
    }
}

/// Counts of durations in eight steps for each doubling, so that a quantile is right to 12 %.
#[derive(Debug)]
struct Histogram([u64; 512]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; 512])
    }
}

impl Histogram {
    fn add(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos())
            .unwrap_or(u64::MAX)
            .max(8);
        let doublings = nanos.ilog2();
        let step = (nanos >> (doublings - 3)) & 7;
        self.0[doublings as usize * 8 + step as usize] += 1;
    }

    /// In microseconds.
    fn quantile(&self, part: f64) -> f64 {
        let total: u64 = self.0.iter().sum();
        let rank = (total as f64 * part).ceil() as u64;
        let mut seen = 0;
        let place = self.0.iter().position(|count| {
            seen += count;
            seen >= rank.max(1)
        });
        let place = place.unwrap_or(0);
        let (doublings, step) = (place / 8, place % 8);
        (1.0 + (step as f64 + 0.5) / 8.0) * 2_f64.powi(doublings as i32) / 1_000.0
    }
}

impl Report {
    fn table(&self) -> String {
        let mut text = format!(
            "One tenant: {RATE} requests a second, {BURST} at once, shared by all processes.\n"
        );
        for way in &self.ways {
            text.push_str(&way.table());
        }
        text
    }
}

impl Whole {
    fn table(&self) -> String {
        let title = match self.way {
            Way::RoundTrips => "A round trip for every decision",
            Way::Leases => "With leases of 200 ms",
        };
        let mut text = format!(
            "\n{title}, {:.2} s by the server's clock\n{:<8}{:>12}{:>12}{:>9}{:>11}{:>11}\n",
            self.seconds, "process", "allowed", "refused", "errors", "p50 µs", "p99 µs",
        );
        for (number, part) in self.processes.iter().enumerate() {
            text.push_str(&format!(
                "{:<8}{:>12}{:>12}{:>9}{:>11.1}{:>11.1}\n",
                number + 1,
                part.allowed,
                part.refused,
                part.errors,
                part.p50_micros,
                part.p99_micros,
            ));
        }
        text.push_str(&format!(
            "{:<8}{:>12}{:>12}{:>9}\nAllowed {} of at most {}; {:.0} decisions a second.\n",
            "all",
            self.allowed,
            self.refused,
            self.errors,
            self.allowed,
            self.bound,
            self.decisions_per_second,
        ));
        text
    }
}

/// A server of the example's own, killed when it is dropped.
struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context(
                "cannot start redis-server; install it (Debian: apt-get install redis-server), \
                 or name a running one with --redis URL",
            )?;
        let server = Self {
            child,
            port,
            _folder: folder,
        };
        server.answers()?;
        Ok(server)
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Waits until it does, but not for ever.
    fn answers(&self) -> anyhow::Result<()> {
        let store = RedisStore::single(&self.url(), RedisSettings::default())?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut last = None;
            for _ in 0..200 {
                match store.ping().await {
                    Ok(_) => return Ok(()),
                    Err(error) => last = Some(error),
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Err(last.map_or_else(|| anyhow::anyhow!("never asked"), anyhow::Error::from))
                .context("redis-server does not answer within five seconds")
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Time since the process first asked.
#[expect(
    clippy::disallowed_methods,
    reason = "an example reads the clock that the engine does not"
)]
fn clock() -> Timestamp {
    static STARTED: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

    Timestamp::from(STARTED.get_or_init(Instant::now).elapsed())
}
