//! Which AWS do tests talk to? None: `moto` stands in for it, which is installed once into an environment
//! of Python of its own, in Cargo's target folder.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use super::process::{PATIENCE, Process, bound_to_this_thread};
use super::{Server, ask, ports};
use crate::workspace::{Workspace, succeed};

/// Names the stand-in: `http://127.0.0.1:12000`.
pub(super) const URL: &str = "BURSAR_MOTO_URL";

/// What is installed. The folder has the version in its name, so that another one is installed anew.
const VERSION: &str = "5.2.5";

pub(super) fn start(workspace: &Workspace) -> Result<Vec<Server>> {
    let target = &workspace.metadata().target_directory;
    let program = installed(&target.join(format!("moto-{VERSION}")))?;
    let ports = ports::choose(1)?;
    let servers = ports.into_iter().map(|port| start_on(&program, port));
    servers.collect()
}

/// The program, which is installed unless that was done to its end before.
fn installed(folder: &Utf8Path) -> Result<Utf8PathBuf> {
    let (program, whole) = (folder.join("bin/moto_server"), folder.join("installed"));
    if !whole.exists() {
        println!("installing moto {VERSION} into {folder}");
        succeed(Command::new("python3").args(["-m", "venv", "--clear", folder.as_str()]))?;
        let mut install = Command::new(folder.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet"]);
        succeed(install.arg(format!("moto[server]=={VERSION}")))?;
        fs::write(&whole, "").with_context(|| format!("cannot write {whole}"))?;
    }
    Ok(program)
}

fn start_on(program: &Utf8Path, port: u16) -> Result<Server> {
    let mut command = bound_to_this_thread(program.as_str());
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    let mut process = Process::start(&format!("moto_server on port {port}"), &mut command)?;
    process.wait_until("answering", PATIENCE, || {
        ask(port, "GET /moto-api/data.json HTTP/1.0\r\n").is_ok_and(|answer| is_moto(&answer))
    })?;
    Ok(Server {
        process,
        scheme: "http",
        port,
    })
}

fn is_moto(answer: &str) -> bool {
    answer.starts_with("HTTP/1.") && answer.contains(" 200 ")
}

#[cfg(test)]
mod tests {
    use super::{Workspace, is_moto, start};

    #[test]
    #[ignore = "installs from the index of Python's packages the first time, which takes a minute"]
    fn moto_is_installed_once_and_answers() {
        let workspace = Workspace::load().unwrap();
        for _ in 0..2 {
            assert_eq!(start(&workspace).unwrap().len(), 1);
        }
    }

    #[test]
    fn a_server_that_knows_the_page_of_moto_is_moto() {
        assert!(is_moto("HTTP/1.1 200 OK\r\nServer: Werkzeug/3.1\r\n\r\n{}"));
        assert!(!is_moto("HTTP/1.1 404 NOT FOUND\r\n\r\n"));
        assert!(!is_moto("-ERR unknown command\r\n"));
    }
}
