//! Which volumes, buckets and log files cost more than they have to, and what is done about it?
//!
//! The account is described in a JSON file: volumes with type, size and used share, buckets with their
//! rules and the ages of their objects, folders with log files. Without a file it is one that comes with
//! the example.

#[path = "storage_plan/account.rs"]
mod account;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use bursar_cost_model::storage::StoragePlan;
use bursar_examples::exit_code;
use clap::Parser;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::account::Account;

/// Plans what to change about storage.
#[derive(Debug, Parser)]
struct Arguments {
    /// Read the account from a file.
    #[arg(long, value_name = "FILE.json")]
    account: Option<PathBuf>,
    /// The day from which ages are counted.
    #[arg(long, value_name = "DAY", default_value = "2026-11-27")]
    today: Date,
    /// How many times smaller log files are expected to become; without it the saving of the archive is
    /// unknown.
    #[arg(long, value_name = "RATIO")]
    ratio: Option<Decimal>,
    /// Print one JSON object instead.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown instead.
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let account = match &arguments.account {
        Some(path) => Account::read(path)?,
        None => Account::shipped()?,
    };
    let mut inputs = account.inputs(arguments.today)?;
    inputs.archive.expected_ratio = arguments.ratio;
    let plan = StoragePlan::new(&inputs)?;
    let mut output = std::io::stdout().lock();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&plan)?)?;
    } else if arguments.markdown {
        write!(output, "{}", plan.to_markdown())?;
    } else {
        write!(output, "{}", plan.to_text())?;
    }
    Ok(())
}
