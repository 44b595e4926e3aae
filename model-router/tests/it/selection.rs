//! The choices of the policies, computed by hand.

use bursar_model_router::{
    CheapestAbove, Complexity, Conditions, Decision, Exploration, Learned, Priority, Quality,
    RouteRequest, Router, SelectionPolicy, TaskType,
};

use crate::models::{HAIKU, LITE, MICRO, SONNET, four, id};

fn route(router: &Router, request: &RouteRequest<'_>) -> Decision {
    router.route(request, &Conditions::default()).unwrap()
}

fn ranking(decision: &Decision) -> Vec<(&str, f64)> {
    let ranked = decision.candidates.iter();
    ranked
        .map(|it| (it.model.as_str(), (it.score * 1e6).round() / 1e6))
        .collect()
}

/// A short ticket: 1,000 input tokens and 200 of answer, so 0.006, 0.0005, 0.000108 and 0.000063 USD.
fn ticket() -> RouteRequest<'static> {
    RouteRequest::new("Classify: I was charged twice")
        .with_task(TaskType::Classification)
        .with_complexity(Complexity::Simple)
        .with_input_tokens(1_000)
        .with_expected_output_tokens(200)
}

#[test]
fn the_table_of_points_adds_up_as_by_hand() {
    let decision = route(&Router::new(four()), &ticket());
    // 85 + 20 + 10 + 15; 75 + 20 + 15 + 15; 80 + 5 + 15; 95 - 10 + 5.
    let expected = [
        (HAIKU, 130.0),
        (MICRO, 125.0),
        (LITE, 100.0),
        (SONNET, 90.0),
    ];
    assert_eq!(ranking(&decision), expected);
    let chosen = decision.chosen().unwrap();
    assert_eq!(chosen.cost.expected, "0.0005 USD".parse().unwrap());
    let parts: Vec<_> = chosen.parts.iter().map(|it| (it.what, it.points)).collect();
    let expected = [
        ("quality", 85.0),
        ("strength", 20.0),
        ("complexity", 10.0),
        ("cost", 15.0),
    ];
    assert_eq!(parts, expected);
}

#[test]
fn what_presses_goes_to_the_fast() {
    let decision = route(
        &Router::new(four()),
        &ticket().with_priority(Priority::High),
    );
    // Only 600 ms is under 800 ms, and 1200 ms is not over 1200 ms.
    assert_eq!(ranking(&decision)[..2], [(MICRO, 135.0), (HAIKU, 130.0)]);
}

#[test]
fn what_is_hard_goes_to_the_strong_though_it_is_dear() {
    let request = RouteRequest::new("")
        .with_task(TaskType::CodeGeneration)
        .with_complexity(Complexity::Complex)
        .with_input_tokens(2_000)
        .with_max_output_tokens(1_000)
        .with_expected_output_tokens(1_000);
    let decision = route(&Router::new(four()), &request);
    // 95 + 20 + 20 - 1000 * (0.021 - 0.01); 80 + 5 + 15; 85 - 5 + 10; 75 - 15 + 15.
    let expected = [(SONNET, 124.0), (LITE, 100.0), (HAIKU, 90.0), (MICRO, 75.0)];
    assert_eq!(ranking(&decision), expected);
}

#[test]
fn a_crowded_context_window_takes_points_away() {
    let micro_with = |tokens| {
        let decision = route(&Router::new(four()), &ticket().with_input_tokens(tokens));
        ranking(&decision)
            .into_iter()
            .find(|it| it.0 == MICRO)
            .unwrap()
            .1
    };
    // Four fifths of 128,000 are 102,400, of which 200 are for the answer.
    let (below, above) = (micro_with(102_200), micro_with(102_201));
    assert!((below - above - 20.0).abs() < 0.01, "{below} {above}");
}

#[test]
fn the_cheapest_above_the_bar_is_followed_by_others_above_it() {
    let cheapest = |bar| CheapestAbove::new(Quality::new(bar).unwrap());
    let order = |bar| {
        let decision = route(&Router::new(four()).with_policy(cheapest(bar)), &ticket());
        let names = decision
            .candidates
            .iter()
            .map(|it| it.model.as_str().to_owned());
        (names.collect::<Vec<_>>(), decision.remark)
    };
    assert_eq!(
        order(80.0),
        (
            [LITE, HAIKU, SONNET, MICRO].map(str::to_owned).to_vec(),
            None
        )
    );
    let (order, remark) = order(96.0);
    assert_eq!(order[0], SONNET);
    assert_eq!(
        remark.unwrap(),
        "no model is known to reach a quality of 96.0"
    );
}

#[test]
fn quality_is_weighed_against_cost() {
    let choice = |points_per_unit| {
        let router = Router::new(four()).with_policy(Learned::new(points_per_unit));
        route(&router, &ticket()).model
    };
    // 10 points more for 0.0055 USD more: worth it up to 1818 points a dollar.
    assert_eq!(choice(1_800.0), id(SONNET));
    assert_eq!(choice(1_900.0), id(HAIKU));
    assert_eq!(choice(f64::NAN), id(SONNET));
}

#[test]
fn exploration_is_rare_repeatable_and_bounded() {
    let exploration = Exploration::new(0.2, 12.0).unwrap();
    let policy = Learned::new(0.0).with_exploration(exploration);
    let router = Router::new(four()).with_policy(policy);
    let request = ticket();
    let choice = |seed| {
        let conditions = Conditions {
            seed,
            ..Conditions::default()
        };
        router.route(&request, &conditions).unwrap().model
    };
    // The catalog's qualities have no width, so nothing is ever likely to beat the best.
    assert!((0..500).all(|seed| choice(seed) == id(SONNET)));
    assert!(Exploration::new(0.3, 5.0).is_err());
    assert!(Exploration::new(0.1, f64::NAN).is_err());
}

#[test]
fn savings_are_told_against_the_strongest_and_the_single_model() {
    let decision = route(&Router::new(four()), &ticket());
    let strongest = decision.savings.against_strongest.unwrap();
    assert_eq!(strongest.model, id(SONNET));
    assert_eq!(strongest.saved, "0.0055 USD".parse().unwrap());
    // Within 10 points of 95 only Haiku is cheaper, which is the choice itself.
    let single = decision.savings.against_single.unwrap();
    assert_eq!((single.model, single.saved.is_zero()), (id(HAIKU), true));
    let named = Router::new(four()).with_single(id(MICRO));
    let single = route(&named, &ticket()).savings.against_single.unwrap();
    assert_eq!(single.saved, "-0.000437 USD".parse().unwrap());
}

#[test]
fn a_policy_in_shadow_is_reported_and_not_followed() {
    let bar = CheapestAbove::new(Quality::new(0.0).unwrap());
    let router = Router::new(four()).with_shadow(bar);
    let decision = route(&router, &ticket());
    assert_eq!(decision.model, id(HAIKU));
    let shadow = decision.shadow.unwrap();
    assert_eq!(
        (shadow.policy.as_str(), shadow.model, shadow.agrees),
        ("cheapest_above", id(MICRO), false)
    );
}

#[test]
fn a_policy_that_forgets_models_loses_no_fallback() {
    #[derive(Debug)]
    struct Forgetful;
    impl SelectionPolicy for Forgetful {
        fn name(&self) -> &str {
            "forgetful"
        }
        fn select(
            &self,
            _: &bursar_model_router::Situation<'_>,
            candidates: &[bursar_model_router::Candidate<'_>],
        ) -> bursar_model_router::Selection {
            let scored = |at| bursar_model_router::Scored::of(at, Vec::new());
            let ranking = vec![scored(2), scored(2), scored(99)];
            bursar_model_router::Selection::by_score(ranking, candidates)
        }
    }
    let decision = route(&Router::new(four()).with_policy(Forgetful), &ticket());
    let names: Vec<&str> = decision
        .candidates
        .iter()
        .map(|it| it.model.as_str())
        .collect();
    assert_eq!(names, [LITE, SONNET, HAIKU, MICRO]);
}

#[test]
fn a_decision_is_told_in_text_and_json() {
    let decision = route(&Router::new(four()), &ticket());
    let text = decision.to_string();
    assert!(text.starts_with("anthropic.claude-3-haiku-20240307-v1:0 (aws) by weighted_score: simple classification, 1000 input tokens\n"), "{text}");
    assert!(text.contains("quality +85.00  strength +20.00"), "{text}");
    let json = serde_json::to_value(&decision).unwrap();
    assert_eq!(
        json["candidates"][0]["cost"]["upper_bound"]["amount"],
        "0.0005"
    );
}
