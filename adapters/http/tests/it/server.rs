//! A server on the loopback that answers what a test tells it and keeps what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use bursar_http::{OpenAiClient, OpenAiSettings};
use serde_json::Value;
use tokio::net::TcpListener;

/// What the server answers.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

#[derive(Clone)]
struct Shared {
    answer: Answer,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            answer,
            asked: Arc::clone(&asked),
        };
        let routes = Router::new()
            .route("/v1/chat/completions", post(respond))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, asked }
    }

    pub(crate) fn client(&self) -> OpenAiClient {
        let settings = OpenAiSettings::new(&self.url)
            .api_key("sk-test")
            .header("x-team", "billing");
        OpenAiClient::new(settings).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn respond(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body = serde_json::from_slice(&body).unwrap();
    shared.asked.lock().unwrap().push(Asked { headers, body });
    let mut response =
        Response::builder().status(StatusCode::from_u16(shared.answer.status).unwrap());
    for (name, value) in &shared.answer.headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(shared.answer.body)).unwrap()
}
