//! What does the whole tree pull in? The direct dependencies can be in order while something far
//! below brings a runtime into an engine, or a C library that nobody chose.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, PackageId};

use super::Violation;
use super::dependencies::{Layer, folder};
use crate::workspace::Workspace;

/// Crates that may not be anywhere in the tree: TLS here is rustls with ring, which builds quickly
/// and needs no system library.
const BANNED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"];

/// Crates that reach the world. They belong to adapters and compositions; units and engines may not
/// arrive at one over any number of dependencies. A trailing `*` stands for any ending.
const WORLD: &[&str] = &["aws-*", "hyper", "redis", "reqwest", "rusqlite", "tokio"];

/// Which package depends on which, by name; dev-dependencies are left out.
type Graph = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let graph = graph(workspace.metadata())?;
    let all: BTreeSet<String> = workspace
        .metadata()
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let pure: Vec<&str> = workspace
        .members()
        .into_iter()
        .filter(|package| Layer::of(folder(workspace, package)).is_pure())
        .map(|package| package.name.as_str())
        .collect();
    let mut violations = banned(&all, &graph);
    violations.extend(pure.iter().filter_map(|name| reaches_world(name, &graph)));
    Ok(violations)
}

fn graph(metadata: &Metadata) -> Result<Graph> {
    let resolve = metadata
        .resolve
        .as_ref()
        .context("cargo metadata resolved no dependencies")?;
    let names: BTreeMap<&PackageId, &str> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let mut graph = Graph::new();
    for node in &resolve.nodes {
        let below = graph.entry(names[&node.id].to_owned()).or_default();
        for dependency in &node.deps {
            let shipped = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind != DependencyKind::Development);
            if shipped {
                below.insert(names[&dependency.pkg].to_owned());
            }
        }
    }
    Ok(graph)
}

fn banned(all: &BTreeSet<String>, graph: &Graph) -> Vec<Violation> {
    BANNED
        .iter()
        .filter(|name| all.contains(**name))
        .map(|name| {
            Violation::new(
                "Cargo.lock",
                format!(
                    "`{name}` is banned and comes with {}: choose features that bring rustls with ring",
                    users(name, graph)
                ),
            )
        })
        .collect()
}

fn users(name: &str, graph: &Graph) -> String {
    let users: Vec<String> = graph
        .iter()
        .filter(|(_, below)| below.contains(name))
        .map(|(user, _)| format!("`{user}`"))
        .collect();
    if users.is_empty() {
        "a dev-dependency".to_owned()
    } else {
        users.join(", ")
    }
}

/// The shortest way from a pure package to a crate that reaches the world.
fn reaches_world(start: &str, graph: &Graph) -> Option<Violation> {
    let mut paths = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::from([start]);
    while let Some(path) = paths.pop_front() {
        let last = *path.last()?;
        if is_world(last) {
            return Some(Violation::new(
                format!("{start} (Cargo.toml)"),
                format!(
                    "reaches the world over {}: move what needs it to an adapter",
                    path.join(" -> ")
                ),
            ));
        }
        for next in graph.get(last).into_iter().flatten() {
            if seen.insert(next) {
                let mut longer = path.clone();
                longer.push(next);
                paths.push_back(longer);
            }
        }
    }
    None
}

fn is_world(name: &str) -> bool {
    WORLD.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *pattern,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Graph, banned, is_world, reaches_world};

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        edges
            .iter()
            .map(|(from, to)| {
                let to = to.iter().map(|name| (*name).to_owned()).collect();
                ((*from).to_owned(), to)
            })
            .collect()
    }

    #[test]
    fn a_runtime_far_below_an_engine_is_found_with_the_way_to_it() {
        let graph = graph(&[
            ("cost", &["client", "csv"]),
            ("client", &["pool"]),
            ("pool", &["tokio"]),
        ]);
        let violation = reaches_world("cost", &graph).unwrap().to_string();
        assert!(
            violation.contains("cost -> client -> pool -> tokio"),
            "{violation}"
        );
    }

    #[test]
    fn an_engine_without_a_way_to_the_world_passes() {
        let graph = graph(&[
            ("cost", &["csv"]),
            ("csv", &["memchr"]),
            ("memchr", &["csv"]),
        ]);
        assert_eq!(reaches_world("cost", &graph), None);
    }

    #[test]
    fn only_whole_names_and_marked_beginnings_are_the_world() {
        assert!(is_world("tokio"));
        assert!(is_world("aws-sdk-s3"));
        assert!(!is_world("tokio-like"));
        assert!(!is_world("laws-of-nature"));
    }

    #[test]
    fn a_banned_crate_is_found_with_those_who_bring_it() {
        let all = BTreeSet::from(["rustls".to_owned(), "aws-lc-sys".to_owned()]);
        let graph = graph(&[("rustls", &["aws-lc-sys"])]);
        let violations = banned(&all, &graph);
        assert_eq!(violations.len(), 1);
        let line = violations[0].to_string();
        assert!(
            line.contains("`aws-lc-sys` is banned and comes with `rustls`"),
            "{line}"
        );
    }

    #[test]
    fn a_tree_without_banned_crates_passes() {
        let all = BTreeSet::from(["ring".to_owned(), "rustls".to_owned()]);
        assert!(banned(&all, &graph(&[])).is_empty());
    }
}
