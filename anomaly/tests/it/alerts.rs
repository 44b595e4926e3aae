//! What becomes an alert, how severe it is, and what it says.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

use bursar_anomaly::{
    Alarm, AlarmError, AlertBook, Culprit, DetectorKind, Direction, Figures, Interval, Policy,
    Severity, SeverityError, SeverityRule, SeverityRules, Suppression, Update, Verdict, When,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::date;
use proptest::prelude::*;

use DetectorKind::{Metric, MovingAverage, Seasonal, ZScore};

const DAY: When = When::Day(date(2026, 11, 20));

fn verdict(actual: f64, expected: f64, (low, high): (f64, f64), score: f64) -> Verdict {
    let direction = match actual < expected {
        true => Direction::Fall,
        false => Direction::Rise,
    };
    Verdict {
        score,
        direction,
        actual,
        expected,
        interval: Interval { low, high },
    }
}

fn cost(kind: DetectorKind, actual: &str, expected: f64, score: f64) -> Alarm {
    let amount = Money::parse(actual, Currency::USD).unwrap();
    let band = (expected * 0.8, expected * 1.2);
    let verdict = verdict(actual.parse().unwrap(), expected, band, score);
    Alarm::of_cost("aws/prod", DAY, amount, kind, &verdict, Quantum::MINOR_UNIT).unwrap()
}

/// The only update of a fresh book that is told of one alarm.
fn reported(alarm: Alarm) -> Update {
    let mut updates = AlertBook::new(Policy::daily()).report(alarm).unwrap();
    assert_eq!(updates.len(), 1);
    updates.remove(0)
}

fn sentence(alarm: Alarm) -> String {
    let update = reported(alarm);
    update.event().expect("an alert").alert.to_string()
}

/// The reference case: 47.82 against 12.65 is (47.82 − 12.65) ÷ 12.65 = 278.02 %, 38.40 is 203.56 %.
#[test]
fn the_reference_case_gives_two_critical_alerts_of_one_event() {
    let usd = |text: &str| Money::parse(text, Currency::USD).unwrap();
    let alarm = |kind, actual: &str, score| {
        let band = (10.10, 15.20);
        let verdict = verdict(actual.parse().unwrap(), 12.65, band, score);
        let cost = usd(actual);
        Alarm::of_cost("aws/prod", DAY, cost, kind, &verdict, Quantum::MINOR_UNIT).unwrap()
    };
    let alarms = [
        alarm(ZScore, "47.82", 0.97),
        alarm(MovingAverage, "38.40", 0.87),
    ];

    let alone = alarms.clone().map(sentence);
    assert_eq!(
        alone,
        [
            "CRITICAL: aws/prod cost 47.82 USD on 2026-11-20, 278.0 % above the expected 12.65 USD \
             (10.10 to 15.20 USD), 35.17 USD at stake; z-score, score 0.97",
            "CRITICAL: aws/prod averaged 38.40 USD up to 2026-11-20, 203.6 % above the expected \
             12.65 USD (10.10 to 15.20 USD), 25.75 USD at stake; moving average, score 0.87",
        ]
    );

    for order in [[0, 1], [1, 0]] {
        let mut book = AlertBook::new(Policy::daily());
        for index in order {
            book.report(alarms[index].clone()).unwrap();
        }
        let open: Vec<_> = book.open_events().collect();
        let [event] = open[..] else {
            panic!("one event, not {}", open.len());
        };
        assert_eq!(event.alert.to_string(), alone[0], "the larger one is shown");
        assert_eq!(event.n_alarms, 2);
        assert_eq!(event.at_stake, Some(usd("35.17")), "the day counts once");
        let mut witnesses: Vec<_> = event.witnesses.iter().map(|w| w.detector).collect();
        witnesses.sort();
        assert_eq!(witnesses, [ZScore, MovingAverage]);
    }
}

#[test]
fn severity_follows_the_lines_of_each_detector() {
    use Severity::{Critical, Info, Warning};
    for (kind, actual, severity) in [
        (ZScore, "149.99", Some(Info)),
        (ZScore, "150.00", Some(Info)),
        (ZScore, "150.01", Some(Warning)),
        (ZScore, "200.00", Some(Warning)),
        (ZScore, "200.01", Some(Critical)),
        (ZScore, "50.00", Some(Info)),
        (ZScore, "49.99", Some(Warning)),
        (ZScore, "5.01", Some(Warning)),
        (ZScore, "5.00", Some(Critical)),
        (ZScore, "0", Some(Critical)),
        (ZScore, "-20.00", Some(Critical)),
        (MovingAverage, "130.00", None),
        (MovingAverage, "130.01", Some(Warning)),
        (MovingAverage, "200.01", Some(Critical)),
        (MovingAverage, "69.99", Some(Warning)),
        (MovingAverage, "0", Some(Critical)),
        (Seasonal, "150.00", None),
        (Seasonal, "150.01", Some(Info)),
        (Seasonal, "200.01", Some(Warning)),
        (Seasonal, "900.00", Some(Warning)),
        (Seasonal, "0", Some(Warning)),
    ] {
        let found = match reported(cost(kind, actual, 100.0, 0.9)) {
            Update::Opened(event) => Some(event.severity),
            Update::Suppressed { reason, .. } => {
                assert_eq!(reason, Suppression::SmallDeviation);
                None
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(found, severity, "{kind} {actual}");
    }
}

#[test]
fn the_deviation_of_money_is_computed_in_decimals() {
    // 3.39 is one and a half times 2.26; in floats it is a little more.
    let in_floats = |actual: f64, expected: f64| (actual - expected) / expected * 100.0;
    assert!(in_floats(3.39, 2.26) > 50.0);
    let alarm = cost(ZScore, "3.39", 2.26, 0.9);
    assert_eq!(alarm.deviation_percent(), Some(50.0));
    let rule = SeverityRule::default();
    let severity = rule.severity(alarm.direction, alarm.deviation_percent());
    assert_eq!(severity, Some(Severity::Info));
}

#[test]
fn a_fall_is_named_a_fall() {
    assert_eq!(
        sentence(cost(ZScore, "2.21", 12.65, 0.8)),
        "WARNING: aws/prod cost 2.21 USD on 2026-11-20, 82.5 % below the expected 12.65 USD \
         (10.12 to 15.18 USD), 10.44 USD at stake; z-score, score 0.80",
    );
}

#[test]
fn there_is_no_percentage_of_nothing_or_of_a_credit() {
    for (expected, text) in [
        (
            0.0,
            "WARNING: aws/prod cost 40.00 USD on 2026-11-20, above the expected 0.00 USD (0.00 to \
               0.00 USD), 40.00 USD at stake; z-score, score 0.90",
        ),
        (
            -3.0,
            "WARNING: aws/prod cost 40.00 USD on 2026-11-20, above the expected -3.00 USD (-2.40 \
                to -3.60 USD), 43.00 USD at stake; z-score, score 0.90",
        ),
        // Less than half a cent is nothing.
        (
            0.004,
            "WARNING: aws/prod cost 40.00 USD on 2026-11-20, above the expected 0.00 USD (0.00 \
                 to 0.00 USD), 40.00 USD at stake; z-score, score 0.90",
        ),
    ] {
        let alarm = cost(ZScore, "40.00", expected, 0.9);
        assert_eq!(alarm.deviation_percent(), None);
        assert_eq!(sentence(alarm), text);
    }
}

#[test]
fn a_change_of_cents_is_no_alert() {
    let reason = |policy: Policy, actual| {
        let mut book = AlertBook::new(policy);
        let updates = book.report(cost(ZScore, actual, 0.1, 0.99)).unwrap();
        match &updates[..] {
            [Update::Suppressed { reason, .. }] => Some(*reason),
            _ => None,
        }
    };
    let little = Some(Suppression::LittleMoney);
    assert_eq!(reason(Policy::daily(), "1.09"), little);
    assert_eq!(reason(Policy::daily(), "1.10"), None);
    let policy = |floor: &str| Policy::daily().floor(floor.parse().unwrap());
    assert_eq!(reason(policy("25.00 USD"), "25.09"), little);
    assert_eq!(reason(policy("25.00 USD"), "25.10"), None);
    assert_eq!(reason(policy("0 USD"), "0.11"), None);
    assert_eq!(
        reason(policy("25.00 EUR"), "1.10"),
        None,
        "of another currency"
    );
}

#[test]
fn lines_are_settings() {
    let rule = SeverityRule::new(Some(10.0), 20.0, Some(30.0)).unwrap();
    let policy = Policy::daily().severities(SeverityRules::default().with(ZScore, rule));
    let severity = |actual| policy.judge(&cost(ZScore, actual, 100.0, 0.9));
    assert_eq!(severity("110"), Err(Suppression::SmallDeviation));
    assert_eq!(severity("115"), Ok(Severity::Info));
    assert_eq!(severity("125"), Ok(Severity::Warning));
    assert_eq!(severity("131"), Ok(Severity::Critical));

    for (rule, error) in [
        (
            SeverityRule::new(None, f64::NAN, None),
            SeverityError::NotALine(f64::NAN).to_string(),
        ),
        (
            SeverityRule::new(Some(-1.0), 50.0, None),
            SeverityError::NotALine(-1.0).to_string(),
        ),
        (
            SeverityRule::new(None, 50.0, Some(40.0)),
            "the line at 50 % of a lower severity is above that at 40 %: put them in order".into(),
        ),
        (
            SeverityRule::default().vanished(0.0),
            SeverityError::NotAFall(0.0).to_string(),
        ),
    ] {
        assert_eq!(rule.unwrap_err().to_string(), error);
    }
}

#[test]
fn the_sentence_names_culprits_and_metrics_with_their_unit() {
    let culprit = Culprit {
        change: Some("30.10 USD".parse().unwrap()),
        share_percent: Some(85.6),
        ..Culprit::service("AmazonEC2")
    };
    let alarm = cost(ZScore, "47.82", 12.65, 0.97).caused_by([culprit, Culprit::service("Lambda")]);
    assert_eq!(
        sentence(alarm),
        "CRITICAL: aws/prod cost 47.82 USD on 2026-11-20, 278.0 % above the expected 12.65 USD \
         (10.12 to 15.18 USD), 35.17 USD at stake; caused by service AmazonEC2 (+30.10 USD, 85.6 %) \
         and service Lambda; z-score, score 0.97",
    );

    let moment = When::Moment("2026-11-20T12:05:00Z".parse().unwrap());
    let high = verdict(93.14159, 41.0, (35.0, 47.25), 0.75);
    assert_eq!(
        sentence(Alarm::of_metric("web-1/cpu", moment, "%", Metric, &high).unwrap()),
        "CRITICAL: web-1/cpu was 93.14 % at 2026-11-20T12:05:00Z, 127.2 % above the expected 41 % \
         (35 to 47.25 %); metric ensemble, score 0.75",
    );
    let odd = Verdict {
        direction: Direction::Pattern,
        ..verdict(41.5, 41.0, (35.0, 47.0), 0.61)
    };
    assert_eq!(
        sentence(Alarm::of_metric("web-1/cpu", moment, "", Metric, &odd).unwrap()),
        "INFO: web-1/cpu was 41.5 at 2026-11-20T12:05:00Z, an unusual course; at the expected 41 \
         (35 to 47); metric ensemble, score 0.61",
    );
}

#[test]
fn amounts_of_more_places_read_and_stay_exact() {
    let alarm = cost(ZScore, "47.8213004", 12.65, 0.97);
    assert_eq!(alarm.at_stake().unwrap().to_string(), "35.1713004 USD");
    assert!(sentence(alarm).contains("cost 47.82 USD on 2026-11-20, 278.0 %"));
}

#[test]
fn a_name_does_not_begin_a_line_of_its_own() {
    let verdict = verdict(90.0, 10.0, (5.0, 15.0), 0.9);
    let name = "web\nINFO: all is well";
    let alarm = Alarm::of_metric(name, DAY, "ms\r\n", Metric, &verdict).unwrap();
    let alarm = alarm.caused_by([Culprit::service("a\nb")]);
    assert_eq!(sentence(alarm).lines().count(), 1);
}

#[test]
fn what_is_no_amount_is_an_error() {
    let alarm = |expected, currency, score| {
        let verdict = verdict(1.0, expected, (0.0, 2.0), score);
        let one = Money::parse("1", currency).unwrap();
        Alarm::of_cost("x", DAY, one, ZScore, &verdict, Quantum::MINOR_UNIT)
    };
    let usd = Currency::USD;
    assert_eq!(
        alarm(1e150, usd, 0.9),
        Err(AlarmError::TooLarge { value: 1e150 })
    );
    for not_finite in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let is_not_finite = |error| matches!(error, Err(AlarmError::NotFinite(_)));
        assert!(is_not_finite(alarm(not_finite, usd, 0.9)));
        assert!(is_not_finite(alarm(1.0, usd, not_finite)));
    }
    let none = Currency::from_code("XXX").unwrap();
    assert!(matches!(alarm(1.0, none, 0.9), Err(AlarmError::Money(_))));
}

#[test]
#[cfg(feature = "serde")]
fn a_serialized_alert_carries_its_numbers_and_amounts_as_text() {
    let update = reported(cost(ZScore, "47.82", 12.65, 0.97));
    let alert = &update.event().unwrap().alert;
    let json = serde_json::to_value(alert).unwrap();
    assert_eq!(json["severity"], "CRITICAL");
    assert_eq!(json["message"], alert.to_string());
    assert_eq!(json["at_stake"]["amount"], "35.17");
    assert_eq!(json["alarm"]["when"]["day"], "2026-11-20");
    assert_eq!(
        json["alarm"]["figures"]["money"]["expected"]["amount"],
        "12.65"
    );
    let percent = json["deviation_percent"].as_f64().unwrap();
    assert_eq!(format!("{percent:.4}"), "278.0237");
    let read: bursar_anomaly::Alert = serde_json::from_value(json).unwrap();
    assert_eq!(read, *alert);
}

proptest! {
    #[test]
    fn severity_never_falls_as_the_deviation_grows(
        a in -1e3..1e3f64,
        b in -1e3..1e3f64,
        kind in prop::sample::select(vec![ZScore, MovingAverage, Seasonal]),
    ) {
        let rule = SeverityRules::default().of(kind);
        let severity = |percent: f64| rule.severity(Direction::Rise, Some(percent));
        prop_assume!(a.signum() == b.signum());
        let (small, large) = if a.abs() < b.abs() { (a, b) } else { (b, a) };
        prop_assert!(severity(small) <= severity(large));
    }

    #[test]
    fn no_values_make_it_panic(
        actual in any::<f64>(),
        expected in any::<f64>(),
        low in any::<f64>(),
        high in any::<f64>(),
        score in any::<f64>(),
        amount in any::<i128>(),
        scale in 0u32..=28,
        second in -377_705_023_201i64..=253_402_207_200,
    ) {
        let at = When::Moment(jiff::Timestamp::from_second(second).unwrap());
        let verdict = Verdict {
            score,
            direction: Direction::Rise,
            actual,
            expected,
            interval: Interval { low, high },
        };
        let amount = rust_decimal::Decimal::from_i128_with_scale(amount >> 32, scale);
        let money = Money::new(amount, Currency::USD);
        let alarms = [
            Alarm::of_metric("x", at, "", Metric, &verdict),
            Alarm::of_cost("y", at, money, ZScore, &verdict, Quantum::MINOR_UNIT),
        ];
        let mut book = AlertBook::new(Policy::daily());
        for alarm in alarms.into_iter().flatten() {
            for update in book.report(alarm).unwrap() {
                let text = update.event().map(|event| event.alert.to_string());
                prop_assert!(text.is_none_or(|text| text.ends_with(|c: char| c.is_ascii_digit())));
            }
        }
        let _ = book.advance(jiff::Timestamp::MAX);
        let _ = book.advance(jiff::Timestamp::MIN);
    }

    #[test]
    fn what_is_printed_adds_up(actual in 0i64..10_000_000, expected in 0.01f64..1e5) {
        let text = format!("{}.{:02}", actual / 100, actual % 100);
        let alarm = cost(ZScore, &text, expected, 0.9);
        let Figures::Money { actual, expected, .. } = alarm.figures else { unreachable!() };
        let stake = alarm.at_stake().unwrap();
        let sum = match alarm.direction {
            Direction::Fall => actual.checked_add(stake).unwrap(),
            _ => actual.checked_sub(stake).unwrap(),
        };
        prop_assert_eq!(sum, expected);
    }
}
