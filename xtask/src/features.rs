//! Does every published crate stand on its own? The tests build the whole workspace with every
//! feature on, where one crate's features hide what another forgot to ask for.

use anyhow::Result;
use cargo_metadata::Package;

use crate::steps::Steps;
use crate::workspace::{Workspace, succeed};

/// Lints each published crate without features, then with each feature alone.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    for package in workspace.published() {
        for feature in selections(package) {
            let name = match feature {
                None => format!("{} without features", package.name),
                Some(feature) => format!("{} with {feature}", package.name),
            };
            steps.run(&name, || lint(workspace, package, feature));
        }
    }
    steps.finish("features")
}

/// No feature, then each on its own. The default is the sum of others and is built by the tests.
fn selections(package: &Package) -> Vec<Option<&str>> {
    let features = package.features.keys().map(String::as_str);
    std::iter::once(None)
        .chain(features.filter(|name| *name != "default").map(Some))
        .collect()
}

fn lint(workspace: &Workspace, package: &Package, feature: Option<&str>) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["clippy", "--quiet", "--no-default-features", "--package"]);
    command.arg(package.name.as_str());
    command.args(feature.map(|feature| format!("--features={feature}")));
    succeed(command.args(["--", "-D", "warnings"]))
}

#[cfg(test)]
mod tests {
    use super::selections;
    use crate::workspace::Workspace;

    #[test]
    fn each_feature_is_tried_alone_and_the_default_is_left_to_the_tests() {
        let workspace = Workspace::load().unwrap();
        let members = workspace.members();
        let units = members
            .iter()
            .find(|package| package.name.as_str() == "bursar-units")
            .unwrap();
        assert_eq!(selections(units), [None, Some("serde")]);
    }
}
