//! What if the slot of all cells moves, or its node dies?

use std::time::Duration;

use bursar_redis::RedisStore;
use tokio::time::{Instant, sleep};

use super::load::{BURST, Scene};
use super::{impatient, patient};
use crate::server::{Cluster, Server, eventually};

/// A key in the slot of all cells.
const TAG: &str = "{bursar}";

fn slot(server: &Server) -> String {
    let slot = server.cli(&["cluster", "keyslot", TAG]);
    slot.trim().to_owned()
}

fn id(server: &Server) -> String {
    server.cli(&["cluster", "myid"]).trim().to_owned()
}

/// Whether the server may write to the slot.
fn owns(server: &Server) -> bool {
    server.cli(&["setnx", "{bursar}probe", "0"]).trim() == "0"
        || server.cli(&["exists", "{bursar}probe"]).trim() == "1"
}

fn owner(servers: &[Server]) -> usize {
    servers.iter().position(owns).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_slot_moved() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = || RedisStore::cluster(&urls, patient()).unwrap();
    let mut scene = Scene::start("slot moved, key by key", store).await;
    let servers = cluster.servers();
    let from = owner(servers);
    let to = (from + 1) % servers.len();
    let began = Instant::now();
    move_slot(servers, from, to).await;
    scene.recovered_since(Instant::now()).await;
    assert_eq!(owner(servers), to);
    let verdict = scene.judge(0).await;
    eprintln!(
        "chaos | the move took {:.0?} | {verdict:?}",
        began.elapsed()
    );
}

/// Moves the slot of all cells as `redis-cli --cluster reshard` would, slowly enough for calls to
/// come in between.
async fn move_slot(servers: &[Server], from: usize, to: usize) {
    let (source, target) = (&servers[from], &servers[to]);
    let (slot, target_port) = (slot(source), target.port().to_string());
    let set = |server: &Server, state: &str, node: &str| {
        assert_eq!(
            server.cli(&["cluster", "setslot", &slot, state, node]),
            "OK\n"
        );
    };
    set(target, "importing", &id(source));
    set(source, "migrating", &id(target));
    loop {
        let keys = source.cli(&["cluster", "getkeysinslot", &slot, "1"]);
        let Some(key) = keys.lines().next().filter(|key| !key.is_empty()) else {
            break;
        };
        let moved = source.cli(&["migrate", "127.0.0.1", &target_port, key, "0", "1000"]);
        assert!(["OK\n", "NOKEY\n"].contains(&moved.as_str()), "{moved}");
        sleep(Duration::from_millis(5)).await;
    }
    set(target, "node", &id(target));
    set(source, "node", &id(target));
    for server in servers {
        eventually("every node knows the new owner", || {
            server
                .cli(&["cluster", "setslot", &slot, "node", &id(target)])
                .starts_with("OK")
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_cluster_node_killed_and_replaced() {
    let Some(mut cluster) = Cluster::start_with_replicas() else {
        return;
    };
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = || RedisStore::cluster(&urls, impatient()).unwrap();
    let mut scene = Scene::start("cluster node killed, replica promoted", store).await;
    let servers = cluster.servers();
    let killed = owner(servers);
    let fault = Instant::now();
    servers[killed].kill();
    scene.felt_since(fault).await;
    eventually("a replica is promoted", || {
        let others = servers
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != killed);
        others.map(|(_, server)| server).any(owns)
    });
    scene.recovered_since(Instant::now()).await;
    scene.judge(BURST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_cluster_roles_swapped() {
    let Some(mut cluster) = Cluster::start_with_replicas() else {
        return;
    };
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = || RedisStore::cluster(&urls, patient()).unwrap();
    let mut scene = Scene::start("CLUSTER FAILOVER", store).await;
    let servers = cluster.servers();
    let master = id(&servers[owner(servers)]);
    let replica = servers
        .iter()
        .find(|server| {
            server
                .cli(&["cluster", "nodes"])
                .contains(&format!("myself,slave {master}"))
        })
        .unwrap();
    assert_eq!(replica.cli(&["cluster", "failover"]), "OK\n");
    eventually("the replica is promoted", || owns(replica));
    scene.recovered_since(Instant::now()).await;
    // The master stops writing and waits until the replica has everything.
    scene.judge(0).await;
}
