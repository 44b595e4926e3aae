//! Cheap first, and escalate when a check fails.

use bursar_model_router::{
    AnswerCheck, Cascade, CascadePlan, CascadeStep, CheckFailure, CheckedAnswer, Conditions, Plan,
    RouteRequest, Router, TaskType,
};

use crate::models::{HAIKU, LITE, MICRO, SONNET, four};

fn plan(most_stages: usize, checks: Vec<AnswerCheck>) -> CascadePlan {
    let router = Router::new(four()).with_policy(Cascade::new(most_stages, checks));
    let request = RouteRequest::new("")
        .with_task(TaskType::Analysis)
        .with_input_tokens(1_000)
        .with_expected_output_tokens(200);
    let decision = router.route(&request, &Conditions::default()).unwrap();
    assert_eq!(decision.candidates.len(), 4, "the others are fallbacks");
    match decision.plan {
        Plan::Cascade(plan) => plan,
        other => unreachable!("{other:?}"),
    }
}

fn models(plan: &CascadePlan) -> Vec<&str> {
    plan.stages
        .iter()
        .map(|stage| stage.model.as_str())
        .collect()
}

#[test]
fn the_stages_are_those_that_save_most() {
    // In front of Sonnet at 0.006: Haiku makes 0.0005 + 0.15 * 0.006 = 0.0014, Lite 0.000108 + 0.2 * 0.006
    // = 0.001308, Micro 0.000063 + 0.25 * 0.006 = 0.001563.
    let two = plan(2, Vec::new());
    assert_eq!(models(&two), [LITE, SONNET]);
    assert_eq!(two.expected_cost, "0.001308 USD".parse().unwrap());
    // In front of these Micro makes 0.000063 + 0.25 * 0.001308 = 0.00039.
    let three = plan(3, Vec::new());
    assert_eq!(models(&three), [MICRO, LITE, SONNET]);
    assert_eq!(three.expected_cost, "0.00039 USD".parse().unwrap());
    assert_eq!(models(&plan(0, Vec::new())), [SONNET]);
    assert!(!models(&plan(9, Vec::new())).contains(&HAIKU));
}

#[test]
fn an_answer_that_fails_a_check_is_escalated() {
    let checks = vec![
        AnswerCheck::NotEmpty,
        AnswerCheck::Complete,
        AnswerCheck::Json,
        AnswerCheck::Confidence(0.7),
    ];
    let plan = plan(2, checks);
    let good = CheckedAnswer {
        text: "{\"a\": 1}",
        is_complete: true,
        confidence: Some(0.7),
    };
    assert_eq!(plan.after(0, &good), CascadeStep::Accept);
    let unsure = CheckFailure::Unsure {
        confidence: 0.2,
        least: 0.7,
    };
    for (answer, why) in [
        (
            CheckedAnswer {
                text: " \n",
                ..good
            },
            CheckFailure::Empty,
        ),
        (
            CheckedAnswer {
                is_complete: false,
                ..good
            },
            CheckFailure::Cut,
        ),
        (
            CheckedAnswer {
                text: "{\"a\": 1",
                ..good
            },
            CheckFailure::NotJson,
        ),
        (
            CheckedAnswer {
                confidence: Some(0.2),
                ..good
            },
            unsure,
        ),
        (
            CheckedAnswer {
                confidence: None,
                ..good
            },
            CheckFailure::ConfidenceUnknown,
        ),
    ] {
        let to = &plan.stages[1];
        assert_eq!(plan.after(0, &answer), CascadeStep::Escalate { to, why });
        assert_eq!(plan.after(1, &answer), CascadeStep::Exhausted { why });
    }
}
