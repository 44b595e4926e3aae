//! Do the concurrent parts hold under every interleaving of their threads? A test target named
//! `loom` is compiled with `--cfg loom`, which puts the model checker in place of the locks, and in
//! release mode, as it runs the same few lines many thousand times.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use cargo_metadata::Package;

use crate::steps::Steps;
use crate::workspace::{Workspace, succeed};

/// The test target that is run this way. In an ordinary build its file is empty, by `#![cfg(loom)]`.
pub(crate) const TARGET: &str = "loom";

/// Runs the loom tests of each package that has some, each package as a step.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) {
    let members = workspace.members();
    let packages: Vec<&Package> = members.into_iter().filter(|p| has_target(p)).collect();
    if packages.is_empty() {
        println!("\nno package has a test target `{TARGET}`: nothing to run");
    }
    for package in packages {
        steps.run(&format!("loom {}", package.name), || {
            let (variable, flags) = with_loom(
                env::var_os("CARGO_ENCODED_RUSTFLAGS"),
                env::var_os("RUSTFLAGS"),
            );
            println!("tests of {} with --cfg loom", package.name);
            succeed(command(workspace, package).env(variable, flags))
        });
    }
}

fn has_target(package: &Package) -> bool {
    package
        .targets
        .iter()
        .any(|target| target.is_test() && target.name == TARGET)
}

fn command(workspace: &Workspace, package: &Package) -> Command {
    let mut command = workspace.cargo();
    command.args(["test", "--package", package.name.as_str(), "--release"]);
    command.args(["--test", TARGET]);
    // The models take seconds; optimizing across crates for them would take minutes.
    command.envs([
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ]);
    command
}

/// The variable that Cargo heeds, with the caller's flags and ours. The encoded one goes first and
/// separates flags with 0x1f: <https://doc.rust-lang.org/cargo/reference/environment-variables.html>.
fn with_loom(encoded: Option<OsString>, plain: Option<OsString>) -> (&'static str, OsString) {
    match encoded {
        Some(flags) => (
            "CARGO_ENCODED_RUSTFLAGS",
            append(flags, "--cfg\u{1f}loom", "\u{1f}"),
        ),
        None => (
            "RUSTFLAGS",
            append(plain.unwrap_or_default(), "--cfg loom", " "),
        ),
    }
}

fn append(mut flags: OsString, more: &str, separator: &str) -> OsString {
    if !flags.is_empty() {
        flags.push(separator);
    }
    flags.push(more);
    flags
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::with_loom;

    fn check(encoded: Option<&str>, plain: Option<&str>, variable: &'static str, flags: &str) {
        let (encoded, plain) = (encoded.map(OsString::from), plain.map(OsString::from));
        assert_eq!(with_loom(encoded, plain), (variable, OsString::from(flags)));
    }

    #[test]
    fn loom_is_added_to_the_flags_of_the_caller() {
        check(None, None, "RUSTFLAGS", "--cfg loom");
        check(None, Some(""), "RUSTFLAGS", "--cfg loom");
        check(
            None,
            Some("-C debuginfo=1"),
            "RUSTFLAGS",
            "-C debuginfo=1 --cfg loom",
        );
    }

    #[test]
    fn flags_that_cargo_takes_before_others_are_the_ones_added_to() {
        let variable = "CARGO_ENCODED_RUSTFLAGS";
        check(Some(""), Some("-g"), variable, "--cfg\u{1f}loom");
        check(
            Some("-C\u{1f}debuginfo=1"),
            None,
            variable,
            "-C\u{1f}debuginfo=1\u{1f}--cfg\u{1f}loom",
        );
    }
}
