//! What do the last points say, block by block?

use super::memory::{CourseMemory, QUANTILES, SpreadMemory, ValueMemory};
use super::scale::compact;
use crate::calibration::Calibration;

/// A block is a 104th of the warm-up: eight of them cover a 13th of it, as in the window of the
/// benchmark's best detector.
const BLOCKS: usize = 104;

/// The distribution of the last points is that of a 26th of the warm-up, four blocks.
const SPREAD: usize = 26;

/// The blocks of a series, what they are compared with, and what came of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Blocks {
    length: usize,
    block: Block,
    level: Level,
    last: LastPoints,
    values: ValueMemory,
    courses: CourseMemory,
    spreads: SpreadMemory,
    value_calibration: Calibration,
    course_calibration: Calibration,
    spread_calibration: Calibration,
    evidence: Evidence,
}

/// The block that is being filled.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Block {
    n_points: usize,
    sum: f64,
    /// The point furthest from the level before it, and how far that is.
    extreme: f64,
    deviation: f64,
}

/// A moving average, and how far points usually lie from it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Level {
    mean: Option<f64>,
    deviation: f64,
}

/// −log₁₀ of the probabilities that the value, the course and the distribution are usual.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Evidence {
    value: f64,
    course: f64,
    spread: f64,
}

impl Evidence {
    /// The square of the mean of the roots: less than the mean where only one of them is high, so it
    /// asks for agreement without a vote.
    pub(super) fn combined(&self) -> f64 {
        let mean = (self.value.sqrt() + self.course.sqrt() + self.spread.sqrt()) / 3.0;
        mean * mean
    }

    pub(super) fn is_of_the_value(&self) -> bool {
        self.value >= self.course.max(self.spread)
    }

    fn is_sound(&self) -> bool {
        let sound = |part: f64| part.is_finite() && part >= 0.0;
        sound(self.value) && sound(self.course) && sound(self.spread)
    }
}

impl Blocks {
    pub(super) fn new(warm_up: usize) -> Self {
        let (length, n_last) = lengths(warm_up);
        Self {
            length,
            block: Block::default(),
            level: Level::default(),
            last: LastPoints::new(n_last),
            values: ValueMemory::new(),
            courses: CourseMemory::new(),
            spreads: SpreadMemory::new(n_last / length),
            value_calibration: Calibration::new(),
            course_calibration: Calibration::new(),
            spread_calibration: Calibration::new(),
            evidence: Evidence::default(),
        }
    }

    /// The level and how far from it a point may lie.
    pub(super) fn level(&self) -> (f64, f64) {
        (self.level.mean.unwrap_or(0.0), 4.0 * self.level.deviation)
    }

    /// Adds a point; the evidence is that of the block so far.
    pub(super) fn push(&mut self, coordinate: f64) -> Evidence {
        let deviation = self.level.push(coordinate, self.length);
        self.last.push(compact(coordinate));
        self.block.sum += coordinate;
        self.block.n_points += 1;
        if self.block.n_points == 1 || deviation > self.block.deviation {
            self.block.extreme = coordinate;
            self.block.deviation = deviation;
        }
        if self.block.n_points == self.length {
            self.close();
        }
        self.evidence
    }

    /// Judges the block and remembers it.
    fn close(&mut self) {
        let block = std::mem::take(&mut self.block);
        let mean = block.sum / self.length as f64;
        let quantiles = self.last.quantiles();
        let judge = |distance: Option<f64>, calibration: &mut Calibration| {
            let Some(distance) = distance else { return 0.0 };
            let evidence = calibration.evidence(distance);
            calibration.learn(distance);
            evidence
        };
        let value = self.values.distance(block.extreme);
        self.values.learn(block.extreme);
        let course = self.courses.push(mean);
        let spread = quantiles.and_then(|quantiles| self.spreads.push(quantiles));
        self.evidence = Evidence {
            value: judge(value, &mut self.value_calibration),
            course: judge(course, &mut self.course_calibration),
            spread: judge(spread, &mut self.spread_calibration),
        };
    }

    pub(super) fn is_sound(&self, warm_up: usize) -> bool {
        let (length, n_last) = lengths(warm_up);
        self.length == length
            && self.block.is_sound(length)
            && self.level.is_sound()
            && self.last.is_sound(n_last)
            && self.values.is_sound()
            && self.courses.is_sound()
            && self.spreads.is_sound(n_last / length)
            && self.value_calibration.is_sound()
            && self.course_calibration.is_sound()
            && self.spread_calibration.is_sound()
            && self.evidence.is_sound()
    }
}

/// How many points make a block, and how many a distribution.
fn lengths(warm_up: usize) -> (usize, usize) {
    ((warm_up / BLOCKS).max(1), (warm_up / SPREAD).max(3))
}

impl Block {
    fn is_sound(&self, length: usize) -> bool {
        let finite = self.sum.is_finite() && self.extreme.is_finite() && self.deviation.is_finite();
        finite && self.n_points < length
    }
}

impl Level {
    /// How far a point lies from the level before it; then moves the level, by a quarter of a block's
    /// share.
    fn push(&mut self, coordinate: f64, length: usize) -> f64 {
        let mean = self.mean.unwrap_or(coordinate);
        let deviation = (coordinate - mean).abs();
        let share = 1.0 / (4 * length) as f64;
        self.mean = Some(mean + share * (coordinate - mean));
        // A single outlier may widen the band of usual deviations by a part of it only.
        let bounded = deviation.min(8.0 * self.deviation.max(1.0));
        self.deviation += share / 4.0 * (bounded - self.deviation);
        deviation
    }

    fn is_sound(&self) -> bool {
        self.mean.unwrap_or(0.0).is_finite() && self.deviation.is_finite()
    }
}

/// The last points, by age and by size.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct LastPoints {
    by_age: Vec<i16>,
    oldest: usize,
    by_size: Vec<i16>,
    n_points: usize,
}

impl LastPoints {
    fn new(n_points: usize) -> Self {
        Self {
            by_age: Vec::with_capacity(n_points),
            oldest: 0,
            by_size: Vec::with_capacity(n_points),
            n_points,
        }
    }

    fn push(&mut self, point: i16) {
        if self.by_age.len() < self.n_points {
            self.by_age.push(point);
        } else {
            let leaving = std::mem::replace(&mut self.by_age[self.oldest], point);
            self.oldest = (self.oldest + 1) % self.n_points;
            if let Ok(position) = self.by_size.binary_search(&leaving) {
                self.by_size.remove(position);
            }
        }
        let position = self.by_size.partition_point(|other| *other < point);
        self.by_size.insert(position, point);
    }

    /// The quantiles at 5, 25, 50, 75 and 95 %, once there are enough points.
    fn quantiles(&self) -> Option<[i16; QUANTILES]> {
        let last = self.n_points - 1;
        let at = |percent: usize| self.by_size[(last * percent + 50) / 100];
        (self.by_size.len() == self.n_points).then(|| [5, 25, 50, 75, 95].map(at))
    }

    fn is_sound(&self, n_points: usize) -> bool {
        let mut sorted = self.by_age.clone();
        sorted.sort_unstable();
        self.n_points == n_points
            && self.by_age.len() <= n_points
            && self.oldest < n_points
            && sorted == self.by_size
    }
}
