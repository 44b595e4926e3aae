//! What if a replica takes the place of its master?

use std::fs;
use std::process::{Child, Command, Stdio};

use bursar_redis::RedisStore;
use tempfile::TempDir;
use tokio::time::Instant;

use super::impatient;
use super::load::{BURST, Scene};
use super::proxy::{Network, Proxy};
use crate::server::{Server, eventually, free_port};

/// A Sentinel that alone decides that a master has died, half a second after its last answer.
struct Sentinel {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Sentinel {
    fn start(master: &Server) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let path = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor limits 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds limits 500\n\
             sentinel failover-timeout limits 3000\n",
            folder.path().display(),
            master.port()
        );
        fs::write(&path, text).unwrap();
        let child = Command::new("redis-server")
            .arg(&path)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A master and a replica that follows it.
fn pair() -> Option<(Server, Server)> {
    let master = Server::start()?;
    let replica = follower(master.port())?;
    Some((master, replica))
}

/// A replica that follows what is behind the port.
fn follower(port: u16) -> Option<Server> {
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &port.to_string()])?;
    eventually("the replica follows", || {
        replica
            .cli(&["info", "replication"])
            .contains("master_link_status:up")
    });
    Some(replica)
}

/// Waits until the replica has what the master has written so far: it takes writes in their order,
/// and a fresh one begins up to a second after its copy.
fn in_step(master: &Server, replica: &Server) {
    assert_eq!(master.cli(&["set", "probe", "1"]), "OK\n");
    eventually("the replica is in step", || {
        replica.cli(&["exists", "probe"]) == "1\n"
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_replica_promoted_that_lags_behind() {
    let Some(mut master) = Server::start() else {
        return;
    };
    let replication = Proxy::start(master.port()).await;
    let port = replication.port();
    let replica = tokio::task::block_in_place(|| follower(port)).unwrap();
    let proxy = Proxy::start(master.port()).await;
    // From here on the replica learns nothing of what passes.
    replication.set(Network::Holds);
    let url = proxy.url();
    let store = || RedisStore::single(&url, impatient()).unwrap();
    let mut scene = Scene::start("master killed, its replica lags behind", store).await;
    let fault = Instant::now();
    master.kill();
    replication.set(Network::Cuts);
    scene.felt_since(fault).await;
    assert_eq!(replica.cli(&["replicaof", "no", "one"]), "OK\n");
    proxy.redirect(replica.port());
    scene.recovered_since(Instant::now()).await;
    let verdict = scene.judge(BURST).await;
    assert!(verdict.excess > 0.0, "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_replica_promoted_by_hand() {
    let Some((mut master, replica)) = pair() else {
        return;
    };
    let proxy = Proxy::start(master.port()).await;
    let url = proxy.url();
    let store = || RedisStore::single(&url, impatient()).unwrap();
    let mut scene = Scene::start("master killed, REPLICAOF NO ONE", store).await;
    in_step(&master, &replica);
    let fault = Instant::now();
    master.kill();
    scene.felt_since(fault).await;
    assert_eq!(replica.cli(&["replicaof", "no", "one"]), "OK\n");
    proxy.redirect(replica.port());
    scene.recovered_since(Instant::now()).await;
    scene.judge(BURST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_connected_to_a_server_that_becomes_a_replica() {
    let Some((master, replica)) = pair() else {
        return;
    };
    let proxy = Proxy::start(master.port()).await;
    let url = proxy.url();
    let store = || RedisStore::single(&url, impatient()).unwrap();
    let mut scene = Scene::start("roles swapped", store).await;
    in_step(&master, &replica);
    let fault = Instant::now();
    // The connections stay, and what is at their other end may not be written to any more.
    let port = replica.port().to_string();
    assert_eq!(replica.cli(&["replicaof", "no", "one"]), "OK\n");
    assert_eq!(master.cli(&["replicaof", "127.0.0.1", &port]), "OK\n");
    scene.felt_since(fault).await;
    proxy.redirect(replica.port());
    scene.recovered_since(Instant::now()).await;
    scene.judge(BURST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_replica_promoted_by_sentinel() {
    let Some((mut master, replica)) = pair() else {
        return;
    };
    let sentinel = Sentinel::start(&master);
    eventually("Sentinel knows the replica", || {
        let known = sentinel.cli(&["sentinel", "replicas", "limits"]);
        known.contains(&replica.port().to_string())
    });
    let url = sentinel.url();
    let store = || RedisStore::sentinel(&[&url], "limits", impatient()).unwrap();
    let mut scene = Scene::start("master killed, Sentinel promotes", store).await;
    in_step(&master, &replica);
    let fault = Instant::now();
    master.kill();
    scene.felt_since(fault).await;
    eventually("the replica is promoted", || {
        replica.cli(&["role"]).starts_with("master")
    });
    scene.recovered_since(Instant::now()).await;
    scene.judge(BURST).await;
}
