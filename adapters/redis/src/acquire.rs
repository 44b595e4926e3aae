//! How does a decision become one call of a script, and its reply a decision?

use bursar_ratelimit::gcra::{Gcra, Position, RateCell};
use bursar_ratelimit::{
    CellName, Charge, Decision, Dimension, Enforcement, Expired, Hold, HoldKind, Level, Quota,
    ReservationId, RetryAfter, Status, StoreError,
};
use smallvec::SmallVec;
use std::time::Duration;

use crate::keys;
use crate::quota::{Ledger, LedgerKind, ScriptQuota};
use crate::settings::RedisSettings;
use crate::store::{STORE, identity_bytes};
use crate::wire::{Decided, LedgerState, Mode, Packed, RateState, WireError};

/// The most limits of one decision: as many bits a double has for those that did not fit.
const MOST_LIMITS: usize = 52;
/// A clock that is behind by up to so many microseconds counts as the latest that a cell has seen.
const TOLERANCE: u64 = 1_000_000;
const TICK_NANOS: u64 = 1_000;

/// The charges of a decision in the order in which the script takes them.
pub(crate) struct Plan<'c, 'a> {
    charges: &'c [Charge<'a>],
    pub(crate) keys: Vec<String>,
    /// For each key its charge and what its quota is to the script: rates first, then ledgers.
    parts: SmallVec<[(usize, ScriptQuota); 8]>,
}

impl<'c, 'a> Plan<'c, 'a> {
    pub(crate) fn new(
        charges: &'c [Charge<'a>],
        settings: &RedisSettings,
    ) -> Result<Self, StoreError> {
        if let Some(over) = charges.get(MOST_LIMITS) {
            return Err(StoreError::Apart {
                limit: over.limit().name().to_owned(),
                store: STORE,
                reason: format!("one script takes {MOST_LIMITS} at most; ask in two calls"),
            });
        }
        let tag = keys::tag(settings, charges)?;
        let mut parts = SmallVec::new();
        for (index, charge) in charges.iter().enumerate() {
            parts.push((index, ScriptQuota::of(charge, settings)?));
        }
        parts.sort_by_key(|(index, quota)| match quota {
            ScriptQuota::Rate(_) => breadth(&charges[*index]),
            ScriptQuota::Ledger(_) => u8::MAX,
        });
        let key = |(index, _): &(usize, ScriptQuota)| keys::cell(&tag, &charges[*index]);
        Ok(Self {
            charges,
            keys: parts.iter().map(key).collect(),
            parts,
        })
    }

    pub(crate) fn arguments(&self, mode: Mode, id: ReservationId) -> Vec<Vec<u8>> {
        let rates = self.parts.iter().filter_map(|(index, quota)| match quota {
            ScriptQuota::Rate(gcra) => Some((&self.charges[*index], gcra)),
            ScriptQuota::Ledger(_) => None,
        });
        let count = rates.clone().count();
        let mut request = Packed::default().byte(mode as u8).byte(count as u8);
        for (charge, gcra) in rates {
            request = request
                .numbers([gcra.ticks(), gcra.units(), gcra.burst()])
                .units(charge.cost())
                .byte(shadow(charge));
        }
        let mut arguments = vec![request.bytes()];
        if count < self.parts.len() {
            arguments.push(identity_bytes(id));
        }
        for (index, quota) in &self.parts {
            if let ScriptQuota::Ledger(ledger) = quota {
                arguments.push(ledger_argument(&self.charges[*index], ledger));
            }
        }
        arguments
    }

    /// The reply as a decision, in the order of the charges.
    pub(crate) fn decision(&self, decided: &Decided) -> Result<Decision<'a>, WireError> {
        let mut statuses: SmallVec<[Option<Status<'a>>; 8]> = SmallVec::new();
        statuses.resize(self.charges.len(), None);
        for (key, (index, quota)) in self.parts.iter().enumerate() {
            let charge = self.charges[*index];
            let (level, ahead) = match quota {
                ScriptQuota::Rate(gcra) => rate_level(gcra, decided.rate(key)?, decided.now),
                ScriptQuota::Ledger(ledger) => {
                    let state = decided.ledger(key)?;
                    (ledger_level(&charge, ledger, &state, decided.now), 0)
                }
            };
            let status = Status::new(charge, decided.fits(key), level);
            statuses[*index] = Some(status.late(ahead * TICK_NANOS));
        }
        Ok(Decision::new(statuses.into_iter().flatten()))
    }

    /// What an allowed request holds, in the order of the charges.
    pub(crate) fn holds(&self, decided: &Decided) -> Result<Vec<Hold>, WireError> {
        let mut holds: SmallVec<[Option<Hold>; 8]> = SmallVec::new();
        holds.resize(self.charges.len(), None);
        for (key, (index, quota)) in self.parts.iter().enumerate() {
            // A limit in shadow mode that the cost does not fit in was not charged.
            if !decided.fits(key) {
                continue;
            }
            let charge = &self.charges[*index];
            let kind = match quota {
                ScriptQuota::Rate(gcra) => rate_hold(gcra, decided.rate(key)?),
                ScriptQuota::Ledger(_) => ledger_hold(charge, &decided.ledger(key)?),
            };
            let name = CellName::Key(self.keys[key].as_str().into());
            holds[*index] = Some(Hold::new(name, charge.limit().unit(), charge.cost(), kind));
        }
        Ok(holds.into_iter().flatten().collect())
    }
}

/// Limits that refuse more often come first: the script writes nothing more down after a refusal.
fn breadth(charge: &Charge<'_>) -> u8 {
    match charge.limit().dimension() {
        Dimension::API_KEY => 0,
        Dimension::TENANT => 1,
        Dimension::METHOD => 3,
        Dimension::GLOBAL => 4,
        _ => 2,
    }
}

fn shadow(charge: &Charge<'_>) -> u8 {
    u8::from(charge.limit().enforcement() == Enforcement::Shadow)
}

fn ledger_argument(charge: &Charge<'_>, ledger: &Ledger) -> Vec<u8> {
    Packed::default()
        .byte(ledger.kind as u8)
        .byte(shadow(charge))
        .byte(u8::from(ledger.expired == Expired::Spent))
        .numbers([ledger.limit])
        .units(charge.cost())
        .numbers([ledger.span, ledger.slice, ledger.retention])
        .bytes()
}

/// How full a rate is, and by how much the time that was decided at is ahead of the clock.
fn rate_level(gcra: &Gcra, state: Option<RateState>, now: u64) -> (Level, u64) {
    let (cell, time) = match state {
        None => (RateCell::default(), now),
        Some(state) => cell_at(gcra, state, now),
    };
    let level = Level::Rate {
        gcra: *gcra,
        tick_nanos: TICK_NANOS,
        outstanding: gcra.outstanding(&cell, time),
    };
    (level, time.saturating_sub(now))
}

/// The cell under the present quota and clock, as the script takes it; what was only looked at may
/// have been written under others.
fn cell_at(gcra: &Gcra, state: RateState, now: u64) -> (RateCell, u64) {
    let mut cell = state.cell;
    let mut time = now;
    if now < state.latest {
        let behind = state.latest - now;
        if behind < TOLERANCE {
            time = state.latest;
        } else {
            cell.start = cell.start.saturating_sub(behind);
        }
    }
    match state.quota {
        Some((ticks, units, burst)) if Gcra::new(ticks, units, burst) != *gcra => {
            let old = Gcra::new(ticks, units, burst);
            (old.convert(&cell, time, gcra), time)
        }
        _ => (cell, time),
    }
}

fn rate_hold(gcra: &Gcra, state: Option<RateState>) -> HoldKind {
    let cell = state.map_or(RateCell::default(), |state| state.cell);
    HoldKind::Rate {
        gcra: *gcra,
        position: Position {
            start: cell.start,
            used: cell.used,
            refunded: cell.refunded,
        },
    }
}

fn ledger_hold(charge: &Charge<'_>, state: &LedgerState) -> HoldKind {
    match charge.quota() {
        Quota::SlidingWindow(window) => HoldKind::SlidingWindow {
            window: *window,
            at: state.entry,
        },
        Quota::Concurrency(_) => HoldKind::Concurrency,
        _ => HoldKind::Budget,
    }
}

fn ledger_level(charge: &Charge<'_>, ledger: &Ledger, state: &LedgerState, now: u64) -> Level {
    let until = |time: u64| match time {
        0 => None,
        time => Some(RetryAfter::After(Duration::from_micros(
            time.saturating_sub(now),
        ))),
    };
    let room = ledger.limit.saturating_sub(charge.cost());
    let excess = state.used.saturating_sub(room);
    // What is held becomes free when others settle, and what is spent does not.
    let unknown = match ledger.kind == LedgerKind::Budget && excess > state.held {
        true => RetryAfter::Never,
        false => RetryAfter::Unknown,
    };
    Level::Counted {
        used: state.used,
        retry_after: until(state.fits_at).unwrap_or(unknown),
        reset_after: match (state.used, until(state.free_at)) {
            (0, _) => RetryAfter::After(Duration::ZERO),
            (_, Some(after)) if ledger.expired == Expired::Returned => after,
            _ if state.used > state.held => RetryAfter::Never,
            _ => RetryAfter::Unknown,
        },
    }
}
