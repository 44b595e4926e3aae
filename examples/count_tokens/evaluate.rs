//! How far off are estimates, by kind of text?

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use bursar_model_router::{CountTokens, ExactTokenizer, TokenEstimator, TokenFamily};
use serde::Serialize;
use serde_json::json;

use crate::samples::{Sample, Split, Tokens};

/// Mean absolute errors in percent, and shares of texts over a bound in percent.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Row {
    texts: usize,
    tokens_per_character: f64,
    bias: f64,
    estimator: f64,
    words_times_1_3: f64,
    characters_by_4: f64,
    bytes_by_4: f64,
    over_p95: f64,
    over_p99: f64,
}

/// Prints the errors on the split `test`.
pub(crate) fn print(
    samples: &[Sample],
    family: TokenFamily,
    estimator: &TokenEstimator,
    as_json: bool,
) -> Result<()> {
    let mut kinds: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.is_of(Split::Test)) {
        let count = true_count(sample, family)?;
        if count > 0 {
            kinds
                .entry(&sample.kind)
                .or_default()
                .push(row(&sample.text, count, estimator));
        }
    }
    let rows: BTreeMap<&str, Row> = kinds
        .iter()
        .map(|(kind, rows)| (*kind, mean(rows)))
        .collect();
    let all: Vec<Row> = rows.values().copied().collect();
    if all.is_empty() {
        bail!("no text has a token");
    }
    let macro_mean = mean(&all);
    if as_json {
        let answer = json!({"family": family, "kinds": rows, "macro_mean": macro_mean});
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    println!(
        "Errors in percent of the true count by {family}, and texts over p95 and p99 in percent.\n"
    );
    println!(
        "{:<18} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8} {:>6} {:>6}",
        "kind",
        "texts",
        "tok/ch",
        "bias",
        "error",
        "words1.3",
        "chars/4",
        "bytes/4",
        ">p95",
        ">p99"
    );
    for (kind, row) in rows.iter().chain([(&"MACRO MEAN", &macro_mean)]) {
        println!(
            "{kind:<18} {:>6} {:>6.3} {:>+6.1} {:>6.1} {:>8.1} {:>8.1} {:>8.1} {:>6.1} {:>6.1}",
            row.texts,
            row.tokens_per_character,
            row.bias,
            row.estimator,
            row.words_times_1_3,
            row.characters_by_4,
            row.bytes_by_4,
            row.over_p95,
            row.over_p99,
        );
    }
    Ok(())
}

fn true_count(sample: &Sample, family: TokenFamily) -> Result<u64> {
    match &sample.tokens {
        Some(Tokens::One(tokens)) => Ok(*tokens),
        Some(Tokens::ByFamily(all)) => match all.get(family.name()) {
            Some(tokens) => Ok(*tokens),
            None => bail!("the samples have no counts by {family}"),
        },
        None => match ExactTokenizer::of_family(family) {
            Some(tokenizer) => Ok(tokenizer.count(&sample.text).expected.as_u64()),
            None => bail!("only o200k and cl100k can count texts; give counts in a .jsonl file"),
        },
    }
}

fn row(text: &str, count: u64, estimator: &TokenEstimator) -> Row {
    let count = count as f64;
    let error = |guess: f64| (guess / count - 1.0) * 100.0;
    let estimate = estimator.count(text);
    let characters = text.chars().count() as f64;
    let over = |bound: u64| if count > bound as f64 { 100.0 } else { 0.0 };
    let expected = estimate.expected.as_u64() as f64;
    Row {
        texts: 1,
        tokens_per_character: count / characters,
        bias: error(expected),
        estimator: error(expected).abs(),
        words_times_1_3: error(text.split_whitespace().count() as f64 * 1.3).abs(),
        characters_by_4: error(characters / 4.0).abs(),
        bytes_by_4: error(text.len() as f64 / 4.0).abs(),
        over_p95: over(estimate.p95.as_u64()),
        over_p99: over(estimate.p99.as_u64()),
    }
}

/// Each row counts alike.
fn mean(rows: &[Row]) -> Row {
    let of = |value: fn(&Row) -> f64| rows.iter().map(value).sum::<f64>() / rows.len() as f64;
    Row {
        texts: rows.iter().map(|row| row.texts).sum(),
        tokens_per_character: of(|row| row.tokens_per_character),
        bias: of(|row| row.bias),
        estimator: of(|row| row.estimator),
        words_times_1_3: of(|row| row.words_times_1_3),
        characters_by_4: of(|row| row.characters_by_4),
        bytes_by_4: of(|row| row.bytes_by_4),
        over_p95: of(|row| row.over_p95),
        over_p99: of(|row| row.over_p99),
    }
}
