//! Which server answers? One that the bench starts itself on a free port, and stops again.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, Connection};
use tempfile::TempDir;

use crate::Failure;

const PAUSE: Duration = Duration::from_millis(20);
/// How often the server is asked whether it answers.
const PATIENCE: u32 = 500;

/// A server without persistence, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    url: String,
    client: Client,
    _folder: TempDir,
}

impl Server {
    /// A fresh server; `None`, said loudly, where none is installed.
    pub(crate) fn start() -> Result<Option<Self>, Failure> {
        let version = Command::new("redis-server").arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            say_missing();
            return Ok(None);
        }
        // Somebody else may take the port in between, and then another one is tried.
        for _ in 0..10 {
            let mut server = Self::launch(free_port()?)?;
            if server.answers()? {
                return Ok(Some(server));
            }
        }
        Err("redis-server does not start on any port".into())
    }

    fn launch(port: u16) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(folder.path())
            .stdout(fs::File::create(folder.path().join("log"))?)
            .stderr(Stdio::null())
            .spawn()?;
        let url = format!("redis://127.0.0.1:{port}");
        let client = Client::open(url.as_str())?;
        Ok(Self {
            child,
            url,
            client,
            _folder: folder,
        })
    }

    /// Waits until it answers; `false` if it ends before.
    fn answers(&mut self) -> Result<bool, Failure> {
        for _ in 0..PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            if self.client.get_connection().is_ok() {
                return Ok(true);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(false)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn connections(
        &self,
        count: usize,
    ) -> Result<Vec<MultiplexedConnection>, Failure> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(self.client.get_multiplexed_async_connection().await?);
        }
        Ok(connections)
    }

    /// A connection that asks the server how it fares.
    pub(crate) fn probe(&self) -> Result<Probe, Failure> {
        let mut connection = self.client.get_connection()?;
        let info: String = redis::cmd("INFO").arg("server").query(&mut connection)?;
        let version = field(&info, "redis_version:").unwrap_or("unknown");
        Ok(Probe {
            version: version.to_owned(),
            connection,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server and this process have spent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// In commands, a script with all that it calls being one, since the last [`Probe::reset`].
    pub(crate) in_commands: Duration,
    pub(crate) server_cpu: Duration,
    /// `None` where the system does not tell.
    pub(crate) client_cpu: Option<Duration>,
}

pub(crate) struct Probe {
    pub(crate) version: String,
    connection: Connection,
}

impl Probe {
    pub(crate) fn reset(&mut self) -> Result<(), Failure> {
        redis::cmd("CONFIG")
            .arg("RESETSTAT")
            .exec(&mut self.connection)?;
        Ok(())
    }

    pub(crate) fn spent(&mut self) -> Result<Spent, Failure> {
        let mut info = |section: &str| -> Result<String, Failure> {
            let mut command = redis::cmd("INFO");
            Ok(command.arg(section).query(&mut self.connection)?)
        };
        let commands = info("commandstats")?;
        let cpu = info("cpu")?;
        let seconds = |name| field(&cpu, name)?.parse::<f64>().ok();
        let [user, system] = ["used_cpu_user:", "used_cpu_sys:"].map(seconds);
        let server_cpu = user.zip(system).ok_or("no CPU time in INFO cpu")?;
        Ok(Spent {
            in_commands: Duration::from_micros(command_micros(&commands)),
            server_cpu: Duration::from_secs_f64(server_cpu.0 + server_cpu.1),
            client_cpu: client_cpu(),
        })
    }
}

/// The rest of the line that begins so.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.trim().strip_prefix(name))
}

/// Time in all commands that clients sent; those that a script ran are part of its own time.
fn command_micros(commands: &str) -> u64 {
    const MEASURED: [&str; 5] = ["ping", "set", "incr", "eval", "evalsha"];
    let micros = |name: &str| {
        let line = field(commands, &format!("cmdstat_{name}:"))?;
        let usec = line
            .split(',')
            .find_map(|part| part.strip_prefix("usec="))?;
        usec.parse::<u64>().ok()
    };
    MEASURED.iter().filter_map(|name| micros(name)).sum()
}

/// CPU time of all threads of this process: fields 14 and 15 of `/proc/self/stat`, in hundredths of a
/// second on every Linux there is.
fn client_cpu() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let ticks = next()? + next()?;
    Some(Duration::from_millis(ticks * 10))
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

#[expect(clippy::print_stderr, reason = "a bench that does not run must say so")]
fn say_missing() {
    eprintln!(
        "\n!!! SKIPPED: `redis-server` is not installed, so NOTHING IS MEASURED HERE; \
         install it (Debian: apt-get install redis-server) !!!\n"
    );
}
