//! How are lengths distributed of which some are only known to be 'at least so long'?

use bursar_units::TokenCount;

use crate::decaying::DecayingHistogram;

/// A length and its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) value: f64,
    pub(super) mass: f64,
}

/// The estimate of Kaplan and Meier ("Nonparametric estimation from incomplete observations", JASA 53,
/// 1958) over complete and truncated lengths and a parent's distribution, which is worth `parent_worth`
/// complete ones. Beyond the longest that is known, all is taken to be as long as that.
pub(super) fn of(
    complete: &DecayingHistogram,
    truncated: &DecayingHistogram,
    parent: &[Point],
    parent_worth: f64,
) -> Vec<Point> {
    let mut events: Vec<(f64, f64, f64)> = Vec::new();
    events.extend(complete.bins().map(|(value, weight)| (value, weight, 0.0)));
    events.extend(
        parent
            .iter()
            .map(|it| (it.value, it.mass * parent_worth, 0.0)),
    );
    events.extend(truncated.bins().map(|(value, weight)| (value, 0.0, weight)));
    events.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    let mut at_risk: f64 = events.iter().map(|(_, ended, cut)| ended + cut).sum();
    let mut surviving = 1.0;
    let mut points: Vec<Point> = Vec::with_capacity(events.len());
    for (value, ended, cut) in events {
        let mass = if at_risk > ended {
            surviving * ended / at_risk
        } else {
            surviving
        };
        surviving -= mass;
        at_risk -= ended + cut;
        points.push(Point { value, mass });
    }
    if let Some(longest) = points.last_mut() {
        longest.mass += surviving;
    }
    points
}

/// Into how many parts of equal probability a forecast cuts a distribution.
const N_SLICES: usize = 32;

/// The mean of each part, and quantiles: enough to say what a limit does to the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Forecast {
    slices: [f64; N_SLICES],
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
}

impl Forecast {
    /// Of a distribution by rising values.
    pub(super) fn of(points: &[Point]) -> Self {
        let mut slices = [0.0; N_SLICES];
        let mut points_left = points.iter();
        let mut point = Point {
            value: 0.0,
            mass: 0.0,
        };
        for slice in &mut slices {
            let mut room = 1.0 / N_SLICES as f64;
            while room > 1e-12 {
                if point.mass <= 1e-12 {
                    match points_left.next() {
                        Some(next) => point = *next,
                        // Rounding has left a little room at the end.
                        None => point.mass = 1.0,
                    }
                }
                let mass = point.mass.min(room);
                *slice += point.value * mass * N_SLICES as f64;
                point.mass -= mass;
                room -= mass;
            }
        }
        Self {
            slices,
            p50: quantile(points, 0.50),
            p95: quantile(points, 0.95),
            p99: quantile(points, 0.99),
        }
    }

    /// The mean of lengths that are cut at a limit.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a length needs no more than 53 bits"
    )]
    pub(super) fn mean_under(&self, limit: TokenCount) -> f64 {
        let limit = limit.as_u64() as f64;
        let sum: f64 = self.slices.iter().map(|length| length.min(limit)).sum();
        sum / N_SLICES as f64
    }
}

fn quantile(points: &[Point], q: f64) -> f64 {
    let mut below = 0.0;
    let found = points.iter().find(|point| {
        below += point.mass;
        below >= q - 1e-9
    });
    found.or(points.last()).map_or(0.0, |point| point.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[f64]) -> DecayingHistogram {
        let mut histogram = DecayingHistogram::default();
        for value in values {
            histogram.add(*value);
        }
        histogram
    }

    /// Lengths 10, 20+, 30, 40+ (+ is cut off). By hand: 1/4 ended at 10; of the two left after 20+, one
    /// ended at 30, so half of 3/4; the rest, 3/8, is at least 40.
    #[test]
    fn lengths_that_were_cut_off_count_as_longer() {
        let points = of(
            &histogram(&[10.0, 30.0]),
            &histogram(&[20.0, 40.0]),
            &[],
            0.0,
        );
        let masses: Vec<f64> = points.iter().map(|point| point.mass).collect();
        for (mass, expected) in masses.iter().zip([0.25, 0.0, 0.375, 0.375]) {
            assert!((mass - expected).abs() < 1e-12, "{masses:?}");
        }
    }

    #[test]
    fn a_limit_cuts_the_mean() {
        let points: Vec<Point> = [100.0, 200.0, 300.0, 400.0]
            .map(|value| Point { value, mass: 0.25 })
            .into();
        let forecast = Forecast::of(&points);
        assert!((forecast.mean_under(TokenCount::new(1_000)) - 250.0).abs() < 1e-6);
        assert!((forecast.mean_under(TokenCount::new(250)) - 200.0).abs() < 1e-6);
        assert_eq!(forecast.mean_under(TokenCount::ZERO), 0.0);
        assert_eq!((forecast.p50, forecast.p95), (200.0, 400.0));
    }
}
