//! How does a settlement become one call of a script, and its reply a settlement?

use bursar_ratelimit::{
    CellName, Change, Hold, HoldKind, Progress, Reservation, Settled, Settlement, StoreError, Usage,
};
use redis::Value;
use smallvec::SmallVec;

use crate::keys;
use crate::quota::{LedgerKind, retention, window_micros};
use crate::settings::RedisSettings;
use crate::store::identity_bytes;
use crate::wire::{Packed, WireError, parse_settled};

/// For how long a settlement is known, so that a repeated one changes nothing.
const FINAL_MARKER_MILLIS: u64 = 60_000;
/// The same for what the steps of a stream have charged.
const STEP_MARKER_MILLIS: u64 = 3_600_000;

/// A settlement in the order in which the script takes it.
pub(crate) struct Plan {
    pub(crate) keys: Vec<String>,
    pub(crate) arguments: Vec<Vec<u8>>,
    /// For each key after the marker its hold: rates first, then ledgers.
    order: SmallVec<[usize; 8]>,
}

impl Plan {
    pub(crate) fn new(
        reservation: &Reservation,
        usage: &Usage,
        progress: Progress,
        settings: &RedisSettings,
    ) -> Result<Self, StoreError> {
        let holds = reservation.holds();
        let is_ledger = |index: &usize| !matches!(holds[*index].kind, HoldKind::Rate { .. });
        let mut order: SmallVec<[usize; 8]> = (0..holds.len()).collect();
        order.sort_by_key(is_ledger);

        let mut keys = vec![String::new()];
        let mut rates = Packed::default();
        let mut ledgers = Vec::new();
        let mut count = 0_u8;
        for &index in &order {
            let hold = &holds[index];
            keys.push(key(hold, settings)?.to_owned());
            let used = usage.of(hold.unit).unwrap_or(hold.charged);
            match ledger_argument(hold, used, settings)? {
                Some(ledger) => ledgers.push(ledger),
                None => {
                    rates = rate_argument(rates, hold, used);
                    count += 1;
                }
            }
        }
        let tag = keys
            .get(1)
            .and_then(|key| keys::tag_of(&settings.prefix, key));
        keys[0] = keys::marker(tag.ok_or(StoreError::ForeignReservation)?, reservation.id());
        let (last, keep) = match progress {
            Progress::Final => (1, FINAL_MARKER_MILLIS),
            Progress::Step => (0, STEP_MARKER_MILLIS),
        };
        let mut request = Packed::default()
            .byte(last)
            .byte(count)
            .numbers([keep])
            .bytes();
        request.extend_from_slice(&rates.bytes());
        let mut arguments = vec![request];
        if !ledgers.is_empty() {
            arguments.push(identity_bytes(reservation.id()));
            arguments.append(&mut ledgers);
        }
        Ok(Self {
            keys,
            arguments,
            order,
        })
    }

    /// The reply as a settlement, in the order of the holds.
    pub(crate) fn settlement(
        &self,
        value: Value,
        reservation: &Reservation,
        usage: &Usage,
        progress: Progress,
    ) -> Result<Settlement, WireError> {
        let Some(refunds) = parse_settled(value, self.order.len())? else {
            return Ok(Settlement::ALREADY_SETTLED);
        };
        let holds = reservation.holds();
        let mut parts: SmallVec<[Option<Settled>; 8]> = SmallVec::new();
        parts.resize(holds.len(), None);
        for (&index, refund) in self.order.iter().zip(refunds) {
            let hold = &holds[index];
            // A debt is charged as it is, up to the most that the script counts; if the answer to it
            // was lost, it is told with the next one.
            let change: Change = reservation.change(hold, usage, progress);
            parts[index] = Some(Settled::new(hold, change, refund));
        }
        Ok(Settlement::applied(parts.into_iter().flatten()))
    }
}

/// The key of a hold that a store like this one made.
fn key<'h>(hold: &'h Hold, settings: &RedisSettings) -> Result<&'h str, StoreError> {
    match &hold.cell {
        CellName::Key(key) if keys::tag_of(&settings.prefix, key).is_some() => Ok(key),
        _ => Err(StoreError::ForeignReservation),
    }
}

fn rate_argument(rates: Packed, hold: &Hold, used: u64) -> Packed {
    let HoldKind::Rate { gcra, position } = &hold.kind else {
        return rates;
    };
    rates
        .numbers([position.start, position.used, position.refunded])
        .numbers([gcra.ticks(), gcra.units(), gcra.burst()])
        .units(hold.reserved)
        .units(used)
}

/// `None` for a rate.
fn ledger_argument(
    hold: &Hold,
    used: u64,
    settings: &RedisSettings,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (kind, figures) = match &hold.kind {
        HoldKind::Rate { .. } => return Ok(None),
        HoldKind::SlidingWindow { window, at } => {
            let (span, slice) = window_micros(window);
            (LedgerKind::Window, [span, slice, 0, *at])
        }
        HoldKind::Concurrency => (LedgerKind::Concurrency, [1, 1, 0, 0]),
        HoldKind::Budget => (LedgerKind::Budget, [1, 1, retention(settings), 0]),
        _ => return Err(StoreError::ForeignReservation),
    };
    let argument = Packed::default().byte(kind as u8).numbers(figures);
    Ok(Some(argument.units(hold.reserved).units(used).bytes()))
}
