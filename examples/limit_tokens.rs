//! What do limits do to the tokens of a busy language-model endpoint, and what is reserving worth?
//!
//! Four tenants call a toy endpoint in virtual time. Each second is printed: who passes, who is
//! refused, who waits, and how the tokens that were reserved turned out. The same traffic then meets a
//! limiter that charges estimates and never settles.

#![expect(
    clippy::print_stderr,
    reason = "a command tells its user what is wrong"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bursar_ratelimit::{
    Dimension, Limit, Limits, MemoryStore, Progress, Rate, Request, Reservation, RetryAfter,
    Timestamp, Unit, Usage,
};
use clap::Parser;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Shows limits on tokens at work, in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    /// What the traffic is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long the traffic lasts.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Draw what is left of each tenant's tokens over time.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

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
    let traffic = traffic(arguments.seed, arguments.seconds);
    let settled = simulate(&traffic, arguments.seconds, Charging::ReserveAndSettle)?;
    let estimated = simulate(&traffic, arguments.seconds, Charging::EstimatesOnly)?;
    let text = match arguments.json {
        true => {
            let both = BTreeMap::from([
                ("estimates_only", &estimated),
                ("reserve_and_settle", &settled),
            ]);
            serde_json::to_string_pretty(&both)? + "\n"
        }
        false => told(&settled, &estimated)?,
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    if let Some(path) = &arguments.svg {
        write_svg(path, &settled)?;
    }
    Ok(())
}

/// Tokens a minute for each tenant, and at once.
const RATE: u64 = 120_000;
const BURST: u64 = 20_000;
/// How long a client waits for its turn before it gives up.
const PATIENCE: Duration = Duration::from_secs(4);

/// How a tenant behaves.
struct Tenant {
    name: &'static str,
    /// Calls a second on average.
    calls: f64,
    /// Tokens of a prompt, and the longest answer that the client asks for.
    prompt: u64,
    longest_answer: u64,
    /// The part of the longest answer that is used on average. Above one, answers are longer than
    /// what the client said: tools and hidden reasoning that it did not count.
    used: f64,
    /// Seconds in which ten times as many calls come.
    bursts: &'static [u64],
}

const TENANTS: [Tenant; 4] = [
    Tenant {
        name: "steady",
        calls: 0.8,
        prompt: 800,
        longest_answer: 800,
        used: 0.9,
        bursts: &[],
    },
    Tenant {
        name: "careful",
        calls: 3.0,
        prompt: 500,
        longest_answer: 4_000,
        used: 0.15,
        bursts: &[],
    },
    Tenant {
        name: "bursty",
        calls: 0.6,
        prompt: 400,
        longest_answer: 2_000,
        used: 0.5,
        bursts: &[5, 6, 20],
    },
    Tenant {
        name: "overrun",
        calls: 0.9,
        prompt: 600,
        longest_answer: 500,
        used: 3.0,
        bursts: &[],
    },
];

/// One call that a client makes, with what only the endpoint will know.
struct Call {
    arrives: Timestamp,
    tenant: usize,
    estimate: u64,
    used: u64,
    takes: Duration,
}

fn traffic(seed: u64, seconds: u64) -> Vec<Call> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut calls = Vec::new();
    // In each millisecond each tenant makes a call or not.
    for milli in 0..seconds * 1_000 {
        for (index, tenant) in TENANTS.iter().enumerate() {
            let bursts = tenant.bursts.contains(&(milli / 1_000 % 30));
            let rate = tenant.calls * if bursts { 10.0 } else { 1.0 };
            if !random.random_bool((rate / 1_000.0).min(1.0)) {
                continue;
            }
            let part = tenant.used * random.random_range(0.4..1.6);
            let answer = (tenant.longest_answer as f64 * part) as u64;
            // An endpoint that honors the client's maximum, unless it does not count all it writes.
            let answer = match tenant.used > 1.0 {
                true => answer,
                false => answer.min(tenant.longest_answer),
            };
            calls.push(Call {
                arrives: Timestamp::from_millis(milli),
                tenant: index,
                estimate: tenant.prompt + tenant.longest_answer,
                used: tenant.prompt + answer,
                // 400 tokens a second and a fifth of a second to begin.
                takes: Duration::from_millis(200 + answer * 1_000 / 400),
            });
        }
    }
    calls
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Charging {
    ReserveAndSettle,
    EstimatesOnly,
}

/// What happened to one tenant in one second, or in all.
#[derive(Clone, Debug, Default, Serialize)]
struct Counts {
    admitted: u64,
    refused: u64,
    /// Calls that were admitted after a wait.
    waited: u64,
    reserved_tokens: u64,
    used_tokens: u64,
    refunded_tokens: u64,
    debt_tokens: u64,
    /// Unused tokens that had drained already when the answer was complete.
    kept_tokens: u64,
    /// What is left at the end.
    remaining_tokens: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.admitted += other.admitted;
        self.refused += other.refused;
        self.waited += other.waited;
        self.reserved_tokens += other.reserved_tokens;
        self.used_tokens += other.used_tokens;
        self.refunded_tokens += other.refunded_tokens;
        self.debt_tokens += other.debt_tokens;
        self.kept_tokens += other.kept_tokens;
        self.remaining_tokens = other.remaining_tokens;
    }
}

#[derive(Debug, Serialize)]
struct Outcome {
    /// For each tenant, what happened in each second.
    timeline: BTreeMap<&'static str, Vec<Counts>>,
    totals: BTreeMap<&'static str, Counts>,
    /// Tokens really used, in percent of what the tenants' limits would have let pass.
    utilization_percent: u64,
}

/// What happens next, in the order of time and then of how it came about.
enum Event {
    Arrives,
    TriesAgain,
    Ends(Box<Reservation>),
}

fn simulate(calls: &[Call], seconds: u64, charging: Charging) -> anyhow::Result<Outcome> {
    let rate = Rate::per_minute(RATE)?.burst(BURST)?;
    let limits = Limits::new([Limit::new("tokens", Dimension::TENANT, Unit::TOKENS, rate)])?;
    let store = MemoryStore::default();
    let mut timeline = vec![vec![Counts::default(); seconds as usize]; TENANTS.len()];
    let mut events: BTreeMap<(Timestamp, usize), (usize, Event)> = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        events.insert((call.arrives, index), (index, Event::Arrives));
    }
    let mut number = calls.len();
    let mut seen = 0;
    while let Some(((now, _), (index, event))) = events.pop_first() {
        let second = now.as_nanos() / 1_000_000_000;
        look_at(&store, &limits, &mut timeline, seen..second.min(seconds))?;
        seen = second.min(seconds);
        let call = &calls[index];
        // What ends after the last second belongs to it.
        let counts = &mut timeline[call.tenant][second.min(seconds - 1) as usize];
        number += 1;
        if let Event::Ends(mut reservation) = event {
            counts.used_tokens += call.used;
            if charging == Charging::ReserveAndSettle {
                let usage = Usage::new().with(Unit::TOKENS, call.used);
                let settled = store.settle(&mut reservation, &usage, Progress::Final, now)?;
                for part in settled.parts() {
                    counts.refunded_tokens += part.refunded;
                    counts.debt_tokens += part.debt;
                    counts.kept_tokens += part.kept;
                }
            }
            continue;
        }
        let request = Request::new()
            .tenant(TENANTS[call.tenant].name)
            .cost(Unit::TOKENS, call.estimate);
        let admission = store.reserve(&limits.resolve(&request)?, now)?;
        let retry = admission.decision.retry_after();
        if let Some(reservation) = admission.reservation {
            counts.admitted += 1;
            counts.reserved_tokens += call.estimate;
            counts.waited += u64::from(matches!(event, Event::TriesAgain));
            let ends = Event::Ends(Box::new(reservation));
            events.insert((now + call.takes, number), (index, ends));
        } else if let Some(RetryAfter::After(wait)) = retry
            && now + wait <= call.arrives + PATIENCE
            && now + wait < Timestamp::from_secs(seconds)
        {
            events.insert((now + wait, number), (index, Event::TriesAgain));
        } else {
            counts.refused += 1;
        }
    }
    look_at(&store, &limits, &mut timeline, seen..seconds)?;
    Ok(outcome(timeline, seconds))
}

/// Writes down what is left at the end of each of the seconds that are over.
fn look_at(
    store: &MemoryStore,
    limits: &Limits,
    timeline: &mut [Vec<Counts>],
    seconds: std::ops::Range<u64>,
) -> anyhow::Result<()> {
    for second in seconds {
        for (tenant, counts) in TENANTS.iter().zip(timeline.iter_mut()) {
            let request = Request::new().tenant(tenant.name).cost(Unit::TOKENS, 0);
            let end = Timestamp::from_millis(second * 1_000 + 999);
            let decision = store.peek(&limits.resolve(&request)?, end)?;
            let remaining = decision.tightest().map(|status| status.remaining());
            counts[second as usize].remaining_tokens = remaining.unwrap_or_default();
        }
    }
    Ok(())
}

fn outcome(timeline: Vec<Vec<Counts>>, seconds: u64) -> Outcome {
    let names = || TENANTS.iter().map(|tenant| tenant.name);
    let totals: BTreeMap<_, _> = names()
        .zip(&timeline)
        .map(|(name, seconds)| {
            let mut total = Counts::default();
            seconds.iter().for_each(|second| total.add(second));
            (name, total)
        })
        .collect();
    let used: u64 = totals.values().map(|total| total.used_tokens).sum();
    let allowed = TENANTS.len() as u64 * (BURST + RATE * seconds / 60);
    Outcome {
        timeline: names().zip(timeline).collect(),
        totals,
        utilization_percent: used * 100 / allowed,
    }
}

fn told(settled: &Outcome, estimated: &Outcome) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "Each tenant may use {RATE} tokens a minute and {BURST} at once. A call reserves its prompt\n\
         and its longest answer, and settles what it used. A client that is refused waits as long as\n\
         it is told, for at most {} s.\n\n\
         # admitted at once   ~ admitted after a wait   x refused   bar: tokens left\n",
        PATIENCE.as_secs()
    )?;
    for (name, seconds) in &settled.timeline {
        writeln!(
            text,
            "{name:<8} second  tokens left            reserved  refunded  debt   calls"
        )?;
        for (second, counts) in seconds.iter().enumerate() {
            writeln!(
                text,
                "{second:>15}  |{}| {:>5} {:>10} {:>9} {:>5}   {}",
                bar(counts.remaining_tokens),
                counts.remaining_tokens,
                counts.reserved_tokens,
                counts.refunded_tokens,
                counts.debt_tokens,
                marks(counts)
            )?;
        }
        writeln!(text)?;
    }
    for (title, outcome) in [
        ("Reserved and settled", settled),
        (
            "The same traffic, estimates charged and never settled",
            estimated,
        ),
    ] {
        writeln!(
            text,
            "{title}: {} % of what the limits allow is used\n\
             {:<9}{:>9}{:>8}{:>9}{:>10}{:>9}{:>10}{:>8}{:>8}",
            outcome.utilization_percent,
            "tenant",
            "admitted",
            "waited",
            "refused",
            "reserved",
            "used",
            "refunded",
            "debt",
            "kept",
        )?;
        for (name, total) in &outcome.totals {
            writeln!(
                text,
                "{name:<9}{:>9}{:>8}{:>9}{:>10}{:>9}{:>10}{:>8}{:>8}",
                total.admitted,
                total.waited,
                total.refused,
                total.reserved_tokens,
                total.used_tokens,
                total.refunded_tokens,
                total.debt_tokens,
                total.kept_tokens,
            )?;
        }
        writeln!(text)?;
    }
    Ok(text)
}

const BAR: usize = 16;

fn bar(remaining: u64) -> String {
    let filled = (remaining * BAR as u64 / BURST).min(BAR as u64) as usize;
    "=".repeat(filled) + &" ".repeat(BAR - filled)
}

fn marks(counts: &Counts) -> String {
    let mark = |mark: &str, count: u64| mark.repeat(count.min(40) as usize);
    mark("#", counts.admitted - counts.waited)
        + &mark("~", counts.waited)
        + &mark("x", counts.refused)
}

const WIDTH: u64 = 720;
const HEIGHT: u64 = 120;

/// One panel for each tenant: tokens left as a line, refused calls as marks at the bottom.
fn write_svg(path: &Path, outcome: &Outcome) -> anyhow::Result<()> {
    let panels = outcome.timeline.len() as u64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>Tokens left of each tenant over time</title>\n",
        WIDTH + 20,
        panels * (HEIGHT + 30) + 10
    );
    for (index, (name, seconds)) in outcome.timeline.iter().enumerate() {
        let top = index as u64 * (HEIGHT + 30) + 20;
        let last = (seconds.len() as u64).saturating_sub(1).max(1);
        let column = |second: usize| 10 + second as u64 * WIDTH / last;
        let points: Vec<String> = seconds
            .iter()
            .enumerate()
            .map(|(second, counts)| {
                let left = counts.remaining_tokens.min(BURST) * HEIGHT / BURST;
                format!("{},{}", column(second), top + HEIGHT - left)
            })
            .collect();
        writeln!(
            svg,
            "<text x=\"10\" y=\"{}\">{name}</text>\n\
             <rect x=\"10\" y=\"{top}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"#ccc\"/>\n\
             <polyline points=\"{}\" fill=\"none\" stroke=\"#1f6f8b\" stroke-width=\"2\"/>",
            top - 5,
            points.join(" ")
        )?;
        for (second, counts) in seconds.iter().enumerate() {
            if counts.refused > 0 {
                writeln!(
                    svg,
                    "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"#c0392b\"><title>{} refused</title></circle>",
                    column(second),
                    top + HEIGHT,
                    2 + counts.refused.min(6),
                    counts.refused
                )?;
            }
        }
    }
    svg.push_str("</svg>\n");
    std::fs::write(path, svg).with_context(|| format!("cannot write {}", path.display()))
}
