//! Does the model tell rings from fleets, in worlds that it has not seen?

use bursar_risk::synthetic::{Kind, generate};
use bursar_risk::{Context, Example, Model, Monitor, Signal};

/// The last context of each account, with its kind.
fn contexts(seed: u64) -> Vec<(Kind, Context)> {
    let mut monitor = Monitor::new(1000);
    let mut last: std::collections::BTreeMap<u32, (Kind, Context)> =
        std::collections::BTreeMap::new();
    for labeled in generate(seed, 150) {
        let name = labeled.account.to_string();
        monitor.observe(&name, &labeled.event).unwrap();
        let context = monitor.context(&name, labeled.event.at).unwrap();
        let worse = last.get(&labeled.account).is_none_or(|(_, before)| {
            let spread = |context: &Context| context.number(Signal::CONCURRENT_NETWORKS);
            spread(&context) >= spread(before)
        });
        if worse {
            last.insert(labeled.account, (labeled.kind, context));
        }
    }
    last.into_values().collect()
}

#[test]
fn a_ring_looks_worse_than_a_fleet_in_an_unseen_world() {
    let mut history = Vec::new();
    for seed in [11, 12, 13] {
        history.extend(contexts(seed).into_iter().map(|(kind, context)| Example {
            context,
            is_abused: kind.is_abused(),
            weight: 1.0,
        }));
    }
    let model = Model::train(1, &history).unwrap();
    let unseen = contexts(99);
    let mean = |of: Kind| {
        let odds: Vec<f64> = unseen
            .iter()
            .filter(|(kind, _)| *kind == of)
            .map(|(_, context)| model.log_odds(context))
            .collect();
        odds.iter().sum::<f64>() / odds.len() as f64
    };
    let (ring, fleet) = (mean(Kind::ResellerRing), mean(Kind::CiFleet));
    let vpn_user = mean(Kind::VpnUser);
    assert!(ring > fleet + 2.0, "{ring} {fleet}");
    assert!(ring > vpn_user + 1.0, "{ring} {vpn_user}");
}

#[cfg(feature = "serde")]
#[test]
fn a_saved_model_answers_the_same_and_a_damaged_one_is_refused() {
    let history: Vec<Example> = (0..60)
        .map(|number| Example {
            context: Context::new().with(Signal::NETWORK_SPREAD, f64::from(number)),
            is_abused: number > 30,
            weight: 1.0,
        })
        .collect();
    let model = Model::train(3, &history).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
    for (right, wrong) in [
        ("network_spread", "network_spraed"),
        ("\"format\":1", "\"format\":2"),
    ] {
        assert!(serde_json::from_str::<Model>(&text.replace(right, wrong)).is_err());
    }
}
