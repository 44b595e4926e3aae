//! What if the server's clock is set? A server whose clock a test moves while it runs.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::server::Server;

/// The wall clock of one server; its monotonic clock goes on as it should.
pub(crate) struct Clock {
    folder: TempDir,
}

impl Clock {
    /// A server and its clock, `None` (said loudly) where the server or libfaketime is missing.
    pub(crate) fn start() -> Option<(Server, Self)> {
        let Some(library) = library() else {
            eprintln!(
                "\n!!! SKIPPED: libfaketime is not installed, so NOTHING IS TESTED HERE; \
                 install it (Debian: apt-get install faketime) !!!\n"
            );
            return None;
        };
        let clock = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        clock.write("+0");
        // jemalloc asks for the time before libfaketime can answer, which ends in a deadlock; with
        // the C library second in the list its malloc is taken instead.
        let preload = format!("LD_PRELOAD={} libc.so.6", library.display());
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", clock.file().display());
        let launcher = [
            "env",
            &preload,
            &file,
            "FAKETIME_NO_CACHE=1",
            "DONT_FAKE_MONOTONIC=1",
        ];
        let server = Server::start_under(&launcher, &[])?;
        Some((server, clock))
    }

    /// Sets the clock to so many seconds beside the true time, and checks that the server's clock
    /// has moved by so much.
    pub(crate) fn set(&self, server: &Server, from: f64, to: f64) {
        let before = seconds(server);
        self.write(&format!("{to:+}"));
        let moved = seconds(server) - before;
        assert!(
            (moved - (to - from)).abs() < 1.5,
            "the server's clock moved by {moved} s, not from {from} to {to}"
        );
    }

    /// The file is replaced as a whole, so that the server never reads a part of it.
    fn write(&self, offset: &str) {
        let fresh = self.folder.path().join("fresh");
        fs::write(&fresh, offset).unwrap();
        fs::rename(fresh, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}

/// Where Debian keeps it, for any architecture.
fn library() -> Option<PathBuf> {
    let mut folders = fs::read_dir("/usr/lib").ok()?;
    folders.find_map(|folder| {
        let library = folder.ok()?.path().join("faketime/libfaketime.so.1");
        library.exists().then_some(library)
    })
}

fn seconds(server: &Server) -> f64 {
    let time = server.cli(&["time"]);
    let mut parts = time.split_whitespace().map(|part| part.parse::<f64>());
    let (seconds, micros) = (parts.next().unwrap(), parts.next().unwrap());
    seconds.unwrap() + micros.unwrap() / 1e6
}
