//! Do the examples still run? Each is built with the features of the tests, so that nothing is
//! compiled twice, and started offline with the arguments of `example-arguments.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::steps::Steps;
use crate::workspace::{Workspace, succeed};

/// Where the table of arguments stands, from the workspace's root.
pub(crate) const TABLE: &str = "xtask/example-arguments.toml";

/// In an argument, this stands for a fresh folder that is removed afterwards.
const TEMPORARY_FOLDER: &str = "{temp}";

/// The arguments of the examples that need some; the others run without any.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct ArgumentTable(BTreeMap<String, Entry>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    arguments: Vec<String>,
}

impl ArgumentTable {
    pub(crate) fn load(root: &Utf8Path) -> Result<Self> {
        let path = root.join(TABLE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&text).with_context(|| format!("cannot understand {path}"))
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// The examples named in the table that do not exist.
    pub(crate) fn unknown<'a>(&'a self, examples: &BTreeSet<&str>) -> Vec<&'a str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| !examples.contains(name))
            .collect()
    }

    fn of(&self, example: &str, folder: &str) -> Vec<String> {
        self.0.get(example).map_or_else(Vec::new, |entry| {
            entry
                .arguments
                .iter()
                .map(|argument| argument.replace(TEMPORARY_FOLDER, folder))
                .collect()
        })
    }
}

/// Builds all examples as one step, then runs each as a step of its own.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps) {
    if workspace.examples().is_empty() {
        println!("\nno example is registered: nothing to run");
        return;
    }
    let built = steps.run("build examples", || {
        Ok((
            ArgumentTable::load(workspace.root())?,
            executables(workspace)?,
        ))
    });
    let Some((table, executables)) = built else {
        return;
    };
    for (name, executable) in executables {
        steps.run(&format!("example {name}"), || {
            start(workspace.root(), &name, &executable, &table)
        });
    }
}

fn executables(workspace: &Workspace) -> Result<BTreeMap<String, Utf8PathBuf>> {
    let mut build = workspace
        .cargo()
        .args(["build", "--workspace", "--all-features", "--examples"])
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo build")?;
    let output = build.stdout.take().context("cargo build has no output")?;
    let mut executables = BTreeMap::new();
    for message in Message::parse_stream(BufReader::new(output)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.target.is_example()
            && let Some(executable) = artifact.executable
        {
            executables.insert(artifact.target.name, executable);
        }
    }
    if !build.wait()?.success() {
        bail!("the examples do not build");
    }
    every_example_is_built(workspace, &executables)?;
    Ok(executables)
}

/// An example that Cargo leaves out in silence would otherwise never run.
fn every_example_is_built(
    workspace: &Workspace,
    executables: &BTreeMap<String, Utf8PathBuf>,
) -> Result<()> {
    for (package, example) in workspace.examples() {
        if !executables.contains_key(&example.name) {
            bail!(
                "cargo built no program for example `{}` of {}",
                example.name,
                package.name
            );
        }
    }
    Ok(())
}

fn start(root: &Utf8Path, name: &str, executable: &Utf8Path, table: &ArgumentTable) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder_name = folder
        .path()
        .to_str()
        .context("the temporary folder's name is not UTF-8")?;
    let arguments = table.of(name, folder_name);
    println!("{name} {}", arguments.join(" "));
    succeed(
        Command::new(executable)
            .args(arguments)
            .current_dir(root)
            .stdin(Stdio::null()),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ArgumentTable;

    const TABLE: &str = r#"
        [generate_bill]
        arguments = ["--rows", "1000", "--out", "{temp}/bill.csv"]
    "#;

    #[test]
    fn arguments_are_given_with_the_temporary_folder_in_place() {
        let table = ArgumentTable::parse(TABLE).unwrap();
        assert_eq!(
            table.of("generate_bill", "/scratch/7"),
            ["--rows", "1000", "--out", "/scratch/7/bill.csv"]
        );
    }

    #[test]
    fn an_example_without_an_entry_runs_without_arguments() {
        let table = ArgumentTable::parse(TABLE).unwrap();
        assert!(table.of("cost_review", "/scratch/7").is_empty());
    }

    #[test]
    fn an_entry_for_no_example_is_found() {
        let table = ArgumentTable::parse(TABLE).unwrap();
        assert_eq!(
            table.unknown(&BTreeSet::from(["cost_review"])),
            ["generate_bill"]
        );
        assert!(table.unknown(&BTreeSet::from(["generate_bill"])).is_empty());
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(ArgumentTable::parse("[cost_review]\nargument = []\n").is_err());
    }
}
