//! Who cannot serve a request, and what is said of it.

use std::collections::BTreeSet;
use std::time::Duration;

use bursar_model_router::{
    CallOutcome, CallRecord, Conditions, Constraint, Feature, ModelEntry, Reason, RouteError,
    RouteRequest, Router, Statistics,
};
use jiff::Timestamp;

use crate::models::{HAIKU, LITE, MICRO, SONNET, four, id, provider};

fn request() -> RouteRequest<'static> {
    RouteRequest::new("What is a token bucket?").with_input_tokens(1_000)
}

/// Each model that is rejected with what is said of it.
fn rejected(request: &RouteRequest<'_>, conditions: &Conditions<'_>) -> Vec<String> {
    let rejected = match Router::new(four()).route(request, conditions) {
        Ok(decision) => decision.rejected,
        Err(RouteError::NoneFits { rejections }) => rejections,
        Err(other) => vec![other].into_iter().map(|it| unreachable(&it)).collect(),
    };
    rejected.iter().map(ToString::to_string).collect()
}

fn unreachable(error: &RouteError) -> bursar_model_router::Rejection {
    bursar_model_router::Rejection {
        model: id(&error.to_string()),
        provider: provider("none"),
        reasons: Vec::new(),
    }
}

fn check(request: &RouteRequest<'_>, expected: &[(&str, &str)]) {
    let expected = expected
        .iter()
        .map(|(model, why)| format!("{model} (aws): {why}"));
    let found = rejected(request, &Conditions::default());
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[test]
fn each_constraint_names_what_is_needed_and_what_there_is() {
    check(&request(), &[]);
    let window = "needs 150200 tokens of context, has 128000";
    check(&request().with_input_tokens(150_000), &[(MICRO, window)]);
    let deadline = request().with_deadline(Duration::from_millis(1_700));
    let slow = "may take 2400 ms, must answer in 1700 ms";
    check(
        &deadline,
        &[
            (SONNET, slow),
            (LITE, "may take 1800 ms, must answer in 1700 ms"),
        ],
    );
    let budget = request().with_budget("0.0005 USD".parse().unwrap());
    check(
        &budget,
        &[(SONNET, "may cost 0.006 USD, the budget is 0.0005 USD")],
    );
    let images = request().with_needs([Feature::ImageInput]);
    let unknown = "is not known to do image_input";
    check(
        &images,
        &[
            (HAIKU, unknown),
            (LITE, unknown),
            (MICRO, "does not do image_input"),
        ],
    );
}

#[test]
fn a_budget_in_another_currency_is_no_budget_to_compare_with() {
    let budget = request().with_budget("1 EUR".parse().unwrap());
    let found = rejected(&budget, &Conditions::default());
    assert!(
        found[0].ends_with("may cost 0.006 USD, and the budget is in EUR"),
        "{found:?}"
    );
    assert_eq!(found.len(), 4);
}

#[test]
fn a_provider_may_be_forbidden_or_down() {
    let others = [provider("openai")];
    let found = rejected(&request().with_providers(&others), &Conditions::default());
    assert!(
        found[0].ends_with("provider aws is not allowed"),
        "{found:?}"
    );
    let down = BTreeSet::from([provider("aws")]);
    let conditions = Conditions {
        unavailable: Some(&down),
        ..Conditions::default()
    };
    let found = rejected(&request(), &conditions);
    assert!(
        found[3].ends_with("provider aws does not answer"),
        "{found:?}"
    );
}

#[test]
fn the_error_names_the_constraint_that_stands_in_the_way() {
    let router = Router::new(four());
    let images = request()
        .with_needs([Feature::ImageInput])
        .with_budget("0.0001 USD".parse().unwrap());
    let error = router.route(&images, &Conditions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "none of 4 models can serve the request: features 3, budget 3; one of these alone stands in the way: features, budget"
    );
    assert_eq!(
        error.binding(),
        BTreeSet::from([Constraint::Features, Constraint::Budget])
    );
    let nobody = Router::new(Vec::new());
    assert_eq!(
        nobody.route(&request(), &Conditions::default()),
        Err(RouteError::NoModels)
    );
}

#[test]
fn what_is_not_known_is_not_taken_for_a_yes() {
    let bare = ModelEntry::new(provider("lab"), id("mystery"));
    let router = Router::new(vec![bare]);
    let request = request()
        .with_deadline(Duration::from_secs(1))
        .with_needs([Feature::Tools]);
    let Err(RouteError::NoneFits { rejections }) = router.route(&request, &Conditions::default())
    else {
        unreachable!("nothing is known of the only model")
    };
    let feature = Feature::Tools;
    let expected = [
        Reason::FeatureUnknown { feature },
        Reason::LatencyUnknown,
        Reason::PriceUnknown,
    ];
    assert_eq!(rejections[0].reasons, expected);
}

#[test]
fn measured_latencies_take_the_place_of_the_catalogs() {
    let mut statistics = Statistics::since(Timestamp::UNIX_EPOCH);
    let sonnet = id(SONNET);
    let mut answer = |milliseconds| {
        let outcome = CallOutcome::Answered {
            latency: Duration::from_millis(milliseconds),
            cost: None,
            after_cache_miss: false,
        };
        statistics
            .record(&CallRecord {
                model: &sonnet,
                outcome,
            })
            .unwrap();
    };
    (0..19).for_each(|_| answer(500));
    answer(9_000);
    let deadline = request().with_deadline(Duration::from_millis(1_700));
    let conditions = Conditions {
        statistics: Some(&statistics),
        ..Conditions::default()
    };
    // 19 of 20 answers came in half a second, so the 95th percentile is that.
    let found = rejected(&deadline, &conditions);
    assert_eq!(
        found,
        ["amazon.nova-lite-v1:0 (aws): may take 1800 ms, must answer in 1700 ms"]
    );
}
