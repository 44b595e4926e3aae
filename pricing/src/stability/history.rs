//! Which prices were in force in the last 24 hours?

use bursar_units::{Money, MoneyError};
use jiff::{SignedDuration, Timestamp};

/// The time within which a price moves by at most one step.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// So many entries are kept. Further ones are merged with the oldest, which makes the step limit hold for
/// a little longer than 24 hours, never for less.
const MAX_ENTRIES: usize = 32;

/// Prices that were in force and when they ended, the oldest first; all in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    entries: Vec<Ended>,
}

/// The range of prices that were in force until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub(super) struct Ended {
    at: Timestamp,
    low: Money,
    high: Money,
}

impl History {
    /// The least and the largest price in force in the 24 hours before `at`, with the present one.
    pub(super) fn range(&self, now: Money, at: Timestamp) -> Result<(Money, Money), MoneyError> {
        let mut range = Ended {
            at,
            low: now,
            high: now,
        };
        for entry in self.entries.iter().filter(|it| is_recent(it.at, at)) {
            range = range.merged(*entry)?;
        }
        Ok((range.low, range.high))
    }

    /// Another price takes the place of this one.
    pub(super) fn ended(&mut self, price: Money, at: Timestamp) {
        self.entries.retain(|entry| is_recent(entry.at, at));
        self.entries.push(Ended {
            at,
            low: price,
            high: price,
        });
        if self.entries.len() > MAX_ENTRIES
            && let [first, second, ..] = self.entries[..]
            && let Ok(merged) = first.merged(second)
        {
            self.entries[1] = merged;
            self.entries.remove(0);
        }
    }

    #[cfg(feature = "serde")]
    pub(super) fn restored(
        entries: Vec<Ended>,
        price: Money,
        since: Timestamp,
    ) -> Result<Self, HistoryError> {
        let is_price = |it: Money| !it.is_zero() && !it.is_negative();
        let is_sound = |it: &Ended| {
            it.low.currency() == price.currency()
                && is_price(it.low)
                && it.low <= it.high
                && it.at <= since
        };
        let is_ordered = entries.is_sorted_by_key(|entry| entry.at);
        if entries.len() > MAX_ENTRIES
            || !is_ordered
            || !is_price(price)
            || !entries.iter().all(is_sound)
        {
            return Err(HistoryError);
        }
        Ok(Self { entries })
    }

    #[cfg(feature = "serde")]
    pub(super) fn into_entries(self) -> Vec<Ended> {
        self.entries
    }
}

impl Ended {
    /// The range of both, until the end of the later one.
    fn merged(self, other: Self) -> Result<Self, MoneyError> {
        let is_lower = other.low.try_cmp(&self.low)?.is_lt();
        let is_higher = other.high.try_cmp(&self.high)?.is_gt();
        Ok(Self {
            at: self.at.max(other.at),
            low: if is_lower { other.low } else { self.low },
            high: if is_higher { other.high } else { self.high },
        })
    }
}

fn is_recent(ended: Timestamp, at: Timestamp) -> bool {
    at.duration_since(ended) < WINDOW
}

/// Why what was kept is no history.
#[cfg(feature = "serde")]
#[derive(Debug, thiserror::Error)]
#[error(
    "a published price has up to 32 earlier prices over zero, in its currency and in order of time"
)]
pub(super) struct HistoryError;
