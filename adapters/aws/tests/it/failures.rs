//! Calls that have no answer.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use bursar_aws::{BedrockClient, SdkConfig, http_client};
use bursar_model_router::{
    ChatRequest, ClientError, ErrorClass, Image, ImageSource, ImageType, Message, ModelClient,
    ModelId,
};

use crate::server::{Answer, Server, config};

async fn ask(config: &SdkConfig, request: &ChatRequest) -> ClientError {
    let model = ModelId::new("amazon.nova-lite-v1:0").unwrap();
    let client = BedrockClient::new(config);
    client.invoke(&model, request).await.unwrap_err()
}

#[tokio::test]
async fn exceptions_have_their_classes_and_one_call_is_one_request() {
    for (status, name, message, class) in [
        (
            429,
            "ThrottlingException",
            "Too many tokens, please wait.",
            ErrorClass::Throttled,
        ),
        (
            408,
            "ModelTimeoutException",
            "timed out",
            ErrorClass::Timeout,
        ),
        (
            500,
            "InternalServerException",
            "sorry",
            ErrorClass::Unavailable,
        ),
        (
            503,
            "ServiceUnavailableException",
            "sorry",
            ErrorClass::Overloaded,
        ),
        (
            429,
            "ModelNotReadyException",
            "not ready",
            ErrorClass::Overloaded,
        ),
        (424, "ModelErrorException", "failed", ErrorClass::Unknown),
        (
            404,
            "ResourceNotFoundException",
            "no such model",
            ErrorClass::ModelMissing,
        ),
        (
            403,
            "AccessDeniedException",
            "You don't have access",
            ErrorClass::Denied,
        ),
        (
            403,
            "UnrecognizedClientException",
            "invalid token",
            ErrorClass::Denied,
        ),
        (
            400,
            "RequestExpired",
            "the date stamp is old",
            ErrorClass::Denied,
        ),
        (
            400,
            "ValidationError",
            "too many total text bytes: 30000000 > 25000000",
            ErrorClass::ContextTooLong,
        ),
        (
            400,
            "ServiceQuotaExceededException",
            "quota",
            ErrorClass::Denied,
        ),
        (
            400,
            "ValidationException",
            "temperature is wrong",
            ErrorClass::Invalid,
        ),
        (
            400,
            "ValidationException",
            "Input is too long for requested model.",
            ErrorClass::ContextTooLong,
        ),
        (
            400,
            "ValidationException",
            "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
            ErrorClass::ContextTooLong,
        ),
        (
            400,
            "ValidationException",
            "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
            ErrorClass::ContextTooLong,
        ),
        (
            400,
            "ValidationException",
            "The model returned the following errors: Output blocked by content filtering policy",
            ErrorClass::ContentFiltered,
        ),
        (
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            ErrorClass::ModelMissing,
        ),
        (
            400,
            "ValidationException",
            "Invocation of model ID x with on-demand throughput isn\u{2019}t supported.",
            ErrorClass::ModelMissing,
        ),
        (502, "SomethingNew", "", ErrorClass::Unavailable),
        (418, "SomethingNew", "", ErrorClass::Unknown),
    ] {
        let server = Server::saying(Answer::exception(status, name, message)).await;
        let error = ask(&server.config(), &ChatRequest::user("Hello")).await;
        assert_eq!(error.class, class, "{name}: {error:?}");
        assert!(error.message.contains(message), "{name}: {error}");
        assert_eq!(server.asked().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_stream_that_does_not_begin_is_an_error_of_the_call() {
    let answer = Answer::exception(429, "ThrottlingException", "slow down");
    let server = Server::saying(answer).await;
    let client = BedrockClient::new(&server.config());
    let model = ModelId::new("amazon.nova-lite-v1:0").unwrap();
    let request = ChatRequest::user("Hello");
    let error = client.stream(&model, &request).await.err().unwrap();
    assert_eq!(error.class, ErrorClass::Throttled);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn the_time_to_come_back_is_read() {
    let answer = Answer::exception(429, "ThrottlingException", "slow down");
    let server = Server::saying(answer.header("retry-after", "7")).await;
    let error = ask(&server.config(), &ChatRequest::user("Hello")).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_answer() {
    for body in ["<html>", "{}"] {
        let server = Server::saying(Answer::new(200, body)).await;
        let error = ask(&server.config(), &ChatRequest::user("Hello")).await;
        assert_eq!(error.class, ErrorClass::Unknown, "{body}: {error:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    // tcpmux, which no system has served for decades.
    let error = ask(&config("http://127.0.0.1:1"), &ChatRequest::user("Hello")).await;
    assert_eq!(error.class, ErrorClass::Unavailable, "{error:?}");
}

#[tokio::test]
async fn without_credentials_access_is_denied() {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url("http://127.0.0.1:1")
        .http_client(http_client())
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(
                aws_credential_types::credential_fn::provide_credentials_fn(|| async {
                    Err(aws_credential_types::provider::error::CredentialsError::not_loaded("none"))
                }),
            ),
        )
        .build();
    let error = ask(&config, &ChatRequest::user("Hello")).await;
    assert_eq!(error.class, ErrorClass::Denied, "{error:?}");
    assert!(!error.message.contains("secret"));
}

#[tokio::test]
async fn what_converse_does_not_take_is_not_sent() {
    let server = Server::saying(Answer::new(500, "")).await;
    let uri = "https://example.com/a.png".to_owned();
    let image = Image {
        image_type: ImageType::Png,
        source: ImageSource::Uri(uri),
    };
    for request in [
        ChatRequest::default(),
        ChatRequest::user("Hello").max_output_tokens(0),
        ChatRequest::of(vec![Message::user([image])]),
    ] {
        let error = ask(&server.config(), &request).await;
        assert_eq!(error.class, ErrorClass::Invalid, "{error:?}");
    }
    assert!(server.asked().is_empty());
}
