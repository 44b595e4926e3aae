//! Alerts counted by event, against verdicts worked out by hand from the rules.

use bursar_anomaly::evaluation::events::{DatedAlert, EventReport, EventScore, Label, Truth};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

/// Day `n` of the series of the tables below, counted from 1.
fn day(n: i64) -> Date {
    date(2026, 1, 1).saturating_add((n - 1).days())
}

/// A level shift on days 40 to 60 that has to be found by day 47, and a credit on day 90.
fn truth() -> Truth {
    let label = Label::new("level-shift", day(40), day(60))
        .deadline(day(47))
        .service("storage");
    Truth::new(day(1), day(365))
        .anomaly(label)
        .harmless(day(90), day(90))
}

fn report(alerts: &[i64]) -> EventReport {
    let alerts: Vec<_> = alerts.iter().map(|&n| DatedAlert::new(day(n))).collect();
    let mut score = EventScore::default();
    score.add(&truth(), &alerts);
    score.report()
}

#[test]
fn alerts_are_found_excused_or_false_by_their_day() {
    // Days of alerts, then: found, false incidents, delay.
    let cases: [(&[i64], usize, usize, Option<f64>); 14] = [
        (&[], 0, 0, None),
        (&[39], 0, 1, None),
        (&[40], 1, 0, Some(0.0)),
        (&[47, 44], 1, 0, Some(4.0)),
        // Too late to help, but about the event.
        (&[48], 0, 0, None),
        (&[63], 0, 0, None),
        (&[64], 0, 1, None),
        // The credit and the three days after it.
        (&[90, 93], 0, 0, None),
        (&[89], 0, 1, None),
        (&[94], 0, 1, None),
        // Within three days of each other: one incident.
        (&[200, 203, 206], 0, 1, None),
        (&[200, 204], 0, 2, None),
        // An incident has seven days: 200 to 206.
        (&[200, 203, 206, 207], 0, 2, None),
        (&[200, 200, 200], 0, 1, None),
    ];
    for (alerts, found, false_incidents, delay) in cases {
        let report = report(alerts);
        let seen = (report.found, report.false_incidents, report.median_delay);
        assert_eq!(
            seen,
            (found, false_incidents, delay),
            "alerts on {alerts:?}"
        );
    }
}

#[test]
fn an_alert_every_day_is_wrong_once_a_week() {
    let truth = Truth::new(day(1), day(364));
    let mut score = EventScore::default();
    score.add(&truth, &truth.always());
    assert_eq!(score.report().false_incidents, 52);
    assert_eq!(score.report().precision, Some(0.0));
    assert_eq!(score.report().recall, None);
}

#[test]
fn the_first_alert_decides_whom_it_blames() {
    let attribution = |alerts: &[DatedAlert]| {
        let mut score = EventScore::default();
        score.add(&truth(), alerts);
        score.report().attribution
    };
    let on = |n, service: &str| DatedAlert::new(day(n)).service(service);
    assert_eq!(attribution(&[on(41, "storage")]), Some(1.0));
    assert_eq!(
        attribution(&[on(41, "database"), on(41, "storage")]),
        Some(1.0)
    );
    assert_eq!(
        attribution(&[on(41, "database"), on(42, "storage")]),
        Some(0.0)
    );
    assert_eq!(attribution(&[DatedAlert::new(day(41))]), Some(0.0));
    assert_eq!(attribution(&[on(64, "storage")]), None);
}

/// 2 of 3 found, 1 false incident in 2 years: P 2/3, R 2/3, F1 4/6, delays 2 and 5.
#[test]
fn figures_of_a_small_example_match_the_ones_computed_by_hand() {
    let mut score = EventScore::default();
    let spike = Label::new("spike", day(100), day(102));
    let truths = [
        (truth().anomaly(spike), vec![42, 101, 300]),
        (truth(), vec![]),
    ];
    for (truth, days) in truths {
        let alerts: Vec<_> = days.into_iter().map(|n| DatedAlert::new(day(n))).collect();
        score.add(&truth, &alerts);
    }
    let report = score.report();
    assert_eq!(report.precision, Some(2.0 / 3.0));
    assert_eq!(report.recall, Some(2.0 / 3.0));
    assert_eq!(report.f1, Some(4.0 / 6.0));
    assert_eq!(report.series, 2);
    assert!((report.series_years - 730.0 / 365.2425).abs() < 1e-12);
    assert_eq!(report.median_delay, Some(1.5));
    let kinds: Vec<_> = report
        .kinds
        .iter()
        .map(|kind| (kind.kind.as_str(), kind.found, kind.anomalies))
        .collect();
    assert_eq!(kinds, [("level-shift", 1, 2), ("spike", 1, 1)]);
}

proptest! {
    /// More alerts never find less, and the order of alerts does not matter.
    #[test]
    fn more_alerts_find_no_less(mut days in prop::collection::vec(1_i64..365, 0..40), extra in 1_i64..365) {
        let before = report(&days);
        days.reverse();
        prop_assert_eq!(&before, &report(&days));
        days.push(extra);
        let after = report(&days);
        prop_assert!(after.found >= before.found);
        prop_assert!(after.false_incidents <= before.false_incidents + 1);
    }
}
