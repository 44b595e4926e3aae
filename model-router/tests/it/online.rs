//! What learning from feedback alone promises.

use bursar_model_router::Features;
use bursar_model_router::learned::{FeedbackError, OnlineRouter, OnlineSettings};

const SUM: &str = "Compute 17 * 24 and write the result.";
const FACT: &str = "Which river runs through the old town of Prague?";

/// Sums are the second model's, facts the first one's; `swapped` turns it round.
fn reward(query: u64, model: usize, swapped: bool) -> f64 {
    let best = usize::from(query.is_multiple_of(2) != swapped);
    if model == best { 0.9 } else { 0.1 }
}

fn text(query: u64) -> &'static str {
    if query.is_multiple_of(2) { SUM } else { FACT }
}

/// Sends queries and returns the mean reward.
fn serve(router: &mut OnlineRouter, queries: std::ops::Range<u64>, swapped: bool) -> f64 {
    let count = (queries.end - queries.start) as f64;
    let one = |query| {
        let features = Features::of(text(query));
        let choice = router
            .choose(&features, &[0.0, 0.0], query)
            .expect("two models");
        let reward = reward(query, choice.model, swapped);
        router
            .feedback(&features, choice.model, reward, &[0.0, 0.0])
            .expect("a reward");
        reward
    };
    queries.map(one).sum::<f64>() / count
}

fn settings(exploration: f64) -> OnlineSettings {
    let mut settings = OnlineSettings::default();
    settings.exploration = exploration;
    settings.boldness = 1.0;
    settings
}

#[test]
fn each_kind_of_prompt_finds_its_model() {
    let mut router = OnlineRouter::new(2, settings(0.5));
    serve(&mut router, 0..100, false);
    let late = serve(&mut router, 100..200, false);
    assert!(late > 0.8, "{late}");
}

#[test]
fn models_that_swap_are_learned_anew() {
    let mut router = OnlineRouter::new(2, settings(0.5));
    serve(&mut router, 0..200, false);
    serve(&mut router, 200..300, true);
    let late = serve(&mut router, 300..400, true);
    assert!(late > 0.75, "{late}");
    assert!(router.drifts(0) + router.drifts(1) > 0);
}

#[test]
fn without_exploration_the_best_estimate_decides() {
    let mut router = OnlineRouter::new(3, settings(0.0));
    let features = Features::of(SUM);
    let expectations = [0.1, 0.3, 0.2];
    for seed in 0..50 {
        let choice = router
            .choose(&features, &expectations, seed)
            .expect("three models");
        assert_eq!((choice.model, choice.is_exploration), (1, false));
    }
    // What turns out worse than the others is left.
    for _ in 0..30 {
        for (model, reward) in [0.1, 0.0, 0.2].into_iter().enumerate() {
            let result = router.feedback(&features, model, reward, &expectations);
            result.expect("a reward");
        }
    }
    let choice = router
        .choose(&features, &expectations, 0)
        .expect("three models");
    assert_ne!(choice.model, 1);
}

#[test]
fn exploration_stays_within_its_share() {
    let router = OnlineRouter::new(4, settings(0.2));
    let features = Features::of(FACT);
    let explored = (0..2_000).filter(|&seed| {
        router
            .choose(&features, &[0.0; 4], seed)
            .expect("four")
            .is_exploration
    });
    let explored = explored.count();
    // A fifth of 2,000, a quarter of which the draw agrees with the estimate; 4 standard deviations.
    assert!((200..=400).contains(&explored), "{explored}");
}

#[test]
fn draws_settle_with_the_results() {
    let features = Features::of(FACT);
    let explored = |settling: f64| {
        let mut settings = settings(1.0);
        settings.settling = settling;
        let mut router = OnlineRouter::new(2, settings);
        for query in 0..40 {
            let result = router.feedback(&features, query % 2, 0.5, &[0.1, 0.0]);
            result.expect("a reward");
        }
        let choose = |seed: &u64| {
            let choice = router.choose(&features, &[0.1, 0.0], *seed);
            choice.expect("two models").is_exploration
        };
        (0..500).filter(choose).count()
    };
    let (quick, never) = (explored(4.0), explored(1e9));
    assert!(quick + 50 < never, "{quick}, {never}");
}

#[test]
fn a_saved_state_chooses_as_before() {
    let mut router = OnlineRouter::new(2, settings(1.0));
    serve(&mut router, 0..30, false);
    let json = serde_json::to_string(&router).expect("numbers");
    let read: OnlineRouter = serde_json::from_str(&json).expect("what was written");
    let features = Features::of(SUM);
    for seed in 0..20 {
        let choose =
            |it: &OnlineRouter| it.choose(&features, &[0.0, 0.0], seed).expect("two models");
        let (left, right) = (choose(&router), choose(&read));
        assert_eq!(choose(&router), left);
        // serde_json reads numbers to within one unit of the last place.
        let mut pairs = left.expected.iter().zip(&right.expected);
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-9));
        assert_eq!(left.model, right.model);
    }
}

#[test]
fn feedback_that_makes_no_sense_changes_nothing() {
    let mut router = OnlineRouter::new(2, OnlineSettings::default());
    let before = serde_json::to_value(&router).expect("numbers");
    let features = Features::of(SUM);
    let unknown = FeedbackError::UnknownModel {
        model: 2,
        models: 2,
    };
    assert_eq!(
        router.feedback(&features, 2, 1.0, &[0.0, 0.0]),
        Err(unknown)
    );
    assert!(
        router
            .feedback(&features, 0, f64::NAN, &[0.0, 0.0])
            .is_err()
    );
    assert!(router.feedback(&features, 0, 1.0, &[0.0]).is_err());
    assert!(router.choose(&features, &[f64::INFINITY, 0.0], 0).is_err());
    assert_eq!(serde_json::to_value(&router).expect("numbers"), before);
}

#[test]
fn a_damaged_state_is_an_error() {
    let whole = serde_json::to_value(OnlineRouter::new(2, OnlineSettings::default()));
    let whole = whole.expect("numbers");
    let read = |value| serde_json::from_value::<OnlineRouter>(value);
    assert!(read(whole.clone()).is_ok());
    let mut damaged = whole.clone();
    damaged["models"] = serde_json::json!([]);
    assert!(read(damaged).is_err());
    let mut damaged = whole.clone();
    damaged["shared"]["weights"] = serde_json::json!([0.0]);
    assert!(read(damaged).is_err());
    let mut damaged = whole;
    damaged["settings"]["noise"] = 0.0.into();
    assert!(read(damaged).is_err());
}
