//! Does a store ever let more pass than it promises? Random runs, judged by an oracle.
//!
//! Callers check, reserve and settle under random limits at random times. The oracle then looks at
//! every window of every key: what was used in it, in the end, may be at most burst + rate × window,
//! and debts count for all who come after them. In virtual time every single decision is compared
//! with an independent bucket too, so nothing may be refused wrongly either.

#[path = "limit_oracle/judge.rs"]
mod judge;
#[path = "limit_oracle/naive.rs"]
mod naive;
#[path = "limit_oracle/plan.rs"]
mod plan;
#[path = "limit_oracle/run.rs"]
mod run;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use bursar_ratelimit::lease::{self, Leased};
use bursar_ratelimit::{MemoryStore, Settings, Store};
use bursar_redis::{RedisSettings, RedisStore};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::judge::Outcome;
use crate::naive::Naive;
use crate::plan::{Plan, Quotas};
use crate::run::{Clock, Instances};

/// Random runs of check, reserve and settle, judged by an independent oracle. Exits with 1 if a
/// promise was broken.
#[derive(Parser)]
struct Arguments {
    /// How many runs.
    #[arg(long, default_value_t = 10_000)]
    runs: u64,

    /// Another seed makes other runs; a run depends on nothing but the seed and its number.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The first run, to repeat a single one.
    #[arg(long, default_value_t = 0)]
    first: u64,

    /// Judge the refund that common limiters make instead, to show that the oracle finds it.
    #[arg(long)]
    naive: bool,

    /// Judge instances that lease from one store, by the bound of leases. A refused request may
    /// leave up to that many units of a limit on loan.
    #[arg(long, conflicts_with = "naive")]
    lease: bool,

    /// Judge a Redis server, such as redis://127.0.0.1:6379, by what its callers see in real time.
    #[arg(long, value_name = "URL", conflicts_with = "naive")]
    redis: Option<String>,

    /// Let real time pass, and know only when a call began and ended.
    #[arg(long)]
    real_time: bool,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = Arguments::parse();
    arguments.real_time |= arguments.redis.is_some();
    let outcome = judge_runs(&arguments)?;
    if arguments.json {
        print_json(&arguments, &outcome)?;
    } else {
        print_text(&arguments, &outcome);
    }
    Ok(match outcome.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Makes all runs on as many threads as there are cores, or more where threads mostly wait.
fn judge_runs(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let threads = match (arguments.real_time, std::thread::available_parallelism()) {
        (true, _) => 16,
        (false, cores) => cores.map_or(1, usize::from),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let redis = runtime.block_on(connect(arguments))?;
    let progress = progress_bar(arguments.runs)?;
    let next = AtomicU64::new(0);
    let total = Mutex::new(Outcome::default());
    let work = || -> anyhow::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.runs {
                return Ok(());
            }
            let number = arguments.first + number;
            let outcome = judge_run(arguments, redis.as_ref(), &runtime, number);
            let outcome = outcome.with_context(|| format!("run {number} did not end"))?;
            match total.lock() {
                Ok(mut total) => total.add(outcome),
                Err(_) => bail!("another run has failed"),
            }
            progress.inc(1);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(ended) => ended?,
                Err(_) => bail!("a run panicked; its message is above"),
            }
        }
        Ok(())
    })?;
    progress.finish_and_clear();
    let total = total.into_inner();
    total.ok().context("a run panicked; its message is above")
}

/// The server that all runs share; the names of their limits keep them apart.
async fn connect(arguments: &Arguments) -> anyhow::Result<Option<RedisStore>> {
    let Some(url) = &arguments.redis else {
        return Ok(None);
    };
    // Keys of their own for every process, and time for a server that is busy with other runs.
    let settings = RedisSettings::default()
        .prefix(format!("oracle-{}", std::process::id()))
        .timeout(Duration::from_secs(5));
    let store = RedisStore::single(url, settings)?;
    store.ping().await.context("the server does not answer")?;
    Ok(Some(store))
}

fn judge_run(
    arguments: &Arguments,
    redis: Option<&RedisStore>,
    runtime: &Runtime,
    number: u64,
) -> anyhow::Result<Outcome> {
    let quotas = match (arguments.naive, arguments.real_time) {
        (true, true) => Quotas::SmallQuickRates,
        (true, false) => Quotas::Rates,
        (false, true) => Quotas::Quick,
        (false, false) if arguments.lease => Quotas::Leased,
        (false, false) => Quotas::All,
    };
    let mut plan = Plan::new(arguments.seed, number, quotas)?;
    let clock = match arguments.real_time {
        true => Clock::real(),
        false => Clock::virtual_time(),
    };
    // A store of its own for every run, unless a server is judged.
    let store: Box<dyn Store> = match redis {
        Some(redis) => Box::new(redis),
        None => store(arguments),
    };
    let lease = arguments.lease.then(|| plan.lease());
    let instances = Instances {
        stores: match &lease {
            None => vec![Box::new(&*store)],
            Some(settings) => leased(&*store, settings),
        },
        lease,
    };
    runtime.block_on(run::run(&instances, &clock, plan))
}

fn store(arguments: &Arguments) -> Box<dyn Store> {
    if arguments.naive {
        return Box::new(Naive::default());
    }
    let mut settings = Settings::default();
    // Runs under a quota of one a day take years of virtual time.
    settings.reservation_expiry = Duration::from_nanos(u64::MAX);
    settings.shards = 4;
    Box::new(MemoryStore::new(settings))
}

/// As many instances as the settings name.
fn leased<'s>(center: &'s dyn Store, settings: &lease::Settings) -> Vec<Box<dyn Store + 's>> {
    let instance = |_| -> Box<dyn Store + 's> { Box::new(Leased::new(center, settings.clone())) };
    (0..settings.instances).map(instance).collect()
}

fn store_name(arguments: &Arguments) -> &'static str {
    match (&arguments.redis, arguments.naive, arguments.lease) {
        (Some(_), _, true) => "leases from Redis",
        (Some(_), _, false) => "Redis",
        (None, true, _) => "naive refunds",
        (None, false, true) => "leases from one in process",
        (None, false, false) => "in process",
    }
}

fn progress_bar(runs: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {eta}")?;
    Ok(ProgressBar::new(runs).with_style(style))
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print_text(arguments: &Arguments, outcome: &Outcome) {
    for (run, finding) in &outcome.findings {
        println!("run {run}: {finding}");
    }
    println!("store             {}", store_name(arguments));
    println!("runs              {}", outcome.runs);
    println!("violations        {}", outcome.violations);
    println!("taken_by_refused  {}", outcome.taken_by_refused);
    println!("wrong_answers     {}", outcome.wrong_answers);
    println!("decisions         {}", outcome.decisions);
    println!("allowed           {}", outcome.allowed);
    println!("refunded          {}", outcome.refunded);
    println!("debts             {}", outcome.debts);
    if outcome.violations > 0 {
        println!("worst_excess      {}", outcome.worst_excess);
    }
}

#[expect(clippy::print_stdout, reason = "an example speaks to a terminal")]
fn print_json(arguments: &Arguments, outcome: &Outcome) -> anyhow::Result<()> {
    let report = json!({
        "store": store_name(arguments),
        "seed": arguments.seed,
        "runs": outcome.runs,
        "violations": outcome.violations,
        "taken_by_refused": outcome.taken_by_refused,
        "wrong_answers": outcome.wrong_answers,
        "decisions": outcome.decisions,
        "allowed": outcome.allowed,
        // Sums of units may be more than JSON's numbers hold.
        "refunded": outcome.refunded.to_string(),
        "debts": outcome.debts.to_string(),
        "worst_excess": outcome.worst_excess.to_string(),
        "findings": outcome.findings.iter().map(|(run, finding)| json!({
            "run": run,
            "finding": finding,
        })).collect::<Vec<_>>(),
    });
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
