//! Was there ever something like this?

use super::scale::compact;

/// How many blocks are remembered: fourteen warm-ups.
pub(super) const REMEMBERED: usize = 1_500;

/// The values of the past, and how near the nearest of them is.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct ValueMemory {
    values: Vec<i16>,
    oldest: usize,
}

impl ValueMemory {
    pub(super) fn new() -> Self {
        Self {
            values: Vec::with_capacity(REMEMBERED),
            oldest: 0,
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        self.values.len() <= REMEMBERED && self.oldest < REMEMBERED
    }

    /// The distance to the nearest value; nothing while there are fewer than two.
    pub(super) fn distance(&self, coordinate: f64) -> Option<f64> {
        if self.values.len() < 2 {
            return None;
        }
        let coordinate = coordinate as f32;
        let distances = self
            .values
            .iter()
            .map(|value| (f32::from(*value) - coordinate).abs());
        Some(f64::from(distances.fold(f32::INFINITY, f32::min)))
    }

    pub(super) fn learn(&mut self, coordinate: f64) {
        let value = compact(coordinate);
        if self.values.len() < REMEMBERED {
            self.values.push(value);
            return;
        }
        self.values[self.oldest] = value;
        self.oldest = (self.oldest + 1) % REMEMBERED;
    }
}

/// How many means in a row make a course: with blocks of a 104th, 15 % of the warm-up.
pub(super) const COURSE: usize = 16;

/// The largest coordinate in a course, 256 units of spread: squared differences of sixteen pairs then
/// fit into 32 bits.
const LARGEST: i16 = 8_191;

/// The courses of the past, each sixteen means in a row, and how near the nearest of them comes to the
/// newest.
///
/// The distance to each course is carried on from mean to mean: the pair that enters is added, the pair
/// that leaves is subtracted (as in Yeh and others, *Matrix Profile I*, 2016). They are whole numbers,
/// so nothing drifts.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct CourseMemory<const REMEMBERED: usize> {
    /// The means, oldest first; moved to the front when the room is used up.
    means: Vec<i16>,
    /// The squared distance of the newest course to each before it, oldest first.
    distances: Vec<u32>,
}

impl<const REMEMBERED: usize> CourseMemory<REMEMBERED> {
    pub(super) fn new() -> Self {
        Self {
            means: Vec::with_capacity(Self::ROOM),
            distances: Vec::with_capacity(REMEMBERED),
        }
    }

    /// Means of all remembered courses, and as many again before they are moved.
    const ROOM: usize = 2 * (REMEMBERED + COURSE);

    pub(super) fn is_sound(&self) -> bool {
        let n_before = self.means.len().saturating_sub(COURSE + 1);
        let bounded = |mean: &i16| (-LARGEST..=LARGEST).contains(mean);
        self.means.len() <= Self::ROOM
            && self.means.iter().all(bounded)
            && self.distances.len() == n_before.min(REMEMBERED)
            && (1..=self.distances.len())
                .all(|lag| self.distances[self.distances.len() - lag] == self.distance_to(lag))
    }

    /// Adds a mean; then the distance of the course it ends to the nearest before it, once there are
    /// some.
    pub(super) fn push(&mut self, coordinate: f64) -> Option<f64> {
        self.make_room();
        self.means
            .push(compact(coordinate).clamp(-LARGEST, LARGEST));
        let n_before = self.means.len().checked_sub(COURSE + 1)?;
        self.carry_on();
        if self.distances.len() < n_before.min(REMEMBERED) {
            let distance = self.distance_to(self.distances.len() + 1);
            self.distances.insert(0, distance);
        }
        let nearest = self.distances.iter().copied().fold(u32::MAX, u32::min);
        (n_before > COURSE).then(|| f64::from(nearest).sqrt())
    }

    fn make_room(&mut self) {
        if self.means.len() == Self::ROOM {
            let kept = REMEMBERED + COURSE;
            self.means.copy_within(Self::ROOM - kept.., 0);
            self.means.truncate(kept);
        }
    }

    /// Moves every distance one mean on.
    fn carry_on(&mut self) {
        let (n, newest) = (self.distances.len(), self.means.len() - 1);
        let (enters, leaves) = (self.means[newest], self.means[newest - COURSE]);
        let entering = &self.means[newest - n..newest];
        let leaving = &self.means[newest - n - COURSE..newest - COURSE];
        let pairs = entering.iter().zip(leaving);
        for (distance, (&entering, &leaving)) in self.distances.iter_mut().zip(pairs) {
            let gained = *distance + squared(enters - entering);
            *distance = gained - squared(leaves - leaving);
        }
    }

    /// The squared distance of the newest course to the one so many means before it.
    fn distance_to(&self, lag: usize) -> u32 {
        let newest = self.means.len() - COURSE;
        let pairs = self.means[newest..].iter().zip(&self.means[newest - lag..]);
        pairs.map(|(a, b)| squared(a - b)).sum()
    }
}

/// Of a difference of two means, which fits into 16 bits.
fn squared(difference: i16) -> u32 {
    let difference = i32::from(difference);
    (difference * difference) as u32
}

/// How many quantiles describe a distribution.
pub(super) const QUANTILES: usize = 5;

/// The distributions of the past, and how near the nearest of them is. Those of every second block are
/// kept, for neighbors share most of their points.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SpreadMemory {
    kept: Vec<[i16; QUANTILES]>,
    oldest: usize,
    /// Those that still share points with the newest, newest last.
    recent: Vec<[i16; QUANTILES]>,
    overlap: usize,
    skip: bool,
}

impl SpreadMemory {
    /// A memory for distributions that share points with so many before them.
    pub(super) fn new(overlap: usize) -> Self {
        Self {
            kept: Vec::with_capacity(REMEMBERED / 2),
            oldest: 0,
            recent: Vec::with_capacity(overlap + 1),
            overlap,
            skip: false,
        }
    }

    pub(super) fn is_sound(&self, overlap: usize) -> bool {
        self.kept.len() <= REMEMBERED / 2
            && self.oldest < REMEMBERED / 2
            && self.overlap == overlap
            && self.recent.len() <= overlap
    }

    /// The distance to the nearest distribution; then remembers this one.
    pub(super) fn push(&mut self, quantiles: [i16; QUANTILES]) -> Option<f64> {
        let squares = self
            .kept
            .iter()
            .map(|kept| squared_distance(kept, &quantiles));
        let nearest = squares.fold(f32::INFINITY, f32::min);
        self.recent.push(quantiles);
        if self.recent.len() > self.overlap {
            let leaving = self.recent.remove(0);
            self.keep(leaving);
        }
        nearest.is_finite().then(|| f64::from(nearest).sqrt())
    }

    fn keep(&mut self, quantiles: [i16; QUANTILES]) {
        self.skip = !self.skip;
        if self.skip {
            return;
        }
        if self.kept.len() < REMEMBERED / 2 {
            self.kept.push(quantiles);
            return;
        }
        self.kept[self.oldest] = quantiles;
        self.oldest = (self.oldest + 1) % (REMEMBERED / 2);
    }
}

fn squared_distance(a: &[i16; QUANTILES], b: &[i16; QUANTILES]) -> f32 {
    let differences = a.iter().zip(b).map(|(a, b)| f32::from(*a) - f32::from(*b));
    differences.map(|difference| difference * difference).sum()
}
