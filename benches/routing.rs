//! How long does it take to choose a model for a prompt of 2 kB, among 4, 50 and 1000?
//!
//! The models differ in price and quality; each has a price for reading from the prompt cache and a tier above
//! 200,000 tokens. The table of points is measured with everything inferred from the text, as a gateway
//! would ask that knows nothing but the prompt, and with the tokens counted before.
//!
//! Two cores of an Intel Xeon at 2.5 GHz, otherwise idle, 28 November 2026, medians for 4, 50 and 1000 models: all
//! inferred 17, 29 and 407 µs; tokens counted 6.1, 17 and 398 µs; cache aware 19, 48 and 654 µs.
//!
//! And how long does a learned router of nine models take to read a prompt of 2 kB and to predict all of
//! their answers? All words and pieces of that prompt are known to it, which is the slowest case.
//!
//! `cargo bench -p bursar-benches --bench routing`

use std::hint::black_box;
use std::time::Duration;

use bursar_model_router::learned::{LearnedModel, Outcome, Trainer};
use bursar_model_router::{
    CacheAware, CheapestAbove, Conditions, Features, ModelEntry, ModelId, ProviderId, Quality,
    RateTier, Rates, RouteRequest, Router, TaskType, WarmCache, WeightedScore,
};
use bursar_units::Currency;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rust_decimal::Decimal;

/// A paragraph of instructions and the material they are about.
fn prompt() -> String {
    let material =
        "The invoice of March lists the same volume twice, once as gp2 and once as gp3. ";
    let mut prompt = String::from("Summarize what is wrong with this bill in two sentences.\n");
    while prompt.len() + material.len() <= 2_048 {
        prompt.push_str(material);
    }
    prompt
}

fn models(count: u32) -> Vec<ModelEntry> {
    let model = |number: u32| {
        let provider = ProviderId::new("bench").expect("it is a name");
        let id = ModelId::new(&format!("vendor.model-{number}-v1:0")).expect("it is a name");
        let cents = i64::from(number % 97) + 3;
        let tier = |from_input_tokens, factor: i64| RateTier {
            from_input_tokens,
            input: Decimal::new(cents * factor, 2),
            output: Decimal::new(cents * factor * 5, 2),
            cache_read: Some(Decimal::new(cents * factor, 3)),
            cache_write: None,
        };
        let tiers = vec![tier(0, 1), tier(200_001, 2)];
        let mut entry = ModelEntry::new(provider, id);
        entry.rates = Some(Rates::new(Currency::USD, tiers).expect("they are rates"));
        entry.quality = Some(Quality::new(50.0 + f64::from(number % 50)).expect("up to 100"));
        entry.average_latency = Some(Duration::from_millis(500 + u64::from(number % 20) * 50));
        entry.context_window = Some(128_000 + u64::from(number % 3) * 100_000);
        entry.strengths = vec![TaskType::Summarization];
        entry
    };
    (0..count).map(model).collect()
}

fn route(criterion: &mut Criterion) {
    let prompt = prompt();
    let bar = CheapestAbove::new(Quality::new(80.0).expect("up to 100"));
    let warm = ModelId::new("vendor.model-3-v1:0").expect("it is a name");
    let mut group = criterion.benchmark_group("route_2kB");
    for count in [4, 50, 1_000] {
        let router = Router::new(models(count)).with_policy(WeightedScore);
        group.bench_function(
            BenchmarkId::new("weighted score, all inferred", count),
            |bencher| {
                bencher.iter(|| {
                    let request = RouteRequest::new(black_box(&prompt));
                    router.route(&request, &Conditions::default())
                });
            },
        );
        group.bench_function(
            BenchmarkId::new("weighted score, tokens counted", count),
            |bencher| {
                bencher.iter(|| {
                    let request = RouteRequest::new(black_box(&prompt)).with_input_tokens(480);
                    router.route(&request, &Conditions::default())
                });
            },
        );
        let router = Router::new(models(count)).with_policy(CacheAware::new(bar));
        group.bench_function(
            BenchmarkId::new("cheapest above, cache aware", count),
            |bencher| {
                bencher.iter(|| {
                    let warm = WarmCache {
                        model: &warm,
                        cached_tokens: 400,
                    };
                    let request = RouteRequest::new(black_box(&prompt)).with_warm_cache(warm);
                    router.route(&request, &Conditions::default())
                });
            },
        );
    }
    group.finish();
}

/// Prose, instructions and code.
const TEXTS: [&str; 5] = [
    include_str!("../model-router/tests/texts/english_prompt.txt"),
    include_str!("../model-router/tests/texts/english_prose.txt"),
    include_str!("../model-router/tests/texts/python.txt"),
    include_str!("../model-router/tests/texts/markdown.txt"),
    include_str!("../model-router/tests/texts/html.txt"),
];

/// Learns from parts of a text, each of them twice, so that it knows everything in it.
fn learned(text: &str) -> LearnedModel {
    let models = (0..9).map(|it| ModelId::new(&format!("model-{it}")).expect("it is a name"));
    let models: Vec<_> = models.collect();
    let characters: Vec<_> = text.chars().collect();
    let parts = (0..48).map(|it| {
        let start = it / 2 * characters.len() / 24;
        let end = (start + characters.len() / 8).min(characters.len());
        let score = |model: usize| Some((it * 7 + model * 13) as f64 % 11.0 / 11.0);
        let scores: Vec<_> = (0..models.len()).map(score).collect();
        let part: String = characters[start..end].iter().collect();
        Outcome::new(&part, &scores)
    });
    let outcomes: Vec<_> = parts.collect();
    let trainer = Trainer::new(&models).expect("they are nine models");
    trainer.train(&outcomes, |_| {}).expect("they are enough")
}

fn predict(criterion: &mut Criterion) {
    let text = TEXTS.concat();
    let end = (0..=2_048).rev().find(|it| text.is_char_boundary(*it));
    let prompt = &text[..end.expect("it starts somewhere")];
    let model = learned(prompt);
    let features = Features::of(prompt);
    let mut group = criterion.benchmark_group("learned_2kB");
    group.bench_function("features", |bencher| {
        bencher.iter(|| Features::of(black_box(prompt)));
    });
    group.bench_function("prediction for nine models", |bencher| {
        bencher.iter(|| model.predict(black_box(&features)));
    });
    group.bench_function("both", |bencher| {
        bencher.iter(|| model.predict(&Features::of(black_box(prompt))));
    });
    group.finish();
}

criterion_group!(benches, route, predict);
criterion_main!(benches);
