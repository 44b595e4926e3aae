//! A router that has learned from outcomes.

use bursar_model_router::learned::{LearnedModel, Outcome, Trainer};
use bursar_model_router::{
    Conditions, Exploration, Learned, ModelEntry, RouteRequest, Router, SelectionPolicy,
};

use crate::models::{LITE, SONNET, four, id};

/// The dear model is right everywhere, the cheap one except where something is to be computed.
fn trained() -> LearnedModel {
    let outcome = |it: u32| match it % 2 {
        0 => Outcome::new(
            &format!("Compute {it} * {}.", it + 7),
            &[Some(0.0), Some(1.0)],
        ),
        _ => Outcome::new(
            &format!("Name a river of region {it}."),
            &[Some(1.0), Some(1.0)],
        ),
    };
    let outcomes: Vec<_> = (0..200).map(outcome).collect();
    let trainer = Trainer::new(&[id(LITE), id(SONNET)]).unwrap();
    trainer.train(&outcomes, |_| {}).unwrap()
}

fn two() -> Vec<ModelEntry> {
    let known = |entry: &ModelEntry| [SONNET, LITE].contains(&entry.id.as_str());
    four().into_iter().filter(known).collect()
}

fn router(policy: impl SelectionPolicy + 'static) -> Router {
    Router::new(two())
        .with_policy(policy)
        .with_predictor(trained())
}

#[test]
fn each_prompt_goes_where_it_was_learned_that_it_is_answered_well() {
    let router = router(Learned::new(10_000.0));
    let choice = |text: &str| {
        let request = RouteRequest::new(text).with_input_tokens(20);
        let decision = router.route(&request, &Conditions::default()).unwrap();
        assert_eq!(decision.predictor, "learned");
        decision.model
    };
    assert_eq!(choice("Compute 17 * 24."), id(SONNET));
    assert_eq!(choice("Name a river of region 12."), id(LITE));
}

#[test]
fn a_model_that_nothing_was_learned_of_has_no_quality() {
    let router = Router::new(four())
        .with_policy(Learned::new(0.0))
        .with_predictor(trained());
    let request = RouteRequest::new("Compute 17 * 24.");
    let decision = router.route(&request, &Conditions::default()).unwrap();
    let unknown = decision.candidates.iter().filter(|it| it.quality.is_none());
    assert_eq!(unknown.count(), 2);
    assert_eq!(decision.model, id(SONNET));
}

#[test]
fn what_is_explored_is_no_more_than_was_allowed() {
    let exploration = Exploration::new(0.1, 100.0).unwrap();
    let router = router(Learned::new(0.0).with_exploration(exploration));
    let request = RouteRequest::new("Name a river of region 12.").with_input_tokens(20);
    let explored = |seed: &u64| {
        let conditions = Conditions {
            seed: *seed,
            ..Conditions::default()
        };
        let decision = router.route(&request, &conditions).unwrap();
        decision
            .remark
            .is_some_and(|remark| remark.starts_with("explored"))
    };
    let count = (0..2_000).filter(explored).count();
    assert!((1..=250).contains(&count), "{count} of 2000");
}
