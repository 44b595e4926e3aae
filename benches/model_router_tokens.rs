//! How fast are tokens estimated, beside tokenizers that count them?
//!
//! `cargo bench -p bursar-benches --bench model_router_tokens`, on a machine of two shared cores of an
//! x86-64 server. Texts of about 64 kB, made by repeating texts of the repository with a number between
//! them, so that no tokenizer profits from a cache of the whole.

use std::hint::black_box;

use bursar_model_router::{CountTokens, ExactTokenizer, TokenEstimator, TokenFamily};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TEXTS: [(&str, &str); 4] = [
    (
        "english",
        include_str!("../model-router/tests/texts/english_prose.txt"),
    ),
    ("rust", include_str!("../model-router/tests/texts/rust.txt")),
    (
        "german",
        include_str!("../model-router/tests/texts/german.txt"),
    ),
    (
        "chinese",
        include_str!("../model-router/tests/texts/chinese.txt"),
    ),
];

/// Longer than a cache line of any table, shorter than the second-level cache.
const LENGTH: usize = 64 * 1024;

fn repeated(text: &str) -> String {
    let mut long = String::with_capacity(LENGTH + 2 * text.len());
    let mut number = 0_u32;
    while long.len() < LENGTH {
        long.push_str(text);
        long.push_str(&number.to_string());
        long.push('\n');
        number += 1;
    }
    long
}

fn count(criterion: &mut Criterion) {
    let counters: [(&str, Box<dyn CountTokens>); 2] = [
        (
            "estimator",
            Box::new(TokenEstimator::new(TokenFamily::O200k)),
        ),
        ("bpe-openai", Box::new(ExactTokenizer::o200k())),
    ];
    let mut group = criterion.benchmark_group("count_tokens");
    for (kind, text) in TEXTS {
        let text = repeated(text);
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (name, counter) in &counters {
            let id = BenchmarkId::new(*name, kind);
            group.bench_with_input(id, &text, |bencher, text| {
                bencher.iter(|| counter.count(black_box(text)));
            });
        }
        let tiktoken = tiktoken_rs::o200k_base_singleton();
        group.bench_with_input(
            BenchmarkId::new("tiktoken-rs", kind),
            &text,
            |bencher, text| {
                bencher.iter(|| tiktoken.encode_ordinary(black_box(text)).len());
            },
        );
    }
    group.finish();
}

criterion_group!(benches, count);
criterion_main!(benches);
