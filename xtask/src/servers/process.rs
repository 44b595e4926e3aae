//! How does a program run beside the tests without outliving them? It is killed when the value that
//! stands for it is dropped: at the end of a run, after an error, in a panic.
//!
//! When xtask itself is killed nothing is dropped. A Ctrl-C reaches the programs as well, which are
//! in the terminal's process group; for any other end Linux sends them a signal, where `setpriv` can
//! ask for it. What then remains is a small temporary folder with a log.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

const LOG: &str = "log";

/// How much of a log an error shows.
const LOG_LINES: usize = 15;

const PAUSE: Duration = Duration::from_millis(50);

/// Half a minute of pauses: a busy machine takes a second or two.
pub(super) const PATIENCE: u32 = 600;

/// A program in a fresh folder of its own, where its output goes too.
pub(super) struct Process {
    name: String,
    child: Child,
    folder: TempDir,
}

impl Process {
    pub(super) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let log = File::create(folder.path().join(LOG)).context("cannot make a log file")?;
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share a log file")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            folder,
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so; an error when the program ends first or the tries run out.
    pub(super) fn wait_until(
        &mut self,
        state: &str,
        tries: u32,
        ready: impl Fn() -> bool,
    ) -> Result<()> {
        for _ in 0..tries {
            if let Some(status) = self.ended()? {
                bail!("{} ended with {status}{}", self.name, self.log_end());
            }
            if ready() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        bail!("{} is not {state}{}", self.name, self.log_end());
    }

    /// Waits for the program to end; any exit code but 0 is an error, and so is no end in sight.
    pub(super) fn finish(mut self, tries: u32) -> Result<()> {
        for _ in 0..tries {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("{} ended with {status}{}", self.name, self.log_end()),
                None => thread::sleep(PAUSE),
            }
        }
        bail!("{} does not end{}", self.name, self.log_end());
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot see whether {} runs", self.name))
    }

    fn log_end(&self) -> String {
        match fs::read(self.folder.path().join(LOG)) {
            Ok(log) => describe_log(&String::from_utf8_lossy(&log)),
            Err(error) => format!("; its log cannot be read: {error}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a program that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command for a program that Linux ends together with the thread that starts it. Without a
/// `setpriv` that knows how (util-linux 2.33), the plain program.
pub(super) fn bound_to_this_thread(program: &str) -> Command {
    const ASK: [&str; 2] = ["--pdeathsig", "TERM"];
    let known = Command::new("setpriv")
        .args(ASK)
        .arg("true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !known {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(ASK).arg(program);
    command
}

fn describe_log(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    if lines.is_empty() {
        return "; its log is empty".to_owned();
    }
    let end = lines.split_at(lines.len().saturating_sub(LOG_LINES)).1;
    format!("; its log ends:\n{}", end.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::process::Command;

    use super::{PATIENCE, Process, bound_to_this_thread, describe_log};

    fn shell(script: &str) -> Process {
        Process::start("the program", Command::new("sh").args(["-c", script])).unwrap()
    }

    /// Signal 0 asks only whether the process is there.
    fn is_running(id: u32) -> bool {
        Command::new("sh")
            .args(["-c", &format!("kill -0 {id}")])
            .output()
            .unwrap()
            .status
            .success()
    }

    #[test]
    fn a_program_and_its_folder_are_gone_after_the_drop() {
        let process = shell("exec sleep 600");
        let (id, folder) = (process.id(), process.folder.path().to_owned());
        assert!(is_running(id) && folder.exists());
        drop(process);
        assert!(!is_running(id));
        assert!(!folder.exists());
    }

    #[test]
    fn a_program_is_gone_after_a_panic() {
        let process = shell("exec sleep 600");
        let id = process.id();
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _process = process;
            panic!("a bug in a step");
        }));
        assert!(panicked.is_err());
        assert!(!is_running(id));
    }

    #[test]
    fn a_program_that_gets_ready_is_waited_for() {
        let mut process = shell("touch ready && exec sleep 600");
        let ready = process.folder.path().join("ready");
        process
            .wait_until("ready", PATIENCE, || ready.exists())
            .unwrap();
        assert!(is_running(process.id()));
    }

    #[test]
    fn a_program_that_ends_early_is_an_error_with_the_end_of_its_log() {
        let error = shell("echo port taken >&2; exit 7")
            .wait_until("ready", PATIENCE, || false)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the program ended with exit status: 7; its log ends:\nport taken"
        );
    }

    #[test]
    fn a_program_that_never_gets_ready_is_an_error() {
        let error = shell("exec sleep 600")
            .wait_until("answering", 2, || false)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the program is not answering; its log is empty"
        );
    }

    #[test]
    fn a_program_finishes_with_success_with_an_error_or_not_at_all() {
        shell("exit 0").finish(PATIENCE).unwrap();
        let failed = shell("exit 3").finish(PATIENCE).unwrap_err();
        assert!(failed.to_string().contains("exit status: 3"), "{failed}");
        let stuck = shell("exec sleep 600");
        let id = stuck.id();
        let error = stuck.finish(2).unwrap_err();
        assert!(error.to_string().contains("does not end"), "{error}");
        assert!(!is_running(id));
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error_that_names_it() {
        let started = Process::start("no-such-server", &mut Command::new("no-such-server"));
        let error = started.err().unwrap();
        assert!(error.to_string().contains("no-such-server"), "{error}");
    }

    #[test]
    fn a_bound_program_runs_with_its_arguments_under_its_own_process_id() {
        let mut command = bound_to_this_thread("sh");
        command.args(["-c", "echo $$ > id && mv id done && exec sleep 600"]);
        let mut process = Process::start("sh", &mut command).unwrap();
        let (id, done) = (process.id(), process.folder.path().join("done"));
        process
            .wait_until("done", PATIENCE, || done.exists())
            .unwrap();
        assert_eq!(fs::read_to_string(done).unwrap().trim(), id.to_string());
    }

    #[test]
    fn an_error_shows_the_last_lines_of_a_long_log() {
        let log: String = (1..=40).map(|line| format!("line {line}\n")).collect();
        let end = describe_log(&log);
        assert!(end.starts_with("; its log ends:\nline 26\n"), "{end}");
        assert!(end.ends_with("line 40"), "{end}");
    }
}
