//! Which limits do many processes share? The [`Store`] on a server.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bursar_ratelimit::{
    Admission, Charges, Decision, Progress, Quota, Reservation, ReservationId, Settlement, Store,
    StoreError, Timestamp, Usage,
};
use redis::Value;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::acquire::Plan;
use crate::connection::{Line, Source};
use crate::identity::Identities;
use crate::script::{Call, Script};
use crate::settings::{OpenError, RedisSettings};
use crate::settle;
use crate::wire::{Decided, Mode, Packed};

/// The store's name in errors.
pub(crate) const STORE: &str = "redis";

/// Limits that many processes share on Redis or Valkey.
///
/// Cloning gives another handle to the same connections. Calls need a Tokio runtime with its timer.
///
/// **Time.** The server's clock decides; the `now` of the calls is not looked at. A call that the
/// server gets while its clock is up to a second behind the latest time that a cell has seen is
/// decided at that time. When the clock was set back by more, what was outstanding stays outstanding
/// and drains from there on; when it was set forward, at most a burst becomes free.
///
/// **Failure.** A call that takes longer than [`RedisSettings::timeout`] is
/// [`StoreError::TimedOut`], and its charge may have landed; any other failure is
/// [`StoreError::Unavailable`]. A charge is never sent twice. What is to happen then stands in each
/// limit's [failure policy](bursar_ratelimit::OnFailure).
///
/// ```no_run
/// use bursar_ratelimit::{Limits, Progress, Request, Store, Timestamp, Unit, Usage};
/// use bursar_redis::{RedisSettings, RedisStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = Limits::preset()?;
/// let store = RedisStore::single("redis://127.0.0.1:6379", RedisSettings::default())?;
///
/// let request = Request::new().tenant("acme").api_key("key-17").method("chat");
/// let charges = limits.resolve(&request.cost(Unit::TOKENS, 1_200))?;
/// let admission = store.reserve(&charges, Timestamp::ZERO).await?;
/// if let Some(mut reservation) = admission.reservation {
///     let usage = Usage::new().with(Unit::TOKENS, 873);
///     let _ = store
///         .settle(&mut reservation, &usage, Progress::Final, Timestamp::ZERO)
///         .await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    settings: RedisSettings,
    lines: Box<[Arc<Line>]>,
    next: AtomicUsize,
    acquire: Script,
    settle: Script,
    identities: Identities,
    /// Whether the scripts go by the caller's time.
    #[cfg(test)]
    virtual_time: bool,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisStore")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Limits on one server: `redis://user:password@host:6379/0`, or `redis+unix:///path`.
    ///
    /// No connection is made before the first call, so that a service starts without the server.
    ///
    /// # Errors
    ///
    /// Refuses a URL or settings that cannot be used.
    pub fn single(url: &str, settings: RedisSettings) -> Result<Self, OpenError> {
        let source = Source::single(url).map_err(OpenError::Url)?;
        Self::new(source, settings)
    }

    /// Limits on the server that Sentinel calls the master of `name`; the URLs are those of the
    /// sentinels. User, password and number of the database of the server itself are those of
    /// [`RedisSettings::login`] and [`RedisSettings::database`].
    ///
    /// The sentinels are asked again whenever the connection is lost or its server says that it has
    /// become a replica.
    ///
    /// # Errors
    ///
    /// Refuses URLs or settings that cannot be used.
    pub fn sentinel(urls: &[&str], name: &str, settings: RedisSettings) -> Result<Self, OpenError> {
        let source = Source::sentinel(urls, name, &settings).map_err(OpenError::Url)?;
        Self::new(source, settings)
    }

    /// Limits on a cluster, some of whose servers are named. Read at [`Keying`](crate::Keying) what
    /// is decided at once.
    ///
    /// # Errors
    ///
    /// Refuses URLs or settings that cannot be used.
    pub fn cluster(urls: &[&str], settings: RedisSettings) -> Result<Self, OpenError> {
        let source = Source::cluster(urls, &settings).map_err(OpenError::Url)?;
        Self::new(source, settings)
    }

    fn new(source: Source, settings: RedisSettings) -> Result<Self, OpenError> {
        let settings = settings.checked()?;
        let source = Arc::new(source);
        let line = || {
            Line::new(
                Arc::clone(&source),
                settings.connect_timeout,
                settings.silence,
            )
        };
        let lines = (0..settings.connections)
            .map(|_| Arc::new(line()))
            .collect();
        Ok(Self(Arc::new(Inner {
            lines,
            next: AtomicUsize::new(0),
            acquire: Script::new(include_str!("acquire.lua")),
            settle: Script::new(include_str!("settle.lua")),
            identities: Identities::new().map_err(OpenError::Random)?,
            #[cfg(test)]
            virtual_time: false,
            settings,
        })))
    }

    /// How the store works.
    #[must_use]
    pub fn settings(&self) -> &RedisSettings {
        &self.0.settings
    }

    /// Whether the server runs the scripts: the server's time since 1970, as its clock says it. In a
    /// cluster one of the servers answers.
    ///
    /// # Errors
    ///
    /// As every call: when there is no answer in time, or an error.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let nothing = Packed::default().byte(Mode::Peek as u8).byte(0);
        let call = Call {
            script: &self.0.acquire,
            keys: &[],
            arguments: &[nothing.bytes()],
            may_repeat: true,
        };
        let value = self.run(&call).await?;
        let decided = Decided::parse(value, 0).map_err(unavailable)?;
        Ok(Duration::from_micros(decided.now))
    }

    async fn decide<'a>(
        &self,
        charges: &Charges<'a>,
        mode: Mode,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        let inner = &*self.0;
        let charges = charges.as_slice();
        let id = inner.identities.next();
        if charges.is_empty() {
            let reservation = (mode == Mode::Reserve).then(|| Reservation::new(id, []));
            return Ok(Admission::new(Decision::new([]), reservation));
        }
        let plan = Plan::new(charges, &inner.settings)?;
        let call = Call {
            script: &inner.acquire,
            keys: &plan.keys,
            arguments: &self.stamped(plan.arguments(mode, id), now),
            may_repeat: mode == Mode::Peek,
        };
        let value = self.run(&call).await?;
        let decided = Decided::parse(value, plan.keys.len()).map_err(unavailable)?;
        let decision = plan.decision(&decided).map_err(unavailable)?;
        let reservation = match mode == Mode::Reserve && decided.allowed {
            true => {
                let holds = plan.holds(&decided).map_err(unavailable)?;
                Some(Reservation::new(id, holds))
            }
            false => None,
        };
        Ok(Admission::new(decision, reservation))
    }

    /// Runs a script within the time that a call may take.
    async fn run(&self, call: &Call<'_>) -> Result<Value, StoreError> {
        let inner = &*self.0;
        // Outside of a runtime the client library panics.
        Handle::try_current().map_err(unavailable)?;
        let next = inner.next.fetch_add(1, Ordering::Relaxed);
        let line = &inner.lines[next % inner.lines.len()];
        match timeout(inner.settings.timeout, line.run(call)).await {
            Ok(result) => result.map_err(unavailable),
            Err(_) => {
                line.timed_out();
                Err(StoreError::TimedOut {
                    store: STORE,
                    waited: inner.settings.timeout,
                })
            }
        }
    }

    /// The server's clock is asked in the scripts, so the caller's time is not sent.
    #[cfg(not(test))]
    fn stamped(&self, arguments: Vec<Vec<u8>>, _now: Timestamp) -> Vec<Vec<u8>> {
        arguments
    }

    /// Appends the time for scripts that a test has made go by it.
    #[cfg(test)]
    fn stamped(&self, mut arguments: Vec<Vec<u8>>, now: Timestamp) -> Vec<Vec<u8>> {
        if self.0.virtual_time {
            let micros = now.as_nanos() / 1000;
            arguments.push(micros.to_string().into_bytes());
        }
        arguments
    }

    /// The same store with scripts that go by the caller's time.
    #[cfg(test)]
    pub(crate) fn in_virtual_time(self) -> Self {
        let script = |code: &str| {
            assert_eq!(code.matches("call('TIME')").count(), 1);
            Script::new(code.replace("call('TIME')", "{ 0, ARGV[#ARGV] }"))
        };
        let Some(inner) = Arc::into_inner(self.0) else {
            panic!("the store has been cloned");
        };
        Self(Arc::new(Inner {
            acquire: script(include_str!("acquire.lua")),
            settle: script(include_str!("settle.lua")),
            virtual_time: true,
            ..inner
        }))
    }

    /// Settles what some limit holds.
    async fn settle_held(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        let inner = &*self.0;
        let mut plan = settle::Plan::new(reservation, usage, progress, &inner.settings)?;
        let call = Call {
            script: &inner.settle,
            keys: &plan.keys,
            arguments: &self.stamped(std::mem::take(&mut plan.arguments), now),
            may_repeat: true,
        };
        let value = self.run(&call).await?;
        let settlement = plan.settlement(value, reservation, usage, progress);
        let settlement = settlement.map_err(unavailable)?;
        // Also if it had been settled by somebody else, or by a call whose answer was lost.
        let progress = match settlement.is_applied() {
            true => progress,
            false => Progress::Final,
        };
        reservation.settled(usage, progress);
        Ok(settlement)
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        let unheld = |quota: &Quota| matches!(quota, Quota::Concurrency(_));
        if let Some(charge) = charges.as_slice().iter().find(|one| unheld(one.quota())) {
            return Err(StoreError::NeedsReservation {
                limit: charge.limit().name().to_owned(),
            });
        }
        Ok(self.decide(charges, Mode::Check, now).await?.decision)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        Ok(self.decide(charges, Mode::Peek, now).await?.decision)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        self.decide(charges, Mode::Reserve, now).await
    }

    /// After an error the same call may be repeated, by any process: a marker beside the cells knows
    /// for a minute that a reservation was settled, and for an hour what its steps have charged. If
    /// the first call has landed and the marker is gone (the call is repeated later than that, or the
    /// server has lost its data), a debt is charged again, or as much as was used is given back too.
    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        if reservation.is_settled() {
            return Ok(Settlement::ALREADY_SETTLED);
        }
        if reservation.holds().is_empty() {
            reservation.settled(usage, progress);
            return Ok(Settlement::applied([]));
        }
        self.settle_held(reservation, usage, progress, now).await
    }
}

/// The identity in the form that the scripts keep.
pub(crate) fn identity_bytes(id: ReservationId) -> Vec<u8> {
    id.0.to_be_bytes().to_vec()
}

fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable {
        store: STORE,
        source: Box::new(source),
    }
}
