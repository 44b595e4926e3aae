//! Does it hold in a real server, with clients that come and go?

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use bursar_ratelimit::{
    Budget, Concurrency, Limit, Limits, MemoryStore, Request, Timestamp, Unit, Usage,
};
use bursar_tower::{Extractor, RateLimitLayer, ReservationHandle};
use bytes::Bytes;
use http_body_util::channel::Channel;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::limit;

type Sender = http_body_util::channel::Sender<Bytes>;

/// What the handler that streams gives to the test.
type Streams = tokio::sync::mpsc::UnboundedSender<(Sender, ReservationHandle)>;

async fn stream(
    State(streams): State<Streams>,
    axum::Extension(reservation): axum::Extension<ReservationHandle>,
) -> Body {
    let (sender, body) = Channel::new(4);
    streams.send((sender, reservation)).unwrap();
    Body::new(body)
}

async fn serve(
    layer: RateLimitLayer,
) -> (
    SocketAddr,
    tokio::sync::mpsc::UnboundedReceiver<(Sender, ReservationHandle)>,
) {
    let (streams, taken) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new()
        .route("/", get(async || "pong"))
        .route("/stream", get(stream))
        .with_state(streams)
        .layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, taken)
}

/// A client that has sent its request and read the head of the answer.
struct Client {
    connection: BufReader<TcpStream>,
    head: String,
}

impl Client {
    async fn get(address: SocketAddr, path: &str) -> Self {
        let mut connection = BufReader::new(TcpStream::connect(address).await.unwrap());
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(connection.read_line(&mut head).await.unwrap(), 0, "{head}");
        }
        Self { connection, head }
    }

    fn status(&self) -> &str {
        &self.head[9..12]
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    async fn rest(mut self) -> String {
        let mut rest = String::new();
        self.connection.read_to_string(&mut rest).await.unwrap();
        rest
    }
}

fn calls(at_once: u64) -> Limit {
    let quota = Concurrency::new(at_once, Duration::from_secs(600)).unwrap();
    limit("calls", Unit::REQUESTS, quota)
}

fn layer(store: &Arc<MemoryStore>, limits: impl IntoIterator<Item = Limit>) -> RateLimitLayer {
    let extractor = Extractor::new().fixed_cost(Unit::TOKENS, 100);
    let limits = Limits::new(limits).unwrap();
    RateLimitLayer::new(Arc::clone(store) as _, limits, extractor)
}

/// What is left of the first limit.
fn left(store: &MemoryStore, layer: &RateLimitLayer) -> u64 {
    let limits = layer.limits().load();
    let request = Request::new().cost(Unit::TOKENS, 0);
    let charges = limits.resolve(&request).unwrap();
    // A stock does not ask what time it is, as long as it is early.
    let peeked = store.peek(&charges, Timestamp::ZERO).unwrap();
    peeked.statuses()[0].remaining()
}

/// Asks until the answer is yes, for ten seconds at most.
async fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    for _ in 0..1_000 {
        if is_so() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn axum_serves_and_refuses() {
    let store = Arc::new(MemoryStore::default());
    let quota = bursar_ratelimit::Rate::new(2, Duration::from_secs(86_400)).unwrap();
    let (address, _streams) = serve(layer(&store, [limit("daily", Unit::REQUESTS, quota)])).await;
    // One in half a day, of which not much passes meanwhile.
    let half_a_day = 43_000..=43_200;
    for left in ["1", "0"] {
        let client = Client::get(address, "/").await;
        assert_eq!(client.status(), "200");
        let limits = client.header("ratelimit").unwrap();
        let time = limits.strip_prefix(&format!("\"daily\";r={left};t="));
        assert!(
            half_a_day.contains(&time.unwrap().parse().unwrap()),
            "{limits}"
        );
        assert_eq!(client.rest().await, "pong");
    }
    let client = Client::get(address, "/").await;
    assert_eq!(client.status(), "429");
    let wait = client.header("retry-after").unwrap();
    assert!(half_a_day.contains(&wait.parse().unwrap()), "{wait}");
    assert_eq!(
        client.header("content-type"),
        Some("application/problem+json")
    );
    let length: usize = client.header("content-length").unwrap().parse().unwrap();
    let problem = client.rest().await;
    assert_eq!(problem.len(), length);
    assert!(
        problem.contains("\"violated-policies\":[\"daily\"]"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_call_ends_with_its_body() {
    let store = Arc::new(MemoryStore::default());
    let layer = layer(&store, [calls(1)]);
    let (address, mut streams) = serve(layer.clone()).await;
    let client = Client::get(address, "/stream").await;
    let (mut sender, _) = streams.recv().await.unwrap();
    assert_eq!(Client::get(address, "/").await.status(), "429");
    sender.send_data(Bytes::from_static(b"word")).await.unwrap();
    drop(sender);
    assert!(client.rest().await.contains("word"));
    assert!(eventually(|| left(&store, &layer) == 1).await);
    assert_eq!(Client::get(address, "/").await.status(), "200");
}

#[tokio::test]
async fn a_call_ends_when_its_client_has_gone() {
    let store = Arc::new(MemoryStore::default());
    let layer = layer(&store, [calls(1)]);
    let (address, mut streams) = serve(layer.clone()).await;
    let client = Client::get(address, "/stream").await;
    let (mut sender, _) = streams.recv().await.unwrap();
    sender.send_data(Bytes::from_static(b"word")).await.unwrap();
    assert_eq!(left(&store, &layer), 0);
    drop(client);
    assert!(eventually(|| left(&store, &layer) == 1).await);
    assert_eq!(Client::get(address, "/").await.status(), "200");
}

#[tokio::test]
async fn a_stream_is_charged_in_steps_and_settled_with_what_was_sent() {
    let store = Arc::new(MemoryStore::default());
    let budget = Budget::new(1_000, Duration::from_secs(600)).unwrap();
    let layer = layer(&store, [limit("budget", Unit::TOKENS, budget)]);
    let (address, mut streams) = serve(layer.clone()).await;
    let client = Client::get(address, "/stream").await;
    let (mut sender, reservation) = streams.recv().await.unwrap();
    for used in [50, 150, 250] {
        sender
            .send_data(Bytes::from_static(b"word "))
            .await
            .unwrap();
        let usage = Usage::new().with(Unit::TOKENS, used);
        let _ = reservation.step(&usage).await.unwrap();
        assert_eq!(left(&store, &layer), 1_000 - used.max(100));
    }
    drop(client);
    assert!(eventually(|| reservation.is_settled()).await);
    assert_eq!(left(&store, &layer), 750);
}

#[tokio::test]
async fn no_call_is_lost_when_many_clients_come_and_go() {
    let store = Arc::new(MemoryStore::default());
    let layer = layer(&store, [calls(8)]);
    let (address, mut streams) = serve(layer.clone()).await;
    let senders = tokio::spawn(async move {
        // Every stream says one word; every other one then waits for its client to go.
        let mut open = Vec::new();
        while let Some((mut sender, _)) = streams.recv().await {
            let _ = sender.send_data(Bytes::from_static(b"word")).await;
            if open.len() % 2 == 0 {
                open.push(Some(sender));
            } else {
                open.push(None);
            }
        }
    });
    let clients = (0..200).map(|number| {
        tokio::spawn(async move {
            let path = ["/", "/stream"][number % 2];
            let client = Client::get(address, path).await;
            matches!(client.status(), "200" | "429")
        })
    });
    for client in clients.collect::<Vec<_>>() {
        assert!(client.await.unwrap());
    }
    assert!(eventually(|| left(&store, &layer) == 8).await);
    senders.abort();
}
