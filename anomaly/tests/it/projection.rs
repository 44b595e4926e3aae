//! Where a day will end, and whether that is more than it may cost.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

use bursar_anomaly::{
    CapError, DailyCap, DayProjection, OpenDay, Overrun, PastDay, ProjectionError, Severity,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::random::Random;

const CENT: Quantum = Quantum::MINOR_UNIT;
const TODAY: Date = date(2026, 11, 20);

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn cents(amount: f64) -> Money {
    Money::new(
        rust_decimal::Decimal::new((amount * 100.0).round() as i64, 2),
        Currency::USD,
    )
}

#[test]
fn a_day_that_is_over_costs_what_it_cost() {
    let past = [PastDay::new(usd("10")); 5];
    let day = OpenDay::new(usd("31.41"), 1.0).unwrap();
    let projection = day.project(&past, CENT).unwrap();
    let all = [projection.low, projection.total, projection.high];
    assert_eq!(all, [usd("31.41"); 3]);
}

#[test]
fn a_day_that_has_not_begun_costs_what_days_cost() {
    let past = ["8", "9", "10", "11", "12"].map(|total| PastDay::new(usd(total)));
    let day = OpenDay::new(usd("0"), 0.0).unwrap();
    let projection = day.project(&past, CENT).unwrap();
    assert_eq!(
        projection.to_string(),
        "heading for 10.00 USD today (8.00 to 12.00 USD)"
    );
}

#[test]
fn the_course_of_past_days_counts() {
    // A batch at night: nine tenths of a day have come by six in the morning.
    let past = [PastDay::new(usd("100")).by_now(usd("90")); 5];
    let six = OpenDay::new(usd("90"), 0.25).unwrap();
    assert_eq!(six.project(&past, CENT).unwrap().total, usd("100"));
    // Without it, as much again is expected in each of the other quarters.
    let past = [PastDay::new(usd("100")); 5];
    let total = six.project(&past, CENT).unwrap();
    assert_eq!((total.low, total.high), (usd("165"), usd("360")));
}

#[test]
fn refunds_in_the_past_are_no_share_of_a_day() {
    let mut past = vec![PastDay::new(usd("10")).by_now(usd("5")); 5];
    past.push(PastDay::new(usd("-3")).by_now(usd("5")));
    past.push(PastDay::new(usd("0")).by_now(usd("0")));
    let noon = OpenDay::new(usd("5"), 0.5).unwrap();
    let projection = noon.project(&past, CENT).unwrap();
    assert_eq!((projection.total, projection.high), (usd("10"), usd("10")));
    assert!(projection.low < usd("5"));
}

#[test]
fn what_cannot_be_projected_is_an_error() {
    for part in [-0.1, 1.1, f64::NAN] {
        let day = OpenDay::new(usd("1"), part);
        assert!(matches!(day, Err(ProjectionError::NotAPart(_))));
    }
    let day = OpenDay::new(usd("1"), 0.5).unwrap();
    assert_eq!(
        day.project(&[PastDay::new(usd("1")); 4], CENT),
        Err(ProjectionError::TooFewDays { have: 4, need: 5 })
    );
    let euros = PastDay::new("1 EUR".parse().unwrap());
    let mixed = day.project(&[euros; 5], CENT);
    assert!(matches!(mixed, Err(ProjectionError::Amount(_))));
}

#[test]
fn the_cap_is_one_and_a_half_times_the_baseline() {
    let cap = DailyCap::default();
    assert_eq!(cap.of(usd("12.65")).unwrap().to_string(), "18.98 USD");
    for none in ["0", "-1"] {
        assert_eq!(cap.of(usd(none)), Err(CapError::NoBaseline(usd(none))));
    }
    assert_eq!(DailyCap::new(0), Err(CapError::Nothing));
    assert_eq!(DailyCap::new(250).unwrap().of(usd("2")), Ok(usd("5")));
}

#[test]
fn the_cap_is_passed_once_a_day_and_series() {
    let mut cap = DailyCap::default();
    let mut check = |series: &str, date, so_far: &str| {
        let day = OpenDay::new(usd(so_far), 0.5).unwrap();
        let alert = cap.check(series, date, usd("12.65"), &day, None).unwrap();
        alert.map(|alert| alert.to_string())
    };
    let tomorrow = TODAY.tomorrow().unwrap();
    assert_eq!(
        check("a", TODAY, "18.98"),
        None,
        "at the cap is not over it"
    );
    assert_eq!(
        check("a", TODAY, "18.990001").unwrap(),
        "CRITICAL: a has cost 18.99 USD on 2026-11-20, 0.01 USD over the daily cap of 18.98 USD (150 \
         % of the expected 12.65 USD)",
    );
    assert_eq!(check("a", TODAY, "30"), None);
    assert!(check("b", TODAY, "30").is_some());
    assert!(check("a", tomorrow, "30").is_some());
    assert_eq!(
        check("a", TODAY, "40"),
        None,
        "not again for a day that is over"
    );
}

#[test]
fn a_projected_overrun_is_a_warning_that_says_so() {
    let projection = DayProjection {
        total: usd("21.40"),
        low: usd("19.00"),
        high: usd("25.10"),
    };
    let day = OpenDay::new(usd("14.10"), 0.62).unwrap();
    let mut cap = DailyCap::default();
    let checked = cap.check("aws/prod", TODAY, usd("12.65"), &day, Some(projection));
    let alert = checked.unwrap().unwrap();
    assert_eq!(alert.overrun, Overrun::Projected);
    assert_eq!(alert.severity, Severity::Warning);
    assert_eq!(alert.excess, usd("2.42"));
    assert_eq!(
        alert.to_string(),
        "WARNING: aws/prod is projected to cost 21.40 USD on 2026-11-20 (19.00 to 25.10 USD), 2.42 USD \
         over the daily cap of 18.98 USD (150 % of the expected 12.65 USD); 14.10 USD so far",
    );
}

#[test]
#[cfg(feature = "serde")]
fn a_saved_cap_remembers_what_it_has_said() {
    let day = OpenDay::new(usd("30"), 0.5).unwrap();
    let mut cap = DailyCap::default();
    let first = cap.check("a", TODAY, usd("12.65"), &day, None).unwrap();
    assert!(first.is_some());
    let json = serde_json::to_string(&cap).unwrap();
    let mut read: DailyCap = serde_json::from_str(&json).unwrap();
    assert_eq!(read.check("a", TODAY, usd("12.65"), &day, None), Ok(None));
    let damaged = json.replace("\"percent\":150", "\"percent\":0");
    assert!(serde_json::from_str::<DailyCap>(&damaged).is_err());
}

/// Ordinary days: a total that varies by a fifth, spent with more in the day than at night, each hour
/// varying by three tenths. The 80 % interval holds at least 70 % and less than 97 % of them.
#[test]
fn four_in_five_ordinary_days_end_in_the_interval() {
    let mut random = Random(1);
    let mut days = Vec::new();
    for _ in 0..600 {
        let level = 200.0 * (0.2 * random.normal()).exp();
        let mut hours = [0.0; 24];
        for (hour, cost) in hours.iter_mut().enumerate() {
            let usual = if (8..20).contains(&hour) { 2.0 } else { 1.0 };
            *cost = level / 36.0 * usual * (0.3 * random.normal()).exp();
        }
        days.push(hours);
    }
    let sum = |hours: &[f64]| cents(hours.iter().sum());
    for hour in [0, 6, 12, 18] {
        let mut n_inside = 0;
        for window in days.windows(29) {
            let (today, past) = window.split_last().unwrap();
            let past: Vec<_> = past
                .iter()
                .map(|day| PastDay::new(sum(day)).by_now(sum(&day[..hour])))
                .collect();
            let open = OpenDay::new(sum(&today[..hour]), hour as f64 / 24.0).unwrap();
            let projection = open.project(&past, CENT).unwrap();
            n_inside += usize::from(projection.low <= sum(today) && sum(today) <= projection.high);
        }
        let share = n_inside as f64 / (days.len() - 28) as f64;
        println!("at {hour}:00 {share:.3} of the days end in the interval");
        assert!((0.70..0.97).contains(&share), "{share} at {hour}:00");
    }
}

proptest! {
    #[test]
    fn the_interval_holds_the_total(
        so_far in -1e6..1e9f64,
        elapsed in 0.0..=1.0f64,
        past in prop::collection::vec((-1e6..1e9f64, prop::option::of(-1e6..1e9f64)), 5..40),
    ) {
        let past: Vec<_> = past
            .into_iter()
            .map(|(total, by_now)| {
                let day = PastDay::new(cents(total));
                by_now.map_or(day, |cost| day.by_now(cents(cost)))
            })
            .collect();
        let day = OpenDay::new(cents(so_far), elapsed).unwrap();
        match day.project(&past, CENT) {
            Ok(DayProjection { total, low, high }) => prop_assert!(low <= total && total <= high),
            // So far ÷ the share of a cent in a billion.
            Err(error) => prop_assert!(matches!(error, ProjectionError::Amount(_))),
        }
    }

    #[test]
    fn days_without_refunds_do_not_become_cheaper(
        so_far in 0.0..1e6f64,
        elapsed in 0.0..=1.0f64,
        past in prop::collection::vec((0.0..1e6f64, 0.0..=1.0f64), 5..40),
    ) {
        let day = |(total, share): (f64, f64)| {
            PastDay::new(cents(total)).by_now(cents((total * share).floor()))
        };
        let past: Vec<_> = past.into_iter().map(day).collect();
        let open = OpenDay::new(cents(so_far), elapsed).unwrap();
        prop_assert!(open.project(&past, CENT).unwrap().low >= open.so_far());
    }
}
