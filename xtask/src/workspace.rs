//! What is in this workspace? Cargo's own answer, with every feature on.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package, Target};

/// The workspace around the current folder.
pub(crate) struct Workspace {
    metadata: Metadata,
    environment: BTreeMap<String, String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .features(CargoOpt::AllFeatures)
            .exec()
            .context("cargo metadata did not describe the workspace")?;
        Ok(Self {
            metadata,
            environment: BTreeMap::new(),
        })
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.metadata.workspace_root
    }

    /// The members, by name.
    pub(crate) fn members(&self) -> Vec<&Package> {
        let mut members = self.metadata.workspace_packages();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }

    /// The members that are meant for a registry.
    pub(crate) fn published(&self) -> Vec<&Package> {
        self.members()
            .into_iter()
            .filter(|package| is_published(package))
            .collect()
    }

    /// Every registered example with the package that holds it, by name.
    pub(crate) fn examples(&self) -> Vec<(&Package, &Target)> {
        let mut examples: Vec<_> = self
            .members()
            .into_iter()
            .flat_map(|package| package.targets.iter().map(move |target| (package, target)))
            .filter(|(_, target)| target.is_example())
            .collect();
        examples.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        examples
    }

    /// The Cargo that runs this program, started at the workspace's root.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.command(cargo)
    }

    /// A program with what was exported, started at the workspace's root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root()).envs(&self.environment);
        command
    }

    /// Sets an environment variable for every command from now on.
    pub(crate) fn export(&mut self, variable: &str, value: String) {
        self.environment.insert(variable.to_owned(), value);
    }

    /// What a command sees in an environment variable: what was exported, else what the caller set.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let exported = self.environment.get(name).cloned();
        exported.or_else(|| env::var(name).ok())
    }
}

/// Cargo writes `publish = false` as an empty list of registries.
pub(crate) fn is_published(package: &Package) -> bool {
    package
        .publish
        .as_ref()
        .is_none_or(|registries| !registries.is_empty())
}

/// Runs a command with its output passed through; any exit code but 0 is an error.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {}", name(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", name(command));
    }
    Ok(())
}

/// The program without its folder.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    name.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Workspace, succeed};

    #[test]
    fn an_exported_variable_reaches_commands_and_goes_before_the_callers() {
        let mut workspace = Workspace::load().unwrap();
        let inherited = workspace.variable("PATH");
        assert!(inherited.is_some());
        assert_eq!(workspace.variable("BURSAR_NO_SUCH_VARIABLE"), None);
        workspace.export("BURSAR_NO_SUCH_VARIABLE", "redis://127.0.0.1:1".to_owned());
        let printed = workspace
            .command("printenv")
            .arg("BURSAR_NO_SUCH_VARIABLE")
            .output()
            .unwrap();
        assert_eq!(printed.stdout, b"redis://127.0.0.1:1\n");
        workspace.export("PATH", "/nowhere".to_owned());
        assert_eq!(workspace.variable("PATH").as_deref(), Some("/nowhere"));
    }

    #[test]
    fn a_command_that_fails_is_an_error_that_names_it() {
        let error = succeed(Command::new("/usr/bin/env").arg("false"))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "env ended with exit status: 1");
    }

    #[test]
    fn a_command_that_does_not_exist_is_an_error_that_names_it() {
        let error = succeed(&mut Command::new("no-such-program")).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program"));
    }
}
