//! The client of one endpoint.

use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use bursar_model_router::{
    ChatAnswer, ChatRequest, ChatStream, ClientError, ModelClient, ModelId, OpenAiBody,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::error;
use crate::settings::{OpenAiSettings, SettingsError};
use crate::stream;

/// Asks models behind an endpoint that is compatible with OpenAI's chat completions. Cheap to clone; the
/// clones share their connections.
#[derive(Debug, Clone)]
pub struct OpenAiClient {
    http: Client,
    url: String,
    body: OpenAiBody,
}

impl OpenAiClient {
    /// A client of this endpoint. Nothing is sent.
    ///
    /// # Errors
    /// [`SettingsError`] that names the setting.
    pub fn new(settings: OpenAiSettings) -> Result<Self, SettingsError> {
        let url = url(&settings.base_url)?;
        // Without a provider of its own the process takes ring; one that was chosen before is kept, and
        // the answer says so.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .default_headers(headers(&settings)?)
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.read_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(SettingsError::Client)?;
        let body = OpenAiBody {
            token_limit: settings.token_limit,
        };
        Ok(Self { http, url, body })
    }

    async fn send(&self, body: &Value) -> Result<Response, ClientError> {
        let sent = self.http.post(&self.url).json(body).send().await;
        let response = sent.map_err(error::of_transport)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap_or_default();
        Err(error::of_status(status, &headers, &body, now()))
    }
}

#[async_trait]
impl ModelClient for OpenAiClient {
    async fn invoke(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatAnswer, ClientError> {
        let begin = started();
        let body = self.body.write(model, request).map_err(error::of_request)?;
        let response = self.send(&body).await?;
        let body = response
            .json::<Value>()
            .await
            .map_err(error::of_transport)?;
        let answer = OpenAiBody::read(model, &body).map_err(error::of_response)?;
        Ok(answer.latency(begin.elapsed()))
    }

    async fn stream(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatStream, ClientError> {
        let mut body = self.body.write(model, request).map_err(error::of_request)?;
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let response = self.send(&body).await?;
        Ok(stream::events(model.clone(), response.bytes_stream()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an adapter reads the clock: `Retry-After` may be a date"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "an adapter reads the clock: it tells how long an answer took"
)]
fn started() -> Instant {
    Instant::now()
}

fn url(base_url: &str) -> Result<String, SettingsError> {
    let parsed = reqwest::Url::parse(base_url).ok();
    let is_http = parsed.is_some_and(|url| matches!(url.scheme(), "https" | "http"));
    if !is_http {
        let url = base_url.to_owned();
        return Err(SettingsError::Url { url });
    }
    Ok(format!(
        "{}/chat/completions",
        base_url.trim_end_matches('/')
    ))
}

fn headers(settings: &OpenAiSettings) -> Result<HeaderMap, SettingsError> {
    let mut headers = HeaderMap::new();
    let key = settings
        .api_key
        .iter()
        .map(|key| ("authorization", format!("Bearer {key}")));
    let others = settings
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    for (name, value) in key.chain(others) {
        let refused = |_| SettingsError::Header {
            name: name.to_owned(),
        };
        let mut value = HeaderValue::from_str(&value).map_err(|_| refused(()))?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused(()))?;
        headers.insert(name, value);
    }
    Ok(headers)
}
