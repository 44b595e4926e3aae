//! Who would be blocked, by which rule, and how often wrongly? Rules and a model, tried on labeled use.
//!
//! Without a file, consumers of several kinds are generated from a seed. The model learns from other
//! seeds than those it is judged on, and never from a file that it judges. An account is caught when
//! any of its requests is blocked; it is abused when any of its requests is labeled so.

#[path = "risk_backtest/engine.rs"]
mod engine;
#[path = "risk_backtest/events.rs"]
mod events;
#[path = "risk_backtest/report.rs"]
mod report;
#[path = "risk_backtest/table.rs"]
mod table;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use bursar_risk::{Format, RuleSet};
use clap::Parser;

use crate::engine::{Engine, Training};
use crate::events::History;

/// Try the four rules, the full engine and rules of your own on labeled requests.
#[derive(Parser)]
struct Arguments {
    /// The generated world that is judged. The engine never learns from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Accounts to generate.
    #[arg(long, default_value_t = 1000)]
    accounts: u32,

    /// Judge these requests instead: CSV with the columns timestamp, account, account_created, ip, asn,
    /// country, client, input_tokens, output_tokens, spend_usd, label.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// Labels of abuse in the file, by commas; without it the known ones and 1, true, bad, abuse, fraud.
    #[arg(long, value_delimiter = ',', value_name = "LABELS")]
    abuse: Vec<String>,

    /// A rule file (TOML, JSON or YAML) to compare with the four rules.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Accounts in each of the worlds that the engine learns from.
    #[arg(long, default_value_t = 250)]
    train_accounts: u32,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let candidate = arguments.rules.as_ref().map(read_rules).transpose()?;
    let training = Training::apart_from(arguments.seed, arguments.train_accounts);
    let engine = Engine::learn(&training)?;
    let history = match &arguments.events {
        Some(file) => History::read(file, &arguments.abuse)?,
        None => History::generate(arguments.seed, arguments.accounts),
    };
    if history.events.is_empty() {
        bail!("there is no event to judge: give a file with at least one row");
    }
    let judged = engine.judge(&history, candidate.as_ref())?;
    match arguments.json {
        true => report::print_json(&engine, &history, &judged),
        false => report::print_text(&engine, &history, &judged),
    }
}

fn read_rules(file: &PathBuf) -> anyhow::Result<RuleSet> {
    let name = file.to_string_lossy();
    let format = Format::of_file(&name)
        .with_context(|| format!("{name} ends neither in .toml, .json nor .yaml"))?;
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    RuleSet::from_text(format, &text).with_context(|| format!("{name} is no rule set"))
}
