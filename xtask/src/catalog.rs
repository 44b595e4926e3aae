//! Makes or checks the tables of the catalog. The engine that reads price lists does the work, in an
//! example, so that `xtask` itself stays free of it.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// `refresh` and `check`, with the arguments that the example `refresh_catalog` takes.
pub(crate) fn run(workspace: &Workspace, command: &str, arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace.root())
        .args(["run", "--quiet", "--package", "bursar-examples"])
        .args(["--example", "refresh_catalog", "--"]);
    if command == "refresh" {
        cargo.args(["--out", "catalog/data"]);
    }
    let status = cargo.args(arguments).status().context("cannot run cargo")?;
    ensure!(status.success(), "the catalog was not accepted");
    Ok(())
}
