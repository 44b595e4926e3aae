//! The project's chores: everything a contributor or the blocking checks run beyond plain Cargo.
//!
//! `cargo xtask test` makes the machine ready and runs every test and example, `cargo xtask tidy`
//! checks the rules of the house, `cargo xtask features` builds each published crate on its own,
//! and `cargo xtask package` proves that they can be packed. `xtask` depends on no other crate of
//! the workspace, so that it builds in seconds and works while an engine does not compile.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool reports to its user on standard output"
)]

mod catalog;
mod examples;
mod features;
mod loom;
mod package;
mod requirements;
mod servers;
mod steps;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  test      make ready what the tests need, then run all tests, examples and tidy
  tidy      check dependency rules, manifests, documentation and source files
  features  lint every published crate without features and with each alone
  package   check that every published crate can be packed
  catalog refresh --genai-prices FILE --litellm FILE --read-on DATE
            make the tables of the catalog from the price lists of others, and show what changes
  catalog refresh --moto FILE --moto-as-of DATE --prices FILE [--prices-as-of DATE]
                  --measured FILE --spot FILE --spot-as-of DATE [--region NAME]
            the same for the tables of instance types
  catalog check [--today DATE] [--json]
            count what they have, and look for gaps, overlaps and stale values in them";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(Workspace::load()?),
        ["tidy"] => tidy::run(&Workspace::load()?),
        ["features"] => features::run(&Workspace::load()?),
        ["package"] => package::run(&Workspace::load()?),
        ["catalog", command @ ("refresh" | "check"), rest @ ..] => {
            catalog::run(&Workspace::load()?, command, rest)
        }
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        [] => bail!("no command given\n{USAGE}"),
        _ => bail!("unknown command `{}`\n{USAGE}", words.join(" ")),
    }
}
