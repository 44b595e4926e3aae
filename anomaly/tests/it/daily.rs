//! Daily costs: what is noticed, what is left alone, and what is promised of every day.

use bursar_anomaly::daily::{
    AlarmBudget, DailyCosts, DailyDetector, DailyError, DailyFeedback, DailyMonitor, DayAssessment,
    Finding, FindingKind, PlannedDays, Scope, Stage,
};
use bursar_anomaly::evaluation::events::{DatedAlert, EventScore};
use bursar_anomaly::synthetic::costs::{CostPortfolio, CostSeries};
use bursar_anomaly::{Assessment, Detector, Direction, Observation};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;

/// A Monday.
const START: Date = date(2026, 3, 2);

fn day(n: usize) -> Date {
    START.saturating_add((n as i64).days())
}

/// A workday costs 30 in compute, a weekend day 20; storage costs 10. Both wobble by 2 %.
fn ordinary(n: usize) -> DailyCosts {
    with(n, 1.0, 1.0)
}

fn with(n: usize, compute: f64, storage: f64) -> DailyCosts {
    let wobble = |step: usize| 1.0 + ((n * step) % 11) as f64 / 500.0;
    let is_weekend = matches!(day(n).weekday(), Weekday::Saturday | Weekday::Sunday);
    let compute = compute * wobble(7) * if is_weekend { 20.0 } else { 30.0 };
    let storage = storage * wobble(5) * 10.0;
    DailyCosts::new(day(n), compute + storage)
        .service("compute", compute)
        .service("storage", storage)
}

fn observed(monitor: &mut DailyMonitor, costs: &DailyCosts) -> DayAssessment {
    let assessment = monitor.observe(costs);
    assessment.expect("the days of a test are in order and finite")
}

/// A monitor that has seen this many ordinary days without a finding.
fn accustomed(n_days: usize) -> DailyMonitor {
    let mut monitor = DailyMonitor::new();
    for n in 0..n_days {
        let findings = observed(&mut monitor, &ordinary(n)).findings;
        assert_eq!(findings, [], "day {n}");
    }
    monitor
}

/// The news of some days from `from` on, with the number of the day.
fn news(
    monitor: &mut DailyMonitor,
    from: usize,
    days: impl IntoIterator<Item = DailyCosts>,
) -> Vec<(usize, Finding)> {
    let mut news = Vec::new();
    for (n, costs) in days.into_iter().enumerate() {
        let findings = observed(monitor, &costs).findings;
        let findings = findings.into_iter().filter(Finding::is_news);
        news.extend(findings.map(|finding| (from + n, finding)));
    }
    news
}

#[test]
fn there_is_no_opinion_before_two_weeks() {
    let mut monitor = DailyMonitor::new();
    for n in 0..14 {
        let assessment = monitor.observe(&ordinary(n)).unwrap();
        assert_eq!(
            assessment.total,
            Assessment::NotReady {
                have: n.min(13),
                need: 14
            }
        );
    }
    let assessment = monitor.observe(&ordinary(14)).unwrap();
    assert!(assessment.total.verdict().is_some());
}

#[test]
fn a_constant_series_never_alerts() {
    let mut detector = DailyDetector::new();
    for n in 0..400 {
        let observation = Observation::of_day(day(n), 12.65).unwrap();
        assert!(
            !detector.observe(observation).unwrap().is_alarm(),
            "day {n}"
        );
    }
}

#[test]
fn one_event_is_raised_once_and_then_continues() {
    let mut monitor = accustomed(72);
    let findings = |assessment: DayAssessment| assessment.findings;
    let first = findings(monitor.observe(&with(72, 1.45, 1.0)).unwrap());
    let second = findings(monitor.observe(&with(73, 1.45, 1.0)).unwrap());
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].stage, Stage::Raised);
    assert_eq!(first[0].scope, Scope::Service("compute".to_owned()));
    assert_eq!(first[0].culprit.as_deref(), Some("compute"));
    assert_eq!(first[0].direction, Direction::Rise);
    assert_eq!(second[0].stage, Stage::Continuing);
    assert_eq!(second[0].since, day(72));
    // More than twice the expected cost is news again, once.
    let third = findings(monitor.observe(&with(74, 2.5, 1.0)).unwrap());
    let fourth = findings(monitor.observe(&with(75, 2.6, 1.0)).unwrap());
    assert_eq!(
        (third[0].stage, fourth[0].stage),
        (Stage::Grown, Stage::Continuing)
    );
}

#[test]
fn kinds_are_told_apart_by_their_course() {
    let cases: [(&str, Vec<DailyCosts>, FindingKind, Direction); 4] = [
        (
            "three days of double cost",
            (72..75).map(|n| with(n, 2.0, 1.0)).collect(),
            FindingKind::Spike,
            Direction::Rise,
        ),
        (
            "nothing for two days",
            (72..74).map(|n| with(n, 1.0, 0.0)).collect(),
            FindingKind::Drop,
            Direction::Fall,
        ),
        (
            "10 % more from now on",
            (72..80).map(|n| with(n, 1.0, 1.1)).collect(),
            FindingKind::LevelShift,
            Direction::Rise,
        ),
        (
            "0.8 % more each day",
            (72..100)
                .map(|n| with(n, 1.0, 1.0 + 0.008 * (n - 71) as f64))
                .collect(),
            FindingKind::SlowLeak,
            Direction::Rise,
        ),
    ];
    for (name, days, kind, direction) in cases {
        let news = news(&mut accustomed(72), 72, days);
        let first = &news
            .first()
            .unwrap_or_else(|| panic!("{name}: nothing was found"))
            .1;
        assert_eq!((first.kind, first.direction), (kind, direction), "{name}");
    }
}

#[test]
fn a_weekend_that_was_left_on_is_called_so() {
    let mut monitor = DailyMonitor::new();
    let costs = |n: usize, is_on: bool| {
        let is_off = matches!(day(n).weekday(), Weekday::Saturday | Weekday::Sunday) && !is_on;
        let cost = if is_off { 3.0 } else { 12.0 } + (n % 5) as f64 / 10.0;
        DailyCosts::new(day(n), 100.0 + cost).service("dev", cost)
    };
    for n in 0..75 {
        assert_eq!(monitor.observe(&costs(n, false)).unwrap().findings, []);
    }
    let saturday = (75..)
        .find(|&n| day(n).weekday() == Weekday::Saturday)
        .unwrap();
    for n in 75..saturday {
        assert_eq!(monitor.observe(&costs(n, false)).unwrap().findings, []);
    }
    let finding = &monitor.observe(&costs(saturday, true)).unwrap().findings[0];
    assert_eq!(finding.kind, FindingKind::Weekend);
    assert_eq!(finding.culprit.as_deref(), Some("dev"));
}

/// Whatever falls on the first for the first time may come each month; the second time it is known.
#[test]
fn charges_that_come_each_month_are_learned_on_their_first_day() {
    for charge_day in [1, 15] {
        let mut monitor = DailyMonitor::new();
        for n in 0..160 {
            let charge = if day(n).day() == charge_day {
                60.0
            } else {
                0.0
            };
            let costs = DailyCosts::new(day(n), 40.0 + (n % 3) as f64 + charge);
            assert_eq!(monitor.observe(&costs).unwrap().findings, [], "{}", day(n));
        }
    }
}

#[test]
fn harmless_events_raise_nothing() {
    let onboarding = |n: usize| ordinary(n).service("new", 5.0 * (n - 71) as f64);
    let cases: [(&str, Vec<DailyCosts>); 4] = [
        (
            "half of a day is booked on the next",
            vec![with(72, 0.5, 0.5), with(73, 1.5, 1.5), ordinary(74)],
        ),
        (
            "a credit",
            vec![
                DailyCosts::new(day(72), -160.0)
                    .service("compute", -170.0)
                    .service("storage", 10.0),
                ordinary(73),
            ],
        ),
        (
            "the newest day is not complete",
            vec![
                DailyCosts::partial(day(72), 4.0)
                    .service("compute", 3.0)
                    .service("storage", 1.0),
            ],
        ),
        (
            "days that were not delivered",
            vec![ordinary(72), ordinary(76), ordinary(77)],
        ),
    ];
    for (name, days) in cases {
        assert_eq!(news(&mut accustomed(72), 72, days), [], "{name}");
    }
    let mut monitor = accustomed(72);
    for n in 72..84 {
        let costs = onboarding(n);
        let total = 5.0 * (n - 71) as f64 + 42.0;
        let costs = DailyCosts::new(costs.date(), total).service("new", total - 42.0);
        let findings = monitor.observe(&costs).unwrap().findings;
        let is_of_new = |finding: &Finding| finding.scope == Scope::Service("new".to_owned());
        assert!(
            !findings.iter().any(is_of_new),
            "a service that appears is onboarded"
        );
    }
}

#[test]
fn a_level_that_stays_becomes_normal_and_its_end_is_no_event() {
    let mut monitor = accustomed(72);
    let days = (72..140).map(|n| with(n, if n < 120 { 1.5 } else { 1.0 }, 1.0));
    let news = news(&mut monitor, 72, days);
    assert_eq!(news.len(), 1, "{news:?}");
    assert_eq!(news[0].0, 72);
    let baseline = monitor
        .baseline(&Scope::Service("compute".to_owned()))
        .unwrap();
    assert!((29.0..33.0).contains(&baseline.level), "{baseline:?}");
}

#[test]
fn expected_makes_the_present_level_normal_at_once() {
    let scope = Scope::Service("compute".to_owned());
    let mut monitor = accustomed(72);
    let _ = monitor.observe(&with(72, 1.5, 1.0)).unwrap();
    let _ = monitor.observe(&with(73, 1.5, 1.0)).unwrap();
    assert!(monitor.feedback(&scope, FindingKind::Spike, DailyFeedback::Expected));
    let assessment = monitor.observe(&with(74, 1.5, 1.0)).unwrap();
    assert_eq!(assessment.findings, []);
    let baseline = monitor.baseline(&scope).unwrap();
    assert!((42.0..49.0).contains(&baseline.level), "{baseline:?}");
}

#[test]
fn a_false_alarm_raises_the_bar() {
    let scope = Scope::Service("storage".to_owned());
    let spike = |n| with(n, 1.0, 1.4);
    let mut told = accustomed(72);
    let mut untold = told.clone();
    for monitor in [&mut told, &mut untold] {
        assert_eq!(monitor.observe(&spike(72)).unwrap().findings.len(), 1);
        for n in 73..90 {
            let _ = monitor.observe(&ordinary(n)).unwrap();
        }
    }
    for _ in 0..4 {
        for scope in [&scope, &Scope::Total] {
            assert!(told.feedback(scope, FindingKind::Spike, DailyFeedback::False));
        }
    }
    assert_eq!(news(&mut told, 90, [spike(90)]), []);
    assert_eq!(news(&mut untold, 90, [spike(90)]).len(), 1);
    assert!(!told.feedback(
        &Scope::Service("none".to_owned()),
        FindingKind::Spike,
        DailyFeedback::False
    ));
}

#[test]
fn nothing_is_raised_or_learned_on_planned_days() {
    let mut monitor = accustomed(72);
    let before = monitor.baseline(&Scope::Total).unwrap();
    monitor.plan(PlannedDays {
        from: day(72),
        to: day(76),
        service: None,
    });
    for n in 72..77 {
        let assessment = monitor.observe(&with(n, 4.0, 3.0)).unwrap();
        assert_eq!(
            (assessment.total, assessment.findings),
            (Assessment::Missing, vec![])
        );
    }
    let after = monitor.baseline(&Scope::Total).unwrap();
    assert!(
        (after.level / before.level - 1.0).abs() < 0.005,
        "{before:?} {after:?}"
    );
    assert_eq!(before.days, after.days);
    assert_ne!(news(&mut monitor, 77, [with(77, 4.0, 3.0)]), []);
}

#[test]
fn a_revised_day_is_as_if_it_had_been_so() {
    let mut revised = accustomed(60);
    let _ = revised.observe(&DailyCosts::missing(day(60))).unwrap();
    let mut known = accustomed(61);
    revised.revise(&ordinary(60)).unwrap();
    assert_eq!(revised, known);
    let unknown = revised.revise(&ordinary(61)).unwrap_err();
    assert_eq!(unknown, DailyError::Unknown { date: day(61) });
    assert_eq!(revised.observe(&ordinary(61)), known.observe(&ordinary(61)));
}

#[test]
fn days_out_of_order_and_numbers_that_are_none_change_nothing() {
    let mut monitor = accustomed(30);
    let before = monitor.clone();
    let again = monitor.observe(&ordinary(29)).unwrap_err();
    assert_eq!(
        again,
        DailyError::OutOfOrder {
            date: day(29),
            last: day(29)
        }
    );
    let nan = monitor.observe(&DailyCosts::new(day(30), 1.0).service("x", f64::NAN));
    assert!(
        nan.unwrap_err()
            .to_string()
            .starts_with("the cost of x on 2026-04-01 is NaN")
    );
    assert_eq!(monitor, before);
}

fn costs_of(series: &CostSeries) -> Vec<DailyCosts> {
    let with_services = |day: &bursar_anomaly::synthetic::costs::CostDay| {
        let named = series.services.iter().zip(&day.services);
        named.fold(
            DailyCosts::new(day.date, day.total),
            |costs, (name, cost)| costs.service(name, *cost),
        )
    };
    series.days.iter().map(with_services).collect()
}

fn score_of(portfolio: CostPortfolio, n_series: u64, budget: f64) -> EventScore {
    let mut score = EventScore::default();
    for number in 0..n_series {
        let series = portfolio.series(number);
        let budget = AlarmBudget::per_series_year(budget).expect("tests ask for a budget in range");
        let mut monitor = DailyMonitor::new().with_budget(budget);
        let found = news(&mut monitor, 0, costs_of(&series));
        let alerts: Vec<DatedAlert> = found
            .into_iter()
            .map(|(n, finding)| {
                let alert = DatedAlert::new(series.days[n].date);
                match finding.culprit {
                    Some(culprit) => alert.service(culprit),
                    None => alert,
                }
            })
            .collect();
        let truth = series.truth().expect("a series has days");
        score.add(&truth, &alerts);
    }
    score
}

#[test]
fn most_events_of_generated_accounts_are_found() {
    let report = score_of(CostPortfolio::new(2), 10, 0.7).report();
    assert!(report.recall.unwrap() > 0.7, "{report:#?}");
    assert!(report.precision.unwrap() > 0.5, "{report:#?}");
}

/// The aims of the project for seeds that were never looked at, on one for development.
#[test]
#[ignore = "takes minutes without optimization"]
fn nine_in_ten_events_are_found_with_less_than_one_false_alarm_a_year() {
    let report = score_of(CostPortfolio::new(2), 160, 0.7).report();
    assert!(report.f1.unwrap() > 0.8, "{report:#?}");
    assert!(report.attribution.unwrap() > 0.9, "{report:#?}");
    assert!(report.false_per_series_year.unwrap() < 1.0, "{report:#?}");
}

/// Over 65 series-years of noise and harmless events, for each of four budgets.
#[test]
#[ignore = "takes minutes without optimization"]
fn false_alarms_are_within_a_factor_of_two_of_the_budget() {
    for budget in [0.35, 0.7, 1.4, 2.8] {
        let portfolio = CostPortfolio::new(4).without_anomalies();
        let rate = score_of(portfolio, 160, budget)
            .report()
            .false_per_series_year
            .unwrap();
        assert!(
            (budget / 2.0..=budget * 2.0).contains(&rate),
            "{budget}: {rate}"
        );
    }
}

#[cfg(feature = "serde")]
mod saved {
    use super::*;

    #[test]
    fn a_saved_monitor_goes_on_bit_for_bit() {
        let series = CostPortfolio::new(1).series(9);
        let days = costs_of(&series);
        let (before, after) = days.split_at(days.len() / 2);
        let mut monitor = DailyMonitor::new();
        for costs in before {
            let _ = monitor.observe(costs).unwrap();
        }
        let json = serde_json::to_string(&monitor).unwrap();
        let bytes = postcard::to_stdvec(&monitor).unwrap();
        let mut from_json: DailyMonitor = serde_json::from_str(&json).unwrap();
        let mut from_bytes: DailyMonitor = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(monitor, from_json);
        for costs in after {
            let assessment = monitor.observe(costs).unwrap();
            assert_eq!(assessment, from_json.observe(costs).unwrap());
            assert_eq!(assessment, from_bytes.observe(costs).unwrap());
        }
    }

    #[test]
    fn a_total_takes_a_kilobyte_and_each_service_another() {
        let mut monitor = accustomed(400 - 310);
        for n in 90..300 {
            let _ = monitor.observe(&ordinary(n)).unwrap();
        }
        let bytes = postcard::to_stdvec(&monitor).unwrap().len();
        assert!(bytes < 3 * 1024, "{bytes}");
    }

    #[test]
    fn a_damaged_state_is_an_error() {
        let json = serde_json::to_value(accustomed(20)).unwrap();
        let damaged = |pointer: &str, value: serde_json::Value| {
            let mut json = json.clone();
            *json.pointer_mut(pointer).unwrap() = value;
            serde_json::from_value::<DailyMonitor>(json)
        };
        assert!(damaged("/format", 2.into()).is_err());
        assert!(damaged("/total/costs", serde_json::json!([1.0])).is_err());
        assert!(damaged("/services/0/set_aside", serde_json::json!([])).is_err());
        assert!(damaged("/services/0/tolerance/single", 1e9.into()).is_err());
        assert!(damaged("/budget", (-1.0).into()).is_err());
        assert!(damaged("/last", serde_json::Value::Null).is_err());
        assert!(damaged("/budget", 1.0.into()).is_ok());
    }
}

fn any_cost() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..200.0_f64,
        1 => prop::num::f64::ANY,
        1 => Just(0.0),
        1 => -1e9..1e9_f64,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// NaN, infinities, gaps, repeats, time going backwards, tiny and huge values.
    #[test]
    fn no_days_make_it_panic(days in prop::collection::vec((-2_i32..40, any_cost(), any_cost(), 0_u8..4), 1..90)) {
        let mut monitor = DailyMonitor::new();
        let mut at = START;
        for (step, total, service, quality) in days {
            at = at.saturating_add(i64::from(if step > 30 { step * 9 } else { step.min(1) }).days());
            let costs = match quality {
                0 => DailyCosts::partial(at, total),
                1 => DailyCosts::missing(at),
                _ => DailyCosts::new(at, total).service("a", service),
            };
            if let Ok(assessment) = monitor.observe(&costs) {
                prop_assert!((0.0..=1.0).contains(&assessment.total.score()));
                for finding in &assessment.findings {
                    prop_assert!(finding.expected.is_finite() && finding.interval.high.is_finite());
                }
            }
            let _ = monitor.revise(&costs);
        }
    }

    /// What comes later never changes what was said, and what came before a day is all that counts.
    #[test]
    fn a_day_changes_no_earlier_verdict(number in 0_u64..400, at in 20_usize..30, factor in 0.0..50.0_f64) {
        let days = costs_of(&CostPortfolio::new(6).series(number));
        let mut changed = days.clone();
        let at = at.min(days.len() - 1);
        changed[at] = DailyCosts::new(days[at].date(), factor);
        let mut monitors = (DailyMonitor::new(), DailyMonitor::new());
        for n in 0..at {
            prop_assert_eq!(monitors.0.observe(&days[n]), monitors.1.observe(&changed[n]));
        }
    }

    /// An extreme value never lowers its own score, at any size.
    #[test]
    fn more_is_never_less_unusual(n_days in 20_usize..60, low in 45.0..1e3_f64, factor in 1.0..1e6_f64) {
        let mut monitor = DailyMonitor::new();
        for n in 0..n_days {
            let _ = monitor.observe(&ordinary(n)).unwrap();
        }
        let score = |total: f64| {
            let costs = DailyCosts::new(day(n_days), total);
            monitor.clone().observe(&costs).unwrap().total.score()
        };
        prop_assert!(score(low * factor) >= score(low));
    }

    /// A bill in another currency has the same findings.
    #[test]
    fn scores_do_not_depend_on_the_unit(number in 0_u64..400, power in -6_i32..7) {
        let unit = 2.0_f64.powi(power);
        let series = CostPortfolio::new(6).series(number);
        let (mut ours, mut theirs) = (DailyMonitor::new(), DailyMonitor::new());
        for day in series.days.iter().take(60) {
            let score = ours.observe(&DailyCosts::new(day.date, day.total)).unwrap().total.score();
            let scaled = DailyCosts::new(day.date, unit * day.total);
            let other = theirs.observe(&scaled).unwrap().total.score();
            prop_assert!((score - other).abs() < 1e-9, "{score} {other}");
        }
    }
}
