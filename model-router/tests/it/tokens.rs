//! Are token counts estimated well, with honest bounds, and do bills correct them?

use std::sync::LazyLock;

use bursar_model_router::{
    CalibrationError, CountTokens, FitError, ModelId, TokenCalibration, TokenEstimate,
    TokenEstimator, TokenFamily, TokenSample, TokenWeights,
};
use bursar_units::TokenCount;
use proptest::prelude::*;

use crate::texts::{COUNTED, Counted};

fn model(name: &str) -> ModelId {
    ModelId::new(name).expect("a name")
}

fn relative_error(estimate: TokenEstimate, count: u64) -> f64 {
    (estimate.expected.as_u64() as f64 / count as f64 - 1.0).abs()
}

/// The mean over the kinds (44 languages and formats, a text each) of the error on texts of this repository, none of which was fitted to.
fn mean_error(family: TokenFamily, count: fn(&Counted) -> u64) -> f64 {
    let estimator = TokenEstimator::new(family);
    let errors = COUNTED
        .iter()
        .map(|it| relative_error(estimator.count(it.text), count(it)));
    errors.sum::<f64>() / COUNTED.len() as f64
}

#[test]
fn texts_of_forty_kinds_are_estimated_within_seven_percent_on_the_mean() {
    let o200k = mean_error(TokenFamily::O200k, |it| it.o200k);
    let cl100k = mean_error(TokenFamily::Cl100k, |it| it.cl100k);
    assert!(o200k <= 0.07, "o200k: {o200k}");
    assert!(cl100k <= 0.06, "cl100k: {cl100k}");
}

#[test]
fn no_text_of_ours_has_more_tokens_than_are_reserved() {
    let estimator = TokenEstimator::new(TokenFamily::O200k);
    for it in COUNTED {
        let estimate = estimator.count(it.text);
        assert!(
            it.o200k <= estimate.p99.as_u64(),
            "{}: {} {estimate:?}",
            it.kind,
            it.o200k
        );
    }
}

#[test]
fn nothing_has_no_tokens_and_every_text_has_one() {
    for family in TokenFamily::ALL {
        let estimator = TokenEstimator::new(*family);
        assert_eq!(estimator.count(""), TokenEstimate::exact(TokenCount::ZERO));
        for text in [" ", "\n", "a", "\u{0}", "\u{10ffff}", "é"] {
            let estimate = estimator.count(text);
            assert!(estimate.expected >= TokenCount::new(1), "{family} {text:?}");
            assert_eq!(estimate.ceiling, TokenCount::new(text.len() as u64));
        }
    }
}

#[test]
fn a_conversation_has_more_tokens_than_its_texts() {
    let estimator = TokenEstimator::new(TokenFamily::O200k);
    let texts = ["Be brief.", "Which invoice is overdue?"];
    let joined: u64 = texts
        .iter()
        .map(|text| estimator.count(text).expected.as_u64())
        .sum();
    let conversation = estimator.count_messages(texts).expected.as_u64();
    assert!(
        (joined + 9..=joined + 14).contains(&conversation),
        "{joined} {conversation}"
    );
    assert!(estimator.count_messages([]).expected.as_u64() >= 3);
}

#[test]
fn names_tell_the_family_wherever_a_model_is_served() {
    for (name, family) in [
        ("gpt-4o-mini-2024-07-18", TokenFamily::O200k),
        ("openai/gpt-5-nano", TokenFamily::O200k),
        ("gpt-4.1", TokenFamily::O200k),
        ("openai.gpt-oss-120b-1:0", TokenFamily::O200k),
        ("o3-mini", TokenFamily::O200k),
        ("gpt-4-0613", TokenFamily::Cl100k),
        ("gpt-35-turbo", TokenFamily::Cl100k),
        (
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            TokenFamily::Claude,
        ),
        ("us.meta.llama3-3-70b-instruct-v1:0", TokenFamily::Llama3),
        ("meta-llama/Llama-2-7b-chat", TokenFamily::Unknown),
        ("us.deepseek.r1-v1:0", TokenFamily::DeepSeek),
        ("Qwen/Qwen2.5-7B-Instruct", TokenFamily::Qwen),
        ("mistral.mixtral-8x7b-instruct-v0:1", TokenFamily::Mistral),
        ("gemini-2.0-flash-001", TokenFamily::Unknown),
        ("amazon.nova-pro-v1:0", TokenFamily::Unknown),
    ] {
        assert_eq!(TokenFamily::of_model(&model(name)), family, "{name}");
    }
}

#[test]
fn what_is_less_known_is_reserved_more_widely() {
    let text = COUNTED[0].text;
    let spread = |estimator: TokenEstimator| {
        let estimate = estimator.count(text);
        estimate.p99.as_u64() as f64 / estimate.p50.as_u64() as f64
    };
    let known = spread(TokenEstimator::for_model(&model("gpt-4o")));
    let unknown = spread(TokenEstimator::for_model(&model("amazon.nova-lite-v1:0")));
    let claude = spread(TokenEstimator::for_model(&model("claude-sonnet-4-5")));
    assert!(
        unknown > known && claude > known,
        "{known} {unknown} {claude}"
    );
}

/// A tokenizer that makes a token of each word and one of each line break has weights of one.
#[test]
fn weights_fitted_to_words_count_words() {
    let texts: Vec<String> = (1..400)
        .map(|n| {
            (0..n % 37 + 5)
                .map(|i| ["we", "order", "the", "rake"][(i + n) % 4])
                .collect::<Vec<_>>()
        })
        .map(|words| words.join(" "))
        .collect();
    let sample = |text: &String| (text.clone(), text.split(' ').count() as u64);
    let counted: Vec<(String, u64)> = texts.iter().map(sample).collect();
    let samples: Vec<TokenSample<'_>> = counted
        .iter()
        .map(|(text, count)| TokenSample {
            text,
            tokens: TokenCount::new(*count),
        })
        .collect();
    let weights = TokenWeights::fit(&samples).expect("enough samples");
    let estimator = TokenEstimator::with_weights(weights);
    let words = "the rake we order the rake ".repeat(10);
    let estimate = estimator.count(words.trim_end());
    assert!(
        (59..=61).contains(&estimate.expected.as_u64()),
        "{estimate:?}"
    );
    assert!(estimate.p99.as_u64() <= 62, "{estimate:?}");
}

#[test]
fn too_few_samples_fit_nothing() {
    let sample = TokenSample {
        text: "a",
        tokens: TokenCount::new(1),
    };
    let samples = vec![sample; 99];
    assert_eq!(
        TokenWeights::fit(&samples),
        Err(FitError::TooFew { count: 99 })
    );
}

#[test]
fn weights_are_read_back_and_damaged_ones_are_refused() {
    let weights = TokenFamily::O200k.weights();
    let json = serde_json::to_value(&weights).expect("weights are numbers and texts");
    assert_eq!(
        serde_json::from_value::<TokenWeights>(json.clone()).expect("weights"),
        weights
    );
    let damages: [(&str, serde_json::Value); 7] = [
        ("/format", 2.into()),
        ("/features/Han", (-0.5).into()),
        ("/features/Han", 1e9.into()),
        ("/pairs/3", "0123".into()),
        ("/pairs/3", "?".repeat(30).into()),
        ("/errors/1/p95", 0.0.into()),
        ("/errors/2/p50", 900.0.into()),
    ];
    for (pointer, value) in damages {
        let mut damaged = json.clone();
        *damaged.pointer_mut(pointer).expect("a field") = value.clone();
        serde_json::from_value::<TokenWeights>(damaged).expect_err(pointer);
    }
    let mut renamed = json;
    renamed["features"]["Klingon"] = 1.into();
    serde_json::from_value::<TokenWeights>(renamed).expect_err("an unknown property");
}

fn estimate() -> TokenEstimate {
    TokenEstimator::new(TokenFamily::Unknown).count(&COUNTED[0].text.repeat(3))
}

fn times(count: TokenCount, factor: f64) -> TokenCount {
    TokenCount::new((count.as_u64() as f64 * factor).round() as u64)
}

#[test]
fn a_calibration_without_bills_changes_nothing() {
    assert_eq!(TokenCalibration::new().apply(&estimate()), estimate());
}

#[test]
fn a_bill_of_nothing_is_refused() {
    let billed = TokenCount::ZERO;
    let estimated = estimate().p50;
    let refused = Err(CalibrationError::Nothing { estimated, billed });
    assert_eq!(TokenCalibration::new().learn(&estimate(), billed), refused);
}

/// Images and tools that a caller did not count make every tenth bill five times as large.
#[test]
fn a_few_odd_bills_do_not_move_the_middle() {
    let mut calibration = TokenCalibration::new();
    let estimate = estimate();
    for bill in 0..300 {
        let factor = if bill % 10 == 0 { 5.0 } else { 1.1 };
        calibration
            .learn(&estimate, times(estimate.p50, factor))
            .expect("a bill");
    }
    let ratio = calibration.apply(&estimate).p50.as_u64() as f64 / estimate.p50.as_u64() as f64;
    assert!((ratio - 1.1).abs() < 0.02, "{ratio}");
}

#[test]
fn a_calibration_follows_a_model_whose_tokenizer_changes() {
    let mut calibration = TokenCalibration::new();
    let estimate = estimate();
    for _ in 0..20_000 {
        calibration.learn(&estimate, estimate.p50).expect("a bill");
    }
    for _ in 0..5_000 {
        calibration
            .learn(&estimate, times(estimate.p50, 1.35))
            .expect("a bill");
    }
    let ratio = calibration.apply(&estimate).p50.as_u64() as f64 / estimate.p50.as_u64() as f64;
    assert!((ratio - 1.35).abs() < 0.02, "{ratio}");
    assert!(calibration.weight() < 4_096.0);
}

#[test]
fn a_calibration_is_read_back_and_a_damaged_one_is_refused() {
    let mut calibration = TokenCalibration::new();
    calibration
        .learn(&estimate(), times(estimate().p50, 1.2))
        .expect("a bill");
    let json = serde_json::to_string(&calibration).expect("a state");
    assert_eq!(
        serde_json::from_str::<TokenCalibration>(&json).expect("a state"),
        calibration
    );
    for damaged in [
        r#"{"format":2,"ratios":{}}"#,
        r#"{"format":1,"ratios":{"950":1.0}}"#,
        r#"{"format":1,"ratios":{"3":-1.0}}"#,
        r#"{"format":1}"#,
    ] {
        serde_json::from_str::<TokenCalibration>(damaged).expect_err(damaged);
    }
}

proptest! {
    #[test]
    fn bounds_rise_and_end_at_the_bytes(text in any::<String>()) {
        static ESTIMATORS: LazyLock<Vec<TokenEstimator>> =
            LazyLock::new(|| TokenFamily::ALL.iter().copied().map(TokenEstimator::new).collect());
        for estimator in ESTIMATORS.iter() {
            let it = estimator.count(&text);
            prop_assert!(it.p50 <= it.p95 && it.p95 <= it.p99 && it.p99 <= it.ceiling);
            prop_assert!(it.expected <= it.ceiling);
            prop_assert_eq!(it.ceiling.as_u64(), text.len() as u64);
        }
    }

    /// Whatever the factor of a model is, enough bills find it, and p95 then lies nearer.
    #[test]
    fn bills_take_the_bias_away_and_tighten_the_bound(factor in 0.4_f64..3.0, noise in 0.0_f64..0.05) {
        static ESTIMATE: LazyLock<TokenEstimate> = LazyLock::new(estimate);
        let estimate = *ESTIMATE;
        let mut calibration = TokenCalibration::new();
        for bill in 0..2_000_u32 {
            // Spreads evenly over ±noise.
            let shift = (f64::from(bill) * 0.618_034).fract() * 2.0 - 1.0;
            let billed = times(estimate.p50, factor * (1.0 + noise * shift));
            calibration.learn(&estimate, billed).expect("a bill");
        }
        let after = calibration.apply(&estimate);
        let bias = after.p50.as_u64() as f64 / (estimate.p50.as_u64() as f64 * factor);
        prop_assert!((bias - 1.0).abs() < 0.025, "{}", bias);
        let spread = |it: TokenEstimate| it.p95.as_u64() as f64 / it.p50.as_u64() as f64;
        prop_assert!(spread(after) < spread(estimate));
        prop_assert!(after.p50 <= after.p95 && after.p95 <= after.p99 && after.p99 <= after.ceiling);
    }
}

#[cfg(feature = "tokenizers")]
#[test]
fn the_tokenizers_agree_with_the_table_of_counts() {
    use bursar_model_router::ExactTokenizer;

    for it in COUNTED {
        let count = |tokenizer: ExactTokenizer| tokenizer.count(it.text).expected.as_u64();
        assert_eq!(count(ExactTokenizer::o200k()), it.o200k, "{}", it.kind);
        assert_eq!(count(ExactTokenizer::cl100k()), it.cl100k, "{}", it.kind);
    }
    assert!(ExactTokenizer::of_family(TokenFamily::Claude).is_none());
}
