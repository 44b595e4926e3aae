//! Answers that are none.

use std::time::Duration;

use bursar_http::{OpenAiClient, OpenAiSettings};
use bursar_model_router::{ChatRequest, ClientError, ErrorClass, ModelClient, ModelId};
use tokio::net::TcpListener;

use crate::server::{Answer, Server};

async fn ask(client: &OpenAiClient) -> ClientError {
    let model = ModelId::new("m").unwrap();
    client
        .invoke(&model, &ChatRequest::user("hi"))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn the_class_and_the_wait_are_the_servers() {
    let mut answer = Answer::new(
        429,
        r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#,
    );
    answer.headers = vec![("retry-after", "7")];
    let error = ask(&Server::start(answer).await.client()).await;
    assert_eq!(
        (error.class, error.retry_after),
        (ErrorClass::Throttled, Some(Duration::from_secs(7)))
    );
    assert_eq!(error.message, "HTTP 429: Rate limit reached");
}

#[tokio::test]
async fn a_stream_that_does_not_begin_is_an_error_at_once() {
    let server = Server::start(Answer::new(404, r#"{"error":{"code":"model_not_found"}}"#)).await;
    let model = ModelId::new("m").unwrap();
    let begun = server
        .client()
        .stream(&model, &ChatRequest::user("hi"))
        .await;
    assert_eq!(begun.err().unwrap().class, ErrorClass::ModelMissing);
}

#[tokio::test]
async fn an_answer_in_another_format_is_named() {
    for body in ["<html>", "{}", r#"{"choices":[]}"#] {
        let error = ask(&Server::start(Answer::new(200, body)).await.client()).await;
        assert!(!error.message.is_empty(), "{body}");
        assert!(
            error.class.remedy() != bursar_model_router::Remedy::Neither,
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let mut answer = Answer::new(307, "");
    answer.headers = vec![("location", "http://127.0.0.1:9/elsewhere")];
    let server = Server::start(answer).await;
    let error = ask(&server.client()).await;
    assert_eq!(error.message, "HTTP 307: ");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn nobody_who_listens_and_nobody_who_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/v1", listener.local_addr().unwrap());
    let settings = OpenAiSettings::new(silent).read_timeout(Duration::from_millis(200));
    assert_eq!(
        ask(&OpenAiClient::new(settings).unwrap()).await.class,
        ErrorClass::Timeout
    );

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let settings = OpenAiSettings::new(format!("http://{address}/v1"));
    assert_eq!(
        ask(&OpenAiClient::new(settings).unwrap()).await.class,
        ErrorClass::Unavailable
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_not_sent() {
    let server = Server::start(Answer::new(200, "")).await;
    let model = ModelId::new("m").unwrap();
    let error = server
        .client()
        .invoke(&model, &ChatRequest::default())
        .await
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    assert!(server.asked().is_empty());
}
