//! How does a request get its answer although models fail?
//!
//! [`Invoker`] asks the candidates of a decision in order. Each provider stands behind a circuit breaker,
//! which spares one that is down, and a bulkhead, which keeps one that is slow from taking all calls.
//! Throttling is retried after a while with jitter; other failures that another model may not have lead to
//! the next candidate. What is decided is plain data with the time as an argument; only the calls and the
//! waits between them are asynchronous.

mod breaker;
mod course;
mod provider;
mod settings;
mod streaming;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;

pub use breaker::CircuitState;
pub use settings::{InvocationSettings, ProviderSettings};
pub use streaming::InvokedStream;

use self::course::{Course, Next};
use self::provider::{Provider, Refusal};
use crate::client::since;
use crate::{
    ChatAnswer, ChatRequest, ClientError, Clock, ErrorClass, ModelClient, ModelId, ProviderId,
};

/// A model at a provider that may answer.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct ModelRef {
    /// Who serves the model.
    pub provider: ProviderId,
    /// Its name there.
    pub model: ModelId,
}

/// Asks candidates in order until one answers.
///
/// ```
/// # #[cfg(feature = "conformance")] {
/// use std::sync::Arc;
/// use bursar_model_router::conformance::{ManualClock, ScriptedClient};
/// use bursar_model_router::{
///     ModelRef, ChatRequest, ClientError, ErrorClass, InvocationSettings, Invoker, ModelId, ProviderId,
///     ProviderSettings,
/// };
///
/// let aws = ProviderId::new("aws")?;
/// let client = ScriptedClient::default();
/// client.fail(ClientError::new(ErrorClass::Overloaded, "no capacity"));
/// client.say("Spare capacity at a discount.");
///
/// let invoker = Invoker::new(InvocationSettings::default(), Arc::new(ManualClock::default()))
///     .provider(aws.clone(), Arc::new(client), ProviderSettings::default());
/// let candidates = ["us.amazon.nova-lite-v1:0", "us.amazon.nova-micro-v1:0"].map(|model| ModelRef {
///     provider: aws.clone(),
///     model: ModelId::new(model).expect("a name"),
/// });
/// let request = ChatRequest::user("What is a spot instance?");
/// let invoked = futures_executor::block_on(invoker.invoke(&candidates, &request, 7))?;
/// assert_eq!(invoked.candidate, candidates[1]);
/// assert_eq!(invoked.attempts.len(), 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Invoker {
    settings: InvocationSettings,
    clock: Arc<dyn Clock>,
    providers: BTreeMap<ProviderId, Arc<Provider>>,
}

impl fmt::Debug for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoker")
            .field("settings", &self.settings)
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}

/// An answer, and the way to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Invoked {
    /// The answer. Its latency is that of the attempt that succeeded.
    pub answer: ChatAnswer,
    /// Who gave it.
    pub candidate: ModelRef,
    /// What had been tried before, in order.
    pub attempts: Vec<Attempt>,
    /// From the request to the answer, all attempts and waits included.
    pub elapsed: Duration,
}

/// Something that was tried without success.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Who was to answer.
    pub candidate: ModelRef,
    /// Why there was no answer.
    pub reason: AttemptFailure,
    /// How long it took.
    pub latency: Duration,
}

/// Why an attempt gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptFailure {
    /// The call failed.
    #[error(transparent)]
    Failed(ClientError),
    /// It was not called: too many of the provider's latest calls have failed.
    #[error("the provider's circuit is open until {until}")]
    CircuitOpen {
        /// When it is tried again.
        until: Timestamp,
    },
    /// It was not called: as many calls as are allowed are under way.
    #[error("{limit} calls of the provider are under way, which is the most")]
    BulkheadFull {
        /// How many may be.
        limit: usize,
    },
    /// No client was registered for the provider.
    #[error("there is no client for the provider: register one with `Invoker::provider`")]
    NoClient,
}

/// Why no candidate answered.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum InvocationError {
    /// None was given.
    #[error("there is no candidate to ask")]
    NoCandidates,
    /// All were tried.
    #[error("no candidate answered; the last one: {}", last(attempts))]
    Exhausted {
        /// What was tried, in order.
        attempts: Vec<Attempt>,
    },
    /// The time was over.
    #[error(
        "no candidate answered within {budget:?}; the last one: {}",
        last(attempts)
    )]
    OutOfTime {
        /// How long it may take.
        budget: Duration,
        /// What was tried, in order.
        attempts: Vec<Attempt>,
    },
    /// The request is at fault, so that no other candidate was asked.
    #[error("the request was refused: {error}")]
    Refused {
        /// Why.
        #[source]
        error: ClientError,
        /// What was tried, in order, the refusal included.
        attempts: Vec<Attempt>,
    },
}

impl InvocationError {
    /// What was tried, in order.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::NoCandidates => &[],
            Self::Exhausted { attempts }
            | Self::OutOfTime { attempts, .. }
            | Self::Refused { attempts, .. } => attempts,
        }
    }
}

fn last(attempts: &[Attempt]) -> String {
    attempts.last().map_or_else(
        || "none was asked".to_owned(),
        |attempt| format!("{}: {}", attempt.candidate.model, attempt.reason),
    )
}

impl Invoker {
    /// One without providers.
    #[must_use]
    pub fn new(settings: InvocationSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            settings,
            clock,
            providers: BTreeMap::new(),
        }
    }

    /// With a provider, whose models this client reaches.
    #[must_use]
    pub fn provider(
        mut self,
        provider: ProviderId,
        client: Arc<dyn ModelClient>,
        settings: ProviderSettings,
    ) -> Self {
        let behind = Arc::new(Provider::new(client, settings));
        self.providers.insert(provider, behind);
        self
    }

    /// How each provider is at a moment: what routing looks at before it chooses.
    pub fn health(&self, now: Timestamp) -> impl Iterator<Item = (&ProviderId, CircuitState)> {
        let providers = self.providers.iter();
        providers.map(move |(id, provider)| (id, provider.circuit(now)))
    }

    /// Asks the candidates in order and waits for a whole answer. `random` are random bits, from which
    /// the jitter of waits comes.
    ///
    /// Dropping the future gives the call up that is under way.
    ///
    /// # Errors
    /// [`InvocationError`] with everything that was tried.
    pub async fn invoke(
        &self,
        candidates: &[ModelRef],
        request: &ChatRequest,
        random: u64,
    ) -> Result<Invoked, InvocationError> {
        let mut run = Run::new(self, candidates, random);
        loop {
            let (candidate, provider, timeout) = run.next()?;
            let began = self.clock.now();
            let result = match provider.enter(began) {
                Err(refusal) => Err(refusal.into()),
                Ok(pass) => {
                    let call = provider.client().invoke(&candidate.model, request);
                    let result = within(self.clock.as_ref(), timeout, call).await;
                    pass.end(&result, self.clock.now());
                    result.map_err(AttemptFailure::Failed)
                }
            };
            match result {
                Ok(mut answer) => {
                    answer.latency = since(self.clock.now(), began);
                    return Ok(Invoked {
                        answer,
                        candidate: candidate.clone(),
                        elapsed: since(self.clock.now(), run.began),
                        attempts: run.attempts,
                    });
                }
                Err(reason) => run.failed(candidate, reason, began).await?,
            }
        }
    }
}

/// One request on its way along the candidates.
struct Run<'r> {
    invoker: &'r Invoker,
    candidates: &'r [ModelRef],
    course: Course,
    attempts: Vec<Attempt>,
    began: Timestamp,
}

impl<'r> Run<'r> {
    fn new(invoker: &'r Invoker, candidates: &'r [ModelRef], random: u64) -> Self {
        let began = invoker.clock.now();
        Self {
            invoker,
            candidates,
            course: Course::new(invoker.settings.clone(), began, random),
            attempts: Vec::new(),
            began,
        }
    }

    /// Whom to ask next, and for how long. Candidates without a client are passed over.
    fn next(&mut self) -> Result<(&'r ModelRef, Arc<Provider>, Duration), InvocationError> {
        let now = self.invoker.clock.now();
        loop {
            let Some(candidate) = self.candidates.get(self.course.candidate()) else {
                return Err(self.exhausted());
            };
            let Some(timeout) = self.course.timeout(now) else {
                return Err(self.out_of_time());
            };
            match self.invoker.providers.get(&candidate.provider) {
                Some(provider) => return Ok((candidate, Arc::clone(provider), timeout)),
                None => {
                    self.note(candidate, AttemptFailure::NoClient, now);
                    self.course.pass_over();
                }
            }
        }
    }

    /// Takes note of a failure and waits if the same candidate is to be asked again.
    async fn failed(
        &mut self,
        candidate: &ModelRef,
        reason: AttemptFailure,
        began: Timestamp,
    ) -> Result<(), InvocationError> {
        let error = match &reason {
            AttemptFailure::Failed(error) => Some(error.clone()),
            _ => None,
        };
        self.note(candidate, reason, began);
        let Some(error) = error else {
            self.course.pass_over();
            return Ok(());
        };
        match self.course.failed(&error, self.invoker.clock.now()) {
            Next::ModelRef => Ok(()),
            Next::Wait(wait) => {
                self.invoker.clock.sleep(wait).await;
                Ok(())
            }
            Next::Refuse => Err(InvocationError::Refused {
                error,
                attempts: std::mem::take(&mut self.attempts),
            }),
        }
    }

    fn note(&mut self, candidate: &ModelRef, reason: AttemptFailure, began: Timestamp) {
        self.attempts.push(Attempt {
            candidate: candidate.clone(),
            reason,
            latency: since(self.invoker.clock.now(), began),
        });
    }

    fn exhausted(&mut self) -> InvocationError {
        match self.candidates {
            [] => InvocationError::NoCandidates,
            _ => InvocationError::Exhausted {
                attempts: std::mem::take(&mut self.attempts),
            },
        }
    }

    fn out_of_time(&mut self) -> InvocationError {
        InvocationError::OutOfTime {
            budget: self.invoker.settings.budget,
            attempts: std::mem::take(&mut self.attempts),
        }
    }
}

impl From<Refusal> for AttemptFailure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CircuitOpen { until } => Self::CircuitOpen { until },
            Refusal::BulkheadFull { limit } => Self::BulkheadFull { limit },
        }
    }
}

/// A call, given up after a while.
async fn within<T>(
    clock: &dyn Clock,
    timeout: Duration,
    call: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    match select(Box::pin(call), clock.sleep(timeout)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(ClientError::new(
            ErrorClass::Timeout,
            format!("no answer within {timeout:?}"),
        )),
    }
}
