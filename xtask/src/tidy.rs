//! Is the house in order? Each rule answers with violations: one line that names the place and
//! says what to do there. Rules are plain functions over plain data, so that their tests can hand
//! them a broken house.

mod dependencies;
mod documents;
mod graph;
mod manifests;
mod sources;

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail};

use crate::examples::{self, ArgumentTable};
use crate::workspace::Workspace;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Violation {
    /// A file, from the workspace's root, with the line where that helps.
    place: String,
    /// What is wrong and what to do about it.
    advice: String,
}

impl Violation {
    fn new(place: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.advice)
    }
}

/// Checks every rule and prints each violation; an error when there is any.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut violations = dependencies::check(workspace)?;
    violations.extend(graph::check(workspace)?);
    violations.extend(manifests::check(workspace)?);
    violations.extend(sources::check(workspace)?);
    violations.extend(documents::check(workspace)?);
    violations.extend(check_example_arguments(workspace)?);
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => {
            println!("tidy: {} packages in order", workspace.members().len());
            Ok(())
        }
        1 => bail!("tidy: 1 violation"),
        n => bail!("tidy: {n} violations"),
    }
}

fn check_example_arguments(workspace: &Workspace) -> Result<Vec<Violation>> {
    let table = ArgumentTable::load(workspace.root())?;
    let names: BTreeSet<&str> = workspace
        .examples()
        .into_iter()
        .map(|(_, target)| target.name.as_str())
        .collect();
    Ok(table
        .unknown(&names)
        .into_iter()
        .map(|name| {
            Violation::new(
                examples::TABLE,
                format!("no example is named `{name}`: correct or remove the entry"),
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::Violation;

    #[test]
    fn a_violation_is_one_line_with_place_and_advice() {
        let violation = Violation::new("units/src/money.rs:7", "finish it");
        assert_eq!(violation.to_string(), "units/src/money.rs:7: finish it");
    }
}
