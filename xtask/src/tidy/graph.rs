//! What does the whole tree pull in? The direct dependencies can be in order while something far
//! below brings a runtime into an engine, or a C library that nobody chose.
//!
//! The answer comes from `cargo tree`, not from `cargo metadata`: the latter also lists optional
//! crates that no build ever compiles.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::Violation;
use super::dependencies::{Layer, folder};
use crate::workspace::Workspace;

/// Crates that may not be anywhere in the tree: TLS here is rustls with ring, which builds quickly
/// and needs no system library.
const BANNED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"];

/// Crates that reach the world. They belong to adapters and compositions; units and engines may not
/// arrive at one over any number of dependencies. A trailing `*` stands for any ending.
const WORLD: &[&str] = &["aws-*", "hyper", "redis", "reqwest", "rusqlite", "tokio"];

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let everything = tree(workspace, &["--workspace", "--edges", "normal,build,dev"])?;
    let mut violations: Vec<Violation> = find(&everything, is_banned)
        .into_iter()
        .map(|path| {
            Violation::new(
                "Cargo.lock",
                format!("{path}: banned, choose features that bring rustls with ring"),
            )
        })
        .collect();
    for package in workspace.members() {
        if Layer::of(folder(workspace, package)).is_pure() {
            let shipped = [
                "--package",
                package.name.as_str(),
                "--edges",
                "normal,build",
            ];
            violations.extend(find(&tree(workspace, &shipped)?, is_world).into_iter().map(
                |path| {
                    Violation::new(
                        folder(workspace, package).join("Cargo.toml").as_str(),
                        format!("{path}: reaches the world, move what needs it to an adapter"),
                    )
                },
            ));
        }
    }
    Ok(violations)
}

/// One line for each crate: its depth, a space, its name, and more.
fn tree(workspace: &Workspace, selection: &[&str]) -> Result<String> {
    let output = workspace
        .cargo()
        .args(["tree", "--all-features", "--target", "all", "--quiet"])
        .args(["--prefix", "depth", "--format", " {p}"])
        .args(selection)
        .output()
        .context("could not start cargo tree")?;
    if !output.status.success() {
        bail!(
            "cargo tree failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).context("a package's name is not UTF-8")
}

/// The first way to each crate that `is_sought`, from a package of the workspace down.
fn find(tree: &str, is_sought: impl Fn(&str) -> bool) -> Vec<String> {
    let mut way: Vec<&str> = Vec::new();
    let mut found = BTreeSet::new();
    let mut paths = Vec::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let Some(depth) = words.next().and_then(|word| word.parse().ok()) else {
            continue;
        };
        let Some(name) = words.next() else { continue };
        way.truncate(depth);
        way.push(name);
        if is_sought(name) && found.insert(name) {
            paths.push(format!("`{}`", way.join(" -> ")));
        }
    }
    paths
}

fn is_banned(name: &str) -> bool {
    BANNED.contains(&name)
}

fn is_world(name: &str) -> bool {
    WORLD.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::{find, is_banned, is_world, tree};
    use crate::workspace::Workspace;

    const TREE: &str = "\
0 bursar-cost-model v0.1.0 (/house/cost-model)
1 csv v1.4.0
2 memchr v2.8.3
1 client v3.0.0
2 pool v1.0.0
3 tokio v1.50.0
2 rustls v0.23.0
3 aws-lc-sys v0.40.0

0 bursar-units v0.1.0 (/house/units)
1 thiserror v2.0.21
2 thiserror-impl v2.0.21 (proc-macro)
1 tokio v1.50.0 (*)
";

    #[test]
    fn a_runtime_far_below_is_found_once_with_the_way_to_it() {
        assert_eq!(
            find(TREE, |name| name == "tokio"),
            ["`bursar-cost-model -> client -> pool -> tokio`"]
        );
    }

    #[test]
    fn a_banned_crate_is_found_with_the_way_to_it() {
        assert_eq!(
            find(TREE, is_banned),
            ["`bursar-cost-model -> client -> rustls -> aws-lc-sys`"]
        );
    }

    #[test]
    fn a_tree_without_the_sought_crate_gives_nothing() {
        assert_eq!(find(TREE, |name| name == "hyper"), [""; 0]);
        assert_eq!(find("", |_| true), [""; 0]);
    }

    #[test]
    fn only_whole_names_and_marked_beginnings_are_the_world() {
        assert!(is_world("tokio"));
        assert!(is_world("aws-sdk-s3"));
        assert!(!is_world("tokio-like"));
        assert!(!is_world("laws-of-nature"));
    }

    /// Guards the reading of Cargo's output: were its form to change, nothing would be found ever.
    #[test]
    fn cargo_writes_the_tree_in_the_form_that_is_read() {
        let workspace = Workspace::load().unwrap();
        let own = tree(&workspace, &["--package", "xtask", "--edges", "normal"]).unwrap();
        assert_eq!(find(&own, |name| name == "anyhow"), ["`xtask -> anyhow`"]);
    }
}
