//! How is a model on Bedrock asked?

mod answer;
mod error;
mod profile;
mod request;
mod stream;

use std::time::Instant;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::Builder;
use aws_sdk_bedrockruntime::types::{ConverseTokensRequest, CountTokensInput};
use bursar_model_router::{
    ChatAnswer, ChatRequest, ChatStream, ClientError, ErrorClass, ModelClient, ModelId,
};
use bursar_units::TokenCount;

pub use self::profile::ProfileScope;
use self::request::Request;
use crate::SdkConfig;

/// Asks models on Amazon Bedrock through Converse and ConverseStream. Cheap to clone; the clones share
/// their connections.
///
/// A model's name is whatever Converse takes as `modelId`: of a model, of an inference profile
/// ([`ProfileScope`]), or the ARN of a profile, of a prompt router, of an imported or provisioned model.
///
/// ```no_run
/// use bursar_aws::{BedrockClient, load_config};
/// use bursar_model_router::{ChatRequest, ModelClient, ModelId};
///
/// # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
/// let client = BedrockClient::new(&load_config().await);
/// let model = ModelId::new("amazon.nova-lite-v1:0")?;
/// let answer = client.invoke(&model, &ChatRequest::user("What is a spot instance?")).await?;
/// println!("{} ({:?})", answer.text(), answer.usage);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BedrockClient {
    sdk: Client,
}

impl BedrockClient {
    /// A client in the account and region of this configuration. Nothing is sent.
    ///
    /// Two settings of it are not taken over. The SDK does not retry: one call is one request, and the
    /// [`Invoker`](bursar_model_router::Invoker) knows better what to try next. And a stream may be
    /// silent for as long as the model thinks, where the SDK would take it for stalled after some seconds.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self {
            sdk: Client::from_conf(config),
        }
    }

    /// How many tokens the input of a request has, counted by the provider's own tokenizer and not
    /// billed.
    ///
    /// Bedrock counts for models and not for inference profiles (pydantic/pydantic-ai#4001, read
    /// 2026-11-27), so a profile's name is taken for its [model's](ProfileScope::base_model); its ARN is
    /// not. It does not count for every model, and for few of those that are offered through profiles alone
    /// (user guide, "Monitor your token usage by counting tokens"): that is an error of the class
    /// [`Invalid`](ErrorClass::Invalid).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn count_tokens(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<TokenCount, ClientError> {
        let request = Request::of(request)?;
        let input = ConverseTokensRequest::builder()
            .set_messages(Some(request.messages))
            .set_system(request.system)
            .set_tool_config(request.tools)
            .build();
        let model = ProfileScope::base_model(model);
        let call = self.sdk.count_tokens().model_id(model.as_str());
        let sent = call.input(CountTokensInput::Converse(input)).send().await;
        let count = sent.map_err(error::of_response)?.input_tokens;
        u64::try_from(count).map(TokenCount::new).map_err(|_| {
            let message = format!("Bedrock has counted {count} tokens");
            ClientError::new(ErrorClass::Unknown, message)
        })
    }
}

#[async_trait]
impl ModelClient for BedrockClient {
    async fn invoke(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatAnswer, ClientError> {
        let begin = started();
        let request = Request::of(request)?;
        let call = self.sdk.converse().model_id(model.as_str());
        let call = call
            .set_messages(Some(request.messages))
            .set_system(request.system)
            .set_tool_config(request.tools)
            .set_request_metadata(request.metadata)
            .inference_config(request.parameters);
        let output = call.send().await.map_err(error::of_response)?;
        Ok(answer::read(model, output)?.latency(begin.elapsed()))
    }

    async fn stream(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatStream, ClientError> {
        let request = Request::of(request)?;
        let call = self.sdk.converse_stream().model_id(model.as_str());
        let call = call
            .set_messages(Some(request.messages))
            .set_system(request.system)
            .set_tool_config(request.tools)
            .set_request_metadata(request.metadata)
            .inference_config(request.parameters);
        let output = call.send().await.map_err(error::of_response)?;
        Ok(stream::events(model.clone(), output.stream))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an adapter reads the clock: it tells how long an answer took"
)]
fn started() -> Instant {
    Instant::now()
}
