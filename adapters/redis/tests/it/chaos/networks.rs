//! What if the server is well and the network is not?

use std::time::Duration;

use bursar_redis::RedisStore;
use tokio::time::{Instant, sleep};

use super::impatient;
use super::load::Scene;
use super::proxy::{Network, Proxy};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_network_holds_everything_back() {
    disturbed("network holds back for 1.5 s", Network::Holds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_network_swallows_answers() {
    disturbed("answers swallowed for 1.5 s", Network::SwallowsAnswers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_network_cuts_connections() {
    disturbed("connections cut for 1.5 s", Network::Cuts).await;
}

async fn disturbed(name: &'static str, network: Network) {
    let Some(server) = Server::start() else {
        return;
    };
    let proxy = Proxy::start(server.port()).await;
    let url = proxy.url();
    let mut scene = Scene::start(name, || RedisStore::single(&url, impatient()).unwrap()).await;
    let fault = Instant::now();
    proxy.set(network);
    scene.felt_since(fault).await;
    sleep(Duration::from_millis(1500).saturating_sub(fault.elapsed())).await;
    proxy.set(Network::Works);
    scene.recovered_since(Instant::now()).await;
    scene.judge(0).await;
}
