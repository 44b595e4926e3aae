//! How is a model asked?
//!
//! The port [`ModelClient`], which adapters implement for each way to reach models, and what can go wrong
//! there. [`Clock`] is the port through which time passes, so that nothing here needs a runtime.

mod clock;
mod error;

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

pub use clock::Clock;
pub(crate) use clock::{later, since};
pub use error::{ClientError, ErrorClass, Remedy};

use crate::{ChatAnswer, ChatEvent, ChatRequest, ModelId};

/// The parts of an answer as they arrive. The last one is [`ChatEvent::Finished`] or an error; a stream
/// that ends without either was cut off.
pub type ChatStream = Pin<Box<dyn Stream<Item = Result<ChatEvent, ClientError>> + Send>>;

/// Asks the models of a provider.
///
/// An implementation makes one call for each call: retries, time-outs and other models are the
/// [`Invoker`](crate::Invoker)'s. A call whose future is dropped is given up.
#[async_trait]
pub trait ModelClient: Send + Sync {
    /// Asks a model and waits for its whole answer.
    ///
    /// # Errors
    /// [`ClientError`]. Whether the call was billed is then not known, except that a call which was
    /// throttled, invalid or denied was not.
    async fn invoke(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatAnswer, ClientError>;

    /// Asks a model and hands its answer on as it is written.
    ///
    /// # Errors
    /// [`ClientError`] when it does not begin; what happens later is in the stream.
    async fn stream(
        &self,
        model: &ModelId,
        request: &ChatRequest,
    ) -> Result<ChatStream, ClientError>;
}
