//! How long does a decision take with 4, 100 and 1000 rules, beside peers doing the same four rules?
//!
//! Contexts are seeded and random: about half of the rules' comparisons hold. `bursar` evaluates and
//! reads verdict and score; `bursar_reasons` also renders the reasons. `cel` runs four compiled programs
//! over a context that is there already, `zen_expression` four compiled expressions in one isolate over
//! an environment that is there already (the machine under zen-engine, whose own crate brings a
//! TypeScript parser, a JavaScript engine and aws-lc). Neither adds points or gives reasons.
//!
//! `cargo bench -p bursar-benches --bench risk`, about a minute.

use std::hint::black_box;

use bursar_risk::{Action, Context, Rule, RuleSet, Signal};
use criterion::{Criterion, criterion_group, criterion_main};
use zen_expression::Isolate;

/// Four signals from a fixed linear congruence, so that every run sees the same contexts.
fn contexts() -> Vec<Context> {
    let mut state = 1_u64;
    let mut unit = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let context = |_| {
        Context::new()
            .with(Signal::TOKENS_PER_MINUTE, unit() * 2000.0)
            .with(Signal::UNIQUE_IPS, unit() * 20.0)
            .with(Signal::USAGE_ANOMALY, unit())
            .with(Signal::ACCOUNT_AGE_DAYS, unit() * 14.0)
            .with(Signal::SPEND_PER_DAY, unit() * 200.0)
    };
    (0..1024).map(context).collect()
}

/// The four rules, repeated with other names.
fn rules(count: usize) -> RuleSet {
    let four = RuleSet::standard();
    let rules = four
        .rules()
        .iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(number, rule)| {
            Rule::new(
                format!("r{number}"),
                rule.condition().clone(),
                rule.points(),
                Action::Flag,
            )
        });
    RuleSet::new("bench", 1, rules).expect("the rules are those of the standard set")
}

fn decisions(criterion: &mut Criterion) {
    let contexts = contexts();
    let mut group = criterion.benchmark_group("decision");
    for count in [4, 100, 1000] {
        let rules = rules(count);
        group.bench_function(format!("bursar/{count}"), |bencher| {
            let mut next = contexts.iter().cycle();
            bencher.iter(|| {
                let decision = next
                    .next()
                    .map(|context| rules.evaluate(black_box(context)));
                decision.map(|decision| {
                    (
                        decision.verdict(),
                        decision.score(),
                        decision.triggered().len(),
                    )
                })
            });
        });
    }
    let four = RuleSet::standard();
    group.bench_function("bursar_reasons/4", |bencher| {
        let mut next = contexts.iter().cycle();
        bencher.iter(|| {
            let decision = next.next().map(|context| four.evaluate(black_box(context)));
            decision.map(|decision| decision.reasons().collect::<Vec<_>>())
        });
    });
    group.finish();
}

const EXPRESSIONS: [&str; 4] = [
    "tokens_per_minute > 1000.0",
    "unique_ips > 10.0",
    "usage_anomaly >= 0.5",
    "account_age_days < 7.0 && spend_per_day > 100.0",
];

const NAMES: [(&str, f64); 5] = [
    ("tokens_per_minute", 1500.0),
    ("unique_ips", 4.0),
    ("usage_anomaly", 0.75),
    ("account_age_days", 3.0),
    ("spend_per_day", 150.0),
];

fn cel(criterion: &mut Criterion) {
    let compile = |text: &str| cel::Program::compile(text).expect("the expressions above are CEL");
    let programs = EXPRESSIONS.map(compile);
    let mut context = cel::Context::default();
    for (name, value) in NAMES {
        context.add_variable_from_value(name, value);
    }
    criterion.bench_function("decision/cel/4", |bencher| {
        bencher.iter(|| {
            programs
                .iter()
                .map(|program| program.execute(&context).is_ok())
                .filter(|&is_ok| is_ok)
                .count()
        });
    });
}

fn zen(criterion: &mut Criterion) {
    let environment: serde_json::Map<String, serde_json::Value> = NAMES
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    let mut isolate = Isolate::with_environment(serde_json::Value::Object(environment).into());
    let expressions = EXPRESSIONS.map(|text| {
        let text = text.replace("&&", "and");
        isolate
            .compile_standard(&text)
            .expect("the expressions above are Zen")
    });
    criterion.bench_function("decision/zen_expression/4", |bencher| {
        bencher.iter(|| {
            let run = |expression: &zen_expression::Expression<_>| {
                isolate.run_compiled(expression.bytecode()).is_ok()
            };
            expressions.iter().map(run).filter(|&is_ok| is_ok).count()
        });
    });
}

criterion_group!(benches, decisions, cel, zen);
criterion_main!(benches);
