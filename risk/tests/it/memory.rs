//! Is memory bounded, and is nobody with an active score forgotten?

use bursar_risk::{Code, Event, Monitor, RuleSet, Signal, Verdict};
use jiff::Timestamp;

fn event(second: i64) -> Event {
    Event {
        tokens: 100,
        ..Event::new(Timestamp::from_second(1_800_000_000 + second).unwrap())
    }
}

#[test]
fn a_flood_of_new_accounts_does_not_launder_a_score() {
    let mut monitor = Monitor::new(100);
    let rules = RuleSet::standard();
    for number in 0..11 {
        let address = format!("192.0.2.{number}").parse().unwrap();
        let mut event = event(number);
        event.address = Some(address);
        event.tokens = 2000;
        monitor.observe("ring", &event).unwrap();
    }
    let now = event(11).at;
    let context = monitor.context("ring", now).unwrap();
    let holding = *monitor.holding();
    let decision = rules.evaluate(&context);
    let decision = decision.hold(monitor.standing("ring").unwrap(), &holding, now);
    assert_eq!(decision.verdict(), Verdict::Block);
    for number in 0..10_000 {
        monitor
            .observe(&format!("flood-{number}"), &event(12))
            .unwrap();
    }
    assert_eq!(monitor.len(), 100);
    assert_eq!(monitor.standing("ring").unwrap().verdict(), Verdict::Block);
}

#[test]
fn two_countries_in_ten_minutes_are_impossible_unless_one_is_hosting() {
    let travel = |network| {
        let mut monitor = Monitor::new(10);
        let stops = [("DE", 3320), ("JP", network)];
        for (minute, (country, network)) in (0..).zip(stops) {
            let mut event = event(minute * 600);
            event.country = Some(Code::new(country).unwrap());
            event.network = Some(network);
            monitor.observe("a", &event).unwrap();
        }
        let context = monitor.context("a", event(600).at).unwrap();
        context.number(Signal::TRAVEL_KMH).unwrap()
    };
    assert!(travel(2516) > 900.0);
    assert_eq!(travel(16_509), 0.0);
}
