//! Which value is expected next, and how far do values usually stray from it?
//!
//! The expectation is a level, plus what the hour of the week adds if that has helped so far, plus
//! what is left of the last deviation where deviations last. Level, deviation and scale follow their
//! series by exponential averages of residuals that are cut at three scales (Huber's function, as in
//! Gelper, Fried and Croux, Robust forecasting with exponential and Holt–Winters smoothing, Journal
//! of Forecasting 29, 2010), so that one anomaly moves them by no more than an ordinary outlier.
//! Values that stay away are accepted after [`ACCEPTED_AFTER`] points.

/// How much of a residual moves the level: what 64 points have in common.
const LEVEL_RATE: f64 = 1.0 / 64.0;
/// How much of a residual moves the scale; its error is then about 5 % for normal noise.
const SCALE_RATE: f64 = 1.0 / 128.0;
/// How fast the slow properties are learned: how long deviations last, whether the hours help.
const HABIT_RATE: f64 = 1.0 / 512.0;
/// Huber's bound in scales.
const CUT: f64 = 3.0;
/// The mean of |z| cut at 3 for normal z, 2(φ(0) − φ(3)) + 6(1 − Φ(3)); it makes the scale a standard
/// deviation.
const PER_MEAN_CUT_SIZE: f64 = 1.0 / 0.797_12;
/// From so many scales on, a value lies outside.
const OUTSIDE: f64 = 4.0;
/// After so many points outside in a row the course has changed: an hour of five-minute points.
const ACCEPTED_AFTER: u8 = 12;
/// Deviations never last forever, or the level would lose its meaning.
const LONGEST_PERSISTENCE: f64 = 0.95;
/// Bounds a single pair of deviations in the estimate of how long they last, in scales.
const LARGEST_DEVIATION: f64 = 64.0;
/// The scale does not shrink below this share of what it was lately, so that in a quiet series with
/// rare events the events keep a size.
const SMALLEST_SHARE: f64 = 1.0 / 256.0;
/// How fast "lately" fades.
const FADE: f64 = 1.0 / 4096.0;
/// Hours that take away this share of the mean residual are believed wholly.
const CONVINCING: f64 = 0.25;
/// Differences below this share of the values are rounding: 64 units in the last place, what an
/// average of 64 points can be off.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// How many values the first level and scale are made of.
pub(super) const N_FIRST: usize = 16;

/// What has been learned of the course of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Course {
    level: f64,
    /// What is left of the last deviations from level and hours.
    deviation: f64,
    scale: f64,
    /// 1 ÷ scale; 0 where the scale is 0.
    per_scale: f64,
    largest_scale: f64,
    /// Means of the products of deviations with the one before, and of their squares, in scales.
    lagged: f64,
    squared: f64,
    /// Mean residuals with and without what the hours add.
    error_with_hours: f64,
    error_without_hours: f64,
    /// What follows from these, as of the last time that it was computed.
    trust: f64,
    persistence: f64,
    run: Run,
}

/// Points in a row that lay outside.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Run {
    n_points: u8,
    n_above: u8,
    /// The smallest distance among them.
    nearest: f64,
}

/// What is expected of one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expectation {
    pub(super) value: f64,
    /// What the hour adds when believed wholly.
    hour: f64,
    /// What is left of the last deviation.
    carried: f64,
}

impl Course {
    /// Begins with the median of the first values and their median absolute deviation.
    pub(super) fn begin(values: &mut [f64; N_FIRST]) -> Self {
        let level = median(values);
        let mut distances = values.map(|value| (value - level).abs());
        let mean = distances.iter().sum::<f64>() / N_FIRST as f64;
        let middle = median(&mut distances);
        // The factors for a normal distribution: 1 ÷ Φ⁻¹(¾), and √(π/2) where most values are equal.
        let scale = if middle > 0.0 {
            1.4826 * middle
        } else {
            1.2533 * mean
        };
        Self {
            level,
            scale,
            per_scale: per(scale),
            largest_scale: scale,
            error_with_hours: scale,
            error_without_hours: scale,
            ..Self::default()
        }
    }

    /// What is expected where the hour adds this much.
    #[inline]
    pub(super) fn expect(&self, hour: f64) -> Expectation {
        let carried = self.persistence * self.deviation;
        Expectation {
            value: self.level + self.trust * hour + carried,
            hour,
            carried,
        }
    }

    /// How many scales a residual is; 0 where it is no more than rounding.
    #[inline]
    pub(super) fn size(&self, value: f64, residual: f64) -> f64 {
        if residual.abs() <= self.rounding(value) {
            return 0.0;
        }
        if self.scale == 0.0 {
            return super::rarity::LARGEST_SIZE;
        }
        (residual.abs() * self.per_scale).min(f64::MAX)
    }

    /// The distance from the expectation at which a size is reached.
    #[inline]
    pub(super) fn distance(&self, value: f64, size: f64) -> f64 {
        if self.scale == 0.0 && size > super::rarity::LARGEST_SIZE {
            return FARTHEST;
        }
        (size * self.scale).min(FARTHEST).max(self.rounding(value))
    }

    /// Learns from a value; returns what remained of it for the hours to learn.
    #[inline]
    pub(super) fn learn(&mut self, value: f64, expectation: &Expectation, size: f64) -> f64 {
        let residual = value - expectation.value;
        let remainder = self.learn_trust(value - self.level, expectation.hour);
        let bound = CUT * self.scale;
        let cut = residual.max(-bound).min(bound);
        self.learn_deviation(expectation.carried + cut);
        self.learn_scale(cut.abs(), value);
        if size > OUTSIDE {
            self.extend_run(value, expectation, residual);
        } else {
            self.run = Run::default();
        }
        remainder
    }

    /// Forgets the last deviation, because there is a gap after it.
    #[inline]
    pub(super) fn interrupt(&mut self) {
        self.deviation = 0.0;
    }

    /// Draws the conclusions from the slow means. They change little from point to point, so that
    /// this may be left out at most of them.
    #[inline]
    pub(super) fn conclude(&mut self) {
        let gain = self.error_without_hours - self.error_with_hours;
        self.trust = if gain > 0.0 {
            (gain / (CONVINCING * self.error_without_hours)).min(1.0)
        } else {
            0.0
        };
        self.persistence = if self.lagged > 0.0 && self.squared > 0.0 {
            (self.lagged / self.squared).min(LONGEST_PERSISTENCE)
        } else {
            0.0
        };
    }

    #[inline]
    fn rounding(&self, value: f64) -> f64 {
        ROUNDING * (value.abs() + self.level.abs()) + f64::MIN_POSITIVE
    }

    #[inline]
    fn learn_trust(&mut self, above_level: f64, hour: f64) -> f64 {
        let larger = self.error_with_hours.max(self.error_without_hours);
        let bound = CUT * larger.max(self.scale);
        let remainder = (above_level - hour).max(-bound).min(bound);
        let without = above_level.abs().min(bound);
        self.error_with_hours += HABIT_RATE * (remainder.abs() - self.error_with_hours);
        self.error_without_hours += HABIT_RATE * (without - self.error_without_hours);
        remainder
    }

    #[inline]
    fn learn_deviation(&mut self, deviation: f64) {
        let bounded = |deviations: f64| deviations.clamp(-LARGEST_DEVIATION, LARGEST_DEVIATION);
        let before = bounded(self.deviation * self.per_scale);
        let now = bounded(deviation * self.per_scale);
        self.lagged += HABIT_RATE * (before * now - self.lagged);
        self.squared += HABIT_RATE * (before * before - self.squared);
        let step = LEVEL_RATE * deviation;
        self.level += step;
        self.deviation = deviation - step;
    }

    #[inline]
    fn learn_scale(&mut self, cut_size: f64, value: f64) {
        let scale = self.scale + SCALE_RATE * (cut_size * PER_MEAN_CUT_SIZE - self.scale);
        let largest = self.largest_scale * (1.0 - FADE);
        self.set_scale(scale.max(SMALLEST_SHARE * largest), largest, value);
    }

    #[inline]
    fn set_scale(&mut self, scale: f64, largest: f64, value: f64) {
        // A scale within rounding would make rounding look like news, and denormals are slow.
        self.scale = if scale > self.rounding(value) {
            scale
        } else {
            0.0
        };
        self.per_scale = per(self.scale);
        self.largest_scale = largest.max(self.scale);
    }

    /// Notes a point outside, and accepts the new course when there were enough of them in a row: a
    /// new level if they all lay on one side, else a wider scale.
    #[cold]
    fn extend_run(&mut self, value: f64, expectation: &Expectation, residual: f64) {
        let distance = residual.abs();
        let is_first = self.run.n_points == 0;
        self.run.nearest = if is_first {
            distance
        } else {
            self.run.nearest.min(distance)
        };
        self.run.n_points += 1;
        self.run.n_above += u8::from(residual > 0.0);
        if self.run.n_points < ACCEPTED_AFTER {
            return;
        }
        if self.run.n_above == 0 || self.run.n_above == self.run.n_points {
            self.level = value - self.trust * expectation.hour;
            self.deviation = 0.0;
        } else {
            self.set_scale(self.scale.max(self.run.nearest), self.largest_scale, value);
        }
        self.run = Run::default();
    }

    /// Whether a saved course can be gone on with.
    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self) -> bool {
        let sizes = [
            self.scale,
            self.largest_scale,
            self.squared,
            self.error_with_hours,
            self.error_without_hours,
            self.run.nearest,
        ];
        let shares = [self.trust, self.persistence];
        let others = [self.level, self.deviation, self.lagged];
        let is_size = |size: &f64| (0.0..=FARTHEST).contains(size);
        sizes.iter().all(is_size)
            && shares.iter().all(|share| (0.0..=1.0).contains(share))
            && self.per_scale == per(self.scale)
            && others.iter().all(|value| value.abs() <= FARTHEST)
            && self.run.n_points < ACCEPTED_AFTER
            && self.run.n_above <= self.run.n_points
    }
}

/// Farther than any two values are from each other, and than any average of their distances.
const FARTHEST: f64 = 1e3 * crate::LARGEST_VALUE;

/// 1 ÷ scale; 0 where there is none.
#[inline]
fn per(scale: f64) -> f64 {
    if scale >= f64::MIN_POSITIVE {
        scale.recip()
    } else {
        0.0
    }
}

fn median(values: &mut [f64; N_FIRST]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    (values[N_FIRST / 2 - 1] + values[N_FIRST / 2]) / 2.0
}
