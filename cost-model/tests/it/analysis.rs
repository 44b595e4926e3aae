//! Driver analysis: reference values, properties, and how often the statistics are right.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do; clippy only exempts the test functions"
)]

mod attribution;
mod budget;
mod forecast;
mod series;
mod trend;
mod unit_cost;

use bursar_cost_model::{Closing, DailySeries, DateRange, Exact, ExactSum};
use jiff::civil::{Date, date};

/// 2 November 2026, a Monday.
fn monday() -> Date {
    date(2026, 11, 2)
}

fn sum(text: &str) -> ExactSum {
    text.parse().unwrap()
}

fn range(text: &str) -> DateRange {
    text.parse().unwrap()
}

/// `count` days from `start`.
fn window(start: Date, count: usize) -> DateRange {
    let end = start + jiff::Span::new().days(i64::try_from(count).unwrap());
    DateRange::new(start, end).unwrap()
}

/// To the cent.
fn cents(value: f64) -> ExactSum {
    Exact::new((value * 100.0).round() as i128, 2)
        .unwrap()
        .into()
}

/// One complete day for each value, from Monday on.
fn series_of(values: &[f64]) -> DailySeries {
    let window = window(monday(), values.len());
    let amounts = window.days().zip(values.iter().copied().map(cents));
    DailySeries::new(window, Closing::Unknown, amounts).unwrap()
}

fn check_near(actual: f64, expected: f64) {
    let tolerance = 1e-8 * expected.abs().max(1e-6);
    assert!(
        (actual - expected).abs() <= tolerance,
        "{actual} is not {expected}"
    );
}

/// A small seeded generator (SplitMix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Above 0 and below 1.
    fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }

    /// A first-order autoregression of standard deviation 1.
    fn autoregression(&mut self, phi: f64, length: usize) -> Vec<f64> {
        let mut last = self.normal();
        let mut step = || {
            let now = last;
            last = phi * last + (1.0 - phi * phi).sqrt() * self.normal();
            now
        };
        (0..length).map(|_| step()).collect()
    }
}

/// What a weekday costs in relation to Monday.
const WEEK: [f64; 7] = [1.0, 1.02, 1.03, 1.02, 1.0, 0.7, 0.65];

/// 100 a day with a weekly pattern and correlated noise of 10.
fn weekly_autoregression(random: &mut Random, phi: f64, length: usize) -> Vec<f64> {
    let noise = random.autoregression(phi, length);
    let value = |(i, noise): (usize, f64)| 100.0 * WEEK[i % 7] + 10.0 * noise;
    noise.into_iter().enumerate().map(value).collect()
}

#[cfg(feature = "serde")]
#[test]
fn results_survive_json() {
    fn check<T>(value: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    }
    use bursar_cost_model::{Attribution, Budget, Growth, unit_costs};
    let series = series_of(&[10.0; 20]);
    let period = window(monday(), 28);
    let before = [("a".to_owned(), sum("1.5")), ("b".to_owned(), sum("2"))];
    let quantities = [("a".to_owned(), Exact::from(4))];
    check(&series.summary(2).unwrap());
    check(&Growth::of(&series));
    check(
        &Budget::new(sum("250"), period)
            .unwrap()
            .burn(&series, 2)
            .unwrap(),
    );
    check(&Attribution::between(before.clone(), [("a".to_owned(), sum("2"))]).unwrap());
    check(&unit_costs(before, quantities, Exact::from(1000), 3).unwrap());
}
