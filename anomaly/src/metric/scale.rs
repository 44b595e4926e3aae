//! In which unit are the values of a series compared?

use crate::LARGEST_VALUE;

/// Steps of the grid in one unit of spread. A 32nd is well below the noise of any metric, and rounding
/// by scaling or shifting the series is far below a 32nd.
pub(super) const STEPS: f64 = 32.0;

/// The golden section: a series whose values are simple fractions of its spread never lies on an edge
/// of the grid, where rounding could decide.
const OFFSET: f64 = 0.618_033_988_749_894_9;

/// Up to here, 512 units of spread, the grid is linear; beyond, it is logarithmic.
const LINEAR: f64 = 16_384.0;

/// Grid steps for each factor of e in the logarithmic part: 10³⁰⁰ units still fit into 16 bits.
const LOGARITHMIC: f64 = 23.0;

/// The range of the 5 % and 95 % quantiles of a normal distribution, in standard deviations.
const CENTRAL_RANGE: f64 = 3.3;

/// Center and spread of a series, and the grid that both make.
///
/// Values become grid coordinates, so whatever is computed from them is the same for a series that was
/// scaled or shifted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Scale {
    center: f64,
    /// 0 until the series has had two different values.
    spread: f64,
}

impl Scale {
    /// The median and the central spread of the values; where nine in ten are equal, the whole range.
    pub(super) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
            return Self {
                center: 0.0,
                spread: 0.0,
            };
        };
        let cut = sorted.len() / 20;
        let central = sorted[sorted.len() - 1 - cut] - sorted[cut];
        let range = if central > 0.0 { central } else { last - first };
        Self {
            center: sorted[sorted.len() / 2],
            spread: range / CENTRAL_RANGE,
        }
    }

    #[cfg(feature = "serde")]
    pub(super) fn is_sound(&self) -> bool {
        self.center.is_finite() && self.spread.is_finite() && self.spread >= 0.0
    }

    /// The grid coordinate of a value. Where all values were equal so far, the first other one sets the
    /// unit by its distance; one that differs by rounding only does not.
    pub(super) fn place(&mut self, value: f64) -> f64 {
        let distance = value - self.center;
        if self.spread == 0.0 && distance.abs() > self.center.abs() * 1e-9 {
            self.spread = distance.abs();
        }
        if self.spread == 0.0 {
            return 0.0;
        }
        let units = (distance / self.spread).clamp(-1e300, 1e300);
        compress((units * STEPS + OFFSET).floor())
    }

    /// The value at a coordinate.
    pub(super) fn value(&self, coordinate: f64) -> f64 {
        let value = self.center + expand(coordinate) / STEPS * self.spread;
        value.clamp(-LARGEST_VALUE, LARGEST_VALUE)
    }
}

/// The identity near zero, and strictly rising beyond.
fn compress(steps: f64) -> f64 {
    let size = steps.abs();
    if size <= LINEAR {
        return steps;
    }
    (LINEAR + LOGARITHMIC * (size / LINEAR).ln()).copysign(steps)
}

fn expand(coordinate: f64) -> f64 {
    let size = coordinate.abs();
    if size <= LINEAR {
        return coordinate;
    }
    (LINEAR * ((size - LINEAR) / LOGARITHMIC).exp()).copysign(coordinate)
}

/// A coordinate as it is remembered.
pub(super) fn compact(coordinate: f64) -> i16 {
    // `as` saturates, and coordinates stay within 16 bits anyway.
    coordinate.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_rise_with_the_value_at_any_size() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let mut scale = Scale::of(&values);
        let mut last = scale.place(0.0);
        for exponent in 2..=150 {
            let coordinate = scale.place(10_f64.powi(exponent));
            assert!(
                coordinate > last && coordinate < 32_767.0,
                "{exponent}: {coordinate}"
            );
            last = coordinate;
        }
    }

    #[test]
    fn a_coordinate_gives_the_value_back_to_a_step() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let mut scale = Scale::of(&values);
        for value in [-40.0, 0.0, 3.3, 50.0, 5_000.0] {
            let coordinate = scale.place(value);
            let back = scale.value(coordinate);
            assert!((back - value).abs() <= 1.0, "{value} {back}");
        }
    }

    #[test]
    fn of_equal_values_the_first_other_sets_the_unit() {
        let mut scale = Scale::of(&[7.0; 50]);
        assert_eq!(scale.place(7.0), 0.0);
        assert_eq!(scale.place(7.0 + 1e-12), 0.0);
        assert_eq!(scale.place(9.0), STEPS);
        assert_eq!(scale.place(11.0), 2.0 * STEPS);
    }
}
