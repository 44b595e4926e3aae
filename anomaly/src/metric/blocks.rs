//! What do the last points say, block by block?

use super::memory::{CourseMemory, QUANTILES, REMEMBERED, SpreadMemory, ValueMemory};
use super::scale::compact;
use crate::Direction;
use crate::calibration::Calibration;

/// A block is a 104th of the warm-up: eight of them cover a 13th of it, as in the window of the
/// benchmark's best detector.
const BLOCKS: usize = 104;

/// The distribution of the last points is that of a 26th of the warm-up, four blocks.
const SPREAD: usize = 26;

/// A long course is made of sixteen means of four blocks each: 62 % of the warm-up.
const LONG: usize = 4;

/// A point whose value is as rare as one in a thousand is told at once; anything else when its block is
/// full. (Measured: telling every point at once takes two points of the benchmark's hundred, this none.)
const CLEAR: f64 = 3.0;

/// The blocks of a series, what they are compared with, and what came of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Blocks {
    length: usize,
    block: Block,
    level: Level,
    last: LastPoints,
    long: LongBlock,
    values: ValueMemory,
    courses: CourseMemory<REMEMBERED>,
    long_courses: CourseMemory<{ REMEMBERED / LONG }>,
    spreads: SpreadMemory,
    calibrations: Calibrations,
    evidence: Evidence,
}

/// How rare the distances of each kind are.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Calibrations {
    value: Calibration,
    course: Calibration,
    long_course: Calibration,
    spread: Calibration,
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
    rises: bool,
}

/// A moving average, and how far points usually lie from it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Level {
    mean: Option<f64>,
    deviation: f64,
}

/// The long block that is being filled.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct LongBlock {
    n_blocks: usize,
    sum: f64,
}

/// −log₁₀ of the probabilities that the value, the courses and the distribution are usual.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Evidence {
    value: f64,
    course: f64,
    long_course: f64,
    spread: f64,
    /// The value lies above the level, not below.
    rises: bool,
}

impl Evidence {
    /// A power mean with the exponent 2/3: less than the mean where only one of them is high, so it
    /// asks for agreement without a vote. Value and course lead; the long course and the distribution
    /// share points with them and count half.
    fn combined(&self) -> f64 {
        let root = |part: f64| {
            let root = part.cbrt();
            root * root
        };
        let leading = root(self.value) + root(self.course);
        let mean = (leading + (root(self.long_course) + root(self.spread)) / 2.0) / 3.0;
        mean * mean.sqrt()
    }

    /// Whether the value alone is as rare as one in a hundred.
    const fn is_of_the_value(&self) -> bool {
        self.value >= 2.0
    }

    fn finding(&self) -> Finding {
        let direction = match (self.is_of_the_value(), self.rises) {
            (true, true) => Direction::Rise,
            (true, false) => Direction::Fall,
            (false, _) => Direction::Pattern,
        };
        Finding {
            evidence: self.combined(),
            direction,
        }
    }

    #[cfg(feature = "serde")]
    fn is_sound(&self) -> bool {
        let parts = [self.value, self.course, self.long_course, self.spread];
        parts.iter().all(|part| part.is_finite() && *part >= 0.0)
    }
}

/// What a point or its block gives reason to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finding {
    pub(super) evidence: f64,
    pub(super) direction: Direction,
}

impl Blocks {
    pub(super) fn new(warm_up: usize) -> Self {
        let (length, n_last) = lengths(warm_up);
        Self {
            length,
            block: Block::default(),
            level: Level::default(),
            last: LastPoints::new(n_last),
            long: LongBlock::default(),
            values: ValueMemory::new(),
            courses: CourseMemory::new(),
            long_courses: CourseMemory::new(),
            spreads: SpreadMemory::new(n_last / length),
            calibrations: Calibrations::new(),
            evidence: Evidence::default(),
        }
    }

    /// The level, and four usual deviations from it.
    pub(super) fn level(&self) -> (f64, f64) {
        let level = self.level.mean.unwrap_or(0.0);
        (level, 4.0 * self.level.deviation)
    }

    /// Judges a point by what came before it, then learns from it. Between the ends of blocks only a
    /// clear outlier says something new.
    pub(super) fn push(&mut self, coordinate: f64) -> Finding {
        let signed = self.level.push(coordinate, self.length);
        self.last.push(compact(coordinate));
        let leads = self.block.push(coordinate, signed);
        let alone = match leads {
            true => self.evidence_of_value(coordinate),
            false => 0.0,
        };
        if self.block.n_points == self.length {
            self.close();
        }
        if alone < CLEAR {
            return self.evidence.finding();
        }
        let direction = match signed > 0.0 {
            true => Direction::Rise,
            false => Direction::Fall,
        };
        Finding {
            evidence: alone.max(self.evidence.combined()),
            direction,
        }
    }

    fn evidence_of_value(&self, coordinate: f64) -> f64 {
        let distance = self.values.distance(coordinate);
        distance.map_or(0.0, |distance| self.calibrations.value.evidence(distance))
    }

    /// Judges the block, and remembers it.
    fn close(&mut self) {
        let block = std::mem::take(&mut self.block);
        let mean = block.sum / self.length as f64;
        let value = self.values.distance(block.extreme);
        self.values.learn(block.extreme);
        let course = self.courses.push(mean);
        let overlap = self.last.n_points / self.length;
        let spread = self.last.quantiles();
        let spread = spread.and_then(|quantiles| self.spreads.push(quantiles, overlap));
        self.evidence.value = self.calibrations.value.judge(value);
        self.evidence.rises = block.rises;
        self.evidence.course = self.calibrations.course.judge(course);
        self.evidence.spread = self.calibrations.spread.judge(spread);
        if let Some(mean) = self.long.push(mean) {
            let course = self.long_courses.push(mean);
            self.evidence.long_course = self.calibrations.long_course.judge(course);
        }
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self, warm_up: usize) -> bool {
        let (length, n_last) = lengths(warm_up);
        self.length == length
            && self.block.is_sound(length)
            && self.level.is_sound()
            && self.last.is_sound(n_last)
            && self.values.is_sound()
            && self.long.is_sound()
            && self.courses.is_sound()
            && self.long_courses.is_sound()
            && self.spreads.is_sound(n_last / length)
            && self.calibrations.is_sound()
            && self.evidence.is_sound()
    }
}

/// How many points make a block, and how many a distribution.
fn lengths(warm_up: usize) -> (usize, usize) {
    ((warm_up / BLOCKS).max(1), (warm_up / SPREAD).max(3))
}

impl Calibrations {
    fn new() -> Self {
        Self {
            value: Calibration::new(),
            course: Calibration::new(),
            long_course: Calibration::new(),
            spread: Calibration::new(),
        }
    }

    #[cfg(feature = "serde")]
    fn is_sound(&self) -> bool {
        let all = [&self.value, &self.course, &self.long_course, &self.spread];
        all.into_iter().all(Calibration::is_sound)
    }
}

impl LongBlock {
    /// Adds the mean of a block; the mean of the long block when it is full.
    fn push(&mut self, mean: f64) -> Option<f64> {
        self.sum += mean;
        self.n_blocks += 1;
        (self.n_blocks == LONG).then(|| std::mem::take(self).sum / LONG as f64)
    }

    #[cfg(feature = "serde")]
    fn is_sound(&self) -> bool {
        self.sum.is_finite() && self.n_blocks < LONG
    }
}

impl Block {
    /// Adds a point; whether it is now the one furthest from the level.
    fn push(&mut self, coordinate: f64, signed: f64) -> bool {
        self.sum += coordinate;
        self.n_points += 1;
        let leads = self.n_points == 1 || signed.abs() > self.deviation;
        if leads {
            self.extreme = coordinate;
            self.deviation = signed.abs();
            self.rises = signed > 0.0;
        }
        leads
    }

    #[cfg(feature = "serde")]
    fn is_sound(&self, length: usize) -> bool {
        let finite = self.sum.is_finite() && self.extreme.is_finite() && self.deviation.is_finite();
        finite && self.n_points < length
    }
}

impl Level {
    /// How far a point lies above the level before it; then moves the level, by a quarter of a block's
    /// share.
    fn push(&mut self, coordinate: f64, length: usize) -> f64 {
        let mean = self.mean.unwrap_or(coordinate);
        let signed = coordinate - mean;
        let share = 1.0 / (4 * length) as f64;
        self.mean = Some(mean + share * signed);
        // A single outlier may widen the band of usual deviations by a part of it only.
        let bounded = signed.abs().min(8.0 * self.deviation.max(1.0));
        self.deviation += share / 4.0 * (bounded - self.deviation);
        signed
    }

    #[cfg(feature = "serde")]
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

    #[cfg(feature = "serde")]
    fn is_sound(&self, n_points: usize) -> bool {
        let mut sorted = self.by_age.clone();
        sorted.sort_unstable();
        self.n_points == n_points
            && self.by_age.len() <= n_points
            && self.oldest < n_points
            && sorted == self.by_size
    }
}
