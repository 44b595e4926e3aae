//! Does every source file open with what it is about, hold nothing unfinished, and belong to a
//! target that Cargo knows?

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::Package;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use super::Violation;
use crate::loom;
use crate::workspace::{Workspace, is_published};

/// What may not stand in a source file, and what to do instead. The needles are put together from
/// parts so that this file passes its own rule.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        concat!("#[", "allow("),
        "write `#[expect(lint, reason = \"…\")]`, which fails when it is no longer needed",
    ),
    (
        concat!("#![", "allow("),
        "write `#![expect(lint, reason = \"…\")]`, which fails when it is no longer needed",
    ),
    (concat!("to", "do!"), "finish it"),
    (concat!("unimplemented", "!"), "finish it"),
    (concat!("TO", "DO"), "finish it, or describe the limit"),
    (concat!("FIX", "ME"), "mend it, or describe the limit"),
];

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for package in workspace.members() {
        violations.extend(check_package(workspace.root(), package)?);
    }
    Ok(violations)
}

fn check_package(root: &Utf8Path, package: &Package) -> Result<Vec<Violation>> {
    let folder = package
        .manifest_path
        .parent()
        .context("a manifest lies in a folder")?;
    let targets: BTreeSet<&Utf8Path> = package
        .targets
        .iter()
        .map(|target| target.src_path.as_path())
        .collect();
    let library = package
        .targets
        .iter()
        .find(|target| target.is_lib())
        .filter(|_| is_published(package))
        .map(|target| target.src_path.as_path());
    let mut violations = Vec::new();
    for path in rust_files(folder)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let place = path.strip_prefix(root).unwrap_or(&path);
        violations.extend(check_text(place, &text));
        if library == Some(path.as_path()) {
            violations.extend(check_crate_documentation(place, &text));
        }
        violations.extend(check_registration(folder, &path, place, &targets));
    }
    let tests = package.targets.iter().filter(|target| target.is_test());
    let names = tests.map(|target| target.name.as_str());
    violations.extend(check_test_programs(&package.name, names));
    Ok(violations)
}

/// Each test program is linked on its own. Loom's is another build, so it cannot join the others.
fn check_test_programs<'a>(
    package: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<Violation> {
    let ordinary = names.filter(|name| *name != loom::TARGET).count();
    (ordinary > 1).then(|| {
        Violation::new(
            package,
            "several integration test programs: make them modules of one, tests/it/main.rs",
        )
    })
}

/// Every Rust file under a folder, in order.
fn rust_files(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = folder
            .read_dir_utf8()
            .with_context(|| format!("cannot list {folder}"))?;
        for entry in entries {
            let path = entry?.into_path();
            if path.is_dir() && path.file_name() != Some("target") {
                folders.push(path);
            } else if path.extension() == Some("rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn check_text(place: &Utf8Path, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !text.starts_with("//!") {
        violations.push(Violation::new(
            place.as_str(),
            "begin with a `//!` line that says which question the file answers",
        ));
    }
    if place.file_name() == Some("mod.rs") {
        violations.push(Violation::new(
            place.as_str(),
            "name the module's file after it, beside its folder",
        ));
    }
    for (number, line) in (1..).zip(text.lines()) {
        for (needle, advice) in FORBIDDEN {
            if line.contains(needle) {
                violations.push(Violation::new(
                    format!("{place}:{number}"),
                    format!("`{needle}`: {advice}"),
                ));
            }
        }
    }
    violations
}

/// A published crate's front page shows how it is used, and its README is compiled, so that
/// neither goes stale.
fn check_crate_documentation(place: &Utf8Path, text: &str) -> Vec<Violation> {
    let shows_example = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .any(|line| line.contains("```"));
    let readme_is_documentation = text.contains("#![doc = include_str!(\"../README.md\")]");
    let mut violations = Vec::new();
    if !shows_example && !readme_is_documentation {
        violations.push(Violation::new(
            place.as_str(),
            "published: show one running example in the crate's documentation",
        ));
    }
    if !text.contains("include_str!(\"../README.md\")") {
        violations.push(Violation::new(
            place.as_str(),
            "published: have the README's example compiled, by `#[doc = include_str!(\"../README.md\")]` \
             on an item under `#[cfg(doctest)]`",
        ));
    }
    violations
}

/// A file where Cargo looks for programs, yet no target, is compiled by nobody.
fn check_registration(
    folder: &Utf8Path,
    path: &Utf8Path,
    place: &Utf8Path,
    targets: &BTreeSet<&Utf8Path>,
) -> Option<Violation> {
    let inside = path.strip_prefix(folder).ok()?;
    let home = inside.parent()?.as_str();
    let holds_programs = ["", "examples", "tests", "benches"].contains(&home);
    (holds_programs && !targets.contains(path)).then(|| {
        Violation::new(
            place.as_str(),
            "no target of the package: register it in Cargo.toml (an example as `[[example]]`)",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use cargo_metadata::camino::Utf8Path;
    use tempfile::TempDir;

    use super::{
        FORBIDDEN, check_crate_documentation, check_registration, check_test_programs, check_text,
        rust_files,
    };

    fn check(place: &str, text: &str) -> Vec<String> {
        check_text(place.into(), text)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_file_in_order_passes() {
        let text =
            "//! What does it cost?\n\n#[expect(dead_code, reason = \"shown\")]\nfn f() {}\n";
        assert_eq!(check("units/src/money.rs", text), [""; 0]);
    }

    #[test]
    fn a_file_without_a_module_doc_is_found() {
        for text in ["", "use std::fmt;\n", "// A comment.\n", "\n//! Late.\n"] {
            let violations = check("units/src/money.rs", text);
            assert_eq!(violations.len(), 1, "{text:?}");
            assert!(violations[0].starts_with("units/src/money.rs: begin with"));
        }
    }

    #[test]
    fn each_forbidden_word_is_found_with_its_line() {
        for (needle, advice) in FORBIDDEN {
            let text = format!("//! A question.\n\n    {needle}\n");
            assert_eq!(
                check("units/src/money.rs", &text),
                [format!("units/src/money.rs:3: `{needle}`: {advice}")]
            );
        }
    }

    #[test]
    fn a_mod_rs_is_found() {
        let violations = check("units/src/money/mod.rs", "//! A question.\n");
        assert_eq!(violations.len(), 1);
        assert!(violations[0].contains("beside its folder"));
    }

    #[test]
    fn a_published_crate_must_show_an_example_and_compile_that_of_its_readme() {
        let advice = |text: &str| {
            let violations = check_crate_documentation("units/src/lib.rs".into(), text);
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            lines.join("\n")
        };
        let example = "//! Money.\n//! ```\n//! let money = 1;\n//! ```\n";
        let readme = "#[cfg(doctest)]\n#[doc = include_str!(\"../README.md\")]\nstruct Readme;\n";
        let neither = advice("//! Money.\n\n/// ```\n/// ```\nfn f() {}\n");
        assert!(neither.contains("show one running example"), "{neither}");
        assert!(neither.contains("README's example compiled"), "{neither}");
        assert!(advice(example).contains("README's example compiled"));
        assert!(advice(&format!("//! Money.\n{readme}")).contains("show one running example"));
        assert_eq!(advice(&format!("{example}{readme}")), "");
        assert_eq!(
            advice("//! Money.\n#![doc = include_str!(\"../README.md\")]\n"),
            ""
        );
    }

    #[test]
    fn one_test_program_is_allowed_and_a_second_for_loom_alone() {
        let allowed = |names: &[&str]| {
            check_test_programs("bursar-ratelimit", names.iter().copied()).is_none()
        };
        assert!(allowed(&[]));
        assert!(allowed(&["it"]));
        assert!(allowed(&["it", "loom"]));
        assert!(!allowed(&["it", "more"]));
        assert!(!allowed(&["it", "loom", "more"]));
    }

    #[test]
    fn a_program_that_is_no_target_is_found() {
        let folder = Utf8Path::new("/house/examples");
        let targets = BTreeSet::from([Utf8Path::new("/house/examples/cost_review.rs")]);
        let registered = |inside: &str| {
            let path = folder.join(inside);
            check_registration(folder, &path, inside.into(), &targets).is_none()
        };
        assert!(registered("cost_review.rs"));
        assert!(!registered("forgotten.rs"));
        assert!(!registered("examples/forgotten.rs"));
        assert!(!registered("benches/forgotten.rs"));
        assert!(registered("src/helper.rs"), "a module needs no target");
        assert!(
            registered("tests/it/vectors.rs"),
            "a module needs no target"
        );
    }

    #[test]
    fn files_are_found_in_every_folder_but_the_build_folder() {
        let folder = TempDir::new().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for inside in ["src/deep/a.rs", "b.rs", "target/c.rs", "src/data.csv"] {
            let path = root.join(inside);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(
            rust_files(root).unwrap(),
            [root.join("b.rs"), root.join("src/deep/a.rs")]
        );
    }
}
