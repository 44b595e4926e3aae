//! Does every manifest say what a registry, a reader and the lints need?

use anyhow::{Context, Result};
use cargo_metadata::camino::Utf8Path;
use toml::{Table, Value};

use super::Violation;
use crate::workspace::Workspace;

/// What crates.io shows of a package, and what the toolchain must know before it builds it.
const REQUIRED: &[&str] = &[
    "description",
    "keywords",
    "categories",
    "license",
    "rust-version",
    "readme",
    "documentation",
];

/// More are refused by crates.io: <https://doc.rust-lang.org/cargo/reference/manifest.html>.
const MOST_KEYWORDS: usize = 5;

/// Fewer lines than this hold a title and nothing to go by.
const FEWEST_README_LINES: usize = 8;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for package in workspace.members() {
        let path = &package.manifest_path;
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        let place = path.strip_prefix(workspace.root()).unwrap_or(path);
        violations.extend(check_manifest(workspace.root(), place, &text)?);
    }
    Ok(violations)
}

/// `place` is the manifest, from the workspace's `root`.
fn check_manifest(root: &Utf8Path, place: &Utf8Path, text: &str) -> Result<Vec<Violation>> {
    let manifest: Table = text
        .parse()
        .with_context(|| format!("cannot understand {place}"))?;
    let package = manifest
        .get("package")
        .and_then(Value::as_table)
        .with_context(|| format!("{place} has no [package]"))?;
    let mut advice = check_inheritance(&manifest, package);
    if package.get("publish").and_then(Value::as_bool) != Some(false) {
        advice.extend(check_required(package));
        advice.extend(check_readme(root, place, package));
    }
    Ok(advice
        .into_iter()
        .map(|advice| Violation::new(place.as_str(), advice))
        .collect())
}

fn check_inheritance(manifest: &Table, package: &Table) -> Vec<String> {
    let mut advice = Vec::new();
    if !manifest.get("lints").is_some_and(is_inherited) {
        advice
            .push("write `[lints] workspace = true`: lints are not inherited by themselves".into());
    }
    for key in ["edition", "rust-version", "version"] {
        if !package.get(key).is_some_and(is_inherited) {
            advice.push(format!("write `{key}.workspace = true`"));
        }
    }
    advice
}

fn check_required(package: &Table) -> Vec<String> {
    let mut advice: Vec<String> = REQUIRED
        .iter()
        .filter(|key| !package.get(**key).is_some_and(is_filled))
        .map(|key| format!("published, and `{key}` is missing or empty: fill it in"))
        .collect();
    let keywords = package.get("keywords").and_then(Value::as_array);
    if keywords.is_some_and(|keywords| keywords.len() > MOST_KEYWORDS) {
        advice.push(format!(
            "crates.io takes at most {MOST_KEYWORDS} `keywords`"
        ));
    }
    advice
}

fn check_readme(root: &Utf8Path, place: &Utf8Path, package: &Table) -> Option<String> {
    let name = package.get("readme")?.as_str()?;
    let path = root.join(place).with_file_name("").join(name);
    let Ok(readme) = std::fs::read_to_string(&path) else {
        return Some(format!(
            "`readme` names {name}, which cannot be read: write it"
        ));
    };
    let lines = readme.lines().filter(|line| !line.trim().is_empty());
    if lines.count() < FEWEST_README_LINES || !readme.contains("```") {
        return Some(format!(
            "{name} tells too little: say what the crate answers, with one example"
        ));
    }
    None
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(values) => !values.is_empty(),
        inherited => is_inherited(inherited),
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::camino::Utf8Path;
    use tempfile::TempDir;

    use super::check_manifest;

    const MANIFEST: &str = r#"
        [package]
        name = "bursar-units"
        description = "Money"
        keywords = ["money"]
        categories = ["finance"]
        readme = "README.md"
        documentation = "https://docs.rs/bursar-units"
        version.workspace = true
        edition.workspace = true
        rust-version.workspace = true
        license.workspace = true

        [lints]
        workspace = true
    "#;

    const README: &str = "# units\n1\n2\n3\n```rust\nlet money = 1;\n```\n4\n";

    fn check(manifest: &str, readme: Option<&str>) -> Vec<String> {
        let folder = TempDir::new().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir(root.join("units")).unwrap();
        if let Some(readme) = readme {
            std::fs::write(root.join("units/README.md"), readme).unwrap();
        }
        check_manifest(root, "units/Cargo.toml".into(), manifest)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_complete_manifest_passes() {
        assert_eq!(check(MANIFEST, Some(README)), [""; 0]);
    }

    #[test]
    fn each_missing_key_of_a_published_package_is_found() {
        let cases = [
            ("description = \"Money\"", "`description`"),
            ("keywords = [\"money\"]", "`keywords`"),
            ("categories = [\"finance\"]", "`categories`"),
            ("license.workspace = true", "`license`"),
            ("readme = \"README.md\"", "`readme`"),
            (
                "documentation = \"https://docs.rs/bursar-units\"",
                "`documentation`",
            ),
        ];
        for (line, key) in cases {
            let violations = check(&MANIFEST.replace(line, ""), Some(README));
            assert_eq!(violations.len(), 1, "{line}: {violations:?}");
            assert!(violations[0].starts_with("units/Cargo.toml: "));
            assert!(violations[0].contains(key), "{violations:?}");
        }
    }

    #[test]
    fn an_empty_key_counts_as_missing() {
        for empty in [
            MANIFEST.replace("\"Money\"", "\" \""),
            MANIFEST.replace("[\"money\"]", "[]"),
            MANIFEST.replace("license.workspace = true", "license.workspace = false"),
        ] {
            assert_eq!(check(&empty, Some(README)).len(), 1);
        }
    }

    #[test]
    fn lints_and_editions_that_are_not_inherited_are_found() {
        let lints = MANIFEST.replace("[lints]\n        workspace = true", "");
        assert!(check(&lints, Some(README))[0].contains("[lints] workspace = true"));
        let edition = MANIFEST.replace("edition.workspace = true", "edition = \"2024\"");
        assert!(check(&edition, Some(README))[0].contains("edition.workspace = true"));
    }

    #[test]
    fn lints_are_asked_of_unpublished_packages_too_and_nothing_else_is() {
        let manifest = "[package]\nname = \"x\"\npublish = false\nversion.workspace = true\n\
                        edition.workspace = true\nrust-version.workspace = true\n";
        let violations = check(manifest, None);
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert!(violations[0].contains("[lints]"));
    }

    #[test]
    fn too_many_keywords_are_found() {
        let keywords = r#"["a", "b", "c", "d", "e", "f"]"#;
        let manifest = MANIFEST.replace(r#"["money"]"#, keywords);
        assert!(check(&manifest, Some(README))[0].contains("at most 5"));
    }

    #[test]
    fn a_readme_that_is_missing_or_trivial_is_found() {
        assert!(check(MANIFEST, None)[0].contains("cannot be read"));
        assert!(check(MANIFEST, Some("# units\n"))[0].contains("too little"));
        let without_example = README.replace("```", "");
        assert!(check(MANIFEST, Some(&without_example))[0].contains("too little"));
    }
}
