//! How much speaks against a day being ordinary, and for what?

use super::FindingKind;
use super::baseline::{Fit, MonthEffects};
use super::budget::Bars;
use super::levels;
use super::slots::Slots;
use crate::{Direction, Interval};

/// A value beside its baseline.
#[derive(Debug, Clone)]
pub(super) struct Judgment {
    /// What an ordinary day would have cost.
    pub(super) expected: f64,
    /// Between these a single day raises no alarm.
    pub(super) interval: Interval,
    /// The deviation of the logarithm that no month explains.
    pub(super) deviation: f64,
    /// The strongest sign of something unusual.
    pub(super) signal: Signal,
}

/// A sign of a kind of anomaly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Signal {
    pub(super) kind: FindingKind,
    pub(super) direction: Direction,
    /// Evidence in units of the alarm line: an alarm from 1 upward.
    pub(super) ratio: f64,
    /// The change of the logarithm that it is about.
    pub(super) change: f64,
    /// How many days ago it began.
    pub(super) days_ago: usize,
    /// The logarithm of a workday before it, where it is about more than this day.
    pub(super) former_level: Option<f64>,
}

impl Signal {
    /// A sign of this day alone.
    fn of_today(kind: FindingKind, change: f64, ratio: f64) -> Self {
        let direction = if change < 0.0 {
            Direction::Fall
        } else {
            Direction::Rise
        };
        Self {
            kind,
            direction,
            ratio,
            change,
            days_ago: 0,
            former_level: None,
        }
    }

    pub(super) fn is_alarm(&self) -> bool {
        self.ratio >= 1.0
    }

    fn stronger(self, other: Self) -> Self {
        if other.ratio > self.ratio {
            other
        } else {
            self
        }
    }
}

/// What is judged: a value by a fit, on the day after its past.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) fit: &'a Fit,
    pub(super) slots: &'a [Slots],
    pub(super) today: Slots,
    pub(super) value: f64,
    /// The value of the day before, NaN when unknown.
    pub(super) yesterday: f64,
    /// Whether the day may still cost more.
    pub(super) is_partial: bool,
    pub(super) bars: Bars,
}

/// A cost of less than this part of the expected one is as good as none. A day booked late keeps
/// more of its cost.
const STOPPED_SHARE: f64 = 0.15;

/// A weekend of less than this logarithm beside workdays is one on which things are switched off.
const CHEAP_WEEKEND: f64 = -0.6;

/// How close a weekend day must be to a workday, in standard deviations, to be like one.
const LIKE_WORKDAY: f64 = 4.0;

/// How much higher bars are where a charge is usual and fewer than three months were seen.
const UNSURE: f64 = 1.5;

/// How much higher the bar of a single day is after few days: with 14 of them, by 71 %.
const FEW_DAYS: f64 = 10.0;

/// How uncertain a charge is that earlier months explain, as part of its size.
const CHARGE_SPREAD: f64 = 0.2;

impl Case<'_> {
    pub(super) fn judge(&self) -> Judgment {
        let fit = self.fit;
        let base = fit.level + fit.weekday_of(self.slots.len());
        let months = fit.month_effects(self.slots, self.today);
        let raw = fit.log(self.value) - base;
        let explained = months.explain(raw);
        let deviation = raw - explained;
        let sigma = fit.sigma.hypot(CHARGE_SPREAD * explained);
        let bar = self.spike_bar(&months);
        let signal = self.signal(base, &months, raw, deviation / sigma, bar);
        // The local level has followed what has been going on for days.
        let followed = match signal.former_level {
            Some(level) if signal.is_alarm() => fit.level - level,
            _ => 0.0,
        };
        let expected = base + months.expected() - followed;
        let bound = |logarithm: f64| logarithm.clamp(-LARGEST_LOG, LARGEST_LOG).exp();
        Judgment {
            expected: bound(expected),
            interval: Interval {
                low: bound(expected - bar * sigma),
                high: bound(expected + bar * sigma),
            },
            deviation: deviation + followed,
            signal,
        }
    }

    /// The strongest sign, which is about single days or levels.
    fn signal(&self, base: f64, months: &MonthEffects, raw: f64, z: f64, bar: f64) -> Signal {
        let deviation = raw - months.explain(raw);
        let mut signal = Signal::of_today(FindingKind::Spike, deviation, 0.0);
        // Money that comes back is no sign of anything.
        if self.value < 0.0 {
            return signal;
        }
        if deviation > 0.0 && !months.is_new && !self.makes_up_for_yesterday(base) {
            signal = signal.stronger(self.rise(deviation, z, bar));
        }
        if self.is_partial {
            return signal;
        }
        if deviation < 0.0 {
            signal = signal.stronger(self.stop(base, deviation, z));
        }
        // A day of charges says nothing about the level.
        if months.explain(raw) == 0.0 && !months.is_charged && !months.is_new {
            let change = levels::strongest_change(self.fit, raw, &self.bars);
            signal = signal.stronger(change);
        }
        signal
    }

    /// From where on a single day is an alarm, in standard deviations.
    fn spike_bar(&self, months: &MonthEffects) -> f64 {
        let is_unsure = self.today.is_usual_for_charges() && months.n_seen < 3;
        let unsure = if is_unsure { UNSURE } else { 1.0 };
        let few = 1.0 + FEW_DAYS / self.fit.n_days as f64;
        self.bars.spike.max(self.bars.tail * self.fit.tail) * unsure * few
    }

    /// More than usual; a cheap weekend day that costs what a workday costs was likely left on.
    fn rise(&self, deviation: f64, z: f64, bar: f64) -> Signal {
        let spike = Signal::of_today(FindingKind::Spike, deviation, z / bar);
        let weekday = self.fit.weekday_of(self.slots.len());
        let beside_workday = (self.fit.log(self.value) - self.fit.level) / self.fit.sigma;
        if weekday > CHEAP_WEEKEND || beside_workday < -LIKE_WORKDAY {
            return spike;
        }
        // What costs even more than a workday is no weaker sign.
        let z = z - (beside_workday - LIKE_WORKDAY).max(0.0);
        let bar = bar.min(self.bars.weekend.max(1.2 * self.fit.tail));
        Signal::of_today(FindingKind::Weekend, deviation, z / bar).stronger(spike)
    }

    /// Next to nothing where there was always something.
    fn stop(&self, base: f64, deviation: f64, z: f64) -> Signal {
        let has_stopped = self.value < STOPPED_SHARE * base.exp();
        let ratio = if has_stopped {
            -z / self.bars.drop.max(self.fit.fall_tail)
        } else {
            0.0
        };
        Signal::of_today(FindingKind::Drop, deviation, ratio)
    }

    /// Whether the day brings what was missing on the last one.
    fn makes_up_for_yesterday(&self, base: f64) -> bool {
        let fit = self.fit;
        let last = self.slots.len().saturating_sub(1);
        if self.yesterday.is_nan() || fit.is_recurring(last) {
            return false;
        }
        let expected_yesterday = (fit.level + fit.weekday_of(last)).exp();
        let missing = expected_yesterday - self.yesterday;
        let excess = self.value - base.exp();
        missing > 0.15 * expected_yesterday && excess < 1.4 * missing
    }
}

/// Costs of larger or smaller logarithms do not exist; their exponential stays finite.
const LARGEST_LOG: f64 = 300.0;
