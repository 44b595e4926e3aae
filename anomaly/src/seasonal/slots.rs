//! What does each slot of a profile usually have, and how well does the profile forecast?

use jiff::civil::DateTime;

use super::Profile;
use crate::robust::bounded;

/// Errors count as this many scales at most, as in Gelper, Fried and Croux 2010.
const HUBER: f64 = 2.0;

/// The mean logarithm of |z| of a normal z is −(γ + ln 2) ÷ 2 = −0.635, so that a standard deviation
/// is the geometric mean of the errors' sizes by e^0.635.
const GEOMETRIC_SCALE: f64 = 1.887_2;

/// So many unusual values in a row, on the same side, are what a slot has now.
const CONFIRMED: i8 = 3;

/// In fewer slots, a row of unusual values is a matter of the level.
const LEAST_TO_CONFIRM: usize = 7;

/// No error is smaller, so that each has a logarithm.
const SMALLEST_ERROR: f64 = 1e-300;

/// A profile: a level, and what each slot has on top.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Slots {
    profile: Profile,
    level: f64,
    n_points: u32,
    /// The mean logarithm of the forecast errors: it is as robust as a median, orders profiles
    /// whatever the unit, and one extreme value moves it alike in all of them.
    log_error: f64,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Slot {
    usual: f64,
    visits: u16,
    /// How many unusual values came in a row: above it positive, below it negative.
    unusual: i8,
}

/// How fast a profile follows after this much time, from the mean age that its values should have.
pub(super) struct Pace {
    days: f64,
    age: f64,
}

impl Pace {
    pub(super) fn new(days: f64, memory: f64) -> Self {
        let days = days.clamp(0.0, memory);
        let age = memory / 2.0;
        Self { days, age }
    }

    fn level_gain(&self) -> f64 {
        1.0 - (-3.0 * self.days / self.age).exp()
    }

    /// A profile of n slots comes to each of them once in n points.
    fn slot_gain(&self, n_slots: usize) -> f64 {
        1.0 - (-self.days * n_slots as f64 / self.age).exp()
    }
}

impl Slots {
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            profile,
            level: 0.0,
            n_points: 0,
            log_error: 0.0,
            slots: vec![Slot::default(); profile.n_slots()],
        }
    }

    pub(super) fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether its forecasts err by 5 % less.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        self.log_error < other.log_error - 0.05
    }

    pub(super) fn has_seen(&self, time: DateTime) -> bool {
        self.slot(time).visits > 0
    }

    fn slot(&self, time: DateTime) -> Slot {
        let slot = self.slots.get(self.profile.slot(time));
        slot.copied().unwrap_or_default()
    }

    pub(super) fn expected(&self, time: DateTime) -> f64 {
        let slot = self.slot(time);
        let usual = if slot.visits > 0 {
            slot.usual
        } else {
            self.mean()
        };
        bounded(self.level + usual)
    }

    /// The mean of the slots that have been seen: what to expect of one that has not.
    fn mean(&self) -> f64 {
        let seen = || self.slots.iter().filter(|slot| slot.visits > 0);
        let share = 1.0 / seen().count().max(1) as f64;
        seen().map(|slot| slot.usual * share).sum()
    }

    pub(super) fn learn(&mut self, time: DateTime, value: f64, pace: &Pace, relative_floor: f64) {
        let expected = self.expected(time);
        let error = bounded(value - expected);
        let floor = relative_floor * expected.abs();
        let limit = match self.n_points {
            0..7 => f64::INFINITY,
            _ => HUBER * (GEOMETRIC_SCALE * self.log_error.exp()).max(floor),
        };
        self.rate(error, floor, pace);
        let n_seen = self.slots.iter().filter(|slot| slot.visits > 0).count();
        let can_confirm = n_seen >= LEAST_TO_CONFIRM;
        let Some(slot) = self.slots.get_mut(self.profile.slot(time)) else {
            return;
        };
        if slot.visits == 0 {
            *slot = Slot {
                usual: bounded(value - self.level),
                visits: 1,
                unusual: 0,
            };
            return;
        }
        slot.count(error, limit);
        if can_confirm && slot.unusual.abs() >= CONFIRMED {
            slot.usual = bounded(value - self.level);
            slot.unusual = 0;
            return;
        }
        let usual = error.clamp(-limit, limit);
        let to_level = pace.level_gain() * usual;
        let gain = pace
            .slot_gain(n_seen)
            .max(1.0 / (f64::from(slot.visits) + 1.0));
        slot.usual = bounded(slot.usual + gain * (usual - to_level));
        slot.visits = slot.visits.saturating_add(1);
        self.level = bounded(self.level + to_level);
    }

    fn rate(&mut self, error: f64, floor: f64, pace: &Pace) {
        let size = (error.abs() + 0.1 * floor).max(SMALLEST_ERROR).ln();
        self.n_points = self.n_points.saturating_add(1);
        let gain = pace.slot_gain(1).max(1.0 / f64::from(self.n_points));
        self.log_error += gain * (size - self.log_error);
    }

    /// Moves the level to where the value is usual.
    pub(super) fn shift(&mut self, time: DateTime, value: f64) {
        let error = value - self.expected(time);
        self.level = bounded(self.level + error);
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_plausible(&self, profile: Profile) -> bool {
        let values = self.slots.iter().map(|slot| slot.usual);
        let are_finite = values.chain([self.level]).all(crate::robust::is_plausible);
        self.profile == profile
            && self.slots.len() == profile.n_slots()
            && are_finite
            && self.log_error.abs() <= 1e3
    }
}

impl Slot {
    fn count(&mut self, error: f64, limit: f64) {
        let side = match error.abs() > limit {
            true => error.signum() as i8,
            false => 0,
        };
        let goes_on = side != 0 && side == self.unusual.signum();
        self.unusual = if goes_on {
            self.unusual.saturating_add(side)
        } else {
            side
        };
    }
}
