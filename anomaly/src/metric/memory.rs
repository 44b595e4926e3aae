//! Was there ever something like this?

use super::scale::compact;

/// How many blocks are remembered, fourteen warm-ups: as many as fit into a state of 32 KB.
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

    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self) -> bool {
        self.values.len() <= REMEMBERED && self.oldest < REMEMBERED
    }

    /// The distance to the nearest value; nothing while there are fewer than two.
    pub(super) fn distance(&self, coordinate: f64) -> Option<f64> {
        if self.values.len() < 2 {
            return None;
        }
        let rounded = compact(coordinate);
        let steps = self.values.iter().map(|value| value.abs_diff(rounded));
        let steps = steps.fold(u16::MAX, u16::min);
        // Coordinates are whole but far out, where the part lost by rounding keeps records in order.
        let lost = coordinate.abs() - f64::from(rounded).abs();
        Some(f64::from(steps) + lost)
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

    #[cfg(feature = "serde")]
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
    /// Each quantile of all kept distributions, so that many are compared at once.
    kept: [Vec<i16>; QUANTILES],
    oldest: usize,
    /// Those that still share points with the newest, newest last.
    recent: Vec<[i16; QUANTILES]>,
    /// The next that leaves the recent ones is not kept.
    skip: bool,
}

/// How many distributions are kept.
const KEPT: usize = REMEMBERED / 2;

impl SpreadMemory {
    /// A memory for distributions that share points with so many before them.
    pub(super) fn new(overlap: usize) -> Self {
        Self {
            kept: std::array::from_fn(|_| Vec::with_capacity(KEPT)),
            oldest: 0,
            recent: Vec::with_capacity(overlap + 1),
            skip: false,
        }
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self, overlap: usize) -> bool {
        let n_kept = self.kept[0].len();
        let bounded = |value: &i16| (-LARGEST..=LARGEST).contains(value);
        let mut columns = self.kept.iter();
        n_kept <= KEPT
            && columns.all(|column| column.len() == n_kept && column.iter().all(bounded))
            && self.recent.iter().flatten().all(bounded)
            && self.oldest < KEPT
            && self.recent.len() <= overlap
    }

    /// The distance to the nearest distribution; then remembers this one. So many before it share
    /// points with it.
    pub(super) fn push(&mut self, quantiles: [i16; QUANTILES], overlap: usize) -> Option<f64> {
        let quantiles = quantiles.map(|quantile| quantile.clamp(-LARGEST, LARGEST));
        let nearest = self.nearest(&quantiles);
        self.recent.push(quantiles);
        if self.recent.len() > overlap {
            let leaving = self.recent.remove(0);
            self.keep(leaving);
        }
        nearest.map(|nearest| f64::from(nearest).sqrt())
    }

    /// The squared distance to the nearest.
    fn nearest(&self, quantiles: &[i16; QUANTILES]) -> Option<u32> {
        const AT_ONCE: usize = 64;
        let n_kept = self.kept[0].len();
        let mut nearest = [u32::MAX; AT_ONCE];
        for start in (0..n_kept).step_by(AT_ONCE) {
            let end = n_kept.min(start + AT_ONCE);
            let mut sums = [0_u32; AT_ONCE];
            for (column, quantile) in self.kept.iter().zip(quantiles) {
                for (sum, kept) in sums.iter_mut().zip(&column[start..end]) {
                    *sum += squared(kept - quantile);
                }
            }
            for (nearest, sum) in nearest.iter_mut().zip(&sums[..end - start]) {
                *nearest = (*nearest).min(*sum);
            }
        }
        (n_kept > 0).then(|| nearest.iter().copied().fold(u32::MAX, u32::min))
    }

    fn keep(&mut self, quantiles: [i16; QUANTILES]) {
        self.skip = !self.skip;
        if self.skip {
            return;
        }
        let is_full = self.kept[0].len() == KEPT;
        for (column, quantile) in self.kept.iter_mut().zip(quantiles) {
            match is_full {
                true => column[self.oldest] = quantile,
                false => column.push(quantile),
            }
        }
        if is_full {
            self.oldest = (self.oldest + 1) % KEPT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> impl Iterator<Item = f64> {
        let mut state = 3_u32;
        (0..n).map(move |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 22) - 512.0
        })
    }

    /// Also when the room was used up and the means were moved.
    #[test]
    fn carried_distances_are_those_computed_anew() {
        const FEW: usize = 40;
        let mut memory = CourseMemory::<FEW>::new();
        let mut means: Vec<f64> = Vec::new();
        for mean in numbers(400) {
            means.push(mean);
            let nearest = memory.push(mean);
            #[cfg(feature = "serde")]
            assert!(memory.is_sound());
            let Some(last) = means.len().checked_sub(COURSE) else {
                continue;
            };
            let distance = |first: usize| -> f64 {
                let pairs = means[first..].iter().zip(&means[last..]);
                pairs.map(|(a, b)| (a - b).powi(2)).sum()
            };
            let oldest = last.saturating_sub(FEW);
            let expected = (oldest..last).map(distance).fold(f64::INFINITY, f64::min);
            if let Some(nearest) = nearest {
                assert_eq!(nearest, expected.sqrt());
            }
        }
    }

    #[test]
    fn the_oldest_value_is_forgotten_first() {
        let mut memory = ValueMemory::new();
        memory.learn(7_000.0);
        numbers(REMEMBERED - 1).for_each(|value| memory.learn(value));
        assert_eq!(memory.distance(7_000.0), Some(0.0));
        memory.learn(0.0);
        assert!(memory.distance(7_000.0) > Some(6_000.0));
    }

    /// Beyond the linear part of the grid, coordinates are no whole numbers.
    #[test]
    fn records_stay_in_order_between_whole_coordinates() {
        let mut memory = ValueMemory::new();
        memory.learn(0.0);
        memory.learn(1.0);
        let mut last = None;
        for tenth in 0..50 {
            let distance = memory.distance(20_000.0 + f64::from(tenth) / 10.0);
            assert!(distance > last);
            last = distance;
        }
    }

    #[test]
    fn a_distribution_is_compared_with_those_that_share_no_point() {
        let mut memory = SpreadMemory::new(2);
        let of = |level: i16| [level - 2, level - 1, level, level + 1, level + 2];
        assert_eq!(memory.push(of(0), 2), None);
        assert_eq!(memory.push(of(10), 2), None);
        // The first leaves the recent ones but only every second is kept.
        assert_eq!(memory.push(of(20), 2), None);
        assert_eq!(memory.push(of(30), 2), None);
        assert_eq!(memory.push(of(13), 2), Some(f64::from(5 * 3 * 3).sqrt()));
    }
}
