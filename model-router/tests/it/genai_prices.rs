//! Do usage and cost agree with what genai-prices gives for real bodies?

use std::collections::BTreeMap;
use std::path::PathBuf;

use bursar_model_router::{
    CostError, Direction, Imported, PriceContext, Skipped, Source, Usage, UsageKind,
    read_genai_prices,
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    body: Value,
    model: Option<String>,
    extracted: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    usage: BTreeMap<UsageKind, u64>,
    extractors: Vec<Reading>,
}

#[derive(Deserialize)]
struct Reading {
    provider_id: String,
    api_flavor: String,
    input_price: Option<Decimal>,
    output_price: Option<Decimal>,
    total_price: Option<Decimal>,
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn data(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("BURSAR_DATA").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("genai-prices").join(name));
    let bytes = path.and_then(|path| std::fs::read(path).ok());
    if bytes.is_none() {
        eprintln!("SKIPPED: set BURSAR_DATA to a folder with genai-prices/{name}");
    }
    bytes
}

/// Counts of nothing say no more than counts that are not there.
fn without_zeros(usage: &Usage) -> BTreeMap<UsageKind, u64> {
    usage.iter().filter(|&(_, count)| count > 0).collect()
}

#[test]
fn real_bodies_agree_in_usage_and_to_the_last_digit_in_cost() {
    let (Some(prices), Some(cases)) = (data("data.json"), data("usages.json")) else {
        return;
    };
    let Imported { list, skipped } =
        read_genai_prices(&prices, Source::new("genai-prices")).unwrap();
    // Models that the list has without any price, most of them free of charge for a while.
    let other_reasons = skipped
        .iter()
        .filter(|it| !it.reason.starts_with("no rate"));
    assert_eq!(other_reasons.collect::<Vec<_>>(), Vec::<&Skipped>::new());
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    // The moment at which the expected prices were taken.
    let context = PriceContext::at("2025-11-06T12:00:00Z".parse().unwrap());
    let (mut n_usages, mut n_prices, mut n_without, mut n_empty) = (0, 0, 0, 0);
    for case in &cases {
        for expected in &case.extracted {
            for reading in &expected.extractors {
                let (provider, flavor) = (&*reading.provider_id, &*reading.api_flavor);
                let extractor = list.provider(provider).unwrap().extractor(flavor).unwrap();
                let extracted = extractor.extract_value(&case.body).unwrap();
                assert_eq!(
                    without_zeros(&extracted.usage),
                    expected.usage,
                    "{provider} {flavor}"
                );
                n_usages += 1;

                let model = case.model.as_deref().unwrap_or_default();
                let cost = list.cost(provider, model, &extracted.usage, &context);
                match (&reading.input_price, cost) {
                    (Some(_), Ok(cost)) => {
                        let amounts = [
                            Some(cost.known_total_of(Direction::Input)),
                            Some(cost.known_total_of(Direction::Output)),
                            reading.total_price.map(|_| cost.known_total()),
                        ];
                        let expected = [
                            reading.input_price,
                            reading.output_price,
                            reading.total_price,
                        ];
                        let amounts = amounts.map(|it| it.map(|money| money.amount()));
                        assert_eq!(amounts, expected, "{provider} {flavor} {model}");
                        n_prices += 1;
                    }
                    (None, Err(CostError::NoPrice(_))) => n_without += 1,
                    // The list has an entry without any rate for a model that is no longer served, and
                    // genai-prices adds up nothing to zero. Here a cost that nobody knows is no zero.
                    (Some(expected), Err(CostError::NoPrice(_)))
                        if provider == "cerebras" && model == "qwen-3-coder-480b" =>
                    {
                        assert!(expected.is_zero());
                        n_empty += 1;
                    }
                    (price, cost) => panic!("{provider} {flavor} {model}: {price:?}, {cost:?}"),
                }
            }
        }
    }
    println!(
        "{n_usages} usages, {n_prices} prices, {n_without} without a price, {n_empty} without a rate"
    );
    assert!(n_usages > 0 && n_prices > 0 && n_without > 0);
}
