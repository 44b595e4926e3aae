//! How does time pass in a test?

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::Clock;
use crate::client::later;

/// A clock that only moves when it is waited for: who sleeps wakes at once, that much later, unless
/// something else is ready before. Clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<Mutex<Timestamp>>,
}

impl Default for ManualClock {
    /// At noon of 2026-11-20, UTC.
    fn default() -> Self {
        Self::at(Timestamp::constant(1_795_176_000, 0))
    }
}

impl ManualClock {
    /// A clock at a moment.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now: Arc::new(Mutex::new(now)),
        }
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = later(*now, duration);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, duration: Duration) {
        self.pass(duration);
    }
}
