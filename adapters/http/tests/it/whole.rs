//! Whole answers.

use bursar_http::{OpenAiClient, OpenAiSettings, SettingsError};
use bursar_model_router::{ChatRequest, FinishReason, ModelClient, ModelId, UsageKind};

use crate::server::{Answer, Server};

const ANSWER: &str = r#"{
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1795000000, "model": "gpt-5.6-mini-2026-09-01",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null,
        "message": {"role": "assistant", "content": "Spare capacity.", "refusal": null}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0}}
}"#;

#[tokio::test]
async fn an_answer_has_the_usage_that_the_provider_reports() {
    let server = Server::start(Answer::new(200, ANSWER)).await;
    let model = ModelId::new("gpt-5.6-mini").unwrap();
    let answer = server
        .client()
        .invoke(&model, &ChatRequest::user("What is a spot instance?"))
        .await
        .unwrap();
    assert_eq!(answer.text(), "Spare capacity.");
    assert_eq!(answer.finish_reason, FinishReason::EndTurn);
    assert_eq!(answer.model.as_str(), "gpt-5.6-mini-2026-09-01");
    assert_eq!(answer.usage.get(UsageKind::InputTokens), Some(12));
    assert_eq!(answer.usage.get(UsageKind::CacheReadTokens), Some(8));
    assert!(!answer.latency.is_zero());

    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].headers["authorization"], "Bearer sk-test");
    assert_eq!(asked[0].headers["x-team"], "billing");
    assert_eq!(asked[0].body["model"], "gpt-5.6-mini");
    assert_eq!(asked[0].body["stream"], serde_json::Value::Null);
}

#[test]
fn settings_that_make_no_client_say_why_and_keep_the_key() {
    let client = |settings| OpenAiClient::new(settings).unwrap_err().to_string();
    let ftp = OpenAiSettings::new("ftp://models");
    assert!(client(ftp).starts_with("`ftp://models` is no address"));
    let key = OpenAiSettings::new("https://models").api_key("secret\n");
    assert!(
        matches!(OpenAiClient::new(key.clone()), Err(SettingsError::Header { name }) if name == "authorization")
    );
    assert!(!format!("{key:?}").contains("secret"));
    assert!(!client(key).contains("secret"));
}
