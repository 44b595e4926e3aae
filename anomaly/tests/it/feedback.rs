//! What is normal after a person has said so, what was planned, and what remains to be told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; clippy allows that in test functions, not in their helpers"
)]

use bursar_anomaly::{
    Alarm, AlertBook, BookError, Culprit, DetectorKind, Direction, EventId, Feedback, Interval,
    Phase, PlannedEvent, Policy, SeriesFilter, Suppression, Update, Verdict, When,
};
use bursar_units::{Currency, Money, Quantum};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};

use DetectorKind::{MovingAverage, ZScore};

fn day(n: i64) -> Date {
    date(2026, 1, 1).checked_add(n.days()).unwrap()
}

fn start(n: i64) -> Timestamp {
    When::Day(day(n)).start()
}

/// A day that cost `actual` USD where 100 were expected.
fn alarm(kind: DetectorKind, n: i64, actual: i64, score: f64) -> Alarm {
    let verdict = Verdict {
        score,
        direction: Direction::Rise,
        actual: actual as f64,
        expected: 100.0,
        interval: Interval::around(100.0, 20.0),
    };
    let (when, cost) = (When::Day(day(n)), Money::new(actual.into(), Currency::USD));
    Alarm::of_cost("x", when, cost, kind, &verdict, Quantum::MINOR_UNIT).unwrap()
}

/// What became of an alarm: `None` when it was told or merged.
fn suppression(book: &mut AlertBook, alarm: Alarm) -> Option<Suppression> {
    let updates = book.report(alarm).unwrap();
    match updates.last().unwrap() {
        Update::Suppressed { reason, .. } => Some(*reason),
        Update::Opened(_) | Update::Escalated { .. } | Update::Continued(_) => None,
        other => panic!("{other:?}"),
    }
}

/// A book with one event of the first day, 200 instead of 100 with the score 0.9, on which that was
/// said on the second day.
fn book_with(feedback: Feedback) -> AlertBook {
    let mut book = AlertBook::new(Policy::daily());
    let _ = book.report(alarm(ZScore, 0, 200, 0.9)).unwrap();
    let id = book.open_events().next().unwrap().id.clone();
    let _ = book.feedback(&id, feedback, start(1)).unwrap();
    book
}

const EXPECTED: Option<Suppression> = Some(Suppression::Expected);
const FALSE_ALARM: Option<Suppression> = Some(Suppression::FalseAlarm);

#[test]
fn an_expected_level_is_normal_for_every_detector_and_more_than_it_is_not() {
    for kind in [ZScore, MovingAverage] {
        let mut book = book_with(Feedback::Expected);
        // A day after, 125 × 2^(−1/30) = 122.1 more than before is let pass.
        assert_eq!(suppression(&mut book, alarm(kind, 2, 222, 0.99)), EXPECTED);
        assert_eq!(suppression(&mut book, alarm(kind, 2, 223, 0.99)), None);
    }
}

#[test]
fn what_was_expected_once_is_not_expected_for_ever() {
    // Half of 125 after 30 days, a quarter after 60, nothing after 120.
    for (n, allowed) in [(31, 162), (61, 131)] {
        let mut book = book_with(Feedback::Expected);
        assert_eq!(
            suppression(&mut book, alarm(ZScore, n, allowed, 0.9)),
            EXPECTED
        );
        assert_eq!(
            suppression(&mut book, alarm(ZScore, n, allowed + 1, 0.9)),
            None
        );
    }
    let mut book = book_with(Feedback::Expected);
    assert_eq!(suppression(&mut book, alarm(ZScore, 121, 102, 0.9)), None);
}

#[test]
fn after_a_false_alarm_its_detector_needs_more_evidence() {
    let mut book = book_with(Feedback::FalseAlarm);
    // 0.9 is nine times the alarm line; 13.5 × 2^(−1/30) = 13.19 times is the bar: a score of 0.9295.
    assert_eq!(
        suppression(&mut book, alarm(ZScore, 2, 900, 0.929)),
        FALSE_ALARM
    );
    assert_eq!(suppression(&mut book, alarm(ZScore, 2, 900, 0.930)), None);
    let mut book = book_with(Feedback::FalseAlarm);
    assert_eq!(
        suppression(&mut book, alarm(MovingAverage, 2, 200, 0.6)),
        None
    );
}

#[test]
fn the_other_direction_is_not_excused() {
    for feedback in [Feedback::Expected, Feedback::FalseAlarm] {
        let mut book = book_with(feedback);
        assert_eq!(suppression(&mut book, alarm(ZScore, 2, 10, 0.9)), None);
    }
}

#[test]
fn a_confirmed_alarm_withdraws_what_was_said_before() {
    let mut book = book_with(Feedback::FalseAlarm);
    assert_eq!(suppression(&mut book, alarm(ZScore, 5, 300, 0.95)), None);
    let id = book.open_events().next().unwrap().id.clone();
    assert_eq!(book.feedback(&id, Feedback::Confirmed, start(6)), Ok(None));
    assert_eq!(book.event(&id).unwrap().phase, Phase::Open, "it stays open");
    assert_eq!(suppression(&mut book, alarm(ZScore, 20, 200, 0.7)), None);
}

#[test]
fn a_dismissed_event_closes_with_its_last_day_and_stays_closed() {
    let mut book = AlertBook::new(Policy::daily());
    let _ = book.report(alarm(ZScore, 0, 200, 0.9)).unwrap();
    let id = book.open_events().next().unwrap().id.clone();
    let closed = book.feedback(&id, Feedback::Expected, start(1)).unwrap();
    let Some(Update::Closed(event)) = closed else {
        panic!("it closes");
    };
    assert_eq!(event.closes_at, start(1));
    assert_eq!(event.feedback, Some(Feedback::Expected));
    // Another detector that sees more in the same day does not open it again.
    assert_eq!(
        suppression(&mut book, alarm(MovingAverage, 0, 900, 0.99)),
        EXPECTED
    );
    assert_eq!(book.open_events().count(), 0);
    // To say it again is no second closing.
    assert_eq!(book.feedback(&id, Feedback::Expected, start(1)), Ok(None));
}

#[test]
fn feedback_on_what_is_not_known_is_an_error() {
    let mut book = book_with(Feedback::Confirmed);
    for name in ["x@2026-01-02#1", "y@2026-01-01#1", "", "@"] {
        let id = EventId::from(name.to_owned());
        let unknown = Err(BookError::UnknownEvent(id.clone()));
        assert_eq!(book.feedback(&id, Feedback::Expected, start(1)), unknown);
    }
}

#[test]
fn what_is_planned_is_recorded_and_not_raised() {
    let plan = |filter: SeriesFilter| {
        let plan = PlannedEvent::new(start(10), start(12), "load test").unwrap();
        plan.of_series(filter)
    };
    let named = |name: &str| SeriesFilter::Named(name.to_owned());
    for (plan, n, is_planned) in [
        (plan(SeriesFilter::All), 9, false),
        (plan(SeriesFilter::All), 10, true),
        (plan(SeriesFilter::All), 11, true),
        (plan(SeriesFilter::All), 12, false),
        (plan(named("x")), 10, true),
        (plan(named("xy")), 10, false),
        (plan(SeriesFilter::Below("".to_owned())), 10, true),
        (plan(SeriesFilter::Below("x/".to_owned())), 10, false),
        (plan(named("x")).of_culprit("service", "EC2"), 10, true),
        (plan(named("x")).of_culprit("service", "S3"), 10, false),
        (plan(named("x")).of_culprit("region", "EC2"), 10, false),
    ] {
        let mut book = AlertBook::new(Policy::daily());
        book.plan(plan.clone());
        let alarm = alarm(ZScore, n, 300, 0.9).caused_by([Culprit::service("EC2")]);
        let updates = book.report(alarm.clone()).unwrap();
        let note = "load test".to_owned();
        let expected = Update::Planned { alarm, note };
        assert_eq!(updates == [expected], is_planned, "{plan:?} on day {n}");
        assert_eq!(book.open_events().count(), usize::from(!is_planned));
    }
}

#[test]
fn plans_are_forgotten_after_their_time() {
    let mut book = AlertBook::new(Policy::daily());
    book.plan(PlannedEvent::new(start(10), start(12), "load test").unwrap());
    let _ = book.advance(start(100));
    assert_eq!(book.plans().len(), 1);
    let _ = book.advance(start(102));
    assert_eq!(book.plans().len(), 0);
    let error = PlannedEvent::new(start(1), start(1), "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a plan from 2026-01-02T00:00:00Z until 2026-01-02T00:00:00Z has no time in it: pass an \
         end after the begin",
    );
}

#[test]
#[cfg(feature = "serde")]
fn what_was_learned_and_planned_is_saved() {
    let mut book = book_with(Feedback::FalseAlarm);
    book.plan(PlannedEvent::new(start(10), start(12), "load test").unwrap());
    let json = serde_json::to_string(&book).unwrap();
    let mut read: AlertBook = serde_json::from_str(&json).unwrap();
    assert_eq!(read, book);
    assert_eq!(
        suppression(&mut read, alarm(ZScore, 2, 900, 0.9)),
        FALSE_ALARM
    );
    let damaged = json.replace("2026-01-13T00:00:00Z", "2026-01-01T00:00:00Z");
    assert_ne!(damaged, json);
    assert!(serde_json::from_str::<AlertBook>(&damaged).is_err());
}
