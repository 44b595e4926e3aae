//! Lifecycle rules that are merged, and what they save.

use std::collections::BTreeSet;

use bursar_cost_model::storage::{
    AgeBand, Bucket, IntelligentTiering, LifecycleFilter, LifecycleMerge, LifecycleRule,
    MAX_LIFECYCLE_RULES, ObjectGroup, RuleConflict, S3Prices, StorageClass, StorageError,
    Transition,
};
use proptest::prelude::*;

use super::{GIB, usd};

fn transition(after_days: u32, class: StorageClass) -> Transition {
    Transition { after_days, class }
}

fn rule(id: &str, prefix: &str) -> LifecycleRule {
    LifecycleRule::new(id, LifecycleFilter::prefix(prefix))
}

fn conflict(existing: &LifecycleRule, wanted: &LifecycleRule) -> Option<RuleConflict> {
    let merge =
        LifecycleMerge::new(std::slice::from_ref(existing), std::slice::from_ref(wanted)).unwrap();
    assert_eq!(&merge.rules[0], existing);
    merge.conflicts.first().map(|conflict| conflict.reason)
}

#[test]
fn what_contradicts_an_existing_rule_is_reported_and_not_added() {
    let logs = LifecycleRule::logs();
    let mut other_moves = rule("theirs", "logs/web/");
    other_moves.transitions = vec![transition(60, StorageClass::Glacier)];
    assert_eq!(
        conflict(&other_moves, &logs),
        Some(RuleConflict::OtherTransitions)
    );

    let mut expires = rule("theirs", "");
    for (days, expected) in [
        (30, Some(RuleConflict::DeletedTooEarly)),
        (400, Some(RuleConflict::DeletedTooEarly)),
        // Deep Archive after 365 days charges 180.
        (544, Some(RuleConflict::DeletedTooEarly)),
        (545, None),
    ] {
        expires.expire_after_days = Some(days);
        assert_eq!(conflict(&expires, &logs), expected, "{days} days");
    }

    let mut same_name = rule("bursar-logs", "other/");
    same_name.expire_after_days = Some(1);
    assert_eq!(conflict(&same_name, &logs), Some(RuleConflict::NameTaken));

    let mut later = rule("theirs", "");
    later.abort_uploads_after_days = Some(30);
    let uploads = LifecycleRule::abort_uploads();
    assert_eq!(
        conflict(&later, &uploads),
        Some(RuleConflict::OtherUploadDays)
    );
}

#[test]
fn rules_that_are_off_or_concern_other_objects_contradict_nothing() {
    let logs = LifecycleRule::logs();
    let mut theirs = rule("theirs", "logs/");
    theirs.transitions = vec![transition(60, StorageClass::Glacier)];
    theirs.enabled = false;
    assert_eq!(conflict(&theirs, &logs), None);
    theirs.enabled = true;
    theirs.filter.prefix = "images/".to_owned();
    assert_eq!(conflict(&theirs, &logs), None);
}

#[test]
fn filters_know_what_they_share() {
    let tagged = |prefix: &str, value: &str| {
        let mut filter = LifecycleFilter::prefix(prefix);
        filter.tags.insert("team".to_owned(), value.to_owned());
        filter
    };
    let sized = |low, high| LifecycleFilter {
        larger_than: low,
        smaller_than: high,
        ..LifecycleFilter::default()
    };
    let all = LifecycleFilter::default();
    for (a, b, overlaps, covers) in [
        (&all, &LifecycleFilter::prefix("a"), true, true),
        (&LifecycleFilter::prefix("a"), &all, true, false),
        (
            &LifecycleFilter::prefix("a/"),
            &LifecycleFilter::prefix("b/"),
            false,
            false,
        ),
        (&all, &tagged("", "web"), true, true),
        (&tagged("", "web"), &tagged("a", "web"), true, true),
        (&tagged("", "web"), &tagged("a", "app"), false, false),
        (&tagged("", "web"), &all, true, false),
        (&sized(Some(10), None), &sized(None, Some(11)), false, false),
        (&sized(Some(10), None), &sized(None, Some(12)), true, false),
        (
            &sized(Some(10), None),
            &sized(Some(20), Some(30)),
            true,
            true,
        ),
    ] {
        assert_eq!(a.overlaps(b), overlaps, "{a:?} {b:?}");
        assert_eq!(b.overlaps(a), overlaps, "{b:?} {a:?}");
        assert_eq!(a.covers(b), covers, "{a:?} {b:?}");
    }
}

#[test]
fn what_an_existing_rule_does_already_is_not_added() {
    let mut theirs = rule("theirs", "");
    theirs.abort_uploads_after_days = Some(3);
    theirs.transitions = LifecycleRule::logs().transitions;
    let wanted = [LifecycleRule::logs(), LifecycleRule::abort_uploads()];
    let merge = LifecycleMerge::new(&[theirs.clone()], &wanted).unwrap();
    assert_eq!(merge.already_done, ["bursar-logs", "bursar-abort-uploads"]);
    assert_eq!(merge.rules, [theirs]);
}

#[test]
fn a_bucket_takes_a_thousand_rules() {
    let mut theirs: Vec<LifecycleRule> = (0..MAX_LIFECYCLE_RULES - 1)
        .map(|n| {
            let mut rule = rule(&format!("rule-{n}"), &format!("tenant-{n}/"));
            rule.expire_after_days = Some(10);
            rule
        })
        .collect();
    let wanted = [LifecycleRule::logs(), LifecycleRule::abort_uploads()];
    let merge = LifecycleMerge::new(&theirs, &wanted).unwrap();
    assert_eq!(merge.rules.len(), MAX_LIFECYCLE_RULES);
    assert_eq!(merge.added, ["bursar-logs"]);
    assert_eq!(merge.conflicts[0].reason, RuleConflict::TooManyRules);
    theirs.clear();
    assert_eq!(
        LifecycleMerge::new(&theirs, &wanted).unwrap().added.len(),
        2
    );
}

#[test]
fn rules_that_the_service_refuses_or_that_only_cost_are_errors() {
    let problem = |change: &dyn Fn(&mut LifecycleRule)| {
        let mut rule = LifecycleRule::logs();
        change(&mut rule);
        rule.check().map_err(|error| error.to_string())
    };
    assert_eq!(problem(&|_| {}), Ok(()));
    for (change, message) in [
        (
            &(|rule: &mut LifecycleRule| rule.transitions[0].after_days = 29)
                as &dyn Fn(&mut LifecycleRule),
            "lifecycle rule `bursar-logs`: a move to an infrequent class before 30 days costs 30 days there anyway",
        ),
        (
            &|rule| rule.transitions.swap(0, 1),
            "lifecycle rule `bursar-logs`: each move must be later than the one before, and to a colder class",
        ),
        (
            &|rule| rule.transitions.clear(),
            "lifecycle rule `bursar-logs`: it does nothing",
        ),
        (
            &|rule| rule.expire_after_days = Some(500),
            "lifecycle rule `bursar-logs`: it deletes objects before the minimum of their class is over",
        ),
        (
            &|rule| rule.id.clear(),
            "lifecycle rule ``: its name must have 1 to 255 characters",
        ),
        (
            &|rule| rule.abort_uploads_after_days = Some(0),
            "lifecycle rule `bursar-logs`: days must be 1 or more",
        ),
    ] {
        assert_eq!(problem(change), Err(message.to_owned()));
    }
}

#[test]
fn intelligent_tiering_takes_the_days_of_the_service() {
    for (archive, deep, accepted) in [
        (Some(90), Some(180), true),
        (Some(730), None, true),
        (None, Some(180), true),
        (Some(89), None, false),
        (Some(731), None, false),
        (None, Some(179), false),
        (None, Some(731), false),
        (Some(200), Some(180), false),
        (Some(200), Some(200), false),
    ] {
        let made = IntelligentTiering::new("all", "", archive, deep);
        assert_eq!(made.is_ok(), accepted, "{archive:?} {deep:?}");
    }
}

fn bucket(ages: Vec<AgeBand>) -> Bucket {
    let mut bucket = Bucket::new("app");
    bucket.groups = vec![ObjectGroup {
        prefix: "logs/".to_owned(),
        ages,
        small_bytes: 0,
    }];
    bucket
}

fn band(from_days: u32, objects: u64, bytes: u64, read: Option<u64>) -> AgeBand {
    AgeBand {
        from_days,
        objects,
        bytes,
        read_bytes_per_month: read,
    }
}

#[test]
fn archived_objects_carry_their_overhead_and_their_transition() {
    let bucket = bucket(vec![band(90, 1 << 20, 1024 * GIB, Some(0))]);
    let advice = bucket
        .advise(&[LifecycleRule::logs()], &S3Prices::us_east_1())
        .unwrap();
    // 1,024 GB × 0.023 − (1,024 + 32) GB × 0.0036 − 8 GB × 0.023 = 23.552 − 3.8016 − 0.184.
    assert_eq!(advice.monthly_saving, usd("19.5664"));
    // 1,048,576 moves at 0.03 a thousand.
    assert_eq!(advice.transition_cost, usd("31.45728"));
    assert_eq!(
        advice.payback_months.map(|months| months.to_string()),
        Some("1.7".to_owned())
    );
}

#[test]
fn a_rule_that_costs_more_than_it_saves_is_not_added() {
    // 10 GB save 0.105; reading 11 GB costs 0.11.
    let bucket = bucket(vec![band(30, 100, 10 * GIB, Some(11 * GIB))]);
    let advice = bucket
        .advise(&[LifecycleRule::logs()], &S3Prices::us_east_1())
        .unwrap();
    assert!(advice.merge.rules.is_empty());
    assert_eq!(advice.not_worthwhile[0].monthly_saving, Some(usd("-0.005")));
    assert_eq!(advice.monthly_saving, usd("0"));
}

#[test]
fn a_class_without_a_price_saves_an_unknown_amount() {
    let mut instant = rule("instant", "logs/");
    instant.transitions = vec![transition(90, StorageClass::GlacierInstant)];
    let bucket = bucket(vec![band(90, 1, GIB, Some(0))]);
    let advice = bucket.advise(&[instant], &S3Prices::us_east_1()).unwrap();
    assert_eq!(advice.merge.added, ["instant"]);
    assert_eq!(
        (advice.monthly_saving, advice.unknown_savings),
        (usd("0"), 1)
    );
    assert_eq!(advice.payback_months, None);
}

#[test]
fn a_group_that_a_rule_concerns_in_part_saves_an_unknown_amount() {
    let mut bucket = bucket(vec![band(90, 1, GIB, Some(0))]);
    bucket.groups[0].prefix = String::new();
    let advice = bucket
        .advise(&[LifecycleRule::logs()], &S3Prices::us_east_1())
        .unwrap();
    assert_eq!(
        (advice.monthly_saving, advice.unknown_savings),
        (usd("0"), 1)
    );
}

#[test]
fn ages_out_of_order_are_an_error() {
    let bucket = bucket(vec![band(90, 1, 1, None), band(30, 1, 1, None)]);
    let found = bucket.advise(&[], &S3Prices::us_east_1());
    assert!(matches!(
        found,
        Err(StorageError::AgeOrder { from_days: 30, .. })
    ));
}

prop_compose! {
    fn any_rule()(
        id in "[a-e]",
        prefix in "(logs/)?[ab]?",
        enabled in any::<bool>(),
        moves in proptest::option::of((30_u32..200, 1_u32..400)),
        expires in proptest::option::of(1_u32..1_000),
        uploads in proptest::option::of(1_u32..30),
        unread in proptest::option::of("[xyz]"),
    ) -> LifecycleRule {
        let mut rule = rule(&id, &prefix);
        rule.enabled = enabled;
        if let Some((first, gap)) = moves {
            rule.transitions = vec![
                transition(first, StorageClass::StandardIa),
                transition(first + gap, StorageClass::Glacier),
            ];
        }
        rule.expire_after_days = expires;
        rule.abort_uploads_after_days = uploads;
        rule.unread = unread;
        rule
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_merge_keeps_every_rule_and_a_second_one_changes_nothing(
        existing in proptest::collection::vec(any_rule(), 0..6),
        wanted in proptest::collection::vec(any_rule(), 0..6),
    ) {
        let wanted: Vec<LifecycleRule> = wanted.into_iter().filter(|rule| rule.check().is_ok()).collect();
        let merge = LifecycleMerge::new(&existing, &wanted).unwrap();
        prop_assert_eq!(&merge.rules[..existing.len()], &existing[..]);
        let told = merge.added.len() + merge.already_done.len() + merge.conflicts.len();
        prop_assert_eq!(told, wanted.len());
        prop_assert_eq!(merge.rules.len(), existing.len() + merge.added.len());

        let again = LifecycleMerge::new(&merge.rules, &wanted).unwrap();
        prop_assert_eq!(&again.rules, &merge.rules);
        prop_assert!(again.added.is_empty());
        let refused = |m: &LifecycleMerge| m.conflicts.iter().map(|c| c.wanted.clone()).collect::<BTreeSet<_>>();
        prop_assert!(refused(&again).is_subset(&refused(&merge)));
    }

    #[test]
    fn no_rule_moves_what_another_has_just_moved_or_soon_deletes(
        existing in proptest::collection::vec(any_rule(), 0..6),
        wanted in proptest::collection::vec(any_rule(), 0..6),
        key in "(logs/)?[ab]{0,3}",
    ) {
        let wanted: Vec<LifecycleRule> = wanted.into_iter().filter(|rule| rule.check().is_ok()).collect();
        let merge = LifecycleMerge::new(&existing, &wanted).unwrap();
        for added in &merge.rules[existing.len()..] {
            let theirs = merge.rules.iter().filter(|rule| *rule != added && rule.enabled);
            for other in theirs.filter(|rule| key.starts_with(&rule.filter.prefix)) {
                if !added.enabled || !key.starts_with(&added.filter.prefix) {
                    continue;
                }
                prop_assert!(added.transitions.is_empty() || other.transitions.is_empty());
                if let (Some(last), Some(end)) = (added.transitions.last(), other.expire_after_days) {
                    prop_assert!(end >= last.after_days + last.class.minimum_days());
                }
            }
        }
    }
}
