//! What must this machine have before the tests can run, and how does it get it?
//!
//! Each line of [`REQUIREMENTS`] names a thing, the way to see that it works, and the Debian
//! packages that bring it. A server that a later test needs becomes one more line. A package may start
//! its server as a service of the system; the tests leave that alone and start their own, elsewhere.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace::succeed;

/// Something the tests need that Cargo does not bring.
#[derive(Debug)]
pub(crate) struct Requirement {
    name: &'static str,
    needed_for: &'static str,
    /// Whether it works here, found out by using it.
    works: fn() -> bool,
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
}

pub(crate) const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        name: "C compiler",
        needed_for: "the SQLite that the sqlite adapter builds in",
        works: c_compiler_works,
        packages: &["gcc", "libc6-dev"],
    },
    Requirement {
        name: "redis-server",
        needed_for: "tests and examples of limits that several processes share",
        works: || says_its_version("redis-server"),
        packages: &["redis-server"],
    },
    Requirement {
        name: "redis-cli",
        needed_for: "forming the Redis Cluster of the tests",
        works: || says_its_version("redis-cli"),
        packages: &["redis-tools"],
    },
    Requirement {
        name: "faketime",
        needed_for: "tests that step the clock of a Redis server",
        works: || says_its_version("faketime"),
        packages: &["faketime"],
    },
    Requirement {
        name: "environments of Python",
        needed_for: "moto, the stand-in for AWS",
        works: python_has_environments,
        packages: &["python3", "python3-venv"],
    },
];

/// Checks every requirement and installs what is missing; an error says what a person must do.
pub(crate) fn fulfil(
    requirements: &[Requirement],
    install: impl FnOnce(&[&str]) -> Result<()>,
) -> Result<()> {
    let missing = missing(requirements);
    if missing.is_empty() {
        return Ok(());
    }
    let packages = packages(&missing);
    println!("installing with apt-get: {}", packages.join(" "));
    install(&packages)
        .with_context(|| format!("install {} by hand, then run again", packages.join(" ")))?;
    let still_missing: Vec<&str> = missing
        .iter()
        .filter(|requirement| !(requirement.works)())
        .map(|requirement| requirement.name)
        .collect();
    if !still_missing.is_empty() {
        bail!(
            "installed {}, and still not working: {}",
            packages.join(" "),
            still_missing.join(", ")
        );
    }
    Ok(())
}

fn missing(requirements: &[Requirement]) -> Vec<&Requirement> {
    let mut missing = Vec::new();
    for requirement in requirements {
        let works = (requirement.works)();
        let found = if works { "found" } else { "missing" };
        println!(
            "{}: {found} (needed for {})",
            requirement.name, requirement.needed_for
        );
        if !works {
            missing.push(requirement);
        }
    }
    missing
}

fn packages(missing: &[&Requirement]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for package in missing
        .iter()
        .flat_map(|requirement| requirement.packages.iter().copied())
    {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages
}

/// Installs Debian packages as root, or through sudo.
pub(crate) fn install_with_apt(packages: &[&str]) -> Result<()> {
    let as_root = is_root();
    succeed(apt_get(as_root).arg("update"))?;
    succeed(
        apt_get(as_root)
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt_get(as_root: bool) -> Command {
    // sudo drops the environment, so the setting goes through env on its far side.
    let mut command = Command::new(if as_root { "env" } else { "sudo" });
    if !as_root {
        command.arg("env");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

fn says_its_version(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Debian's Python says no only when it is asked for the parts that an environment is made of.
fn python_has_environments() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Preprocesses a header of the C library, which a compiler without `libc6-dev` cannot do.
fn c_compiler_works() -> bool {
    let setting = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    // CC may hold a wrapper and its arguments, as in `ccache gcc`.
    let mut words = setting.split_whitespace();
    let mut compiler = Command::new(words.next().unwrap_or("cc"));
    compiler.args(words);
    preprocesses(compiler).unwrap_or(false)
}

fn preprocesses(mut compiler: Command) -> Result<bool> {
    let mut child = compiler
        .args(["-E", "-x", "c", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().context("no standard input")?;
    // A program that is no compiler may be gone before it reads; its exit code tells.
    let _ = input.write_all(b"#include <stdlib.h>\n");
    drop(input);
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};

    use anyhow::bail;

    use super::{REQUIREMENTS, Requirement, fulfil, preprocesses, says_its_version};

    const WORKS: Requirement = Requirement {
        name: "present thing",
        needed_for: "a test",
        works: || true,
        packages: &["present"],
    };
    const BROKEN: Requirement = Requirement {
        name: "absent thing",
        needed_for: "a test",
        works: || false,
        packages: &["absent", "absent-dev"],
    };

    #[test]
    fn installs_nothing_when_everything_works() {
        fulfil(&[WORKS], |_| bail!("must not install")).unwrap();
    }

    #[test]
    fn installs_the_packages_of_what_is_missing_once() {
        static INSTALLED: AtomicBool = AtomicBool::new(false);
        let late = Requirement {
            works: || INSTALLED.load(Ordering::SeqCst),
            ..BROKEN
        };
        let later = Requirement {
            works: || INSTALLED.load(Ordering::SeqCst),
            ..BROKEN
        };
        let asked = RefCell::new(Vec::new());
        fulfil(&[WORKS, late, later], |packages| {
            asked
                .borrow_mut()
                .extend(packages.iter().map(|package| (*package).to_owned()));
            INSTALLED.store(true, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
        assert_eq!(asked.into_inner(), ["absent", "absent-dev"]);
    }

    #[test]
    fn fails_when_the_packages_did_not_help() {
        let error = fulfil(&[BROKEN], |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("absent thing"), "{error}");
    }

    #[test]
    fn a_failed_installation_says_what_to_install_by_hand() {
        let error = fulfil(&[BROKEN], |_| bail!("no network")).unwrap_err();
        let message = format!("{error:#}");
        assert!(
            message.contains("install absent absent-dev by hand"),
            "{message}"
        );
        assert!(message.contains("no network"), "{message}");
    }

    #[test]
    fn a_program_that_is_no_compiler_does_not_pass_for_one() {
        assert!(!preprocesses(Command::new("false")).unwrap());
        assert!(preprocesses(Command::new("no-such-compiler")).is_err());
    }

    #[test]
    fn a_program_is_found_when_it_says_its_version() {
        assert!(says_its_version("rustc"));
        assert!(!says_its_version("false"));
        assert!(!says_its_version("no-such-program"));
    }

    #[test]
    fn every_requirement_can_be_installed() {
        for requirement in REQUIREMENTS {
            assert!(!requirement.packages.is_empty(), "{requirement:?}");
        }
    }
}
