//! How does time pass?

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// What time it is, and waiting for later: the port to a runtime's timer.
///
/// Best made of a monotonic clock that was set by the wall once, so that it never jumps.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Returns when at least this much time has passed.
    async fn sleep(&self, duration: Duration);
}

/// How much later a moment is than another; nothing if it is earlier.
pub(crate) fn since(now: Timestamp, earlier: Timestamp) -> Duration {
    now.duration_since(earlier).try_into().unwrap_or_default()
}

/// A moment so much later, the last one there is if that is beyond it.
pub(crate) fn later(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}
