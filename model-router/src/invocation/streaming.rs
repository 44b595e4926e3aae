//! How does a stream get to its reader although models fail?

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::unfold;

use super::provider::Pass;
use super::{Attempt, AttemptFailure, InvocationError, Invoker, ModelRef, Run, within};
use crate::{
    ChatEvent, ChatRequest, ChatStream, ClientError, Clock, ErrorClass, ModelClient, ModelId,
};

/// A stream whose first token has arrived.
#[non_exhaustive]
pub struct InvokedStream {
    /// The parts of the answer. What fails from here on is an error in the stream, the last thing in it:
    /// the reader has seen a part of the answer, and another model would say something else.
    pub events: ChatStream,
    /// Who writes it.
    pub candidate: ModelRef,
    /// What had been tried before, in order.
    pub attempts: Vec<Attempt>,
}

impl fmt::Debug for InvokedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvokedStream")
            .field("candidate", &self.candidate)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl Invoker {
    /// Asks the candidates in order and returns the answer of the first one that begins to write.
    ///
    /// A failure leads to the next candidate as long as nothing was handed on: the first events are held
    /// back until one of them shows something of the answer. After that a failure, a silence or an end
    /// without [`ChatEvent::Finished`] is an error in the stream.
    ///
    /// # Errors
    /// [`InvocationError`] with everything that was tried.
    pub async fn stream(
        &self,
        candidates: &[ModelRef],
        request: &ChatRequest,
        random: u64,
    ) -> Result<InvokedStream, InvocationError> {
        let mut run = Run::new(self, candidates, random);
        loop {
            let (candidate, provider, timeout) = run.next()?;
            let began = self.clock.now();
            let result = match provider.enter(began) {
                Err(refusal) => Err(refusal.into()),
                Ok(pass) => {
                    let begin = begin(provider.client(), &candidate.model, request);
                    match within(self.clock.as_ref(), timeout, begin).await {
                        Ok(begun) => Ok((begun, pass)),
                        Err(error) => {
                            let failed = Err::<(), _>(error.clone());
                            pass.end(&failed, self.clock.now());
                            Err(AttemptFailure::Failed(error))
                        }
                    }
                }
            };
            match result {
                Ok((begun, pass)) => {
                    return Ok(InvokedStream {
                        events: self.watched(begun, pass),
                        candidate: candidate.clone(),
                        attempts: run.attempts,
                    });
                }
                Err(reason) => run.failed(candidate, reason, began).await?,
            }
        }
    }

    fn watched(&self, begun: Begun, pass: Pass) -> ChatStream {
        let watched = Watched {
            begun,
            pass: Some(pass),
            clock: Arc::clone(&self.clock),
            silence: self.settings.silence,
        };
        Box::pin(unfold(watched, Watched::next))
    }
}

/// A stream and those of its events that were held back.
struct Begun {
    held: VecDeque<ChatEvent>,
    rest: ChatStream,
}

/// Waits for the first event that shows something of the answer.
async fn begin(
    client: &dyn ModelClient,
    model: &ModelId,
    request: &ChatRequest,
) -> Result<Begun, ClientError> {
    let mut rest = client.stream(model, request).await?;
    let mut held = VecDeque::new();
    loop {
        let event = rest.next().await.unwrap_or_else(|| Err(cut_off()))?;
        let is_visible = event.is_visible();
        held.push_back(event);
        if is_visible {
            return Ok(Begun { held, rest });
        }
    }
}

fn cut_off() -> ClientError {
    ClientError::new(
        ErrorClass::Unavailable,
        "the stream ended before the answer was whole",
    )
}

/// A stream that is being read. Without a pass it is at its end.
struct Watched {
    begun: Begun,
    pass: Option<Pass>,
    clock: Arc<dyn Clock>,
    silence: Duration,
}

impl Watched {
    async fn next(mut self) -> Option<(Result<ChatEvent, ClientError>, Self)> {
        self.pass.as_ref()?;
        let next = match self.begun.held.pop_front() {
            Some(event) => Ok(event),
            None => {
                let next = async {
                    let next = self.begun.rest.next().await;
                    next.unwrap_or_else(|| Err(cut_off()))
                };
                within(self.clock.as_ref(), self.silence, next).await
            }
        };
        if matches!(next, Err(_) | Ok(ChatEvent::Finished { .. }))
            && let Some(pass) = self.pass.take()
        {
            pass.end(&next, self.clock.now());
        }
        Some((next, self))
    }
}
