//! What should a day have cost, by the days before it?
//!
//! The logarithm of a cost is modelled as local level + weekday + position in the month + noise, each
//! estimated by medians from the days that are known to be ordinary.

use jiff::civil::Weekday;

use super::levels::REFERENCE_DAYS;
use super::robust::{median, spread_around_zero};
use super::slots::{Position, Slots};

/// Days with a value before there is a baseline: two of each weekday.
pub(crate) const MIN_DAYS: usize = 14;

/// Days that the local level is the middle of.
const LEVEL_DAYS: usize = 9;

/// The smallest standard deviation of a day that is believed: 1.2 %, as the research has it.
const SIGMA_FLOOR: f64 = 0.012;

/// A day this far from its neighbors, in standard deviations, may be a charge that recurs.
const CHARGE_SIGMAS: f64 = 4.0;

/// How far a day counts when the level over several days is computed, in standard deviations.
pub(super) const CLAMP_SIGMAS: f64 = 3.5;

/// The past of one series, day by day without gaps.
#[derive(Debug)]
pub(super) struct Past<'a> {
    pub(super) first_weekday: Weekday,
    /// NaN where nothing is known or where a day is no example of what is normal.
    pub(super) examples: &'a [f64],
    /// NaN where nothing is known.
    pub(super) all: &'a [f64],
    /// The positions in the month, of the same days and the one after them.
    pub(super) slots: &'a [Slots],
}

/// What the past says about the next day.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// Costs below this are judged as if they were this, so that zero has a logarithm.
    pub(super) floor: f64,
    pub(super) weekdays: [f64; 7],
    /// The weekday of the first day of the past, Monday 0.
    first_weekday: usize,
    /// The logarithm of an ordinary workday.
    pub(super) level: f64,
    pub(super) sigma: f64,
    /// The second largest deviation of the past, in standard deviations: how heavy tails are.
    pub(super) tail: f64,
    /// The same for falls.
    pub(super) fall_tail: f64,
    /// Days that it was learned from.
    pub(super) n_days: usize,
    /// Without weekday, by day; NaN where unknown and at charges that recur.
    pub(super) ordinary: Vec<f64>,
    /// The deviation from the neighbors before and after, by day.
    around: Vec<f64>,
    /// The same, held within a few standard deviations of the level of its day; NaN also at charges
    /// that recur.
    pub(super) clamped: Vec<f64>,
    /// Days at which something recurs each month.
    recurring: Vec<bool>,
}

impl Fit {
    /// Learns from the past; `None` where it is too short or mostly zero.
    pub(super) fn of(past: &Past<'_>) -> Option<Self> {
        let floor = floor_of(past.examples)?;
        let first_weekday = monday_zero(past.first_weekday);
        let logs = logs_of(past.all, floor);
        let weekdays = weekday_factors(&logs, first_weekday);
        let adjusted: Vec<f64> = logs
            .iter()
            .enumerate()
            .map(|(day, log)| log - weekdays[(first_weekday + day) % 7])
            .collect();
        let around = deviations_around(&adjusted);
        let rough_sigma = spread(&around)?.max(SIGMA_FLOOR);
        let recurring = recurring_days(&around, past.slots, rough_sigma);
        let ordinary: Vec<f64> = adjusted
            .iter()
            .zip(past.examples)
            .zip(&recurring)
            .map(|((log, example), recurs)| {
                if *recurs || example.is_nan() {
                    f64::NAN
                } else {
                    *log
                }
            })
            .collect();
        let mut levels = local_levels(&ordinary);
        let level = levels.pop().filter(|level| !level.is_nan())?;
        let noise = Noise::of(&ordinary, &levels, rough_sigma);
        let clamped = clamp_to(&levels, &ordinary, CLAMP_SIGMAS * noise.sigma);
        Some(Self {
            floor,
            weekdays,
            first_weekday,
            level,
            sigma: noise.sigma,
            tail: noise.tail,
            fall_tail: noise.fall_tail,
            n_days: noise.n_days,
            ordinary,
            around,
            clamped,
            recurring,
        })
    }

    /// The weekday factor of the day after the past.
    pub(super) fn weekday_of(&self, day: usize) -> f64 {
        self.weekdays[(self.first_weekday + day) % 7]
    }

    /// The logarithm of a value, held above the floor.
    pub(super) fn log(&self, value: f64) -> f64 {
        value.max(self.floor).ln()
    }

    /// The deviation of the logarithm of a cost on a day of the past, from the level after it.
    pub(super) fn deviation(&self, day: usize, cost: f64) -> f64 {
        self.log(cost) - self.weekday_of(day) - self.level
    }

    /// The level of the weeks that ended some days before the next.
    pub(super) fn level_before(&self, days_ago: usize) -> f64 {
        let end = self.clamped.len().saturating_sub(days_ago);
        let weeks = &self.clamped[end.saturating_sub(REFERENCE_DAYS)..end];
        let known = weeks.iter().filter(|log| !log.is_nan());
        let (sum, n_days) = known.fold((0.0, 0_u32), |(sum, n), log| (sum + log, n + 1));
        if n_days == 0 {
            return self.level;
        }
        sum / f64::from(n_days)
    }

    /// What earlier months say about a position in the month.
    pub(super) fn month_effects(&self, slots: &[Slots], today: Slots) -> MonthEffects {
        let weekday = self.weekday_of(slots.len());
        let mut effects = MonthEffects::default();
        let mut seen = today.unseen();
        for (day, (&slot, &around)) in slots.iter().zip(&self.around).enumerate() {
            if around.is_nan() || !slot.share_a_position(today) {
                continue;
            }
            effects.n_seen += 1;
            seen.see(slot);
            if around.abs() > CHARGE_SIGMAS * self.sigma {
                // An amount that comes on top is a larger part of a cheap day than of a dear one.
                let amount = around.exp_m1() * self.weekday_of(day).exp();
                let added = (amount / weekday.exp()).max(-0.99).ln_1p();
                effects.low = effects.low.min(around).min(added);
                effects.high = effects.high.max(around).max(added);
                effects.large.push(added);
            }
        }
        effects.is_new = seen.is_new();
        effects.is_charged = Position::ALL
            .into_iter()
            .filter(|&position| today.is_at(position))
            .any(|position| is_charged(&self.around, slots, self.sigma, position));
        effects
    }

    pub(super) fn is_recurring(&self, day: usize) -> bool {
        self.recurring.get(day).copied().unwrap_or(false)
    }
}

/// How days at the same position in earlier months deviated, in logarithms.
#[derive(Debug, Clone, Default)]
pub(super) struct MonthEffects {
    /// Days that share a position with this one.
    pub(super) n_seen: usize,
    /// Whether charges are usual at this position and it has not been seen yet.
    pub(super) is_new: bool,
    /// Whether this position usually has charges of its own.
    pub(super) is_charged: bool,
    /// The range of effects, with none.
    low: f64,
    high: f64,
    /// The deviations that noise does not explain.
    large: Vec<f64>,
}

impl MonthEffects {
    /// How much of a deviation earlier months explain: a charge can be a part of an earlier one.
    pub(super) fn explain(&self, deviation: f64) -> f64 {
        deviation.clamp(self.low, self.high)
    }

    /// The effect to expect: the middle one, if most months had one.
    pub(super) fn expected(&self) -> f64 {
        if 2 * self.large.len() <= self.n_seen {
            return 0.0;
        }
        median(&mut self.large.clone()).unwrap_or(0.0)
    }
}

/// Days that noise is learned from.
const NOISE_DAYS: usize = 90;

/// How much larger the deviation may be of which few days were seen: with 14 days, by 43 %.
const SMALL_SAMPLE: f64 = 6.0;

/// How far days are from the level of the days before them.
#[derive(Debug)]
struct Noise {
    sigma: f64,
    tail: f64,
    fall_tail: f64,
    n_days: usize,
}

impl Noise {
    fn of(ordinary: &[f64], levels: &[f64], rough_sigma: f64) -> Self {
        let start = ordinary.len().saturating_sub(NOISE_DAYS);
        let steps: Vec<f64> = ordinary
            .iter()
            .zip(levels)
            .skip(start)
            .map(|(log, level)| log - level)
            .collect();
        let n_days = ordinary.iter().filter(|log| !log.is_nan()).count();
        let sigma = spread(&steps)
            .unwrap_or(rough_sigma)
            .max(0.8 * rough_sigma)
            .max(SIGMA_FLOOR)
            * (1.0 + SMALL_SAMPLE / n_days.max(1) as f64);
        Self {
            sigma,
            tail: second_largest(steps.iter().copied()) / sigma,
            fall_tail: second_largest(steps.iter().map(|step| -step)) / sigma,
            n_days,
        }
    }
}

fn monday_zero(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0)
}

fn logs_of(costs: &[f64], floor: f64) -> Vec<f64> {
    let log = |cost: &f64| {
        if cost.is_nan() {
            f64::NAN
        } else {
            cost.max(floor).ln()
        }
    };
    costs.iter().map(log).collect()
}

/// Each day held within a distance of the level before it, where that is known.
fn clamp_to(levels: &[f64], ordinary: &[f64], distance: f64) -> Vec<f64> {
    ordinary
        .iter()
        .zip(levels)
        .map(|(&log, &level)| {
            if level.is_nan() {
                log
            } else {
                log.clamp(level - distance, level + distance)
            }
        })
        .collect()
}

/// One percent of the usual cost; `None` with less than [`MIN_DAYS`] values or many zeros.
fn floor_of(values: &[f64]) -> Option<f64> {
    let known: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    let mut positive: Vec<f64> = known.iter().copied().filter(|value| *value > 0.0).collect();
    if positive.len() < MIN_DAYS || 10 * positive.len() < 7 * known.len() {
        return None;
    }
    median(&mut positive).map(|median| 0.01 * median)
}

/// Days of the past that weekdays are learned from.
const WEEKDAY_DAYS: usize = 84;

/// What each weekday has beside a workday, in logarithms, Monday first.
fn weekday_factors(logs: &[f64], first_weekday: usize) -> [f64; 7] {
    let mut factors = [0.0; 7];
    for _ in 0..2 {
        let flat: Vec<f64> = logs
            .iter()
            .enumerate()
            .map(|(day, log)| log - factors[(first_weekday + day) % 7])
            .collect();
        let mut by_weekday: [Vec<f64>; 7] = Default::default();
        for day in logs.len().saturating_sub(WEEKDAY_DAYS)..logs.len() {
            let deviation = logs[day] - week_around(&flat, day);
            if !deviation.is_nan() {
                by_weekday[(first_weekday + day) % 7].push(deviation);
            }
        }
        factors = shrunk_factors(&mut by_weekday);
    }
    factors
}

/// How many days of the group a weekday is mixed with.
const PRIOR_DAYS: f64 = 2.0;

/// The middle of each weekday, drawn towards the workdays or the weekend the fewer days there are.
fn shrunk_factors(by_weekday: &mut [Vec<f64>; 7]) -> [f64; 7] {
    let pooled = |days: &[Vec<f64>]| median(&mut days.concat()).unwrap_or(0.0);
    let workday = pooled(&by_weekday[..5]);
    let weekend = pooled(&by_weekday[5..]);
    let mut factors = [0.0; 7];
    for (weekday, days) in by_weekday.iter_mut().enumerate() {
        let (group, prior) = if weekday < 5 {
            (workday, PRIOR_DAYS)
        } else {
            (weekend, 0.5 * PRIOR_DAYS)
        };
        let n_days = days.len() as f64;
        // Of two days one can be wrong: then the one that is more like the others counts.
        let own = match days.as_slice() {
            [one, other] if (one - group).abs() < (other - group).abs() => *one,
            [_, other] => *other,
            _ => median(days).unwrap_or(group),
        };
        factors[weekday] = (n_days * own + prior * group) / (n_days + prior) - workday;
    }
    factors
}

/// The middle of the seven days around a day, or of the first or last seven.
fn week_around(flat: &[f64], day: usize) -> f64 {
    let start = day.saturating_sub(3).min(flat.len().saturating_sub(7));
    middle_of(&flat[start..flat.len().min(start + 7)])
}

/// The deviation of each day from the middle of five days before and after it.
fn deviations_around(adjusted: &[f64]) -> Vec<f64> {
    (0..adjusted.len())
        .map(|day| {
            let (start, end) = (day.saturating_sub(5), adjusted.len().min(day + 6));
            let mut others = [f64::NAN; 10];
            let mut n_others = 0;
            for other in (start..end).filter(|&other| other != day && !adjusted[other].is_nan()) {
                others[n_others] = adjusted[other];
                n_others += 1;
            }
            adjusted[day] - median(&mut others[..n_others]).unwrap_or(f64::NAN)
        })
        .collect()
}

/// Days at positions of the month that have charges of their own, and single large deviations that
/// recur at the same position of another month.
fn recurring_days(around: &[f64], slots: &[Slots], sigma: f64) -> Vec<bool> {
    let is_large = |deviation: f64| deviation.abs() > CHARGE_SIGMAS * sigma;
    let large: Vec<usize> = (0..around.len())
        .filter(|&day| is_large(around[day]))
        .collect();
    let mut recurring = vec![false; around.len()];
    for &day in &large {
        recurring[day] = slots[day].is_usual_for_charges()
            || large.iter().any(|&other| {
                other.abs_diff(day) > 20
                    && slots[day].share_a_position(slots[other])
                    && (around[day] - around[other]).abs() < 0.35 * around[day].abs() + 2.0 * sigma
            });
    }
    for position in Position::ALL {
        if is_charged(around, slots, sigma, position) {
            for (day, slots) in slots.iter().enumerate() {
                recurring[day] |= slots.is_at(position);
            }
        }
    }
    recurring
}

/// Whether days at a position usually deviate: one by much, or the middle of several by less.
fn is_charged(around: &[f64], slots: &[Slots], sigma: f64, position: Position) -> bool {
    let mut seen: Vec<f64> = slots
        .iter()
        .zip(around)
        .filter(|(slots, around)| slots.is_at(position) && !around.is_nan())
        .map(|(_, around)| *around)
        .collect();
    let bar = if seen.len() < 2 { 3.0 } else { 1.5 };
    median(&mut seen).is_some_and(|middle| middle.abs() > bar * sigma)
}

/// For each day and the one after the last: the middle of the days before it.
fn local_levels(ordinary: &[f64]) -> Vec<f64> {
    let mut last: [f64; LEVEL_DAYS] = [f64::NAN; LEVEL_DAYS];
    let mut n_last = 0_usize;
    let mut levels = Vec::with_capacity(ordinary.len() + 1);
    for day in 0..=ordinary.len() {
        let known = n_last.min(LEVEL_DAYS);
        levels.push(if known < 3 {
            f64::NAN
        } else {
            middle_of(&last[..known])
        });
        if let Some(log) = ordinary.get(day).filter(|log| !log.is_nan()) {
            last[n_last % LEVEL_DAYS] = *log;
            n_last += 1;
        }
    }
    levels
}

fn middle_of(numbers: &[f64]) -> f64 {
    let mut known = [f64::NAN; LEVEL_DAYS];
    let mut n_known = 0;
    for number in numbers.iter().filter(|number| !number.is_nan()) {
        known[n_known] = *number;
        n_known += 1;
    }
    median(&mut known[..n_known]).unwrap_or(f64::NAN)
}

fn spread(numbers: &[f64]) -> Option<f64> {
    let mut known: Vec<f64> = numbers
        .iter()
        .copied()
        .filter(|number| !number.is_nan())
        .collect();
    spread_around_zero(&mut known)
}

fn second_largest(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut largest = (0.0, 0.0);
    for number in numbers.filter(|number| !number.is_nan()) {
        if number > largest.0 {
            largest = (number, largest.0);
        } else if number > largest.1 {
            largest.1 = number;
        }
    }
    largest.1
}
