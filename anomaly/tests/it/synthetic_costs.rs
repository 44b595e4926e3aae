//! The generator of daily costs, against what its documentation states.

use bursar_anomaly::evaluation::events::EventScore;
use bursar_anomaly::synthetic::costs::{AnomalyKind, Calendar, CostPortfolio, CostSeries};
use jiff::civil::Weekday;

fn portfolio(calendar: Calendar) -> impl Iterator<Item = CostSeries> {
    let portfolio = CostPortfolio::new(12).calendar(calendar);
    (0..120).map(move |number| portfolio.series(number))
}

#[test]
fn a_series_depends_on_seed_and_number_only() {
    let portfolio = CostPortfolio::new(3);
    let later = portfolio.series(7);
    assert_eq!(later, portfolio.series(7));
    assert_ne!(later.days, portfolio.series(8).days);
    assert_ne!(later.days, CostPortfolio::new(4).series(7).days);
}

#[test]
fn shapes_are_those_of_the_documentation() {
    for series in portfolio(Calendar::Mixed) {
        let (first, last) = (series.days[0].date, series.days[series.days.len() - 1].date);
        let n_days = (last - first).get_days() + 1;
        assert!((28..=400).contains(&n_days), "{n_days}");
        assert!((3..=9).contains(&series.services.len()));
        for days in series.days.windows(2) {
            assert!(days[0].date < days[1].date);
        }
        for day in &series.days {
            let sum: f64 = day.services.iter().sum();
            assert!((sum - day.total).abs() < 1e-3, "{day:?}");
        }
    }
}

#[test]
fn anomalies_leave_two_weeks_of_normal_and_do_not_overlap() {
    for series in portfolio(Calendar::Mixed) {
        let first = series.days[0].date;
        let mut last_end = None;
        for anomaly in &series.anomalies {
            // The first days of a series can be undelivered.
            assert!((anomaly.start - first).get_days() >= 11, "{anomaly:?}");
            assert!(anomaly.start <= anomaly.end && anomaly.start <= anomaly.deadline);
            assert!(last_end.is_none_or(|end| end < anomaly.start));
            last_end = Some(anomaly.end);
        }
    }
}

#[test]
fn a_dropped_service_costs_nothing_and_a_weekend_begins_on_saturday() {
    let mut n_drops = 0;
    for series in portfolio(Calendar::Mixed) {
        for anomaly in &series.anomalies {
            if anomaly.kind == AnomalyKind::Weekend {
                assert_eq!(anomaly.start.weekday(), Weekday::Saturday);
                assert_eq!(anomaly.service.as_deref(), Some("compute-dev"));
            }
            if anomaly.kind != AnomalyKind::Drop {
                continue;
            }
            n_drops += 1;
            let service = anomaly.service.as_ref().map(|name| {
                series
                    .services
                    .iter()
                    .position(|known| known == name)
                    .unwrap()
            });
            let is_in = |date| (anomaly.start..=anomaly.end).contains(&date);
            for day in series.days.iter().filter(|day| is_in(day.date)) {
                let cost = service.map_or(day.total, |service| day.services[service]);
                assert_eq!(cost, 0.0, "{anomaly:?}");
            }
        }
    }
    assert!(n_drops > 10, "{n_drops}");
}

/// With the fixed calendar lumps fall on the 1st: support costs 48 times as much as on other days.
#[test]
fn lumps_fall_on_the_first_with_the_fixed_calendar_and_elsewhere_too_with_the_mixed() {
    let lump_days = |calendar| {
        let mut days = std::collections::BTreeSet::new();
        for series in portfolio(calendar).filter(|series| series.anomalies.is_empty()) {
            let Some(support) = series.services.iter().position(|name| name == "support") else {
                continue;
            };
            let costs: Vec<f64> = series
                .days
                .iter()
                .map(|day| day.services[support])
                .collect();
            let mut sorted = costs.clone();
            sorted.sort_by(f64::total_cmp);
            let middle = sorted[sorted.len() / 2];
            let is_calm = series.benign.is_empty();
            for day in series.days.iter().filter(|_| is_calm) {
                if day.services[support] > 20.0 * middle {
                    days.insert(day.date.day());
                }
            }
        }
        days
    };
    assert_eq!(
        lump_days(Calendar::Fixed).into_iter().collect::<Vec<_>>(),
        [1]
    );
    let mixed = lump_days(Calendar::Mixed);
    assert!(mixed.len() > 3 && mixed.contains(&1), "{mixed:?}");
}

#[test]
fn without_anomalies_only_harmless_events_are_left() {
    let portfolio = CostPortfolio::new(5).without_anomalies();
    let series: Vec<CostSeries> = (0..40).map(|number| portfolio.series(number)).collect();
    assert!(series.iter().all(|series| series.anomalies.is_empty()));
    assert!(series.iter().any(|series| !series.benign.is_empty()));
}

/// A detector that alerts every day finds everything and is wrong nearly every week.
#[test]
fn the_control_that_reads_no_data_is_worth_nothing() {
    let mut score = EventScore::default();
    for series in portfolio(Calendar::Mixed) {
        let truth = series.truth().unwrap();
        score.add(&truth, &truth.always());
    }
    let report = score.report();
    assert_eq!(report.recall, Some(1.0));
    assert!(report.f1.unwrap() < 0.15, "{report:?}");
}
