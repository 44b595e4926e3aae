//! How long does it take to price a call, and to load a price list?
//!
//! A list in the form of genai-prices with 40 providers of 40 models each, as many as its file of August
//! 2026 has, every third entry a pattern; usage with a part from the cache, as most calls have it. The peer
//! is the crate `genai-prices`, which reads the same list and computes with floating point. The shipped
//! catalog is loaded beside it, and the price file of genai-prices if `$BURSAR_DATA` has it.
//!
//! `cargo bench -p bursar-benches --bench model_router`

use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bursar_model_router::{
    ApiFormat, Catalog, CatalogText, PriceContext, PriceList, Source, Usage, UsageKind,
    read_genai_prices,
};
use criterion::{Criterion, criterion_group, criterion_main};
use genai_prices::{Calculator, PriceRequest, UsageKey};

const PROVIDERS: usize = 40;
const MODELS: usize = 40;

/// The model that is priced is in the middle of the list of its provider.
const PROVIDER: &str = "provider-20";
const MODEL: &str = "model-20";

/// 2026-08-01T00:00:00Z.
const AT: u64 = 1_785_542_400;

const BODY: &[u8] = br#"{"id":"chatcmpl-1","object":"chat.completion","model":"model-20",
"choices":[{"index":0,"message":{"role":"assistant","content":"Certainly, here it is."},"finish_reason":"stop"}],
"usage":{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
"prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":0},
"completion_tokens_details":{"reasoning_tokens":192,"audio_tokens":0}}}"#;

fn list_file() -> String {
    let mut file = String::from("[");
    for provider in 0..PROVIDERS {
        let comma = if provider == 0 { "" } else { "," };
        write!(
            file,
            r#"{comma}{{"id":"provider-{provider}","name":"Provider {provider}",
            "api_pattern":"https://api{provider}\\.example\\.com","models":["#
        )
        .expect("a string takes all");
        for model in 0..MODELS {
            let comma = if model == 0 { "" } else { "," };
            let name = format!("model-{model}");
            let names = if model % 3 == 0 {
                format!(r#"{{"or":[{{"equals":"{name}"}},{{"starts_with":"{name}-20"}}]}}"#)
            } else {
                format!(r#"{{"equals":"{name}"}}"#)
            };
            write!(
                file,
                r#"{comma}{{"id":"{name}","match":{names},"context_window":200000,
                "prices":{{"input_mtok":0.15,"cache_read_mtok":0.075,"output_mtok":0.6}}}}"#
            )
            .expect("a string takes all");
        }
        file.push_str("]}");
    }
    file.push(']');
    file
}

fn list(file: &str) -> PriceList {
    let imported = read_genai_prices(file.as_bytes(), Source::new("bench"));
    imported.expect("the list is well-formed").list
}

fn price(criterion: &mut Criterion) {
    let file = list_file();
    let list = list(&file);
    let usage = Usage::new()
        .with(UsageKind::InputTokens, 2_006)
        .with(UsageKind::CacheReadTokens, 1_920)
        .with(UsageKind::OutputTokens, 300);
    let at = i64::try_from(AT).expect("it fits");
    let context = PriceContext::at(jiff::Timestamp::from_second(at).expect("it is in range"));
    let listing = list.find(PROVIDER, MODEL).expect("it is listed");

    let mut group = criterion.benchmark_group("price_a_call");
    group.bench_function("bursar, model found before", |bencher| {
        bencher.iter(|| black_box(listing).cost(black_box(&usage), &context));
    });
    group.bench_function("bursar, by name", |bencher| {
        bencher.iter(|| list.cost(black_box(PROVIDER), black_box(MODEL), &usage, &context));
    });
    group.bench_function("genai-prices", |bencher| {
        let calculator = Calculator::from_json(&file).expect("the list is well-formed");
        let usage = genai_prices::Usage::from([
            (UsageKey::INPUT_TOKENS, 2_006.0),
            (UsageKey::CACHE_READ_TOKENS, 1_920.0),
            (UsageKey::OUTPUT_TOKENS, 300.0),
        ]);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(AT);
        bencher.iter(|| {
            let request = PriceRequest::new(black_box(MODEL), black_box(&usage))
                .with_provider_id(black_box(PROVIDER))
                .with_timestamp(at);
            calculator.calculate(&request)
        });
    });
    group.finish();
}

fn load(criterion: &mut Criterion) {
    let file = list_file();
    let mut group = criterion.benchmark_group("load_1600_models");
    group.bench_function("bursar", |bencher| bencher.iter(|| list(black_box(&file))));
    group.bench_function("genai-prices", |bencher| {
        bencher.iter(|| Calculator::from_json(black_box(&file)));
    });
    group.finish();
}

const SHIPPED: CatalogText<'_> = CatalogText {
    providers: bursar_catalog::PROVIDERS,
    models: bursar_catalog::MODELS,
    prices: bursar_catalog::PRICES,
    sources: bursar_catalog::SOURCES,
};

fn load_shipped(criterion: &mut Criterion) {
    let catalog = Catalog::parse(&SHIPPED).expect("the shipped catalog is well-formed");
    let name = format!("load_shipped_{}_models", catalog.models().len());
    let mut group = criterion.benchmark_group(name);
    // Giving the memory back is not a part of loading.
    group.bench_function("bursar", |bencher| {
        bencher.iter_with_large_drop(|| Catalog::parse(black_box(&SHIPPED)));
    });
    group.finish();
}

#[expect(clippy::print_stderr, reason = "a bench that does not run must say so")]
fn load_genai_prices(criterion: &mut Criterion) {
    let folder = std::env::var_os("BURSAR_DATA").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("genai-prices/data.json"));
    let Some(file) = path.and_then(|path| std::fs::read_to_string(path).ok()) else {
        eprintln!("SKIPPED: set BURSAR_DATA to a folder with genai-prices/data.json");
        return;
    };
    let mut group = criterion.benchmark_group("load_file_of_genai_prices");
    group.bench_function("bursar", |bencher| {
        bencher.iter_with_large_drop(|| list(black_box(&file)));
    });
    match Calculator::from_json(&file) {
        Ok(_) => {
            group.bench_function("genai-prices", |bencher| {
                bencher.iter_with_large_drop(|| Calculator::from_json(black_box(&file)));
            });
        }
        Err(error) => eprintln!("SKIPPED: genai-prices cannot read this file: {error}"),
    }
    group.finish();
}

fn extract(criterion: &mut Criterion) {
    criterion.bench_function("extract_usage/bursar, OpenAI chat", |bencher| {
        bencher.iter(|| ApiFormat::OpenAiChat.extract(black_box(BODY)));
    });
}

criterion_group!(
    benches,
    price,
    load,
    load_shipped,
    load_genai_prices,
    extract
);
criterion_main!(benches);
