//! How do equal requests at the same time make one call?

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::quality::FixedState;
use futures_channel::oneshot;
use futures_util::FutureExt as _;
use futures_util::future::Shared;

use super::CacheKey;

/// After so many calls in a row that failed, those who wait get the failure and do not call themselves:
/// a thousand equal requests to a model that is down make three calls and not a thousand.
const MOST_FAILURES: u32 = 3;

/// The calls under way, by what they ask for. One who calls leads; others with the same key follow.
#[derive(Debug)]
pub(super) struct Flights<V, E> {
    under_way: Mutex<HashMap<CacheKey, Flight<V, E>, FixedState>>,
}

#[derive(Debug)]
struct Flight<V, E> {
    landing: Landing<V, E>,
    /// How many leaders have failed right before this one.
    failures: u32,
}

/// What followers wait for. It is cancelled when the leader is dropped.
type Landing<V, E> = Shared<oneshot::Receiver<Landed<V, E>>>;

#[derive(Debug, Clone)]
struct Landed<V, E> {
    result: Result<V, E>,
    failures: u32,
}

/// Whose call an outcome comes from.
#[derive(Debug)]
pub(super) enum Outcome<V, E> {
    Own(Result<V, E>),
    Others(Result<V, E>),
}

enum Role<'f, V, E> {
    Leader(Leader<'f, V, E>),
    Follower(Landing<V, E>),
}

/// One who calls. Dropped, it makes way for a follower.
struct Leader<'f, V, E> {
    flights: &'f Flights<V, E>,
    key: CacheKey,
    landed: Option<oneshot::Sender<Landed<V, E>>>,
    failures: u32,
}

impl<V, E> Default for Flights<V, E> {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
        }
    }
}

impl<V: Clone, E: Clone> Flights<V, E> {
    /// The outcome of the one call that all who ask for the key at this time share.
    pub(super) async fn fly<F>(&self, key: CacheKey, call: impl FnOnce() -> F) -> Outcome<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        let mut failures = 0;
        loop {
            match self.role(key, failures) {
                Role::Leader(leader) => {
                    let result = call().await;
                    leader.land(result.clone());
                    return Outcome::Own(result);
                }
                Role::Follower(landing) => match landing.await {
                    Ok(landed) if landed.result.is_ok() || landed.failures >= MOST_FAILURES => {
                        return Outcome::Others(landed.result);
                    }
                    Ok(landed) => failures = landed.failures,
                    // The leader was dropped; somebody takes its place.
                    Err(oneshot::Canceled) => {}
                },
            }
        }
    }

    fn role(&self, key: CacheKey, failures: u32) -> Role<'_, V, E> {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get_mut(&key) {
            // One who has seen more failures knows better how many there were in a row.
            flight.failures = flight.failures.max(failures);
            return Role::Follower(flight.landing.clone());
        }
        let (landed, landing) = oneshot::channel();
        let landing = landing.shared();
        under_way.insert(key, Flight { landing, failures });
        Role::Leader(Leader {
            flights: self,
            key,
            landed: Some(landed),
            failures,
        })
    }
}

impl<V, E> Flights<V, E> {
    /// Nothing panics while it holds the lock.
    fn under_way(&self) -> MutexGuard<'_, HashMap<CacheKey, Flight<V, E>, FixedState>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V, E> Leader<'_, V, E> {
    fn land(mut self, result: Result<V, E>) {
        let failures = match (&result, self.end()) {
            (Ok(_), _) => 0,
            (Err(_), before) => before.max(self.failures).saturating_add(1),
        };
        if let Some(landed) = self.landed.take() {
            // Without followers nobody listens.
            let _ = landed.send(Landed { result, failures });
        }
    }

    /// Takes the flight off the list, so that whoever comes now begins another one, and says how many
    /// leaders had failed before it.
    fn end(&self) -> u32 {
        let flight = self.flights.under_way().remove(&self.key);
        flight.map_or(0, |flight| flight.failures)
    }
}

impl<V, E> Drop for Leader<'_, V, E> {
    fn drop(&mut self) {
        // Off the list first: followers who wake up must not find the flight that has ended.
        if self.landed.is_some() {
            self.end();
        }
    }
}
