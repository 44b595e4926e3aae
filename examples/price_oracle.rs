//! Is any price ever outside its bounds? Random prices, judged by fractions of any size.
//!
//! Policies, costs from 10⁻⁹ to 10⁹, quanta, factors, supply and contracts are random. Each answer of the
//! engine is then judged with fractions of `num-bigint`, which share no code with it: bounds after rounding, the
//! nearest multiple, the exact sum of the waterfall and each of its steps, exposure of fixed prices, quotes,
//! and whether a refusal was right.

#![expect(clippy::print_stdout, reason = "what an example finds is printed")]

#[path = "price_oracle/case.rs"]
mod case;
#[path = "price_oracle/exact.rs"]
mod exact;
#[path = "price_oracle/judge.rs"]
mod judge;
#[path = "price_oracle/outcome.rs"]
mod outcome;

use std::process::ExitCode;

use clap::Parser;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::json;

use crate::case::Case;
use crate::outcome::Outcome;

/// Random prices under random contracts, judged by independent rational arithmetic. Exits with 1 if one
/// was wrong.
#[derive(Parser)]
struct Arguments {
    /// How many cases.
    #[arg(long, default_value_t = 100_000)]
    cases: u64,

    /// Another seed makes other cases; a case depends on nothing but the seed and its number.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The first case, to repeat a single one.
    #[arg(long, default_value_t = 0)]
    first: u64,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let numbers = arguments.first..arguments.first.saturating_add(arguments.cases);
    let outcome = numbers
        .into_par_iter()
        .map(|number| judge::judge(&Case::random(arguments.seed, number)?, number))
        .try_reduce(Outcome::default, |left, right| Ok(left.with(right)))?;
    if arguments.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&as_json(&arguments, &outcome))?
        );
    } else {
        print_text(&arguments, &outcome);
    }
    Ok(match outcome.violations() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
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
        println!("  {what:<28} {count:>10}");
    }
    println!("violations {:>12}", outcome.violations());
    for example in outcome.examples() {
        println!("  {example}");
    }
}
