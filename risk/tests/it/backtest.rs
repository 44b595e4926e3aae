//! Does a back-test say who changes, what each rule is worth, and what hits are worth together?

use bursar_risk::{
    Action, Backtest, Change, Confusion, Context, Mode, NoisyOr, Record, Recorded, Rule, RuleSet,
    Signal, TrainError, Verdict, recall_at, threshold_at,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn recorded(account: &str, ips: f64, tokens: f64, is_abused: Option<bool>) -> Recorded {
    Recorded {
        account: account.to_owned(),
        context: Context::new()
            .with(Signal::UNIQUE_IPS, ips)
            .with(Signal::TOKENS_PER_MINUTE, tokens),
        is_abused,
    }
}

fn rule(name: &str, signal: Signal, points: u32) -> Rule {
    Rule::new(name, signal.above(10.0), points, Action::Block)
}

#[test]
fn a_back_test_names_who_changes_and_counts_each_rule_against_the_labels() {
    let before = RuleSet::new("before", 1, [rule("ips", Signal::UNIQUE_IPS, 70)]).unwrap();
    let after = [
        rule("ips", Signal::UNIQUE_IPS, 40),
        rule("tokens", Signal::TOKENS_PER_MINUTE, 30),
        rule("spend", Signal::SPEND_PER_DAY, 70).mode(Mode::Off),
        rule("velocity", Signal::TOKENS_PER_MINUTE, 70).mode(Mode::Shadow),
    ];
    let after = RuleSet::new("after", 2, after).unwrap();
    let history = [
        recorded("ring", 20.0, 50.0, Some(true)),
        recorded("office", 20.0, 5.0, Some(false)),
        recorded("home", 2.0, 50.0, Some(false)),
        recorded("unknown", 20.0, 5.0, None),
    ];
    let result = Backtest::run(&before, &after, &history);
    let change = |account: &str, is_abused| Change {
        account: account.to_owned(),
        before: Verdict::Block,
        after: Verdict::Review,
        is_abused,
    };
    let expected = [change("office", Some(false)), change("unknown", None)];
    assert_eq!(result.changes, expected);
    let counts = |cells: [usize; 4]| Confusion {
        true_positives: cells[0],
        false_positives: cells[1],
        false_negatives: cells[2],
        true_negatives: cells[3],
    };
    assert_eq!(result.before, counts([1, 1, 0, 1]));
    assert_eq!(result.after, counts([1, 0, 0, 2]));
    let hits = |set, name: &str| result.hits.get(&(set, name.to_owned())).copied();
    assert_eq!(hits(0, "ips"), Some(counts([1, 1, 0, 1])));
    assert_eq!(hits(1, "velocity"), Some(counts([1, 1, 0, 1])));
    assert_eq!(hits(1, "spend"), None);
    assert_eq!(result.triggered[&(1, "ips".to_owned())], 3);
    assert!(!result.triggered.contains_key(&(1, "velocity".to_owned())));
}

#[test]
fn what_cannot_be_known_has_no_rate() {
    let nothing = Confusion::default();
    assert_eq!(nothing.precision(), None);
    assert_eq!(nothing.recall(), None);
    assert_eq!(nothing.false_positive_rate(), None);
    assert_eq!(recall_at(&[(1.0, true)], 0.01), None);
    // Both good ones tie with the abused one: no threshold spares them.
    let tied = [(1.0, true), (1.0, false), (1.0, false)];
    assert_eq!(threshold_at(&tied, 0.4), Some(f64::INFINITY));
    assert_eq!(recall_at(&tied, 0.4), Some(0.0));
}

proptest! {
    /// Against trying each score as a threshold.
    #[test]
    fn recall_at_a_rate_is_that_of_the_best_threshold(
        scored in prop::collection::vec((0..12_u8, any::<bool>()), 2..60),
        rate in 0.0..1.0,
    ) {
        let scored: Vec<(f64, bool)> = scored.into_iter().map(|(s, b)| (f64::from(s), b)).collect();
        let bad = scored.iter().filter(|(_, bad)| *bad).count();
        let good = scored.len() - bad;
        prop_assume!(bad > 0 && good > 0);
        let caught = |threshold: f64, of: bool| {
            scored.iter().filter(|(score, bad)| *bad == of && *score >= threshold).count() as f64
        };
        let best = (0..=12)
            .map(f64::from)
            .filter(|&threshold| caught(threshold, false) <= rate * good as f64)
            .map(|threshold| caught(threshold, true) / bad as f64)
            .fold(0.0, f64::max);
        prop_assert!((recall_at(&scored, rate).unwrap() - best).abs() < 1e-12);
    }

    /// What a record keeps is the context, so rules can be tried on audit records.
    #[test]
    fn a_record_gives_its_context_back_bit_for_bit(value in any::<f64>(), other in -1.0..1.0) {
        let rules = RuleSet::standard();
        let country = bursar_risk::Code::new("DE").unwrap();
        let context = Context::new()
            .with(Signal::TOKENS_PER_MINUTE, value)
            .with(Signal::USAGE_ANOMALY, other)
            .with_code(Signal::COUNTRY, country);
        let record = Record::of(&rules.evaluate(&context), "acme", Timestamp::UNIX_EPOCH);
        prop_assert_eq!(record.context(rules.vocabulary()).unwrap(), context);
    }
}

#[test]
fn a_record_with_an_unknown_signal_or_a_value_of_another_kind_gives_no_context() {
    let rules = RuleSet::standard();
    let context = Context::new().with(Signal::UNIQUE_IPS, 3.0);
    let mut record = Record::of(&rules.evaluate(&context), "acme", Timestamp::UNIX_EPOCH);
    for (name, value) in [
        ("unique_ipz", "3"),
        ("unique_ips", "many"),
        ("unique_ips", "NaN"),
    ] {
        record.signals = vec![(name.to_owned(), value.to_owned())];
        let error = record.context(rules.vocabulary()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_consumer_is_told_each_notice_once_and_no_numbers() {
    let told = "Your plan is for one person.";
    let rules = [
        rule("ips", Signal::UNIQUE_IPS, 50).notice(told),
        rule("tokens", Signal::TOKENS_PER_MINUTE, 30).notice(told),
        rule("spend", Signal::SPEND_PER_DAY, 30),
    ];
    let rules = RuleSet::new("s", 1, rules).unwrap();
    let context = recorded("a", 20.0, 50.0, None)
        .context
        .with(Signal::SPEND_PER_DAY, 50.0);
    let record = Record::of(&rules.evaluate(&context), "a", Timestamp::UNIX_EPOCH);
    assert_eq!((record.triggered.len(), record.notices()), (3, vec![told]));
}

/// So many records with these addresses and tokens, so many of them abused.
fn records(ips: f64, tokens: f64, all: usize, abused: usize) -> Vec<Recorded> {
    let one = |number| recorded("", ips, tokens, Some(number < abused));
    (0..all).map(one).collect()
}

fn probability(learned: &NoisyOr, rules: &RuleSet, ips: f64, tokens: f64) -> f64 {
    let context = recorded("", ips, tokens, None).context;
    learned.probability(&rules.evaluate(&context))
}

/// With causes of 0.6 and 0.5 and a leak of 0.1, by hand: 1 − 0.9 × 0.4 = 0.64, 1 − 0.9 × 0.5 = 0.55
/// and 1 − 0.9 × 0.4 × 0.5 = 0.82.
#[test]
fn causes_that_act_apart_are_found_again() {
    let two = [
        rule("ips", Signal::UNIQUE_IPS, 50),
        rule("tokens", Signal::TOKENS_PER_MINUTE, 30),
    ];
    let rules = RuleSet::new("s", 1, two).unwrap();
    let mut history = records(1.0, 1.0, 10_000, 1_000);
    history.extend(records(20.0, 1.0, 1_000, 640));
    history.extend(records(1.0, 20.0, 1_000, 550));
    history.extend(records(20.0, 20.0, 1_000, 820));
    let learned = NoisyOr::learn(1, &rules, &history).unwrap();
    assert!((learned.leak() - 0.1).abs() < 0.002);
    assert!((learned.cause("ips").unwrap() - 0.6).abs() < 0.002);
    assert!((learned.cause("tokens").unwrap() - 0.5).abs() < 0.002);
    assert!((probability(&learned, &rules, 20.0, 20.0) - 0.82).abs() < 0.002);
}

/// Two rules over one signal hit for the same 100 accounts, of which 80 are abused. Their precisions
/// multiplied would say 1 − 0.2 × 0.2 = 0.96.
#[test]
fn hits_that_go_together_are_not_counted_twice() {
    let twice = [
        rule("one", Signal::UNIQUE_IPS, 50),
        rule("other", Signal::UNIQUE_IPS, 50),
        rule("never", Signal::TOKENS_PER_MINUTE, 50),
    ];
    let rules = RuleSet::new("s", 1, twice).unwrap();
    let mut history = records(20.0, 1.0, 100, 80);
    history.extend(records(1.0, 1.0, 900, 45));
    let learned = NoisyOr::learn(1, &rules, &history).unwrap();
    assert!((probability(&learned, &rules, 20.0, 1.0) - 0.8).abs() < 0.01);
    // A rule that never hit is worth the rate of abuse, 125 of 1000.
    assert!((learned.cause("never").unwrap() - 0.125).abs() < 1e-9);
    let few = NoisyOr::learn(1, &rules, &history[..90]);
    assert!(matches!(
        few,
        Err(TrainError::TooFew {
            good: 10,
            bad: 80,
            ..
        })
    ));
}

#[cfg(feature = "serde")]
#[test]
fn learned_causes_are_saved_and_refused_when_they_are_no_probabilities() {
    let rules = RuleSet::standard();
    let mut history = records(20.0, 1.0, 100, 80);
    history.extend(records(1.0, 1.0, 100, 5));
    let learned = NoisyOr::learn(1, &rules, &history).unwrap();
    let mut state = serde_json::to_value(&learned).unwrap();
    assert_eq!(
        serde_json::from_value::<NoisyOr>(state.clone()).unwrap(),
        learned
    );
    state["leak"] = (1.5).into();
    assert!(serde_json::from_value::<NoisyOr>(state).is_err());
}
