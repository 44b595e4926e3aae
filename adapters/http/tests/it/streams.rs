//! Answers in pieces.

use bursar_model_router::{
    AnswerBuilder, ChatEvent, ChatRequest, ClientError, ErrorClass, FinishReason, ModelClient,
    ModelId, UsageKind,
};
use futures_util::StreamExt;

use crate::server::{Answer, Server};

async fn streamed(events: &[&str]) -> (Vec<Result<ChatEvent, ClientError>>, Server) {
    let body: String = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    let mut answer = Answer::new(200, body);
    answer.headers = vec![("content-type", "text/event-stream")];
    let server = Server::start(answer).await;
    let model = ModelId::new("m").unwrap();
    let stream = server
        .client()
        .stream(&model, &ChatRequest::user("hi"))
        .await
        .unwrap();
    (stream.collect().await, server)
}

fn told(events: Vec<Result<ChatEvent, ClientError>>) -> AnswerBuilder {
    let mut builder = AnswerBuilder::new(ModelId::new("m").unwrap());
    events
        .into_iter()
        .for_each(|event| builder.push(event.unwrap()));
    builder
}

#[tokio::test]
async fn the_usage_of_a_stream_comes_with_its_end() {
    let (events, server) = streamed(&[
        r#"{"model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
        r#"{"model":"m-1","choices":[{"index":0,"delta":{"content":"Spare "}}]}"#,
        r#"{"model":"m-1","choices":[{"index":0,"delta":{"content":"capacity."}}]}"#,
        r#"{"model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"model":"m-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}"#,
        "[DONE]",
    ])
    .await;
    assert_eq!(
        server.asked()[0].body["stream_options"]["include_usage"],
        true
    );
    let answer = told(events).finish(std::time::Duration::ZERO).unwrap();
    assert_eq!(
        (answer.text().as_str(), answer.model.as_str()),
        ("Spare capacity.", "m-1")
    );
    assert_eq!(answer.usage.get(UsageKind::OutputTokens), Some(4));
}

#[tokio::test]
async fn two_tool_calls_are_told_apart_by_their_places() {
    let (events, _) = streamed(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"price","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"of\":"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"m7g\"}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"stop","arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
    ])
    .await;
    let answer = told(events).finish(std::time::Duration::ZERO).unwrap();
    assert_eq!(answer.finish_reason, FinishReason::ToolUse);
    let json = serde_json::to_value(&answer.content).unwrap().to_string();
    assert!(
        json.contains(r#"{"of":"m7g"}"#) && json.contains(r#""b""#),
        "{json}"
    );
    assert_eq!(answer.content.len(), 2);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error_and_no_short_answer() {
    let begin = r#"{"choices":[{"delta":{"content":"Spare "}}]}"#;
    for (last, class) in [
        (None, ErrorClass::Unavailable),
        (Some("[DONE]"), ErrorClass::Unavailable),
        (Some("{\"choices\":"), ErrorClass::Unknown),
        (
            Some(r#"{"error":{"message":"busy","code":429}}"#),
            ErrorClass::Throttled,
        ),
        (
            Some(r#"{"error":{"message":"busy","type":"overloaded_error"}}"#),
            ErrorClass::Overloaded,
        ),
    ] {
        let events: Vec<&str> = std::iter::once(begin).chain(last).collect();
        let (events, _) = streamed(&events).await;
        let error = events.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.class, class, "{last:?}: {error}");
        assert_eq!(events.iter().filter(|event| event.is_err()).count(), 1);
    }
}
