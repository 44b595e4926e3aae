//! Which server do tests talk to? One that the test starts itself and stops again, on a free port.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The one server and the servers of the cluster that `cargo xtask test` has started.
const SINGLE: &str = "BURSAR_REDIS_URL";
const CLUSTER: &str = "BURSAR_REDIS_CLUSTER_URLS";

/// How long a server may take to do what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// A server of a test's own, without persistence unless asked for; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    launcher: Vec<String>,
}

/// Whether `redis-server` can be started here. If not, says so loudly, since nothing is tested then.
pub(crate) fn is_installed() -> bool {
    let found = Command::new("redis-server").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!(
            "\n!!! SKIPPED: `redis-server` is not installed, so NOTHING IS TESTED HERE; \
             install it (Debian: apt-get install redis-server) !!!\n"
        );
    }
    found
}

impl Server {
    /// A fresh server, `None` where none is installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// A fresh server with further arguments, for example `["--appendonly", "yes"]`.
    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        Self::start_under(&[], arguments)
    }

    /// A fresh server that another program starts, for example `["faketime", "-f", "+1h"]`.
    pub(crate) fn start_under(launcher: &[&str], arguments: &[&str]) -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        // Somebody else may take the port in between, and then another one is tried.
        for _ in 0..10 {
            let mut server = Self {
                child: None,
                port: free_port(),
                folder: tempfile::tempdir().unwrap(),
                arguments: owned(arguments),
                launcher: owned(launcher),
            };
            if server.launch() {
                return Some(server);
            }
        }
        panic!("redis-server does not start on any port");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The process, for signals.
    pub(crate) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends it a signal: `STOP`, `CONT` or `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.process().to_string()])
            .status();
        assert!(sent.unwrap().success(), "no signal {name} was sent");
    }

    /// Starts it again on the same port, with the data that it kept.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let mut tries = 0;
        while !self.launch() {
            tries += 1;
            assert!(tries < 50, "redis-server does not start again");
            std::thread::sleep(PAUSE);
        }
    }

    /// Runs a command with `redis-cli` and returns what it prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        cli(self.port, arguments)
    }

    /// Starts the process and waits until it answers; `false` if it ends before.
    fn launch(&mut self) -> bool {
        let mut words = self.launcher.clone();
        words.push("redis-server".to_owned());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            // A replica gets its first copy at once, and not after five seconds.
            .args(["--repl-diskless-sync-delay", "0"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(fs::File::create(self.folder.path().join("log")).unwrap())
            .stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let mut answers = false;
        eventually("the server answers or ends", || {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap().is_some();
            answers = !ended && cli(self.port, &["ping"]).starts_with("PONG");
            ended || answers
        });
        answers
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Three masters of a test's own.
#[derive(Debug)]
pub(crate) struct Cluster {
    servers: Vec<Server>,
}

impl Cluster {
    /// A fresh cluster whose slots are spread over all servers, `None` where none is installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_nodes(3, &["--cluster-replicas", "0"])
    }

    /// The same with a replica for each master, which is promoted about a second after its master
    /// has died.
    pub(crate) fn start_with_replicas() -> Option<Self> {
        Self::start_nodes(6, &["--cluster-replicas", "1"])
    }

    fn start_nodes(nodes: usize, creation: &[&str]) -> Option<Self> {
        let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
        let servers: Option<Vec<Server>> =
            (0..nodes).map(|_| Server::start_with(&arguments)).collect();
        let cluster = Self { servers: servers? };
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        for server in &cluster.servers {
            create.arg(format!("127.0.0.1:{}", server.port));
        }
        let created = create.args(creation).arg("--cluster-yes").output().unwrap();
        assert!(created.status.success(), "{created:?}");
        eventually("all servers of the cluster agree", || {
            cluster.servers.iter().all(|server| {
                let info = server.cli(&["cluster", "info"]);
                let known = format!("cluster_known_nodes:{nodes}\r");
                let replication = server.cli(&["info", "replication"]);
                info.contains("cluster_state:ok")
                    && info.contains(&known)
                    && !replication.contains("master_link_status:down")
            })
        });
        Some(cluster)
    }

    pub(crate) fn servers(&mut self) -> &mut [Server] {
        &mut self.servers
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.servers.iter().map(Server::url).collect()
    }
}

/// A server for tests that do it no harm: the one that is named in the environment, or one of their
/// own.
#[derive(Debug)]
pub(crate) struct Single {
    url: String,
    _server: Option<Server>,
}

impl Single {
    pub(crate) fn find() -> Option<Self> {
        if let Ok(url) = std::env::var(SINGLE) {
            return Some(Self { url, _server: None });
        }
        let server = Server::start()?;
        Some(Self {
            url: server.url(),
            _server: Some(server),
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// The same for a cluster.
#[derive(Debug)]
pub(crate) struct SharedCluster {
    urls: Vec<String>,
    _cluster: Option<Cluster>,
}

impl SharedCluster {
    pub(crate) fn find() -> Option<Self> {
        if let Ok(urls) = std::env::var(CLUSTER) {
            let urls = urls.split(',').map(str::to_owned).collect();
            return Some(Self {
                urls,
                _cluster: None,
            });
        }
        let cluster = Cluster::start()?;
        Some(Self {
            urls: cluster.urls(),
            _cluster: Some(cluster),
        })
    }

    pub(crate) fn urls(&self) -> Vec<&str> {
        self.urls.iter().map(String::as_str).collect()
    }
}

/// A prefix that nobody else uses, for tests that share a server.
pub(crate) fn fresh_prefix() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(
        "test-{}-{:x}-{number}",
        std::process::id(),
        getrandom::u32().unwrap()
    )
}

/// Waits until something is so, and fails the test if it is not so soon.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a real server takes is real time"
    )]
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        if is_so() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("waited {PATIENCE:?} in vain until {what}");
}

fn cli(port: u16, arguments: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(arguments)
        .env_remove("REDISCLI_AUTH")
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port of which the one 10 000 above, where servers of a cluster meet, exists too.
pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 50_000 {
            return port;
        }
    }
}
