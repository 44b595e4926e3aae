//! Do the documents still tell the truth about where things are? A map that names a file which has
//! moved misleads more than no map.

use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use super::Violation;
use crate::workspace::Workspace;

/// The document whose code map names files in backquotes, from the workspace's root.
const MAP: &str = "ARCHITECTURE.md";

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let root = workspace.root();
    let mut violations = Vec::new();
    for path in documents(workspace)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let place = path.strip_prefix(root).unwrap_or(&path);
        let folder = path.parent().unwrap_or(root);
        violations.extend(missing(folder, place, &text, links));
        if place == MAP {
            violations.extend(missing(root, place, &text, quoted_paths));
        }
    }
    Ok(violations)
}

/// The Markdown files at the root and beside each manifest.
fn documents(workspace: &Workspace) -> Result<Vec<Utf8PathBuf>> {
    let mut found = markdown_in(workspace.root())?;
    for package in workspace.members() {
        if let Some(folder) = package.manifest_path.parent() {
            found.extend(markdown_in(folder)?);
        }
    }
    found.sort();
    Ok(found)
}

fn markdown_in(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let entries = folder
        .read_dir_utf8()
        .with_context(|| format!("cannot list {folder}"))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.into_path();
        if path.extension() == Some("md") {
            found.push(path);
        }
    }
    Ok(found)
}

/// What the lines of a document name, by `names`, and the folder does not hold.
fn missing(
    folder: &Utf8Path,
    place: &Utf8Path,
    text: &str,
    names: impl Fn(&str) -> Vec<&str>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for name in names(line) {
            if !folder.join(name).exists() {
                violations.push(Violation::new(
                    format!("{place}:{number}"),
                    format!("names `{name}`, which does not exist: correct the document"),
                ));
            }
        }
    }
    violations
}

/// The targets of Markdown links that are files, without the part after `#`.
fn links(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains(':'))
        .collect()
}

/// The words in backquotes that are paths.
fn quoted_paths(line: &str) -> Vec<&str> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains('/') && !word.contains([' ', '<', '$', '*', ':']))
        .collect()
}

#[cfg(test)]
mod tests {
    use cargo_metadata::camino::Utf8Path;
    use tempfile::TempDir;

    use super::{links, missing, quoted_paths};

    #[test]
    fn links_to_files_are_read_and_links_to_the_web_are_not() {
        let line = "[a](STYLE.md), [b](https://example.org/x.md), [c](#top), [d](units#money).";
        assert_eq!(links(line), ["STYLE.md", "units"]);
        assert_eq!(links("no link (here)"), [""; 0]);
    }

    #[test]
    fn paths_in_backquotes_are_read_and_other_words_are_not() {
        let line = "`units/`, `Money`, `a <b>/c`, `$HOME/x` and `xtask/src/main.rs`: units/src";
        assert_eq!(quoted_paths(line), ["units/", "xtask/src/main.rs"]);
    }

    #[test]
    fn a_name_of_nothing_is_found_with_its_line() {
        let folder = TempDir::new().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::write(root.join("STYLE.md"), "").unwrap();
        let text = "[here](STYLE.md)\n[gone](GONE.md)\n";
        let violations = missing(root, "README.md".into(), text, links);
        assert_eq!(violations.len(), 1);
        assert_eq!(
            violations[0].to_string(),
            "README.md:2: names `GONE.md`, which does not exist: correct the document"
        );
    }
}
