//! A key is the same for the same request, and for no other.

use std::collections::BTreeMap;

use bursar_model_router::{
    CacheKey, CachePoint, CachePolicy as _, CacheRequest, CacheScope, ChatRequest, Complexity,
    ContentBlock, Message, Parameters, Role, StandardCachePolicy, TaskType, Temperature, Tool,
    ToolChoice, ToolUse, TopP,
};
use serde_json::json;

use super::{asked, model, tenant};

fn tool(schema: serde_json::Value) -> Tool {
    Tool {
        name: "look_up".to_owned(),
        description: None,
        input_schema: schema,
    }
}

#[test]
fn the_order_of_keys_in_json_does_not_change_a_key() {
    let schema = |text: &str| tool(serde_json::from_str(text).unwrap());
    let used = |text: &str| ToolUse {
        id: "t".to_owned(),
        name: "look_up".to_owned(),
        input: serde_json::from_str(text).unwrap(),
    };
    let sorted = ChatRequest::user("How much?")
        .tool(schema(
            r#"{"properties":{"a":{"type":"string"},"b":{}},"type":"object"}"#,
        ))
        .message(Message::assistant([used(r#"{"a":1,"b":{"c":2,"d":3}}"#)]));
    let other = ChatRequest::user("How much?")
        .tool(schema(
            r#"{"type":"object","properties":{"b":{},"a":{"type":"string"}}}"#,
        ))
        .message(Message::assistant([used(r#"{"b":{"d":3,"c":2},"a":1}"#)]));
    let model = model("m");
    let key = |request| CacheKey::of(&asked(request, &model), &CacheScope::Everybody);
    assert_eq!(key(&sorted), key(&other));
    // The same request after a journey as JSON with its fields in another order.
    let journey: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(serde_json::to_value(&sorted).unwrap()).unwrap();
    let fields = journey
        .into_iter()
        .rev()
        .map(|(name, value)| format!("{name:?}:{value}"));
    let json = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
    assert_eq!(key(&serde_json::from_str(&json).unwrap()), key(&sorted));
}

#[test]
fn everything_that_shapes_an_answer_changes_the_key() {
    let base = || ChatRequest::user("What is a spot instance?").system("Be short.");
    let parameters = Parameters::default;
    let temperature = |value| Some(Temperature::new(value).unwrap());
    let schema = || json!({"type": "object"});
    let of_assistant = Message {
        role: Role::Assistant,
        content: vec!["What is a spot instance?".into()],
    };
    let requests = [
        base(),
        ChatRequest::user("What is a spot instance?"),
        ChatRequest::user("What is a spot instance? ").system("Be short."),
        ChatRequest::user("What is a spot instance?Be short."),
        ChatRequest::of(vec![of_assistant]).system("Be short."),
        ChatRequest::of(vec![Message::user(["What is a ", "spot instance?"])]).system("Be short."),
        base().system(""),
        base().then_assistant("Capacity.").then_user("More."),
        base().max_output_tokens(201),
        base().parameters(Parameters {
            temperature: temperature(0.2),
            ..parameters()
        }),
        base().parameters(Parameters {
            temperature: None,
            ..parameters()
        }),
        base().parameters(Parameters {
            top_p: Some(TopP::new(0.1).unwrap()),
            ..parameters()
        }),
        base().parameters(Parameters {
            stop: vec!["END".to_owned()],
            ..parameters()
        }),
        base().parameters(Parameters {
            stop: vec!["EN".to_owned(), "D".to_owned()],
            ..parameters()
        }),
        base().tool(tool(schema())),
        base().tool(tool(json!({"type": "object", "required": ["a"]}))),
        base().tool(Tool {
            description: Some(String::new()),
            ..tool(schema())
        }),
        base().tool(tool(schema())).tool(tool(schema())),
        base().tool(tool(schema())).tool_choice(ToolChoice::Any),
    ];
    let (first, second) = (model("m"), model("n"));
    let everybody = CacheScope::Everybody;
    let of = |asked: CacheRequest<'_>, scope: &CacheScope| CacheKey::of(&asked, scope).to_string();
    let mut keys: Vec<String> = requests
        .iter()
        .map(|it| of(asked(it, &first), &everybody))
        .collect();
    let base = base();
    keys.push(of(asked(&base, &second), &everybody));
    let task = TaskType::Classification;
    keys.push(of(
        CacheRequest {
            task,
            ..asked(&base, &first)
        },
        &everybody,
    ));
    let complexity = Complexity::Medium;
    keys.push(of(
        CacheRequest {
            complexity,
            ..asked(&base, &first)
        },
        &everybody,
    ));
    for named in [None, Some("acme"), Some("umbrella"), Some("everybody")] {
        let scope = CacheScope::Tenant(named.map(tenant));
        keys.push(of(asked(&base, &first), &scope));
    }
    let total = keys.len();
    assert!(keys.iter().all(|key| key.len() == 64));
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), total);
}

#[test]
fn what_does_not_shape_an_answer_does_not_change_the_key() {
    let model = model("m");
    let key = |request: &ChatRequest| CacheKey::of(&asked(request, &model), &CacheScope::Everybody);
    let plain = ChatRequest::user("Hello").system("Be short.");
    let marked = ChatRequest::of(vec![Message::user([
        ContentBlock::from("Hello"),
        CachePoint::default().into(),
    ])])
    .system("Be short.")
    .system_cache_point(CachePoint::default())
    .metadata("trace", "17");
    assert_eq!(key(&plain), key(&marked));
}

// By `printf '%s' '…' | sha256sum` over this text on one line:
//
//     {"complexity":"simple","messages":[{"content":[{"text":"Hello"}],"role":"user"}],"model":"m",
//     "parameters":{"max_output_tokens":200,"stop":[],"temperature":0.1,"top_p":null},
//     "scope":{"tenant":"acme"},"system":[],"task":"question_answering","tool_choice":"auto",
//     "tools":[],"version":1}
#[test]
fn a_key_is_the_digest_of_a_text_that_is_written_down() {
    let request = ChatRequest::user("Hello").tenant(tenant("acme"));
    let model = model("m");
    let policy = StandardCachePolicy::default();
    let asked = asked(&request, &model);
    let key = CacheKey::of(&asked, &policy.scope(&asked));
    let expected = "093383bdf9026e333f13069cdb2c542c04a8c71e953f4508830fdbc692b99eb5";
    assert_eq!(key.to_string(), expected);
    assert_eq!(key.to_string().parse(), Ok(key));
}
