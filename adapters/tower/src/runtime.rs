//! What time is it, and who runs what outlives a request? The outside world, to be put in its place.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bursar_ratelimit::Timestamp;

/// Work without a result.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A clock, a timer and somebody to run tasks. With the feature `tokio` (on by default) a layer uses
/// [`TokioRuntime`]; tests and other executors bring their own.
pub trait Runtime: Send + Sync + 'static {
    /// The time that decisions are made at. All users of one store need the same clock.
    fn now(&self) -> Timestamp;

    /// Ends when the duration has passed. Used only where a layer may
    /// [wait](crate::RateLimitLayer::max_wait).
    fn sleep(&self, duration: Duration) -> Task;

    /// Runs a task to its end: the settlement of a request whose store has to wait for a server.
    /// Called in destructors, so it must neither block nor panic; where nothing can be run any more
    /// it drops the task, and the reservation stands at its estimate.
    fn spawn(&self, task: Task);
}

/// The clock and the tasks of tokio.
///
/// Time counts from the first time that anything in the process asked for it, so that all layers and
/// whoever else calls [`now`](Runtime::now) agree. It stands still where tokio's clock is paused.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokioRuntime;

#[cfg(feature = "tokio")]
impl Runtime for TokioRuntime {
    fn now(&self) -> Timestamp {
        static STARTED: std::sync::OnceLock<tokio::time::Instant> = std::sync::OnceLock::new();
        let started = STARTED.get_or_init(tokio::time::Instant::now);
        Timestamp::from(started.elapsed())
    }

    fn sleep(&self, duration: Duration) -> Task {
        // Made in the future, since making a timer outside of a runtime panics.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    fn spawn(&self, task: Task) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(task);
        }
    }
}
