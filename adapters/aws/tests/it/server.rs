//! A server on the loopback that answers what a test tells it and keeps what it was asked.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use bursar_aws::{SdkConfig, http_client};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::net::TcpListener;

/// What the server answers.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
    /// The connection breaks off after the body, which was to be longer.
    breaks_off: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            breaks_off: false,
        }
    }

    pub(crate) fn breaking_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::new(200, body.to_string()).header("content-type", "application/json")
    }

    /// As rest-json has an exception: its name in a header, its words in the body.
    pub(crate) fn exception(status: u16, name: &'static str, message: &str) -> Self {
        let body = serde_json::json!({"message": message}).to_string();
        Self::new(status, body).header("x-amzn-errortype", name)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The path with what names of models and jobs have in it.
    pub(crate) fn path(&self) -> String {
        self.uri.path().replace("%3A", ":").replace("%2F", "/")
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.uri.query()?.split('&');
        let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.replace("%3A", ":").replace("%2F", "/"))
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// One that always says the same.
    pub(crate) async fn saying(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    pub(crate) async fn start(
        respond: impl Fn(&Asked) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let handle = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let question = Asked {
                method,
                uri,
                headers,
                body,
            };
            let answer = respond(&question);
            kept.lock().unwrap().push(question);
            response(answer)
        };
        let routes = Router::new().fallback(handle);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, asked }
    }

    pub(crate) fn config(&self) -> SdkConfig {
        config(&self.url)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) fn config(url: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client())
        .build()
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, *value);
    }
    let body = Bytes::from(answer.body);
    let body = match answer.breaks_off {
        false => Body::from(body),
        true => {
            let end = async {
                // The server sends what it has while it waits for more.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the test breaks the connection off"))
            };
            let begin = futures_util::stream::iter([Ok(body)]);
            Body::from_stream(begin.chain(futures_util::stream::once(end)))
        }
    };
    response.body(body).unwrap()
}
