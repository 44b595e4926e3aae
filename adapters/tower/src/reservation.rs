//! What did a request really use, and when is that settled? In the handler, or when its body ends.

use std::error::Error;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bursar_ratelimit::{Progress, Reservation, Settlement, Store, StoreError, Unit, Usage};
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::runtime::{Runtime, Task};

/// Told about errors that no caller sees.
pub(crate) type OnError = Arc<dyn Fn(&(dyn Error + 'static)) + Send + Sync>;

/// What is held for a request, in the request's extensions for its handler to settle.
///
/// A handler that knows what the request used says so with [`report`](Self::report); it is settled
/// when the body of the response has been sent, or when the client has gone. Whoever streams an
/// answer calls [`step`](Self::step) now and then, so that a long answer is charged while it grows.
/// [`settle`](Self::settle) ends the reservation at once, concurrent calls included. A request that
/// nobody says anything about is settled at its estimate.
///
/// Usage is the sum so far in each unit; the last word for a unit counts. Clones are the same
/// reservation.
///
/// ```
/// use bursar_ratelimit::{Unit, Usage};
/// use bursar_tower::ReservationHandle;
///
/// async fn complete(request: http::Request<String>) -> http::Response<String> {
///     let answer = request.body().to_uppercase();
///     if let Some(reservation) = request.extensions().get::<ReservationHandle>() {
///         let tokens = answer.split_whitespace().count() as u64;
///         reservation.report(&Usage::new().with(Unit::TOKENS, tokens));
///     }
///     http::Response::new(answer)
/// }
/// ```
#[derive(Clone)]
pub struct ReservationHandle(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    runtime: Arc<dyn Runtime>,
    on_error: Option<OnError>,
    /// What was held at first in each unit.
    estimates: SmallVec<[(Unit, u64); 4]>,
    state: Mutex<State>,
}

struct State {
    place: Place,
    usage: Usage,
    /// Whether the response has ended.
    ended: bool,
}

/// Where the reservation is.
enum Place {
    Here(Box<Reservation>),
    /// With a settlement under way.
    Lent,
    Settled,
}

/// The response's own claim: dropped, it settles.
pub(crate) struct Held(ReservationHandle);

impl ReservationHandle {
    /// Units held in a unit at first, the estimate; `None` if no limit counts it.
    #[must_use]
    pub fn estimate(&self, unit: Unit) -> Option<u64> {
        let mut estimates = self.0.estimates.iter();
        let found = estimates.find(|(name, _)| *name == unit);
        found.map(|(_, units)| *units)
    }

    /// Says what was used, to be settled when the response ends.
    pub fn report(&self, usage: &Usage) {
        self.0.note(&mut self.0.state.lock(), usage);
    }

    /// Charges what was used so far beyond the estimate, while the answer still grows.
    ///
    /// Of two calls at a time, the second only reports.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached; what was used is then charged by the next step or when the
    /// response ends.
    pub async fn step(&self, usage: &Usage) -> Result<Settlement, StoreError> {
        self.apply(usage, Progress::Step).await
    }

    /// Settles with what was used, at once: the reservation ends, and with it the hold on concurrent
    /// calls.
    ///
    /// During another call it only reports, and the response's end settles.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached; the response's end then tries again.
    pub async fn settle(&self, usage: &Usage) -> Result<Settlement, StoreError> {
        self.apply(usage, Progress::Final).await
    }

    /// Whether the last settlement has been made, or is on its way to the store.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.0.state.lock().place, Place::Settled)
    }

    async fn apply(&self, usage: &Usage, progress: Progress) -> Result<Settlement, StoreError> {
        let Some((mut loan, usage)) = self.lend(usage) else {
            return Ok(Settlement::ALREADY_SETTLED);
        };
        let Some(reservation) = &mut loan.reservation else {
            return Ok(Settlement::ALREADY_SETTLED);
        };
        let now = self.0.runtime.now();
        self.0
            .store
            .settle(reservation, &usage, progress, now)
            .await
    }

    /// Takes the reservation out, if it is there, with all that is known of its usage.
    fn lend(&self, usage: &Usage) -> Option<(Loan, Usage)> {
        let mut state = self.0.state.lock();
        self.0.note(&mut state, usage);
        match std::mem::replace(&mut state.place, Place::Lent) {
            Place::Here(reservation) => {
                let loan = Loan {
                    shared: Arc::clone(&self.0),
                    reservation: Some(reservation),
                };
                Some((loan, state.usage.clone()))
            }
            elsewhere => {
                state.place = elsewhere;
                None
            }
        }
    }
}

impl fmt::Debug for ReservationHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReservationHandle")
            .field("estimates", &self.0.estimates)
            .field("settled", &self.is_settled())
            .finish_non_exhaustive()
    }
}

impl Held {
    pub(crate) fn new(
        reservation: Reservation,
        store: Arc<dyn Store>,
        runtime: Arc<dyn Runtime>,
        on_error: Option<OnError>,
    ) -> Self {
        let mut estimates: SmallVec<[(Unit, u64); 4]> = SmallVec::new();
        for hold in reservation.holds() {
            if !estimates.iter().any(|(unit, _)| *unit == hold.unit) {
                estimates.push((hold.unit, hold.reserved));
            }
        }
        let state = Mutex::new(State {
            place: Place::Here(Box::new(reservation)),
            usage: Usage::new(),
            ended: false,
        });
        Self(ReservationHandle(Arc::new(Shared {
            store,
            runtime,
            on_error,
            estimates,
            state,
        })))
    }

    /// A handle to the same reservation.
    pub(crate) fn handle(&self) -> ReservationHandle {
        self.0.clone()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let shared = &self.0.0;
        let mut state = shared.state.lock();
        state.ended = true;
        match std::mem::replace(&mut state.place, Place::Settled) {
            Place::Here(reservation) => {
                let usage = state.usage.clone();
                drop(state);
                shared.finish(reservation, usage);
            }
            elsewhere => state.place = elsewhere,
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Held").field(&self.0).finish()
    }
}

/// A reservation on its way through a settlement. It comes back however that ends, even if the
/// caller's future is dropped half way.
struct Loan {
    shared: Arc<Shared>,
    reservation: Option<Box<Reservation>>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(reservation) = self.reservation.take() else {
            return;
        };
        let mut state = self.shared.state.lock();
        if reservation.is_settled() {
            state.place = Place::Settled;
        } else if state.ended {
            state.place = Place::Settled;
            let usage = state.usage.clone();
            drop(state);
            self.shared.finish(reservation, usage);
        } else {
            state.place = Place::Here(reservation);
        }
    }
}

impl Shared {
    fn note(&self, state: &mut State, usage: &Usage) {
        for (unit, _) in &self.estimates {
            if let Some(used) = usage.of(*unit) {
                state.usage = std::mem::take(&mut state.usage).with(*unit, used);
            }
        }
    }

    /// Makes the last settlement from a destructor: at once if the store can, or else as a task.
    fn finish(&self, mut reservation: Box<Reservation>, usage: Usage) {
        let store = Arc::clone(&self.store);
        let on_error = self.on_error.clone();
        let now = self.runtime.now();
        let mut task: Task = Box::pin(async move {
            let settled = store.settle(&mut reservation, &usage, Progress::Final, now);
            if let (Err(error), Some(on_error)) = (settled.await, on_error) {
                on_error(&error);
            }
        });
        // A server's client may panic when its runtime has been shut down. Here that would be in a
        // destructor, and could end the process.
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| {
            task.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        }));
        if let Ok(Poll::Pending) = polled {
            self.runtime.spawn(task);
        }
    }
}
