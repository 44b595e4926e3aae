//! Is any price ever outside its bounds, or any charge wrong? Random cases, judged by numbers of any size.
//!
//! Policies, costs, quanta, factors, supply, contracts, price lists, usage, broken promises and wallets are
//! random. Each answer of the engine is judged with whole numbers and fractions of `num-bigint`, which
//! share no code with it. A case is of one kind, by its number:
//!
//! - *prices*, every other one: bounds after rounding, the nearest multiple, the exact sum of the waterfall
//!   and each of its steps, exposure of fixed prices, quotes;
//! - *lists*: each kind of tokens and each band inside the bounds on its own;
//! - *charges*: pieces of usage by graduated, volume and package prices, and statements whose lines add up;
//! - *usage*: records by a price list, their statement and their invoice;
//! - *credits*: verdicts, credits and refunds within the fees, once for tenant, period and agreement;
//! - *settlements*: what is due, and the balance of a wallet.
//!
//! A refusal is judged like any other answer: there really must be none.

#![expect(clippy::print_stdout, reason = "what an example finds is printed")]

#[path = "price_oracle/charge.rs"]
mod charge;
#[path = "price_oracle/credit.rs"]
mod credit;
#[path = "price_oracle/draw.rs"]
mod draw;
#[path = "price_oracle/exact.rs"]
mod exact;
#[path = "price_oracle/judge.rs"]
mod judge;
#[path = "price_oracle/list.rs"]
mod list;
#[path = "price_oracle/outcome.rs"]
mod outcome;
#[path = "price_oracle/policy.rs"]
mod policy;
#[path = "price_oracle/price.rs"]
mod price;
#[path = "price_oracle/settlement.rs"]
mod settlement;
#[path = "price_oracle/statement.rs"]
mod statement;
#[path = "price_oracle/truth.rs"]
mod truth;
#[path = "price_oracle/usage.rs"]
mod usage;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::json;

use crate::outcome::Outcome;

/// Random prices, price lists, charges, credits and settlements, judged by independent rational
/// arithmetic. Exits with 1 if one was wrong.
#[derive(Parser)]
struct Arguments {
    /// How many cases.
    #[arg(long, default_value_t = 100_000)]
    cases: u64,

    /// Another seed makes other cases; a case depends on nothing but the seed, its number and its kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The first case, to repeat a single one.
    #[arg(long, default_value_t = 0)]
    first: u64,

    /// Make all cases of this kind.
    #[arg(long)]
    only: Option<Kind>,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What a case is about.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Prices,
    Lists,
    Charges,
    Usage,
    Credits,
    Settlements,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let outcome = check_all(&arguments)?;
    if arguments.json {
        let object = as_json(&arguments, &outcome);
        println!("{}", serde_json::to_string_pretty(&object)?);
    } else {
        print_text(&arguments, &outcome);
    }
    Ok(match outcome.violations() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// So many cases are one piece of work.
const BLOCK: u64 = 1_000;

/// Checks all cases on all cores; the parts are put together in the order of the cases.
fn check_all(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let progress = match arguments.json {
        true => ProgressBar::hidden(),
        false => progress_bar(arguments.cases)?,
    };
    let end = arguments.first.saturating_add(arguments.cases);
    let outcome = (0..arguments.cases.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let first = arguments.first + block * BLOCK;
            let numbers = first..first.saturating_add(BLOCK).min(end);
            let mut outcome = Outcome::default();
            for number in numbers {
                check(arguments, number, &mut outcome)
                    .with_context(|| format!("case {number} did not end"))?;
            }
            progress.inc(outcome.cases());
            Ok(outcome)
        })
        .try_reduce(Outcome::default, |left, right| Ok(left.with(right)));
    progress.finish_and_clear();
    outcome
}

fn check(arguments: &Arguments, number: u64, outcome: &mut Outcome) -> anyhow::Result<()> {
    let random = &mut draw::source(arguments.seed, number);
    match arguments.only.unwrap_or(Kind::of(number)) {
        Kind::Prices => price::check(random, number, outcome),
        Kind::Lists => list::check(random, number, outcome),
        Kind::Charges => charge::check(random, number, outcome),
        Kind::Usage => usage::check(random, number, outcome),
        Kind::Credits => credit::check(random, number, outcome),
        Kind::Settlements => settlement::check(random, number, outcome),
    }
}

impl Kind {
    fn of(number: u64) -> Self {
        match number % 10 {
            1 => Self::Lists,
            3 => Self::Charges,
            5 => Self::Usage,
            7 => Self::Credits,
            9 => Self::Settlements,
            _ => Self::Prices,
        }
    }
}

fn progress_bar(cases: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} cases, {eta}")?;
    Ok(ProgressBar::new(cases).with_style(style))
}

fn as_json(arguments: &Arguments, outcome: &Outcome) -> serde_json::Value {
    json!({
        "seed": arguments.seed,
        "cases": outcome.cases(),
        "violations": outcome.violations(),
        "counts": outcome.counts(),
        "examples": outcome.examples(),
    })
}

fn print_text(arguments: &Arguments, outcome: &Outcome) {
    println!(
        "cases      {:>12}   (seed {})",
        outcome.cases(),
        arguments.seed
    );
    for (what, count) in outcome.counts() {
        println!("  {what:<46} {count:>10}");
    }
    println!("violations {:>12}", outcome.violations());
    for example in outcome.examples() {
        println!("  {example}");
    }
}
