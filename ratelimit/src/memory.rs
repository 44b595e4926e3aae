//! How does one process decide? All limits under short locks, without a clock or a background task.
//!
//! Keys are spread over shards by their hash, and a decision locks the shards of its keys in the
//! order of their numbers, so two decisions never wait for each other. Shards of limits with few
//! keys that every request shares (global, method) come last in that order and are held for the
//! shortest time. Under the locks all limits are asked before any is charged, so a refusal takes
//! nothing and no other request ever sees a charge that is taken back.
//!
//! A key under a rate takes 32 bytes; its text is not kept, only a 64-bit fingerprint made with the
//! store's seed. Among a million keys of a limit two share one with a probability of about 3 in
//! 10^8, and then they share their bucket.

mod counted;
mod lines;
mod registry;
mod shard;
mod table;
mod waiting;

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::quality::FixedState;
use smallvec::SmallVec;

use self::counted::{CountedCell, Stock, StockCell, WindowCell};
use self::registry::Registry;
use self::shard::{Shard, ShardTime};
use self::table::{Found, MAX_QUOTAS, QuotaNumber};
pub use self::waiting::{Ticket, Turn};
use self::waiting::{Waiter, behind_line};
use crate::decision::{Decision, Level, RetryAfter, Status};
use crate::gcra::{Gcra, Position, RateCell};
use crate::limit::Limit;
use crate::name::DimensionRole;
use crate::quota::{Quota, SlidingWindow};
use crate::request::{Charge, Charges};
use crate::reservation::{
    CellName, Change, Hold, HoldKind, Progress, Reservation, ReservationId, Settled, Settlement,
    Usage,
};
use crate::store::{Admission, Store, StoreError};
use crate::sync::{Mutex, MutexGuard};
use crate::time::{Timestamp, nanos};

/// Limits in this process.
///
/// All methods take `&self` and may be called from any number of threads; none of them waits for
/// anything but short locks. The type also implements [`Store`], for code that works with any store.
///
/// **Time.** Pass the same clock with every call. A call whose time is behind that of another one by
/// up to [`Settings::clock_tolerance`] is decided at the later time. When the clock steps back by
/// more, the store's time goes on from where it was; when it steps forward, at most a burst becomes
/// free.
///
/// **Memory.** A key that has drained is forgotten whenever room is needed, which changes no decision.
/// Keys that are in use are never forgotten: at [`Settings::max_keys`] new ones share a bucket or are
/// an error.
///
/// ```
/// use bursar_ratelimit::{Limits, MemoryStore, Progress, Request, Timestamp, Unit, Usage};
///
/// let limits = Limits::preset()?;
/// let store = MemoryStore::default();
/// let now = Timestamp::from_secs(1);
///
/// // A call that may need up to 90 000 tokens.
/// let request = Request::new().tenant("acme").api_key("key-17").method("chat");
/// let charges = limits.resolve(&request.cost(Unit::TOKENS, 90_000))?;
/// let admission = store.reserve(&charges, now)?;
/// let mut reservation = admission.reservation.expect("a fresh bucket has room");
///
/// // The same again has to wait, and the first one is not charged for the second.
/// let refused = store.check(&charges, now)?;
/// assert_eq!(refused.deciding().map(|status| status.name()), Some("key-tokens"));
///
/// // It needed 3 000, so the rest is there for others.
/// let usage = Usage::new().with(Unit::TOKENS, 3_000);
/// let _ = store.settle(&mut reservation, &usage, Progress::Final, now)?;
/// assert!(store.check(&charges, now)?.is_allowed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryStore {
    settings: Settings,
    /// Shards of keys, a power of two of them, then those of limits with few keys.
    shards: Box<[Padded<Mutex<Shard>>]>,
    registry: Registry,
    hasher: FixedState,
    /// The store's part of its reservations' ids.
    identity: u64,
    /// Of the empty key, which every global limit has.
    hash_of_nothing: u64,
    keys_in_a_shard: usize,
    /// [`Settings::clock_tolerance`] in nanoseconds.
    tolerance: u64,
    next_reservation: AtomicU64,
    /// Reservations that have not had their last settlement, by the low bits of their id.
    open: Box<[Padded<Mutex<OpenReservations>>]>,
}

/// How a [`MemoryStore`] is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// What fingerprints of keys are made with. Where keys come from outside, pass a random number,
    /// so that nobody can choose keys that collide.
    pub seed: u64,
    /// Parts with a lock of their own, rounded up to a power of two, from 1 to 65 536. 256 serve up
    /// to some dozen threads.
    pub shards: usize,
    /// The most keys in use at once. The store refuses to forget any of them.
    pub max_keys: usize,
    /// What becomes of further keys.
    pub when_full: WhenFull,
    /// By how much calls may be behind each other without the clock being taken for set back.
    pub clock_tolerance: Duration,
    /// After how long an unsettled reservation stands at its estimate for good.
    pub reservation_expiry: Duration,
}

/// What becomes of new keys when a store has as many as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum WhenFull {
    /// They share one bucket for each limit in each part of the store: still limited, if too tightly.
    #[default]
    Share,
    /// [`StoreError::Full`], for which the limits' failure policies say what to do.
    Error,
}

impl Default for Settings {
    /// 256 shards, 10 million keys, a clock tolerance of a second and an hour for reservations.
    fn default() -> Self {
        Self {
            seed: 0x5EED,
            shards: 256,
            max_keys: 10_000_000,
            when_full: WhenFull::Share,
            clock_tolerance: Duration::from_secs(1),
            reservation_expiry: Duration::from_secs(3600),
        }
    }
}

/// Gives every store of the process another identity, so that no store settles what another one
/// reserved.
static NEXT_STORE: AtomicU64 = AtomicU64::new(1);

/// The limits that every request shares have a shard of their own, so that a decision can lock it
/// last. One is enough: whoever asks one of them asks them all.
const SHARED_SHARDS: usize = 1;
/// Reservations are opened and settled apart from the shards.
#[cfg(not(loom))]
const OPEN_PARTS: usize = 16;
/// Two will do for the model checker, which explores every lock.
#[cfg(loom)]
const OPEN_PARTS: usize = 2;

/// On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Padded<T>(T);

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryStore")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What a decision is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Peek,
    Check,
    Reserve(ReservationId),
}

/// Where a charge's cell is.
#[derive(Clone, Copy, Debug)]
struct Place {
    shard: u32,
    /// The index of the shard among those held.
    guard: u32,
    fingerprint: u64,
}

/// The state of a rate's cell before the decision; of anything else it stays empty.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// Where the cell is, if there is one under the charge's quota.
    index: Option<usize>,
    quota: Option<QuotaNumber>,
    outstanding: u128,
}

/// What is held for a reservation.
type Holds = SmallVec<[Hold; 6]>;
/// When each unsettled reservation stands for good.
type OpenReservations = HashMap<u64, u64, foldhash::fast::FixedState>;
/// Eight charges need no allocation.
type Small<T> = SmallVec<[T; 8]>;

/// A shard under its lock, and the decision's time there.
struct Held<'s> {
    shard: MutexGuard<'s, Shard>,
    time: ShardTime,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let keyed = settings.shards.clamp(1, 1 << 16).next_power_of_two();
        let settings = Settings {
            shards: keyed,
            ..settings
        };
        let hasher = FixedState::with_seed(settings.seed);
        Self {
            settings,
            shards: padded(keyed + SHARED_SHARDS),
            registry: Registry::new(),
            identity: NEXT_STORE.fetch_add(1, Ordering::Relaxed),
            hash_of_nothing: hasher.hash_one(""),
            hasher,
            keys_in_a_shard: (settings.max_keys / keyed).max(1),
            tolerance: nanos(settings.clock_tolerance),
            next_reservation: AtomicU64::new(1),
            open: padded(OPEN_PARTS),
        }
    }

    /// Decides, and charges every limit if the request is allowed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NeedsReservation`] for a limit on concurrent use, [`StoreError::Full`] where the
    /// settings ask for it, [`StoreError::TooManyQuotas`] after 16 million different quotas.
    pub fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.decide(charges, now, Intent::Check, &mut Holds::new())
    }

    /// Decides as [`check`](Self::check) would and changes nothing.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), but for concurrent use, which can be asked about.
    pub fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        self.decide(charges, now, Intent::Peek, &mut Holds::new())
    }

    /// Decides, and holds the cost in every limit if the request is allowed.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), but for concurrent use, which this is for.
    pub fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        self.reserve_as(charges, now, None)
    }

    /// Puts what was really used in place of a reservation's estimate; see [`Store::settle`].
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignReservation`] if another store made the reservation.
    pub fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        self.settle_at(reservation, usage, progress, Some(now))
    }

    /// Guards a reservation: dropped without a word, it is settled at its estimate at once.
    pub fn guard(&self, reservation: Reservation) -> Permit<'_> {
        Permit {
            store: self,
            reservation,
        }
    }

    /// Keys in use, and drained ones that were not forgotten yet.
    #[must_use]
    pub fn keys(&self) -> usize {
        let shards = self.shards.iter();
        shards.map(|shard| shard.0.lock().keys()).sum()
    }

    /// Bytes that the cells of rates take, free slots included.
    #[must_use]
    pub fn rate_bytes(&self) -> usize {
        let shards = self.shards.iter();
        shards.map(|shard| shard.0.lock().rates.bytes()).sum()
    }

    /// Forgets all keys that have drained and gives their memory back. Never needed for correctness
    /// or to bound memory; useful after a peak of keys that will not come again.
    pub fn sweep(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut shard = shard.0.lock();
            let time = shard.advance(now.as_nanos(), self.tolerance);
            shard.sweep(&self.registry, time.now);
        }
    }

    fn decide<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        intent: Intent,
        holds: &mut Holds,
    ) -> Result<Decision<'a>, StoreError> {
        self.decide_as(charges, now, intent, holds, None)
    }

    /// Decides, for somebody who may wait in line.
    #[inline]
    fn decide_as<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
        intent: Intent,
        holds: &mut Holds,
        waiter: Option<&mut Waiter<'_>>,
    ) -> Result<Decision<'a>, StoreError> {
        let charges = charges.as_slice();
        if intent == Intent::Check {
            refuse_unheld(charges)?;
        }
        // Lists are filled in place: to return one is to copy all of its room.
        let mut places: Small<Place> = SmallVec::new();
        self.find_places(charges, &mut places);
        let mut held: Small<Held<'_>> = SmallVec::new();
        self.lock(&mut places, now, &mut held);
        touch(&places, &held);

        let mut befores: Small<Before> = SmallVec::new();
        let mut statuses: Small<Status<'a>> = SmallVec::new();
        for (charge, place) in charges.iter().zip(&mut places) {
            let held = &mut held[place.guard as usize];
            self.ask(charge, place, held, &mut befores, &mut statuses)?;
            if !held.shard.lines.is_empty() {
                let ticket = waiter.as_ref().and_then(|waiter| waiter.ticket());
                behind_line(&mut statuses, charge, &befores, place, held, ticket);
            }
        }
        let allowed = !statuses.iter().any(Status::is_violated);
        if allowed && intent != Intent::Peek {
            self.number_quotas(charges, &mut befores)?;
            self.commit(&places, &befores, &mut statuses, &mut held, intent, holds);
        }
        if let Some(waiter) = waiter {
            match allowed {
                true => waiter.passed(&places, &mut held),
                false => waiter.refused(&statuses, &places, &mut held),
            }
        }
        drop(held);
        Ok(Decision::from_statuses(statuses))
    }

    #[inline]
    fn find_places(&self, charges: &[Charge<'_>], places: &mut Small<Place>) {
        let mut last = ("", self.hash_of_nothing);
        for charge in charges {
            let key = charge.key();
            // Limits of one dimension follow each other often, with the very same text.
            if key.is_empty() {
                last = (key, self.hash_of_nothing);
            } else if !std::ptr::eq(last.0, key) {
                last = (key, self.hasher.hash_one(key));
            }
            places.push(Place {
                shard: self.shard_of(charge.limit(), last.1),
                guard: 0,
                fingerprint: fingerprint(last.1, charge.limit()),
            });
        }
    }

    #[inline]
    fn shard_of(&self, limit: &Limit, hash: u64) -> u32 {
        let keyed = self.settings.shards;
        let shard = match limit.dimension_role() {
            DimensionRole::Global | DimensionRole::Method => keyed,
            // The highest bits; a shift by all 64 would be out of range.
            _ => ((hash >> 1) >> (63 - keyed.trailing_zeros())) as usize,
        };
        shard as u32
    }

    /// Locks the shards of all places, in the order of their numbers.
    #[inline]
    fn lock<'s>(&'s self, places: &mut [Place], now: Timestamp, held: &mut Small<Held<'s>>) {
        let mut order: Small<u32> = SmallVec::new();
        for place in &*places {
            insert_in_order(&mut order, place.shard);
        }
        for place in places {
            let before = order.iter().filter(|&&shard| shard < place.shard);
            place.guard = before.count() as u32;
        }
        for &shard in &order {
            let mut shard = self.shards[shard as usize].0.lock();
            let time = shard.advance(now.as_nanos(), self.tolerance);
            held.push(Held { shard, time });
        }
    }

    /// What one limit says, before anything is charged.
    #[inline]
    fn ask<'a>(
        &self,
        charge: &Charge<'a>,
        place: &mut Place,
        held: &mut Held<'_>,
        befores: &mut Small<Before>,
        statuses: &mut Small<Status<'a>>,
    ) -> Result<(), StoreError> {
        match charge.quota() {
            Quota::Rate(rate) => self.ask_rate(charge, rate.gcra(), place, held, befores, statuses),
            _ => {
                befores.push(Before::default());
                self.ask_counted(charge, place, held, statuses)
            }
        }
    }

    #[inline]
    fn ask_rate<'a>(
        &self,
        charge: &Charge<'a>,
        gcra: &Gcra,
        place: &mut Place,
        held: &mut Held<'_>,
        befores: &mut Small<Before>,
        statuses: &mut Small<Status<'a>>,
    ) -> Result<(), StoreError> {
        let Held { shard, time } = held;
        let Some(found) = shard.rates.find(place.fingerprint) else {
            return self.ask_unknown(charge, gcra, place, held, befores, statuses);
        };
        if self.registry.rate(found.quota) != Some(gcra) {
            let (before, status) = self.ask_other_rate(charge, gcra, false, &found, held)?;
            befores.push(before);
            statuses.push(status);
            return Ok(());
        }
        let before = Before {
            index: Some(found.index),
            quota: Some(found.quota),
            outstanding: gcra.outstanding(&found.cell, time.now),
        };
        statuses.push(rate_status(charge, gcra, before.outstanding, *time));
        befores.push(before);
        Ok(())
    }

    /// What a rate says to a key without a cell.
    #[cold]
    fn ask_unknown<'a>(
        &self,
        charge: &Charge<'a>,
        gcra: &Gcra,
        place: &mut Place,
        held: &mut Held<'_>,
        befores: &mut Small<Before>,
        statuses: &mut Small<Status<'a>>,
    ) -> Result<(), StoreError> {
        let Held { shard, time } = held;
        if self.shares(charge, place, shard, time.now)?
            && let Some(found) = shard.rates.find(place.fingerprint)
        {
            let (before, status) = self.ask_other_rate(charge, gcra, true, &found, held)?;
            befores.push(before);
            statuses.push(status);
            return Ok(());
        }
        statuses.push(rate_status(charge, gcra, 0, *time));
        befores.push(Before::default());
        Ok(())
    }

    /// What a rate says where the cell may be that of another one.
    #[cold]
    fn ask_other_rate<'a>(
        &self,
        charge: &Charge<'a>,
        gcra: &Gcra,
        shares: bool,
        found: &Found,
        held: &mut Held<'_>,
    ) -> Result<(Before, Status<'a>), StoreError> {
        let Held { shard, time } = held;
        let mut level = None;
        let (index, quota, cell) = match self.registry.rate(found.quota) {
            Some(rate) if rate == gcra => (Some(found.index), Some(found.quota), found.cell),
            // The limit knows both rates, for two tiers. What passed under the other one drains
            // as it would until something passes under this one.
            Some(other) if shares || charge.limit().may_have(charge.key(), other) => {
                let here = Gcra::new(other.ticks(), other.units(), gcra.burst());
                level = Some(rate_level(&here, other.outstanding(&found.cell, time.now)));
                (None, None, other.carry(&found.cell, time.now, gcra))
            }
            // The limit was changed. That is written down also for a refusal, or the wait that
            // is told would not be the one that helps.
            Some(old) => {
                let number = self.number(gcra)?;
                let cell = old.convert(&found.cell, time.now, gcra);
                shard.rates.write(found.index, number, &cell);
                (Some(found.index), Some(number), cell)
            }
            None => (None, None, RateCell::default()),
        };
        let outstanding = gcra.outstanding(&cell, time.now);
        let mut status = rate_status(charge, gcra, outstanding, *time);
        if let Some(level) = level {
            status.set_level(level);
        }
        let before = Before {
            index,
            quota,
            outstanding,
        };
        Ok((before, status))
    }

    /// Whether a key without a cell has to share one, in whose place it is put then: the store is
    /// full, or it was and the shared cell is still in use, so that nobody who has used it up gets a
    /// fresh one of his own beside it.
    fn shares(
        &self,
        charge: &Charge<'_>,
        place: &mut Place,
        shard: &mut Shard,
        now: u64,
    ) -> Result<bool, StoreError> {
        let shared = mixed(charge.limit().seed());
        if shard.is_full(self.keys_in_a_shard, &self.registry, now) {
            if self.settings.when_full == WhenFull::Error {
                return Err(StoreError::Full {
                    keys: self.keys_in_a_shard,
                });
            }
            shard.shared = true;
        } else if !shard.shared || !shard.is_in_use(shared, &self.registry, now) {
            return Ok(false);
        }
        place.fingerprint = shared;
        Ok(true)
    }

    #[inline(never)]
    fn ask_counted<'a>(
        &self,
        charge: &Charge<'a>,
        place: &mut Place,
        held: &mut Held<'_>,
        statuses: &mut Small<Status<'a>>,
    ) -> Result<(), StoreError> {
        let Held { shard, time } = held;
        if !shard.counted.contains_key(&place.fingerprint) {
            self.shares(charge, place, shard, time.now)?;
        }
        let (quota, cost) = (charge.quota(), charge.cost());
        let (used, level) = match (shard.counted.get_mut(&place.fingerprint), quota) {
            (Some(CountedCell::Window(cell)), Quota::SlidingWindow(window)) => {
                let used = cell.used(window, time.now);
                (used, cell.level(window, time.now, cost))
            }
            (Some(CountedCell::Stock(cell)), Quota::Concurrency(_) | Quota::Budget(_)) => {
                let stock = Stock::of(quota);
                let used = cell.used(&stock, time.now);
                (used, cell.level(&stock, time.now, cost))
            }
            // Nothing yet, or the quota was of another kind, which cannot be compared.
            _ => (0, UNUSED),
        };
        let most = quota.largest_cost().checked_sub(cost);
        let fits = most.is_some_and(|most| used <= most);
        statuses.push(Status::new(*charge, fits, level).late(time.ahead));
        Ok(())
    }

    fn number(&self, gcra: &Gcra) -> Result<QuotaNumber, StoreError> {
        let number = self.registry.number(gcra);
        number.ok_or(StoreError::TooManyQuotas(MAX_QUOTAS))
    }

    /// Finds the numbers of all quotas before anything is written, since that alone can fail.
    fn number_quotas(
        &self,
        charges: &[Charge<'_>],
        befores: &mut [Before],
    ) -> Result<(), StoreError> {
        for (charge, before) in charges.iter().zip(befores) {
            if let (None, Quota::Rate(rate)) = (before.quota, charge.quota()) {
                before.quota = Some(self.number(rate.gcra())?);
            }
        }
        Ok(())
    }

    /// Charges every limit that the cost fits in; only limits in shadow mode may not have room.
    #[inline]
    fn commit(
        &self,
        places: &[Place],
        befores: &[Before],
        statuses: &mut [Status<'_>],
        held: &mut [Held<'_>],
        intent: Intent,
        holds: &mut Holds,
    ) {
        for ((place, before), status) in places.iter().zip(befores).zip(statuses) {
            if !status.fits() {
                continue;
            }
            let held = &mut held[place.guard as usize];
            match (status.quota(), before.quota) {
                (Quota::Rate(rate), Some(number)) => {
                    let gcra = rate.gcra();
                    let rates = &held.shard.rates;
                    // A sweep or a new cell since may have moved it.
                    let at = |index: &usize| rates.is_at(*index, place.fingerprint);
                    let position = match before.index.filter(at) {
                        Some(index) => charge_rate(gcra, index, held, before, status),
                        None => self.add_rate(gcra, number, place, held, before, status),
                    };
                    if let Intent::Reserve(_) = intent {
                        let gcra = *gcra;
                        holds.push(hold(place, status, HoldKind::Rate { gcra, position }));
                    }
                }
                (quota, _) => {
                    let kind = charge_counted(quota, place, held, status, intent);
                    if let Intent::Reserve(_) = intent {
                        holds.push(hold(place, status, kind));
                    }
                }
            }
        }
    }

    /// Charges a cell that is not there yet, or no longer where it was found.
    #[cold]
    fn add_rate(
        &self,
        gcra: &Gcra,
        number: QuotaNumber,
        place: &Place,
        held: &mut Held<'_>,
        before: &Before,
        status: &mut Status<'_>,
    ) -> Position {
        let Held { shard, time } = held;
        let found = shard.rates.find(place.fingerprint);
        let found = found.and_then(|found| Some((found.cell, self.registry.rate(found.quota)?)));
        let mut cell = match found {
            None => RateCell::default(),
            Some((cell, rate)) if rate == gcra => cell,
            Some((cell, other)) => other.carry(&cell, time.now, gcra),
        };
        let position = gcra.charge_onto(&mut cell, before.outstanding, status.cost(), time.now);
        shard.add_rate(place.fingerprint, number, &cell, &self.registry);
        status.set_level(rate_level(
            gcra,
            outstanding_after(gcra, before, status.cost()),
        ));
        position
    }

    /// Remembers that a reservation may be settled.
    fn open(&self, number: u64, charges: &Charges<'_>, now: Timestamp) {
        // What is held has to be releasable for as long as it is held.
        let charges = charges.as_slice().iter();
        let longest_hold = charges.map(|charge| Stock::of(charge.quota()).expiry).max();
        let expiry = self
            .settings
            .reservation_expiry
            .max(longest_hold.unwrap_or_default());

        let mut open = self.open[number as usize % OPEN_PARTS].0.lock();
        if open.len() == open.capacity() {
            open.retain(|_, expires| *expires > now.as_nanos());
        }
        let expires = now + expiry;
        open.insert(number, expires.as_nanos());
    }

    fn settle_at(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Option<Timestamp>,
    ) -> Result<Settlement, StoreError> {
        if reservation.id().0 >> 64 != u128::from(self.identity) {
            return Err(StoreError::ForeignReservation);
        }
        if reservation.is_settled() || !self.is_open(reservation.id(), progress) {
            return Ok(Settlement::ALREADY_SETTLED);
        }
        let mut settled: SmallVec<[Settled; 6]> = SmallVec::new();
        for hold in reservation.holds() {
            let change = reservation.change(hold, usage, progress);
            let refunded = self.settle_hold(reservation.id(), hold, change, progress, now)?;
            settled.push(Settled::new(hold, change, refunded));
        }
        reservation.settled(usage, progress);
        Ok(Settlement::applied(settled))
    }

    /// Whether a reservation may be settled; after its last settlement it may not.
    fn is_open(&self, id: ReservationId, progress: Progress) -> bool {
        let number = id.0 as u64;
        let mut open = self.open[number as usize % OPEN_PARTS].0.lock();
        match progress {
            Progress::Step => open.contains_key(&number),
            Progress::Final => open.remove(&number).is_some(),
        }
    }

    /// Settles one hold and says how many units it gave back.
    fn settle_hold(
        &self,
        id: ReservationId,
        hold: &Hold,
        change: Change,
        progress: Progress,
        now: Option<Timestamp>,
    ) -> Result<u64, StoreError> {
        let CellName::Fingerprint { shard, fingerprint } = hold.cell else {
            return Err(StoreError::ForeignReservation);
        };
        let Some(shard) = self.shards.get(shard as usize) else {
            return Err(StoreError::ForeignReservation);
        };
        let mut shard = shard.0.lock();
        let now = match now {
            Some(now) => shard.advance(now.as_nanos(), self.tolerance).now,
            None => shard.latest(),
        };
        match hold.kind {
            HoldKind::Rate { gcra, position } => {
                self.settle_rate(&mut shard, fingerprint, &gcra, &position, change, now)
            }
            HoldKind::SlidingWindow { window, at } => Ok(settle_window(
                &mut shard,
                fingerprint,
                &window,
                at,
                change,
                now,
            )),
            HoldKind::Leased => Err(StoreError::ForeignReservation),
            HoldKind::Concurrency | HoldKind::Budget => {
                let spends = hold.kind == HoldKind::Budget;
                Ok(settle_stock(
                    &mut shard,
                    fingerprint,
                    id,
                    change,
                    progress,
                    spends,
                    now,
                ))
            }
        }
    }

    fn settle_rate(
        &self,
        shard: &mut Shard,
        fingerprint: u64,
        gcra: &Gcra,
        position: &Position,
        change: Change,
        now: u64,
    ) -> Result<u64, StoreError> {
        let found = shard.rates.find(fingerprint);
        // A debt is owed under the quota that the cell has by now.
        let current = found.and_then(|found| Some((found, *self.registry.rate(found.quota)?)));
        match (change, current) {
            (Change::Unused(_), None) | (Change::Debt(0), _) => Ok(0),
            (Change::Unused(unused), Some((found, rate))) => {
                if rate != *gcra {
                    return Ok(0);
                }
                let refund = |cell: &mut RateCell| gcra.refund(cell, position, unused, now);
                Ok(shard.rates.update(found.index, refund))
            }
            (Change::Debt(debt), Some((found, rate))) => {
                let charge = |cell: &mut RateCell| rate.charge(cell, debt, now);
                shard.rates.update(found.index, charge);
                Ok(0)
            }
            (Change::Debt(debt), None) => {
                let number = self.number(gcra)?;
                let mut cell = RateCell::default();
                gcra.charge(&mut cell, debt, now);
                shard.add_rate(fingerprint, number, &cell, &self.registry);
                Ok(0)
            }
        }
    }
}

/// Adds a number to some that are in order, unless it is there.
#[inline]
fn insert_in_order(order: &mut Small<u32>, number: u32) {
    if order.contains(&number) {
        return;
    }
    order.push(number);
    for index in (1..order.len()).rev() {
        if order[index - 1] < number {
            break;
        }
        order.swap(index - 1, index);
    }
}

/// Reads the first slots of every cell, so that the processor waits for all of them at once and not
/// for one after the other.
#[inline]
fn touch(places: &[Place], held: &[Held<'_>]) {
    let mut touched = 0;
    for place in places {
        let rates = &held[place.guard as usize].shard.rates;
        touched ^= rates.touch(place.fingerprint);
    }
    black_box(touched);
}

/// Nothing in use.
const UNUSED: Level = Level::Counted {
    used: 0,
    retry_after: RetryAfter::Never,
    reset_after: RetryAfter::After(Duration::ZERO),
};

fn padded<T: Default>(count: usize) -> Box<[Padded<Mutex<T>>]> {
    (0..count)
        .map(|_| Padded(Mutex::new(T::default())))
        .collect()
}

/// A bijection that leaves no pattern in its result: the finalizer of SplitMix64 (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The name of a key's cell under a limit. The limit decides over the lower 44 bits alone, so that the
/// cells of one key are neighbors, which the processor fetches together. Two keys of a limit have
/// different ones unless their hashes are the same.
#[inline]
const fn fingerprint(hash: u64, limit: &Limit) -> u64 {
    mixed(hash) ^ (limit.seed() >> 20)
}

fn refuse_unheld(charges: &[Charge<'_>]) -> Result<(), StoreError> {
    let unheld = charges
        .iter()
        .find(|charge| matches!(charge.quota(), Quota::Concurrency(_)));
    match unheld {
        Some(charge) => Err(StoreError::NeedsReservation {
            limit: charge.limit().name().to_owned(),
        }),
        None => Ok(()),
    }
}

const fn rate_level(gcra: &Gcra, outstanding: u128) -> Level {
    Level::Rate {
        gcra: gcra.copied(),
        tick_nanos: 1,
        outstanding,
    }
}

/// The status of a charge to a rate before it is made.
#[inline]
fn rate_status<'a>(
    charge: &Charge<'a>,
    gcra: &Gcra,
    outstanding: u128,
    time: ShardTime,
) -> Status<'a> {
    let fits = gcra.admits(outstanding, charge.cost());
    let level = rate_level(gcra, outstanding);
    Status::new(charge.copied(), fits, level).late(time.ahead)
}

#[inline(never)]
fn hold(place: &Place, status: &Status<'_>, kind: HoldKind) -> Hold {
    let cell = CellName::Fingerprint {
        shard: place.shard,
        fingerprint: place.fingerprint,
    };
    Hold::new(cell, status.limit().unit(), status.cost(), kind)
}

#[inline]
fn outstanding_after(gcra: &Gcra, before: &Before, cost: u64) -> u128 {
    before.outstanding + u128::from(cost) * u128::from(gcra.ticks())
}

/// Charges a cell where it was found; the cost fits.
#[inline]
fn charge_rate(
    gcra: &Gcra,
    index: usize,
    held: &mut Held<'_>,
    before: &Before,
    status: &mut Status<'_>,
) -> Position {
    let Held { shard, time } = held;
    let cost = status.cost();
    let position = shard.rates.update(index, |cell| {
        gcra.charge_onto(cell, before.outstanding, cost, time.now)
    });
    status.charged(outstanding_after(gcra, before, cost));
    position
}

/// Charges anything but a rate; the cost fits.
#[inline(never)]
fn charge_counted(
    quota: &Quota,
    place: &Place,
    held: &mut Held<'_>,
    status: &mut Status<'_>,
    intent: Intent,
) -> HoldKind {
    let unused = CountedCell::new(quota).unwrap_or(CountedCell::Stock(StockCell::default()));
    let (now, cost) = (held.time.now, status.cost());
    let cell = held.shard.counted_cell(place.fingerprint, unused);
    let (kind, level) = match (cell, quota) {
        (CountedCell::Window(cell), Quota::SlidingWindow(window)) => {
            let at = cell.charge(window, now, cost);
            let window = *window;
            let level = cell.level(&window, now, 0);
            (HoldKind::SlidingWindow { window, at }, level)
        }
        (CountedCell::Stock(cell), quota) => {
            let stock = Stock::of(quota);
            match intent {
                Intent::Reserve(id) => {
                    let expires = now.saturating_add(nanos(stock.expiry));
                    cell.hold(id.0, cost, expires, stock.expired);
                }
                Intent::Check | Intent::Peek => cell.spend(cost),
            }
            let kind = match quota {
                Quota::Budget(_) => HoldKind::Budget,
                _ => HoldKind::Concurrency,
            };
            (kind, cell.level(&stock, now, 0))
        }
        // The cell was made for this quota.
        (CountedCell::Window(_), _) => (HoldKind::Budget, UNUSED),
    };
    status.set_level(level);
    kind
}

fn settle_window(
    shard: &mut Shard,
    fingerprint: u64,
    window: &SlidingWindow,
    at: u64,
    change: Change,
    now: u64,
) -> u64 {
    match change {
        Change::Debt(0) => 0,
        Change::Debt(debt) => {
            // A cell of another kind is that of another quota by now.
            if let Some(CountedCell::Stock(_)) = shard.counted.get(&fingerprint) {
                return 0;
            }
            let unused = CountedCell::Window(WindowCell::default());
            if let CountedCell::Window(cell) = shard.counted_cell(fingerprint, unused) {
                cell.charge(window, now, debt);
            }
            0
        }
        // What has left the window may be forgotten by now, or not.
        Change::Unused(_) if at.saturating_add(nanos(window.window())) <= now => 0,
        Change::Unused(unused) => match shard.counted.get_mut(&fingerprint) {
            Some(CountedCell::Window(cell)) => cell.refund(at, unused),
            _ => 0,
        },
    }
}

fn settle_stock(
    shard: &mut Shard,
    fingerprint: u64,
    id: ReservationId,
    change: Change,
    progress: Progress,
    spends: bool,
    now: u64,
) -> u64 {
    if spends && change != Change::Unused(0) && !shard.counted.contains_key(&fingerprint) {
        // The hold was given back and its key forgotten since.
        shard.counted_cell(fingerprint, CountedCell::Stock(StockCell::default()));
    }
    let Some(CountedCell::Stock(cell)) = shard.counted.get_mut(&fingerprint) else {
        return 0;
    };
    cell.expire_before_settlement(now);
    if let Change::Debt(debt) = change
        && !cell.grow(id.0, debt)
        && spends
    {
        // The hold has expired at its estimate; what goes beyond it was spent all the same.
        cell.spend(debt);
    }
    if progress == Progress::Step {
        return 0;
    }
    let Some(held) = cell.end(id.0) else { return 0 };
    let unused = match change {
        Change::Unused(unused) => unused.min(held),
        Change::Debt(_) => 0,
    };
    if !spends {
        return held;
    }
    cell.spend(held - unused);
    unused
}

/// A reservation that is settled at its estimate when it is dropped, so that no way out of a function
/// leaves a concurrency limit or a budget held until it expires.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once holds nothing"]
pub struct Permit<'s> {
    store: &'s MemoryStore,
    reservation: Reservation,
}

impl Permit<'_> {
    /// Settles with what was really used.
    ///
    /// # Errors
    ///
    /// As [`MemoryStore::settle`].
    pub fn settle(mut self, usage: &Usage, now: Timestamp) -> Result<Settlement, StoreError> {
        self.store
            .settle(&mut self.reservation, usage, Progress::Final, now)
    }

    /// Settles what was used so far; what goes beyond the estimate is charged now.
    ///
    /// # Errors
    ///
    /// As [`MemoryStore::settle`].
    pub fn step(&mut self, usage: &Usage, now: Timestamp) -> Result<Settlement, StoreError> {
        self.store
            .settle(&mut self.reservation, usage, Progress::Step, now)
    }

    /// The reservation.
    pub fn reservation(&self) -> &Reservation {
        &self.reservation
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // At its estimate nothing is given back but holds, for which no time is needed.
        let _ = self
            .store
            .settle_at(&mut self.reservation, &Usage::new(), Progress::Final, None);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn check<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        Self::check(self, charges, now)
    }

    async fn peek<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Decision<'a>, StoreError> {
        Self::peek(self, charges, now)
    }

    async fn reserve<'a>(
        &self,
        charges: &Charges<'a>,
        now: Timestamp,
    ) -> Result<Admission<'a>, StoreError> {
        Self::reserve(self, charges, now)
    }

    async fn settle(
        &self,
        reservation: &mut Reservation,
        usage: &Usage,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Settlement, StoreError> {
        Self::settle(self, reservation, usage, progress, now)
    }
}
