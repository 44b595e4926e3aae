//! What are the mean, the median and the spread of the last values?

use std::collections::VecDeque;

use super::MAD_SCALE;

/// The last values of a series, up to a number that is fixed at construction, in their order of time
/// and of size. Nothing is allocated after construction.
///
/// Statistics are computed anew from the values each time: a running sum would keep the rounding
/// errors of an extreme value long after it has left.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    capacity: usize,
    values: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Window {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            values: VecDeque::with_capacity(capacity),
            sorted: Vec::with_capacity(capacity),
        }
    }

    /// The window of saved values, or `None` when a window of this capacity cannot hold them.
    #[cfg(feature = "serde")]
    pub(crate) fn restore(capacity: usize, values: &[f64]) -> Option<Self> {
        let are_plausible = values.iter().copied().all(super::is_plausible);
        if values.len() > capacity || !are_plausible {
            return None;
        }
        let mut window = Self::new(capacity);
        window.values.extend(values);
        window.sort();
        Some(window)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() == self.capacity
    }

    /// The values, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator {
        self.values.iter().copied()
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.sorted.clear();
    }

    /// Appends a value, and hands back the one that falls out.
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let oldest = if self.is_full() { self.pop() } else { None };
        self.values.push_back(value);
        self.sorted.insert(self.rank(value), value);
        oldest
    }

    /// Puts other values in the place of as many of the newest ones.
    pub(crate) fn replace_newest(&mut self, values: &[f64]) {
        let slots = self.values.iter_mut().rev();
        for (slot, value) in slots.zip(values.iter().rev()) {
            *slot = *value;
        }
        self.sort();
    }

    fn pop(&mut self) -> Option<f64> {
        let oldest = self.values.pop_front()?;
        self.sorted.remove(self.rank(oldest));
        Some(oldest)
    }

    fn rank(&self, value: f64) -> usize {
        let is_less = |other: &f64| other.total_cmp(&value).is_lt();
        self.sorted.partition_point(is_less)
    }

    fn sort(&mut self) {
        self.sorted.clear();
        self.sorted.extend(&self.values);
        self.sorted.sort_unstable_by(f64::total_cmp);
    }

    /// The mean, exact for values that are all the same; 0 without values.
    pub(crate) fn mean(&self) -> f64 {
        let Some(&first) = self.values.front() else {
            return 0.0;
        };
        let deviations: f64 = self.iter().map(|value| value - first).sum();
        first + deviations / self.len() as f64
    }

    /// The square root of the sum of squares about the mean by `divisor`. Deviations are measured by
    /// the largest of them, so that no square overflows or vanishes.
    pub(crate) fn deviation(&self, divisor: usize) -> f64 {
        let mean = self.mean();
        let deviations = || self.iter().map(|value| value - mean);
        let largest =
            deviations().fold(0.0, |largest: f64, deviation| largest.max(deviation.abs()));
        if largest == 0.0 || divisor == 0 {
            return 0.0;
        }
        let squares: f64 = deviations()
            .map(|deviation| (deviation / largest).powi(2))
            .sum();
        largest * (squares / divisor as f64).sqrt()
    }

    pub(crate) fn median(&self) -> f64 {
        median_of_sorted(&self.sorted)
    }

    /// The median of the values, of which there is an even number, and one more: that one, as far as
    /// the two in the middle let it go.
    pub(crate) fn median_with(&self, value: f64) -> f64 {
        let middle = self.len() / 2;
        match (
            self.sorted.get(middle.wrapping_sub(1)),
            self.sorted.get(middle),
        ) {
            (Some(&below), Some(&above)) => value.clamp(below, above),
            _ => value,
        }
    }

    /// The scaled median distance from the median; where more than half of the values are equal, the
    /// scaled mean distance.
    pub(crate) fn spread(&self) -> f64 {
        match self.median_deviation() {
            0.0 => self.mean_deviation(),
            deviation => deviation,
        }
    }

    /// The median distance from the median, scaled to the standard deviation of normal values.
    fn median_deviation(&self) -> f64 {
        let center = self.median();
        let above = self.rank(center);
        let (mut left, mut right) = (above, above);
        let (mut previous, mut current) = (0.0, 0.0);
        for _ in 0..=self.len() / 2 {
            let below = left.checked_sub(1).map(|index| center - self.sorted[index]);
            let above = self.sorted.get(right).map(|value| value - center);
            previous = current;
            current = match (below, above) {
                (Some(below), Some(above)) if below < above => take_left(below, &mut left),
                (Some(below), None) => take_left(below, &mut left),
                (_, Some(above)) => take_right(above, &mut right),
                (None, None) => current,
            };
        }
        let is_odd = self.len() % 2 == 1;
        MAD_SCALE
            * if is_odd {
                current
            } else {
                f64::midpoint(previous, current)
            }
    }

    /// The mean distance from the median, scaled to the standard deviation of normal values, whose
    /// mean distance is √(2/π) of it.
    fn mean_deviation(&self) -> f64 {
        let center = self.median();
        let sum: f64 = self.iter().map(|value| (value - center).abs()).sum();
        sum / self.len().max(1) as f64 * (std::f64::consts::PI / 2.0).sqrt()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Window {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

/// The median of values, which are sorted for it.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    median_of_sorted(values)
}

/// The middle value, or the mean of the two in the middle; 0 without values.
fn median_of_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (1, Some(&value)) => value,
        (_, Some(&value)) => f64::midpoint(sorted[middle - 1], value),
        (_, None) => 0.0,
    }
}

fn take_left(distance: f64, left: &mut usize) -> f64 {
    *left -= 1;
    distance
}

fn take_right(distance: f64, right: &mut usize) -> f64 {
    *right += 1;
    distance
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(capacity: usize, values: &[f64]) -> Window {
        let mut window = Window::new(capacity);
        for &value in values {
            window.push(value);
        }
        window
    }

    #[test]
    fn statistics_are_of_the_last_values() {
        // numpy: mean, std(ddof=1), median and 1.4826 × median(|x − median|) of 2, 4, 4, 5, 9.
        let window = window(5, &[100.0, 2.0, 4.0, 4.0, 5.0, 9.0]);
        assert_eq!(window.mean(), 4.8);
        assert!((window.deviation(4) - 2.588_435_821_108_957).abs() < 1e-12);
        assert_eq!(window.median(), 4.0);
        assert_eq!(window.median_deviation(), MAD_SCALE);
    }

    #[test]
    fn squares_neither_overflow_nor_vanish() {
        assert_eq!(window(2, &[1e150, -1e150]).deviation(2), 1e150);
        assert_eq!(window(2, &[1e-300, -1e-300]).deviation(2), 1e-300);
    }

    fn plain_median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        median_of_sorted(&values)
    }

    proptest! {
        #[test]
        fn medians_equal_those_of_the_definition(
            values in prop::collection::vec(-5i8..5, 1..40),
            capacity in 1usize..12,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let window = window(capacity, &values);
            let last = values[values.len().saturating_sub(capacity)..].to_vec();
            let median = plain_median(last.clone());
            let distances = last.iter().map(|value| (value - median).abs()).collect();
            prop_assert_eq!(window.median(), median);
            prop_assert_eq!(window.median_deviation(), MAD_SCALE * plain_median(distances));
        }
    }
}
