//! Have costs changed for good, or do they drift?
//!
//! The mean of the last days is compared with the four weeks before them, in units of how much the
//! same difference moved in the past: so what a series remembers from day to day is in the
//! comparison, whatever its noise is like.

use super::FindingKind;
use super::baseline::{CLAMP_SIGMAS, Fit};
use super::budget::Bars;
use super::evidence::Signal;
use super::robust::{median, spread_around_zero};
use crate::Direction;

/// Some last days, and how long before them the weeks end that they are compared with.
#[derive(Debug)]
struct Window {
    kind: FindingKind,
    recent: usize,
    gap: usize,
}

const WINDOWS: [Window; 6] = [
    Window::of(FindingKind::LevelShift, 2, 0),
    Window::of(FindingKind::LevelShift, 3, 0),
    Window::of(FindingKind::LevelShift, 5, 0),
    Window::of(FindingKind::LevelShift, LONGEST_WINDOW, 0),
    // A drift would be a part of what it is compared with; the gap keeps it out.
    Window::of(FindingKind::SlowLeak, 5, 7),
    Window::of(FindingKind::SlowLeak, 5, 14),
];

const LONGEST_WINDOW: usize = 7;

/// Days that the last ones are compared with, and how many of them must be known.
pub(super) const REFERENCE_DAYS: usize = 28;
const MIN_REFERENCE: usize = 10;

/// Falls are judged over windows of at least so many days: two holidays are no new level.
const SHORTEST_FALL: usize = 5;

/// How many independent windows the assumed spread counts for, against the observed one.
const PRIOR_WINDOWS: f64 = 8.0;

/// How many past windows the assumption counts for that there is no trend.
const PRIOR_TREND: f64 = 40.0;

/// A single day counts with at most so many standard deviations.
const LARGEST_DAY: f64 = 12.0;

/// Changes of less than this part of the alarm line, by the smallest spread that is possible, are not
/// compared with the past: that takes most of the time of a day.
const WORTH_A_LOOK: f64 = 0.5;

impl Window {
    const fn of(kind: FindingKind, recent: usize, gap: usize) -> Self {
        Self { kind, recent, gap }
    }
}

/// The change of the level that speaks most against there being none; `today` is the deviation of
/// the day's logarithm.
pub(super) fn strongest_change(fit: &Fit, today: f64, bars: &Bars) -> Signal {
    let held = CLAMP_SIGMAS * fit.sigma;
    let sums = Sums::of(&fit.clamped, fit.level + today.clamp(-held, held));
    let start = fit.ordinary.len().saturating_sub(LONGEST_WINDOW);
    let mut last: Vec<f64> = fit.ordinary.iter().skip(start).copied().collect();
    last.push(fit.level + today);
    let changes = WINDOWS
        .iter()
        .filter_map(|window| change_in(window, fit, &sums, &last, bars));
    let none = Signal {
        kind: FindingKind::LevelShift,
        direction: Direction::Rise,
        ratio: 0.0,
        change: 0.0,
        days_ago: 0,
        former_level: None,
    };
    changes.fold(none, |strongest, change| {
        if change.ratio > strongest.ratio {
            change
        } else {
            strongest
        }
    })
}

fn change_in(window: &Window, fit: &Fit, sums: &Sums, last: &[f64], bars: &Bars) -> Option<Signal> {
    let reference = sums.reference(window)?;
    let change = recent_change(window, last, reference, fit.sigma)?;
    let bar = match window.kind {
        FindingKind::SlowLeak => bars.leak,
        _ => bars.level,
    };
    if change.abs() < 0.5 * bars.smallest_change
        || change.abs() < WORTH_A_LOOK * bar * smallest_spread(window, sums, fit.sigma)
    {
        return None;
    }
    let past = PastChanges::of(window, sums, fit.sigma);
    let change = change - past.trend;
    // The newest day must be a part of it: otherwise it may be over.
    let newest = last.last()? - reference - past.trend;
    if newest * change <= 0.0 || newest.abs() < 0.3 * change.abs() {
        return None;
    }
    let is_fall = change < 0.0;
    let smallest = bars.smallest_change * if is_fall { 2.0 } else { 1.0 };
    if change.abs() < smallest || (is_fall && window.recent < SHORTEST_FALL) {
        return None;
    }
    let direction = if is_fall {
        Direction::Fall
    } else {
        Direction::Rise
    };
    Some(Signal {
        kind: window.kind,
        direction,
        ratio: change.abs() / past.spread / bar / if is_fall { bars.fall } else { 1.0 },
        change,
        days_ago: window.recent + window.gap - 1,
        former_level: Some(reference + past.trend),
    })
}

/// How far the last days are from the reference: their mean, as far as most of them agree.
fn recent_change(window: &Window, last: &[f64], reference: f64, sigma: f64) -> Option<f64> {
    let start = last.len().checked_sub(window.recent)?;
    let mut recent: Vec<f64> = last
        .get(start..)?
        .iter()
        .filter(|log| !log.is_nan())
        .map(|log| log - reference)
        .collect();
    if !is_enough(recent.len(), window.recent) {
        return None;
    }
    let limit = LARGEST_DAY * sigma;
    let held = recent.iter().map(|change| change.clamp(-limit, limit));
    let mean = held.sum::<f64>() / recent.len() as f64;
    let middle = match *recent.as_slice() {
        // Both of two days.
        [one, other] if one * other > 0.0 => one.abs().min(other.abs()).copysign(one),
        [_, _] => 0.0,
        _ => median(&mut recent)?,
    };
    let agreed = if mean * middle > 0.0 {
        1.3 * middle.abs()
    } else {
        0.0
    };
    Some(mean.abs().min(agreed).copysign(mean))
}

fn is_enough(n_known: usize, n_days: usize) -> bool {
    10 * n_known >= 7 * n_days
}

/// The standard deviation that a difference of means has if its past says nothing else.
///
/// Days that remember the last one make means of few days nearly as uncertain as a day.
fn assumed_spread(window: &Window, sigma: f64) -> f64 {
    sigma * (1.8 / window.recent as f64 + 0.1).sqrt()
}

/// The spread of a past in which the difference never moved.
fn smallest_spread(window: &Window, sums: &Sums, sigma: f64) -> f64 {
    let n_independent = sums.n_days() as f64 / window.recent as f64;
    assumed_spread(window, sigma) * (PRIOR_WINDOWS / (PRIOR_WINDOWS + n_independent)).sqrt()
}

/// How the same difference moved in the past.
#[derive(Debug)]
struct PastChanges {
    /// Its middle: what growth makes it.
    trend: f64,
    /// Its standard deviation.
    spread: f64,
}

impl PastChanges {
    fn of(window: &Window, sums: &Sums, sigma: f64) -> Self {
        let ends = MIN_REFERENCE..sums.n_days().saturating_sub(window.recent);
        let mut changes: Vec<f64> = ends.filter_map(|end| sums.change(window, end)).collect();
        let n_windows = changes.len() as f64;
        let shrinkage = n_windows / (n_windows + PRIOR_TREND);
        let trend = shrinkage * median(&mut changes).unwrap_or(0.0);
        for change in &mut changes {
            *change -= trend;
        }
        let observed = spread_around_zero(&mut changes).unwrap_or(0.0);
        let assumed = assumed_spread(window, sigma);
        // Windows that share days say little more than one.
        let n_independent = n_windows / window.recent as f64;
        let variance = (PRIOR_WINDOWS * assumed * assumed + n_independent * observed * observed)
            / (PRIOR_WINDOWS + n_independent);
        Self {
            trend,
            spread: variance.sqrt(),
        }
    }
}

/// Sums over the days before each, so that the mean of any run of days is one subtraction.
#[derive(Debug)]
struct Sums {
    /// Sum and number of the known days.
    before: Vec<(f64, usize)>,
}

impl Sums {
    fn of(days: &[f64], today: f64) -> Self {
        let mut sum = (0.0, 0);
        let mut before = Vec::with_capacity(days.len() + 2);
        before.push(sum);
        for day in days.iter().chain([&today]) {
            if !day.is_nan() {
                sum = (sum.0 + day, sum.1 + 1);
            }
            before.push(sum);
        }
        Self { before }
    }

    fn n_days(&self) -> usize {
        self.before.len().saturating_sub(1)
    }

    /// The mean of the days from `start` to before `end`, and how many of them are known.
    fn mean(&self, start: usize, end: usize) -> Option<(f64, usize)> {
        let (before, until) = (self.before.get(start)?, self.before.get(end)?);
        let n_days = until.1.checked_sub(before.1).filter(|&n_days| n_days > 0)?;
        Some(((until.0 - before.0) / n_days as f64, n_days))
    }

    /// The mean of the weeks that the newest days are compared with.
    fn reference(&self, window: &Window) -> Option<f64> {
        self.reference_of(window, self.n_days())
    }

    fn reference_of(&self, window: &Window, end: usize) -> Option<f64> {
        let end = end.checked_sub(window.recent + window.gap)?;
        let (mean, n_days) = self.mean(end.saturating_sub(REFERENCE_DAYS), end)?;
        (n_days >= MIN_REFERENCE).then_some(mean)
    }

    /// The difference of the two means of a window that ends before `end`.
    fn change(&self, window: &Window, end: usize) -> Option<f64> {
        let reference = self.reference_of(window, end)?;
        let (recent, n_days) = self.mean(end.checked_sub(window.recent)?, end)?;
        is_enough(n_days, window.recent).then_some(recent - reference)
    }
}
