//! What will the month cost, and how often is the interval right?

use bursar_cost_model::{
    Closing, DailySeries, Exact, ExactSum, Forecast, ForecastError, MIN_FORECAST_DAYS, Outlook,
    Projection,
};
use jiff::civil::date;
use proptest::prelude::*;

use super::trend::{month_with_gaps, slow_days};
use super::{Random, WEEK, cents, monday, range, series_of, sum, window};

fn projection(forecast: &Forecast) -> &Projection {
    match &forecast.outlook {
        Outlook::Ready(projection) => projection,
        other => panic!("{other:?}"),
    }
}

fn check_money(actual: &ExactSum, expected: f64) {
    // Each estimated day and each end of an interval is rounded to 10⁻⁶.
    let difference = (actual.to_f64() - expected).abs();
    assert!(difference <= 1e-5, "{actual} is not {expected}");
}

// The expected values were computed with NumPy and SciPy 1.17.1 with the design, φ, s² and degrees
// of freedom of the trend tests: predictions X₊b; error √(s²·w'Rw) with w = −(Σ rows of X₊)·pinv(X)
// for the past days and 1 for each coming one; reach t.ppf(½ + level ÷ 2, dof).
#[test]
fn agrees_with_the_reference_on_a_weekly_pattern_with_gaps() {
    let forecast = Forecast::of(&month_with_gaps(), window(monday(), 35), 6).unwrap();
    let projection = projection(&forecast);
    assert_eq!(forecast.billed, sum("2810.5"));
    let days: Vec<f64> = projection
        .daily
        .iter()
        .map(|day| day.cost.to_string().parse().unwrap())
        .collect();
    let expected = [
        109.4839599,
        113.34937343,
        121.85614035,
        121.59749373,
        120.51015038,
        85.46015038,
        84.21015038,
    ];
    for (day, expected) in days.iter().zip(expected) {
        assert!((day - expected).abs() < 1e-6, "{day} is not {expected}");
    }
    let rest = 756.467_418_546_327_7;
    check_money(&projection.total, 2810.5 + rest);
    for (interval, reach) in projection
        .intervals
        .iter()
        .zip([14.580_829_902_077_94, 22.948_874_992_095_792])
    {
        check_money(&interval.low, 2810.5 + rest - reach);
        check_money(&interval.high, 2810.5 + rest + reach);
    }
    let basis = projection.basis.as_ref().unwrap();
    assert!(basis.weekday_effects && basis.trend_per_day.is_some());
}

fn check_reference(series: &DailySeries, days: usize, rest: f64, reaches: [f64; 2], phi: f64) {
    let forecast = Forecast::of(series, window(monday(), days), 6).unwrap();
    let projection = projection(&forecast);
    let total = forecast.billed.to_f64() + rest;
    check_money(&projection.total, total);
    for (interval, reach) in projection.intervals.iter().zip(reaches) {
        check_money(&interval.low, (total - reach).max(forecast.billed.to_f64()));
        check_money(&interval.high, total + reach);
    }
    let basis = projection.basis.as_ref().unwrap();
    super::check_near(basis.autocorrelation, phi);
    assert!(basis.set_aside.is_empty());
}

#[test]
fn agrees_with_the_reference_on_few_days_that_depend_on_each_other() {
    let reaches = [11.916_231_755_006_697, 23.235_062_857_905_454];
    check_reference(&slow_days(), 20, 50.8, reaches, 0.95);
}

#[test]
fn agrees_with_the_reference_on_dependent_days_that_grow_in_a_weekly_pattern() {
    let series = series_of(&[
        102.2, 102.5, 106.5, 103.5, 103.2, 75.4, 71.6, 110.8, 111.7, 116.7, 115.2, 115.2, 89.5,
        81.6, 118.9, 116.3, 118.5, 116.3, 120.7, 90.5, 90.5, 128.8, 130.4, 136.0, 132.3, 129.6,
        98.2, 96.9, 129.4, 135.4, 140.0, 138.8,
    ]);
    let reaches = [19.409_566_441_441_85, 32.040_620_712_895_5];
    check_reference(
        &series,
        36,
        494.720_909_090_901_7,
        reaches,
        0.774_136_727_777_946_8,
    );
}

#[test]
fn does_not_repeat_a_fixed_charge_on_the_first() {
    let window = range("2026-11-01..2026-11-21");
    let mut random = Random(7);
    let amounts: Vec<_> = window
        .days()
        .map(|day| {
            let fee = if day.day() == 1 { 2500.0 } else { 0.0 };
            (day, cents(100.0 + 5.0 * random.normal() + fee))
        })
        .collect();
    let series = DailySeries::new(window, Closing::Unknown, amounts).unwrap();
    let forecast = Forecast::of(&series, range("2026-11"), 2).unwrap();
    let projection = projection(&forecast);
    let set_aside = &projection.basis.as_ref().unwrap().set_aside;
    assert_eq!(
        set_aside.iter().map(|day| day.date).collect::<Vec<_>>(),
        [date(2026, 11, 1)]
    );
    let rest = projection.rest.to_string().parse::<f64>().unwrap();
    assert!((950.0..1050.0).contains(&rest), "{rest}");
    assert!(forecast.billed > sum("4400"));
}

#[test]
fn expects_a_fixed_charge_on_the_next_first() {
    // 10 a day, 300 on each first; December is wholly to come.
    let window = range("2026-10-01..2026-12-01");
    let cost = |day: jiff::civil::Date| sum(if day.day() == 1 { "300" } else { "10" });
    let amounts = window.days().map(|day| (day, cost(day)));
    let series = DailySeries::new(window, Closing::Unknown, amounts).unwrap();
    let forecast = Forecast::of(&series, range("2026-11-01..2027-01-01"), 2).unwrap();
    assert_eq!(forecast.billed, sum("590"));
    let projection = projection(&forecast);
    assert_eq!(projection.daily[0].cost.to_string(), "300.00");
    assert_eq!(projection.rest.to_string(), "600.00");
    assert_eq!(
        projection.basis.as_ref().unwrap().first_of_month,
        Some(300.0)
    );
}

#[test]
fn takes_frequent_spikes_for_ordinary() {
    let values: Vec<f64> = (0..40)
        .map(|i| if i % 5 == 0 { 100.0 } else { 0.0 })
        .collect();
    let forecast = Forecast::of(&series_of(&values), window(monday(), 50), 2).unwrap();
    let projection = projection(&forecast);
    assert!(projection.basis.as_ref().unwrap().set_aside.is_empty());
    let rest = projection.rest.to_string().parse::<f64>().unwrap();
    assert!((150.0..250.0).contains(&rest), "{rest}");
}

#[test]
fn is_not_ready_with_few_days_but_knows_what_is_billed() {
    let forecast = Forecast::of(&series_of(&[10.0; 6]), window(monday(), 28), 2).unwrap();
    assert_eq!(forecast.billed, sum("60"));
    assert_eq!(
        forecast.outlook,
        Outlook::NotReady {
            have: 6,
            need: MIN_FORECAST_DAYS
        }
    );
}

#[test]
fn is_certain_of_a_finished_period() {
    let forecast = Forecast::of(&series_of(&[10.0; 28]), window(monday(), 28), 2).unwrap();
    let projection = projection(&forecast);
    assert_eq!(projection.total, sum("280"));
    assert!(
        projection
            .intervals
            .iter()
            .all(|i| i.low == sum("280") && i.high == sum("280"))
    );
}

#[test]
fn adds_to_an_open_day_what_it_still_lacks() {
    let window = window(monday(), 15);
    let amounts = window.days().zip(
        [[10.0; 14].as_slice(), &[4.0]]
            .concat()
            .into_iter()
            .map(cents),
    );
    let closing = Closing::ClosedThrough(date(2026, 11, 15));
    let series = DailySeries::new(window, closing, amounts).unwrap();
    let forecast = Forecast::of(&series, window, 2).unwrap();
    assert_eq!(forecast.billed, sum("144"));
    assert_eq!(projection(&forecast).rest.to_string(), "6.00");
    assert_eq!(projection(&forecast).total, sum("150"));
}

#[test]
fn expects_no_more_of_an_open_day_that_is_dear_already() {
    let window = window(monday(), 15);
    let amounts = window
        .days()
        .zip([[10.0; 14].as_slice(), &[500.0]].concat());
    let amounts = amounts.map(|(day, cost)| (day, cents(cost)));
    let closing = Closing::ClosedThrough(date(2026, 11, 15));
    let series = DailySeries::new(window, closing, amounts).unwrap();
    let forecast = Forecast::of(&series, window, 2).unwrap();
    assert_eq!(projection(&forecast).rest.to_string(), "0.00");
    assert_eq!(projection(&forecast).total, sum("640"));
}

#[test]
fn looks_back_eight_weeks() {
    let values = [[50.0; 44].as_slice(), &[10.0; 56]].concat();
    let forecast = Forecast::of(&series_of(&values), window(monday(), 105), 2).unwrap();
    assert_eq!(projection(&forecast).rest.to_string(), "50.00");
    assert_eq!(projection(&forecast).basis.as_ref().unwrap().days, 56);
}

#[test]
fn sets_aside_what_is_far_beyond_the_noise_only() {
    let mut random = Random(9);
    for (noise, dear_day, expected) in [(5.0, 300.0, 1), (5.0, 190.0, 0), (40.0, 240.0, 0)] {
        let mut values: Vec<f64> = (0..42)
            .map(|_| 100.0 + noise * (random.uniform() - 0.5) * 3.0)
            .collect();
        values[17] = dear_day;
        let forecast = Forecast::of(&series_of(&values), window(monday(), 50), 2).unwrap();
        let set_aside = &projection(&forecast).basis.as_ref().unwrap().set_aside;
        assert_eq!(
            set_aside.len(),
            expected,
            "{dear_day} with noise of {noise}"
        );
    }
}

#[test]
fn is_never_below_what_is_billed() {
    let values: Vec<f64> = (0..40)
        .map(|i| if i % 5 == 0 { 100.0 } else { 0.0 })
        .collect();
    let forecast = Forecast::of(&series_of(&values), window(monday(), 41), 2).unwrap();
    assert!(
        projection(&forecast)
            .intervals
            .iter()
            .all(|interval| interval.low == forecast.billed)
    );
}

#[test]
fn estimates_days_that_are_missing_in_the_middle() {
    let window = window(monday(), 14);
    let amounts = window
        .days()
        .filter(|day| day.day() != 8)
        .map(|day| (day, sum("10")));
    let series = DailySeries::new(window, Closing::Unknown, amounts).unwrap();
    let forecast = Forecast::of(&series, window, 2).unwrap();
    assert_eq!(projection(&forecast).daily[0].date, date(2026, 11, 8));
    assert_eq!(projection(&forecast).total, sum("140"));
}

#[test]
fn refuses_a_series_that_does_not_meet_the_period() {
    let series = series_of(&[10.0; 28]);
    let late = Forecast::of(&series, range("2026-11"), 2);
    assert!(matches!(late, Err(ForecastError::LateStart { .. })));
    for text in ["2026-10", "2027-01"] {
        let apart = Forecast::of(&series, range(text), 2);
        assert!(
            matches!(apart, Err(ForecastError::NoOverlap { .. })),
            "{text}"
        );
    }
}

/// How often the intervals hold what the period costs in the end.
fn coverage(
    seed: u64,
    history: usize,
    coming: usize,
    make: impl Fn(&mut Random, usize) -> Vec<f64>,
) -> [f64; 2] {
    let mut random = Random(seed);
    let mut held = [0.0; 2];
    let count = 1000;
    for _ in 0..count {
        let values = make(&mut random, history + coming);
        let forecast = Forecast::of(
            &series_of(&values[..history]),
            window(monday(), history + coming),
            2,
        );
        let forecast = forecast.unwrap();
        let actual = series_of(&values).total().unwrap();
        for (held, interval) in held.iter_mut().zip(&projection(&forecast).intervals) {
            if interval.low <= actual && actual <= interval.high {
                *held += 1.0 / f64::from(count);
            }
        }
    }
    held
}

fn check_coverage(name: &str, [eighty, ninety_five]: [f64; 2]) {
    assert!(
        (0.75..=0.90).contains(&eighty),
        "{name}: {eighty} in place of 0.80"
    );
    assert!(
        (0.92..=0.99).contains(&ninety_five),
        "{name}: {ninety_five} in place of 0.95"
    );
}

#[test]
fn covers_what_it_says_on_independent_days() {
    let lognormal = |random: &mut Random, n: usize| -> Vec<f64> {
        (0..n)
            .map(|_| 100.0 * (0.3 * random.normal()).exp())
            .collect()
    };
    check_coverage("10 of 30 days", coverage(51, 10, 20, lognormal));
    check_coverage("40 days, 20 to come", coverage(52, 40, 20, lognormal));
}

#[test]
fn covers_what_it_says_on_correlated_days_with_a_weekly_pattern() {
    for (seed, phi) in [(61, 0.3), (62, 0.6)] {
        let weekly = |random: &mut Random, n: usize| super::weekly_autoregression(random, phi, n);
        check_coverage("50 days, 15 to come", coverage(seed, 50, 15, weekly));
    }
}

#[test]
fn covers_what_it_says_when_the_cost_grows() {
    let growing = |random: &mut Random, n: usize| -> Vec<f64> {
        let level = |i: usize| (100.0 + 1.5 * i as f64) * WEEK[i % 7];
        (0..n).map(|i| level(i) + 8.0 * random.normal()).collect()
    };
    check_coverage("42 days, 14 to come", coverage(71, 42, 14, growing));
}

proptest! {
    #[test]
    fn adds_up_and_does_not_depend_on_order(
        values in proptest::collection::vec(-1000i64..100_000, 7..60), coming in 1usize..40, seed: u64,
    ) {
        let known = window(monday(), values.len());
        let mut amounts: Vec<_> = known.days().zip(&values).map(|(day, v)| (day, ExactSum::from(Exact::new((*v).into(), 2).unwrap()))).collect();
        let series = DailySeries::new(known, Closing::Unknown, amounts.clone()).unwrap();
        let period = window(monday(), values.len() + coming);
        let forecast = Forecast::of(&series, period, 2).unwrap();
        if let Outlook::Ready(projection) = &forecast.outlook {
            let rest = Exact::try_from(projection.rest).unwrap();
            let daily = ExactSum::of(projection.daily.iter().map(|day| Exact::try_from(day.cost).unwrap())).unwrap();
            prop_assert_eq!(&daily, &ExactSum::from(rest));
            let mut total = forecast.billed.clone();
            total.add(rest).unwrap();
            prop_assert_eq!(&total, &projection.total);
            prop_assert_eq!(projection.daily.len(), coming);
            for pair in projection.intervals.windows(2) {
                prop_assert!(pair[1].low <= pair[0].low && pair[0].high <= pair[1].high);
            }
        }
        Random(seed).shuffle(&mut amounts);
        let again = DailySeries::new(known, Closing::Unknown, amounts).unwrap();
        prop_assert_eq!(Forecast::of(&again, period, 2).unwrap(), forecast);
    }

    #[test]
    fn gives_ordered_intervals_or_an_error_on_any_amounts(
        cells in proptest::collection::vec((any::<i64>(), 0u32..37), 1..60), places in 0u32..40,
    ) {
        let known = window(monday(), cells.len());
        let amount = |(mantissa, scale): (i64, u32)| ExactSum::from(Exact::new(mantissa.into(), scale).unwrap());
        let amounts = known.days().zip(cells.into_iter().map(amount));
        let series = DailySeries::new(known, Closing::Unknown, amounts).unwrap();
        match Forecast::of(&series, window(monday(), 70), places) {
            Ok(Forecast { outlook: Outlook::Ready(projection), .. }) => {
                for interval in &projection.intervals {
                    prop_assert!(interval.low <= projection.total && projection.total <= interval.high);
                }
            }
            Ok(forecast) => prop_assert!(series.days().len() < 9, "{forecast:?}"),
            Err(error) => prop_assert!(matches!(error, ForecastError::Amount(_))),
        }
    }
}
