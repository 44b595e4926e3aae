//! An answer comes although models fail, and it is said what was tried.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bursar_model_router::conformance::{ManualClock, ScriptedClient};
use bursar_model_router::{
    AttemptFailure, ChatEvent, ChatRequest, CircuitState, ClientError, Clock as _, ErrorClass,
    FinishReason, InvocationError, InvocationSettings, Invoker, ModelId, ModelRef, ProviderId,
    ProviderSettings, Usage,
};
use futures_executor::block_on;
use futures_util::StreamExt as _;

struct World {
    invoker: Invoker,
    client: ScriptedClient,
    clock: ManualClock,
}

fn world(settings: ProviderSettings) -> World {
    let (client, clock) = (ScriptedClient::default(), ManualClock::default());
    let invoker = Invoker::new(InvocationSettings::default(), Arc::new(clock.clone())).provider(
        ProviderId::new("aws").unwrap(),
        Arc::new(client.clone()),
        settings,
    );
    World {
        invoker,
        client,
        clock,
    }
}

fn candidates(models: &[&str]) -> Vec<ModelRef> {
    let candidate = |model: &&str| ModelRef {
        provider: ProviderId::new("aws").unwrap(),
        model: ModelId::new(model).unwrap(),
    };
    models.iter().map(candidate).collect()
}

fn error(class: ErrorClass) -> ClientError {
    ClientError::new(class, "scripted")
}

fn asked(client: &ScriptedClient) -> Vec<String> {
    let asked = client.asked().into_iter();
    asked.map(|asked| asked.model.into()).collect()
}

fn text(part: &str) -> Result<ChatEvent, ClientError> {
    Ok(ChatEvent::Text(part.to_owned()))
}

fn started() -> Result<ChatEvent, ClientError> {
    let model = ModelId::new("a").unwrap();
    Ok(ChatEvent::Started { model })
}

fn finished() -> Result<ChatEvent, ClientError> {
    Ok(ChatEvent::Finished {
        finish_reason: FinishReason::EndTurn,
        usage: Usage::new(),
    })
}

#[test]
fn throttling_is_retried_and_everything_else_falls_back() {
    let World {
        invoker, client, ..
    } = world(ProviderSettings::default());
    client.fail(error(ErrorClass::Throttled));
    client.fail(error(ErrorClass::Throttled));
    client.fail(error(ErrorClass::Throttled));
    client.fail(error(ErrorClass::Unavailable));
    client.say("Done.");
    let candidates = candidates(&["a", "b", "c"]);
    let invoked = block_on(invoker.invoke(&candidates, &ChatRequest::user("Hello"), 1)).unwrap();
    assert_eq!(asked(&client), ["a", "a", "a", "b", "c"]);
    assert_eq!(invoked.answer.text(), "Done.");
    assert_eq!(invoked.candidate, candidates[2]);
    assert_eq!(invoked.attempts.len(), 4);
    // Two waits of at most 200 and 400 ms, and the answers took no time.
    assert!(invoked.elapsed <= Duration::from_millis(600));
    assert_eq!(invoked.answer.latency, Duration::ZERO);
}

#[test]
fn a_bad_request_is_not_shown_around() {
    for class in [ErrorClass::Invalid, ErrorClass::ContentFiltered] {
        let World {
            invoker, client, ..
        } = world(ProviderSettings::default());
        client.fail(error(class));
        client.say("Never said.");
        let result =
            block_on(invoker.invoke(&candidates(&["a", "b"]), &ChatRequest::user("Hello"), 1));
        let Err(InvocationError::Refused { error, attempts }) = result else {
            panic!("{result:?}");
        };
        assert_eq!((error.class, attempts.len()), (class, 1));
        assert_eq!(asked(&client), ["a"]);
    }
}

#[test]
fn silent_models_time_out_until_the_budget_is_spent() {
    let World {
        invoker, client, ..
    } = world(ProviderSettings::default());
    for _ in 0..3 {
        client.stall();
    }
    let request = ChatRequest::user("Hello");
    let result = block_on(invoker.invoke(&candidates(&["a", "b", "c"]), &request, 1));
    let Err(InvocationError::OutOfTime { budget, attempts }) = result else {
        panic!("{result:?}");
    };
    // Two attempts of half a minute each fill the minute; the third is not made.
    assert_eq!(budget, Duration::from_secs(60));
    assert_eq!(asked(&client), ["a", "b"]);
    for attempt in attempts {
        assert_eq!(attempt.latency, Duration::from_secs(30));
        let AttemptFailure::Failed(error) = attempt.reason else {
            panic!("{:?}", attempt.reason);
        };
        assert_eq!(error.class, ErrorClass::Timeout);
    }
}

#[test]
fn without_candidates_or_clients_nothing_is_asked() {
    let World { invoker, .. } = world(ProviderSettings::default());
    let request = ChatRequest::user("Hello");
    let none = block_on(invoker.invoke(&[], &request, 1));
    assert!(matches!(none, Err(InvocationError::NoCandidates)));
    let elsewhere = [ModelRef {
        provider: ProviderId::new("elsewhere").unwrap(),
        model: ModelId::new("a").unwrap(),
    }];
    let result = block_on(invoker.invoke(&elsewhere, &request, 1));
    let attempts = result.unwrap_err().attempts().to_vec();
    assert!(matches!(attempts[0].reason, AttemptFailure::NoClient));
}

#[test]
fn an_open_circuit_spares_the_provider_until_a_probe_succeeds() {
    let settings = ProviderSettings::default().opens_at(50, 4);
    let World {
        invoker,
        client,
        clock,
    } = world(settings);
    let (one, request) = (candidates(&["a"]), ChatRequest::user("Hello"));
    for _ in 0..4 {
        client.fail(error(ErrorClass::Unavailable));
        assert!(block_on(invoker.invoke(&one, &request, 1)).is_err());
    }
    let state = |invoker: &Invoker| invoker.health(clock.now()).next().unwrap().1;
    assert!(matches!(state(&invoker), CircuitState::Open { .. }));
    client.say("Well again.");
    let spared = block_on(invoker.invoke(&one, &request, 1)).unwrap_err();
    assert!(matches!(
        spared.attempts()[0].reason,
        AttemptFailure::CircuitOpen { .. }
    ));
    assert_eq!(client.asked().len(), 4);
    clock.pass(Duration::from_secs(30));
    assert_eq!(state(&invoker), CircuitState::HalfOpen);
    block_on(invoker.invoke(&one, &request, 1)).unwrap();
    assert_eq!(state(&invoker), CircuitState::Closed);
}

#[test]
fn throttling_does_not_open_the_circuit() {
    let settings = ProviderSettings::default().opens_at(1, 1);
    let World {
        invoker,
        client,
        clock,
    } = world(settings);
    for _ in 0..3 {
        client.fail(error(ErrorClass::Throttled));
    }
    let request = ChatRequest::user("Hello");
    assert!(block_on(invoker.invoke(&candidates(&["a"]), &request, 1)).is_err());
    let health: Vec<_> = invoker.health(clock.now()).collect();
    assert_eq!(health[0].1, CircuitState::Closed);
}

#[test]
fn a_full_bulkhead_sends_calls_on_and_a_dropped_call_makes_room() {
    let World {
        invoker, client, ..
    } = world(ProviderSettings::default().concurrency(1));
    let (one, request) = (candidates(&["a"]), ChatRequest::user("Hello"));
    client.write_and_stall([started(), text("Spare")]);
    let stream = block_on(invoker.stream(&one, &request, 1)).unwrap();
    let full = block_on(invoker.invoke(&one, &request, 1)).unwrap_err();
    assert!(matches!(
        full.attempts()[0].reason,
        AttemptFailure::BulkheadFull { limit: 1 }
    ));
    drop(stream);
    client.say("Room.");
    assert!(block_on(invoker.invoke(&one, &request, 1)).is_ok());
}

#[test]
fn a_stream_that_fails_before_its_first_token_falls_back() {
    let World {
        invoker, client, ..
    } = world(ProviderSettings::default());
    client.write([started(), Err(error(ErrorClass::Unavailable))]);
    client.write([started()]);
    client.write_and_stall([started()]);
    client.say("Whole.");
    let request = ChatRequest::user("Hello");
    let candidates = candidates(&["a", "b", "c", "d"]);
    let stream = block_on(invoker.stream(&candidates, &request, 1)).unwrap();
    assert_eq!(stream.candidate, candidates[3]);
    assert_eq!(stream.attempts.len(), 3);
    let events: Vec<_> = block_on(stream.events.map(Result::unwrap).collect());
    let model = ModelId::new("d").unwrap();
    assert_eq!(events[0], ChatEvent::Started { model });
    assert_eq!(events[1], ChatEvent::Text("Whole.".to_owned()));
    assert!(matches!(events[2], ChatEvent::Finished { .. }));
    assert_eq!(events.len(), 3);
}

#[test]
fn a_stream_that_fails_after_its_first_token_says_so_and_ends() {
    let failures = |client: &ScriptedClient, which: usize| match which {
        0 => client.write([text("Spare"), Err(error(ErrorClass::Overloaded)), text("x")]),
        1 => client.write([text("Spare")]),
        _ => client.write_and_stall([text("Spare")]),
    };
    let classes = [
        ErrorClass::Overloaded,
        ErrorClass::Unavailable,
        ErrorClass::Timeout,
    ];
    for (which, class) in classes.into_iter().enumerate() {
        let World {
            invoker, client, ..
        } = world(ProviderSettings::default());
        failures(&client, which);
        let request = ChatRequest::user("Hello");
        let stream = block_on(invoker.stream(&candidates(&["a", "b"]), &request, 1)).unwrap();
        let events: Vec<_> = block_on(stream.events.collect());
        assert_eq!(events.len(), 2);
        assert_eq!(
            events[0].as_ref().unwrap(),
            &ChatEvent::Text("Spare".to_owned())
        );
        assert_eq!(events[1].as_ref().unwrap_err().class, class);
        assert_eq!(asked(&client), ["a"]);
    }
}

#[test]
fn a_failed_stream_counts_against_its_provider() {
    let World {
        invoker,
        client,
        clock,
    } = world(ProviderSettings::default().opens_at(50, 1));
    client.write([text("Spare"), finished()]);
    client.write([text("Spare")]);
    let request = ChatRequest::user("Hello");
    let state = || invoker.health(clock.now()).next().unwrap().1;
    for is_open in [false, true] {
        let stream = block_on(invoker.stream(&candidates(&["a"]), &request, 1)).unwrap();
        let _: Vec<_> = block_on(stream.events.collect());
        assert_eq!(matches!(state(), CircuitState::Open { .. }), is_open);
    }
}

#[test]
fn a_call_that_was_given_up_frees_its_place() {
    let World {
        invoker, client, ..
    } = world(ProviderSettings::default().concurrency(1));
    // A clock whose sleepers never wake, so that the call stays under way.
    struct Still(ManualClock);
    #[async_trait::async_trait]
    impl bursar_model_router::Clock for Still {
        fn now(&self) -> jiff::Timestamp {
            self.0.now()
        }
        async fn sleep(&self, _: Duration) {
            std::future::pending().await
        }
    }
    drop(invoker);
    let aws = ProviderId::new("aws").unwrap();
    let clock = Arc::new(Still(ManualClock::default()));
    let settings = ProviderSettings::default().concurrency(1);
    let invoker = Invoker::new(InvocationSettings::default(), clock).provider(
        aws,
        Arc::new(client.clone()),
        settings,
    );
    let (one, request) = (candidates(&["a"]), ChatRequest::user("Hello"));
    client.stall();
    let mut call = Box::pin(invoker.invoke(&one, &request, 1));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(call.as_mut().poll(&mut context), Poll::Pending));
    assert!(block_on(invoker.invoke(&one, &request, 1)).is_err());
    drop(call);
    client.say("Room.");
    assert!(block_on(invoker.invoke(&one, &request, 1)).is_ok());
}
