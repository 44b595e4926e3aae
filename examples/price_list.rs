//! What do we charge for a million tokens, and why so much?
//!
//! Costs become a price list for three tiers, in which the price of each kind of tokens is held inside the
//! margin bounds on its own. Then three prices are drawn step by step from cost to price: the quote that
//! was asked for, one that a bound holds, and one that a contract fixes under the floor.
//!
//! The costs are a CSV file with the columns `model`, `factor` (which multiplies the mark-up of the tier)
//! and `input`, `output` and `cached_input`: USD per million tokens, empty where a model has no such
//! tokens. Lines that begin with `#` are remarks. Without a file they are list prices of Amazon Bedrock.

#[path = "price_list/cases.rs"]
mod cases;
#[path = "price_list/costs.rs"]
mod costs;
#[path = "price_list/figures.rs"]
mod figures;
#[path = "price_list/svg.rs"]
mod svg;
#[path = "price_list/terminal.rs"]
mod terminal;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bursar_examples::exit_code;
use bursar_pricing::{Model, SupplyState, Tier, TokenKind};
use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::json;

use crate::cases::{Offer, Question};
use crate::costs::Costs;

/// Makes a price list for three tiers, and explains one price of it.
#[derive(Debug, Parser)]
struct Arguments {
    /// Read the costs from a file: `model,factor,input,output,cached_input`.
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// The tier of the quote.
    #[arg(long, default_value = "growth")]
    tier: Tier,
    /// The model of the quote; the first of the costs by default.
    #[arg(long)]
    model: Option<Model>,
    /// The kind of tokens of the quote.
    #[arg(long, value_enum, default_value_t = Kind::Output)]
    kind: Kind,
    /// How much of the provider's quota is free.
    #[arg(long, value_enum, default_value_t = State::Balanced)]
    supply: State,
    /// What the contract fixes the price at, in USD; 10 % over the cost by default.
    #[arg(long, value_name = "PRICE")]
    fixed: Option<Decimal>,
    /// From when on the list holds.
    #[arg(long, value_name = "TIME", default_value = "2026-12-01T00:00:00Z")]
    from: Timestamp,
    /// Draw the list and the three prices into a file.
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Input,
    Output,
    CachedInput,
}

impl From<Kind> for TokenKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Input => Self::Input,
            Kind::Output => Self::Output,
            Kind::CachedInput => Self::CachedInput,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Surplus,
    Balanced,
    Scarce,
}

impl From<State> for SupplyState {
    fn from(state: State) -> Self {
        match state {
            State::Surplus => Self::Surplus,
            State::Balanced => Self::Balanced,
            State::Scarce => Self::Scarce,
        }
    }
}

fn main() -> ExitCode {
    exit_code(run(Arguments::parse()))
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let costs = match &arguments.costs {
        Some(path) => Costs::read(path)?,
        None => Costs::shipped()?,
    };
    let question = Question {
        model: arguments.model.unwrap_or_else(|| costs.first_model()),
        tier: arguments.tier,
        kind: arguments.kind.into(),
        supply: arguments.supply.into(),
        fixed: arguments.fixed,
        from: arguments.from,
    };
    let offer = Offer::make(&costs, &question)?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, svg::document(&offer))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut output = std::io::stdout().lock();
    if arguments.json {
        let object = json!({
            "costs": offer.source,
            "supply": offer.supply,
            "lists": offer.lists,
            "quotes": offer.cases,
        });
        writeln!(output, "{}", serde_json::to_string_pretty(&object)?)?;
        return Ok(());
    }
    write!(output, "{}", terminal::page(&offer))?;
    if let Some(path) = &arguments.out {
        writeln!(output, "\ndrawn in {}", path.display())?;
    }
    Ok(())
}
