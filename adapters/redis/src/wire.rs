//! How do calls and replies look on the wire? The contract with the scripts, in bytes.

use bursar_ratelimit::gcra::RateCell;
use redis::Value;
use thiserror::Error;

/// Costs and usage above this are sent as this: they fit under no quota, and no debt is larger.
const MOST: u64 = 1 << 52;

/// What a script is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Check = 0,
    Reserve = 1,
    Peek = 2,
}

/// An argument under construction: bytes, and whole numbers as little-endian doubles.
#[derive(Debug, Default)]
pub(crate) struct Packed(Vec<u8>);

impl Packed {
    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(crate) fn numbers<const N: usize>(mut self, numbers: [u64; N]) -> Self {
        for number in numbers {
            // Exact: nothing above 2^53 gets here but what is cut.
            self.0.extend_from_slice(&(number as f64).to_le_bytes());
        }
        self
    }

    /// Units, of which there may be more than any quota has.
    pub(crate) fn units(self, units: u64) -> Self {
        self.numbers([units.min(MOST)])
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Why a reply is none of this version's scripts.
#[derive(Debug, Error)]
#[error("the script's reply has another form than expected: {0}")]
pub(crate) struct WireError(&'static str);

/// The reply to a decision.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) allowed: bool,
    /// A bit for each key whose limit the cost does not fit in.
    pub(crate) misfits: u64,
    /// The server's time in microseconds since 1970.
    pub(crate) now: u64,
    states: Vec<Value>,
}

/// What a rate's cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateState {
    pub(crate) cell: RateCell,
    /// The latest time that was decided at.
    pub(crate) latest: u64,
    /// Ticks, units and burst of the quota that it was written under, if the server told.
    pub(crate) quota: Option<(u64, u64, u64)>,
}

/// What a ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LedgerState {
    pub(crate) used: u64,
    /// The part of it that is held, and may come back.
    pub(crate) held: u64,
    /// When the cost fits, zero if that is not known.
    pub(crate) fits_at: u64,
    /// When nothing is in use any more, zero if that is not known.
    pub(crate) free_at: u64,
    /// The time of the entry that was made.
    pub(crate) entry: u64,
}

impl Decided {
    pub(crate) fn parse(value: Value, keys: usize) -> Result<Self, WireError> {
        let Value::Array(mut values) = value else {
            return Err(WireError("not an array"));
        };
        if values.len() != keys + 3 {
            return Err(WireError("another number of states than of keys"));
        }
        let states = values.split_off(3);
        match values.as_slice() {
            [Value::Int(allowed), Value::Int(misfits), Value::Int(now)] => Ok(Self {
                allowed: *allowed == 1,
                misfits: u64::try_from(*misfits).unwrap_or(0),
                now: u64::try_from(*now).unwrap_or(0),
                states,
            }),
            _ => Err(WireError("no whole numbers in front")),
        }
    }

    pub(crate) fn fits(&self, key: usize) -> bool {
        self.misfits >> key & 1 == 0
    }

    /// The state of a rate, `None` if nobody has used it.
    pub(crate) fn rate(&self, key: usize) -> Result<Option<RateState>, WireError> {
        let bytes = self.state(key)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let [start, used, refunded, latest] =
            numbers(bytes).ok_or(WireError("a rate's state is too short"))?;
        let quota =
            numbers(bytes).map(|[_, _, _, _, _, ticks, units, burst]| (ticks, units, burst));
        Ok(Some(RateState {
            cell: RateCell {
                start,
                used,
                refunded,
            },
            latest,
            quota,
        }))
    }

    pub(crate) fn ledger(&self, key: usize) -> Result<LedgerState, WireError> {
        let [used, held, fits_at, free_at, entry] =
            numbers(self.state(key)?).ok_or(WireError("a ledger's state is too short"))?;
        Ok(LedgerState {
            used,
            held,
            fits_at,
            free_at,
            entry,
        })
    }

    fn state(&self, key: usize) -> Result<&[u8], WireError> {
        match self.states.get(key) {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            _ => Err(WireError("a state is not binary")),
        }
    }
}

/// What a settlement gave back under each key, `None` if it had been made before.
pub(crate) fn parse_settled(value: Value, holds: usize) -> Result<Option<Vec<u64>>, WireError> {
    let Value::Array(values) = value else {
        return Err(WireError("not an array"));
    };
    match values.as_slice() {
        [Value::Int(0), _] => Ok(None),
        [Value::Int(1), _, parts @ ..] if parts.len() == holds => {
            let refund = |part: &Value| match part {
                Value::BulkString(bytes) => numbers(bytes).map(|[_debt, refund]| refund),
                _ => None,
            };
            let refunds: Option<_> = parts.iter().map(refund).collect();
            Ok(Some(refunds.ok_or(WireError("a part is not binary"))?))
        }
        _ => Err(WireError("another number of parts than of holds")),
    }
}

/// The first numbers of a binary state. What is below zero (a start before 1970, after the server's
/// clock was set back by decades) counts as zero.
fn numbers<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.get(..N * 8)?.chunks_exact(8)) {
        *number = f64::from_le_bytes(bytes.try_into().ok()?) as u64;
    }
    Some(numbers)
}
