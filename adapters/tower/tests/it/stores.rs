//! Stores that behave like a server far away, or a broken one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use bursar_ratelimit::{
    Admission, Charges, Decision, MemoryStore, Progress, Reservation, Settlement, Store,
    StoreError, Timestamp, Usage,
};

/// A store that answers settlements at the second question, as one does that waits for a server, and
/// not at all while it is down.
#[derive(Default)]
pub(crate) struct Remote {
    pub(crate) memory: MemoryStore,
    pub(crate) is_down: AtomicBool,
    pub(crate) has_seen_too_many_quotas: AtomicBool,
    pub(crate) settlements: AtomicUsize,
    /// Whether it panics when it is asked outside of its runtime.
    pub(crate) panics: AtomicBool,
}

impl Remote {
    fn reach(&self) -> Result<(), StoreError> {
        if self.has_seen_too_many_quotas.load(Ordering::Relaxed) {
            return Err(StoreError::TooManyQuotas(1));
        }
        match self.is_down.load(Ordering::Relaxed) {
            true => Err(StoreError::Unavailable {
                store: "remote",
                source: "connection refused".into(),
            }),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Store for Remote {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.reach()?;
        self.memory.check(charges, now)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.reach()?;
        self.memory.peek(charges, now)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        self.reach()?;
        self.memory.reserve(charges, now)
    }

    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        assert!(!self.panics.load(Ordering::Relaxed), "no runtime");
        let mut asked = false;
        std::future::poll_fn(|context| {
            if asked {
                return Poll::Ready(());
            }
            asked = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.reach()?;
        self.settlements.fetch_add(1, Ordering::Relaxed);
        self.memory.settle(reservation, usage, progress, now)
    }
}
