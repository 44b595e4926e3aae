//! Do the examples still run? Each is built with the features of the tests, so that nothing is
//! compiled twice, and started offline with the arguments of `example-arguments.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::process::Stdio;

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

/// In an argument, the name of an environment variable between these stands for its value.
const VARIABLE_START: &str = "${";
const VARIABLE_END: char = '}';

/// The runs of the examples that need arguments; the others run once, without any.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct ArgumentTable(BTreeMap<String, Vec<Run>>);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    arguments: Vec<String>,
}

impl ArgumentTable {
    pub(crate) fn load(root: &Utf8Path) -> Result<Self> {
        let path = root.join(TABLE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&text).with_context(|| format!("cannot understand {path}"))
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let table: Self = toml::from_str(text)?;
        if let Some((name, _)) = table.0.iter().find(|(_, runs)| runs.is_empty()) {
            bail!("`{name}` has no run: write `[[{name}]]` with its arguments");
        }
        Ok(table)
    }

    /// The examples named in the table that do not exist.
    pub(crate) fn unknown<'a>(&'a self, examples: &BTreeSet<&str>) -> Vec<&'a str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| !examples.contains(name))
            .collect()
    }

    fn of(&self, example: &str) -> Vec<Run> {
        let runs = self.0.get(example).cloned();
        runs.unwrap_or_else(|| vec![Run::default()])
    }
}

impl Run {
    fn expand(
        &self,
        folder: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>> {
        let arguments = self.arguments.iter();
        arguments
            .map(|argument| {
                expand(argument, folder, &variable)
                    .with_context(|| format!("cannot expand the argument `{argument}`"))
            })
            .collect()
    }
}

/// Puts values in place, each once: nothing is looked for inside a value.
fn expand(
    argument: &str,
    folder: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String> {
    let mut expanded = String::new();
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once(VARIABLE_START) {
        let (name, remainder) = after
            .split_once(VARIABLE_END)
            .with_context(|| format!("`{VARIABLE_START}` without `{VARIABLE_END}`"))?;
        let value = variable(name)
            .with_context(|| format!("the environment variable `{name}` is not set"))?;
        expanded.push_str(&before.replace(TEMPORARY_FOLDER, folder));
        expanded.push_str(&value);
        rest = remainder;
    }
    expanded.push_str(&rest.replace(TEMPORARY_FOLDER, folder));
    Ok(expanded)
}

/// Builds all examples as one step, then each run of one is a step of its own.
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
        let runs = table.of(&name);
        for (number, run) in (1..).zip(&runs) {
            let title = title(&name, number, runs.len());
            steps.run(&title, || start(workspace, &name, &executable, run));
        }
    }
}

fn title(example: &str, number: usize, runs: usize) -> String {
    match runs {
        1 => format!("example {example}"),
        _ => format!("example {example}, {number} of {runs}"),
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

fn start(workspace: &Workspace, name: &str, executable: &Utf8Path, run: &Run) -> Result<()> {
    // As the table has them: the value of a variable may hold a password.
    println!("{name} {}", run.arguments.join(" "));
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder_name = folder
        .path()
        .to_str()
        .context("the temporary folder's name is not UTF-8")?;
    let arguments = run.expand(folder_name, |variable| workspace.variable(variable))?;
    succeed(
        workspace
            .command(executable)
            .args(arguments)
            .stdin(Stdio::null()),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ArgumentTable, Run, expand, title};

    const TABLE: &str = r#"
        [[generate_bill]]
        arguments = ["--rows", "1000", "--out", "{temp}/bill.csv"]

        [[limit_oracle]]
        arguments = []

        [[limit_oracle]]
        arguments = ["--redis", "${BURSAR_REDIS_URL}"]
    "#;

    fn variable(name: &str) -> Option<String> {
        match name {
            "BURSAR_REDIS_URL" => Some("redis://127.0.0.1:12000".to_owned()),
            "NESTED" => Some("${BURSAR_REDIS_URL}{temp}".to_owned()),
            _ => None,
        }
    }

    fn runs(example: &str) -> Vec<Vec<String>> {
        let table = ArgumentTable::parse(TABLE).unwrap();
        let runs = table.of(example);
        let expanded = |run: &Run| run.expand("/scratch/7", variable).unwrap();
        runs.iter().map(expanded).collect()
    }

    #[test]
    fn arguments_are_given_with_the_temporary_folder_in_place() {
        assert_eq!(
            runs("generate_bill"),
            [["--rows", "1000", "--out", "/scratch/7/bill.csv"]]
        );
    }

    #[test]
    fn an_example_runs_once_for_each_entry_in_order() {
        assert_eq!(
            runs("limit_oracle"),
            [vec![], vec!["--redis", "redis://127.0.0.1:12000"]]
        );
    }

    #[test]
    fn an_example_without_an_entry_runs_once_without_arguments() {
        assert_eq!(runs("cost_review"), [[""; 0]]);
    }

    #[test]
    fn variables_and_the_folder_are_put_in_place_wherever_they_stand() {
        for (argument, expected) in [
            ("", ""),
            ("--json", "--json"),
            ("$HOME {} }", "$HOME {} }"),
            (
                "--at=${BURSAR_REDIS_URL}/1",
                "--at=redis://127.0.0.1:12000/1",
            ),
            (
                "{temp}/${BURSAR_REDIS_URL}/{temp}",
                "/t/redis://127.0.0.1:12000//t",
            ),
            (
                "${BURSAR_REDIS_URL}${BURSAR_REDIS_URL}",
                "redis://127.0.0.1:12000redis://127.0.0.1:12000",
            ),
            ("${NESTED}", "${BURSAR_REDIS_URL}{temp}"),
        ] {
            assert_eq!(expand(argument, "/t", variable).unwrap(), expected);
        }
    }

    #[test]
    fn a_variable_that_is_not_set_or_not_closed_is_an_error_that_says_so() {
        for (argument, cause) in [
            (
                "${BURSAR_NOWHERE}",
                "the environment variable `BURSAR_NOWHERE` is not set",
            ),
            ("${}", "the environment variable `` is not set"),
            ("--redis=${BURSAR_REDIS_URL", "`${` without `}`"),
        ] {
            let run = Run {
                arguments: vec![argument.to_owned()],
            };
            let error = run.expand("/t", variable).unwrap_err();
            assert_eq!(
                format!("{error:#}"),
                format!("cannot expand the argument `{argument}`: {cause}")
            );
        }
    }

    #[test]
    fn a_run_is_numbered_only_among_several() {
        assert_eq!(title("cost_review", 1, 1), "example cost_review");
        assert_eq!(title("limit_oracle", 2, 3), "example limit_oracle, 2 of 3");
    }

    #[test]
    fn an_entry_for_no_example_is_found() {
        let table = ArgumentTable::parse(TABLE).unwrap();
        assert_eq!(
            table.unknown(&BTreeSet::from(["cost_review", "limit_oracle"])),
            ["generate_bill"]
        );
        let both = BTreeSet::from(["generate_bill", "limit_oracle"]);
        assert!(table.unknown(&both).is_empty());
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(ArgumentTable::parse("[[cost_review]]\nargument = []\n").is_err());
    }

    #[test]
    fn an_example_that_would_never_run_is_refused() {
        let error = ArgumentTable::parse("cost_review = []\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`cost_review` has no run: write `[[cost_review]]` with its arguments"
        );
    }
}
