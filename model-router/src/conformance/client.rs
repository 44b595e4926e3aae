//! What does a model say in a test?

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use crate::{
    ChatAnswer, ChatEvent, ChatRequest, ChatStream, ClientError, ErrorClass, FinishReason,
    ModelClient, ModelId, Usage, UsageKind,
};

/// A client that says what it was told to, in order, and remembers what it was asked. When it has
/// nothing more to say, models are missing. Clones share the script.
#[derive(Debug, Clone, Default)]
pub struct ScriptedClient {
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    lines: VecDeque<Line>,
    asked: Vec<Asked>,
}

#[derive(Debug)]
enum Line {
    Whole(Box<Result<ChatAnswer, ClientError>>),
    Events(Vec<Result<ChatEvent, ClientError>>, End),
    Silence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Silent,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which model was asked.
    pub model: ModelId,
    /// What.
    pub request: ChatRequest,
}

impl ScriptedClient {
    /// Next, says this text, with a use of 10 tokens of input and 5 of output. The model is whichever is
    /// asked.
    pub fn say(&self, text: &str) {
        let model = ModelId::new("scripted").expect("it is a name");
        let usage = Usage::new()
            .with(UsageKind::InputTokens, 10)
            .with(UsageKind::OutputTokens, 5);
        self.answer(ChatAnswer::new(model, [text], FinishReason::EndTurn).usage(usage));
    }

    /// Next, gives this answer, in the name of whichever model is asked.
    pub fn answer(&self, answer: ChatAnswer) {
        self.add(Line::Whole(Box::new(Ok(answer))));
    }

    /// Next, fails.
    pub fn fail(&self, error: ClientError) {
        self.add(Line::Whole(Box::new(Err(error))));
    }

    /// Next, writes these events and closes the stream.
    pub fn write(&self, events: impl IntoIterator<Item = Result<ChatEvent, ClientError>>) {
        self.add(Line::Events(events.into_iter().collect(), End::Closed));
    }

    /// Next, writes these events and then nothing more, without closing the stream.
    pub fn write_and_stall(
        &self,
        events: impl IntoIterator<Item = Result<ChatEvent, ClientError>>,
    ) {
        self.add(Line::Events(events.into_iter().collect(), End::Silent));
    }

    /// Next, never answers.
    pub fn stall(&self) {
        self.add(Line::Silence);
    }

    /// What was asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.script().asked.clone()
    }

    fn add(&self, line: Line) {
        self.script().lines.push_back(line);
    }

    fn next(&self, model: &ModelId, request: &ChatRequest) -> Line {
        let mut script = self.script();
        script.asked.push(Asked {
            model: model.clone(),
            request: request.clone(),
        });
        script.lines.pop_front().unwrap_or_else(|| {
            let error = ClientError::new(ErrorClass::ModelMissing, "the script is at its end");
            Line::Whole(Box::new(Err(error)))
        })
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ModelClient for ScriptedClient {
    async fn invoke(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatAnswer, ClientError> {
        match self.next(model, request) {
            Line::Whole(result) => result.map(|answer| ChatAnswer {
                model: model.clone(),
                ..answer
            }),
            Line::Events(..) => Err(ClientError::new(
                ErrorClass::Invalid,
                "the script has a stream here: call `stream`",
            )),
            Line::Silence => pending().await,
        }
    }

    async fn stream(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatStream, ClientError> {
        let (events, end) = match self.next(model, request) {
            Line::Whole(result) => {
                let mut answer = (*result)?;
                answer.model = model.clone();
                (
                    answer.into_events().into_iter().map(Ok).collect(),
                    End::Closed,
                )
            }
            Line::Events(events, end) => (events, end),
            Line::Silence => pending().await,
        };
        let rest: BoxStream<'static, _> = match end {
            End::Closed => stream::empty().boxed(),
            End::Silent => stream::pending().boxed(),
        };
        Ok(stream::iter(events).chain(rest).boxed())
    }
}
