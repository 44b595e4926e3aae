//! Whole answers and counts of tokens.

use bursar_aws::BedrockClient;
use bursar_model_router::{
    CachePoint, CacheTtl, ChatRequest, ContentBlock, ConverseBody, FinishReason, Image,
    ImageSource, ImageType, Message, ModelClient, ModelId, Parameters, Temperature, Tool,
    ToolChoice, ToolResult, ToolUse, TopP, UsageKind,
};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

/// Everything that a conversation can have.
fn rich() -> ChatRequest {
    let look_up = Tool {
        name: "look_up".to_owned(),
        description: Some("A price.".to_owned()),
        input_schema: json!({
            "type": "object",
            "properties": {"of": {"type": "string"}, "days": {"minimum": -1, "maximum": 1.5}},
            "required": ["of"], "additionalProperties": false, "default": null,
        }),
    };
    let tool_use = ToolUse {
        id: "t1".to_owned(),
        name: "look_up".to_owned(),
        input: json!({"of": "m7g", "days": 18_446_744_073_709_551_615_u64}),
    };
    let result = ToolResult {
        tool_use_id: "t1".to_owned(),
        content: "0.08".to_owned(),
        is_error: true,
    };
    let image = |source| Image {
        image_type: ImageType::Png,
        source,
    };
    let here = image(ImageSource::Bytes(vec![1, 2, 3, 255]));
    let there = image(ImageSource::Uri("s3://pictures/a.png".to_owned()));
    let thought = ContentBlock::Reasoning {
        text: "I look it up.".to_owned(),
        signature: Some("proof".to_owned()),
    };
    let ttl = CacheTtl::OneHour;
    ChatRequest::of(vec![
        Message::user([
            ContentBlock::from("How much? 多少钱"),
            here.into(),
            there.into(),
        ]),
        Message::assistant([thought, tool_use.into()]),
        Message::user([ContentBlock::from(result), CachePoint { ttl }.into()]),
    ])
    .system("Be short.")
    .system_cache_point(CachePoint::default())
    .tool(look_up)
    .tool_choice(ToolChoice::Tool("look_up".to_owned()))
    .metadata("team", "billing")
    .parameters(Parameters {
        max_output_tokens: 50,
        temperature: Some(Temperature::new(0.7).unwrap()),
        top_p: Some(TopP::new(0.9).unwrap()),
        stop: vec!["END".to_owned()],
    })
}

fn answer() -> Value {
    json!({
        "metrics": {"latencyMs": 551},
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
            {"text": "Spare capacity."},
            {"toolUse": {"toolUseId": "t2", "name": "look_up", "input": {"of": ["a", 1, -2, 0.5, null, true]}}},
        ]}},
        "stopReason": "tool_use",
        "usage": {
            "inputTokens": 20, "outputTokens": 3, "totalTokens": 1023,
            "cacheReadInputTokens": 900, "cacheWriteInputTokens": 100,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 40}],
        },
    })
}

/// The SDK has 32 bits for a number, of which about seven digits are right.
pub(crate) fn normalized(mut body: Value) -> Value {
    for name in ["temperature", "topP"] {
        if let Some(number) = body["inferenceConfig"][name].as_f64() {
            body["inferenceConfig"][name] = json!((number * 1e6).round() / 1e6);
        }
    }
    body
}

#[tokio::test]
async fn the_sdk_sends_the_same_body_as_the_engine_writes() {
    let server = Server::saying(Answer::json(&answer())).await;
    let client = BedrockClient::new(&server.config());
    let model = ModelId::new("eu.anthropic.claude-haiku-4-5-20251001-v1:0").unwrap();
    for request in [rich(), ChatRequest::user("Hello")] {
        client.invoke(&model, &request).await.unwrap();
        let asked = server.asked().pop().unwrap();
        let expected = ConverseBody::write(&request).unwrap();
        assert_eq!(normalized(asked.json()), expected);
        assert_eq!(asked.method, "POST");
        let path = "/model/eu.anthropic.claude-haiku-4-5-20251001-v1:0/converse";
        assert_eq!(asked.path(), path);
        let authorization = asked.headers["authorization"].to_str().unwrap();
        assert!(
            authorization.contains("/eu-west-1/bedrock/aws4_request"),
            "{authorization}"
        );
    }
}

#[tokio::test]
async fn the_same_answer_is_read_as_the_engine_reads() {
    let server = Server::saying(Answer::json(&answer())).await;
    let client = BedrockClient::new(&server.config());
    let model = ModelId::new("amazon.nova-lite-v1:0").unwrap();
    let read = client.invoke(&model, &rich()).await.unwrap();
    let expected = ConverseBody::read(&model, &answer()).unwrap();
    assert_eq!(read.content, expected.content);
    assert_eq!(read.finish_reason, FinishReason::ToolUse);
    assert_eq!(read.model, model);
    assert!(!read.latency.is_zero());
    for (kind, count) in [
        (UsageKind::InputTokens, 1_020),
        (UsageKind::OutputTokens, 3),
        (UsageKind::CacheReadTokens, 900),
        (UsageKind::CacheWriteTokens, 100),
        (UsageKind::CacheWrite5mTokens, 40),
        (UsageKind::CacheWrite1hTokens, 60),
    ] {
        assert_eq!(read.usage.get(kind), Some(count), "{kind:?}");
    }
}

#[tokio::test]
async fn what_bedrock_does_not_count_is_unknown_and_not_zero() {
    let mut body = answer();
    body["usage"] = json!({"inputTokens": 20, "outputTokens": 3, "totalTokens": 23});
    let server = Server::saying(Answer::json(&body)).await;
    let client = BedrockClient::new(&server.config());
    let model = ModelId::new("amazon.nova-lite-v1:0").unwrap();
    let usage = client.invoke(&model, &rich()).await.unwrap().usage;
    assert_eq!(usage.get(UsageKind::InputTokens), Some(20));
    for kind in [
        UsageKind::CacheReadTokens,
        UsageKind::CacheWriteTokens,
        UsageKind::CacheWrite5mTokens,
        UsageKind::CacheWrite1hTokens,
    ] {
        assert_eq!(usage.get(kind), None, "{kind:?}");
    }
}

#[tokio::test]
async fn a_stop_reason_of_the_future_is_kept_by_its_name() {
    let mut body = answer();
    body["stopReason"] = json!("bored");
    let server = Server::saying(Answer::json(&body)).await;
    let client = BedrockClient::new(&server.config());
    let model = ModelId::new("amazon.nova-lite-v1:0").unwrap();
    let read = client.invoke(&model, &rich()).await.unwrap();
    assert_eq!(read.finish_reason, FinishReason::Other("bored".to_owned()));
    assert!(!read.finish_reason.is_complete());
}

#[tokio::test]
async fn a_prompt_router_says_which_model_has_answered() {
    let invoked = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0";
    let mut body = answer();
    body["trace"] = json!({"promptRouter": {"invokedModelId": invoked}});
    let server = Server::saying(Answer::json(&body)).await;
    let client = BedrockClient::new(&server.config());
    let router = "arn:aws:bedrock:eu-west-1:123456789012:default-prompt-router/amazon.nova:1";
    let model = ModelId::new(router).unwrap();
    let read = client.invoke(&model, &rich()).await.unwrap();
    assert_eq!(read.model.as_str(), invoked);
    assert_eq!(
        server.asked()[0].path(),
        format!("/model/{router}/converse")
    );
}

#[tokio::test]
async fn tokens_are_counted_of_what_would_be_sent() {
    let server = Server::saying(Answer::json(&json!({"inputTokens": 15}))).await;
    let client = BedrockClient::new(&server.config());
    let profile = ModelId::new("eu.anthropic.claude-haiku-4-5-20251001-v1:0").unwrap();
    let count = client.count_tokens(&profile, &rich()).await.unwrap();
    assert_eq!(count.as_u64(), 15);
    let asked = server.asked().pop().unwrap();
    let path = "/model/anthropic.claude-haiku-4-5-20251001-v1:0/count-tokens";
    assert_eq!(asked.path(), path);
    let mut expected = ConverseBody::write(&rich()).unwrap();
    let members = expected.as_object_mut().unwrap();
    members.retain(|name, _| ["messages", "system", "toolConfig"].contains(&name.as_str()));
    assert_eq!(asked.json(), json!({"input": {"converse": expected}}));
}
