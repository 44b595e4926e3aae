//! What is a quota to the scripts? Whole microseconds and numbers that a double holds exactly.

use std::time::Duration;

use bursar_ratelimit::gcra::Gcra;
use bursar_ratelimit::{
    Budget, Charge, Concurrency, Expired, Quota, Rate, SlidingWindow, StoreError,
};

use crate::settings::RedisSettings;
use crate::store::STORE;

/// The largest burst, limit or amount; a cost above it never fits.
pub(crate) const MOST_UNITS: u64 = 1 << 51;
/// A double counts up to here without leaving a number out.
const EXACT: u64 = 1 << 53;
/// About 142 years. The time since 1970 and this are exact together.
const LONGEST: u64 = 1 << 52;

/// A quota as the scripts take it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScriptQuota {
    /// With a microsecond as the tick.
    Rate(Gcra),
    Ledger(Ledger),
}

/// Something counted one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ledger {
    pub(crate) kind: LedgerKind,
    pub(crate) limit: u64,
    /// The window's length, or how long a hold lasts.
    pub(crate) span: u64,
    pub(crate) slice: u64,
    /// For how long a budget is kept after its last use; zero for ever.
    pub(crate) retention: u64,
    pub(crate) expired: Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerKind {
    Window = 0,
    Concurrency = 1,
    Budget = 2,
}

impl ScriptQuota {
    pub(crate) fn of(charge: &Charge<'_>, settings: &RedisSettings) -> Result<Self, StoreError> {
        let quota = match charge.quota() {
            Quota::Rate(rate) => rate_of(rate),
            Quota::SlidingWindow(window) => Ledger::window(window),
            Quota::Concurrency(concurrency) => Ledger::concurrency(concurrency),
            Quota::Budget(budget) => Ledger::budget(budget, settings),
            _ => Err("this version does not know its kind; use a newer one of the store".into()),
        };
        quota.map_err(|reason| StoreError::Quota {
            limit: charge.limit().name().to_owned(),
            store: STORE,
            reason,
        })
    }
}

/// The same fraction with a microsecond as the tick: exact for every period.
fn rate_of(rate: &Rate) -> Result<ScriptQuota, String> {
    let burst = within_units(rate.burst_size())?;
    let nanos = rate.gcra();
    // ticks / units nanoseconds are ticks / (1000 units) microseconds.
    let common = common_with_1000(nanos.ticks());
    let ticks = nanos.ticks() / common;
    let units = nanos.units().checked_mul(1000 / common);
    match units {
        Some(units) if ticks < EXACT && units < EXACT => {
            Ok(ScriptQuota::Rate(Gcra::new(ticks, units, burst)))
        }
        _ => Err(format!(
            "{} units in {:?} are no fraction of whole numbers below 2^53 units and microseconds; \
             choose rounder numbers",
            rate.limit(),
            rate.period(),
        )),
    }
}

impl Ledger {
    fn window(window: &SlidingWindow) -> Result<ScriptQuota, String> {
        Ok(ScriptQuota::Ledger(Self {
            kind: LedgerKind::Window,
            limit: within_units(window.limit())?,
            span: micros(window.window())?,
            slice: micros(window.slice())?,
            retention: 0,
            expired: Expired::Returned,
        }))
    }

    fn concurrency(concurrency: &Concurrency) -> Result<ScriptQuota, String> {
        Ok(ScriptQuota::Ledger(Self {
            kind: LedgerKind::Concurrency,
            limit: within_units(concurrency.limit())?,
            span: micros(concurrency.expiry())?,
            slice: 1,
            retention: 0,
            expired: Expired::Returned,
        }))
    }

    fn budget(budget: &Budget, settings: &RedisSettings) -> Result<ScriptQuota, String> {
        Ok(ScriptQuota::Ledger(Self {
            kind: LedgerKind::Budget,
            limit: within_units(budget.amount())?,
            span: micros(budget.expiry())?,
            slice: 1,
            retention: retention(settings),
            expired: budget.expired(),
        }))
    }
}

/// For how long budgets are kept, in microseconds; zero for ever, as is what is too long to say.
pub(crate) fn retention(settings: &RedisSettings) -> u64 {
    settings
        .budget_retention
        .and_then(|retention| micros(retention).ok())
        .unwrap_or(0)
}

/// The window's length and slice as the scripts count them.
pub(crate) fn window_micros(window: &SlidingWindow) -> (u64, u64) {
    let micros = |duration| micros(duration).unwrap_or(LONGEST);
    (micros(window.window()), micros(window.slice()))
}

fn within_units(units: u64) -> Result<u64, String> {
    match units <= MOST_UNITS {
        true => Ok(units),
        false => Err(format!(
            "{units} units are more than 2^51; lower it or count in larger units"
        )),
    }
}

/// Rounded up, so that windows and holds are never shorter than was asked for.
fn micros(duration: Duration) -> Result<u64, String> {
    let micros = duration.as_nanos().div_ceil(1000);
    match u64::try_from(micros) {
        Ok(micros) if micros <= LONGEST => Ok(micros),
        _ => Err(format!(
            "{duration:?} are more than 142 years; choose a shorter time"
        )),
    }
}

/// The greatest divisor that a number has in common with 1000.
fn common_with_1000(number: u64) -> u64 {
    let (mut left, mut right) = (number, 1000);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bursar_ratelimit::gcra::Gcra;
    use bursar_ratelimit::{
        Charge, Dimension, Limit, Quota, Rate, SlidingWindow, StoreError, Unit,
    };

    use super::{Ledger, MOST_UNITS, ScriptQuota};
    use crate::settings::RedisSettings;

    fn script_quota(quota: impl Into<Quota>) -> Result<ScriptQuota, StoreError> {
        let quota = quota.into();
        let limit = Limit::new("limit", Dimension::GLOBAL, Unit::REQUESTS, quota);
        ScriptQuota::of(
            &Charge::new(&limit, &quota, "", 1),
            &RedisSettings::default(),
        )
    }

    #[track_caller]
    fn check(limit: u64, period_nanos: u64, ticks: u64, units: u64) {
        let rate = Rate::new(limit, Duration::from_nanos(period_nanos)).unwrap();
        let rate = rate.burst(7).unwrap();
        match script_quota(rate) {
            Ok(ScriptQuota::Rate(gcra)) => assert_eq!(gcra, Gcra::new(ticks, units, 7)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keeps_rates_exact() {
        check(10_000, 60_000_000_000, 6_000, 1);
        check(1, 86_400_000_000_000, 86_400_000_000, 1);
        check(7, 86_400_000_000_000, 86_400_000_000, 7);
        check(1_000_000_000, 1_000_000_000, 1, 1_000);
        check(700_000_000, 1_000_000_000, 1, 700);
        // Three units in ten nanoseconds are 300 in a microsecond, a period of a prime one in itself.
        check(3, 10, 1, 300);
        check(999_983, 999_999_937, 999_999_937, 999_983_000);
        check(1, 1, 1, 1_000);
        check(1, 1_500, 3, 2);
    }

    #[test]
    fn refuses_what_a_double_cannot_count() {
        let second = Duration::from_secs(1);
        let year = Duration::from_secs(31_536_000);
        let refused = [
            script_quota(Rate::per_second(MOST_UNITS + 1).unwrap()),
            script_quota(Rate::new(7, year * 584).unwrap()),
            script_quota(
                Rate::new(u64::MAX, Duration::from_nanos(1))
                    .unwrap()
                    .burst(1)
                    .unwrap(),
            ),
            script_quota(SlidingWindow::new(1, year * 143).unwrap()),
            script_quota(SlidingWindow::new(MOST_UNITS + 1, second).unwrap()),
        ];
        for quota in refused {
            assert!(matches!(quota, Err(StoreError::Quota { .. })), "{quota:?}");
        }
        assert!(script_quota(Rate::per_second(MOST_UNITS).unwrap()).is_ok());
    }

    #[test]
    fn rounds_windows_up_to_whole_microseconds() {
        let window = SlidingWindow::new(5, Duration::from_nanos(2_001)).unwrap();
        match script_quota(window) {
            Ok(ScriptQuota::Ledger(Ledger { span, slice, .. })) => {
                assert_eq!((span, slice), (3, 1))
            }
            other => panic!("{other:?}"),
        }
    }
}
