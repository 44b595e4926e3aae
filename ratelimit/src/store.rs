//! Where is the state kept? The port that every store implements, one decision a call.

use async_trait::async_trait;
use thiserror::Error;

use crate::decision::Decision;
use crate::request::Charges;
use crate::reservation::{Progress, Reservation, Settlement, Usage};
use crate::time::Timestamp;

/// Keeps what every key has used, and decides.
///
/// # Contract
///
/// - A decision is one over all charges, atomically: an allowed request is charged to every limit, a
///   denied one to none. A limit in shadow mode that does not fit is not charged and does not deny.
/// - Under every rate, the net use of any window is at most burst + rate × window, whatever was
///   reserved and settled; debts of overruns come on top and are paid by waiting.
/// - A store may have a clock of its own that wins over `now`; it says so.
/// - An error means that nothing could be decided. Whether something was charged is then unknown, and
///   counts as charged.
///
/// The suite in `conformance` (a feature) checks all of it for any implementation.
#[async_trait]
pub trait Store: Send + Sync {
    /// Decides and charges.
    ///
    /// # Errors
    ///
    /// When the store cannot decide, and for a charge under a
    /// [concurrency](crate::Concurrency) limit, which only a reservation can release.
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError>;

    /// Decides as [`check`](Self::check) would and changes nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot decide.
    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError>;

    /// Decides and charges an estimate, to be settled when the real usage is known.
    ///
    /// # Errors
    ///
    /// When the store cannot decide.
    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError>;

    /// Replaces a reservation's estimate by what was used. An overrun is charged whether or not it
    /// fits; what was not used is given back as far as that cannot let more than the quota pass.
    /// Settling again what was settled changes nothing. After an error the same call may be repeated.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached.
    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError>;
}

#[async_trait]
impl<S: Store + ?Sized> Store for &S {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        (**self).check(charges, now).await
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        (**self).peek(charges, now).await
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        (**self).reserve(charges, now).await
    }

    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        (**self).settle(reservation, usage, progress, now).await
    }
}

/// A decision, and what is held for the request if it passed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admission<'a> {
    /// The decision.
    pub decision: Decision<'a>,
    /// What is held, `None` if the request was denied.
    pub reservation: Option<Reservation>,
}

impl<'a> Admission<'a> {
    /// For implementations of a store.
    #[must_use]
    pub const fn new(decision: Decision<'a>, reservation: Option<Reservation>) -> Self {
        Self {
            decision,
            reservation,
        }
    }
}

/// Why a store could not decide.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The server cannot be reached, or answered with an error.
    #[error("the {store} store is not available; the limits' failure policies apply")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer in time. The charge may have landed all the same.
    #[error(
        "the {store} store did not answer within {waited:?}; the limits' failure policies apply"
    )]
    TimedOut {
        /// Which store.
        store: &'static str,
        /// How long the caller waited.
        waited: std::time::Duration,
    },
    /// A charge that only a reservation can end was asked for without one.
    #[error("limit `{limit}` counts what is held at once; use `reserve` instead of `check`")]
    NeedsReservation {
        /// The limit.
        limit: String,
    },
    /// A store in memory has as many keys as it may have.
    #[error("the store holds its {keys} keys already; raise `Settings::max_keys` or share cells")]
    Full {
        /// The most keys that a part of the store may have.
        keys: usize,
    },
    /// More different quotas than a store tells apart.
    #[error("the store has seen {0} different quotas already; give keys quotas from fewer tiers")]
    TooManyQuotas(usize),
    /// A quota that this store cannot represent.
    #[error("limit `{limit}` has a quota that the {store} store cannot represent: {reason}")]
    Quota {
        /// The limit.
        limit: String,
        /// Which store.
        store: &'static str,
        /// Why not, and what would do.
        reason: String,
    },
    /// Charges that this store keeps apart, so that no decision can be made over all of them.
    #[error("the {store} store cannot decide limit `{limit}` together with the others: {reason}")]
    Apart {
        /// The limit.
        limit: String,
        /// Which store.
        store: &'static str,
        /// Why not, and what would do.
        reason: String,
    },
    /// A reservation of another store.
    #[error("the reservation was made by another store; settle it there")]
    ForeignReservation,
}

impl StoreError {
    /// Whether the store itself failed, so that asking again later may help. Anything else is a
    /// mistake in the call or in the limits, which no failure policy hides.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::TimedOut { .. } | Self::Full { .. } => true,
            Self::NeedsReservation { .. }
            | Self::TooManyQuotas(_)
            | Self::Quota { .. }
            | Self::Apart { .. }
            | Self::ForeignReservation => false,
        }
    }
}
