//! Which reservation is it? Identities that no two processes give out.

use std::sync::atomic::{AtomicU64, Ordering};

use bursar_ratelimit::ReservationId;

/// Consecutive numbers of 128 bits from a random one on. Among a million processes that make 2^40
/// reservations each, two of them share one with a probability of about 10^-15.
#[derive(Debug)]
pub(crate) struct Identities {
    first: u128,
    next: AtomicU64,
}

impl Identities {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut first = [0; 16];
        getrandom::fill(&mut first)?;
        Ok(Self {
            first: u128::from_le_bytes(first),
            next: AtomicU64::new(0),
        })
    }

    pub(crate) fn next(&self) -> ReservationId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        ReservationId(self.first.wrapping_add(u128::from(number)))
    }
}
