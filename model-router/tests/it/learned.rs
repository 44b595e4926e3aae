//! What a trained router promises.

use bursar_model_router::learned::{LearnedModel, Outcome, Trainer, TrainingError};
use bursar_model_router::{Features, ModelId};
use proptest::prelude::*;

fn models() -> Vec<ModelId> {
    ["small", "large"]
        .map(|it| ModelId::new(it).expect("a name"))
        .to_vec()
}

/// The small model fails where something is to be computed, and every seventh time elsewhere.
fn outcomes(count: usize) -> Vec<Outcome> {
    let outcome = |it: usize| match it % 3 {
        0 => Outcome::new(
            &format!("Compute {} * {} now.", it, it * 7 % 97),
            &[Some(0.0), Some(1.0)],
        ),
        _ => {
            let right = if it.is_multiple_of(7) { 0.0 } else { 1.0 };
            let thing = ["rivers", "kings", "metals", "poets"][it % 4];
            let text = format!("Which of the {thing} of region {it} is best known?");
            Outcome::new(&text, &[Some(right), Some(1.0)])
        }
    };
    (0..count).map(outcome).collect()
}

/// Trained once for all tests.
fn trained() -> LearnedModel {
    static MODEL: std::sync::OnceLock<LearnedModel> = std::sync::OnceLock::new();
    MODEL.get_or_init(train).clone()
}

fn train() -> LearnedModel {
    let trainer = Trainer::new(&models()).expect("two models");
    trainer
        .train(&outcomes(120), |_| {})
        .expect("enough outcomes")
}

fn preference(model: &LearnedModel, text: &str) -> f64 {
    model.predict(&Features::of(text)).preference(0, 1)
}

#[test]
fn the_strong_model_is_preferred_where_only_it_is_right() {
    let model = trained();
    let sum = preference(&model, "Compute 44 * 31 now.");
    let fact = preference(&model, "Which of the metals of region 5 is best known?");
    assert!(sum > 0.7 && fact < 0.4, "{sum}, {fact}");
}

#[test]
fn far_from_the_training_the_best_model_on_average_is_preferred() {
    let model = trained();
    let prediction = model.predict(&Features::of(&"def f(x): return {x: [1, 2]}\n".repeat(40)));
    assert!(prediction.novelty > 2.0, "{prediction:?}");
    assert_eq!(prediction.trust, 0.0);
    // Nothing but the means and a trend with length is left.
    let explanation = model
        .explain("def f(x): return {x: [1, 2]}\n", 0, 1, 3)
        .expect("two models");
    let rest = explanation.on_average + explanation.from_length;
    assert!(
        (explanation.preference - rest).abs() < 0.3,
        "{explanation:?}"
    );
}

#[test]
fn an_explanation_sums_to_the_preference() {
    let model = trained();
    for text in [
        "Compute 44 * 31 now.",
        "Which of the kings?",
        "",
        "解释 this",
    ] {
        for most in [0, 3, 1_000] {
            let it = model.explain(text, 0, 1, most).expect("two models");
            let parts = it.contributions.iter().map(|it| it.gain).sum::<f64>();
            let sum = it.on_average + it.from_length + parts + it.others;
            assert!((sum - it.preference).abs() < 1e-4, "{text:?}: {it:?}");
            assert!((it.preference - preference(&model, text)).abs() < 1e-12);
        }
    }
    assert_eq!(model.explain("", 0, 2, 1), None);
}

#[test]
fn the_same_outcomes_and_seed_make_the_same_model() {
    let train = |seed| {
        let trainer = Trainer::new(&models()).expect("two models").with_seed(seed);
        let model = trainer.train(&outcomes(30), |_| {}).expect("enough");
        serde_json::to_string(&model).expect("numbers")
    };
    assert_eq!(train(3), train(3));
    assert_ne!(train(3), train(4));
}

#[test]
fn progress_ends_when_all_steps_are_done() {
    let mut steps = Vec::new();
    let trainer = Trainer::new(&models()).expect("two models");
    let model = trainer.train(&outcomes(24), |it| steps.push((it.done, it.total)));
    let model = model.expect("they are enough");
    assert_eq!(model.models(), models());
    assert!(steps.is_sorted() && steps.len() > 1, "{steps:?}");
    assert!(steps.last().is_some_and(|it| it.0 == it.1), "{steps:?}");
}

#[test]
fn kinds_that_are_named_are_told_from_the_text() {
    // The small model is right in nine of ten riddles and in three of ten sums, by chance.
    let mut state = 1_u64;
    let mut chance = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut outcome = |it: usize| {
        let (text, kind, part) = match it % 2 {
            0 => (
                format!("Which animal has {it} eyes and no mouth?"),
                "riddle",
                0.9,
            ),
            _ => (
                format!("Compute the sum of {it} and {}.", it * 7),
                "sum",
                0.3,
            ),
        };
        let score = f64::from(u8::from(chance() < part));
        Outcome::new(&text, &[Some(score), Some(1.0)]).with_kind(kind)
    };
    let named: Vec<_> = (0..160).map(&mut outcome).collect();
    let unnamed: Vec<_> = named
        .iter()
        .map(|it| Outcome {
            kind: None,
            ..it.clone()
        })
        .collect();
    let off = |outcomes: &[Outcome]| {
        let trainer = Trainer::new(&models()).expect("two models");
        let model = trainer.train(outcomes, |_| {}).expect("enough");
        let off = |it: usize| {
            let riddle = preference(&model, &format!("Which animal has {it} eyes and no mouth?"));
            let sum = preference(&model, &format!("Compute the sum of {it} and {}.", it * 7));
            (riddle - 0.1).abs() + (sum - 0.7).abs()
        };
        (200..240).map(off).sum::<f64>() / 80.0
    };
    let (with, without) = (off(&named), off(&unnamed));
    assert!(with < 0.12 && with < without, "{with}, {without}");
}

#[test]
fn scores_that_are_missing_are_no_zeros() {
    let mut outcomes = outcomes(80);
    // Of half of the prompts only one model's score is known.
    for (row, outcome) in outcomes.iter_mut().enumerate().filter(|it| it.0 % 2 == 0) {
        outcome.scores[row / 2 % 2] = None;
    }
    let trainer = Trainer::new(&models()).expect("two models");
    let model = trainer
        .train(&outcomes, |_| {})
        .expect("40 prompts have both");
    let sum = preference(&model, "Compute 44 * 31 now.");
    let fact = preference(&model, "Which of the metals of region 5 is best known?");
    assert!(sum > fact + 0.3, "{sum}, {fact}");
}

#[test]
fn what_cannot_be_learned_from_says_why() {
    let one = &models()[..1];
    assert_eq!(
        Trainer::new(one).err(),
        Some(TrainingError::Models { models: 1 })
    );
    let twice = [models(), models()].concat();
    assert!(matches!(
        Trainer::new(&twice),
        Err(TrainingError::Twice { .. })
    ));
    let trainer = Trainer::new(&models()).expect("two models");
    let error = |outcomes: &[Outcome]| trainer.train(outcomes, |_| {}).err();
    assert_eq!(error(&[]), Some(TrainingError::TooFew { outcomes: 0 }));
    let mut wrong = outcomes(30);
    wrong[4].scores[1] = Some(1.5);
    assert_eq!(
        error(&wrong),
        Some(TrainingError::OutOfRange { row: 4, score: 1.5 })
    );
    wrong[4].scores[1] = Some(f64::NAN);
    assert!(matches!(
        error(&wrong),
        Some(TrainingError::OutOfRange { row: 4, .. })
    ));
    wrong[4].scores = vec![None];
    let scores = TrainingError::Scores {
        row: 4,
        scores: 1,
        models: 2,
    };
    assert_eq!(error(&wrong), Some(scores));
}

#[test]
fn models_that_never_differ_are_no_reason_to_fail() {
    let same = |it: usize| Outcome::new(&format!("The same {it}"), &[Some(1.0), Some(1.0)]);
    let outcomes: Vec<_> = (0..30).map(same).collect();
    let trainer = Trainer::new(&models()).expect("two models");
    let model = trainer.train(&outcomes, |_| {}).expect("enough");
    assert_eq!(preference(&model, "The same 7"), 0.0);
}

#[test]
fn a_damaged_model_is_an_error() {
    let whole = serde_json::to_value(trained()).expect("numbers");
    assert!(serde_json::from_value::<LearnedModel>(whole.clone()).is_ok());
    let damages: [(&str, serde_json::Value); 12] = [
        ("format", 1.into()),
        ("models", serde_json::json!(["small"])),
        ("weights", serde_json::json!("AQID")),
        ("weight_scales", serde_json::json!([1.0, 1e30, 1.0])),
        ("means", serde_json::json!([0.5])),
        ("topic_centers", serde_json::json!("")),
        ("topic_radii", serde_json::json!([0.0])),
        ("trust", serde_json::json!([[1.0, 0.5], [0.5, 0.7]])),
        ("errors", serde_json::json!([[0.1, 0.1]])),
        (
            "words",
            serde_json::json!({"hashes": "AwA=", "frequencies": "AgI=", "prompts": 9}),
        ),
        ("surface_means", serde_json::json!([0.0])),
        (
            "calibration",
            serde_json::json!({"format": 2, "predictions": "AQA="}),
        ),
    ];
    for (field, value) in damages {
        let mut damaged = whole.clone();
        damaged[field] = value;
        let read = serde_json::from_value::<LearnedModel>(damaged);
        assert!(read.is_err(), "{field} was not missed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gets_finite_features_and_a_finite_prediction(text in "\\PC{0,300}") {
        let features = Features::of(&text);
        prop_assert!(features.surface().all(|it| it.1.is_finite()));
        prop_assert_eq!(&features, &Features::of(&text));
        let prediction = trained().predict(&features);
        prop_assert!((0.0..=1.0).contains(&prediction.trust));
        for quality in &prediction.qualities {
            prop_assert!(quality.expected.is_finite());
            prop_assert!(0.0 <= quality.low && quality.low <= quality.high && quality.high <= 1.0);
        }
    }
}
