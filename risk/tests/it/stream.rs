//! What do events say that come late, or not at all?

use std::time::Duration;

use bursar_risk::{
    Code, Event, Holding, Monitor, RuleSet, Signal, SignalSettings, Standing, Thresholds, Verdict,
};
use jiff::Timestamp;

const HOUR: i64 = 3_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn monitor() -> Monitor {
    let settings = SignalSettings {
        unique_ips: 3,
        ..SignalSettings::default()
    };
    Monitor::with_settings(10, settings, Holding::default())
}

fn from(second: i64, address: u8, country: &str) -> Event {
    Event {
        address: Some([192, 0, 2, address].into()),
        country: Some(Code::new(country).unwrap()),
        network: Some(64_500 + u32::from(address)),
        client: Some(7),
        tokens: 100,
        ..Event::new(at(second))
    }
}

/// Whole hours, so that no bucket is shared by what is compared.
#[test]
fn late_events_count_in_the_windows_in_which_they_lie() {
    let events = [
        from(0, 1, "DE"),
        from(5 * HOUR, 2, "DE"),
        from(9 * HOUR, 3, "FR"),
        from(9 * HOUR + 10, 1, "DE"),
    ];
    let signals = |order: &[usize]| {
        let mut monitor = monitor();
        for &index in order {
            monitor.observe("a", &events[index]).unwrap();
        }
        let context = monitor.context("a", at(9 * HOUR + 20)).unwrap();
        [
            Signal::UNIQUE_IPS,
            Signal::UNIQUE_NETWORKS,
            Signal::TOKENS_PER_MINUTE,
            Signal::REQUESTS_PER_HOUR,
            Signal::SPEND_PER_DAY,
            Signal::ACTIVE_HOURS,
            Signal::CONCURRENT_SESSIONS,
        ]
        .map(|signal| context.number(signal))
    };
    let in_order = signals(&[0, 1, 2, 3]);
    assert_eq!(in_order[0], Some(3.0));
    assert_eq!(in_order[2], Some(200.0));
    for late in [[0, 2, 1, 3], [0, 3, 1, 2], [3, 2, 1, 0]] {
        assert_eq!(signals(&late), in_order, "{late:?}");
    }
}

#[test]
fn an_event_that_lies_before_its_window_changes_nothing_in_it() {
    let mut monitor = monitor();
    monitor.observe("a", &from(48 * HOUR, 1, "DE")).unwrap();
    let before = monitor.context("a", at(48 * HOUR)).unwrap();
    monitor.observe("a", &from(0, 2, "DE")).unwrap();
    let after = monitor.context("a", at(48 * HOUR)).unwrap();
    for signal in [
        Signal::UNIQUE_IPS,
        Signal::TOKENS_PER_MINUTE,
        Signal::REQUESTS_PER_HOUR,
        Signal::ACTIVE_HOURS,
        Signal::CONCURRENT_SESSIONS,
    ] {
        assert_eq!(after.number(signal), before.number(signal), "{signal:?}");
    }
}

/// Berlin, a day later Tokyo, and then a request from Berlin is told late: nobody flew twice.
#[test]
fn a_late_event_is_not_where_the_account_is_now() {
    let mut monitor = monitor();
    monitor.observe("a", &from(0, 1, "DE")).unwrap();
    monitor.observe("a", &from(24 * HOUR, 2, "JP")).unwrap();
    monitor.observe("a", &from(HOUR, 1, "DE")).unwrap();
    monitor
        .observe("a", &from(24 * HOUR + 60, 2, "JP"))
        .unwrap();
    let context = monitor.context("a", at(24 * HOUR + 60)).unwrap();
    assert_eq!(context.number(Signal::IMPOSSIBLE_TRAVELS), Some(0.0));
}

#[test]
fn a_place_that_is_not_a_number_is_no_place() {
    let mut monitor = monitor();
    let mut event = from(0, 1, "DE");
    event.place = Some(bursar_risk::Place {
        latitude: f64::NAN,
        longitude: 0.0,
        error_km: 0.0,
    });
    monitor.observe("a", &event).unwrap();
    monitor.observe("a", &from(60, 2, "JP")).unwrap();
    let context = monitor.context("a", at(60)).unwrap();
    assert_eq!(context.number(Signal::IMPOSSIBLE_TRAVELS), Some(1.0));
}

/// 80 points fade to 60, the block's threshold less the margin, after 6 h × log2(80 / 60) = 2.49 h,
/// and to 30, where REVIEW ends, after 6 h × log2(80 / 30) = 8.49 h.
#[test]
fn a_standing_softens_when_the_faded_score_has_left_the_margin() {
    let (holding, thresholds) = (Holding::default(), Thresholds::default());
    let verdict = |seconds: i64| {
        let mut standing = Standing::default();
        let _ = standing.update(80, thresholds, &holding, at(0));
        standing
            .update(0, thresholds, &holding, at(seconds))
            .verdict
    };
    assert_eq!(verdict(8_900), Verdict::Block);
    assert_eq!(verdict(9_000), Verdict::Review);
    assert_eq!(verdict(30_500), Verdict::Review);
    assert_eq!(verdict(30_600), Verdict::Allow);
}

#[test]
fn without_a_half_life_and_a_margin_nothing_is_remembered() {
    let holding = Holding {
        half_life: Duration::ZERO,
        margin: 0,
    };
    let mut standing = Standing::default();
    let thresholds = Thresholds::default();
    let _ = standing.update(155, thresholds, &holding, at(0));
    let held = standing.update(0, thresholds, &holding, at(1));
    assert_eq!((held.score, held.verdict), (0.0, Verdict::Allow));
}

/// Whether a standing is asked in between makes no difference to what it has become.
#[test]
fn idle_time_softens_a_verdict_as_much_as_asking_does() {
    let (holding, thresholds) = (Holding::default(), Thresholds::default());
    let mut asked = Standing::default();
    let _ = asked.update(80, thresholds, &holding, at(0));
    let mut idle = asked;
    for hour in 1..48 {
        let _ = asked.update(0, thresholds, &holding, at(hour * HOUR));
    }
    let now = at(48 * HOUR);
    let after = |standing: &mut Standing| standing.update(65, thresholds, &holding, now).verdict;
    assert_eq!(after(&mut asked), Verdict::Review);
    assert_eq!(after(&mut idle), Verdict::Review);
}

#[test]
fn a_blocked_account_that_never_returns_makes_room_when_its_score_has_faded() {
    let mut monitor = Monitor::new(1);
    let holding = *monitor.holding();
    monitor.observe("gone", &from(0, 1, "DE")).unwrap();
    let thresholds = RuleSet::standard().thresholds(None);
    let standing = monitor.standing("gone").unwrap();
    let _ = standing.update(155, thresholds, &holding, at(0));
    assert!(monitor.observe("next", &from(HOUR, 1, "DE")).is_err());
    // 155 points are under one after 6 h × log2(155) = 43.7 h.
    assert!(monitor.observe("next", &from(43 * HOUR, 1, "DE")).is_err());
    assert!(monitor.observe("next", &from(44 * HOUR, 1, "DE")).is_ok());
}
