//! Answers that arrive in parts.

use std::time::Duration;

use bursar_aws::BedrockClient;
use bursar_model_router::{
    AnswerBuilder, ChatEvent, ChatRequest, ClientError, ConverseBody, ErrorClass, FinishReason,
    ModelClient, ModelId, UsageKind,
};
use futures_util::StreamExt;
use serde_json::json;

use crate::converse::normalized;
use crate::frames::{event, exception, stream};
use crate::server::{Answer, Server};

fn model() -> ModelId {
    ModelId::new("amazon.nova-lite-v1:0").unwrap()
}

async fn events(answer: Answer) -> Vec<Result<ChatEvent, ClientError>> {
    let server = Server::saying(answer).await;
    let client = BedrockClient::new(&server.config());
    let request = ChatRequest::user("What is a spot instance?");
    let stream = client.stream(&model(), &request).await.unwrap();
    let events = stream.collect().await;
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.path(), "/model/amazon.nova-lite-v1:0/converse-stream");
    let expected = ConverseBody::write(&request).unwrap();
    assert_eq!(normalized(asked.json()), expected);
    events
}

fn text(part: &str) -> Vec<u8> {
    event(
        "contentBlockDelta",
        &json!({"contentBlockIndex": 0, "delta": {"text": part}, "p": "abc"}),
    )
}

fn begin() -> Vec<u8> {
    event("messageStart", &json!({"role": "assistant"}))
}

fn stop() -> Vec<u8> {
    event("messageStop", &json!({"stopReason": "end_turn"}))
}

fn metadata() -> Vec<u8> {
    let usage = json!({
        "inputTokens": 4, "outputTokens": 5, "totalTokens": 17, "cacheReadInputTokens": 8,
    });
    event(
        "metadata",
        &json!({"usage": usage, "metrics": {"latencyMs": 300}}),
    )
}

#[tokio::test]
async fn parts_make_the_answer_with_its_usage() {
    let delta = |index: u64, delta: serde_json::Value| {
        let payload = json!({"contentBlockIndex": index, "delta": delta});
        event("contentBlockDelta", &payload)
    };
    let tool = json!({"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "look_up"}}});
    let frames = [
        begin(),
        delta(0, json!({"reasoningContent": {"text": "Hm."}})),
        delta(0, json!({"reasoningContent": {"signature": "proof"}})),
        event("contentBlockStop", &json!({"contentBlockIndex": 0})),
        delta(1, json!({"text": "Spare "})),
        delta(1, json!({"text": "capacity."})),
        event("somethingNew", &json!({})),
        event("contentBlockStart", &tool),
        delta(2, json!({"toolUse": {"input": "{\"of\":"}})),
        delta(2, json!({"toolUse": {"input": "\"m7g\"}"}})),
        event("messageStop", &json!({"stopReason": "tool_use"})),
        metadata(),
    ];
    let mut builder = AnswerBuilder::new(model());
    for event in events(stream(&frames)).await {
        builder.push(event.unwrap());
    }
    let answer = builder.finish(Duration::ZERO).unwrap();
    let whole = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "proof"}}},
            {"text": "Spare capacity."},
            {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {"of": "m7g"}}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 4, "outputTokens": 5, "cacheReadInputTokens": 8},
    });
    assert_eq!(answer, ConverseBody::read(&model(), &whole).unwrap());
    assert_eq!(answer.usage.get(UsageKind::InputTokens), Some(12));
}

#[tokio::test]
async fn the_parts_come_in_order_and_end_once() {
    let read = events(stream(&[begin(), text("A"), text(""), stop(), metadata()])).await;
    let read: Vec<_> = read.into_iter().map(Result::unwrap).collect();
    assert_eq!(read.len(), 3, "{read:?}");
    assert_eq!(read[0], ChatEvent::Started { model: model() });
    assert_eq!(read[1], ChatEvent::Text("A".to_owned()));
    let ChatEvent::Finished { finish_reason, .. } = &read[2] else {
        panic!("{read:?}");
    };
    assert_eq!(*finish_reason, FinishReason::EndTurn);
}

#[tokio::test]
async fn an_answer_without_its_metadata_has_an_unknown_usage() {
    let read = events(stream(&[begin(), text("A"), stop()])).await;
    let Some(Ok(ChatEvent::Finished { usage, .. })) = read.last() else {
        panic!("{read:?}");
    };
    assert_eq!(usage.get(UsageKind::OutputTokens), None);
}

#[tokio::test]
async fn a_stream_that_ends_early_is_an_error() {
    let cut = {
        let mut bytes = text("B");
        bytes.truncate(bytes.len() - 5);
        bytes
    };
    for frames in [
        vec![begin(), text("A")],
        vec![begin(), text("A"), cut],
        vec![],
    ] {
        let read = events(stream(&frames)).await;
        let error = read.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.class, ErrorClass::Unavailable, "{error:?}");
        assert_eq!(read.iter().filter(|event| event.is_err()).count(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_and_not_the_end() {
    for frames in [
        vec![begin(), text("A")],
        vec![begin(), text("A"), text("B")[..20].to_vec()],
    ] {
        let read = events(stream(&frames).breaking_off()).await;
        assert_eq!(read[1].as_ref().unwrap(), &ChatEvent::Text("A".to_owned()));
        assert_eq!(read.len(), 3, "{read:?}");
        let error = read[2].as_ref().unwrap_err();
        assert_eq!(error.class, ErrorClass::Unavailable, "{error:?}");
    }
}

#[tokio::test]
async fn a_stop_reason_of_the_future_is_kept_by_its_name() {
    let stop = event("messageStop", &json!({"stopReason": "bored"}));
    let read = events(stream(&[begin(), text("A"), stop, metadata()])).await;
    let Some(Ok(ChatEvent::Finished { finish_reason, .. })) = read.last() else {
        panic!("{read:?}");
    };
    assert_eq!(*finish_reason, FinishReason::Other("bored".to_owned()));
}

#[tokio::test]
async fn errors_inside_a_stream_have_their_classes() {
    for (name, class) in [
        ("throttlingException", ErrorClass::Throttled),
        ("internalServerException", ErrorClass::Unavailable),
        ("serviceUnavailableException", ErrorClass::Overloaded),
        ("modelStreamErrorException", ErrorClass::Unknown),
        ("validationException", ErrorClass::ContextTooLong),
        // Not among those of the stream, and known from the call.
        ("modelTimeoutException", ErrorClass::Timeout),
        ("somethingNewException", ErrorClass::Unknown),
    ] {
        let message = json!({"message": "Input is too long for requested model."});
        let read = events(stream(&[begin(), text("A"), exception(name, &message)])).await;
        assert_eq!(read.len(), 3, "{read:?}");
        let error = read[2].as_ref().unwrap_err();
        assert_eq!(error.class, class, "{name}: {error:?}");
        assert!(error.message.contains("Input is too long"), "{error}");
    }
}
