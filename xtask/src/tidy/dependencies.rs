//! Do dependencies point the right way? `units` ← engines ← adapters ← examples and benches.
//!
//! Each package's direct dependencies are compared with `allowed-dependencies.toml` in both
//! directions, so that a misspelt line cannot pass in silence; the order of the layers holds for
//! the list itself too. Data stands beside: an engine may read it in its tests and examples, and is
//! handed it otherwise.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{DependencyKind, Package};
use serde::Deserialize;

use super::Violation;
use crate::workspace::Workspace;

/// Where the list stands, from the workspace's root.
const LIST: &str = "xtask/allowed-dependencies.toml";

/// What a package is for, told by the folder it lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// The nouns that several engines share.
    Units,
    /// Bytes and a version, and no code: `catalog`.
    Data,
    /// Pure: no I/O, no clock, no runtime.
    Engine,
    /// Touches the world, one technology each.
    Adapter,
    /// Wires engines and adapters together: examples and benches.
    Composition,
    /// `xtask`: builds without any of the others.
    Tool,
}

impl Layer {
    pub(super) fn of(folder: &Utf8Path) -> Self {
        match folder.as_str() {
            "units" => Self::Units,
            "catalog" => Self::Data,
            "examples" | "benches" => Self::Composition,
            "xtask" => Self::Tool,
            _ if folder.starts_with("adapters") => Self::Adapter,
            _ => Self::Engine,
        }
    }

    fn may_depend_on(self, other: Self) -> bool {
        match self {
            Self::Units | Self::Data | Self::Tool => false,
            Self::Engine => other == Self::Units,
            Self::Adapter => matches!(other, Self::Units | Self::Engine),
            Self::Composition => !matches!(other, Self::Composition | Self::Tool),
        }
    }

    /// Whether tests and documentation may use it: what the package may depend on, and data too.
    fn may_be_tested_with(self, other: Self) -> bool {
        self.may_depend_on(other) || (self == Self::Engine && other == Self::Data)
    }

    /// Whether the layer's outside crates are listed one by one and may not reach the world.
    pub(super) fn is_pure(self) -> bool {
        matches!(self, Self::Units | Self::Data | Self::Engine)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Data => "data",
            Self::Engine => "an engine",
            Self::Adapter => "an adapter",
            Self::Composition => "a composition",
            Self::Tool => "a tool",
        }
    }
}

/// A package of the workspace and what its manifest asks for.
#[derive(Debug)]
struct Member {
    name: String,
    /// The manifest, from the workspace's root.
    manifest: String,
    layer: Layer,
    workspace: BTreeSet<String>,
    workspace_dev: BTreeSet<String>,
    external: BTreeSet<String>,
}

/// One section of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Allowed {
    workspace: BTreeSet<String>,
    #[serde(default)]
    workspace_dev: BTreeSet<String>,
    external: Option<BTreeSet<String>>,
}

type AllowList = BTreeMap<String, Allowed>;

pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let path = workspace.root().join(LIST);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let list: AllowList =
        toml::from_str(&text).with_context(|| format!("cannot understand {path}"))?;
    let members: Vec<Member> = workspace
        .members()
        .into_iter()
        .map(|package| member(workspace, package))
        .collect();
    Ok(compare(&members, &list))
}

fn member(workspace: &Workspace, package: &Package) -> Member {
    let mut member = Member {
        name: package.name.to_string(),
        manifest: folder(workspace, package).join("Cargo.toml").into_string(),
        layer: Layer::of(folder(workspace, package)),
        workspace: BTreeSet::new(),
        workspace_dev: BTreeSet::new(),
        external: BTreeSet::new(),
    };
    for dependency in &package.dependencies {
        let set = match (dependency.path.is_some(), dependency.kind) {
            (true, DependencyKind::Development) => &mut member.workspace_dev,
            (true, _) => &mut member.workspace,
            (false, DependencyKind::Development) => continue,
            (false, _) => &mut member.external,
        };
        set.insert(dependency.name.clone());
    }
    // A dev-dependency that only adds a feature, to a dependency or to the package itself, is no
    // new direction.
    member
        .workspace_dev
        .retain(|name| *name != member.name && !member.workspace.contains(name));
    member
}

/// The package's folder, from the workspace's root.
pub(super) fn folder<'a>(workspace: &Workspace, package: &'a Package) -> &'a Utf8Path {
    let manifest = &package.manifest_path;
    let folder = manifest.parent().unwrap_or(manifest);
    folder.strip_prefix(workspace.root()).unwrap_or(folder)
}

fn compare(members: &[Member], list: &AllowList) -> Vec<Violation> {
    let layers: BTreeMap<&str, Layer> = members
        .iter()
        .map(|member| (member.name.as_str(), member.layer))
        .collect();
    let mut violations: Vec<Violation> = list
        .keys()
        .filter(|name| !layers.contains_key(name.as_str()))
        .map(|name| {
            listed(format!(
                "no package is named `{name}`: correct or remove its section"
            ))
        })
        .collect();
    for member in members {
        violations.extend(against_layers(member, &layers));
        match list.get(&member.name) {
            None => violations.push(listed(format!("add a section for `{}`", member.name))),
            Some(allowed) => {
                violations.extend(list_against_layers(member, allowed, &layers));
                violations.extend(against_list(member, allowed));
            }
        }
    }
    violations
}

/// What the manifest asks for, against the order of the layers.
fn against_layers(member: &Member, layers: &BTreeMap<&str, Layer>) -> Vec<Violation> {
    forbidden(member, &member.workspace, &member.workspace_dev, layers)
        .map(|(name, other)| {
            Violation::new(
                member.manifest.as_str(),
                format!(
                    "{} may not depend on {} `{name}`: wire them together in a composition",
                    member.layer.name(),
                    other.name()
                ),
            )
        })
        .collect()
}

/// What the list permits, against the order of the layers.
fn list_against_layers(
    member: &Member,
    allowed: &Allowed,
    layers: &BTreeMap<&str, Layer>,
) -> Vec<Violation> {
    forbidden(member, &allowed.workspace, &allowed.workspace_dev, layers)
        .map(|(name, other)| {
            listed(format!(
                "`{}` is {} and may not be allowed {} `{name}`: remove the line",
                member.name,
                member.layer.name(),
                other.name()
            ))
        })
        .collect()
}

fn forbidden<'a>(
    member: &Member,
    names: &'a BTreeSet<String>,
    dev_names: &'a BTreeSet<String>,
    layers: &BTreeMap<&str, Layer>,
) -> impl Iterator<Item = (&'a String, Layer)> {
    let layer = member.layer;
    let known = |name: &'a String| layers.get(name.as_str()).map(|other| (name, *other));
    let used = names
        .iter()
        .filter_map(known)
        .filter(move |(_, other)| !layer.may_depend_on(*other));
    let tested_with = dev_names
        .difference(names)
        .filter_map(known)
        .filter(move |(_, other)| !layer.may_be_tested_with(*other));
    used.chain(tested_with)
}

/// What the manifest asks for, against the list, both ways.
fn against_list(member: &Member, allowed: &Allowed) -> Vec<Violation> {
    let name = &member.name;
    let mut violations = difference(member, "workspace", &member.workspace, &allowed.workspace);
    violations.extend(difference(
        member,
        "workspace-dev",
        &member.workspace_dev,
        &allowed.workspace_dev,
    ));
    match (&allowed.external, member.layer.is_pure()) {
        (Some(external), true) => {
            violations.extend(difference(member, "external", &member.external, external));
        }
        (None, true) => violations.push(listed(format!(
            "`{name}` is {}: list its outside crates as `external`",
            member.layer.name()
        ))),
        (Some(_), false) => violations.push(listed(format!(
            "`{name}` is {}: remove `external`, only units and engines are held to it",
            member.layer.name()
        ))),
        (None, false) => {}
    }
    violations
}

fn difference(
    member: &Member,
    key: &str,
    actual: &BTreeSet<String>,
    allowed: &BTreeSet<String>,
) -> Vec<Violation> {
    let not_allowed = actual.difference(allowed).map(|name| {
        Violation::new(
            member.manifest.as_str(),
            format!("`{name}` is not allowed: remove it, or add it to `{key}` in {LIST}"),
        )
    });
    let not_used = allowed.difference(actual).map(|name| {
        listed(format!(
            "`{}` does not depend on `{name}`: correct or remove it in `{key}`",
            member.name
        ))
    });
    not_allowed.chain(not_used).collect()
}

fn listed(advice: String) -> Violation {
    Violation::new(LIST, advice)
}

#[cfg(test)]
mod tests {
    use super::{AllowList, Layer, Member, compare};

    fn member(name: &str, layer: Layer, workspace: &[&str], external: &[&str]) -> Member {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Member {
            name: name.to_owned(),
            manifest: format!("{name}/Cargo.toml"),
            layer,
            workspace: set(workspace),
            workspace_dev: set(&[]),
            external: set(external),
        }
    }

    /// A house in order: two engines on units, an adapter on an engine, an example on all.
    fn house() -> Vec<Member> {
        vec![
            member("units", Layer::Units, &[], &["thiserror"]),
            member("cost", Layer::Engine, &["units"], &["jiff"]),
            member("risk", Layer::Engine, &["units"], &[]),
            member("sqlite", Layer::Adapter, &["cost", "units"], &["rusqlite"]),
            member("redis", Layer::Adapter, &["risk"], &["redis"]),
            member("examples", Layer::Composition, &["cost", "sqlite"], &[]),
            member("xtask", Layer::Tool, &[], &["toml"]),
        ]
    }

    const LIST: &str = r#"
        units = { workspace = [], external = ["thiserror"] }
        cost = { workspace = ["units"], external = ["jiff"] }
        risk = { workspace = ["units"], external = [] }
        sqlite = { workspace = ["cost", "units"] }
        redis = { workspace = ["risk"] }
        examples = { workspace = ["cost", "sqlite"] }
        xtask = { workspace = [] }
    "#;

    fn check(members: &[Member], list: &str) -> Vec<String> {
        let list: AllowList = toml::from_str(list).unwrap();
        compare(members, &list)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn add(members: &mut [Member], name: &str, dependency: &str) {
        let member = members
            .iter_mut()
            .find(|member| member.name == name)
            .unwrap();
        member.workspace.insert(dependency.to_owned());
    }

    #[test]
    fn a_house_in_order_passes() {
        assert_eq!(check(&house(), LIST), [""; 0]);
    }

    #[test]
    fn an_edge_against_the_layers_is_refused_even_when_the_list_allows_it() {
        let cases = [
            ("units", "cost", "units may not depend on an engine `cost`"),
            ("cost", "risk", "an engine may not depend on an engine"),
            ("cost", "sqlite", "an engine may not depend on an adapter"),
            ("sqlite", "redis", "an adapter may not depend on an adapter"),
            ("redis", "examples", "an adapter may not depend on a comp"),
            (
                "examples",
                "xtask",
                "a composition may not depend on a tool",
            ),
            ("xtask", "units", "a tool may not depend on units"),
        ];
        for (from, to, expected) in cases {
            let mut members = house();
            add(&mut members, from, to);
            let list = LIST.replace(
                &format!("{from} = {{ workspace = ["),
                &format!("{from} = {{ workspace = [\"{to}\", "),
            );
            let violations = check(&members, &list);
            assert_eq!(violations.len(), 2, "{from} -> {to}: {violations:?}");
            assert!(violations[0].contains(expected), "{violations:?}");
            assert!(
                violations[1].contains("may not be allowed"),
                "{violations:?}"
            );
        }
    }

    #[test]
    fn a_dev_dependency_on_another_engine_is_refused() {
        let mut members = house();
        members[1].workspace_dev.insert("risk".to_owned());
        let violations = check(&members, LIST);
        assert!(
            violations[0].contains("an engine may not depend on an engine `risk`"),
            "{violations:?}"
        );
    }

    #[test]
    fn an_engine_may_be_tested_with_data_and_not_built_on_it() {
        let with_data = || {
            let mut members = house();
            members.push(member("prices", Layer::Data, &[], &[]));
            members
        };
        let list = format!("{LIST}\nprices = {{ workspace = [], external = [] }}\n");
        let allowed = list.replace("cost = {", "cost = { workspace-dev = [\"prices\"],");
        let mut members = with_data();
        members[1].workspace_dev.insert("prices".to_owned());
        assert_eq!(check(&members, &allowed), [""; 0]);
        let mut members = with_data();
        members[1].workspace.insert("prices".to_owned());
        let violations = check(&members, &list);
        assert!(
            violations[0].contains("an engine may not depend on data `prices`"),
            "{violations:?}"
        );
    }

    #[test]
    fn a_dependency_that_is_not_listed_is_refused() {
        let mut members = house();
        members[1].external.insert("chrono".to_owned());
        assert_eq!(
            check(&members, LIST),
            ["cost/Cargo.toml: `chrono` is not allowed: remove it, \
                 or add it to `external` in xtask/allowed-dependencies.toml"]
        );
    }

    #[test]
    fn a_line_that_matches_no_dependency_is_refused() {
        let list = LIST.replace("\"jiff\"", "\"jiff\", \"jif\"");
        assert_eq!(
            check(&house(), &list),
            [
                "xtask/allowed-dependencies.toml: `cost` does not depend on `jif`: \
                 correct or remove it in `external`"
            ]
        );
    }

    #[test]
    fn a_section_for_no_package_is_refused() {
        let list = format!("{LIST}\nrouter = {{ workspace = [] }}\n");
        let violations = check(&house(), &list);
        assert_eq!(violations.len(), 1);
        assert!(violations[0].contains("no package is named `router`"));
    }

    #[test]
    fn a_package_without_a_section_is_refused() {
        let mut members = house();
        members.push(member("anomaly", Layer::Engine, &[], &[]));
        let violations = check(&members, LIST);
        assert_eq!(violations.len(), 1);
        assert!(violations[0].contains("add a section for `anomaly`"));
    }

    #[test]
    fn an_engine_must_list_its_outside_crates_and_an_adapter_must_not() {
        let list = LIST.replace(", external = [\"jiff\"]", "").replace(
            "redis = { workspace = [\"risk\"] }",
            "redis = { workspace = [\"risk\"], external = [\"redis\"] }",
        );
        let violations = check(&house(), &list);
        assert_eq!(violations.len(), 2, "{violations:?}");
        assert!(violations[0].contains("`cost` is an engine: list"));
        assert!(violations[1].contains("`redis` is an adapter: remove"));
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(toml::from_str::<AllowList>("[units]\nworkspaces = []\n").is_err());
    }

    #[test]
    fn the_folder_tells_the_layer() {
        let cases = [
            ("units", Layer::Units),
            ("catalog", Layer::Data),
            ("cost-model", Layer::Engine),
            ("adapters/sqlite", Layer::Adapter),
            ("examples", Layer::Composition),
            ("benches", Layer::Composition),
            ("xtask", Layer::Tool),
        ];
        for (folder, layer) in cases {
            assert_eq!(Layer::of(folder.into()), layer, "{folder}");
        }
    }
}
