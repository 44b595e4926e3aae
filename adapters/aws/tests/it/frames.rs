//! Event streams as Bedrock frames them.

use aws_sdk_bedrockruntime::primitives::event_stream::{Header, HeaderValue, Message};
use aws_smithy_eventstream::frame::write_message_to;
use serde_json::Value;

use crate::server::Answer;

/// An event.
pub(crate) fn event(name: &'static str, payload: &Value) -> Vec<u8> {
    frame("event", ":event-type", name, payload)
}

/// An error inside a stream.
pub(crate) fn exception(name: &'static str, payload: &Value) -> Vec<u8> {
    frame("exception", ":exception-type", name, payload)
}

/// A response of these frames.
pub(crate) fn stream(frames: &[Vec<u8>]) -> Answer {
    let answer = Answer::new(200, frames.concat());
    answer.header("content-type", "application/vnd.amazon.eventstream")
}

fn frame(
    kind: &'static str,
    name_header: &'static str,
    name: &'static str,
    payload: &Value,
) -> Vec<u8> {
    let text = |text: &'static str| HeaderValue::String(text.into());
    let message = Message::new(payload.to_string().into_bytes())
        .add_header(Header::new(":message-type", text(kind)))
        .add_header(Header::new(name_header, text(name)))
        .add_header(Header::new(":content-type", text("application/json")));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}
