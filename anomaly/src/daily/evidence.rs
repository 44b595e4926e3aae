//! How much speaks against a day being ordinary, and for what?

use super::baseline::Fit;
use super::slots::Slots;
use super::{FindingKind, Sensitivity};
use crate::Direction;

/// A value beside its baseline.
#[derive(Debug, Clone)]
pub(super) struct Judgment {
    /// What an ordinary day would have cost.
    pub(super) expected: f64,
    /// Between these a single day raises no alarm.
    pub(super) low: f64,
    pub(super) high: f64,
    /// The deviation of the logarithm that no month explains.
    pub(super) deviation: f64,
    /// The deviation in what noise has as standard deviation.
    pub(super) z: f64,
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
    /// The change of the logarithm.
    pub(super) change: f64,
    /// How many days ago it began.
    pub(super) days_ago: usize,
}

impl Signal {
    const NONE: Self = Self {
        kind: FindingKind::Spike,
        direction: Direction::Rise,
        ratio: 0.0,
        change: 0.0,
        days_ago: 0,
    };

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
    pub(super) sensitivity: Sensitivity,
}

/// A cost of less than this part of the expected one is as good as none.
const STOPPED_SHARE: f64 = 0.15;

impl Case<'_> {
    pub(super) fn judge(&self) -> Judgment {
        let fit = self.fit;
        let base = fit.level + fit.weekday_of(self.slots.len());
        let months = fit.month_effects(self.slots, self.today);
        let raw = fit.log(self.value) - base;
        let explained = months.explain(raw);
        let deviation = raw - explained;
        let sigma = fit.sigma.hypot(0.2 * explained);
        let z = deviation / sigma;
        let expected = (base + months.expected()).exp();
        let bar = self.spike_bar(months.n_seen);
        let has_opinion_on_rises = !months.is_new;
        let mut signal = Signal::NONE;
        if deviation > 0.0 && has_opinion_on_rises && !self.is_compensation(base) {
            signal = signal.stronger(self.rise(z, bar));
        }
        if deviation < 0.0 {
            signal = signal.stronger(self.stop(expected.min(base.exp()), z));
        }
        // A day of charges says nothing about the level.
        if explained == 0.0 && !months.is_charged && (!months.is_new || raw.abs() < 3.0 * sigma) {
            signal = signal.stronger(self.slow(raw));
        }
        if signal.change == 0.0 {
            signal.change = deviation;
        }
        Judgment {
            expected,
            low: expected * (-bar * sigma).exp(),
            high: expected * (bar * sigma).exp(),
            deviation,
            z,
            signal,
        }
    }

    fn spike_bar(&self, n_seen: usize) -> f64 {
        let unsure = if self.today.is_usual_for_charges() && n_seen < 3 {
            1.5
        } else {
            1.0
        };
        let heavy = self.sensitivity.tail_factor * self.fit.tail;
        let few = 1.0 + self.sensitivity.few_days / self.fit.n_days as f64;
        self.sensitivity.spike.max(heavy) * unsure * few
    }

    /// A weekend day that costs what a workday costs is likelier a switch that was forgotten.
    fn rise(&self, z: f64, bar: f64) -> Signal {
        let weekday = self.fit.weekday_of(self.slots.len());
        let beside_workday = (self.fit.log(self.value) - self.fit.level) / self.fit.sigma;
        let is_like_workday = weekday < -0.6 && beside_workday.abs() < 4.0;
        let (kind, ratio) = if is_like_workday {
            (
                FindingKind::Weekend,
                z / bar.min(self.sensitivity.weekend).max(1.2 * self.fit.tail),
            )
        } else {
            (FindingKind::Spike, z / bar)
        };
        Signal {
            kind,
            direction: Direction::Rise,
            ratio,
            change: 0.0,
            days_ago: 0,
        }
    }

    /// Next to nothing where there was always something.
    fn stop(&self, expected: f64, z: f64) -> Signal {
        let share = self.value.max(0.0) / expected;
        let is_credit = self.value < 0.0;
        let has_stopped = share < STOPPED_SHARE && -z > 4.0 && !is_credit;
        let heavy = self.fit.fall_tail;
        let ratio = if has_stopped {
            -z / self.sensitivity.drop.max(heavy)
        } else {
            0.0
        };
        Signal {
            kind: FindingKind::Drop,
            direction: Direction::Fall,
            ratio,
            change: 0.0,
            days_ago: 0,
        }
    }

    /// Whether the day makes up for a part of the last one that was booked late.
    fn is_compensation(&self, base: f64) -> bool {
        let last = self.slots.len().saturating_sub(1);
        let fit = self.fit;
        if self.yesterday.is_nan() || fit.is_recurring(last) {
            return false;
        }
        let expected_yesterday = (fit.level + fit.weekday_of(last)).exp();
        let missing = expected_yesterday - self.yesterday;
        let excess = self.value - base.exp();
        missing > 0.15 * expected_yesterday && excess < 1.4 * missing
    }

    /// The level of the last days against the weeks before them.
    fn slow(&self, today: f64) -> Signal {
        let fit = self.fit;
        let held = today.clamp(-3.5 * fit.sigma, 3.5 * fit.sigma) + fit.level;
        let sums = Sums::of(&fit.clamped, held);
        let mut last: Vec<f64> = fit.ordinary[fit.ordinary.len().saturating_sub(8)..].to_vec();
        last.push(today + fit.level);
        let mut strongest = Signal::NONE;
        for window in &WINDOWS {
            strongest = strongest.stronger(self.compare(&sums, &last, window));
        }
        strongest
    }

    fn compare(&self, sums: &Sums, last: &[f64], window: &Window) -> Signal {
        let mut signal = Signal {
            kind: window.kind,
            ..Signal::NONE
        };
        let end = self.slots.len() + 1;
        let Some(reference) = sums.reference(window, end) else {
            return signal;
        };
        let mut recent: Vec<f64> = last[last.len().saturating_sub(window.recent)..]
            .iter()
            .filter(|log| !log.is_nan())
            .map(|log| log - reference)
            .collect();
        if 10 * recent.len() < 7 * window.recent {
            return signal;
        }
        let limit = 12.0 * self.fit.sigma;
        let mean = recent
            .iter()
            .map(|change| change.clamp(-limit, limit))
            .sum::<f64>()
            / recent.len() as f64;
        let middle = if window.recent == 2 {
            let low = recent.iter().copied().fold(f64::INFINITY, f64::min);
            let high = recent.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if low > 0.0 {
                low
            } else if high < 0.0 {
                high
            } else {
                0.0
            }
        } else {
            super::robust::median(&mut recent).unwrap_or(0.0)
        };
        let change = if mean * middle <= 0.0 {
            0.0
        } else {
            mean.abs().min(1.3 * middle.abs()).copysign(mean)
        };
        let mut history: Vec<f64> = (MIN_REFERENCE..end.saturating_sub(window.recent))
            .filter_map(|end| sums.change(window, end))
            .collect();
        let n_windows = history.len() as f64;
        let center =
            super::robust::median(&mut history).unwrap_or(0.0) * n_windows / (n_windows + 40.0);
        for change in &mut history {
            *change -= center;
        }
        let observed = super::robust::spread_around_zero(&mut history).unwrap_or(0.0);
        let prior = self.fit.sigma * (1.8 / window.recent as f64 + 0.1).sqrt();
        let weight = n_windows / window.recent as f64;
        let spread = ((8.0 * prior * prior + weight * observed * observed) / (8.0 + weight)).sqrt();
        let bar = match window.kind {
            FindingKind::SlowLeak => self.sensitivity.leak,
            _ => self.sensitivity.level,
        };
        let change = change - center;
        let statistic = change.abs() / spread;
        signal.days_ago = window.recent + window.gap - 1;
        signal.ratio = statistic / bar;
        signal.change = change;
        if change < 0.0 {
            signal.direction = Direction::Fall;
            signal.ratio /= self.sensitivity.fall_factor;
            if window.recent < 5 {
                signal.ratio = 0.0;
            }
        }
        let smallest = self.sensitivity.smallest_change * if change < 0.0 { 2.0 } else { 1.0 };
        if change.abs() < smallest {
            signal.ratio = 0.0;
        }
        signal
    }
}

/// Some last days, and the weeks that they are compared with.
#[derive(Debug)]
struct Window {
    kind: FindingKind,
    recent: usize,
    gap: usize,
}

/// Days that a level is compared with.
const REFERENCE_DAYS: usize = 28;
const MIN_REFERENCE: usize = 10;

const WINDOWS: [Window; 6] = [
    Window {
        kind: FindingKind::LevelShift,
        recent: 2,
        gap: 0,
    },
    Window {
        kind: FindingKind::LevelShift,
        recent: 3,
        gap: 0,
    },
    Window {
        kind: FindingKind::LevelShift,
        recent: 5,
        gap: 0,
    },
    Window {
        kind: FindingKind::LevelShift,
        recent: 7,
        gap: 0,
    },
    Window {
        kind: FindingKind::SlowLeak,
        recent: 5,
        gap: 7,
    },
    Window {
        kind: FindingKind::SlowLeak,
        recent: 5,
        gap: 14,
    },
];

/// Sums over the days before each, so that the mean of any run of days is one subtraction.
#[derive(Debug)]
struct Sums {
    sums: Vec<(f64, usize)>,
}

impl Sums {
    fn of(days: &[f64], today: f64) -> Self {
        let mut sum = (0.0, 0);
        let mut sums = Vec::with_capacity(days.len() + 2);
        sums.push(sum);
        for day in days.iter().chain([&today]) {
            if !day.is_nan() {
                sum = (sum.0 + day, sum.1 + 1);
            }
            sums.push(sum);
        }
        Self { sums }
    }

    /// The mean of the days from `start` to before `end`, and how many of them are known.
    fn mean(&self, start: usize, end: usize) -> (f64, usize) {
        let (before, until) = (self.sums[start], self.sums[end]);
        let n_days = until.1 - before.1;
        ((until.0 - before.0) / n_days as f64, n_days)
    }

    /// The mean of the weeks that a window is compared with.
    fn reference(&self, window: &Window, end: usize) -> Option<f64> {
        let reference_end = end.checked_sub(window.recent + window.gap)?;
        let reference_start = reference_end.saturating_sub(REFERENCE_DAYS);
        let (reference, n_reference) = self.mean(reference_start, reference_end);
        (n_reference >= MIN_REFERENCE).then_some(reference)
    }

    /// The difference of the two means of a window that ends before `end`.
    fn change(&self, window: &Window, end: usize) -> Option<f64> {
        let start = end.checked_sub(window.recent)?;
        let reference_end = start.checked_sub(window.gap)?;
        let reference_start = reference_end.saturating_sub(REFERENCE_DAYS);
        let (recent, n_recent) = self.mean(start, end);
        let (reference, n_reference) = self.mean(reference_start, reference_end);
        let is_known = 10 * n_recent >= 7 * window.recent && n_reference >= MIN_REFERENCE;
        is_known.then_some(recent - reference)
    }
}
