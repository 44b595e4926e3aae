//! What do the days of a window come to, and which are missing?

use bursar_cost_model::{Closing, DailySeries, DateRange, ExactSum, Growth, SeriesError};
use jiff::civil::date;
use proptest::prelude::*;

use super::{Random, cents, monday, range, series_of, sum, window};

#[test]
fn counts_a_day_without_rows_as_zero_only_when_it_is_closed() {
    let amounts = [
        (date(2026, 11, 1), sum("10")),
        (date(2026, 11, 4), sum("2")),
    ];
    let window = range("2026-11-01..2026-11-07");

    let closed = Closing::ClosedThrough(date(2026, 11, 3));
    let series = DailySeries::new(window, closed, amounts.clone()).unwrap();
    let complete: Vec<String> = series.days().map(|(_, cost)| cost.to_string()).collect();
    assert_eq!(complete, ["10", "0", "0"]);
    assert_eq!(
        series.open().map(|(day, _)| day).collect::<Vec<_>>(),
        [date(2026, 11, 4)]
    );
    assert_eq!(series.missing(), [date(2026, 11, 5), date(2026, 11, 6)]);
    assert_eq!(series.total().unwrap(), sum("12"));

    let series = DailySeries::new(window, Closing::Unknown, amounts).unwrap();
    assert_eq!(series.days().len(), 2);
    assert_eq!(series.missing().len(), 4);
}

#[test]
fn summarizes_hand_computed_days() {
    // Mean 30 ÷ 4 = 7.5; squares 30.25 + 2.25 + 0.25 + 42.25 = 75; ÷ 3 = 25, so 5.
    let summary = series_of(&[2.0, 6.0, 8.0, 14.0]).summary(2).unwrap();
    assert_eq!(summary.total, sum("30"));
    assert_eq!(summary.daily_average.unwrap().to_string(), "7.50");
    assert_eq!(summary.mean, Some(7.5));
    assert_eq!(summary.median.unwrap().to_string(), "7.00");
    assert_eq!(summary.volatility, Some(5.0));
    assert_eq!(summary.relative_volatility, Some(5.0 / 7.5));
    let peak = summary.peak.unwrap();
    assert_eq!((peak.date, peak.cost), (date(2026, 11, 5), sum("14")));
}

#[test]
fn says_nothing_of_an_empty_series() {
    let empty = DailySeries::new(range("2026-11"), Closing::Unknown, []).unwrap();
    let summary = empty.summary(2).unwrap();
    assert_eq!(
        (summary.mean, summary.daily_average, summary.median),
        (None, None, None)
    );
    assert_eq!((summary.peak, summary.volatility), (None, None));
    assert_eq!(summary.missing_days.len(), 30);
}

#[test]
fn leaves_an_open_day_out_of_the_average_but_not_out_of_the_total() {
    let amounts = [(monday(), sum("10")), (date(2026, 11, 3), sum("1"))];
    let series = DailySeries::new(
        window(monday(), 2),
        Closing::ClosedThrough(monday()),
        amounts,
    )
    .unwrap();
    let summary = series.summary(0).unwrap();
    assert_eq!(summary.total, sum("11"));
    assert_eq!(summary.complete_total, sum("10"));
    assert_eq!(summary.daily_average.unwrap().to_string(), "10");
    assert_eq!(summary.open_days, [date(2026, 11, 3)]);
}

#[test]
fn takes_the_earliest_of_equal_peaks() {
    let summary = series_of(&[1.0, 5.0, 5.0, 2.0]).summary(2).unwrap();
    assert_eq!(summary.peak.unwrap().date, date(2026, 11, 3));
}

#[test]
fn refuses_what_does_not_belong() {
    let outside = DailySeries::new(
        range("2026-11"),
        Closing::Unknown,
        [(date(2026, 12, 1), sum("1"))],
    );
    assert!(matches!(outside, Err(SeriesError::OutsideWindow { .. })));
    let long = DailySeries::new(range("2020-01-01..2026-01-01"), Closing::Unknown, []);
    assert!(matches!(long, Err(SeriesError::WindowTooLong(_))));
    for text in [
        "",
        "2026",
        "2026-13",
        "2026-11-01",
        "2026-11-01..",
        "1..2",
        "2026-11-01T00..x",
        "é",
    ] {
        assert!(
            matches!(text.parse::<DateRange>(), Err(SeriesError::NotARange(_))),
            "{text}"
        );
    }
    for text in ["2026-11-02..2026-11-02", "2026-11-02..2026-11-01"] {
        assert!(
            matches!(
                text.parse::<DateRange>(),
                Err(SeriesError::EmptyRange { .. })
            ),
            "{text}"
        );
    }
}

#[test]
fn refuses_a_month_whose_end_has_no_date() {
    let last = "9999-12".parse::<DateRange>();
    assert!(matches!(last, Err(SeriesError::PastCalendar(_))));
    assert_eq!(range("9999-11").day_count(), 30);
}

#[test]
fn cuts_a_range_at_months() {
    let months: Vec<String> = range("2026-01-30..2026-03-02")
        .months()
        .map(|month| month.to_string())
        .collect();
    assert_eq!(
        months,
        [
            "2026-01-30..2026-02-01",
            "2026-02-01..2026-03-01",
            "2026-03-01..2026-03-02"
        ]
    );
    assert_eq!(range("9998-12-30..9999-12-31").months().count(), 13);
    assert_eq!(range("2028-02").day_count(), 29);
}

#[cfg(feature = "serde")]
#[test]
fn writes_amounts_and_ranges_as_strings() {
    let json = serde_json::to_value(series_of(&[1.5, 2.5]).summary(2).unwrap()).unwrap();
    assert_eq!(json["total"], "4");
    assert_eq!(json["daily_average"], "2.00");
    let json = serde_json::to_string(&range("2026-11")).unwrap();
    assert_eq!(json, "\"2026-11-01..2026-12-01\"");
    assert_eq!(
        serde_json::from_str::<DateRange>(&json).unwrap(),
        range("2026-11")
    );
}

proptest! {
    #[test]
    fn gives_the_same_series_in_every_order(
        amounts in proptest::collection::vec((0i64..40, -1_000_000i64..10_000_000), 1..200),
        seed: u64,
    ) {
        let window = window(monday(), 40);
        let day = |n: i64| monday() + jiff::Span::new().days(n);
        let mut pairs: Vec<(_, ExactSum)> =
            amounts.iter().map(|(n, cost)| (day(*n), cents(*cost as f64 / 100.0))).collect();
        let closing = Closing::ClosedThrough(day(35));
        let first = DailySeries::new(window, closing, pairs.clone()).unwrap();
        Random(seed).shuffle(&mut pairs);
        let second = DailySeries::new(window, closing, pairs).unwrap();
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(first.summary(4).unwrap(), second.summary(4).unwrap());
        prop_assert_eq!(Growth::of(&first), Growth::of(&second));
        let cents: i64 = amounts.iter().map(|(_, cost)| cost).sum();
        prop_assert_eq!(first.total().unwrap(), ExactSum::from(bursar_cost_model::Exact::new(cents.into(), 2).unwrap()));
    }

    #[test]
    fn months_make_up_the_range(start in 0i64..3000, length in 1usize..900) {
        let range = window(monday() + jiff::Span::new().days(start), length);
        let days: Vec<_> = range.months().flat_map(DateRange::days).collect();
        prop_assert_eq!(days, range.days().collect::<Vec<_>>());
        prop_assert_eq!(range.day_count() as usize, length);
        prop_assert_eq!(range.to_string().parse::<DateRange>().unwrap(), range);
    }
}
