//! Does everything work here? `cargo xtask test`, from a machine with only Rust to a verdict.

use anyhow::Result;

use crate::requirements::{self, REQUIREMENTS};
use crate::steps::Steps;
use crate::workspace::{Workspace, succeed};
use crate::{examples, loom, servers, tidy};

pub(crate) fn run(mut workspace: Workspace) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("requirements", || {
        requirements::fulfil(REQUIREMENTS, requirements::install_with_apt)
    });
    let servers = servers::start(&mut workspace, &mut steps);
    steps.run("unit, integration and doc tests", || {
        succeed(
            workspace
                .cargo()
                .args(["test", "--workspace", "--all-features", "--no-fail-fast"]),
        )
    });
    loom::run(&workspace, &mut steps);
    examples::run(&workspace, &mut steps);
    drop(servers);
    steps.run("tidy", || tidy::run(&workspace));
    steps.finish("test")
}
