//! Who is found on a list, until when, and what does the plan change?

use bursar_risk::{
    Action, Code, Context, Effect, Entry, Listed, Lists, Policy, Rule, RuleSet, Signal, Subject,
    Thresholds, Verdict,
};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn entry(effect: Effect, expires: Option<i64>) -> Entry {
    Entry {
        effect,
        owner: "trust".into(),
        reason: "known".into(),
        expires: expires.map(at),
    }
}

#[test]
fn an_entry_is_void_from_its_end_on_and_uncovers_what_it_hid() {
    let mut lists = Lists::default();
    let acme = || Listed::Account("acme".into());
    lists.insert(acme(), entry(Effect::Allow, None));
    lists.insert(acme(), entry(Effect::Watch, Some(200)));
    lists.insert(acme(), entry(Effect::Deny, Some(100)));
    let subject = Subject {
        account: Some("acme"),
        ..Subject::default()
    };
    let effect = |lists: &Lists, second| lists.find(&subject, at(second)).map(|found| found.effect);
    assert_eq!(effect(&lists, 99), Some(Effect::Deny));
    assert_eq!(effect(&lists, 100), Some(Effect::Watch));
    assert_eq!(effect(&lists, 200), Some(Effect::Allow));
    lists.forget_expired(at(150));
    assert_eq!(lists.entries().count(), 2);
    // What was forgotten is gone, even for those who ask about the past.
    assert_eq!(effect(&lists, 99), Some(Effect::Watch));
}

#[test]
fn a_later_entry_of_one_effect_takes_the_place_of_the_earlier() {
    let mut lists = Lists::default();
    lists.insert(Listed::Network(64_500), entry(Effect::Deny, Some(100)));
    lists.insert(Listed::Network(64_500), entry(Effect::Deny, None));
    let subject = Subject {
        network: Some(64_500),
        ..Subject::default()
    };
    assert!(lists.find(&subject, at(1_000)).is_some());
    let removed = lists.remove(&Listed::Network(64_500), Effect::Deny);
    assert_eq!(removed, Some(entry(Effect::Deny, None)));
    assert_eq!(lists.find(&subject, at(0)), None);
}

#[test]
fn each_tier_has_its_thresholds_and_others_have_those_for_all() {
    let tier = |name: &str| Code::new(name).unwrap();
    let thresholds = |review, block| Thresholds { review, block };
    let rules = RuleSet::standard()
        .with_tier(tier("free"), thresholds(30, 50))
        .and_then(|rules| rules.with_tier(tier("trusted"), thresholds(60, 100)))
        .unwrap();
    // 50 points of sharing; 80 with velocity.
    let verdict = |name: Option<&str>, tokens: f64| {
        let mut context = Context::new()
            .with(Signal::UNIQUE_IPS, 11.0)
            .with(Signal::TOKENS_PER_MINUTE, tokens);
        if let Some(name) = name {
            context.set_code(Signal::TIER, tier(name));
        }
        rules.evaluate(&context).verdict()
    };
    let cases = [
        (Some("free"), 0.0, Verdict::Block),
        (Some("pro"), 0.0, Verdict::Review),
        (None, 0.0, Verdict::Review),
        (Some("trusted"), 0.0, Verdict::Allow),
        (Some("trusted"), 2_000.0, Verdict::Review),
        (Some("pro"), 2_000.0, Verdict::Block),
    ];
    for (name, tokens, expected) in cases {
        assert_eq!(verdict(name, tokens), expected, "{name:?} {tokens}");
    }
    assert!(rules.with_tier(tier("free"), thresholds(1, 2)).is_err());
}

/// Under `Strictest` an action counts in a tier whose thresholds the score does not reach, in shadow it
/// does not, and for who is allowed it does not.
#[test]
fn the_policy_and_the_tier_decide_together() {
    let block = Rule::new("shared", Signal::UNIQUE_IPS.above(10.0), 1, Action::Block);
    let trusted = Code::new("trusted").unwrap();
    let high = Thresholds {
        review: 900,
        block: 1_000,
    };
    let set = |rule: Rule, policy| {
        let rules = RuleSet::new("s", 1, [rule]).unwrap().with_policy(policy);
        rules.with_tier(trusted, high).unwrap()
    };
    let context = Context::new()
        .with(Signal::UNIQUE_IPS, 11.0)
        .with_code(Signal::TIER, trusted);
    let verdict = |rules: &RuleSet| rules.evaluate(&context).verdict();
    let strictest = set(block.clone(), Policy::Strictest);
    assert_eq!(
        verdict(&set(block.clone(), Policy::ScoreOnly)),
        Verdict::Allow
    );
    assert_eq!(verdict(&strictest), Verdict::Block);
    let shadow = block.mode(bursar_risk::Mode::Shadow);
    assert_eq!(verdict(&set(shadow, Policy::Strictest)), Verdict::Allow);
    let allowed = entry(Effect::Allow, None);
    let decision = strictest.judge(&context, Some(&allowed));
    assert_eq!(decision.verdict(), Verdict::Allow);
}
