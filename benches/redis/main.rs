//! How long does an exact decision over four limits take on Redis, and how many a second are there?
//!
//! A Redis of its own on a free port of the loopback interface, without persistence, and one client
//! process: one worker thread, the same client library, [`CONNECTIONS`] multiplexed connections for
//! every row. Rounds of the rows are interleaved; the table has the medians of the rounds. With one
//! caller a row shows the round trip; with [`CALLERS`] callers the connections pipeline, and the row
//! shows what the pair of processes carries. `server µs` is what the server says it spent in commands
//! for each decision (`INFO commandstats`), as the median and the least of the rounds: it is wall time,
//! so other processes on the machine are in it. `server CPU` and `client CPU` are microseconds of CPU
//! time for each decision, system calls included: the larger of the two is the limit of the row where
//! each process has a core to itself.
//!
//! - `ping`, `set`, `incr`, `empty script`: one plain command, the floor for any limiter.
//! - `exact`: a global limit, one per tenant, API key and method, decided at once; `+ tokens` has a
//!   limit on the tokens of the API key besides. `refused`: the API key's limit is used up.
//!   `100 000 tenants`: the same with that many tenants, each with an API key; otherwise 1000.
//! - `four calls`: the same limits by the same store, asked one after another, as limiters of a single
//!   key have to be. What the first ones took is gone when a later one refuses.
//! - `as limitador asks`: the questions of limitador 0.14's `AsyncRedisStorage`, replayed with this
//!   client library: a script that reads all counters, then a pipeline with a script for each. The crate
//!   itself cannot be here: its `redis_storage` needs OpenSSL, which this workspace does not build.
//!   Without `CachedRedisStorage`, for the same reason.
//! - `leased`: all limits from leases of 1000 units, four instances in this process.
//!
//! Below the table stands by how much more passes than a limit promises: for leases in the worst case
//! (all instances hold a whole lease while the quota refills, then all spend at once) beside the bound
//! that they state, and for the questions of limitador with 64 callers at once.
//!
//! `cargo bench -p bursar-benches --bench redis`, about a minute; `-- --json` prints the samples' medians
//! as JSON, and any other word picks the rows whose names have it.
//!
//! AMD EPYC (2 cores, KVM), Redis 7.0.15, November 2026, medians of 7 rounds of 0.4 s. Other work kept
//! both cores busy, so decisions a second are what was left over; the CPU times hold regardless.
//!
//! ```text
//!                   callers  decisions/s  p50 µs   p99 µs  server µs (least)  server, client CPU µs
//! set                   256      262 546     902    3 151   0.17    (0.16)       1.42    2.28
//! incr                  256      269 788     884    4 037   0.12    (0.12)       1.37    2.31
//! empty script          256      275 514     841    4 152   0.55    (0.52)       1.49    1.93
//! exact                   1       23 105      32      103  11.39    (9.98)      19.35   15.15
//! exact                 256       44 353   5 361   10 332  12.65   (10.51)      11.53    8.96
//! exact + tokens        256       38 162   5 901   11 480  17.14   (14.18)      14.14    9.09
//! exact, refused        256       64 061   3 737    8 539   7.56    (5.95)       7.55    8.11
//! 100 000 tenants       256       39 011   6 074   16 026  18.02   (16.72)      15.07   10.38
//! four calls              1        7 642     103      218  23.13   (19.19)      57.71   51.33
//! four calls            256       14 864  16 823   24 551  20.95   (17.50)      25.45   24.17
//! as limitador asks       1       12 408      56      145  14.72   (14.03)      35.20   26.92
//! as limitador asks     256       26 290   9 180   17 949  19.17   (15.58)      18.82   13.90
//! leased                  4      837 937     0.9      1.5   0.03    (0.02)       0.07    0.94
//! ```
//!
//! A core for the server carries 1 s / 11.53 µs = 87 000 exact decisions a second by its CPU time, and a
//! core of a client asks for 110 000. Leases decided 36 times as often as one caller with a round trip
//! for each. Beyond the limit passed 793 of the leases' bound of 800, 0 of the exact store's, and 204
//! with limitador's questions, which state no bound.

mod excess;
mod load;
mod questions;
mod report;
mod server;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use self::questions::{Exact, Leases, Limitador, Mix, Plain, PlainCommand, Question, Separate};
use self::report::Row;
use self::server::Server;

type Failure = Box<dyn Error + Send + Sync>;

/// Over how many connections every row spreads its calls.
const CONNECTIONS: usize = 2;
/// So many callers wait for an answer at any time.
const CALLERS: usize = 256;
/// Processes that lease from one server; here they are tasks with connections of their own.
const INSTANCES: usize = 4;

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Effort {
    rounds: usize,
    time: Duration,
    tenants: u64,
    many_tenants: u64,
}

impl Effort {
    /// Enough for medians, or just enough to see that all rows work where this runs as a test.
    fn of(measured: bool) -> Self {
        match measured {
            true => Self {
                rounds: 7,
                time: Duration::from_millis(400),
                tenants: 1000,
                many_tenants: 100_000,
            },
            false => Self {
                rounds: 1,
                time: Duration::from_millis(5),
                tenants: 10,
                many_tenants: 20,
            },
        }
    }
}

/// What the command line asks for.
struct Arguments {
    measured: bool,
    json: bool,
    filter: Option<String>,
}

impl Arguments {
    fn read() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let has = |flag: &str| words.iter().any(|word| word == flag);
        Self {
            measured: has("--bench"),
            json: has("--json"),
            filter: words.iter().find(|word| !word.starts_with('-')).cloned(),
        }
    }

    fn picks(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|part| name.contains(part))
    }
}

fn main() -> Result<(), Failure> {
    let Some(server) = Server::start()? else {
        return Ok(());
    };
    // The server needs one core and the client the other.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(measure(&server, &Arguments::read()))
}

async fn measure(server: &Server, arguments: &Arguments) -> Result<(), Failure> {
    let effort = Effort::of(arguments.measured);
    let mut rows = rows(server, effort).await?;
    rows.retain(|row| arguments.picks(&row.name));
    let mut probe = server.probe()?;
    for row in &rows {
        row.warm_up().await?;
    }
    for _ in 0..effort.rounds {
        for row in &mut rows {
            row.round(&mut probe, effort.time).await?;
        }
    }
    let excesses = excess::measure(server, arguments.measured).await?;
    report::print(&probe.version, &rows, &excesses, arguments.json);
    Ok(())
}

/// Every row. With one caller a question shows its round trip, with many what is carried.
async fn rows(server: &Server, effort: Effort) -> Result<Vec<Row>, Failure> {
    let Effort {
        tenants,
        many_tenants,
        ..
    } = effort;
    let mut rows = Vec::new();
    let connections = server.connections(CONNECTIONS).await?;
    for command in PlainCommand::ALL {
        let question = Plain::new(&connections, command);
        add(&mut rows, command.name(), question, &[1, CALLERS]);
    }
    let exact = |mix, tenants| Exact::new(server, mix, tenants);
    let four = exact(Mix::Requests, tenants)?;
    add(&mut rows, "exact", four, &[1, INSTANCES, CALLERS]);
    let tokens = exact(Mix::RequestsAndTokens, tenants)?;
    add(&mut rows, "exact + tokens", tokens, &[1, CALLERS]);
    let refused = exact(Mix::Refused, tenants)?;
    add(&mut rows, "exact, refused", refused, &[1, CALLERS]);
    let many = exact(Mix::Requests, many_tenants)?;
    add(&mut rows, "exact, 100 000 tenants", many, &[CALLERS]);
    let separate = Separate::new(server, tenants)?;
    add(&mut rows, "four calls", separate, &[1, CALLERS]);
    let limitador = Limitador::new(&connections, tenants, u64::MAX >> 12);
    add(&mut rows, "as limitador asks", limitador, &[1, CALLERS]);
    let leases = Leases::new(server, INSTANCES, tenants)?;
    add(&mut rows, "leased", leases, &[INSTANCES]);
    Ok(rows)
}

fn add(rows: &mut Vec<Row>, name: &str, question: impl Question, callers: &[usize]) {
    let question = Arc::new(question);
    for &callers in callers {
        rows.push(Row::new(name, &question, callers));
    }
}
