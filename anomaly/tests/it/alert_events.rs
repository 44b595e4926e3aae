//! Which alarms are one event, when it is told, and when it is over.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

use std::collections::{BTreeMap, BTreeSet};

use bursar_anomaly::{
    Alarm, AlertBook, BookError, Culprit, DayProjection, DetectorKind, Direction, Escalation,
    Event, EventId, Interval, Phase, Policy, PolicyError, Severity, Update, Verdict, When,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use DetectorKind::{MovingAverage, Seasonal, ZScore};

const FIRST: Date = date(2026, 1, 1);

/// Told again when twice the money is at stake.
fn policy() -> Policy {
    Policy::daily().growth(2.0).unwrap()
}

fn day(n: i64) -> Date {
    FIRST.checked_add(n.days()).unwrap()
}

fn start(n: i64) -> Timestamp {
    When::Day(day(n)).start()
}

/// An alarm of a day on which `actual` was paid where 100 USD were expected.
fn alarm(series: &str, kind: DetectorKind, n: i64, actual: i64) -> Alarm {
    let verdict = Verdict {
        score: 0.9,
        direction: if actual < 100 {
            Direction::Fall
        } else {
            Direction::Rise
        },
        actual: actual as f64,
        expected: 100.0,
        interval: Interval::around(100.0, 20.0),
    };
    let cost = Money::new(actual.into(), Currency::USD);
    let when = When::Day(day(n));
    Alarm::of_cost(series, when, cost, kind, &verdict, Quantum::MINOR_UNIT).unwrap()
}

/// The updates in short: what happened to which event, with its alarms and its money.
fn short(updates: &[Update]) -> Vec<String> {
    let event = |name: &str, event: &Event| {
        let stake = event.at_stake.map(|money| money.amount().normalize());
        format!("{name} {} {} {}", event.id, event.n_alarms, stake.unwrap())
    };
    let line = |update: &Update| match update {
        Update::Opened(e) => event("opened", e),
        Update::Escalated { event: e, by } => event(&format!("escalated by {by:?}"), e),
        Update::Continued(e) => event("continued", e),
        Update::Reopened(e) => event("reopened", e),
        Update::Closed(e) => event("closed", e),
        Update::Stale(_) => "stale".to_owned(),
        other => format!("{other:?}"),
    };
    updates.iter().map(line).collect()
}

#[track_caller]
fn check(book: &mut AlertBook, alarm: Alarm, expected: &[&str]) {
    assert_eq!(short(&book.report(alarm).unwrap()), expected);
}

#[test]
fn an_event_opens_goes_on_grows_and_closes() {
    let mut book = AlertBook::new(policy());
    let x = |kind, n, actual| alarm("x", kind, n, actual);
    check(
        &mut book,
        x(ZScore, 0, 140),
        &["opened x@2026-01-01#1 1 40"],
    );
    check(
        &mut book,
        x(ZScore, 1, 130),
        &["continued x@2026-01-01#1 2 70"],
    );
    // 40 USD were told, and now it is twice as much.
    check(
        &mut book,
        x(ZScore, 2, 120),
        &["escalated by AtStake x@2026-01-01#1 3 90"],
    );
    check(
        &mut book,
        x(ZScore, 3, 151),
        &["escalated by Severity x@2026-01-01#1 4 141"],
    );
    check(
        &mut book,
        x(ZScore, 4, 110),
        &["continued x@2026-01-01#1 5 151"],
    );
    // The 5th is its last day; the 6th, 7th and 8th are quiet.
    assert_eq!(short(&book.advance(start(7))), [""; 0]);
    let just_before = start(8).checked_sub(1.nanosecond()).unwrap();
    assert_eq!(short(&book.advance(just_before)), [""; 0]);
    let closed = book.advance(start(8));
    assert_eq!(short(&closed), ["closed x@2026-01-01#1 5 151"]);
    let event = closed[0].event().unwrap();
    assert_eq!(
        (event.started_at, event.last_alarm_at),
        (start(0), start(4))
    );
    assert_eq!((event.closes_at, event.phase), (start(8), Phase::Closed));
    assert_eq!(
        event.severity,
        Severity::Warning,
        "the highest, not the last"
    );
    assert_eq!(book.open_events().count(), 0);
    check(
        &mut book,
        x(ZScore, 8, 140),
        &["opened x@2026-01-09#1 1 40"],
    );
}

#[test]
fn an_alarm_after_the_quiet_time_closes_the_event_and_opens_another() {
    let mut book = AlertBook::new(policy());
    check(
        &mut book,
        alarm("x", ZScore, 0, 140),
        &["opened x@2026-01-01#1 1 40"],
    );
    check(
        &mut book,
        alarm("x", ZScore, 3, 140),
        &["escalated by AtStake x@2026-01-01#1 2 80"],
    );
    check(
        &mut book,
        alarm("x", ZScore, 7, 140),
        &["closed x@2026-01-01#1 2 80", "opened x@2026-01-08#1 1 40"],
    );
}

#[test]
fn detectors_that_notice_the_same_are_one_event() {
    let mut book = AlertBook::new(policy());
    check(
        &mut book,
        alarm("x", MovingAverage, 0, 160),
        &["opened x@2026-01-01#1 1 60"],
    );
    // The larger alarm about the same day is shown, and the day counts once.
    check(
        &mut book,
        alarm("x", ZScore, 0, 190),
        &["continued x@2026-01-01#1 2 90"],
    );
    check(
        &mut book,
        alarm("x", Seasonal, 0, 170),
        &["continued x@2026-01-01#1 3 90"],
    );
    check(
        &mut book,
        alarm("x", MovingAverage, 1, 150),
        &["escalated by AtStake x@2026-01-01#1 4 140"],
    );
    let event = book.open_events().next().unwrap();
    let tallies: Vec<_> = event
        .witnesses
        .iter()
        .map(|w| (w.detector, w.n_alarms))
        .collect();
    assert_eq!(tallies, [(MovingAverage, 2), (ZScore, 1), (Seasonal, 1)]);
}

#[test]
fn a_rise_and_a_fall_are_two_events_and_a_pattern_joins_either() {
    let mut book = AlertBook::new(policy().floor("0 USD".parse().unwrap()));
    check(
        &mut book,
        alarm("x", ZScore, 0, 160),
        &["opened x@2026-01-01#1 1 60"],
    );
    check(
        &mut book,
        alarm("x", ZScore, 1, 40),
        &["opened x@2026-01-02#1 1 60"],
    );
    let mut pattern = alarm("x", Seasonal, 2, 100);
    pattern.direction = Direction::Pattern;
    check(&mut book, pattern, &["continued x@2026-01-02#1 2 60"]);
    assert_eq!(book.open_events().count(), 2);
}

#[test]
fn feeding_a_history_again_changes_nothing() {
    let history = || {
        (0..40)
            .filter(|n| n % 9 < 3)
            .map(|n| alarm("x", ZScore, n, 150 + n))
    };
    let mut book = AlertBook::new(policy());
    for alarm in history() {
        let _ = book.report(alarm).unwrap();
    }
    let before = book.clone();
    for alarm in history() {
        check(&mut book, alarm, &["stale"]);
    }
    assert_eq!(book, before);
}

#[test]
fn a_corrected_amount_corrects_the_alert_and_counts_once() {
    let mut book = AlertBook::new(policy());
    check(
        &mut book,
        alarm("x", ZScore, 0, 190),
        &["opened x@2026-01-01#1 1 90"],
    );
    check(
        &mut book,
        alarm("x", ZScore, 1, 190),
        &["escalated by AtStake x@2026-01-01#1 2 180"],
    );
    check(
        &mut book,
        alarm("x", ZScore, 1, 130),
        &["continued x@2026-01-01#1 2 120"],
    );
    assert_eq!(book.open_events().next().unwrap().witnesses[0].n_alarms, 2);
}

#[test]
fn an_alarm_that_comes_after_its_event_was_closed_reopens_it() {
    let mut book = AlertBook::new(policy());
    check(
        &mut book,
        alarm("x", ZScore, 0, 140),
        &["opened x@2026-01-01#1 1 40"],
    );
    assert_eq!(
        short(&book.advance(start(4))),
        ["closed x@2026-01-01#1 1 40"]
    );
    check(
        &mut book,
        alarm("x", ZScore, 2, 130),
        &["reopened x@2026-01-01#1 2 70"],
    );
    assert_eq!(
        short(&book.advance(start(6))),
        ["closed x@2026-01-01#1 2 70"]
    );
}

#[test]
fn culprits_stay_until_others_are_named_and_projections_until_it_is_over() {
    let usd = |text: &str| text.parse::<Money>().unwrap();
    let projection = DayProjection {
        total: usd("300.00 USD"),
        low: usd("250.00 USD"),
        high: usd("400.00 USD"),
    };
    let mut book = AlertBook::new(policy());
    let first = alarm("x", ZScore, 0, 140).caused_by([Culprit::service("EC2")]);
    let _ = book.report(first.projected(projection)).unwrap();
    let _ = book.report(alarm("x", ZScore, 1, 150)).unwrap();
    assert_eq!(
        book.open_events().next().unwrap().alert.to_string(),
        "INFO: x cost 150.00 USD on 2026-01-02, 50.0 % above the expected 100.00 USD (80.00 to \
         120.00 USD), 50.00 USD at stake; caused by service EC2; heading for 300.00 USD today \
         (250.00 to 400.00 USD); z-score, score 0.90"
    );
    let lower = DayProjection {
        total: usd("260.00 USD"),
        ..projection
    };
    assert_eq!(book.project("x", lower), 1);
    assert_eq!(book.project("y", lower), 0);
    let event = book.open_events().next().unwrap();
    assert_eq!(event.alert.alarm.projection, Some(lower));
    let closed = book.advance(start(10));
    assert_eq!(closed[0].event().unwrap().alert.alarm.projection, None);
}

#[test]
fn a_series_of_another_currency_is_refused_and_changes_nothing() {
    let mut book = AlertBook::new(policy());
    check(
        &mut book,
        alarm("x", ZScore, 0, 140),
        &["opened x@2026-01-01#1 1 40"],
    );
    let before = book.clone();
    let verdict = Verdict {
        score: 0.9,
        direction: Direction::Rise,
        actual: 140.0,
        expected: 100.0,
        interval: Interval::around(100.0, 20.0),
    };
    let (when, euros) = (When::Day(day(1)), "140 EUR".parse().unwrap());
    let other = Alarm::of_cost("x", when, euros, ZScore, &verdict, Quantum::MINOR_UNIT).unwrap();
    assert!(matches!(book.report(other), Err(BookError::Money(_))));
    assert_eq!(book, before);
}

#[test]
fn the_book_forgets_what_is_older_than_its_memory() {
    let policy = policy()
        .memory(SignedDuration::from_hours(10 * 24))
        .unwrap();
    let mut book = AlertBook::new(policy);
    for n in 0..500 {
        let _ = book
            .report(alarm(&format!("series {n}"), ZScore, n, 150))
            .unwrap();
        let _ = book.advance(start(n));
        let known = (0..=n).filter(|i| book.event(&id(&format!("series {i}"), *i)).is_some());
        assert!(known.count() <= 11);
    }
    check(&mut book, alarm("series 3", ZScore, 3, 150), &["stale"]);
}

fn id(series: &str, n: i64) -> EventId {
    EventId::from(format!("{series}@{}#1", day(n)))
}

#[test]
fn a_full_book_forgets_the_series_that_is_quiet_for_longest() {
    let mut book = AlertBook::new(policy().capacity(2).unwrap());
    let _ = book.report(alarm("a", ZScore, 0, 150)).unwrap();
    let _ = book.report(alarm("b", ZScore, 1, 150)).unwrap();
    let full = BookError::Full { capacity: 2 };
    assert_eq!(book.report(alarm("c", ZScore, 2, 150)), Err(full));
    let _ = book.advance(start(4));
    let _ = book.report(alarm("c", ZScore, 4, 150)).unwrap();
    assert!(book.event(&id("a", 0)).is_none());
    assert!(book.event(&id("b", 1)).is_some());
}

#[test]
fn settings_that_are_no_policy_are_refused() {
    let none = SignedDuration::ZERO;
    let is_duration = |policy| matches!(policy, Err(PolicyError::NotADuration { .. }));
    assert!(is_duration(Policy::daily().quiet(none)));
    assert!(is_duration(
        Policy::daily().memory(-SignedDuration::from_secs(1))
    ));
    assert!(is_duration(Policy::daily().half_life(none)));
    for growth in [1.0, -2.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Policy::daily().growth(growth),
            Err(PolicyError::NoGrowth(_))
        ));
    }
    assert_eq!(Policy::daily().capacity(0), Err(PolicyError::NoCapacity));
}

#[test]
#[cfg(feature = "serde")]
fn a_saved_book_goes_on_as_if_it_had_not_been_saved() {
    let alarms = |n: i64| [ZScore, MovingAverage].map(|kind| alarm("x", kind, n, 130 + n));
    let mut book = AlertBook::new(policy());
    for n in 0..20 {
        for alarm in alarms(n).into_iter().filter(|_| n % 6 < 2) {
            let _ = book.report(alarm).unwrap();
        }
        let json = serde_json::to_string(&book).unwrap();
        let read: AlertBook = serde_json::from_str(&json).unwrap();
        assert_eq!(read, book);
        let bytes = postcard::to_stdvec(&book).unwrap();
        assert_eq!(postcard::from_bytes::<AlertBook>(&bytes).unwrap(), book);
    }
}

#[test]
#[cfg(feature = "serde")]
fn a_damaged_book_is_an_error() {
    let mut book = AlertBook::new(policy());
    let _ = book.report(alarm("x", ZScore, 0, 150)).unwrap();
    let json = serde_json::to_string(&book).unwrap();
    for (sound, damaged) in [
        ("\"format\":1", "\"format\":2"),
        ("\"growth\":2.0", "\"growth\":0.5"),
        ("\"capacity\":100000", "\"capacity\":0"),
        ("\"quiet\":\"PT72H\"", "\"quiet\":\"-PT72H\""),
        ("\"amount\":\"150\"", "\"amount\":150"),
    ] {
        assert!(json.contains(sound), "{sound} in {json}");
        let read = serde_json::from_str::<AlertBook>(&json.replace(sound, damaged));
        assert!(read.is_err(), "{damaged}");
    }
}

/// Days with alarms of several series and detectors, in the order of time.
fn alarms() -> impl Strategy<Value = Vec<Alarm>> {
    let one = (0..120i64, 0..3usize, 0..3usize, 1..400i64);
    prop::collection::vec(one, 0..80).prop_map(|mut days| {
        days.sort_by_key(|(n, ..)| *n);
        let kinds = [ZScore, MovingAverage, Seasonal];
        let alarms = days.into_iter().map(|(n, series, kind, actual)| {
            alarm(["a", "b", "c"][series], kinds[kind], n, actual)
        });
        alarms.collect()
    })
}

/// All events that a book has closed when everything is over, and how many alarms it left out.
fn run(alarms: &[Alarm], advance_every: Option<i64>) -> (Vec<Event>, u64) {
    let mut book = AlertBook::new(policy());
    let mut closed = BTreeMap::new();
    let mut n_left_out = 0;
    let mut take = |updates: Vec<Update>| {
        for update in updates {
            match update {
                Update::Closed(event) => {
                    let before = closed.insert(event.id.clone(), event);
                    assert_eq!(before, None, "closed twice");
                }
                Update::Suppressed { .. } | Update::Stale(_) => n_left_out += 1,
                _ => {}
            }
        }
    };
    for alarm in alarms {
        if let Some(every) = advance_every {
            let hours = SignedDuration::from_hours(every);
            let mut now = alarm.when.start() - SignedDuration::from_hours(24);
            while now < alarm.when.start() {
                take(book.advance(now));
                now += hours;
            }
        }
        take(book.report(alarm.clone()).unwrap());
    }
    take(book.advance(start(1_000)));
    (closed.into_values().collect(), n_left_out)
}

/// Without those that correct one of the same day and detector.
fn first_of_each_day(mut alarms: Vec<Alarm>) -> Vec<Alarm> {
    let mut seen = BTreeSet::new();
    alarms.retain(|a| seen.insert((a.series.clone(), a.detector, a.when.start(), a.direction)));
    alarms
}

proptest! {
    #[test]
    fn what_was_fed_may_be_fed_again(alarms in alarms(), from in 0..80usize) {
        let alarms = first_of_each_day(alarms);
        let mut book = AlertBook::new(policy());
        for alarm in &alarms {
            let _ = book.report(alarm.clone()).unwrap();
        }
        let before = book.clone();
        for alarm in alarms.iter().skip(from) {
            let updates = book.report(alarm.clone()).unwrap();
            let is_nothing = matches!(updates[..], [Update::Stale(_) | Update::Suppressed { .. }]);
            prop_assert!(is_nothing, "{updates:?}");
        }
        prop_assert_eq!(book, before);
    }

    #[test]
    fn no_alarm_is_lost(alarms in alarms()) {
        let distinct = first_of_each_day(alarms);
        let (events, n_left_out) = run(&distinct, None);
        let merged: u64 = events.iter().map(|event| event.n_alarms).sum();
        prop_assert_eq!(merged + n_left_out, distinct.len() as u64);
        for event in &events {
            let told: u64 = event.witnesses.iter().map(|witness| witness.n_alarms).sum();
            prop_assert_eq!(told, event.n_alarms);
        }
    }

    #[test]
    fn the_money_of_an_event_is_that_of_its_days(alarms in alarms()) {
        let policy = self::policy();
        let (events, _) = run(&alarms, None);
        for event in &events {
            let series = event.id.as_str().split('@').next().unwrap();
            let mut of_day = BTreeMap::new();
            for alarm in alarms.iter().filter(|a| {
                a.series == series
                    && a.direction == event.direction
                    && (event.started_at..=event.last_alarm_at).contains(&a.when.start())
            }) {
                let Ok(severity) = policy.judge(alarm) else { continue };
                let shown: &mut (Severity, Money, DetectorKind) = of_day
                    .entry(alarm.when.start())
                    .or_insert((severity, alarm.at_stake().unwrap(), alarm.detector));
                let new = (severity, alarm.at_stake().unwrap());
                if shown.2 == alarm.detector || (new.0, new.1.amount()) > (shown.0, shown.1.amount()) {
                    *shown = (new.0, new.1, alarm.detector);
                }
            }
            let sum = Money::try_sum(of_day.values().map(|shown| shown.1)).unwrap();
            prop_assert_eq!(event.at_stake, sum);
        }
    }

    #[test]
    fn events_do_not_depend_on_when_one_looks(alarms in alarms(), every in 1..30i64) {
        prop_assert_eq!(run(&alarms, None), run(&alarms, Some(every)));
    }

    #[test]
    fn events_of_one_direction_are_a_quiet_time_apart(alarms in alarms()) {
        let quiet = SignedDuration::from_hours(72);
        let (mut events, _) = run(&alarms, None);
        events.sort_by_key(|event| event.started_at);
        for event in &events {
            let end = event.last_alarm_at + SignedDuration::from_hours(24);
            prop_assert_eq!(event.closes_at, end + quiet);
        }
        for (index, event) in events.iter().enumerate() {
            let series = event.id.as_str().split('@').next();
            let is_next = |next: &&Event| {
                next.direction == event.direction && next.id.as_str().split('@').next() == series
            };
            if let Some(next) = events[index + 1..].iter().find(is_next) {
                prop_assert!(next.started_at >= event.closes_at);
            }
        }
    }

    #[test]
    fn severity_of_an_event_never_falls(alarms in alarms()) {
        let mut book = AlertBook::new(policy());
        let mut highest = BTreeMap::new();
        for alarm in alarms {
            for update in book.report(alarm).unwrap() {
                let Some(event) = update.event() else { continue };
                let before = highest.insert(event.id.clone(), event.severity);
                prop_assert!(before.is_none_or(|before| before <= event.severity));
                if let Update::Escalated { by: Escalation::Severity, .. } = &update {
                    prop_assert!(before.is_some_and(|before| before < event.severity));
                }
            }
        }
    }
}
