//! Does everything that is remembered survive a restart, and is what is damaged refused?

use bursar_risk::{
    Appeal, Code, Effect, Entry, Event, Finding, HostingNetworks, Listed, Lists, Monitor, Record,
    RuleSet, Signal, Standing, Subject, Verdict,
};
use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millisecond).unwrap()
}

fn events() -> impl Strategy<Value = Vec<(u8, Event)>> {
    let event = (
        (0..6_u8, 0..90_000_000_i64, 0..40_u32, 0..6_u32, 0..4_u64),
        (
            0..5_000_u64,
            prop::option::of(0..9_000_000_i64),
            any::<bool>(),
        ),
    );
    type Parts = ((u8, i64, u32, u32, u64), (u64, Option<i64>, bool));
    let step = |parts: Parts| {
        let ((account, gap, address, network, client), (tokens, spend, is_located)) = parts;
        let mut event = Event::new(Timestamp::UNIX_EPOCH);
        event.address = Some(std::net::Ipv4Addr::from_bits(0x0a00_0000 + address).into());
        // One of them is hosting.
        event.network = is_located.then_some(16_505 + network);
        let countries = ["DE", "JP", "US", "BR"];
        let country = countries[client as usize % 4];
        event.country = is_located.then(|| Code::new(country).unwrap());
        event.client = Some(client);
        event.tokens = tokens;
        event.spend = spend.map(|micro| Decimal::new(micro, 6));
        event.account_created = Some(at(-1_000_000_000));
        (account, gap, event)
    };
    prop::collection::vec(event.prop_map(step), 2..120).prop_map(|steps| {
        let mut now = 0;
        let place = |(account, gap, mut event): (u8, i64, Event)| {
            // Now and then an event comes late by up to a day.
            now += gap / 4;
            let is_late = gap % 7 == 0;
            event.at = at(now - if is_late { gap } else { 0 });
            (account, event)
        };
        steps.into_iter().map(place).collect()
    })
}

/// Judges each event after it was taken in, as a service does, and returns all that came out.
fn serve(monitor: &mut Monitor, events: &[(u8, Event)]) -> Vec<String> {
    let rules = RuleSet::standard();
    let holding = *monitor.holding();
    let mut seen = Vec::new();
    for (account, event) in events {
        let name = format!("account-{account}");
        if monitor.observe(&name, event).is_err() {
            seen.push("full".to_owned());
            continue;
        }
        let context = monitor.context(&name, event.at).unwrap();
        let standing = monitor.standing(&name).unwrap();
        let decision = rules.evaluate(&context).hold(standing, &holding, event.at);
        let bits = |signal| context.number(signal).map(f64::to_bits);
        let signals: Vec<_> = rules.vocabulary().signals().map(bits).collect();
        let (verdict, held) = (decision.verdict(), decision.held_score().to_bits());
        seen.push(format!(
            "{signals:?} {verdict} {held} {:?}",
            monitor.addresses(&name, event.at)
        ));
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_monitor_that_was_saved_goes_on_bit_for_bit_the_same(events in events(), cut in 0.0..1.0) {
        let cut = (events.len() as f64 * cut) as usize;
        // Room for four of six accounts, so that some are forgotten.
        let mut kept = Monitor::new(4);
        let _ = serve(&mut kept, &events[..cut]);
        let text = serde_json::to_string(&kept).unwrap();
        let mut loaded: Monitor = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string(&loaded).unwrap(), text);
        prop_assert_eq!(serve(&mut loaded, &events[cut..]), serve(&mut kept, &events[cut..]));
        let (loaded, kept) = (serde_json::to_string(&loaded), serde_json::to_string(&kept));
        prop_assert_eq!(loaded.unwrap(), kept.unwrap());
    }
}

fn busy() -> (Monitor, Vec<(u8, Event)>) {
    let events: Vec<(u8, Event)> = (0..400_u32)
        .map(|number| {
            let mut event = Event::new(at(i64::from(number) * 7_200_000));
            event.address = Some(std::net::Ipv4Addr::from_bits(number).into());
            event.network = Some(64_500 + number % 5);
            event.country = Some(Code::new(["DE", "JP"][number as usize % 2]).unwrap());
            event.client = Some(u64::from(number % 3));
            event.tokens = 900;
            event.spend = Some(Decimal::ONE);
            (0, event)
        })
        .collect();
    let settings = bursar_risk::SignalSettings {
        hosting: HostingNetworks::new([64_501]),
        unique_window: std::time::Duration::from_secs(864_000),
        ..bursar_risk::SignalSettings::default()
    };
    let mut monitor = Monitor::with_settings(4, settings, bursar_risk::Holding::default());
    let _ = serve(&mut monitor, &events[..300]);
    (monitor, events)
}

/// The paths of all values in a JSON tree.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Array(items) => {
            // The first few of a list stand for all.
            for (index, item) in items.iter().take(3).enumerate() {
                paths(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                paths(item, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Every value of a saved monitor in turn is replaced by what cannot stand there: that is an error, or
/// the monitor that is loaded works on.
#[test]
fn a_damaged_monitor_is_refused_or_works_on_without_a_panic() {
    let (monitor, events) = busy();
    let state = serde_json::to_value(&monitor).unwrap();
    let mut places = Vec::new();
    paths(&state, "", &mut places);
    let wrongs = [
        "-1",
        "1e308",
        "9223372036854775807",
        "-9223372036854775808",
        "[]",
        "null",
    ];
    let (mut refused, mut loaded) = (0, 0);
    for place in &places {
        for wrong in wrongs {
            let mut damaged = state.clone();
            *damaged.pointer_mut(place).unwrap() = serde_json::from_str(wrong).unwrap();
            match serde_json::from_str::<Monitor>(&damaged.to_string()) {
                Err(_) => refused += 1,
                Ok(mut monitor) => {
                    loaded += 1;
                    let _ = serve(&mut monitor, &events[300..310]);
                    let saved = serde_json::to_string(&monitor).unwrap();
                    assert!(
                        serde_json::from_str::<Monitor>(&saved).is_ok(),
                        "{place} {wrong}"
                    );
                }
            }
        }
    }
    assert!(refused > 4 * loaded, "{refused} refused, {loaded} loaded");
}

#[test]
fn a_monitor_of_another_format_or_with_an_account_twice_is_refused() {
    let (monitor, _) = busy();
    let mut state = serde_json::to_value(&monitor).unwrap();
    let load = |state: &Value| serde_json::from_value::<Monitor>(state.clone());
    assert!(load(&state).is_ok());
    let account = state["accounts"][0].clone();
    state["accounts"].as_array_mut().unwrap().push(account);
    assert!(load(&state).unwrap_err().to_string().contains("twice"));
    state["accounts"].as_array_mut().unwrap().pop();
    state["settings"]["unique_ips"] = 9.into();
    assert!(load(&state).unwrap_err().to_string().contains("settings"));
    state["format"] = 2.into();
    assert!(load(&state).unwrap_err().to_string().contains("format 2"));
}

fn entry(effect: Effect, expires: Option<Timestamp>) -> Entry {
    Entry {
        effect,
        owner: "trust".into(),
        reason: "known".into(),
        expires,
    }
}

#[test]
fn lists_keep_their_entries_and_ends_and_refuse_one_that_stands_twice() {
    let mut lists = Lists::default();
    let listed = [
        Listed::Account("acme".into()),
        Listed::Address("192.0.2.7".parse().unwrap()),
        Listed::Address("2001:db8:1:2:3::".parse().unwrap()),
        Listed::Network(64_500),
    ];
    for listed in listed {
        lists.insert(listed.clone(), entry(Effect::Allow, None));
        lists.insert(listed, entry(Effect::Deny, Some(at(1_000))));
    }
    let text = serde_json::to_string(&lists).unwrap();
    let loaded: Lists = serde_json::from_str(&text).unwrap();
    assert_eq!(loaded, lists);
    let subject = Subject {
        address: Some("2001:db8:1:2::9".parse().unwrap()),
        ..Subject::default()
    };
    let effect = |now| loaded.find(&subject, now).map(|entry| entry.effect);
    assert_eq!(effect(at(999)), Some(Effect::Deny));
    assert_eq!(effect(at(1_000)), Some(Effect::Allow));
    let mut state: Value = serde_json::from_str(&text).unwrap();
    let first = state["entries"][0].clone();
    state["entries"].as_array_mut().unwrap().push(first);
    assert!(serde_json::from_value::<Lists>(state).is_err());
}

#[test]
fn an_appeal_goes_on_after_a_restart_and_ends_when_it_would_have() {
    let rules = RuleSet::standard();
    let context = bursar_risk::Context::new()
        .with(Signal::UNIQUE_IPS, 11.0)
        .with(Signal::USAGE_ANOMALY, 0.9);
    let blocked = rules.evaluate(&context);
    let record = Record::of(&blocked, "acme", at(0));
    let mut appeal = Appeal::grant(record, "ann", "a conference", at(0), at(1_000)).unwrap();
    let text = serde_json::to_string(&appeal).unwrap();
    let loaded: Appeal = serde_json::from_str(&text).unwrap();
    assert_eq!(loaded, appeal);
    let verdict = |now| rules.evaluate(&context).appeal(&loaded, now).verdict();
    assert_eq!(
        (verdict(at(999)), verdict(at(1_000))),
        (Verdict::Review, Verdict::Block)
    );
    appeal.decide(Finding::Overturned);
    let text = serde_json::to_string(&appeal).unwrap();
    let loaded: Appeal = serde_json::from_str(&text).unwrap();
    assert_eq!(loaded.label(), Some(false));
}

#[test]
fn a_standing_is_saved_whole_and_refused_with_a_score_below_zero() {
    let mut standing = Standing::default();
    let rules = RuleSet::standard();
    let holding = bursar_risk::Holding::default();
    let _ = standing.update(90, rules.thresholds(None), &holding, at(0));
    let text = serde_json::to_string(&standing).unwrap();
    assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
    let damaged = text.replace("90.0", "-90.0");
    assert!(serde_json::from_str::<Standing>(&damaged).is_err());
}
