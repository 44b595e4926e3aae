//! Which series does the suite play?

use jiff::{SignedDuration, Timestamp};

use crate::Observation;

/// A Monday, so that the weekly pattern begins with a week.
pub(super) fn start() -> Timestamp {
    crate::observation::day_start(jiff::civil::date(2024, 1, 1))
}

/// When the point of this index is, or the latest possible time.
pub(super) fn time(step: SignedDuration, index: usize) -> Timestamp {
    let seconds = step.as_secs().saturating_mul(index as i64);
    start()
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

/// A value that is finite because this file made it.
pub(super) fn observation(at: Timestamp, value: f64) -> Observation {
    Observation::new(at, value).unwrap_or_else(|_| Observation::missing(at))
}

/// Around 100, with a daily and a weekly pattern and noise: what a detector should be at ease with.
pub(super) fn ordinary(step: SignedDuration, length: usize) -> Vec<Observation> {
    let mut chance = Chance::new(7);
    let points = (0..length).map(|index| {
        let at = time(step, index);
        observation(at, usual_value(at) + 4.0 * (chance.unit() - 0.5))
    });
    points.collect()
}

pub(super) fn usual_value(at: Timestamp) -> f64 {
    let hours = at.duration_since(start()).as_secs_f64() / 3600.0;
    let day = (hours / 24.0 * std::f64::consts::TAU).sin();
    let is_weekend = (hours / 24.0) % 7.0 >= 5.0;
    100.0 + 5.0 * day - if is_weekend { 10.0 } else { 0.0 }
}

/// Anything at all, in any order.
pub(super) fn wild(seed: u64) -> Vec<(Timestamp, f64, Kind)> {
    let mut chance = Chance::new(seed);
    let step = 1 + chance.below(200_000) as i64;
    let magnitude = 10f64.powf(600.0 * chance.unit() - 320.0);
    let mut second = 0;
    let points = (0..40 + chance.below(60)).map(|_| {
        second += jump(&mut chance, step);
        let at = Timestamp::from_second(second.clamp(-300_000_000_000, 250_000_000_000))
            .unwrap_or(Timestamp::MIN);
        let kind = match chance.below(12) {
            0 => Kind::Missing,
            1 => Kind::Partial,
            _ => Kind::Final,
        };
        (at, wild_value(&mut chance, magnitude), kind)
    });
    points.collect()
}

pub(super) enum Kind {
    Final,
    Partial,
    Missing,
}

/// Mostly one step; sometimes none, a gap, a step back or a jump to the end of time.
fn jump(chance: &mut Chance, step: i64) -> i64 {
    match chance.below(40) {
        0 => 0,
        1 => -3 * step,
        2 => step * chance.below(1000) as i64,
        3 => step / 2,
        4 if chance.below(20) == 0 => 300_000_000_000,
        _ => step,
    }
}

fn wild_value(chance: &mut Chance, magnitude: f64) -> f64 {
    match chance.below(16) {
        0 => 0.0,
        1 => f64::from_bits(1 + chance.below(9)),
        2 => -f64::MIN_POSITIVE * chance.unit(),
        3 => f64::MAX,
        4 => -1e150 * chance.unit(),
        5 => f64::NAN,
        6 => f64::from_bits(chance.next()),
        7..=9 => magnitude,
        _ => magnitude * (chance.unit() - 0.5),
    }
}

/// `SplitMix64` (Steele, Lea and Flood 2014): the suite needs variety, not quality.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0, included, to 1, excluded.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
