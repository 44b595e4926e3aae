//! What if the one server crashes, stalls or forgets?

use std::time::Duration;

use bursar_redis::RedisStore;
use tokio::time::{Instant, sleep};

use super::load::{BURST, Outcome, Scene};
use super::{impatient, patient};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_killed_and_restarted_without_persistence() {
    killed_and_restarted("killed, restarted empty", &[], BURST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_killed_and_restarted_with_persistence() {
    killed_and_restarted("killed, restarted with AOF", &["--appendonly", "yes"], 0).await;
}

async fn killed_and_restarted(name: &'static str, arguments: &[&str], term: u64) {
    let Some(mut server) = Server::start_with(arguments) else {
        return;
    };
    let url = server.url();
    let mut scene = Scene::start(name, || RedisStore::single(&url, impatient()).unwrap()).await;
    let fault = Instant::now();
    server.kill();
    scene.felt_since(fault).await;
    server.restart();
    scene.recovered_since(Instant::now()).await;
    let verdict = scene.judge(term).await;
    assert!(verdict.counts[&Outcome::PolicyOpen] > 0);
    if term > 0 {
        // Or this test would not tell whether the server had forgotten.
        assert!(verdict.excess > 0.0, "{verdict:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_stopped_for_two_seconds() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.url();
    let store = || RedisStore::single(&url, impatient()).unwrap();
    let mut scene = Scene::start("SIGSTOP for 2 s", store).await;
    let fault = Instant::now();
    server.signal("STOP");
    scene.felt_since(fault).await;
    sleep(Duration::from_secs(2)).await;
    server.signal("CONT");
    scene.recovered_since(Instant::now()).await;
    scene.judge(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_clients_paused() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.url();
    let store = || RedisStore::single(&url, impatient()).unwrap();
    let mut scene = Scene::start("CLIENT PAUSE for 1.5 s", store).await;
    let fault = Instant::now();
    assert_eq!(server.cli(&["client", "pause", "1500", "all"]), "OK\n");
    scene.felt_since(fault).await;
    sleep(Duration::from_millis(1500).saturating_sub(fault.elapsed())).await;
    scene.recovered_since(Instant::now()).await;
    scene.judge(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_scripts_flushed() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.url();
    let store = || RedisStore::single(&url, patient()).unwrap();
    let mut scene = Scene::start("SCRIPT FLUSH, 20 times", store).await;
    for _ in 0..20 {
        assert_eq!(server.cli(&["script", "flush"]), "OK\n");
        sleep(Duration::from_millis(10)).await;
    }
    scene.recovered_since(Instant::now()).await;
    let verdict = scene.judge(0).await;
    assert!(verdict.is_undisturbed(), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_data_flushed() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.url();
    let store = || RedisStore::single(&url, patient()).unwrap();
    let mut scene = Scene::start("FLUSHALL", store).await;
    assert_eq!(server.cli(&["flushall"]), "OK\n");
    scene.recovered_since(Instant::now()).await;
    let verdict = scene.judge(BURST).await;
    assert!(verdict.is_undisturbed(), "{verdict:?}");
    assert!(verdict.excess > 0.0, "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_connections_killed() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.url();
    let store = || RedisStore::single(&url, impatient()).unwrap();
    let mut scene = Scene::start("CLIENT KILL TYPE normal, 5 times", store).await;
    for _ in 0..5 {
        let killed: u32 = server
            .cli(&["client", "kill", "type", "normal"])
            .trim()
            .parse()
            .unwrap();
        assert!(killed > 0);
        sleep(Duration::from_millis(50)).await;
    }
    scene.recovered_since(Instant::now()).await;
    scene.judge(0).await;
}
