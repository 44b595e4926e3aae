//! Can every published crate be packed? They depend on one another and are not in a registry yet,
//! so they are packed together, as a release would.

use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::Package;

use crate::workspace::{Workspace, succeed};

/// What each archive must hold, licenses included: both ask to travel with every copy.
const REQUIRED: &[&str] = &[
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "src/lib.rs",
];

/// crates.io refuses larger archives: <https://doc.rust-lang.org/cargo/reference/publishing.html>.
const LARGEST_ARCHIVE: u64 = 10 * 1024 * 1024;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let packages = workspace.published();
    for package in &packages {
        check_contents(&package.name, &contents(workspace, package)?)?;
    }
    pack(workspace, &packages)?;
    for package in &packages {
        check_size(workspace, package)?;
    }
    println!("xtask: package passed: {} crates", packages.len());
    Ok(())
}

fn contents(workspace: &Workspace, package: &Package) -> Result<String> {
    let output = workspace
        .cargo()
        .args(["package", "--list", "--allow-dirty", "--package"])
        .arg(package.name.as_str())
        .output()
        .context("could not start cargo package")?;
    if !output.status.success() {
        bail!(
            "cargo package --list of {} failed: {}",
            package.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).context("a packed file's name is not UTF-8")
}

fn check_contents(name: &str, contents: &str) -> Result<()> {
    let missing: Vec<&str> = REQUIRED
        .iter()
        .copied()
        .filter(|required| !contents.lines().any(|file| file == *required))
        .collect();
    if !missing.is_empty() {
        bail!(
            "the archive of {name} lacks {}: add what is missing to its folder",
            missing.join(", ")
        );
    }
    Ok(())
}

/// Without building the archives: the same sources are built by the tests already.
fn pack(workspace: &Workspace, packages: &[&Package]) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["package", "--no-verify", "--allow-dirty"]);
    for package in packages {
        command.args(["--package", package.name.as_str()]);
    }
    succeed(&mut command)
}

fn check_size(workspace: &Workspace, package: &Package) -> Result<()> {
    let archive = workspace
        .metadata()
        .target_directory
        .join("package")
        .join(format!("{}-{}.crate", package.name, package.version));
    let size = fs::metadata(&archive)
        .with_context(|| format!("cargo package left no {archive}"))?
        .len();
    if size > LARGEST_ARCHIVE {
        bail!("{archive} has {size} bytes, and crates.io takes {LARGEST_ARCHIVE}: exclude data");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_contents;

    const COMPLETE: &str = "Cargo.toml\nLICENSE-APACHE\nLICENSE-MIT\nREADME.md\nsrc/lib.rs\n";

    #[test]
    fn a_complete_archive_passes() {
        check_contents("bursar-units", COMPLETE).unwrap();
    }

    #[test]
    fn an_archive_without_a_license_or_readme_is_refused() {
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            let contents = COMPLETE.replace(file, "docs/other");
            let error = check_contents("bursar-units", &contents).unwrap_err();
            assert!(error.to_string().contains(file), "{error}");
        }
    }
}
