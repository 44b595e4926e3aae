//! What does a bad network do to a connection? A relay that holds, swallows, cuts and redirects.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// It works.
    Works,
    /// Nothing arrives until it works again, and then everything.
    Holds,
    /// Requests arrive and answers do not; connections end when it works again.
    SwallowsAnswers,
    /// Every connection is cut at once, also new ones.
    Cuts,
}

/// A relay in front of a server.
pub(crate) struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    network: watch::Sender<Network>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(target));
        let network = watch::Sender::new(Network::Works);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&target), network.subscribe()));
        Self {
            port,
            target,
            network,
            accepting,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, network: Network) {
        self.network.send_replace(network);
    }

    /// Where new connections go.
    pub(crate) fn redirect(&self, target: u16) {
        self.target.store(target, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: Arc<AtomicU16>, network: watch::Receiver<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        let port = target.load(Ordering::Relaxed);
        tokio::spawn(relay(client, port, network.clone()));
    }
}

/// Relays a connection until one side closes it or the network cuts it.
async fn relay(client: TcpStream, port: u16, network: watch::Receiver<Network>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let (requests, answers_to) = client.into_split();
    let (answers, requests_to) = server.into_split();
    tokio::select! {
        () = pump(requests, requests_to, network.clone(), false) => {}
        () = pump(answers, answers_to, network.clone(), true) => {}
        () = cut(network) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut network: watch::Receiver<Network>,
    answers: bool,
) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let arrives = |now: &Network| *now != Network::Holds;
        let Ok(now) = network.wait_for(arrives).await.map(|now| *now) else {
            return;
        };
        if now == Network::Cuts {
            return;
        }
        let swallowed = answers && now == Network::SwallowsAnswers;
        if !swallowed && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Ends when the connection must. One that has lost bytes cannot go on.
async fn cut(mut network: watch::Receiver<Network>) {
    let breaks = |now: &Network| matches!(now, Network::Cuts | Network::SwallowsAnswers);
    let swallows = matches!(
        network.wait_for(breaks).await.as_deref(),
        Ok(Network::SwallowsAnswers)
    );
    if swallows {
        let _ = network
            .wait_for(|now| *now != Network::SwallowsAnswers)
            .await;
    }
}
