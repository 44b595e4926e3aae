//! Which verdict do rules, lists, memory and appeals come to together?

use bursar_risk::{
    Action, Appeal, Condition, Context, Effect, Entry, Finding, Holding, Missing, Mode, Policy,
    Record, Rule, RuleSet, Signal, Standing, Truth, Verdict,
};
use jiff::Timestamp;
use proptest::prelude::*;

/// A context in which exactly the rules of the bits hold: 1 velocity, 2 sharing, 4 anomaly, 8 new.
fn context(bits: u8) -> Context {
    let pick = |bit: u8, yes: f64, no: f64| if bits & bit != 0 { yes } else { no };
    Context::new()
        .with(Signal::TOKENS_PER_MINUTE, pick(1, 1000.5, 1000.0))
        .with(Signal::UNIQUE_IPS, pick(2, 11.0, 10.0))
        .with(Signal::USAGE_ANOMALY, pick(4, 0.5, 0.499))
        .with(Signal::ACCOUNT_AGE_DAYS, pick(8, 6.99, 7.0))
        .with(Signal::SPEND_PER_DAY, 100.01)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn entry(effect: Effect) -> Entry {
    Entry {
        effect,
        owner: "trust".into(),
        reason: "known".into(),
        expires: None,
    }
}

#[test]
fn the_sixteen_combinations_of_the_four_rules_are_as_specified() {
    use Verdict::{Allow, Block, Review};
    // From the specification of the product, computed there by hand.
    let table = [
        (0, Allow),
        (30, Allow),
        (50, Review),
        (80, Block),
        (40, Review),
        (70, Block),
        (90, Block),
        (120, Block),
        (35, Allow),
        (65, Review),
        (85, Block),
        (115, Block),
        (75, Block),
        (105, Block),
        (125, Block),
        (155, Block),
    ];
    let names = [
        "high_velocity",
        "account_sharing",
        "unusual_pattern",
        "new_account_high_value",
    ];
    let rules = RuleSet::standard();
    for (bits, (score, verdict)) in (0..16).zip(table) {
        let context = context(bits);
        let decision = rules.evaluate(&context);
        assert_eq!(
            (decision.score(), decision.verdict()),
            (score, verdict),
            "{bits:04b}"
        );
        let triggered: Vec<&str> = decision.triggered().map(|rule| rule.name()).collect();
        let held = (0..4).filter(|place| bits >> place & 1 == 1);
        let expected: Vec<&str> = held.map(|place: usize| names[place]).collect();
        assert_eq!(triggered, expected, "{bits:04b}");
        assert_eq!(decision.not_evaluable().len(), 0);
    }
}

#[test]
fn under_the_strictest_policy_the_action_of_a_rule_counts() {
    let rules = RuleSet::standard().with_policy(Policy::Strictest);
    assert_eq!(rules.evaluate(&context(2)).verdict(), Verdict::Block);
    assert_eq!(rules.evaluate(&context(1)).verdict(), Verdict::Allow);
}

#[test]
fn each_missing_signal_is_reported_by_each_rule_that_needs_it() {
    let rules = RuleSet::standard();
    let nothing = Context::new();
    let decision = rules.evaluate(&nothing);
    let open: Vec<(&str, usize)> = decision
        .not_evaluable()
        .map(|(rule, missing)| (rule.name(), missing.len()))
        .collect();
    let expected = [
        ("high_velocity", 1),
        ("account_sharing", 1),
        ("unusual_pattern", 1),
        ("new_account_high_value", 2),
    ];
    assert_eq!(open, expected);
    assert_eq!(decision.verdict(), Verdict::Allow);
}

#[test]
fn what_is_not_a_number_is_missing() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            Context::new().with(Signal::UNIQUE_IPS, value),
            Context::new()
        );
    }
}

#[test]
fn a_rule_may_trigger_because_its_signal_is_missing_and_says_so() {
    let rule = Rule::new("located", Signal::UNIQUE_IPS.above(1.0), 70, Action::Block);
    let rules = RuleSet::new("s", 1, [rule.when_missing(Missing::Trigger)]).unwrap();
    let nothing = Context::new();
    let decision = rules.evaluate(&nothing);
    assert_eq!(decision.verdict(), Verdict::Block);
    assert_eq!(decision.not_evaluable().len(), 1);
    let allowed = entry(Effect::Allow);
    assert_eq!(
        rules.judge(&nothing, Some(&allowed)).verdict(),
        Verdict::Allow
    );
}

#[test]
fn no_list_softens_what_the_score_says() {
    let rules = RuleSet::standard();
    for bits in 0..16 {
        let context = context(bits);
        let alone = rules.evaluate(&context).verdict();
        for effect in [Effect::Allow, Effect::Watch, Effect::Deny] {
            let entry = entry(effect);
            assert!(rules.judge(&context, Some(&entry)).verdict() >= alone);
        }
        let deny = entry(Effect::Deny);
        assert_eq!(rules.judge(&context, Some(&deny)).verdict(), Verdict::Block);
    }
}

#[test]
fn a_rule_in_shadow_is_reported_and_counts_nothing() {
    let rule = Rule::new("r", Signal::UNIQUE_IPS.above(10.0), 70, Action::Block);
    let rules = RuleSet::new("s", 1, [rule.mode(Mode::Shadow)]).unwrap();
    let context = context(2);
    let decision = rules.evaluate(&context);
    assert_eq!((decision.score(), decision.shadow().len()), (0, 1));
}

#[test]
fn a_verdict_does_not_flap_around_its_threshold() {
    let rules = RuleSet::standard();
    let (mut standing, holding) = (Standing::default(), Holding::default());
    let mut verdicts = Vec::new();
    for minute in 0..60 {
        let context = context(if minute % 2 == 0 { 5 } else { 4 });
        let decision = rules.evaluate(&context);
        verdicts.push(
            decision
                .hold(&mut standing, &holding, at(minute * 60))
                .verdict(),
        );
    }
    assert!(verdicts.iter().all(|&verdict| verdict == Verdict::Block));
}

#[test]
fn a_clock_that_steps_back_does_not_make_a_score_grow() {
    let rules = RuleSet::standard();
    let (mut standing, holding) = (Standing::default(), Holding::default());
    let bad = context(15);
    let _ = rules.evaluate(&bad).hold(&mut standing, &holding, at(0));
    assert!(standing.score_at(&holding, at(-1_000_000)) <= 155.0);
}

#[test]
fn an_appeal_suspends_a_block_until_it_expires_and_keeps_the_evidence() {
    let rules = RuleSet::standard();
    let context = context(6);
    let blocked = rules.evaluate(&context);
    let record = Record::of(&blocked, "acme", at(0));
    let mut appeal = Appeal::grant(record.clone(), "ann", "a conference", at(0), at(3600)).unwrap();
    let verdict = |appeal: &Appeal, now| rules.evaluate(&context).appeal(appeal, now).verdict();
    assert_eq!(verdict(&appeal, at(3599)), Verdict::Review);
    assert_eq!(verdict(&appeal, at(3600)), Verdict::Block);
    assert_eq!(appeal.evidence(), &record);
    appeal.decide(Finding::Upheld);
    assert_eq!(verdict(&appeal, at(1)), Verdict::Block);
    assert_eq!(appeal.label(), Some(true));
    let deny = entry(Effect::Deny);
    let denied = rules.judge(&context, Some(&deny)).appeal(&appeal, at(1));
    assert_eq!(denied.verdict(), Verdict::Block);
}

#[test]
fn a_threshold_may_be_a_part_of_the_plan() {
    let condition = Signal::TOKENS_PER_MINUTE.above(Signal::PLAN_TOKENS_PER_MINUTE.fraction(0.8));
    let context = Context::new().with(Signal::TOKENS_PER_MINUTE, 900.0);
    assert_eq!(condition.truth(&context), Truth::Unknown);
    let plan = |tokens| context.with(Signal::PLAN_TOKENS_PER_MINUTE, tokens);
    assert_eq!(condition.truth(&plan(1000.0)), Truth::True);
    assert_eq!(condition.truth(&plan(2000.0)), Truth::False);
}

fn conditions() -> impl Strategy<Value = Condition> {
    let signals = [
        Signal::TOKENS_PER_MINUTE,
        Signal::UNIQUE_IPS,
        Signal::USAGE_ANOMALY,
    ];
    let leaf =
        (0..3_usize, 0..4_u8).prop_map(move |(signal, at)| signals[signal].above(f64::from(at)));
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|inner| !inner),
        ]
    })
}

proptest! {
    /// What is decided without a signal stays so whatever the signal is.
    #[test]
    fn a_known_truth_does_not_change_when_more_is_known(condition in conditions(), value in 0..5_u8) {
        let known = Context::new().with(Signal::UNIQUE_IPS, 2.0).with(Signal::USAGE_ANOMALY, 1.0);
        let before = condition.truth(&known);
        let after = condition.truth(&known.with(Signal::TOKENS_PER_MINUTE, f64::from(value)));
        prop_assert!(before == Truth::Unknown || before == after);
        prop_assert_ne!(after, Truth::Unknown);
    }
}
