//! Stores that stand in for a server: they count, fail or hang when a test says so.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bursar_ratelimit::{
    Admission, Charges, Decision, MemoryStore, Progress, Reservation, Settlement, Store,
    StoreError, Timestamp, Usage,
};

/// A store in memory that counts calls, and fails or hangs on demand.
#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) memory: MemoryStore,
    calls: AtomicU64,
    down: AtomicBool,
    hangs: AtomicBool,
}

impl Server {
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    pub(crate) fn set_hangs(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::Relaxed);
    }

    async fn call(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.down.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable {
                store: "test",
                source: "the test took it down".into(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Server {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.call().await?;
        self.memory.check(charges, now)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.call().await?;
        self.memory.peek(charges, now)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        self.call().await?;
        self.memory.reserve(charges, now)
    }

    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        self.call().await?;
        self.memory.settle(reservation, usage, progress, now)
    }
}
